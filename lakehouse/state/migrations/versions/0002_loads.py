"""Loads and the hashes of files."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Loads and the hashes of files."""
    op.create_table(
        "loads",
        sa.Column("id", sa.String(130), primary_key=True),
        sa.Column("env", sa.String(63), nullable=False),
        sa.Column("source", sa.String(63), nullable=False),
        sa.Column("raw_table", sa.String(80), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("config", sa.String(64), nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("intent", sa.JSON, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )
    op.create_index("loads_by_source", "loads", ["env", "source", "created"])
    op.create_table(
        "files",
        sa.Column("path", sa.String(4096), primary_key=True),
        sa.Column("signature", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
