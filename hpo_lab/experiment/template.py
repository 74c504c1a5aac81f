"""The trial template: the object that each trial runs, and how its end is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hpo_lab.experiment.document import Document, Text

__all__ = ["API_VERSION", "ConfigMapSource", "GoTemplate", "TrialParameter", "TrialTemplate"]

API_VERSION: Final = "hpolab.dev/v1beta1"


class TrialParameter(Document):
    """The name of a parameter in a trial template.

    `reference` is a parameter's name, or a field of the trial itself:
    `${trialSpec.Name}`, `Namespace`, `Kind`, `APIVersion`, `Labels[key]`,
    `Annotations[key]`.
    """

    name: str
    reference: str
    description: str | None = None


class ConfigMapSource(Document):
    """The entry `template_path` of a ConfigMap that holds the trial object's text."""

    config_map_name: str = ""
    config_map_namespace: str = ""
    template_path: str = ""


class GoTemplate(Document):
    """The trial object as Go template text, the form of Katib until v1alpha3."""

    raw_template: str


class TrialTemplate(Document):
    """The template of the object that a trial runs.

    The object comes from exactly one of `trial_spec` (any object with `apiVersion` and
    `kind`), `config_map` and `go_template`. The kinds that a notebook makes
    (`NotebookTrial`, `FunctionTrial` of `hpolab.dev/v1beta1`) take the assignment as it is
    and need no `trial_parameters`.

    `success_condition` and `failure_condition` are GJSON queries on the object (see
    `hpo_lab.experiment.job_status`, which also knows the defaults of the usual kinds).
    `retain` keeps the object after the trial has ended; Katib deletes it by default.

    `environment_prefix` (*extension*) gives each value as an environment variable, too: of the
    parameter `lr` as `LR` behind the prefix. Without `trial_parameters`, `trial_spec` is then
    taken as it is, and `${trialParameters.lr}` in it is text like any other.
    """

    trial_spec: dict[str, Any] | None = None
    config_map: ConfigMapSource | None = None
    go_template: GoTemplate | None = None
    trial_parameters: tuple[TrialParameter, ...] = ()
    primary_pod_labels: dict[str, Text] | None = None
    primary_container_name: str | None = None
    success_condition: str | None = None
    failure_condition: str | None = None
    retain: bool | None = None
    environment_prefix: str | None = None

    @property
    def kind(self) -> tuple[str, str]:
        """`apiVersion` and `kind` of the trial object; empty where they are absent."""
        spec = self.trial_spec or {}
        return str(spec.get("apiVersion", "")), str(spec.get("kind", ""))

    @property
    def is_ours(self) -> bool:
        """Whether a trial is a notebook or a function, and no object of a cluster."""
        return self.kind[0] == API_VERSION

    @property
    def has_placeholders(self) -> bool:
        """Whether `${trialParameters.NAME}` in the trial object stands for a value."""
        return bool(self.trial_parameters) or not self.environment_prefix

    @property
    def pod_labels(self) -> Mapping[str, str] | None:
        """Labels of the pod that reports the metrics, by default those of the kind.

        None stands for every pod of the trial.
        """
        if self.primary_pod_labels is not None:
            return self.primary_pod_labels
        version, kind = self.kind
        if version.startswith("kubeflow.org/"):
            return {"training.kubeflow.org/job-role": "master"}
        if version.startswith("trainer.kubeflow.org/") and kind == "TrainJob":
            return {
                "jobset.sigs.k8s.io/replicatedjob-name": "node",
                "batch.kubernetes.io/job-completion-index": "0",
            }
        return None
