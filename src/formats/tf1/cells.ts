// The cells of tf.nn.rnn_cell and tf.contrib.rnn, told by the names of their variables.
import type { ArrayLike } from '../../values/ndarray.ts'
import { malformed, type Cell, type Roles } from './cell.ts'
import { readGruCell, readRnnCell } from './gru-cell.ts'
import { readLstmCell } from './lstm-cell.ts'
import type { Variables } from './variables.ts'

/** A family of cells. */
interface Family {
  /** What the name of the class looks like, which is the last part of the scope. */
  readonly name: RegExp
  /** Names of a cell's variables after its scope, of all versions, and the roles they play. */
  readonly roles: Readonly<Record<string, string>>
  /** The variable that every cell has. */
  readonly main: string
  readonly read: (scope: string, roles: Roles) => Cell
}

const KERNEL = { 'kernel': 'kernel', 'weights': 'kernel', 'Linear/Matrix': 'kernel', 'bias': 'bias', 'biases': 'bias', 'Linear/Bias': 'bias' } as const

/** The names of a kernel and its bias inside a scope, under other roles. */
function within(scope: string, role: string): Record<string, string> {
  return Object.fromEntries(Object.entries(KERNEL).map(([name, part]) => [`${scope}/${name}`, `${role}.${part}`]))
}

const FAMILIES: readonly Family[] = [
  {
    name: /lstm/i,
    roles: {
      ...KERNEL, 'W_0': 'kernel', 'B': 'bias',
      'w_i_diag': 'peephole.i', 'W_I_diag': 'peephole.i', 'w_f_diag': 'peephole.f', 'W_F_diag': 'peephole.f',
      'w_o_diag': 'peephole.o', 'W_O_diag': 'peephole.o',
      'projection/kernel': 'projection', 'projection/weights': 'projection', 'W_P_0': 'projection',
      ...Object.fromEntries(['input', 'transform', 'forget', 'output', 'state'].flatMap((gate) => (
        ['gamma', 'beta'].map((part) => [`${gate}/${part}`, `${gate}.${part}`])
      ))),
    },
    main: 'kernel',
    read: readLstmCell,
  },
  {
    name: /gru/i,
    roles: {
      ...within('gates', 'gates'), ...within('Gates', 'gates'), ...within('candidate', 'candidate'), ...within('Candidate', 'candidate'),
      ...within('candidate/input_projection', 'candidate.input'), ...within('candidate/hidden_projection', 'candidate.hidden'),
      w_ru: 'gates.kernel', b_ru: 'gates.bias', w_c: 'candidate.kernel', b_c: 'candidate.bias',
    },
    main: 'gates.kernel',
    read: readGruCell,
  },
  { name: /basic_?rnn/i, roles: KERNEL, main: 'kernel', read: readRnnCell },
]

/** Most parts of a name after the scope: `Gates/Linear/Matrix`. */
const MOST_PARTS = 3

/** What optimizers keep beside every variable, and counters: of no use after training. */
const TRAINING = /\/(Adam|Adadelta|Adagrad|Momentum|RMSProp|Ftrl)(_\d+)?$|(^|\/)(beta[12]_power|global_step)(_\d+)?$/

/** A cell's family and scope, and the role of its variable: `rnn/lstm_cell/projection/kernel` -> LSTMs, `rnn/lstm_cell`, `projection`. */
function splitName(name: string): { family: Family, scope: string, role: string } | undefined {
  const parts = name.split('/')
  for (let length = MOST_PARTS; length > 0; length--) {
    const rest = parts.slice(-length).join('/')
    const className = parts.at(-length - 1) ?? ''
    const family = FAMILIES.find(({ name: pattern }) => pattern.test(className))
    if (family !== undefined && Object.hasOwn(family.roles, rest)) {
      return { family, scope: parts.slice(0, -length).join('/'), role: family.roles[rest] as string }
    }
  }
  return undefined
}

export interface FoundCells {
  readonly cells: readonly Cell[]
  /** Variables that belong to no cell, without those of training alone. */
  readonly others: readonly string[]
}

/** @throws LstmError `FORMAT` for cells whose variables do not fit each other */
export function findCells(variables: Variables): FoundCells {
  const scopes: Map<string, { family: Family, roles: Map<string, ArrayLike> }> = new Map()
  const others: string[] = []
  for (const [name, variable] of variables) {
    if (TRAINING.test(name)) continue
    const found = splitName(name)
    if (found === undefined || variable.dtype !== 'float32') {
      // A number on its own is a learning rate or a counter.
      if (variable.shape.length > 0) others.push(name)
      continue
    }
    const { family, scope, role } = found
    const cell = scopes.get(scope) ?? { family, roles: new Map<string, ArrayLike>() }
    if (cell.roles.has(role)) throw malformed(`the cell '${scope}' has two variables for the same: '${name}' is one of them`)
    cell.roles.set(role, variable)
    scopes.set(scope, cell)
  }
  const cells: Cell[] = []
  for (const [scope, { family, roles }] of scopes) {
    if (roles.get(family.main)?.shape.length === 2) cells.push(family.read(scope, roles))
    else others.push(`${scope}/...`)
  }
  return { cells, others }
}
