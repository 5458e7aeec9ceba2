"""Comments on agreements: what the city's own staff say to each other about a draft, a negotiation or an agreement.

They stay here: no message of ours carries one, no export, no record. A comment is written under the name that the thing
has at the time; a draft becomes a negotiation and that an agreement, so the comments of a thing are those under every
name that it ever had (`names_of` in the office). Owns the table `agreement_comment`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.db import Database
from node.errors import Malformed, NotFound, TooLarge
from node.federation.agreements.text import holds_unseen

MAX_TEXT = 2_000
MAX_COMMENTS = 500
_COLUMNS = "id, name, who, at, said, settled"
_ADD = "INSERT INTO agreement_comment (name, who, at, said) VALUES (?, ?, ?, ?)"
_SETTLE = "UPDATE agreement_comment SET settled = ? WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about a thing of this name, and whether it is settled."""

    id: int
    name: str
    who: str
    at_ms: int
    said: str
    settled: bool


class Comments:
    """Keeps comments. Safe to share by threads and processes."""

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        self._db = db

    def of(self, names: Sequence[str]) -> list[Comment]:
        """Give the comments under any of these names, the oldest first."""
        if not names:
            return []
        marks = ", ".join("?" * len(names))
        sql = f"SELECT {_COLUMNS} FROM agreement_comment WHERE name IN ({marks}) ORDER BY at, id LIMIT ?"  # noqa: S608
        return [_comment(*row) for row in self._db.hot().rows(sql, (*names, MAX_COMMENTS))]

    def add(self, name: str, names: Sequence[str], said: str, *, who: str, at_ms: int) -> None:
        """Write a comment about a thing.

        Args:
            name: What the thing is called now.
            names: Every name that it ever had, this one among them.
            said: The comment: lines of what can be seen.
            who: Who says it.
            at_ms: When.

        Raises:
            Malformed: It is empty or too long, or holds what cannot be seen.
            TooLarge: There are hundreds already.
        """
        text = said.replace("\r\n", "\n").strip()
        if not text or len(text) > MAX_TEXT or holds_unseen(text.replace("\n", " ")):
            raise Malformed(
                f"A comment is plain text of 1 to {MAX_TEXT} characters.",
                fix="Write it shorter.",
            ).on_page("no.agreement.comment", field="said", most=MAX_TEXT)
        with self._db.write() as tx:
            tx.lock(f"comments/{name}")
            if len(self.of(names)) >= MAX_COMMENTS:
                raise TooLarge(
                    f"There are {MAX_COMMENTS} comments on it.",
                    fix="Go on in another way.",
                ).on_page("no.agreement.comments", most=MAX_COMMENTS)
            tx.run(_ADD, name, who, at_ms, text)

    def settle(self, number: int, names: Sequence[str], *, settled: bool) -> None:
        """Note that a comment is settled, or that it is open again. Raises NotFound unless it is about this thing."""
        if all(each.id != number for each in self.of(names)):
            raise NotFound(
                f"There is no comment {number} on it.", fix="List them: citynode agreements comments NAME"
            ).on_page("no.agreement.no_comment")
        with self._db.write() as tx:
            tx.run(_SETTLE, settled, number)


def _comment(number: int, name: str, who: str, at_ms: int, said: str, settled: object) -> Comment:
    return Comment(int(number), name, who, int(at_ms), said, bool(settled))
