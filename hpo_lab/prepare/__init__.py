"""From what a person wrote, a function or a notebook cell, to an experiment."""

from hpo_lab.prepare.checking import check
from hpo_lab.prepare.comparing import Recorded, changes, in_one_line, is_same
from hpo_lab.prepare.file import SCRIPT, is_file_name, prepare_file
from hpo_lab.prepare.function import prepare_function
from hpo_lab.prepare.local import runs_here
from hpo_lab.prepare.manifest import prepare_manifest
from hpo_lab.prepare.notebook import prepare_cell, prepare_notebook
from hpo_lab.prepare.prepared import Prepared, PreparedCell, PreparedManifest
from hpo_lab.prepare.project import notebook_here, project_here

__all__ = [
    "SCRIPT",
    "Prepared",
    "PreparedCell",
    "PreparedManifest",
    "Recorded",
    "changes",
    "check",
    "in_one_line",
    "is_file_name",
    "is_same",
    "notebook_here",
    "prepare_cell",
    "prepare_file",
    "prepare_function",
    "prepare_manifest",
    "prepare_notebook",
    "project_here",
    "runs_here",
]
