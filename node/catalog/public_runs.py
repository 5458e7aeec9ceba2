"""Runs as anyone may see them: states, counts and reasons, never an address of a source or a name of a host.

The reader behind the public pages of harvest runs: a reading of `runs` and `story`, which it narrows. It writes
nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from node.catalog.names import ELSEWHERE
from node.catalog.runs import Run, RunRow, Runs
from node.catalog.shelf import Shelf
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

    def __init__(self, runs: Runs, stories: Stories, shelf: Shelf) -> None:
        """Read through the city's own readers."""
        self._runs = runs
        self._stories = stories
        self._shelf = shelf

    def recent(self, limit: int) -> Sequence[PublicRun]:
        """List runs that fed public collections, newest first.

        Of a restricted one not even the number of its records is for everyone (`formats.md` 6).
        """
        public = self._public_names()
        # More are read than shown, since restricted ones fall out.
        found = [run for run in self._runs.list(limit=4 * limit) if _touches_only(run, public)]
        return [_public(run) for run in found[:limit]]

    def _public_names(self) -> set[str]:
        return {info.name for info in self._shelf.collections() if info.visibility == "public"}

    def _visible(self, number: int) -> Run | None:
        try:
            run = self._runs.get(number)
        except NotFound:
            return None
        return run if _touches_only(run, self._public_names()) else None

    def get(self, number: int) -> PublicRun | None:
        """Find a run; one of a restricted collection is not there."""
        run = self._visible(number)
        return _public(run) if run else None

    def rows(self, number: int, *, limit: int) -> Sequence[RunRow]:
        """List the records a run touched or refused."""
        run = self._visible(number)
        rows = self._stories.rows(run, limit=limit) if run else []
        # That another source holds an IRI may tell of a restricted record, so such a row is the city's own.
        return [row for row in rows if row.code != ELSEWHERE]


def _touches_only(run: Run, public: set[str]) -> bool:
    return {run.collection, *(name for name, _, _ in run.ranges)} <= public


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
