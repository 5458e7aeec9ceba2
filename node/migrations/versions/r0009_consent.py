"""For which purpose consent was withdrawn, and whose rows may have gone: what a city is told of is what it may hold.

Withdrawals that were told or heard before name no purpose, which stands for all of them. Of reads that began before
nobody can say whose rows went: it may have been anybody's.
"""

import zlib

import sqlalchemy as sa
from alembic import op

from node.migrations.columns import raw, text

revision = "0009"
down_revision = "0008"
_EVERYBODY = zlib.compress(b"\xff" * (1 << 21))


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column("withdrawal", text("purpose", default=""))
    op.create_table(
        "consent_went",  # beside consent_read: never forgotten
        text("agreement", key=True),
        text("dataset", key=True),
        text("peer", key=True),
        text("purpose", key=True),
        raw("places"),  # a bit for each of 16 million places, zlib
        sqlite_with_rowid=False,
    )
    put = "INSERT INTO consent_went (agreement, dataset, peer, purpose, places)"
    of = "SELECT DISTINCT agreement, dataset, peer, purpose, :everybody FROM consent_read"
    everybody = sa.bindparam("everybody", _EVERYBODY, sa.LargeBinary())
    op.execute(sa.text(f"{put} {of}").bindparams(everybody))
