"""The checks that every search algorithm of hpo_lab passes, for algorithms of other packages."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from hpo_lab.experiment.model import ExperimentSpec, Parameter
from hpo_lab.experiment.rules import spec_problems
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import Algorithm, Suggestion, get_algorithm, search_problems
from hpo_lab.search.ask import suggest
from hpo_lab.search.history import History
from hpo_lab.search.space import Space
from hpo_lab.testing.settings import check_settings
from hpo_lab.testing.spaces import random_outcome, random_space

__all__ = ["check_algorithm"]

_ATTEMPTS = 100
"""Random spaces until one suits the algorithm."""


def check_algorithm(
    name: str,
    *,
    settings: Mapping[str, str] | None = None,
    parameters: Sequence[Parameter] = (),
    may_repeat: bool = False,
    examples: int = 10,
    trials: int = 14,
    seed: int = 0,
) -> None:
    """Check a registered search algorithm as those of hpo_lab are checked.

    It is asked for trials of experiments with random spaces (conditional, stepped, with lists
    and with single values), random results (failed, stopped early, NaN, infinite, missing) and
    running trials. Checked is, each time, that

    - every assignment lies inside the space, and trials asked for do not change;
    - the same question has the same answer: asked again, with the trials in another order,
      with later trials there, with trials read from a store, from a `History` that grew trial
      by trial, and in other processes;
    - in a finite space no assignment is given twice, and all are given in the end, rungs of
      multi-fidelity search and populations aside;
    - several objectives and trials of other experiments are taken, where it says so;
    - settings are described, and wrong ones are refused.

    Args:
        name: The name that it is registered under.
        settings: What it needs, and what makes it learn from a few trials already.
        parameters: Parameters that every space has, such as a resource.
        may_repeat: Whether the same assignment may be given twice in a finite space.
        examples: How many experiments there are.
        trials: How many trials of each.
        seed: Of all that is random; a failure comes again with the same one.

    Raises:
        LookupError: There is no such algorithm.
        AssertionError: A check fails.
    """
    algorithm, texts = get_algorithm(name), settings or {}
    assert algorithm.name == name, f"{name!r} is registered, but the class says {algorithm.name!r}"
    rng = random.Random(f"{name}/{seed}")
    spec = _suitable(algorithm, texts, parameters, rng, finite=False)

    def problems_with(texts: Mapping[str, str]) -> list[Problem]:
        return search_problems(_with_settings(spec, texts))

    check_settings(algorithm, texts, problems_with)
    for example in range(examples):
        finite = example % 2 == 1
        spec = _suitable(algorithm, texts, parameters, rng, finite=finite)
        try:
            _check_answers(algorithm, spec, trials, rng, may_repeat=may_repeat)
        except AssertionError as error:
            raise AssertionError(f"{error}\nin the experiment {spec.model_dump_json()}") from error
    _check_elsewhere(spec, trials)


def _suitable(
    algorithm: Algorithm,
    settings: Mapping[str, str],
    parameters: Sequence[Parameter],
    rng: random.Random,
    *,
    finite: bool,
) -> ExperimentSpec:
    """An experiment with a random space that the algorithm can search."""
    problems: list[Problem] = []
    for _ in range(_ATTEMPTS):
        objective: dict[str, Any] = {
            "type": rng.choice(["minimize", "maximize"]),
            "objectiveMetricName": "score",
        }
        if rng.random() < 0.3:
            objective["constraints"] = [{"name": "size", "max": 0.5}]
        if algorithm.several_objectives and rng.random() < 0.3:
            second = {"type": "minimize", "objectiveMetricName": "time"}
            objective["additionalObjectives"] = [second]
        spec = ExperimentSpec.model_validate(
            {
                "parameters": (*random_space(rng, finite=finite), *parameters),
                "objective": objective,
                "algorithm": {"algorithmName": algorithm.name},
                "parallelTrialCount": rng.randint(1, 4),
            }
        )
        spec = _with_settings(spec, settings)
        problems = [*spec_problems(spec), *search_problems(spec)]
        if not problems:
            return spec
    raise AssertionError(
        f"{algorithm.name} refuses {_ATTEMPTS} random spaces, the last with: "
        + "; ".join(map(str, problems))
    )


def _with_settings(spec: ExperimentSpec, settings: Mapping[str, str]) -> ExperimentSpec:
    document = spec.model_dump(by_alias=True)
    document["algorithm"]["algorithmSettings"] = [
        {"name": name, "value": value} for name, value in settings.items()
    ]
    return ExperimentSpec.model_validate(document)


def _check_answers(
    algorithm: Algorithm, spec: ExperimentSpec, count: int, rng: random.Random, *, may_repeat: bool
) -> None:
    space = Space.of(spec.parameters)
    history = History(_prior(spec, rng) if algorithm.uses_prior else ())
    questions: list[tuple[int, list[Trial], Any]] = []
    made: list[Suggestion] = []
    at_end = False
    while len(made) < count and not at_end:
        number = len(made)
        before = copy.deepcopy(list(history))
        # A history that has grown gives the answer, lists have to give the same.
        answer = suggest(spec, number, history, uid="check")
        assert list(history) == before, f"{algorithm.name} changed the trials it was asked with"
        questions.append((number, before, answer))
        running = [trial for trial in history.own if not trial.is_final]
        if isinstance(answer, Suggestion):
            made.append(answer)
            assert space.violation(answer.assignments) is None
            assert answer.parent is None or 0 <= answer.parent < number, (
                f"trial {number} continues from {answer.parent}, which is no earlier trial"
            )
            history.put(
                Trial(number, answer.assignments, parent=answer.parent, labels=answer.labels)
            )
            running.append(history[number])
        elif not running:
            at_end = answer is None
        for trial in running:
            if not isinstance(answer, Suggestion) or rng.random() < 0.7:
                _end(history, trial, spec, rng)
    later = [replace(trial, number=trial.number + 100) for trial in history.own]
    for number, trials, answer in rng.sample(questions, min(len(questions), 4)):
        shuffled = rng.sample([*trials, *later], len(trials) + len(later))
        stored = [_trial(json.loads(json.dumps(asdict(trial)))) for trial in trials]
        for told in (shuffled, stored):
            other = suggest(spec, number, told, uid="check")
            assert other == answer, (
                f"{algorithm.name}, asked again for trial {number}: {other}, and before {answer}"
            )
    _check_distinct(algorithm, space, made, at_end=at_end, may_repeat=may_repeat)


def _end(history: History, trial: Trial, spec: ExperimentSpec, rng: random.Random) -> None:
    """Put in a trial that ran and has come to some end, or still runs."""
    history.put(replace(trial, state=TrialState.RUNNING))
    outcome = random_outcome(rng, trial, spec.objective)
    if not outcome.is_final and rng.random() < 0.5:
        outcome = replace(outcome, state=TrialState.FAILED, metrics={})
    history.put(outcome)


def _check_distinct(
    algorithm: Algorithm,
    space: Space,
    made: Sequence[Suggestion],
    *,
    at_end: bool,
    may_repeat: bool,
) -> None:
    # A branch of an infinite space may be finite, and used up.
    if may_repeat or space.cardinality is None:
        return
    # Text tells 1, 1.0 and True apart.
    distinct = {repr(sorted(answer.assignments.items())) for answer in made}
    assert len(distinct) == len(made), f"{algorithm.name} gave an assignment twice"
    is_plain = not any(answer.labels or answer.parent is not None for answer in made)
    if at_end and is_plain:
        assert len(made) == space.cardinality, (
            f"{algorithm.name} ended after {len(made)} of {space.cardinality} assignments"
        )


def _prior(spec: ExperimentSpec, rng: random.Random) -> list[Trial]:
    """Trials of other experiments."""
    space = Space.of(spec.parameters)
    names = [name for name, _ in spec.objective.objectives]
    return [
        Trial(
            number,
            space.assign(lambda axis: axis.value_at(rng.random())),
            TrialState.SUCCEEDED,
            {name: Metric.single(rng.gauss(0, 1)) for name in names},
        )
        for number in range(-rng.randint(0, 3), 0)
    ]


_PROGRAM = """
import sys
from hpo_lab.testing.algorithms import answers
print(answers(*sys.argv[1:]))
"""


def answers(spec: str, count: str) -> str:
    """The first *count* answers for an experiment whose trials all succeed, as text."""
    experiment = ExperimentSpec.model_validate_json(spec)
    names = [name for name, _ in experiment.objective.objectives]
    trials: list[Trial] = []
    while len(trials) < int(count):
        number = len(trials)
        answer = suggest(experiment, number, trials, uid="check")
        if not isinstance(answer, Suggestion):
            break
        metrics = {name: Metric.single(number * 7 % 5 / 5) for name in names}
        trials.append(
            Trial(
                number,
                answer.assignments,
                TrialState.SUCCEEDED,
                metrics,
                parent=answer.parent,
                labels=answer.labels,
            )
        )
    return repr([(t.assignments, t.parent, sorted(t.labels.items())) for t in trials])


def _check_elsewhere(spec: ExperimentSpec, count: int) -> None:
    """Check that other processes answer as this one does, whatever their hashes are."""
    arguments = (spec.model_dump_json(by_alias=True), str(count))
    here = answers(*arguments)
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, f"in another process: {run.stderr}"
        assert run.stdout.strip() == here, (
            f"another process answers {run.stdout.strip()}, this one {here}"
        )


def _trial(document: Mapping[str, Any]) -> Trial:
    metrics = {name: Metric(**fields) for name, fields in document["metrics"].items()}
    return Trial(**{**document, "metrics": metrics, "state": TrialState(document["state"])})
