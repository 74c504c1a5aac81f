"""Generated notebooks over objects of real libraries, run whole and as their slice."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import random
import re
import sys
import types
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from hpo_lab.notebook.parsed_cell import FAILS_TAG, ParsedCell
from hpo_lab.notebook.slicing import slice_cells

__all__ = ["Outcome", "generate", "outcome_of"]

_OWN_MODULE = """
class Counter:
    def __init__(self): self.n = 0
    def count(self): self.n += 1; return self.n
    def head(self, other=None):
        self.n += 2
        if hasattr(other, 'append'): other.append(self.n)
        return self
    def __add__(self, other): self.n += 1; return self.n
    def __iter__(self): self.n += 1; return iter([self.n])
    def __len__(self): return 1
    def __getitem__(self, key): self.n += 1; return self.n
state = [0]
def tick(v=None):
    state[0] += 1
    if isinstance(v, list): v.append(state[0])
    return state[0]
"""
_HAS_TORCH = importlib.util.find_spec("torch") is not None

_PRELUDE = [
    "import copy, functools, io, itertools, operator, queue, random\nimport numpy as np\n"
    "import pandas as pd\nimport ownmod\nfrom collections import Counter, deque, defaultdict",
    "from sklearn.linear_model import LinearRegression, LogisticRegression\n"
    "from sklearn.tree import DecisionTreeClassifier\nfrom sklearn.pipeline import make_pipeline\n"
    "from sklearn.preprocessing import StandardScaler, FunctionTransformer\n"
    "from sklearn.model_selection import cross_val_score, train_test_split\n"
    "from sklearn.base import BaseEstimator, TransformerMixin, clone",
    "random.seed(3); np.random.seed(4)",
    "x = np.arange(12.0).reshape(6, 2)\ny = np.array([0, 1, 0, 1, 1, 0])",
    "df = pd.DataFrame({'a': [3, 1, 2, 5], 'b': list('xyxy')})\ndg = df.copy()",
    "xs, ys = [1, 2, 3], [[1], [2]]\nd = {'k': [1], 'l': xs}",
    "dq = deque([1, 2, 3]); q = queue.Queue()\nfor v in range(4): q.put(v)",
    "f = io.StringIO('a,b\\n1,2\\n3,4\\n5,6\\n')\nit = iter(range(20)); z = zip(it, 'abcdef')",
    "def numbers(n):\n    for v in range(n):\n        log.append(v)\n        yield v\nlog = []",
    "g = numbers(9)",
    "scaler, clf = StandardScaler(), LogisticRegression()\npipe = make_pipeline(scaler, clf)",
    "tree = DecisionTreeClassifier(max_depth=2); tree2 = DecisionTreeClassifier(random_state=0)",
    "rng = np.random.default_rng(5); prng = random.Random(6)",
    "c, e = ownmod.Counter(), ownmod.Counter()",
    "class Base:\n    k = 1\n    def go(self, v=None):\n        self.n += self.k\n"
    "        return self.n\n"
    "class M(Base):\n    made = []\n    def __init__(self, part=None):\n"
    "        self.n, self.part = 0, part\n"
    "        M.made.append(1)\n    @property\n    def size(self): self.n += 10; return self.n\n"
    "    def look(self): return self.n\n    def __eq__(self, o): self.n += 3; return False\n"
    "    __hash__ = None\n    def fit(self, X, y=None): self.n += len(X); return self\n"
    "    def __enter__(self): self.n += 1; return self\n    def __exit__(self, *a): pass",
    "m, o = M(), M(xs)",
    "class T(BaseEstimator, TransformerMixin):\n    seen = []\n    def fit(self, X, y=None):\n"
    "        T.seen.append(len(X)); return self\n    def transform(self, X): return X * 2",
    "def show(v):\n    print(v)\n    return v\ndef peek(v): return show(v)",
    "def grow(v): v.append(9); return v\ndef reset():\n    global xs\n    xs = [0]\n    return xs",
    "def call(fn, *a, **k): return fn(*a, **k)\ndef first(v): return next(iter(v))",
]
_TORCH_PRELUDE = [
    "import torch\nfrom torch import nn\ntorch.manual_seed(0)",
    "net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 1))\n"
    "t = torch.ones(4, 2)",
    "opt = torch.optim.SGD(net.parameters(), lr=0.1)\nw = torch.zeros(3)",
    "class Own(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.lin = nn.Linear(2, 1); self.calls = 0\n    def forward(self, v):\n"
    "        self.calls += 1\n        return self.lin(v)\nown = Own()",
]
_STATEMENTS = """
print(df.head())
df.describe()
df.groupby('b').a.mean()
df['c'] = df.a * 2
dg = df
dg.loc[0, 'a'] = 7
df.pop('b')
df.insert(0, 'n', 1)
df.sort_values('a', inplace=True)
df = df.sort_values('a')
df.sample(2)
df.sample(2, random_state=1)
df.a.to_numpy()[0] = 9
df.apply(lambda r: xs.append(1), axis=1)
df.a.map(xs.append)
df.a.map(str)
df.a.update(pd.Series([8]))
df.assign(z=1)
df.iloc[0, 0] = 4
df.columns = [n.upper() for n in df.columns]
df.at[1, 'a'] = 6
for n, col in df.items(): print(n, col.max())
dg = df.copy()
df.T
df.a.value_counts().sort_index()
df.info()
df.a.agg(['min', 'max'])
df.eval('q = a + 1', inplace=True)
df.query('a > 1')
pd.concat([df, dg])
df.merge(dg, on='b')
df.fillna(0, inplace=True)
dg.rename(columns=str, inplace=True)
x.sort()
np.sort(x)
x += 1
v = x[:2]
v = x.T; v[0] = 0
x[0] = -1
x.fill(2)
np.cumsum(x, out=x[:, 0]) if 0 else None
np.add(x, 1, out=x)
np.random.shuffle(x)
np.random.rand(2)
np.random.permutation(x)
x.mean(axis=0)
np.put(x, [0], 5)
np.add.at(x, 0, 1)
np.copyto(x, 1)
x.ravel()[0] = 8
x.flatten()[0] = 8
np.asarray(x)[1] = 3
x.tolist()
np.where(x > 1)[0]
x = x * 2
rng.normal()
rng.shuffle(xs)
prng.random()
prng.shuffle(xs)
random.random()
random.shuffle(xs)
random.choice(xs)
random.sample(range(9), 2)
random.seed(1)
np.random.seed(2)
np.vectorize(lambda v: xs.append(v))(x)
np.apply_along_axis(lambda r: ys.append(1) or 0, 1, x)
np.fromiter(it, int, 2)
xs.append(4)
xs.sort()
sorted(xs)
ys[0].append(5)
grow(xs)
grow(ys[0])
xs = xs + [1]
xs += [2]
reset()
d['k'].append(2)
d.setdefault('n', [])
d.get('l').append(3)
{**d}['k'].append(1)
copy.copy(d)['k'].append(1)
copy.deepcopy(d)['k'].append(1)
for key, part in d.items(): part.append(0)
for part in d.values(): print(part)
[part.append(2) for part in ys]
list(map(xs.append, 'a'))
list(map(grow, ys))
map(grow, ys)
any(p.append(1) for p in ys)
functools.reduce(lambda a, b: a.append(b) or a, [1], xs)
functools.reduce(operator.iadd, [[1]], xs)
sum(xs)
functools.partial(grow, xs)()
call(grow, xs)
call(len, xs)
call(xs.append, 1)
getattr(xs, 'append')(1)
operator.methodcaller('append', 1)(xs)
sorted(xs, key=lambda u: ys.append([u]) or 0)
max(ys).append(1)
filter(grow, ys)
dq.append(1)
dq.rotate(1)
dq.popleft()
list(dq)
dq.index(1)
q.get()
q.put(7)
q.qsize()
q.empty()
f.readline()
f.read(3)
f.seek(0)
f.tell()
f.getvalue()
pd.read_csv(f).head()
for line in f: break
next(f)
next(it)
first(it)
3 in it
u1, u2, *u3 = it
list(itertools.islice(it, 2))
list(zip('ab', it))
zip('ab', it)
next(z)
for u in it: break
[u for u, _ in zip(it, 'ab')]
sum(itertools.islice(it, 2))
pd.Series(itertools.islice(it, 2)).sum()
enumerate(it)
next(g)
list(g)
g = numbers(5)
first(g)
h = (log.append(u) for u in xs)
sum(1 for u in g)
dict.fromkeys(it)
''.join(map(str, it))
clf.fit(x, y)
clf.predict(x)
clf.score(x, y)
pipe.fit(x, y)
scaler.fit(x)
scaler.transform(x)
cross_val_score(clf, x, y, cv=2)
cross_val_score(tree, x, y, cv=2)
tree.fit(x, y)
tree2.fit(x, y)
clone(clf).fit(x, y)
clf.set_params(C=2.0)
clf.get_params()
train_test_split(x, y)
train_test_split(x, y, random_state=0)
StandardScaler(copy=False).fit_transform(x)
StandardScaler().fit_transform(x)
T().fit(x)
T().fit_transform(x)
make_pipeline(T(), LogisticRegression()).fit(x, y)
FunctionTransformer(lambda a: xs.append(1) or a).fit_transform(x)
clf.coef_[0] = 1
clf.coef_.sum()
pipe.named_steps['standardscaler'].fit(x + 1)
pipe[0].fit(x)
LinearRegression().fit(x, y).coef_
for model in (clf, tree2): model.fit(x, y)
models = {'a': clf}; models['a'].fit(x, y)
clf2 = clf; clf2.fit(x, y)
cross_val_score(clf, x, y, cv=2, scoring=lambda a, b, c: xs.append(1) or 0)
c.count()
c.head()
c.head(xs)
c + 1
list(c)
c[0]
len(c)
peek(c.n)
ownmod.tick()
ownmod.tick(xs)
e = c
show(c).count()
u = ownmod.tick()
5 in c
for u in c: print(u)
[c][0].count()
map(ownmod.tick, ys)
list(map(ownmod.tick, ys))
pd.Series([c])[0].count()
m.go()
o.go(1)
m.look()
m.size
m == o
M()
M.k = 5
Base.k = 6
setattr(Base, 'k', 7)
M.go = lambda self, v=None: 99
type(m).k = 8
o.part.append(3)
M.look = M.go
m.__class__.k = 3
m.part = ys
m.extra = grow
m.extra(ys)
vars(m)['n'] = 4
m.__dict__['n'] = 6
with m: pass
xs in [m]
call(m.go)
list(map(m.go, [1]))
m.fit(x)
copy.copy(m).go()
copy.copy(m).part.append(1) if m.part else 0
M.made.append(2)
T.seen = []
df['o'] = [o] * len(df)
df['o'].iloc[0].go()
w = np.array([m], dtype=object); w[0].go()
def show(v): xs.append(1); return v
def peek(v): v = grow(xs); return v
peek(1)
show(df)
grow.calls = 1
del xs[0]
del d['k']
try:\\n    xs.append(1)\\n    1 / 0\\nexcept ZeroDivisionError:\\n    ys.append([7])
xs.append(3); 1 / 0
for u in ys: u.append(1); 1 / 0
while len(xs) < 6: xs.append(0)
if len(xs) > 3: ys = [[0]]
match ys:\\n    case [fst, *_]: fst.append(4)
assert m.go()
f'{m.size}'
print(*it)
x @ x.T
(lambda: xs.append(2))()
(k := xs).append(1)
[xs][0].append(1)
(xs or ys).append(0)
@lambda fn: fn() or fn\\ndef auto(): xs.append(5)
@functools.lru_cache\\ndef cached(v): xs.append(v); return v
cached(1)
cached(2)
class Sub(M):\\n    def go(self, v=None): xs.append(1); return super().go(v)
Sub().go()
Sub().go()
m = Sub()
dd = defaultdict(list)
dd['a']
dd['b'].append(1)
cnt = Counter(xs)
Counter(it)
cnt.update('a')
cnt.most_common(1)
cnt['zz']
set(xs) & {1}
"""
_TORCH_STATEMENTS = """
net.eval()
net.train()
net(t)
own(t)
own.eval()
net[0].weight.data.fill_(1)
nn.init.zeros_(net[0].weight)
torch.rand(2)
loss = net(t).sum(); loss.backward(); opt.step()
opt.zero_grad()
w.add_(1)
w.add(1)
w[0] = 5
w.numpy()[1] = 4
w.view(3, 1)[0] = 2
net.register_forward_hook(lambda *a: xs.append(1))
own.lin = nn.Linear(2, 1)
nn.Linear(2, 2)
t.mean()
torch.add(w, 1, out=w)
torch.manual_seed(1)
sum(p.numel() for p in net.parameters())
for p in net.parameters(): p.data.zero_()
net.load_state_dict(net.state_dict())
with torch.no_grad(): net(t)
print(net)
nn.ReLU(inplace=True)(w)
w.requires_grad_()
copy.deepcopy(net)(t)
net.to(torch.float64)
"""
_TUNED = """
df.to_dict('list')
dg.to_dict('list')
x.tolist()
(xs, ys)
d
list(dq)
list(q.queue)
f.read()
list(it)
list(z)
(list(g), log)
(list(g), list(it))
scaler.__dict__.get('mean_')
(clf.C, getattr(clf, 'coef_', 0))
getattr(pipe[0], 'mean_', 0)
tree.fit(x, y).predict(x)
rng.random()
prng.random()
random.random()
np.random.rand()
(c.n, e.n)
ownmod.tick()
m.go()
(m.n, o.n, M.k, Base.k)
o.part
len(M.made)
T.seen
peek(xs)
reset() and ys
train_test_split(xs, test_size=1)
first(it)
"""
_TORCH_TUNED = """
net(t).tolist()
own(t).tolist()
own.calls
w.tolist()
torch.rand(1).tolist()
net[0].weight.tolist()
(net.training, own.training)
"""


def _choices(text: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in text.strip().splitlines()]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a notebook.

    Attributes:
        cells: Its cells above the tuned one.
        tuned: The tuned cell.
        kept: The numbers of the cells that the slice keeps.
        whole, sliced: What the tuned cell read, or the error.
    """

    cells: Sequence[str]
    tuned: str
    kept: Sequence[int]
    whole: str
    sliced: str


