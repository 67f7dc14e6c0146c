// The graph as layers: what each is, its shape, its parameters, and where the 4 times of an LSTM come from.
import { SIGNALS } from './cells.mjs'
import { grouped, make, shapeText } from './dom.mjs'

const GATE_NAMES = { lstm: ['i', 'f', 'g', 'o'], gru: ['r', 'z', 'n'], rnn: [] }

/** @returns an element for every input, layer and output */
export function layerElements(summary, graph) {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]))
  return [
    ...summary.inputs.map(({ name, dtype, shape, optional }) => portElement('input', name, `${dtype} ${shapeText(shape)}${optional ? ', optional: zeros' : ''}`)),
    ...foldedRows(summary.rows).map((row) => (Array.isArray(row) ? foldedElement(row, nodes) : layerElement(row, nodes.get(row.name)))),
    ...summary.outputs.map(({ name, shape }) => portElement('output', name, shapeText(shape))),
    ...Object.entries(summary.carry).map(([from, to]) => portElement('streams carry', to, `to ${from}`)),
  ]
}

/** Longer graphs are shown by their layers with weights; what stands between them is folded. */
const MOST_ROWS = 12

function foldedRows(rows) {
  if (rows.length <= MOST_ROWS) return rows
  const groups = []
  for (const row of rows) {
    if (row.parameters > 0 || row.arithmetic.length > 0) groups.push(row)
    else if (Array.isArray(groups.at(-1))) groups.at(-1).push(row)
    else groups.push([row])
  }
  return groups
}

function foldedElement(rows, nodes) {
  const names = [...new Set(rows.map(({ op }) => op))]
  return make('details', { class: 'folded' }, make('summary', {}, `${rows.length} without weights: ${names.slice(0, 6).join(', ')}${names.length > 6 ? ', ...' : ''}`),
    ...rows.map((row) => layerElement(row, nodes.get(row.name))))
}

function portElement(kind, name, what) {
  return make('div', { class: 'port' }, `${kind} `, make('strong', {}, name), ' ', make('code', {}, what))
}

function layerElement({ name, op, detail, outputShape, parameters, arithmetic }, node) {
  const gates = GATE_NAMES[op] ?? []
  return make('div', { class: 'layer' },
    make('span', { class: 'name' }, name),
    make('span', { class: 'what' }, detail === '' ? op : `${op}: ${detail}`, ' ', make('code', { class: 'quiet' }, shapeText(outputShape))),
    make('span', { class: 'shape' }, parameters === 0 ? '' : `${grouped(parameters)} parameters`),
    gates.length > 0 && gatesElement(op, gates, node),
    ...arithmetic.map((text) => make('p', { class: 'sum' }, text)),
  )
}

/** Each gate has weights of its own, for all inputs and for all states: that is the factor. */
function gatesElement(op, gates, { attributes, parameters }) {
  const units = attributes.hiddenSize
  const about = new Map(SIGNALS[op].map((signal) => [signal.name, signal]))
  const biases = Object.keys(parameters).filter((role) => /^0\.\w+\.(input|recurrent)Bias$/.test(role)).length > 0
  return make('div', { class: 'gates' }, ...gates.map((gate) => {
    const { title, about: meaning } = about.get(gate)
    return make('div', { class: `gate gate-${gate}` }, make('b', {}, gate), ` ${title}: ${meaning}`, make('br'),
      make('span', { class: 'quiet' }, `${units} units, each with its weights for all inputs and all ${units} states${biases ? ', and a bias' : ''}`))
  }))
}
