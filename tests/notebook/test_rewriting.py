"""Other values in the literals of a cell, in its text and in its file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.model import Value
from hpo_lab.notebook.annotations import parse_annotations, parse_parameter
from hpo_lab.notebook.literals import literal_edits
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.rewriting import rewrite, with_edits
from hpo_lab.problems import InvalidInput
from hpo_lab.source_edits import edited


def written(source: str, first_line: int = 1, **values: Value) -> str:
    return edited(source, literal_edits(source, values, first_line=first_line))


def value(source: str) -> Value:
    return parse_annotations(ParsedCell(source))[0].default


@dataclass(frozen=True)
class Assignment:
    """What stands before the literal, the literal, what stands behind it, and its new form."""

    name: str
    before: str
    old: str
    after: str
    value: Value
    new: str


TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=4) | st.sampled_from(
    ["#", "it's", '"', "\\", "\n", "👍 ü", ")", "# tune: int(1, 2)", "\t"]
)
QUOTED: tuple[Callable[[str], str], ...] = (repr, lambda text: json.dumps(text, ensure_ascii=False))


@st.composite
def literals(draw: st.DrawFn) -> tuple[str, str, Value, str]:
    """An annotation, the literal that stands there, another value, and how that is written."""
    kind = draw(st.sampled_from(["uniform", "loguniform", "int", "choice", "text"]))
    if kind in ("uniform", "loguniform"):
        low, old, new, high = sorted(
            draw(st.lists(st.floats(1e-9, 1e9), min_size=4, max_size=4, unique=True))
        )
        if kind == "uniform" and draw(st.booleans()):
            low, old, new, high = -high, -old, -new, -low
        form = draw(st.sampled_from(["{!r}", "{:.17e}", "{:.17E}"]))
        return f"{kind}({low!r}, {high!r})", form.format(old), new, repr(new)
    if kind == "int":
        old, new = draw(st.lists(st.integers(-999, 999), min_size=2, max_size=2, unique=True))
        return "int(-999, 999)", draw(st.sampled_from([str, hex, bin]))(old), new, repr(new)
    if kind == "text":
        old, new = draw(st.lists(TEXTS, min_size=2, max_size=2, unique=True))
        quote = [draw(st.sampled_from(QUOTED)) for _ in range(3)]
        forms = [quote[0](old), quote[1](new)]
        return f"choice({', '.join(forms)})", quote[2](old), new, forms[1]
    forms = draw(st.permutations(["None", "True", "False", "-1.5", "1e-3", "0x10", "'a'", '"b"']))
    return f"choice({', '.join(forms)})", forms[0], eval(forms[1]), forms[1]


@st.composite
def assignments(draw: st.DrawFn, number: int) -> Assignment:
    annotation, old, new_value, new = draw(literals())
    name = draw(st.sampled_from([f"x{number}", f"größe_{number}"]))
    comment = f"#{draw(st.sampled_from([' ', '', '   ']))}tune: {annotation}"
    frame = draw(
        st.sampled_from(
            [
                (" = ", f"  {comment}"),
                ("=", comment),
                (": object = ", f"   {comment}"),
                (" = (", f") {comment}"),
                (f" = (  {comment}\n   ", "\n)"),
                (" = (\n    # ü\n    ", f"  {comment}\n)"),
                (" = \\\n  ", f" {comment}"),
            ]
        )
    )
    return Assignment(name, f"{name}{frame[0]}", old, frame[1], new_value, new)


OTHERS = st.lists(
    st.sampled_from(
        ["", "# 🎉 x0 = 1", "s = '# tune: int(1, 2)'", "t = '''\nx0 = 1\n'''", "%matplotlib inline"]
    ),
    max_size=2,
)


@st.composite
def cells(draw: st.DrawFn) -> tuple[list[str], list[str], dict[str, Value]]:
    """The pieces of a cell, the literals every other one, their new forms, and new values."""
    pieces, new, values = ["%%tune maximize score\n"], [], {}
    for number in range(draw(st.integers(1, 4))):
        each = draw(assignments(number))
        pieces[-1] += "".join(f"{line}\n" for line in draw(OTHERS)) + each.before
        pieces += [each.old, f"{each.after}\n"]
        new.append(each.new)
        values[each.name] = each.value
    pieces[-1] += "score = 1"
    return pieces, new, values


def joined(pieces: list[str], literals: list[str]) -> str:
    return "".join(
        literals[number // 2] if number % 2 else piece for number, piece in enumerate(pieces)
    )


@given(
    cells(),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 1, 4]),
)
def test_the_literals_alone_change(
    cell: tuple[list[str], list[str], dict[str, Value]],
    newline: str,
    ascii_only: bool,
    as_lines: bool,
    indent: int | None,
) -> None:
    pieces, new, values = cell
    pieces = [piece.replace("\n", newline) for piece in pieces]
    source, expected = joined(pieces, pieces[1::2]), joined(pieces, new)

    edits = literal_edits(source, values, first_line=2)
    assert edited(source, edits) == expected
    again = parse_annotations(ParsedCell(expected.partition(newline)[2]))
    assert {each.name: each.default for each in again} == values
    assert written(expected, first_line=2, **values) == expected

    def file(text: str) -> str:
        lines = text.splitlines(keepends=True) if as_lines else text
        cells = [{"source": ["x"]}, {"metadata": {"a]": '"[{'}, "source": lines, "id": "ü"}]
        return json.dumps({"nbformat": 4, "cells": cells}, indent=indent, ensure_ascii=ascii_only)

    assert with_edits(file(source), 1, edits) == file(expected)


def test_a_text_in_several_parts_keeps_the_comments_between_them() -> None:
    source = 'opt = ("ad"  # tune: choice("adam", \'sgd\')\n       "am"  # the rest\n)'
    changed = written(source, opt="sgd")
    assert changed == "opt = ('sgd'  # tune: choice(\"adam\", 'sgd')\n         # the rest\n)"
    assert value(changed) == "sgd"
    assert written("x = -(1)  # tune: int(-2, 2)", x=-2) == "x = -2  # tune: int(-2, 2)"


def test_what_ipython_takes_away_from_a_line_does_not_count() -> None:
    source = "  %time\n  x = 1  # tune: int(0, 9)\n  y = x"
    assert written(source, x=7) == "  %time\n  x = 7  # tune: int(0, 9)\n  y = x"


PARAMETERS = [parse_parameter("lr", "loguniform(1e-4, 1)"), parse_parameter("opt", "choice('a')")]


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[[str], Path]:
    """`notebook(cell)`: a file with this cell, written by hand."""

    def write(cell: str, form: int = 4) -> Path:
        path = tmp_path / "cells.ipynb"
        path.write_bytes(
            b'{"nbformat": %d,\r\n "nbformat_minor" :2, "metadata" : {},\r\n"cells":[{"metadata":'
            b'{}, "execution_count":null, "outputs":[],"source" : [%s],"cell_type":"code"}]}'
            % (form, cell.encode())
        )
        return path

    return write


def test_a_file_written_by_hand(notebook: Callable[[str], Path]) -> None:
    cell = r'"%%tune minimize l\u006fss\n", "lr = 0.1", " # tune: loguniform(1e-4, 1)\nopt='
    cell += r"'\u0061' #tune:choice('a')" + '"'
    path = notebook(cell)
    changed = rewrite(path, PARAMETERS, {"lr": 0.25, "opt": "a"})
    assert (changed.label, changed.before) == ("cell 1", {"lr": 0.1})
    assert changed.content == path.read_bytes().replace(b"lr = 0.1", b"lr = 0.25")


def test_what_does_not_fit_is_named_at_once(notebook: Callable[[str], Path]) -> None:
    path = notebook(
        r'"%%tune minimize l\nlr = 0.1  # tune: uniform(0, 0.2)\nb = 1 # tune: int(0, 2)"'
    )
    with pytest.raises(InvalidInput) as raised:
        rewrite(path, PARAMETERS, {"lr": 0.25, "opt": "a"})
    assert [str(problem) for problem in raised.value.problems] == [
        "cells.ipynb, cell 1: has no annotated opt; the experiment has lr, opt",
        "cells.ipynb, cell 1, line 2: lr = 0.25 is outside the range here, uniform(0, 0.2)",
        "cells.ipynb, cell 1, line 3: b is no parameter of the experiment",
    ]


@pytest.mark.parametrize("depth", [500, 100_000])
def test_deeply_nested_json_is_no_notebook(notebook: Callable[[str], Path], depth: int) -> None:
    path = notebook(r'"%%tune minimize l\nlr = 0.1  # tune: loguniform(1e-4, 1)"')
    deep = b'"metadata" : {"a": %s}' % (b"[" * depth + b"]" * depth)
    path.write_bytes(path.read_bytes().replace(b'"metadata" : {}', deep))
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match="is no notebook: its JSON is nested too deeply"):
        rewrite(path, PARAMETERS[:1], {"lr": 0.25})
    assert path.read_bytes() == before


def test_a_pipe_is_refused_before_it_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="pipe: is a named pipe; only a file can be"):
        rewrite(tmp_path / "pipe", PARAMETERS, {})


def test_a_number_is_replaced_by_the_truth_value_that_equals_it(tmp_path: Path) -> None:
    path = tmp_path / "truth.ipynb"
    source = "%%tune minimize loss\nx = 1  # tune: choice(1, True)\nloss = x"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    written = rewrite(path, [parse_parameter("x", "choice(1, True)")], {"x": True})
    assert list(written.before) == ["x"]
    assert b"x = True  # tune" in written.content
