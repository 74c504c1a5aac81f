"""ConfigMaps and Secrets from files, in place of those of a cluster.

The files are read when a trial starts, as a pod looks up its ConfigMaps and Secrets. So no
value of a Secret gets into the store.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["KINDS", "Configuration", "configuration_documents"]

KINDS: Final = ("ConfigMap", "Secret")

Data = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The entries of ConfigMaps and Secrets, by name.

    Attributes:
        config_maps, secrets: Their entries.
        files: The files that describe them.
    """

    config_maps: Mapping[str, Data] = field(default_factory=dict)
    secrets: Mapping[str, Data] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    @classmethod
    def read(cls, paths: Sequence[str | Path]) -> Configuration:
        """The ConfigMaps and Secrets in the files at *paths*, YAML or JSON.

        Raises:
            InvalidInput: A file cannot be read, or an object is described twice or wrongly.
        """
        return cls.of({Path(path): _documents(path) for path in paths})

    @classmethod
    def of(cls, files: Mapping[Path, Sequence[Any]]) -> Configuration:
        """The ConfigMaps and Secrets among the documents of *files*, plain data by path.

        Raises:
            InvalidInput: An object is described twice or wrongly.
        """
        entries: dict[str, dict[str, Data]] = {kind: {} for kind in KINDS}
        problems = []
        described = {path: [*configuration_documents(files[path])] for path in files}
        for path, documents in described.items():
            for document in documents:
                kind, name = document["kind"], str((document.get("metadata") or {}).get("name"))
                if name in entries[kind]:
                    problems.append(Problem(str(path), f"describes the {kind} {name!r} again"))
                try:
                    entries[kind][name] = _entries(document)
                except ValueError as error:
                    problems.append(Problem(f"{path}, {kind} {name!r}", str(error)))
        if problems:
            raise InvalidInput(problems)
        holding = tuple(path for path, documents in described.items() if documents)
        return cls(entries["ConfigMap"], entries["Secret"], holding)

    def entry(self, reference: Mapping[str, Any], *, secret: bool) -> str | None:
        """The entry of a `configMapKeyRef` or `secretKeyRef`; None where its object is missing.

        Raises:
            ValueError: The object is there but has no such entry.
        """
        data = self._data(reference, secret=secret)
        key = str(reference.get("key"))
        if data is None or (key not in data and reference.get("optional")):
            return None
        if key not in data:
            raise ValueError(
                f"{_said(reference, secret)} has no entry {key!r}{nearest(key, [*data])}"
            )
        return data[key]

    def variables(self, source: Mapping[str, Any]) -> dict[str, str]:
        """The variables that *source*, an entry of `envFrom`, defines.

        Raises:
            ValueError: The object that it names is missing and not optional.
        """
        secret = "secretRef" in source
        reference = source.get("secretRef" if secret else "configMapRef") or {}
        data = self._data(reference, secret=secret)
        if data is None and not reference.get("optional"):
            raise ValueError(f"{_said(reference, secret)} is not given; give it by --with FILE")
        prefix = source.get("prefix") or ""
        return {f"{prefix}{key}": value for key, value in (data or {}).items()}

    def _data(self, reference: Mapping[str, Any], *, secret: bool) -> Data | None:
        return (self.secrets if secret else self.config_maps).get(str(reference.get("name")))


def configuration_documents(documents: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """The ConfigMaps and Secrets among *documents*, plain data."""
    for document in documents:
        listed = document.get("items") if isinstance(document, Mapping) else None
        for item in listed if isinstance(listed, list) else [document]:
            if isinstance(item, Mapping) and item.get("kind") in KINDS:
                yield item


def _documents(path: str | Path) -> list[Any]:
    from hpo_lab.experiment.yaml_text import read_documents

    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput([Problem(str(path), f"cannot be read: {error}")]) from None
    return read_documents(text, source=str(path))


def _entries(document: Mapping[str, Any]) -> dict[str, str]:
    data = {str(key): _text(key, value) for key, value in (document.get("data") or {}).items()}
    if document["kind"] == "ConfigMap":
        return data
    plain = document.get("stringData") or {}
    try:
        decoded = {
            key: base64.b64decode(value, validate=True).decode() for key, value in data.items()
        }
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("data of a Secret is text in base64; use stringData for others") from None
    return decoded | {str(key): _text(key, value) for key, value in plain.items()}


def _text(key: object, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"entry {key!r} is {value!r}; text is needed, in quotation marks")
    return value


def _said(reference: Mapping[str, Any], secret: bool) -> str:
    return f"the {'Secret' if secret else 'ConfigMap'} {reference.get('name')!r}"
