import { LstmError } from '../errors.ts'
import { joinName, type StateDict } from '../formats/pytorch-names.ts'
import { formatShape, sameShape } from '../values/shape.ts'
import type { Layer } from './layer.ts'

/** Matches tensors of a file with those the layers want, each exactly once. */
export class TensorMatching {
  readonly used: Set<string> = new Set()
  readonly #tensors: StateDict
  readonly #passed: Set<string> = new Set()
  readonly #missing: string[] = []
  readonly #misshapen: string[] = []

  constructor(tensors: StateDict) {
    this.#tensors = tensors
  }

  /** @param trainingOnly tensors that may be there, and are not read */
  take(prefix: string, specs: ReturnType<Layer['tensors']>, trainingOnly: readonly string[] = []): Record<string, string> {
    for (const name of trainingOnly) this.#passed.add(joinName(prefix, name))
    const parameters: Record<string, string> = {}
    for (const spec of specs) {
      const own = joinName(prefix, spec.name)
      const cell = spec.cellName === undefined ? own : joinName(prefix, spec.cellName)
      const name = this.#tensors.has(own) ? own : cell
      const tensor = this.#tensors.get(name)
      if (tensor === undefined) {
        this.#missing.push(`'${own}' ${formatShape(spec.shape)}`)
        continue
      }
      if (this.used.has(name)) throw new LstmError('VALUE', `loadStateDict: two layers want the tensor '${name}'`)
      this.used.add(name)
      parameters[spec.role] = name
      if (tensor.dtype !== 'float32') this.#misshapen.push(`'${name}' is ${tensor.dtype}, expected float32`)
      else if (!sameShape(tensor.shape, spec.shape)) {
        this.#misshapen.push(`'${name}' has ${formatShape(tensor.shape)}, expected ${formatShape(spec.shape)}`)
      }
    }
    return parameters
  }

  finish(): void {
    const unused = [...this.#tensors].filter(([name]) => !this.used.has(name) && !this.#passed.has(name))
      .map(([name, { shape }]) => `'${name}' ${formatShape(shape)}`)
    const problems = [
      ...(this.#missing.length > 0 ? [`missing: ${this.#missing.join(', ')}`] : []),
      ...(unused.length > 0 ? [`unused: ${unused.join(', ')}`] : []),
      ...(this.#misshapen.length > 0 ? [`misshapen: ${this.#misshapen.join(', ')}`] : []),
    ]
    if (problems.length > 0) throw new LstmError('SHAPE', `loadStateDict: ${problems.join('; ')}`)
  }
}
