from __future__ import annotations

import pytest

from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.summary import Failure
from hpo_lab.problems import InvalidInput
from hpo_lab.store import Artifact, Store
from tests.facade.conftest import Create, end


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
        assert glance == experiment.follower.look()
    assert glance.best is not None and glance.best.value == 2.0
    # A best that runs again is looked for among the others.
    store.requeue_trial(uid, 3)
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
    store.add_artifact(uid, kept)
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
    assert repr(experiment) == "<Experiment team/digits: Running, 1 trials, best 0.5>"
    assert len(experiment.trials()) == 1
