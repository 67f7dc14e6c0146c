// Modules of torch.nn whose settings say what they compute: https://docs.pytorch.org/docs/stable/nn.html
import { joinName } from '../../pytorch-names.ts'
import type { TorchModule } from '../module-tree.ts'
import { NamedTensor, NotFollowed, type Arg, type Calls } from './calls.ts'

/** A module that is called. */
export interface ModuleCall {
  readonly calls: Calls
  readonly module: TorchModule
  /** `encoder.0`; of the whole, nothing. */
  readonly path: string
  readonly args: readonly Arg[]
}

type Kind = (call: ModuleCall, x: Arg) => Arg

/** A tensor of the module, or null. */
function tensorOf({ module, path }: ModuleCall, name: string): Arg {
  const tensor = module.tensors.get(name)
  return tensor === undefined ? null : new NamedTensor(joinName(path, name), tensor)
}

/** A setting that the module must have. */
function setting(call: ModuleCall, name: string): Arg {
  const value = call.module.settings.get(name)
  if (value === undefined) throw new NotFollowed(`does not say '${name}' of ${nameOf(call)}`)
  return value as Arg
}

function nameOf({ module, path }: ModuleCall): string {
  return `${module.className.split('.').at(-1)} '${path}'`
}

/** A function of one tensor; `names` are settings that are arguments after it. */
const unary = (op: string, ...names: readonly string[]): Kind => (call, x) => call.calls.add(op, [x, ...names.map((name) => setting(call, name))], call.path)
const identity: Kind = (_call, x) => x

const linear: Kind = (call, x) => call.calls.add('linear', [x, tensorOf(call, 'weight'), tensorOf(call, 'bias')], call.path)

/** The weights as one list, layer by layer and direction by direction. */
function recurrent(op: (call: ModuleCall) => string): Kind {
  return (call, x) => {
    const { module, args, calls, path } = call
    const [numLayers, both, hasBias] = ['num_layers', 'bidirectional', 'bias'].map((name) => setting(call, name))
    const params: Arg[] = []
    const parts = ['weight_ih', 'weight_hh', ...(hasBias === true ? ['bias_ih', 'bias_hh'] : []), ...(module.tensors.has('weight_hr_l0') ? ['weight_hr'] : [])]
    for (let layer = 0; module.tensors.has(`weight_ih_l${layer}`); layer++) {
      for (const end of both === true ? ['', '_reverse'] : ['']) params.push(...parts.map((part) => tensorOf(call, `${part}_l${layer}${end}`)))
    }
    const initial = args[1] ?? null
    const [output, ...states] = calls.add(op(call), [x, initial, params, hasBias, numLayers, 0, false, both, setting(call, 'batch_first')], path) as readonly Arg[]
    return [output, states.length === 1 ? states[0] : states]
  }
}

/** One step. */
function cell(op: (call: ModuleCall) => string): Kind {
  return (call, x) => {
    const weights = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) => tensorOf(call, name))
    return call.calls.add(op(call), [x, call.args[1] ?? null, ...weights], call.path)
  }
}

/** Modules in a row. */
const sequential: Kind = (call, x) => {
  let value = x
  for (const [name, module] of call.module.children) value = callKnown({ calls: call.calls, module, path: joinName(call.path, name), args: [value] })
  return value
}

