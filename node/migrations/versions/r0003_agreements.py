"""Tables of agreements: offers, drafts, negotiations with their messages, approvals, and what is in force.

Times are integer milliseconds since the epoch, UTC. What was signed is kept to the byte. `agreement` is a reading of
journals (its follower's) and can be made anew; `counted` is the only table that enforcement writes. Restricted
collections were shared by a list of names (`sharing`); agreements take its place, so it goes.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations.columns import ID, TEXT, number, text, truth

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create every table of agreements."""
    op.drop_table("sharing")
    _offers()
    _negotiations()
    _in_force()
    op.add_column("token", text("agreement", default=""))
    op.add_column("token", text("purpose", default=""))
    op.add_column("token", text("recipient", default=""))  # who holds it, as the agreement's clauses name them


def _offers() -> None:
    op.create_table(
        "offer",
        text("iri", key=True),
        text("target"),  # the IRI of a collection, a bundle, or one record
        text("covers"),  # JSON: the collections (or records) that the target stands for
        text("about"),  # JSON: title, template and what else the offer says beside its rules
        text("rules"),  # JSON: permission, prohibition, obligation
        text("peers", default="[]"),  # JSON: who sees it; empty means every peer
        truth("automatic"),  # agreed to without a person, if it is asked for as it stands
        number("published_at"),
        text("published_by", default=""),
        number("withdrawn_at", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_index("offer_in_order", "offer", ["withdrawn_at", "target", "iri"])
    op.create_table(
        "draft",
        text("id", key=True),
        text("peer"),
        text("role"),  # provider or consumer: what we would be
        text("target"),
        text("covers"),
        text("about"),
        text("rules"),
        text("created_by", default=""),
        number("created_at"),
        text("offer", default=""),  # the IRI of an offer of theirs, if it asks for one
        text("negotiation", default=""),  # what it became when it was proposed
        sqlite_with_rowid=False,
    )


def _negotiations() -> None:
    op.create_table(
        "negotiation",
        text("pid", key=True),  # ours
        text("role"),  # provider or consumer: what we are
        text("peer"),
        text("other_pid", default=""),
        text("other_url"),  # where the other side's endpoints are
        text("state"),  # of DSP; empty before the first message was acknowledged
        text("offer"),  # JSON: @id, target and rules as they stand
        text("about", default="{}"),
        text("offered_by", default=""),  # us or them
        text("terms"),  # digest of the rules and of what stands beside them
        text("agreement", default=""),  # its IRI
        text("message", default=""),  # the agreement as DSP object, JSON
        text("signed", default=""),  # the signed text, with as many proofs as there are
        text("reason", default="{}"),  # JSON: code and reasons of a termination
        text("opened_by", default=""),
        number("created_at"),
        number("changed_at"),
        number("ask_at", default="0"),  # when whoever decides for us is to be asked for the next step; 0: not now
        number("version", default="0"),
        sqlite_with_rowid=False,
    )
    op.create_index("negotiation_of_peer", "negotiation", ["peer", "created_at"])
    op.create_index("negotiation_of_other", "negotiation", ["peer", "role", "other_pid"])
    op.create_index("negotiation_to_ask", "negotiation", ["ask_at"])
    op.create_table(
        "message",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        text("negotiation"),
        number("at"),
        text("direction"),  # in or out
        text("type"),
        text("name", default=""),  # its own @id, by which a repeat is known
        text("digest"),
        text("terms", default=""),  # digest of the terms it carries, if it carries any
        text("body"),
        sqlite_autoincrement=True,
    )
    op.create_index("message_of_negotiation", "message", ["negotiation", "id"])
    op.create_table(
        "outgoing",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        text("kind"),  # dsp or notice
        text("subject"),  # the negotiation, or the agreement a notice is about
        text("peer"),
        text("step", default=""),  # request, offer, accept, agree, verify, finalize, terminate
        text("url"),
        text("body"),
        number("made_at"),
        number("tries", default="0"),
        number("due_at"),
        number("done_at", default="0"),
        text("error", default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("outgoing_due", "outgoing", ["done_at", "due_at"])
    op.create_table(
        "approval",
        text("subject", key=True),  # a negotiation or a draft
        text("terms", key=True),  # digest of what was approved
        text("person", key=True),
        number("at"),
        sqlite_with_rowid=False,
    )


def _in_force() -> None:
    op.create_table(
        "agreement",
        sa.Column("iri", TEXT, primary_key=True),
        text("record"),  # in our journal of that pair
        text("peer"),
        text("role"),
        text("target"),
        text("covers"),
        text("digest"),
        text("signed"),  # the signed text
        text("signed_by", default=""),  # both, or none with a peer that does not sign
        text("title", default=""),
        text("part_of", default=""),
        text("replaces", default=""),
        truth("public"),
        number("agreed_at"),
        number("starts_at", default="0"),
        number("ends_at", default="0"),
        number("review_at", default="0"),
        text("our_state", default=""),  # in-force, suspended, revoked, superseded
        text("our_reason", default=""),
        number("our_at", default="0"),
        sqlite_with_rowid=False,
    )
    # What the other side's journal says; kept apart, since either journal may be read first.
    op.create_table(
        "stated",
        text("peer", key=True),
        text("agreement", key=True),
        text("record"),
        number("seq"),
        text("state"),  # in-force, suspended, revoked, superseded
        text("reason", default=""),
        number("at"),  # as their entry has it
        number("heard_at", default="0"),  # when we heard that it is over, by our own clock; 0: it is not
        sqlite_with_rowid=False,
    )
    op.create_index("agreement_of_peer", "agreement", ["peer", "iri"])
    op.create_table(
        "counted",
        text("agreement", key=True),
        text("rule", key=True),
        text("target", key=True),
        number("uses"),
        sqlite_with_rowid=False,
    )
    op.create_table("reminded", text("agreement", key=True), text("what", key=True), number("at"))
    # Mirrored entries that a deletion duty takes away, and by when.
    op.create_table(
        "blanking",
        text("collection", key=True),  # the local name of the mirror
        text("agreement", key=True),
        number("due_at"),
        number("done_at", default="0"),
        sqlite_with_rowid=False,
    )
    # Under which agreements the stubs of a mirror were asked for again.
    op.create_table("asked_again", text("collection", key=True), text("agreement", key=True), number("at"))
