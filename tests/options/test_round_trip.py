"""What is written for an option is read as the same, on a line and in a document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.model import (
    AdditionalObjective,
    AlgorithmSetting,
    EarlyStopping,
    ExperimentDocument,
    MetricConstraint,
    ObjectiveType,
    TrialTemplate,
)
from hpo_lab.experiment.space import uniform
from hpo_lab.options import OPTIONS, Option, TuneOptions, options_of, parse_line, write_line
from hpo_lab.problems import InvalidInput

X = [uniform(0, 1).named("x")]
TEMPLATE = TrialTemplate(
    trial_spec={"apiVersion": "hpolab.dev/v1beta1", "kind": "NotebookTrial", "spec": {}}
)


def text(without: str = "", least: int = 1) -> st.SearchStrategy[str]:
    """Text of a line: quotes, spaces, `#`, `--flags` and all."""
    characters = st.characters(exclude_categories=["Cs"], exclude_characters=without)
    words = st.text(characters, min_size=least, max_size=8) | st.sampled_from(["--x", "-3", "# a"])
    return words.filter(
        lambda word: word.splitlines() in ([], [word]) and not set(word) & {*without}
    )


def pairs(**without: str) -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(text(without.get("name", "=")), text(without.get("value", "")))


def settings_of(rule: tuple[str, list[tuple[str, str]]]) -> EarlyStopping:
    name, settings = rule
    return EarlyStopping(
        algorithm_name=name,
        algorithm_settings=tuple(AlgorithmSetting(name=n, value=v) for n, v in settings),
    )


COUNT = st.integers(min_value=1, max_value=10**30)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
SECONDS = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
METRIC = st.text(
    st.characters(exclude_characters="<>=", exclude_categories=["Cs", "Z", "C"]), min_size=1
)
BOUND = st.builds(
    lambda name, side, limit: MetricConstraint(name=name, **{side: limit}),
    st.sampled_from(["loss", "train/acc"]) | METRIC,
    st.sampled_from(["min", "max"]),
    NUMBER,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "trials": COUNT,
    "parallel": COUNT,
    "algorithm": text(),
    "setting": st.lists(pairs(), min_size=1).map(tuple),
    "constraint": st.lists(BOUND, min_size=1).map(tuple),
    "early_stopping": st.tuples(text(":"), st.lists(pairs(name="=,", value=","), max_size=3)).map(
        settings_of
    ),
    "goal": NUMBER,
    "seed": st.integers(min_value=0),
    "warm_start": st.lists(text(least=0), min_size=1).map(tuple),
    "name": st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True),
    "timeout": SECONDS,
    "trial_timeout": SECONDS,
    "trial_memory": COUNT,
    "trial_output": st.integers(1, 4000).map(lambda count: count * 2**20),
    "kernel": text(),
    "isolation": st.sampled_from(["auto", "fork", "kernel"]),
    "keep": st.sampled_from(["all", "best", "failed", "none"]),
    "max_failed": COUNT,
    "additional_metric": st.lists(text(), min_size=1).map(tuple),
    "strategy": st.lists(
        st.tuples(text("="), st.sampled_from(["min", "max", "latest"])), min_size=1
    ).map(tuple),
}
NAMES = st.sampled_from(["loss", "größe", "x_1"])
OBJECTIVES = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(ObjectiveType),
        "metric": NAMES,
        "additional_objectives": st.lists(
            st.builds(
                lambda type, name: AdditionalObjective(type=type, objective_metric_name=name),
                st.sampled_from(ObjectiveType),
                NAMES,
            ),
            max_size=2,
        ).map(tuple),
    }
)


@st.composite
def tune_options(draw: st.DrawFn) -> TuneOptions:
    said = draw(st.fixed_dictionaries({}, optional=VALUES))
    return TuneOptions(**draw(OBJECTIVES), **said)


def document(options: TuneOptions) -> ExperimentDocument:
    return options.experiment("unnamed", X, TEMPLATE)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.field)
@given(data=st.data())
def test_an_option_is_read_as_it_was_written(option: Option, data: st.DataObject) -> None:
    value = data.draw(VALUES[option.field])
    assert option.read(option.write(value)) == (value, [])
    placed = option.into(document(TuneOptions()), value)
    assert option.into(document(TuneOptions()), option.of(placed)) == placed


@given(tune_options())
def test_a_line_is_read_as_it_was_written(options: TuneOptions) -> None:
    assert parse_line(write_line(options), where="") == (options, {}, [])


@given(tune_options())
def test_a_document_says_the_options_it_was_made_of(options: TuneOptions) -> None:
    made = document(options)
    again, problems = options_of(made)
    assert problems == []
    assert document(again) == made
    read, _, problems = parse_line(write_line(again), where="")
    assert problems == [] and document(read) == made


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (TuneOptions(setting=(("a", "one\ntwo"),)), "spec.algorithm.algorithmSettings"),
        (TuneOptions(setting=(("a", ""),)), "spec.algorithm.algorithmSettings"),
        (TuneOptions(early_stopping=settings_of(("a", [("b", "1,2")]))), "spec.earlyStopping"),
        (TuneOptions(max_failed=0), "spec.maxFailedTrialCount"),
        (TuneOptions(direction=ObjectiveType.MINIMIZE, metric="a b"), "spec.objective"),
    ],
)
def test_what_a_line_cannot_hold_is_refused(options: TuneOptions, path: str) -> None:
    with pytest.raises(InvalidInput) as error:
        write_line(options)
    assert [problem.where for problem in error.value.problems] == [path]


def test_a_document_that_says_something_else_in_its_place_is_refused() -> None:
    template = TrialTemplate(trial_spec={**TEMPLATE.trial_spec, "spec": {"keep": "some"}})  # type: ignore[dict-item]
    _, problems = options_of(TuneOptions().experiment("unnamed", X, template))
    assert [(one.where, "allowed are all, best" in one.message) for one in problems] == [
        ("spec.trialTemplate.trialSpec.spec.keep", True)
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("--timeout 10m --trial-timeout 0.5", "--timeout 600 --trial-timeout 0.5"),
        ("--trial-memory 2GiB --trial-output 1536k", "--trial-memory 2G --trial-output 1536K"),
        ("--trial-memory 9007199254740993", "--trial-memory 9007199254740993"),
        ("--goal 1.0 --setting 'a=b c'", "--setting 'a=b c' --goal 1"),
    ],
)
def test_values_are_written_shortly(line: str, value: str) -> None:
    options, _, problems = parse_line(line, where="", needs_objective=False)
    assert problems == [] and write_line(options) == value


@pytest.mark.parametrize("words", ["--trial-memory 0.1", "--timeout 1" + "0" * 400 + "d"])
def test_too_little_and_too_much_are_refused(words: str) -> None:
    assert len(parse_line(words, where="", needs_objective=False)[2]) == 1
