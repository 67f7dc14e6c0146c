// What both ways of writing a recurrent layer have in common: states that come in, outputs and states that go out.
import type { AnySettings } from '../recurrent-settings.ts'
import type { NodeExport } from './node-export.ts'

/** The output of every step, the steps first or where ours are. */
export function writeSequence(c: NodeExport<AnySettings>, y: string, isTimeMajor: boolean): void {
  if (isTimeMajor === c.settings.timeMajor) c.emitOutput('Identity', [y])
  else c.emitOutput('Transpose', [y], { perm: [1, 0, 2] })
}

/** Final states, [D, B, size] of each layer or [1, B, size] of each layer and direction. */
export function writeStates(c: NodeExport<AnySettings>, finals: readonly (readonly string[])[]): void {
  finals.forEach((names, n) => {
    if (!c.isNeeded(1 + n)) return
    if (names.length === 1) c.emitOutput('Identity', names, {}, 'float32', 1 + n)
    else c.emitOutput('Concat', names, { axis: 0 }, 'float32', 1 + n)
  })
}

/** An initial state [parts x rest, B, size] in parts; none where it is absent. */
export function perLayer(c: NodeExport, position: number, parts: number): string[] {
  if (!c.has(position)) return []
  if (parts === 1) return [c.any(position)]
  const names = Array.from({ length: parts }, (_, n) => c.emission.file.names.unused(`${c.node.name}.first${position}.${n}`))
  c.emission.emitNode('Split', [c.any(position)], { axis: 0, num_outputs: parts }, names)
  return names
}

/** Elements of an axis from its end. */
export function backwards(c: NodeExport, value: string, axis: number): string {
  return c.emit('Slice', [value, c.integers('start', [-1]), c.integers('end', [-(2 ** 31)]), c.integers('axis', [axis]), c.integers('step', [-1])])
}
