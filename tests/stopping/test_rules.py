"""Each early stopping rule, by what it stops and what it lets go on."""

from __future__ import annotations

import math
import random

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.trial import TrialState
from hpo_lab.stopping.halving import HyperbandRule
from hpo_lab.stopping.rule import get_rule, stopping_problems

from .asking import experiment, progress, reason

FLAT = [[0.2] * 8, [0.4] * 8, [0.9] * 8]
"""Three trials whose averages are 0.2, 0.4 and 0.9: their median is not their mean, 0.5."""


def test_the_median_is_compared_with_the_best_value_so_far():
    spec = experiment("medianstop")
    assert reason(spec, [0.45, 0.1, 0.1, 0.1], FLAT) is None
    assert reason(spec, [0.39, 0.1, 0.1, 0.1], FLAT) == (
        "its best value, 0.39, is worse at step 4 than 0.4, the median of the averages of 3 "
        "trials up to there"
    )


def test_the_median_is_of_the_averages_up_to_the_same_step():
    spec = experiment("medianstop", "minimize", start_step=2)
    falling = [[9.0, 7.0, 1.0, 1.0]] * 3
    assert reason(spec, [8.5, 8.1], falling) is not None
    assert reason(spec, [8.5, 7.9], falling) is None
    assert reason(spec, [8.5, 7.9, 7.9], falling) is not None


@pytest.mark.parametrize("step", [1, 3, 4, 5, 8])
def test_medianstop_begins_at_its_step_and_is_asked_again_at_every_later_one(step):
    assert (reason(experiment("medianstop"), [0.1] * step, FLAT) is not None) == (step >= 4)


def test_medianstop_needs_trials_that_succeeded():
    spec = experiment("medianstop")
    assert reason(spec, [0.0] * 4, FLAT[:2]) is None
    stopped = progress(spec, [0.9] * 8, TrialState.EARLY_STOPPED)
    others = {n: progress(spec, v, TrialState.SUCCEEDED) for n, v in enumerate(FLAT[:2])}
    assert reason(spec, [0.0] * 4, {**others, 2: stopped}) is None
    assert reason(experiment("medianstop", min_trials_required=2), [0.0] * 4, FLAT[:2]) is not None


def test_a_step_that_was_reported_counts_and_not_the_number_of_reports():
    spec = experiment("medianstop", start_step=10)
    others = [[(10, 0.5), (20, 0.9)]] * 3
    assert reason(spec, [(9, 0.1)], others) is None
    assert reason(spec, [(10, 0.49)], others) is not None
    assert reason(spec, [(10, 0.51)], others) is None


NUMBERS = st.floats(-10, 10)


@settings(max_examples=60)
@given(
    others=st.lists(st.lists(NUMBERS, min_size=1, max_size=6), min_size=3, max_size=6),
    mine=st.lists(NUMBERS, min_size=1, max_size=6),
)
def test_medianstop_is_the_same_upside_down(others, mine):
    up = reason(experiment("medianstop", start_step=1), mine, others)
    down = [[-value for value in one] for one in others]
    low = reason(experiment("medianstop", "minimize", start_step=1), [-v for v in mine], down)
    assert (up is None) == (low is None)


def test_asha_lets_the_best_third_of_a_rung_go_on():
    spec = experiment("asha", "minimize", max_resource=27)
    others = [[float(n)] * 3 for n in range(8)]
    assert reason(spec, [1.5, 1.5, 1.5], others) is None
    assert reason(spec, [2.5, 2.5, 2.5], others) == (
        "its value at step 3, 2.5, is not among the best 3 of the 9 trials that have reached it"
    )


def test_asha_judges_by_the_value_at_the_rung():
    others = [[5.0, 5.0, 5.0]] * 3
    assert reason(experiment("asha", "minimize", "latest"), [9, 9, 9, 1.0], others) is not None
    assert reason(experiment("asha", "minimize", "latest"), [9, 9, 1.0, 9.0], others) is None


def test_the_first_at_a_rung_goes_on_and_one_without_a_value_does_not():
    spec = experiment("asha", "minimize")
    assert reason(spec, [math.nan]) is None
    assert reason(spec, [math.nan], [[1.0]]) is not None
    assert reason(spec, [2.0], [[math.nan]]) is None
    assert reason(experiment("asha", "minimize", eta=2), [2.0], [[math.nan]] * 3) is None


def test_asha_stops_none_at_the_full_resource():
    others = [[1.0] * 9] * 4
    assert reason(experiment("asha", "minimize", r_l=9), [2.0] * 9, others) is not None
    assert reason(experiment("asha", "minimize", r_l=9), [2.0] * 2, [[1.0] * 1]) is not None
    assert reason(experiment("asha", "minimize", min_resource=3, r_l=4), [2.0] * 2, others) is None


