// The ONNX reader with all operators.
import { withAllOperators } from '../../ops/all.ts'
import type { FormatReader } from '../reader.ts'
import { onnx as reader, readOnnx as read } from './reader.ts'

export type { OnnxOptions } from './reader.ts'

export const readOnnx: typeof read = withAllOperators(read)
/** Reader of ONNX files, for the option `readers` of `load`. */
export const onnx: FormatReader = { ...reader, read: withAllOperators(async (...args: Parameters<FormatReader['read']>) => reader.read(...args)) }
