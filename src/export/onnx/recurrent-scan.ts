// Recurrent layers spelled out, a Scan for each layer and direction: projections, masks of any form, layer normalisation, all activations and clips.
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { roleOf, type Direction } from '../../ops/recurrent/layer-settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { AnySettings } from '../recurrent-settings.ts'
import { transposed } from '../turned.ts'
import { writeCell } from './cells.ts'
import { Emission } from './emission.ts'
import { NodeExport } from './node-export.ts'
import { perLayer, writeSequence, writeStates } from './recurrent-ports.ts'

/** What all layers of a node share. */
interface Stack {
  readonly batchAxis: 0 | 1
  readonly timeAxis: 0 | 1
  /** bool [batch, timesteps, 1], or undefined. */
  readonly mask: string | undefined
  /** bool [batch, 1]: whether a row has any step; undefined where that is not asked for. */
  readonly hasSteps: string | undefined
}

export function writeScans(c: NodeExport<AnySettings>): void {
  const { states } = RECURRENT[c.node.op as RecurrentOp]
  const { numLayers, directions, returnSequences, timeMajor } = c.settings
  const mask = maskOf(c, 1 + states.length)
  const stack: Stack = {
    batchAxis: timeMajor ? 1 : 0, timeAxis: timeMajor ? 0 : 1, mask,
    hasSteps: mask === undefined || !c.settings.zeroEmptyState ? undefined : anyOf(c, mask),
  }
  const initial = states.map((_, n) => perLayer(c, 1 + n, numLayers * directions.length).map((name) => c.emit('Squeeze', [name, c.integers('axis', [0])])))
  const finals = states.map((): string[] => [])
  let x = c.any(0)
  for (let layer = 0; layer < numLayers; layer++) {
    const made = directions.map((direction, index) => {
      const position = layer * directions.length + index
      return writeDirection(c, stack, { x, layer, direction, index, initial: initial.map((names) => names[position]) })
    })
    made.forEach(({ states: own }) => own.forEach((name, n) => finals[n]?.push(c.emit('Unsqueeze', [name, c.integers('axis', [0])]))))
    const all = made.map(({ y }) => y)
    if (layer < numLayers - 1 || (returnSequences && c.isNeeded(0))) x = all.length === 1 ? all[0] as string : c.emit('Concat', all, { axis: 2 })
    else if (c.isNeeded(0)) writeLast(c, made.map(({ last }) => last))
  }
  if (returnSequences && c.isNeeded(0)) writeSequence(c, x, timeMajor)
  writeStates(c, finals)
}

/** bool [batch, 1]: whether any step of a mask [batch, timesteps, 1] counts. */
function anyOf(c: NodeExport, mask: string): string {
  const most = c.emit('ReduceMax', [c.emission.cast({ name: mask, type: 'bool' }, 'float32'), c.integers('axis', [1])], { keepdims: 0 })
  return c.emission.cast({ name: most, type: 'float32' }, 'bool')
}

function writeLast(c: NodeExport<AnySettings>, last: readonly string[]): void {
  if (last.length === 1) c.emitOutput('Identity', last)
  else c.emitOutput('Concat', last, { axis: 1 })
}

/** bool [batch, timesteps, 1] of the mask at a position, or of the lengths behind it. */
function maskOf(c: NodeExport<AnySettings>, position: number): string | undefined {
  if (c.has(position)) return c.emit('Unsqueeze', [c.as(position, 'bool'), c.integers('axis', [2])])
  if (!c.has(position + 1)) return undefined
  const scalar = (value: number): string => c.constant('scalar', new NdArray(Int32Array.of(value), []), 'int64')
  const steps = c.emit('Gather', [c.emit('Shape', [c.any(0)]), scalar(c.settings.timeMajor ? 0 : 1)])
  const lengths = c.emit('Unsqueeze', [c.as(position + 1, 'int64'), c.integers('axis', [1])])
  const isStep = c.emit('Less', [c.emit('Range', [scalar(0), steps, scalar(1)]), lengths])
  return c.emit('Unsqueeze', [isStep, c.integers('axis', [2])])
}

/** One layer in one direction. */
interface Part {
  readonly x: string
  readonly layer: number
  readonly direction: Direction
  readonly index: number
  /** [batch, size] each, undefined for zeros. */
  readonly initial: readonly (string | undefined)[]
}

interface Made {
  readonly y: string
  readonly last: string
  readonly states: readonly string[]
}

