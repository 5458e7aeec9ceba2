"""The table of pulls: what was wished, how far it has come, and which process works on it.

A process claims a pull for a lease that it renews while it works; whoever has lost the lease, or whose pull was
cancelled, learns of it with its next write and stops. Progress is written only for bytes that are safe on the disk.
Nothing here speaks to anybody.
"""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Literal

from node.db import Database, Row, Tx
from node.errors import AlreadyRunning, Conflict, NotFound, Stopped
from node.federation.moving import PULL, Format, Moved

State = Literal["waiting", "running", "stopped", "done", "failed", "cancelled"]
OVER: frozenset[str] = frozenset({"done", "failed", "cancelled"})
COMMAND_LINE = "command line"  # who wants what a command gets
WORKER = "worker"
LEASE_MS = 15_000
MAX_SAID = 1_000
MAX_LIST = 500
MAX_OPEN = 1_000
MAX_LEFT = 100  # pulls of one wish, the newest, whose files are known to be ours


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants. `dataset` may be an IRI, a name or a title until it was found; `target` where it goes.

    `ask` says whether an agreement may be asked for where there is none; `agreement` names the one that it shall be.
    """

    dataset: str
    purpose: str = ""
    part: str = ""
    peer: str = ""
    target: str = ""
    format: Format = PULL
    by: str = ""
    ask: bool = False
    agreement: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a part has come: so many bytes of the version `etag` are safe on the disk. `digest` once it is whole.

    `file` is what it becomes; `named` tells that it has become that. `mark` is another one as soon as the file of a
    whole part may be another one than was proven.
    """

    got: int = 0
    etag: str = ""
    size: int = -1
    digest: str = ""
    media_type: str = ""
    filtered: bool = False
    file: str = ""
    mark: str = ""
    named: bool = False

    @property
    def is_whole(self) -> bool:
        """Tell whether all of it is here and was proven."""
        return bool(self.digest)


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull as it stands. Times in ms. `negotiation` is what it waits for while there is no agreement.

    `named` is the agreement that somebody named; empty where any that permits it will do.
    """

    id: int
    dataset: str
    part: str
    peer: str
    purpose: str
    format: Format
    target: str
    ask: bool
    agreement: str
    negotiation: str
    transfer: str
    state: State
    said: str
    parts: Mapping[str, Progress] = field(repr=False)
    total: int
    got: int
    by: str
    tries: int
    held_by: str
    held_until: int
    at: int
    changed_at: int
    due_at: int
    named: str = ""

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more comes of it."""
        return self.state in OVER

    def held(self, now_ms: int) -> bool:
        """Tell whether a process works on it now."""
        return self.state == "running" and self.held_until > now_ms


def holder(kind: str) -> str:
    """Name this process as one that works on pulls: `command` or `worker`."""
    return f"{kind} {os.getpid()} on {socket.gethostname()}"


