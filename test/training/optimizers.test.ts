import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OPTIMIZERS, rmsprop, sgd } from '../../src/training/descriptions/more-optimizers.ts'
import { adam, adamw, optimizerOf, type Optimizer, type OptimizerOptions } from '../../src/training/descriptions/optimizers.ts'
import { OptimizerState } from '../../src/training/optimizer-state.ts'
import { cosineDecay } from '../../src/training/descriptions/schedules.ts'
import type { TrainingRuntime } from '../../src/runtime/gradient-kernels.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { OPTIMIZER_DISTANCE } from '../tolerance.ts'
import { ParameterArena } from './arena.ts'
import { describeTraining, trainingRuntimeOf } from './runtimes.ts'

interface Golden {
  readonly lengths: readonly number[]
  readonly cases: Readonly<Record<string, {
    readonly optimizer: string
    readonly options: Readonly<Record<string, number | boolean | readonly number[]>>
    readonly parameters: Readonly<Record<string, readonly (readonly number[])[]>>
  }>>
}

const golden = JSON.parse(readFileSync(new URL('../golden/training/optimizers.json', import.meta.url), 'utf8')) as Golden

const CLIPS: Readonly<Record<string, OptimizerOptions>> = { 'clip-value': { clipValue: 0.4 }, 'clip-norm': { clipNorm: 1.5 }, 'clip-global-norm': { globalClipNorm: 3 } }

/** Ours of PyTorch's words. */
function optimizerFor(name: string): Optimizer {
  const { optimizer, options: { lr, betas, eps, weight_decay, ...options } } = golden.cases[name] as Golden['cases'][string]
  const given = {
    learningRate: lr, ...options, ...CLIPS[name],
    ...(betas !== undefined && { beta1: (betas as number[])[0], beta2: (betas as number[])[1] }),
    ...(eps !== undefined && { epsilon: eps }), ...(weight_decay !== undefined && { weightDecay: weight_decay }),
  }
  return optimizerOf({ optimizer: optimizer.toLowerCase(), ...given }, OPTIMIZERS)
}

const rateOf = ({ learningRate }: Optimizer): number => (learningRate as { rate: number }).rate

/** An arena with the first parameters of the golden cases, and what sets the gradients of a step. */
function start(runtime: TrainingRuntime): { readonly arena: ParameterArena, readonly setGradients: (step: number) => void } {
  const arena = new ParameterArena(runtime, Object.fromEntries(golden.lengths.map((length, n) => [`p${n}`, [length]])))
  golden.lengths.forEach((length, n) => arena.parameters[n]?.write(pseudoRandom(1 + n, length, 1)))
  const setGradients = (step: number): void => golden.lengths.forEach((length, n) => (
    arena.setGradient(n, pseudoRandom(1000 * step + n, length, 1).map((x) => x * 0.25 ** n))
  ))
  return { arena, setGradients }
}

