"""Gradients of recurrent layers, by PyTorch in float64, and how far its float32 is from them.

torch.nn.LSTM, GRU and RNN where they can; cells written out step by step for what they have not (peepholes, the reset before the product, held masks, other
activations). Loss: the mean of the squared differences to targets. Writes test/golden/recurrent-gradients.safetensors; metadata `cases` has the options
of the layers API, `versions` what made them.

Usage: python test/python/golden_recurrent_gradients.py
"""
import json
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

torch.set_num_threads(1)
ROOT = pathlib.Path(__file__).parent.parent / 'golden'
FUNCTIONS = {
    'sigmoid': torch.sigmoid, 'tanh': torch.tanh, 'relu': torch.relu, 'softsign': torch.nn.functional.softsign, 'silu': torch.nn.functional.silu,
    'hardSigmoid': lambda x: torch.clamp(0.2 * x + 0.5, 0, 1), 'linear': lambda x: x,
}


def name_of(function):
    return function if isinstance(function, str) else function['name']


def lstm_step(x, h, c, w, options):
    gate, act = FUNCTIONS[name_of(options.get('recurrentActivation', 'sigmoid'))], FUNCTIONS[options.get('activation', 'tanh')]
    z = x @ w['weight_ih_l0'].T + h @ w['weight_hh_l0'].T + w['bias_ih_l0'] + w['bias_hh_l0']
    z = z.chunk(4, -1)
    bias = options.get('forgetBias', 0)
    if 'norm_gain_l0' in w:
        z = [normalised(x, w, n, options) for n, x in enumerate(z)]
    i, f, g, o = z
    f = f + bias
    p = w.get('peepholes_l0')
    if p is not None:
        pi, pf, po = p.chunk(3) if p.dim() == 1 else p
        i, f = i + pi * c, f + pf * c
    limit = options.get('clip')
    i, f, g = (clipped(x, limit) for x in (i, f, g))
    i, f = gate(i), gate(f)
    if options.get('coupling') == 'forgetIsOneMinusInput':
        f = 1 - i
    if options.get('coupling') == 'inputIsOneMinusForget':
        i = 1 - f
    c = f * c + i * act(g)
    if 'norm_gain_l0' in w:
        c = normalised(c, w, 4, options)
    c = clipped(c, options.get('cellClip'))
    if p is not None:
        o = o + po * c
    h = gate(clipped(o, limit)) * act(c)
    if 'weight_hr_l0' in w:
        h = clipped(h @ w['weight_hr_l0'].T, options.get('projClip'))
    return h, c


def clipped(x, limit):
    return x if limit is None else torch.clamp(x, -limit, limit)


def normalised(x, w, which, options):
    gain, shift = w['norm_gain_l0'][which], w['norm_shift_l0'][which]
    return torch.nn.functional.layer_norm(x, x.shape[-1:], gain, shift, options.get('normEpsilon', 1e-12))


def gru_step(x, h, c, w, options):
    gate, act = FUNCTIONS[name_of(options.get('recurrentActivation', 'sigmoid'))], FUNCTIONS[options.get('activation', 'tanh')]
    xr, xz, xn = (x @ w['weight_ih_l0'].T + w['bias_ih_l0']).chunk(3, -1)
    ur, uz, un = w['weight_hh_l0'].chunk(3)
    br, bz, bn = w['bias_hh_l0'].chunk(3)
    limit = options.get('clip')
    r, z = gate(clipped(xr + h @ ur.T + br, limit)), gate(clipped(xz + h @ uz.T + bz, limit))
    n = xn + r * (h @ un.T + bn) if options.get('resetAfter', True) else xn + (r * h) @ un.T + bn
    n = act(clipped(n, limit))
    return (1 - z) * n + z * h, c


def rnn_step(x, h, c, w, options):
    z = x @ w['weight_ih_l0'].T + h @ w['weight_hh_l0'].T + w['bias_ih_l0'] + w['bias_hh_l0']
    return FUNCTIONS[options.get('activation', 'tanh')](clipped(z, options.get('clip'))), c


STEPS = {'lstm': lstm_step, 'gru': gru_step, 'simpleRnn': rnn_step}
GATES = {'lstm': 4, 'gru': 3, 'simpleRnn': 1}


