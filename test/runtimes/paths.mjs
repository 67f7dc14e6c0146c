// Where the things under test lie.
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

export const HERE = at('.')
export const DIST = at('../../dist/')
export const GOLDEN = at('../golden/lstm-pytorch.safetensors')
export const NODE_MODULES = at('node_modules/')
