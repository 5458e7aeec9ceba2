"""Tables of knowledge: which records point to which, what is due for review, what was submitted, what was inspected.

Times are integer milliseconds since the epoch, UTC; days are counted since the epoch. `knowledge`, `relation` and
`inspection` are readings and can be made again; a submission is kept until it is decided.
"""

from alembic import op

from node.migrations.columns import number, of_collection, text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create every table of knowledge."""
    _relations()
    _submissions()
    _inspections()


def _relations() -> None:
    op.create_table(
        "knowledge",
        of_collection(),
        number("record_key", key=True),
        text("iri"),
        text("kind"),
        number("seq"),  # of the entry that it was read from
        number("review_day", optional=True),
        sqlite_with_rowid=False,
    )
    op.create_index("knowledge_by_entry", "knowledge", ["collection_id", "seq"])
    op.create_index("knowledge_by_review", "knowledge", ["review_day"])
    op.create_table(
        "relation",
        of_collection(),
        number("record_key", key=True),
        text("name", key=True),  # the field that says it: adopts, evidence.source …
        number("target_key", key=True),
        text("target"),
        sqlite_with_rowid=False,
    )
    op.create_index("relation_into", "relation", ["target_key"])


def _submissions() -> None:
    op.create_table(
        "submission",
        text("id", key=True),
        text("kind"),
        text("said"),  # JSON; empty once it is decided, like the contact
        text("contact", default=""),
        text("state"),  # waiting, accepting, accepted, refused
        text("reason", default=""),
        number("at"),
        number("decided_at", default="0"),
        text("record", default=""),  # the slug, promised or given
        text("caller", default=""),  # a hash, for one day
        text("secret"),  # its hash
        text("title_key"),
        text("url_key", default=""),
        sqlite_with_rowid=False,
    )
    op.create_index("submission_by_state", "submission", ["state", "at"])
    op.create_index("submission_of_caller", "submission", ["caller", "at"])
    op.create_index("submission_by_title", "submission", ["kind", "title_key"])
    op.create_index("submission_by_url", "submission", ["kind", "url_key"])


def _inspections() -> None:
    op.create_table(
        "inspection",
        number("url_key", key=True),
        of_collection(key=False),
        number("record_key"),
        text("iri"),
        text("slug"),  # of the city model's record
        text("digest"),  # of the dataset when it was read
        text("url"),
        text("etag", default=""),
        text("state"),
        text("detail", default=""),
        number("checked_at", default="0"),
        number("next_at", default="0"),
        text("facts", default=""),
        sqlite_with_rowid=False,
    )
    op.create_index("inspection_of", "inspection", ["collection_id", "record_key"])
    op.create_index("inspection_by_time", "inspection", ["state", "next_at"])
