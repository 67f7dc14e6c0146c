"""Small Keras files of kinds that are easily read wrongly, each with its input and Keras's own output (io.json).

Those of test/golden/keras-files are some of them.

    python golden_keras_files.py OUT        needs keras 3.15.1 with tensorflow 2.21, h5py (k3_zero_* and k3_lora_embedding_*: with torch)
    TF_USE_LEGACY_KERAS=1 python golden_keras_files.py OUT        needs tf_keras 2.21: the cases of Keras 2
    TF_USE_LEGACY_KERAS=gru python golden_keras_files.py OUT        needs tensorflow 2.15 with its keras: GRUs in the layout of cuDNN
"""
import io, json, os, shutil, sys, zipfile
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = ''
import h5py
import numpy as np

chosen = os.environ.get('TF_USE_LEGACY_KERAS')
legacy = chosen == '1'
if legacy:
    import tensorflow as tf
    import tf_keras as keras
else:
    import keras
K = keras.layers
out = sys.argv[1]
os.makedirs(out, exist_ok=True)
cases = {}


def record(file, x, y):
    cases[file] = {'shape': list(x.shape), 'dtype': str(x.dtype), 'x': x.ravel().tolist(), 'yShape': list(y.shape), 'y': np.asarray(y).ravel().tolist()}


def save(name, model, x, kinds):
    rng = np.random.default_rng(3)
    for weight in model.weights:
        if 'seed' not in weight.name:
            weight.assign(rng.normal(size=weight.shape) * 0.5)
    for kind in kinds:
        file = f'{name}.{kind}'
        model.save(f'{out}/{file}')
        record(file, x, np.asarray(model(x, training=False)))


def keras2():
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype('float32')
    i = K.Input((4, 3))
    a, b = K.LSTM(5, return_sequences=True)(i), K.LSTM(5, return_sequences=True, go_backwards=True)(i)
    save('k2_concat_axis1', keras.Model(i, K.Dense(2)(K.GlobalAveragePooling1D()(tf.concat([a, b], axis=1)))), x, ['h5', 'keras'])
    i = K.Input((4, 3))
    save('k2_last_step_slice', keras.Model(i, K.Dense(2)(K.LSTM(5, return_sequences=True)(i)[:, -1])), x, ['h5', 'keras'])
    i = K.Input((4, 3))
    save('k2_reduce_mean_axes', keras.Model(i, tf.reduce_mean(K.LSTM(5, return_sequences=True)(i), axis=[1, 2])), x, ['h5'])
    ids = np.array([[3, 4, 0, 0, 0, 0], [1, 5, 2, 0, 0, 0]], 'int32')
    i = K.Input((6,), dtype='int32')
    save('k2_fixed_batch', keras.Sequential([K.LSTM(4, batch_input_shape=(8, 5, 3)), K.Dense(2)]), np.zeros((8, 5, 3), 'float32'), ['h5'])
    # Keras runs any number of rows: the same file, three rows
    three = np.random.default_rng(5).normal(size=(3, 5, 3)).astype('float32')
    model = keras.models.load_model(f'{out}/k2_fixed_batch.h5', compile=False)
    record('k2_fixed_batch.h5', three, np.asarray(model(three)))
    # the layout of CuDNNLSTM: kernels by columns, recurrent gates transposed, two biases; as class LSTM (Keras converts) and CuDNNLSTM
    model = keras.Sequential([K.LSTM(4, input_shape=(6, 3), name='lstm', return_sequences=True), K.Dense(2, name='dense')])
    x6 = np.random.default_rng(2).normal(size=(2, 6, 3)).astype('float32')
    save('k2_cudnn_plain', model, x6, ['h5'])
    for name, cls in (('k2_cudnn_8u.h5', 'LSTM'), ('k2_cudnn_class.h5', 'CuDNNLSTM')):
        shutil.copy(f'{out}/k2_cudnn_plain.h5', f'{out}/{name}')
        with h5py.File(f'{out}/{name}', 'r+') as f:
            w = f['model_weights/lstm/lstm']
            w = w if 'kernel:0' in w else w[list(w.keys())[0]]
            k, r, b = (w[n][()] for n in ('kernel:0', 'recurrent_kernel:0', 'bias:0'))
            new = {'kernel:0': np.hstack([a.T.reshape(a.shape) for a in np.hsplit(k, 4)]), 'recurrent_kernel:0': np.hstack([a.T for a in np.hsplit(r, 4)]), 'bias:0': np.concatenate([b * 0.25, b * 0.75])}
            for n, a in new.items():
                del w[n]
                w[n] = a.astype('float32')
            config = json.loads(f.attrs['model_config'])
            for layer in config['config']['layers']:
                if layer['class_name'] == 'LSTM' and cls != 'LSTM':
                    layer['class_name'] = cls
                    for q in ('activation', 'recurrent_activation', 'use_bias', 'dropout', 'recurrent_dropout', 'implementation', 'unroll'):
                        layer['config'].pop(q, None)
            f.attrs['model_config'] = json.dumps(config)
        record(name, x6, np.asarray(model(x6)))


