"""Completion and help on the line of `%%tune` and behind `# tune:`, as the kernel gives them.

Elsewhere a matcher costs one look at the line.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from hpo_lab.experiment.space import DOMAINS
from hpo_lab.notebook.annotation_text import SIGNATURES
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.tunable import metric_names, suggestion, tunables
from hpo_lab.options import LINE_OPTIONS, Option, line_parts
from hpo_lab.search.algorithm import algorithms, get_algorithm
from hpo_lab.search.registry import registered_names
from hpo_lab.search.setting import Configurable
from hpo_lab.stopping.rule import ENTRY_POINT_GROUP, get_rule

__all__ = ["completions", "help_at", "install"]

_TUNE_LINE = re.compile(r"\s*%%tune\s(?P<text>.*)")
_ANNOTATION = re.compile(r".*#\s*tune\s*:\s*(?P<text>[^#]*)")
_OPTIONS = {option.flag: option for option in LINE_OPTIONS}
_DIRECTIONS = ("maximize", "minimize")
_METRICS = ("--additional-metric", "--strategy", "--constraint")


def install(shell: Any) -> None:
    """Have the completer of *shell*, and its kernel's help, know `%%tune` and `# tune:`."""

    @context_matcher(identifier="hpo_lab")  # type: ignore[untyped-decorator]
    def hpo_lab_matcher(context: CompletionContext) -> dict[str, Any]:
        before = context.line_with_cursor[: context.cursor_position]
        words, fragment = completions(context.full_text, context.cursor_line, before)
        fitting = [word for word in words if word.startswith(fragment)]
        return {
            "completions": [SimpleCompletion(word, type="keyword") for word in fitting],
            "matched_fragment": fragment,
            "suppress": bool(fitting),
            "ordered": True,
        }

    matchers = shell.Completer.custom_matchers
    matchers[:] = [each for each in matchers if each.__name__ != hpo_lab_matcher.__name__]
    matchers.append(hpo_lab_matcher)
    kernel = getattr(shell, "kernel", None)
    if kernel is not None and not hasattr(kernel.do_inspect, "__wrapped__"):
        kernel.do_inspect = _with_help(kernel.do_inspect)


def completions(cell: str, line: int, before: str) -> tuple[list[str], str]:
    """What may stand at the cursor, and the part of it that is typed already.

    Args:
        cell: The text of the cell.
        line: The line of the cursor, counted from 0.
        before: What stands before the cursor on its line.
    """
    if match := _TUNE_LINE.fullmatch(before):
        fragment = re.search(r"[^\s'\"]*$", before)
        assert fragment is not None
        words = match["text"].removesuffix(fragment[0]).split()
        return [*_on_line(cell, words, fragment[0])], fragment[0]
    if match := _ANNOTATION.fullmatch(before):
        return _annotations(cell, line + 1), match["text"]
    return [], ""


def help_at(cell: str, position: int) -> str:
    """What the word at *position* of a cell means here; empty where nothing is known of it."""
    start = cell.rfind("\n", 0, position) + 1
    text = cell[start:].partition("\n")[0]
    column = position - start
    if _TUNE_LINE.match(text):
        word = _word(text, column, r"[^\s'\"]+")
        return _help_on_line(word, text.split())
    comment = re.search(r"#\s*tune\s*:", text)
    if comment is None or column < comment.end():
        return ""
    # Between the brackets of a distribution it is that which one asks about.
    name, bracket, _ = text[comment.end() : column].partition("(")
    word = name.strip() if bracket else _word(text, column, r"\w+")
    if word not in DOMAINS:
        return ""
    return f"{SIGNATURES[word]}\n\n{inspect.getdoc(DOMAINS[word])}"


def _on_line(cell: str, words: Sequence[str], fragment: str) -> Iterator[str]:
    """What may follow *words* on the line of `%%tune`."""
    last = words[-1] if words else ""
    option = _OPTIONS.get(last)
    flag, equals, value = fragment.partition("=")
    if equals and flag in _OPTIONS:
        yield from (f"{flag}={text}" for text in _values(cell, flag, words, value))
    elif fragment.startswith("-"):
        yield from _OPTIONS
    elif option is not None and option.form:
        yield from _values(cell, option.flag, words, fragment)
    elif not words or last.endswith(","):
        yield from _DIRECTIONS
    elif last in _DIRECTIONS:
        yield from metric_names(ParsedCell(cell))
    else:
        yield from _OPTIONS


