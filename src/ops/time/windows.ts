// What windows that slide over timesteps do to time.
import { NdArray } from '../../values/ndarray.ts'
import { freshSize } from '../node/sizes.ts'
import type { GraphNode } from '../operator.ts'
import { along, timeAxis, type TimeContext, type TimeRule } from './timing.ts'
import { paddingOf, reachOf, readWindows, type Windows } from '../windows/windows.ts'

/** The windows of a node, and which of their axes the timesteps are; undefined where they are batch or channels. */
function windowsOver(node: GraphNode, context: TimeContext, kernel: readonly number[] | undefined): { windows: Windows, over: number } | undefined {
  const rank = context.shape(0)?.length as number
  const windows = readWindows(node, rank - 2, kernel)
  const over = timeAxis(context) as number - (windows.channelsLast ? 1 : 2)
  return over < 0 || over >= rank - 2 ? undefined : { windows, over }
}

/**
 * One output for each step, from it and the steps before: stride 1 over the timesteps, padded in front only, by as much
 * as the window reaches back.
 */
export const convolution: TimeRule = (node, context) => {
  const weights = context.shape(1)
  if (timeAxis(context) === undefined || weights === undefined || context.timing(1) !== undefined) return 'slides over other things than timesteps'
  const found = windowsOver(node, context, weights.slice(2) as number[])
  if (found === undefined) return 'takes the timesteps as another axis'
  const { windows, over } = found
  const reach = reachOf(windows, over)
  if (windows.strides[over] !== 1) return `makes one step of ${windows.strides[over]}`
  const shape = windows.channelsLast ? context.shape(0)?.slice(1, -1) ?? [] : context.shape(0)?.slice(2) ?? []
  const pads = shape.map((size, axis) => (typeof size === 'number' ? paddingOf(windows, axis, size) : paddingOf(windows, axis, reach)))
  if (shape.some((size, axis) => axis !== over && typeof size === 'string' && windows.autoPad !== 'NOTSET')) return 'is padded by a size that is not known'
  const [before, after] = pads[over] as [number, number]
  if (after > 0) return `looks ${after} ${after === 1 ? 'step' : 'steps'} ahead; streams take padding in front only ('causal')`
  if (before + context.lead !== reach - 1) return `has its first output after ${reach - before - context.lead} steps; streams take windows that are padded in front ('causal')`
  if (reach === 1) return along(node, context.timing(0))
  pads[over] = [0, 0]
  const instead = {
    ...node,
    inputs: [freshSize(node, 'window'), ...node.inputs.slice(1)],
    attributes: { ...node.attributes, autoPad: 'NOTSET', pads: [...pads.map(([begin]) => begin), ...pads.map(([, end]) => end)] },
  }
  return { ...along(node, context.timing(0)), instead, history: reach - 1 }
}

/** Other axes may be pooled. */
export const pooling: TimeRule = (node, context) => {
  const found = windowsOver(node, context, undefined)
  if (found === undefined) return along(node, context.timing(0))
  const { windows, over } = found
  return reachOf(windows, over) === 1 && windows.strides[over] === 1 ? along(node, context.timing(0)) : 'pools over the timesteps'
}

export const globalPooling: TimeRule = () => 'pools over the timesteps'

/** Zeros in front of the first step are what a convolution behind it remembers at first. */
export const padding: TimeRule = (node, context) => {
  const axis = timeAxis(context) as number
  const rank = context.outputShape(0).length
  const pads = context.value(1)
  if (pads === undefined || context.shape(3) !== undefined) return 'pads by sizes that are not known'
  const [before, after] = [pads.data[axis] as number, pads.data[rank + axis] as number]
  if (before === 0 && after === 0) return along(node, axis)
  const value = context.shape(2) === undefined ? 0 : context.value(2)?.data[0]
  if (after !== 0 || before < 0 || value !== 0 || (node.attributes.mode ?? 'constant') !== 'constant') return 'pads the sequence with other things than zeros in front'
  const name = freshSize(node, 'pads')
  const data = Int32Array.from(pads.data, (pad, n) => (n === axis ? 0 : pad))
  return {
    ...along(node, axis), lead: before, instead: { ...node, inputs: [node.inputs[0] as string, name, ...node.inputs.slice(2)] },
    constant: [name, new NdArray(data, [data.length])],
  }
}
