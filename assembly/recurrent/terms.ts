// What the cell updates of LSTM and GRU are made of: one exponential a gate, and as few divisions as there can be (a division costs as
// much as five products):
//
//     sigmoid(x) = 1 / D(x)           D(x) = 1 + e^-x
//     tanh(x)    = T(x) / (T(x) + 2)  T(x) = e^2x - 1, without cancellation near 0
//
// e^y is 2^z, z = y log2(e) = n + r with n an integer and |r| <= 1/2; n comes from adding 1.5 * 2^23, as
// in math/exponential.ts. Then, both minimax:
//     in D:  2^r = 1 + r P(r),      P of degree 4, relative error 9e-8: at most 2.3e-8 in a sigmoid
//     in T:  2^r - 1 = r Q(r),      Q of degree 5, relative error 3e-9
//
// Why a table: V8 makes a vector constant anew at every use, by three instructions. Loaded into variables
// before a loop, constants stay in registers or are reloaded by one.
import { FUSED, multiplyAdd } from '../simd'

/** Constants, four times each. */
export const TABLE: usize = memory.data<f32>([
  // 0: -log2(e)
  -1.44269504088896341, -1.44269504088896341, -1.44269504088896341, -1.44269504088896341,
  // 16: 2 log2(e)
  2.88539008177792681, 2.88539008177792681, 2.88539008177792681, 2.88539008177792681,
  // 32: x in D is at most 87.9, where 2^n is 0 and D is 1,
  87.9, 87.9, 87.9, 87.9,
  // 48: and at least -88.8, where 2^n and D are Infinity: sigmoid is 1 and 0 then, exactly.
  -88.8, -88.8, -88.8, -88.8,
  // 64: |x| in T is at most 11: tanh has rounded to 1 before.
  11, 11, 11, 11,
  // 80
  -11, -11, -11, -11,
  // 96: 1.5 * 2^23
  12582912, 12582912, 12582912, 12582912,
  // 112
  1, 1, 1, 1,
  // 128
  2, 2, 2, 2,
  // 144 to 208: P, from the constant term up
  0.6931470036506653, 0.6931470036506653, 0.6931470036506653, 0.6931470036506653,
  0.24022240936756134, 0.24022240936756134, 0.24022240936756134, 0.24022240936756134,
  0.055507343262434006, 0.055507343262434006, 0.055507343262434006, 0.055507343262434006,
  0.009671554900705814, 0.009671554900705814, 0.009671554900705814, 0.009671554900705814,
  0.001326467259787023, 0.001326467259787023, 0.001326467259787023, 0.001326467259787023,
  // 224 to 304: Q, from the constant term up
  0.6931471824645996, 0.6931471824645996, 0.6931471824645996, 0.6931471824645996,
  0.2402265076190757, 0.2402265076190757, 0.2402265076190757, 0.2402265076190757,
  0.05550363755779444, 0.05550363755779444, 0.05550363755779444, 0.05550363755779444,
  0.009618045760062269, 0.009618045760062269, 0.009618045760062269, 0.009618045760062269,
  0.0013390642918600165, 0.0013390642918600165, 0.0013390642918600165, 0.0013390642918600165,
  0.0001546996173472101, 0.0001546996173472101, 0.0001546996173472101, 0.0001546996173472101,
])

/** max(least, min(most, x)); NaN stays NaN: pmax(a, b) is a < b ? b : a, pmin(a, b) is b < a ? b : a. */
// @ts-ignore: decorator
@inline
export function clamp(x: v128, least: v128, most: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, least), most)
}

/** The limits of a function that is given what is clamped to +-limit: min(most, limit). */
// @ts-ignore: decorator
@inline
export function atMost(limit: f32, most: v128): v128 {
  return f32x4.pmin(most, f32x4.splat(limit))
}

/** max(least, -limit) */
// @ts-ignore: decorator
@inline
export function atLeast(limit: f32, least: v128): v128 {
  return f32x4.pmax(least, f32x4.splat(-limit))
}

/** Of a setting `clip`, whose 0 is none. */
// @ts-ignore: decorator
@inline
export function limitOf(clip: f32): f32 {
  return clip == 0 ? Infinity : clip
}

/** 2^n from n + 1.5 * 2^23: the bits of 1.0 are the exponent's bias. */
// @ts-ignore: decorator
@inline
export function powerOfTwo(rounded: v128, one: v128): v128 {
  return i32x4.add(i32x4.shl(rounded, 23), one)
}

/** c0 + c1 r + ... + c5 r^5: by Horner's rule, or where sums and products are apart, in pairs: a shorter chain. */
// @ts-ignore: decorator
@inline
export function polynomial(r: v128, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128): v128 {
  if (!FUSED) {
    const square = f32x4.mul(r, r)
    const high = multiplyAdd(multiplyAdd(r, c5, c4), square, multiplyAdd(r, c3, c2))
    return multiplyAdd(high, square, multiplyAdd(r, c1, c0))
  }
  return multiplyAdd(r, multiplyAdd(r, multiplyAdd(r, multiplyAdd(r, multiplyAdd(r, c5, c4), c3), c2), c1), c0)
}
