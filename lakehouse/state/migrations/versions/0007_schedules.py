"""What has become of each schedule: when it was last due, what it has started, and whether it is paused."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """What has become of each schedule: when it was last due, what it has started, and whether it is paused."""
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("due", sa.String(27), nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("run", sa.String(64)),
        sa.Column("started", sa.String(27)),
        sa.Column("paused", sa.String(27)),
        sa.Column("paused_by", sa.String(200)),
        sa.Column("reason", sa.Text),
    )
