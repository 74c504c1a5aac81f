from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.model import Distribution, ParameterType
from hpo_lab.notebook.annotations import Annotation, parse_annotations, parse_parameter
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.problems import InvalidInput


def annotations(source: str, **place: object) -> tuple[Annotation, ...]:
    return parse_annotations(ParsedCell(source), **place)


def problems(source: str, **place: object) -> list[str]:
    with pytest.raises(InvalidInput) as raised:
        annotations(source, **place)
    return [str(problem) for problem in raised.value.problems]


def test_every_distribution():
    source = """\
lr = 0.01  # tune: loguniform(1e-4, 1e-1)
layers: int = 2  #tune:int(1, 4)
width = 64  # tune: logint(16, 512)
batch = 32  # tune: choice(16, 32, 64)
opt = "adam"  # tune: choice("adam", "sgd")
momentum = 0.9  # tune: uniform(0.5, 0.99, step=0.01) when opt == "sgd"
noise = 0.1  # tune: normal(0.0, 0.5)
decay = 1e-3  # tune: lognormal(1e-5, 1e-1)
shift = -1.5  # tune: uniform(-2, 2)
flag = None  # tune: choice(None, True, "when")
"""
    by_name = {a.name: a for a in annotations(source)}
    assert [a.line for a in by_name.values()] == list(range(1, 11))
    assert [a.default for a in by_name.values()] == [
        0.01, 2, 64, 32, "adam", 0.9, 0.1, 1e-3, -1.5, None,
    ]  # fmt: skip
    kinds = [a.parameter.parameter_type for a in by_name.values()]
    double, discrete = ParameterType.DOUBLE, ParameterType.DISCRETE
    assert kinds[:5] == [double, "int", "int", discrete, "categorical"]
    assert kinds[5:] == [double, double, double, double, "categorical"]
    assert by_name["lr"].parameter.distribution is Distribution.LOG_UNIFORM
    assert by_name["momentum"].parameter.when == 'opt == "sgd"'
    assert by_name["momentum"].parameter.feasible_space.step == 0.01
    assert by_name["flag"].parameter.choices == (None, True, "when")


def test_an_int_is_a_default_for_a_float():
    assert annotations("x = 0  # tune: uniform(0, 1)")[0].default == 0


def test_the_comment_counts_on_any_line_of_the_statement():
    source = (
        "a = (\n  1\n)  # tune: int(0, 3)\n"
        "b = \\\n  2  # tune: int(0, 3)\n"
        "c = (  # tune: int(0, 3)\n  3)\n"
    )
    assert [(a.name, a.line) for a in annotations(source)] == [("a", 3), ("b", 5), ("c", 6)]


def test_strings_and_other_comments_are_left_alone():
    source = (
        's = "# tune: int(1)"\nt = """\n# tune: x\n"""\nu = 1  # to tune: later\n'
        "# tuned by hand\n# lr = 1  # tune: int(1)\n"
    )
    assert annotations(source) == ()


@pytest.mark.parametrize(
    "magics",
    [
        "%matplotlib inline\n",
        "\n\n\n%matplotlib inline\n",
        "!ls \\\n  -l \\\n  -a\n\n",
        "files = !ls \\\n  -l\n",
        "x?\n",
        "%%time\n",
        "\n# comment\n%timeit sum([1]) # tune: int(1)\n",
    ],
)
def test_magics_keep_line_numbers(magics):
    (annotation,) = annotations(magics + "lr = 1  # tune: int(1, 2)", first_line=2)
    assert annotation.line == magics.count("\n") + 2


def test_windows_line_ends_and_unicode():
    first, second = annotations(
        "größe = 1  # tune: int(1, 2)\r\nμ = 1.0  # tune: uniform(0, 1)\r\n"
    )
    assert (first.name, second.name, second.line) == ("größe", "μ", 2)


