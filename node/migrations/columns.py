"""The kinds of columns that all migrations write, spelt once for both databases.

Imported by the steps in `versions/` alone. A step that has landed must always make the same tables: change nothing here
that one of them uses, add a new kind beside it.
"""

import sqlalchemy as sa

# Code point order on both databases, whatever locale the server was made with: pages walk by slug.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# SQLite gives ids that are never used again only to an INTEGER key with AUTOINCREMENT.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number(name: str, *, key: bool = False, optional: bool = False, default: str | None = None) -> sa.Column[int]:
    """Make a column of 64-bit integers; times are milliseconds since the epoch."""
    return sa.Column(
        name, sa.BigInteger(), primary_key=key, nullable=optional, server_default=default, autoincrement=False
    )


def text(name: str, *, key: bool = False, optional: bool = False, default: str | None = None) -> sa.Column[str]:
    """Make a column of text in code point order."""
    return sa.Column(name, TEXT, primary_key=key, nullable=optional, server_default=default)


def raw(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[bytes]:
    """Make a column of bytes."""
    return sa.Column(name, sa.LargeBinary(), primary_key=key, nullable=optional)


def truth(name: str) -> sa.Column[bool]:
    """Make a column of yes and no; no by default."""
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def of_collection(*, key: bool = True) -> sa.Column[int]:
    """Make the column that says whose journal a row belongs to."""
    return sa.Column(
        "collection_id", ID, sa.ForeignKey("collection.id"), primary_key=key, nullable=False, autoincrement=False
    )
