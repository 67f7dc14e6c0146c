"""State dicts and TensorFlow 1 variables whose messages show lines to paste, with the outputs of the networks they come from.

    python test/python/golden_lines.py        (torch 2.13.0, safetensors 0.8.0, numpy)

Writes test/golden/lines: {name}.safetensors and {name}.pt for every entry of DICTS, {name}.npz for the variables, and cases.json, which
has input and output [batch, timesteps, ...] under the name of a file where the tensors can only mean one network.
"""
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

OUT = Path(__file__).parent.parent / 'golden' / 'lines'
BATCH, TIMESTEPS = 2, 5
B = dict(batch_first=True)
torch.manual_seed(0)


class CellLoop(nn.LSTMCell):
    """A cell over all timesteps, from zeros."""

    def forward(self, x):
        state, outputs = None, []
        for t in range(x.shape[1]):
            state = super().forward(x[:, t], state)
            outputs.append(state[0])
        return torch.stack(outputs, 1)


class Own(nn.LSTM):
    """An LSTM with a layer of its own: the LSTM's tensors have no prefix."""

    def __init__(self):
        super().__init__(3, 4, **B)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(super().forward(x)[0])


DICTS = {
    'embedding_lstm_linear': dict(embed=nn.Embedding(11, 3), lstm=nn.LSTM(3, 5, 2, **B), fc=nn.Linear(5, 11)),
    'table_lstm_linear': dict(tok=nn.Embedding(11, 3), lstm=nn.LSTM(3, 5, **B), fc=nn.Linear(5, 11)),
    'linear_lstm_linear': dict(a_in=nn.Linear(3, 6), b_lstm=nn.LSTM(6, 4, **B), c_out=nn.Linear(4, 2)),
    'order_pre_lstm_fc': dict(pre=nn.Linear(3, 3), lstm=nn.LSTM(3, 3, **B), fc=nn.Linear(3, 2)),
    'bidirectional_linear': dict(a=nn.LSTM(3, 4, bidirectional=True, **B), b=nn.Linear(8, 2)),
    'lstm_lstm': dict(a=nn.LSTM(3, 4, **B), b=nn.LSTM(4, 5, **B)),
    'projected_linear': dict(a=nn.LSTM(3, 4, proj_size=2, **B), b=nn.Linear(2, 3)),
    'no_bias': dict(a=nn.LSTM(3, 4, bias=False, **B), b=nn.Linear(4, 2, bias=False)),
    'cell_linear': dict(a=CellLoop(3, 4), b=nn.Linear(4, 2)),
    'two_cells': dict(a=CellLoop(3, 4), b=CellLoop(4, 4, bias=False)),
    'own': Own(),
    'linears': dict(a=nn.Linear(3, 4), b=nn.Linear(4, 2)),
}
GAPS = {
    'gap_in_sequential': dict(lstm=nn.LSTM(3, 4, **B), head=nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))),
    'gap_first': nn.Sequential(nn.ReLU(), nn.Linear(3, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)),
}
LOOSE = {'tensor_of_no_layer': dict(lstm=nn.LSTM(3, 4, **B), fc=nn.Linear(4, 2), scale=nn.ParameterDict({'w': torch.ones(1, 1, 4)}))}
FOREIGN = {
    'lstm_batchnorm_linear': dict(a=nn.LSTM(3, 4, **B), b=nn.BatchNorm1d(4), c=nn.Linear(4, 2)),
    'lstm_layernorm_linear': dict(a=nn.LSTM(3, 4, **B), b=nn.LayerNorm(4), c=nn.Linear(4, 2)),
    'conv_lstm_linear': dict(a=nn.Conv1d(3, 3, 3, padding=1), b=nn.LSTM(3, 4, **B), c=nn.Linear(4, 2)),
    'gru_linear': dict(a=nn.GRU(3, 4, **B), b=nn.Linear(4, 2)),
    'attention': dict(a=nn.LSTM(3, 4, **B), b=nn.MultiheadAttention(4, 2)),
    'two_heads': dict(lstm=nn.LSTM(3, 4, **B), policy=nn.Linear(4, 2), value=nn.Linear(4, 1)),
}
cases = {}


def save(name, module):
    module = module if isinstance(module, nn.Module) else nn.ModuleDict(module)
    state = module.eval().state_dict()
    save_file(state, OUT / f'{name}.safetensors')
    torch.save(state, OUT / f'{name}.pt')


def case(files, x, y):
    for file in files:
        cases[file] = {'x': np.asarray(x).tolist(), 'y': np.asarray(y).tolist()}


