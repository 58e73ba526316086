"""What a run was asked to do and how far it is, and releases that wait for a decision."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """What a run was asked to do and how far it is, and releases that wait for a decision."""
    op.add_column("runs", sa.Column("order", sa.JSON))
    op.add_column("runs", sa.Column("steps", sa.JSON))
    op.add_column("runs", sa.Column("cancelled_by", sa.String(200)))
    op.add_column("releases", sa.Column("differences", sa.JSON))
    op.add_column("releases", sa.Column("decided_by", sa.String(200)))
    op.add_column("releases", sa.Column("reason", sa.Text))
    op.create_index("releases_by_run", "releases", ["run"])
