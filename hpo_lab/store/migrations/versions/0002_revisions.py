"""Revisions of experiments and trials, the best trial, the place, and handles for process ids."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_FIRST = sa.text("1")


def upgrade() -> None:
    """Add columns with constant defaults, which rewrite no row, and drop one."""
    op.add_column(
        "experiments", sa.Column("place", sa.Text, nullable=False, server_default="local")
    )
    op.add_column(
        "experiments", sa.Column("revision", sa.BigInteger, nullable=False, server_default=_FIRST)
    )
    op.add_column(
        "experiments", sa.Column("changed", sa.BigInteger, nullable=False, server_default=_FIRST)
    )
    op.add_column("experiments", sa.Column("best", sa.Integer))
    op.add_column(
        "trials", sa.Column("revision", sa.BigInteger, nullable=False, server_default=_FIRST)
    )
    op.add_column("trials", sa.Column("handle", sa.Text))
    # An older SQLite cannot drop a column; `pid` was never written, and now is not read.
    if op.get_bind().dialect.name != "sqlite" or sqlite3.sqlite_version_info >= (3, 35):
        op.drop_column("trials", "pid")
    op.create_index("ix_trials_revision", "trials", ["uid", "revision", "state"])
