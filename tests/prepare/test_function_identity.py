"""Which changes make a function another function, and which do not."""

from __future__ import annotations

import ast
import importlib
import linecache
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab import uniform
from hpo_lab.experiment.function_parts import differences
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_function
from hpo_lab.prepare.function_uses import function_parts
from hpo_lab.problems import InvalidInput

_cells = 0


def parts(source: str, expression: str = "objective") -> dict[str, str]:
    """The parts of the function that *expression* is after a cell of a notebook has run."""
    global _cells
    _cells += 1
    file, text = f"<cell {_cells}>", textwrap.dedent(source)
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, file, "exec", dont_inherit=True), names)
    return function_parts(eval(expression, names))


def changes(before: str, now: str, expression: str = "objective") -> list[str]:
    return differences(parts(before, expression), parts(now, expression))


OBJECTIVE = """
SCALE = 3

def evaluate(lr):
    return lr * SCALE

def objective(lr, momentum=0.9):
    return evaluate(lr) + momentum
"""


def test_what_does_not_change_the_meaning_changes_nothing() -> None:
    same = '''
    """Another docstring."""
    SCALE =   (  3  )   # the scale


    def unused(): pass

    def evaluate(lr : float) -> "float":
        """What it does."""
        rate: int = 0
        return lr * SCALE

    def objective(lr, momentum=.90):
        # a comment
        return (
            evaluate(lr)
            + momentum
        )
    '''
    assert changes(OBJECTIVE.replace("return lr", "rate = 0\n    return lr"), same) == []


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("lr * SCALE", "lr + SCALE", ["helper evaluate() changed"]),
        ("SCALE = 3", "SCALE = 5", ["global SCALE: 3 is 5 now"]),
        ("SCALE = 3", "SCALE = 3.0", ["global SCALE: 3 is 3.0 now"]),
        ("+ momentum", "- momentum", ["function objective() changed"]),
        ("momentum=0.9", "momentum=0.8", ["default of momentum: 0.9 is 0.8 now"]),
        ("SCALE = 3", "import math\nSCALE = math.sqrt(9)", ["global SCALE: 3 is 3.0 now"]),
        (
            "evaluate(lr) + ",
            "lr + ",
            [
                "function objective() changed",
                "helper evaluate() is no longer used",
                "global SCALE is no longer used",
            ],
        ),
    ],
)
def test_a_change_is_told_in_the_words_of_the_code(old: str, new: str, lines: list[str]) -> None:
    assert changes(OBJECTIVE, OBJECTIVE.replace(old, new)) == lines


def test_closed_over_values_count() -> None:
    source = """
    def scaled(by):
        def closure(lr):
            return lr * by
        return closure
    """
    before, now = parts(source, "scaled(1)"), parts(source, "scaled(500)")
    assert differences(before, now) == ["closed-over by: 1 is 500 now"]
    assert before == parts(source, "scaled(1)")


def test_helpers_may_call_themselves_and_each_other() -> None:
    source = """
    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n != 0 and even(n - 1)

    def objective(n):
        return even(n) + (objective(n - 1) if n else 0)
    """
    assert changes(source, source.replace("n != 0", "n > 0")) == ["helper odd() changed"]


def test_lambdas_of_a_line_are_told_apart() -> None:
    source = "pair = (lambda lr: lr, lambda lr: lr + 1); nest = lambda lr: (lambda: lr)()"
    first, second = parts(source, "pair[0]"), parts(source, "pair[1]")
    assert first != second
    assert first == parts("pair = ((lambda lr:  lr), lambda lr: lr * 2)", "pair[0]")
    assert changes(source, source.replace("(lambda: lr)()", "lr"), "nest") == [
        "function lambda changed"
    ]


