"""What onnxruntime makes of the Silero VAD models that the npm package @ricky0123/vad-web carries.

python test/python/golden_silero.py, from the project's root, after npm ci. Needs onnxruntime, numpy and safetensors,
and torch for the generator of golden_lstm.py. The audio is not stored: it is made from seeds, see `samples`.

Writes test/golden/silero.safetensors: `{model}/probs` float32 [FRAMES] and `{model}/state` float32 [2, 1, 128] after the
last frame; the metadata says the versions.
"""

import json
import platform
from pathlib import Path

import numpy as np
import onnxruntime
import safetensors
from safetensors.numpy import save_file

from golden_lstm import pseudo_random

MODELS = ('silero_vad_v5', 'silero_vad_v6')
PACKAGE = Path('node_modules/@ricky0123/vad-web/dist')
SAMPLE_RATE = 16000
CONTEXT = 64
FRAME = 512
FRAMES = 24


def samples():
    """float32 [CONTEXT + FRAMES * FRAME]: noise whose loudness changes every frame, so that the state matters."""
    noise = pseudo_random(1, (CONTEXT + FRAMES * FRAME,), 1.0).numpy()
    loudness = np.repeat(pseudo_random(2, (FRAMES + 1,), 0.5).numpy(), FRAME)[:noise.size]
    return (noise * loudness).astype(np.float32)


def run(name):
    """The probability of speech in every frame, and the last state."""
    session = onnxruntime.InferenceSession(str(PACKAGE / f'{name}.onnx'), providers=['CPUExecutionProvider'])
    audio = samples()
    state = np.zeros((2, 1, 128), np.float32)
    probs = []
    for frame in range(FRAMES):
        window = audio[frame * FRAME:frame * FRAME + CONTEXT + FRAME][None]
        prob, state = session.run(None, {'input': window, 'state': state, 'sr': np.array(SAMPLE_RATE, np.int64)})
        probs.append(prob[0, 0])
    return np.array(probs, np.float32), state


def main():
    tensors = {}
    for name in MODELS:
        tensors[f'{name}/probs'], tensors[f'{name}/state'] = run(name)
        print(name, tensors[f'{name}/probs'])
    versions = {
        'python': platform.python_version(), 'numpy': np.__version__, 'onnxruntime': onnxruntime.__version__,
        'safetensors': safetensors.__version__,
    }
    save_file(tensors, 'test/golden/silero.safetensors', metadata={'versions': json.dumps(versions)})


if __name__ == '__main__':
    main()