def run(name, modules):
    parts = [modules] if isinstance(modules, nn.Module) else list(modules.values())
    first = parts[0]
    if isinstance(first, nn.Embedding):
        x = torch.randint(0, first.num_embeddings, (BATCH, TIMESTEPS))
    else:
        features = first.in_features if isinstance(first, nn.Linear) else first.in_channels if isinstance(first, nn.Conv1d) else first.input_size
        x = torch.randn(*((BATCH, features) if name == 'linears' else (BATCH, TIMESTEPS, features)))
    y = x
    for part in parts:
        y = part(y)
        y = y[0] if isinstance(y, tuple) else y
    case([f'{name}.safetensors', f'{name}.pt'], x, y.detach())


OUT.mkdir(exist_ok=True)
for name, module in {**DICTS, **GAPS, **LOOSE, **FOREIGN}.items():
    save(name, module)

class GruLoop(nn.GRUCell):
    """A cell over all timesteps, from zeros."""

    def forward(self, x):
        state, outputs = None, []
        for t in range(x.shape[1]):
            state = super().forward(x[:, t], state)
            outputs.append(state)
        return torch.stack(outputs, 1)


with torch.no_grad():
    for name, module in DICTS.items():
        run(name, module)
    run('gru_linear', FOREIGN['gru_linear'])
    GRUS = {
        'gru_bidirectional_linear': dict(a=nn.GRU(3, 4, 2, bidirectional=True, **B), b=nn.Linear(8, 2)),
        'gru_cell_linear': dict(a=GruLoop(3, 4), b=nn.Linear(4, 2)),
        'rnn_gru_lstm': dict(a=nn.RNN(3, 4, bias=False, **B), b=nn.GRU(4, 5, **B), c=nn.LSTM(5, 2, **B)),
    }
    for name, module in GRUS.items():
        save(name, module)
        run(name, module)


class ConvOverTime(nn.Conv1d):
    """A convolution of [batch, timesteps, features]."""

    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class NormOverTime(nn.BatchNorm1d):
    """A batch normalisation of [batch, timesteps, features]."""

    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


with torch.no_grad():
    run('lstm_layernorm_linear', FOREIGN['lstm_layernorm_linear'])
    CONVOLUTIONS = {
        'conv_norm_gru_linear': dict(a=ConvOverTime(3, 5, 3), b=NormOverTime(5), c=nn.GRU(5, 4, **B), d=nn.LayerNorm(4), e=nn.Linear(4, 2)),
        'depthwise_lstm': dict(a=ConvOverTime(3, 6, 2), b=ConvOverTime(6, 6, 3, groups=6, bias=False), c=nn.LSTM(6, 4, **B)),
        'norm_conv': dict(a=NormOverTime(3, affine=False), b=ConvOverTime(3, 2, 4)),
        'norm_anywhere': dict(a=nn.LSTM(4, 4, **B), b=nn.LayerNorm(4), c=nn.Linear(4, 2)),
    }
    for name, module in CONVOLUTIONS.items():
        for part in module.values():
            if isinstance(part, nn.BatchNorm1d):
                part.running_mean.uniform_(-1, 1)
                part.running_var.uniform_(0.3, 2)
        save(name, module)
        if name == 'norm_conv':
            x = torch.randn(BATCH, TIMESTEPS, 3)
            case([f'{name}.safetensors', f'{name}.pt'], x, module['b'](module['a'](x)).detach())
        else:
            run(name, module)
del cases['norm_anywhere.safetensors']

rng = np.random.default_rng(0)
f = lambda *shape: (rng.standard_normal(shape) * 0.5).astype('f4')
sigmoid = lambda x: 1 / (1 + np.exp(-x))


def cell(x, v, scope, backward=False):
    """TensorFlow 1's BasicLSTMCell and LSTMCell with a forget bias of 1, in float64: gates i, j, f, o."""
    v = {key[len(scope) + 1:]: np.float64(value) for key, value in v.items() if key.startswith(scope + '/')}
    units = len(v['bias']) // 4
    c = np.zeros((BATCH, units))
    h = np.zeros((BATCH, v['projection/kernel'].shape[1] if 'projection/kernel' in v else units))
    outputs = []
    for t in range(TIMESTEPS)[:: -1 if backward else 1]:
        i, j, g, o = np.split(np.concatenate([x[:, t], h], 1) @ v['kernel'] + v['bias'], 4, 1)
        peep = lambda name, state: v[f'w_{name}_diag'] * state if f'w_{name}_diag' in v else 0
        c = sigmoid(g + 1 + peep('f', c)) * c + sigmoid(i + peep('i', c)) * np.tanh(j)
        h = sigmoid(o + peep('o', c)) * np.tanh(c)
        if 'projection/kernel' in v:
            h = h @ v['projection/kernel']
        outputs.append(h)
    return np.stack(outputs[:: -1 if backward else 1], 1)


