"""The files of `deploy/` that are made of the models."""

from __future__ import annotations

from typing import Any

from hpo_lab.cluster.resources.definitions import GROUP, KATIB_GROUP, definitions
from hpo_lab.experiment.yaml_text import write_document

__all__ = ["deploy_files"]

_HEAD = "# Made by `python -m hpo_lab.cluster.resources`; do not edit.\n"


def deploy_files() -> dict[str, str]:
    """The text of each file by its path below `deploy/`.

    `crds/` defines our own group. `overlays/katib/` also serves Katib's group, for clusters that
    have no Katib: a Katib beside it would act on the same objects.
    """
    own = {definition["spec"]["names"]["plural"]: definition for definition in definitions(GROUP)}
    katib = {each["spec"]["names"]["plural"]: each for each in definitions(KATIB_GROUP)}
    names = [f"{name}.yaml" for name in own]
    return {
        **{f"crds/{name}.yaml": _text(definition) for name, definition in own.items()},
        "crds/kustomization.yaml": _text(_kustomization(names)),
        **{f"overlays/katib/{name}.yaml": _text(each) for name, each in katib.items()},
        "overlays/katib/kustomization.yaml": _text(_kustomization(["../../crds", *names])),
    }


def _kustomization(resources: list[str]) -> dict[str, Any]:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    }


def _text(document: dict[str, Any]) -> str:
    return _HEAD + write_document(document)
