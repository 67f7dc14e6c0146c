// Layers that walk over time: LSTM, GRU, SimpleRNN, those of cuDNN, and RNN over any of their cells.
import { RECURRENT } from '../../../ops/recurrent/kinds.ts'
import type { Direction } from '../../../ops/recurrent/settings.ts'
import { cellAttributes, cellParameters, cellProblems, isOfCudnn, readCell, RECURRENT_LAYERS, type Cell } from './cells.ts'
import { parseLayer, type LayerSpec } from '../config.ts'
import type { Dialect } from '../dialect.ts'
import { notSupported, tensorsOf, type KerasTensor, type LayerCall, type LayerKind } from '../layer-call.ts'
import { field, isList } from '../../json.ts'
import { malformed } from '../settings.ts'
import type { LayerWeights } from '../weights.ts'

/** A layer that walks over time with one cell or several on top of each other. */
export interface Walk {
  readonly cells: readonly Cell[]
  readonly returnSequences: boolean
  readonly returnState: boolean
  readonly goBackwards: boolean
  readonly stateful: boolean
  readonly timeMajor: boolean
  readonly zeroOutputForMask: boolean
  /** Final states of the last cell come first. */
  readonly statesReversed: boolean
}

const STACK = 'StackedRNNCells'

export function readWalk(layer: LayerSpec, weights: LayerWeights, dialect: Dialect): Walk {
  const { settings } = layer
  const cells = cellsOf(layer, weights, dialect)
  return {
    cells,
    returnSequences: settings.flag('return_sequences', false),
    returnState: settings.flag('return_state', false),
    goBackwards: settings.flag('go_backwards', false),
    stateful: settings.flag('stateful', false),
    timeMajor: settings.flag('time_major', false),
    zeroOutputForMask: settings.flag('zero_output_for_mask', false),
    statesReversed: dialect.stackedStatesReversed || field(field(settings.json('cell'), 'config'), 'reverse_state_order') === true,
  }
}

function cellsOf(layer: LayerSpec, weights: LayerWeights, dialect: Dialect): Cell[] {
  // A layer of cuDNN has no cell.
  if (isOfCudnn(layer.className)) return [readCell(layer, weights, dialect)]
  const own = weights.child('cell')
  if (RECURRENT_LAYERS.includes(layer.className)) return [readCell(layer, own, dialect)]
  const cell = cellSpec(layer)
  if (cell.className !== STACK) return [readCell(cell, own, dialect)]
  const cells = stackedSpecs(cell)
  return own.children('cells', cells).map((place, index) => readCell(cells[index] as LayerSpec, place, dialect))
}

function cellSpec(layer: LayerSpec): LayerSpec {
  return parseLayer(layer.settings.json('cell'), 0, `${layer.settings.what}: cell`)
}

function stackedSpecs(cell: LayerSpec): LayerSpec[] {
  const list = cell.settings.json('cells')
  if (!isList(list) || list.length === 0) throw cell.settings.wrong('cells', 'a list of cells', list)
  return list.map((json) => parseLayer(json, 0, `${cell.settings.what}: cells`))
}

/** What of such a layer cannot be run. */
export function walkProblems(layer: LayerSpec, dialect: Dialect): string[] {
  if (RECURRENT_LAYERS.includes(layer.className)) return cellProblems(layer, dialect)
  const cell = cellSpec(layer)
  return (cell.className === STACK ? stackedSpecs(cell) : [cell]).flatMap((one) => cellProblems(one, dialect))
}

/** [batch, units] of every direction -> [directions, batch, units]; '' where there are none. */
export function stackStates({ emit }: LayerCall, name: string, states: readonly (KerasTensor | undefined)[]): string {
  const rows = states.filter((state) => state !== undefined)
    .map((state, index) => emit.node(`${name}.${index}`, 'unsqueeze', [state.value, emit.integers(0)]))
  if (rows.length === 0) return ''
  return rows.length === 1 ? rows[0] as string : emit.node(name, 'concat', rows, { axis: 0 })
}

/** [directions, batch, units] -> [batch, units] of one direction. */
export function stateOf({ emit }: LayerCall, name: string, states: string, direction: number): KerasTensor {
  return { value: emit.node(name, 'gather', [states, emit.integer(direction)], { axis: 0 }), mask: undefined }
}

export interface WalkInput {
  readonly x: string
  /** uint8 [batch, timesteps]. */
  readonly mask: string | undefined
  /** The mask of a sequence that comes out. */
  readonly outputMask: string | undefined
  readonly initial: readonly KerasTensor[]
}

export function walkInput(call: LayerCall): WalkInput {
  const { layer, inputs, kwargs, dialect } = call
  const [x, ...more] = inputs
  if (x === undefined) throw malformed(`${layer.settings.what}: expected an input, got none`)
  const initial = [...more, ...tensorsOf(kwargs.get('initial_state'))]
  const own = x.mask ?? lingering(call, x.value)
  const isHidden = dialect.statesHideMask && initial.length > 0 && tensorsOf(kwargs.get('mask')).length === 0
  return { x: x.value, mask: isHidden ? undefined : own, outputMask: x.mask, initial }
}

