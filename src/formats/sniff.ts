// Which format bytes are in, told by their content: cheap, and never throws. Readers are loaded only
// for files of their own format, so this is all of them that a program always has.

import { fieldsOf } from './protobuf/fields.ts'
import { componentsOf } from './tesseract/header.ts'

/** Formats that have a reader of their own. */
export type FormatName = 'safetensors' | 'onnx' | 'keras' | 'tfjs' | 'torch' | 'tensorflow1' | 'rtneural' | 'nam' | 'tesseract'

const HDF5 = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
const ZIP = [0x50, 0x4b, 0x03, 0x04]
/** A pickle of the number that begins a file of torch.save before PyTorch 1.6. */
const TORCH_LEGACY = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
/** The last bytes of a LevelDB table: the index of a TensorFlow checkpoint. */
const TABLE_END = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
/** How much of a zip's end is searched for the names of its members. */
const ZIP_NAMES_BYTES = 262144
/** Where else than at 0 an HDF5 file may begin: after a user block of one of these sizes. */
const HDF5_OFFSETS = [0, 512, 1024, 2048]

/** Files of an .npz that are weights of modules of PyTorch, or of a module alone. */
export const STATE_DICT_NAME: RegExp = /[.\n]weight(_[ih]h(_l\d+(_reverse)?)?)?\.npy/

function hasAt(bytes: Uint8Array, offset: number, expected: readonly number[]): boolean {
  return expected.every((byte, n) => bytes[offset + n] === byte)
}

/** The format of a file, or undefined for none of ours. */
export function sniff(bytes: Uint8Array): FormatName | undefined {
  if (HDF5_OFFSETS.some((offset) => hasAt(bytes, offset, HDF5))) return 'keras'
  if (hasAt(bytes, 0, ZIP)) return sniffZip(bytes)
  if (hasAt(bytes, 0, TORCH_LEGACY)) return 'torch'
  if (bytes.length >= 48 && hasAt(bytes, bytes.length - TABLE_END.length, TABLE_END)) return 'tensorflow1'
  if (bytes[8] === 0x7b) return 'safetensors'
  if (componentsOf(bytes) !== undefined) return 'tesseract'
  const first = bytes.find((byte) => byte > 0x20)
  if (first === 0x7b || first === 0x5b) return sniffJson(bytes)
  return isProtobuf(bytes) ? 'onnx' : undefined
}

/** Zips are told apart by the names of their members, which stand together at the end. */
function sniffZip(bytes: Uint8Array): FormatName | undefined {
  let names = ''
  for (const byte of bytes.subarray(Math.max(0, bytes.length - ZIP_NAMES_BYTES))) {
    names += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '\n'
  }
  if (/data\.pkl|constants\.pkl|archive_format|(^|\n)policy\.pth/.test(names)) return 'torch'
  if (/config\.json|\.weights\.h5/.test(names)) return 'keras'
  if (STATE_DICT_NAME.test(names)) return 'torch'
  return names.includes('.npy') ? 'tensorflow1' : undefined
}

function sniffJson(bytes: Uint8Array): FormatName | undefined {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
  if (Array.isArray(json)) return json.some((group) => has(group, 'paths')) ? 'tfjs' : undefined
  if (has(json, 'modelTopology') || has(json, 'weightsManifest')) return 'tfjs'
  if (has(json, 'architecture') && has(json, 'weights')) return 'nam'
  if (has(json, 'in_shape') || has(json, 'layers') || (has(json, 'model_data') && has(json, 'state_dict')) || (has(json, 'conv1d_1') && has(json, 'input_size'))) return 'rtneural'
  const values = Object.values(json as object)
  if (values.some((value) => has(value, 'filename'))) return 'tensorflow1'
  // RTNeural's other form: the tensors of a state dict as nested lists.
  return values.length > 0 && values.every((value) => Array.isArray(value)) ? 'rtneural' : undefined
}

function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
}

/** Whether bytes are the fields of an ONNX ModelProto, all of them: numbers 1 to 31, known wire types, lengths that fit. */
function isProtobuf(bytes: Uint8Array): boolean {
  let fields = 0
  for (const found of fieldsOf(bytes)) {
    if (found === undefined || found.field > 31) return false
    fields++
  }
  return fields > 1
}
