"""Random numbers of forked trials.

All forks inherit the same states. A set-up that seeds a generator wants the same numbers in
every trial, and gets them, as it would in fresh kernels; a set-up that does not gets a new state
in every trial, which is what fresh kernels do, except that it is the same when the same
trial runs again.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["Randomness"]

# Seeds that people write are smaller than those that libraries draw from the system.
_BY_HAND = 2**32
_ENTROPY = 2**64


class Randomness:
    """Knows which generators the set-up seeded, and gives the others a state per trial."""

    def __init__(self) -> None:
        """Begin to watch; to be made before the set-up runs."""
        self._seeded = False
        self._state = random.getstate()
        seed, setstate = random.seed, random.setstate

        def watched_seed(*args: Any, **kwargs: Any) -> None:
            self._seeded |= bool(args or kwargs)
            seed(*args, **kwargs)

        def watched_setstate(state: Any) -> None:
            self._seeded = True
            setstate(state)

        random.seed, random.setstate = watched_seed, watched_setstate

    def end_of_set_up(self) -> None:
        """Take note of the state that the set-up leaves."""
        self._state = random.getstate()

    def renew(self, seed: int, namespace: Mapping[str, Any]) -> None:
        """Give what the set-up left unseeded a state that depends on *seed* alone.

        Covers `random`, NumPy's global state and its generators among the variables of the
        notebook, and torch.

        Args:
            seed: In [0, 2**63).
            namespace: The variables of the notebook.
        """
        if self._seeded:
            # Python seeds `random` anew in every fork.
            random.setstate(self._state)
        else:
            random.seed(seed)
        if "numpy.random" in sys.modules:
            _renew_numpy(seed, namespace)
        torch = sys.modules.get("torch")
        if torch is not None and hasattr(torch, "initial_seed") and _is_drawn(torch):
            _renew_torch(seed, torch)


def _is_drawn(torch: Any) -> bool:
    return bool(torch.initial_seed() >= _BY_HAND)


def _renew_torch(seed: int, torch: Any) -> None:
    """Do what `torch.manual_seed` does, for the devices that this torch knows.

    The others take their time to find out that there is nothing to do.
    """
    torch.default_generator.manual_seed(seed)
    if torch.version.cuda or torch.version.hip:
        torch.cuda.manual_seed_all(seed)
    if getattr(torch.version, "xpu", None):
        torch.xpu.manual_seed_all(seed)


def _renew_numpy(seed: int, namespace: Mapping[str, Any]) -> None:
    from numpy import random as numpy_random

    legacy = numpy_random.mtrand._rand._bit_generator
    # Seeding by hand takes the sequence away that the state was drawn from.
    if legacy.seed_seq is not None:
        sequence = numpy_random.SeedSequence([seed, 0])
        legacy.state = type(legacy)(sequence).state
    generators = [v for v in namespace.values() if isinstance(v, numpy_random.Generator)]
    for index, generator in enumerate({id(g): g for g in generators}.values(), start=1):
        bits = generator.bit_generator
        entropy = getattr(bits.seed_seq, "entropy", None)
        if isinstance(entropy, int) and entropy >= _ENTROPY:
            bits.state = type(bits)(numpy_random.SeedSequence([seed, index])).state
