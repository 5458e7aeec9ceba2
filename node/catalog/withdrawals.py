"""Withdrawals that a person decides: those that a run held because they were many, and all of a source given up.

Held withdrawals are decided once, as a whole: what is not chosen stays published, and the next run that misses it asks
again. Who decides takes the run up first, so that of two at once one does and the other is told; while its records go,
it is under way for everybody else, too. Giving up a source withdraws every record it publishes and forgets the source
only when the last one is gone, so that a run that was broken off can be asked for again. Writes journals through
`Harvest` alone.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from node.catalog.harvest import BATCH, Harvest
from node.catalog.names import Known
from node.catalog.runs import Decision, Run, RunRow, Runs
from node.catalog.sources import Source, Sources
from node.catalog.watch import Watch
from node.errors import Conflict, Malformed

MOST_HELD = 1_000_000
DECIDING_MS = 3_600_000
_WORD_BYTES = 500


class Withdrawals:
    """Carries out what persons decide. Safe to share by threads; methods block until the last record is gone."""

    def __init__(self, harvest: Harvest, runs: Runs, sources: Sources, *, clock_ms: Callable[[], int]) -> None:
        """Write through this harvest."""
        self._harvest = harvest
        self._runs = runs
        self._sources = sources
        self._clock_ms = clock_ms

    def held(self, run: Run) -> list[RunRow]:
        """Give what a run holds, in order; nothing once it is decided, and of a dry run."""
        return [] if run.dry or not run.counters.held else self._runs.rows(run.id, "held", limit=MOST_HELD)

    def approve(self, number: int, keys: Collection[str] | None = None, *, by: str = "", word: str = "") -> Run:
        """Withdraw what a run held, or of it what is chosen by source key; the rest stays published.

        Raises:
            NotFound: No such run.
            Malformed: A key that the run does not hold.
            Conflict: It holds nothing, or a later run of the source has read the source since.
            AlreadyRunning: A run of the source is under way.
        """
        held = self._undecided(number)
        chosen = {row.source_key for row in held} if keys is None else set(keys)
        if strange := chosen - {row.source_key for row in held}:
            raise Malformed(
                f"Run {number} does not hold {min(strange)[:80]!r}.", fix=f"Look: /desk/runs/{number}"
            ).on_page("no.run.changed", number=number)
        kept = len(held) - len(chosen)
        with self._taken_up(number) as run:
            source = self._sources.get(run.source)
            live = self._harvest.live_names(source.name)
            gone = [live[row.source_key] for row in held if row.source_key in live and row.source_key in chosen]
            with Watch(self._runs, run, self._clock_ms, None) as watch:
                self._bury(run, source, gone, watch=watch)
            self._harvest.sign(run, source)
            if watch.why:
                raise Conflict(
                    watch.why[1],
                    fix="Decide again; what was withdrawn before stays withdrawn.",
                ).on_page("no.run.stopped")
            said = f"{len(gone)} held withdrawals were approved." + (f" {kept} records stay published." if kept else "")
            _decide(run, Decision(by, self._clock_ms(), len(gone), kept, word[:_WORD_BYTES]), said)
        return run

    def keep(self, number: int, *, by: str = "", word: str = "") -> Run:
        """Withdraw nothing of what a run held; the next run that misses it asks again. Raises as `approve`."""
        held = self._undecided(number)
        with self._taken_up(number) as run:
            said = f"{len(held)} held withdrawals were turned down: the records stay published."
            _decide(run, Decision(by, self._clock_ms(), 0, len(held), word[:_WORD_BYTES]), said)
        return run

    @contextmanager
    def _taken_up(self, number: int) -> Iterator[Run]:
        """Give the run to whoever decides, alone, and keep what became of it; after an error it stands as before.

        Raises:
            Conflict: Somebody has decided meanwhile.
            AlreadyRunning: Somebody decides right now, or a run of the source is under way.
        """
        now = self._clock_ms()
        run, was = self._runs.take_up(number, now_ms=now, deadline_ms=now + DECIDING_MS)
        try:
            yield run
        except BaseException:
            run.state = was
            raise
        finally:
            self._runs.amend(run)

    def _undecided(self, number: int) -> list[RunRow]:
        run = self._runs.get(number)
        held = self.held(run)
        if not held:
            raise Conflict(
                f"Run {number} holds no withdrawals.",
                fix="List runs: citynode harvest list",
            ).on_page("no.run.decided", number=number)
        self._runs.check_idle(run.source, now_ms=self._clock_ms())
        newest = self._runs.newest(run.source, walked=True)
        if newest and newest.id != number:
            raise Conflict(
                f"Run {newest.id} has read the source since.", fix=f"Look at it: citynode harvest show {newest.id}"
            ).on_page("no.run.newer", number=newest.id)
        return held

    def _bury(self, run: Run, source: Source, gone: list[Known], *, watch: Watch | None = None) -> None:
        for start in range(0, len(gone), BATCH):
            if watch is not None and watch.stop.is_set():
                return
            part = gone[start : start + BATCH]
            self._harvest.bury(run, source, part)
            if watch is not None:
                watch.heard("withdraw", start + len(part), len(gone))

    def give_up(self, number: int, *, deadline_ms: int) -> Run:
        """Take a run that was asked for with the order `withdraw`: withdraw all of its source, then forget it.

        Raises:
            NotFound: No such run.
            Conflict: It waits no more.
        """
        now = self._clock_ms()
        run = self._runs.take(number, now_ms=now, deadline_ms=now + deadline_ms)
        try:
            source = self._sources.get(run.source)
            run.collection = source.collection
            gone = sorted(self._harvest.live_names(source.name).values(), key=lambda name: name.key)
            run.counters.total = len(gone)
            with Watch(self._runs, run, self._clock_ms, None) as watch:
                self._bury(run, source, gone, watch=watch)
            self._harvest.sign(run, source)
        except BaseException:
            said = "An error ended it. What was withdrawn before stays withdrawn; ask again."
            self._runs.finish(run, "failed", said, now_ms=self._clock_ms())
            raise
        state, said = watch.why or ("succeeded", "The source was given up, and its records were withdrawn.")
        self._runs.finish(run, state, said, now_ms=self._clock_ms())
        if run.state == "succeeded":
            self._sources.remove(source.name)
        return run


def _decide(run: Run, decision: Decision, said: str) -> None:
    run.counters.held, run.decision, run.reason = 0, decision, said
    run.state = "partial" if run.counters.refused else "succeeded"