def generate(seed: int) -> tuple[list[str], str]:
    """The cells above the tuned cell, and the tuned cell, of notebook number *seed*."""
    choice = random.Random(seed)
    prelude = [*_PRELUDE, *(_TORCH_PRELUDE if _HAS_TORCH else [])]
    statements = _choices(_STATEMENTS)
    tuned = _choices(_TUNED)
    if _HAS_TORCH and choice.random() < 0.4:
        statements, tuned = (
            statements[:40] + _choices(_TORCH_STATEMENTS) * 3,
            _choices(_TORCH_TUNED),
        )
    cells = list(prelude)
    for _ in range(choice.randint(3, 12)):
        lines = [choice.choice(statements) for _ in range(choice.choice([1, 1, 1, 2, 3]))]
        cells.append("\n".join(lines))
    return cells, f"result = {choice.choice(tuned)}"


def outcome_of(cells: Sequence[str], tuned: str) -> Outcome:
    """Run a notebook whole and as its slice."""
    whole, failed = _run(cells, range(len(cells)), tuned)
    parsed = [
        ParsedCell(cell, frozenset({FAILS_TAG}) if number in failed else frozenset())
        for number, cell in enumerate(cells)
    ]
    decisions = slice_cells(parsed, ParsedCell(tuned))
    kept = [number for number, decision in enumerate(decisions) if decision.kept]
    return Outcome(cells, tuned, kept, whole, _run(cells, kept, tuned)[0])


def _run(cells: Sequence[str], numbers: Sequence[int], tuned: str) -> tuple[str, set[int]]:
    if _HAS_TORCH:
        # Threads would only wait for each other over a few numbers.
        importlib.import_module("torch").set_num_threads(1)
    own = types.ModuleType("ownmod")
    exec(_OWN_MODULE, own.__dict__)
    sys.modules["ownmod"] = own
    names: dict[str, object] = {"__name__": "__main__"}
    failed = set()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in numbers:
            try:
                exec(cells[number], names)
            except Exception:
                failed.add(number)
        try:
            exec(tuned, names)
        except Exception as error:
            return f"{type(error).__name__}: {error}", failed
    return re.sub(r" at 0x\w+", "", repr(names["result"])), failed
