"""What a negotiation and a transfer have in common at rest: how each stands, and every message that was said in it.

One table of dialogues and one of their messages, named by whoever owns them. A change is written together with the
message that caused it, under the dialogue's own lock, and counts its version up: whoever decided on an older one
decides again. Messages are never removed. What waits to be sent is read from `outgoing`. Nothing here sends or judges.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import quote

from node.db import Database, Row, Tx
from node.errors import NotFound
from node.federation.turns import Dialogue

_ROUND = 200
_READ = {"sending", "trouble"}  # from what waits
Direction = Literal["in", "out"]


def digest_of(body: str) -> str:
    """Name a message by its content."""
    return "sha256:" + sha256(body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the other side; what it does not have is empty. `body` is its canonical JSON."""

    kind: Any
    name: str
    body: str = field(repr=False)
    consumer_pid: str
    provider_pid: str
    code: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Name it by its content."""
        return digest_of(self.body)


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it was said. `name` is its own @id, `terms` the digest of the terms it carried, `body` the bytes."""

    at: int
    direction: Direction
    kind: Any
    name: str
    digest: str
    terms: str
    body: str


D = TypeVar("D", bound=Dialogue)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where dialogues of one kind are kept: their table, that of their messages, and how they are called.

    `owner` is the column of a message that names its dialogue, `kind` what waits in `outgoing` for them, `parsed` the
    members that are JSON, `final` the states in which they have ended. `paths` are the last steps of the addresses to
    which their messages go, `another` says what to do when one cannot go on.
    """

    table: str
    messages: str
    owner: str
    kind: str
    parsed: frozenset[str]
    final: tuple[str, ...]
    has_terms: bool
    missing: NotFound
    paths: Mapping[Any, str]
    another: str

    @property
    def open(self) -> str:
        """Give the condition of those that have not ended."""
        return f"state NOT IN ({', '.join(repr(each) for each in self.final)})"

    def address(self, base: str, kind: str, other_pid: str) -> str:
        """Give where a message goes; without the other side's pid it is the one that begins."""
        pid = f"/{quote(other_pid, safe='')}" if other_pid else ""
        return f"{base}/{self.table}s{pid}/{self.paths[kind]}"

    def state_address(self, base: str, other_pid: str) -> str:
        """Give where the other side says how it stands."""
        return f"{base}/{self.table}s/{quote(other_pid, safe='')}"

    @property
    def said(self) -> Mapping[str, str]:
        """Give the columns of a message by member."""
        names = {"at": "at", "direction": "direction", "kind": "type", "name": "name", "digest": "digest"}
        return names | ({"terms": "terms"} if self.has_terms else {}) | {"body": "body"}


