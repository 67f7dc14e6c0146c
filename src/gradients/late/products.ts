// Products of matrices.
import { lengthOf, type Shape } from '../../values/shape.ts'
import { algebra } from '../algebra.ts'
import { onlyGradient } from '../usual/elementwise.ts'
import type { GradientCall, GradientRule, GradientRules } from '../rule.ts'

interface GemmSettings {
  readonly alpha: number
  readonly beta: number
  readonly transA: boolean
  readonly transB: boolean
}

/** y = alpha A B + beta C, where A and B may be stored transposed; so are their gradients then. */
const gemm: GradientRule = (call, build) => {
  const { node: { inputs: [a = '', b = '', c = ''] }, settings: { alpha, beta, transA, transB }, wanted } = call as GradientCall<GemmSettings>
  const gradient = onlyGradient(call)
  const product = (left: string, right: string, turnLeft: boolean, turnRight: boolean): string => (
    build.node('gemm', [left, right], { alpha, transA: turnLeft, transB: turnRight })
  )
  const added = (): string => {
    const sum = build.sumTo(gradient, build.shapeOf(c))
    return beta === 1 ? sum : algebra(build).mul(sum, build.constant(beta))
  }
  return [
    wanted[0] ? (transA ? product(b, gradient, transB, true) : product(gradient, b, false, !transB)) : undefined,
    wanted[1] ? (transB ? product(gradient, a, true, transA) : product(a, gradient, !transA, false)) : undefined,
    wanted[2] ? added() : undefined,
  ]
}

/** Stacks of matrices: a gradient is summed over the matrices that one was multiplied with. */
const matMul: GradientRule = (call, build) => {
  const { turned } = algebra(build)
  const { node: { inputs: [a = '', b = ''] }, wanted } = call
  const [aShape, bShape] = [build.shapeOf(a), build.shapeOf(b)]
  // A vector is a row on the left, and a column on the right.
  const [aMatrix, bMatrix] = [aShape.length === 1 ? [1, ...aShape] : aShape, bShape.length === 1 ? [...bShape, 1] : bShape] as [Shape, Shape]
  const [m, k, n] = [aMatrix.at(-2), aMatrix.at(-1), bMatrix.at(-1)] as [number, number, number]
  const [left, right] = [build.reshape(a, aMatrix), build.reshape(b, bMatrix)]
  const given = build.shapeOf(onlyGradient(call))
  const stack = given.slice(0, given.length - (aShape.length === 1 ? 0 : 1) - (bShape.length === 1 ? 0 : 1))
  const gradient = build.reshape(onlyGradient(call), [...stack, m, n])
  if (lengthOf(bMatrix.slice(0, -2)) === 1 && lengthOf(stack) === lengthOf(aMatrix.slice(0, -2))) {
    // One matrix for all rows.
    const rows = lengthOf(stack) * m
    const [x, w, dy] = [build.reshape(left, [rows, k]), build.reshape(right, [k, n]), build.reshape(gradient, [rows, n])]
    return [
      wanted[0] ? build.reshape(build.node('gemm', [dy, w], { transB: true }), aShape) : undefined,
      wanted[1] ? build.reshape(build.node('gemm', [x, dy], { transA: true }), bShape) : undefined,
    ]
  }
  return [
    wanted[0] ? build.reshape(build.sumTo(build.node('matMul', [gradient, turned(right)]), aMatrix), aShape) : undefined,
    wanted[1] ? build.reshape(build.sumTo(build.node('matMul', [turned(left), gradient]), bMatrix), bShape) : undefined,
  ]
}

export const PRODUCTS: GradientRules = { gemm, matMul }
