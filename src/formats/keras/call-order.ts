// The order in which the calls of a model's layers are made.
import type { LayerNode, LayerSpec, ModelSpec } from './config.ts'
import { refsOf } from './config.ts'
import { malformed } from './settings.ts'
import type { LayerWeights } from './weights.ts'

/** One call of a layer, waiting for what it is given. */
export interface PendingCall {
  readonly layer: LayerSpec
  readonly node: LayerNode
  readonly key: string
  readonly weights: LayerWeights
}

export function callKey(layer: string, node: number): string {
  return `${node} ${layer}`
}

/** All tensors a call needs. */
function needsOf({ node }: PendingCall): string[] {
  return [...node.args, ...node.kwargs.values()].flatMap(refsOf).map(({ layer, node: index }) => callKey(layer, index))
}

/** What is to be popped: the last of these first, or the first. */
function inTurn(needs: string[], lastFirst: boolean): string[] {
  return lastFirst ? needs : needs.reverse()
}

/** The calls that the outputs need, each after those it needs itself. No recursion: models may be very deep. */
export function orderOf(model: ModelSpec, calls: ReadonlyMap<string, PendingCall>, given: ReadonlySet<string>, lastFirst: boolean): string[] {
  const ordered: Set<string> = new Set()
  /** What calls that are begun still need, last one first. */
  const waiting: Map<string, string[]> = new Map()
  const stack = model.outputs.map(({ layer, node }) => callKey(layer, node)).reverse()
  while (stack.length > 0) {
    const key = stack.at(-1) as string
    const call = calls.get(key)
    const isKnown = (need: string): boolean => given.has(need) || ordered.has(need)
    // Each time it is seen again, one thing more that it needs is there.
    const needs = call === undefined || isKnown(key) ? [] : waiting.get(key) ?? inTurn([...new Set(needsOf(call))], lastFirst)
    let next = needs.pop()
    while (next !== undefined && (isKnown(next) || !calls.has(next))) next = needs.pop()
    if (next === undefined) {
      stack.pop()
      waiting.delete(key)
      if (call !== undefined && !given.has(key)) ordered.add(key)
      continue
    }
    waiting.set(key, needs)
    if (waiting.has(next)) throw malformed(`model '${model.name}': the layer '${calls.get(next)?.layer.name ?? next}' depends on its own output`)
    stack.push(next)
  }
  return [...ordered]
}

/**
 * The same calls as Keras makes them: those that are farthest from the outputs first. What a call does to a tensor that others are
 * called with (see `TakenMasks`) is seen by those that come later.
 */
export function orderByDepth(ordered: readonly string[], calls: ReadonlyMap<string, PendingCall>): string[] {
  const known = new Set(ordered)
  const depths: Map<string, number> = new Map()
  const ofLayers: Map<LayerSpec, number> = new Map()
  for (const key of [...ordered].reverse()) {
    const call = calls.get(key) as PendingCall
    const depth = Math.max(depths.get(key) ?? 0, ofLayers.get(call.layer) ?? 0)
    ofLayers.set(call.layer, depth)
    depths.set(key, depth)
    for (const need of needsOf(call)) if (known.has(need)) depths.set(need, Math.max(depth + 1, depths.get(need) ?? 0))
  }
  return [...depths].sort(([, a], [, b]) => b - a).map(([key]) => key)
}
