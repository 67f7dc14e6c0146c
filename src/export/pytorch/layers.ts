// Operators with weights as modules of PyTorch.
import { resolveAxis } from '../../ops/node/attributes.ts'
import { paddingOf, reachOf, readWindows, splitShape } from '../../ops/windows/windows.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { Dimension } from '../../values/shape.ts'
import { EXPRESSIONS } from './expressions.ts'
import type { LineWriter, NodeLines } from './node-lines.ts'
import { python } from './python-module.ts'
import { writeRecurrent } from './recurrent.ts'

/** Tensors of a module that are there. */
const present = (tensors: Readonly<Record<string, ArrayLike | undefined>>): Map<string, ArrayLike> => (
  new Map(Object.entries(tensors).filter((entry): entry is [string, ArrayLike] => entry[1] !== undefined))
)

/** x of a module with the channels second, for a node that may have them last. */
function channelsSecond(c: NodeLines, channelsLast: boolean, apply: (x: string) => string): void {
  c.give(channelsLast && c.rank > 2 ? `${apply(`${c.x(0)}.movedim(-1, 1)`)}.movedim(1, -1)` : apply(c.x(0)))
}

const linear: LineWriter = (c) => {
  const [weight, bias] = [c.weight('weight') as ArrayLike, c.weight('bias')]
  const [units, features] = weight.shape as [number, number]
  const own = c.module.submodule(c.node.name, `nn.Linear(${features}, ${units}${bias === undefined ? ', bias=False' : ''})`, present({ weight, bias }))
  c.give(`self.${own}(${c.x(0)})`)
}

const embedding: LineWriter = (c) => {
  const weight = c.weight('weight') as ArrayLike
  const own = c.module.submodule(c.node.name, `nn.Embedding(${weight.shape.join(', ')})`, present({ weight }))
  c.give(`self.${own}(${c.x(0)})`)
}

const gemm: LineWriter<{ readonly alpha: number, readonly beta: number, readonly transA: boolean, readonly transB: boolean }> = (c) => {
  const { alpha, beta, transA, transB } = c.settings
  const weight = c.value(1)
  const bias = c.value(2)
  const hasVector = !c.has(2) || (bias?.shape.length === 1 && bias.shape[0] === weight?.shape[0])
  const isLinear = alpha === 1 && beta === 1 && !transA && transB && weight !== undefined && hasVector
  if (isLinear) {
    const own = c.module.submodule(c.node.name, `nn.Linear(${weight.shape[1]}, ${weight.shape[0]}${bias === undefined ? ', bias=False' : ''})`, present({ weight, bias }))
    return c.give(`self.${own}(${c.x(0)})`)
  }
  const scaled = (factor: number, x: string): string => (factor === 1 ? x : `${python(factor)} * ${x}`)
  const product = scaled(alpha, `(${c.x(0)}${transA ? '.T' : ''} @ ${c.x(1)}${transB ? '.T' : ''})`)
  c.give(c.has(2) ? `${product} + ${scaled(beta, c.x(2))}` : product)
}

const convolution: LineWriter<number> = (c) => {
  const [weight, bias] = [c.value(1), c.value(2)]
  if (weight === undefined || (c.has(2) && bias === undefined)) throw c.unsupported('a kernel or bias that is computed')
  const [columns, channels, ...kernel] = weight.shape as [number, number, ...number[]]
  const windows = readWindows(c.node, kernel.length, kernel)
  const { sizes } = splitShape<Dimension>(c.type(0).shape, windows.channelsLast)
  const pads = kernel.map((_, axis) => {
    const size = sizes[axis]
    if (windows.autoPad === 'NOTSET' || windows.autoPad === 'VALID') return paddingOf(windows, axis, 0)
    if (typeof size !== 'number' && windows.strides[axis] !== 1) throw c.unsupported('padding that depends on a size')
    return paddingOf(windows, axis, typeof size === 'number' ? size : reachOf(windows, axis))
  })
  const isEven = pads.every(([before, after]) => before === after)
  const options = [
    columns, c.settings * channels, kernel.length === 1 ? kernel[0] : python(kernel),
  ]
  const named = [
    windows.strides.some((one) => one !== 1) && `stride=${python(windows.strides)}`, isEven && pads.some(([one]) => one !== 0) && `padding=${python(pads.map(([one]) => one))}`,
    windows.dilations.some((one) => one !== 1) && `dilation=${python(windows.dilations)}`, c.settings !== 1 && `groups=${c.settings}`, bias === undefined && 'bias=False',
  ].filter(Boolean)
  const constructor = `nn.Conv${kernel.length}d(${[options[1], options[0], options[2], ...named].join(', ')})`
  const own = c.module.submodule(c.node.name, constructor, present({ weight, bias }))
  channelsSecond(c, windows.channelsLast, (x) => {
    const padded = isEven ? x : `F.pad(${x}, ${python([...pads].reverse().flat())})`
    return `self.${own}(${padded})`
  })
}

