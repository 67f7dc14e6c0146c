// The examples that are pages, put into the site as they are: their files, and their page in the site's frame.
import { readFile, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { compileRoofline } from '../../build/bench/roofline/compile.js'
import { copyFile, copyFolder } from './copying.mjs'
import { ownPage } from './layout.mjs'
import { PAGES } from './pages.mjs'
import { ROOT } from './paths.mjs'

const EXAMPLES = join(ROOT, 'examples')

export async function examplePage({ example, path, title }) {
  const html = await readFile(join(EXAMPLES, example, 'index.html'), 'utf8')
  const description = /<p>([^<]*)<\/p>/.exec(html)[1].replace(/\s+/g, ' ').trim()
  // Before <main> there is no body: what is not in the site's own head already.
  const head = html.slice(0, html.indexOf('<main')).replace(/<!doctype html>|<html[^>]*>|<meta [^>]*>|<title>[^<]*<\/title>|<link rel="icon"[^>]*>|<link [^>]*theme\.css[^>]*>/g, '').trim()
  const main = /<main[^]*<\/main>/.exec(html)[0].replace('<main', '<main id="content"')
  const scripts = html.slice(html.indexOf('</main>') + '</main>'.length).replace(/<\/html>/, '').trim()
  return { description, html: ownPage(path, { title, description, head, main: `${main}\n${scripts}` }) }
}

/** What the pages use from elsewhere: the files that they import, each at its place in the repository, and the model of Silero. */
const BORROWED = ['build/bench/cases.js', 'build/bench/engines/lstm-wasm.js', 'build/bench/engines/plain-js.js', 'build/bench/report/table.js', 'build/bench/report/format.js', 'build/bench/suite.js', 'bench/peers/import.mjs']
const OTHER_FILES = ['node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx', 'node_modules/pbf/index.js', 'node_modules/tinybench/dist/index.js', 'build/bench/roofline-simd.wasm', 'build/bench/roofline-relaxed-simd.wasm']
const LEFT_OUT = /(^|\/)(terminal|convert|serve)\.mjs$|\.md$|(^|\/)index\.html$/

/** Whether a file of the examples is one that the site's pages need. */
function isNeeded(path) {
  const [folder, ...inner] = path.split('/')
  const isOfPage = inner.length === 0 || PAGES.some(({ example }) => example === folder)
  return isOfPage && !LEFT_OUT.test(path)
}

export async function copyExamples(folder) {
  await compileRoofline() // the peaks of the benchmark page
  await copyFolder(EXAMPLES, join(folder, 'examples'), isNeeded)
  const files = [...BORROWED]
  for (const file of files) {
    const text = await readFile(join(ROOT, file), 'utf8')
    for (const [, path] of text.matchAll(/\b(?:from|import\()\s*["'](\.[^"']+)["']/g)) {
      const target = posix.join(posix.dirname(file), path)
      if (!files.includes(target)) files.push(target)
    }
  }
  for (const file of [...files, ...OTHER_FILES]) await copyFile(join(ROOT, file), join(folder, file))
  // No other engine is on the site, and nobody can install one here.
  await writeFile(join(folder, 'build', 'bench', 'engines', 'index.js'), "import{lstmWasm}from'./lstm-wasm.js';import{plainJs}from'./plain-js.js';export const ENGINES=[lstmWasm,plainJs]\n")
  await writeFile(join(folder, 'bench', 'peers', 'package.json'), '{}')
  // The program of a trainer in a worker is not on the site: library.mjs.
  await writeFile(join(folder, 'examples', 'trainer.mjs'), "import{createTrainer}from'../dist/training.js';export const trainerFor=(net,{worker,...options})=>createTrainer(net,options)\n")
}
