"""Runs as anyone may see them: states, counts and reasons, never an address of a source or a name of a host.

The reader behind the public pages of harvest runs: a reading of `runs` and `story`, which it narrows. It writes
nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from node.catalog.runs import Run, RunRow, Runs
from node.catalog.story import Stories
from node.errors import NotFound


@dataclass(frozen=True, slots=True)
class PublicRun:
    """One run. Times are milliseconds since the epoch, None if it did not happen."""

    id: int
    source: str
    state: str
    dry: bool
    started_at: int | None
    heartbeat_at: int | None
    ended_at: int | None
    stage: str
    counters: Mapping[str, object]
    reason: str


class PublicRuns:
    """Reads runs for the web."""

    def __init__(self, runs: Runs, stories: Stories) -> None:
        """Read through the city's own readers."""
        self._runs = runs
        self._stories = stories

    def recent(self, limit: int) -> Sequence[PublicRun]:
        """List runs, newest first."""
        return [_public(run) for run in self._runs.list(limit=limit)]

    def get(self, number: int) -> PublicRun | None:
        """Find a run."""
        try:
            return _public(self._runs.get(number))
        except NotFound:
            return None

    def rows(self, number: int, *, limit: int) -> Sequence[RunRow]:
        """List the records a run touched or refused."""
        try:
            return self._stories.rows(self._runs.get(number), limit=limit)
        except NotFound:
            return []


_ADDRESS = re.compile(
    r"(?:https?://|/)[^\s,;'\"]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[[0-9a-fA-F:.]+\]|CITYNODE_\w+"
)


def _public_reason(run: Run) -> str:
    """Say why without saying where: addresses and settings inside the city are for its own people."""
    if run.code in ("source-unreachable", "forbidden-address"):
        return "The source could not be reached."
    return _ADDRESS.sub("…", run.reason)


def _public(run: Run) -> PublicRun:
    return PublicRun(
        run.id,
        run.source,
        run.state,
        run.dry,
        run.started_ms or None,
        run.heartbeat_ms or None,
        run.ended_ms or None,
        run.stage if run.state == "running" else "",
        {name: value for name, value in asdict(run.counters).items() if value is not None},
        _public_reason(run),
    )
