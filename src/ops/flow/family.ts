// Operators with graphs inside.
import type { Operator } from '../operator.ts'
import { choice } from './choice.ts'
import { loop } from './loop.ts'

export const FLOW: readonly Operator[] = [choice, loop]
