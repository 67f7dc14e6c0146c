// A network as an ONNX file, written as onnxruntime runs it best: sequences time-major (layout 0, its only one), one recurrent node
// a layer, and no node that moves data without need.
import { PbfWriter } from 'pbf'
import { cellsOf, GATES, isRecurrent, type OnnxNetwork, type RecurrentLayer, type StatePorts, type TensorData } from '../network.ts'
import type { PreparedCase } from '../cases.ts'

const FLOAT = 1
const INT8 = 3
const INT32 = 6
const INT64 = 7
const OPSET = 17

/** Of PyTorch's gates i, f, g, o, those of ONNX: i, o, f, c. Of r, z, n: z, r, h. */
const GATE_ORDER = { lstm: [0, 3, 1, 2], gru: [1, 0, 2] } as const
const OPERATOR = { lstm: 'LSTM', gru: 'GRU' } as const
const STATES = { lstm: ['h', 'c'], gru: ['h'] } as const

interface Initializer { name: string, dims: number[], type: number, bytes: Uint8Array }

interface Node { op: string, domain?: string, inputs: string[], outputs: string[], attributes?: Record<string, number | string | number[]> }

interface Port { name: string, type: number, dims: number[] }

/** @param isInt8 LSTMs with weights of 8 bits */
export function writeNetwork({ layers, tensors, mode, batch, timesteps, features }: PreparedCase, isInt8: boolean = false): OnnxNetwork {
  const file = new OnnxFile(isInt8)
  const steps = mode === 'generate' ? 1 : timesteps
  const tokens = layers[0]?.kind === 'embedding'
  const inputDims = tokens ? [steps, batch] : [steps, batch, features]
  const data = (name: string) => tensors.get(name) as TensorData
  file.inputs.push({ name: 'x', type: tokens ? INT32 : FLOAT, dims: inputDims })
  let value = 'x'
  let rank = inputDims.length
  layers.forEach((layer, position) => {
    const isLast = position === layers.length - 1
    if (layer.kind === 'embedding') {
      file.float(`${layer.name}.weight`, data(`${layer.name}.weight`))
      value = file.add('Gather', [`${layer.name}.weight`, value], isLast ? 'y' : undefined)
      rank = 3
    } else if (isRecurrent(layer)) {
      const carried = mode !== 'sequence'
      value = file.recurrent(layer, (name) => data(`${layer.name}.${name}`).data, value, { batch, steps, carried, isLast })
      rank = layer.returnSequences ? (isLast && layer.numLayers === 1 && !layer.bidirectional ? 4 : 3) : 2
    } else {
      const weight = data(`${layer.name}.weight`)
      file.float(`${layer.name}.weight`, { dims: [layer.inputSize, layer.units], data: transpose(weight.data, layer.units) })
      file.float(`${layer.name}.bias`, data(`${layer.name}.bias`))
      const softmax = layer.activation === 'softmax'
      const operands = [value, `${layer.name}.weight`]
      const output = isLast && !softmax ? 'y' : undefined
      value = rank === 2
        ? file.add('Gemm', [...operands, `${layer.name}.bias`], output)
        : file.add('Add', [file.add('MatMul', operands), `${layer.name}.bias`], output)
      if (softmax) value = file.add('Softmax', [value], isLast ? 'y' : undefined, { axis: -1 })
    }
  })
  file.outputs.unshift({ name: 'y', type: FLOAT, dims: [] })
  return { bytes: file.finish(), states: file.states, inputDims, rank }
}

/** @param matrix [rows, columns] */
function transpose(matrix: Float32Array, rows: number) {
  const columns = matrix.length / rows
  return Float32Array.from({ length: matrix.length }, (_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)])
}

/**
 * Blocks of rows in ONNX's gate order.
 * @param values [gates, ...]
 */
function reorderGates(values: Float32Array, cell: RecurrentLayer['kind']): Float32Array {
  const block = values.length / GATES[cell]
  return join(GATE_ORDER[cell].map((gate) => values.subarray(gate * block, (gate + 1) * block)))
}