const KINDS: Readonly<Record<string, Kind>> = {
  Sequential: sequential,
  Identity: identity, Dropout: (call, x) => call.calls.add('dropout', [x, setting(call, 'p'), false], call.path), Dropout1d: identity, AlphaDropout: identity, FeatureAlphaDropout: identity,
  Linear: linear, NonDynamicallyQuantizableLinear: linear,
  Embedding(call, x) {
    if ((call.module.settings.get('max_norm') ?? null) !== null) throw new NotFollowed(`has a max_norm in ${nameOf(call)}`)
    return call.calls.add('embedding', [tensorOf(call, 'weight'), x], call.path)
  },
  LSTM: recurrent(() => 'lstm'),
  GRU: recurrent(() => 'gru'),
  RNN: recurrent((call) => (call.module.settings.get('mode') === 'RNN_RELU' || call.module.settings.get('nonlinearity') === 'relu' ? 'rnn_relu' : 'rnn_tanh')),
  LayerNorm: (call, x) => call.calls.add('layer_norm', [x, setting(call, 'normalized_shape'), tensorOf(call, 'weight'), tensorOf(call, 'bias'), setting(call, 'eps')], call.path),
  BatchNorm1d: (call, x) => call.calls.add('batch_norm', [
    x, ...['weight', 'bias', 'running_mean', 'running_var'].map((name) => tensorOf(call, name)), false, 0, setting(call, 'eps'),
  ], call.path),
  Conv1d(call, x) {
    if (setting(call, 'padding_mode') !== 'zeros') throw new NotFollowed(`has another padding_mode than zeros in ${nameOf(call)}`)
    const [stride, padding, dilation, groups] = ['stride', 'padding', 'dilation', 'groups'].map((name) => setting(call, name))
    return call.calls.add('conv1d', [x, tensorOf(call, 'weight'), tensorOf(call, 'bias'), stride, padding, dilation, groups], call.path)
  },
  ReLU: unary('relu'), ReLU6: unary('relu6'), Tanh: unary('tanh'), Sigmoid: unary('sigmoid'), SiLU: unary('silu'), Mish: unary('mish'),
  Hardswish: unary('hardswish'), Hardsigmoid: unary('hardsigmoid'), Softsign: unary('softsign'), LogSigmoid: unary('log_sigmoid'), SELU: unary('selu'),
  Tanhshrink: unary('tanhshrink'),
  ELU: unary('elu', 'alpha'), CELU: unary('celu', 'alpha'), LeakyReLU: unary('leaky_relu', 'negative_slope'), Hardtanh: unary('hardtanh', 'min_val', 'max_val'),
  Softplus: unary('softplus', 'beta', 'threshold'), Hardshrink: unary('hardshrink', 'lambd'), Softshrink: unary('softshrink', 'lambd'),
  PReLU: (call, x) => call.calls.add('prelu', [x, tensorOf(call, 'weight')], call.path),
  GELU: (call, x) => call.calls.add('gelu', [x], call.path, new Map([['approximate', setting(call, 'approximate')]])),
  Softmax: unary('softmax', 'dim'), LogSoftmax: unary('log_softmax', 'dim'),
  AvgPool1d: unary('avg_pool1d', 'kernel_size', 'stride', 'padding', 'ceil_mode', 'count_include_pad'),
  MaxPool1d: unary('max_pool1d', 'kernel_size', 'stride', 'padding', 'dilation', 'ceil_mode'),
  AdaptiveAvgPool1d: unary('adaptive_avg_pool1d', 'output_size'),
  ConstantPad1d: (call, x) => call.calls.add('pad', [x, setting(call, 'padding'), 'constant', setting(call, 'value')], call.path),
  ZeroPad1d: (call, x) => call.calls.add('pad', [x, setting(call, 'padding')], call.path),
  ReflectionPad1d: (call, x) => call.calls.add('pad', [x, setting(call, 'padding'), 'reflect'], call.path),
  ReplicationPad1d: (call, x) => call.calls.add('pad', [x, setting(call, 'padding'), 'replicate'], call.path),
  GroupNorm: (call, x) => call.calls.add('group_norm', [x, setting(call, 'num_groups'), tensorOf(call, 'weight'), tensorOf(call, 'bias'), setting(call, 'eps')], call.path),
  LSTMCell: cell(() => 'lstm_cell'), GRUCell: cell(() => 'gru_cell'),
  RNNCell: cell((call) => (setting(call, 'nonlinearity') === 'relu' ? 'rnn_relu_cell' : 'rnn_tanh_cell')),
  Flatten: unary('flatten', 'start_dim', 'end_dim'),
}

/** Whether a class is one of PyTorch's whose settings say what it computes. */
export function isKnown({ className }: TorchModule): boolean {
  return className.startsWith('torch.nn.') && Object.hasOwn(KINDS, className.split('.').at(-1) as string)
}

/** The calls of a module of torch.nn. @throws NotFollowed for others: their code is Python */
export function callKnown(call: ModuleCall): Arg {
  const { className } = call.module
  if (!isKnown(call.module)) throw new NotFollowed(`has the class ${className}${call.path === '' ? '' : ` at '${call.path}'`}, whose order only its Python code knows`)
  return (KINDS[className.split('.').at(-1) as string] as Kind)(call, call.args[0])
}
