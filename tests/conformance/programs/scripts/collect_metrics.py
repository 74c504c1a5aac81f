"""Stands for a user's own collector: prints what the trial left."""

import pathlib
import sys
import time

name = next(word.partition("=")[2] for word in sys.argv if word.startswith("--trial-name="))
assert "--namespace=kubeflow-user-example-com" in sys.argv
left = pathlib.Path(f"left-by-{name}")
while not left.exists():
    time.sleep(0.05)
print("accuracy=" + left.read_text())
