"""Runs the migrations on the connection, and in the transaction, of whoever opens the store."""

from __future__ import annotations

from alembic import context

from hpo_lab.store.database import VERSION_TABLE
from hpo_lab.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
