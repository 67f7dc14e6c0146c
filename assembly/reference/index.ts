// Plain twins of products and cells, in debug.wasm only: written to be read, over weights as frameworks have them, one number after the
// other. test/kernels/reference.test.ts compares the fast ones with them.
export { referenceProduct } from './product'
export { referenceGru, referenceLstm, referenceRnn } from './recurrent'