function writeDirection(c: NodeExport<AnySettings>, stack: Stack, part: Part): Made {
  const op = c.node.op as RecurrentOp
  const { settings } = c
  const { hiddenSize, outputSize, maskRule, reversedOutput } = settings
  const { states } = RECURRENT[op]
  const { names } = c.emission.file
  const fresh = (what: string): string => names.unused(`${c.node.name}.${part.layer}.${part.direction}.${what}`)
  const first = states.map((state, n) => part.initial[n] ?? zeros(c, part.x, stack.batchAxis, state === 'h' ? outputSize : hiddenSize))
  const { mask } = stack
  // What masked steps put out again differs from h only before the first step that counts.
  const isHeld = mask !== undefined && maskRule === 'hold' && part.initial[0] !== undefined
  const held = isHeld ? [zeros(c, part.x, stack.batchAxis, outputSize)] : []
  const projected = projectedInput(c, part)

  const body: NodeExport<AnySettings> = new NodeExport(c.node, new Emission(c.emission.typed, c.emission.file))
  const inner = [...states.map((state) => fresh(state)), ...held.map(() => fresh('held')), fresh('gates'), ...(mask === undefined ? [] : [fresh('valid')])]
  const before = inner.slice(0, states.length)
  const gates = inner[states.length + held.length] as string
  const next = writeCell(body, { gates, states: before, layer: part.layer, direction: part.direction, index: part.index })
  const valid = mask === undefined ? undefined : inner.at(-1) as string
  const kept = valid === undefined ? next : next.map((name, n) => choose(body, maskRule, valid, name, before[n] as string))
  const y = outputOf(body, maskRule, valid, next[0] as string, kept[0] as string, isHeld ? inner[states.length] : undefined)
  const bodyOutputs = [...kept, ...(isHeld ? [y] : []), y].map((name) => body.emit('Identity', [name]))
  const sizes = [...states.map((state) => (state === 'h' ? outputSize : hiddenSize)), ...held.map(() => outputSize)]
  const port = (name: string, size: number, type: 'float32' | 'bool' = 'float32') => ({ name, type, shape: [undefined, size] })
  const gateWidth = c.weight(roleOf(part.layer, part.direction, 'inputWeights'))?.shape[0] as number
  const graph = body.emission.finish(`${c.node.name}.${part.layer}.${part.direction}`, [
    ...sizes.map((size, n) => port(inner[n] as string, size)), port(gates, gateWidth), ...(valid === undefined ? [] : [port(valid, 1, 'bool')]),
  ], [...sizes, outputSize].map((size, n) => port(bodyOutputs[n] as string, size)))

  const outputs = [...states.map((state) => fresh(`last_${state}`)), ...held.map(() => fresh('last_held')), fresh('y')]
  const backwards = Number(part.direction === 'reverse')
  const scanned = mask === undefined ? [projected] : [projected, mask]
  c.emission.emitNode('Scan', [...first, ...held, ...scanned], {
    body: { graph }, num_scan_inputs: scanned.length,
    scan_input_axes: [stack.timeAxis, 1].slice(0, scanned.length), scan_input_directions: scanned.map(() => backwards),
    scan_output_axes: [stack.timeAxis], scan_output_directions: [reversedOutput ? 0 : backwards],
  }, outputs)
  const own = outputs.slice(0, states.length)
  const last = isHeld ? outputs[states.length] as string : own[0] as string
  return {
    y: outputs.at(-1) as string, last,
    states: stack.hasSteps === undefined ? own : own.map((name) => c.emit('Where', [stack.hasSteps as string, name, c.number('zero', 0)])),
  }
}

/** x W^T + b of all steps, with the biases that are added there. */
function projectedInput(c: NodeExport<AnySettings>, { x, layer, direction }: Part): string {
  const { hiddenSize, forgetBias = 0, layerNorm = false } = c.settings
  const of = (weight: string): ArrayLike | undefined => c.weight(roleOf(layer, direction, weight))
  const weight = of('inputWeights') as ArrayLike
  const product = c.emit('MatMul', [x, c.constant(`${layer}.${direction}.inputWeights`, c.emission.file.turned(weight, transposed))])
  const biases = [of('inputBias'), c.node.op === 'gru' ? undefined : of('recurrentBias')].filter((bias) => bias !== undefined)
  const forget = layerNorm ? 0 : forgetBias
  if (biases.length === 0 && forget === 0) return product
  const sum = Float32Array.from({ length: weight.shape[0] as number }, (_, n) => (
    biases.reduce((total, { data }) => total + (data[n] as number), n >= hiddenSize && n < 2 * hiddenSize ? forget : 0)
  ))
  return c.emit('Add', [product, c.constant(`${layer}.${direction}.bias`, new NdArray(sum, [sum.length]))])
}

/** float32 zeros [batch, size]. */
function zeros(c: NodeExport, x: string, batchAxis: number, size: number): string {
  const batch = c.emit('Shape', [x], { start: batchAxis, end: batchAxis + 1 })
  return c.emit('ConstantOfShape', [c.emit('Concat', [batch, c.integers('size', [size])], { axis: 0 })])
}

/** What a state becomes: the new one where the step counts. tfjs multiplies. */
function choose(body: NodeExport, rule: AnySettings['maskRule'], valid: string, next: string, before: string): string {
  if (rule !== 'multiply') return body.emit('Where', [valid, next, before])
  const m = body.emission.cast({ name: valid, type: 'bool' }, 'float32')
  return body.emit('Add', [body.emit('Mul', [next, m]), body.emit('Mul', [before, body.emit('Sub', [body.number('one', 1), m])])])
}

/** What a step puts out. */
function outputOf(body: NodeExport, rule: AnySettings['maskRule'], valid: string | undefined, next: string, h: string, held: string | undefined): string {
  if (valid === undefined) return next
  if (rule === 'zero') return body.emit('Where', [valid, next, body.number('zero', 0)])
  return held === undefined ? h : body.emit('Where', [valid, next, held])
}