@pytest.mark.parametrize(
    ("expression", "old", "new", "lines"),
    [
        ("partial(train, rate=2)", "rate=2", "rate=3", ["bound rate: 2 is 3 now"]),
        ("partial(train, 2)", "train, 2", "train, 3", ["bound 1: 2 is 3 now"]),
        ("Model(2).fit", "Model(2)", "Model(3)", ["Model.rate: 2 is 3 now"]),
        ("Model(2)", "Model(2)", "Model(3)", ["Model.rate: 2 is 3 now"]),
        ("Model(2)", "rate = rate", "rate = rate * 1", ["Model.__init__() changed"]),
        ("Model(2).fit", "lr * self.K", "lr + self.K", ["Model.fit() changed"]),
        ("Model(2).fit", "K = 7", "K = 8", ["Model.K: 7 is 8 now"]),
        ("Slotted(2).fit", "Slotted(2)", "Slotted(3)", ["Slotted.rate: 2 is 3 now"]),
        ("wrapped", "lr - 1", "lr - 2", ["helper wrapped() #2 changed"]),
        ("cached", "lr / 2", "lr / 3", ["helper cached() changed"]),
        ("uses_table", "2.5", "3.5", ["global TABLE changed"]),
        ("uses_table", "'wine'", "'iris'", ["global NAMES: {'wine'} is {'iris'} now"]),
        (
            "uses_model",
            "Model(9)",
            "Model(8)",
            ["global MODEL: Model {'rate': 9} is Model {'rate': 8} now"],
        ),
    ],
)
def test_whatever_can_be_called_has_parts(
    expression: str, old: str, new: str, lines: list[str]
) -> None:
    source = """
    from functools import lru_cache, partial, wraps
    import numpy as np

    TABLE = np.array([1.5, 2.5])
    NAMES = {'wine'}

    class Base:
        pass

    class Model(Base):
        K = 7
        def __init__(self, rate):
            self.rate = rate
        def fit(self, lr):
            return lr * self.K
        __call__ = fit

    class Slotted:
        __slots__ = ('rate',)
        def __init__(self, rate):
            self.rate = rate
        def fit(self, lr):
            return lr

    MODEL = Model(9)

    def train(rate, lr=0):
        return rate + lr

    def decorated(function):
        @wraps(function)
        def wrapper(*arguments, **named):
            return function(*arguments, **named)
        return wrapper

    @decorated
    def wrapped(lr):
        return lr - 1

    @lru_cache
    def cached(lr):
        return lr / 2

    def uses_table(lr):
        return TABLE, NAMES

    def uses_model(lr):
        return MODEL
    """
    before = parts(source, expression)
    assert before == parts(source, expression)
    now = parts(source.replace(old, new), expression.replace(old, new))
    assert differences(before, now) == lines


def test_code_without_source_counts_as_it_is_compiled(tmp_path: Path) -> None:
    def compiled(source: str) -> dict[str, str]:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(source, "<nowhere>", "exec"), names)
        return function_parts(names["objective"])

    source = "def objective(lr):\n    return lr in {'a', 'b'}"
    assert compiled(source) == compiled(f"\n\n{source}  # moved")
    assert compiled(source) != compiled(source.replace("'b'", "'c'"))


def test_code_that_is_not_that_of_its_file_counts_as_it_is(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("def objective(lr):\n    return lr\n")
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(script.read_text(), str(script), "exec"), names)
    script.write_text("def objective(lr):\n    return lr + 1\n")
    edited = function_parts(names["objective"])
    linecache.clearcache()
    exec(compile(script.read_text(), str(script), "exec"), names)
    assert edited != function_parts(names["objective"])


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("[mk(1.0), mk(2.0), mk(1.0)]", "[mk(1.0), mk(2.0), mk(2.0)]"),
        ("{'a': lambda v: v, 'b': lambda v: -v}", "{'a': lambda v: -v, 'b': lambda v: v}"),
        ("[kind(1), kind(2), kind(1)]", "[kind(1), kind(2), kind(2)]"),
        ("[kind(1)(), kind(2)(), kind(1)()]", "[kind(1)(), kind(2)(), kind(2)()]"),
        ("[kind(1)().get, kind(2)().get]", "[kind(2)().get, kind(1)().get]"),
        ("partial(max, 1, key=mk(1)), mk(2)", "partial(max, 1, key=mk(2)), mk(1)"),
        ("np.array([mk(1), mk(2), mk(1)])", "np.array([mk(1), mk(2), mk(2)])"),
        ("{mk(1), mk(2), mk(3)}", "{mk(1), mk(2), mk(4)}"),
        ("[mk(mk(1)), mk(mk(2))]", "[mk(mk(1)), mk(mk(1))]"),
        ("[again(1), again(2), again(1)]", "[again(1), again(2), again(2)]"),
        ("[default(1), default(2), default(1)]", "[default(1), default(2), default(2)]"),
    ],
)
def test_functions_and_classes_of_equal_names_are_told_apart(before: str, now: str) -> None:
    source = """
    from functools import partial
    import numpy as np

    def mk(k):
        return lambda v: v * k

    def default(k):
        return lambda v, k=k: v * k

    def again(k):
        def inner(v):
            return inner(v - k) if v > 0 else kept
        kept = [inner, k]
        return inner

    def kind(k):
        class Kind:
            K = k
            def get(self):
                return k
        return Kind

    STEPS = {}
    def objective(lr):
        return STEPS
    """
    first = parts(source.replace("{}", before))
    assert first == parts(source.replace("{}", before))
    assert first != parts(source.replace("{}", now))


