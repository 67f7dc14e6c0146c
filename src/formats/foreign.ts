// Files that people have and that are no models for this library, each told by its content, with the way to one that is.
// Asked only where no reader knows a file, and of messages that begin as ONNX's do.
import { fieldsOf, type Field } from './protobuf/fields.ts'

/** Bytes of a text that are looked at. */
const TEXT_BYTES = 200
/** Bytes at the end of a zip archive in which its directory's end is looked for. */
const ZIP_END_BYTES = 4096
/** Fields of a message that are looked at. */
const MOST_FIELDS = 4096

const SAVED_MODEL = 'python -m tf2onnx.convert --saved-model FOLDER --output model.onnx'
const KERAS_OR_ONNX = `save the Keras model it was made of, in Python: model.save('model.keras'); or convert the SavedModel: ${SAVED_MODEL}`

const ascii = (bytes: Uint8Array, begin: number, length: number): string => String.fromCharCode(...bytes.subarray(begin, begin + length))

/** What bytes are, in words, with the way on; undefined for none that is known. Cheap, and never throws. */
export function recognise(bytes: Uint8Array, name?: string): string | undefined {
  return ofMagic(bytes) ?? ofProtobuf(bytes) ?? ofText(bytes) ?? ofName(name)
}

/** Formats that begin with bytes of their own. */
function ofMagic(bytes: Uint8Array): string | undefined {
  switch (ascii(bytes, 4, 4)) {
    case 'TFL3': return `a TensorFlow Lite model: ${KERAS_OR_ONNX}`
    case 'ORTM': return 'a model of onnxruntime (.ort): load the .onnx file it was made of'
    case 'ET12': case 'ET13': return 'a program of ExecuTorch (.pte): export the PyTorch model as ONNX: torch.onnx.export(model, args, "model.onnx", dynamo=False)'
  }
  const begin = ascii(bytes, 0, 6)
  if (begin === '\x93NUMPY') return 'an array of NumPy (.npy), not a model: lstm-wasm run MODEL --input ARRAY.npy takes it as an input, and readNpy of lstm-wasm/npy reads it'
  if (/^(GGUF|lmgg|tjgg|fmgg|ggml)/.test(begin)) return 'a model of llama.cpp and its kin (GGML, GGUF): they have no LSTMs'
  if (begin.startsWith('\x1f\x8b')) return 'a file compressed with gzip: unpack it first (gunzip FILE)'
  if (begin.startsWith('BZh')) return 'a file compressed with bzip2: unpack it first (bunzip2 FILE)'
  if (begin === '\xfd7zXZ\0') return 'a file compressed with xz: unpack it first (unxz FILE)'
  if (begin.startsWith('7z\xbc\xaf')) return 'a 7-Zip archive: unpack it first'
  if (ascii(bytes, 257, 5) === 'ustar') return 'a tar archive: unpack it first (tar xf FILE), and load the model file in it'
  if (ascii(bytes, 0, 10) === 'MATLAB 5.0') return 'a MATLAB file (.mat): export the network as ONNX: exportONNXNetwork(net, "model.onnx")'
  if (begin.startsWith('PK\x03\x04')) return ofZip(bytes)
  if (bytes[0] === 0x80 && bytes[1] !== undefined && bytes[1] >= 2 && bytes[1] <= 5 && bytes.at(-1) === 0x2e) {
    return "a Python pickle, which is a program that only Python runs: save the tensors alone, in Python: torch.save(model.state_dict(), 'model.pt'), or the model: model.save('model.keras')"
  }
  return undefined
}

/** A zip archive's directory stands at its end. */
function ofZip(bytes: Uint8Array): string {
  const end = ascii(bytes, Math.max(0, bytes.length - ZIP_END_BYTES), ZIP_END_BYTES)
  if (!end.includes('PK\x05\x06')) return `a zip archive that is cut off after ${bytes.length} bytes: fetch it again`
  return 'a zip archive without a model that is known: unpack it, and load the model file in it'
}

