// Data of a fit: inputs, targets and weights of rows, checked once.
import { LstmError } from '../../errors.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { formatShape, lengthOf, sameShape, type Shape } from '../../values/shape.ts'
import { arrayOf, checkFinite, isNamed, RowGatherer, rowsOf, type Data, type NamedData, type Targets } from './arrays.ts'
import { checkTargetShape } from '../loss-graph.ts'
import type { Loss } from '../descriptions/losses.ts'
import { targetsNamed, type OutputLoss } from '../descriptions/output-losses.ts'
import type { BatchInputs, BatchShapes, BatchTargets, Trainable } from '../trainable.ts'

/** Rows that are trained with, or evaluated. */
export interface Dataset {
  readonly rows: number
  readonly inputs: BatchInputs
  /** Of each loss. */
  readonly targets: readonly BatchTargets[]
  /** What each element of each loss counts: [rows], or the shape of the losses. */
  readonly sampleWeight: readonly (ArrayLike | undefined)[]
  /** Where it is 0, an element does not count at all: [rows], or the shape of the losses. */
  readonly mask: readonly (ArrayLike | undefined)[]
}

/** What data come with. */
export interface WeightOptions {
  /**
   * What each row counts, or each timestep of it: [rows] or [rows, timesteps]. For several losses also by the names of outputs.
   * Default: all 1.
   */
  readonly sampleWeight?: NamedData | undefined
  /**
   * 0 where a timestep or row does not count at all: [rows, timesteps] or [rows]; or the name of the input that is such a mask. For several losses
   * also by the names of outputs. Default: all count.
   */
  readonly mask?: Data | string | Readonly<Record<string, Data | string>> | undefined
}

/** What data are looked at with. */
export interface DataContext {
  readonly engine: Trainable
  readonly losses: readonly OutputLoss[]
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

/** The part of each loss in what is given by the names of outputs, where there are several; all of it where there is one. */
function partsOf<T>(losses: readonly OutputLoss[], given: T | Readonly<Record<string, T>>, what: string): readonly (T | undefined)[] {
  if (losses.length === 1) return [given as T]
  const names = losses.map(({ name }) => name as string)
  if (!isNamed(given)) return names.map(() => given as T)
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new LstmError('VALUE', `${what}: no loss '${unknown}'; losses are ${names.map((name) => `'${name}'`).join(', ')}`)
  return names.map((name) => given[name] as T | undefined)
}

function allTargetsOf({ losses }: DataContext, y: Targets, rows: number, shapes: readonly BatchShapes[], what: string): BatchTargets[] {
  if (losses.length > 1 && !isNamed(y)) {
    throw new LstmError('SHAPE', `${what}: expected targets by name for the outputs ${losses.map(({ name }) => `'${name}'`).join(', ')}, got one array`)
  }
  const [{ loss: { output } }] = losses as readonly [OutputLoss]
  const all = losses.length === 1 && output !== undefined && isNamed<NamedData>(y) && output in y ? y[output] as NamedData : y as NamedData
  return partsOf<NamedData>(losses, all, `${what}: targets`).map((given, n) => {
    const own = losses[n] as OutputLoss
    if (given === undefined) throw new LstmError('SHAPE', `${what}: expected ${targetsNamed(own)}, got none`)
    return targetsOf(own.loss, given, rows, (shapes[n] as BatchShapes).prediction, what, targetsNamed(own))
  })
}

function targetsOf(loss: Loss, y: NamedData, rows: number, prediction: Shape, what: string, targets: string): BatchTargets {
  if (loss.loss !== 'ctc') {
    if (isNamed(y)) throw new LstmError('SHAPE', `${what}: expected one array of ${targets}, got arrays by name: ${Object.keys(y).join(', ')}`)
    const target = arrayOf(y, loss.loss === 'sparseCategoricalCrossentropy' ? 'int32' : 'float32', `${what}: ${targets}`)
    checkTargetShape(loss, [rows, ...prediction.slice(1)], target.shape)
    checkFinite(target, `${what}: ${targets}`)
    if (loss.loss === 'sparseCategoricalCrossentropy') checkClasses(target, prediction.at(-1) as number, loss.ignoreIndex, `${what}: ${targets}`)
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
  throw new LstmError('VALUE', `${what}: expected classes from 0 to ${classes - 1}, got ${data[bad] as number} in ${where}`)
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
export function datasetOf(context: DataContext, x: NamedData, y: Targets, { sampleWeight, mask }: WeightOptions, what: string): Dataset {
  const { engine, losses } = context
  const inputs = inputsOf(engine, x, what)
  const [[first, { shape: [rows = 0] }]] = Object.entries(inputs) as [[string, ArrayLike]]
  if (rows === 0) throw new LstmError('SHAPE', `${what}: expected at least one row, got none`)
  const shapes = engine.shapesOf(Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, [1, ...shape.slice(1)]])))
  const targets = allTargetsOf(context, y, rows, shapes, what)
  for (const [name, { shape }] of [inputs, ...targets].flatMap((arrays) => Object.entries(arrays))) {
    if (shape[0] !== rows) throw new LstmError('SHAPE', `${what}: expected as many rows everywhere, got ${rows} in '${first}' and ${shape[0] ?? 0} in '${name}'`)
  }
  const weightsOfEach = (given: WeightOptions['sampleWeight'] | WeightOptions['mask'], name: string): (ArrayLike | undefined)[] => (
    partsOf<Data | string | undefined>(losses, given as Data | string | undefined, `${what}: ${name}`).map((own, n) => (
      weightsOf(typeof own === 'string' ? inputNamed(inputs, own, `${what}: ${name}`) : own, rows, (shapes[n] as BatchShapes).losses, `${what}: ${name}`)
    ))
  )
  return { rows, inputs, targets, sampleWeight: weightsOfEach(sampleWeight, 'sampleWeight'), mask: weightsOfEach(mask, 'mask') }
}