def test_globals_that_hold_functions_of_equal_names_are_told_apart() -> None:
    source = """
    def mk(k):
        return lambda v: v * k
    a, b, c = mk(1), mk(2), mk(1)
    def objective(lr):
        return a(lr) + b(lr) * c(lr)
    """
    lines = ["closed-over k of lambda #3 is used now"]
    lines = [line.replace("lambda", "mk.lambda") for line in lines]
    assert changes(source, source.replace("mk(1)\n", "mk(2)\n")) == lines


def test_the_order_of_dicts_and_of_members_counts_but_not_that_of_sets() -> None:
    source = """
    class Steps:
        add = 1
        mul = 5
    DICT, SET = {'add': 1, 'mul': 5}, {'add', 'mul'}
    def objective(lr):
        return Steps, DICT, SET
    """
    assert changes(source, source.replace("{'add', 'mul'}", "{'mul', 'add'}")) == []
    assert changes(source, source.replace("{'add': 1, 'mul': 5}", "{'mul': 5, 'add': 1}")) == [
        "global DICT: {'add': 1, 'mul': 5} is {'mul': 5, 'add': 1} now"
    ]
    before, now = "add = 1\n        mul = 5", "mul = 5\n        add = 1"
    assert changes(source, source.replace(before, now)) == [
        "class Steps: its members are in another order"
    ]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("FACTOR = 2", "FACTOR = 3", ["global FACTOR: 2 is 3 now"]),
        ("'a doc'", "'other'", ["helper described() changed", "described().__doc__: "]),
        ("x: int", "x: float", ["helper described() changed", "described().__annotations__: "]),
        ("+ 7", "+ 8", ["Own.__get__() changed"]),
        ("@Own", "@property", ["Model.rate"]),
    ],
)
def test_what_looks_like_something_else_counts(old: str, new: str, lines: list[str]) -> None:
    source = """
    import functools, inspect, statistics, typing
    FACTOR = 2

    @functools.wraps(statistics.mean)
    def mean(values):
        return FACTOR

    def described(x: int):
        'a doc'

    def texts(function):
        return inspect.getdoc(function), typing.get_type_hints(function)

    class Own(property):
        def __get__(self, instance, owner=None):
            return super().__get__(instance, owner) + 7

    class Model:
        @Own
        def rate(self):
            return 1

    def objective(lr):
        return mean([lr]), texts(described), Model().rate
    """
    assert source.count(old) == 1
    told = changes(source, source.replace(old, new))
    for line in lines:
        assert any(each.startswith(line) for each in told), told


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("'Add.'", "'Adds.'", ["helper handed() changed"]),
        ("x: int", "x: float", ["helper handed() changed"]),
        ("'Pairs.'", "'A pair.'", ["docstring of Pair: 'Pairs.' is 'A pair.' now"]),
        ("'First.'", "'The first.'", ["Pair.first() changed"]),
        ("'Own.'", "'My own.'", []),
        ("'Call.'", "'Calls.'", []),
        ("y: int", "y: float", []),
        ("print('a')", "print('b')", []),
    ],
)
def test_a_library_may_read_what_it_is_given(old: str, new: str, lines: list[str]) -> None:
    source = """
    from functools import reduce

    def handed(x: int, z):
        'Add.'
        return x + z

    class Pair(tuple):
        'Pairs.'
        def first(self):
            'First.'
            return self[0]

    class Own:
        'Own.'
        get = int

    def called(y: int):
        'Call.'
        print('a')
        return y

    def objective(lr):
        return reduce(handed, [called(lr), Pair([1]).first(), Own().get()])
    """
    assert source.count(old) == 1
    told = changes(source, source.replace(old, new))
    assert len(told) == len(lines)
    assert all(a.startswith(b) for a, b in zip(told, lines, strict=True)), told