class Dialogues(Generic[D]):
    """Reads and keeps dialogues of one kind. Safe to share by threads."""

    shape: ClassVar[Shape]

    def __init__(self, db: Database, of: Callable[..., D]) -> None:
        """Keep them in this database, as values of this class."""
        self.db, self._of = db, of
        self._names = tuple(each.name for each in fields(of) if each.name not in _READ)  # type: ignore[arg-type]
        self._columns = ", ".join(self._names)
        self._said = ", ".join(self.shape.said.values())

    # ---------------------------------------------------------------- reading

    def get(self, pid: str) -> D:
        """Give one by our id.

        Raises:
            NotFound: There is none.
        """
        # One statement, so that what it says is of one moment: the door of data asks at each request.
        names = ", ".join(f"d.{name}" for name in self._names)
        sql = (
            f"SELECT {names}, o.subject, o.step, o.error FROM {self.shape.table} d"  # noqa: S608
            " LEFT JOIN outgoing o ON o.done_at = 0 AND o.kind = ? AND o.subject = d.pid WHERE d.pid = ? ORDER BY o.id"
        )
        rows = self.db.hot().rows(sql, (self.shape.kind, pid))
        if not rows:
            raise self._missing()
        return self._made(rows[0][:-3], [row[-3:] for row in rows if row[-3] is not None])

    def list(self, *, peer: str = "", offset: int = 0, limit: int = 100) -> Sequence[D]:
        """Give them, the newest first: all, or those with one city."""
        where, params = ("peer = ?", (peer,)) if peer else ("1 = 1", ())
        return self._where(where, *params, cut=(limit, offset))

    def open(self) -> Sequence[D]:
        """Give all that have not ended, the newest first: so many with each city as may be open with one."""
        return self._where(self.shape.open)

    def named(self, beginning: str) -> Sequence[D]:
        """Give those whose id of ours begins so, the newest first."""
        return self._where("substr(pid, 1, ?) = ?", len(beginning), beginning)

    def _where(self, where: str, *params: object, cut: tuple[int, int] | None = None) -> Sequence[D]:
        """Read those of a condition, the newest first; `cut` is how many of them, and from which on."""
        part = " LIMIT ? OFFSET ?" if cut else ""
        sql = f"SELECT {self._columns} FROM {self.shape.table} WHERE {where} ORDER BY created_at DESC, pid{part}"  # noqa: S608
        with self.db.read() as tx:
            rows = tx.rows(sql, *params, *(cut or ()))
            waiting: dict[str, list[Row]] = {}
            for each in tx.rows(self._waiting("ORDER BY id"), self.shape.kind) if rows else ():
                waiting.setdefault(each[0], []).append(each)
        return [self._made(row, waiting.get(row[0], [])) for row in rows]

    def messages(self, pid: str) -> Sequence[Said]:
        """Give what was said in one, in order."""
        sql = f"SELECT {self._said} FROM {self.shape.messages} WHERE {self.shape.owner} = ? ORDER BY id"  # noqa: S608
        return [self._as_said(row) for row in self.db.hot().rows(sql, (pid,))]

    def to_ask(self, now_ms: int, pid: str = "") -> Sequence[str]:
        """Give those whose next step of ours is to be decided, the longest waiting first."""
        one = " AND pid = ?" if pid else ""
        sql = f"SELECT pid FROM {self.shape.table} WHERE ask_at > 0 AND ask_at <= ?{one} ORDER BY ask_at LIMIT {_ROUND}"  # noqa: S608
        return [row[0] for row in self.db.hot().rows(sql, (now_ms, *([pid] if pid else [])))]

    def has_to_ask(self, now_ms: int) -> bool:
        """Tell whether the next step of any is to be decided."""
        sql = f"SELECT 1 FROM {self.shape.table} WHERE ask_at > 0 AND ask_at <= ? LIMIT 1"  # noqa: S608
        return self.db.hot().row(sql, (now_ms,)) is not None

    # ---------------------------------------------------------------- in a transaction

    def held(self, tx: Tx, pid: str) -> D:
        """Give one and keep others from changing it until the transaction ends.

        Raises:
            NotFound: There is none.
        """
        tx.lock(f"{self.shape.table}:{pid}")
        return self._read(tx, pid)

    def begun(self, tx: Tx, peer: str, role: str, other_pid: str) -> D | None:
        """Find what the other side began under this id, keeping others from beginning it meanwhile."""
        tx.lock(f"{self.shape.table} of {peer}:{other_pid}")
        sql = f"SELECT pid FROM {self.shape.table} WHERE peer = ? AND role = ? AND other_pid = ?"  # noqa: S608
        row = tx.row(sql, peer, role, other_pid)
        return self.held(tx, row[0]) if row else None

    def insert(self, tx: Tx, dialogue: D) -> None:
        """Write a new one."""
        marks = ", ".join("?" for _ in self._names)
        cells = [_cell(getattr(dialogue, name)) for name in self._names]
        tx.run(f"INSERT INTO {self.shape.table} ({self._columns}) VALUES ({marks})", *cells)  # noqa: S608

    def change(self, tx: Tx, dialogue: D, *, at_ms: int, **changes: object) -> D:
        """Write what changed of one that is held, and give it as it is now."""
        changes |= {"changed_at": at_ms, "version": dialogue.version + 1}
        sets = ", ".join(f"{name} = ?" for name in changes)
        cells = [_cell(value) for value in changes.values()]
        tx.run(f"UPDATE {self.shape.table} SET {sets} WHERE pid = ?", *cells, dialogue.pid)  # noqa: S608
        return self._read(tx, dialogue.pid)

    def asked(self, tx: Tx, seen: D, *, ask_at: int) -> bool:
        """Note when the decider is to be asked again, 0 for not before something changes; False if something has."""
        sql = f"UPDATE {self.shape.table} SET ask_at = ? WHERE pid = ? AND version = ?"  # noqa: S608
        return tx.run(sql, ask_at, seen.pid, seen.version) == 1

    def open_with(self, tx: Tx, peer: str) -> int:
        """Count what has not ended with a city."""
        sql = f"SELECT count(*) FROM {self.shape.table} WHERE peer = ? AND {self.shape.open}"  # noqa: S608
        row = tx.row(sql, peer)
        return int(row[0]) if row else 0

    def say(self, tx: Tx, pid: str, said: Said) -> None:
        """Keep a message."""
        cells = [getattr(said, name) for name in self.shape.said]
        marks = ", ".join("?" for _ in cells)
        sql = f"INSERT INTO {self.shape.messages} ({self.shape.owner}, {self._said}) VALUES (?, {marks})"  # noqa: S608
        tx.run(sql, pid, *cells)

    def heard(self, tx: Tx, pid: str, *, digest: str, name: str) -> Said | None:
        """Find a message of the other side that this one repeats: the same bytes, or the same id of its own."""
        sql = (
            f"SELECT {self._said} FROM {self.shape.messages} WHERE {self.shape.owner} = ? AND direction = 'in'"  # noqa: S608
            " AND (digest = ? OR (name <> '' AND name = ?)) ORDER BY id DESC LIMIT 1"
        )
        row = tx.row(sql, pid, digest, name)
        return self._as_said(row) if row else None

    def count(self, tx: Tx, pid: str) -> int:
        """Count what was said in one."""
        row = tx.row(f"SELECT count(*) FROM {self.shape.messages} WHERE {self.shape.owner} = ?", pid)  # noqa: S608
        return int(row[0]) if row else 0

    # ---------------------------------------------------------------- rows

    def _read(self, tx: Tx, pid: str) -> D:
        row = tx.row(f"SELECT {self._columns} FROM {self.shape.table} WHERE pid = ?", pid)  # noqa: S608
        if row is None:
            raise self._missing()
        return self._made(row, tx.rows(self._waiting("AND subject = ? ORDER BY id"), self.shape.kind, pid))

    def _missing(self) -> NotFound:
        missing = self.shape.missing
        return NotFound(missing.message, fix=missing.fix).on_page(missing.said[0])

    @staticmethod
    def _waiting(rest: str) -> str:
        return f"SELECT subject, step, error FROM outgoing WHERE done_at = 0 AND kind = ? {rest}"  # noqa: S608

    def _made(self, row: Row, waiting: Iterable[Row]) -> D:
        members: dict[str, Any] = dict(zip(self._names, row, strict=True))
        members |= {name: json.loads(members[name]) for name in self.shape.parsed}
        known = list(waiting)
        return self._of(**members, sending=tuple(each[1] for each in known), trouble=known[0][2] if known else "")

    def _as_said(self, row: Row) -> Said:
        return Said(**({"terms": ""} | dict(zip(self.shape.said, row, strict=True))))


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, Mapping) else value
