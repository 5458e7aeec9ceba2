"""Tables for people: who works at the desk, what they did, what readers report, corrections, previews and counts.

Times are integer milliseconds since the epoch, UTC; days are counted since the epoch. Secrets are kept as hashes or
sealed. `preview` and `peer_day` are readings and can be made again; `audit` only grows.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations.columns import ID, number, of_collection, raw, text, truth

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create every table for people."""
    _staff()
    _trail()
    _readers()
    _records()
    _peers()


def _id() -> sa.Column[int]:
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def _staff() -> None:
    op.create_table(
        "staff",
        text("name", key=True),  # what one signs in with
        text("shown"),  # how the desk calls the person: a role and a unit will do
        text("roles"),  # parted by spaces
        text("state"),  # invited, active, disabled
        text("password", default=""),  # argon2id
        text("totp", default=""),  # sealed
        number("totp_step", default="0"),  # of the last code that was taken: none is taken twice
        text("recovery", default=""),  # JSON, hashes of the codes that are left
        text("subject", default=""),  # issuer and subject of the city's own sign-in
        number("at"),
        number("seen_at", default="0"),
    )
    op.create_index("staff_by_subject", "staff", ["subject"])
    op.create_table(
        "staff_session",
        text("hash", key=True),
        text("name"),
        number("at"),
        number("seen_at"),
        number("proved_at"),  # when a password or a second factor was last given
        number("ends_at"),
        text("about", default=""),  # the browser's family and the system's, for the person to tell them apart
        text("source", default=""),  # local or oidc
    )
    op.create_index("staff_session_by_name", "staff_session", ["name"])
    op.create_table(
        "staff_link",
        text("hash", key=True),
        text("name"),
        number("at"),
        number("ends_at"),
    )
    op.create_table(
        "staff_try",
        text("hash", key=True),  # of a name or an address
        number("failures"),
        number("at"),  # since when they are counted
        number("until"),  # until when it must wait
    )


def _trail() -> None:
    op.create_table(
        "audit",
        _id(),
        number("at"),
        text("who"),
        text("way"),  # desk, api, command
        text("source"),  # an address, or the system's account
        text("act"),
        text("target"),
        text("detail", default=""),  # JSON
        text("outcome", default=""),  # empty while it lasts, then done, refused or failed and a code
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_time", "audit", ["at"])


def _readers() -> None:
    op.create_table(
        "problem_report",
        text("id", key=True),
        text("iri"),
        text("title"),  # of the record when it was reported
        text("kind"),
        text("said"),  # empty once it is settled and not published
        text("language", default=""),
        text("contact", default=""),  # empty once it is settled
        text("state"),
        text("reason", default=""),
        text("peer", default=""),  # base URL of the city it is sent to, or came from
        text("theirs", default=""),  # what the other city calls it
        text("way"),  # reader, sent or received
        truth("shown"),  # whether what it says is published
        number("at"),
        number("changed_at"),
        text("caller", default=""),  # a hash, for one day
    )
    op.create_index("problem_report_by_state", "problem_report", ["state", "at"])
    op.create_index("problem_report_by_record", "problem_report", ["iri"])
    op.create_index("problem_report_by_peer", "problem_report", ["peer", "theirs"])
    op.create_table(
        "usage",
        number("day", key=True),
        text("what", key=True),
        text("about", key=True),
        number("count"),
    )


def _records() -> None:
    op.create_table(
        "correction",
        text("iri", key=True),
        text("said"),  # JSON: what stands instead, by field
        text("before"),  # JSON: what the source said in those places when it was corrected
        text("now"),  # JSON: what it says there now
        raw("source"),  # its own payload, compressed, to be restored
        text("digest"),  # of that payload
        text("collection"),
        text("who"),
        number("at"),
        number("changed_at", default="0"),  # when the source began to say something else there; 0 while it does not
        text("note", default=""),
    )
    op.create_index("correction_by_collection", "correction", ["collection"])
    op.create_table(
        "record_draft",
        text("kind", key=True),
        text("slug", key=True),
        text("said"),  # JSON, as loose as a person left it
        text("collection", default=""),
        text("state"),  # draft, review or withdrawn
        text("who"),
        number("at"),
        number("version"),
        text("base", default=""),  # the digest of what was published when it was begun
        text("note", default=""),  # what whoever asks for a review, or withdrew it, has to say
    )
    op.create_table(
        "preview",
        number("url_key", key=True),
        of_collection(),
        number("record_key", key=True),
        text("iri"),
        text("url"),
        text("etag", default=""),
        text("state"),
        text("detail", default=""),
        text("file", default=""),
        text("facts", default=""),  # JSON
        number("checked_at", default="0"),
        number("next_at", default="0"),
        text("digest", default=""),  # of the dataset
    )
    op.create_index("preview_by_record", "preview", ["collection_id", "record_key"])
    op.create_index("preview_by_file", "preview", ["file"])
    op.create_index("preview_due", "preview", ["state", "next_at"])


def _peers() -> None:
    op.create_table(
        "peer_day",
        text("peer", key=True),
        number("day", key=True),
        number("visits", default="0"),
        number("failures", default="0"),
        number("slow", default="0"),
    )
    op.create_table(
        "agreement_comment",
        _id(),
        text("name"),  # of the draft, negotiation or agreement
        text("who"),
        number("at"),
        text("said"),
        truth("settled"),
        sqlite_autoincrement=True,
    )
    op.create_index("agreement_comment_by_name", "agreement_comment", ["name"])
