"""The worker: the timetable of harvests, and whatever must be tidied or caught up between them.

APScheduler ticks here and nowhere else, under a lease in the database, so two workers never fire one job twice. A tick
decides what is due from what the database says, never from memory, so a worker may die at any moment. Harvests run one
after another in one thread: a node's memory is then that of one run.
"""

import logging
import threading
from collections.abc import Callable

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from node.assembly import Node
from node.assembly.clock import clock_ms
from node.catalog.desk import clear_leftovers
from node.catalog.source_office import next_ms
from node.catalog.sources import Source
from node.errors import AlreadyRunning, BrokenHistory, NodeError
from node.federation.data import digests
from node.jobs.federation import Rounds
from node.jobs.links import LinkRounds
from node.jobs.pulls import PullRounds
from node.jobs.readings import Keeping
from node.journal import catch_up
from node.lease import Lease

_logger = logging.getLogger("citynode.worker")
TICK_S = 5
ASKED_S = 1
LEASE_MS = 60_000
RECOVER_MS = 60_000
FORGET_MS = 3_600_000


class Worker:
    """The one process of a node that harvests by itself."""

    def __init__(self, node: Node, *, clock_ms: Callable[[], int]) -> None:
        """Plan nothing yet."""
        self._node = node
        self._clock_ms = clock_ms
        self._planned: set[str] = set()
        self._planned_runs: set[int] = set()
        self._stopping = threading.Event()
        self._held_back = "mirrors were not asked yet"
        self._asked_ms = 0
        self._forgot_ms = 0
        self._lease = Lease(node.db, "timetable", length_ms=LEASE_MS)
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1), "harvest": ThreadPoolExecutor(1)}, timezone="UTC"
        )

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a harvest under way is then cancelled and ends within seconds."""
        self._scheduler.add_job(self.tick, "interval", seconds=TICK_S, id="tick", max_instances=1, coalesce=True)
        self._scheduler.add_job(
            self.take_asked, "interval", seconds=ASKED_S, id="asked", max_instances=1, coalesce=True
        )
        self._scheduler.start()
        rounds = Rounds(self._node, clock_ms=self._clock_ms)
        among_cities = threading.Thread(target=rounds.run, args=(stop,), name="federation")
        among_cities.start()
        readings = self._keep_level(stop)
        _logger.info("worker started")
        try:
            self.tick()
            while not stop.wait(1.0):
                pass
        finally:
            stop.set()
            self._stopping.set()
            self._cancel_own()
            among_cities.join()
            for thread in readings:
                thread.join()
            self._scheduler.shutdown(wait=True)
            self._lease.release()
            _logger.info("worker stopped")

    def _keep_level(self, stop: threading.Event) -> list[threading.Thread]:
        """Start what keeps search, triple stores and quality level with the shelf, and what asks strangers' servers."""
        finding, models, db = self._node.finding, self._node.knowledge.models, self._node.db
        previews = self._node.knowledge.previews
        groups = [finding.readings, *((each,) for each in finding.apart)]
        groups += [(models.keeper,)] if models.automatic else []
        groups += [(previews.keeper,)] if previews.automatic else []
        begun = [Keeping(group, db, f"readings-{n}").start(stop) for n, group in enumerate(groups) if group]
        if finding.link_checker:
            begun.append(LinkRounds(finding.link_checker, db, clock_ms=self._clock_ms).start(stop))
        looking = models.inspector if models.automatic else models.withholder
        rounds = LinkRounds(looking, db, clock_ms=self._clock_ms, name="models", length_ms=_model_ms(self._node))
        begun.append(rounds.start(stop))
        if previews.automatic:
            rounds = LinkRounds(
                previews.previewer, db, clock_ms=self._clock_ms, name="previews", length_ms=_model_ms(self._node)
            )
            begun.append(rounds.start(stop))
        ours = self._node.federation.moving.origin_parts.digests
        rounds = LinkRounds(ours, db, clock_ms=self._clock_ms, name="digests", length_ms=digests.LEASE_MS)
        begun.append(rounds.start(stop))
        begun.append(PullRounds(self._node.federation.moving.pulling.office, clock_ms=self._clock_ms).start(stop))
        return begun

    def tick(self) -> None:
        """Do what is due now, if the timetable is ours."""
        try:
            if self._lease.hold(self._clock_ms()):
                held_back = self._recover()
                self._tidy()
                self._forget()
                for source in [] if held_back else self.due():
                    self._plan(source)
        except NodeError as error:
            _logger.warning("tick skipped: %s", error)

    def _recover(self) -> str:
        """Ask mirrors, before anything is appended or signed, whether this city has signed more than it holds.

        Once when the worker starts; again every minute while that is so. Gives why own collections are held back.
        """
        now, recovery = self._clock_ms(), self._node.federation.watching.recovery
        if self._held_back and now - self._asked_ms >= RECOVER_MS:
            for one in recovery.run(now).recovered:
                _logger.warning("recovery of %s: %s", one.collection, one.error or f"{one.entries} entries")
            self._asked_ms, self._held_back = now, recovery.held_back()
            if self._held_back:
                _logger.warning("own collections take nothing: %s", self._held_back)
        return recovery.held_back()

    def due(self) -> list[Source]:
        """Give the sources whose time has come, the longest waiting first."""
        now = self._clock_ms()
        waiting = []
        for source in self._node.sources.list():
            if source.paused or source.schedule_minutes <= 0:
                continue
            newest = self._node.runs.newest(source.name)
            when = next_ms(source, newest)
            if when <= now and (newest is None or newest.state not in ("queued", "running")):
                waiting.append((when, source.name, source))
        return [source for _, _, source in sorted(waiting, key=lambda row: row[:2])]

    def take_asked(self) -> None:
        """Plan the runs that persons asked for, if the timetable is ours; they come before what is merely due."""
        try:
            waiting = self._node.harvesting.office.asked()
            # Looked at first: to hold the lease is a write, and mostly nothing waits.
            for number in waiting if waiting and self._lease.hold(self._clock_ms()) else ():
                if number not in self._planned_runs and not self._node.federation.watching.recovery.held_back():
                    self._planned_runs.add(number)
                    self._scheduler.add_job(self._work, args=[number], executor="harvest", misfire_grace_time=None)
        except NodeError as error:
            _logger.warning("runs that were asked for are put off: %s", error)

    def _work(self, number: int) -> None:
        if self._stopping.is_set():
            return  # it waits on, for the next worker
        try:
            run = self._node.harvesting.office.work(number)
            _logger.info("run %s of %s %s", number, run.source, run.state, extra={"source": run.source})
        except NodeError as error:
            _logger.warning("run %s was not done: %s", number, error)
        except Exception:
            _logger.exception("run %s failed", number)
        finally:
            self._planned_runs.discard(number)

    def _plan(self, source: Source) -> None:
        # The scheduler forgets a job as soon as it waits for the thread; while it waits, every tick finds it due.
        if source.name not in self._planned:
            self._planned.add(source.name)
            self._scheduler.add_job(self._begin, args=[source.name], executor="harvest", misfire_grace_time=None)

    def _begin(self, name: str) -> None:
        try:
            self._harvest(name)
        except NodeError as error:
            _logger.warning("harvest of %s put off: %s", name, error, extra={"source": name})
        finally:
            self._planned.discard(name)

    def _harvest(self, name: str) -> None:
        # The lease may have gone to another worker while this job waited for its turn.
        if not self._lease.hold(self._clock_ms()) or name not in {source.name for source in self.due()}:
            return
        try:
            run = self._node.harvest.run(name, trigger="timetable")
        except AlreadyRunning:
            return
        except Exception:
            _logger.exception("harvest of %s failed", name, extra={"source": name})
            return
        said = f"added={run.counters.added} changed={run.counters.changed} unchanged={run.counters.unchanged}"
        if run.state == "failed":
            said = f"{said}: {run.reason}"
        _logger.info("harvest of %s %s %s", name, run.state, said, extra={"source": name, "run_id": run.id})

    def _forget(self) -> None:
        """Once an hour, forget what has had its time: what readers sent in, and what was brought and nobody took."""
        now = self._clock_ms()
        if now - self._forgot_ms >= FORGET_MS:
            self._forgot_ms = now
            for queue in (self._node.readers.reports, self._node.knowledge.submissions):
                if forgotten := queue.forget(now):
                    _logger.info("%s rows about readers were forgotten", forgotten)
            moving = self._node.federation.moving
            if forgotten := moving.consenting.retention.forget(now):
                _logger.info("%s rows about residents were forgotten", forgotten)
            if swept := moving.incoming.sweep(moving.pulling.store.is_open):
                _logger.info("what was brought in %s pushes that are over was removed", swept)

    def _tidy(self) -> None:
        """Fail dead runs, remove what they left, and bring followers and checkpoints level with the journals."""
        node, now = self._node, self._clock_ms()
        if node.runs.bury_dead(now):
            _logger.warning("a run that had died was marked as failed")
        clear_leftovers(node.settings.data / "work", self._is_live)
        for follower in node.followers:
            catch_up(node.journals, follower)
        with node.db.read() as tx:
            collections = node.journals.collections(tx)
        for collection in collections:
            if collection.is_mirror:
                continue
            try:
                # The same size gives the same note, so this signs only after a crash between commit and checkpoint.
                node.journals.checkpoint(collection.name, at_ms=now)
            except BrokenHistory as error:
                _logger.warning("%s", error)
        for key in node.keyring.retire(now):
            _logger.info("the private half of the replaced %s key %s was destroyed", key.purpose, key.kid)

    def _is_live(self, run_id: str) -> bool:
        try:
            return self._node.runs.get(int(run_id)).state in ("queued", "running")
        except (NodeError, ValueError):
            return False

    def _cancel_own(self) -> None:
        for run in self._node.runs.list(limit=20):
            ours = run.trigger == "timetable" or run.id in self._planned_runs
            if run.state == "running" and ours and run.is_ours():
                self._node.runs.request_cancel(run.id, now_ms=self._clock_ms())


def _model_ms(node: Node) -> int:
    """Say how long looking at one model may take at most: fetching, reading, and some."""
    return (node.settings.fetch_deadline_s + 300) * 1000


def run_worker(node: Node, stop: threading.Event) -> None:
    """Run the worker of a node until `stop` is set."""
    Worker(node, clock_ms=clock_ms).run(stop)
