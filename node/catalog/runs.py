"""Harvest runs as they are kept: states, signs of life, counts, and what was refused or held.

queued → running → succeeded | partial | failed | cancelled. Whoever may not harvest itself (the web) asks for a run and
the worker takes it. A run whose process is gone, or that gave no sign of life for ten minutes, is failed at the next
look and never shown as running. Added, changed and withdrawn records are not
copied here: a run keeps the ranges of entries it wrote, and the journal says the rest. Owns `run` and `run_row`.
"""

import json
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from node.db import Database, Tx
from node.errors import AlreadyRunning, Conflict, NotFound

State = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
# What a run is to do: read the source, read it even if it says that it is unchanged, or take down all it published.
Order = Literal["harvest", "full", "withdraw"]
STAGES = ("reach", "read", "check", "publish", "withdraw")
SILENT_MS = 10 * 60 * 1000
_MOST = (2_000, 32_768)  # of a message, and of a sample's payload
ENDED: tuple[State, ...] = ("succeeded", "partial", "failed", "cancelled")
_COLUMNS = (
    "id, source, state, dry, started_at, heartbeat_at, deadline_at, ended_at, stage, counters, reason, ranges,"
    ' "trigger", cancel_requested, pid_host'
)


@dataclass(slots=True)
class Counters:
    """What a run did so far; `read` counts records looked at, `total` those the source holds if it is known."""

    read: int = 0
    total: int | None = None
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    refused: int = 0
    held: int = 0
    with_findings: int = 0


