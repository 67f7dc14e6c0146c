// Weights of fewer bits: what they cost and gain on the input that was run.
import { quantize } from 'lstm-wasm/quantization'
import { bytesText, download, make, short } from './dom.mjs'
import { largestDifference } from './probe.mjs'

const percent = (value) => (Number.isNaN(value) ? '' : `${short(100 * value, 2)} %`)

/** @returns elements that tell. @throws LstmError where a model has nothing to quantise */
export async function quantiseElements(model, inputs, dtype, name, onProgress) {
  const { model: small, report } = await quantize(model, { dtype, ...(inputs && { data: [inputs] }), onProgress })
  try {
    const file = `${name.replace(/\.\w+$/, '')}-${dtype}.safetensors`
    const bytes = small.save()
    const [before, after] = inputs === undefined ? [{}, {}] : [model.run(inputs), small.run(inputs)]
    const moved = Object.keys(before).map((output) => make('li', {}, make('code', {}, output),
      ` moved by at most ${short(largestDifference(before[output].data, after[output].data), 2)}`,
      report.change?.[output] === undefined ? '' : `, ${percent(report.change[output].relative)} of its own size (root of the mean squares)`))
    const hasKept = report.layers.some(({ kept }) => kept !== undefined)
    const rows = report.layers.map((layer) => make('tr', {}, make('td', {}, layer.name), make('td', {}, layer.dtype),
      make('td', { class: 'number' }, percent(layer.error)),
      make('td', { class: 'number' }, `${bytesText(layer.bytesBefore)} → ${bytesText(layer.bytesAfter)}`), hasKept && make('td', {}, layer.kept ?? '')))
    return [
      make('p', {}, 'Weights: ', make('strong', {}, `${bytesText(report.bytesBefore)} → ${bytesText(report.bytesAfter)}`), '. On the input above:'),
      make('ul', {}, ...moved),
      make('div', { 'class': 'scroll', 'tabIndex': 0, 'role': 'region', 'aria-label': 'Layers' }, make('table', { class: 'report' },
        make('thead', {}, make('tr', {}, ...['layer', 'weights', inputs === undefined ? 'weight error' : 'output error', 'bytes', ...hasKept ? ['why it stays'] : []].map((title) => make('th', {}, title)))),
        make('tbody', {}, ...rows))),
      make('p', {}, make('button', { type: 'button', onclick: () => download(file, bytes) }, `Download ${file} (${bytesText(bytes.length)})`)),
    ]
  } finally {
    small.dispose()
  }
}
