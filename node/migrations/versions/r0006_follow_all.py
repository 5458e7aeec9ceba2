"""A column of peers: with which themes everything that a peer names as public is followed, also what comes later.

JSON, like the other lists of that table; empty where only named collections are followed.
"""

from alembic import op

from node.migrations.columns import text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("peer", text("follows_all", default=""))
