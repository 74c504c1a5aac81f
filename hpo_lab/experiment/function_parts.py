"""How two functions differ, of which the parts were recorded.

The parts of a function are what it computes with, each with a text: its own code and that of
its helpers, globals, closed-over values, the modules of the project. A short value stands there
as it is, anything else as a digest.
"""

from __future__ import annotations

from collections.abc import Mapping

from hpo_lab.masking import is_secret, masked_source

__all__ = ["DIGEST", "DRAWN", "ORDER", "differences"]

DIGEST = "digest:"
"""How a text begins that is the digest of what it stands for."""

DRAWN = "drawn:"
"""How the text of a generator of random numbers begins whose seed was drawn by chance."""

ORDER = "order in "
"""How the name of a part begins that is the order of what a module or a class holds."""

_MEMBERS = {"module": "statements", "class": "members"}


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What has changed between the parts of two functions, a line for each part.

    Args:
        before: The parts of the earlier function, by name.
        now: The parts of the later function.

    Returns:
        Lines such as `helper evaluate() changed` and `global SCALE: 3 is 5 now`; empty when
        the parts are equal.
    """
    names = dict.fromkeys([*now, *before])
    changed = [name for name in names if before.get(name) != now.get(name)]
    return [
        _difference(name, before.get(name), now.get(name))
        for name in changed
        if not (name.startswith(ORDER) and _is_told(name.removeprefix(ORDER), changed))
    ]


def _is_told(owner: str, changed: list[str]) -> bool:
    """Whether another part of *owner*, such as `module m`, has changed as well."""
    members = owner.partition(" ")[2] + "."
    return any(name == owner or name.startswith(members) for name in changed)


def _difference(name: str, before: str | None, now: str | None) -> str:
    if name.startswith(ORDER):
        owner = name.removeprefix(ORDER)
        return f"{owner}: its {_MEMBERS[owner.partition(' ')[0]]} are in another order"
    if before is None:
        return f"{name} is used now"
    if now is None:
        return f"{name} is no longer used"
    if before.startswith(DRAWN) and now.startswith(DRAWN):
        return f"{name} draws its seed anew in each process; give it one: default_rng(0)"
    if before.startswith((DIGEST, DRAWN)) or now.startswith(DRAWN) or now.startswith(DIGEST):
        return f"{name} changed"
    before, now = masked_source(before), masked_source(now)
    if is_secret(name) or before == now:
        return f"{name} changed"
    return f"{name}: {before} is {now} now"
