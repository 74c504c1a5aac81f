"""A cell is left out only when all that it does is known to change nothing that is read later."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import slice_cells

# kind, name: (earlier cells, tuned cell, which assigns `result`, numbers of cells that are kept)
CASES: dict[tuple[str, str], tuple[list[str], str, list[int]]] = {
    ("unknown", "object of a module of one's own"): (
        [
            "from statistics import NormalDist as N\nimport ownmod\nc = ownmod.Counter()",
            "c.count()",
        ],
        "result = c.n",
        [0, 1],
    ),
    ("unknown", "with a harmless name, in a helper"): (
        ["import ownmod\nc = ownmod.Counter()", "def peek(o):\n    return o.count()", "peek(c)"],
        "result = c.n",
        [0, 1, 2],
    ),
    ("unknown", "the same in two helpers"): (
        [
            "import ownmod\nc = ownmod.Counter()",
            "def inner(o): return o.count()\ndef peek(o): return inner(o)",
            "print(peek(c))",
        ],
        "result = c.n",
        [0, 1, 2],
    ),
    ("unknown", "in a container"): (
        ["import ownmod\nbox = {'a': ownmod.Counter()}", "box['a'].count()"],
        "result = box['a'].n",
        [0, 1],
    ),
    ("unknown", "in a table"): (
        [
            "import pandas as pd\nimport ownmod\nc = ownmod.Counter()",
            "df = pd.DataFrame({'c': [c]})",
            "df['c'][0].count()",
        ],
        "result = c.n",
        [0, 1, 2],
    ),
    ("unknown", "function with state of its module"): (
        ["import ownmod", "ownmod.configure(5)"],
        "result = ownmod.value()",
        [0, 1],
    ),
    ("unknown", "its method passed to map"): (
        ["import ownmod\nc = ownmod.Counter()", "list(map(lambda v: c.count(), 'ab'))"],
        "result = c.n",
        [0, 1],
    ),
    ("unknown", "bound method under a name"): (
        ["import ownmod\nc = ownmod.Counter()", "go = c.count", "go()"],
        "result = c.n",
        [0, 1, 2],
    ),
    ("unknown", "getattr"): (
        ["import ownmod\nc = ownmod.Counter()", "name = 'count'\ngetattr(c, name)()"],
        "result = c.n",
        [0, 1],
    ),
    ("unknown", "item access that adds"): (
        ["from collections import defaultdict\nd = defaultdict(list)", "d['a']"],
        "result = sorted(d)",
        [0, 1],
    ),
    ("unknown", "operator"): (
        ["import ownmod\nc = ownmod.Counter()", "c | 1"],
        "result = c.n",
        [0, 1],
    ),
    ("class", "patched after an instance was made"): (
        [
            "class Model:\n    batch = 8\n    def score(self): return 1.0\nm = Model()",
            "Model.score = lambda self: 10.0",
            "Model.batch = 64",
        ],
        "result = m.score() + m.batch",
        [0, 1, 2],
    ),
    ("class", "patched base class"): (
        ["class A:\n    n = 1\nclass B(A): pass\nb = B()", "A.n = 2"],
        "result = b.n",
        [0, 1],
    ),
    ("class", "setattr"): (
        ["class A:\n    n = 1\na = A()", "setattr(A, 'n', 3)"],
        "result = a.n",
        [0, 1],
    ),
    ("class", "decorator that adds a method"): (
        [
            "class A: pass\na = A()",
            "def add_to(cls):\n    def put(f):\n        setattr(cls, f.__name__, f)\n"
            "        return f\n"
            "    return put",
            "@add_to(A)\ndef go(self): return 5",
        ],
        "result = a.go()",
        [0, 1, 2],
    ),
    ("class", "by type()"): (
        ["class A:\n    n = 1\na = A()", "type(a).n = 4"],
        "result = a.n",
        [0, 1],
    ),
    ("class", "by __class__"): (
        ["class A:\n    n = 1\na = A()", "a.__class__.n = 4"],
        "result = a.n",
        [0, 1],
    ),
    ("class", "counter in the class"): (
        [
            "class A:\n    made = []\n    def __init__(self): A.made.append(1)",
            "first = A()",
        ],
        "result = len(A.made)",
        [0, 1],
    ),
    ("class", "classmethod"): (
        [
            "class A:\n    made = []\n    @classmethod\n    def note(cls): cls.made.append(1)",
            "A.note()",
        ],
        "result = A.made",
        [0, 1],
    ),
    ("class", "property that counts"): (
        [
            "class A:\n    n = 0\n    @property\n    def x(self):\n        self.n += 1\n"
            "        return 1\na = A()",
            "a.x",
        ],
        "result = a.n",
        [0, 1],
    ),
    ("class", "__getattr__ that counts"): (
        [
            "class A:\n    n = 0\n    def __getattr__(self, name):\n        self.n += 1\n"
            "        return 1\na = A()",
            "a.anything",
        ],
        "result = a.n",
        [0, 1],
    ),
    ("class", "operator that counts"): (
        [
            "class A:\n    n = 0\n    def __add__(self, o):\n        self.n += 1\n"
            "        return 1\na = A()",
            "a + 1",
        ],
        "result = a.n",
        [0, 1],
    ),
    ("class", "repr that counts"): (
        [
            "class A:\n    n = 0\n    def __repr__(self):\n        self.n += 1\n"
            "        return ''\na = A()",
            "print(a)",
        ],
        "result = a.n",
        [0, 1],
    ),
    ("class", "context manager that counts"): (
        [
            "class A:\n    n = 0\n    def __enter__(self): self.n += 1\n"
            "    def __exit__(self, *e): pass\na = A()",
            "with a: pass",
        ],
        "result = a.n",
        [0, 1],
    ),
    ("class", "methods by super()"): (
        [
            "class A:\n    def __init__(self): self.log = []\n    def go(self): self.log.append(1)",
            "class B(A):\n    def __init__(self): super().__init__()\n"
            "    def go(self): super().go()\nb = B()",
            "b.go()",
        ],
        "result = b.log",
        [0, 1, 2],
    ),
    ("class", "scikit-learn's methods around one's own"): (
        [
            "from sklearn.base import BaseEstimator, TransformerMixin\n"
            "class T(BaseEstimator, TransformerMixin):\n    seen = []\n"
            "    def fit(self, X, y=None):\n        T.seen.append(len(X))\n        return self\n"
            "    def transform(self, X): return X",
            "T().fit_transform([1, 2])",
        ],
        "result = T.seen",
        [0, 1],
    ),
    ("consumed", "zip"): (
        ["s = iter(range(9))", "list(zip('abc', s))"],
        "result = next(s)",
        [0, 1],
    ),
    ("consumed", "islice"): (
        ["from itertools import islice\ns = iter(range(9))", "list(islice(s, 2))"],
        "result = next(s)",
        [0, 1],
    ),
    ("consumed", "in"): (["s = iter(range(9))", "3 in s"], "result = next(s)", [0, 1]),
    ("consumed", "unpacking"): (["s = iter(range(2))", "a, b = s"], "result = list(s)", [0, 1]),
    ("consumed", "star"): (["s = iter(range(2))", "print(*s)"], "result = list(s)", [0, 1]),
    ("consumed", "break"): (
        ["s = iter(range(9))", "for v in s:\n    if v: break"],
        "result = next(s)",
        [0, 1],
    ),
    ("consumed", "sum"): (["s = iter(range(9))", "sum(s)"], "result = list(s)", [0, 1]),
    ("consumed", "comprehension"): (
        ["s = iter(range(9))", "[v for v in s]"],
        "result = list(s)",
        [0, 1],
    ),
    ("consumed", "generator function"): (
        ["def g():\n    yield 1\n    yield 2\ns = g()", "first = next(s)"],
        "result = list(s)",
        [0, 1],
    ),
    ("consumed", "generator whose body changes"): (
        ["log = []\ndef g():\n    log.append(1)\n    yield 1", "s = g()", "list(s)"],
        "result = log",
        [0, 1, 2],
    ),
    ("consumed", "generator expression whose body changes"): (
        ["log = []", "s = (log.append(v) for v in 'ab')", "list(s)"],
        "result = log",
        [0, 1, 2],
    ),
    ("consumed", "iterator inside an iterator"): (
        ["s = iter(range(9))", "t = enumerate(s)", "next(t)"],
        "result = next(s)",
        [0, 1, 2],
    ),
    ("consumed", "array from an iterator"): (
        ["import numpy as np\ns = iter(range(9))", "np.fromiter(s, int, 3)"],
        "result = next(s)",
        [0, 1],
    ),
    ("consumed", "table from an iterator"): (
        ["import pandas as pd\ns = iter(range(9))", "pd.Series(s).describe()"],
        "result = list(s)",
        [0, 1],
    ),
    ("consumed", "file"): (
        ["import io\nf = io.StringIO('a\\nb\\nc')", "head = f.readline()"],
        "result = f.read()",
        [0, 1],
    ),
    ("consumed", "file by a loop"): (
        ["import io\nf = io.StringIO('a\\nb\\nc')", "for line in f:\n    print(line)\n    break"],
        "result = f.read()",
        [0, 1],
    ),
    ("consumed", "file by a table"): (
        ["import io\nimport pandas as pd\nf = io.StringIO('a\\n1')", "pd.read_csv(f).head()"],
        "result = f.read()",
        [0, 1],
    ),
    ("consumed", "csv reader"): (
        ["import csv, io\nr = csv.reader(io.StringIO('a\\nb'))", "head = next(r)"],
        "result = list(r)",
        [0, 1],
    ),
    ("consumed", "queue"): (
        ["from queue import Queue\nq = Queue()\nq.put(1)\nq.put(2)", "first = q.get()"],
        "result = q.get()",
        [0, 1],
    ),
    ("consumed", "deque"): (
        ["from collections import deque\nd = deque([1, 2])", "d.rotate(1)"],
        "result = list(d)",
        [0, 1],
    ),
    ("consumed", "in a helper"): (
        [
            "s = iter(range(9))",
            "def head(v): return [x for x, _ in zip(v, 'ab')]",
            "print(head(s))",
        ],
        "result = next(s)",
        [0, 1, 2],
    ),
    ("consumed", "timeit"): (
        ["s = iter(range(9))", "%timeit -n1 -r1 next(s, 0)"],
        "result = s",
        [0, 1],
    ),
    ("functions", "map with a method"): (
        ["acc = []", "list(map(acc.append, 'ab'))"],
        "result = acc",
        [0, 1],
    ),
    ("functions", "map with a lambda"): (
        ["acc = []", "any(map(lambda v: acc.append(v), 'ab'))"],
        "result = acc",
        [0, 1],
    ),
    ("functions", "map that changes the items"): (
        ["rows = [[], []]", "list(map(lambda row: row.append(1), rows))"],
        "result = rows",
        [0, 1],
    ),
    ("functions", "map with next"): (
        ["its = [iter('ab'), iter('cd')]", "list(map(next, its))"],
        "result = [list(i) for i in its]",
        [0, 1],
    ),
    ("functions", "reduce"): (
        [
            "from functools import reduce\nacc = []",
            "reduce(lambda a, v: a.append(v) or a, 'ab', acc)",
        ],
        "result = acc",
        [0, 1],
    ),
    ("functions", "reduce with an operator"): (
        [
            "from functools import reduce\nimport operator\nacc = []",
            "reduce(operator.iadd, ['a'], acc)",
        ],
        "result = acc",
        [0, 1],
    ),
    ("functions", "sort key"): (
        ["seen = []", "sorted([2, 1], key=lambda v: seen.append(v) or v)"],
        "result = seen",
        [0, 1],
    ),
    ("functions", "apply of a table"): (
        [
            "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\nseen = []",
            "df.a.apply(seen.append)",
        ],
        "result = seen",
        [0, 1],
    ),
    ("functions", "partial"): (
        ["from functools import partial\nacc = []", "add = partial(list.append, acc)", "add(1)"],
        "result = acc",
        [0, 1, 2],
    ),
    ("functions", "in a transformer"): (
        [
            "from sklearn.preprocessing import FunctionTransformer\nseen = []",
            "t = FunctionTransformer(lambda X: seen.append(1) or X)",
            "t.transform([[1]])",
        ],
        "result = seen",
        [0, 1, 2],
    ),
    ("functions", "own metric of scikit-learn"): (
        [
            "from sklearn.neighbors import KNeighborsClassifier as K\nseen = []\n"
            "def m(a, b):\n    seen.append(1)\n    return abs(a - b).sum()",
            "k = K(1, metric=m, algorithm='brute').fit([[0], [1]], [0, 1])\nk.predict([[0]])",
        ],
        "result = len(seen)",
        [0, 1],
    ),
    ("functions", "optimizer of SciPy"): (
        [
            "from scipy.optimize import minimize\nseen = []\ndef f(x):\n    seen.append(1)\n"
            "    return x[0]**2",
            "minimize(f, [1.0])",
        ],
        "result = len(seen)",
        [0, 1],
    ),
    ("functions", "cache"): (
        [
            "from functools import lru_cache\ncalls = []\n@lru_cache\ndef f(x):\n"
            "    calls.append(x)\n    return x",
            "f(1)",
        ],
        "result = calls",
        [0, 1],
    ),
    ("hooks", "atexit and the like"): (
        ["import atexit\nlog = []", "atexit.register(lambda: log.append(1))"],
        "result = log",
        [0, 1],
    ),
    ("hooks", "handler of logging"): (
        [
            "import logging\nlog = []\nclass H(logging.Handler):\n"
            "    def emit(self, r): log.append(1)",
            "logging.getLogger('x').addHandler(H())",
            "logging.getLogger('x').error('a')",
        ],
        "result = log",
        [0, 1, 2],
    ),
    ("hooks", "patched library"): (
        [
            "import numpy as np\ncalls = []\nmean = np.mean",
            "def counted(*a):\n    calls.append(1)\n    return mean(*a)\nnp.mean = counted",
            "np.mean([1])",
            "np.mean = mean",
        ],
        "result = calls",
        [0, 1, 2, 3],
    ),
    ("hooks", "patched type of a library"): (
        [
            "import pandas as pd\ncalls = []\ndf = pd.DataFrame({'a': [1]})",
            "def go(self): calls.append(1)\npd.DataFrame.go = go",
            "df.go()",
            "del pd.DataFrame.go",
        ],
        "result = calls",
        [0, 1, 2, 3],
    ),
    ("hooks", "warnings"): (
        [
            "import warnings\nseen = []",
            "def show(*a, **k): seen.append(1)\nold = warnings.showwarning\n"
            "warnings.showwarning = show",
            "warnings.warn('x')",
            "warnings.showwarning = old",
        ],
        "result = len(seen)",
        [0, 1, 2, 3],
    ),
    ("random", "Python"): (
        ["import random\nrandom.seed(0)", "demo = [random.random() for _ in range(3)]"],
        "result = random.random()",
        [0, 1],
    ),
    ("random", "shuffled copy"): (
        ["import random\nrandom.seed(0)", "deck = [1, 2, 3]\nrandom.shuffle(deck)"],
        "result = random.random()",
        [0, 1],
    ),
    ("random", "NumPy"): (
        ["import numpy as np\nnp.random.seed(0)", "np.random.rand(3)"],
        "result = np.random.rand()",
        [0, 1],
    ),
    ("random", "a sample of a table"): (
        [
            "import numpy as np, pandas as pd\nnp.random.seed(0)\n"
            "df = pd.DataFrame({'a': range(9)})",
            "df.sample(3)",
        ],
        "result = np.random.rand()",
        [0, 1],
    ),
    ("random", "a model without random_state"): (
        [
            "import numpy as np\nfrom sklearn.ensemble import RandomForestClassifier as F\n"
            "np.random.seed(0)\nX, y = [[0.], [1.], [2.]], [0, 1, 1]",
            "F(3).fit(X, y)",
        ],
        "result = np.random.rand()",
        [0, 1],
    ),
    ("random", "a model with random_state"): (
        [
            "import numpy as np\nfrom sklearn.ensemble import RandomForestClassifier as F\n"
            "np.random.seed(0)\nX, y = [[0.], [1.], [2.]], [0, 1, 1]",
            "F(3, random_state=1).fit(X, y)",
        ],
        "result = np.random.rand()",
        [0],
    ),
    ("random", "a split without random_state"): (
        [
            "import numpy as np\nfrom sklearn.model_selection import train_test_split\n"
            "np.random.seed(0)",
            "a, b = train_test_split([1, 2, 3])",
        ],
        "result = np.random.rand()",
        [0, 1],
    ),
    ("random", "seeded again"): (
        ["import random\nrandom.seed(0)", "random.random()", "random.seed(1)"],
        "result = random.random()",
        [0, 2],
    ),
    ("random", "seeded by the tuned cell"): (
        ["import random\nrandom.seed(0)", "random.random()"],
        "random.seed(1)\nresult = random.random()",
        [0],
    ),
    ("random", "in a helper"): (
        ["import random\nrandom.seed(0)", "def draw(): return random.random()", "print(draw())"],
        "result = draw()",
        [0, 1, 2],
    ),
    ("random", "a generator of one's own"): (
        ["import numpy as np\nrng = np.random.default_rng(0)", "rng.normal(size=3)"],
        "result = rng.normal()",
        [0, 1],
    ),
    ("random", "a generator passed on"): (
        [
            "import numpy as np, pandas as pd\nrng = np.random.default_rng(0)",
            "pd.Series(range(9)).sample(2, random_state=rng)",
        ],
        "result = rng.normal()",
        [0, 1],
    ),
    ("in place", "keyword out"): (
        ["import numpy as np\nx = np.ones(3)", "np.cumsum(x, out=x)"],
        "result = x.tolist()",
        [0, 1],
    ),
    ("in place", "method of a view"): (
        ["import numpy as np\nx = np.array([3, 1])", "x[:].sort()"],
        "result = x.tolist()",
        [0, 1],
    ),
    ("in place", "ufunc.at"): (
        ["import numpy as np\nx = np.zeros(3)", "np.add.at(x, [0], 1)"],
        "result = x.tolist()",
        [0, 1],
    ),
    ("in place", "scaler that overwrites"): (
        [
            "import numpy as np\nfrom sklearn.preprocessing import StandardScaler as S\n"
            "x = np.array([[1.], [3.]])",
            "S(copy=False).fit_transform(x)",
        ],
        "result = x.tolist()",
        [0, 1],
    ),
    ("in place", "table under another name"): (
        ["import pandas as pd\ndf = pd.DataFrame({'a': [1]})", "t = df", "t['b'] = 2"],
        "result = list(df)",
        [0, 1, 2],
    ),
    ("in place", "table popped"): (
        ["import pandas as pd\ndf = pd.DataFrame({'a': [1], 'b': [2]})", "df.pop('b').head()"],
        "result = list(df)",
        [0, 1],
    ),
    ("in place", "pipeline step"): (
        [
            "from sklearn.preprocessing import StandardScaler\n"
            "from sklearn.pipeline import make_pipeline\ns = StandardScaler()",
            "p = make_pipeline(s)",
            "p.fit([[1.], [3.]])",
        ],
        "result = float(s.mean_[0])",
        [0, 1, 2],
    ),
    ("in place", "namespace"): (
        ["import types\nn = types.SimpleNamespace(a=[])", "n.a.append(1)"],
        "result = n.a",
        [0, 1],
    ),
    ("in place", "attribute of a function"): (
        ["def f(): return f.n\nf.n = 1", "f.n = 2"],
        "result = f()",
        [0, 1],
    ),
    ("in place", "default argument"): (
        ["def f(v, seen=[]):\n    seen.append(v)\n    return len(seen)", "f(1)"],
        "result = f(2)",
        [0, 1],
    ),
    ("in place", "loop over parts"): (
        ["boxes = {'a': [], 'b': []}", "for name, box in boxes.items():\n    box.append(name)"],
        "result = boxes",
        [0, 1],
    ),
    ("in place", "last value shown"): (
        ["xs = [1]", "xs", "_.append(2)"],
        "result = xs",
        [0, 1, 2],
    ),
    ("harmless", "tables shown"): (
        [
            "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})",
            "df.head()",
            "df.groupby('b').a.mean().sort_values()",
            "df.isnull().sum().plot(kind='bar')" if False else "df.isnull().sum()",
            "print(df.shape, df.dtypes)",
            "df.b.str.upper().value_counts()",
            "for name in df.columns:\n    print(name, df[name].nunique())",
            "df.apply(lambda row: row.a * 2, axis=1)",
        ],
        "result = int(df.a.sum())",
        [0],
    ),
    ("harmless", "models compared"): (
        [
            "from sklearn.datasets import load_iris\n"
            "from sklearn.linear_model import LogisticRegression\n"
            "from sklearn.neighbors import KNeighborsClassifier\n"
            "from sklearn.model_selection import cross_val_score, train_test_split\n"
            "from sklearn.metrics import accuracy_score",
            "X, y = load_iris(return_X_y=True)\n"
            "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
            "models = {'lr': LogisticRegression(max_iter=500), 'knn': KNeighborsClassifier()}\n"
            "for name, model in models.items():\n"
            "    model.fit(X_train, y_train)\n"
            "    print(name, model.score(X_test, y_test))",
            "def evaluate(model):\n    model.fit(X_train, y_train)\n"
            "    return accuracy_score(y_test, model.predict(X_test))",
            "evaluate(KNeighborsClassifier(3))",
            "scores = cross_val_score(LogisticRegression(max_iter=500), X, y)\n"
            "print(scores.mean(), scores.std())",
        ],
        "result = round(evaluate(KNeighborsClassifier(5)), 6)",
        [0, 1, 3],
    ),
}
OWN_MODULE = """
class Counter:
    n = 0
    def count(self): self.n += 1
    def __or__(self, other): self.n += 1
state = [0]
def configure(v): state[0] = v
def value(): return state[0]
"""


def result_of(sources: list[str]) -> object:
    names: dict[str, object] = {"__name__": "__main__"}
    for source in sources:
        exec(source, names)
    return copy.deepcopy(names["result"])


@pytest.mark.parametrize("case", CASES, ids=": ".join)
def test_what_a_cell_changes_is_known_or_the_cell_is_kept(
    case: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, tuned, kept = CASES[case]

    decisions = slice_cells([ParsedCell(source) for source in earlier], ParsedCell(tuned))

    assert [n for n, decision in enumerate(decisions) if decision.kept] == kept, decisions
    if any("%" in source or source.startswith("_") for source in earlier):
        return
    (tmp_path / "ownmod.py").write_text(OWN_MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    for sources in ([*earlier, tuned], [*(earlier[n] for n in kept), tuned]):
        monkeypatch.delitem(__import__("sys").modules, "ownmod", raising=False)
        outcome = result_of(sources)
        if sources == [*earlier, tuned]:
            whole = outcome
    assert outcome == whole
