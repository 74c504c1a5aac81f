"""The tables of a store; `migrations/` makes them, a test holds the two together.

Times are seconds since the epoch as double precision: Python's `time.time()` comes back
bit for bit from SQLite and PostgreSQL alike, and no time zone can be lost on the way.
Documents are `JSON` and not `JSONB`, which would turn `1e300` into an integer.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect

__all__ = [
    "NO_BEST",
    "FreeText",
    "artifacts",
    "conditions",
    "experiments",
    "metadata",
    "observations",
    "trials",
]


class FreeText(TypeDecorator[str]):
    """Text that a trial may have written: what a database cannot hold becomes U+FFFD or `?`.

    PostgreSQL refuses NUL and both refuse lone surrogates; a strange error message must
    not keep its trial from being recorded.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


NO_BEST = -1
"""In `experiments.best`: no trial may be called optimal yet."""

metadata = MetaData()

experiments = Table(
    "experiments",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("document", JSON, nullable=False),
    Column("identity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", FreeText, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("completed_at", Double),
    Column("updated_at", Double, nullable=False),
    Column("stop_requested", Boolean, nullable=False),
    # The lease. elapsed_seconds is what earlier holders ran; the present one since runner_since.
    Column("elapsed_seconds", Double, nullable=False),
    Column("runner", Text),
    Column("runner_host", Text),
    Column("runner_pid", Integer),
    Column("runner_started", Double),
    Column("runner_since", Double),
    Column("heartbeat_at", Double),
    # Where it runs; the revision now, and at the last change of what this row says.
    Column("place", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    # The number of the best trial: NULL while nobody said which, `NO_BEST` when there is none.
    Column("best", Integer),
    # The folder that it belongs to, empty for none; what a name that nobody chose was made of.
    Column("project", Text, nullable=False),
    Column("origin", Text),
    UniqueConstraint("namespace", "project", "name", name="uq_experiments_name"),
)

conditions = Table(
    "conditions",
    metadata,
    Column("uid", ForeignKey("experiments.uid", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", FreeText, nullable=False),
    Column("time", Double, nullable=False),
)

trials = Table(
    "trials",
    metadata,
    Column("uid", ForeignKey("experiments.uid", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("assignments", JSON, nullable=False),
    Column("parent", Integer),
    Column("labels", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("completed_at", Double),
    Column("reason", Text, nullable=False),
    Column("message", FreeText, nullable=False),
    Column("traceback", FreeText, nullable=False),
    Column("observations_offset", BigInteger, nullable=False),
    Column("handle", Text),
    Column("revision", BigInteger, nullable=False),
    # With the state, so that trials are counted from the index alone.
    Index("ix_trials_revision", "uid", "revision", "state"),
)

observations = Table(
    "observations",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("uid", String(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("time", Double, nullable=False),
    Column("step", BigInteger),
    Column("metric", FreeText, nullable=False),
    Column("value", Double),
    Column("text", FreeText),
    ForeignKeyConstraint(["uid", "number"], ["trials.uid", "trials.number"], ondelete="CASCADE"),
    Index("ix_observations_metric", "uid", "number", "metric", "id"),
    Index("ix_observations_id", "uid", "id"),
    # Ids are what readers continue from, so a deleted one must not come again.
    sqlite_autoincrement=True,
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("uid", ForeignKey("experiments.uid", ondelete="CASCADE"), nullable=False),
    Column("number", Integer),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary),
    Column("path", Text),
    UniqueConstraint("uid", "number", "name", name="uq_artifacts_trial"),
    # A unique constraint takes every NULL for another value.
    Index(
        "uq_artifacts_experiment",
        "uid",
        "name",
        unique=True,
        sqlite_where=text("number IS NULL"),
        postgresql_where=text("number IS NULL"),
    ),
)
