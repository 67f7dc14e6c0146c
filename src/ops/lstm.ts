import { LstmError } from '../errors.ts'
import { formatShape, type Dimension, type SymbolicShape } from '../values/shape.ts'
import { choice, flag, label, requireCount, requireFeatures, requireInput, requireParameter } from './checks.ts'
import type { GraphNode, InferenceContext, Operator, Planner, Slot } from './operator.ts'

/** `forward` walks from the first step to the last, `reverse` from the last to the first. */
export type Direction = 'forward' | 'reverse'

/** Gates before activation are computed for this many bytes of timesteps at a time: they stay in the L2 cache. */
const GATES_CHUNK_BYTES = 131072

/** The operator's name for a weight of one layer and direction. */
export function lstmRole(layer: number, direction: Direction, weight: LstmWeight): string {
  return `${layer}.${direction}.${weight}`
}

/** Weights of one layer and direction; the biases are optional, and added to each other. */
export type LstmWeight = 'inputWeights' | 'recurrentWeights' | 'inputBias' | 'recurrentBias'

interface Settings {
  readonly hiddenSize: number
  readonly numLayers: number
  readonly directions: readonly Direction[]
  readonly timeMajor: boolean
  readonly returnSequences: boolean
  readonly reversedOutput: boolean
}

function readSettings(node: GraphNode): Settings {
  const direction = choice(node, 'direction', ['forward', 'reverse', 'bidirectional'])
  const settings: Settings = {
    hiddenSize: requireCount(node, 'hiddenSize'),
    numLayers: requireCount(node, 'numLayers'),
    directions: direction === 'bidirectional' ? ['forward', 'reverse'] : [direction],
    timeMajor: flag(node, 'timeMajor'),
    returnSequences: flag(node, 'returnSequences'),
    reversedOutput: flag(node, 'reversedOutput'),
  }
  if (settings.reversedOutput && (direction !== 'reverse' || settings.numLayers > 1)) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: 'reversedOutput' (Keras's go_backwards) works for one layer with direction 'reverse', got ${settings.numLayers} layers and '${direction}'`)
  }
  return settings
}

/** Features that enter a layer: the input's, then the outputs of all directions of the layer below. */
function layerInputSize(settings: Settings, inputSize: number, layer: number): number {
  return layer === 0 ? inputSize : settings.hiddenSize * settings.directions.length
}

/** Features of each timestep, told by the weights. */
function inputSizeOf(node: GraphNode, context: Pick<InferenceContext, 'parameter'>, settings: Settings): number {
  const [direction] = settings.directions as [Direction]
  return requireParameter(node, context, lstmRole(0, direction, 'inputWeights')).shape[1] ?? 0
}

function checkWeights(node: GraphNode, context: Pick<InferenceContext, 'parameter'>, settings: Settings, inputSize: number): void {
  const gates = 4 * settings.hiddenSize
  for (let layer = 0; layer < settings.numLayers; layer++) {
    for (const direction of settings.directions) {
      const role = (weight: LstmWeight): string => lstmRole(layer, direction, weight)
      requireParameter(node, context, role('inputWeights'), [gates, layerInputSize(settings, inputSize, layer)])
      requireParameter(node, context, role('recurrentWeights'), [gates, settings.hiddenSize])
      for (const bias of [role('inputBias'), role('recurrentBias')]) {
        if (node.parameters[bias] !== undefined) requireParameter(node, context, bias, [gates])
      }
    }
  }
}

function checkState(node: GraphNode, context: InferenceContext, position: number, shape: SymbolicShape): void {
  const state = context.input(position)
  if (state === undefined) return
  requireInput(node, context, position, 'float32', 3)
  // A symbolic batch may go by another name on the state; sizes are compared when they are known.
  const differs = state.shape.some((size, axis) => typeof size === 'number' && typeof shape[axis] === 'number' && size !== shape[axis])
  if (differs) {
    const what = position === 1 ? 'initial h' : 'initial c'
    throw new LstmError('SHAPE', `${label(node)}: expected ${what} with shape ${formatShape(shape)} (layers x directions, batch, units), got ${formatShape(state.shape)}`)
  }
}

/** Where the packed weights of every layer and direction begin. */
type PackedCells = readonly (readonly number[])[]

/**
 * A stack of LSTM layers, every one over the whole sequence (Hochreiter and Schmidhuber 1997, with the
 * forget gate of Gers et al. 2000): the equations of PyTorch's LSTM and Keras's LSTM.
 *
 * Inputs: x [batch, timesteps, inputSize] ([timesteps, batch, inputSize] with `timeMajor`); optional
 * initial h and c, each [numLayers x directions, batch, hiddenSize], default zeros.
 * Outputs: y [batch, timesteps, directions x hiddenSize] with `returnSequences`, otherwise
 * [batch, directions x hiddenSize]: the last step each direction processed; final h and c, shaped as the initial ones.
 * Weights of each layer and direction, gates stacked in the order i, f, g, o: `inputWeights`
 * [4 hiddenSize, features], `recurrentWeights` [4 hiddenSize, hiddenSize], `inputBias` and
 * `recurrentBias` [4 hiddenSize].
 */
