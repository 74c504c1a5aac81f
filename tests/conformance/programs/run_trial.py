"""Stands in for the program of Katib's DARTS image: its arguments, its last lines."""

import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--algorithm-settings", required=True)
parser.add_argument("--search-space", required=True)
parser.add_argument("--num-layers", required=True)
arguments = parser.parse_args()

# As in the image.
texts = [arguments.algorithm_settings, arguments.search_space, arguments.num_layers]
settings, operations, layers = (json.loads(text.replace("'", '"')) for text in texts)
for epoch in range(int(settings["num_epochs"])):
    print(f"Train: [{epoch + 1}/{settings['num_epochs']}] Final Prec@1 {50 + epoch}.0000%")
cell = ",".join(f"[('{name}',{index % 2})]" for index, name in enumerate(operations[:layers]))
nodes = f"range(2,{2 + settings['num_nodes']})"
genotype = f"Genotype(normal=[{cell}],normal_concat={nodes},reduce=[],reduce_concat={nodes})"
print(f"Best-Genotype={genotype}")
