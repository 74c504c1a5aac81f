"""How the trials of an experiment run on this machine, which is no part of the experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from hpo_lab.experiment.model import ExperimentDocument

__all__ = ["LOCAL", "LocalSettings"]

LOCAL: Final = "local.json"
"""The source file of an experiment that holds its `LocalSettings`."""

_DIRECTORY: Final = "hpolab.dev/working-directory"
_RUNTIME: Final = "hpolab.dev/runtime"
_PATHS: Final = "path.hpolab.dev/"
_BESIDE: Final = "with.hpolab.dev/"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """Where and in what the trials of an experiment run on this machine.

    Attributes:
        directory: Where processes run that do not say so themselves.
        runtime: `docker` or `podman`; processes of this machine when empty.
        paths: Folders of this machine by the path a container knows them under.
        beside: Files with ConfigMaps and Secrets.
    """

    directory: str
    runtime: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()

    @classmethod
    def annotated(cls, experiment: ExperimentDocument, directory: str) -> LocalSettings:
        """What the annotations of *experiment* say; recorded experiments once kept it there.

        Args:
            experiment: The experiment.
            directory: Where its processes run if they do not say so.
        """
        annotations = experiment.metadata.annotations or {}
        pairs = [text.partition("=") for key, text in annotations.items() if key.startswith(_PATHS)]
        return cls(
            directory=annotations.get(_DIRECTORY, directory),
            runtime=annotations.get(_RUNTIME, ""),
            paths={inside.rstrip("/"): here for inside, _, here in pairs},
            beside=tuple(text for key, text in annotations.items() if key.startswith(_BESIDE)),
        )

    @classmethod
    def of(cls, experiment: ExperimentDocument, source: Path) -> LocalSettings:
        """The settings in the folder *source* of an experiment's files, else in its annotations."""
        file = source / LOCAL
        return cls.read(experiment, file.read_bytes() if file.exists() else None, str(Path.cwd()))

    @classmethod
    def read(
        cls, experiment: ExperimentDocument, content: bytes | None, directory: str
    ) -> LocalSettings:
        """The settings in the *content* of the file `LOCAL`, else as of `annotated`."""
        if content is None:
            return cls.annotated(experiment, directory)
        document = json.loads(content)
        return cls(**{**document, "beside": tuple(document["beside"])})

    def file(self) -> tuple[str, bytes]:
        """The media type and the content of the file `LOCAL`."""
        return "application/json", json.dumps(asdict(self), indent=1).encode()
