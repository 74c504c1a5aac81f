from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from hpo_lab.dashboard.html import cut
from hpo_lab.dashboard.safe_console import SafeConsole
from hpo_lab.printable import printable

STEERING = [
    "\x1b[2J",
    "\x1b[?1049h",
    "\x1b]0;owned\x07",
    "\x1b]52;c;cm0gLXJm\x1b\\",
    "\x1b]8;;file:///etc\x1b\\",
    "\x1bP$q\x1b\\",
    "\x1bc",
    "\x1b(0",
    "\x9b2J",
    "\x9d0;owned\x9c",
    "\x07",
    "\x08",
    "\x1b\x1b[A",
    "\x7f",
    "\x00",
]
RED, PLAIN = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize("sequence", STEERING)
@pytest.mark.parametrize("colours", [False, True])
def test_nothing_steers_the_terminal(sequence: str, colours: bool) -> None:
    assert printable(f"a{sequence}b\n", colours=colours) == "ab\n"


def test_colours_stay_where_they_may() -> None:
    text = f"{RED}red{PLAIN}\x1b[2J 50 %\r100 %\n"
    assert printable(text, colours=True) == f"{RED}red{PLAIN} 50 %\r100 %\n"
    assert printable(text) == "red 50 %100 %\n"


@given(st.text(st.characters() | st.sampled_from("\x1b[]m;0\x9b\x07\\"), max_size=30))
def test_any_text_is_made_printable(text: str) -> None:
    shown = printable(text)
    assert all(each.isprintable() or each in "\n\t" for each in shown if each.isascii())
    assert "\x1b" not in shown and not any("\x7f" <= each <= "\x9f" for each in shown)
    assert printable(shown) == shown


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30))
def test_text_of_any_language_stays(text: str) -> None:
    assert printable(f"{text}\n\t{text}") == f"{text}\n\t{text}"


@pytest.mark.parametrize("sequence", STEERING)
def test_neither_console_nor_page_has_them(sequence: str) -> None:
    console = SafeConsole(file=io.StringIO(), width=60, force_terminal=True)
    table = Table(f"name{sequence}")
    table.add_row(f"x{sequence}y")
    console.print(table, f"message {sequence}.", style="red")
    assert isinstance(console.file, io.StringIO)
    written = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", written)
    assert "name" in written and "message" in written
    assert sequence not in cut(f"a{sequence}b", 100)


def test_a_flood_of_beginnings_is_read_in_one_pass() -> None:
    assert printable("\x9d" * 1_000_000 + "a") == "a"
    assert printable("\x1b]" * 1_000_000 + "a") == "a"
