// Tabs with the code: arrow keys go from one to the next.
import { element, make } from './dom.mjs'

/** Shows what `codeFor` made; the tab that was open stays open. */
export function codeElements(tabs) {
  const before = element('tabs').querySelector('[aria-selected="true"]')?.textContent
  const open = Math.max(0, tabs.findIndex(({ title }) => title === before))
  const buttons = tabs.map(({ title }, n) => make('button', {
    'type': 'button', 'role': 'tab', 'id': `tab-${n}`, 'aria-controls': 'code', 'onclick': () => select(n),
    'onkeydown': ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: tabs.length - 1 }[key]
      if (step === undefined) return
      select((n + step) % tabs.length)
      buttons[(n + step) % tabs.length].focus()
    },
  }, title))
  const select = (n) => {
    buttons.forEach((button, at) => {
      button.setAttribute('aria-selected', String(at === n))
      button.tabIndex = at === n ? 0 : -1
    })
    element('code').setAttribute('aria-labelledby', `tab-${n}`)
    element('code').replaceChildren(...tabs[n].blocks.flatMap(({ about, file, text }) => (text === ''
      ? [make('p', { class: 'quiet' }, about)]
      : [make('h3', {}, file, copyButton(text)), make('p', { class: 'quiet' }, about), make('pre', { tabIndex: 0 }, text)])))
  }
  element('tabs').replaceChildren(...buttons)
  select(open)
}

function copyButton(text) {
  const button = make('button', {
    type: 'button', onclick: async () => {
      const isCopied = await navigator.clipboard.writeText(text).then(() => true, () => false)
      button.textContent = isCopied ? 'Copied' : 'The browser does not let pages copy'
      setTimeout(() => (button.textContent = 'Copy'), 1500)
    },
  }, 'Copy')
  return button
}