describeTraining(`optimisers are within ${OPTIMIZER_DISTANCE} of PyTorch's float64 after 100 steps`, (runtime) => {
  for (const name of Object.keys(golden.cases)) {
    it(name, () => {
      const { arena, setGradients } = start(runtime)
      const optimizer = optimizerFor(name)
      const state = new OptimizerState(runtime, arena.parameters, arena.length, optimizer)
      for (let step = 1; step <= 100; step++) {
        setGradients(step)
        state.step(arena.valuesPtr, arena.gradientsPtr, rateOf(optimizer))
        const expected = golden.cases[name]?.parameters[step]
        expected?.forEach((values, n) => {
          const largest = Math.max(...values.map(Math.abs))
          const errors = [...arena.parameters[n]?.read() as Float32Array].map((x, k) => Math.abs(x - (values[k] as number)) / largest)
          expect(Math.max(...errors), `step ${step}, parameter ${n}`).toBeLessThan(OPTIMIZER_DISTANCE)
        })
      }
      const used = new Set(arena.parameters.flatMap(({ offset, length }) => Array.from({ length }, (_, n) => offset + n)))
      expect([...arena.view(arena.valuesPtr)].filter((x, n) => x !== 0 && !used.has(n))).toEqual([])
      state.dispose()
      arena.dispose()
    })
  }

  it('leave frozen parameters and their moments as they are, to the bit, and begin anew with one that is thawed', () => {
    for (const make of [() => sgd({ momentum: 0.9, dampening: 0.5 }), adam, rmsprop]) {
      const { arena, setGradients } = start(runtime)
      const [first, frozen] = arena.parameters as [ParameterArena['parameters'][0], ParameterArena['parameters'][0]]
      frozen.trainable = false
      const before = frozen.read()
      const state = new OptimizerState(runtime, arena.parameters, arena.length, make())
      for (let step = 1; step <= 50; step++) {
        setGradients(step)
        state.step(arena.valuesPtr, arena.gradientsPtr, 0.01)
      }
      expect(frozen.read()).toEqual(before)
      expect(first.read()).not.toEqual(pseudoRandom(1, 5, 1))
      frozen.trainable = true
      setGradients(51)
      state.step(arena.valuesPtr, arena.gradientsPtr, 0.01)
      // What a fresh optimiser makes of it.
      const other = start(runtime)
      const fresh = new OptimizerState(runtime, other.arena.parameters, other.arena.length, make())
      other.setGradients(51)
      fresh.step(other.arena.valuesPtr, other.arena.gradientsPtr, 0.01)
      expect(frozen.read()).toEqual(other.arena.parameters[1]?.read())
      for (const left of [state, fresh, arena, other.arena]) left.dispose()
    }
  })

  it('go on bit for bit from what was saved', () => {
    for (const optimizer of [sgd({ momentum: 0.9 }), adam(), rmsprop({ centered: true, momentum: 0.5 })]) {
      const [whole, halves] = [start(runtime), start(runtime)]
      const one = new OptimizerState(runtime, whole.arena.parameters, whole.arena.length, optimizer)
      let two = new OptimizerState(runtime, halves.arena.parameters, halves.arena.length, optimizer)
      for (let step = 1; step <= 10; step++) {
        whole.setGradients(step)
        one.step(whole.arena.valuesPtr, whole.arena.gradientsPtr, 0.01)
        if (step === 5) {
          const memory = two.save()
          two.dispose()
          two = new OptimizerState(runtime, halves.arena.parameters, halves.arena.length, optimizer)
          two.restore(memory)
        }
        halves.setGradients(step)
        two.step(halves.arena.valuesPtr, halves.arena.gradientsPtr, 0.01)
      }
      expect(halves.arena.view(halves.arena.valuesPtr)).toEqual(whole.arena.view(whole.arena.valuesPtr))
      expect(two.save()).toEqual(one.save())
      for (const left of [one, two, whole.arena, halves.arena]) left.dispose()
    }
  })

  it('sum squares in float64, and see NaN and Infinity at every place', () => {
    const { arena } = start(runtime)
    const state = new OptimizerState(runtime, arena.parameters, arena.length, sgd())
    const data = golden.lengths.map((length, n) => pseudoRandom(70 + n, length, 1e15))
    data.forEach((gradient, n) => arena.setGradient(n, gradient))
    const exact = Math.sqrt(data.flatMap((gradient) => [...gradient]).reduce((sum, x) => sum + x * x, 0))
    expect(Math.abs(state.norm(arena.gradientsPtr) / exact - 1)).toBeLessThan(1e-14)
    arena.setGradient(1, new Float32Array(17).fill(3.4e38))
    expect(state.norm(arena.gradientsPtr)).toBeGreaterThan(3.4e38)
    expect(state.norm(arena.gradientsPtr)).toBeLessThan(Infinity)
    for (let n = 0; n < 17; n++) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        arena.setGradient(1, new Float32Array(17).fill(1).fill(bad, n, n + 1))
        expect(Number.isFinite(state.norm(arena.gradientsPtr))).toBe(false)
      }
    }
    // A frozen one does not count.
    for (const parameter of arena.parameters) parameter.trainable = parameter.name === 'p0'
    expect(state.norm(arena.gradientsPtr)).toBeLessThan(1e17)
    state.dispose()
    arena.dispose()
  })
})

/** A block of memory for what a kernel takes in every step. */
const SETTINGS_BYTES = 64

