"""What runs inside a trial. Only the standard library is imported here."""

from hpo_lab.trial.report import report, report_variables

__all__ = ["report", "report_variables"]
