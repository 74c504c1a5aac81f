"""Stands for the image's training program of the PyTorchJob and the TFJob."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", "--learning-rate", dest="lr", type=float, required=True)
given = parser.parse_args()
for epoch in range(2):
    print(f"epoch={epoch} loss={(given.lr - 0.01) ** 2 + 0.1 / (epoch + 1):.8f}")
    print(f"epoch={epoch} accuracy={0.9 - abs(given.lr - 0.001):.6f}")
