from __future__ import annotations

import re
import traceback
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from hpo_lab.facade.excerpt import excerpt


@pytest.fixture(scope="module")
def shell() -> InteractiveShell:
    return InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))


def raised(shell: InteractiveShell, cell: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The traceback of *cell*, as a trial keeps it."""
    lines: list[str] = []
    monkeypatch.setattr(shell, "_showtraceback", lambda kind, value, tb: lines.extend(tb))
    shell.run_cell(cell, store_history=True)
    text = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(lines))
    # A shell that is not the shell of its process does not know the numbers of its cells.
    return re.sub(r"File <ipython-input[^>]*>:(\d+)", r"Cell In[1], line \1", text)


def test_the_frames_of_cells_are_shown_and_of_libraries_the_last(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = "import json\ndef read(text):\n    return json.loads(text)\nread('{')"
    lines = excerpt(raised(shell, cell, monkeypatch)).splitlines()
    assert lines[:4] == [
        "Cell In[1], line 4",
        "----> 4 read('{')",
        "Cell In[1], line 3, in read(text)",
        "----> 3     return json.loads(text)",
    ]
    assert "decoder.py" in lines[4] and "obj, end = self.scan_once(s, idx)" in lines[5]
    assert lines[6:] == [
        "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 "
        "(char 1)"
    ]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("x = = 3", ["Cell In[1], line 1", "x = = 3", "^", "SyntaxError: invalid syntax"]),
        (
            "raise ValueError('a\\n\\nb')",
            ["Cell In[1], line 1", "----> 1 raise ValueError('a\\n\\nb')", "ValueError: a", "b"],
        ),
    ],
)
def test_errors_of_syntax_and_of_several_lines(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, cell: str, shown: list[str]
) -> None:
    lines = excerpt(raised(shell, cell, monkeypatch)).splitlines()
    assert [line.strip() for line in lines] == shown


def test_a_recursion_without_end_is_short(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = excerpt(raised(shell, "def f(n):\n    return f(n - 1)\nf(3)", monkeypatch))
    assert text.splitlines()[1] == "----> 3 f(3)"
    assert len(text.splitlines()) == 7


def test_of_a_function_the_lines_that_ran_are_shown() -> None:
    try:
        exec(compile("def f():\n    return {}['a']\nf()", "train.py", "exec"), {})
    except KeyError:
        text = traceback.format_exc()
    lines = excerpt(text).splitlines()
    assert lines[0] == f'  File "{Path(__file__)}", line {lines[0].split()[3][:-1]}, in ' + (
        "test_of_a_function_the_lines_that_ran_are_shown"
    )
    assert lines[2:] == [
        '  File "train.py", line 3, in <module>',
        '  File "train.py", line 2, in f',
        "KeyError: 'a'",
    ]


def test_what_stands_above_the_traceback_is_kept() -> None:
    text = (
        f"In the set-up, cell 1 of 2:\n{'-' * 75}\nKeyError  Traceback (most recent call last)\n"
        "Cell In[1], line 1\n----> 1 {}['a']\n\nKeyError: 'a'"
    )
    assert excerpt(text).splitlines() == [
        "In the set-up, cell 1 of 2:",
        "Cell In[1], line 1",
        "----> 1 {}['a']",
        "KeyError: 'a'",
    ]


def test_anything_else_is_shown_as_it_is_but_short() -> None:
    assert excerpt("") == ""
    assert excerpt("killed") == "killed"
    assert len(excerpt("x" * 1000 + "\n" * 50 + "y\n" * 50).splitlines()) <= 12
