"""An experiment as a few lines of text."""

from __future__ import annotations

from hpo_lab.dashboard.progress import progress_text
from hpo_lab.experiment.model import ObjectiveType, TrialTemplate
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.summary import Summary
from hpo_lab.options import TuneOptions


def test_the_reason_of_the_end_stands_below_the_note() -> None:
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="score", trials=4)
    summary = Summary(
        name="digits",
        namespace="default",
        uid="u",
        state="Failed",
        reason="ExperimentMaxFailedTrialsReached",
        message="4 trials failed",
        spec=options.spec([uniform(0, 1).named("x")], TrialTemplate()),
        counts={TrialState.FAILED: 4},
        best=None,
        elapsed=42.0,
        created_at=0.0,
    )
    note = "svm is complete, with 4 trials; nothing was started"
    assert progress_text(summary, note).splitlines() == [
        "digits: Failed, 4 of 4 trials done, 4 failed, 42 s",
        note,
        "4 trials failed",
    ]
