"""How two functions differ, of which the parts were recorded.

The parts of a function are what it computes with, each with a text: its own code and that of
its helpers, globals, closed-over values, the modules of the project. A short value stands there
as it is, anything else as a digest.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DIGEST", "differences"]

DIGEST = "digest:"
"""How a text begins that is the digest of what it stands for."""


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What has changed between the parts of two functions, a line for each part.

    Args:
        before: The parts of the earlier function, by name.
        now: The parts of the later function.

    Returns:
        Lines such as `helper evaluate() changed` and `global SCALE: 3 is 5 now`; empty when
        the parts are equal.
    """
    return [
        _difference(name, before.get(name), now.get(name))
        for name in dict.fromkeys([*now, *before])
        if before.get(name) != now.get(name)
    ]


def _difference(name: str, before: str | None, now: str | None) -> str:
    if before is None:
        return f"{name} is used now"
    if now is None:
        return f"{name} is no longer used"
    if before.startswith(DIGEST) or now.startswith(DIGEST):
        return f"{name} changed"
    return f"{name}: {before} is {now} now"
