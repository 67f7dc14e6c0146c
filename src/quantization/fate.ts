import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Constant } from '../ops/constant.ts'
import type { NarrowWeight } from '../ops/operator.ts'
import { weightsOf, type Layer } from './candidates.ts'
import { toHalf, toInt8, toStored, weightError, type Narrowed } from './narrow.ts'

/** What becomes of a layer: the constants that it changes, or why it stays as it is. */
export interface Fate {
  readonly changed: Graph['constants']
  readonly kept: string | undefined
}

/** What became of each constant: along which axis, and what. Layers may share them. */
export type Known = Map<string, { readonly axis: number, readonly result: Narrowed }>

export const stays = (kept: string): Fate => ({ changed: new Map(), kept })

/** @throws LstmError `VALUE` for names of no layer, and where all weights are of fewer bits already; `UNSUPPORTED` where there are none */
export function checkLayers(graph: Graph, layers: readonly Layer[], keep: readonly string[]): void {
  const names = layers.map(({ node }) => node.name)
  const unknown = keep.filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    throw new LstmError('VALUE', `quantize: keep: no layer with weights is called ${unknown.map((name) => `'${name}'`).join(', ')}; there are ${names.map((name) => `'${name}'`).join(', ')}`)
  }
  if (layers.length === 0) throw new LstmError('UNSUPPORTED', 'quantize: the model has no weights')
  const weights = layers.flatMap(({ node }) => weightsOf(node, graph)).map(([, constant]) => constant.storage)
  if (weights.every((storage) => storage !== undefined)) {
    throw new LstmError('VALUE', `quantize: expected a model with float32 weights, all of this one's are ${[...new Set(weights)].join(' and ')} already`)
  }
}

/**
 * Weights of a layer, of fewer bits where they can be.
 * @param either how those that can be multiplied either way are
 */
export function narrowed(graph: Graph, { node, weights }: Layer, dtype: 'int8' | 'float16', either: 'int8' | 'float32', known: Known): Fate {
  const wanted = dtype === 'int8' ? weights : weightsOf(node, graph).map(([constant]): NarrowWeight => ({ constant, axis: 0, products: 'float32' }))
  if (wanted.length === 0) return stays(`${node.op} has no way to multiply by 8 bits`)
  const narrow = (constant: Constant, { axis, products }: NarrowWeight): Narrowed => {
    if (dtype === 'float16') return toHalf(constant)
    return products === 'either' && either === 'float32' ? toStored(constant) : toInt8(constant, axis, products !== 'float32')
  }
  const changed: Map<string, Constant> = new Map()
  const reasons: string[] = []
  for (const weight of wanted) {
    const { constant: name, axis } = weight
    const before = known.get(name)
    if (before !== undefined && before.axis !== axis) {
      reasons.push('shares its weights with a layer that has its outputs along another axis')
      continue
    }
    const result = before?.result ?? narrow(graph.constants.get(name) as Constant, weight)
    known.set(name, { axis, result })
    if ('kept' in result) reasons.push(result.kept)
    else changed.set(name, result.weights)
  }
  return { changed, kept: changed.size === 0 ? reasons[0] : undefined }
}

/** What is known before any layer is looked at: weights of layers that are to stay as they are stay so wherever they are. */
export function knownOf(graph: Graph, layers: readonly Layer[], keep: readonly string[], dtype: 'int8' | 'float16'): Known {
  const known: Known = new Map()
  for (const { node, weights } of layers) {
    if (!keep.includes(node.name)) continue
    for (const [name] of weightsOf(node, graph)) {
      const axis = dtype === 'float16' ? 0 : weights.find(({ constant }) => constant === name)?.axis ?? 0
      known.set(name, { axis, result: { kept: `shares its weights with '${node.name}', which was asked to stay` } })
    }
  }
  return known
}

/** How far the weights of a layer moved, as one. */
export function movedWeights(graph: Graph, changed: Graph['constants']): number {
  return Math.max(...[...changed].map(([name, { data }]) => weightError(graph.constants.get(name)?.data as Float32Array, data as Float32Array)))
}

/** A graph with other constants in the place of its own. */
export function withConstants(graph: Graph, changed: Graph['constants']): Graph {
  return { ...graph, constants: new Map([...graph.constants].map(([name, constant]) => [name, changed.get(name) ?? constant])) }
}
