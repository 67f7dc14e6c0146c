// What training calls in the binary of inference, which works on the same memory: products and functions are compiled there alone.
import { Matrix } from '../products/layout'

/** See products/product.ts. */
// @ts-ignore: decorator
@external('env', 'multiply')
export declare function multiply(
  w: Matrix, steps: i32, rows: i32, aPtr: usize, aStepBytes: i32, aRowBytes: i32, outPtr: usize, outBytes: i32, adds: bool, panelPtr: usize,
  turn: i32,
): void

/** See products/product.ts. */
// @ts-ignore: decorator
@external('env', 'multiplyRows')
export declare function multiplyRows(
  w: Matrix, rows: i32, aPtr: usize, aBytes: i32, outPtr: usize, outBytes: i32, adds: bool, workspacePtr: usize,
): void

/** See products/product.ts. */
// @ts-ignore: decorator
@external('env', 'multiplyZeros')
export declare function multiplyZeros(w: Matrix, rows: i32, outPtr: usize, outBytes: i32): void

/** See products/product.ts. */
// @ts-ignore: decorator
@external('env', 'productBytes')
export declare function productBytes(rows: i32, k: i32, columns: i32, isInt8: bool): i32

/** See products/tile.ts. */
// @ts-ignore: decorator
@external('env', 'sixRows')
export declare function sixRows(rows: i32): i32

/** `tile6x2` (products/tile-6x2.ts). */
// @ts-ignore: decorator
@external('env', 'sixRowsTile')
export declare function sixRowsTile(
  rows: i32, k: i32, wPtr: usize, aPtr: usize, aBytes: i32, termBytes: i32, tileBytes: i32, initPtr: usize, initBytes: i32, outPtr: usize, outBytes: i32,
  columns: i32,
): void

/** See math/activate.ts. */
// @ts-ignore: decorator
@external('env', 'activateRow')
export declare function activateRow(code: i32, alpha: f32, beta: f32, ptr: usize, strideBytes: i32, length: i32): void

/** See math/called.ts. */
// @ts-ignore: decorator
@external('env', 'sigmoid')
export declare function sigmoid(x: v128): v128

/** See math/called.ts. */
// @ts-ignore: decorator
@external('env', 'tanh')
export declare function tanh(x: v128): v128

/** See math/power.ts. */
// @ts-ignore: decorator
@external('env', 'exp64')
export declare function exp64(y: f64): f64

/** See math/power.ts. */
// @ts-ignore: decorator
@external('env', 'log64')
export declare function log64(x: f64): f64

/** See math/trigonometry.ts. */
// @ts-ignore: decorator
@external('env', 'sinShifted')
export declare function sinShifted(x: f32, shift: i32): f32
