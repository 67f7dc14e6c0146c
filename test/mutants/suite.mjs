// A process that keeps Vitest for the tree it is started in: takes { changed, files }, answers { passed, failure }. What other
// files were transformed to is kept from run to run. The runner ends this process when a mutation makes tests run on and on.
import { resolve } from 'node:path'
import { createVitest } from 'vitest/node'

/** Vitest's own words are not wanted: what failed is in the answer. */
const silent = { onInit: () => undefined }

/** Files in the order they are asked for: Vitest's own begins with the slowest. */
class InOrder {
  sort(files) {
    return files
  }

  shard(files) {
    return files
  }
}

// Every file has a process of its own here, whatever vitest.config.ts says: a mutant is asked of each of them alike.
const vitest = await createVitest('test', {
  config: false, include: ['test/**/*.test.ts'], testTimeout: 60_000, root: process.cwd(), watch: false, bail: 1, maxWorkers: 1, reporters: [silent], silent: true, exclude: [], teardownTimeout: 2000,
  sequence: { sequencer: InOrder }, setupFiles: ['test/mutants/set-up.ts'],
})
await vitest.standalone()

/** The first that went wrong, in a line. */
function failureOf(modules, unhandledErrors) {
  for (const module of modules) {
    const [error] = module.errors()
    if (error !== undefined) return `${module.relativeModuleId}: ${error.message}`
    for (const test of module.children.allTests('failed')) return `${module.relativeModuleId} > ${test.fullName}`
    if (module.state() === 'failed') return `${module.relativeModuleId}: failed`
  }
  return unhandledErrors.length > 0 ? `an error that nobody handled: ${unhandledErrors[0]?.message}` : undefined
}

process.on('message', async ({ changed, files }) => {
  for (const file of changed) vitest.invalidateFile(resolve(file))
  const specifications = files.map((file) => vitest.getRootProject().createSpecification(resolve(file)))
  // Failures of the run before would count for bail, and end this one before it has begun.
  for (const known of [vitest.state.filesMap, vitest.state.idMap, vitest.state.errorsSet, vitest.state.pathsSet]) known.clear()
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications)
  // Vitest hands back the modules of earlier runs as well.
  const modules = testModules.filter(({ relativeModuleId }) => files.includes(relativeModuleId))
  const failure = failureOf(modules, unhandledErrors)?.split('\n')[0].slice(0, 300)
  const ran = modules.filter((module) => module.state() === 'passed').length
  process.send({ passed: failure === undefined && ran === files.length, failure: failure ?? (ran === files.length ? undefined : `${ran} of ${files.length} files ran`) })
})
process.send({ ready: true })