/** The mask of a layer before, where the dialect has it. @throws LstmError `UNSUPPORTED` if that has other timesteps */
function lingering({ emit, dialect, layer }: LayerCall, x: string): string | undefined {
  const mask = dialect.masksLinger ? emit.lastMask : undefined
  if (mask !== undefined && emit.shapeOf(mask)[1] !== emit.shapeOf(x)[1]) {
    throw notSupported(`${layer.settings.what}: its input has no mask, and ${dialect.name} then takes that of a layer before, which has other timesteps`)
  }
  return mask
}

/** A layer of cuDNN is not run with a mask. @throws LstmError `UNSUPPORTED` */
export function refuseMask({ className, settings }: LayerSpec, { mask }: WalkInput): void {
  if (isOfCudnn(className) && mask !== undefined) throw notSupported(`${settings.what}: a mask`)
}

/** A mask of one timestep after the other is [timesteps, batch]; the operator wants [batch, timesteps]. */
export function batchFirstMask({ emit }: LayerCall, path: string, mask: string | undefined, timeMajor: boolean): string | undefined {
  return mask !== undefined && timeMajor ? emit.node(`${path}/mask`, 'transpose', [mask], { perm: [1, 0] }) : mask
}

/** The initial states of each cell, none where there are none. */
function initialOf(initial: readonly KerasTensor[], walk: Walk, what: string): (readonly KerasTensor[])[] {
  const { cells, statesReversed } = walk
  const count = cells.reduce((sum, { kind }) => sum + RECURRENT[kind.op].states.length, 0)
  if (initial.length === 0) return cells.map(() => [])
  if (initial.length !== count) throw malformed(`${what}: expected ${count} initial states, got ${initial.length}`)
  const left = [...initial]
  const groups = (statesReversed ? [...cells].reverse() : cells).map(({ kind }) => left.splice(0, RECURRENT[kind.op].states.length))
  return statesReversed ? groups.reverse() : groups
}

/** The nodes of a walk; `keepOrder`: outputs are put back in the order of the input, whatever the direction. */
export function emitWalk(call: LayerCall, path: string, walk: Walk, input: WalkInput, keepOrder: boolean): { y: string, states: KerasTensor[] } {
  const { emit, dialect, layer } = call
  const { cells, goBackwards, timeMajor, stateful, returnSequences, zeroOutputForMask } = walk
  const direction: Direction = goBackwards ? 'reverse' : 'forward'
  const mask = batchFirstMask(call, path, input.mask, timeMajor)
  const initial = initialOf(input.initial, walk, layer.settings.what)
  // The last of zeroed outputs may be one: the final h would not show it.
  const cutsLast = !returnSequences && zeroOutputForMask && mask !== undefined
  let y = input.x
  const states = cells.map((cell, index): KerasTensor[] => {
    const name = cells.length === 1 ? path : `${path}/${index}`
    const isLast = index === cells.length - 1
    const { op } = cell.kind
    const letters = RECURRENT[op].states
    const outputs = emit.nodeWith(walk.returnState ? 1 + letters.length : 1, name, op, [
      y, ...letters.map((letter, n) => stackStates(call, `${name}/${letter}0`, [initial[index]?.[n]])), mask ?? '',
    ], {
      ...cellAttributes([cell], cell.what),
      direction,
      timeMajor,
      stateful,
      returnSequences: !isLast || returnSequences || cutsLast,
      reversedOutput: isLast && goBackwards && !keepOrder,
      maskRule: zeroOutputForMask ? 'zero' : dialect.maskRule,
    }, cellParameters(call, name, cell, direction))
    y = outputs[0] as string
    return outputs.slice(1).map((state, n) => stateOf(call, `${name}/${letters[n]}`, state, 0))
  })
  if (cutsLast) {
    const last = goBackwards && keepOrder ? 0 : -1
    y = emit.node(`${path}/last`, 'gather', [y, emit.integer(last)], { axis: timeMajor ? 0 : 1 })
  }
  return { y, states: (walk.statesReversed ? states.reverse() : states).flat() }
}

export const recurrent: LayerKind = {
  unsupported: walkProblems,
  build(call) {
    const { layer, path, weights, dialect } = call
    const walk = readWalk(layer, weights, dialect)
    const input = walkInput(call)
    refuseMask(layer, input)
    const { y, states } = emitWalk(call, path, walk, input, false)
    return [{ value: y, mask: walk.returnSequences ? input.outputMask : undefined }, ...states]
  },
}

/** A cell that is called by itself: one timestep, its states in and out. */
export const recurrentCell: LayerKind = {
  unsupported: cellProblems,
  build(call) {
    const { layer, emit, path, weights, dialect, inputs, kwargs } = call
    const cell = readCell(layer, weights, dialect)
    const { op } = cell.kind
    const letters = RECURRENT[op].states
    const [x, ...initial] = [...inputs, ...tensorsOf(kwargs.get('states'))]
    if (x === undefined || initial.length !== letters.length) throw malformed(`${layer.settings.what}: expected an input and ${letters.join(' and ')}`)
    const step = emit.node(`${path}/step`, 'unsqueeze', [x.value, emit.integers(1)])
    const [y, ...states] = emit.nodeWith(
      1 + letters.length, path, op, [step, ...letters.map((letter, n) => stackStates(call, `${path}/${letter}0`, [initial[n]]))],
      { ...cellAttributes([cell], cell.what), direction: 'forward', returnSequences: false }, cellParameters(call, path, cell, 'forward'),
    ) as [string, ...string[]]
    return [{ value: y, mask: undefined }, ...states.map((state, n) => stateOf(call, `${path}/${letters[n]}`, state, 0))]
  },
}