def test_hyperband_compares_trials_of_one_bracket():
    spec = experiment("hyperband", "minimize", r_l=9)
    good = {n: progress(spec, [1.0] * 4, TrialState.SUCCEEDED) for n in range(60)}
    stopped = {n for n in range(60) if reason(spec, [2.0] * 4, good, number=n) is not None}
    # Brackets of 9, 5 and 3 trials begin at steps 1, 3 and 9.
    assert len(stopped) == pytest.approx(60 * 14 / 17, abs=2)
    at_first = {n for n in range(60) if reason(spec, [2.0], good, number=n) is not None}
    assert at_first < stopped and len(at_first) == pytest.approx(60 * 9 / 17, abs=2)


FOLDS = [0.5, 0.6, 0.4, 0.55, 0.45, 0.5, 0.52, 0.48]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_wilcoxon_is_optunas():
    random.seed(0)
    agreed = {True: 0, False: 0}
    for trial in range(60):
        shift = random.uniform(-0.1, 0.1)
        mine = [value + shift + random.gauss(0, 0.05) for value in FOLDS[: 2 + trial % 7]]
        study = optuna.create_study(pruner=optuna.pruners.WilcoxonPruner())
        study.add_trial(
            optuna.trial.create_trial(
                value=sum(FOLDS) / len(FOLDS),
                intermediate_values=dict(enumerate(FOLDS)),
            )
        )
        asked = study.ask()
        for step, value in enumerate(mine):
            asked.report(value, step)
        spec = experiment("wilcoxon", "minimize")
        found = reason(spec, list(enumerate(mine)), [list(enumerate(FOLDS))])
        assert (found is not None) == asked.should_prune()
        agreed[found is not None] += 1
    assert min(agreed.values()) > 5


def test_wilcoxon_takes_the_best_trial_and_says_which():
    spec = experiment("wilcoxon")
    worse = [value - 0.3 for value in FOLDS]
    found = reason(spec, [value - 0.2 for value in FOLDS], [worse, FOLDS])
    assert found is not None and "trial 1, the best, on 8 steps" in found
    assert reason(spec, [value - 0.2 for value in FOLDS], [worse]) is None
    as_good = {n: progress(spec, FOLDS, TrialState.SUCCEEDED) for n in (5, 3)}
    assert "trial 3, the best" in (reason(spec, worse, as_good) or "")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0.5, 1.5], "its value at step 2, 1.5, is above 1"),
        ([0.5, -0.5], "its value at step 2, -0.5, is below 0"),
        ([0.5, math.nan, 0.5], "its value at step 2, nan, is no number"),
        ([0.0, 1.0], None),
        ([9.0, 0.5], None),
    ],
)
def test_threshold(values, found):
    assert reason(experiment("threshold", lower=0, upper=1, start_step=2), values) == found


def test_patience_counts_reports_without_an_improvement():
    spec = experiment("patience", "minimize", rounds=2, min_delta=0.1)
    assert reason(spec, [1.0, 0.95]) is None
    assert reason(spec, [1.0, 0.95, 0.85]) is None
    assert reason(spec, [1.0, 0.95, 0.91]) == ("it was no better than at step 1 (1) in 2 reports")
    assert reason(spec, [math.nan, math.nan]) == "it was no better in 2 reports"


def test_every_problem_is_named():
    spec = experiment("medianstopp")
    (problem,) = stopping_problems(spec)
    assert problem.where == "spec.earlyStopping.algorithmName"
    assert "did you mean 'medianstop'?" in problem.message
    found = stopping_problems(experiment("medianstop", start_stop=3, min_trials_required=0))
    assert [str(problem) for problem in found] == [
        "spec.earlyStopping.algorithmSettings[0].name: 'start_stop' is no setting of "
        "'medianstop', which has min_trials_required, start_step; did you mean 'start_step'?",
        "spec.earlyStopping.algorithmSettings[1].value: min_trials_required is '0'; must be an "
        "integer of at least 1",
    ]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (experiment("hyperband"), "lacks 'max_resource'"),
        (experiment("asha", max_resource=9, r_l=9), "'r_l' repeats 'max_resource'"),
        (experiment("asha", max_resource=3, min_resource=3), "must be below max_resource"),
        (experiment("threshold", lower=2, upper=1), "must not be above upper, 1"),
        (experiment("wilcoxon", p_threshold=1), "must be a number above 0 and below 1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(spec, message):
    (problem,) = stopping_problems(spec)
    assert message in str(problem) and problem.where.startswith("spec.earlyStopping")


def test_an_experiment_without_a_rule_has_no_problem():
    assert stopping_problems(experiment("asha").model_copy(update={"early_stopping": None})) == []


def test_rules_are_found_by_entry_point():
    assert isinstance(get_rule("hyperband"), HyperbandRule)
