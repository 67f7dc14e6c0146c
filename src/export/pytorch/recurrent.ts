// nn.LSTM, nn.GRU and nn.RNN. Gates i, f, g, o and r, z, n are PyTorch's own order.
import { RECURRENT, type RecurrentOp } from '../../ops/recurrent/kinds.ts'
import { roleOf, type Direction } from '../../ops/recurrent/layer-settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { functionsOf, type AnySettings } from '../recurrent-settings.ts'
import { python } from './python-module.ts'
import type { NodeLines } from './node-lines.ts'

const CLASSES: Readonly<Record<RecurrentOp, string>> = { lstm: 'LSTM', gru: 'GRU', rnn: 'RNN' }
const FUNCTIONS: Readonly<Record<RecurrentOp, string>> = { lstm: 'sigmoid tanh tanh', gru: 'sigmoid tanh', rnn: 'tanh' }

const statesOf = ({ node }: NodeLines<AnySettings>): number => RECURRENT[node.op as RecurrentOp].states.length
const isMasked = (c: NodeLines<AnySettings>): boolean => c.has(1 + statesOf(c)) || c.has(2 + statesOf(c))

/** Whether its lengths are all that a packed sequence needs: forwards or both ways, zeros behind them, none of them 0. */
function isPacked(c: NodeLines<AnySettings>): boolean {
  const { maskRule, directions, zeroEmptyState } = c.settings
  return c.has(2 + statesOf(c)) && maskRule === 'zero' && directions[0] === 'forward' && !zeroEmptyState
}

/**
 * A layer over the steps that count, wherever they are: these one after the other as a packed sequence, then each output back to its step. At other steps y
 * is what was put out before, or after of the second direction, and 0 before the first one. Rows without any step end with their first states, or zeros.
 */
const RUN_MASKED = `def run_masked(layer, x, mask, first=None):
    mask = mask != 0
    steps = mask.sum(1)
    order = torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)
    packed = nn.utils.rnn.pack_padded_sequence(
        x.gather(1, order[..., None].expand_as(x)), steps.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
    y, final = layer(packed, first)
    y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
    before = mask.cumsum(1) - 1
    after = steps[:, None] - mask.flip(1).cumsum(1).flip(1)
    halves = []
    for half, place in zip(y.chunk(2, dim=2) if layer.bidirectional else [y], [before, after]):
        is_there = (place >= 0) & (place < steps[:, None])
        place = place.clamp(0, x.shape[1] - 1)[..., None].expand_as(half)
        halves.append(torch.where(is_there[..., None], half.gather(1, place), 0.0))
    finals = final if isinstance(final, tuple) else (final,)
    firsts = (0.0,) * len(finals) if first is None else first if isinstance(first, tuple) else (first,)
    finals = tuple(torch.where(steps[:, None] > 0, end, begin) for end, begin in zip(finals, firsts))
    return torch.cat(halves, dim=2), finals if isinstance(final, tuple) else finals[0]
`

/** What these modules have not, each a few words. */
function missing(c: NodeLines<AnySettings>): string[] {
  const { settings: s, node } = c
  const op = node.op as RecurrentOp
  const named = s.directions.map((_, index) => functionsOf(s, index).map(({ name }) => name).join(' '))
  return [
    [named.some((names) => names !== FUNCTIONS[op] && !(op === 'rnn' && names === 'relu')) || new Set(named).size > 1, `the activations ${[...new Set(named)].join(', ')}`],
    [s.stateful, 'states that are kept from run to run'], [s.clip !== 0, `clip ${s.clip}`], [(s.cellClip ?? 0) !== 0, `cellClip ${s.cellClip}`],
    [(s.projClip ?? 0) !== 0, `projClip ${s.projClip}`], [s.layerNorm === true, 'layer normalisation in the cell'], [(s.coupling ?? 'none') !== 'none', 'coupled gates'],
    [s.delaySamples > 1, 'delayed states'], [op === 'gru' && s.resetAfter === false, 'a reset gate before the product'],
    [Object.keys(node.parameters).some((role) => role.endsWith('.peepholes')), 'peepholes'],
    [isMasked(c) && c.has(1) && s.returnSequences && s.maskRule === 'multiply', 'the initial state as the output of masked steps before the first that counts, as TensorFlow.js has it'],
    [op === 'lstm' && c.has(1) !== c.has(2), 'one initial state without the other'],
  ].flatMap(([is, what]) => (is === true ? [what as string] : []))
}

