// What TypeScript must know besides the kernels of index.ts: codes, records, and numbers that both sides count with.
// Nothing here is compiled; write-contract.mjs writes src/contract/ from it.
export { BinaryCode, BinaryElements } from './arrays/broadcast'
export { ElementKind } from './arrays/cast'
export { ScatterCode } from './arrays/gather'
export { FinishingCode, ReductionCode } from './arrays/reduce'
export { FIRST_OF_ROW, FunctionCode } from './math/function-code'
export { SUM_LENGTH } from './products/sums'
export { Matrix } from './products/layout'
export { LstmCell } from './recurrent/lstm'
export { Coupling, GeneralLstmCell } from './recurrent/lstm-general'
export { MaskRule } from './recurrent/mask'
export { Recurrence } from './recurrent/recurrence'
