"""Stands for the training program beside a manifest."""

import sys

print("trained with", sys.argv[1:])
