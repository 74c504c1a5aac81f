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
