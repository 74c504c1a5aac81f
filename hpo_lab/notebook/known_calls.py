"""What the functions of known libraries change: the table by which cells are left out.

Each row names functions, or all of a module, and says what a call does and gives; the row
with the longest name counts. What has no row may change anything, and its cell is kept.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass

__all__ = [
    "CALLS",
    "PLAIN_BASES",
    "PLAIN_MODULES",
    "SAME_DECORATORS",
    "STEADY",
    "STEADY_IN_SCIPY",
    "Call",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PROCESS = "for its effect on the process"
_FILES = "writes files"
_ANYTHING = "may read and set any name"


@dataclass(frozen=True, slots=True)
class Call:
    """What calling a function does.

    Attributes:
        gives: The kind of its result; `items` for what its arguments hold, `same` for an
            argument itself, `copy` for copies of the arguments.
        is_view: The result shares the state of the arguments.
        changes: It changes its arguments.
        holds: The result keeps hold of its arguments, whatever they are.
        is_quiet: It takes nothing from an iterator and runs nothing but `__repr__`, `__len__`...
        draws: The global random generator that it draws from.
        seeds: The global random generator that it seeds.
        effect: What it does to the process or its files.
    """

    gives: str = "atom"
    is_view: bool = False
    changes: bool = False
    holds: bool = False
    is_quiet: bool = False
    draws: str = ""
    seeds: str = ""
    effect: str = ""


CALLS: dict[str, Call | None] = {}
"""By dotted path; None where nothing is known although the module is."""


def _rows(module: str, names: str, call: Call | None) -> None:
    for name in names.split():
        CALLS[f"{module}.{name}" if module else name] = call


_ARRAY, _VIEW = Call("array"), Call("array", is_view=True)
_SET = Call(effect=_PROCESS)
_WRITES = Call(effect=_FILES)

# ---- Python
_rows("builtins", "print display len type isinstance issubclass id repr str hasattr callable bool "
      "format hash help ascii dir hex oct bin ord chr int float complex abs round divmod pow "
      "object slice range super property staticmethod classmethod",
      Call(is_quiet=True))  # fmt: skip
_rows("builtins", "sum any all", Call("atom"))
_rows("builtins", "max min next", Call("items"))
_rows("builtins", "vars getattr", Call("same", is_view=True))
_rows("builtins", "list sorted", Call("list"))
_rows("builtins", "tuple", Call("tuple"))
_rows("builtins", "set frozenset", Call("set"))
_rows("builtins", "dict", Call("dict"))
_rows("builtins", "bytes", Call())
_rows("builtins", "bytearray memoryview", Call("unknown"))
_rows("builtins", "iter zip map filter enumerate reversed", Call("iterator", holds=True))
_rows("builtins", "open", Call("file"))
_rows("builtins", "__import__ breakpoint input exit quit compile", _SET)
_rows("builtins", "eval exec globals locals", Call("unknown", changes=True, effect=_ANYTHING))
_rows("builtins", "dict.fromkeys", Call("dict", holds=True))
_rows("builtins", "delattr setattr object.__delattr__ object.__setattr__ type.__delattr__ "
      "type.__setattr__", Call(changes=True))  # fmt: skip
_rows("builtins", " ".join(
    name for name, each in vars(builtins).items()
    if isinstance(each, type) and issubclass(each, BaseException)),
      Call("exception", holds=True, is_quiet=True))  # fmt: skip
_rows("copy", "copy deepcopy replace", Call("copy"))
_rows("collections", "Counter OrderedDict deque", Call("collection"))
_rows("collections", "OrderedDict.fromkeys", Call("collection", holds=True))
_rows("collections", "namedtuple", Call("unknown"))
_rows("collections", "defaultdict ChainMap", Call("unknown", holds=True))
_rows("queue", "Queue LifoQueue PriorityQueue SimpleQueue", Call("queue"))
_rows("types", "SimpleNamespace", Call("namespace", holds=True))
_rows("argparse", "Namespace", Call("namespace", holds=True))
_rows("itertools", "accumulate chain combinations combinations_with_replacement compress count "
      "cycle "
      "dropwhile filterfalse groupby islice pairwise permutations product repeat starmap takewhile "
      "tee zip_longest chain.from_iterable", Call("iterator", holds=True))  # fmt: skip
_rows("functools", "reduce", Call("items"))
_rows("functools", "partial", Call("unknown", holds=True))
_rows("operator", "itemgetter attrgetter methodcaller", Call("unknown", holds=True))
_rows("contextlib", "suppress nullcontext", Call("value"))
_rows("enum", "auto", Call("value"))
_rows("dataclasses", "field", Call("value"))
_rows("dataclasses", "asdict astuple replace", Call("copy"))
_rows("typing", "TypeVar NamedTuple cast NewType", Call("value"))
_rows("glob", "glob", Call("list"))
_rows("glob", "iglob", Call("iterator"))
_rows("os", "getcwd getenv listdir cpu_count environ.get fspath walk scandir stat sep name",
      Call("list"))  # fmt: skip
_rows("os", "path", Call("value"))
_rows("sys", "getsizeof getrefcount getrecursionlimit", Call())
_rows("pathlib", "Path PurePath PosixPath Path.cwd Path.home", Call("value"))
_rows("json", "dumps", Call())
_rows("json", "loads load", Call("data"))
_rows("json", "dump", _WRITES)
_rows("yaml", "safe_load", Call("data"))
_rows("yaml", "safe_dump", Call())
_rows("csv", "reader DictReader", Call("iterator", holds=True))
_rows("csv", "writer DictWriter", Call("unknown", holds=True))
_rows("io", "StringIO BytesIO", Call("file", holds=True))
_rows("pickle", "dumps", Call())
_rows("", "pickle.dump joblib.dump", _WRITES)
for _module in _words(
    """
    base64 binascii cmath colorsys datetime decimal fractions html keyword math platform pprint
    re statistics string struct sysconfig textwrap time timeit unicodedata uuid zoneinfo
    urllib.parse ipaddress
    """
):
    CALLS[_module] = Call("value")
for _module in _words("calendar difflib hashlib hmac inspect tokenize zlib"):
    CALLS[_module] = Call("unknown", holds=True)
_rows("difflib", "get_close_matches ndiff unified_diff", Call("list"))
_rows("", "decimal.getcontext decimal.setcontext decimal.localcontext locale numbers "
      "calendar.setfirstweekday", _SET)  # fmt: skip
_rows("", "struct.pack_into timeit.Timer", None)
_rows("re", "findall split", Call("list"))
_rows("re", "finditer", Call("iterator"))
_rows("locale", "setlocale", _SET)
_rows("time", "sleep time perf_counter monotonic process_time strftime", Call())
_rows("random", "random randint uniform gauss randrange betavariate expovariate triangular "
      "normalvariate getrandbits lognormvariate paretovariate vonmisesvariate weibullvariate",
      Call(draws="random"))  # fmt: skip
_rows("random", "choice", Call("items", draws="random"))
_rows("random", "sample choices", Call("list", draws="random"))
_rows("random", "shuffle", Call(changes=True, draws="random"))
_rows("random", "seed setstate", Call(seeds="random", effect=_PROCESS))
_rows("random", "Random", Call("generator"))
_rows("random", "SystemRandom getstate", Call("value"))
_rows("warnings", "filterwarnings simplefilter resetwarnings", _SET)
_rows("warnings", "warn", Call())
_rows("warnings", "catch_warnings", Call("value"))
_rows("gc", "collect", Call())

# ---- NumPy and SciPy: functions leave their arguments alone, but for these
_rows("", "numpy scipy", _ARRAY)
_rows("numpy", "asfortranarray asarray_chkfinite asmatrix bmat broadcast dsplit frombuffer "
      "from_dlpack ma matrix meshgrid permute_dims trim_zeros unstack lib", _VIEW)  # fmt: skip
_rows("numpy", "asanyarray asarray ascontiguousarray atleast_1d atleast_2d atleast_3d "
      "broadcast_arrays broadcast_to diagonal expand_dims flip fliplr flipud hsplit array_split "
      "lib.stride_tricks matrix_transpose moveaxis nan_to_num ravel real imag require reshape "
      "rot90 "
      "rollaxis split squeeze swapaxes transpose vsplit", _VIEW)  # fmt: skip
_rows("numpy", "copyto fill_diagonal place put put_along_axis putmask", Call(changes=True))
_rows("numpy", "save savetxt savez savez_compressed memmap", _WRITES)
_rows("numpy", "seterr seterrcall set_printoptions setbufsize", _SET)
_rows("numpy", "errstate printoptions", Call("value"))
_rows("numpy", "vectorize frompyfunc", Call("unknown", holds=True))
_rows("numpy", "nditer testing ctypeslib f2py", None)
_rows("numpy", "random", Call("array", draws="numpy.random"))
_rows("numpy.random", "shuffle", Call(changes=True, draws="numpy.random"))
_rows("numpy.random", "seed set_state", Call(seeds="numpy.random", effect=_PROCESS))
_rows("numpy.random", "default_rng RandomState Generator PCG64 SeedSequence MT19937",
      Call("generator", holds=True))  # fmt: skip
_rows("scipy.stats", "qmc gaussian_kde rv_histogram", Call("unknown"))
_rows("scipy", "sparse", _VIEW)
_rows("scipy.io", "savemat wavfile.write mmwrite", _WRITES)
_rows("scipy", "optimize integrate interpolate LowLevelCallable", Call("value", holds=True))
_rows("scipy.optimize", "least_squares linprog milp linear_sum_assignment curve_fit", Call("value"))

# ---- pandas
_rows("", "pandas", _ARRAY)
_rows("pandas", "DataFrame Series Index Categorical", _VIEW)
_rows("pandas", "set_option reset_option describe_option set_eng_float_format "
      "plotting.register_matplotlib_converters", _SET)  # fmt: skip
_rows("pandas", "option_context", Call("value"))
_rows("pandas", "plotting", Call("plot"))
_rows("pandas", "plotting.bootstrap_plot", Call("plot", draws="random"))
_rows("pandas", "ExcelWriter HDFStore api eval io.sql", None)
_rows("pandas", "isna isnull notna notnull api.types", _ARRAY)
_rows("pandas", "read_pickle", Call("unknown"))
_rows("", "polars", None)

# ---- plots and reports: they show what they are given and leave it alone
_rows("", "matplotlib seaborn plotly altair bokeh IPython.display missingno wordcloud mpl_toolkits "
      "tabulate", Call("plot"))  # fmt: skip
_rows("matplotlib", "use rc rcdefaults rc_file style.use rcParams", _SET)
_rows("matplotlib.pyplot", "style.use rc rcdefaults ion ioff set_cmap switch_backend xkcd "
      "rcParams", _SET)  # fmt: skip
_rows("matplotlib.pyplot", "savefig imsave", _WRITES)
_rows("matplotlib.pyplot", "connect disconnect ginput waitforbuttonpress", None)
_rows("matplotlib", "animation", Call("plot", holds=True))
_rows("seaborn", "set set_theme set_style set_context set_palette set_color_codes reset_defaults "
      "reset_orig despine", _SET)  # fmt: skip
_rows("seaborn", "despine", Call("plot"))
_rows("seaborn", "load_dataset color_palette", _ARRAY)
_rows("seaborn", "barplot pointplot lineplot regplot lmplot stripplot catplot relplot jointplot "
      "pairplot residplot", Call("plot", draws="numpy.random"))  # fmt: skip
_rows("plotly", "io.templates io.write_html io.write_image offline.plot", None)
_rows("IPython.display", "set_matplotlib_formats", _SET)
_rows("tqdm", "tqdm trange tqdm_notebook auto.tqdm auto.trange notebook.tqdm notebook.trange",
      Call("iterator", holds=True))  # fmt: skip

# ---- scikit-learn: estimators are cloned or fitted, the data are left alone
_rows("", "sklearn imblearn", Call("estimator", holds=True))
_rows("sklearn", "set_config experimental enable_metadata_routing", _SET)
_rows("sklearn", "config_context", Call("value"))
_rows("sklearn", "base.clone", Call("copy"))
_rows("sklearn", "base.BaseEstimator base.ClassifierMixin base.RegressorMixin "
      "base.TransformerMixin",
      Call("estimator"))  # fmt: skip
_rows("sklearn", "datasets", Call("bunch"))
_rows("sklearn.datasets", "make_blobs make_circles make_classification make_friedman1 "
      "make_friedman2 make_friedman3 make_hastie_10_2 make_moons make_regression make_s_curve "
      "make_swiss_roll make_gaussian_quantiles make_low_rank_matrix make_multilabel_classification "
      "make_sparse_uncorrelated make_spd_matrix", _ARRAY)  # fmt: skip
_rows("sklearn", "utils", None)
_rows("sklearn", "utils.Bunch", Call("bunch", is_view=True))
_rows("sklearn", "metrics utils.class_weight utils.shuffle utils.resample inspection "
      "model_selection.train_test_split model_selection.cross_val_score "
      "model_selection.cross_val_predict model_selection.learning_curve "
      "model_selection.validation_curve model_selection.permutation_test_score "
      "feature_selection.mutual_info_classif feature_selection.mutual_info_regression "
      "feature_selection.chi2 feature_selection.f_classif feature_selection.f_regression "
      "preprocessing.label_binarize linear_model.lars_path linear_model.enet_path",
      _ARRAY)  # fmt: skip
_rows("sklearn", "preprocessing.scale preprocessing.minmax_scale preprocessing.normalize "
      "preprocessing.binarize utils.check_array utils.check_X_y", _VIEW)  # fmt: skip
_rows("sklearn", "model_selection.cross_validate", Call("dict"))
_rows("sklearn.metrics", "classification_report", Call())
_rows("sklearn.metrics", "ConfusionMatrixDisplay RocCurveDisplay PrecisionRecallDisplay "
      "DetCurveDisplay PredictionErrorDisplay", Call("plot"))  # fmt: skip
_rows("sklearn.metrics", "make_scorer", Call("estimator", holds=True))
_rows("sklearn.inspection", "PartialDependenceDisplay DecisionBoundaryDisplay", Call("plot"))
_rows("sklearn.tree", "plot_tree", Call("plot"))
_rows("sklearn.tree", "export_text export_graphviz", Call())
_rows("", "xgboost.XGBClassifier xgboost.XGBRegressor xgboost.XGBRanker lightgbm.LGBMClassifier "
      "lightgbm.LGBMRegressor catboost.CatBoostClassifier catboost.CatBoostRegressor",
      Call("estimator", holds=True))  # fmt: skip
_rows("", "xgboost.plot_importance xgboost.plot_tree lightgbm.plot_importance", Call("plot"))

# ---- torch: layers are initialised, and dropout works, from its global generator
_rows("torch", "arange argmax as_tensor cat complex cos count_nonzero cumsum diag einsum empty exp "
      "eye floor full full_like isnan linspace log logspace matmul max mean min mm ones ones_like "
      "prod range sigmoid sin softmax sqrt stack std sum tanh tensor tril triu unique var where "
      "zeros zeros_like allclose equal is_tensor numel bincount no_grad inference_mode device Size "
      "float float32 float64 int64 long bool cuda.is_available cuda.device_count "
      "backends.mps.is_available",
      Call("tensor", holds=True))  # fmt: skip
_rows("torch", "abs add addmm argwhere bmm clamp clip clone cross cumprod div dot eq fft flip "
      "gather ge gt hstack index_select isfinite isinf kron le linalg log10 log1p log2 logsumexp "
      "lt maximum median minimum mul ne neg nonzero norm numel outer pow relu "
      "repeat_interleave roll round rsqrt sign sort square sub tensordot tile topk vstack",
      Call("tensor", holds=True))  # fmt: skip
_rows("torch", "asarray atleast_1d atleast_2d chunk detach from_dlpack imag movedim narrow "
      "permute ravel real split swapaxes unbind from_numpy as_tensor reshape squeeze unsqueeze "
      "flatten transpose",
      Call("tensor", is_view=True))  # fmt: skip
_rows("torch", "rand randn randint randperm rand_like randn_like normal bernoulli multinomial",
      Call("tensor", holds=True, draws="torch"))  # fmt: skip
_rows("torch", "manual_seed random.manual_seed cuda.manual_seed cuda.manual_seed_all seed",
      Call("generator", seeds="torch", effect=_PROCESS))  # fmt: skip
_rows("torch", "set_num_threads set_default_dtype set_default_device set_printoptions "
      "use_deterministic_algorithms set_grad_enabled", _SET)  # fmt: skip
_rows("torch", "Generator", Call("generator"))
_rows("torch", "save", _WRITES)
_rows("torch", "nn", Call("module", holds=True, draws="torch"))
_rows("torch.nn", "functional", Call("tensor", holds=True, draws="torch"))
_rows("torch.nn.functional", "batch_norm instance_norm embedding embedding_bag",
      Call("tensor", holds=True, changes=True, draws="torch"))  # fmt: skip
_rows("torch.nn", "utils parallel", None)
_rows("torch.nn", "init", Call("same", changes=True, draws="torch"))
_rows("torch.nn.utils", "clip_grad_norm_ clip_grad_value_ vector_to_parameters",
      Call("tensor", holds=True, changes=True))  # fmt: skip
_rows("torch", "optim", Call("optimizer", holds=True))
_rows("torch.optim", "lr_scheduler", Call("optimizer", holds=True, changes=True))
_rows("torch.optim", "swa_utils", None)
_rows("torch.utils.data", "DataLoader random_split", Call("loader", holds=True, draws="torch"))
_rows("torch.utils.data", "TensorDataset Subset ConcatDataset Dataset", Call("loader", holds=True))
for _module in ("tensorflow", "keras"):
    _rows(
        _module, "random.set_seed utils.set_random_seed", Call(seeds="tensorflow", effect=_PROCESS)
    )
_rows("hpo_lab", "report keep", Call())

STEADY_IN_SCIPY = _words(
    """
    constants fft fftpack integrate interpolate io linalg.block_diag linalg.cholesky linalg.det
    linalg.eig linalg.eigh linalg.expm linalg.inv linalg.lstsq linalg.lu linalg.norm linalg.pinv
    linalg.qr linalg.solve linalg.svd misc ndimage cluster.hierarchy
    optimize.brentq optimize.curve_fit optimize.fsolve optimize.least_squares optimize.linprog
    optimize.linear_sum_assignment optimize.minimize optimize.minimize_scalar optimize.root
    optimize.root_scalar optimize.nnls signal spatial special sparse.coo_array sparse.coo_matrix
    sparse.csc_array sparse.csc_matrix sparse.csr_array sparse.csr_matrix sparse.diags sparse.eye
    sparse.hstack sparse.identity sparse.vstack sparse.issparse stats.anderson stats.bartlett
    stats.boxcox stats.chi2_contingency stats.chisquare stats.describe stats.entropy
    stats.f_oneway stats.friedmanchisquare stats.gmean stats.hmean stats.iqr stats.jarque_bera
    stats.kendalltau stats.kruskal stats.ks_2samp stats.kstest stats.kurtosis stats.levene
    stats.linregress stats.mannwhitneyu stats.mode stats.moment stats.normaltest stats.pearsonr
    stats.percentileofscore stats.pointbiserialr stats.probplot stats.rankdata stats.sem
    stats.shapiro stats.skew stats.spearmanr stats.trim_mean stats.ttest_1samp stats.ttest_ind
    stats.ttest_rel stats.wasserstein_distance stats.wilcoxon stats.yeojohnson stats.zscore
    stats.gaussian_kde stats.norm stats.uniform
    """
)
"""What in SciPy draws nothing from NumPy's global generator; but any `rvs` does."""