def run_loop(kind, x, w, options, mask, h0, c0):
    """One layer forwards, every step; masks hold state and output, or put out zeros."""
    h, c = h0, c0
    held = torch.zeros_like(h0)
    ys = []
    order = range(x.shape[1] - 1, -1, -1) if options.get('goBackwards') else range(x.shape[1])
    for t in order:
        nh, nc = STEPS[kind](x[:, t], h, c, w, options)
        if mask is not None:
            m = mask[:, t:t + 1].to(torch.bool)
            h, c = torch.where(m, nh, h), torch.where(m, nc, c)
            held = torch.where(m, nh, torch.zeros_like(nh) if options.get('maskRule') == 'zero' else held)
            ys.append(held)
        else:
            h, c = nh, nc
            ys.append(h)
    if options.get('zeroEmptyState'):
        h = torch.where(mask.any(1, keepdim=True), h, torch.zeros_like(h))
    return torch.stack(ys, 1), h, c


def make(rng, kind, sizes, options):
    batch, steps, features, hidden = sizes
    directions, layers = 2 if options.get('bidirectional') else 1, options.get('numLayers', 1)
    out = options.get('projSize', hidden)
    u = lambda *shape: rng.uniform(-1, 1, shape).astype(np.float32) * 0.6
    weights = {}
    for layer in range(layers):
        for d in range(directions):
            s = f'l{layer}' + ('_reverse' if d else '')
            weights[f'weight_ih_{s}'] = u(GATES[kind] * hidden, features if layer == 0 else directions * out)
            weights[f'weight_hh_{s}'] = u(GATES[kind] * hidden, out)
            weights[f'bias_ih_{s}'] = u(GATES[kind] * hidden)
            weights[f'bias_hh_{s}'] = u(GATES[kind] * hidden)
            if 'projSize' in options:
                weights[f'weight_hr_{s}'] = u(out, hidden)
    if options.get('peepholes'):
        weights['peepholes_l0'] = u(3 * hidden)
    if options.get('layerNorm'):
        weights['norm_gain_l0'] = 1 + u(5, hidden)
        weights['norm_shift_l0'] = u(5, hidden)
    data = {'x': u(batch, steps, features) * 2}
    width = directions * out
    data['target'] = u(batch, steps, width) if options.get('returnSequences') else u(batch, width)
    if options.get('lengths'):
        data['lengths'] = rng.integers(1, steps + 1, batch).astype(np.int32)
        data['lengths'][0] = steps
    if options.get('mask'):
        data['mask'] = (rng.random((batch, steps)) < 0.7).astype(np.uint8)
        data['mask'][:, steps // 2] = 1
        if options.get('zeroEmptyState'):
            data['mask'][1] = 0
    if options.get('initialState'):
        data['h0'] = u(layers * directions, batch, out)
        if kind == 'lstm':
            data['c0'] = u(layers * directions, batch, hidden)
    return weights, data


# What torch.nn has not.
LOOPED = ('peepholes', 'mask', 'activation', 'recurrentActivation', 'goBackwards', 'clip', 'cellClip', 'projClip', 'coupling', 'layerNorm', 'forgetBias')


def gradients(kind, sizes, options, weights, data, dtype):
    batch, steps, features, hidden = sizes
    w = {name: torch.tensor(value, dtype=dtype, requires_grad=True) for name, value in weights.items()}
    x = torch.tensor(data['x'], dtype=dtype)
    target = torch.tensor(data['target'], dtype=dtype)
    needs_loop = any(name in options for name in LOOPED) or options.get('resetAfter') is False
    out = options.get('projSize', hidden)
    if needs_loop:
        mask = torch.tensor(data['mask']) if 'mask' in data else None
        zeros = torch.zeros(batch, out, dtype=dtype), torch.zeros(batch, hidden, dtype=dtype)
        h0 = torch.tensor(data['h0'][0], dtype=dtype) if 'h0' in data else zeros[0]
        c0 = torch.tensor(data['c0'][0], dtype=dtype) if 'c0' in data else zeros[1]
        y, h, _ = run_loop(kind, x, w, options, mask, h0, c0)
        result = y if options.get('returnSequences') else h
    else:
        module = {'lstm': torch.nn.LSTM, 'gru': torch.nn.GRU, 'simpleRnn': torch.nn.RNN}[kind]
        more = {'proj_size': options['projSize']} if 'projSize' in options else {}
        layer = module(features, hidden, options.get('numLayers', 1), batch_first=True, bidirectional=bool(options.get('bidirectional')), **more).to(dtype)
        for name, value in w.items():
            getattr(layer, name).data.copy_(value.detach())
        states = None
        if 'h0' in data:
            states = torch.tensor(data['h0'], dtype=dtype)
            if kind == 'lstm':
                states = (states, torch.tensor(data['c0'], dtype=dtype))
        if 'lengths' in data:
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(data['lengths'].astype(np.int64)), batch_first=True, enforce_sorted=False)
            y, last = layer(packed, states)
            y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=steps)
        else:
            y, last = layer(x, states)
        h = last[0] if kind == 'lstm' else last
        directions = 2 if options.get('bidirectional') else 1
        result = y if options.get('returnSequences') else torch.cat(list(h[-directions:]), -1)
        w = dict(layer.named_parameters())
    loss = ((result - target) ** 2).mean()
    loss.backward()
    return loss.item(), {name: w[name].grad.numpy().astype(np.float64) for name in weights}


