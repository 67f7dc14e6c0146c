// The compiler as tests import it: required, for Node reads a CommonJS file that is imported once more, for its names, and this one has 9 MB.
import { createRequire } from 'node:module'

export default createRequire(import.meta.url)('typescript')