/** The tensors of a layer's module, by PyTorch's names. */
function tensorsOf(c: NodeLines<AnySettings>): Map<string, ArrayLike> {
  const op = c.node.op as RecurrentOp
  const { numLayers, directions, hiddenSize, forgetBias = 0, hasProjection } = c.settings
  const rows = RECURRENT[op].gates * hiddenSize
  const tensors: Map<string, ArrayLike> = new Map()
  for (let layer = 0; layer < numLayers; layer++) {
    directions.forEach((direction: Direction, index) => {
      const of = (weight: string): ArrayLike | undefined => c.weight(roleOf(layer, direction, weight))
      const end = `l${layer}${index === 1 ? '_reverse' : ''}`
      tensors.set(`weight_ih_${end}`, of('inputWeights') as ArrayLike)
      tensors.set(`weight_hh_${end}`, of('recurrentWeights') as ArrayLike)
      if (hasBias(c)) {
        const input = Float32Array.from(of('inputBias')?.data ?? new Float32Array(rows))
        for (let unit = hiddenSize; op === 'lstm' && unit < 2 * hiddenSize; unit++) input[unit] = (input[unit] as number) + forgetBias
        tensors.set(`bias_ih_${end}`, new NdArray(input, [rows]))
        tensors.set(`bias_hh_${end}`, of('recurrentBias') ?? new NdArray(new Float32Array(rows), [rows]))
      }
      if (hasProjection === true) tensors.set(`weight_hr_${end}`, of('projection') as ArrayLike)
    })
  }
  return tensors
}

const hasBias = ({ node, settings }: NodeLines<AnySettings>): boolean => (
  (settings.forgetBias ?? 0) !== 0 || Object.keys(node.parameters).some((role) => role.endsWith('Bias'))
)

/** Writes an lstm, gru or rnn node. */
export function writeRecurrent(c: NodeLines<AnySettings>): void {
  const lacks = missing(c)
  if (lacks.length > 0) throw c.unsupported(lacks.join(', '))
  const op = c.node.op as RecurrentOp
  const { states } = RECURRENT[op]
  const { settings: s, module } = c
  const isApart = isMasked(c) && !isPacked(c)
  const inputSize = c.weight(roleOf(0, s.directions[0] as Direction, 'inputWeights'))?.shape[1] as number
  const isReverse = s.directions.length === 1 && s.directions[0] === 'reverse'
  const options = [
    s.numLayers > 1 && `num_layers=${s.numLayers}`, !hasBias(c) && 'bias=False', (!s.timeMajor || isApart) && 'batch_first=True', s.directions.length > 1 && 'bidirectional=True',
    s.hasProjection === true && `proj_size=${s.outputSize}`, op === 'rnn' && functionsOf(s, 0)[0]?.name === 'relu' && "nonlinearity='relu'",
  ].filter(Boolean)
  const attribute = module.submodule(c.node.name, `nn.${CLASSES[op]}(${[inputSize, s.hiddenSize, ...options].join(', ')})`, tensorsOf(c))
  const time = s.timeMajor ? 0 : 1
  const hasLengths = !isApart && c.has(2 + states.length)
  const own = (what: string): string => module.helper(`${c.node.name}_${what}`)
  const wantsLast = !s.returnSequences && c.isNeeded(0)
  const isPlain = s.returnSequences && !hasLengths && !isApart && (!isReverse || s.reversedOutput)
  const y = !s.returnSequences || !c.isNeeded(0) ? '_' : isPlain ? module.variable(c.node.outputs[0] as string) : own('y')
  const finals = states.map((state, n) => {
    if (c.isNeeded(1 + n)) return module.variable(c.node.outputs[1 + n] as string)
    return state === 'h' && wantsLast ? own('h') : '_'
  })
  const h = finals[0] as string
  const result = `${y}, ${op !== 'lstm' ? h : finals.every((name) => name === '_') ? '_' : `(${finals.join(', ')})`}`
  const first = !c.has(1) ? '' : op === 'lstm' ? `, (${c.x(1)}, ${c.x(2)})` : `, ${c.x(1)}`
  if (isApart) return writeMasked(c, { attribute, result, y, h, first })
  let x = isReverse ? `${c.x(0)}.flip(${time})` : c.x(0)
  if (hasLengths) {
    x = `nn.utils.rnn.pack_padded_sequence(${x}, ${c.x(2 + states.length)}.cpu(), batch_first=${python(!s.timeMajor)}, enforce_sorted=False)`
  }
  module.lines.push(`${result} = self.${attribute}(${x}${first})`)
  if (hasLengths && y !== '_') {
    module.lines.push(`${y}, _ = nn.utils.rnn.pad_packed_sequence(${y}, batch_first=${python(!s.timeMajor)}, total_length=${c.x(0)}.shape[${time}])`)
  }
  if (wantsLast) c.give(s.directions.length > 1 ? `torch.cat((${h}[-2], ${h}[-1]), dim=1)` : `${h}[-1]`)
  else if (y !== '_' && !isPlain) c.give(isReverse && !s.reversedOutput ? `${y}.flip(${time})` : y)
}

