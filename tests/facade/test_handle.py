from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

import hpo_lab
from hpo_lab.api import Experiments
from hpo_lab.experiment.model import ExperimentDocument, Metadata, ObjectiveType, TrialTemplate
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade import waiting
from hpo_lab.facade.summary import Failure
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.problems import InvalidInput
from hpo_lab.search.studies import study_of
from hpo_lab.store import Artifact, Store
from tests.facade.conftest import Create, end
from tests.store_writes import (
    add_artifact,
    add_observations,
    finish_trial,
    requeue_trial,
    start_trial,
)


def test_a_runner_that_is_slow_to_start_finds_the_request_to_stop(
    store: Store, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = Experiments(store).get(create())
    assert experiment.stop()
    later = time.time() + 3600
    late = Experiments(store).get(create("late"))
    monkeypatch.setattr(time, "time", lambda: later)
    assert not late.stop() and late.state == "Interrupted"
    assert store.control(late.uid).stop_requested
    store.set_condition(late.uid, "Succeeded", "ForTheTest", "it is over")
    uid = late.uid
    with store.transaction(uid) as transaction:
        transaction.set_stop_requested(False)
    assert not late.stop() and not store.control(uid).stop_requested


def test_the_last_failure_is_the_one_that_ended_last(store: Store, create: Create) -> None:
    uid = create()
    experiment = Experiments(store).get(uid)
    assert experiment.last_failure() is None
    end(store, uid, 1, None)
    end(store, uid, 0, None)
    end(store, uid, 2, {"score": 1.0})
    message = "ValueError: no luck with 0"
    assert experiment.last_failure() == Failure(0, message, excerpt="Traceback:\n  line 3")


def test_a_summary_without_the_trials_says_what_the_trials_say(
    store: Store, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = create()
    create("other")
    experiment = Experiments(store).get(uid)
    ends: list[tuple[dict[str, float] | None, bool]] = [
        (None, False),
        ({"score": 1.0}, True),
        ({"score": 0.5}, False),
        ({"score": 2.0}, True),
        (None, False),
    ]
    for number, (metrics, best) in enumerate(ends):
        end(store, uid, number, metrics, best=best)
        assert store.overview(uid) == store.overviews()[1]
        with monkeypatch.context() as patch:
            patch.setattr(Store, "trials", None)
            patch.setattr(Store, "changes", None)
            glance = experiment.summary()
        # The clock runs on between the two.
        assert glance.starting is not None
        assert replace(experiment.follower.look(), starting=glance.starting) == glance
    assert glance.best is not None and glance.best.value == 2.0
    # A best that runs again is looked for among the others.
    requeue_trial(store, uid, 3)
    best = experiment.summary().best
    assert best is not None and best.number == 1


def test_files_of_a_trial_are_asked_from_the_handle(store: Store, create: Create) -> None:
    uid = create()
    end(store, uid, 0, {"score": 1.0})
    experiment = Experiments(store).get(uid)
    assert (experiment.files(0), experiment.notebook_of(0)) == ([], None)
    log = experiment.log_of(0)
    assert not log.exists() and not experiment.log.exists()
    log.parent.mkdir(parents=True)
    log.write_text("hello")
    notebook = log.with_name("notebook.ipynb")
    notebook.write_text("{}")
    kept = Artifact(name="notebook.ipynb", media_type="text/plain", path=notebook, number=0)
    add_artifact(store, uid, kept)
    assert experiment.files(0) == [log, notebook]
    assert experiment.notebook_of(0) == notebook
    assert [artifact.name for artifact in experiment.artifacts(0)] == ["notebook.ipynb"]
    for ask in (experiment.log_of, experiment.notebook_of, experiment.files, experiment.trial):
        with pytest.raises(
            InvalidInput, match="trial 1: no such trial of digits; there are 0 to 0"
        ):
            ask(1)


def test_waiting_ends_with_the_experiment_or_the_time(store: Store, create: Create) -> None:
    uid = create(runs=True)
    experiment = Experiments(store).get(uid)
    with pytest.raises(TimeoutError, match="'digits' still runs after"):
        experiment.wait(timeout=0.05)
    store.set_condition(uid, "Succeeded", "ExperimentMaxTrialsReached", "done")
    # Until the runner has gone, the experiment cannot be taken up again.
    with pytest.raises(TimeoutError):
        experiment.wait(timeout=0.05)
    record = experiment.record
    assert record.lease is not None
    store.release_lease(uid, record.lease.runner.id)
    assert experiment.wait() is experiment
    store.delete_experiment(uid)
    with pytest.raises(LookupError):
        experiment.wait()


def test_a_handle_sees_what_changed_since_its_last_answer(store: Store, create: Create) -> None:
    uid = create("digits", "team", runs=True)
    experiment = Experiments(store).find("team/digits")
    assert experiment.best is None
    end(store, uid, 0, {"score": 0.5})
    assert experiment.best is not None and experiment.best.value == 0.5
    assert repr(experiment) == "<Experiment team/digits: Running, 1 trial, best 0.5>"
    assert len(experiment.trials) == 1


def test_trials_are_records(store: Store, create: Create) -> None:
    uid = create()
    experiment = Experiments(store).get(uid)
    assert experiment.trials == []
    end(store, uid, 1, None)
    end(store, uid, 0, {"score": 0.5, "size": 3.0})
    first, second = experiment.trials
    assert repr(first) == "<Trial 0: Succeeded, score 0.5, {'x': 0.0}>"
    assert (first.value, first.values, first.metrics["size"]) == (0.5, {"score": 0.5}, 3.0)
    assert first.started is not None and first.ended is not None
    assert first.started.tzinfo is UTC
    assert first.seconds == (first.ended - first.started).total_seconds()
    assert (second.value, second.message) == (None, "ValueError: no luck with 1")
    assert experiment.trial(1) == second
    assert [condition.type for condition in experiment.conditions()] == ["Created"]


def test_reports_are_told_by_step_and_texts_are_attributes(store: Store, create: Create) -> None:
    uid = create(runs=True)
    start_trial(store, uid, 0, new=Trial(0, {"x": 0.5}))
    said = [
        Observation(metric="score", value=0.25, time=1.0, step=3),
        Observation(metric="size", value=7.0, time=1.0, step=3),
        Observation(metric="why", value=math.nan, time=2.0, text="warm"),
        Observation(metric="score", value=math.inf, time=3.0, step=4),
    ]
    add_observations(store, uid, 0, said, 1)
    experiment = Experiments(store).get(uid)
    assert [(report.step, report.metrics) for report in experiment.history(0)] == [
        (3, {"score": 0.25, "size": 7.0}),
        (4, {"score": math.inf}),
    ]
    (trial,) = experiment.trials
    assert trial.attributes == {"why": "warm"}
    assert trial.metrics == {"score": 0.25, "size": 7.0}
    with pytest.raises(InvalidInput, match="trial 7: no such trial"):
        experiment.history(7)


def test_no_column_of_ours_stands_for_one_of_the_users(store: Store) -> None:
    spec = TuneOptions(direction=ObjectiveType.MINIMIZE, metric="seconds").spec(
        [uniform(0, 1).named("state"), uniform(0, 1).named("number")], TrialTemplate()
    )
    document = ExperimentDocument(metadata=Metadata(name="clash"), spec=spec)
    uid = store.create_experiment(document, identity="clash").uid
    for number in range(2):
        assigned = {"state": 0.25, "number": number / 4}
        start_trial(store, uid, number, 5.0, new=Trial(number, assigned))
        seen = [Observation(metric="seconds", value=1000.0, time=6.0)]
        finish_trial(store, uid, number, TrialState.SUCCEEDED, 7.0, observations=seen, offset=1)
    start_trial(store, uid, 2, 8.0, new=Trial(2, {"state": 0.5, "number": 0.5}))
    table = Experiments(store).get(uid).dataframe()
    assert list(table.index) == [0, 1, 2]
    assert list(table["number"]) == [0.0, 0.25, 0.5]
    assert list(table["state"]) == [0.25, 0.25, 0.5]
    assert list(table["seconds"])[:2] == [1000.0, 1000.0]
    assert list(table["trial_state"]) == ["Succeeded", "Succeeded", "Running"]
    assert list(table["trial_seconds"])[:2] == [2.0, 2.0]
    assert str(table["started"][0]) == "1970-01-01 00:00:05+00:00"
    assert table["ended"].isna().tolist() == [False, False, True]


def test_a_study_of_optuna_has_what_the_trials_have(store: Store, create: Create) -> None:
    import optuna

    uid = create(runs=True)
    for number, state in enumerate(
        (
            TrialState.SUCCEEDED,
            TrialState.EARLY_STOPPED,
            TrialState.EARLY_STOPPED,
            TrialState.FAILED,
        )
    ):
        start_trial(store, uid, number, 5.0, new=Trial(number, {"x": number / 4}))
        seen = [
            Observation(metric="score", value=float(step), time=6.0, step=step) for step in (1, 3)
        ]
        # What is returned has no step.
        seen.append(Observation(metric="score", value=3.0, time=6.5))
        seen.append(Observation(metric="why", value=math.nan, time=6.0, text="warm"))
        seen = seen[3:] if number == 2 else seen
        finish_trial(store, uid, number, state, 7.0, observations=seen, offset=1)
    start_trial(store, uid, 4, 8.0, new=Trial(4, {"x": 1.0}))
    study = Experiments(store).get(uid).to_optuna()
    complete, pruned, early, _, *running = study.trials
    assert [trial.state.name for trial in study.trials[:4]] == [
        "COMPLETE",
        "PRUNED",
        "PRUNED",
        "FAIL",
    ]
    assert study.best_trial.number == 0
    assert complete.value == 3.0
    assert complete.intermediate_values == pruned.intermediate_values == {1: 1.0, 3: 3.0}
    assert early.value is None and early.intermediate_values == {}
    assert complete.user_attrs["why"] == "warm"
    assert complete.params == {"x": 0.0}
    assert complete.distributions == {"x": optuna.distributions.FloatDistribution(0.0, 1.0)}
    assert complete.duration is not None and complete.duration.total_seconds() == 2.0
    assert [trial.state.name for trial in running] == ["RUNNING"]


def test_callbacks_are_called_once_with_each_trial_that_ends(store: Store, create: Create) -> None:
    uid = create(runs=True)
    end(store, uid, 0, {"score": 1.0})
    experiment = Experiments(store).get(uid)
    seen: list[tuple[int, str]] = []

    def callback(handle: hpo_lab.Experiment, trial: Any) -> None:
        assert handle is experiment
        seen.append((trial.number, trial.state.value))
        if len(seen) == 2:
            raise StopIteration("enough")

    experiment.waiting.add([callback])
    end(store, uid, 2, {"score": 2.0})
    with pytest.raises(TimeoutError):
        experiment.wait("0.1s")
    assert seen == [(2, "Succeeded")]
    end(store, uid, 1, None)
    with pytest.raises(StopIteration):
        experiment.wait(0.1)
    assert seen == [(2, "Succeeded"), (1, "Failed")]
    with pytest.raises(InvalidInput, match="timeout: 'soon' is no time"):
        experiment.wait("soon")


def test_the_panel_is_its_html(store: Store, create: Create) -> None:
    uid = create("digits", runs=True)
    end(store, uid, 0, {"score": 0.5})
    html = Experiments(store).get(uid)._repr_html_()
    assert html.startswith("<style") and "digits" in html and "1 of 20 trials" in html


def test_resume_answers_the_names_of_others(store: Store, create: Create) -> None:
    experiment = Experiments(store).get(create())
    with pytest.raises(InvalidInput, match="n_trials: is no argument; it is called trials here"):
        experiment.resume(n_trials=3)  # type: ignore[arg-type]


def test_a_grid_that_does_not_divide_its_range_ends_at_its_last_value_for_optuna() -> None:
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="score")
    space = [uniform(0, 1, step=0.3).named("x"), hpo_lab.int(1, 8, step=3).named("k")]
    spec = options.spec(space, TrialTemplate())
    trial = Trial(0, {"x": 0.9, "k": 7}, TrialState.FAILED)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = study_of(ExperimentDocument(metadata=Metadata(name="x"), spec=spec), [trial], {})
    distributions = study.trials[0].distributions
    assert [(each.high, each.step) for each in distributions.values()] == [(0.9, 0.3), (7, 3)]


def test_deleting_what_runs_calls_no_callback(
    store: Store, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = create(runs=True)
    end(store, uid, 0, {"score": 1.0})
    experiment = Experiments(store).get(uid)
    calls: list[object] = []
    experiment.callbacks.append(lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(waiting, "_PATIENCE", 0.1)
    experiment.delete()
    assert calls == []
    assert store.experiment_by_uid(uid) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [("best_value", ".best.value"), ("best_params", ".best.parameters"), ("best_trial", ".best")],
)
def test_a_name_of_optuna_is_answered_by_ours(
    store: Store, create: Create, name: str, meant: str
) -> None:
    experiment = Experiments(store).get(create())
    with pytest.raises(AttributeError, match=f"it is {meant} here"):
        getattr(experiment, name)
    with pytest.raises(AttributeError, match=r"has no attribute 'bst'$"):
        getattr(experiment, "b" + "st")