export const lstm: Operator<PackedCells> = {
  name: 'lstm',
  attributes: ['hiddenSize', 'numLayers', 'direction', 'timeMajor', 'returnSequences', 'reversedOutput'],
  infer(node, context) {
    const settings = readSettings(node)
    const x = requireInput(node, context, 0, 'float32', 3)
    const inputSize = inputSizeOf(node, context, settings)
    checkWeights(node, context, settings, inputSize)
    requireFeatures(node, x, inputSize)
    const [first, second] = x.shape as [Dimension, Dimension, Dimension]
    const batch = settings.timeMajor ? second : first
    const stateShape = [settings.numLayers * settings.directions.length, batch, settings.hiddenSize]
    checkState(node, context, 1, stateShape)
    checkState(node, context, 2, stateShape)
    const width = settings.directions.length * settings.hiddenSize
    const state = { dtype: 'float32', shape: stateShape } as const
    const y = { dtype: 'float32', shape: settings.returnSequences ? [first, second, width] : [batch, width] } as const
    return [y, state, state]
  },
  cost(node, context) {
    const settings = readSettings(node)
    const inputSize = inputSizeOf(node, context, settings)
    let multiplyAdds = 0
    for (let layer = 0; layer < settings.numLayers; layer++) {
      const cell = 4 * settings.hiddenSize * (layerInputSize(settings, inputSize, layer) + settings.hiddenSize)
      multiplyAdds += settings.directions.length * cell
    }
    const words = [`${settings.hiddenSize} units`]
    if (settings.numLayers > 1) words.push(`${settings.numLayers} layers`)
    if (node.attributes.direction === 'bidirectional') words.push('bidirectional')
    if (node.attributes.direction === 'reverse') words.push('backwards')
    words.push(settings.returnSequences ? 'every step' : 'last step')
    return { detail: words.join(', '), multiplyAdds }
  },
  prepare(node, packer) {
    const { kernels } = packer
    const settings = readSettings(node)
    const cells: number[][] = []
    for (let layer = 0; layer < settings.numLayers; layer++) {
      cells.push(settings.directions.map((direction) => {
        const role = (weight: LstmWeight): string => lstmRole(layer, direction, weight)
        const inputSize = packer.parameter(role('inputWeights'))?.shape[1] as number
        const packedPtr = packer.allocate(kernels.packedLstmBytes(inputSize, settings.hiddenSize))
        kernels.packLstmF32(
          packedPtr, packer.upload(role('inputWeights')), packer.upload(role('recurrentWeights')),
          packer.upload(role('inputBias')), packer.upload(role('recurrentBias')), inputSize, settings.hiddenSize,
        )
        return packedPtr
      }))
    }
    return cells
  },
  plan(node, planner, cells) {
    const settings = readSettings(node)
    const { timeMajor, directions, numLayers, hiddenSize } = settings
    const [first, second, inputSize] = planner.shapeOf(0) as [number, number, number]
    const batch = timeMajor ? second : first
    const timesteps = timeMajor ? first : second
    const cellStateBytes = batch * hiddenSize * 4

    const h = planState(planner, 1, numLayers * directions.length * cellStateBytes)
    const c = planState(planner, 2, numLayers * directions.length * cellStateBytes)
    const width = directions.length * hiddenSize
    // Layers hand their outputs on through two buffers by turns; the last one writes the node's own output.
    const between = Array.from({ length: Math.min(2, numLayers - 1) }, () => planner.workspace(batch * timesteps * width * 4))
    const gatesRowBytes = Math.ceil(hiddenSize / 4) * 64
    const chunkSteps = Math.min(timesteps, Math.max(1, Math.floor(GATES_CHUNK_BYTES / (batch * gatesRowBytes))))
    const workspace = planner.workspace(planner.kernels.lstmWorkspaceBytes(batch, hiddenSize, chunkSteps))

    let x: Slot = planner.input(0)
    for (let layer = 0; layer < numLayers; layer++) {
      const last = layer === numLayers - 1
      const y = last ? (settings.returnSequences && planner.hasOutput(0) ? planner.output(0) : undefined) : between[layer % 2]
      directions.forEach((direction, index) => {
        planDirection(planner, {
          x, y, h, c, workspace, chunkSteps, batch, timesteps, timeMajor, hiddenSize, direction,
          inputSize: layerInputSize(settings, inputSize, layer),
          packedPtr: (cells[layer] as readonly number[])[index] as number,
          stateOffset: (layer * directions.length + index) * cellStateBytes,
          yOffset: index * hiddenSize * 4,
          yWidth: width,
          reversedOutput: settings.reversedOutput,
        })
      })
      if (y !== undefined) x = y
    }
    if (!settings.returnSequences && planner.hasOutput(0)) {
      planLastStep(planner, h, (numLayers - 1) * directions.length * cellStateBytes, directions.length, batch, hiddenSize)
    }
  },
}

