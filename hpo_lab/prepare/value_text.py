"""Texts of values that are equal in every process, where pickles of them are not."""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Iterable
from typing import Any

from hpo_lab.experiment.function_parts import DIGEST, DRAWN

__all__ = ["array_text", "digest", "shortened"]

_LONGEST = 60
_DRAWN = 2**64
"""What is drawn from the system to seed a generator is larger; numbers of persons are not."""

_LONG = {"g", "G"}
"""The long floats of NumPy: some of their bytes mean nothing, and Python has none as long."""


def shortened(text: str) -> str:
    """*text*, or its digest where it is long."""
    return text if len(text) <= _LONGEST else digest(text.encode("utf-8", "surrogatepass"))


def digest(*parts: Any) -> str:
    """The digest of bytes, or of anything that lies in memory as bytes."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(part)
    return f"{DIGEST}{state.hexdigest()}"


def array_text(value: Any) -> str | Iterable[Any] | None:
    """The text of an array, table, tensor or generator of NumPy, pandas or torch.

    Returns:
        The text; or values that stand for *value*; or None when it is nothing of these.
    """
    for package, text in (("numpy", _numpy), ("pandas", _pandas), ("torch", _torch)):
        module = sys.modules.get(package)
        if module is not None and (answer := text(module, value)) is not None:
            return answer
    return None


def _numpy(numpy: Any, value: Any) -> str | Iterable[Any] | None:
    if isinstance(value, numpy.generic):
        if value.dtype.char in _LONG:
            return f"{value.dtype} {value!r}"
        return [str(value.dtype), value.item()] if value.dtype.kind != "V" else None
    if type(value) in (numpy.ndarray, numpy.memmap):
        if value.dtype.hasobject:
            return [value.dtype.str, value.shape, value.ravel().tolist()]
        if value.dtype.char in _LONG:
            return [value.dtype.str, value.shape, [repr(each) for each in value.ravel()]]
        content = numpy.ascontiguousarray(value).reshape(-1).view(numpy.uint8)
        return digest(f"{value.dtype.descr}{value.shape}".encode(), content)
    random = sys.modules.get("numpy.random")
    if random is not None and isinstance(value, random.Generator):
        sequence = getattr(value.bit_generator, "seed_seq", None)
        entropy, spawn_key = (getattr(sequence, name, None) for name in ("entropy", "spawn_key"))
        spawned = getattr(sequence, "n_children_spawned", 0)
        state = [type(value.bit_generator).__name__, value.bit_generator.state, spawned]
        if isinstance(entropy, int) and entropy >= _DRAWN and not spawn_key:
            return f"{DRAWN}{digest(pickle.dumps(state))}"
        return state
    if random is not None and type(value) is random.SeedSequence:
        return ["SeedSequence", *value.state.values()]
    return None


def _pandas(pandas: Any, value: Any) -> str | Iterable[Any] | None:
    if type(value) not in (pandas.DataFrame, pandas.Series) and not isinstance(value, pandas.Index):
        return None
    is_table = isinstance(value, pandas.DataFrame)
    columns = [value.iloc[:, number] for number in range(value.shape[1])] if is_table else [value]
    contents = [_column(pandas, each) for each in columns]
    names = [value.columns.tolist(), list(value.columns.names)] if is_table else [str(value.dtype)]
    index = [] if isinstance(value, pandas.Index) else [value.index.names, value.index]
    labels = [list(map(str, value.dtypes))] if is_table else [getattr(value, "names", value.name)]
    return [type(value).__name__, *names, *labels, *index, len(value), *contents]


def _column(pandas: Any, column: Any) -> Any:
    """What stands for the values of a column or an index."""
    if isinstance(column.dtype, pandas.CategoricalDtype):
        # Whoever goes through the categories, or plots them, sees their order.
        values = pandas.Categorical(column)
        return [values.categories, values.ordered, values.codes]
    if column.dtype == object and not {*map(type, column)} <= {str}:
        # pandas hashes 1 and '1' alike here, and lists not at all.
        return column.tolist()
    try:
        return pandas.util.hash_pandas_object(column, index=False, categorize=False).to_numpy()
    except (TypeError, ValueError):
        return column.tolist()


def _torch(torch: Any, value: Any) -> str | None:
    is_tensor: bool = isinstance(value, getattr(torch, "Tensor", ()))
    if not is_tensor or value.layout != torch.strided:
        return None
    if value.is_meta or value.is_quantized:
        return f"{value.dtype}{tuple(value.shape)} {value.device}" if value.is_meta else None
    value = value.resolve_conj().resolve_neg()
    # A tensor of a single number may have any stride; a clone has none.
    value = value.detach().cpu().clone(memory_format=torch.contiguous_format)
    content = value.reshape(-1).view(torch.uint8).numpy()
    return digest(f"{value.dtype}{tuple(value.shape)}{value.requires_grad}".encode(), content)