function join(parts: readonly Float32Array[]) {
  const result = new Float32Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

class OnnxFile {
  inputs: Port[] = []
  outputs: Port[] = []
  states: StatePorts[] = []
  readonly #isInt8: boolean
  #nodes: Node[] = []
  #initializers: Initializer[] = []

  constructor(isInt8: boolean) {
    this.#isInt8 = isInt8
  }

  /**
   * Weights [directions, rows, columns] as onnxruntime's dynamic quantiser writes them for DynamicQuantizeLSTM: [directions, columns, rows] of
   * -127 to 127, and a scale for each direction.
   * @returns the names of the scales and of the zero points
   */
  int8(name: string, [directions, rows, columns]: readonly [number, number, number], data: Float32Array) {
    const scales = new Float32Array(directions)
    const bytes = new Int8Array(data.length)
    for (let d = 0; d < directions; d++) {
      const own = data.subarray(d * rows * columns, (d + 1) * rows * columns)
      scales[d] = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127
      const transposed = transpose(own, rows)
      transposed.forEach((value, n) => (bytes[d * rows * columns + n] = Math.round(value / (scales[d]))))
    }
    this.#initializers.push({ name, dims: [directions, columns, rows], type: INT8, bytes: new Uint8Array(bytes.buffer) })
    this.#initializers.push({ name: `${name}.zero`, dims: [directions], type: INT8, bytes: new Uint8Array(directions) })
    return [this.float(`${name}.scale`, { dims: [directions], data: scales }), `${name}.zero`]
  }

  float(name: string, { shape, dims = shape, data }: { shape?: number[], dims?: number[], data: Float32Array }) {
    this.#initializers.push({ name, dims: (dims as number[]), type: FLOAT, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
    return name
  }

  int64(name: string, values: readonly number[]) {
    this.#initializers.push({ name, dims: [values.length], type: INT64, bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) })
    return name
  }

  /** @returns the name of its output */
  add(op: string, inputs: string[], output: string = `value${this.#nodes.length}`, attributes: Node['attributes'] = {}) {
    this.#nodes.push({ op, inputs, outputs: [output], attributes })
    return output
  }

  recurrent(
    layer: RecurrentLayer,
    data: (name: string) => Float32Array,
    x: string,
    { batch, steps, carried, isLast }: { batch: number, steps: number, carried: boolean, isLast: boolean },
  ) {
    const { kind: cell, name, hiddenSize, numLayers, returnSequences } = layer
    const gates = GATES[cell]
    let value = x
    cellsOf(layer).forEach((cells, level) => {
      const directions = cells.length
      const top = level === numLayers - 1
      const at = `${name}.${level}`
      const inputSize = (cells[0] as { inputSize: number }).inputSize
      const stack = (kind: string) => join(cells.map(({ suffix }) => reorderGates(data(`${kind}_${suffix}`), cell)))
      const shapes = { W: [directions, gates * hiddenSize, inputSize], R: [directions, gates * hiddenSize, hiddenSize] } as const
      const kinds = { W: 'weight_ih', R: 'weight_hh' } as const
      const scales = (['W', 'R'] as const).flatMap((letter) => {
        if (this.#isInt8) return this.int8(`${at}.${letter}`, shapes[letter], stack(kinds[letter]))
        this.float(`${at}.${letter}`, { dims: [...shapes[letter]], data: stack(kinds[letter]) })
        return []
      })
      const biases = cells.flatMap(({ suffix }) => ['bias_ih', 'bias_hh'].map((kind) => reorderGates(data(`${kind}_${suffix}`), cell)))
      this.float(`${at}.B`, { dims: [directions, 2 * gates * hiddenSize], data: join(biases) })
      const inputs = [value, `${at}.W`, `${at}.R`, `${at}.B`]
      const dims = [directions, batch, hiddenSize]
      const states = STATES[cell].map((letter): StatePorts => ({ before: `${at}.${letter}0`, after: `${at}.${letter}`, dims }))
      const last = `${at}.h`
      const wantsSequence = returnSequences || !top
      const raw = wantsSequence && top && isLast && directions === 1 && numLayers === 1
      const y = wantsSequence ? (raw ? 'y' : `${at}.Y`) : ''
      const outputs = carried ? [y, ...states.map(({ after }) => after)] : wantsSequence ? [y] : ['', last]
      if (carried) {
        this.states.push(...states)
        inputs.push('', ...states.map(({ before }) => before))
        this.inputs.push(...states.map(({ before }) => ({ name: before, type: FLOAT, dims })))
        this.outputs.push(...states.map(({ after }) => ({ name: after, type: FLOAT, dims })))
      }
      if (scales.length > 0) inputs.push(...Array<string>(8 - inputs.length).fill(''), ...scales)
      this.#nodes.push({
        ...(scales.length > 0 ? { op: 'DynamicQuantizeLSTM', domain: 'com.microsoft' } : { op: OPERATOR[cell] }), inputs, outputs,
        attributes: { hidden_size: hiddenSize, direction: directions === 2 ? 'bidirectional' : 'forward', ...(cell === 'gru' && { linear_before_reset: 1 }) },
      })
      if (raw) value = y
      else if (wantsSequence) value = this.#rows(y, [steps, batch, directions * hiddenSize], directions, top && isLast)
      else value = this.#rows(last, [batch, directions * hiddenSize], directions, isLast)
    })
    return value
  }

  /** Takes the axis of directions away: [..., directions, batch, units] -> [..., batch, directions x units]. */
  #rows(value: string, dims: number[], directions: number, isLast: boolean) {
    const output = isLast ? 'y' : undefined
    const axis = dims.length - 2
    if (directions === 1) return this.add('Squeeze', [value, this.int64(`${value}.axes`, [axis])], output)
    const perm = axis === 1 ? [0, 2, 1, 3] : [1, 0, 2]
    const turned = this.add('Transpose', [value], undefined, { perm })
    return this.add('Reshape', [turned, this.int64(`${value}.shape`, dims)], output)
  }

  /** A ModelProto. */
  finish() {
    const pbf = new PbfWriter()
    pbf.writeVarintField(1, 8)
    pbf.writeMessage(8, () => pbf.writeVarintField(2, OPSET), undefined)
    if (this.#isInt8) {
      pbf.writeMessage(8, () => {
        pbf.writeStringField(1, 'com.microsoft')
        pbf.writeVarintField(2, 1)
      }, undefined)
    }
    pbf.writeMessage(7, () => {
      for (const node of this.#nodes) pbf.writeMessage(1, () => writeNode(pbf, node), undefined)
      pbf.writeStringField(2, 'benchmark')
      for (const { name, dims, type, bytes } of this.#initializers) {
        pbf.writeMessage(5, () => {
          pbf.writePackedVarint(1, dims)
          pbf.writeVarintField(2, type)
          pbf.writeStringField(8, name)
          pbf.writeBytesField(9, bytes)
        }, undefined)
      }
      for (const port of this.inputs) pbf.writeMessage(11, () => writePort(pbf, port), undefined)
      for (const port of this.outputs) pbf.writeMessage(12, () => writePort(pbf, port), undefined)
    }, undefined)
    return pbf.finish()
  }
}

