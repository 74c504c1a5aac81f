"""A change of a view is a change of the object that it shows."""

from __future__ import annotations

import copy
import importlib.util

import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import slice_cells

HAS_TORCH = importlib.util.find_spec("torch") is not None

NUMPY = "import numpy as np\nx = np.arange(12.0).reshape(6, 2)\ni = np.arange(3)"
PANDAS = (
    "import numpy as np, pandas as pd\n"
    "df = pd.DataFrame({'a': [3.0, 1.0], 'title': ['x', None], 'k': [0, 1]})\n"
    "s = pd.Series(np.array([3.0, 1.0]))"
)
TORCH = (
    "import numpy as np, torch, torch.nn.functional as F\nfrom torch import nn\n"
    "net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))\n"
    "w = torch.zeros(3)\nx = np.zeros(3)\nt = torch.ones(4, 2)\nn = -torch.ones(3)"
)
SKLEARN = (
    "import numpy as np\nfrom sklearn.linear_model import LinearRegression\n"
    "from sklearn.pipeline import make_pipeline\n"
    "clf = LinearRegression().fit(np.arange(6.0).reshape(3, 2), [0, 1, 3])\n"
    "pipe = make_pipeline(clf)"
)

# The set-up, what the tuned cell reads, something that only looks, and changes by a view.
CHANGES = {
    NUMPY: (
        "x.tolist()",
        "print(x.T.sum(), x.ravel().mean(), x.real.copy().fill(0))",
        """
        x.T.fill(1)
        x.T[0] = 1
        x.real.fill(1)
        x.flat[0] = 5
        x.ravel().fill(2)
        x.reshape(3, 4)[0] = 2
        x.view().sort(axis=0); x.view().fill(4)
        x.conj().fill(3)
        x[1:].T.fill(3)
        memoryview(x)[0, 0] = 3
        v = x.swapaxes(0, 1).T; v.fill(4)
        v = np.add(x, 1, out=x); v[0] = 9
        v = x.astype(float, copy=False); v[0] = 9
        v = np.asarray(x.T); v.fill(1)
        for row in x.T: row[0] = 7
        [row.fill(1) for row in x.reshape(3, 4)]
        np.put(x.T, [0], 5)
        x.fill.__self__[0] = 8
        f = x.fill; f(3)
        x.T.data[0, 0] = 4
        np.ravel(x).fill(1)
        first, *rest = x; first.fill(9)
        {'k': x.T}['k'].fill(1)
        """,
    ),
    PANDAS: (
        "(df.to_dict('list'), s.tolist())",
        "print(df.values.sum(), df.title.str.upper(), df.columns.tolist(), df.head().T, df.dtypes)",
        """
        df.loc[0, 'a'] = 4
        df.loc[:, 'a'] = 4
        df.iloc[0, 0] = 4
        df.at[0, 'a'] = 4
        df.columns = ['u', 'v', 'w']
        df.columns.values[0] = 'q'
        df.index.name = 'i'; df['n'] = 1
        s.array[0] = 9
        s.loc[0] = 9
        s.iat[0] = 9
        v = df.pipe(lambda d: d); v['n'] = 1
        s.values.flags.writeable = True; s.values.fill(3)
        """,
    ),
    TORCH: (
        "(net(t).tolist(), w.tolist(), x.tolist())",
        "print(w.data.sum(), net[0].weight.shape, sum(p.numel() for p in net.parameters()))",
        """
        net[0].weight.data.fill_(1)
        net[0].weight.data[0] = 1
        net[0].weight.data.copy_(torch.ones(3, 2))
        net[0].weight.data.T.fill_(1)
        net[0].bias.detach().fill_(1)
        net[0].bias.detach().numpy()[0] = 1
        net.state_dict()['0.weight'].fill_(2)
        for key, value in net.state_dict().items(): value.zero_()
        for p in net.parameters(): p.data.zero_()
        for name, p in net.named_parameters(): p.data.zero_()
        list(net.parameters())[0].data.zero_()
        next(net.parameters()).data.zero_()
        for m in net.children():\\n    if hasattr(m, 'weight'): m.weight.data.zero_()
        for m in net.modules():\\n    if hasattr(m, 'weight'): m.weight.data.zero_()
        nn.init.ones_(net[0].weight)
        net.apply(lambda m: hasattr(m, 'weight') and m.weight.data.fill_(3))
        net.get_parameter('0.weight').data.fill_(1)
        net.requires_grad_(False); net[0].weight.fill_(2)
        w.numpy().fill(4)
        w.view(3, 1)[0] = 2
        w.reshape(3, 1).fill_(2)
        w.detach().add_(1)
        w.cpu().add_(1)
        w.float().add_(1)
        w.to('cpu')[0] = 3
        w.T.fill_(1)
        w.real.fill_(1)
        w.index_fill_(0, torch.tensor([0]), 5)
        w.unsqueeze(0).squeeze().mul_(0).add_(2)
        a, b, c = w.unbind(); a.fill_(2)
        torch.from_numpy(x).fill_(5)
        torch.as_tensor(x)[0] = 5
        np.asarray(w)[0] = 3
        F.elu_(w.sub_(1))
        torch.add(w, 1, out=w)
        v = torch.add(w, 1, out=w); v.fill_(3)
        torch.nn.utils.vector_to_parameters(torch.zeros(13), net.parameters())
        w.data = torch.ones(3)
        """,
    ),
    SKLEARN: (
        "clf.predict(np.ones((1, 2))).tolist()",
        "print(clf.coef_.sum(), pipe[0].intercept_)",
        """
        clf.coef_[0] = 1
        clf.coef_.fill(1)
        clf.coef_.T.fill(1)
        clf.__dict__['coef_'].fill(2)
        vars(clf)['coef_'].fill(2)
        pipe[0].coef_.fill(1)
        pipe.steps[0][1].coef_.fill(1)
        pipe.named_steps['linearregression'].coef_.fill(1)
        pipe.named_steps.linearregression.coef_.fill(1)
        """,
    ),
}
OTHERS = {
    "a group reads its table later": (
        [PANDAS, "g = df.groupby('k')", "df['a'] = 0.0"],
        "result = g.a.sum().tolist()",
        [0, 1, 2],
    ),
    "a column with the name of a method": (
        [PANDAS, "v = df.title + '!'", "v.fillna('', inplace=True)", "print(df.title.str.len())"],
        "result = v.tolist()",
        [0, 1, 2],
    ),
    "a layer that works in place": (
        [TORCH, "act = nn.Sequential(nn.ReLU(inplace=True))", "act(n)", "print(n.mean())"],
        "result = n.tolist()",
        [0, 1, 2],
    ),
    "a layer that does not": (
        [TORCH, "act = nn.Sequential(nn.ReLU())", "act(n)", "print(n.mean())"],
        "result = n.tolist()",
        [0],
    ),
    "models of one's own leave torch as it was": (
        [
            f"{TORCH}\nclass Own(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.lin = nn.Linear(2, 1)\n    def forward(self, v): return self.lin(v)",
            "own = Own()\nnn.init.zeros_(own.lin.weight)\nown.eval()",
            "net.eval()\nown(t)",
            "print(w.mean(), torch.add(w, 1))",
        ],
        "result = w.tolist()",
        [0],
    ),
}


