"""Negotiations at rest: how each stands, and every message that was said in it. Owns `negotiation` and `message`.

A change is written together with the message that caused it, under the negotiation's own lock, and counts its version
up: whoever decided on an older one decides again. Messages are never removed: they are what two versions are compared
by, and what an auditor reads. Nothing here sends or judges.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

from node.db import Database, Row, Tx
from node.errors import NotFound
from node.federation.negotiation import Json, Kind, Negotiation, Role

MAX_MESSAGES = 500
_ROUND = 200
Direction = Literal["in", "out"]
_JSON = {"offer", "about", "reason"}
_READ = {"sending", "trouble"}  # from what waits
_NAMES = tuple(each.name for each in fields(Negotiation) if each.name not in _READ)
_COLUMNS = ", ".join(_NAMES)
_WAITING = "SELECT subject, step, error FROM outgoing WHERE done_at = 0 AND kind = 'dsp'"
_OPEN = "state NOT IN ('FINALIZED', 'TERMINATED')"
_FIELDS = "at, direction, type, name, digest, terms, body"


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it was said. `name` is its own @id, `terms` the digest of the terms it carried, `body` the bytes."""

    at: int
    direction: Direction
    kind: Kind
    name: str
    digest: str
    terms: str
    body: str


class NegotiationStore:
    """Reads and keeps negotiations. Safe to share by threads."""

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        self.db = db

    # ---------------------------------------------------------------- reading

    def get(self, pid: str) -> Negotiation:
        """Give one negotiation by our id.

        Raises:
            NotFound: There is none.
        """
        with self.db.read() as tx:
            return self._read(tx, pid)

    def list(self, *, peer: str = "", offset: int = 0, limit: int = 100) -> Sequence[Negotiation]:
        """Give negotiations, the newest first: all, or those with one city."""
        where, params = ("peer = ?", (peer,)) if peer else ("1 = 1", ())
        return self._where(where, *params, cut=(limit, offset))

    def open(self) -> Sequence[Negotiation]:
        """Give all that have not ended, the newest first: so many with each city as may be open with one."""
        return self._where(_OPEN)

    def ended(self, *, peer: str = "", limit: int) -> Sequence[Negotiation]:
        """Give the newest of those that ended without an agreement: of all, or of those with one city."""
        where, params = (" AND peer = ?", (peer,)) if peer else ("", ())
        return self._where("state = 'TERMINATED'" + where, *params, cut=(limit, 0))

    def named(self, beginning: str) -> Sequence[Negotiation]:
        """Give those whose id of ours begins so, the newest first."""
        return self._where("substr(pid, 1, ?) = ?", len(beginning), beginning)

    def of_agreement(self, iri: str) -> Negotiation | None:
        """Give the one in which an agreement was written, if it was in one."""
        found = self._where("agreement = ?", iri, cut=(1, 0)) if iri else ()
        return found[0] if found else None

    def parts_of(self, document: str) -> Sequence[Negotiation]:
        """Give those about a part of a document that are open or ended in an agreement, the newest first."""
        written = json.dumps({"partOf": document}, ensure_ascii=False)[1:-1]
        for special in "!%_":
            written = written.replace(special, "!" + special)
        found = self._where("state <> 'TERMINATED' AND about LIKE ? ESCAPE '!'", f"%{written}%")
        # LIKE looks at the text of the JSON, deeper values included, and in SQLite at letters of either case.
        return [each for each in found if each.about.get("partOf") == document]

    def _where(self, where: str, *params: object, cut: tuple[int, int] | None = None) -> Sequence[Negotiation]:
        """Read those of a condition, the newest first; `cut` is how many of them, and from which on."""
        part = " LIMIT ? OFFSET ?" if cut else ""
        sql = f"SELECT {_COLUMNS} FROM negotiation WHERE {where} ORDER BY created_at DESC, pid{part}"  # noqa: S608
        with self.db.read() as tx:
            rows = tx.rows(sql, *params, *(cut or ()))
            waiting: dict[str, list[Row]] = {}
            for each in tx.rows(_WAITING + " ORDER BY id") if rows else ():
                waiting.setdefault(each[0], []).append(each)
        return [_negotiation(row, waiting.get(row[0], [])) for row in rows]

    def versions(self, pid: str) -> int:
        """Count the different terms that were said in a negotiation."""
        sql = "SELECT count(DISTINCT terms) FROM message WHERE negotiation = ? AND terms <> ''"
        row = self.db.hot().row(sql, (pid,))
        return int(row[0]) if row else 0

    def messages(self, pid: str) -> Sequence[Said]:
        """Give what was said in a negotiation, in order."""
        sql = f"SELECT {_FIELDS} FROM message WHERE negotiation = ? ORDER BY id"  # noqa: S608
        return [Said(*row) for row in self.db.hot().rows(sql, (pid,))]

    def to_ask(self, now_ms: int, pid: str = "") -> Sequence[str]:
        """Give those whose next step of ours is to be decided, the longest waiting first."""
        one = " AND pid = ?" if pid else ""
        sql = f"SELECT pid FROM negotiation WHERE ask_at > 0 AND ask_at <= ?{one} ORDER BY ask_at LIMIT {_ROUND}"  # noqa: S608
        return [row[0] for row in self.db.hot().rows(sql, (now_ms, *([pid] if pid else [])))]

    def has_to_ask(self, now_ms: int) -> bool:
        """Tell whether the next step of any is to be decided."""
        sql = "SELECT 1 FROM negotiation WHERE ask_at > 0 AND ask_at <= ? LIMIT 1"
        return self.db.hot().row(sql, (now_ms,)) is not None

    # ---------------------------------------------------------------- in a transaction

    def held(self, tx: Tx, pid: str) -> Negotiation:
        """Give one negotiation and keep others from changing it until the transaction ends.

        Raises:
            NotFound: There is none.
        """
        tx.lock(f"negotiation:{pid}")
        return self._read(tx, pid)

    def begun(self, tx: Tx, peer: str, role: Role, other_pid: str) -> Negotiation | None:
        """Find what the other side began under this id, keeping others from beginning it meanwhile."""
        tx.lock(f"negotiation of {peer}:{other_pid}")
        sql = "SELECT pid FROM negotiation WHERE peer = ? AND role = ? AND other_pid = ?"
        row = tx.row(sql, peer, role, other_pid)
        return self.held(tx, row[0]) if row else None

    def insert(self, tx: Tx, negotiation: Negotiation) -> None:
        """Write a new negotiation."""
        marks = ", ".join("?" for _ in _NAMES)
        cells = [_cell(getattr(negotiation, name)) for name in _NAMES]
        tx.run(f"INSERT INTO negotiation ({_COLUMNS}) VALUES ({marks})", *cells)  # noqa: S608

    def change(self, tx: Tx, negotiation: Negotiation, *, at_ms: int, **changes: object) -> Negotiation:
        """Write what changed of a negotiation that is held, and give it as it is now."""
        changes |= {"changed_at": at_ms, "version": negotiation.version + 1}
        sets = ", ".join(f"{name} = ?" for name in changes)
        cells = [_cell(value) for value in changes.values()]
        tx.run(f"UPDATE negotiation SET {sets} WHERE pid = ?", *cells, negotiation.pid)  # noqa: S608
        return self._read(tx, negotiation.pid)

    def asked(self, tx: Tx, seen: Negotiation, *, ask_at: int) -> bool:
        """Note when the decider is to be asked again, 0 for not before something changes; False if something has."""
        sql = "UPDATE negotiation SET ask_at = ? WHERE pid = ? AND version = ?"
        return tx.run(sql, ask_at, seen.pid, seen.version) == 1

    def open_with(self, tx: Tx, peer: str) -> int:
        """Count what has not ended with a city."""
        sql = f"SELECT count(*) FROM negotiation WHERE peer = ? AND {_OPEN}"  # noqa: S608
        row = tx.row(sql, peer)
        return int(row[0]) if row else 0

    def knows_agreement(self, tx: Tx, iri: str, *, beside: str) -> bool:
        """Tell whether an agreement of this name is held, or was written in another negotiation than this one.

        Keeps others from writing one of this name until the transaction ends.
        """
        tx.lock(f"agreement:{iri}")
        elsewhere = tx.row("SELECT 1 FROM negotiation WHERE agreement = ? AND pid <> ?", iri, beside)
        return elsewhere is not None or tx.row("SELECT 1 FROM agreement WHERE iri = ?", iri) is not None

    def say(self, tx: Tx, pid: str, said: Said) -> None:
        """Keep a message."""
        tx.run(
            f"INSERT INTO message (negotiation, {_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            *(pid, said.at, said.direction, said.kind, said.name, said.digest, said.terms, said.body),
        )

    def heard(self, tx: Tx, pid: str, *, digest: str, name: str) -> Said | None:
        """Find a message of the other side that this one repeats: the same bytes, or the same id of its own."""
        sql = (
            f"SELECT {_FIELDS} FROM message WHERE negotiation = ? AND direction = 'in'"  # noqa: S608
            " AND (digest = ? OR (name <> '' AND name = ?)) ORDER BY id DESC LIMIT 1"
        )
        row = tx.row(sql, pid, digest, name)
        return Said(*row) if row else None

    def count(self, tx: Tx, pid: str) -> int:
        """Count what was said in a negotiation."""
        row = tx.row("SELECT count(*) FROM message WHERE negotiation = ?", pid)
        return int(row[0]) if row else 0

    def _read(self, tx: Tx, pid: str) -> Negotiation:
        row = tx.row(f"SELECT {_COLUMNS} FROM negotiation WHERE pid = ?", pid)  # noqa: S608
        if row is None:
            raise NotFound("There is no such negotiation.", fix="List them: citynode agreements list")
        return _negotiation(row, tx.rows(_WAITING + " AND subject = ? ORDER BY id", pid))


def _negotiation(row: Row, waiting: Sequence[Row]) -> Negotiation:
    said = dict(zip(_NAMES, row, strict=True))
    read: dict[str, Json] = {name: json.loads(said[name]) for name in _JSON}
    sending = tuple(step for _, step, _ in waiting)
    return Negotiation(**(said | read), sending=sending, trouble=waiting[0][2] if waiting else "")


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else value