def keras3():
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype('float32')
    masked = np.random.default_rng(0).normal(size=(1, 3, 2)).astype('float32')
    masked[0, 1] = 0
    for layer in ('Multiply', 'Maximum', 'Minimum'):
        for both in (False, True):
            for reader in ('flat', 'lstm'):
                i = K.Input((3, 2))
                m = K.Masking()(i)
                a, b = K.LSTM(4, return_sequences=True)(m), K.LSTM(4, return_sequences=True)(m if both else i)
                merged = getattr(K, layer)()([a, b])
                save(f'k3_{layer.lower()}_{"both" if both else "one"}_masked_{reader}', keras.Model(i, K.Flatten()(merged) if reader == 'flat' else K.LSTM(3)(merged)), masked, ['keras'])
    i = K.Input((4, 3))
    d = K.Dense(2)
    m = keras.Model(i, d(K.LSTM(8)(i)))
    d.enable_lora(2)
    save('k3_lora', m, x, ['keras', 'h5'])
    i = K.Input((4,), dtype='int32')
    e, c = K.Embedding(7, 3), K.Conv1D(3, 2)
    m = keras.Model(i, K.LSTM(3)(c(e(i))))
    e.enable_lora(2)
    c.enable_lora(2, lora_alpha=3)
    save('k3_lora_embedding_conv1d', m, np.array([[3, 4, 0, 6], [1, 5, 2, 2]], 'int32'), ['keras', 'h5'])
    i = K.Input((4, 3))
    m = keras.Model(i, K.Dense(2)(K.LSTM(8)(i)))
    m.quantize('float8')
    save('k3_float8', m, x, ['keras'])
    i = K.Input((4, 3))
    save('k3_spatial_dropout', keras.Model(i, K.LSTM(2)(K.SpatialDropout1D(0.2)(i))), x, ['h5', 'keras'])
    i = K.Input((4, 3))
    save('k3_last_step_slice', keras.Model(i, K.Dense(2)(K.LSTM(5, return_sequences=True)(i)[:, -1])), x, ['keras'])
    i = K.Input((4, 3))
    save('k3_gru', keras.Model(i, K.Dense(2)(K.GRU(5)(i))), x, ['keras', 'h5'])
    i = K.Input((4, 3))
    save('k3_gru_reset_before', keras.Model(i, K.Dense(2)(K.GRU(5, reset_after=False)(i))), x, ['keras'])
    i = K.Input((4, 3))
    save('k3_simple_rnn', keras.Model(i, K.Dense(2)(K.SimpleRNN(5)(i))), x, ['keras'])
    # the last steps are masked: what is put out without sequences is the last of zeroed outputs, but in both directions, where Keras zeroes
    # those of sequences only; in the second row the first steps are masked too
    ends = np.random.default_rng(4).normal(size=(2, 6, 3)).astype('float32')
    ends[:, 4:] = 0
    ends[1, :2] = 0
    zero = {'zero_output_for_mask': True}
    for name, make in {
        'zero_last': lambda: K.LSTM(4, **zero),
        'zero_last_backwards': lambda: K.LSTM(4, go_backwards=True, **zero),
        'zero_last_bidirectional': lambda: K.Bidirectional(K.LSTM(4, **zero)),
        'zero_last_bidirectional_sum': lambda: K.Bidirectional(K.LSTM(4, **zero), merge_mode='sum'),
    }.items():
        i = K.Input((6, 3))
        save(f'k3_{name}', keras.Model(i, make()(K.Masking()(i))), ends, ['keras'])
    # written on Windows by Keras 2.13 to 2.15: HDF5 names with backslashes
    m = keras.Sequential([keras.Input((4, 3)), K.LSTM(3, name='lstm_a'), K.Dense(1, name='d')])
    save('k3_linux', m, x, ['keras'])
    z = zipfile.ZipFile(f'{out}/k3_linux.keras')
    source, buffer = h5py.File(io.BytesIO(z.read('model.weights.h5'))), io.BytesIO()
    target = h5py.File(buffer, 'w')

    def copy(name, item):
        if hasattr(item, 'shape') and name.startswith('layers/'):
            parts = name.split('/')
            at = parts.index('vars')
            target['\\'.join(parts[:at]) + '/' + '/'.join(parts[at:])] = item[()]
    source.visititems(copy)
    target.close()
    with zipfile.ZipFile(f'{out}/k3_windows.keras', 'w') as o:
        for n in z.namelist():
            o.writestr(n, buffer.getvalue() if n == 'model.weights.h5' else z.read(n))
    record('k3_windows.keras', x, np.asarray(m(x)))


