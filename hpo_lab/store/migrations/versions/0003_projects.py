"""The project that an experiment belongs to, and what a name that nobody chose was made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; a name is unique in its project from now on.

    SQLite cannot drop a constraint, so there the table is written anew. Whoever calls this has
    switched foreign keys off, for with the old table would go all that refers to it.
    """
    with op.batch_alter_table("experiments") as table:
        table.add_column(sa.Column("project", sa.Text, nullable=False, server_default=""))
        table.add_column(sa.Column("origin", sa.Text))
        table.drop_constraint("uq_experiments_name", type_="unique")
        table.create_unique_constraint("uq_experiments_name", ["namespace", "project", "name"])
