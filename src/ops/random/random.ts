// Random numbers: a family, a chunk of its own.
import type { DataOf, DType } from '../../values/dtype.ts'
import { checkShape, lengthOf } from '../../values/shape.ts'
import { movementCost, requireSizes } from '../layout/movement.ts'
import { integerOf, numberOf, wordOf } from '../node/attributes.ts'
import { label } from '../node/checks.ts'
import { checkSizes, freshShape, integerList } from '../node/sizes.ts'
import type { Operator, Planner, Slot } from '../operator.ts'
import { drawNormal, drawUniform, type Draw } from './philox.ts'

interface RandomSettings extends Draw {
  readonly distribution: 'uniform' | 'normal'
}

/** The elements of a slot: a view that is made anew only where the slot or the memory has moved, for steps allocate nothing. */
function elementsOf<T extends DType>({ linearMemory }: Planner, slot: Slot, dtype: T, length: number): () => DataOf<T> {
  let generation = -1
  let ptr = 0
  let view: DataOf<T>
  return () => {
    if (generation !== linearMemory.generation || ptr !== slot.ptr) {
      ({ generation } = linearMemory)
      ;({ ptr } = slot)
      view = linearMemory.view(dtype, ptr, length)
    }
    return view
  }
}

/**
 * Numbers drawn anew in each run: run n after the model was made, or its states were reset, has the same ones again. Inputs: shape (int32
 * list). Attributes: `distribution`: 'uniform' between `first` (default 0) and `second` (default 1), or 'normal' with `first` as its mean and
 * `second` as its standard deviation; `seed`, int32; `stream` (default 0): which of several with the same seed. float32.
 *
 * It is JavaScript that draws: few models have it, and a kernel would be in every binary. Uniform numbers are the same to the bit everywhere;
 * of normal ones an engine's own logarithm may change the last bit.
 */
const random: Operator<RandomSettings> = {
  name: 'random',
  mostInputs: 1,
  attributes: ['distribution', 'first', 'second', 'seed', 'stream'],
  time: 'unknown',
  draws: true,
  takesSizes: [0],
  parse: (node) => ({
    distribution: wordOf(node, 'distribution', ['uniform', 'normal']), first: Math.fround(numberOf(node, 'first', 0)), second: Math.fround(numberOf(node, 'second', 1)),
    seed: integerOf(node, 'seed', 0), stream: integerOf(node, 'stream', 0),
  }),
  infer(node, context) {
    const { count, values, sizes } = integerList(node, context, 0, 'sizes')
    return checkSizes(node, [{ dtype: 'float32', shape: values === undefined ? sizes ?? freshShape(node, count) : checkShape(values, label(node)) }])
  },
  cost: movementCost,
  plan(node, planner, settings) {
    requireSizes(node, planner)
    const fill = settings.distribution === 'normal' ? drawNormal : drawUniform
    const runs = elementsOf(planner, planner.state(`draws.${settings.stream}`, 1, 1, 4), 'int32', 1)
    const elements = elementsOf(planner, planner.output(0), 'float32', lengthOf(planner.outputShape(0)))
    const words = new Int32Array(4)
    planner.step(() => {
      const count = runs()
      const run = count[0] as number
      count[0] = run + 1
      fill(elements(), settings, run, words)
    })
  },
}

export const RANDOM: readonly Operator[] = [random]
