"""Experiments, their conditions, trials, observations and artifacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "experiments",
        sa.Column("uid", sa.String(32), primary_key=True),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("completed_at", sa.Double),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("stop_requested", sa.Boolean, nullable=False),
        sa.Column("elapsed_seconds", sa.Double, nullable=False),
        sa.Column("runner", sa.Text),
        sa.Column("runner_host", sa.Text),
        sa.Column("runner_pid", sa.Integer),
        sa.Column("runner_started", sa.Double),
        sa.Column("runner_since", sa.Double),
        sa.Column("heartbeat_at", sa.Double),
        sa.UniqueConstraint("namespace", "name", name="uq_experiments_name"),
    )
    op.create_table(
        "conditions",
        sa.Column("uid", sa.String(32), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["uid"], ["experiments.uid"], ondelete="CASCADE"),
    )
    op.create_table(
        "trials",
        sa.Column("uid", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("assignments", sa.JSON, nullable=False),
        sa.Column("parent", sa.Integer),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("completed_at", sa.Double),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("traceback", sa.Text, nullable=False),
        sa.Column("observations_offset", sa.BigInteger, nullable=False),
        sa.Column("pid", sa.Integer),
        sa.ForeignKeyConstraint(["uid"], ["experiments.uid"], ondelete="CASCADE"),
    )
    op.create_table(
        "observations",
        sa.Column("id", serial, primary_key=True),
        sa.Column("uid", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("step", sa.BigInteger),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("text", sa.Text),
        sa.ForeignKeyConstraint(
            ["uid", "number"], ["trials.uid", "trials.number"], ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_observations_metric", "observations", ["uid", "number", "metric", "id"])
    op.create_index("ix_observations_id", "observations", ["uid", "id"])
    op.create_table(
        "artifacts",
        sa.Column("id", serial, primary_key=True),
        sa.Column("uid", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("path", sa.Text),
        sa.ForeignKeyConstraint(["uid"], ["experiments.uid"], ondelete="CASCADE"),
        sa.UniqueConstraint("uid", "number", "name", name="uq_artifacts_trial"),
    )
    op.create_index(
        "uq_artifacts_experiment",
        "artifacts",
        ["uid", "name"],
        unique=True,
        sqlite_where=sa.text("number IS NULL"),
        postgresql_where=sa.text("number IS NULL"),
    )
