"""Look up what is known of a function or a method; the knowledge is in the tables.

`hpo_lab.notebook.known_calls` has the functions, `hpo_lab.notebook.known_types` the types.
"""

from __future__ import annotations

import builtins
import sys
from functools import lru_cache

from hpo_lab.notebook.known_calls import CALLS, PLAIN_MODULES, STEADY, STEADY_IN_SCIPY, Call
from hpo_lab.notebook.known_types import KINDS

__all__ = [
    "TELLS_MORE",
    "attribute_kind",
    "builtin_path",
    "draws_unless_told",
    "has_method",
    "import_is_plain",
    "is_in_place",
    "kind_of_class",
    "kind_with_method",
    "of_function",
    "result_of_method",
]

TELLS_MORE = frozenset(
    {"**", "probability", "sample_size", "selection", "shuffle", "solver", "svd_solver"}
)
"""Parameters of scikit-learn with which a steady model or function may draw random numbers."""


def builtin_path(name: str) -> str | None:
    """The path of a builtin, to which a notebook adds `display`; None for any other name."""
    return f"builtins.{name}" if hasattr(builtins, name) or name == "display" else None


@lru_cache(maxsize=4096)
def of_function(path: str) -> Call | None:
    """What calling the function or class at *path* does; None where that is not known."""
    while path:
        if path in CALLS:
            return CALLS[path]
        path = path.rpartition(".")[0]
    return None


def import_is_plain(module: str) -> bool:
    """Whether importing *module* changes nothing that other cells see."""
    root = module.partition(".")[0]
    return root in PLAIN_MODULES or root in sys.stdlib_module_names


def draws_unless_told(path: str, keywords: frozenset[str]) -> bool:
    """Whether what is called at *path* draws random numbers unless it gets a `random_state`."""
    root, _, rest = path.partition(".")
    if root not in ("sklearn", "imblearn", "scipy"):
        return False
    parts = rest.split(".")
    steady = STEADY_IN_SCIPY if root == "scipy" else STEADY
    is_steady = any(".".join(parts[:length]) in steady for length in range(1, len(parts) + 1))
    if root == "scipy":
        return not is_steady or parts[-1] in ("resample", "rvs")
    return not is_steady or bool(TELLS_MORE & keywords)


@lru_cache(maxsize=4096)
def kind_of_class(name: str) -> str:
    """The kind of the objects of a class, by its qualified name; empty where unknown."""
    root, _, rest = name.partition(".")
    last = rest.rpartition(".")[2]
    if root == "builtins":
        for kind in ("atom", "tuple", "list", "dict", "set"):
            if getattr(builtins, last, None) in KINDS[kind].is_closed:
                return kind
        return "atom" if last == "NoneType" else ""
    for kind, known in KINDS.items():
        if f"{root}.{last}" in known.classes:
            return kind
    for kind, known in KINDS.items():
        parts = name.split(".")[:-1]
        if any(
            ".".join(parts[:length]) + ".*" in known.classes for length in range(1, len(parts) + 1)
        ):
            return kind
    return ""


@lru_cache(maxsize=4096)
def kind_with_method(path: str) -> str:
    """The kind of object of which *path* is a method, taken from its class; empty for others."""
    of, _, name = path.rpartition(".")
    if "." not in of or path in CALLS or name in ("fromkeys", "__init__", "__new__"):
        return ""
    if not of.startswith("builtins.") and of.count(".") != 1:
        return ""
    kind = kind_of_class(of)
    is_table = kind in ("array", "list", "dict", "set", "collection")
    return kind if is_table and has_method(kind, name) else ""


@lru_cache(maxsize=4096)
def has_method(kind: str, name: str) -> bool:
    """Whether the table knows *name* as a method of *kind*."""
    behaviour = KINDS[kind]
    if behaviour.is_closed:
        return any(hasattr(each, name) for each in behaviour.is_closed)
    named = (
        behaviour.reads | behaviour.views | behaviour.changes | behaviour.writes | behaviour.items
    )
    return name in named or "*" in named or (kind == "tensor" and is_in_place(name))


def is_in_place(name: str) -> bool:
    """Whether *name* is, by the convention of torch, that of a function which works in place."""
    return name.endswith("_") and not name.endswith("__")


def result_of_method(kind: str, name: str) -> str:
    """The kind of what method *name* of *kind* gives."""
    by_default = kind
    for result, names in KINDS[kind].gives:
        if name in names:
            return result
        if "*" in names:
            by_default = result
    return by_default


def attribute_kind(kind: str, name: str) -> str:
    """The kind of the attribute *name* of *kind*; empty where it counts as the object itself."""
    return next((result for result, names in KINDS[kind].attributes if name in names), "")
