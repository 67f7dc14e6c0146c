// The same engines with weights of 8 bits: ours by `quantize`, onnxruntime's as its own dynamic quantiser writes them.
import { lstmWasm } from './lstm-wasm.ts'
import { onnxruntimeNode } from './onnxruntime-node.ts'
import { onnxruntimeWeb } from './onnxruntime-web.ts'
import { writeNetwork } from './onnx-file.ts'
import { createLstmWasm } from './own-models.ts'
import type { Case } from '../cases.ts'
import type { Engine } from './engine.ts'

/** onnxruntime's: models that are files stay as they are, and a text differs as soon as one character does. */
const isComparable = ({ mode, file }: Case) => mode !== 'generate' && file === undefined

const ours: Engine = {
  ...lstmWasm,
  name: 'lstm-wasm int8',
  dtype: 'int8',
  settings: 'as lstm-wasm, the model quantised by `quantize`: symmetric weights with a scale for each output, activations by row and step; a text is read as float64 writes it',
  create: (prepared, variant) => createLstmWasm(prepared, variant, true),
}

function int8Of(engine: Engine): Engine {
  return {
    ...engine,
    name: `${engine.name} int8`,
    dtype: 'int8',
    settings: `as ${engine.name}, DynamicQuantizeLSTM: symmetric weights with a scale for each direction (QInt8), activations by tensor`,
    // onnxruntime has no quantised GRU.
    supports: (entry) => isComparable(entry) && entry.layers.every(({ kind }) => kind !== 'gru'),
    create: (prepared, variant) => engine.create({ ...prepared, network: writeNetwork(prepared, true) }, variant),
  }
}

const [web, node] = [int8Of(onnxruntimeWeb), int8Of(onnxruntimeNode)]

export const INT8_ENGINES: readonly Engine[] = [ours, web, node]

/** Those of one comparison: each in float32 and in 8 bits. */
export const INT8_CONTENDERS: readonly Engine[] = [lstmWasm, ours, onnxruntimeWeb, web, onnxruntimeNode, node]
