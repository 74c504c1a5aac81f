"""From what a person wrote, a function or a notebook cell, to an experiment."""

from hpo_lab.prepare.checking import check
from hpo_lab.prepare.file import prepare_file
from hpo_lab.prepare.function import prepare_function
from hpo_lab.prepare.local import local_problems, runs_here
from hpo_lab.prepare.manifest import prepare_manifest
from hpo_lab.prepare.notebook import prepare_cell, prepare_notebook
from hpo_lab.prepare.prepared import Prepared, experiment_name

__all__ = [
    "Prepared",
    "check",
    "experiment_name",
    "local_problems",
    "prepare_cell",
    "prepare_file",
    "prepare_function",
    "prepare_manifest",
    "prepare_notebook",
    "runs_here",
]
