from __future__ import annotations

import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import slice_cells

# name: (earlier cells, tuned cell, numbers of the kept cells)
CASES: dict[str, tuple[list[str], str, list[int]]] = {
    "a value": (["x = 1", "y = 2"], "x", [0]),
    "a look at an experiment": (
        ["x = 1", "%%tune maximize a -o e\na = x", "e.dataframe().head()", "def f(): e.stop()"],
        "x",
        [0],
    ),
    "an experiment's name for something else": (
        ["%%tune maximize a -o e\na = 1", "e = open('f'); x = e.read()", "y = e.close()"],
        "x",
        [1],
    ),
    "the tuned cell looks at an experiment": (
        ["x = 1", "%%tune maximize a -o e\na = 1"],
        "x if e.best else 0",
        [0],
    ),
    "transitive": (["a = 1", "b = a + 1", "c = b", "d = a"], "c", [0, 1, 2]),
    "later definition wins": (["x = 1", "x = 2"], "x", [1]),
    "redefined from itself": (["x = 1", "x = x + 1"], "x", [0, 1]),
    "same source twice": (["x = 1", "x += 1", "x += 1"], "x", [0, 1, 2]),
    "definition executed twice": (["x = 1", "x += 1", "x = 1"], "x", [2]),
    "in order within a cell": (["x = 5", "x = 1; y = x"], "y", [1]),
    "defined by the tuned cell": (["x = 1"], "x = 2\nx", []),
    "read before the tuned cell defines it": (["x = 1"], "x = x + 1", [0]),
    "annotated assignment": (["x: int = 1"], "x", [0]),
    "bare annotation binds nothing": (["x = 1", "x: int"], "x", [0]),
    "tuple target": (["a, (b, *c) = 1, (2, 3)"], "c", [0]),
    "pairwise tuple": (["a = []", "b, c = a, []", "c.append(1)"], "a", [0]),
    "walrus": (["if (n := 10) > 5: pass"], "n", [0]),
    "walrus in a comprehension": (["ys = [y := v for v in range(3)]"], "y", [0]),
    "comprehension scope": (["i = 1", "xs = [i for i in range(3)]"], "xs", [1]),
    "comprehension reads": (["k = 1", "xs = [k * i for i in range(3)]"], "xs", [0, 1]),
    "dict comprehension": (["k = 'a'", "d = {k: v for v in 'ab'}"], "d", [0, 1]),
    "with target": (["with open('f') as f: text = f.read()"], "text", [0]),
    "suppressed": (
        ["x = 1", "import contextlib", "with contextlib.suppress(ValueError):\n    x = 2"],
        "x",
        [0, 1, 2],
    ),
    "for target": (["for i in range(3): last = i"], "i + last", [0]),
    "except name": (["try:\n    import a\nexcept ImportError as e:\n    a = None"], "a", [0]),
    "match captures": (["match [1, 2]:\n    case [first, *rest]:\n        pass"], "rest", [0]),
    "match mapping": (["match {}:\n    case {'a': 1, **more}:\n        pass"], "more", [0]),
    "global statement": (["def f():\n    global g\n    g = 1", "f()"], "g", [0, 1]),
    "conditional definition": (["x = 1", "import os\nif os.name: x = 2", "y = 1"], "x", [0, 1]),
    "conditional definition in try": (
        ["x = 1", "try:\n    x = 2\nfinally:\n    pass"],
        "x",
        [0, 1],
    ),
    "loop may not run": (["x = 1", "for i in []: x = i"], "x", [0, 1]),
    "deleted and defined": (["x = 1", "del x", "x = 2"], "x", [2]),
    "deletion uncovers a builtin": (["list = 3", "del list"], "list((1,))", [0, 1]),
    "import": (["import math", "import json"], "math.pi", [0]),
    "import as": (["import numpy as np, math as m"], "np.pi", [0]),
    "submodules add up": (["import xml.etree", "import xml.dom"], "xml.etree", [0, 1]),
    "imported again": (["import time\nx = 1\ntime.sleep(0)"], "import time\ntime.sleep(0)", []),
    "imported again under a name": (["import numpy as np"], "import numpy as np\nnp.pi", []),
    "a submodule of what is imported again": (
        ["import xml.dom", "x = 1"],
        "import xml\nxml.dom",
        [0],
    ),
    "import from": (["from math import pi as p, e"], "p", [0]),
    "import in try": (["try:\n    import yaml\nexcept ImportError:\n    yaml = None"], "yaml", [0]),
    "star import": (["sin = 1", "from math import *", "y = 1"], "sin", [0, 1]),
    "future import": (["from __future__ import annotations", "x = 1"], "1", [0]),
    "function body": (["k = 1", "def f(): return k", "u = 3"], "f()", [0, 1]),
    "function body, defined later": (["def f(): return g()", "def g(): return 1"], "f()", [0, 1]),
    "the last one at the time of the call": (
        ["def f(): return k", "k = 1", "y = f()", "k = 2"],
        "y",
        [0, 1, 2],
    ),
    "both at their time": (
        ["def f(): return k", "k = 1", "y = f()", "k = 2"],
        "y + f()",
        [0, 1, 2, 3],
    ),
    "only the function that is used": (
        ["a = 1", "b = 2", "def f(): return a\ndef g(): return b"],
        "f()",
        [0, 2],
    ),
    "function locals": (["x = 1", "def f():\n    x = 2\n    return x"], "f()", [1]),
    "parameters": (["x = 1", "def f(x, *args, k=3, **kw): return x, args, k, kw"], "f(2)", [1]),
    "defaults": (["d = 1", "def f(x=d): return x"], "f()", [0, 1]),
    "keyword-only defaults": (["d = 1", "def f(*, x=d): return x"], "f()", [0, 1]),
    "annotations": (["T = int", "def f(x: T) -> T: return x"], "f(1)", [0, 1]),
    "decorator": (["def deco(f): return f", "@deco\ndef f(): return 1"], "f()", [0, 1]),
    "decorator that registers": (
        [
            "all = {}",
            "def reg(f):\n    all[f.__name__] = f\n    return f",
            "@reg\ndef f(): return 1",
        ],
        "all['f']()",
        [0, 1, 2],
    ),
    "nested functions": (
        ["k = 1", "def outer():\n    a = 1\n    def inner(): return a + k\n    return inner"],
        "outer()()",
        [0, 1],
    ),
    "closure run later": (
        ["def make():\n    def inner(): return k\n    return inner", "g = make()", "k = 3"],
        "g()",
        [0, 1, 2],
    ),
    "recursion": (["def f(n): return 1 if n < 2 else n * f(n - 1)"], "f(3)", [0]),
    "mutual recursion": (
        ["def even(n): return n == 0 or odd(n - 1)", "def odd(n): return n and even(n - 1)"],
        "even(4)",
        [0, 1],
    ),
    "lambda": (["k = 2", "f = lambda x: x * k"], "f(3)", [0, 1]),
    "lambda as an argument": (["k = 2", "ys = sorted([3, 1], key=lambda v: v * k)"], "ys", [0, 1]),
    "lambda in a container, defined later": (
        ["fs = [lambda: h()]", "def h(): return 1"],
        "fs[0]()",
        [0, 1],
    ),
    "function put into a list": (
        ["fs = []", "def f(): return k", "fs.append(f)", "k = 1"],
        "fs[0]()",
        [0, 1, 2, 3],
    ),
    "async": (["async def f(): return k", "k = 1"], "await f()", [0, 1]),
    "async for and with": (["async with a() as x:\n    async for y in x: pass"], "y", [0]),
    "top-level await": (["import asyncio", "x = await asyncio.sleep(0, 1)"], "x", [0, 1]),
    "generator": (["k = 1", "def g():\n    yield k"], "list(g())", [0, 1]),
    "class body and bases": (
        ["class A: pass", "n = 1", "class B(A):\n    size = n"],
        "B()",
        [0, 1, 2],
    ),
    "class attributes are not globals": (["size = 1", "class B:\n    size = 2"], "size", [0]),
    "methods": (["k = 1", "class A:\n    def go(self): return k"], "A().go()", [0, 1]),
    "methods run through an instance": (
        ["class A:\n    def go(self): return k", "a = A()", "k = 1"],
        "a.go()",
        [0, 1, 2],
    ),
    "instance from a function": (
        ["class A:\n    def go(self): return k", "def new(): return A()", "a = new()", "k = 1"],
        "a.go()",
        [0, 1, 2, 3],
    ),
    "f-string": (["name = 'a'", "title = f'{name:>{3}}'"], "title", [0, 1]),
    # Changes in place
    "item assignment": (["x = [0]", "x[0] = 1"], "x", [0, 1]),
    "attribute assignment": (["class A: pass", "a = A()", "a.b = 1"], "a", [0, 1, 2]),
    "augmented item": (["x = [0]", "x[0] += 1"], "x", [0, 1]),
    "deleted item": (["x = [0]", "del x[0]"], "x", [0, 1]),
    "method call": (["x = []", "x.append(1)"], "x", [0, 1]),
    "method call on a part": (["x = {'a': []}", "x['a'].append(1)"], "x", [0, 1]),
    "change of another object": (["x = []", "y = []", "y.append(1)"], "x", [0]),
    "change before the definition": (["x = []", "x.append(1)", "x = []"], "x", [2]),
    "alias": (["a = []", "b = a\nb.append(1)"], "a", [0, 1]),
    "alias of a part": (["a = {'k': []}", "b = a['k']", "b.append(1)"], "a", [0, 1, 2]),
    "alias in a container": (["a = []", "box = [a]", "box[0].append(1)"], "a", [0, 1, 2]),
    "alias the other way": (["a = []", "b = a", "a.append(1)"], "b", [0, 1, 2]),
    "one object, two names": (["a = b = []", "a.append(1)"], "b", [0, 1]),
    "alias through an attribute": (
        ["import types\nn = types.SimpleNamespace()", "a = []", "n.a = a", "n.a.append(1)"],
        "a",
        [0, 1, 2, 3],
    ),
    "loop variable": (["rows = [[], []]", "for row in rows:\n    row.append(1)"], "rows", [0, 1]),
    "unknown function": (["import mylib", "x = []", "r = mylib.fill(x)"], "x", [0, 1, 2]),
    "function of the notebook that changes": (
        ["x = []", "def fill(y): y.append(1)", "fill(x)"],
        "x",
        [0, 1, 2],
    ),
    "function of the notebook that does not": (
        ["x = [1]", "def total(y): return sum(y)", "t = total(x)"],
        "x",
        [0],
    ),
    "function that changes one of its arguments": (
        ["x, m = [1], []", "def fit(model, data): model.append(len(data))", "fit(m, x)"],
        "x",
        [0],
    ),
    "function that changes an argument by name": (
        ["x, m = [1], []", "def fit(data, *, model): model.append(1)", "fit(x, model=m)"],
        "m",
        [0, 1, 2],
    ),
    "function that changes its argument through a later one": (
        ["x = []", "def f(y): g(y)", "def g(y): y.append(1)", "f(x)"],
        "x",
        [0, 1, 2, 3],
    ),
    "function that keeps its argument": (
        ["box, x = [], []", "def put(y): box.append(y)", "put(x)", "box[0].append(1)"],
        "x",
        [0, 1, 2, 3],
    ),
    "function that returns a global": (
        ["x = []", "def get(): return x", "get().append(1)"],
        "x",
        [0, 1, 2],
    ),
    "method that returns a global": (
        ["x = []", "class A:\n    def get(self): return x", "A().get().append(1)"],
        "x",
        [0, 1, 2],
    ),
    "constructor that keeps its argument": (
        ["x = []", "class A:\n    def __init__(self, y): self.y = y", "a = A(x)", "a.y.append(1)"],
        "x",
        [0, 1, 2, 3],
    ),
    "function that changes a global": (
        ["log = []", "def add(m): log.append(m)", "add(1)"],
        "log",
        [0, 1, 2],
    ),
    "function that changes through another": (
        ["log = []", "def add(m): log.append(m)", "def run(): add(1)", "run()"],
        "log",
        [0, 1, 2, 3],
    ),
    "counter closure": (
        [
            "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n"
            "        return n\n    return up",
            "c = make()",
            "c()",
        ],
        "c()",
        [0, 1, 2],
    ),
    "setattr": (["class A: pass\na = A()", "setattr(a, 'x', 1)"], "a.x", [0, 1]),
    "next": (["it = iter([1, 2])", "next(it)"], "list(it)", [0, 1]),
    # Known libraries
    "numpy does not change": (
        ["import numpy as np\nx = np.ones(3)", "y = np.sort(x)\ny[0] = 3"],
        "x",
        [0],
    ),
    "numpy views": (
        ["import numpy as np\nx = np.ones(3)", "y = np.asarray(x)", "y[0] = 3"],
        "x",
        [0, 1, 2],
    ),
    "numpy in place": (
        ["import numpy as np\nx = np.arange(3)", "np.random.shuffle(x)"],
        "x",
        [0, 1],
    ),
    "numpy out": (["import numpy as np\nx = np.ones(3)", "np.add(x, 1, out=x)"], "x", [0, 1]),
    "generators advance": (
        ["import numpy as np\nrng = np.random.default_rng(0)", "a = rng.normal()"],
        "rng",
        [0, 1],
    ),
    "pandas head": (
        ["import pandas as pd\ndf = pd.DataFrame()", "df.head()", "df.describe()"],
        "df",
        [0],
    ),
    "pandas column": (["import pandas as pd\ndf = pd.DataFrame()", "df['a'] = 1"], "df", [0, 1]),
    "pandas copy": (
        ["import pandas as pd\ndf = pd.DataFrame()", "d = df.copy()\nd['a'] = 1"],
        "df",
        [0],
    ),
    "pandas inplace": (
        ["import pandas as pd\ndf = pd.DataFrame()", "df.dropna(inplace=True)"],
        "df",
        [0, 1],
    ),
    "pandas not inplace": (
        ["import pandas as pd\ndf = pd.DataFrame()", "df.dropna(inplace=False)"],
        "df",
        [0],
    ),
    "fit changes the model": (
        [
            "from sklearn.svm import SVC",
            "X, y = [[0], [1]], [0, 1]",
            "clf = SVC()",
            "clf.fit(X, y)",
        ],
        "clf",
        [0, 1, 2, 3],
    ),
    "fit leaves the data": (
        [
            "from sklearn.svm import SVC",
            "X, y = [[0], [1]], [0, 1]",
            "clf = SVC().fit(X, y)",
            "clf.fit(X, y)",
        ],
        "X, y",
        [1],
    ),
    "models of unknown origin": (["X = [[0]]", "for m in models:\n    m.fit(X)"], "X", [0, 1]),
    "pipelines keep their parts": (
        [
            "from sklearn.pipeline import make_pipeline",
            "scaler = Scaler()",
            "p = make_pipeline(scaler)",
            "p.fit([])",
        ],
        "scaler",
        [0, 1, 2, 3],
    ),
    "split": (
        [
            "from sklearn.model_selection import train_test_split as tts",
            "X = [1, 2]",
            "a, b = tts(X)",
            "print(len(b))",
        ],
        "a",
        [0, 1, 2],
    ),
    "optimizers change the model": (
        [
            "import torch",
            "net = torch.nn.Linear(1, 1)",
            "opt = torch.optim.SGD(net.parameters())",
            "opt.step()",
        ],
        "net",
        [0, 1, 2, 3],
    ),
    "plots": (
        [
            "import matplotlib.pyplot as plt",
            "x = [1]",
            "fig, ax = plt.subplots()\nax.scatter(x, x)\nplt.show()",
            "plt.plot(x)",
        ],
        "x",
        [1],
    ),
    "plots in a loop": (
        [
            "import matplotlib.pyplot as plt",
            "x = {}",
            "fig, axes = plt.subplots(2)\nfor i, (ax, k) in enumerate(zip(axes, x)):\n    ax.go(k)",
        ],
        "x",
        [1],
    ),
    "training another model": (
        [
            "from torch.utils.data import DataLoader",
            "loader = DataLoader([1])",
            "def train(model):\n    for x, y in loader:\n        loss = model(x) - y",
            "train(object())",
        ],
        "train(1)",
        [0, 1, 2],
    ),
    # Output
    "print": (["x = [1]", "print(x)", "x", "len(x)", "display(x)", "assert x"], "x", [0]),
    # Effects on the process
    "seed": (["import numpy as np", "np.random.seed(0)"], "1", [0, 1]),
    "seed in a function": (["import random\ndef s(): random.seed(0)", "s()"], "1", [0, 1]),
    "manual_seed": (["import torch", "gen = torch.manual_seed(0)"], "1", [0, 1]),
    "environment": (["import os", "os.environ['A'] = '1'"], "1", [0, 1]),
    "path": (["import sys", "sys.path.insert(0, 'src')"], "1", [0, 1]),
    "warnings": (["import warnings", "warnings.filterwarnings('ignore')"], "1", [0, 1]),
    "pandas options": (
        ["import pandas as pd", "pd.set_option('a', 1)", "pd.options.display.width = 3"],
        "1",
        [0, 1, 2],
    ),
    "downloads": (["import nltk", "nltk.download('punkt')"], "1", [0, 1]),
    "effects need names": (["n = 3", "import random", "random.seed(n)"], "1", [0, 1, 2]),
    "chdir": (["from os import chdir", "chdir('..')"], "1", [0, 1]),
    "files": (["with open('a', 'w') as f: f.write('1')"], "1", [0]),
    "reading files": (["with open('a') as f: print(f.read())"], "1", []),
    "tables written": (["import pandas as pd\ndf = pd.DataFrame()", "df.to_csv('a')"], "1", [0, 1]),
    "exec": (["exec('x = 1')"], "1", [0]),
    "globals": (["globals()['x'] = 1"], "1", [0]),
    # Magics
    "matplotlib": (["%matplotlib inline"], "1", [0]),
    "magic between lines": (["a = 1\n%config X.y = 1\nb = a"], "b", [0]),
    "shell": (["!mkdir x", "!!ls"], "1", [0, 1]),
    "shell reads names": (["d = 'a'", "e = 'b'", "f = 'c'", "!ls {d} $e"], "1", [0, 1, 3]),
    "shell output": (["files = !ls", "files.sort()"], "files", [0, 1]),
    "continued shell line": (["!ls \\\n  -l\nx = 1"], "x", [0]),
    "process magics": (
        ["%cd ..", "%env A=1", "%run a.py", "%pip install x", "%load_ext autoreload"],
        "1",
        [0, 1, 2, 4],
    ),
    "automagic": (["pip install x", "cd data"], "1", [1]),
    "installs": (
        [
            "!pip install -q a b",
            "%conda install c",
            "!python -m pip install d && make",
            "!apt-get update",
        ],
        "1",
        [2],
    ),
    "time": (["y = 1", "%time x = y", "%time print(y)"], "x", [0, 1]),
    "time cell": (["y = 1", "%%time\nx = y"], "x", [0, 1]),
    "capture": (["%%capture out\nx = 1", "%%capture\nz = 1"], "out", [0]),
    "capture, its body": (["%%capture out\nx = 1"], "x", [0]),
    "magics in magics": (["%%time\n%%capture o\nx = 1"], "x + o", [0]),
    "timeit": (["x = 1", "%timeit x = 2", "%%timeit\nx = 3"], "x", [0]),
    "help": (["x = 1", "x?", "?x", "%who", "%history", "print??"], "x", [0]),
    "own magics": (["%load_ext hpo_lab", "%hpo status", "%%tune --trials 3\nx = 1"], "x", []),
    "scripts": (["%%bash\nls", "%%writefile a.py\nx = 1", "%%html\n<b>"], "1", [1]),
    "script output": (["%%bash --out text\nls", "text = text.strip()"], "text", [0, 1]),
    "assigned magic": (["x = %env HOME"], "x", [0]),
    "modulo is no magic": (["a = 7", "b = (a\n%3)"], "b", [0, 1]),
    "percent in a string": (["s = '''\n%run me\n'''"], "1", []),
    # Sources that are not tidy
    "does not parse": (["x = (", "x = 1"], "x", [1]),
    "return at top level": (["x = 1", "x = 2\nreturn"], "x", [0]),
    "empty": (["", "\n\n", "# nothing"], "1", []),
    "windows line ends": (["x = 1\r\ny = 2\r\n"], "y", [0]),
    "unicode names": (["größe = 1", "μ = größe"], "μ", [0, 1]),
    "tabs": (["if True:\n\tx = 1"], "x", [0]),
    "indented cell": (["  x = 1\n  y = 2"], "x", [0]),
    "prompts": ([">>> x = 1\n>>> y = 2"], "y", [0]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cells_that_are_kept(case):
    earlier, tuned, expected = CASES[case]
    decisions = slice_cells([ParsedCell(source) for source in earlier], ParsedCell(tuned))
    assert len(decisions) == len(earlier)
    assert [n for n, d in enumerate(decisions) if d.kept] == expected, decisions


def test_what_a_magic_fills_in_is_read():
    cells = ["name = 'x'", "path = 'y'", "%%writefile {name}\ntrue", "%%timeit -n $path\npass"]
    decisions = slice_cells(list(map(ParsedCell, cells)), ParsedCell("1"))
    assert [decision.kept for decision in decisions] == [True, False, True, False]


def reasons(earlier, tuned, labels=()):
    named = [*labels, *[f"cell {n}" for n in range(len(labels) + 1, len(earlier) + 1)]]
    cells = [ParsedCell(s, label=label) for s, label in zip(earlier, named, strict=True)]
    return [decision.reason for decision in slice_cells(cells, ParsedCell(tuned))]


def test_reasons_say_what_a_cell_is_kept_for():
    assert reasons(
        [
            "X = []\nunused = 1",
            "def load(): return X",
            "X.append(1)",
            "plot = scores = 1",
            "%matplotlib inline",
        ],
        "load()",
    ) == [
        "defines X (used by cell 3, the tuned cell)",
        "defines load (used by the tuned cell)",
        "changes X in place",
        "not needed: defines plot, scores",
        "%matplotlib: magic, kept when in doubt",
    ]


def test_a_cell_without_a_label_goes_by_its_position():
    assert reasons(["x = 1", "y = x", "z = y"], "z", ["In [7]", "", ""]) == [
        "defines x (used by cell 2)",
        "defines y (used by cell 3)",
        "defines z (used by the tuned cell)",
    ]
    assert reasons(["x = 1", "y = x"], "y", ["", "In [8]"])[0] == "defines x (used by In [8])"


def test_long_reasons_are_cut():
    readers = ["y1 = x", "y2 = x", "y3 = x"]
    three = reasons(["x = 1", *readers], "y1, y2, y3")[0]
    assert three == "defines x (used by cell 2, cell 3, cell 4)"
    assert reasons(["x = 1", *readers], "x, y1, y2, y3")[0] == f"{three[:-1]}, ...)"

    five = "not needed: defines a, b, c, d, e"
    assert reasons(["a = b = c = d = e = 1", "a = b = c = d = e = f = 1"], "1") == [
        five,
        f"{five}, ...",
    ]


def test_reasons_of_other_kinds():
    assert reasons(["print(1)", "x = (", "import random\nrandom.seed(1)"], "1") == [
        "not needed: leaves no name behind",
        "does not parse, so it cannot have run (line 1: '(' was never closed)",
        "random.seed(): for its effect on the process, kept when in doubt",
    ]


def test_tags_overrule():
    keep, skip = frozenset({"tune-keep"}), frozenset({"tune-skip"})
    cells = [
        ParsedCell("a = 1"),
        ParsedCell("b = a", keep),
        ParsedCell("x = 1"),
        ParsedCell("x = 2", skip),
        ParsedCell("(", keep),
    ]
    decisions = slice_cells(cells, ParsedCell("x"))
    assert [d.kept for d in decisions] == [True, True, True, False, True]
    assert decisions[3].reason == "tagged tune-skip"
    assert decisions[1].reason == "tagged tune-keep"


def test_a_reason_names_what_is_there_at_its_cell_and_few() -> None:
    names = [f"a{number}" for number in range(8)]
    cells = [
        f"{' = '.join(names)} = []",
        f"for each in [{', '.join(names)}]:\n    each.append(1)",
        "def total():\n    inner = a0\n    return sum(inner)",
    ]
    earlier = [ParsedCell(source) for source in cells]
    read = ParsedCell(f"x = total() + sum({' + '.join(names)})")
    reasons = [decision.reason for decision in slice_cells(earlier, read)]
    assert reasons[1] == "changes a0, a1, a2, a3, a4 and 3 more in place"
    unnamed = ["import os, sys", "sys.modules['os'].environ['A'] = '1'"]
    assert all(each.reason for each in slice_cells([ParsedCell(s) for s in unnamed], read))
