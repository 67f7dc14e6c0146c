import type { Graph } from '../graph/graph.ts'
import { graphToJson } from '../graph/to-json.ts'

/** 32-bit words of a hash: it tells models apart, and is not collision-resistant against an attacker. */
const LANES = 4

/** A running hash over 32-bit words, which go to four lanes in turn. Mixing as in MurmurHash3 (A. Appleby, public domain). */
export class ContentHash {
  readonly #lanes: Uint32Array = Uint32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344) // digits of pi
  #count = 0

  word(value: number): void {
    const lane = this.#count++ % LANES
    let k = Math.imul(value, 0xcc9e2d51)
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
    const h = (this.#lanes[lane] as number) ^ k
    this.#lanes[lane] = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64
  }

  text(text: string): void {
    this.word(text.length)
    for (let n = 0; n < text.length; n++) this.word(text.charCodeAt(n))
  }

  bytes({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.word(byteLength)
    const view = new DataView(buffer, byteOffset, byteLength)
    const words = byteLength >>> 2
    for (let n = 0; n < words; n++) this.word(view.getUint32(n * 4, true))
    for (let n = words * 4; n < byteLength; n++) this.word(view.getUint8(n))
  }

  /** The hash of all that was given. */
  digest(): Uint32Array {
    const lanes = this.#lanes.slice()
    for (let round = 0; round < 2 * LANES; round++) {
      const lane = round % LANES
      let h = (lanes[lane] as number) ^ (lanes[(lane + LANES - 1) % LANES] as number) ^ this.#count
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
      lanes[lane] = h ^ (h >>> 16)
    }
    return lanes
  }
}

/** The hash of a graph with all its weights, without its notes. */
export function hashGraph(graph: Graph): Uint32Array {
  const hash = new ContentHash()
  const { inputs, outputs, nodes, constants } = graph
  hash.text(graphToJson({ inputs, outputs, nodes, constants }))
  for (const [name, { dtype, shape, data }] of constants) {
    hash.text(`${name} ${dtype} ${shape.join()}`)
    hash.bytes(data)
  }
  return hash.digest()
}
