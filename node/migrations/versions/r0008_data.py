"""Tables of data that move: origins, transfers, streams, pulls and pushes, receipts, consent and withdrawals.

Times are integer milliseconds since the epoch, UTC; amounts are bytes. Secrets are sealed. `receipt` is a reading of
the journal of evidence; `data_volume` counts what agreements bound and is the only one that enforcement writes.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations.columns import ID, number, text, truth

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create every table of data that move."""
    _origins()
    _transfers()
    _streams()
    _pulls()
    _pushes()
    _evidence()
    _consent()


def _id() -> sa.Column[int]:
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def _origins() -> None:
    op.create_table(
        "data_origin",
        text("dataset", key=True),  # the record's IRI
        text("name", key=True),  # of the part; of a folder the beginning of its parts' names, or empty
        text("kind"),  # file, folder, https, s3
        text("location"),
        text("media_type", default=""),
        text("credential", default=""),  # the name of one
        text("checksum", default=""),  # sha256:… that was promised for it
        number("at"),
        text("by", default=""),
        text("trouble", default=""),  # why it could not be read last time
        number("trouble_at", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "data_personal",
        text("dataset", key=True),
        text("subject_column", default=""),
        text("consent", default=""),  # the name of a consent source
        number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "data_part",
        text("dataset", key=True),
        text("name", key=True),
        text("etag"),  # that the digest is of
        number("size"),
        text("digest", default=""),
        number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "data_credential",
        text("name", key=True),
        text("kind"),
        text("sealed"),
        number("at"),
        sqlite_with_rowid=False,
    )


def _transfers() -> None:
    op.create_table(
        "transfer",
        text("pid", key=True),  # ours
        text("role"),  # provider or consumer: what we are
        text("peer"),
        text("other_pid", default=""),
        text("other_url"),
        text("state"),  # of DSP; empty before the first message was acknowledged
        text("format"),
        text("agreement"),
        text("dataset", default=""),
        text("part", default=""),
        text("purpose", default=""),
        text("jkt", default=""),
        text("address", default="{}"),  # JSON: the data address, of a pull the provider's, of a push the consumer's
        text("clause", default=""),  # that permits it
        number("used_at", default="0"),  # when it was counted as a use
        text("receipt", default=""),  # as far as it is signed
        text("reason", default="{}"),
        text("paused_by", default=""),  # us, them, or agreement: who may begin it again
        text("opened_by", default=""),
        number("created_at"),
        number("started_at", default="0"),
        number("changed_at"),
        number("ask_at", default="0"),
        number("version", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_index("transfer_of_peer", "transfer", ["peer", "created_at"])
    op.create_index("transfer_of_other", "transfer", ["peer", "role", "other_pid"])
    op.create_index("transfer_of_agreement", "transfer", ["agreement", "state"])
    op.create_index("transfer_to_ask", "transfer", ["ask_at"])
    op.create_table(
        "transfer_message",
        _id(),
        text("transfer"),
        number("at"),
        text("direction"),
        text("type"),
        text("name", default=""),
        text("digest"),
        text("body"),
        sqlite_autoincrement=True,
    )
    op.create_index("transfer_message_of", "transfer_message", ["transfer", "id"])


def _streams() -> None:
    op.create_table(
        "data_stream",
        _id(),
        text("transfer"),
        text("part"),
        text("etag", default=""),
        number("begins"),  # the first byte that was asked for
        number("sent", default="0"),
        text("digest", default=""),  # of what was delivered, where all of it was in one stream
        truth("whole"),  # it went from the first byte to the last
        text("process"),  # which one streams it
        number("begun_at"),
        number("seen_at"),  # when it was last known to be alive
        number("ended_at", default="0"),
        text("how", default=""),  # done, cut, gone, stalled, broken
        sqlite_autoincrement=True,
    )
    op.create_index("data_stream_of", "data_stream", ["transfer", "part", "id"])
    op.create_index("data_stream_open", "data_stream", ["ended_at"])
    op.create_table(
        "data_volume",
        text("agreement", key=True),
        text("rule", key=True),
        text("target", key=True),
        number("bytes"),
        sqlite_with_rowid=False,
    )


def _pulls() -> None:
    op.create_table(
        "pull",
        _id(),
        text("dataset"),
        text("part", default=""),
        text("peer", default=""),
        text("purpose", default=""),
        text("format", default="HttpData-PULL"),
        text("target", default=""),  # where it goes: a path or s3://…
        truth("ask"),  # an agreement may be asked for
        text("agreement", default=""),
        text("negotiation", default=""),  # that it waits for
        text("transfer", default=""),  # our pid
        text("state"),  # waiting, running, stopped, done, failed, cancelled
        text("said", default=""),  # why it stands where it stands
        text("parts", default="{}"),  # JSON: by part how far, etag, digest
        number("total", default="0"),
        number("got", default="0"),
        text("by", default=""),
        number("tries", default="0"),  # in vain, one after the other
        text("held_by", default=""),  # the process that works on it
        number("held_until", default="0"),
        number("at"),
        number("changed_at"),
        number("due_at", default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("pull_due", "pull", ["state", "due_at"])
    op.create_index("pull_of_transfer", "pull", ["transfer"])


def _pushes() -> None:
    op.create_table(
        "push",
        text("transfer", key=True),  # our pid, as provider
        text("part", key=True),
        text("state"),  # waiting, done, failed
        text("media_type", default=""),
        text("etag", default=""),
        number("size", default="-1"),
        number("sent", default="0"),
        text("digest", default=""),
        truth("filtered"),
        number("tries", default="0"),
        number("due_at", default="0"),
        text("error", default=""),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incoming",
        text("transfer", key=True),  # our pid, as consumer
        text("part", key=True),
        number("size", default="-1"),
        number("got", default="0"),
        text("media_type", default=""),
        text("etag", default=""),
        text("digest", default=""),
        truth("filtered"),
        truth("whole"),  # all of it is here, and proven
        number("changed_at"),
        sqlite_with_rowid=False,
    )


def _evidence() -> None:
    op.create_table(
        "receipt",
        text("record", key=True),  # of the statement in the journal of evidence
        text("kind"),  # receipt, difference, one-sided, cut, withdrawal, acknowledgement, erasure
        text("transfer", default=""),
        text("agreement", default=""),
        text("peer", default=""),
        text("dataset", default=""),
        number("at"),
        text("document"),  # JSON
        sqlite_with_rowid=False,
    )
    op.create_index("receipt_of_transfer", "receipt", ["transfer"])
    op.create_index("receipt_of_agreement", "receipt", ["agreement", "at"])
    op.create_index("receipt_in_order", "receipt", ["at", "record"])


def _consent() -> None:
    op.create_table(
        "consent_source",
        text("name", key=True),
        text("kind"),  # file or http
        text("location"),
        text("credential", default=""),
        number("at"),
        number("checked_at", default="0"),
        text("trouble", default=""),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consent_read",  # that rows began to go by consent: never forgotten, since the duty follows the rows
        text("agreement", key=True),
        text("dataset", key=True),
        text("peer", key=True),
        text("purpose", key=True),
        text("source", key=True),  # by whose word
        text("salt"),  # under which we know persons; one for each agreement and dataset, told to nobody
        number("at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "withdrawal",
        text("id", key=True),
        text("direction"),  # out: we tell, in: we heard
        text("peer"),
        text("agreement"),
        text("dataset"),
        text("source", default=""),
        text("salt"),
        text("salted"),  # the key: HMAC-SHA256 of the subject's under the salt
        number("withdrawn_at"),
        number("at"),
        number("acknowledged_at", default="0"),
        number("erased_at", default="0"),
        text("by", default=""),
        text("ours", default=""),  # of what we told: the key under the salt of the read
        sqlite_with_rowid=False,
    )
    op.create_index("withdrawal_open", "withdrawal", ["direction", "erased_at", "at"])
    op.create_index("withdrawal_of", "withdrawal", ["agreement", "dataset", "salted"])
