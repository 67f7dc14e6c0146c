// What training has changed, and the trained model: compared, taken over, handed out as a file.
import { download, make, say, short, wordsOf } from './dom.mjs'
import { outputElements } from './outputs-view.mjs'

const METRIC_WORDS = { accuracy: 'right', meanAbsoluteError: 'mean absolute error', meanSquaredError: 'mean squared error' }

/** Formats that the trained model goes into: what makes the bytes. */
const FILES = {
  safetensors: async (model) => model.save(),
  keras: async (model) => (await import('lstm-wasm/export')).toKeras(model),
  onnx: async (model) => (await import('lstm-wasm/export')).toOnnx(model),
}

/**
 * @param trained the `model`, and `about`: what `TrainView.last` gives
 * @param opened the model it was made of: its `name`, its `entry` of the shelf, the inputs of its `last` run
 * @param page `take(model)` opens the trained model; `outputs` of the last run
 * @returns elements, to be shown at once
 */
export function trainedElements({ model, about: { settings, before, after } }, { name, last, entry }, { take, outputs }) {
  const percent = settings.metric === 'accuracy'
  const words = (metric, value) => (metric !== 'loss' && percent ? `${(100 * value).toFixed(1)} %` : short(value))
  const rows = ['loss', settings.metric].map((metric) => make('tr', {}, make('td', {}, METRIC_WORDS[metric] ?? metric),
    ...[before, after].map((numbers) => make('td', { class: 'number' }, words(metric, numbers[metric])))))
  const elements = [
    make('h3', {}, 'Before and after'),
    make('table', { class: 'report' },
      make('thead', {}, make('tr', {}, ...['of all examples', 'before', 'after'].map((title) => make('th', {}, title)))), make('tbody', {}, ...rows)),
  ]
  if (last !== undefined) elements.push(...comparison(outputs, model.run(last), entry, last))
  const message = make('p', { class: 'message', id: 'trained-message', role: 'status' })
  const base = name.replace(/(-trained)?\.\w+$/, '')
  const buttons = Object.entries(FILES).map(([ending, bytesOf]) => make('button', {
    type: 'button', onclick: async () => {
      try {
        say('trained-message', '')
        download(`${base}-trained.${ending}`, await bytesOf(model))
      } catch (error) {
        say('trained-message', wordsOf(error), true)
      }
    },
  }, `Download ${base}-trained.${ending}`))
  return [...elements, make('div', { class: 'row' }, make('button', { type: 'button', class: 'first', onclick: () => take(model.save()) }, 'Open the trained model'), ...buttons), message]
}

/** The outputs of the input above, of both models beside each other. */
function comparison(before, after, entry, inputs) {
  const columns = [['before', before], ['after', after]].map(([title, outputs]) => {
    const elements = outputElements(outputs, entry, inputs).slice(0, 1)
    // Curves are drawn when their canvas has a size.
    requestAnimationFrame(() => elements.forEach(({ draw }) => draw()))
    return make('div', {}, make('p', { class: 'quiet' }, title), ...elements.map(({ panel }) => panel))
  })
  return [make('p', {}, 'The input above:'), make('div', { class: 'beside' }, ...columns)]
}
