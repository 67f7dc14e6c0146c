// What training knows of operators and losses, in families. The usual one is there at once; each of the others is a chunk of its own, loaded when the
// net has one of its operators, or the loss is its: as operators are (src/ops/families.ts). What is in no other family is in the general one.
import { late } from '../runtime/gradients/late.ts'
import { joinFamilies, type GradientFamily } from './family.ts'
import { usual } from './usual/family.ts'

interface Late {
  /** Operators of models, or losses. */
  readonly names: readonly string[]
  /** Its own file. */
  readonly load: () => Promise<{ readonly family: GradientFamily }>
}

const LATE: readonly Late[] = [
  { names: ['lstm'], load: () => import('./late/lstm.ts') },
  { names: ['gru'], load: () => import('./late/gru.ts') },
  { names: ['rnn'], load: () => import('./late/rnn.ts') },
  { names: ['embedding'], load: () => import('./late/embedding.ts') },
  { names: ['ctc'], load: () => import('./late/ctc.ts') },
  { names: ['esr'], load: () => import('./late/esr.ts') },
  {
    names: ['conv', 'convTranspose', 'averagePool', 'maxPool', 'sumPool', 'globalAveragePool', 'globalMaxPool'],
    load: () => import('./late/windows.ts'),
  },
]

/** What layers are lowered to has these too. In a net they may take weights, or step: the general family knows the rest of them. */
const IN_GENERAL_TOO: readonly string[] = ['add', 'mul', 'slice']

const loadGeneral: Late['load'] = () => import('./late/general.ts')

/**
 * What is known of the operators of a net, and of its losses.
 * @throws LstmError `ENVIRONMENT` where dynamic imports are forbidden
 */
export async function familiesOf(operators: readonly string[], losses: readonly string[]): Promise<GradientFamily> {
  const own = usual()
  const others = operators.filter((name) => !Object.hasOwn(own.lowerings, name) && (!Object.hasOwn(own.rules, name) || IN_GENERAL_TOO.includes(name)))
  const families = LATE.filter(({ names }) => names.some((name) => others.includes(name) || losses.includes(name)))
  const isGeneral = others.some((name) => !families.some(({ names }) => names.includes(name)))
  const loads = [...families.map(({ load }) => load), ...isGeneral ? [loadGeneral] : []]
  const loaded = await late(() => Promise.all(loads.map((load) => load())), 'gradients')
  return joinFamilies([own, ...loaded.map(({ family }) => family)])
}