function inputNamed(inputs: BatchInputs, name: string, what: string): ArrayLike {
  const input = inputs[name]
  if (input === undefined) throw new LstmError('VALUE', `${what}: no input '${name}'; inputs are ${Object.keys(inputs).map((own) => `'${own}'`).join(', ')}`)
  return input
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
    const cutEach = (arrays: readonly (ArrayLike | undefined)[]): (ArrayLike | undefined)[] => arrays.map((array) => array && rowsOf(array, begin, end))
    const { inputs, targets, sampleWeight, mask } = data
    return { rows: end - begin, inputs: cut(inputs), targets: targets.map(cut), sampleWeight: cutEach(sampleWeight), mask: cutEach(mask) }
  }
  return [part(0, at), part(at, data.rows)]
}

/** One batch. Its arrays are good until the next one. */
export type Batch = Dataset

/** Cuts batches: the last one may be smaller. */
export class Batches {
  readonly count: number
  readonly #data: Dataset
  readonly #batchSize: number
  readonly #gatherers: Map<ArrayLike, RowGatherer> = new Map()
  /** By their rows: full batches, and the last one. Their arrays are filled anew. */
  readonly #made: Map<number, Batch> = new Map()

  constructor(data: Dataset, batchSize: number) {
    this.#data = data
    this.#batchSize = Math.min(batchSize, data.rows)
    this.count = Math.ceil(data.rows / this.#batchSize)
    const { inputs, targets, sampleWeight, mask } = data
    for (const array of [...[inputs, ...targets].flatMap((arrays) => Object.values(arrays)), ...sampleWeight, ...mask]) {
      if (array !== undefined && !this.#gatherers.has(array)) this.#gatherers.set(array, new RowGatherer(array, this.#batchSize))
    }
  }

  /** @param order all rows, in the order they are taken */
  at(index: number, order: Int32Array): Batch {
    const begin = index * this.#batchSize
    const end = Math.min(this.#data.rows, begin + this.#batchSize)
    for (const gatherer of this.#gatherers.values()) gatherer.take(order, begin, end)
    const known = this.#made.get(end - begin)
    if (known !== undefined) return known
    const made = this.#make(end - begin)
    this.#made.set(end - begin, made)
    return made
  }

  #make(rows: number): Batch {
    const { inputs, targets, sampleWeight, mask } = this.#data
    const own = (array: ArrayLike): ArrayLike => (this.#gatherers.get(array) as RowGatherer).first(rows)
    const all = (arrays: Readonly<Record<string, ArrayLike>>): Record<string, ArrayLike> => (
      Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, own(array)]))
    )
    const each = (arrays: readonly (ArrayLike | undefined)[]): (ArrayLike | undefined)[] => arrays.map((array) => array && own(array))
    return { rows, inputs: all(inputs), targets: targets.map(all), sampleWeight: each(sampleWeight), mask: each(mask) }
  }
}
