"""The first tables: journals, what follows them, sources and their runs.

Times are integer milliseconds since the epoch, UTC. Digests and hashes are 32 raw bytes. `record_key` is the
first 8 bytes of SHA-256 of a record's IRI as a signed integer: an index of it is a fifth of one of the IRIs.
The `crc` columns guard what no hash covers, so that `journal verify` sees any changed byte.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite gives ids that are never used again only to an INTEGER key with AUTOINCREMENT.
# Code point order on both databases, whatever locale the server was made with: pages walk by slug.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, *, key: bool = False, optional: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(
        name, sa.BigInteger(), primary_key=key, nullable=optional, server_default=default, autoincrement=False
    )


def _text(name: str, *, key: bool = False, optional: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, _TEXT, primary_key=key, nullable=optional, server_default=default)


def _bytes(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), primary_key=key, nullable=optional)


def _truth(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _of_collection(*, key: bool = True) -> sa.Column[int]:
    return sa.Column(
        "collection_id", _ID, sa.ForeignKey("collection.id"), primary_key=key, nullable=False, autoincrement=False
    )


def upgrade() -> None:
    """Create every table of the node."""
    _journals()
    _followers()
    _sources()
    _runs()


def _journals() -> None:
    op.create_table(
        "collection",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text(), nullable=False, unique=True),
        sa.Column("iri", sa.Text(), nullable=False, unique=True),
        _text("title"),
        _text("visibility"),
        _number("created_at"),
        _number("size"),
        _bytes("root"),
        _bytes("frontier"),
        _number("last_at"),
        _number("epoch"),
        _number("crc"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "entry",
        _of_collection(),
        _number("seq", key=True),
        _number("at"),
        _bytes("commitment"),
        _bytes("leaf"),
        _text("op", optional=True),
        _text("record", optional=True),
        _number("record_key", optional=True),
        _text("slug", optional=True),
        _text("kind", optional=True),
        _bytes("digest", optional=True),
        _bytes("salt", optional=True),
        _number("target", optional=True),
        sqlite_with_rowid=False,
    )
    op.create_index("entry_of_record", "entry", ["collection_id", "record_key", "seq"])
    op.create_table(
        "dictionary",
        _number("id", key=True),
        _number("trained_at"),
        _number("per_mille"),
        _bytes("learnt_from"),
        _bytes("digest"),
        _bytes("body"),
    )
    op.create_table(
        "payload",
        _bytes("digest", key=True),
        sa.Column("dictionary_id", sa.BigInteger(), sa.ForeignKey("dictionary.id"), nullable=True),
        _number("crc"),
        _bytes("body"),
    )
    op.create_table(
        "tile",
        _of_collection(),
        _number("level", key=True),
        _number("idx", key=True),
        _bytes("hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoint", _of_collection(), _number("size", key=True), _text("note"), _number("signed_at"), _number("crc")
    )


def _followers() -> None:
    op.create_table("cursor", _text("follower", key=True), _of_collection(), _number("seq"), sqlite_with_rowid=False)
    op.create_table(
        "shelf",
        _of_collection(),
        _number("record_key", key=True),
        _text("iri"),
        _text("kind"),
        _text("slug"),
        _bytes("digest", optional=True),
        _number("seq"),
        _number("at"),
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
    op.create_table("finding_set", _bytes("hash", key=True), _text("body"), sqlite_with_rowid=False)
    op.create_table(
        "finding",
        _of_collection(),
        _number("record_key", key=True),
        _bytes("set_hash"),
        _text("places"),
        sqlite_with_rowid=False,
    )


def _sources() -> None:
    op.create_table(
        "source",
        _text("name", key=True),
        _text("kind"),
        _text("location"),
        _text("collection"),
        _number("created_at"),
        _number("schedule_minutes", default="0"),
        _truth("keep_contacts"),
        _number("threshold_percent", optional=True),
        _text("etag", default=""),
        _text("last_modified", default=""),
        _text("body_sha256", default=""),
        _text("recipe", default=""),
        _truth("paused"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "name",
        _text("source", key=True),
        _bytes("key_hash", key=True),
        _text("source_key"),
        _text("kind"),
        _text("slug"),
        _text("iri", optional=True),
        _number("seen_run"),
        _truth("live"),
        _bytes("fingerprint", optional=True),
        sqlite_with_rowid=False,
    )
    op.create_index("name_of_slug", "name", ["kind", "slug"], unique=True)
    op.create_table("setting", _text("key", key=True), _text("value"), sqlite_with_rowid=False)
    op.create_table("lease", _text("name", key=True), _text("holder"), _number("until"), sqlite_with_rowid=False)


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("source"),
        _text("state"),
        _truth("dry"),
        _number("started_at", optional=True),
        _number("heartbeat_at", optional=True),
        _number("deadline_at", optional=True),
        _number("ended_at", optional=True),
        _text("stage", default=""),
        _text("counters", default="{}"),
        _text("reason", default=""),
        _text("ranges", default="{}"),
        _text("trigger", default=""),
        _truth("cancel_requested"),
        _text("pid_host", default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("run_of_source", "run", ["source", "id"])
    op.create_table(
        "run_row",
        sa.Column("run_id", _ID, sa.ForeignKey("run.id"), primary_key=True, nullable=False, autoincrement=False),
        _number("n", key=True),
        _text("change"),
        _text("source_key", default=""),
        _text("iri", default=""),
        _text("title", default=""),
        _text("owner", default=""),
        _text("code", default=""),
        _text("message", default=""),
        sqlite_with_rowid=False,
    )
