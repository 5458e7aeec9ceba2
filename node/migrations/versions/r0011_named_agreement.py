"""Under which agreement somebody wants data, where several cover them and one was named."""

from alembic import op

from node.migrations.columns import text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; what is under way was asked for under whichever permits it."""
    op.add_column("pull", text("named", default=""))