def kept_cells(earlier: list[str], tuned: str) -> list[int]:
    decisions = slice_cells([ParsedCell(source) for source in earlier], ParsedCell(tuned))
    return [number for number, decision in enumerate(decisions) if decision.kept]


def result_of(sources: list[str]) -> object:
    names: dict[str, object] = {"__name__": "__main__"}
    for source in sources:
        exec(source, names)
    return copy.deepcopy(names["result"])


@pytest.mark.parametrize(
    ("set_up", "change"),
    [
        (set_up, line.strip().replace("\\n", "\n"))
        for set_up, (_, _, lines) in CHANGES.items()
        for line in lines.strip().splitlines()
    ],
    ids=lambda text: text.splitlines()[-1][:50],
)
def test_a_cell_that_changes_a_view_is_kept(set_up: str, change: str) -> None:
    read, look, _ = CHANGES[set_up]
    earlier = [set_up, look, change]

    assert kept_cells(earlier, f"result = {read}") == [0, 2]


@pytest.mark.parametrize("what", OTHERS)
def test_objects_that_share_their_state(what: str) -> None:
    earlier, tuned, kept = OTHERS[what]

    assert kept_cells(earlier, tuned) == kept
    if HAS_TORCH or "torch" not in earlier[0]:
        whole = result_of([*earlier, tuned])
        assert result_of([*(earlier[number] for number in kept), tuned]) == whole
