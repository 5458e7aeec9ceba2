"""Tables of the federation: peers and their keys, what is followed, what was refused, heard, witnessed and told.

Times are integer milliseconds since the epoch, UTC. Texts that are documents (statements, notes, evidence) are kept as
the bytes that were signed. `replay` stands here for PostgreSQL alone: on SQLite it is a database file of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

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


def _of_collection() -> sa.Column[int]:
    return sa.Column(
        "collection_id", _ID, sa.ForeignKey("collection.id"), primary_key=True, nullable=False, autoincrement=False
    )


def upgrade() -> None:
    """Create every table of the federation."""
    _peers()
    _mirrors()
    _witnesses()
    _tokens()


def _peers() -> None:
    op.create_table(
        "peer",
        _text("name", key=True),
        sa.Column("url", _TEXT, nullable=False, unique=True),
        _text("title", default=""),
        _text("fingerprint"),
        _text("state"),  # proposed, approved, active, paused, blocked
        _text("quarantine", default=""),  # why, in one sentence; empty while there is none
        _text("note", default=""),
        _text("namespaces", default="[]"),
        _text("statement", default=""),  # the entity statement last verified, to the byte
        _number("statement_seen_at", default="0"),
        _number("statement_expires_at", default="0"),
        _number("added_at"),
        _number("approved_at", default="0"),
        _text("approved_by", default=""),
        _number("last_out_at", default="0"),
        _number("last_in_at", default="0"),
        _number("failures", default="0"),
        _number("open_until", default="0"),  # circuit breaker: no attempt before
        _text("last_error_code", default=""),
        _text("last_error", default=""),
        _number("last_error_at", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "peer_key",
        _text("peer", key=True),
        _text("kid", key=True),
        _text("purpose"),
        _text("alg"),
        _text("jwk"),
        _number("first_seen_at"),
        _number("since", default="0"),
        _number("until", optional=True),
        _text("endorsed_by", default=""),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evidence",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("peer"),
        _number("at"),
        _text("kind"),
        _text("summary"),
        _text("body"),
        sqlite_autoincrement=True,
    )
    op.create_index("evidence_of_peer", "evidence", ["peer", "id"])
    op.create_table("sharing", _of_collection(), _text("peer", key=True), _number("at"), sqlite_with_rowid=False)


def _mirrors() -> None:
    op.create_table(
        "follow",
        _text("peer", key=True),
        _text("collection", key=True),  # its name at the origin
        _text("iri"),
        sa.Column("local", _TEXT, nullable=False, unique=True),  # {peer}/{collection}
        _text("themes", default="[]"),
        _number("created_at"),
        _truth("paused"),
        _text("etag", default=""),
        _number("known_size", default="0"),  # of the newest checkpoint of the origin that was verified
        _text("known_note", default=""),
        _number("known_at", default="0"),
        _number("checked_at", default="0"),  # last answer of the origin, changed or not
        _number("level_at", default="0"),  # last time everything known was held
        _text("last_error_code", default=""),
        _text("last_error", default=""),
        _number("last_error_at", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refusal",
        _of_collection(),
        _number("seq", key=True),
        _text("code"),
        _text("detail", default=""),
        _text("record", default=""),
        _number("at"),  # when it was last tried
        _number("tries", default="0"),  # how often it was asked for again in vain; -1: to be asked for now
        _number("reported_at", optional=True),
        sqlite_with_rowid=False,
    )
    # What was refused and reported, and is held now: until its origin was told so.
    op.create_table("refusal_lifted", _of_collection(), _number("seq", key=True), _number("at"))
    op.create_table(
        "refusal_heard",
        _of_collection(),
        _number("seq", key=True),
        _text("peer", key=True),
        _text("code"),
        _number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasure_heard",
        _of_collection(),
        _number("target", key=True),
        _text("peer", key=True),
        _number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasure_reason", _of_collection(), _number("target", key=True), _text("reason"), sqlite_with_rowid=False
    )
    op.create_table("erasure_told", _of_collection(), _number("target", key=True), _number("at", optional=True))
    op.create_table("nudge", _text("peer", key=True), _number("at"), _text("heads"), sqlite_with_rowid=False)
    op.create_table("told", _text("peer", key=True), _text("collection", key=True), _number("size"), _number("at"))


def _witnesses() -> None:
    op.create_table(
        "witnessed",
        _text("origin", key=True),
        _number("size"),
        _bytes("root"),
        _text("note"),
        _number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cosignature",
        _of_collection(),
        _number("size", key=True),
        _text("witness", key=True),
        _text("line"),
        _number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seen_head",
        _text("collection", key=True),  # the IRI at the origin
        _text("seen_by", key=True),  # the peer that showed it
        _number("size"),
        _bytes("root"),
        _text("note"),
        _number("at"),
        _truth("compared"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "epoch",
        _of_collection(),
        _number("epoch", key=True),
        _number("from_size"),
        _bytes("root"),
        _text("statement"),
        _number("at"),
        _number("approved_at", default="0"),
        _text("approved_by", default=""),
        sqlite_with_rowid=False,
    )


def _tokens() -> None:
    op.create_table(
        "token",
        _text("id", key=True),
        sa.Column("name", _TEXT, nullable=False, unique=True),
        _truth("staff"),
        _bytes("secret_hash"),
        _text("scopes", default=""),
        _number("created_at"),
        _number("expires_at"),
        _number("revoked_at", optional=True),
        _number("last_used_at", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_table("revoked", _text("jti", key=True), _number("expires_at"), sqlite_with_rowid=False)
    if op.get_bind().dialect.name == "postgresql":
        op.create_table("replay", _bytes("hash", key=True), _number("expires_at"))
        op.create_index("replay_in_time", "replay", ["expires_at"])
