"""One option: its flag, its argument, its place in the document, and how it is read and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpo_lab.experiment.model import Document, ExperimentDocument
from hpo_lab.options.kinds import Choice, Kind

__all__ = ["Option"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a tuning run.

    Attributes:
        field: Its field in `TuneOptions`.
        form: The form of its value, `METRIC<=VALUE`.
        help: What it means.
        kind: What one value of it may be.
        path: Its place in the document, `spec.objective.goal`.
        argument: Its argument in `hpo_lab.tune`.
        repeatable: Whether it may be given several times; its value is a tuple then.
        is_budget: Whether it may change while an experiment lives, and `resume` takes it.
        for_notebooks: Whether it means nothing for a function.
    """

    field: str
    form: str
    help: str
    kind: Kind
    path: str
    argument: str
    repeatable: bool = False
    is_budget: bool = False
    for_notebooks: bool = False

    @property
    def flag(self) -> str:
        """As it is written in a command, `--trial-timeout`."""
        return f"--{self.field.replace('_', '-')}"

    @property
    def default(self) -> str:
        """What holds where nothing is said, as its help says it; empty where that says nothing."""
        return self.help.partition("[default: ")[2].removesuffix("]")

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that its value may be; empty where they are no list."""
        return self.kind.words if isinstance(self.kind, Choice) else ()

    def read(self, texts: Iterable[str]) -> tuple[Any, list[str]]:
        """Its value from the *texts* behind its flag, and what is wrong with each."""
        values, messages = [], []
        for text in texts:
            try:
                values.append(self.kind.read(text))
            except ValueError as error:
                messages.append(str(error))
        if self.repeatable:
            return tuple(values), messages
        return (values[-1] if values else None), messages

    def write(self, value: Any) -> list[str]:
        """The texts that `read` takes for *value*, none for None or an empty tuple.

        Raises:
            ValueError: No text on a line stands for it, such as a setting with a line break.
        """
        values = value if self.repeatable else () if value is None else (value,)
        texts = [self.kind.write(single) for single in values]
        for text, single in zip(texts, values, strict=True):
            if text.splitlines() not in ([], [text]) or self.read([text]) != (
                (single,) if self.repeatable else single,
                [],
            ):
                raise ValueError(f"{text!r} cannot be written behind {self.flag}")
        return texts

    def accept(self, argument: object) -> Any:
        """Its value from a Python argument that is not None.

        Raises:
            ValueError: with what is allowed.
        """
        if not self.repeatable:
            return self.kind.accept(argument)
        if isinstance(argument, str):
            return (self.kind.accept(argument),)
        if not isinstance(argument, Iterable):
            raise ValueError(f"found {argument!r}; several values are needed")
        items = argument.items() if isinstance(argument, Mapping) else argument
        return tuple(self.kind.accept(item) for item in items)

    def of(self, document: ExperimentDocument) -> Any:
        """Its value in *document*, None or empty where that does not say it.

        Raises:
            ValueError: The document has something else there.
        """
        part: Any = document
        for name in self.path.split("."):
            part = None if part is None else _get(part, name)
        if self.repeatable:
            return tuple(self.kind.values(part or ()))
        return None if part is None else self.kind.accept(part)

    def into(self, document: ExperimentDocument, value: Any) -> ExperimentDocument:
        """*document* with *value* in its place."""
        part = tuple(self.kind.parts(value)) if self.repeatable else value
        changed: ExperimentDocument = _put(document, self.path.split("."), part)
        return changed


def _get(part: Any, name: str) -> Any:
    return part.get(name) if isinstance(part, Mapping) else getattr(part, _field(part, name))


def _put(part: Any, path: Sequence[str], value: Any) -> Any:
    name, *rest = path
    inner = _put(_get(part, name), rest, value) if rest else value
    if isinstance(part, Mapping):
        return {**part, name: inner}
    return part.model_copy(update={_field(part, name): inner})


def _field(part: Document, name: str) -> str:
    """The field of *part* that a manifest calls *name*."""
    return next(
        field for field, described in type(part).model_fields.items() if described.alias == name
    )
