"""Tables of the federation: peers and their keys, what is followed, what was refused, heard, witnessed and told.

Times are integer milliseconds since the epoch, UTC. Texts that are documents (statements, notes, evidence) are kept as
the bytes that were signed. `replay` stands here for PostgreSQL alone: on SQLite it is a database file of its own.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations.columns import ID, TEXT, number, of_collection, raw, text, truth

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create every table of the federation."""
    _peers()
    _mirrors()
    _witnesses()
    _tokens()


def _peers() -> None:
    op.create_table(
        "peer",
        text("name", key=True),
        sa.Column("url", TEXT, nullable=False, unique=True),
        text("title", default=""),
        text("fingerprint"),
        text("state"),  # proposed, approved, active, paused, blocked
        text("quarantine", default=""),  # why, in one sentence; empty while there is none
        text("note", default=""),
        text("namespaces", default="[]"),
        text("statement", default=""),  # the entity statement last verified, to the byte
        number("statement_seen_at", default="0"),
        number("statement_expires_at", default="0"),
        number("added_at"),
        number("approved_at", default="0"),
        text("approved_by", default=""),
        number("last_out_at", default="0"),
        number("last_in_at", default="0"),
        number("failures", default="0"),
        number("open_until", default="0"),  # circuit breaker: no attempt before
        text("last_error_code", default=""),
        text("last_error", default=""),
        number("last_error_at", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "peer_key",
        text("peer", key=True),
        text("kid", key=True),
        text("purpose"),
        text("alg"),
        text("jwk"),
        number("first_seen_at"),
        number("since", default="0"),
        number("until", optional=True),
        text("endorsed_by", default=""),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evidence",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        text("peer"),
        number("at"),
        text("kind"),
        text("summary"),
        text("body"),
        sqlite_autoincrement=True,
    )
    op.create_index("evidence_of_peer", "evidence", ["peer", "id"])
    op.create_table("sharing", of_collection(), text("peer", key=True), number("at"), sqlite_with_rowid=False)


def _mirrors() -> None:
    op.create_table(
        "follow",
        text("peer", key=True),
        text("collection", key=True),  # its name at the origin
        text("iri"),
        sa.Column("local", TEXT, nullable=False, unique=True),  # {peer}/{collection}
        text("themes", default="[]"),
        number("created_at"),
        truth("paused"),
        text("etag", default=""),
        number("known_size", default="0"),  # of the newest checkpoint of the origin that was verified
        text("known_note", default=""),
        number("known_at", default="0"),
        number("checked_at", default="0"),  # last answer of the origin, changed or not
        number("level_at", default="0"),  # last time everything known was held
        text("last_error_code", default=""),
        text("last_error", default=""),
        number("last_error_at", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refusal",
        of_collection(),
        number("seq", key=True),
        text("code"),
        text("detail", default=""),
        text("record", default=""),
        number("at"),  # when it was last tried
        number("tries", default="0"),  # how often it was asked for again in vain; -1: to be asked for now
        number("reported_at", optional=True),
        sqlite_with_rowid=False,
    )
    # What was refused and reported, and is held now: until its origin was told so.
    op.create_table("refusal_lifted", of_collection(), number("seq", key=True), number("at"))
    op.create_table(
        "refusal_heard",
        of_collection(),
        number("seq", key=True),
        text("peer", key=True),
        text("code"),
        number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasure_heard",
        of_collection(),
        number("target", key=True),
        text("peer", key=True),
        number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasure_reason", of_collection(), number("target", key=True), text("reason"), sqlite_with_rowid=False
    )
    op.create_table("erasure_told", of_collection(), number("target", key=True), number("at", optional=True))
    op.create_table("nudge", text("peer", key=True), number("at"), text("heads"), sqlite_with_rowid=False)
    op.create_table("told", text("peer", key=True), text("collection", key=True), number("size"), number("at"))


def _witnesses() -> None:
    op.create_table(
        "witnessed",
        text("origin", key=True),
        number("size"),
        raw("root"),
        text("note"),
        number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cosignature",
        of_collection(),
        number("size", key=True),
        text("witness", key=True),
        text("line"),
        number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seen_head",
        text("collection", key=True),  # the IRI at the origin
        text("seen_by", key=True),  # the peer that showed it
        number("size"),
        raw("root"),
        text("note"),
        number("at"),
        truth("compared"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "epoch",
        of_collection(),
        number("epoch", key=True),
        number("from_size"),
        raw("root"),
        text("statement"),
        number("at"),
        number("approved_at", default="0"),
        text("approved_by", default=""),
        sqlite_with_rowid=False,
    )


def _tokens() -> None:
    op.create_table(
        "token",
        text("id", key=True),
        sa.Column("name", TEXT, nullable=False, unique=True),
        truth("staff"),
        raw("secret_hash"),
        text("scopes", default=""),
        number("created_at"),
        number("expires_at"),
        number("revoked_at", optional=True),
        number("last_used_at", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_table("revoked", text("jti", key=True), number("expires_at"), sqlite_with_rowid=False)
    if op.get_bind().dialect.name == "postgresql":
        op.create_table("replay", raw("hash", key=True), number("expires_at"))
        op.create_index("replay_in_time", "replay", ["expires_at"])
