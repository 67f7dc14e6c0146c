// LSTM and RNN over LSTM cells. Keras stacks the gates i, f, c, o along the columns of its
// kernels [features, 4 units] and [units, 4 units]: transposed, these are our weights.
import { lstmRole, type Direction } from '../../../ops/recurrent/settings.ts'
import { lstmActivations, readActivation, type KerasActivation } from './activation.ts'
import { parseLayer, type LayerSpec } from '../config.ts'
import { cudnnBias, cudnnKernel, isCudnn } from './cudnn.ts'
import type { Dialect } from '../dialect.ts'
import { transposed } from '../emitter.ts'
import { notSupported, tensorsOf, wordsOf, type KerasTensor, type LayerCall, type LayerKind } from '../layer-call.ts'
import { field, isList, malformed, type Settings } from '../settings.ts'
import type { LayerWeights } from '../weights.ts'

/** One cell: units, weights, functions. */
export interface Cell {
  readonly units: number
  readonly useBias: boolean
  readonly gates: KerasActivation
  readonly activation: KerasActivation
  readonly weights: LayerWeights
  readonly what: string
}

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

function readCell(settings: Settings, weights: LayerWeights, dialect: Dialect): Cell {
  return {
    units: settings.count('units'),
    useBias: settings.flag('use_bias', true),
    gates: readActivation(settings.json('recurrent_activation') ?? dialect.recurrentActivation, dialect, settings.what),
    activation: readActivation(settings.json('activation') ?? 'tanh', dialect, settings.what),
    weights,
    what: settings.what,
  }
}

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
  if (layer.className === 'LSTM') return [readCell(layer.settings, weights.child('cell'), dialect)]
  // It has no cell, and no choice.
  if (layer.className === 'CuDNNLSTM') return [{ ...readCell(layer.settings, weights, { ...dialect, recurrentActivation: 'sigmoid' }), useBias: true }]
  const cell = cellSpec(layer)
  const own = weights.child('cell')
  if (cell.className === 'LSTMCell') return [readCell(cell.settings, own, dialect)]
  const cells = stackedSpecs(cell)
  return own.children('cells', cells).map((place, index) => readCell((cells[index] as LayerSpec).settings, place, dialect))
}

function cellSpec(layer: LayerSpec): LayerSpec {
  return parseLayer(layer.settings.json('cell'), 0, `${layer.settings.what}: cell`)
}

function stackedSpecs(cell: LayerSpec): LayerSpec[] {
  const list = cell.settings.json('cells')
  if (!isList(list) || list.length === 0) throw cell.settings.wrong('cells', 'a list of cells', list)
  return list.map((json) => parseLayer(json, 0, `${cell.settings.what}: cells`))
}

/** What of an LSTM or RNN layer cannot be run. */
export function walkProblems(layer: LayerSpec, dialect: Dialect): string[] {
  if (layer.className === 'CuDNNLSTM') return []
  const cells = layer.className === 'LSTM' ? [layer] : [cellSpec(layer)].flatMap((cell) => (cell.className === 'StackedRNNCells' ? stackedSpecs(cell) : [cell]))
  return cells.flatMap((cell): string[] => {
    if (!['LSTM', 'LSTMCell'].includes(cell.className)) return [`cells of class ${cell.className}`]
    return ['recurrent_activation', 'activation'].flatMap((key) => wordsOf(() => readActivation(cell.settings.json(key), dialect, key)))
  })
}

/** Parameters of an lstm node for one cell in one direction. */
export function cellParameters({ emit }: LayerCall, path: string, cell: Cell, direction: Direction): Record<string, string> {
  const names = ['kernel', 'recurrent_kernel', ...(cell.useBias ? ['bias'] : [])]
  const [kernel, recurrentKernel, bias] = cell.weights.take(names, cell.what)
  if (kernel?.shape.length !== 2 || recurrentKernel?.shape.length !== 2) throw malformed(`${cell.what}: expected kernels with two axes`)
  const role = (weight: Parameters<typeof lstmRole>[2]): string => lstmRole(0, direction, weight)
  const [turn, added] = isCudnn(bias, cell.units) ? [cudnnKernel, cudnnBias] : [transposed, undefined]
  return {
    [role('inputWeights')]: emit.constant(`${path}/inputWeights`, kernel, turn),
    [role('recurrentWeights')]: emit.constant(`${path}/recurrentWeights`, recurrentKernel, turn),
    ...(bias !== undefined && { [role('inputBias')]: emit.constant(`${path}/bias`, bias, added) }),
  }
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
  readonly initial: readonly KerasTensor[]
}

