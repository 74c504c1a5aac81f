"""What calls of well-known functions and methods do, by the conventions of their libraries.

Python cannot tell from a call whether it changes its arguments. The tables here name the
functions and methods that change none; any other may change all of its arguments.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass

__all__ = [
    "UNKNOWN",
    "Behaviour",
    "builtin_path",
    "copies_items",
    "is_instance",
    "makes_items",
    "of_function",
    "of_instance",
    "of_method",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a call may do.

    Attributes:
        changes_receiver: It may change the object whose method it is.
        changes_arguments: It may change its arguments.
        shares: Its result may share state with the receiver.
        shares_arguments: Its result may share state with the arguments.
        stores: The receiver may keep hold of the arguments.
        effect: What it does to the process or its files; empty for nothing.
    """

    changes_receiver: bool = False
    changes_arguments: bool = False
    shares: bool = False
    shares_arguments: bool = False
    stores: bool = False
    effect: str = ""


UNKNOWN = Behaviour(
    changes_receiver=True, changes_arguments=True, shares=True, shares_arguments=True
)
"""A call that may do anything to its receiver and its arguments."""

_PROCESS = "for its effect on the process"
_FILES = "writes files"
_ANYTHING = "may read and set any name"

# Modules whose functions leave their arguments alone.
_HARMLESS = _words(
    """
    IPython.display altair base64 bokeh builtins calendar collections copy csv dataclasses
    datetime decimal enum fractions functools glob hashlib inspect itertools json keras lightgbm
    logging math matplotlib numbers numpy operator os.cpu_count os.environ.get os.getcwd
    os.getenv os.listdir os.path pandas pathlib pickle platform plotly polars pprint random re
    rich scipy seaborn sklearn statistics statsmodels string sys.getsizeof tabulate tensorflow
    textwrap time timeit torch torchvision tqdm typing uuid xgboost
    """
)
# Modules that are also called for their effect on the process: `torch.set_num_threads(1)`.
_WITH_EFFECTS = frozenset({"keras", "tensorflow", "torch"})
# Modules whose functions return objects of their own.
_FRESH = _words(
    """
    base64 calendar copy datetime decimal fractions glob hashlib json math matplotlib numpy os
    pandas pathlib platform pprint random re scipy seaborn statistics string sys textwrap time
    timeit uuid
    """
)
_VIEWS = _words(
    """
    DataFrame Series array_split asanyarray asarray ascontiguousarray atleast_1d atleast_2d
    broadcast_to diagonal expand_dims frompyfunc hsplit moveaxis ravel reshape split squeeze
    swapaxes transpose vectorize vsplit
    """
)
_SHARING_BUILTINS = _words(
    """
    classmethod dict enumerate filter frozenset getattr iter list map max memoryview min next
    property reversed set sorted staticmethod super tuple vars zip
    """
)
_CHANGING = _words(
    """
    builtins.delattr builtins.next builtins.setattr numpy.copyto numpy.fill_diagonal numpy.place
    numpy.put numpy.put_along_axis numpy.putmask numpy.random.shuffle random.shuffle
    """
)
_EFFECTS = {
    **dict.fromkeys(
        _words(
            """
    autolog basicConfig chdir disable_eager_execution filterwarnings manual_seed manual_seed_all
    putenv reset_option resetwarnings seed seed_everything set_config set_default_device
    set_default_dtype set_num_threads set_option set_printoptions set_random_seed set_seed
    set_state seterr setlocale setrecursionlimit simplefilter use_deterministic_algorithms
    """
        ),
        _PROCESS,
    ),
    **dict.fromkeys(
        _words(
            """
    copyfile copytree dump makedirs mkdir rmtree save savetxt savez savez_compressed
    unpack_archive urlretrieve write_bytes write_text
    """
        ),
        _FILES,
    ),
}
_EFFECT_PATHS = {
    "builtins.__import__": _PROCESS,
    "builtins.breakpoint": _PROCESS,
    "builtins.eval": _ANYTHING,
    "builtins.exec": _ANYTHING,
    "builtins.globals": _ANYTHING,
    "builtins.input": _PROCESS,
    "builtins.locals": _ANYTHING,
    "matplotlib.use": _PROCESS,
}

