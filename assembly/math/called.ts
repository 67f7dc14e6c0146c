// exp, sigmoid and tanh as functions that are called, not written out: for code that makes a choice at every vector anyway, and names them often.
import { exp as writtenExp, expOfNegative as writtenExpOfNegative, sigmoid as writtenSigmoid, tanh as writtenTanh } from './exponential'

export function exp(x: v128): v128 {
  return writtenExp(x)
}

export function expOfNegative(y: v128): v128 {
  return writtenExpOfNegative(y)
}

export function sigmoid(x: v128): v128 {
  return writtenSigmoid(x)
}

export function tanh(x: v128): v128 {
  return writtenTanh(x)
}
