"""The audit, sessions that have ended, and row rules of users."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BEFORE_THE_FIRST = "0" * 64


def upgrade() -> None:
    """The audit, sessions that have ended, and row rules of users."""
    op.add_column("users", sa.Column("rules", sa.JSON))
    op.add_column("sessions", sa.Column("ended", sa.String(27)))
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("operator", sa.String(200), nullable=False),
        sa.Column("door", sa.String(20), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("action", sa.String(200), nullable=False),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("env", sa.String(63), nullable=False),
        sa.Column("release", sa.Integer),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("audit_own", "audit", ["principal", "action", "number"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("anchor", sa.String(64), nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("swept", sa.String(10), nullable=False),
    )
    start = {"id": 1, "first": 1, "anchor": BEFORE_THE_FIRST, "last": 0, "hash": BEFORE_THE_FIRST, "swept": ""}
    op.bulk_insert(head, [start])
    op.create_table(
        "audit_refusals",
        sa.Column("minute", sa.String(16), primary_key=True),
        sa.Column("address", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