# Modules of the project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from, whose modules are forgotten at the end."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_package").mkdir()
    for name, source in {
        "own_package/__init__.py": "",
        "own_package/deep.py": "from .deeper import DEPTH\n",
        "own_package/deeper.py": "DEPTH = 2\n",
        "own_helpers.py": (
            "from own_package import deep\n"
            "SCALE = 3\n"
            "def evaluate(lr):\n"
            "    return lr * SCALE\n"
            "if __name__ == '__main__':\n"
            "    print(evaluate(1))\n"
        ),
        "own_late.py": "LATE = 1\n",
    }.items():
        (tmp_path / name).write_text(source)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("own_"):
            del sys.modules[name]


USES = {
    "a function": "from own_helpers import evaluate\ndef objective(lr): return evaluate(lr)",
    "a module": "import own_helpers\ndef objective(lr): return own_helpers.evaluate(lr)",
    "an import inside": "def objective(lr):\n    import own_helpers\n    return own_helpers.SCALE",
    "itself": "from own_helpers import evaluate as objective",
}


@pytest.mark.parametrize("how", USES)
@pytest.mark.parametrize(
    ("file", "old", "new", "lines"),
    [
        ("own_helpers.py", "lr * SCALE", "lr + SCALE", ["own_helpers.evaluate() changed"]),
        ("own_helpers.py", "SCALE = 3", "SCALE = 4", ["own_helpers.SCALE: 3 is 4 now"]),
        ("own_helpers.py", "print(evaluate(1))", "pass", []),
        ("own_helpers.py", "lr * SCALE", "lr * SCALE  # scaled", []),
        ("own_package/deeper.py", "2", "3", ["own_package.deeper.DEPTH: 2 is 3 now"]),
        ("own_package/__init__.py", "", "import os\n", ["module own_package is used now"]),
        ("own_late.py", "1", "2", []),
    ],
)
def test_modules_of_the_project_count_by_their_files(
    project: Path, how: str, file: str, old: str, new: str, lines: list[str]
) -> None:
    before = parts(USES[how])
    path = project / file
    path.write_text(path.read_text().replace(old, new) if old else new)
    # A trial imports what is in the file, whether it was imported again here or not.
    assert differences(before, parts(USES[how])) == lines
    importlib.reload(importlib.import_module("own_helpers"))
    assert differences(before, parts(USES[how])) == lines


def test_the_order_of_the_statements_of_a_module_counts(project: Path) -> None:
    source = "import own_late\ndef objective(lr): return own_late.B"
    file = project / "own_late.py"
    file.write_text("K = 1\nB = K\nK = 2\n")
    before = parts(source)
    file.write_text("K = 1\nK = 2\nB = K\n")
    assert differences(before, parts(source)) == [
        "module own_late: its statements are in another order"
    ]
    file.write_text("K = 1\nB = K\nK = 3\n")
    assert differences(before, parts(source)) == ["own_late.K changed"]