const batchNormalization: LineWriter<{ readonly epsilon: number, readonly channelsLast: boolean }> = (c) => {
  const [weight, bias, mean, variance] = [1, 2, 3, 4].map((n) => c.value(n))
  if (weight === undefined || bias === undefined || mean === undefined || variance === undefined) throw c.unsupported('statistics that are computed')
  const axes = Math.max(1, c.rank - 2)
  if (axes > 3) throw c.unsupported(`${c.rank} axes`)
  const tensors = present({ weight, bias, running_mean: mean, running_var: variance, num_batches_tracked: new NdArray(Int32Array.of(0), []) })
  const own = c.module.submodule(c.node.name, `nn.BatchNorm${axes}d(${weight.shape[0]}, eps=${python(c.settings.epsilon)})`, tensors)
  channelsSecond(c, c.settings.channelsLast, (x) => `self.${own}(${x})`)
}

const rowNormalization = (name: string): LineWriter<{ readonly given: number, readonly epsilon: number }> => (c) => {
  const [weight, bias] = [c.value(1), c.value(2)]
  if (weight === undefined || (c.has(2) && bias === undefined)) throw c.unsupported('a scale or bias that is computed')
  const isCentred = name === 'LayerNorm'
  resolveAxis(c.node, c.settings.given, c.rank)
  const options = [python(weight.shape), `eps=${python(c.settings.epsilon)}`, ...(isCentred && bias === undefined ? ['bias=False'] : [])]
  const own = c.module.submodule(c.node.name, `nn.${name}(${options.join(', ')})`, present({ weight, bias }))
  c.give(`self.${own}(${c.x(0)})`)
}

const pool = (name: string): LineWriter<{ readonly ceilMode: boolean, readonly countPad: boolean }> => (c) => {
  const axes = c.rank - 2
  const windows = readWindows(c.node, axes, undefined)
  const pads = windows.kernel.map((_, axis) => paddingOf(windows, axis, 0))
  if (windows.autoPad.startsWith('SAME') || pads.some(([before, after]) => before !== after)) throw c.unsupported('padding that is not as much on both sides')
  if (name === 'avg' && windows.dilations.some((one) => one !== 1)) throw c.unsupported('dilations of means')
  const named = [
    `stride=${python(windows.strides)}`, `padding=${python(pads.map(([one]) => one))}`, name === 'max' && `dilation=${python(windows.dilations)}`,
    `ceil_mode=${python(c.settings.ceilMode)}`, name === 'avg' && `count_include_pad=${python(c.settings.countPad)}`,
  ].filter(Boolean)
  channelsSecond(c, windows.channelsLast, (x) => `F.${name}_pool${axes}d(${[x, python(windows.kernel), ...named].join(', ')})`)
}

/** Over all axes but those of the batch and the channels, which stay with one element. */
const globalPool = (f: string): LineWriter<boolean> => (c) => {
  const axes = Array.from({ length: c.rank - 2 }, (_, n) => n + (c.settings ? 1 : 2))
  c.give(`torch.${f}(${c.x(0)}, dim=${python(axes)}, keepdim=True)`)
}

/** How nodes of each operator are written. */
export function lineWriters(): Readonly<Record<string, LineWriter<never>>> {
  return {
    ...EXPRESSIONS, linear, embedding, gemm, conv: convolution, batchNormalization, layerNormalization: rowNormalization('LayerNorm'), rmsNormalization: rowNormalization('RMSNorm'),
    maxPool: pool('max'), averagePool: pool('avg'), globalMaxPool: globalPool('amax'), globalAveragePool: globalPool('mean'),
    lstm: writeRecurrent, gru: writeRecurrent, rnn: writeRecurrent,
  }
}
