// Nodes with graphs inside: loops become Loop, choices If.
import type { TypedGraph, ValueType } from '../../ops/graph-data.ts'
import { NdArray } from '../../values/ndarray.ts'
import { Emission } from './emission.ts'
import type { OnnxType, PortMessage } from './messages.ts'
import type { NodeExport, NodeWriter } from './node-export.ts'
import { backwards } from './recurrent-ports.ts'

const portOf = (name: string, type: OnnxType, { shape }: ValueType): PortMessage => ({ name, type, shape: shape.map((size) => (typeof size === 'number' ? size : undefined)) })

interface LoopSettings {
  readonly states: number
  readonly scanned: number
  readonly backwards: readonly boolean[]
  readonly typed: TypedGraph
}

/** Slices are gathered by the number of the step; what is collected from the end is turned afterwards. */
const loop: NodeWriter<LoopSettings> = (c) => {
  const { states, scanned, backwards: isBackwards, typed } = c.settings
  const { file } = c.emission
  const fresh = (what: string): string => file.names.unused(`${c.node.name}.${what}`)
  const scalar = (value: number): string => c.constant('scalar', new NdArray(Int32Array.of(value), []), 'int64')
  const firstScanned = 1 + states
  const count = c.has(0) ? c.scalar(0, 'int64') : c.emit('Gather', [c.emit('Shape', [c.any(firstScanned)]), scalar(0)])
  const names = c.node.bodies?.body?.inputs.map(({ name }) => name) ?? []
  const inner = new Emission(typed, file)
  const [step, condition] = [fresh('step'), fresh('condition')]
  inner.define(names[0] as string, { name: step, type: 'int64' })
  const stateTypes = Array.from({ length: states }, (_, n) => c.type(1 + n))
  const ports = stateTypes.map((type, n): PortMessage => {
    const name = fresh(`state${n}`)
    inner.define(names[1 + n] as string, { name, type: type.dtype })
    return portOf(name, type.dtype, type)
  })
  for (let n = 0; n < scanned; n++) {
    const { name, type } = c.input(firstScanned + n)
    const at = isBackwards[n] === true ? inner.emit('Sub', [inner.emit('Sub', [count, scalar(1)]), step]) : step
    inner.define(names[firstScanned + n] as string, { name: inner.emit('Gather', [name, at], { axis: 0 }), type })
  }
  for (let n = firstScanned + scanned; n < names.length; n++) inner.define(names[n] as string, c.input(n))
  inner.file.writeNodes(inner)
  const made = typed.graph.outputs.map(({ value }) => {
    const type = typed.types.get(value) as ValueType
    return { type, name: inner.emit('Identity', [inner.as(value, type.dtype)]) }
  })
  const graph = inner.finish(`${c.node.name}.body`, [{ name: step, type: 'int64', shape: [] }, { name: condition, type: 'bool', shape: [] }, ...ports], [
    { name: inner.emit('Identity', [condition]), type: 'bool', shape: [] }, ...made.map(({ name, type }) => portOf(name, type.dtype, type)),
  ])
  const goesOn = c.constant('true', new NdArray(Uint8Array.of(1), []), 'bool')
  const isTurned = made.map((_, n) => n >= states && isBackwards[scanned + n - states] === true)
  const outputs = made.map(({ type }, n) => (isTurned[n] ? fresh(`collected${n}`) : c.output(n, type.dtype) || fresh(`unused${n}`)))
  c.emission.emitNode('Loop', [count, goesOn, ...stateTypes.map(({ dtype }, n) => c.as(1 + n, dtype))], { body: { graph } }, outputs)
  made.forEach(({ type }, n) => {
    if (isTurned[n]) c.alias({ name: backwards(c, outputs[n] as string, 0), type: type.dtype }, n)
  })
}

type Branch = 'then' | 'else'

interface ChoiceSettings {
  readonly thenInputs: number
  readonly typed: ReadonlyMap<Branch, TypedGraph>
  readonly taken: Branch | undefined
}

const choice: NodeWriter<ChoiceSettings> = (c) => {
  const { typed, taken } = c.settings
  if (taken !== undefined) {
    const inner = branchOf(c, taken)
    c.emission.nodes.push(...inner.nodes)
    const graph = typed.get(taken) as TypedGraph
    return graph.graph.outputs.forEach(({ value }, n) => c.alias(inner.valueOf(value), n))
  }
  const dtypes = (typed.get('then') as TypedGraph).graph.outputs.map(({ value }) => ((typed.get('then') as TypedGraph).types.get(value) as ValueType).dtype)
  const graphOf = (branch: Branch) => {
    const inner = branchOf(c, branch)
    const { graph, types } = typed.get(branch) as TypedGraph
    const outputs = graph.outputs.map(({ value }, n) => portOf(inner.emit('Identity', [inner.as(value, dtypes[n] as OnnxType & typeof dtypes[number])]), dtypes[n] as OnnxType, types.get(value) as ValueType))
    return { graph: inner.finish(`${c.node.name}.${branch}`, [], outputs) }
  }
  const outputs = dtypes.map((dtype, n) => c.output(n, dtype) || c.emission.file.names.unused(`${c.node.name}.${n}`))
  const condition = c.as(0, c.type(0).dtype === 'uint8' ? 'bool' : c.input(0).type)
  const flag = c.type(0).dtype === 'uint8' ? condition : c.emission.cast({ name: condition, type: c.input(0).type }, 'bool')
  c.emission.emitNode('If', [c.rank(0) === 0 ? flag : c.emit('Squeeze', [flag])], { then_branch: graphOf('then'), else_branch: graphOf('else') }, outputs)
}

/** The nodes of a branch, which see the values around them. */
function branchOf(c: NodeExport<ChoiceSettings>, branch: Branch): Emission {
  const inner = new Emission(c.settings.typed.get(branch) as TypedGraph, c.emission.file)
  const first = branch === 'then' ? 1 : 1 + c.settings.thenInputs
  c.node.bodies?.[branch]?.inputs.forEach(({ name }, n) => inner.define(name, c.input(first + n)))
  inner.file.writeNodes(inner)
  return inner
}

interface RandomSettings {
  readonly distribution: 'uniform' | 'normal'
  readonly first: number
  readonly second: number
  readonly seed: number
}

/** Numbers of the same distribution; which ones, the runtime says. */
const random: NodeWriter<RandomSettings> = (c) => {
  const { distribution, first, second, seed } = c.settings
  const like = c.emit('ConstantOfShape', [c.as(0, 'int64')])
  const [op, names] = distribution === 'uniform' ? ['RandomUniformLike', ['low', 'high']] as const : ['RandomNormalLike', ['mean', 'scale']] as const
  c.emitOutput(op, [like], { [names[0]]: { float: first }, [names[1]]: { float: second }, seed: { float: seed } })
}

export const FLOW_WRITERS: Readonly<Record<string, NodeWriter<never>>> = { loop, choice, random }
