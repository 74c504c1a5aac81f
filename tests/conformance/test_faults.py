"""Manifests that failed in real use, each with its right behaviour.

`validate` and `run` say the same of what is refused. The files tell what went wrong.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hpo_lab.cli import main
from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import Store, open_store

FAULTS = Path(__file__).parent / "faults"
TEMPLATE = "spec.trialTemplate"
POD = f"{TEMPLATE}.trialSpec.spec.template.spec"
REFUSED = {
    "05a-containers-without-dash": [
        f"{POD}.containers: found a mapping; a list is needed: write a dash before 'name'"
    ],
    "05c-gpu-text": [
        f"{POD}.containers[0].resources.limits[nvidia.com/gpu]: found 'one'; a whole number of "
        "devices is needed"
    ],
    "05e-volumes-mapping": [
        f"{POD}.volumes: found a mapping; a list is needed: write a dash before 'name'"
    ],
    "06-primary-container-misspelt": [
        f"{TEMPLATE}.primaryContainerName: 'trainer' is no container of {POD}; did you mean "
        "'trainner'?"
    ],
    "07-role-misspelt": [
        f"{TEMPLATE}.trialSpec.spec.pytorchReplicaSpecs.Workers: is no role; did you mean 'Worker'?"
    ],
    "08-command-is-text": [
        f"{POD}.containers[0].command: found 'sh -c \"echo loss=${{trialParameters.lr}}\"'; a list "
        'is needed: write ["sh", "-c", "echo loss=${trialParameters.lr}"]'
    ],
    "09-custom-collector-without-command": [
        "spec.metricsCollectorSpec.collector.customCollector.command: is missing, and that of its "
        "image is not known here; write it down, or use --runtime docker"
    ],
    "15-numNodes-text": [
        f"{TEMPLATE}.trialSpec.spec.trainer.numNodes: found 'two'; an integer is needed"
    ],
    "16-placeholder-prefix": [
        f"{POD}.containers[0].command[2]: '${{trialParamters.lr}}' is no placeholder; write "
        "${trialParameters.lr}",
    ],
    "17-bounds-beside-feasibleSpace": [
        "spec.parameters[0].min: belongs inside feasibleSpace; indent it, so that it stands there",
        "spec.parameters[0].max: belongs inside feasibleSpace; indent it, so that it stands there",
    ],
    "20-int-step-fraction": [
        "spec.parameters[0].feasibleSpace.step: is 0.01; a parameter of type int needs an integer: "
        "write 1, or parameterType: double",
    ],
    "21-numbers-where-text-belongs": [
        f'{POD}.containers[0].env[0].value: found 5; text is needed: write "5"',
        f'{POD}.containers[0].command[3]: found 10; text is needed: write "10"',
        f'{POD}.containers[0].command[4]: found true; text is needed: write "true"',
    ],
}
ACCEPTED = {
    "01-quotes-of-the-shell": "a shell reads the command, as in Katib, and changes '--lr=",
    "02-collector-parent-folder": "Katib's shell would add to the script '/training-logs'",
    "03-medianstop-epoch-in-text": "",
    "04-hyperband-resource-range": "spec.parameters[1].feasibleSpace: is 1 to 1; as in Katib, Hype",
    "10-settings-null": "",
    "12-additional-metric-never-reported": "",
}

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """`command("run", "10-settings-null")`: a command on a copy of a manifest."""

    def invoke(name: str, fault: str, *options: str) -> Result:
        path = shutil.copy(FAULTS / f"{fault}.yaml", tmp_path)
        return CliRunner(catch_exceptions=False).invoke(main, [name, str(path), *options])

    return invoke


@pytest.fixture
def store() -> Store:
    return open_store()


def test_every_fault_has_a_right_behaviour() -> None:
    assert {path.stem for path in FAULTS.iterdir() if path.is_file()} == {*REFUSED, *ACCEPTED}


@pytest.mark.parametrize("fault", REFUSED)
def test_is_refused_before_the_start(command: Command, store: Store, fault: str) -> None:
    for name in ("validate", "run"):
        result = command(name, fault, "--json")
        assert result.exit_code == 2
        problems = json.loads(result.stdout)["problems"]
        said = [f"{problem['where']}: {problem['message']}" for problem in problems]
        assert said == REFUSED[fault]
    assert store.experiments() == []


@pytest.mark.parametrize("fault", ACCEPTED)
def test_runs_and_says_what_differs(command: Command, store: Store, fault: str) -> None:
    validated = command("validate", fault)
    assert validated.exit_code == 0, validated.stderr
    assert ACCEPTED[fault] in validated.stderr if ACCEPTED[fault] else not validated.stderr
    result = command("run", fault)
    assert result.exit_code == 0, result.stderr
    (record,) = store.experiments()
    trials = store.trials(record.uid)
    states = {trial.state for trial in trials}
    if fault.startswith("03"):
        assert states == {TrialState.SUCCEEDED, TrialState.EARLY_STOPPED}
    else:
        assert states == {TrialState.SUCCEEDED}
    if fault.startswith("01"):
        assert all(trial.metrics["loss"].latest == trial.assignments["lr"] for trial in trials)
    elif fault.startswith("02"):
        assert not Path("/training-logs").exists()
    elif fault.startswith("04"):
        assert {trial.assignments["epochs"] for trial in trials} <= {1, 2}
    elif fault.startswith("12"):
        arguments = ["show", f"{record.namespace}/{record.name}", "-o", "json"]
        shown = json.loads(CliRunner(catch_exceptions=False).invoke(main, arguments).stdout)
        metrics = shown["status"]["currentOptimalTrial"]["observation"]["metrics"]
        missing = dict.fromkeys(("min", "max", "latest"), "unavailable")
        assert metrics[1] == {"name": "accuracy", **missing}
