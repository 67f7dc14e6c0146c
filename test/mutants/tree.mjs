// The copy of the tree in which mutations are made, and the process that runs tests in it.
import { execFileSync, fork } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { applyTo } from './mutators.mjs'

const BUILT = ['simd', 'relaxed-simd', 'simd-threads', 'relaxed-simd-threads', 'gradients-simd', 'gradients-relaxed-simd',
  'gradients-simd-threads', 'gradients-relaxed-simd-threads'].flatMap((name) => [`build/${name}.wasm`, `build/${name}.wat`])
const COPIED = ['src', 'assembly', 'test', 'examples', 'docs', 'bench', ...BUILT, 'build/debug.wasm', 'build/gradients-debug.wasm', 'package.json', 'asconfig.json',
  'tsconfig.json', 'tsdown.config.ts', '.ci', 'vitest.config.ts', 'README.md', 'CHANGELOG.md']
/** Of trainers in workers: it has no binary in it. */
const PROGRAM = 'src/runtime/binaries/training-program.ts'
const BINARIES = ['src/runtime/binaries', 'src/contract']

export class Tree {
  #root
  #folder
  #child

  /** @param {URL} root of the repository */
  constructor(root) {
    this.#root = root
    this.#folder = fileURLToPath(new URL(`build/mutants/tree-${process.pid}/`, root))
    mkdirSync(`${this.#folder}build`, { recursive: true })
    for (const name of COPIED) cpSync(new URL(name, root), `${this.#folder}${name}`, { recursive: true, filter: (path) => !path.includes('/node_modules') })
    symlinkSync(fileURLToPath(new URL('node_modules', root)), `${this.#folder}node_modules`)
  }

  /** Paths of its test files. */
  get tests() {
    return this.filesBelow('test').filter((name) => name.endsWith('.test.ts')).sort()
  }

  /** Paths below a folder of the tree. */
  filesBelow(folder) {
    return readdirSync(`${this.#folder}${folder}`, { recursive: true }).map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
  }

  read(file) {
    return readFileSync(`${this.#folder}${file}`, 'utf8')
  }

  write(file, text) {
    writeFileSync(`${this.#folder}${file}`, text)
  }

  /** Those binaries of this tree's assembly/ that tests take. @param {readonly string[]} targets all, where none is named @throws where it does not compile */
  buildBinaries(targets) {
    this.#node('assembly/embed.mjs', '--release', ...targets)
    // It takes that folder away, and this file is not its own.
    cpSync(new URL(PROGRAM, this.#root), `${this.#folder}${PROGRAM}`)
  }

  /** dist/, without types. */
  buildPackage() {
    this.#node('node_modules/tsdown/dist/run.mjs', '--no-dts', '--log-level', 'error')
  }

  /** As they were: the binaries of the repository's own assembly/. */
  restoreBinaries() {
    for (const name of [...BUILT, ...BINARIES]) cpSync(new URL(name, this.#root), `${this.#folder}${name}`, { recursive: true })
  }

  /**
   * Runs test files until one fails. @param {readonly string[]} changed files since the run before
   * @returns {Promise<{ passed: boolean, failure?: string }>}
   */
  async test(files, changed, timeout) {
    this.#child ??= await this.#start()
    const child = this.#child
    return new Promise((resolve) => {
      const settle = (answer) => {
        clearTimeout(timer)
        child.removeAllListeners()
        if (answer === undefined) this.stop()
        resolve(answer ?? { passed: false, failure: 'ran out of time' })
      }
      const timer = setTimeout(() => settle(undefined), timeout)
      child.once('message', settle)
      child.once('exit', () => {
        this.#child = undefined
        settle({ passed: false, failure: 'the process of the tests ended' })
      })
      child.send({ changed, files })
    })
  }

  /** Ends the process of the tests and those that it started: its own group. */
  stop() {
    if (this.#child === undefined) return
    this.#child.removeAllListeners()
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
    this.#child = undefined
  }

  dispose() {
    this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #node(...args) {
    execFileSync(process.execPath, args, { cwd: this.#folder, stdio: 'pipe' })
  }

  async #start() {
    const child = fork('test/mutants/suite.mjs', { cwd: this.#folder, detached: true, env: { ...process.env, BINARIES: process.env.BINARIES ?? 'simd' }, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    await new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', (code) => reject(new Error(`test/mutants/suite.mjs ended with ${code}`)))
    })
    child.removeAllListeners()
    return child
  }
}

/** A mutant that is made in a tree, and unmade. */
export class AppliedMutant {
  #tree
  #mutant
  #dist
  #targets
  #text

  /** @param {{ dist?: boolean, targets?: readonly string[] }} room of the mutant */
  constructor(tree, mutant, { dist = false, targets = [] }) {
    this.#tree = tree
    this.#mutant = mutant
    this.#dist = dist
    // Other binaries than simd's are asked for by hand: README.md.
    this.#targets = process.env.BINARIES === undefined ? targets : []
    this.#text = tree.read(mutant.file)
  }

  /** Files that it changes. */
  get changed() {
    return [this.#mutant.file, ...(this.#isKernel ? BINARIES.flatMap((folder) => this.#tree.filesBelow(folder)) : [])]
  }

  get #isKernel() {
    return this.#mutant.file.startsWith('assembly/')
  }

  /** @throws where it does not compile */
  apply() {
    if (this.#tree.read(this.#mutant.file) !== this.#text) return
    this.#tree.write(this.#mutant.file, applyTo(this.#text, this.#mutant))
    if (this.#isKernel) this.#tree.buildBinaries(this.#targets)
    if (this.#dist) this.#tree.buildPackage()
  }

  async undo() {
    if (this.#tree.read(this.#mutant.file) === this.#text) return
    this.#tree.write(this.#mutant.file, this.#text)
    if (this.#isKernel) this.#tree.restoreBinaries()
    await this.#tree.test([], this.changed, 10_000)
  }
}