/** A state buffer (the node's output where it is wanted), set at each run to the initial state or to zeros. */
function planState(planner: Planner, position: number, bytes: number): Slot {
  const { copyRows, fillZero } = planner.kernels
  const state = planner.hasOutput(position) ? planner.output(position) : planner.workspace(bytes)
  if (planner.hasInput(position)) {
    const initial = planner.input(position)
    planner.step(() => copyRows(initial.ptr, 0, state.ptr, 0, 1, bytes))
  } else {
    planner.step(() => fillZero(state.ptr, bytes))
  }
  return state
}

interface DirectionCall {
  readonly x: Slot
  /** Undefined where only the states are wanted. */
  readonly y: Slot | undefined
  readonly h: Slot
  readonly c: Slot
  readonly workspace: Slot
  readonly chunkSteps: number
  readonly batch: number
  readonly timesteps: number
  readonly timeMajor: boolean
  readonly inputSize: number
  readonly hiddenSize: number
  readonly direction: Direction
  readonly packedPtr: number
  /** Bytes from the start of the state buffers to this layer's and direction's state. */
  readonly stateOffset: number
  /** Bytes from the start of an output row to this direction's part of it. */
  readonly yOffset: number
  /** Elements of an output row: all directions. */
  readonly yWidth: number
  readonly reversedOutput: boolean
}

/** One kernel call: a layer in one direction. Going backwards is walking with negative strides. */
function planDirection(planner: Planner, call: DirectionCall): void {
  const { lstmForwardF32 } = planner.kernels
  const { x, y, h, c, workspace, chunkSteps, batch, timesteps, timeMajor, inputSize, hiddenSize, packedPtr, stateOffset } = call
  const strides = (width: number): [number, number] => (timeMajor ? [batch * width * 4, width * 4] : [width * 4, timesteps * width * 4])
  const [xStepBytes, xRowBytes] = strides(inputSize)
  const [yStepBytes, yRowBytes] = strides(call.yWidth)
  const xSign = call.direction === 'reverse' ? -1 : 1
  const ySign = call.direction === 'reverse' && !call.reversedOutput ? -1 : 1
  const xOffset = xSign < 0 ? (timesteps - 1) * xStepBytes : 0
  const yOffset = call.yOffset + (ySign < 0 ? (timesteps - 1) * yStepBytes : 0)
  planner.step(() => lstmForwardF32(
    x.ptr + xOffset, xSign * xStepBytes, xRowBytes, inputSize, packedPtr, hiddenSize,
    timesteps, 0, batch, h.ptr + stateOffset, c.ptr + stateOffset,
    y === undefined ? 0 : y.ptr + yOffset, ySign * yStepBytes, yRowBytes, workspace.ptr, chunkSteps,
  ))
}

/** y [batch, directions x hiddenSize] from the final h of the last layer, [directions, batch, hiddenSize]. */
function planLastStep(planner: Planner, h: Slot, offset: number, directions: number, batch: number, hiddenSize: number): void {
  const { copyRows } = planner.kernels
  const y = planner.output(0)
  const rowBytes = hiddenSize * 4
  for (let direction = 0; direction < directions; direction++) {
    const fromOffset = offset + direction * batch * rowBytes
    const toOffset = direction * rowBytes
    planner.step(() => copyRows(h.ptr + fromOffset, rowBytes, y.ptr + toOffset, directions * rowBytes, batch, rowBytes))
  }
}

/** How the number of parameters comes about, a line for each layer and direction. */
export function lstmArithmetic(node: GraphNode, context: InferenceContext): string[] {
  const { hiddenSize, numLayers, directions } = readSettings(node)
  const lines: string[] = []
  for (let layer = 0; layer < numLayers; layer++) {
    for (const direction of directions) {
      const has = (weight: LstmWeight): number => (node.parameters[lstmRole(layer, direction, weight)] === undefined ? 0 : 1)
      const inputSize = context.parameter(lstmRole(layer, direction, 'inputWeights'))?.shape[1] as number
      const biases = has('inputBias') + has('recurrentBias')
      const terms = [`${inputSize} x ${hiddenSize} input`, `${hiddenSize} x ${hiddenSize} recurrent`]
      if (biases > 0) terms.push(`${biases === 1 ? '' : `${biases} x `}${hiddenSize} bias`)
      const total = 4 * hiddenSize * (inputSize + hiddenSize + biases)
      const which = [
        ...(numLayers > 1 ? [`layer ${layer}`] : []),
        ...(directions.length > 1 || direction === 'reverse' ? [direction] : []),
      ].join(' ')
      lines.push(`${which === '' ? '' : `${which}: `}4 gates x (${terms.join(' + ')}) = ${total} parameters`)
    }
  }
  return lines
}
