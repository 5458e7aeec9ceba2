"""The first tables: journals, what follows them, sources and their runs.

Times are integer milliseconds since the epoch, UTC. Digests and hashes are 32 raw bytes. `record_key` is the
first 8 bytes of SHA-256 of a record's IRI as a signed integer: an index of it is a fifth of one of the IRIs.
The `crc` columns guard what no hash covers, so that `journal verify` sees any changed byte.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations.columns import ID, number, of_collection, raw, text, truth

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table of the node."""
    _journals()
    _followers()
    _sources()
    _runs()


def _journals() -> None:
    op.create_table(
        "collection",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text(), nullable=False, unique=True),
        sa.Column("iri", sa.Text(), nullable=False, unique=True),
        text("title"),
        text("visibility"),
        number("created_at"),
        number("size"),
        raw("root"),
        raw("frontier"),
        number("last_at"),
        number("epoch"),
        number("crc"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "entry",
        of_collection(),
        number("seq", key=True),
        number("at"),
        raw("commitment"),
        raw("leaf"),
        text("op", optional=True),
        text("record", optional=True),
        number("record_key", optional=True),
        text("slug", optional=True),
        text("kind", optional=True),
        raw("digest", optional=True),
        raw("salt", optional=True),
        number("target", optional=True),
        sqlite_with_rowid=False,
    )
    op.create_index("entry_of_record", "entry", ["collection_id", "record_key", "seq"])
    op.create_table(
        "dictionary",
        number("id", key=True),
        number("trained_at"),
        number("per_mille"),
        raw("learnt_from"),
        raw("digest"),
        raw("body"),
    )
    op.create_table(
        "payload",
        raw("digest", key=True),
        sa.Column("dictionary_id", sa.BigInteger(), sa.ForeignKey("dictionary.id"), nullable=True),
        number("crc"),
        raw("body"),
    )
    op.create_table(
        "tile",
        of_collection(),
        number("level", key=True),
        number("idx", key=True),
        raw("hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoint", of_collection(), number("size", key=True), text("note"), number("signed_at"), number("crc")
    )


def _followers() -> None:
    op.create_table("cursor", text("follower", key=True), of_collection(), number("seq"), sqlite_with_rowid=False)
    op.create_table(
        "shelf",
        of_collection(),
        number("record_key", key=True),
        text("iri"),
        text("kind"),
        text("slug"),
        raw("digest", optional=True),
        number("seq"),
        number("at"),
        sqlite_with_rowid=False,
    )
    # Not unique: a record whose IRI changed keeps its slug, and its old IRI keeps its place as withdrawn.
    op.create_index("shelf_of_slug", "shelf", ["kind", "slug", "collection_id"])
    # Only live records, so that counting and skipping to a page never touch the table.
    op.create_index(
        "shelf_in_order",
        "shelf",
        ["collection_id", "slug", "kind"],
        sqlite_where=sa.text("digest IS NOT NULL"),
        postgresql_where=sa.text("digest IS NOT NULL"),
    )
    op.create_index("shelf_in_time", "shelf", ["collection_id", "at"])
    # Records of one portal mostly have the same findings, so each set of them is kept once, without its addresses.
    op.create_table("finding_set", raw("hash", key=True), text("body"), sqlite_with_rowid=False)
    op.create_table(
        "finding",
        of_collection(),
        number("record_key", key=True),
        raw("set_hash"),
        text("places"),
        sqlite_with_rowid=False,
    )


def _sources() -> None:
    op.create_table(
        "source",
        text("name", key=True),
        text("kind"),
        text("location"),
        text("collection"),
        number("created_at"),
        number("schedule_minutes", default="0"),
        truth("keep_contacts"),
        number("threshold_percent", optional=True),
        text("etag", default=""),
        text("last_modified", default=""),
        text("body_sha256", default=""),
        text("recipe", default=""),
        truth("paused"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "name",
        text("source", key=True),
        raw("key_hash", key=True),
        text("source_key"),
        text("kind"),
        text("slug"),
        text("iri", optional=True),
        number("seen_run"),
        truth("live"),
        raw("fingerprint", optional=True),
        sqlite_with_rowid=False,
    )
    op.create_index("name_of_slug", "name", ["kind", "slug"], unique=True)
    op.create_table("setting", text("key", key=True), text("value"), sqlite_with_rowid=False)
    op.create_table("lease", text("name", key=True), text("holder"), number("until"), sqlite_with_rowid=False)


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        text("source"),
        text("state"),
        truth("dry"),
        number("started_at", optional=True),
        number("heartbeat_at", optional=True),
        number("deadline_at", optional=True),
        number("ended_at", optional=True),
        text("stage", default=""),
        text("counters", default="{}"),
        text("reason", default=""),
        text("ranges", default="{}"),
        text("trigger", default=""),
        truth("cancel_requested"),
        text("pid_host", default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("run_of_source", "run", ["source", "id"])
    op.create_table(
        "run_row",
        sa.Column("run_id", ID, sa.ForeignKey("run.id"), primary_key=True, nullable=False, autoincrement=False),
        number("n", key=True),
        text("change"),
        text("source_key", default=""),
        text("iri", default=""),
        text("title", default=""),
        text("owner", default=""),
        text("code", default=""),
        text("message", default=""),
        sqlite_with_rowid=False,
    )
