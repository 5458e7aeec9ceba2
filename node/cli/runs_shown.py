"""How harvest runs look on the command line, while they run and afterwards.

On a terminal a bar with the stage and the time left, elsewhere one plain line per stage; both on standard error. Each
run ends in one line of numbers, and one saying why if it was not smooth.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from node.catalog.desk import OnProgress
from node.catalog.runs import Run
from node.cli import say
from node.errors import Unavailable

if TYPE_CHECKING:
    from node.assembly import Node

REFUSED, TRY_AGAIN = 1, 3
_TRY_AGAIN = {Unavailable.code, *(kind.code for kind in Unavailable.__subclasses__())}
STAGES = {
    "reach": "reaching the source",
    "read": "reading",
    "check": "checking",
    "publish": "publishing",
    "withdraw": "withdrawing",
}


def run_once(node: "Node", name: str, *, dry_run: bool = False, full: bool = False, quiet: bool = False) -> Run:
    """Harvest one source in this process, showing how far it is."""
    with _progress(name, quiet=quiet) as hear:
        return node.harvest.run(name, trigger="command", dry_run=dry_run, full=full, on_progress=hear)


def ended(node: "Node", run: Run, *, as_json: bool) -> int:
    """Say how a run ended, and give the exit code."""
    if as_json:
        say.document({**as_document(run), "rows": node.runs.rows(run.id)})
    else:
        say.lines(told(run, run.ended_ms))
    return exit_code(run)


def exit_code(run: Run) -> int:
    """Give 0 for a run that read records (also partial), 3 if trying again may help, 1 for every other ending."""
    if run.state == "failed" and run.code in _TRY_AGAIN:
        return TRY_AGAIN
    if run.state == "partial" and not (run.counters.added or run.counters.changed or run.counters.unchanged):
        return REFUSED  # nothing of the source could be read: most likely the wrong address or the wrong kind
    return REFUSED if run.state in ("failed", "cancelled") else 0


def told(run: Run, now_ms: int) -> Iterator[str]:
    """Tell a run in a few lines: its numbers, how far it is, why it ended so, what was noted of its source."""
    yield summary(run)
    if run.state == "running":
        eta = run.eta_ms(now_ms)
        left = f", about {say.duration(eta)} left" if eta is not None else ""
        yield f"  {STAGES.get(run.stage, run.stage)}, {run.counters.read} of {run.counters.total or '?'}{left}"
    if run.reason:
        yield f"  {run.reason}"
    for text in run.notes:
        yield f"  note: {text}"


def summary(run: Run) -> str:
    """Write one line of a run for people."""
    c = run.counters
    parts = [
        f"{number} {word}"
        for word, number in (
            ("added", c.added),
            ("changed", c.changed),
            ("unchanged", c.unchanged),
            ("withdrawn", c.withdrawn),
            ("held", c.held),
            ("refused", c.refused),
        )
        if number or word in ("added", "changed", "unchanged")
    ]
    dry = "dry run, nothing was published; it would be " if run.dry else ""
    took = f" in {say.duration(run.ended_ms - run.started_ms)}" if run.ended_ms else ""
    findings = f"; {c.with_findings} with findings" if c.with_findings else ""
    return f"Run {run.id} of {run.source}: {run.state}{took} ({dry}{', '.join(parts)}{findings})"


def as_document(run: Run) -> dict[str, Any]:
    """Give a run as `--json` shows it."""
    return {
        "id": run.id,
        "source": run.source,
        "state": run.state,
        "dry": run.dry,
        "stage": run.stage,
        "started_ms": run.started_ms,
        "ended_ms": run.ended_ms,
        "trigger": run.trigger,
        "counters": asdict(run.counters),
        "reason": run.reason,
        "code": run.code,
        "notes": run.notes,
        "ranges": [{"collection": name, "first": first, "last": last} for name, first, last in run.ranges],
    }


@contextmanager
def _progress(name: str, *, quiet: bool) -> Iterator[OnProgress | None]:
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar(name) as hear:
            yield hear
    else:
        yield _Lines(name).hear


@contextmanager
def _bar(name: str) -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)

        def hear(stage: str, done: int, total: int | None) -> None:
            progress.update(task, description=f"{name}: {STAGES.get(stage, stage)}", completed=done, total=total)

        yield hear


class _Lines:
    """One line when a stage begins, and one every ten seconds while it lasts."""

    def __init__(self, name: str, *, every_s: float = 10.0) -> None:
        self._name = name
        self._every_s = every_s
        self._stage = ""
        self._said_at = 0.0

    def hear(self, stage: str, done: int, total: int | None) -> None:
        """Say it, if it is news."""
        now = time.monotonic()
        if stage in ("check", "publish") and self._stage in ("check", "publish"):
            stage = self._stage  # the two alternate by batch
        if stage == self._stage and now - self._said_at < self._every_s:
            return
        self._stage, self._said_at = stage, now
        count = f" {done} of {total}" if total else f" {done}" if done else ""
        say.note(f"{self._name}: {STAGES.get(stage, stage)}{count}")
