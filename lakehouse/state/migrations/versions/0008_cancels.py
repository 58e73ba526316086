"""Statements that somebody wants to be stopped, whatever process runs them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Statements that somebody wants to be stopped, whatever process runs them."""
    op.create_table(
        "cancels",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("token", sa.String(300), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
    )