function writeNode(pbf: PbfWriter, { op, domain, inputs, outputs, attributes = {} }: Node) {
  for (const input of inputs) pbf.writeStringField(1, input)
  for (const output of outputs) pbf.writeStringField(2, output)
  pbf.writeStringField(4, op)
  if (domain !== undefined) pbf.writeStringField(7, domain)
  for (const [name, value] of Object.entries(attributes)) {
    pbf.writeMessage(5, () => {
      pbf.writeStringField(1, name)
      if (typeof value === 'number') {
        pbf.writeVarintField(3, value)
        pbf.writeVarintField(20, 2)
      } else if (typeof value === 'string') {
        pbf.writeStringField(4, value)
        pbf.writeVarintField(20, 3)
      } else {
        for (const item of value) pbf.writeVarintField(8, item)
        pbf.writeVarintField(20, 7)
      }
    }, undefined)
  }
}

/** @param port the dims of an output may be left out: they are inferred */
function writePort(pbf: PbfWriter, { name, type, dims }: Port) {
  pbf.writeStringField(1, name)
  pbf.writeMessage(2, () => pbf.writeMessage(1, () => {
    pbf.writeVarintField(1, type)
    if (dims.length === 0) return
    pbf.writeMessage(2, () => {
      for (const size of dims) pbf.writeMessage(1, () => pbf.writeVarintField(1, size), undefined)
    }, undefined)
  }, undefined), undefined)
}
