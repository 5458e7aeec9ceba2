"""The desk of sources and runs: what the city's staff does with them, behind the command line, the API and the pages.

Whoever calls may be the web, which never harvests: a run is asked for in the database, the worker takes it within
seconds (`work`), and a run is stopped the same way. Only the command line may name a file as a source. Knows no caller:
whoever calls has made sure that it may, and says by whom an act is. Writes through `sources`, `runs` and `withdrawals`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from node.catalog import names as naming
from node.catalog.harvest import Harvest
from node.catalog.runs import ENDED, Order, Run, Runs
from node.catalog.sources import Source, Sources, portals
from node.catalog.withdrawals import Withdrawals
from node.db import Database
from node.errors import Conflict, Malformed
from node.stale import mark_of

RETRY_MS = 3_600_000
MINUTE_MS = 60_000
MIN_EVERY, MAX_EVERY = 5, 525_600
# Not read for three intervals, and for longer than a weekend: somebody should look.
_LEAST_SILENT_MS = 3 * 86_400_000
_MOST_RUNS = 200
_FEW_RUNS = 10  # mostly say how a source stands
# Whoever waits is told seldom that there is a worker: telling is a write.
_TELL_MS = 30_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a source is to be: `every_min` 0 means by hand alone, `threshold` None the node's own."""

    kind: str
    location: str
    collection: str = "open-data"
    every_min: int = 0
    keep_contacts: bool = False
    threshold: int | None = None

    @property
    def mark(self) -> str:
        """Name these settings (`stale`)."""
        return mark_of(astuple(self))


