// Weights that are computed of two tensors of the file, before the program runs: torch.nn.utils.weight_norm, old and new.
import { NdArray } from '../../../values/ndarray.ts'
import type { TensorBuilder } from '../tensor-builder.ts'
import type { TorchTensor } from '../tensors.ts'
import { NamedTensor, NotFollowed, type Arg } from './calls.ts'

/** v g / |v|, where |v| is the length of each slice along an axis, or of the whole (-1). */
export class NormedTensor extends NamedTensor {
  readonly #g: NamedTensor
  readonly #axis: number

  constructor(v: NamedTensor, g: NamedTensor, axis: number) {
    super(`${v.name} by ${g.name}`, v.tensor)
    this.#g = g
    this.#axis = axis
  }

  override build(tensors: TensorBuilder): NdArray {
    const v = super.build(tensors)
    const g = this.#g.build(tensors)
    const { shape } = v
    const count = this.#axis < 0 ? 1 : shape[this.#axis] as number
    if (g.data.length !== count) throw new NotFollowed(`has ${g.data.length} lengths of ${count} in '${this.#g.name}'`)
    const inner = this.#axis < 0 ? v.data.length : shape.slice(this.#axis + 1).reduce((product, size) => product * size, 1)
    const sliceOf = (n: number): number => (this.#axis < 0 ? 0 : Math.floor(n / inner) % count)
    const squares = new Float64Array(count)
    v.data.forEach((value, n) => (squares[sliceOf(n)] = (squares[sliceOf(n)] as number) + value * value))
    return new NdArray(Float32Array.from(v.data, (value, n) => value * (g.data[sliceOf(n)] as number) / Math.sqrt(squares[sliceOf(n)] as number)), shape)
  }
}

/** Of torch._weight_norm(v, g, dim). */
export function normedTensor([v, g, dim = 0]: readonly Arg[]): NormedTensor {
  if (!(v instanceof NamedTensor) || !(g instanceof NamedTensor)) throw new NotFollowed('has weights that are computed')
  const { shape }: TorchTensor = v.tensor
  if (typeof dim !== 'number' || !(dim >= -1 && dim < shape.length)) throw new NotFollowed('has a weight_norm along an axis that is not read')
  return new NormedTensor(v, g, dim)
}