BASIC = 'rnn/basic_lstm_cell'
weights = lambda scope, rows, units=3: {f'{scope}/kernel': f(rows, 4 * units), f'{scope}/bias': f(4 * units)}
STACK = [f'rnn/multi_rnn_cell/cell_{n}/basic_lstm_cell' for n in (0, 1)]
SIDES = [f'bidirectional_rnn/{side}/basic_lstm_cell' for side in ('fw', 'bw')]
variables = {
    'tf1_cell_dense': ({**weights(BASIC, 7), 'w': f(3, 2), 'b': f(2)}, lambda x, v: cell(x, v, BASIC) @ v['w'] + v['b']),
    'tf1_peepholes_dense': (
        {**weights('rnn/lstm_cell', 7), **{f'rnn/lstm_cell/w_{g}_diag': f(3) for g in 'fio'}, 'w': f(3, 2), 'b': f(2)},
        lambda x, v: cell(x, v, 'rnn/lstm_cell') @ v['w'] + v['b']),
    'tf1_projection_dense': (
        {**weights('rnn/lstm_cell', 6), 'rnn/lstm_cell/projection/kernel': f(3, 2), 'w': f(2, 4), 'b': f(4)},
        lambda x, v: cell(x, v, 'rnn/lstm_cell') @ v['w'] + v['b']),
    'tf1_embedding_stack_dense': (
        {'embedding': f(10, 4), **weights(STACK[0], 7), **weights(STACK[1], 6), 'softmax_w': f(3, 10), 'softmax_b': f(10)},
        lambda x, v: cell(cell(v['embedding'][x], v, STACK[0]), v, STACK[1]) @ v['softmax_w'] + v['softmax_b']),
    'tf1_bidirectional_dense': (
        {**weights(SIDES[0], 7), **weights(SIDES[1], 7), 'w': f(6, 2), 'b': f(2)},
        lambda x, v: np.concatenate([cell(x, v, SIDES[0]), cell(x, v, SIDES[1], True)], 2) @ v['w'] + v['b']),
    'tf1_dense_cell_dense': (
        {'in/kernel': f(5, 4), 'in/bias': f(4), **weights(BASIC, 7), 'out/kernel': f(3, 2), 'out/bias': f(2)},
        lambda x, v: cell(x @ v['in/kernel'] + v['in/bias'], v, BASIC) @ v['out/kernel'] + v['out/bias']),
    # As in the tutorials of the time: the weights of the output are made first, and biases stand apart.
    'tf1_output_first': (
        {'Variable': f(3, 2), 'Variable_1': f(2), **weights(BASIC, 7)}, lambda x, v: cell(x, v, BASIC) @ v['Variable'] + v['Variable_1']),
    'tf1_layer_norm_dense': (
        {'rnn/layer_norm_basic_lstm_cell/kernel': f(7, 12), 'w': f(3, 2),
         **{f'rnn/layer_norm_basic_lstm_cell/{gate}/{part}': f(3) for gate in ('input', 'transform', 'forget', 'output', 'state') for part in ('gamma', 'beta')}},
        None),
    'tf1_two_deep_both_ways': (
        {**{k: w for side in ('fw', 'bw') for n, rows in ((0, 7), (1, 6))
            for k, w in weights(f'bidirectional_rnn/{side}/multi_rnn_cell/cell_{n}/basic_lstm_cell', rows).items()}, 'w': f(6, 2), 'b': f(2)},
        None),
}
for name, (tensors, network) in variables.items():
    np.savez(OUT / f'{name}.npz', **tensors)
    if network is not None:
        x = rng.integers(0, 10, (BATCH, TIMESTEPS)) if 'embedding' in name else f(BATCH, TIMESTEPS, 5 if name == 'tf1_dense_cell_dense' else 4)
        case([f'{name}.npz'], x, network(x, {key: np.float64(value) for key, value in tensors.items()}))
(OUT / 'cases.json').write_text(json.dumps(cases).replace('"}, "', '"},\n"') + '\n')
print(len(cases), 'cases')
