"""DARTS as Katib hands it over: a trial gets the whole space and searches it by itself.

Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019. The trial
trains one network that contains every operation; what is suggested are three texts in the
form that Katib's trial images read (`pkg/suggestion/v1beta1/nas/darts`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.nas import Operation
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import Algorithm, Ask, Setting, Suggestion

__all__ = ["Darts"]


def _rate(default: float, doc: str) -> Setting:
    return Setting(float, doc, default=default, minimum=0)


def _count(default: int, doc: str, minimum: int = 1) -> Setting:
    return Setting(int, doc, default=default, minimum=minimum)


class Darts(Algorithm):
    """Every trial gets the same three texts, however many trials there are."""

    name = "darts"
    settings: ClassVar[Mapping[str, Setting]] = {
        "num_epochs": _count(50, "Epochs of the search."),
        "w_lr": _rate(0.025, "Learning rate of the weights at the beginning."),
        "w_lr_min": _rate(0.001, "Learning rate of the weights at the end."),
        "w_momentum": _rate(0.9, "Momentum of the weights."),
        "w_weight_decay": _rate(3e-4, "Weight decay of the weights."),
        "w_grad_clip": _rate(5.0, "Largest norm of a gradient of the weights."),
        "alpha_lr": _rate(3e-4, "Learning rate of the architecture."),
        "alpha_weight_decay": _rate(1e-3, "Weight decay of the architecture."),
        "batch_size": _count(128, "Images in a batch."),
        "num_workers": _count(4, "Processes that load images.", minimum=0),
        "init_channels": _count(16, "Channels of the first layer."),
        "print_step": _count(50, "Batches between two lines of the log."),
        "num_nodes": _count(4, "Nodes in a cell."),
        "stem_multiplier": _count(3, "Channels of the stem, in those of the first layer."),
    }
    accepts_any_setting = True
    uses_history = False
    several_objectives = False

    def suggest(self, ask: Ask) -> Suggestion:
        """The settings, the operations and the number of layers, as text."""
        assert ask.spec.nas_config is not None
        defaults: dict[str, Any] = {
            name: setting.default for name, setting in self.settings.items()
        }
        settings = {**defaults, **ask.spec.algorithm.settings}
        operations = [
            name for each in ask.spec.nas_config.operations for name in operation_names(each)
        ]
        return Suggestion(
            {
                "algorithm-settings": _quoted(settings),
                "search-space": _quoted(operations),
                "num-layers": str(ask.spec.nas_config.graph_config.num_layers),
            }
        )

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """What of the space of architectures is missing."""
        if spec.nas_config is None:
            return [Problem("spec.nasConfig", "is missing; darts searches architectures")]
        if spec.nas_config.graph_config.num_layers is None:
            return [Problem("spec.nasConfig.graphConfig.numLayers", "is missing; darts needs it")]
        return []


def operation_names(operation: Operation) -> list[str]:
    """An operation once for each of its sizes, such as `dilated_convolution_5x5`.

    As in Katib, the sizes are the values of its first parameter; an operation without
    parameters, and `skip_connection`, stands for itself.
    """
    kind = operation.operation_type
    if kind == "skip_connection" or not operation.parameters:
        return [kind]
    return [f"{kind}_{size}x{size}" for size in operation.parameters[0].feasible_space.list or ()]


def _quoted(value: Any) -> str:
    # A double quote would end the argument of a shell command that the text is put into.
    return json.dumps(value).replace('"', "'")