def _values(cell: str, flag: str, words: Sequence[str], fragment: str) -> Iterator[str]:
    """What may be the value of an option."""
    option = _OPTIONS[flag]
    if isinstance(option, Option) and option.choices:
        yield from option.choices
    elif flag == "--algorithm":
        yield from algorithms()
    elif flag == "--setting":
        yield from _settings(_loaded(get_algorithm, _algorithm(words)), "", fragment)
    elif flag == "--early-stopping":
        name, colon, behind = fragment.partition(":")
        if colon:
            done = behind.rpartition(",")[0]
            prefix = f"{name}:{done}," if done else f"{name}:"
            yield from _settings(_loaded(get_rule, name), prefix, fragment)
        else:
            yield from registered_names(ENTRY_POINT_GROUP)
    elif flag in _METRICS:
        end = "=" if flag == "--strategy" else ""
        yield from (f"{name}{end}" for name in metric_names(ParsedCell(cell)))


def _settings(configurable: Configurable | None, prefix: str, fragment: str) -> Iterator[str]:
    for name, setting in configurable.settings.items() if configurable else ():
        yield f"{prefix}{name}="
        if fragment.startswith(f"{prefix}{name}="):
            choices = ("true", "false") if setting.type is bool else setting.choices
            yield from (f"{prefix}{name}={choice}" for choice in choices)


def _annotations(cell: str, line: int) -> list[str]:
    """The annotations for the value on *line*: one to begin with, and the distributions."""
    values = [each for each in tunables(ParsedCell(cell)) if each.first <= line <= each.last]
    suggested = [suggestion(each.name, each.value) for each in values]
    return [*suggested, *(f"{name}(" for name in DOMAINS)]


def _help_on_line(word: str, words: Sequence[str]) -> str:
    flag = word.partition("=")[0]
    option = _OPTIONS.get(flag)
    if option is not None:
        return f"{option.flag} {option.form}\n\n{option.help}"
    if word in algorithms() and "--algorithm" in words:
        return _described(_loaded(get_algorithm, word))
    name = word.partition(":")[0]
    if name in registered_names(ENTRY_POINT_GROUP) and "--early-stopping" in words:
        return _described(_loaded(get_rule, name))
    algorithm = _loaded(get_algorithm, _algorithm(words)) if "--setting" in words else None
    setting = algorithm.settings.get(flag) if algorithm else None
    return f"{flag}: {setting.doc}" if setting else ""


def _described(configurable: Configurable | None) -> str:
    if configurable is None:
        return ""
    lines = [
        f"  {name:20} {setting.doc}"
        + ("" if setting.default is None else f" [default: {setting.default}]")
        for name, setting in configurable.settings.items()
    ]
    described = inspect.getdoc(type(configurable)) or ""
    return "\n".join([f"{configurable.name}: {described}", "", "Settings:", *lines])


def _algorithm(words: Sequence[str]) -> str:
    """The last algorithm that *words* name, or that which is taken without a name."""
    named = line_parts(" ".join(words)).values.get("--algorithm")
    option = _OPTIONS["--algorithm"]
    assert isinstance(option, Option)
    return named[-1] if named else option.default


def _loaded(get: Callable[[str], Configurable], name: str) -> Configurable | None:
    try:
        return get(name)
    except LookupError:
        return None


def _word(text: str, column: int, pattern: str) -> str:
    """The word of *text* that *column* is in or behind."""
    words = (
        match for match in re.finditer(pattern, text) if match.start() <= column <= match.end()
    )
    return next((match[0] for match in words), "")


def _with_help(inspected: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel's answer about a word, with what `help_at` knows before it."""

    @wraps(inspected)
    def do_inspect(code: str, cursor_pos: int, *arguments: Any, **named: Any) -> Any:
        text = help_at(code, cursor_pos)
        if text:
            data = {"text/plain": text}
            return {"status": "ok", "found": True, "data": data, "metadata": {}}
        return inspected(code, cursor_pos, *arguments, **named)

    return do_inspect
