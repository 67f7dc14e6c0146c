"""Writes test/golden/foreign/: files that are no models for this library, and are told what they are.

    pip install torch==2.13.0                  # optimiser.pt, exported.pt2
    pip install tensorflow-cpu==2.15.1         # checkpoint-1.index, saved_model.pb, frozen.pb, model.tflite
    python test/python/foreign_files.py
"""
import os
import sys

FOLDER = os.path.join(os.path.dirname(__file__), '..', 'golden', 'foreign')


def write_torch():
    import torch

    torch.manual_seed(1)

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(3, 5)
            self.fc = torch.nn.Linear(5, 2)

        def forward(self, x):
            return self.fc(self.lstm(x)[0])

    model = Model()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.zeros(2, 1, 3)).sum().backward()
    optimiser.step()
    torch.save(optimiser.state_dict(), 'optimiser.pt')
    torch.export.save(torch.export.export(model, (torch.zeros(2, 1, 3),)), 'exported.pt2')


def write_tensorflow():
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential([tf.keras.layers.Input((4, 3)), tf.keras.layers.Dense(2)])
    tf.train.Checkpoint(model=model).save('checkpoint')
    os.remove('checkpoint')
    run = tf.function(model).get_concrete_function(tf.TensorSpec((1, 4, 3)))
    frozen = convert_variables_to_constants_v2(run).graph.as_graph_def()
    with open('frozen.pb', 'wb') as file:
        file.write(frozen.SerializeToString())
    with open('model.tflite', 'wb') as file:
        file.write(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    with open('topology.json', 'w') as file:
        file.write(model.to_json())


os.makedirs(FOLDER, exist_ok=True)
os.chdir(FOLDER)
for write in (write_torch, write_tensorflow):
    try:
        write()
    except ImportError as error:
        print(f'{write.__name__}: {error}', file=sys.stderr)
