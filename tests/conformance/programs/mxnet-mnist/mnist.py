"""Stands for the image's training program: the same arguments, the same lines of output."""

import argparse
import datetime

parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, required=True)
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--num-layers", type=int, required=True)
parser.add_argument("--optimizer", choices=["sgd", "adam", "ftrl"], required=True)
given = parser.parse_args()

best = 0.9 - abs(given.lr - 0.02) - 0.01 * given.num_layers
for epoch in range(2):
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    print(f"{now} INFO     Epoch[{epoch}] Train-accuracy={best - 0.1:.6f}")
    print(f"{now} INFO     Epoch[{epoch}] Time cost=0.100")
    print(f"{now} INFO     Epoch[{epoch}] Validation-accuracy={best - 0.05 * (1 - epoch):.6f}")
