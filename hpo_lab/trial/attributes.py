"""What a trial knows and says of itself: its number, and texts that are recorded with it."""

from __future__ import annotations

import math
import os
import time

from hpo_lab.observation import observations_of, report_document
from hpo_lab.trial.folder import METRICS, TRIAL_FOLDER, append_line

__all__ = ["set_attribute", "trial_number"]


def trial_number() -> int | None:
    """The number of the trial that this process runs, counted from 0; None outside a trial."""
    name = os.environ.get(TRIAL_FOLDER, "").rpartition("/")[2]
    return int(name) if name.isdecimal() else None


def set_attribute(name: str, text: str) -> None:
    """Record a text with this trial; `experiment.trials[n].attributes` has it.

    Outside a trial a line is printed and nothing else happens. Under a name the latest text
    counts.

    Args:
        name: What the text is about; no name of a metric.
        text: The text. Numbers are sent by `hpo_lab.report`.

    Raises:
        TypeError: when *name* or *text* is no text.
        ValueError: when *text* is the spelling of a number that is not finite, such as `nan`.
    """
    for value in (name, text):
        if not isinstance(value, str):
            raise TypeError(f"an attribute is a text, not {value!r}; report() sends numbers")
    document = report_document(time.time(), None, {name: text})
    (observation,) = observations_of(document)
    if not math.isnan(observation.value) or text.strip("+-").casefold() == "nan":
        raise ValueError(f"the attribute {name!r} is {text!r}, which stands for a number")
    folder = os.environ.get(TRIAL_FOLDER)
    if folder is None:
        print(f"{name}: {text}")
    else:
        append_line(f"{folder}/{METRICS}", document)
