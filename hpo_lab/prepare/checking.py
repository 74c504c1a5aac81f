"""All rules for an experiment together: the document's, its algorithm's and its stopping rule's."""

from __future__ import annotations

from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.rules import experiment_problems, run_problems
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.search.algorithm import search_problems
from hpo_lab.stopping.rule import stopping_problems

__all__ = ["check", "every_problem"]


def check(experiment: ExperimentDocument, source: str = "") -> None:
    """Check an experiment against every rule; *source* names it in the message.

    Raises:
        InvalidInput: with every problem.
    """
    problems = every_problem(experiment)
    if experiment.spec.trial_template is not None:
        # A manifest may be given its template later; the one that it has must be whole.
        problems += run_problems(experiment)
    if problems:
        raise InvalidInput(problems, source)


def every_problem(experiment: ExperimentDocument) -> list[Problem]:
    """Everything wrong with *experiment*, but for what its trial template may still lack."""
    spec = experiment.spec
    return [*experiment_problems(experiment), *search_problems(spec), *stopping_problems(spec)]
