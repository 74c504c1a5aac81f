"""The options of a tuning run, each written down once, for every way in and out."""

from hpo_lab.options.arguments import read_arguments
from hpo_lab.options.changed_line import changed_line, line_parts
from hpo_lab.options.line import (
    LINE_OPTIONS,
    parse_line,
    parse_values,
    split_arguments,
    write_line,
)
from hpo_lab.options.option import Option
from hpo_lab.options.other_names import unknown_arguments
from hpo_lab.options.tune_options import BUDGETS, OPTIONS, TuneOptions, options_of

__all__ = [
    "BUDGETS",
    "LINE_OPTIONS",
    "OPTIONS",
    "Option",
    "TuneOptions",
    "changed_line",
    "line_parts",
    "options_of",
    "parse_line",
    "parse_values",
    "read_arguments",
    "split_arguments",
    "unknown_arguments",
    "write_line",
]
