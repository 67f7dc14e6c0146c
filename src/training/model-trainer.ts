import { LstmError } from '../errors.ts'
import { saveGraph } from '../formats/safetensors/save.ts'
import { compile, type CompileOptions } from '../model/load.ts'
import type { Model } from '../model/model.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Trainer, type TrainerSettings } from './fitting/trainer.ts'
import type { Engine } from './engine.ts'
import { checkKind, type Kind } from '../options.ts'

const NAMES: Kind = { expected: 'a list of names of layers or weights', test: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string') }

/** Trains a model: what `createTrainer` gives. It holds memory until `dispose()`. */
export class ModelTrainer extends Trainer {
  declare readonly engine: Engine
  readonly #runtime: Runtime
  /** Parameters that no step moves, whatever is frozen: running means, and weights that something else computes. */
  readonly #fixed: ReadonlySet<string>

  /** Use `createTrainer`. */
  constructor(engine: Engine, settings: TrainerSettings, runtime: Runtime) {
    super(engine, { ...settings, model: () => saveGraph(engine.toGraph()) })
    this.#runtime = runtime
    this.#fixed = new Set(engine.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name))
  }

  /** Names of the weights that learn now. */
  get trainableNames(): string[] {
    return this.engine.parameters.filter(({ trainable }) => trainable).map(({ name }) => name)
  }

  /**
   * The model with the weights as they are now, for inference: a copy, in the same runtime.
   * @param options `streams` of `lstm-wasm/streams`, or false, for service workers, as `compile` takes it
   */
  model(options: Pick<CompileOptions, 'streams'> = {}): Promise<Model> {
    return compile(this.engine.toGraph(), { ...options, runtime: this.#runtime })
  }

  /**
   * Keeps weights as they are: of layers (`'lstm'`), or single ones (`'lstm.weight_hh_l0'`).
   * @throws LstmError `VALUE` for names that are none
   */
  freeze(names: readonly string[]): void {
    this.engine.freeze(this.#allOf(names, 'freeze'))
  }

  /** Lets frozen weights learn again; their moments begin anew where they never had any. @throws LstmError `VALUE` for names that are none */
  unfreeze(names: readonly string[]): void {
    this.engine.freeze(this.#allOf(names, 'unfreeze'), false)
  }

  #allOf(names: readonly string[], what: string): string[] {
    checkKind(names, NAMES, what)
    return names.flatMap((name) => this.#namesOf(name, what))
  }

  /** Makes the states of stateful layers zeros: before a text that has nothing to do with the one before. */
  resetStates(): void {
    this.engine.states.reset()
  }

  #namesOf(name: string, what: string): string[] {
    const { graph: { nodes }, parameters } = this.engine
    const node = nodes.find((candidate) => candidate.name === name)
    const constants = node === undefined ? [] : [...Object.values(node.parameters), ...node.inputs]
    const found = parameters.filter((parameter) => parameter.name === name || constants.includes(parameter.constant))
      .filter((parameter) => !this.#fixed.has(parameter.name))
    if (found.length > 0) return found.map((parameter) => parameter.name)
    const isConstant = this.engine.graph.constants.get(name)?.dtype === 'float32' && !parameters.some(({ constant }) => constant === name)
    if (isConstant) throw new LstmError('VALUE', `${what}: '${name}' is a constant, no weight: to train it, name it in createTrainer(net, { trainable: ['${name}'] })`)
    const layers = nodes.filter((candidate) => Object.keys(candidate.parameters).length > 0).map((candidate) => `'${candidate.name}'`)
    throw new LstmError('VALUE', `${what}: no layer or weight '${name}' that learns; layers with weights are ${layers.join(', ')}`)
  }
}
