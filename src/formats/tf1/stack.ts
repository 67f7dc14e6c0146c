import type { Cell } from './cell.ts'

/** One layer of a stack: a cell, or two that walk in opposite directions. */
export interface Stack {
  /** Layers of each direction, which run side by side: one list, or forward and backward. */
  readonly directions: readonly (readonly Cell[])[]
}

interface PlacedCell {
  readonly cell: Cell
  /** What stands before `multi_rnn_cell` and the cell's own name. */
  readonly place: string
  readonly layer: number
}

/** `rnn/multi_rnn_cell/cell_3/basic_lstm_cell`; Cell3 and MultiRNNCell in the oldest files. */
const PLACE = /^(.*?)(?:^|\/)(?:(?:multi_rnn_cell|MultiRNNCell)\/[cC]ell_?(\d+)\/)?[^/]+$/

function place(cell: Cell): PlacedCell {
  const [, before = '', layer] = PLACE.exec(cell.scope) ?? []
  return { cell, place: before, layer: layer === undefined ? 0 : Number(layer) }
}

/** The layers of one place in order, or undefined where their numbers have gaps or their sizes do not fit. */
function inOrder(cells: readonly PlacedCell[]): readonly Cell[] | undefined {
  const ordered = [...cells].sort((a, b) => a.layer - b.layer)
  if (!ordered.every(({ layer }, n) => layer === n)) return undefined
  const stack = ordered.map(({ cell }) => cell)
  const fits = stack.every((cell, n) => {
    const below = stack[n - 1]
    return below === undefined || cell.inputSize === (below.projSize ?? below.hiddenSize)
  })
  return fits ? stack : undefined
}

/**
 * The stack that cells are, told by their scopes: one after the other as `MultiRNNCell`, or the two stacks of
 * `bidirectional_dynamic_rnn`; undefined where the scopes say something else.
 */
export function stackOf(cells: readonly Cell[]): Stack | undefined {
  const placed = cells.map(place)
  const places = [...new Set(placed.map((cell) => cell.place))]
  const [first] = places
  if (first === undefined) return undefined
  if (places.length === 1) {
    const direction = inOrder(placed)
    return direction && { directions: [direction] }
  }
  const forward = places.find((name) => /(^|\/)fw$/.test(name))
  const backward = forward?.replace(/fw$/, 'bw')
  if (forward === undefined || backward === undefined || places.length > 2 || !places.includes(backward)) return undefined
  const [fw, bw] = [forward, backward].map((name) => inOrder(placed.filter((cell) => cell.place === name)))
  if (fw === undefined || bw === undefined || fw[0]?.inputSize !== bw[0]?.inputSize) return undefined
  return { directions: [fw, bw] }
}
