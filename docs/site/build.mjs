// Builds the site into one folder: node docs/site/build.mjs [FOLDER] [--keep-api]. What is in it has relative links only.
import { readFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readSafetensors } from '../../dist/safetensors.js'
import { apiPages } from './api.mjs'
import { copyFile, copyFolder } from './copying.mjs'
import { copyExamples, examplePage } from './examples.mjs'
import { copyLibrary } from './library.mjs'
import { ownPage, textPage } from './layout.mjs'
import { createRenderer } from './markdown.mjs'
import { PAGES } from './pages.mjs'
import { ROOT } from './paths.mjs'
import { searchIndex } from './search.mjs'
import { SHELF } from './shelf.mjs'

const HERE = join(ROOT, 'docs', 'site')
/** Files that pages link to, and where they are in the site. */
const FILES = { 'LICENSE': 'LICENSE.txt', 'docs/benchmark/': 'benchmark.html', 'examples/README.md': 'examples/amp/index.html' }

/** Builds everything into `folder`; `keepApi`: the pages of the API as they were made before. @throws Error naming links that lead nowhere */
export async function buildSite(folder, { keepApi = false } = {}) {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const write = async (path, text) => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const api = await apiPages(keepApi)
  const sources = await Promise.all(PAGES.filter(({ source }) => source !== undefined).map(async (page) => ({ ...page, text: await readFile(join(ROOT, page.source), 'utf8') })))
  const documents = [...sources, ...api]
  const paths = new Map(documents.map(({ source, path }) => [source, path]))
  const pathOf = (file) => paths.get(file) ?? FILES[file] ?? (/^docs\/benchmark\/[\w-]+\.svg$/.test(file) ? file.slice('docs/'.length) : undefined)
  const names = new Map(sources.map(({ source, title }) => [source, title]))
  const titleOf = (link, source) => names.get(posix.join(posix.dirname(source), link.split('#')[0]))
  const sizeOf = (link, source) => {
    const drawing = readFileSync(join(ROOT, posix.dirname(source), link), 'utf8').slice(0, 2000)
    return Object.fromEntries(['width', 'height'].flatMap((name) => {
      const [, size] = new RegExp(`^<svg[^>]* ${name}="(\\d+)"`).exec(drawing) ?? []
      return size === undefined ? [] : [[name, size]]
    }))
  }
  const { render, styles } = await createRenderer()

  const searched = []
  const broken = []
  for (const { source, path, text, title: name, section = 'API in full' } of documents) {
    const page = render(text, { source, path, pathOf, titleOf, sizeOf })
    broken.push(...page.broken.map((link) => `${source}: ${link}`))
    searched.push({ path, page: name ?? page.title, section, sections: page.sections })
    const title = source === 'README.md' ? name : page.title
    await write(path, textPage(path, { title, description: descriptionOf(page.sections), html: page.html, headings: page.headings }))
  }
  if (broken.length > 0) throw new Error(`links that lead nowhere:\n${broken.join('\n')}`)

  for (const page of PAGES.filter(({ example }) => example !== undefined)) {
    const made = await examplePage(page)
    await write(page.path, made.html)
    searched.push({ path: page.path, page: page.title, section: page.section, sections: [{ id: '', title: page.title, text: [made.description] }] })
  }
  const home = await readFile(join(HERE, 'home.html'), 'utf8')
  await write('index.html', ownPage('index.html', {
    title: 'lstm-wasm', description: 'Runs trained LSTMs, GRUs and plain RNNs in JavaScript, with the numbers of the framework that trained them.', ...headAndMain(home),
  }))
  await write('playground/index.html', await playgroundPage())
  searched.push({ path: 'playground/index.html', page: 'Playground', section: 'Start', sections: [{ id: '', title: 'Playground', text: ['Open a model file in the page: layers, gates, outputs, time, quantisation, code'] }] })

  await write('search.json', searchIndex(searched))
  await write('assets/code.css', styles())
  const { metadata } = readSafetensors(await readFile(join(ROOT, 'examples', 'charrnn', 'moby-dick.safetensors')))
  const vocabulary = JSON.parse(metadata.get('characters'))
  await write('playground/shelf.json', JSON.stringify(SHELF.map((entry) => (entry.text === undefined ? entry : { vocabulary, ...entry }))))
  await copyFolder(join(HERE, 'assets'), join(folder, 'assets'))
  await copyFile(join(HERE, 'node_modules', 'minisearch', 'dist', 'es', 'index.js'), join(folder, 'assets', 'minisearch.js'), '/* MiniSearch (L. Ongaro, MIT licence) */\n')
  await copyFolder(join(ROOT, 'docs', 'benchmark'), join(folder, 'benchmark'), (name) => !name.endsWith('.json'))
  await copyFile(join(ROOT, 'LICENSE'), join(folder, 'LICENSE.txt'))
  await copyLibrary(folder)
  await copyExamples(folder)
  await copyFolder(join(HERE, 'models'), join(folder, 'playground', 'models'))
  await copyFolder(join(ROOT, 'docs', 'playground'), join(folder, 'playground'), (name) => name !== 'index.html')
  await writeFile(join(folder, '.nojekyll'), '') // hosts that would leave out folders by their name
}

/** The first sentences of a page, for those who list it. */
function descriptionOf(sections) {
  const text = sections.flatMap((section) => section.text)[0] ?? ''
  return text.length <= 160 ? text : `${text.slice(0, 157).replace(/\s\S*$/, '')} ...`
}

/** A document's own head and main. */
function headAndMain(html) {
  return { head: /<head>([^]*?)<\/head>/.exec(html)?.[1] ?? '', main: /<main[^]*<\/main>/.exec(html)?.[0] ?? '' }
}

async function playgroundPage() {
  const html = await readFile(join(ROOT, 'docs', 'playground', 'index.html'), 'utf8')
  const { head, main } = headAndMain(html)
  return ownPage('playground/index.html', {
    title: 'Playground', description: 'Open a model file in the page: its layers, its gates over time, its outputs, how fast it is here. Nothing leaves your computer.',
    head: head.replace(/<meta [^>]*>|<title>[^<]*<\/title>|<link rel="icon"[^>]*>|<link [^>]*theme\.css[^>]*>/g, '').trim(), main,
  })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder = join(ROOT, 'build', 'site')] = process.argv.slice(2).filter((word) => !word.startsWith('--'))
  const begin = performance.now()
  await buildSite(folder, { keepApi: process.argv.includes('--keep-api') })
  console.log(`built ${posix.normalize(folder)} in ${((performance.now() - begin) / 1000).toFixed(1)} s`)
}