def is_gone(name: str) -> bool:
    """Tell whether a process that held a pull is known to be gone: one of this machine that runs no more."""
    words = name.split(" ", 3)
    if len(words) != 4 or words[2:] != ["on", socket.gethostname()] or not words[1].isdigit():
        return False
    try:
        os.kill(int(words[1]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


_NAMES = tuple(each.name for each in fields(Pull))
_COLUMNS = ", ".join(_NAMES)
_SELECT = f"SELECT {_COLUMNS} FROM pull"  # noqa: S608  (names of columns)
_ANEW = ", transfer = '', agreement = '', negotiation = '', parts = '{}', got = 0, total = 0, tries = 0"
_OVER = ", ".join(repr(each) for each in sorted(OVER))


class PullStore:
    """Reads and keeps pulls. Safe to share by threads and by processes."""

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        self.db = db

    # ---------------------------------------------------------------- reading

    def get(self, number: int) -> Pull:
        """Give one. Raises NotFound."""
        row = self.db.hot().row(f"{_SELECT} WHERE id = ?", (number,))
        if row is None:
            raise NotFound(f"There is no pull {number}.", fix="List them: citynode data pulls list").on_page("no.pull")
        return _pull(row)

    def list(self, *, ended: bool = False, limit: int = MAX_LIST) -> Sequence[Pull]:
        """Give them, the newest first; those that are over only if asked for."""
        where = "" if ended else f" WHERE state NOT IN ({_OVER})"
        rows = self.db.hot().rows(f"{_SELECT}{where} ORDER BY id DESC LIMIT ?", (min(limit, MAX_LIST),))
        return [_pull(row) for row in rows]

    def of_agreement(self, iri: str) -> Sequence[Pull]:
        """Give those of which something came under an agreement, whatever became of it, the newest first."""
        sql = f"{_SELECT} WHERE agreement = ? AND got > 0 ORDER BY id DESC LIMIT ?"
        return [_pull(row) for row in self.db.hot().rows(sql, (iri, MAX_LIST))]

    def of_transfer(self, pid: str) -> Pull | None:
        """Find the pull that a transfer of ours belongs to."""
        row = self.db.hot().row(f"{_SELECT} WHERE transfer = ? ORDER BY id DESC LIMIT 1", (pid,))
        return _pull(row) if row else None

    def is_open(self, pid: str) -> bool:
        """Tell whether a pull that is not over waits for what a transfer of ours brings."""
        found = self.of_transfer(pid)
        return found is not None and not found.is_over

    def books(self, pid: str) -> Sequence[Moved]:
        """Give what we know to be here of a transfer that we pulled, by part."""
        found = self.of_transfer(pid)
        parts = sorted(found.parts.items()) if found else []
        return [Moved(name, each.media_type, each.got, each.digest, each.filtered) for name, each in parts]

    def same(self, wanted: Wanted) -> Pull | None:
        """Find a pull of the same wish that is not over: the same thing, purpose, part, place and terms."""
        sql = (
            f"{_SELECT} WHERE state NOT IN ({_OVER}) AND dataset = ? AND part = ? AND purpose = ? AND target = ?"
            " AND format = ? AND named = ? ORDER BY id DESC LIMIT 1"
        )
        key = (wanted.dataset, wanted.part, wanted.purpose, wanted.target, wanted.format, wanted.agreement)
        row = self.db.hot().row(sql, key)
        return _pull(row) if row else None

    def left(self, dataset: str, purpose: str) -> Mapping[str, Sequence[Progress]]:
        """Give what pulls of a dataset for a purpose have brought here, by file, the newest first."""
        sql = "SELECT state, parts FROM pull WHERE dataset = ? AND purpose = ? ORDER BY id DESC LIMIT ?"
        found: dict[str, list[Progress]] = {}
        for state, parts in self.db.hot().rows(sql, (dataset, purpose, MAX_LEFT)):
            for each in _parts(parts).values():
                if each.is_whole and (each.named or state == "done"):  # an earlier release did not write down `named`
                    found.setdefault(each.file, []).append(each)
        return found

    def due(self, now_ms: int, *, of_one: int = 20, limit: int = 200) -> Sequence[tuple[int, str]]:
        """Give numbers and cities of those that the worker may go on with, the longest waiting first.

        Those of a command are the command's: they come here only once somebody has handed them over. Of one city at
        most `of_one`, so that one with many does not hide the others.
        """
        sql = (
            "SELECT id, peer FROM (SELECT id, peer, due_at, row_number() OVER (PARTITION BY peer ORDER BY due_at, id)"
            " AS turn FROM pull WHERE (state = 'waiting' AND due_at <= ?)"
            " OR (state = 'running' AND held_until <= ? AND held_by LIKE 'worker %')) AS waiting"
            " WHERE turn <= ? ORDER BY due_at, id LIMIT ?"
        )
        return [(int(row[0]), str(row[1])) for row in self.db.hot().rows(sql, (now_ms, now_ms, of_one, limit))]

    def left_lying(self, now_ms: int) -> Sequence[tuple[int, str]]:
        """Give numbers and agreements of those that a command began and nobody is at."""
        sql = (
            "SELECT id, agreement FROM pull WHERE agreement <> '' AND (state = 'stopped'"
            " OR (state = 'running' AND held_until <= ? AND held_by NOT LIKE 'worker %')) ORDER BY id"
        )
        return [(int(row[0]), str(row[1])) for row in self.db.hot().rows(sql, (now_ms,))]

    # ---------------------------------------------------------------- beginning and ending

    def add(self, wanted: Wanted, *, state: State, now_ms: int) -> Pull:
        """Write a new one down. Raises Conflict if another one brings something to the same file, or too many wait."""
        with self.db.write() as tx:
            tx.lock("pulls")
            row = tx.row(f"SELECT count(*) FROM pull WHERE state NOT IN ({_OVER})")  # noqa: S608
            if row and int(row[0]) >= MAX_OPEN:
                raise Conflict(
                    f"{MAX_OPEN} pulls are not over.", fix="Cancel some: citynode data pulls cancel NUMBER"
                ).on_page("no.pull.many", most=MAX_OPEN)
            sql = f"SELECT id FROM pull WHERE state NOT IN ({_OVER}) AND target = ? AND target <> ''"  # noqa: S608
            row = tx.row(sql, wanted.target) if not wanted.target.endswith("/") else None
            if row:
                raise Conflict(
                    f"Pull {row[0]} brings something to {wanted.target}.",
                    fix=f"Name another place, or: citynode data pulls cancel {row[0]}",
                ).on_page("no.pull.same", number=int(row[0]))
            made = tx.row(
                "INSERT INTO pull (dataset, part, peer, purpose, format, target, ask, state, by, at, changed_at,"
                " due_at, named) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                *(wanted.dataset, wanted.part, wanted.peer, wanted.purpose, wanted.format, wanted.target),
                *(wanted.ask, state, wanted.by, now_ms, now_ms, now_ms, wanted.agreement),
            )
        assert made is not None  # noqa: S101 - RETURNING gives a row or raises
        return self.get(int(made[0]))

    def claim(self, number: int, holder: str, now_ms: int) -> Pull:
        """Take a pull for ourselves as long as the lease lasts.

        Raises:
            AlreadyRunning: Another process is at it.
            Conflict: It is over.
        """
        with self.db.write() as tx:
            tx.lock(f"pull:{number}")
            found = self._read(tx.row(f"{_SELECT} WHERE id = ?", number), number)
            if found.is_over:
                raise Conflict(
                    f"Pull {number} is {found.state}.", fix="Ask for the data again: citynode data get"
                ).on_page("no.pull.over", number=number)
            if found.held(now_ms) and found.held_by != holder and not is_gone(found.held_by):
                raise AlreadyRunning(
                    f"{found.held_by} is at pull {number}.", fix="Wait, or: citynode data pulls show"
                ).on_page("no.pull.busy", number=number)
            sql = "UPDATE pull SET state = 'running', held_by = ?, held_until = ?, changed_at = ? WHERE id = ?"
            tx.run(sql, holder, now_ms + LEASE_MS, now_ms, number)
        return self.get(number)

    def hand_over(self, number: int, now_ms: int) -> Pull:
        """Let the worker go on with a pull that nobody is at. Raises Conflict."""
        with self.db.write() as tx:
            tx.lock(f"pull:{number}")
            found = self._read(tx.row(f"{_SELECT} WHERE id = ?", number), number)
            if found.state in ("done", "cancelled") or found.held(now_ms):
                state = "being worked on" if found.held(now_ms) else found.state
                raise Conflict(
                    f"Pull {number} is {state}.",
                    fix="See: citynode data pulls list",
                ).on_page("no.pull.state", number=number)
            # What has failed begins with a new transfer, and nothing of the old one counts as brought by that.
            anew = _ANEW if found.state == "failed" else ""
            sql = f"UPDATE pull SET state = 'waiting', due_at = ?, said = '', changed_at = ?{anew} WHERE id = ?"  # noqa: S608
            tx.run(sql, now_ms, now_ms, number)
        return self.get(number)

    def cancel(self, number: int, now_ms: int) -> Pull:
        """End a pull; whoever is at it stops with its next write. Raises Conflict if it is over."""
        with self.db.write() as tx:
            tx.lock(f"pull:{number}")
            found = self._read(tx.row(f"{_SELECT} WHERE id = ?", number), number)
            if found.is_over:
                raise Conflict(
                    f"Pull {number} is {found.state}.",
                    fix="Nothing needs to be done.",
                ).on_page("no.pull.over", number=number)
            tx.run("UPDATE pull SET state = 'cancelled', said = '', changed_at = ? WHERE id = ?", now_ms, number)
        return self.get(number)

    # ---------------------------------------------------------------- while it is worked on

    def keep(self, pull: Pull, now_ms: int, **changes: object) -> Pull:
        """Write what changed of a pull that is ours, and renew the lease.

        Raises:
            Stopped: It was cancelled, or is another process's by now.
        """
        changes |= {"changed_at": now_ms, "held_until": now_ms + LEASE_MS}
        if not self._write(pull, changes):
            found = self.get(pull.id)
            why = "was cancelled" if found.state == "cancelled" else f"is {found.held_by or 'somebody else'}'s by now"
            raise Stopped(f"Pull {pull.id} {why}.")
        return self.get(pull.id)

    def settle(self, pull: Pull, parts: Mapping[str, Progress], now_ms: int) -> Pull:
        """Write down which parts a pull brings and what files they become.

        Raises:
            Conflict: Another pull that is not over brings one of these files.
            Stopped: It was cancelled, or is another process's by now.
        """
        files = {each.file for each in parts.values()}
        with self.db.write() as tx:
            tx.lock("pulls")
            sql = f"SELECT id, parts FROM pull WHERE state NOT IN ({_OVER}) AND id <> ? AND parts <> '{{}}'"  # noqa: S608
            for number, held in tx.rows(sql, pull.id):
                both = files & {each.file for each in _parts(held).values() if each.file}
                if both:
                    raise Conflict(
                        f"Pull {number} brings {min(both)}.",
                        fix=f"Name another place, wait for it, or: citynode data pulls cancel {number}",
                    ).on_page("no.pull.same", number=number)
            _set(tx, pull, {"parts": parts})
        return self.keep(pull, now_ms)

    def record(self, number: int, parts: Mapping[str, Progress]) -> None:
        """Write down where the parts of a pull are that is over."""
        with self.db.write() as tx:
            tx.run(f"UPDATE pull SET parts = ? WHERE id = ? AND state IN ({_OVER})", _cell(parts), number)  # noqa: S608

    def is_ours(self, pull: Pull) -> bool:
        """Tell whether a pull is still being worked on by us."""
        row = self.db.hot().row("SELECT state, held_by FROM pull WHERE id = ?", (pull.id,))
        return row is not None and (row[0], row[1]) == ("running", pull.held_by)

    def leave(self, pull: Pull, state: State, said: str, now_ms: int, *, due_at: int = 0, tries: int = 0) -> Pull:
        """Let go of a pull, in this state; what was cancelled meanwhile stays so."""
        changes = {
            "tries": tries,
            "state": state,
            "said": said[:MAX_SAID],
            "due_at": due_at,
            "changed_at": now_ms,
            "held_until": 0,
        }
        self._write(pull, changes)
        return self.get(pull.id)

    def _write(self, pull: Pull, changes: Mapping[str, object]) -> bool:
        with self.db.write() as tx:
            return _set(tx, pull, changes)

    @staticmethod
    def _read(row: Row | None, number: int) -> Pull:
        if row is None:
            raise NotFound(f"There is no pull {number}.", fix="List them: citynode data pulls list").on_page("no.pull")
        return _pull(row)


def _set(tx: Tx, pull: Pull, changes: Mapping[str, object]) -> bool:
    sets = ", ".join(f"{name} = ?" for name in changes)
    cells = [_cell(value) for value in changes.values()]
    sql = f"UPDATE pull SET {sets} WHERE id = ? AND state = 'running' AND held_by = ?"  # noqa: S608
    return tx.run(sql, *cells, pull.id, pull.held_by) == 1


def _cell(value: object) -> object:
    if isinstance(value, Mapping):
        return json.dumps({name: asdict(each) for name, each in value.items()}, ensure_ascii=False)
    return value


def _pull(row: Row) -> Pull:
    found = Pull(**dict(zip(_NAMES, row, strict=True)))
    return replace(found, parts=_parts(found.parts), ask=bool(found.ask))


def _parts(said: object) -> dict[str, Progress]:
    return {name: Progress(**each) for name, each in json.loads(str(said)).items()}
