"""Stands for the image's training program: writes TensorBoard's event files."""

import argparse
import json
import os
import time

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

parser = argparse.ArgumentParser()
parser.add_argument("--log_dir", required=True)
parser.add_argument("--learning_rate", type=float, required=True)
parser.add_argument("--batch_size", type=int, required=True)
given = parser.parse_args()

cluster = json.loads(os.environ["TF_CONFIG"])
assert len(cluster["cluster"]["worker"]) == 2 and cluster["task"]["type"] == "worker"
writer = EventFileWriter(f"{given.log_dir}/test")
for step in range(3):
    accuracy = 0.9 - abs(given.learning_rate - 0.03) - 0.1 * (2 - step)
    value = Summary.Value(tag="accuracy_1", simple_value=accuracy)
    writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=[value])))
writer.close()
