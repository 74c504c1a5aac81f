"""Lines of text and JSON, and what is a number in them."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.collectors.json_lines import json_parser
from hpo_lab.collectors.lines import LONGEST, Lines
from hpo_lab.collectors.numeric_text import observation_of
from hpo_lab.collectors.prometheus import parse_exposition
from hpo_lab.collectors.text import format_problems, parse_time, text_parser
from hpo_lab.experiment.collector import METRICS_FORMAT
from hpo_lab.problems import InvalidInput


def found(line: str, *metrics: str, form: str = METRICS_FORMAT) -> list[tuple[str, float, str]]:
    parse = text_parser(metrics or ("loss", "acc"), (form,))
    return [(one.metric, one.value, one.text) for one in parse(line.encode(), 0.0)]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.25", 0.25),
        ("-1e-3", -0.001),
        ("+.5", 0.5),
        ("3", 3.0),
        ("0.5,", 0.5),
        ("0.5]", 0.5),
        ("0.5.", 0.5),
        ("95%", 95.0),
        ("0.5,acc", 0.5),
    ],
)
def test_a_number_is_read_whatever_stands_behind_it(written: str, value: float) -> None:
    assert found(f"loss={written}", "loss") == [("loss", value, "")]


@pytest.mark.parametrize(
    "written",
    ["1,234", "1.2.3", "0x1F", "1_000", "1e", "12s", "none", "tensor(0.5)", "½", "--", "1e+", ""],
)
def test_what_is_no_number_is_text(written: str) -> None:
    ((metric, value, text),) = found(f"loss={written}", "loss")
    assert metric == "loss" and math.isnan(value) and text == written


@pytest.mark.parametrize(("written", "value"), [("inf", math.inf), ("-Infinity", -math.inf)])
def test_infinity_is_kept_as_such(written: str, value: float) -> None:
    assert found(f"loss={written}", "loss") == [("loss", value, written)]


def test_nan_beside_another_value() -> None:
    (_, nan, text), (_, acc, _) = found("epoch 1: loss=nan, acc = 0.5")
    assert math.isnan(nan) and text == "nan" and acc == 0.5


def test_an_empty_value_does_not_swallow_the_next_pair() -> None:
    (first, empty, text), second = found("loss= acc=0.5")
    assert first == "loss" and math.isnan(empty) and text == ""
    assert second == ("acc", 0.5, "")


def test_only_the_wanted_metrics_are_read() -> None:
    assert found("xloss=1 loss=2 lr=3", "loss") == [("loss", 2.0, "")]


def test_time_and_step_of_a_line() -> None:
    parse = text_parser(("loss",), (METRICS_FORMAT,))
    (one,) = parse(b"2026-01-02T03:04:05.5Z epoch=7 loss=1", 99.0)
    assert (one.time, one.step) == (parse_time("2026-01-02T03:04:05.5+00:00"), 7)
    (one,) = parse(b"2026-01-02 03:04:05 [step: 12] loss=1", 99.0)
    assert (one.time, one.step) == (99.0, 12)
    (one,) = parse(b"2026-99-02T03:04:05Z steps=1.5 loss=1", 99.0)
    assert (one.time, one.step) == (99.0, None)


def test_filters_of_the_users_own() -> None:
    braces = r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"
    line = "{metricName: accuracy, metricValue: 0.9685};{metricName: loss, metricValue: -0.1}"
    assert found(line, "accuracy", "loss", form=braces) == [
        ("accuracy", 0.9685, ""),
        ("loss", -0.1, ""),
    ]
    ((_, value, text),) = found(
        "Best-Genotype=Genotype(normal=[[('a',0)]])", "Best-Genotype", form=r"([\w-]+)=(Genotype.*)"
    )
    assert math.isnan(value) and text == "Genotype(normal=[[('a',0)]])"
    auc = r"(\w+\sauc):\s+([0-9.]+)"
    assert found("[1] valid_1 auc: 0.81", "valid_1 auc", form=auc) == [("valid_1 auc", 0.81, "")]


def test_bad_filters_are_told() -> None:
    told = format_problems([r"(a", r"a=b", r"(?=a)(b)(c)"])
    assert [problem.split("'")[1] for problem in told] == ["(a", "a=b", "(?=a)(b)(c)"]
    with pytest.raises(InvalidInput, match="metricsFormat"):
        text_parser(("a",), ("(a",))


@pytest.mark.parametrize(
    ("form", "line"),
    [(r"(a+)+=(b)", "a" * 60_000), (METRICS_FORMAT, "a" * 60_000), (r"((a|a)*)=(b)", "a" * 30_000)],
)
def test_no_expression_stalls(form: str, line: str) -> None:
    begun = time.perf_counter()
    found(line, "aaa", form=form)
    assert time.perf_counter() - begun < 60  # where it stalls: hours


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_comes_back(value: float) -> None:
    assert found(f"loss={value!r}", "loss") == [("loss", value, "")]


@given(st.text(max_size=20))
def test_text_is_a_number_in_full_or_not_at_all(text: str) -> None:
    one = observation_of("m", text, 0.0)
    if math.isfinite(one.value):
        assert one.text == "" and float(text) == one.value and text.isascii()
    else:
        assert one.text == text


@given(st.lists(st.binary(max_size=30)), st.integers(1, 7))
def test_lines_do_not_depend_on_the_chunks(parts: list[bytes], size: int) -> None:
    whole = b"\n".join(parts)
    lines = Lines()
    got = [line for at in range(0, len(whole), size) for line in lines.feed(whole[at : at + size])]
    rest = lines.rest()
    assert [*got, *([rest] if rest else [])] == [line for line in whole.splitlines() if line]


def test_an_endless_line_takes_no_memory() -> None:
    lines = Lines()
    got = [line for _ in range(50) for line in lines.feed(b"x" * 10_000)]
    assert [len(line) for line in got] == [LONGEST]
    assert lines.feed(b"tail\nnext\n") == [b"next"]


def test_json_lines() -> None:
    parse = json_parser(("acc", "loss"))
    line = b'{"acc": "0.5", "loss": 1.5, "timestamp": "2026-01-01T00:00:00Z", "global_step": 3}'
    acc, loss = parse(line, 9.0)
    assert (acc.value, acc.step, acc.time) == (0.5, 3, parse_time("2026-01-01T00:00:00Z"))
    assert loss.value == 1.5
    (acc,) = parse(b'{"acc": 2, "timestamp": 12.5}', 9.0)
    assert (acc.value, acc.time) == (2.0, 12.5)
    (nan,) = parse(b'{"acc": NaN}', 9.0)
    assert math.isnan(nan.value) and nan.text == "NaN"
    (words,) = parse(b'{"acc": ["0.5"]}', 9.0)
    assert math.isnan(words.value) and words.text == '["0.5"]'
    for broken in (b"acc=0.5", b'{"acc": 0.', b"[1]", b"[" * 100_000, b"\xff"):
        assert parse(broken, 9.0) == []


def test_prometheus_text() -> None:
    page = """
# HELP acc of the model
# TYPE acc gauge
acc{run="a b"} 0.5 1700000000000
acc_total 7
loss NaN
"""
    acc, loss = parse_exposition(page, ("acc", "loss", "lr"), 9.0)
    assert (acc.value, acc.time) == (0.5, 1_700_000_000.0)
    assert math.isnan(loss.value) and (loss.text, loss.time) == ("NaN", 9.0)


@pytest.mark.parametrize(
    "line",
    [
        b"\x1b[32mloss\x1b[0m=\x1b[1;31m0.25\x1b[0m",
        b"\x1b]0;title\x07\x1b[2Kloss=0.25\x1b[m",
        b"\x1b[38;5;208mlo\x1b[0mss=0.25 ",
    ],
)
def test_colours_of_a_terminal_are_passed(line: bytes) -> None:
    (observation,) = text_parser(["loss"], ["([\\w|-]+)\\s*=\\s*([+-]?\\d*(\\.\\d+)?)"])(line, 1.0)
    assert (observation.metric, observation.value) == ("loss", 0.25)
