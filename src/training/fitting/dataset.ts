// Data of a fit: inputs, targets and weights of rows, checked once.
import { LstmError } from '../../errors.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { formatShape, lengthOf, sameShape, type Shape } from '../../values/shape.ts'
import { arrayOf, checkFinite, isNamed, RowGatherer, rowsOf, type Data, type NamedData } from './arrays.ts'
import { checkTargetShape } from '../loss-graph.ts'
import type { Loss } from '../losses.ts'
import type { BatchInputs, BatchShapes, BatchTargets, Trainable } from '../trainable.ts'

/** Rows that are trained with, or evaluated. */
export interface Dataset {
  readonly rows: number
  readonly inputs: BatchInputs
  readonly targets: BatchTargets
  /** What each loss counts: [rows], or the shape of the losses. */
  readonly sampleWeight: ArrayLike | undefined
  /** Where it is 0, a loss does not count at all: [rows], or the shape of the losses. */
  readonly mask: ArrayLike | undefined
  /** Shapes for one row, with a 1 as its batch. */
  readonly shapes: BatchShapes
}

/** What data come with. */
export interface WeightOptions {
  /** What each row counts, or each timestep of it: [rows] or [rows, timesteps]. Default: all 1. */
  readonly sampleWeight?: Data | undefined
  /** 0 where a timestep or row does not count at all: [rows, timesteps] or [rows]; or the name of the input that is such a mask. Default: all count. */
  readonly mask?: Data | string | undefined
}

/** What data are looked at with. */
export interface DataContext {
  readonly engine: Trainable
  readonly loss: Loss
}

/** Inputs, checked. @throws LstmError `SHAPE` or `VALUE` */
export function inputsOf(engine: Pick<Trainable, 'inputs'>, x: NamedData, what: string): BatchInputs {
  const inputNames = engine.inputs.map(({ name }) => name)
  const [only, ...more] = engine.inputs.filter(({ optional = false }) => !optional)
  const named = isNamed(x) ? x : only !== undefined && more.length === 0 ? { [only.name]: x } : undefined
  const list = inputNames.map((name) => `'${name}'`).join(', ')
  if (named === undefined) throw new LstmError('SHAPE', `${what}: expected arrays by name for the inputs ${list}, got one array`)
  const unknown = Object.keys(named).find((name) => !inputNames.includes(name))
  if (unknown !== undefined) throw new LstmError('VALUE', `${what}: no input '${unknown}'; inputs are ${list}`)
  return Object.fromEntries(engine.inputs.flatMap(({ name, dtype, optional = false }) => {
    const given = named[name]
    if (given === undefined && optional) return []
    if (given === undefined) throw new LstmError('SHAPE', `${what}: expected the input '${name}', got none`)
    const array = arrayOf(given, dtype, `${what}: input '${name}'`)
    checkFinite(array, `${what}: input '${name}'`)
    return [[name, array] as const]
  }))
}

function targetsOf(loss: Loss, y: NamedData, rows: number, prediction: Shape, what: string): BatchTargets {
  if (loss.loss !== 'ctc') {
    if (isNamed(y)) throw new LstmError('SHAPE', `${what}: expected one array of targets, got arrays by name: ${Object.keys(y).join(', ')}`)
    const target = arrayOf(y, loss.loss === 'sparseCategoricalCrossentropy' ? 'int32' : 'float32', `${what}: targets`)
    checkTargetShape(loss, [rows, ...prediction.slice(1)], target.shape)
    checkFinite(target, `${what}: targets`)
    if (loss.loss === 'sparseCategoricalCrossentropy') checkClasses(target, prediction.at(-1) as number, loss.ignoreIndex, what)
    return { target }
  }
  const named = isNamed(y) ? y : { labels: y }
  const unknown = Object.keys(named).find((name) => !['labels', 'inputLengths', 'targetLengths'].includes(name))
  if (unknown !== undefined || named.labels === undefined) {
    throw new LstmError('VALUE', `${what}: expected targets { labels, inputLengths, targetLengths } for ctc, got ${unknown === undefined ? 'no labels' : `'${unknown}'`}`)
  }
  const labels = arrayOf(named.labels, 'int32', `${what}: labels`)
  checkTargetShape(loss, [rows, ...prediction.slice(1)], labels.shape)
  const counts = (name: 'inputLengths' | 'targetLengths', all: number): ArrayLike => (
    arrayOf(named[name] ?? new Int32Array(rows).fill(all), 'int32', `${what}: ${name}`)
  )
  return { labels, inputLengths: counts('inputLengths', prediction[1] as number), targetLengths: counts('targetLengths', labels.shape[1] as number) }
}

function checkClasses({ data, shape }: ArrayLike, classes: number, ignored: number | undefined, what: string): void {
  const bad = data.findIndex((label) => (label < 0 || label >= classes) && label !== ignored)
  if (bad < 0) return
  const width = lengthOf(shape.slice(1))
  const where = width === 1 ? `row ${bad}` : `row ${Math.floor(bad / width)}, at element ${bad % width} of it`
  throw new LstmError('VALUE', `${what}: targets: expected classes from 0 to ${classes - 1}, got ${data[bad] as number} in ${where}`)
}