STEADY = _words(
    """
    metrics model_selection.cross_val_score model_selection.cross_val_predict base.clone
    model_selection.cross_validate model_selection.GridSearchCV model_selection.ParameterGrid
    model_selection.GroupKFold model_selection.LeaveOneOut model_selection.TimeSeriesSplit
    model_selection.learning_curve model_selection.validation_curve model_selection.KFold
    model_selection.StratifiedKFold linear_model.ARDRegression linear_model.BayesianRidge
    linear_model.GammaRegressor linear_model.HuberRegressor linear_model.LinearRegression
    linear_model.LogisticRegression linear_model.Ridge linear_model.RidgeCV
    linear_model.RidgeClassifier linear_model.Lasso linear_model.LassoCV
    linear_model.ElasticNet linear_model.ElasticNetCV linear_model.Lars linear_model.LassoLars
    linear_model.PoissonRegressor linear_model.QuantileRegressor linear_model.TweedieRegressor
    neighbors.KNeighborsClassifier neighbors.KNeighborsRegressor neighbors.NearestNeighbors
    neighbors.NearestCentroid neighbors.KernelDensity neighbors.LocalOutlierFactor naive_bayes
    discriminant_analysis kernel_ridge isotonic pipeline compose svm.SVR impute.SimpleImputer
    impute.KNNImputer impute.MissingIndicator preprocessing.Binarizer
    preprocessing.FunctionTransformer preprocessing.LabelBinarizer preprocessing.LabelEncoder
    preprocessing.MaxAbsScaler preprocessing.MinMaxScaler preprocessing.MultiLabelBinarizer
    preprocessing.Normalizer preprocessing.OneHotEncoder preprocessing.OrdinalEncoder
    preprocessing.PolynomialFeatures preprocessing.PowerTransformer preprocessing.RobustScaler
    preprocessing.SplineTransformer preprocessing.StandardScaler preprocessing.scale
    preprocessing.label_binarize preprocessing.minmax_scale preprocessing.normalize
    feature_extraction.text feature_extraction.DictVectorizer feature_selection.SelectKBest
    feature_selection.SelectPercentile feature_selection.VarianceThreshold
    feature_selection.RFE feature_selection.RFECV feature_selection.SelectFromModel
    feature_selection.chi2 feature_selection.f_classif feature_selection.f_regression
    cluster.AgglomerativeClustering cluster.DBSCAN cluster.HDBSCAN cluster.MeanShift
    cluster.OPTICS ensemble.VotingClassifier ensemble.VotingRegressor
    ensemble.StackingClassifier ensemble.StackingRegressor manifold.Isomap
    decomposition.IncrementalPCA calibration tree.plot_tree tree.export_text
    tree.export_graphviz datasets.load_iris datasets.load_wine datasets.load_digits
    datasets.load_breast_cancer datasets.load_diabetes datasets.load_linnerud
    datasets.fetch_california_housing datasets.fetch_openml base utils.class_weight
    utils.check_array utils.check_X_y utils.Bunch
    inspection.PartialDependenceDisplay inspection.DecisionBoundaryDisplay
    """
)
"""What in scikit-learn draws nothing from NumPy's global generator, even without a `random_state`,
unless it gets a `solver`, `shuffle`, `selection` or `probability`."""

PLAIN_MODULES = _words(
    """
    IPython altair bokeh catboost hpo_lab imblearn ipywidgets joblib keras lightgbm matplotlib
    missingno mpl_toolkits numpy pandas plotly polars requests scipy seaborn sklearn
    statsmodels tabulate tensorflow torch torchvision tqdm transformers wordcloud xgboost yaml
    """
)
"""Libraries beside Python's own whose import changes nothing that other cells see."""

PLAIN_BASES = _words(
    """
    abc.ABC builtins.object typing.Generic typing.Protocol typing.NamedTuple typing.TypedDict
    enum.Enum enum.Flag enum.IntEnum enum.IntFlag enum.StrEnum builtins.str builtins.int
    builtins.float
    """
)
"""Base classes that give a class of the notebook nothing that changes anything."""

SAME_DECORATORS = _words(
    """
    abc.abstractmethod contextlib.asynccontextmanager contextlib.contextmanager
    dataclasses.dataclass functools.cache functools.lru_cache functools.total_ordering
    functools.wraps numba.jit numba.njit tensorflow.function torch.inference_mode
    torch.no_grad typing.final typing.overload typing.override typing.runtime_checkable
    """
)
"""Decorators that give what they decorate, or what behaves as it does."""
