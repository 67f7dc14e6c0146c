import type { Lowerings } from '../lowering.ts'

/** Rows of a table that is a parameter. */
export const EMBEDDING_LOWERINGS: Lowerings = {
  embedding: ({ parameters }, _settings, [indices = ''], build) => [build.node('lookUp', [build.parameter(parameters.weight as string), indices])],
}