@dataclass(frozen=True, slots=True)
class Usual:
    """What holds where nobody says another: which share of withdrawals waits, how often a source is read, how long."""

    threshold_percent: int
    every_min: int
    run_deadline_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A source and how it stands. Times in ms, 0 for never or not planned; `records` are those published now."""

    name: str
    wanted: Wanted
    paused: bool
    is_file: bool
    records: int
    added_ms: int
    newest: Run | None  # also one that runs; no dry run
    live: Run | None  # also a dry one
    held: Run | None
    trial: Run | None  # the newest dry run
    good_ms: int
    next_ms: int
    silent: bool


class SourceOffice:
    """The desk. Safe to share by threads; its methods block, decisions about many withdrawals for seconds."""

    def __init__(
        self,
        db: Database,
        sources: Sources,
        runs: Runs,
        harvest: Harvest,
        withdrawals: Withdrawals,
        *,
        usual: Usual,
        clock_ms: Callable[[], int],
    ) -> None:
        """Work with these."""
        self._db = db
        self._sources = sources
        self._runs = runs
        self._harvest = harvest
        self._withdrawals = withdrawals
        self._clock_ms = clock_ms
        self.usual = usual

    # ---------------------------------------------------------------- reading

    @staticmethod
    def kinds() -> Mapping[str, str]:
        """Give the kinds of sources that there are adapters for, and what each is called."""
        return {kind: portal.title for kind, portal in sorted(portals().items())}

    def list(self) -> list[Standing]:
        """Give every source in order of name."""
        now = self._clock_ms()
        self._runs.bury_dead(now)
        return [self._standing(source, now) for source in self._sources.list()]

    def show(self, name: str) -> Standing:
        """Give one source. Raises NotFound."""
        now = self._clock_ms()
        self._runs.bury_dead(now)
        return self._standing(self._sources.get(name), now)

    def runs(self, source: str = "", *, limit: int = 50) -> Sequence[Run]:
        """Give the newest runs, newest first; at most 200."""
        self._runs.bury_dead(self._clock_ms())
        return self._runs.list(source, limit=min(limit, _MOST_RUNS))

    def run(self, number: int) -> Run:
        """Give one run. Raises NotFound."""
        self._runs.bury_dead(self._clock_ms())
        return self._runs.get(number)

    def _standing(self, source: Source, now_ms: int) -> Standing:
        listed = self._runs.list(source.name, limit=_FEW_RUNS)
        if not any(_is_good(run) and run.counters.read for run in listed) and len(listed) == _FEW_RUNS:
            listed = self._runs.list(source.name, limit=_MOST_RUNS)
        real = [run for run in listed if _is_real(run)]
        newest, walked = next(iter(real), None), next((run for run in real if run.counters.read), None)
        good = next((run.ended_ms for run in real if _is_good(run)), 0)
        with self._db.read() as tx:
            records = naming.count_live(tx, source.name)
        return Standing(
            name=source.name,
            wanted=_wanted(source),
            paused=source.paused,
            is_file=source.is_file,
            records=records,
            added_ms=source.created_at,
            newest=newest,
            live=next((run for run in listed if run.is_live), None),
            held=walked if walked and walked.counters.held and not walked.is_live else None,
            trial=next((run for run in listed if run.dry), None),
            good_ms=good,
            next_ms=0 if source.paused or source.schedule_minutes <= 0 else next_ms(source, newest),
            silent=_is_silent(source, good, now_ms),
        )

    # ---------------------------------------------------------------- sources

    def add(self, name: str, wanted: Wanted, *, files: bool = False, paused: bool = False) -> Standing:
        """Add a source; a paused one is read when somebody asks, and not by the timetable.

        Raises:
            Malformed: The name or location is no such thing; a file, unless `files`.
            UnknownKind: No adapter of that kind.
            Conflict: The name is taken, or the collection is one that the node alone writes.
            NotFound: The file or the collection does not exist.
        """
        checked = _checked(wanted, files=files)
        self._sources.add(Source(name=name, created_at=self._clock_ms(), paused=paused, **_columns(checked)))
        return self.show(name)

    def edit(self, name: str, wanted: Wanted, *, files: bool = False, mark: str = "") -> Standing:
        """Change a source; a file that it has may stay. `mark` names the settings that were shown (`Wanted.mark`).

        Raises as `add`, and AlreadyRunning while it is read, Changed where other settings stand than were shown.
        """
        held = self._sources.get(name)
        self._runs.check_idle(name, now_ms=self._clock_ms())
        checked = _checked(wanted, files=files or (held.is_file and wanted.location == held.location))
        self._sources.change(name, mark=mark, **_columns(checked))
        return self.show(name)

    def pause(self, name: str) -> Standing:
        """Leave a source out of the timetable; a run under way goes on, and what was published stays."""
        self._sources.change(name, paused=True)
        return self.show(name)

    def resume(self, name: str) -> Standing:
        """Let the timetable read a source again."""
        self._sources.change(name, paused=False)
        return self.show(name)

    def forget(self, name: str) -> None:
        """Forget a source; what it published stays. Raises NotFound, or AlreadyRunning while it is read."""
        self._runs.check_idle(name, now_ms=self._clock_ms())
        self._sources.remove(name)

    # ---------------------------------------------------------------- runs

    def start(self, name: str, *, by: str, dry: bool = False, full: bool = False) -> Run:
        """Ask for a run; the worker takes it within seconds. Raises NotFound, AlreadyRunning."""
        return self._ask(name, by=by, dry=dry, order="full" if full else "harvest")

    def give_up(self, name: str, *, by: str) -> Run:
        """Ask for all records of a source to be withdrawn and the source to be forgotten after that."""
        return self._ask(name, by=by, dry=False, order="withdraw")

    def _ask(self, name: str, *, by: str, dry: bool, order: Order) -> Run:
        self._sources.get(name)
        return self._runs.ask(name, dry=dry, order=order, trigger=by, now_ms=self._clock_ms())

    def stop(self, number: int) -> Run:
        """Ask a run to stop: it does within 2 seconds and keeps what it published.

        Raises:
            NotFound: No such run.
            Conflict: It has ended.
        """
        self._runs.bury_dead(self._clock_ms())
        if (run := self._runs.get(number)).state in ENDED:
            raise Conflict(f"Run {number} has ended already: {run.state}.").on_page("no.run.ended", number=number)
        return self._runs.request_cancel(number, now_ms=self._clock_ms())

    def approve(self, number: int, keys: Collection[str] | None = None, *, by: str, word: str = "") -> Run:
        """Withdraw what a run held, all or what is chosen; see `Withdrawals.approve`."""
        return self._withdrawals.approve(number, keys, by=by, word=word)

    def keep(self, number: int, *, by: str, word: str = "") -> Run:
        """Withdraw nothing of what a run held; see `Withdrawals.keep`."""
        return self._withdrawals.keep(number, by=by, word=word)

    # ---------------------------------------------------------------- the worker

    def asked(self) -> Sequence[int]:
        """Give the numbers of the runs that wait for a worker, and say that there is one."""
        waiting, now = self._runs.asked(), self._clock_ms()
        if any(now - run.heartbeat_ms > _TELL_MS for run in waiting):
            self._runs.keep_waiting(now)
        return [run.id for run in waiting]

    def work(self, number: int) -> Run:
        """Do a run that was asked for, to its end, in this process. Raises Conflict if it waits no more."""
        if self._runs.get(number).order == "withdraw":
            return self._withdrawals.give_up(number, deadline_ms=self.usual.run_deadline_ms)
        return self._harvest.run_asked(number)


def next_ms(source: Source, newest: Run | None) -> int:
    """Say when a source is due: after its interval, sooner after a failure, at once if it never ran."""
    if newest is None:
        return source.created_at
    interval = source.schedule_minutes * MINUTE_MS
    if newest.state in ("failed", "cancelled"):
        interval = min(interval, RETRY_MS)
    return newest.started_ms + interval


def _is_real(run: Run) -> bool:
    return not run.dry and run.order != "withdraw"


def _is_good(run: Run) -> bool:
    return _is_real(run) and run.state in ("succeeded", "partial")


def _is_silent(source: Source, good_ms: int, now_ms: int) -> bool:
    if source.paused or source.schedule_minutes <= 0:
        return False
    patience = max(3 * source.schedule_minutes * MINUTE_MS, _LEAST_SILENT_MS)
    return now_ms - (good_ms or source.created_at) > patience


def _wanted(source: Source) -> Wanted:
    return Wanted(*source.settings)


def _columns(wanted: Wanted) -> dict[str, Any]:
    return {
        "kind": wanted.kind,
        "location": wanted.location,
        "collection": wanted.collection,
        "schedule_minutes": wanted.every_min,
        "keep_contacts": wanted.keep_contacts,
        "threshold_percent": wanted.threshold,
    }


def _checked(wanted: Wanted, *, files: bool) -> Wanted:
    location = wanted.location.strip()
    if not files and not location.startswith(("http://", "https://")):
        raise Malformed(
            f"{location[:80]!r} is no web address.",
            fix="Write one that begins with https:// or http://.",
        ).on_page("no.source.address", field="location")
    if len(location) > 2_000:
        raise Malformed("The address is longer than 2,000 characters.").on_page("no.source.long", field="location")
    if wanted.every_min and not MIN_EVERY <= wanted.every_min <= MAX_EVERY:
        raise Malformed(
            f"Every {wanted.every_min} minutes is not possible.", fix=f"Choose {MIN_EVERY} minutes or more, or 0."
        ).on_page("no.source.rhythm", field="every_min", least=MIN_EVERY)
    if wanted.threshold is not None and not 0 <= wanted.threshold <= 100:
        raise Malformed(
            f"{wanted.threshold} is no percentage.",
            fix="Choose 0 to 100.",
        ).on_page("desk.source.percent", field="threshold")
    return replace(wanted, location=location)
