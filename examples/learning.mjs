// What the pages that train have in common: the Train button with its line of state and its bar, files that are chosen or dropped, drawing again.
import { tell } from './tell.mjs'

const element = (id) => document.getElementById(id)

/**
 * The button `train`, the line `state` and the bar `progress` of a page.
 * @param learn is given { signal, live } and trains until it is done, or the signal has aborted: the Stop button does that. What it tells the page, it tells
 *   through functions of live(...), which say nothing any more after end()
 * @param stopping what the line says after a click on Stop
 * @returns { show, end }: show({ done, total, text }) on bar and line; end() what runs, since the page is about something else now
 */
export function makeTraining(learn, { stopping = 'stopping ...' } = {}) {
  let running
  const end = () => {
    running?.stop.abort()
    running = undefined
    element('train').textContent = 'Train'
    element('progress').value = 0
    element('state').textContent = ''
  }
  const train = async () => {
    const run = { stop: new AbortController() }
    running = run
    element('train').textContent = 'Stop'
    const begin = performance.now()
    try {
      await learn({ signal: run.stop.signal, live: (hear) => (news) => running === run && hear(news) })
    } catch (error) {
      if (running !== run) return
      end()
      if (error.code === 'ABORTED') return
      throw error
    }
    if (running !== run) return
    end()
    element('state').textContent = `trained: ${((performance.now() - begin) / 1000).toFixed(1)} s`
  }
  element('train').addEventListener('click', () => tell(async () => {
    if (running === undefined) return train()
    running.stop.abort()
    element('state').textContent = stopping
  }))
  return {
    end,
    show({ done, total, text }) {
      element('progress').value = done / total
      element('state').textContent = text
    },
  }
}

/** Files from inputs of the page, or dropped on it. @param use is given the list of them, and the input's id, or undefined for those that are dropped */
export function takeFiles(ids, use) {
  for (const id of ids) {
    element(id).addEventListener('change', ({ target }) => tell(() => use([...target.files], id)).finally(() => (target.value = '')))
  }
  addEventListener('dragover', (event) => {
    event.preventDefault()
    document.body.classList.add('dropping')
  })
  addEventListener('dragleave', () => document.body.classList.remove('dropping'))
  addEventListener('drop', (event) => {
    event.preventDefault()
    document.body.classList.remove('dropping')
    void tell(() => use([...event.dataTransfer.files], undefined))
  })
}

/** Draws now, and whenever sizes or colours change. */
export function keepDrawn(draw) {
  for (const name of ['resize', 'themechange']) addEventListener(name, draw)
  draw()
}