PROBLEMS = {
    "a = 1  # tune: logunifrom(1, 2)": "'logunifrom'; did you mean 'loguniform'?",
    "a = 1  # tune: suggest_float(1, 2)": "'suggest_float'; it is called uniform here",
    "a = 1  # tune: categorical(1, 2)": "'categorical'; it is called choice here",
    "a = 1  # tune: hp.uniform(1, 2)": "unknown distribution 'hp.uniform'",
    "a = 1  # tune: uniform": "found `uniform`, not a distribution with its bounds, as uniform(low",
    "a = 1  # tune:": "no distribution is given",
    "a = 1  # tune: uniform(1,": "cannot read `uniform(1,`",
    "a = 1  # tune: int(1)": "missing a required argument: 'high'; it is int(low, high, step=None)",
    "a = 1  # tune: int(1, 2, 3)": "it is int(low, high, step=None)",
    "a = 1  # tune: uniform(0, 1, setp=1)": "'setp'; it is uniform(low, high, step=None)",
    "a = 1  # tune: int(1, n)": "must be literals",
    "a = 1  # tune: int(*[1, 2])": "must be literals",
    "a = 1  # tune: int(1, 2.5)": "int: 2.5 is no whole number",
    "a = 1  # tune: uniform('0', 1)": "uniform: '0' is no number",
    "a = 1  # tune: uniform(None, 1)": "None is no bound",
    "a = 1  # tune: choice((1, 2))": "(1, 2) is no number, string",
    "a = 1  # tune: choice()": "the list is empty",
    "a = 1  # tune: loguniform(0, 1)": "low is 0; a logUniform distribution needs a number above 0",
    "a = 1  # tune: int(5, 4)": "low is 5; must not be above max, 4",
    "a = 9  # tune: int(1, 4)": "a = 9 is outside its own range int(1, 4)",
    "a = 1.5  # tune: int(1, 4)": "which takes whole numbers",
    "a = True  # tune: int(0, 4)": "a = True is outside its own range",
    "a = 'x'  # tune: choice('y', 'z')": "a = 'x' is outside its own range",
    "a = [1]  # tune: int(1, 4)": "`a = [1]` is tuned; its value must be a number",
    "a = 1 + 1  # tune: int(1, 4)": "its value must be a number",
    "a: int  # tune: int(1, 4)": "its value must be a number",
    "if 1:\n    a = 1  # tune: int(1, 4)": "inside a block",
    "def f():\n    a = 1  # tune: int(1, 4)": "inside a block",
    "a, b = 1, 2  # tune: int(1, 4)": "needs one plain name to assign to, not `(a, b)`",
    "a = b = 1  # tune: int(1, 4)": "needs one plain name to assign to, not `a = b`",
    "x = {}\nx['a'] = 1  # tune: int(1, 4)": "needs one plain name to assign to, not `x['a']`",
    "print(1)  # tune: int(1, 4)": "something that is no assignment",
    "# tune: int(1, 4)": "on a line of its own",
    "a = 1; b = 1  # tune: int(1, 4)": "several statements on one line",
    "a = 1  # tune int(1, 4)": "found '# tune int(1, 4)'; write it as",
    "a = 1  # tunes: int(1, 4)": "found '# tunes: int(1, 4)'; write it as",
    "a = 1  # Tune: int(1, 4)": "found '# Tune: int(1, 4)'; write it as",
    "a = 1  # tune = logunifrom(1, 4)": "write it as",
    "a = 1  # tune: int(1, 4) when": "not followed by a condition",
    "a = 1  # tune: int(1, 4) when b ==": "is no condition",
    "a = 1  # tune: int(1, 4) when b == 1": "no parameter is named 'b'",
    "opt = 1  # tune: int(1, 4)\na = 1  # tune: int(1, 4) when otp == 1": "did you mean 'opt'?",
    "a = 1  # tune: int(1, 4) when a == 1": "a cannot depend on itself",
    "a = 1  # tune: int(1, 4)\na = 2": "assigned again here",
    "a = 2\na = 1  # tune: int(1, 4)": "assigned again here",
    "a = 1  # tune: int(1, 4)\nfor a in []: pass": "assigned again here",
    "a = 1  # tune: int(1, 4)\nimport os as a": "assigned again here",
    "a = 1  # tune: int(1, 4)\nwith x as a: pass": "assigned again here",
    "a = 1  # tune: int(1, 4)\nb, a = 2, 3": "assigned again here",
    "a = (": "the cell is no valid Python: '(' was never closed",
    "a = 1  # tune: int(1, 4)\nreturn": "the cell is no valid Python: 'return' outside function",
}  # fmt: skip


