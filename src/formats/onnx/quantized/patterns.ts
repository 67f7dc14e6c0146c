// What onnxruntime's quantiser writes for one product: several nodes, which are read as the one that its optimiser would make of them.
import type { OnnxAttribute, OnnxGraph, OnnxNode } from '../messages.ts'
import { neededNodes } from '../order.ts'

/** Where the axis of outputs of a dequantised weight is told: an attribute that no file has. */
export const OUTPUTS_AXIS = 'lstm-wasm outputs axis'
/** Where the element type of a zero point is told, likewise. */
export const ZERO_TYPE = 'lstm-wasm zero type'
/** Our name for a ConvInteger between DynamicQuantizeLinear and its scales; no file has the domain. */
export const QUANTIZED_CONV = 'DynamicQuantizeConv'
export const OWN_DOMAIN = 'lstm-wasm'

const QUANTIZED: ReadonlySet<string> = new Set(['DequantizeLinear', 'DynamicQuantizeLinear', 'QuantizeLinear'])

/** Types of tensors by name, of a graph and those around it. */
type TensorTypes = ReadonlyMap<string, number>

/** Nodes by the values they make. */
type Makers = ReadonlyMap<string, OnnxNode>

/** The same graph with one node for each product of integers, and with what QuantizeLinear and DequantizeLinear must know of others. */
export function withProducts(graph: OnnxGraph, around: TensorTypes = new Map()): OnnxGraph {
  const types = new Map([...around, ...typesIn(graph)])
  const nodes = graph.nodes.map((node) => withInner(node, types))
  if (!nodes.some(({ op }) => QUANTIZED.has(op))) return nodes.every((node, n) => node === graph.nodes[n]) ? graph : { ...graph, nodes }
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name): [string, OnnxNode] => [name, node])))
  const axes = axesOfWeights(nodes)
  const before = { ...graph, nodes }
  const after = { ...graph, nodes: nodes.map((node) => told(product(node, makers) ?? node, types, axes)) }
  const [old, kept] = [new Set(neededNodes(before).nodes), new Set(neededNodes(after).nodes)]
  // Parts of products that nothing else reads.
  return { ...graph, nodes: after.nodes.filter((node) => kept.has(node) || !old.has(node)) }
}

function withInner(node: OnnxNode, types: TensorTypes): OnnxNode {
  if (!node.attributes.some(({ value }) => value?.kind === 'graph')) return node
  const attributes = node.attributes.map(({ name, value }): OnnxAttribute => ({ name, value: value?.kind === 'graph' ? { kind: 'graph', value: withProducts(value.value, types) } : value }))
  return attributes.every(({ value }, n) => value === node.attributes[n]?.value) ? node : { ...node, attributes }
}

function typesIn({ initializers, nodes }: OnnxGraph): [string, number][] {
  const constants = nodes.flatMap(({ op, domain, outputs, attributes }): [string, number][] => {
    const value = op === 'Constant' && domain === '' ? attributes.find(({ name }) => name === 'value')?.value : undefined
    return value?.kind === 'tensor' ? [[outputs[0] ?? '', value.value.type]] : []
  })
  return [...initializers.map(({ name, type }): [string, number] => [name, type]), ...constants]
}

/** The factors of a value, products of products taken apart twice. */
function factors(name: string, makers: Makers, levels: number = 2): string[] {
  const maker = makers.get(name)
  if (maker?.op !== 'Mul' || levels === 0) return [name]
  return maker.inputs.flatMap((input) => factors(input, makers, levels - 1))
}

/** What stands for a product of integers with its scales: Cast(MatMulInteger(quantised x, w)) x's scale w's scale. */
function product(node: OnnxNode, makers: Makers): OnnxNode | undefined {
  if (node.op === 'MatMulIntegerToFloat' && node.domain === 'com.microsoft') {
    const [x, w, xScale, wScale = '', xZero, wZero = '', bias = ''] = node.inputs
    const source = quantisedBy(makers, x, xScale, xZero)
    return source === undefined ? undefined : { ...node, op: 'DynamicQuantizeMatMul', inputs: [source, w ?? '', wScale, wZero, bias] }
  }
  if (node.op !== 'Mul' || node.domain !== '') return undefined
  const values = factors(node.outputs[0] ?? '', makers)
  const sum = values.map((name) => makers.get(name)).find((maker) => maker?.op === 'Cast')
  const integers = makers.get(sum?.inputs[0] ?? '')
  if (values.length !== 3 || sum === undefined || integers === undefined || !/^(MatMul|Conv)Integer$/.test(integers.op)) return undefined
  const scales = values.filter((name) => name !== sum.outputs[0])
  const [x, w = '', xZero, wZero = ''] = integers.inputs
  for (const [xScale, wScale = ''] of [scales, [...scales].reverse()]) {
    const source = quantisedBy(makers, x, xScale, xZero)
    if (source === undefined) continue
    const isConv = integers.op === 'ConvInteger'
    return {
      name: integers.name, op: isConv ? QUANTIZED_CONV : 'DynamicQuantizeMatMul', domain: isConv ? OWN_DOMAIN : 'com.microsoft',
      inputs: [source, w, wScale, wZero], outputs: node.outputs, attributes: integers.attributes,
    }
  }
  return undefined
}

/** The value that these are the integers, the scale and the zero point of. */
function quantisedBy(makers: Makers, x: string | undefined, scale: string | undefined, zero: string | undefined): string | undefined {
  const maker = makers.get(x ?? '')
  if (maker?.op !== 'DynamicQuantizeLinear') return undefined
  const fits = [x, scale, zero].every((name, n) => name === maker.outputs[n])
  return fits ? maker.inputs[0] : undefined
}

/** The axis of outputs of values that products have as their weights, and of tables. */
function axesOfWeights(nodes: readonly OnnxNode[]): ReadonlyMap<string, number> {
  const axes: Map<string, number> = new Map()
  for (const { op, inputs: [data = '', weight = ''], attributes } of nodes) {
    // Rows of a table.
    if (op === 'Gather' && !attributes.some(({ name, value }) => name === 'axis' && value?.kind === 'int' && value.value !== 0) && !axes.has(data)) axes.set(data, 0)
    const isTransposed = attributes.some(({ name, value }) => name === 'transB' && value?.kind === 'int' && value.value !== 0)
    const axis = op === 'MatMul' ? -1 : /^(Fused)?Gemm$/.test(op) ? Number(!isTransposed) : /^(Fused)?Conv$/.test(op) ? 0 : undefined
    if (axis !== undefined && !axes.has(weight)) axes.set(weight, axis)
  }
  return axes
}

/** A QuantizeLinear with the type that its zero point has; a DequantizeLinear with the axis of outputs of what multiplies by it. */
function told(node: OnnxNode, types: TensorTypes, axes: ReadonlyMap<string, number>): OnnxNode {
  const add = (name: string, value: number): OnnxNode => ({ ...node, attributes: [...node.attributes, { name, value: { kind: 'int', value } }] })
  if (node.op === 'QuantizeLinear') {
    const type = types.get(node.inputs[2] ?? '')
    return type === undefined ? node : add(ZERO_TYPE, type)
  }
  const axis = node.op === 'DequantizeLinear' ? axes.get(node.outputs[0] ?? '') : undefined
  return axis === undefined ? node : add(OUTPUTS_AXIS, axis)
}