describe('moments', () => {
  it('take memory as the optimiser needs it, and give it back', async () => {
    const runtime = await trainingRuntimeOf()
    const { arena } = start(runtime)
    const before = runtime.memory().usedBytes
    const kinds: [Optimizer, number][] = [
      [sgd(), 0], [sgd({ momentum: 0.9 }), 1], [adam(), 2], [adamw(), 2], [rmsprop(), 1], [rmsprop({ momentum: 0.1 }), 2],
      [rmsprop({ momentum: 0.1, centered: true }), 3],
    ]
    for (const [optimizer, arrays] of kinds) {
      const state = new OptimizerState(runtime, arena.parameters, arena.length, optimizer)
      expect(runtime.memory().usedBytes - before).toBe(arrays * 4 * arena.length + SETTINGS_BYTES)
      state.dispose()
      state.dispose()
      expect(runtime.memory().usedBytes).toBe(before)
    }
    const one = new OptimizerState(runtime, arena.parameters, arena.length, adam())
    const other = new OptimizerState(runtime, arena.parameters, arena.length, sgd())
    expectError(() => one.restore(other.save()), 'SHAPE',
      'optimizer: expected 3 parameters and 128 moments of adam, got 3 and 0: they are of another model or optimiser')
  })

  it('say when there is no memory', async () => {
    const runtime = await trainingRuntimeOf('simd', 1 << 20)
    expectError(() => new OptimizerState(runtime, [], 200_000, adam()), 'MEMORY', /^moments of adam: needs 1600000 bytes/)
  })
})

describe('descriptions of optimisers', () => {
  it('have PyTorch\'s defaults', () => {
    const rate = (value: number): unknown => ({ schedule: 'constant', rate: value })
    expect(sgd()).toEqual({ optimizer: 'sgd', learningRate: rate(0.01), momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 })
    expect(adam()).toEqual({ optimizer: 'adam', learningRate: rate(0.001), beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 })
    expect(adamw({ clipNorm: 1 })).toEqual({ optimizer: 'adamw', learningRate: rate(0.001), beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 })
    expect(rmsprop()).toEqual({ optimizer: 'rmsprop', learningRate: rate(0.01), alpha: 0.99, epsilon: 1e-8, momentum: 0, centered: false, weightDecay: 0 })
  })

  it('are plain data, which are read back', () => {
    for (const optimizer of [sgd({ momentum: 0.9, nesterov: true }), adamw({ learningRate: cosineDecay(0.004, { epochs: 3 }) }), rmsprop({ clipValue: 2 })]) {
      expect(optimizerOf(JSON.parse(JSON.stringify(optimizer)), OPTIMIZERS)).toEqual(optimizer)
    }
    expect(optimizerOf('adam', OPTIMIZERS)).toEqual(adam())
  })

  it('refuse what is none', () => {
    expectError(() => optimizerOf('adagrad', OPTIMIZERS), 'VALUE', /^optimizer: expected 'sgd', 'adam', 'adamw' or 'rmsprop'.*, got "adagrad"$/)
    expectError(() => optimizerOf(undefined, OPTIMIZERS), 'VALUE', /got undefined$/)
    expectError(() => optimizerOf({ optimizer: 'constructor' }, OPTIMIZERS), 'VALUE', /got "constructor"$/)
    expectError(() => optimizerOf({ ...adam(), beta3: 1 }, OPTIMIZERS), 'VALUE', /^adam: no option 'beta3' \(did you mean 'beta1'\?\)/)
    expectError(() => sgd({ nesterov: true }), 'VALUE', 'sgd: nesterov needs a momentum above 0 and no dampening, got 0 and 0')
    expectError(() => adam({ beta1: 1 }), 'VALUE', "adam: expected a number from 0 to less than 1 for 'beta1', got 1")
    expectError(() => adam({ epsilon: 1e-60 }), 'VALUE', /^adam: expected a number above 0 for 'epsilon'/)
    expectError(() => adam({ learningRate: NaN }), 'VALUE', 'adam: learningRate: expected a learning rate >= 0, got NaN')
    expectError(() => adam({ learningRate: 'fast' as never }), 'VALUE', /^adam: learningRate: expected a learning rate, or a schedule of .*, got "fast"$/)
    expectError(() => rmsprop({ momentum: -1 }), 'VALUE', /^rmsprop: expected a number >= 0 for 'momentum'/)
  })
})