def test_an_interactive_interpreter_has_the_same_functions(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = parts(USES["itself"])
    del sys.modules["own_helpers"]
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", ["", *sys.path[1:]])
    importlib.invalidate_caches()
    assert parts(USES["itself"]) == before
    options = TuneOptions(metric="loss", direction=ObjectiveType.MINIMIZE, trials=1)
    evaluate = importlib.import_module("own_helpers").evaluate
    prepared = prepare_function(evaluate, {"lr": uniform(0, 1)}, options)
    template = prepared.experiment.spec.trial_template
    assert template is not None and template.trial_spec is not None
    assert template.trial_spec["spec"]["path"][0] == str(project)


def test_installed_packages_count_by_name() -> None:
    source = """
    import numpy, json
    from hpo_lab import report

    def objective(lr):
        report(loss=numpy.sqrt(lr))
        return json.dumps(lr)
    """
    assert set(parts(source)) == {"function", "function objective()", "global report"}
    mean = "from statistics import mean\ndef objective(lr): return mean(lr)"
    assert changes(mean, mean.replace("mean\n", "fmean as mean\n")) == [
        "global mean: statistics.mean is statistics.fmean now"
    ]
    random = "import random\ndef objective(lr): return random.random()"
    assert changes(random, random.replace("import", "from numpy import", 1)) == [
        "global random is used now"
    ]


# Values


def test_what_cannot_be_sent_is_refused_by_name() -> None:
    source = """
    import threading
    LOCK = threading.Lock()
    NESTED = [{'file': open('/dev/null', 'w')}]

    def objective(lr, numbers=(n for n in [1])):
        return LOCK, NESTED
    """
    with pytest.raises(InvalidInput) as error:
        parts(source)
    assert [problem.where for problem in error.value.problems] == [
        "global LOCK",
        "global NESTED",
        "default of numbers",
    ]
    assert str(error.value.problems[0]) == (
        "global LOCK: is a lock, which cannot be given to a trial (cannot pickle "
        "'_thread.lock' object); make it in the function"
    )


SEVERAL = """
import collections, dataclasses, enum, pathlib, re, typing
import numpy as np, pandas as pd

@dataclasses.dataclass
class Settings:
    names: set
    rate: float = 0.5

class Colour(enum.Enum):
    RED = "red"

Point = collections.namedtuple("Point", "x y")
ring = ["ring"]
ring.append(ring)
VALUES = {
    "set": {f"name {n}" for n in range(50)},
    "functions": {lambda: 1, lambda: 2, lambda: 3},
    "object": Settings({"a", "b", "c"}),
    "enum": Colour.RED, "point": Point(1, 2), "ring": ring, "path": pathlib.Path("a"),
    "pattern": re.compile("a+"), "ordered": collections.OrderedDict(b=1, a=2),
    "frame": pd.DataFrame({"a": [1, None], "b": ["x", "y"]}),
    "series": pd.Series([[1], [2]], name="lists"),
    "array": np.arange(6.0).reshape(2, 3).T, "objects": np.array([None, "text"], dtype=object),
    "scalar": np.float32(0.1), "seeded": np.random.default_rng(1),
    "legacy": np.random.RandomState(1),
}

def objective(lr):
    return VALUES, Settings, lr in {"a", "b", "c"}
"""


def test_the_parts_are_equal_in_another_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"{SEVERAL}\nfrom hpo_lab.prepare.function_uses import function_parts\n"
        "import cloudpickle\n"
        "first = function_parts(objective)\n"
        "cloudpickle.dumps(objective)\n"
        "assert function_parts(objective) == first\n"
        "print(first)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, str(script)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "01"
    }
    (output,) = outputs
    texts = ast.literal_eval(output)
    assert texts["global VALUES"].startswith("digest:")


