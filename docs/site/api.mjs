// The API as the source has it: TypeDoc reads the comments of everything that can be imported, and writes Markdown.
import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Application } from 'typedoc'
import { ROOT } from './paths.mjs'

/**
 * @param keep whether pages that have been made before will do
 * @returns Markdown pages: `{ source, path, text }`, `source` being where a link between them would look for the file
 */
export async function apiPages(keep) {
  const out = join(ROOT, 'build', 'api')
  if (!keep || !existsSync(out)) await writeApi(out)
  const files = (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.md'))
  return Promise.all(files.map(async (name) => {
    const file = name.replaceAll('\\', '/')
    return { source: `build/api/${file}`, path: `api/${file === 'README.md' ? 'index' : file.slice(0, -3)}.html`, text: await readFile(join(out, name), 'utf8') }
  }))
}

async function writeApi(out) {
  const { exports } = JSON.parse(await readFile(join(ROOT, 'jsr.json'), 'utf8'))
  const modules = { ...exports, './processor': './src/worklet/processor.ts' }
  const entryPoints = Object.values(modules).map((path) => join(ROOT, path))
  await rm(out, { recursive: true, force: true })
  const application = await Application.bootstrapWithPlugins({
    entryPoints, out, tsconfig: join(ROOT, 'tsconfig.json'), plugin: ['typedoc-plugin-markdown'], router: 'module', readme: 'none', name: 'API in full',
    disableSources: true, hideBreadcrumbs: true, hidePageHeader: true, useCodeBlocks: true, excludePrivate: true, excludeInternal: true,
    skipErrorChecking: true,
    parametersFormat: 'table', interfacePropertiesFormat: 'table', typeDeclarationFormat: 'table', enumMembersFormat: 'table', propertyMembersFormat: 'table',
    tableColumnSettings: { hideInherited: true, hideOverrides: true, hideModifiers: true },
    logLevel: 'Error', validation: { notExported: false, invalidLink: true }, sort: ['source-order'], basePath: ROOT,
  })
  const project = await application.convert()
  if (project === undefined) throw new Error('TypeDoc could not read the source')
  // Named as they are imported, not as the files are called.
  const names = new Map(Object.entries(modules).map(([name, path]) => [path.replace(/^\.\/|(\/index)?\.ts$/g, ''), `lstm-wasm${name.slice(1)}`]))
  for (const module of project.children ?? []) module.name = names.get(module.name) ?? module.name
  await application.generateOutputs(project)
}
