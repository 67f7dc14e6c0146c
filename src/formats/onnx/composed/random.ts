// Random operators, with a seed that the caller gives.
import { LstmError } from '../../../errors.ts'
import type { Attribute } from '../../../ops/graph-data.ts'
import type { Conversion } from '../conversion.ts'
import { typeFacts } from '../tensors.ts'

/** Adds numbers in a shape that flows in. */
function drawn(c: Conversion, shape: string, settings: Readonly<Record<string, Attribute>>, outputs?: readonly string[]): string {
  const { draws } = c.importer
  if (draws.seed === undefined) throw new LstmError('UNSUPPORTED', `onnx: ${c.label}: it draws random numbers, which takes a seed: load(source, { seed: 1 })`)
  return c.emit('random', [shape], { ...settings, seed: draws.seed, stream: draws.count++ }, outputs)
}

/** RandomNormal, RandomUniform, and those with the shape of a value. The file's own seed, of onnxruntime's numbers, is not taken. */
export function random(c: Conversion): void {
  const isNormal = c.op.startsWith('RandomNormal')
  c.onlyAttributes(['dtype', 'seed', ...(c.op.endsWith('Like') ? [] : ['shape']), ...(isNormal ? ['mean', 'scale'] : ['high', 'low'])])
  const like = c.op.endsWith('Like') ? c.input(0) : undefined
  const dtype = c.hasAttribute('dtype') || like === undefined ? typeFacts(c.int('dtype', 1), `${c.label}: the attribute 'dtype'`).dtype : c.type(like).dtype
  if (dtype !== 'float32') throw c.unsupported(`random numbers of dtype ${dtype}`)
  const shape = like === undefined ? c.integers('shape', c.ints('shape') ?? []) : c.emit('shape', [like])
  const [first, second] = isNormal ? [c.float('mean', 0), c.float('scale', 1)] : [c.float('low', 0), c.float('high', 1)]
  drawn(c, shape, { distribution: isNormal ? 'normal' : 'uniform', first, second }, [c.output(0)])
}

/** 1 as often as the input says, else 0. */
export function bernoulli(c: Conversion): void {
  c.onlyAttributes(['dtype', 'seed'])
  const x = c.input(0)
  const { name, dtype } = c.hasAttribute('dtype') ? typeFacts(c.int('dtype', 1), `${c.label}: the attribute 'dtype'`) : { name: '', ...c.type(x) }
  const isOne = c.emit('less', [drawn(c, c.emit('shape', [x]), {}), x])
  if (dtype === 'uint8') c.alias(0, isOne)
  else c.emitOutputs('cast', [isOne], { to: name === '' ? 'float32' : dtype })
}

/** Classes by the logarithms of how likely each is: the largest after each has got a number of its own (Gumbel). */
export function multinomial(c: Conversion): void {
  c.onlyAttributes(['dtype', 'sample_size', 'seed'])
  if (typeFacts(c.int('dtype', 6), `${c.label}: the attribute 'dtype'`).dtype !== 'int32') throw c.unsupported('a dtype that is no integer')
  const x = c.input(0)
  const shape = c.emit('shape', [x])
  const size = (start: number): string => c.emit('slice', [shape, c.integers('start', [start]), c.integers('end', [start + 1])])
  const uniform = drawn(c, c.emit('concat', [size(0), c.integers('samples', [c.int('sample_size', 1)]), size(1)], { axis: 0 }), {})
  const surprise = (value: string): string => c.emit('neg', [c.emit('log', [value])])
  const likely = c.emit('add', [surprise(surprise(uniform)), c.emit('unsqueeze', [x, c.integers('axes', [1])])])
  c.emitOutputs('argMax', [likely], { axis: -1, keepdims: 0 })
}
