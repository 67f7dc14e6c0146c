// The order in which layers probably run: files do not say it.

/** A layer as far as its place goes. */
export interface Placed {
  readonly name: string
  readonly kind: 'embedding' | 'conv' | 'recurrent' | 'norm' | 'linear'
  /** Features it takes; undefined where it takes indices. */
  readonly from: number | undefined
  /** Features it gives. */
  readonly to: number
}

export interface Order<Layer> {
  readonly layers: readonly Layer[]
  /** Whether sizes allow another order as well. */
  readonly ambiguous: boolean
}

/** Layers that are put in order: an untrusted file may have any number. */
const MOST_ORDERED = 100
/** Layers tried in places, all together. */
const MOST_TRIED = 10_000

const EARLY = /(^|[._/-])(pre|in|inp|input|stem|first|enc|encoder|embed\w*|emb)($|[._/-]|\d)|_in$/i
const LATE = /(^|[._/-])(out|output|head|fc|final|last|dec|decoder|classifier|cls|post|logits|softmax)($|[._/-]|\d)|_out$/i
const KINDS: readonly Placed['kind'][] = ['embedding', 'conv', 'recurrent', 'norm', 'linear']

function rank({ name, kind }: Placed): number {
  return (EARLY.test(name) ? -1 : LATE.test(name) ? 1 : 0) * KINDS.length + KINDS.indexOf(kind)
}

/**
 * One order in which each layer takes as many features as the one before it gives: that of the file where `inOrder` says
 * that it is the order of the program, and sizes agree; else the likeliest by names and kinds.
 * Undefined where there is none: what such layers are is no plain stack.
 */
export function orderOf<Layer extends Placed>(layers: readonly Layer[], inOrder: boolean): Order<Layer> | undefined {
  if (layers.length === 0 || layers.length > MOST_ORDERED) return undefined
  if (inOrder && layers.every((layer, n) => n === 0 || layer.from === (layers[n - 1] as Layer).to)) return { layers, ambiguous: false }
  const sorted = [...layers].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true }))
  const found = [...chains(sorted)]
  const [first] = found
  return first && { layers: first, ambiguous: found.length > 1 }
}

/** The first two chains of layers, each fed by the one before it. */
function* chains<Layer extends Placed>(layers: readonly Layer[]): Generator<readonly Layer[]> {
  let tried = 0
  let given = 0
  const chain: Layer[] = []
  const left = new Set(layers)
  function* extend(): Generator<readonly Layer[]> {
    if (left.size === 0) {
      given++
      yield [...chain]
      return
    }
    for (const layer of layers) {
      if (given === 2) return
      if (!left.has(layer) || (chain.length > 0 && layer.from !== (chain.at(-1) as Layer).to)) continue
      if (++tried > MOST_TRIED) return
      left.delete(layer)
      chain.push(layer)
      yield* extend()
      chain.pop()
      left.add(layer)
    }
  }
  // Were they a chain, its first layer would be the only one that takes what no other gives.
  const unfed = layers.filter(({ from }) => !layers.some(({ to }) => to === from))
  if (unfed.length <= 1) yield* extend()
}
