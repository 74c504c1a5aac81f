"""A trial that pushes metrics as Katib's SDK does."""

from __future__ import annotations

from hpo_lab.store import Store
from tests.katib_api.test_pushing import KATIB, REPORT
from tests.workload.conftest import RunJob, job


def test_pushed_metrics_are_observed(run_job: RunJob, store: Store) -> None:
    words = ("python", "-c", REPORT, KATIB, "$(KATIB_TRIAL_NAME)", "acc=0.5", "acc=0.75")
    record = run_job(job(*words), trials=2, collector={"collector": {"kind": "Push"}})
    assert [(one.number, one.value) for one in store.observations(record.uid)] == [
        (0, 0.5),
        (0, 0.75),
        (1, 0.5),
        (1, 0.75),
    ]
