"""What was said of deletion: by us of what we fetched under an agreement that is over, by other cities of ours.

Each agreement has one direction, so one city says it, once. What must be deleted is no table: it follows from
agreements and transfers.
"""

from alembic import op

from node.migrations.columns import number, text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "deletion",
        text("agreement", key=True),
        text("peer"),  # the base URL of the other city
        number("at"),
        text("by"),  # a person of ours, or the other city's address
        number("told_at", default="0"),  # when the other city had taken it
        sqlite_with_rowid=False,
    )
