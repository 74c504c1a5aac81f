"""Words and numbers of figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from html import escape

from hpo_lab import counting
from hpo_lab.dashboard.words import number, shortened
from hpo_lab.experiment.model import Value

__all__ = [
    "SPACE",
    "amount",
    "counted",
    "direction",
    "distinct",
    "hover",
    "listed",
    "plain",
    "short",
    "short_choices",
    "value_text",
]


SPACE = "\N{NO-BREAK SPACE} "
"""A wide space, which no renderer makes a narrow one of."""


def value_text(value: Value | None) -> str:
    """A value for a person, as in the tables; a minus sign is a hyphen."""
    return "None" if value is None else number(value)


def amount(count: int) -> str:
    """A count with a narrow space every three digits: `10 000`."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


counted = partial(counting.counted, write=amount)


def direction(smaller_is_better: bool) -> str:
    """Which way is better, in words."""
    return "lower is better ↓" if smaller_is_better else "higher is better ↑"


def distinct(names: Sequence[str], room: int) -> list[str]:
    """*names* in at most *room* characters each, told apart by the part that differs.

    Long ones are shortened in the middle. Of those that would then be the same, what all of them
    begin or end with is left out first.
    """
    names = [" ".join(name.split()) or repr(name) for name in names]
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        groups[shortened(name, room)][name] = shortened(name, room)
    for group in groups.values():
        if len(group) > 1:
            group.update(zip(group, _differing(list(group), room), strict=True))
    return [groups[shortened(name, room)][name] for name in names]


def _differing(names: Sequence[str], room: int) -> list[str]:
    """Long *names* in at most *room* characters, without what all begin or end with."""
    begin, end = _common(names), _common([name[::-1] for name in names])
    # Of a word nothing is cut off.
    begin = max(names[0].rfind(mark, 0, begin) + 1 for mark in "._/-")
    tails = [names[0].find(mark, len(names[0]) - end) for mark in "._/-"]
    end = max([len(names[0]) - tail for tail in tails if tail >= 0], default=0)
    if any(begin + end >= len(name) for name in names):
        end = 0
    core = max(len(name) - begin - end for name in names)
    before, after = names[0][:begin], names[0][len(names[0]) - end :]
    # What there is room for of the beginning helps to recognise them.
    if core + len(before) + bool(after) > room:
        before = f"{before[: max(0, room - core - 1 - bool(after))]}…" if before else ""
    after = "…" if after and core + len(before) + len(after) > room else after
    return [short(f"{before}{name[begin : len(name) - end]}{after}", room) for name in names]


def _common(texts: Sequence[str]) -> int:
    """How many characters all *texts* begin with."""
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(first), len(last)))


def short(text: str, room: int) -> str:
    """*text* in at most *room* characters, on one line."""
    text = " ".join(text.split()) or repr(text)
    return text if len(text) <= room else f"{text[: max(1, room - 1)].rstrip()}…"


def short_choices(words: Sequence[str], room: int) -> list[str]:
    """*words* in at most *room* characters each: their beginnings where these tell them apart."""
    cut = [short(word, room) for word in words]
    return cut if len({*cut}) == len({*words}) else distinct(words, room)


def plain(text: str) -> str:
    """*text* as plotly shows it: it reads tags in what it is given."""
    return escape(text, quote=False)


def hover(text: str) -> str:
    """*text* inside a template for what is shown under the pointer, where `%{` is special."""
    return plain(short(text, 60)).replace("%", "&#37;").replace("{", "&#123;")


def listed(counts: Mapping[str, int] | Iterable[tuple[str, int]]) -> str:
    """`2 failed, 1 running`, of those that are not 0."""
    pairs = counts.items() if isinstance(counts, Mapping) else counts
    return ", ".join(f"{amount(count)} {word}" for word, count in pairs if count)
