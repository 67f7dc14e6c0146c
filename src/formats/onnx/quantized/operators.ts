// Operators with integers as weights or activations, by their whole names.
import type { Conversion } from '../conversion.ts'
import { dequantizeLinear, quantizeLinear } from './linear.ts'
import { dynamicQuantizeLstm } from './lstm.ts'
import { OWN_DOMAIN, QUANTIZED_CONV } from './patterns.ts'
import { dynamicQuantizeConv, dynamicQuantizeMatMul, matMulNBits } from './products.ts'

/** What is read only as a part of a whole that patterns.ts knows. */
function partOfProduct(c: Conversion): never {
  throw c.unsupported('one that is no part of DynamicQuantizeLinear, MatMulInteger or ConvInteger, Cast and Mul, as onnxruntime\'s quantize_dynamic writes products,')
}

export const QUANTIZED_OPERATORS: readonly (readonly [name: string, convert: (c: Conversion) => void])[] = [
  ['ConvInteger', partOfProduct],
  ['DequantizeLinear', dequantizeLinear],
  ['DynamicQuantizeLinear', partOfProduct],
  ['MatMulInteger', partOfProduct],
  ['QuantizeLinear', quantizeLinear],
  ['com.microsoft.DequantizeLinear', dequantizeLinear],
  ['com.microsoft.DynamicQuantizeLSTM', dynamicQuantizeLstm],
  ['com.microsoft.DynamicQuantizeMatMul', dynamicQuantizeMatMul],
  ['com.microsoft.MatMulIntegerToFloat', partOfProduct],
  ['com.microsoft.MatMulNBits', matMulNBits],
  ['com.microsoft.QuantizeLinear', quantizeLinear],
  [`${OWN_DOMAIN}.${QUANTIZED_CONV}`, dynamicQuantizeConv],
]