export function walkInput(call: LayerCall): WalkInput {
  const { layer, inputs, kwargs } = call
  const [x, ...more] = inputs
  if (x === undefined) throw malformed(`${layer.settings.what}: expected an input, got none`)
  return { x: x.value, mask: x.mask, initial: [...more, ...tensorsOf(kwargs.get('initial_state'))] }
}

/** A layer of cuDNN is not run with a mask. @throws LstmError `UNSUPPORTED` */
export function refuseMask({ className, settings }: LayerSpec, { mask }: WalkInput): void {
  if (className === 'CuDNNLSTM' && mask !== undefined) throw notSupported(`${settings.what}: a mask`)
}

/** A mask of one timestep after the other is [timesteps, batch]; the operator wants [batch, timesteps]. */
export function batchFirstMask({ emit }: LayerCall, path: string, mask: string | undefined, timeMajor: boolean): string | undefined {
  return mask !== undefined && timeMajor ? emit.node(`${path}/mask`, 'transpose', [mask], { perm: [1, 0] }) : mask
}

/** Initial states in the order of the cells: [h, c] each. */
function initialOf(initial: readonly KerasTensor[], walk: Walk, what: string): (readonly [KerasTensor, KerasTensor] | undefined)[] {
  const { cells, statesReversed } = walk
  if (initial.length === 0) return cells.map(() => undefined)
  if (initial.length !== 2 * cells.length) throw malformed(`${what}: expected ${2 * cells.length} initial states, got ${initial.length}`)
  const pairs = cells.map((_, index) => [initial[2 * index] as KerasTensor, initial[2 * index + 1] as KerasTensor] as const)
  return statesReversed ? pairs.reverse() : pairs
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
    const outputs = emit.nodeWith(walk.returnState ? 3 : 1, name, 'lstm', [
      y,
      stackStates(call, `${name}/h0`, [initial[index]?.[0]]),
      stackStates(call, `${name}/c0`, [initial[index]?.[1]]),
      mask ?? '',
    ], {
      hiddenSize: cell.units,
      numLayers: 1,
      direction,
      timeMajor,
      stateful,
      returnSequences: !isLast || returnSequences || cutsLast,
      reversedOutput: isLast && goBackwards && !keepOrder,
      maskRule: zeroOutputForMask ? 'zero' : dialect.maskRule,
      ...lstmActivations([cell], cell.what),
    }, cellParameters(call, name, cell, direction))
    y = outputs[0] as string
    return outputs.slice(1).map((state, which) => stateOf(call, `${name}/${which === 0 ? 'h' : 'c'}`, state, 0))
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
    return [{ value: y, mask: walk.returnSequences ? input.mask : undefined }, ...states]
  },
}

/** A cell that is called by itself: one timestep, h and c in and out. */
export const lstmCell: LayerKind = {
  unsupported: (layer, dialect) => ['recurrent_activation', 'activation'].flatMap((key) => wordsOf(() => readActivation(layer.settings.json(key), dialect, key))),
  build(call) {
    const { layer, emit, path, weights, dialect, inputs, kwargs } = call
    const cell = readCell(layer.settings, weights, dialect)
    const [x, h0, c0] = [...inputs, ...tensorsOf(kwargs.get('states'))]
    if (x === undefined || h0 === undefined || c0 === undefined) throw malformed(`${layer.settings.what}: expected an input, h and c`)
    const step = emit.node(`${path}/step`, 'unsqueeze', [x.value, emit.integers(1)])
    const [y, h, c] = emit.nodeWith(3, path, 'lstm', [step, stackStates(call, `${path}/h0`, [h0]), stackStates(call, `${path}/c0`, [c0])], {
      hiddenSize: cell.units, numLayers: 1, direction: 'forward', returnSequences: false, ...lstmActivations([cell], cell.what),
    }, cellParameters(call, path, cell, 'forward')) as [string, string, string]
    return [{ value: y, mask: undefined }, stateOf(call, `${path}/h`, h, 0), stateOf(call, `${path}/c`, c, 0)]
  },
}