/** The parts of a line that calls a layer. */
interface Call {
  readonly attribute: string
  readonly result: string
  /** Variables of the outputs and of the last h. */
  readonly y: string
  readonly h: string
  readonly first: string
}

/** The layer by way of `run_masked`. */
function writeMasked(c: NodeLines<AnySettings>, { attribute, result, y, h, first }: Call): void {
  const { settings: s, module } = c
  const position = 1 + statesOf(c)
  const mask = module.helper(`${c.node.name}_mask`)
  const steps = `${c.x(0)}.shape[${s.timeMajor ? 0 : 1}]`
  const isReverse = s.directions.length === 1 && s.directions[0] === 'reverse'
  const [given, x] = [c.has(position) ? `(${c.x(position)} != 0)` : `(torch.arange(${steps}) < ${c.x(position + 1)}[:, None])`, s.timeMajor ? `${c.x(0)}.transpose(0, 1)` : c.x(0)]
  const turned = isReverse ? '.flip(1)' : ''
  module.functions.add(RUN_MASKED)
  module.lines.push(`${mask} = ${given}${turned}`, `${result} = run_masked(self.${attribute}, ${x}${turned}, ${mask}${first})`)
  // Zeros for states of rows without a step, though the first ones are others.
  if (s.zeroEmptyState && first !== '') {
    const names = [h, ...(c.isNeeded(2) && c.node.op === 'lstm' ? [module.expression(c.node.outputs[2] as string)] : [])].filter((name) => name !== '_')
    for (const name of names) module.lines.push(`${name} = torch.where(${mask}.any(1)[:, None], ${name}, 0.0)`)
  }
  if (!c.isNeeded(0)) return
  if (s.returnSequences) {
    const zeroed = s.maskRule === 'zero' ? `torch.where(${mask}[..., None], ${y}, 0.0)` : y
    const ordered = isReverse && !s.reversedOutput ? `${zeroed}.flip(1)` : zeroed
    return c.give(s.timeMajor ? `${ordered}.transpose(0, 1)` : ordered)
  }
  const last = s.directions.length > 1 ? `torch.cat((${h}[-2], ${h}[-1]), dim=1)` : `${h}[-1]`
  c.give(s.maskRule === 'hold' && first !== '' ? `torch.where(${mask}.any(1)[:, None], ${last}, 0.0)` : last)
}
