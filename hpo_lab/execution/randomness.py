"""Random numbers of trials.

All forks inherit the same states, and every fresh kernel has states of its own. A set-up that
seeds a generator wants the same numbers in every trial, and gets them, as it would in fresh
kernels; a set-up that does not gets a new state in every trial, which is what fresh kernels do,
except that it is the same when the same trial runs again.

This file runs in kernels of other interpreters, too: it needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
        notebook, torch and TensorFlow, also where they are imported later. Keras draws from
        these.

        Args:
            seed: In [0, 2**63).
            namespace: The variables of the notebook.
        """
        if self._seeded:
            # Python seeds `random` anew in every fork.
            random.setstate(self._state)
        else:
            random.seed(seed)
        later: dict[str, Callable[[], None]] = {}
        for library, renew in _LIBRARIES.items():
            if library in sys.modules:
                renew(seed, namespace)
            else:
                later[library] = partial(renew, seed, {})
        sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, _Importer)]
        sys.meta_path.insert(0, _Importer(later))


class _Importer:
    """Does something after a module is imported for the first time, which others find."""

    def __init__(self, after: Mapping[str, Callable[[], None]]) -> None:
        self._after = dict(after)

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        after = self._after.pop(name, None)
        if after is None:
            return None
        finders = (each.find_spec(name, path, target) for each in sys.meta_path if each is not self)
        spec: Any = next(filter(None, finders), None)
        with contextlib.suppress(AttributeError):
            execute = spec.loader.exec_module

            def execute_and_renew(module: Any) -> None:
                execute(module)
                # A library that is built in another way has nothing to renew.
                with contextlib.suppress(Exception):
                    after()

            spec.loader.exec_module = execute_and_renew
        return spec


def _renew_torch(seed: int, _: Mapping[str, Any]) -> None:
    """Do what `torch.manual_seed` does, for the devices that this torch knows.

    The others take their time to find out that there is nothing to do.
    """
    torch = sys.modules["torch"]
    if not hasattr(torch, "initial_seed") or torch.initial_seed() < _BY_HAND:
        return
    torch.default_generator.manual_seed(seed)
    if torch.version.cuda or torch.version.hip:
        torch.cuda.manual_seed_all(seed)
    if getattr(torch.version, "xpu", None):
        torch.xpu.manual_seed_all(seed)


def _renew_numpy(seed: int, namespace: Mapping[str, Any]) -> None:
    # Its package may not have come to its end yet.
    numpy_random = sys.modules["numpy.random"]

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


def _renew_tensorflow(seed: int, _: Mapping[str, Any]) -> None:
    context = sys.modules.get("tensorflow.python.eager.context")
    if context is not None and context.global_seed() is None:
        sys.modules["tensorflow"].random.set_seed(seed)


_LIBRARIES: Mapping[str, Callable[[int, Mapping[str, Any]], None]] = {
    "numpy.random": _renew_numpy,
    "torch": _renew_torch,
    "tensorflow": _renew_tensorflow,
}
