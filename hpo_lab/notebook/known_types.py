"""What the methods of known types change: the table by which cells are left out.

A method that is not here may change anything, and its cell is kept. To add a type, name its
classes by library, say what reading methods give, and list what changes the object.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KINDS", "KindOfObject"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class KindOfObject:
    """A type, or types of the same conventions.

    Attributes:
        classes: Its classes, `library.Name`; `library.*` for every class of the library.
        reads: Methods that change nothing and give something of their own; `*` for every
            method not named elsewhere.
        views: Methods that change nothing, and whose result shares the state of the object.
        changes: Methods that change the object, with what it holds where `deep`; of tensors
            also those whose name ends in `_`.
        stores: Of these, those after which it holds their arguments.
        items: Methods that give what it holds.
        writes: Methods that write files.
        gives: Kind of result, by method; else an object of the same kind.
        attributes: Kind of attribute, by name; else it counts as the object itself. To change
            an attribute is to change the object.
        deep: A change also changes the known objects that it holds: a pipeline and its steps.
        calls: Calling the object: `reads` or `changes`; empty where unknown.
        runs: Its methods may run the functions and objects that it holds.
        is_consumed: To iterate over it, or to pass it on, changes it.
        is_closed: It has no other methods than Python's type of that name has.
    """

    classes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    gives: tuple[tuple[str, frozenset[str]], ...] = ()
    attributes: tuple[tuple[str, frozenset[str]], ...] = ()
    deep: bool = False
    calls: str = ""
    runs: bool = False
    is_consumed: bool = False
    is_closed: tuple[type, ...] = ()


def _builtin(*types: type, changes: str = "", stores: str = "", items: str = "") -> KindOfObject:
    return KindOfObject(
        changes=_words(f"{changes} {stores}"),
        stores=_words(stores),
        items=_words(items),
        views=_words("items values keys"),
        reads=_words("*"),
        gives=(("atom", _words("index count isdisjoint issubset issuperset")),),
        is_closed=types,
    )


_LIST = (
    "clear remove reverse sort __delitem__ __iadd__ __imul__",
    "append extend insert __init__ __setitem__",
)
_DICT = ("clear __delitem__ __ior__ move_to_end", "setdefault update __init__ __setitem__")
_SET = (
    "clear difference_update discard intersection_update remove",
    "add symmetric_difference_update update __init__",
)

KINDS: dict[str, KindOfObject] = {
    # ---- Python
    "atom": KindOfObject(
        reads=_words("*"),
        gives=(("list", _words("split rsplit splitlines partition rpartition as_integer_ratio")),),
        is_closed=(str, int, float, complex, bytes, bool, type(None), type(...), range, slice),
    ),
    "tuple": _builtin(tuple),
    "list": _builtin(list, changes=f"{_LIST[0]} pop", stores=_LIST[1], items="pop"),
    "dict": _builtin(
        dict, changes=f"{_DICT[0]} pop popitem", stores=_DICT[1], items="get pop popitem setdefault"
    ),
    "set": _builtin(set, frozenset, changes=f"{_SET[0]} pop", stores=_SET[1], items="pop"),
    # What JSON, YAML or pickles are read into: lists and dictionaries, one in the other.
    "data": _builtin(
        dict,
        list,
        str,
        changes=f"{_LIST[0]} {_DICT[0]} pop popitem",
        stores=f"{_LIST[1]} {_DICT[1]}",
        items="get pop popitem setdefault",
    ),
    "collection": KindOfObject(
        classes=_words("collections.Counter collections.OrderedDict collections.deque"),
        reads=_words("copy count index items keys values most_common elements total"),
        changes=_words(
            "append appendleft clear extend extendleft insert move_to_end pop popitem popleft "
            "remove reverse rotate setdefault subtract update"
        ),
        stores=_words("append appendleft extend extendleft insert setdefault update"),
        items=_words("get pop popitem popleft setdefault"),
    ),
    "queue": KindOfObject(
        classes=_words("queue.Queue queue.LifoQueue queue.PriorityQueue queue.SimpleQueue"),
        reads=_words("empty full qsize"),
        changes=_words("put put_nowait get get_nowait task_done"),
        stores=_words("put put_nowait"),
        items=_words("get get_nowait"),
        is_consumed=True,
    ),
    "exception": KindOfObject(
        classes=_words("builtins.BaseException builtins.Exception"),
        reads=_words("__repr__ __str__"),
        changes=_words("__init__ add_note with_traceback"),
        stores=_words("__init__ add_note with_traceback"),
        attributes=(("tuple", _words("args exceptions")),),
    ),
    "namespace": KindOfObject(classes=_words("types.SimpleNamespace argparse.Namespace")),
    "value": KindOfObject(
        classes=_words(
            "datetime.date datetime.datetime datetime.timedelta datetime.time datetime.timezone "
            "decimal.Decimal fractions.Fraction pathlib.* re.Match re.Pattern uuid.UUID"
        ),
        reads=_words("*"),
        writes=_words(
            "chmod hardlink_to mkdir rename replace rmdir symlink_to touch unlink write_bytes "
            "write_text"
        ),
        gives=(
            ("file", _words("open")),
            ("iterator", _words("iterdir glob rglob finditer")),
            ("list", _words("groups split findall")),
        ),
    ),
    "iterator": KindOfObject(
        classes=_words("itertools.* zipfile.*"),
        changes=_words("close send throw __next__"),
        items=_words("send throw __next__"),
        is_consumed=True,
    ),
    "file": KindOfObject(
        classes=_words("io.StringIO io.BytesIO _io.* tempfile.*"),
        reads=_words("closed fileno getvalue isatty name readable seekable tell writable"),
        changes=_words(
            "close detach flush read read1 readall readinto readline readlines seek truncate "
            "write writelines"
        ),
        gives=(("atom", _words("getvalue read readline tell")), ("list", _words("readlines"))),
        is_consumed=True,
    ),
    "generator": KindOfObject(
        classes=_words("random.* numpy.random.* torch.Generator"),
        changes=_words(
            "beta betavariate binomial bit_generator bytes chisquare choice choices dirichlet "
            "expovariate exponential gamma gammavariate gauss geometric getrandbits gumbel "
            "hypergeometric integers jumped laplace logistic lognormal lognormvariate logseries "
            "manual_seed multinomial multivariate_normal negative_binomial normal normalvariate "
            "paretovariate pareto permutation permuted poisson power rand randbytes randint randn "
            "random random_integers random_sample randrange rayleigh sample seed set_state "
            "setstate shuffle spawn standard_cauchy standard_exponential standard_gamma "
            "standard_normal standard_t triangular uniform vonmises vonmisesvariate wald "
            "weibull weibullvariate zipf"
        ),
        gives=(
            (
                "atom",
                _words(
                    "betavariate bytes expovariate gammavariate gauss getrandbits lognormvariate "
                    "normalvariate paretovariate randbytes randrange seed set_state setstate "
                    "shuffle vonmisesvariate weibullvariate"
                ),
            ),
            ("generator", _words("manual_seed")),
            ("list", _words("choices sample")),
            ("unknown", _words("bit_generator jumped spawn")),
            ("array", _words("*")),
        ),
        is_consumed=True,
    ),
    # ---- arrays and tables: what reads gives a new object; a slice or column shares
    "array": KindOfObject(
        classes=_words(
            "numpy.ndarray numpy.float64 numpy.float32 numpy.int64 numpy.int32 numpy.bool "
            "pandas.DataFrame pandas.Series pandas.Index pandas.RangeIndex pandas.MultiIndex "
            "pandas.DatetimeIndex pandas.CategoricalIndex pandas.Timestamp pandas.Timedelta "
            "pandas.DataFrameGroupBy pandas.SeriesGroupBy pandas.Categorical "
            "scipy.csr_matrix scipy.csc_matrix scipy.coo_matrix scipy.csr_array"
        ),
        reads=_words(
            """
            abs add_categories add_prefix add_suffix agg aggregate align all any apply applymap
            argmax argmin argpartition argsort as_ordered as_unordered asfreq asof assign astype
            autocorr between bfill capitalize cat ceil center choose clip
            combine combine_first compare compress concat contains convert_dtypes
            copy corr corrwith count cov cumcount cummax cummin cumprod cumsum date day_name decode
            describe diff difference div divide dot drop drop_duplicates droplevel dropna
            duplicated encode endswith eq equals explode extract extractall factorize
            ffill fillna filter find findall first_valid_index flatten floor floordiv format
            fullmatch ge get_dummies get_indexer get_level_values get_loc gt
            hide highlight_max highlight_min highlight_null identical idxmax idxmin infer_objects
            info interpolate intersection isalnum isalpha isdecimal isdigit isin islower isna
            isnull isnumeric isocalendar isoformat isspace istitle isupper item iterrows itertuples
            join kurt kurtosis last_valid_index le len ljust lower lstrip lt map mask match
            max mean median melt memory_usage merge min mod mode month_name mul multiply ne ngroup
            nlargest nonzero normalize notna notnull nsmallest nunique ohlc pad pct_change
            pivot pivot_table pow prod product quantile query radd rank rdiv reindex reindex_like
            remove_categories remove_unused_categories removeprefix removesuffix rename rename_axis
            rename_categories reorder_categories reorder_levels repeat replace reset_index
            rfind rjust rmul round rpow rsplit rstrip rsub rtruediv sample searchsorted
            sem set_axis set_caption set_categories set_index set_properties shift
            skew slice slice_replace sort_index sort_values split stack startswith std strftime
            strip sub subtract sum swapcase swaplevel symmetric_difference text_gradient title
            to_dict to_latex to_list to_markdown to_period to_pydatetime to_string
            to_timestamp toarray tobytes todense tolist trace transform truediv tz_convert
            tz_localize union unique unstack upper value_counts var where zfill
            background_gradient bar boxplot hist to_html
            """
        ),
        views=_words(
            "at_time between_time conj conjugate diagonal ewm expanding first get get_group "
            "groupby head items keys last pipe ravel resample reshape rolling select_dtypes "
            "squeeze swapaxes tail to_frame to_numpy transpose truncate view xs"
        ),
        changes=_words(
            "fill insert isetitem itemset partition pop put resize setflags sort update"
        ),
        stores=_words("fill insert update"),
        writes=_words(
            "dump to_clipboard to_csv to_excel to_feather to_hdf to_json to_parquet to_pickle "
            "to_sql to_stata tofile"
        ),
        gives=(
            (
                "plot",
                _words("area bar barh box boxplot density hexbin hist kde line pie plot scatter"),
            ),
            ("list", _words("tolist to_list")),
            ("dict", _words("to_dict")),
            ("array iterator", _words("iterrows itertuples items")),
        ),
        attributes=(
            ("atom", _words("shape size ndim empty dtype nbytes itemsize nnz name names")),
            ("array", _words("T array columns data dtypes flat imag index real values")),
            ("plots", _words("plot")),
        ),
        runs=True,
    ),
    "plots": KindOfObject(reads=_words("*"), gives=(("plot", _words("*")),), calls="reads"),
    "plot": KindOfObject(
        classes=_words("matplotlib.* seaborn.* plotly.* altair.* bokeh.* wordcloud.*"),
        changes=_words("*"),
        stores=_words("mpl_connect add_callback"),
        writes=_words(
            "imsave print_figure save savefig to_file to_image write_html write_image write_json"
        ),
        calls="changes",
        runs=True,
    ),
    # ---- models that follow scikit-learn's conventions: `fit` changes the model, not the data
    "estimator": KindOfObject(
        classes=_words(
            "sklearn.* imblearn.* xgboost.XGBClassifier xgboost.XGBRegressor xgboost.XGBRanker "
            "lightgbm.LGBMClassifier lightgbm.LGBMRegressor catboost.CatBoostClassifier "
            "catboost.CatBoostRegressor"
        ),
        reads=_words(
            "apply build_analyzer build_tokenizer decision_function decision_path "
            "feature_importance "
            "get_depth get_feature_names_out get_n_leaves get_n_splits get_params "
            "inverse_transform "
            "kneighbors predict predict_log_proba predict_proba score score_samples split "
            "staged_predict staged_predict_proba transform"
        ),
        views=_words("get_booster get_metadata_routing"),
        changes=_words(
            "fit fit_predict fit_resample fit_transform partial_fit set_output set_params "
            "sparsify densify plot"
        ),
        stores=_words("fit fit_predict fit_transform partial_fit set_params"),
        gives=(
            ("array", _words("* ")),
            ("estimator", _words("fit partial_fit set_output set_params get_booster")),
            ("dict", _words("get_params")),
            ("plot", _words("plot from_estimator from_predictions")),
        ),
        attributes=(
            (
                "estimator",
                _words("best_estimator_ named_steps steps estimators_ named_transformers_"),
            ),
            ("dict", _words("cv_results_ best_params_ vocabulary_")),
        ),
        deep=True,
        runs=True,
    ),
    # A data set as scikit-learn hands it out, with arrays as attributes.
    "bunch": KindOfObject(classes=_words("sklearn.Bunch"), views=_words("keys items values get")),
    # ---- torch: tensors hold the modules and tensors that they came from
    "tensor": KindOfObject(
        classes=_words("torch.Tensor torch.Parameter torch.Size"),
        reads=_words(
            "abs add all allclose any argmax argmin argsort bmm ceil clamp clip clone cos "
            "count_nonzero "
            "cpu cuda cumsum dim div double element_size eq exp float floor gather ge gt half "
            "int isnan "
            "isinf le log log_softmax logsumexp long lt masked_select matmul max mean median "
            "min mm mul "
            "ne neg nelement nonzero norm numel pow prod relu repeat round sigmoid sign sin "
            "softmax sort "
            "sqrt square std sub sum tanh to topk tolist type unique var where item size stride "
            "bool data_ptr flip get_device is_contiguous is_floating_point isclose isfinite log1p "
            "log10 log2 masked_fill maximum minimum new_empty new_full new_ones new_tensor "
            "new_zeros outer roll rsqrt tril triu"
        ),
        views=_words(
            "chunk contiguous detach diagonal expand expand_as flatten movedim narrow numpy "
            "permute ravel reshape reshape_as select split squeeze swapaxes t transpose unbind "
            "unflatten unfold unsqueeze view view_as"
        ),
        changes=_words("backward register_hook requires_grad_ retain_grad"),
        stores=_words("register_hook"),
        gives=(
            ("array", _words("numpy")),
            (
                "atom",
                _words("data_ptr dim get_device is_contiguous item nelement numel size stride"),
            ),
            ("list", _words("tolist")),
        ),
        attributes=(
            ("atom", _words("shape ndim dtype device is_leaf requires_grad")),
            ("tensor", _words("H T data grad imag mH mT real")),
        ),
        deep=True,
    ),
    "module": KindOfObject(
        classes=_words("torch.nn.*"),
        reads=_words("extra_repr"),
        views=_words(
            "buffers children get_parameter get_submodule modules named_buffers named_children "
            "named_modules named_parameters parameters state_dict"
        ),
        changes=_words(
            "add_module append apply bfloat16 cpu cuda double eval extend float forward half "
            "load_state_dict register_backward_hook register_buffer register_forward_hook "
            "register_forward_pre_hook register_full_backward_hook register_module "
            "register_parameter requires_grad_ share_memory to train type zero_grad"
        ),
        stores=_words(
            "add_module append extend register_buffer register_backward_hook "
            "register_forward_hook register_forward_pre_hook register_full_backward_hook "
            "register_module register_parameter"
        ),
        gives=(
            ("tensor", _words("buffers forward get_parameter named_buffers named_parameters")),
            ("tensor", _words("parameters")),
            ("dict", _words("state_dict")),
        ),
        attributes=(("tensor", _words("weight bias")),),
        deep=True,
        calls="changes",
        runs=True,
    ),
    "optimizer": KindOfObject(
        classes=_words("torch.optim.*"),
        views=_words("state_dict get_last_lr"),
        changes=_words("add_param_group load_state_dict step zero_grad"),
        stores=_words("add_param_group"),
        deep=True,
        runs=True,
    ),
    "loader": KindOfObject(
        classes=_words("torch.DataLoader torch.TensorDataset torch.Subset"),
        runs=True,
    ),
}