def keras2_gru():
    """CuDNNGRU's layout, gate by gate as that of CuDNNLSTM, with one list of two biases: as class GRU, which Keras converts, and CuDNNGRU."""
    model = keras.Sequential([K.GRU(4, input_shape=(6, 3), name='gru', return_sequences=True), K.Dense(2, name='dense')])
    x = np.random.default_rng(2).normal(size=(2, 6, 3)).astype('float32')
    save('k2_gru_plain', model, x, ['h5'])
    for name, cls in (('k2_gru_cudnn_6u.h5', 'GRU'), ('k2_gru_cudnn_class.h5', 'CuDNNGRU')):
        shutil.copy(f'{out}/k2_gru_plain.h5', f'{out}/{name}')
        with h5py.File(f'{out}/{name}', 'r+') as f:
            w = f['model_weights/gru/gru/gru_cell']
            k, r, b = (w[n][()] for n in ('kernel:0', 'recurrent_kernel:0', 'bias:0'))
            new = {'kernel:0': np.hstack([a.T.reshape(a.shape) for a in np.hsplit(k, 3)]), 'recurrent_kernel:0': np.hstack([a.T for a in np.hsplit(r, 3)]), 'bias:0': b.ravel()}
            for n, a in new.items():
                del w[n]
                w[n] = a.astype('float32')
            config = json.loads(f.attrs['model_config'])
            for layer in config['config']['layers']:
                if layer['class_name'] == 'GRU' and cls != 'GRU':
                    layer['class_name'] = cls
                    for q in ('activation', 'recurrent_activation', 'use_bias', 'dropout', 'recurrent_dropout', 'implementation', 'unroll', 'reset_after'):
                        layer['config'].pop(q, None)
            f.attrs['model_config'] = json.dumps(config)
        y = np.asarray(model(x))
        if cls == 'GRU':
            assert np.abs(np.asarray(keras.models.load_model(f'{out}/{name}', compile=False)(x)) - y).max() < 1e-6
        record(name, x, y)


(keras2_gru if chosen == 'gru' else keras2 if legacy else keras3)()
path = f'{out}/io.json'
old = json.load(open(path)) if os.path.exists(path) else {}
json.dump({**old, **cases}, open(path, 'w'))
print(len(cases), 'files')  # k3_float8.keras is to be refused: io.json says so under 'refuse'
