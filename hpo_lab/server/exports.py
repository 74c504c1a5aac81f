"""Answers with files to keep: the report of an experiment, and its trials as a table."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from hpo_lab.dashboard.report import report_of
from hpo_lab.facade.columns import trial_row
from hpo_lab.server.request import ApiRequest, Content

__all__ = ["report", "table"]

_SURROGATE = re.compile("[\ud800-\udfff]")


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
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    data = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text.getvalue()).encode()
    return Content(data, "text/csv", name)


def _cell(value: Any) -> Any:
    """*value* so that a spreadsheet shows it and does not run it."""
    if not isinstance(value, str) or not value.lstrip().startswith(("=", "+", "-", "@")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
