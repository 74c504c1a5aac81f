"""Running the slice and the tuned cell gives what running everything gives."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import slice_cells

TUNED_NAME = "result"


def run(sources: list[str]) -> object:
    names: dict[str, object] = {"__name__": "__main__"}
    for source in sources:
        exec(source, names)
    return copy.deepcopy(names[TUNED_NAME])


def outcome(sources: list[str]) -> tuple[str, object]:
    try:
        return "value", run(sources)
    except Exception as error:
        return "error", type(error)


def kept_sources(earlier: list[str], tuned: str) -> list[str]:
    decisions = slice_cells([ParsedCell(source) for source in earlier], ParsedCell(tuned))
    return [decision.cell.source for decision in decisions if decision.kept]


VARIABLES = st.sampled_from("abcd")
FUNCTIONS = st.sampled_from("fgh")
NUMBER = st.integers(0, 3)

STATEMENTS = st.one_of(
    st.builds("{} = [{}]".format, VARIABLES, NUMBER),
    st.builds("{} = {} + {}".format, VARIABLES, VARIABLES, VARIABLES),
    st.builds("{} = {}".format, VARIABLES, VARIABLES),
    st.builds("{}, {} = {}, {}".format, VARIABLES, VARIABLES, VARIABLES, VARIABLES),
    st.builds("{} = [{}, {}]".format, VARIABLES, VARIABLES, NUMBER),
    st.builds("{} = {}[0]".format, VARIABLES, VARIABLES),
    st.builds("{} = list({})".format, VARIABLES, VARIABLES),
    st.builds(
        "{} = sorted({}, key=lambda v: str(({}, v)))".format, VARIABLES, VARIABLES, VARIABLES
    ),
    st.builds("{} = [v for v in {} if v not in {}]".format, VARIABLES, VARIABLES, VARIABLES),
    st.builds("{}.append({})".format, VARIABLES, NUMBER),
    st.builds("{}.append({})".format, VARIABLES, FUNCTIONS),
    st.builds("{}.extend({}[:2])".format, VARIABLES, VARIABLES),
    st.builds("{}[0] = {}".format, VARIABLES, NUMBER),
    st.builds("{}[0].append({})".format, VARIABLES, NUMBER),
    st.builds("{} += [{}]".format, VARIABLES, NUMBER),
    st.builds("del {}".format, VARIABLES),
    st.builds("if {}: {} = [{}]".format, VARIABLES, VARIABLES, NUMBER),
    st.builds("for v in list({}): {}.append(0)".format, VARIABLES, VARIABLES),
    st.builds(
        "try:\n    {0} = {1}[9]\nexcept Exception:\n    {0} = []".format, VARIABLES, VARIABLES
    ),
    st.builds("def {}(x=0): return {} + [x]".format, FUNCTIONS, VARIABLES),
    st.builds("def {}(x=0): {}.append(1); return {}".format, FUNCTIONS, VARIABLES, VARIABLES),
    st.builds(
        "def {0}(x=0):\n    global {1}\n    {1} = [x]\n    return {1}".format, FUNCTIONS, VARIABLES
    ),
    st.builds("def {}(x=0):\n    return lambda y=0: {} + [y]".format, FUNCTIONS, VARIABLES),
    st.builds("def {}(x=0): x.append(7); return x".format, FUNCTIONS),
    st.builds("{} = {}".format, FUNCTIONS, FUNCTIONS),
    st.builds("{} = lambda x=0: {}(x)".format, FUNCTIONS, st.sampled_from("gh")),
    st.builds("class {}:\n    def __init__(self, x=0): self.x = {}".format, FUNCTIONS, VARIABLES),
    st.builds("{} = {}()".format, VARIABLES, FUNCTIONS),
    st.builds("{} = {}({})".format, VARIABLES, FUNCTIONS, VARIABLES),
    st.builds("{}({})".format, FUNCTIONS, VARIABLES),
    st.builds("print(len({}))".format, VARIABLES),
)
# A start with every name bound, so that most of what is generated runs.
PRELUDE = [
    "a, b, c, d = [1], [2], [3], [4]",
    "def f(x=0): return [x]\ndef g(x=0): return [x, x]\ndef h(x=0): return [a, x]",
]
CELLS = st.lists(st.lists(STATEMENTS, min_size=1, max_size=2).map("\n".join), max_size=9)
TUNED = st.sampled_from(["a", "b", "[a, b]", "f()", "repr(f(c))", "[c, d]"]).map(
    "def plain(v, depth=0):\n"
    "    if isinstance(v, (list, tuple)):\n"
    "        return [plain(w, depth + 1) for w in v] if depth < 6 else '...'\n"
    "    if callable(v):\n"
    "        return 'callable'\n"
    "    return plain(v.x, depth + 1) if hasattr(v, 'x') else v if isinstance(v, int) else '?'\n"
    "result = plain({})".format
)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(CELLS, TUNED)
def test_generated_notebooks(cells, tuned):
    tuned = tuned.replace("repr(f(c))", "f(c)")
    earlier = [*PRELUDE]
    for cell in cells:  # a cell that raises stops the notebook, so it is left out
        if outcome([*earlier, cell, "result = 0"])[0] == "value":
            earlier.append(cell)
    expected = outcome([*earlier, tuned])
    if expected[0] == "value":
        kept = kept_sources(earlier, tuned)
        assert outcome([*kept, tuned]) == expected, (earlier, kept)


NOTEBOOKS = {
    "train": (
        [
            "import math\nimport random as rnd",
            "rng = rnd.Random(3)",
            "def sample(n):\n    return [(x := rng.random(), math.sin(x)) for _ in range(n)]",
            "train = sample(20)",
            "test = sample(10)",
            "print(len(train))\nmean = sum(y for _, y in train) / len(train)",
            "class Line:\n    def __init__(self, w): self.w = w\n"
            "    def predict(self, x): return self.w * x + offset",
            "offset = 0.5",
            "baseline = Line(1.0)\nbaseline.w = 3",
            "def loss(line, data):\n    return sum((line.predict(x) - y) ** 2 for x, y in data)",
            "history = []\nhistory.append(loss(baseline, test))",
            "offset = 0.25",
            "train = [pair for pair in train if pair[0] > 0.1]",
        ],
        "line = Line(0.7)\nresult = (loss(line, train), loss(line, test))",
        9,
    ),
    "tables": (
        [
            "import numpy as np\nimport pandas as pd",
            "frame = pd.DataFrame({'x': np.arange(12.0), 'y': np.arange(12.0) % 3})",
            "frame.head()\nframe.describe()",
            "frame['z'] = frame.x * 2",
            "copy = frame.copy()\ncopy['z'] = 0",
            "from sklearn.linear_model import LinearRegression, Ridge",
            "from sklearn.model_selection import train_test_split",
            "train, test = train_test_split(frame, random_state=0)",
            "first = LinearRegression().fit(train[['x']], train.z)\n"
            "print(first.score(test[['x']], test.z))",
            "features = ['x']\nfeatures.append('y')",
            "def score(model):\n    model.fit(train[features], train.z)\n"
            "    return round(model.score(test[features], test.z), 6)",
        ],
        "result = score(Ridge(alpha=2.0))",
        9,
    ),
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_written_notebooks(name):
    earlier, tuned, expected = NOTEBOOKS[name]
    kept = kept_sources(earlier, tuned)
    assert run([*kept, tuned]) == run([*earlier, tuned])
    assert len(kept) <= expected, [c for c in earlier if c not in kept]