TABLES: list[tuple[str, str]] = [
    ("np.arange(4)", "np.arange(4.0)"),
    ("np.zeros((2, 3))", "np.zeros((3, 2))"),
    ("np.zeros(2000)", "np.r_[np.zeros(1999), 1]"),
    ("np.array([None, 1], dtype=object)", "np.array([None, 2], dtype=object)"),
    ("np.random.default_rng(1)", "np.random.default_rng(2)"),
    ("np.datetime64('2020-01-01')", "np.datetime64('2020-01-02')"),
    ("np.array(['2020-01-01'], dtype='M8[D]')", "np.array(['2020-01-02'], dtype='M8[D]')"),
    ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'b': [1]})"),
    ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'a': [1.0]})"),
    ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'a': [1]}, index=[7])"),
    ("pd.DataFrame({'a': [[1]]})", "pd.DataFrame({'a': [[2]]})"),
    ("pd.Series([1], name='a')", "pd.Series([1], name='b')"),
    ("pd.Series(['a', 'b'])", "pd.Series(['a', 'c'])"),
    ("pd.Index([1, 2])", "pd.Index([1, 3])"),
    ("pd.Index([1, 'a'])", "pd.Index(['1', 'a'])"),
    ("pd.Series([1, 'a'])", "pd.Series(['1', 'a'], dtype=object)"),
    ("pd.Series([1, None], dtype=object)", "pd.Series([1.0, None], dtype=object)"),
    ("pd.DataFrame({'a': [1, 'a']})", "pd.DataFrame({'a': ['1', 'a']})"),
    ("pd.MultiIndex.from_tuples([(1, 'a')])", "pd.MultiIndex.from_tuples([('1', 'a')])"),
    (
        "pd.Series(pd.Categorical(['a'], ['a', 'b']))",
        "pd.Series(pd.Categorical(['a'], ['b', 'a']))",
    ),
    ("pd.CategoricalIndex(['a'], ['a', 'b'])", "pd.CategoricalIndex(['a'], ['b', 'a'])"),
    ("pd.Categorical(['a'], ['a', 'b'])", "pd.Categorical(['a'], ['b', 'a'])"),
    ("np.longdouble(1)", "np.nextafter(np.longdouble(1), np.longdouble(2))"),
    ("np.array([1, 2], np.longdouble)", "np.array([1, 3], np.longdouble)"),
]


@pytest.mark.parametrize(("before", "now"), TABLES)
def test_arrays_and_tables_count_by_their_content(before: str, now: str) -> None:
    source = "import numpy as np, pandas as pd\nDATA = {}\ndef objective(lr): return DATA"
    assert parts(source.replace("{}", before)) == parts(source.replace("{}", before))
    assert parts(source.replace("{}", before)) != parts(source.replace("{}", now))


def held(value: object) -> Callable[[], object]:
    return lambda: value


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.frozensets(st.text())
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(plain, plain)
def test_values_have_equal_parts_exactly_where_they_are_written_alike(a: Any, b: Any) -> None:
    def written(value: Any) -> str:
        if isinstance(value, dict):
            return str([(key, written(each)) for key, each in value.items()])
        if isinstance(value, frozenset):
            return f"frozenset {sorted(value)}"
        if isinstance(value, list | tuple):
            return f"{type(value).__name__} {list(map(written, value))}"
        return repr(value)

    same = function_parts(held(a)) == function_parts(held(b))
    assert same == (written(a) == written(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.random.default_rng(2**100), np.random.default_rng(2**100 + 1)),
        (np.random.SeedSequence(2**90), np.random.SeedSequence(2**90 + 1)),
        [np.random.default_rng(each) for each in np.random.SeedSequence(2**90).spawn(2)],
        np.random.SeedSequence(1).spawn(2),
    ],
)
def test_generators_count_by_their_state_also_with_large_seeds(a: Any, b: Any) -> None:
    def parts(value: Any) -> dict[str, str]:
        return function_parts(held(value))

    assert parts(a) == parts(a)
    assert parts(a) != parts(b)


def test_a_generator_without_a_seed_is_asked_for_one() -> None:
    before, now = ({"global rng": f"drawn:digest:{n}"} for n in "12")
    assert differences(before, now) == [
        "global rng draws its seed anew in each process; give it one: default_rng(0)"
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "torch.tensor([1j]).conj()",
        "torch.tensor([1j]).conj().imag",
        "torch.empty(2, device='meta')",
    ],
)
def test_a_view_of_a_tensor_has_parts(expression: str) -> None:
    torch = pytest.importorskip("torch")
    value = eval(expression, {"torch": torch}).conj()
    assert function_parts(held(value))
