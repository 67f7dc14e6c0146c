// torch.nn modules as pickles and TorchScript archives hold them: class names, settings and tensors. No code of theirs is run.
import { LstmError } from '../../errors.ts'
import type { Budget } from '../budget.ts'
import { joinName } from '../pytorch-names.ts'
import { PackedObject } from './packed-object.ts'
import { ForeignObject } from './pickle.ts'
import { QuantizedTensor, TorchTensor } from './tensors.ts'

/** A module: what it is, what it was told, and what it has learnt. */
export interface TorchModule {
  /** `torch.nn.modules.rnn.LSTM`, `__main__.Net`; of TorchScript, without `__torch__` and numbers that tell classes of one name apart. */
  readonly className: string
  /** As the file has it: where TorchScript keeps its code. */
  readonly fullName: string
  /** Attributes that are numbers, text, lists of these, or None. */
  readonly settings: ReadonlyMap<string, unknown>
  readonly tensors: ReadonlyMap<string, TorchTensor>
  /** In the order in which the program made them. */
  readonly children: ReadonlyMap<string, TorchModule>
}

/** Packed weights in TorchScript. */
const PACKED = /^__torch__\.torch\.classes\.(quantized|rnn)\./
/** Letters of a class's name in a message. */
const MOST_NAME = 100
/** Modules inside one another. */
const MOST_DEEP = 64
/** Attributes of a pickled module whose entries are parts of it. */
const PARTS = ['_parameters', '_buffers', '_modules']

/** A module that a pickle describes, or undefined for any other object. */
export function asModule(object: unknown, budget: Budget): TorchModule | undefined {
  return object instanceof ForeignObject && object.isModule ? moduleOf(object, budget, 0) : undefined
}

function moduleOf(object: ForeignObject, budget: Budget, depth: number): TorchModule {
  if (depth > MOST_DEEP) throw new LstmError('UNSUPPORTED', `torch: expected modules at most ${MOST_DEEP} deep in one another`)
  budget.visit('torch: the modules')
  const settings: Map<string, unknown> = new Map()
  const tensors: Map<string, TorchTensor> = new Map()
  const children: Map<string, TorchModule> = new Map()
  const add = (key: unknown, value: unknown): void => {
    if (typeof key !== 'string') return
    budget.visit('torch: the modules')
    if (value instanceof QuantizedTensor || value instanceof PackedObject || (value instanceof ForeignObject && PACKED.test(value.name))) {
      throw new LstmError('UNSUPPORTED', `torch: a whole model with quantised modules (${object.name.slice(0, MOST_NAME)}) is not supported; save its tensors, in Python: torch.save(model.state_dict(), path)`)
    }
    if (value instanceof TorchTensor) tensors.set(key, value)
    else if (value instanceof ForeignObject) {
      if (value.isModule) children.set(key, moduleOf(value, budget, depth + 1))
    } else if (!(value instanceof Map)) settings.set(key, value)
  }
  const state = object.state ?? new Map<unknown, unknown>()
  for (const [key, value] of state) {
    if (!PARTS.includes(String(key))) add(key, value)
    else if (value instanceof Map) for (const [name, part] of value) add(name, part)
  }
  const className = object.name.replace(/^__torch__\./, '').replace(/___torch_mangle_\d+\./g, '')
  return { className, fullName: object.name, settings, tensors, children }
}

/** All tensors of a module and those in it, by the names that `state_dict()` gives them. */
export function tensorsOf(module: TorchModule, prefix: string = '', into: Map<string, TorchTensor> = new Map()): Map<string, TorchTensor> {
  for (const [name, tensor] of module.tensors) into.set(joinName(prefix, name), tensor)
  for (const [name, child] of module.children) tensorsOf(child, joinName(prefix, name), into)
  return into
}

/** The settings of every module, by its path. */
export function settingsOf(module: TorchModule, path: string = '', into: Map<string, ReadonlyMap<string, unknown>> = new Map()): Map<string, ReadonlyMap<string, unknown>> {
  into.set(path, module.settings)
  for (const [name, child] of module.children) settingsOf(child, joinName(path, name), into)
  return into
}
