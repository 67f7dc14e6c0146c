// The engines compared, ours first.
import { lstmWasm } from './lstm-wasm.ts'
import { namWasm } from './nam-wasm.ts'
import { onnxruntimeNode } from './onnxruntime-node.ts'
import { onnxruntimeWeb } from './onnxruntime-web.ts'
import { plainJs } from './plain-js.ts'
import { tfjsCpu } from './tfjs-cpu.ts'
import { tfjsWasm } from './tfjs-wasm.ts'
import { INT8_ENGINES } from './int8.ts'
import { THREAD_ENGINES } from './threads.ts'
import type { Engine } from './engine.ts'

export const ENGINES: readonly Engine[] = [lstmWasm, onnxruntimeWeb, tfjsWasm, onnxruntimeNode, plainJs, tfjsCpu]

/** Those that are run unless told otherwise, those with `--int8` and `--threads`, and those of one case. */
const ALL_ENGINES: readonly Engine[] = [...ENGINES, ...INT8_ENGINES, ...THREAD_ENGINES, namWasm]

/** Left out of `--quick` unless asked for by name: they are slow, and no target is about them. */
export const NOT_QUICK = ['plain-js', 'tfjs-cpu']

/**
 * @param list comma-separated names, as `lstm-wasm` or `lstm-wasm:simd`
 * @throws RangeError for a name that is none
 */
export function findEngines(list: string): { engine: Engine, variants: readonly string[] }[] {
  const found: Map<Engine, string[]> = new Map()
  for (const name of list.split(',').map((part) => part.trim())) {
    const [wanted, variant] = name.split(':')
    const engine = ALL_ENGINES.find((entry) => entry.name === wanted)
    if (engine === undefined) throw new RangeError(`no engine '${name}'; engines are ${ENGINES.map((entry) => entry.name).join(', ')}`)
    if (variant !== undefined && !engine.variants.includes(variant)) {
      throw new RangeError(`no variant '${variant}' of ${wanted}; it has ${engine.variants.join(', ')}`)
    }
    const variants = found.get(engine) ?? []
    found.set(engine, variant === undefined ? [...engine.variants] : [...variants.filter((other) => other !== variant), variant])
  }
  return [...found].map(([engine, variants]) => ({ engine, variants }))
}
