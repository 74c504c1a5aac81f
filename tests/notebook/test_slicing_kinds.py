"""Cells that change what later cells read in a way that their names do not tell."""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import io

import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import slice_cells

# The set-up, what the tuned cell reads, cells that change it, and a cell that only looks.
CASES: dict[str, tuple[str, str, list[str], str]] = {
    "draws of a generator are arrays": (
        "import numpy as np\nrng = np.random.default_rng(0)\nx = rng.integers(10, size=5)",
        "x.tolist()",
        ["x[0] = 12", "x.sort()", "x.fill(9)", "y = x[:2]\ny[0] = 44", "x += 1"],
        "print(x.mean(), x[:2])",
    ),
    "draws of a RandomState are arrays": (
        "import numpy as np\nrng = np.random.RandomState(0)\nx = rng.normal(size=5)",
        "x.tolist()",
        ["x[0] = 12", "x.sort()", "x.fill(9)", "y = x[:2]\ny[0] = 44", "x += 1"],
        "print(x.mean(), x[:2])",
    ),
    "what is chosen is what was there": (
        "import random\nrng = random.Random(0)\nxs = [[1], [1]]",
        "xs",
        ["rng.choice(xs)[0] = 9", "for v in rng.sample(xs, 2): v.append(3)"],
        "print(rng, xs)",
    ),
    "a generator gives generators": (
        "import numpy as np\nparts = np.random.default_rng(0).spawn(2)",
        "parts[0].normal()",
        ["parts[0].normal()"],
        "print(parts)",
    ),
    "SciPy draws from NumPy's generator": (
        "import numpy as np\nfrom scipy import stats, sparse\n"
        "from scipy.optimize import differential_evolution, dual_annealing\nnp.random.seed(0)",
        "np.random.rand()",
        [
            "stats.norm.rvs(size=3)",
            "stats.norm(0, 1).rvs(3)",
            "stats.gaussian_kde(np.arange(5.0)).resample(3)",
            "stats.bootstrap((np.arange(5.0),), np.mean, n_resamples=9)",
            "sparse.random(4, 4, 0.5)",
            "differential_evolution(lambda v: v[0] ** 2, [(0, 1)], maxiter=1)",
            "dual_annealing(lambda v: v[0] ** 2, [(0, 1)], maxiter=1)",
        ],
        "print(stats.norm.cdf(0), stats.pearsonr([1, 2, 3], [1, 3, 2]))",
    ),
    "scikit-learn and pandas draw from NumPy's generator": (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.utils import resample\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.metrics import silhouette_score\nfrom sklearn.model_selection import KFold\n"
        "X, y = np.arange(9.0)[:, None], [0, 1] * 4 + [0]\ndf = pd.DataFrame({'a': range(5)})\n"
        "np.random.seed(0)",
        "np.random.rand()",
        [
            "resample([1, 2, 3])",
            "LogisticRegression(**{'solver': 'saga', 'max_iter': 2}).fit(X, y)",
            "LogisticRegression(**dict(solver='saga', max_iter=2)).fit(X, y)",
            "m = LogisticRegression(max_iter=2)\nm.set_params(solver='saga')\nm.fit(X, y)",
            "k = KFold(3)\nk.shuffle = True\nlist(k.split(X))",
            "silhouette_score(X, y, sample_size=5)",
            "pd.DataFrame.sample(df)",
            "df.pipe(pd.DataFrame.sample)",
        ],
        "LogisticRegression().fit(X, y).score(X, y); df.describe(); silhouette_score(X, y)",
    ),
    "arguments by position are overwritten": (
        "import numpy as np\nfrom scipy import signal, linalg\n"
        "from scipy.special import expit\na = np.array([-1.0, 2.0, 3.0])",
        "a.tolist()",
        [
            "np.maximum(a, 0, a)",
            "np.exp(a, a)",
            "np.clip(a, 0, 1, a)",
            "a.clip(0, 1, a)",
            "np.round(a / 3, 0, a)",
            "np.concatenate([a[:1], a[:2]], 0, a)",
            "np.median(a[::-1], None, None, True)",
            "np.maximum.at(a, [0], 5)",
            "f = np.divide.at\nf(a, [0], 5)",
            "np.ndarray.fill(a, 4)",
            "expit(a, a)",
            "signal.detrend(a, overwrite_data=True)",
            "linalg.solve(np.asfortranarray(np.diag(a)), a, True, True, True)",
            "b = np.asfortranarray(a)\nb[0] = 7",
            "b = np.trim_zeros(a)\nb[0] = 7",
            "b = np.frombuffer(a)\nb[0] = 7",
            "b = np.asmatrix(a)\nb[0, 0] = 7",
            "b = np.ma.masked_array(a, mask=[0, 0, 1])\nb[0] = 7",
            "b = np.asarray_chkfinite(a)\nb[0] = 7",
            "b = a.astype(float, 'K', 'unsafe', True, False)\nb[0] = 5",
        ],
        "print(np.dot(a, a), np.where(a > 0, a, 0), np.maximum(a, a), np.corrcoef(a, a))",
    ),
    "the text of a query reads names": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})\nt = 1\nq = 'a > @t'",
        "len(df.query(q)), len(df.query('a > @t'))",
        ["t = 2", "df.drop(0, **{'inplace': True})"],
        "df.query('a > 1')",
    ),
    "a print into a file": (
        "import io\nlog = io.StringIO()",
        "log.getvalue()",
        ["print('a', file=log)"],
        "print('a')",
    ),
    "a model holds its data": (
        "import numpy as np\nfrom sklearn.neighbors import KNeighborsRegressor\n"
        "X, y = np.eye(3), np.arange(3.0)\n"
        "m = KNeighborsRegressor(1, algorithm='brute')\nm.fit(X, y)",
        "m.predict(np.eye(3)).tolist()",
        ["y *= 2", "X[0] = 9"],
        "print(m.predict(X))",
    ),
    "objects of Python's library that take more": (
        "import hashlib, io, zlib\nimport pandas as pd\nfrom difflib import SequenceMatcher\n"
        "h, s, xs = hashlib.md5(), SequenceMatcher(None, 'a', 'b'), []\n"
        "r = pd.read_csv(io.StringIO('a\\n1\\n2\\n3'), chunksize=1)",
        "(h.hexdigest(), s.ratio(), len(list(r)), xs)",
        ["h.update(b'a')", "s.set_seq2('a')", "print(next(r))", "list.append(xs, 1)"],
        "print(len(xs), hashlib.md5(b'a'))",
    ),
    "torch": (
        "import torch\nimport torch.nn.functional as F\n"
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "w = torch.nn.Parameter(torch.ones(2, 2) * 5)\nopt = torch.optim.SGD([w], lr=0.1)\n"
        "x, rm, rv = torch.ones(4, 2), torch.zeros(2), torch.ones(2)\n"
        "loader = DataLoader(TensorDataset(x))\ntorch.manual_seed(0)",
        "(w.tolist(), rm.tolist(), opt.param_groups[0]['lr'], float(torch.rand(1)))",
        [
            "next(iter(loader))",
            "for batch in loader: break",
            "print(len(list(loader)))",
            "torch.empty(3).normal_()",
            "F.batch_norm(x, rm, rv, training=True)",
            "F.embedding(torch.tensor([0]), w.data, max_norm=1.0)",
            "s = torch.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 0.5)",
        ],
        "print(x.shape)",
    ),
}
CASES |= {
    "a model of one's own that a function uses": (
        "class E:\n    def fit(self, X): self.m = sum(X); return self\n"
        "    def predict(self): return self.m\nm = E().fit([1])\nX = [1, 2]\n"
        "def score(): return m.predict()\ndef scorer(model=m): return model.predict()\n"
        "models = [m]\ndef all_of(): return [each.predict() for each in models]",
        "(score(), scorer(), all_of())",
        [
            "m.fit(X)",
            "def again(v): return v.fit(X)\nagain(m)\nprint(score())",
            "models[0].fit(X)",
            "f = m.fit\nf(X)",
            "scorer.__defaults__[0].fit(X)",
        ],
        "print(score(), E().fit(X).predict())",
    ),
    "objects in a table": (
        "import pandas as pd\nimport numpy as np\nxs = [5]\n"
        "df = pd.DataFrame({'a': [[1], [2]]})\na = np.empty(2, dtype=object)\na[0] = xs",
        "(df.to_dict('list'), a.tolist(), xs)",
        [
            "df['a'].apply(lambda v: v.append(9))",
            "df['a'].map(list.clear)",
            "for v in df['a']: v.append(1)",
            "list.append(df.a[0], 1)",
            "df.copy().at[0, 'a'].append(1)",
            "df.a.tolist()[0].append(1)",
            "df.a.to_dict()[0].append(1)",
            "df.to_dict('records')[0]['a'].append(5)",
            "for row in df.itertuples(): row.a.append(1)",
            "a.tolist()[0].append(2)",
            "a[0].append(1)",
        ],
        "df.a.tolist()[0]; print(df.head(), df.a.map(len), a.shape)",
    ),
    "a style calls functions": (
        "import pandas as pd\ndf, xs = pd.DataFrame({'a': [1, 2]}), []\n"
        "def note(v): xs.append(1); return ''",
        "xs",
        [
            "df.style.map(note).to_html()",
            "df.style.format(note).to_string()",
            "df.style.apply(lambda r: [note(v) for v in r]).to_html()",
            "df.style.map_index(note).to_html()",
        ],
        "df.style.highlight_max().format('{:.1f}').to_html()",
    ),
    "the dictionary of an object": (
        "class A:\n    pass\na, b = A(), A()\na.n, a.xs, b.n = 1, [1], 0\n"
        "import argparse\np = argparse.Namespace(n=1)\nf = lambda: 1\nf.n = [1]",
        "(a.n, a.xs, p.n, f.n)",
        [
            "a.__dict__.update(n=5)",
            "vars(a)['n'] = 7",
            "d = vars(a)\nd.update(n=7)",
            "b.__dict__ = a.__dict__\nb.n = 4",
            "vars(b).update(vars(a))\nb.xs.append(4)",
            "object.__setattr__(a, 'n', 9)",
            "a.__setattr__('n', 9)",
            "a.__reduce_ex__(2)[2]['xs'].append(1)",
            "p.__dict__.update(n=7)",
            "d = vars(p)\nd['n'] = 5",
            "f.__dict__.update(n=3)",
        ],
        "print(vars(a), a.__dict__, vars(p))",
    ),
    "copies share what they hold": (
        "import collections\nimport copy\nimport dataclasses\n"
        "@dataclasses.dataclass\nclass C:\n    n: int\n    xs: list\n"
        "c, m = C(1, [1]), [1]\nd = dataclasses.replace(c, n=2)\n"
        "e, f = copy.copy(c), copy.deepcopy(c)\nk = dict.fromkeys('ab', m)\n"
        "q = collections.deque([m])\no = collections.OrderedDict(a=m)",
        "(c.xs, d.xs, e.xs, f.xs, k, list(q))",
        [
            "d.xs.append(1)",
            "c.xs.append(1)",
            "e.xs += [1]",
            "f.xs.append(1)",
            "copy.copy(d).xs.append(1)",
            "dataclasses.replace(d, n=4).xs.clear()",
            "vars(d)['xs'].append(1)",
            "m.append(1)",
            "k['a'].append(1)",
            "dict.fromkeys('z', m)['z'].append(1)",
            "{}.fromkeys('z', m)['z'].append(1)",
            "collections.OrderedDict(k)['a'].append(1)",
            "o['a'].append(1)",
            "q.copy()[0].append(1)",
        ],
        "print(c, d, dict.fromkeys('ab'))",
    ),
    "a function that caches gives the same again": (
        "import functools\nn, m = [1], [2]\n@functools.lru_cache(maxsize=None)\n"
        "def data(k=1): return [k, *n]\nclass K:\n    @functools.cached_property\n"
        "    def xs(self): return [1, *m]\nk = K()\nk.xs\ndata(1)",
        "(data(), data(2), k.xs)",
        [
            "data(2)\nn.append(4)",
            "data().append(3)",
            "xs = data(2)\nxs.append(3)",
            "def change(): data().append(1)\nchange()",
            "list(map(data, [1, 2]))[1].append(1)",
            "k.xs.append(3)",
            "data.cache_clear()\nn.append(5)",
        ],
        "print(m, data)",
    ),
    "backward calls hooks": (
        "import torch\nxs, w = [], torch.ones(2, requires_grad=True)\n"
        "w.register_hook(lambda g: xs.append(1))\nloss = (w * 2).sum()\n"
        "def hook(g): xs.append(2); return g * 2",
        "((w * 3).sum().backward(), w.grad.tolist(), xs)",
        [
            "loss.backward()",
            "(w.view(2) ** 2).mean().backward()",
            "def go(v): v.backward()\ngo(loss)",
            "torch.autograd.grad(loss, w)",
            "w.register_hook(hook)",
            "handle = w.register_hook(hook)\nhandle.remove()\nw.register_hook(hook)",
            "v = w * 1\nv.register_hook(hook)\nv.sum().backward()",
        ],
        "print(w.shape)",
    ),
    "an unknown call may link its arguments": (
        "import operator\nappend = operator.methodcaller('append', ys := [2])\n"
        "xs, es = [1], []\nappend(xs)\nclass A: pass\na, zs = A(), [3]\n"
        "keep_in = operator.methodcaller('__setattr__', 'zs', zs)\nkeep_in(a)\n"
        "from unittest import mock\nbox = mock.Mock()\nbox.put(vs := [4])",
        "(xs, a.zs, box.put.call_args[0][0])",
        [
            "ys.append(3)",
            "xs[1].append(3)",
            "more = ys\nmore += [1]",
            "zs.append(3)",
            "a.zs.append(3)",
            "vs.append(3)",
            "v = box.put.call_args[0][0]\nv[0] = 9",
        ],
        "print(len(xs))",
    ),
    "a transformer may give what it gets": (
        "import numpy as np\nfrom sklearn.preprocessing import FunctionTransformer\n"
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.utils import Bunch\n"
        "X, log = np.ones(2), []\nZ = FunctionTransformer(np.asarray).fit_transform(X)\n"
        "ft = FunctionTransformer(lambda v: log.append(1) or v)",
        "(X.tolist(), Z.tolist(), log)",
        [
            "Z[0] = 4",
            "FunctionTransformer().fit_transform(X)[0] = 4",
            "make_pipeline('passthrough').fit_transform(X)[0] = 4",
            "ft.transform(X)",
            "make_pipeline(ft).fit_transform(X)",
            "Bunch(d=X).d[0] = 4",
        ],
        "FunctionTransformer(np.log1p).transform(X); print(ft)",
    ),
    "classes below Python's containers": (
        "class D(dict):\n    def put(self, k, v): super().__setitem__(k, v)\n"
        "class L(list):\n    def more(self, v): super().append(v); return self\n"
        "class S(set): pass\nd, l, s, xs = D(), L([1]), S(), [1]\nd['x'] = xs",
        "(d, l, s, xs)",
        [
            "d.update(a=1)",
            "d.put(1, 2)",
            "d.get('x').append(3)",
            "for v in d.values(): v.append(1)",
            "d.copy()['x'].append(1)",
            "D(a=xs)['a'].append(1)",
            "d |= {'y': xs}\nd['y'].append(1)",
            "L([xs])[0].append(1)",
            "l.more(3)",
            "list.append(l, 2)",
            "s.add(1)",
        ],
        "print(d, len(l), d.get('x'))",
    ),
    "a member of an enumeration has a value": (
        "import enum\nxs = [1]\nclass E(enum.Enum):\n    A = xs\n    B = 2\n"
        "    def grow(self): self.value.append(3)\n"
        "class F(enum.Flag):\n    C = enum.auto()\n    def __init__(self, n): self.seen = []",
        "(xs, getattr(E.B, 'note', 0), F.C.seen)",
        [
            "E.A.value.append(1)",
            "E.A._value_.append(1)",
            "E['A'].value.append(1)",
            "E(xs).value.append(1)",
            "for m in E:\n    if m is E.A: m.value.append(1)",
            "list(E)[0].value.append(1)",
            "E.__members__['A'].value.append(1)",
            "getattr(E, 'A').value.append(1)",
            "m = E.A\nm.value[0] = 4",
            "E.A.grow()",
            "E.B.note = 3",
            "F.C.seen.append(1)",
            "F(1).seen.append(1)",
        ],
        "print(E.A, E.A.name, E.B.value, len(E.A.value), E['A'], E.A.value[0], F.C.seen)",
    ),
    "an exception holds what it was given": (
        "xs = [1]\nclass Full(Exception):\n    def __init__(self, items):\n"
        "        super().__init__(items)\n        self.items = items\n"
        "class Plain(ValueError): pass\nfull, plain, own = Full(xs), Plain(xs), OSError(xs)\n"
        "def fail(): raise plain",
        "(xs, getattr(plain, '__notes__', 0), own.args)",
        [
            "full.args[0].append(1)",
            "full.items.append(1)",
            "plain.args[0].append(1)",
            "plain.add_note('a')",
            "own.args[0].append(1)",
            "own.args = ()",
            "part, = plain.args\npart.append(1)",
            "try: raise full\nexcept Full as e: e.items.append(1)",
            "try: raise Full(xs)\nexcept Full as e: e.args[0].append(1)",
            "try: fail()\nexcept Exception as e: e.args[0].append(1)",
            "try: raise OSError(xs)\nexcept OSError as e: e.args[0].append(1)",
            "try: raise OSError from full\nexcept OSError as e: e.__cause__.items.append(1)",
            "try: raise ExceptionGroup('a', [plain])\n"
            "except* ValueError as e: e.exceptions[0].args[0].append(1)",
        ],
        "try: fail()\nexcept Plain as e: print(e, e.args)\nprint(full, repr(own), full.items[0])",
    ),
    "managers are given what their body raises": (
        "from contextlib import contextmanager, suppress\n"
        "class Held(Exception):\n    def __init__(self, v): self.v = v\n"
        "class Manager:\n    def __enter__(self): return self\n"
        "    def __exit__(self, kind, e, tb):\n"
        "        if e is not None: (e.v if isinstance(e, Held) else e.args[0]).append(1)\n"
        "        return True\n"
        "class Passed:\n    def __enter__(self): return self\n"
        "    def __exit__(self, *parts): parts[1].args[0].append(1); return True\n"
        "class Timer:\n    def __enter__(self): return self\n"
        "    def __exit__(self, *parts): self.is_over = True; return True\n"
        "@contextmanager\ndef caught():\n    try:\n        yield\n"
        "    except ValueError as e:\n        e.args[0].append(1)\n"
        "def fail(x): raise Held(x)\nxs = [1]",
        "xs",
        [
            "with Manager(): raise ValueError(xs)",
            "with Manager(): fail(xs)",
            "with Passed(): raise ValueError(xs)",
            "with caught(): raise ValueError(xs)",
            "with suppress(ValueError), caught(): raise ValueError(xs)",
        ],
        "with Timer(): raise ValueError(xs)\nwith suppress(ValueError): raise ValueError(xs)",
    ),
    "frames reach the names of code that runs": (
        "def fail():\n    ys = xs\n    raise ValueError\n"
        "def generated():\n    ys = xs\n    yield 1\n    yield 2\n"
        "xs = [1]\nitems = generated()\nnext(items)",
        "xs",
        [
            "items.gi_frame.f_locals['ys'].append(1)",
            "try: fail()\nexcept ValueError as e:\n"
            "    e.__traceback__.tb_next.tb_frame.f_locals['ys'].append(1)",
            "import sys\ntry: fail()\nexcept ValueError:\n"
            "    sys.exc_info()[2].tb_next.tb_frame.f_locals['ys'].append(1)",
        ],
        "try: fail()\nexcept ValueError as e: print(e.__traceback__.tb_lineno)",
    ),
}
HAS_TORCH = importlib.util.find_spec("torch") is not None


def decisions_and_results(earlier: list[str], tuned: str) -> tuple[list[int], list[object]]:
    """The numbers of the kept cells, and what the whole and the slice give."""
    decisions = slice_cells([ParsedCell(source) for source in earlier], ParsedCell(tuned))
    kept = [number for number, decision in enumerate(decisions) if decision.kept]
    results: list[object] = []
    for sources in ([*earlier, tuned], [*(earlier[number] for number in kept), tuned]):
        names: dict[str, object] = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()):
            for source in sources:
                exec(source, names)
        results.append(copy.deepcopy(names["result"]))
    return kept, results


@pytest.mark.parametrize("kind", CASES)
def test_a_cell_that_changes_what_is_read_is_kept(kind: str) -> None:
    set_up, read, changes, look = CASES[kind]
    if "torch" in set_up and not HAS_TORCH:
        pytest.skip("needs torch")
    for change in changes:
        kept, (whole, sliced) = decisions_and_results([set_up, change], f"result = {read}")

        assert 1 in kept, change
        assert repr(sliced) == repr(whole), change
    kept, (whole, sliced) = decisions_and_results([set_up, look], f"result = {read}")

    assert kept == [0]
    assert repr(sliced) == repr(whole)
