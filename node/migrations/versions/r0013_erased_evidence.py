"""Transfers of which a receipt, or what stood for it, was erased, so that nothing is stated of their end again.

Until now a node took such a transfer for one that nobody had settled. What was erased before cannot be told from what
is not settled yet, so nothing is noted of it: a transfer that waits for the other city must not lose its receipt.
"""

from alembic import op

from node.migrations.columns import text

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table."""
    op.create_table("evidence_erased", text("transfer", key=True), sqlite_with_rowid=False)
