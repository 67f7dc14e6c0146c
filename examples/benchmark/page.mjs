// The benchmark in the visitor's own browser: the cases and engines of bench/, as they are.
import { CASES, TOLERANCE } from '../../build/bench/cases.js'
import { ENGINES } from '../../build/bench/engines/index.js'
import { markdownResults } from '../../build/bench/report/table.js'
import { runSuite, SETTINGS } from '../../build/bench/suite.js'
import { ready } from '../ready.mjs'
import { drawCase } from './bars.mjs'
import { clockResolution, describeBrowser, isInstalled, readPeerVersions } from './browser.mjs'

const at = (id) => document.getElementById(id)

/** What pages can run; TensorFlow.js in plain JavaScript takes minutes, and has no page of its own here. */
const IN_BROWSERS = ENGINES.filter(({ name }) => !['onnxruntime-node', 'tfjs-cpu'].includes(name))
/** At first: a step, a sequence, a batch, and a model of the world. */
const FEW = ['B1 T1 F64 H64', 'B1 T100 F128 H128', 'B32 T50 F64 H128', 'Silero VAD']
/** A page may not hold still for longer than this, so that its buttons work: samples are short, and slow engines have few. */
const BROWSER_SETTINGS = { ...SETTINGS.quick, budgetMs: 1500 }
/** A sample is at least so many ticks of the clock: browsers make it coarse. */
const TICKS_PER_SAMPLE = 100
const L2_BYTES = 1024 * 1024

// ?rounds=2&case=NAME presets what is chosen.
const preset = new URLSearchParams(location.search)
let controller
let results

const installed = await Promise.all(IN_BROWSERS.map(({ packages = [] }) => isInstalled(packages.filter((name) => name !== 'lstm-wasm'))))

const checks = {
  engines: choices('engines', IN_BROWSERS.map(({ name }, n) => ({ name, checked: installed[n], missing: !installed[n] }))),
  cases: choices('cases', CASES.map(({ name, about }) => ({ name, about, checked: (preset.getAll('case').length > 0 ? preset.getAll('case') : FEW).includes(name) }))),
}
at('quick').addEventListener('click', () => choose((name) => FEW.includes(name)))
at('all').addEventListener('click', () => choose(() => true))
at('cancel').addEventListener('click', () => controller?.abort())
at('copy-markdown').addEventListener('click', () => copy(markdownResults(results)))
at('copy-json').addEventListener('click', () => copy(JSON.stringify(results, null, 2)))
at('form').addEventListener('submit', (event) => {
  event.preventDefault()
  void run()
})
ready()

async function run() {
  const chosen = (kind, all) => all.filter(({ name }) => checks[kind].some((box) => box.checked && box.value === name))
  const [cases, engines] = [chosen('cases', CASES), chosen('engines', IN_BROWSERS)]
  if (cases.length === 0 || engines.length === 0) return say('choose at least one engine and one case', true)
  controller = new AbortController()
  working(true)
  at('results').replaceChildren()
  at('text').value = ''
  const rounds = Number(preset.get('rounds') ?? BROWSER_SETTINGS.rounds)
  const sampleMs = Math.max(BROWSER_SETTINGS.sampleMs, TICKS_PER_SAMPLE * clockResolution())
  try {
    const measured = await runSuite({
      cases, engines: engines.map((engine) => ({ engine, variants: engine.variants })),
      settings: { ...BROWSER_SETTINGS, rounds, sampleMs, sliceMs: Math.max(BROWSER_SETTINGS.sliceMs, sampleMs), l2Bytes: L2_BYTES, signal: controller.signal },
      onProgress: showProgress,
      onRows: (rows) => rows.length > 0 && at('results').append(drawCase(CASES.find(({ name }) => name === rows[0].case), rows)),
    })
    results = {
      ...describeBrowser(), versions: await readPeerVersions(engines.flatMap(({ packages }) => packages)), date: new Date().toISOString(),
      command: location.href, tolerance: TOLERANCE, ...measured,
    }
    at('copy').hidden = false
    at('text').value = markdownResults(results)
    const missing = measured.skipped.map(({ engine, variant, reason }) => `${engine} ${variant} was not run: ${reason}.`).join(' ')
    say(`${measured.complete ? 'done' : 'cancelled'}: ${measured.rows.length} figures. ${missing}`)
  } catch (error) {
    say(error.message, true)
  } finally {
    working(false)
  }
}

/** Draws, and lets the browser do so. */
async function showProgress(share, title, what) {
  at('progress').value = share
  say(`${title}: ${what}`)
  await new Promise((resolve) => setTimeout(resolve))
}

function working(yes) {
  at('run').disabled = yes
  at('cancel').disabled = !yes
  for (const box of [...checks.engines, ...checks.cases]) box.disabled = yes || box.dataset.missing === 'true'
  at('progress').value = yes ? 0 : 1
}

function say(text, bad = false) {
  at('message').textContent = text
  at('message').classList.toggle('bad', bad)
}

function choose(wanted) {
  for (const box of checks.cases) if (!box.disabled) box.checked = wanted(box.value)
}

async function copy(text) {
  at('text').value = text
  try {
    await navigator.clipboard.writeText(text)
    say('copied')
  } catch {
    at('text').select()
    say('the browser does not let pages copy: the text is marked below')
  }
}

/** Check boxes with names. */
function choices(id, entries) {
  return entries.map(({ name, about = '', checked, missing = false }) => {
    const label = document.createElement('label')
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', value: name, checked })
    box.disabled = missing
    box.dataset.missing = missing
    label.title = about
    label.append(box, missing ? `${name}: not installed here` : name)
    at(id).append(label)
    return box
  })
}
