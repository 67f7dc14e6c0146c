import { engineTitle, formatRatio, formatTime, ratioOf } from '../../build/bench/report/format.js'

/** A panel with a bar an engine: the faster the longer, the fastest of all fills the track. */
export function drawCase({ name, about }, rows) {
  const fastest = Math.min(...rows.map(({ medianUs }) => medianUs ?? Infinity))
  const panel = element('article', { className: 'panel' })
  const list = element('ul', { className: 'bars' })
  for (const row of [...rows].sort((a, b) => (a.medianUs ?? Infinity) - (b.medianUs ?? Infinity))) {
    const item = element('li', { className: row.engine === 'lstm-wasm' ? 'ours' : '' })
    item.append(element('span', { className: 'name', textContent: engineTitle(row) }))
    if (!row.checked) {
      item.append(element('span', { className: 'wrong', textContent: `not timed: ${row.error}` }))
    } else {
      const track = element('span', { className: 'track' })
      const bar = element('span', { className: 'bar' })
      bar.style.width = `${fastest / row.medianUs * 100}%`
      track.append(bar)
      const figure = element('span', { className: 'figure', textContent: formatTime(row.medianUs) })
      const ratio = ratioOf(rows, row)
      if (ratio !== undefined) figure.append(element('small', { textContent: formatRatio(ratio) }))
      item.append(figure, track)
    }
    list.append(item)
  }
  panel.append(element('h2', { textContent: name }), element('p', { textContent: `${about}. Time of one call; longer bars are faster.` }), list)
  return panel
}

const element = (tag, properties) => Object.assign(document.createElement(tag), properties)
