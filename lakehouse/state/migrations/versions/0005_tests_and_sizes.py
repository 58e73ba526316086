"""How the tests of a release went, and how large its tables are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """How the tests of a release went, and how large its tables are."""
    op.add_column("releases", sa.Column("tests", sa.JSON))
    op.add_column("releases", sa.Column("sizes", sa.JSON))
