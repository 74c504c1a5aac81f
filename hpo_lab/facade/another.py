"""What is recorded under a name is not what runs today: the differences, and the ways on."""

from __future__ import annotations

from collections.abc import Sequence

from hpo_lab.prepare import Recorded
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["AnotherExperiment", "recorded_files"]


class AnotherExperiment(InvalidInput):
    """A name that a person chose is that of another recorded experiment.

    The problems are the differences.
    """

    def __init__(self, head: str, problems: Sequence[Problem], ways: Sequence[tuple[str, str]]):
        """Refuse.

        Args:
            head: Which experiment has the name.
            problems: How it differs.
            ways: What to write, and what that does.
        """
        self._head = head
        self._ways = ways
        super().__init__(problems)

    def __str__(self) -> str:
        width = max(len(written) for written, _ in self._ways)
        ways = [f"  {written:{width}}  {effect}" for written, effect in self._ways]
        return "\n".join(
            [self._head, *(f"  {each}" for each in self.problems), "Three ways on:", *ways]
        )


def recorded_files(store: Store, record: ExperimentRecord) -> Recorded:
    """*record* with its files."""

    def file(name: str) -> bytes | None:
        artifact = store.artifact(record.uid, name)
        return artifact.read() if artifact else None

    return Recorded(record.document, file)
