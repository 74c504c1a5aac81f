from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.nas import GraphConfig
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.search.algorithm import search_problems
from tests.manifest_reading import parse

from .asking import suggest

SEED = Path(__file__).parents[1] / "conformance" / "002-darts-example-gpu.yaml"


def darts(**fields: Any) -> ExperimentSpec:
    document = yaml.safe_load(SEED.read_text())
    document["spec"] |= fields
    return parse(document).spec


def test_the_texts_are_those_that_katib_hands_over() -> None:
    made = suggest(darts(), 0, [])
    assert made == {
        "algorithm-settings": "{'num_epochs': '3', 'w_lr': 0.025, 'w_lr_min': 0.001, "
        "'w_momentum': 0.9, 'w_weight_decay': 0.0003, 'w_grad_clip': 5.0, 'alpha_lr': 0.0003, "
        "'alpha_weight_decay': 0.001, 'batch_size': 128, 'num_workers': 4, 'init_channels': 16, "
        "'print_step': 50, 'num_nodes': 4, 'stem_multiplier': 3}",
        "search-space": "['separable_convolution_3x3', 'dilated_convolution_3x3', "
        "'dilated_convolution_5x5', 'avg_pooling_3x3', 'max_pooling_3x3', 'skip_connection']",
        "num-layers": "3",
    }
    assert json.loads(str(made["search-space"]).replace("'", '"'))


def test_a_second_trial_gets_the_same() -> None:
    spec = darts()
    first = suggest(spec, 0, [])
    assert first is not None
    assert suggest(spec, 1, [Trial(0, first, TrialState.SUCCEEDED)]) == first


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("num_epochs", "0", "must be an integer of at least 1"),
        ("w_lr", "-0.1", "must be a number of at least 0"),
        ("batch_size", "None", "must be an integer of at least 1"),
        ("num_workers", "-1", "must be an integer of at least 0"),
    ],
)
def test_settings_are_checked_as_in_katib(name: str, value: str, message: str) -> None:
    spec = darts(
        algorithm={
            "algorithmName": "darts",
            "algorithmSettings": [{"name": name, "value": value}],
        }
    )
    [problem] = search_problems(spec)
    assert problem.where == "spec.algorithm.algorithmSettings[0].value"
    assert message in problem.message


def test_settings_of_an_image_of_ones_own_reach_it() -> None:
    settings = [{"name": "auxiliary", "value": "True"}]
    spec = darts(algorithm={"algorithmName": "darts", "algorithmSettings": settings})
    handed = str((suggest(spec, 0, []) or {})["algorithm-settings"])
    assert "'auxiliary': 'True'" in handed


def test_layers_and_space_are_needed() -> None:
    spec = darts()
    assert spec.nas_config is not None
    without = spec.nas_config.model_copy(update={"graph_config": GraphConfig()})
    [problem] = search_problems(spec.model_copy(update={"nas_config": without}))
    assert problem.where == "spec.nasConfig.graphConfig.numLayers"
    [problem] = search_problems(spec.model_copy(update={"nas_config": None}))
    assert problem.where == "spec.nasConfig"