/** The fields of TensorFlow's and Apple's messages have other numbers than ONNX's. */
export function ofProtobuf(bytes: Uint8Array): string | undefined {
  const fields: Field[] = []
  for (const found of fieldsOf(bytes)) {
    if (found === undefined) return undefined
    if (fields.push(found) === MOST_FIELDS) break
  }
  const numbers = new Set(fields.map(({ field }) => field))
  const [first] = fields
  if (isTensor(fields)) {
    return 'a tensor of ONNX (TensorProto, .pb), not a model: an array that lstm-wasm run MODEL --input ARRAY.npy takes is made of it in Python: '
      + 'numpy.save("ARRAY.npy", onnx.numpy_helper.to_array(onnx.load_tensor("FILE.pb")))'
  }
  if (first?.field === 1 && first.length === undefined) {
    // Specification version, description, and one of the kinds of models, which have numbers from 200 on.
    if (numbers.has(2) && [...numbers].some((field) => field >= 200 && field < 3000)) return 'a Core ML model (.mlmodel): export the model it was made of: torch.onnx.export(model, args, "model.onnx", dynamo=False) or model.save("model.keras")'
    // saved_model_schema_version, and meta_graphs, which begin with a message; ONNX has the name of its producer there.
    const second = fields.find(({ field }) => field === 2)
    if (second !== undefined && bytes[second.begin] === 0x0a && [...numbers].every((field) => field <= 2)) return `a SavedModel of TensorFlow: convert its folder: ${SAVED_MODEL}`
  }
  // node, library, version, versions
  if (first?.field === 1 && first.length !== undefined && [...numbers].every((field) => field <= 4) && first.length > 4 && bytes[first.begin] === 0x0a) {
    return `a graph of TensorFlow (GraphDef, .pb), perhaps a frozen one: ${KERAS_OR_ONNX}`
  }
  return undefined
}

/** dims, data_type, and elements in a field of their type or as raw bytes (9); a model of ONNX has a name where data_type is a number. */
function isTensor(fields: readonly Field[]): boolean {
  const type = fields.find(({ field }) => field === 2)
  if (type === undefined || type.length !== undefined) return false
  return fields.every(({ field }) => field <= 14 && field !== 3) && fields.some(({ field }) => [4, 5, 6, 7, 9, 10, 11].includes(field))
}

/** Files that people read. */
function ofText(bytes: Uint8Array): string | undefined {
  const begin = new TextDecoder().decode(bytes.subarray(0, TEXT_BYTES)).replace(/^\ufeff/, '').trim()
  if (begin === '' || /[^\t\n\r\u0020-\u007e\u00a0-\uffef]/.test(begin)) return undefined
  const shown = JSON.stringify(begin.slice(0, 60))
  if (begin.startsWith('version https://git-lfs')) return `a pointer of Git LFS, which stands for the file: fetch the file itself with git lfs pull (${shown})`
  if (/^(<!doctype|<html|<\?xml)/i.test(begin)) return `a page of HTML: a server may send one instead of a file that is not there (${shown})`
  const checkpoint = /^model_checkpoint_path: "([^"\n]*)"/.exec(begin)?.[1]
  if (checkpoint !== undefined) return `the list of a folder's TensorFlow checkpoints: load the .index file of one: ${JSON.stringify(`${checkpoint}.index`)}`
  return (/^[[{]/.test(begin) ? ofJson(bytes) : undefined) ?? `${bytes.length} bytes of text: ${shown}`
}

function ofJson(bytes: Uint8Array): string | undefined {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return `JSON that is cut off or broken, after ${bytes.length} bytes`
  }
  const has = (...keys: readonly string[]): boolean => typeof json === 'object' && json !== null && keys.every((key) => Object.hasOwn(json, key))
  if (has('class_name', 'config')) return "the architecture of a Keras model without its weights (model.to_json()): load the file of its weights, and give this as the option architecture: load('model.weights.h5', { architecture })"
  if (has('config_version') || has('module', 'class_name')) return 'a description of Keras without weights: load the .keras or .weights.h5 file'
  if (has('type', 'options') && (has('hiddenLayers') || has('layers'))) return 'a network of brain.js, whose recurrent cells are of its own kind: no other framework has their numbers'
  if (Array.isArray(json) && json.length === 3 && Array.isArray(json[1]) && Array.isArray(json[2])) return 'a model of sketch-rnn.js, whose weights are in a layout of its own: load the TensorFlow checkpoint it was made of (.index)'
  if (has('weight_map')) return 'the index of a model in several safetensors files: load each of them with readSafetensors of lstm-wasm/safetensors'
  return undefined
}

/** Raw numbers are known by their name only. */
function ofName(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  if (/\.data-\d{5}-of-\d{5}$/.test(name)) return `the elements of a TensorFlow checkpoint, without their names: load the .index file beside it, ${JSON.stringify(name.replace(/\.data-.*$/, '.index'))}`
  if (/\.bin$|shard\d+of\d+$/.test(name)) return 'raw elements without names: load the file that describes them (model.json of TensorFlow.js, .onnx, .safetensors)'
  return undefined
}
