"""Tables of finding: what changed last, how good descriptions are, and whether their links answer.

Times are integer milliseconds since the epoch, UTC. All of it is a reading of what the journals hold (and, of links, of
what their servers said): it can be thrown away and made again. Search indexes and triple stores live outside the
database; they only keep the number up to which they have read `touched`.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations.columns import number, of_collection, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create every table of finding; what is on the shelf already counts as touched, in its order."""
    op.create_table(
        "touched",
        of_collection(),
        number("record_key", key=True),
        text("iri"),
        number("n"),
        sqlite_with_rowid=False,
    )
    op.create_index("touched_in_order", "touched", ["n"], unique=True)
    op.execute(
        sa.text(
            "INSERT INTO touched (collection_id, record_key, iri, n)"
            " SELECT collection_id, record_key, iri, row_number() OVER (ORDER BY collection_id, seq, record_key)"
            " FROM shelf"
        )
    )
    op.create_table("reader", text("name", key=True), number("n"), sqlite_with_rowid=False)
    _quality()


def _quality() -> None:
    op.create_table(
        "quality",
        of_collection(),
        number("record_key", key=True),
        number("points"),
        number("max_known"),  # the points that could be told: those of links nobody asked yet are left out
        text("metrics"),  # what passed, failed and is unknown, in the order of the metrics
        text("digest"),
        number("at"),
        sqlite_with_rowid=False,
    )
    op.create_index("quality_of_collection", "quality", ["collection_id", "metrics"])
    op.create_table(
        "link",
        number("url_key", key=True),
        text("url"),
        text("host"),  # its origin: scheme, host, port
        text("state", default="unknown"),  # ok, failed or unknown
        number("status", default="0"),
        text("detail", default=""),
        number("checked_at", default="0"),
        number("next_at", default="0"),
        number("fails", default="0"),  # in a row
        number("bytes", optional=True),
        text("media_type", default=""),
        sqlite_with_rowid=False,
    )
    op.create_index("link_of_host", "link", ["host", "next_at"])
    # When an origin has a link that is due, and when it may be asked again: one with many never keeps others waiting.
    op.create_table(
        "link_host",
        text("host", key=True),
        number("next_at"),
        number("free_at", default="0"),
        number("fails", default="0"),  # in a row
        sqlite_with_rowid=False,
    )
    op.create_index("link_host_due", "link_host", ["next_at"])
    op.create_table(
        "link_of",
        of_collection(),
        number("record_key", key=True),
        number("url_key", key=True),
        text("role", key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("link_of_url", "link_of", ["url_key"])
    op.create_table(
        "quality_day",
        text("subject", key=True),  # collection:NAME or source:NAME
        number("day", key=True),  # since the epoch
        text("summary"),  # JSON: records, points, and of each metric how many passed, failed and are unknown
        sqlite_with_rowid=False,
    )
