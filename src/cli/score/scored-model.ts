// What of a model matters to scoring: how rows become its inputs, and its outputs columns.
import { compile, LstmError, type Graph, type Model, type ModelPort, type OutputDTypes, type Runtime } from '../../index.ts'
import { lengthOf, storageOf } from '../conversion.ts'
import { listed } from '../inputs.ts'
import type { ScorePlan } from './batch-scorer.ts'
import { columnsListed, featuresNamed, numberColumns } from './columns.ts'
import type { FramedInput } from './framing.ts'
import type { Table } from './table.ts'
import { inputWindows, lastTimestep, outputWindows, type FixedWindows, type OutputWindows, type WindowOptions } from './windows.ts'

export interface ModelOptions extends WindowOptions {
  /** Names of columns by the inputs they are for; '' where none is said. */
  readonly columns: ReadonlyMap<string, readonly string[]>
  /** Names of outputs; all where there is none. */
  readonly only: readonly string[]
  readonly isLast: boolean
  readonly by: string | undefined
  /** Names of columns that are kept; undefined for all that are no features. */
  readonly keep: readonly string[] | undefined
  /** Windows of a run; undefined for what fits. */
  readonly batch: number | undefined
}

export interface ScoredModel {
  readonly plan: ScorePlan
  /** Inputs with the indices of their columns in the table. */
  readonly inputs: readonly FramedInput[]
}

/** @throws LstmError `UNSUPPORTED` for a model whose result depends on what it has run before */
function refuseMemory(nodes: Graph['nodes']): void {
  for (const { name, op, attributes, bodies = {} } of nodes) {
    if (attributes.stateful === true) throw new LstmError('UNSUPPORTED', `score: the layer '${name}' is stateful: what it gives depends on the windows before. Save the model with stateful=False`)
    if (op === 'random') throw new LstmError('UNSUPPORTED', `score: '${name}' draws random numbers: its scores would differ from run to run`)
    for (const body of Object.values(bodies)) refuseMemory(body.nodes)
  }
}

/**
 * Fits a model to a table.
 * @throws LstmError `VALUE` for columns or outputs that there are not, or that do not fit
 */
export async function fitModel(graph: Graph, table: Table, runtime: Runtime, options: ModelOptions): Promise<ScoredModel> {
  refuseMemory(graph.nodes)
  const model = await compile<OutputDTypes>(graph, { runtime })
  try {
    const inputs = inputsOf(model.inputs, table, options)
    const fixed = inputs.find(({ windows }) => windows.fixedBatch !== undefined)?.windows.fixedBatch
    const probed = fixed === undefined ? [2, 3] as const : [fixed, fixed] as const
    const shapes = probed.map((batch) => shapesFor(model, inputs, batch))
    const steps = Math.max(...inputs.map(({ windows }) => windows.steps))
    const outputs = outputsNamed(model.outputs, options.only).map((port) => {
      const output = outputWindows(port, [shapes[0]?.get(port.name) ?? [], shapes[1]?.get(port.name) ?? []], probed)
      return options.isLast ? lastTimestep(output, steps) : output
    })
    const batch = fixed ?? options.batch ?? batchThatFits(inputs, outputs)
    const batchShapes = shapesFor(model, inputs, batch)
    return {
      inputs,
      plan: {
        inputs: inputs.map(({ windows: { shape, ...windows } }) => ({ ...windows, shape: shape(batch) })),
        outputs: outputs.map((output) => ({ ...output, batchShape: batchShapes.get(output.name) ?? [] })),
        batch,
      },
    }
  } finally {
    model.dispose()
  }
}

/** Bytes of inputs and outputs of a run: what a core's own cache holds beside the weights. */
const CACHE_BYTES = 2 ** 18
const MOST_WINDOWS = 256

function batchThatFits(inputs: readonly FramedInput[], outputs: readonly OutputWindows[]): number {
  const elements = [...inputs.map(({ windows }) => windows), ...outputs].reduce((sum, { outer, inner }) => sum + outer * inner, 0)
  return Math.max(8, Math.min(MOST_WINDOWS, 2 ** Math.floor(Math.log2(CACHE_BYTES / (4 * elements)))))
}

/** Shapes of outputs for a batch of zeros. */
function shapesFor(model: Model<OutputDTypes>, inputs: readonly FramedInput[], batch: number): ReadonlyMap<string, readonly number[]> {
  const given = Object.fromEntries(inputs.map(({ windows: { name, dtype, shape } }) => {
    const sizes = shape(batch)
    return [name, { dtype, shape: sizes, data: storageOf(dtype, lengthOf(sizes)) }]
  }))
  return new Map(Object.entries(model.run(given)).map(([name, { shape }]) => [name, shape]))
}

type FixedInput = FramedInput & { readonly windows: FixedWindows }

function inputsOf(ports: readonly ModelPort[], table: Table, options: ModelOptions): FixedInput[] {
  const { columns } = options
  const names = ports.map(({ name }) => name)
  for (const name of columns.keys()) if (name !== '' && !names.includes(name)) throw new LstmError('VALUE', `--columns: no input '${name}'; the model's are ${listed(names)}`)
  const given = ports.filter(({ name, optional }) => columns.has(name) || optional !== true)
  const [only] = given
  if (only === undefined) throw new LstmError('UNSUPPORTED', 'score: the model takes nothing')
  if (given.length > 1) {
    const missing = given.find(({ name }) => !columns.has(name))
    if (missing !== undefined) throw new LstmError('VALUE', `the model has several inputs, and '${missing.name}' has no columns: --columns ${missing.name}=A,B,... says which, once for each of ${listed(given.map(({ name }) => name))}`)
  }
  return given.map((port) => {
    const windows = inputWindows(port, options)
    return { windows, columns: columnsFor(table, windows, columns.get(port.name) ?? columns.get(''), options) }
  })
}

function columnsFor(table: Table, { name, features, steps, timesteps }: FixedInput['windows'], names: readonly string[] | undefined, { by, keep = [] }: ModelOptions): number[] {
  const columns = names === undefined ? numberColumns(table, by === undefined ? keep : [...keep, by]) : featuresNamed(table, names, '--columns')
  if (columns.length === features) return columns
  const of = (indices: readonly number[]): string => columnsListed(indices.map((index) => table.columns[index]?.name ?? ''))
  const got = `${columns.length} ${names === undefined ? 'columns of numbers' : 'columns'}: ${of(columns)}`
  const hint = columns.length === features * steps && timesteps > 1
    ? '. If a row holds a whole window: --wide'
    : names === undefined ? `. --columns A,B,... chooses them from ${of([...table.columns.keys()])}` : ''
  throw new LstmError('SHAPE', `the input '${name}' takes ${features} ${features === 1 ? 'number' : 'numbers'} of a row, got ${got}${hint}`)
}

function outputsNamed(ports: readonly ModelPort[], only: readonly string[]): readonly ModelPort[] {
  const names = ports.map(({ name }) => name)
  for (const name of only) if (!names.includes(name)) throw new LstmError('VALUE', `--only: no output '${name}'; the model's are ${listed(names)}`)
  return only.length === 0 ? ports : ports.filter(({ name }) => only.includes(name))
}
