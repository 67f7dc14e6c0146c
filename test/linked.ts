// What binaries of inference export for the one for training, as assembly/linked.ts says.
import { readFileSync } from 'node:fs'

const SOURCE = readFileSync(new URL('../assembly/linked.ts', import.meta.url), 'utf8')

export const LINKED: readonly string[] = [...SOURCE.matchAll(/^export \{ (.*) \}|^export function (\w+)/gm)].flatMap(([, names, name]) => names?.split(', ') ?? name ?? [])