@pytest.mark.parametrize("source", PROBLEMS)
def test_problems(source):
    (problem,) = problems(source)
    assert PROBLEMS[source] in problem


def test_two_annotations_of_one_name():
    assert problems("a = 1  # tune: int(1, 4)\na = 2  # tune: int(1, 4)", where="cell 3") == [
        "cell 3, line 2: a is annotated twice, first on line 1"
    ]


def test_conditions_in_a_cycle():
    source = "a = 1  # tune: int(1, 4) when b == 1\nb = 1  # tune: int(1, 4) when a == 1"
    assert problems(source) == [
        "cell, line 1: `when b == 1`: a and b need each other",
        "cell, line 2: `when a == 1`: b and a need each other",
    ]


def test_every_problem_is_reported_in_the_order_of_lines():
    source = "a = 9  # tune: int(1, 4)\nb = 1  # tune: itn(1, 4)\nc = 1  # tune int(1, 2)\nb = 3\n"
    assert [p.partition(":")[0] for p in problems(source, where="c", first_line=2)] == [
        "c, line 2", "c, line 3", "c, line 4", "c, line 5",
    ]  # fmt: skip


def test_a_condition_on_a_broken_annotation_is_no_second_problem():
    assert len(problems("a = 9  # tune: int(1, 4)\nb = 1  # tune: int(1, 4) when a == 1")) == 1


@pytest.mark.parametrize(
    "later", ["a *= 2", "a = a / 2", "for i in [1]:\n    a = a * 0.9", "if a > 1:\n    a = 1"]
)
def test_values_may_be_derived_from_the_tuned_one(later):
    assert len(annotations(f"a = 1  # tune: int(1, 4)\n{later}")) == 1


def test_locals_of_functions_are_other_names():
    assert len(annotations("a = 1  # tune: int(1, 4)\ndef f():\n    a = 2")) == 1


def test_parameters_on_their_own():
    assert parse_parameter("a", "int(1, 4)").feasible_space.max == 4
    with pytest.raises(ValueError, match="missing a required argument"):
        parse_parameter("a", "int(1)")


@given(st.text(max_size=40))
def test_any_comment_is_read_or_refused(text):
    line = text.replace("\n", " ").replace("\r", " ")
    try:
        annotations(f"a = 1  # tune: {line}")
    except InvalidInput as error:
        assert error.problems


@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(),
        st.text(),
        st.booleans(),
        st.none(),
    )
)
def test_any_scalar_is_a_default(value):
    (annotation,) = annotations(f"a = {value!r}  # tune: choice({value!r}, 'other')")
    assert annotation.default == value
    assert type(annotation.default) is type(value)


@pytest.mark.parametrize(
    "comment",
    [
        "# type: float  # tune: uniform(0, 1)",
        "# noqa # tune: uniform(0, 1)",
        "# noqa: E501  #tune:uniform(0, 1)",
        "#: the rate # pylint: disable=all # tune: uniform(0, 1)",
        "# tune: uniform(0, 1)  # noqa",
    ],
)
def test_other_comments_may_stand_around_an_annotation(comment):
    (annotation,) = annotations(f"lr = 0.1  {comment}")
    assert annotation.parameter == parse_parameter("lr", "uniform(0, 1)")


def test_an_annotation_in_a_text_of_an_annotation_is_text():
    (annotation,) = annotations('mode = "a"  # tune: choice("a", "b # tune: int(1, 2)")')
    assert annotation.parameter.choices == ("a", "b # tune: int(1, 2)")


@pytest.mark.parametrize(
    "comment",
    [
        "# type: float  # tun: uniform(0, 1)",
        "# noqa # tune uniform(0, 1)",
        "# noqa tune: uniform(0, 1)",
        "# type: float; tune: uniform(0, 1)",
    ],
)
def test_what_looks_like_an_annotation_behind_a_comment_is_told(comment):
    (problem,) = problems(f"lr = 0.1  {comment}")
    assert problem.endswith("write it as `# tune: loguniform(1e-4, 1e-1)`")


@pytest.mark.parametrize(
    "line", ["# lr = 0.1  # tune: uniform(0, 1)", "x = 1  # as in tune: see below", "# tuned # 3"]
)
def test_an_assignment_out_of_use_is_no_annotation(line):
    assert annotations(line) == ()
