"""Runs and releases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Runs and releases."""
    active, current, publishing = (
        sa.text("state in ('queued', 'running')"),
        sa.text("state = 'current'"),
        sa.text("state = 'publishing'"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("env", sa.String(63), nullable=False),
        sa.Column("job", sa.String(63), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("starter", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("started", sa.String(27), nullable=False),
        sa.Column("heartbeat", sa.String(27), nullable=False),
        sa.Column("ended", sa.String(27)),
        sa.Column("inputs", sa.String(64)),
        sa.Column("release", sa.Integer),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.Text),
    )
    one_each = ["env", "job"]
    op.create_index("runs_one_active", "runs", one_each, unique=True, sqlite_where=active, postgresql_where=active)
    op.create_index("runs_by_start", "runs", ["env", "started"])
    op.create_table(
        "definitions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("env", sa.String(63), nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("published", sa.String(27)),
        sa.Column("inputs", sa.String(64)),
        sa.Column("pins", sa.JSON, nullable=False),
        sa.Column("intent", sa.JSON, nullable=False),
        sa.Column("nodes", sa.JSON, nullable=False),
        sa.Column("definitions", sa.String(64), sa.ForeignKey("definitions.id")),
        sa.UniqueConstraint("env", "number", name="releases_numbered_once"),
    )
    for name, which in (("releases_one_current", current), ("releases_one_publishing", publishing)):
        op.create_index(name, "releases", ["env"], unique=True, sqlite_where=which, postgresql_where=which)
