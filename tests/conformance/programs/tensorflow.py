"""Stands for TensorFlow as far as the manifest's program uses it; one epoch takes no time."""

import numpy as np


class _Anything:
    def __init__(self, *_, **given):
        self.__dict__.update(given)

    def __getattr__(self, name):
        return _Anything

    def load_data(self):
        images, labels = np.zeros((4, 28, 28)), np.zeros(4)
        return (images, labels), (images, labels)

    def compile(self, optimizer, **_):
        self.rate = optimizer.learning_rate

    def fit(self, *_, **__):
        pass

    def evaluate(self, *_, **__):
        return 1.0 - self.rate, 0.9 + self.rate / 2


keras = _Anything()
keras.datasets = _Anything()
keras.datasets.mnist = _Anything()
keras.models = keras.layers = keras.optimizers = keras.losses = _Anything()
