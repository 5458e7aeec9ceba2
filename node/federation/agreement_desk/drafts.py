"""Drafts of agreements: what this city might propose to another, not yet said to anybody. Owns the table `draft`.

A draft is changed by nobody: other words are another draft, so that approvals, which are of a digest, stay with what
was read. Once proposed it names the negotiation that it became. Two drafts that are parts of one document, such as a
Digital Declaration, name it in `partOf`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from node.db import Database, Row, Tx
from node.errors import Conflict, NotFound
from node.federation.policy import terms_digest

MAX_DRAFTS = 1_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What might be proposed to `peer`, in which we would be `role`.

    `offer` is the IRI of an offer of theirs that it asks for; `negotiation` is what it became, if it was proposed.
    """

    id: str
    peer: str
    role: str
    target: str
    covers: tuple[str, ...]
    about: Mapping[str, Any]
    rules: Mapping[str, Any]
    created_by: str
    created_at: int
    offer: str = ""
    negotiation: str = ""

    @property
    def terms(self) -> str:
        """Give the digest of its terms: what a person approves."""
        return terms_digest(self.target, self.about, self.rules)

    @property
    def title(self) -> str:
        """Give what it is called."""
        return str(self.about.get("title", ""))

    @property
    def document(self) -> str:
        """Give the document that it is a part of, if it is of one."""
        return str(self.about.get("partOf", ""))


_COLUMNS = ", ".join(each.name for each in fields(Draft))
_JSON = ("covers", "about", "rules")


class Drafts:
    """Keeps drafts. Safe to share by threads."""

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        self._db = db

    def add(self, drafts: Sequence[Draft]) -> None:
        """Write drafts, all or none.

        Raises:
            Conflict: There are a thousand that were never proposed.
        """
        marks = ", ".join("?" * len(fields(Draft)))
        with self._db.write() as tx:
            tx.lock("drafts")
            count = tx.row("SELECT count(*) FROM draft WHERE negotiation = ''")
            if count and count[0] + len(drafts) > MAX_DRAFTS:
                raise Conflict(
                    f"There are {MAX_DRAFTS} drafts.", fix="Drop some: citynode agreements revoke DRAFT"
                ).on_page("no.agreement.drafts", most=MAX_DRAFTS)
            tx.many(f"INSERT INTO draft ({_COLUMNS}) VALUES ({marks})", [_row(each) for each in drafts])  # noqa: S608

    def change(self, draft: Draft) -> None:
        """Let a draft say what it says now. Raises Conflict if it was proposed or dropped meanwhile."""
        sql = "UPDATE draft SET about = ?, rules = ? WHERE id = ? AND negotiation = ''"
        with self._db.write() as tx:
            said = (json.dumps(each, ensure_ascii=False) for each in (draft.about, draft.rules))
            if not tx.run(sql, *said, draft.id):
                said_no = f"The draft {draft.id} was proposed already, or dropped."
                raise Conflict(said_no, fix="citynode agreements list").on_page("no.agreement.proposed")

    def get(self, number: str) -> Draft:
        """Give one draft. Raises NotFound."""
        row = self._db.hot().row(f"SELECT {_COLUMNS} FROM draft WHERE id = ?", (number,))  # noqa: S608
        if row is None:
            raise NotFound(
                f"There is no draft {number[:80]}.",
                fix="List them: citynode agreements list",
            ).on_page("no.agreement.draft")
        return _draft(row)

    def waiting(self) -> list[Draft]:
        """Give the drafts that were not proposed yet, the oldest first."""
        sql = f"SELECT {_COLUMNS} FROM draft WHERE negotiation = '' ORDER BY created_at, id"  # noqa: S608
        return [_draft(row) for row in self._db.hot().rows(sql)]

    def named(self, beginning: str) -> list[Draft]:
        """Give the drafts whose id begins so, those that were proposed too; `beginning` is letters, digits, dashes."""
        sql = f"SELECT {_COLUMNS} FROM draft WHERE substr(id, 1, ?) = ? ORDER BY created_at, id"  # noqa: S608
        return [_draft(row) for row in self._db.hot().rows(sql, (len(beginning), beginning))]

    def of(self, negotiation: str) -> Draft | None:
        """Give the draft that a negotiation began with, if it began with one of ours."""
        sql = f"SELECT {_COLUMNS} FROM draft WHERE negotiation = ?"  # noqa: S608
        row = self._db.hot().row(sql, (negotiation,))
        return _draft(row) if row else None

    def proposed(self, tx: Tx, number: str, negotiation: str) -> None:
        """Note what a draft became. Raises Conflict if it was proposed or dropped before."""
        sql = "UPDATE draft SET negotiation = ? WHERE id = ? AND negotiation = ''"
        if not tx.run(sql, negotiation, number):
            raise Conflict(
                f"The draft {number} was proposed already, or dropped.", fix="citynode agreements list"
            ).on_page("no.agreement.proposed")

    def drop(self, number: str) -> None:
        """Forget a draft that was not proposed. Raises Conflict if it was, or if there is none."""
        with self._db.write() as tx:
            if not tx.run("DELETE FROM draft WHERE id = ? AND negotiation = ''", number):
                raise Conflict(
                    f"There is no draft {number} that was not proposed.", fix="citynode agreements list"
                ).on_page("no.agreement.proposed")


def _row(draft: Draft) -> Row:
    cells = [getattr(draft, each.name) for each in fields(Draft)]
    return tuple(cell if isinstance(cell, str | int) else json.dumps(cell, ensure_ascii=False) for cell in cells)


def _draft(row: Row) -> Draft:
    said = dict(zip((each.name for each in fields(Draft)), row, strict=True))
    said |= {name: json.loads(said[name]) for name in _JSON}
    return Draft(**(said | {"covers": tuple(said["covers"])}))
