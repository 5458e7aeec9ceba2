"""The audit trail: who did what to what, when, from where, and how it ended. It only grows. May touch the database.

An act is written down before it is begun and its end after it, so that one that a crash cut off stands there without an
end. What people typed is not kept, but what the act says of itself.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from node.db import Database, Row
from node.errors import NodeError

Way = Literal["desk", "api", "command"]
_MOST_TEXT = 500
_MOST_DETAILS = 20
_PAGE = 500
_COLUMNS = "id, at, who, way, source, act, target, detail, outcome"


@dataclass(frozen=True, slots=True)
class Event:
    """One act. `outcome` is empty (not ended), `done`, or `refused` or `failed` and a code.

    A sign-in that got past the password and no farther than that `needs code` or `needs phone`.
    """

    id: int
    at_ms: int
    who: str
    way: str
    source: str
    act: str
    target: str
    detail: Mapping[str, object]
    outcome: str


@dataclass(slots=True)
class Telling:
    """What an act adds while it goes on: what it is about, if that was not known before, and details for people.

    `outcome` is that of an act that ends without an error.
    """

    target: str = ""
    detail: dict[str, str | int | bool] = field(default_factory=dict)
    outcome: str = "done"


class Trail:
    """The trail of one node."""

    def __init__(self, db: Database, clock_ms: Callable[[], int]) -> None:
        self._db, self._clock_ms = db, clock_ms

    def begin(self, *, who: str, way: Way, source: str, act: str, target: str = "") -> int:
        """Write down that an act begins; gives its number."""
        with self._db.write() as tx:
            row = tx.row(
                "INSERT INTO audit (at, who, way, source, act, target) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
                *(self._clock_ms(), _cut(who), way, _cut(source), act, _cut(target)),
            )
        return int(row[0]) if row else 0

    def end(self, number: int, outcome: str, told: Telling | None = None) -> None:
        """Write down how it ended."""
        told = told or Telling()
        detail = json.dumps(_few(told.detail), ensure_ascii=False) if told.detail else ""
        with self._db.write() as tx:
            tx.run(
                "UPDATE audit SET outcome = ?, detail = ?, target = CASE WHEN ? = '' THEN target ELSE ? END"
                " WHERE id = ? AND outcome = ''",
                *(_cut(outcome), detail, told.target, _cut(told.target), number),
            )

    @contextmanager
    def act(self, *, who: str, way: Way, source: str, act: str, target: str = "") -> Iterator[Telling]:
        """Write down an act around its doing; an error of ours is its outcome and goes on."""
        number, told = self.begin(who=who, way=way, source=source, act=act, target=target), Telling()
        try:
            yield told
        except NodeError as error:
            self.end(number, f"refused {error.code}", told)
            raise
        except BaseException:
            self.end(number, "failed", told)
            raise
        self.end(number, told.outcome, told)

    def list(
        self, *, who: str = "", act: str = "", since_ms: int = 0, until_ms: int = 0, before: int = 0, limit: int = 100
    ) -> Sequence[Event]:
        """List acts, the newest first; `act` may be the beginning of a code, `before` the number to go on from."""
        narrowed: list[tuple[str, str | int]] = [("who = ?", who), ("at < ?", until_ms), ("id < ?", before)]
        asked = [("at >= ?", since_ms), *((where, value) for where, value in narrowed if value)]
        wheres, given = [where for where, _ in asked], [value for _, value in asked]
        if act:
            wheres.append("substr(act, 1, ?) = ?")
            given += [len(act), act]
        with self._db.read() as tx:
            rows = tx.rows(
                f"SELECT {_COLUMNS} FROM audit WHERE {' AND '.join(wheres)} ORDER BY id DESC LIMIT ?",  # noqa: S608
                *given,
                min(limit, _PAGE),
            )
        return [_event(row) for row in rows]


def _cut(text: str) -> str:
    """Keep the beginning, of what can be written: an argument of a command may be no text, and a path hold anything."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:_MOST_TEXT])


def _few(detail: Mapping[str, str | int | bool]) -> dict[str, str | int | bool]:
    """Keep details few and short: whole or not at all, since they are read again."""
    kept = list(detail.items())[:_MOST_DETAILS]
    return {_cut(name): _cut(value) if isinstance(value, str) else value for name, value in kept}


def _event(row: Row) -> Event:
    number, at, who, way, source, act, target, detail, outcome = row
    return Event(number, at, who, way, source, act, target, json.loads(detail or "{}"), outcome)
