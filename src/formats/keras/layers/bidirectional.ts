// Bidirectional: a layer and one that goes the other way, merged.
import { RECURRENT } from '../../../ops/recurrent/kinds.ts'
import { areAlike, cellAttributes, cellParameters, RECURRENT_LAYERS, type Cell } from './cells.ts'
import { parseLayer, type LayerSpec } from '../config.ts'
import { notSupported, type KerasTensor, type LayerCall, type LayerKind } from '../layer-call.ts'
import {
  batchFirstMask, emitWalk, readWalk, refuseMask, stackStates, stateOf, walkInput, walkProblems, type Walk, type WalkInput,
} from './recurrent.ts'
import { malformed } from '../settings.ts'

const MERGES = ['concat', 'sum', 'mul', 'ave'] as const

function wrappedLayers(layer: LayerSpec): [LayerSpec, LayerSpec] {
  const { settings } = layer
  const forward = parseLayer(settings.json('layer'), 0, `${settings.what}: layer`)
  const backward = settings.json('backward_layer')
  return [forward, backward === undefined ? forward : parseLayer(backward, 0, `${settings.what}: backward_layer`)]
}

export const bidirectional: LayerKind = {
  unsupported(layer, dialect) {
    const wrapped = wrappedLayers(layer)
    const foreign = wrapped.find(({ className }) => ![...RECURRENT_LAYERS, 'RNN'].includes(className))
    if (foreign !== undefined) return [`around a layer of class ${foreign.className}`]
    return wrapped.flatMap((inner) => walkProblems(inner, dialect))
  },
  build(call) {
    const { layer, weights, dialect, path } = call
    const [forwardSpec, backwardSpec] = wrappedLayers(layer)
    const given = readWalk(forwardSpec, weights.child('forward_layer'), dialect)
    const zeroOutputForMask = dialect.bidirectionalZeros && given.returnSequences
    const forward: Walk = { ...given, zeroOutputForMask }
    const backward: Walk = {
      ...readWalk(backwardSpec, weights.child('backward_layer'), dialect),
      goBackwards: !given.goBackwards, returnSequences: given.returnSequences, returnState: given.returnState, zeroOutputForMask,
    }
    const input = walkInput(call)
    for (const inner of [forwardSpec, backwardSpec]) refuseMask(inner, input)
    const mode = mergeMode(layer)
    const mask = given.returnSequences ? input.outputMask : undefined
    const fused = mode === 'concat' && canFuse(forward, backward)
    const { ys, states } = fused ? emitFused(call, forward, backward, input) : emitTwo(call, forward, backward, input)
    const isTurned = given.goBackwards && given.returnSequences
    return [...merge(call, ys, mode, path).map((value) => ({ value: isTurned ? turned(call, value, given.timeMajor) : value, mask })), ...states]
  },
}

/** Where the first layer goes backwards, its output stays so, and that of the second is turned to it. */
function turned({ emit, path }: LayerCall, value: string, timeMajor: boolean): string {
  const [back, end, axis] = [-1, -(2 ** 31), timeMajor ? 0 : 1].map((one) => emit.integers(one)) as [string, string, string]
  return emit.node(`${path}/turned`, 'slice', [value, back, end, axis, back])
}

function mergeMode(layer: LayerSpec): typeof MERGES[number] | undefined {
  const mode = layer.settings.json('merge_mode')
  // null means two outputs; only without the key it is the default.
  if (mode === undefined) return layer.settings.has('merge_mode') ? undefined : 'concat'
  const known = MERGES.find((name) => name === mode)
  if (known === undefined) throw layer.settings.wrong('merge_mode', MERGES.join(', '), mode)
  return known
}

function canFuse(forward: Walk, backward: Walk): boolean {
  const [a, b] = [forward.cells[0] as Cell, backward.cells[0] as Cell]
  return forward.cells.length === 1 && backward.cells.length === 1 && areAlike(a, b)
    && forward.timeMajor === backward.timeMajor && forward.stateful === backward.stateful && !forward.goBackwards
}

interface TwoWays {
  /** Outputs of both directions, or the two side by side already. */
  readonly ys: readonly string[]
  readonly states: readonly KerasTensor[]
}

function halves(initial: readonly KerasTensor[], what: string): [KerasTensor[], KerasTensor[]] {
  if (initial.length % 2 !== 0) throw malformed(`${what}: expected initial states for both directions, got ${initial.length}`)
  return [initial.slice(0, initial.length / 2), initial.slice(initial.length / 2)]
}

function emitTwo(call: LayerCall, forward: Walk, backward: Walk, input: WalkInput): TwoWays {
  const [first, second] = halves(input.initial, call.layer.settings.what)
  const one = emitWalk(call, `${call.path}/forward`, forward, { ...input, initial: first }, true)
  const other = emitWalk(call, `${call.path}/backward`, backward, { ...input, initial: second }, true)
  return { ys: [one.y, other.y], states: [...one.states, ...other.states] }
}

/** Both directions in one node, where they are alike enough. */
function emitFused(call: LayerCall, forward: Walk, backward: Walk, input: WalkInput): TwoWays {
  const { emit, dialect, path, layer } = call
  const [a, b] = [forward.cells[0] as Cell, backward.cells[0] as Cell]
  const { timeMajor, stateful, returnSequences, returnState, zeroOutputForMask } = forward
  const [first, second] = halves(input.initial, layer.settings.what)
  const { op } = a.kind
  const letters = RECURRENT[op].states
  if (first.length !== 0 && first.length !== letters.length) {
    throw malformed(`${layer.settings.what}: expected ${2 * letters.length} initial states, got ${2 * first.length}`)
  }
  const [y, ...final] = emit.nodeWith(returnState ? 1 + letters.length : 1, path, op, [
    input.x,
    ...letters.map((letter, n) => stackStates(call, `${path}/${letter}0`, [first[n], second[n]])),
    batchFirstMask(call, path, input.mask, timeMajor) ?? '',
  ], {
    ...cellAttributes([a, b], layer.settings.what),
    direction: 'bidirectional',
    timeMajor,
    stateful,
    returnSequences,
    maskRule: zeroOutputForMask ? 'zero' : dialect.maskRule,
  }, { ...cellParameters(call, `${path}/forward`, a, 'forward'), ...cellParameters(call, `${path}/backward`, b, 'reverse') })
  const states = [0, 1].flatMap((direction) => final.map((state, n) => stateOf(call, `${path}/${letters[n]}${direction}`, state, direction)))
  return { ys: [y as string], states }
}

function merge({ emit, layer }: LayerCall, ys: readonly string[], mode: typeof MERGES[number] | undefined, path: string): readonly string[] {
  if (mode === undefined || ys.length === 1) return ys
  const name = `${path}/${mode}`
  switch (mode) {
    case 'concat': return [emit.node(name, 'concat', ys, { axis: -1 })]
    case 'sum': return [emit.node(name, 'add', ys)]
    case 'mul': return [emit.node(name, 'mul', ys)]
    case 'ave': return [emit.node(name, 'mul', [emit.node(`${path}/sum`, 'add', ys), emit.number(0.5)])]
    default: throw notSupported(layer.settings.what)
  }
}
