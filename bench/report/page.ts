// The results page and the table of the README, made of what was measured.
import { AXES } from '../curves/axes.ts'
import { ENGINES } from '../engines/index.ts'
import { CASES } from '../cases.ts'
import { judge, targetsFor } from '../targets.ts'
import { formatCold } from './cold-table.ts'
import { formatCurves } from './curve-table.ts'
import { byCase, digits, fastestOf, formatRatio, formatTime, runtimeText } from './format.ts'
import { markdownResults, markdownTable, verdictCells, VERDICT_HEADER } from './table.ts'
import type { Results } from './results.ts'
import type { Cold } from '../cold/measure-cold.ts'
import type { Curves } from '../curves/measure-curves.ts'
import type { Row } from '../measure.ts'

export interface Published {
  readonly results: Results
  readonly cold: Cold
  readonly curves: Curves
}

/** Engines of the README's table, and cases of it. */
const README_ENGINES = ['onnxruntime-web', 'tfjs-wasm', 'onnxruntime-node', 'plain-js']
const README_CASES = ['B1 T1 F64 H64', 'B1 T1 F512 H512', 'B1 T100 F128 H128', 'B32 T50 F256 H256', 'Silero VAD', 'char-RNN', 'guitar amp']

/** Ratios this close to 1 are called the same. */
const SAME = 1.03

/** Files of the charts, beside the page. */
export const CHARTS = ['speed', ...AXES.flatMap(({ name }) => [`${name}-time`, `${name}-memory`])]

export const whereText = ({ machine, runtime, date }: Results) => `${machine.cpu}, ${runtimeText(runtime)}, ${date.slice(0, 10)}`

/**
 * Time of an engine's fastest variant by this library's.
 * @param group rows of one case
 */
function compare(group: readonly Row[], engine: string) {
  const [ours, theirs] = [fastestOf(group, 'lstm-wasm'), fastestOf(group, engine)]
  return Number.isFinite(ours) && Number.isFinite(theirs) ? { theirs, ratio: theirs / ours } : undefined
}

/** What stands between the markers of the README. */
export function readmeTable(results: Results) {
  const rows = byCase(results.rows).filter(([name]) => README_CASES.includes(name)).map(([name, group]) => {
    const about = CASES.find((entry) => entry.name === name)?.about ?? ''
    const ours = fastestOf(group, 'lstm-wasm')
    return [`**${name}**: ${about}`, `**${formatTime(ours)}**`, ...README_ENGINES.map((engine) => {
      const found = compare(group, engine)
      return found === undefined ? '-' : `${formatTime(found.theirs)} (${formatRatio(found.ratio)})`
    })]
  })
  return [
    '![Time of each engine relative to lstm-wasm, case by case](docs/benchmark/speed.svg)',
    '',
    markdownTable(['one call', 'lstm-wasm', ...README_ENGINES], rows, 1),
    '',
    `${whereText(results)}; one thread, float32, medians, every output checked. onnxruntime-node is native code. All figures, losses`
    + ' included, and how they were measured: [docs/benchmark.md](docs/benchmark.md).',
  ].join('\n')
}

function winsAndLosses(rows: readonly Row[]) {
  const cases = byCase(rows)
  return ENGINES.filter(({ name }) => name !== 'lstm-wasm').flatMap(({ name }) => {
    const compared = cases.flatMap(([title, group]) => {
      const found = compare(group, name)
      return found === undefined ? [] : [{ title, ratio: found.ratio }]
    })
    if (compared.length === 0) return []
    const [faster, slower] = [compared.filter(({ ratio }) => ratio > SAME), compared.filter(({ ratio }) => ratio < 1 / SAME)]
    const list = slower.map(({ title, ratio }) => `${title} (${formatRatio(1 / ratio)})`).join(', ')
    const range = compared.map(({ ratio }) => ratio)
    return [`- **${name}**: lstm-wasm is faster in ${faster.length} of ${compared.length} cases, and slower in ${slower.length}${list === '' ? '' : `: ${list}`}. `
      + `It takes ${digits(Math.min(...range))} to ${digits(Math.max(...range))} times as long as lstm-wasm.`]
  }).join('\n')
}

function targetSection({ runtime, rows }: Results) {
  const verdicts = judge(targetsFor(runtime), rows)
  const missed = verdicts.filter(({ pass }) => pass === false).length
  return `${verdicts.length - missed} of ${verdicts.length} figures are reached. Ratios are the time of the other engine by that of the binary named.

${markdownTable(VERDICT_HEADER, verdictCells(verdicts), 3)}`
}

const METHOD = `- Every engine first runs the case once or more, and its output is compared with a float64 reference (\`bench/reference.ts\`): an engine
  that is more than 2e-5 away (relative to the largest value, where that is above 1) is reported, and not timed.
- A call is what a user does: input in an array of theirs, output where they can read it. Steps carry their state from call to call, and
  have another input each time. Sequences begin at zeros. Weights and inputs are seeded random numbers.
- Engines take turns, round by round, each round beginning with another one: what drifts hits all. A sample is as many calls as fill
  half a millisecond. Medians and 95th percentiles are over all samples, the spread is between the medians of the rounds.
- GF/s are 8 H (F + H) B T / time for an LSTM, 6 H (F + H) B T for a GRU, and what dense layers and convolutions add. The peak is measured in every round: 14 chains
  of independent multiply-adds in WebAssembly (\`bench/roofline/assembly/kernels.ts\`). Where the weights of a step do not fit into L2, the rate
  at which they were read is compared with that of plain loads from a block of their size ("of L3").
- Everything runs on one thread. TensorFlow.js and onnxruntime-web are the versions for browsers, run in Node; in your own browser:
  \`npm run example:benchmark\`.`

/** @returns docs/benchmark.md */
export function resultsPage({ results, cold, curves }: Published): string {
  const settings = ENGINES.map(({ name, settings: words }) => `- **${name}**: ${words}`).join('\n')
  const axes = AXES.map(({ name, title }) => `### By ${title}

![Time of one call by ${title}](benchmark/${name}-time.svg)

![Memory by ${title}](benchmark/${name}-memory.svg)

${formatCurves(curves, name, 'markdown')}`).join('\n\n')
  return `# Benchmark

Made by \`npm run bench:setup && npm run bench:publish\` from what it measured, on the machine and with the versions below; the figures are
in [benchmark/](benchmark/). To measure on yours: \`npm run bench -- --quick\`,
\`npm run bench:cold\`, \`bench:curves\` and \`bench:latency\`.

![Time of each engine relative to lstm-wasm, case by case](benchmark/speed.svg)

## Wins and losses

${winsAndLosses(results.rows)}

## All cases

B is the batch, T the timesteps of one call, F the features, H the units.

${markdownResults(results)}

## What the library has set itself

${targetSection(results)}

## Cold start, memory, download

New processes: from importing the engine to the first result of one LSTM of 128 units (10 steps of 64 features), the file or weights at
hand. Downloads are the files that a page needs, minified; brotli at quality 9. The binaries of lstm-wasm are inside its JavaScript.

${formatCold(cold, 'markdown')}

## How cost grows

Time of one call, and the most memory that the process needed beyond its runtime, weights and inputs. A curve ends where a call takes
more than 1.5 seconds.

${axes}

## How it is measured

${METHOD}

Settings of the engines:

${settings}
`
}