/** Weights or a mask: [rows], or the shape of the losses. */
function weightsOf(given: Data | undefined, rows: number, losses: Shape, what: string): ArrayLike | undefined {
  if (given === undefined) return undefined
  const array = arrayOf(given, 'float32', what)
  checkFinite(array, what)
  const whole = [rows, ...losses.slice(1)]
  if (array.shape.length === 1 && array.shape[0] === rows) return array
  if (!sameShape(array.shape, whole)) {
    const expected = whole.length === 1 ? formatShape(whole) : `${formatShape([rows])} or ${formatShape(whole)}`
    throw new LstmError('SHAPE', `${what}: expected ${expected}, got ${formatShape(array.shape)}`)
  }
  return array
}

/**
 * Data that callers hand over, checked: shapes, dtypes, classes, NaN.
 * @throws LstmError `SHAPE` or `VALUE` that says which array, and where in it
 */
export function datasetOf(context: DataContext, x: NamedData, y: NamedData, { sampleWeight, mask }: WeightOptions, what: string): Dataset {
  const { engine, loss } = context
  const inputs = inputsOf(engine, x, what)
  const [[first, { shape: [rows = 0] }]] = Object.entries(inputs) as [[string, ArrayLike]]
  if (rows === 0) throw new LstmError('SHAPE', `${what}: expected at least one row, got none`)
  const shapes = engine.shapesOf(Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, [1, ...shape.slice(1)]])))
  const targets = targetsOf(loss, y, rows, shapes.prediction, what)
  for (const [name, { shape }] of [...Object.entries(inputs), ...Object.entries(targets)]) {
    if (shape[0] !== rows) throw new LstmError('SHAPE', `${what}: expected as many rows everywhere, got ${rows} in '${first}' and ${shape[0] ?? 0} in '${name}'`)
  }
  if (typeof mask === 'string' && inputs[mask] === undefined) {
    throw new LstmError('VALUE', `${what}: mask: no input '${mask}'; inputs are ${Object.keys(inputs).map((name) => `'${name}'`).join(', ')}`)
  }
  return {
    rows, inputs, targets, shapes,
    sampleWeight: weightsOf(sampleWeight, rows, shapes.losses, `${what}: sampleWeight`),
    mask: weightsOf(typeof mask === 'string' ? inputs[mask] : mask, rows, shapes.losses, `${what}: mask`),
  }
}

/** The first rows and the last ones: as Keras, `share` of them from the end, without shuffling. @throws LstmError `VALUE` where one part would have none */
export function splitEnd(data: Dataset, share: number): readonly [Dataset, Dataset] {
  const at = Math.floor(data.rows * (1 - share))
  if (at === 0 || at === data.rows) {
    throw new LstmError('VALUE', `fit: validationSplit ${share} of ${data.rows} rows leaves ${at} to train with and ${data.rows - at} to validate with: expected at least one of each`)
  }
  const part = (begin: number, end: number): Dataset => {
    const cut = (arrays: Readonly<Record<string, ArrayLike>>): Record<string, ArrayLike> => (
      Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, rowsOf(array, begin, end)]))
    )
    const { sampleWeight, mask, shapes } = data
    return {
      rows: end - begin, inputs: cut(data.inputs), targets: cut(data.targets), shapes,
      sampleWeight: sampleWeight && rowsOf(sampleWeight, begin, end), mask: mask && rowsOf(mask, begin, end),
    }
  }
  return [part(0, at), part(at, data.rows)]
}

/** One batch. Its arrays are good until the next one. */
export interface Batch {
  readonly rows: number
  readonly inputs: BatchInputs
  readonly targets: BatchTargets
  readonly sampleWeight: ArrayLike | undefined
  readonly mask: ArrayLike | undefined
}

/** Cuts batches: the last one may be smaller. */
export class Batches {
  readonly count: number
  readonly #rows: number
  readonly #batchSize: number
  readonly #gatherers: readonly (readonly [group: 'inputs' | 'targets' | 'weights', name: string, gatherer: RowGatherer])[]

  constructor({ rows, inputs, targets, sampleWeight, mask }: Omit<Dataset, 'shapes'>, batchSize: number) {
    this.#rows = rows
    this.#batchSize = Math.min(batchSize, rows)
    this.count = Math.ceil(rows / this.#batchSize)
    const gatherers = <Group extends string>(group: Group, arrays: Readonly<Record<string, ArrayLike | undefined>>): [Group, string, RowGatherer][] => (
      Object.entries(arrays).flatMap(([name, array]) => (array === undefined ? [] : [[group, name, new RowGatherer(array, this.#batchSize)]]))
    )
    this.#gatherers = [...gatherers('inputs', inputs), ...gatherers('targets', targets), ...gatherers('weights', { sampleWeight, mask })]
  }

  /** @param order all rows, in the order they are taken */
  at(index: number, order: Int32Array): Batch {
    const begin = index * this.#batchSize
    const end = Math.min(this.#rows, begin + this.#batchSize)
    const arrays = { inputs: {}, targets: {}, weights: {} } as Record<'inputs' | 'targets' | 'weights', Record<string, ArrayLike>>
    for (const [group, name, gatherer] of this.#gatherers) arrays[group][name] = gatherer.take(order, begin, end)
    const { sampleWeight, mask } = arrays.weights
    return { rows: end - begin, inputs: arrays.inputs, targets: arrays.targets, sampleWeight, mask }
  }
}
