from __future__ import annotations

import ast
import tokenize
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4, write

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_notebook

EARLIER = [
    "import math\nx = [1, 2]",
    "def f(lr):\n    # a schedule\n    return math.sqrt(lr)",
    "class Model:\n    def score(self, lr):\n        return f(lr)",
    "model = Model()",
    "unused = 3",
    "x.append(4)",
]
TUNED = "lr = 0.1  # tune: uniform(0, 1)\nscore = model.score(lr) * len(x)"


def test_preparing_a_notebook_parses_each_cell_once(tmp_path, monkeypatch):
    path = tmp_path / "notebook.ipynb"
    sources = [*EARLIER, f"%%tune maximize score\n{TUNED}"]
    write(v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources]), path)
    parsed: Counter[str] = Counter()
    tokenized: Counter[str] = Counter()
    parse, tokens = ast.parse, tokenize.generate_tokens

    def counting_parse(source: str, *arguments: Any, **options: Any) -> ast.AST:
        parsed[source] += 1
        return parse(source, *arguments, **options)

    def counting_tokens(readline: Any) -> Iterator[tokenize.TokenInfo]:
        tokenized[readline.__self__.getvalue()] += 1
        return tokens(readline)

    monkeypatch.setattr(ast, "parse", counting_parse)
    monkeypatch.setattr(tokenize, "generate_tokens", counting_tokens)
    prepared = prepare_notebook(path, TuneOptions())

    assert [decision.kept for decision in prepared.decisions] == [True] * 4 + [False, True]
    assert {source: parsed[source] for source in [*EARLIER, TUNED]} == dict.fromkeys(
        [*EARLIER, TUNED], 1
    )
    assert {source: tokenized[source] for source in [*EARLIER, TUNED]} == {
        **dict.fromkeys(EARLIER, 0),
        TUNED: 1,
    }


def test_magics_of_which_the_first_runs_the_second():
    cell = ParsedCell("# timed\n%%time\n\n%%capture out --no-stderr\nx = 1  # one\ny = 2")

    assert [(m.name, m.arguments, m.first_line) for m in cell.magics] == [
        ("time", "", 3),
        ("capture", "out --no-stderr", 5),
    ]
    assert cell.magic_names == ["out"]
    assert [node.lineno for node in cell.tree.body] == [5, 6]
    assert [(c.start, c.string) for c in cell.comments] == [
        ((1, 0), "# timed"),
        ((5, 7), "# one"),
    ]


def test_a_magic_in_the_text_of_another_language_is_its_text():
    assert [magic.name for magic in ParsedCell("%%bash\n%%time\nls").magics] == ["bash"]


@pytest.mark.parametrize(
    ("source", "line"), [("x = 1\ny = (", 2), ("%%time\nx = 1\nreturn", 3), ("%%time\n!ls\n)", 3)]
)
def test_a_cell_that_cannot_run_has_an_error_on_its_line(source, line):
    error = ParsedCell(source).tree

    assert isinstance(error, SyntaxError)
    assert error.lineno == line


@given(st.lists(st.sampled_from(["x = 1", "", "# c", "!ls", "%pwd", "y = !ls", "z?"])))
def test_statements_stand_on_their_lines(lines):
    tree = ParsedCell("\n".join(lines)).tree

    expected = [n for n, line in enumerate(lines, start=1) if line not in ("", "# c")]
    assert [node.lineno for node in tree.body] == expected
