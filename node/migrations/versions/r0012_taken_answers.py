"""Which of our answers to withdrawals the other city has taken, so that the others are told again.

Until now this stood in the outbox alone, which forgets. An answer of before counts as taken where nothing to that city
was refused, given up or waits: to tell one again that was taken changes nothing there.
"""

from alembic import op

from node.migrations.columns import number

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column, and the way to what is not taken."""
    op.add_column("withdrawal", number("told_at", default="0"))
    doubtful = (
        "SELECT peer FROM outgoing WHERE kind = 'withdrawal' AND step = 'answer' AND (done_at = 0 OR error <> '')"
    )
    newest = "CASE WHEN erased_at > 0 THEN erased_at ELSE acknowledged_at END"
    op.execute(f"UPDATE withdrawal SET told_at = {newest} WHERE direction = 'in' AND peer NOT IN ({doubtful})")  # noqa: S608
    op.create_index("withdrawal_told", "withdrawal", ["direction", "told_at", "at"])
