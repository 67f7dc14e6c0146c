// Operators with integers as weights or activations, by their whole names.
import type { Conversion } from '../conversion.ts'
import { dequantizeLinear, quantizeLinear } from './linear.ts'
import { dynamicQuantizeLstm } from './lstm.ts'
import { OWN_DOMAIN, QUANTIZED_CONV } from './patterns.ts'
import { convInteger, dynamicQuantizeLinear, matMulInteger, matMulIntegerToFloat, qAttention, qGemm, qLinearConv, qLinearMatMul } from './qoperators.ts'
import { dynamicQuantizeConv, dynamicQuantizeMatMul, matMulNBits } from './products.ts'

export const QUANTIZED_OPERATORS: readonly (readonly [name: string, convert: (c: Conversion) => void])[] = [
  ['ConvInteger', convInteger],
  ['DequantizeLinear', dequantizeLinear],
  ['DynamicQuantizeLinear', dynamicQuantizeLinear],
  ['MatMulInteger', matMulInteger],
  ['QLinearConv', qLinearConv],
  ['QLinearMatMul', qLinearMatMul],
  ['QuantizeLinear', quantizeLinear],
  ['com.microsoft.DequantizeLinear', dequantizeLinear],
  ['com.microsoft.DynamicQuantizeLSTM', dynamicQuantizeLstm],
  ['com.microsoft.DynamicQuantizeMatMul', dynamicQuantizeMatMul],
  ['com.microsoft.MatMulIntegerToFloat', matMulIntegerToFloat],
  ['com.microsoft.MatMulNBits', matMulNBits],
  ['com.microsoft.QAttention', qAttention],
  ['com.microsoft.QGemm', qGemm],
  ['com.microsoft.QuantizeLinear', quantizeLinear],
  [`${OWN_DOMAIN}.${QUANTIZED_CONV}`, dynamicQuantizeConv],
]