CASES = [
    ('lstm', 'lstm', (5, 7, 3, 9), {'returnSequences': True}),
    ('lstm of the last step', 'lstm', (4, 6, 5, 8), {}),
    ('lstm of one feature and one unit', 'lstm', (3, 5, 1, 1), {'returnSequences': True}),
    ('lstm in groups of rows', 'lstm', (37, 4, 1, 6), {'returnSequences': True}),
    ('lstm in both directions, two layers', 'lstm', (3, 5, 4, 6), {'returnSequences': True, 'bidirectional': True, 'numLayers': 2}),
    ('lstm in both directions, the last steps', 'lstm', (3, 5, 4, 7), {'bidirectional': True}),
    ('lstm with a projection', 'lstm', (4, 5, 3, 10), {'returnSequences': True, 'projSize': 3, 'numLayers': 2}),
    ('lstm with initial states', 'lstm', (4, 5, 3, 5), {'returnSequences': True, 'initialState': True, 'numLayers': 2}),
    ('lstm with lengths', 'lstm', (5, 6, 3, 7), {'returnSequences': True, 'lengths': True, 'bidirectional': True}),
    ('lstm with a held mask', 'lstm', (5, 6, 3, 7), {'returnSequences': True, 'mask': True}),
    ('lstm with a mask of zeros and a projection', 'lstm', (5, 6, 3, 7), {'returnSequences': True, 'mask': True, 'maskRule': 'zero', 'projSize': 4}),
    ('lstm with peepholes', 'lstm', (4, 6, 3, 7), {'returnSequences': True, 'peepholes': True}),
    ('lstm with other functions', 'lstm', (4, 6, 3, 6), {'returnSequences': True, 'activation': 'softsign', 'recurrentActivation': {'name': 'hardSigmoid', 'keras': 2}}),
    ('lstm backwards', 'lstm', (4, 6, 3, 6), {'returnSequences': True, 'goBackwards': True}),
    ('lstm of 150 terms', 'lstm', (2, 3, 150, 33), {'returnSequences': True}),
    ('gru', 'gru', (5, 7, 3, 9), {'returnSequences': True}),
    ('gru of the last step, with initial states', 'gru', (4, 6, 5, 8), {'initialState': True}),
    ('gru in both directions, two layers', 'gru', (3, 5, 4, 6), {'returnSequences': True, 'bidirectional': True, 'numLayers': 2}),
    ('gru with lengths', 'gru', (5, 6, 3, 7), {'returnSequences': True, 'lengths': True}),
    ('gru with the reset before the product', 'gru', (5, 6, 3, 7), {'returnSequences': True, 'resetAfter': False}),
    ('gru with the reset before, a held mask and initial states', 'gru', (5, 6, 3, 7),
     {'returnSequences': True, 'resetAfter': False, 'mask': True, 'initialState': True}),
    ('gru with other functions', 'gru', (4, 6, 3, 6), {'returnSequences': True, 'activation': 'silu', 'recurrentActivation': {'name': 'hardSigmoid', 'keras': 2}}),
    ('gru in groups of rows', 'gru', (35, 4, 1, 5), {}),
    ('rnn', 'simpleRnn', (5, 7, 3, 9), {'returnSequences': True}),
    ('rnn in both directions, two layers', 'simpleRnn', (3, 5, 4, 6), {'bidirectional': True, 'numLayers': 2}),
    ('rnn of relu, with a held mask', 'simpleRnn', (4, 6, 3, 7), {'returnSequences': True, 'activation': 'relu', 'mask': True}),
    ('rnn with lengths', 'simpleRnn', (4, 6, 3, 7), {'returnSequences': True, 'lengths': True}),
    ('lstm with clip', 'lstm', (4, 7, 3, 9), {'returnSequences': True, 'clip': 0.6}),
    ('lstm with clip, peepholes, a mask and initial states', 'lstm', (5, 6, 3, 7),
     {'returnSequences': True, 'clip': 0.5, 'peepholes': True, 'mask': True, 'initialState': True}),
    ('lstm with cellClip', 'lstm', (4, 7, 3, 9), {'returnSequences': True, 'cellClip': 0.25, 'peepholes': True}),
    ('lstm with projClip and a held mask', 'lstm', (5, 6, 3, 10), {'returnSequences': True, 'projSize': 5, 'projClip': 0.1, 'mask': True}),
    ('lstm with a forget gate that is one minus the input gate', 'lstm', (4, 6, 3, 7),
     {'returnSequences': True, 'coupling': 'forgetIsOneMinusInput', 'peepholes': True}),
    ('lstm with an input gate that is one minus the forget gate, and clip', 'lstm', (4, 6, 3, 7),
     {'returnSequences': True, 'coupling': 'inputIsOneMinusForget', 'clip': 0.7, 'forgetBias': 1}),
    ('lstm with layer normalisation', 'lstm', (4, 6, 3, 9), {'returnSequences': True, 'layerNorm': True, 'forgetBias': 1, 'normEpsilon': 1e-3}),
    ('lstm with layer normalisation, in groups of rows', 'lstm', (37, 3, 2, 5), {'layerNorm': True}),
    ('lstm with every option', 'lstm', (5, 6, 3, 7),
     {'returnSequences': True, 'layerNorm': True, 'peepholes': True, 'clip': 1.2, 'cellClip': 0.8, 'projSize': 3, 'projClip': 0.4,
      'coupling': 'forgetIsOneMinusInput', 'mask': True, 'maskRule': 'zero', 'activation': 'softsign'}),
    ('lstm with zeroEmptyState', 'lstm', (4, 6, 3, 7), {'mask': True, 'maskRule': 'zero', 'initialState': True, 'zeroEmptyState': True}),
    ('gru with clip', 'gru', (4, 6, 3, 7), {'returnSequences': True, 'clip': 0.5}),
    ('gru with clip and the reset before the product', 'gru', (4, 6, 3, 7), {'returnSequences': True, 'clip': 0.5, 'resetAfter': False}),
    ('rnn with clip', 'simpleRnn', (4, 6, 3, 7), {'returnSequences': True, 'clip': 0.5}),
]


def main():
    rng = np.random.default_rng(20261128)
    tensors, cases = {}, []
    for name, kind, sizes, options in CASES:
        weights, data = make(rng, kind, sizes, options)
        loss, exact = gradients(kind, sizes, options, weights, data, torch.float64)
        _, single = gradients(kind, sizes, options, weights, data, torch.float32)
        errors = {}
        for weight, value in weights.items():
            tensors[f'{name}/weight/{weight}'] = value
            tensors[f'{name}/gradient/{weight}'] = exact[weight].astype(np.float32)
            errors[weight] = float(np.abs(single[weight] - exact[weight]).max() / np.abs(exact[weight]).max())
        for key, value in data.items():
            tensors[f'{name}/data/{key}'] = value
        cases.append({'name': name, 'kind': kind, 'hiddenSize': sizes[3], 'options': options, 'loss': loss, 'float32': errors})
    versions = {'torch': torch.__version__, 'numpy': np.__version__}
    save_file(tensors, ROOT / 'recurrent-gradients.safetensors', {'cases': json.dumps(cases), 'versions': json.dumps(versions)})
    print(len(cases), 'cases', versions)


main()
