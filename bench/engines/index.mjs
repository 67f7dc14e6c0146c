// The engines compared, ours first.
import { lstmWasm } from './lstm-wasm.mjs'
import { onnxruntimeNode } from './onnxruntime-node.mjs'
import { onnxruntimeWeb } from './onnxruntime-web.mjs'
import { plainJs } from './plain-js.mjs'
import { tfjsCpu } from './tfjs-cpu.mjs'
import { tfjsWasm } from './tfjs-wasm.mjs'

/**
 * @typedef {object} Instance one engine, ready to run one case
 * @property {boolean} async whether `run` gives a promise
 * @property {() => unknown} run one call, as its users make it: input from an array of theirs, output where they can read it
 * @property {() => ArrayLike<number>} output of the last call: rows [batch, timesteps, features], or as `generated` says
 * @property {() => void} dispose
 * @property {() => Promise<unknown>} [activate] called before the engine's turn, not timed
 *
 * @typedef {object} Engine
 * @property {string} name
 * @property {readonly string[]} variants the first is the one most people run
 * @property {string} settings in words: what was chosen, and why it is this engine's best
 * @property {readonly string[]} packages whose versions count
 * @property {(entry: import('../cases.mjs').Case) => boolean} supports
 * @property {(variant: string) => Promise<unknown>} available rejects with the reason where it cannot run
 * @property {(prepared: import('../cases.mjs').PreparedCase, variant: string) => Promise<Instance>} create
 */

/** @type {readonly Engine[]} */
export const ENGINES = [lstmWasm, onnxruntimeWeb, tfjsWasm, onnxruntimeNode, plainJs, tfjsCpu]

/** Left out of `--quick` unless asked for by name: they are slow, and no target is about them. */
export const NOT_QUICK = ['plain-js', 'tfjs-cpu']

/**
 * @param {string} list comma-separated names, as `lstm-wasm` or `lstm-wasm:simd`
 * @returns {{ engine: Engine, variants: readonly string[] }[]}
 * @throws {RangeError} for a name that is none
 */
export function findEngines(list) {
  /** @type {Map<Engine, string[]>} */
  const found = new Map()
  for (const name of list.split(',').map((part) => part.trim())) {
    const [wanted, variant] = name.split(':')
    const engine = ENGINES.find((entry) => entry.name === wanted)
    if (engine === undefined) throw new RangeError(`no engine '${name}'; engines are ${ENGINES.map((entry) => entry.name).join(', ')}`)
    if (variant !== undefined && !engine.variants.includes(variant)) {
      throw new RangeError(`no variant '${variant}' of ${wanted}; it has ${engine.variants.join(', ')}`)
    }
    const variants = found.get(engine) ?? []
    found.set(engine, variant === undefined ? [...engine.variants] : [...variants.filter((other) => other !== variant), variant])
  }
  return [...found].map(([engine, variants]) => ({ engine, variants }))
}