# Methods that, by the conventions of Python, NumPy, pandas and scikit-learn, do not change
# their object and return a new object.
_PURE_METHODS = _words(
    """
    abs agg aggregate all any apply applymap argmax argmin argsort assign astype between bfill
    capitalize casefold center clip columns conj copy corr corrwith count cov cummax cummin
    cumprod cumsum decision_function decode describe diff difference dot drop drop_duplicates
    dropna duplicated encode endswith eq eval expanding explode ffill fillna find flatten format
    ge get_feature_names_out get_params groupby gt head hexdigest hist idxmax idxmin index info
    interpolate intersection isalnum isalpha isdigit isdisjoint isin isna isnull issubset item
    join le ljust lower lstrip lt max mean median melt memory_usage merge min mode most_common
    ne nlargest notna notnull nsmallest nunique partition pct_change pivot pivot_table plot pow
    predict predict_log_proba predict_proba prod quantile query rank removeprefix removesuffix
    rename replace resample reset_index rfind rolling round rstrip sample score sem set_index
    shift skew sort_index sort_values split splitlines stack startswith std strip sum swapcase
    tail title to_dict to_frame to_list to_string tolist transform union unique unstack upper
    value_counts var where xs zfill exists is_dir is_file iterdir glob rglob read_text
    read_bytes resolve with_suffix strftime isoformat annotate axhline axvline bar barh box
    boxplot contour contourf fill_between hexbin imshow kde legend line pie savefig scatter show
    """
)
# Methods that do not change their object but whose result may share its state.
_SHARING_METHODS = _words(
    """
    children get items iterrows itertuples keys modules named_parameters parameters ravel
    reshape squeeze state_dict swapaxes to_numpy transpose values view
    """
)
# Methods that change their object and leave the arguments alone.
_RECEIVER_ONLY = _words(
    """
    add append appendleft clear compile eval extend fit fit_predict fit_resample fit_transform
    insert partial_fit pop popitem popleft remove reverse set_params setdefault sort train
    update zero_grad step backward
    """
)
_STORING = _words(
    """
    add append appendleft extend insert setdefault update
    """
)
_WRITING_METHODS = _words(
    """
    extract extractall makedirs mkdir rmdir save_model save_pretrained save_weights symlink_to
    to_csv to_excel to_feather to_hdf to_parquet to_pickle to_sql touch unlink write_bytes
    write_text
    """
)
_STATEFUL = ("numpy.random.", "random.")


def builtin_path(name: str) -> str | None:
    """The path of a builtin, to which a notebook adds `display`; None for any other name."""
    return f"builtins.{name}" if hasattr(builtins, name) or name == "display" else None


def is_instance(path: str) -> bool:
    """Whether *path* names what a library's call returned: `numpy.array()`, not `numpy`."""
    return "()" in path


def makes_items(path: str | None) -> bool:
    """Whether iterating over an object from *path* gives new objects, as a data loader does."""
    return path is not None and "DataLoader()" in path


def copies_items(path: str | None) -> bool:
    """Whether an object from *path* copies what is assigned to its items, as a table does."""
    return path is not None and path.partition(".")[0] in ("numpy", "pandas", "polars", "scipy")


def of_function(path: str, *, discarded: bool, mode: str = "") -> Behaviour:
    """What calling the function at *path*, such as `numpy.random.seed`, may do.

    Args:
        path: The dotted path, through the module that it was imported from.
        discarded: Whether nothing is done with the result.
        mode: The mode in which a call of `open` opens its file.
    """
    name = path.rpartition(".")[2]
    root = path.partition(".")[0]
    harmless = _is_harmless(path)
    effect = _EFFECT_PATHS.get(path) or _EFFECTS.get(name, "")
    if not effect and discarded and (not harmless or root in _WITH_EFFECTS):
        effect = _PROCESS
    if name == "open" and set(mode) & set("wax+"):
        effect = _FILES
    in_place = name.endswith("_") and not name.startswith("_")
    return Behaviour(
        changes_arguments=not harmless or path in _CHANGING or in_place,
        shares_arguments=not _is_fresh(root, path, name),
        effect=effect,
    )


def of_method(path: str | None, method: str) -> Behaviour:
    """What calling *method* of an object may do.

    Args:
        path: Where the object came from, such as `pandas.read_csv()`; None for anywhere.
        method: The name of the method.
    """
    effect = _FILES if method in _WRITING_METHODS else ""
    stateful = path is not None and path.startswith(_STATEFUL)
    if method in _SHARING_METHODS:
        return Behaviour(shares=True, effect=effect)
    if (method in _PURE_METHODS or method in _WRITING_METHODS) and not stateful:
        return Behaviour(effect=effect)
    harmless = path is not None and _is_harmless(path)
    return Behaviour(
        changes_receiver=True,
        changes_arguments=not (harmless or method in _RECEIVER_ONLY) or method == "shuffle",
        shares=True,
        shares_arguments=not (harmless or method in _RECEIVER_ONLY),
        stores=method in _STORING,
        effect=effect,
    )


def of_instance(path: str | None) -> Behaviour:
    """What calling the object that came from *path*, such as `torch.nn.Linear()`, may do."""
    if path is None or not _is_harmless(path):
        return UNKNOWN
    return Behaviour(changes_receiver=True, shares=True, shares_arguments=True)


def _is_harmless(path: str) -> bool:
    parts = path.replace("()", "").split(".")
    return any(".".join(parts[:length]) in _HARMLESS for length in range(1, len(parts) + 1))


def _is_fresh(root: str, path: str, name: str) -> bool:
    if root == "builtins":
        return name not in _SHARING_BUILTINS
    if root == "sklearn":  # all but pipelines clone their estimators
        return not path.startswith("sklearn.pipeline.")
    return root in _FRESH and _is_harmless(path) and name not in _VIEWS