@dataclass(slots=True)
class Step:
    """One stage of a run: when it began and was last at work, and how far it is; `total` is None if nobody knows."""

    stage: str
    first_ms: int
    last_ms: int
    done: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about withdrawals that were held: how many went and stayed, and a word on why."""

    by: str
    at_ms: int
    withdrawn: int
    kept: int
    word: str = ""


@dataclass(slots=True)
class Run:
    """One run. Times are milliseconds since the epoch, UTC, 0 if it did not happen yet."""

    id: int
    source: str
    state: State
    dry: bool
    started_ms: int
    heartbeat_ms: int
    deadline_ms: int
    ended_ms: int
    stage: str
    counters: Counters
    reason: str
    ranges: list[tuple[str, int, int]]
    trigger: str
    cancel_requested: bool
    holder: str
    notes: list[str] = field(default_factory=list)
    collection: str = ""  # that its source fed when it began
    code: str = ""  # of the error that ended it (see node.errors), empty if none did
    order: Order = "harvest"
    steps: list[Step] = field(default_factory=list)
    decision: Decision | None = None

    def eta_ms(self, now_ms: int) -> int | None:
        """Guess how long the rest takes from the rate so far; None while nothing can be said."""
        if self.state != "running" or not self.counters.total or not self.counters.read:
            return None
        left = max(0, self.counters.total - self.counters.read)
        return int((now_ms - self.started_ms) * left / self.counters.read)

    def at_work(self, stage: str, done: int, total: int | None, *, now_ms: int) -> None:
        """Note that a stage is at work; the stages of later batches count for the first time they were seen."""
        self.stage = stage
        step = next((each for each in self.steps if each.stage == stage), None)
        if step is None:
            step = Step(stage, now_ms, now_ms)
            self.steps.append(step)
        step.last_ms, step.done = now_ms, max(step.done, done)
        step.total = total if total is not None else step.total

    @property
    def is_live(self) -> bool:
        """Tell whether it has not ended."""
        return self.state not in ENDED

    def is_ours(self) -> bool:
        """Tell whether this very process runs it."""
        return self.holder == _holder()


@dataclass(frozen=True, slots=True)
class RunRow:
    """Something of a run that the journal does not tell: a refusal, a held withdrawal, a finding of a dry run.

    A `sample` is one of the first records of a dry run, as it would be published: its payload is the message, its kind
    the code. It is given only to who asks for samples. The tags are the languages of title and owner, where known.
    """

    change: Literal["refused", "held", "note", "added", "changed", "withdrawn", "unchanged", "sample"]
    source_key: str
    iri: str
    title: str
    owner: str
    code: str
    message: str
    title_tag: str = ""
    owner_tag: str = ""


class Runs:
    """Reads and writes runs."""

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        self._db = db

    def start(self, source: str, *, dry: bool, trigger: str, now_ms: int, deadline_ms: int) -> Run:
        """Open a run.

        Raises:
            AlreadyRunning: A live run of this source exists.
        """
        self.bury_dead(now_ms)
        with self._db.write() as tx:
            tx.lock("runs")
            _check_idle(tx, source)
            row = tx.row(
                "INSERT INTO run (source, state, dry, started_at, heartbeat_at, deadline_at, stage, counters, ranges,"
                " \"trigger\", pid_host) VALUES (?, 'running', ?, ?, ?, ?, 'reach', '{}', '[]', ?, ?) RETURNING id",
                source,
                dry,
                now_ms,
                now_ms,
                deadline_ms,
                trigger,
                _holder(),
            )
            assert row is not None  # noqa: S101  (RETURNING gives a row)
            self._prune(tx, source)
        return self.get(int(row[0]))

    def ask(self, source: str, *, trigger: str, now_ms: int, dry: bool = False, order: Order = "harvest") -> Run:
        """Ask the worker for a run.

        Raises:
            AlreadyRunning: A live run of this source exists, or one was asked for.
        """
        self.bury_dead(now_ms)
        with self._db.write() as tx:
            tx.lock("runs")
            _check_idle(tx, source)
            row = tx.row(
                'INSERT INTO run (source, state, dry, started_at, heartbeat_at, counters, ranges, "trigger")'
                " VALUES (?, 'queued', ?, ?, ?, ?, '[]', ?) RETURNING id",
                *(source, dry, now_ms, now_ms, json.dumps({"order": order}), trigger),
            )
            assert row is not None  # noqa: S101  (RETURNING gives a row)
            self._prune(tx, source)
        return self.get(int(row[0]))

    def asked(self) -> list[Run]:
        """Give the runs that were asked for and not taken yet, in the order they were asked for."""
        rows = self._db.hot().rows(f"SELECT {_COLUMNS} FROM run WHERE state = 'queued' ORDER BY id")  # noqa: S608
        return [_run(row) for row in rows]

    def keep_waiting(self, now_ms: int) -> None:
        """Say for the runs that wait that there is a worker, which will come to them."""
        with self._db.write() as tx:
            tx.run("UPDATE run SET heartbeat_at = ? WHERE state = 'queued'", now_ms)

    def take(self, run_id: int, *, now_ms: int, deadline_ms: int) -> Run:
        """Begin a run that was asked for, in this process.

        Raises:
            NotFound: There is none.
            Conflict: Somebody took it or called it off.
        """
        with self._db.write() as tx:
            taken = tx.run(
                "UPDATE run SET state = 'running', stage = 'reach', started_at = ?, heartbeat_at = ?, deadline_at = ?,"
                " pid_host = ? WHERE id = ? AND state = 'queued'",
                *(now_ms, now_ms, deadline_ms, _holder(), run_id),
            )
        found = self.get(run_id)
        if not taken:
            raise Conflict(f"Run {run_id} waits no more: it is {found.state}.").on_page("no.run.taken", number=run_id)
        return found

    def _prune(self, tx: Tx, source: str) -> None:
        """Keep the newest 200 runs of a source."""
        old = tx.row("SELECT id FROM run WHERE source = ? ORDER BY id DESC LIMIT 1 OFFSET 200", source)
        if old:
            tx.run(
                "DELETE FROM run_row WHERE run_id IN (SELECT id FROM run WHERE source = ? AND id <= ?)", source, old[0]
            )
            tx.run("DELETE FROM run WHERE source = ? AND id <= ?", source, old[0])

    def beat(self, run: Run, *, now_ms: int) -> bool:
        """Give a sign of life and the counts so far; tell whether somebody asked to cancel."""
        with self._db.write() as tx:
            tx.run(
                "UPDATE run SET heartbeat_at = ?, stage = ?, counters = ? WHERE id = ? AND state = 'running'",
                now_ms,
                run.stage,
                _counters_text(run),
                run.id,
            )
            row = tx.row("SELECT cancel_requested FROM run WHERE id = ? AND state = 'running'", run.id)
        # A run that somebody else declared dead must stop writing too.
        return row is None or bool(row[0])

    def is_cancelled(self, run_id: int) -> bool:
        """Tell in microseconds whether a run should stop."""
        row = self._db.hot().row("SELECT cancel_requested, state FROM run WHERE id = ?", (run_id,))
        return row is None or bool(row[0]) or row[1] != "running"

    def save_progress(self, tx: Tx, run: Run) -> None:
        """Keep counts and ranges in the transaction of the entries they tell of."""
        tx.run(
            "UPDATE run SET counters = ?, ranges = ? WHERE id = ?", _counters_text(run), json.dumps(run.ranges), run.id
        )

    def finish(self, run: Run, state: State, reason: str, *, now_ms: int) -> None:
        """End a run. One that was declared dead meanwhile stays failed, with what it did until now."""
        with self._db.write() as tx:
            buried = tx.row("SELECT state, reason FROM run WHERE id = ? AND ended_at IS NOT NULL", run.id)
            run.state, run.reason = buried or (state, reason)
            run.ended_ms = now_ms
            self._save(tx, run)

    def take_up(self, run_id: int, *, now_ms: int, deadline_ms: int) -> tuple[Run, State]:
        """Let this process decide what an ended run holds, and nobody beside it; gives the run and its state before.

        Raises:
            NotFound: There is none.
            Conflict: It holds nothing any more.
            AlreadyRunning: A live run of its source exists; this one is live while somebody decides.
        """
        with self._db.write() as tx:
            tx.lock("runs")
            named = tx.row("SELECT source FROM run WHERE id = ?", run_id)
            if named is None:
                raise _unknown(run_id)
            _check_idle(tx, str(named[0]))
            # Read only now: whoever decided before has written it down, since their run lives no more.
            row = tx.row(f"SELECT {_COLUMNS} FROM run WHERE id = ?", run_id)  # noqa: S608
            if row is None:
                raise _unknown(run_id)
            run = _run(row)
            if not run.counters.held:
                raise Conflict(
                    f"Run {run_id} holds no withdrawals: they were decided.", fix=f"Look: /desk/runs/{run_id}"
                ).on_page("no.run.decided", number=run_id)
            tx.run(
                "UPDATE run SET state = 'running', stage = 'withdraw', heartbeat_at = ?, deadline_at = ?, pid_host = ?,"
                " cancel_requested = FALSE WHERE id = ?",
                *(now_ms, deadline_ms, _holder(), run_id),
            )
        was, run.state, run.deadline_ms = run.state, "running", deadline_ms
        return run, was

    def amend(self, run: Run) -> None:
        """Keep what became of an ended run: its held withdrawals were decided."""
        with self._db.write() as tx:
            self._save(tx, run)

    def _save(self, tx: Tx, run: Run) -> None:
        tx.run(
            "UPDATE run SET state = ?, reason = ?, ended_at = ?, stage = ?, counters = ?, ranges = ? WHERE id = ?",
            run.state,
            run.reason,
            run.ended_ms,
            run.stage,
            _counters_text(run),
            json.dumps(run.ranges),
            run.id,
        )

    def check_idle(self, source: str, *, now_ms: int) -> None:
        """Raise AlreadyRunning if a live run of this source exists."""
        self.bury_dead(now_ms)
        with self._db.read() as tx:
            _check_idle(tx, source)

    def add_rows(self, tx: Tx, run_id: int, rows: Sequence[RunRow]) -> None:
        """Append rows, in order."""
        last = tx.row("SELECT COALESCE(max(n), 0) FROM run_row WHERE run_id = ?", run_id)
        start = int(last[0]) + 1 if last else 1
        tx.many(
            "INSERT INTO run_row (run_id, n, change, source_key, iri, title, owner, code, message)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(run_id, n, row.change, _plain(row.source_key), _plain(row.iri)),
                    *(
                        _plain(row.title[:300]),
                        _plain(row.owner[:300]),
                        row.code,
                        _plain(row.message[: _MOST[row.change == "sample"]]),
                    ),
                )
                for n, row in enumerate(rows, start)
            ],
        )

    def forget(self, tx: Tx, iri: str) -> None:
        """Empty what the rows of all runs say of a record, by its IRI, after something of it was erased."""
        tx.run("UPDATE run_row SET source_key = '', iri = '', title = '', message = '' WHERE iri = ?", iri)

    def rows(self, run_id: int, change: str = "", *, limit: int = 10_000) -> list[RunRow]:
        """Give the kept rows of a run, in order."""
        where, params = ("AND change = ?", (change,)) if change else ("AND change <> 'sample'", ())
        found = self._db.hot().rows(
            "SELECT change, source_key, iri, title, owner, code, message FROM run_row"  # noqa: S608
            f" WHERE run_id = ? {where} ORDER BY n LIMIT ?",
            (run_id, *params, limit),
        )
        return [RunRow(*row) for row in found]

    def get(self, run_id: int) -> Run:
        """Give one run as it stands.

        Raises:
            NotFound: There is none of that number.
        """
        row = self._db.hot().row(f"SELECT {_COLUMNS} FROM run WHERE id = ?", (run_id,))  # noqa: S608
        if row is None:
            raise _unknown(run_id)
        return _run(row)

    def list(self, source: str = "", *, limit: int = 50) -> list[Run]:
        """Give the newest runs, newest first."""
        where, params = ("WHERE source = ?", (source,)) if source else ("", ())
        sql = f"SELECT {_COLUMNS} FROM run {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
        return [_run(row) for row in self._db.hot().rows(sql, (*params, limit))]

    def newest(self, source: str, *, walked: bool = False) -> Run | None:
        """Give the newest real run of a source; with `walked` only one that read records."""
        found = [r for r in self.list(source, limit=200) if not r.dry and (r.counters.read or not walked)]
        return found[0] if found else None

    def request_cancel(self, run_id: int, *, now_ms: int) -> Run:
        """Ask a run to stop; it does within 2 s, and one that waits is called off. An ended run is given as it is."""
        self.bury_dead(now_ms)
        self.get(run_id)
        with self._db.write() as tx:
            tx.run(
                "UPDATE run SET state = 'cancelled', ended_at = ?, reason = ? WHERE id = ? AND state = 'queued'",
                *(now_ms, "It was called off before it began.", run_id),
            )
            tx.run("UPDATE run SET cancel_requested = TRUE WHERE id = ? AND state IN ('queued', 'running')", run_id)
        return self.get(run_id)

    def bury_dead(self, now_ms: int) -> int:
        """Fail every run that shows no life: its process is gone, or it was silent for ten minutes."""
        live = self._db.hot().rows(f"SELECT {_COLUMNS} FROM run WHERE state IN ('queued', 'running')")  # noqa: S608
        dead = [run for run in map(_run, live) if _is_dead(run, now_ms)]
        if not dead:
            return 0
        with self._db.write() as tx:
            tx.many(
                "UPDATE run SET state = 'failed', ended_at = ?, reason = ?"
                " WHERE id = ? AND state IN ('queued', 'running')",
                [(now_ms, _DEAD[run.state], run.id) for run in dead],
            )
        return len(dead)


_DEAD: dict[State, str] = {
    "running": "The process that ran it is gone. Run it again: nothing was lost.",
    "queued": "No worker took it for ten minutes. Look whether it runs (citynode run), then ask again.",
}

# PostgreSQL holds no NUL and UTF-8 no half of a character; both may stand in a stranger's title.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def _plain(text: str) -> str:
    return _NO_TEXT.sub("\ufffd", text)


def _unknown(run_id: int) -> NotFound:
    return NotFound(
        f"There is no run {run_id}.",
        fix="List them: citynode harvest list",
    ).on_page("no.run", number=run_id)


def _check_idle(tx: Tx, source: str) -> None:
    live = tx.row("SELECT id FROM run WHERE source = ? AND state IN ('queued', 'running')", source)
    if live:
        raise AlreadyRunning(
            f"Run {live[0]} of {source!r} is under way.", fix=f"Wait, or: citynode harvest cancel {live[0]}"
        ).on_page("desk.run.busy")


# What is kept in the text of the counts without being one.
_BESIDE = ("notes", "code", "collection", "order")


def _counters_text(run: Run) -> str:
    known = {name: getattr(run.counters, name) for name in Counters.__dataclass_fields__}
    beside = {name: getattr(run, name) for name in _BESIDE}
    told = {"steps": [asdict(each) for each in run.steps], "decision": run.decision and asdict(run.decision)}
    return json.dumps({**known, **beside, **told}, ensure_ascii=False)


def _run(row: tuple[object, ...]) -> Run:
    values = dict(zip((part.strip(' "') for part in _COLUMNS.split(",")), row, strict=True))
    counters = json.loads(str(values["counters"] or "{}"))
    beside = {name: counters.pop(name) for name in _BESIDE if name in counters}
    steps, decision = counters.pop("steps", None), counters.pop("decision", None)
    return Run(
        id=int(str(values["id"])),
        source=str(values["source"]),
        state=values["state"],  # type: ignore[arg-type]
        dry=bool(values["dry"]),
        started_ms=int(values["started_at"] or 0),  # type: ignore[call-overload]
        heartbeat_ms=int(values["heartbeat_at"] or 0),  # type: ignore[call-overload]
        deadline_ms=int(values["deadline_at"] or 0),  # type: ignore[call-overload]
        ended_ms=int(values["ended_at"] or 0),  # type: ignore[call-overload]
        stage=str(values["stage"]),
        counters=Counters(**counters),
        reason=str(values["reason"]),
        ranges=[tuple(part) for part in json.loads(str(values["ranges"] or "[]"))],
        trigger=str(values["trigger"]),
        cancel_requested=bool(values["cancel_requested"]),
        holder=str(values["pid_host"]),
        steps=[Step(**each) for each in steps or ()],
        decision=Decision(**decision) if decision else None,
        **beside,
    )


def _holder() -> str:
    """Who runs it: process, the moment it started (process numbers are used again), host."""
    return f"{os.getpid()}:{_started(os.getpid())}@{socket.gethostname()}"


def _started(pid: int) -> str:
    try:
        # Fields 3 and 22 of /proc/PID/stat, counted after the command's closing bracket.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # One that died and was not fetched by its parent yet (Z) does nothing any more.
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""


def _is_dead(run: Run, now_ms: int) -> bool:
    if now_ms - run.heartbeat_ms > SILENT_MS:
        return True
    if run.state == "queued":
        return False
    process, _, host = run.holder.partition("@")
    pid, _, started = process.partition(":")
    return host == socket.gethostname() and pid.isdigit() and Path("/proc").is_dir() and _started(int(pid)) != started
