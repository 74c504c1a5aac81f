"""Answers with files to keep: the report of an experiment, and its trials as a table."""

from __future__ import annotations

import csv
import io

from hpo_lab.dashboard.report import report_of
from hpo_lab.facade.columns import trial_row
from hpo_lab.server.request import ApiRequest, Content

__all__ = ["report", "table"]


def report(request: ApiRequest) -> Content:
    """The report of an experiment, a page in one file."""
    experiment = request.stores.handle(request.uid)
    name = f"{experiment.title.replace('/', '-')}-report.html"
    return Content(report_of([experiment]).encode(), "text/html", name)


def table(request: ApiRequest) -> Content:
    """All trials with all their columns, as CSV."""
    with request.stores.experiment(request.uid) as experiment:
        tally, spec = experiment.tally(), experiment.record.document.spec
        rows = [trial_row(spec, tally.trials[number]).flat() for number in sorted(tally.trials)]
        name = f"{experiment.title.replace('/', '-')}-trials.csv"
    text = io.StringIO()
    columns = list(dict.fromkeys(column for row in rows for column in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Content(text.getvalue().encode(), "text/csv", name)
