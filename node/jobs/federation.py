"""The rounds of a node among other cities: polls by the timetable, nudges followed, notices told, reports delivered.

One thread of the worker, under a lease of its own, so that two workers never tell or ask twice. It looks ten times a
second at the number by which the database says that something changed, which costs microseconds; work is done in a
few threads beside it, at most one per peer. What is due is what the database says, so a worker may die at any moment.
"""

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from node.assembly import Node
from node.errors import AlreadyRunning, NodeError, Stopped
from node.federation.exchange.exchange import Pulled
from node.federation.exchange.notices import JITTER, Nudge
from node.federation.peers.backoff import is_the_peers
from node.lease import Lease

_logger = logging.getLogger("citynode.federation")
AT_ONCE = 4
LEASE_MS = 30_000
LOOK_S = 0.1
_TIMETABLE_MS = 1_000
_MIRRORS_MS = 5_000
_COSIGN_MS = 15_000  # how often it is looked whether one is due
_EVIDENCE_MS = 2_000  # how soon what was stated is under a signed checkpoint
_COMPARE_MS = 3_600_000  # besides after every pull that brought something
_CONSENT_MS = 60_000  # how often consent sources are asked who has withdrawn
_TEND_MS = 15_000  # how often it is looked which agreements begin, end, or are to be reviewed
# The least time between two pulls of one peer: after one that went well, and after one that failed.
_GAP_MS = 250
_LONG_GAP_MS = 5_000


@dataclass(slots=True)
class _Duty:
    """Something done every so often."""

    name: str
    every_ms: int
    act: Callable[[int], None]
    next_ms: int = 0


class Rounds:
    """What a node does among other cities by itself."""

    def __init__(self, node: Node, *, clock_ms: Callable[[], int], chance: Callable[[], float] = random.random) -> None:
        """Plan nothing yet; `chance` gives a fresh number from 0 up to 1 for the jitter."""
        self._node = node
        self._federation = node.federation
        self._clock_ms = clock_ms
        self._chance = chance
        self._lease = Lease(node.db, "federation", length_ms=LEASE_MS)
        self._held_ms: int | None = None
        self._version: int | None = None
        self._nudges: list[Nudge] = []
        self._pace_ms: dict[str, int] = {}
        self._not_before: dict[str, int] = {}
        self._timetable_ms = 0
        self._stop = threading.Event()
        self._pulls: dict[str, Future[None]] = {}
        self._telling: Future[None] | None = None
        self._duty: Future[None] | None = None
        self._speaking: Future[None] | None = None
        self._spoken: tuple[int | None, int] = (None, 0)
        self._moving: Future[None] | None = None
        self._moved: tuple[int | None, int] = (None, 0)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="federation")
        self._aside = ThreadPoolExecutor(4, thread_name_prefix="federation-aside")
        self._duties = (
            _Duty("cosigning", _COSIGN_MS, self._cosign),
            _Duty("comparing heads", _COMPARE_MS, self._compare),
            _Duty("tidying", _COMPARE_MS, self._federation.exchanging.exchange.tidy),
            _Duty("tending agreements", _TEND_MS, self._federation.agreeing.office.tend),
            _Duty("mirrors under agreements", _MIRRORS_MS, self._blank),
            _Duty("evidence", _EVIDENCE_MS, self._federation.moving.evidencing.evidence.tend),
            _Duty("watching consent", _CONSENT_MS, self._federation.moving.consenting.withdrawals.tend),
            _Duty("telling of deletions again", _COMPARE_MS, self._remind),
            _Duty("answering withdrawals again", _COMPARE_MS, self._answer_again),
        )

    def run(self, stop: threading.Event) -> None:
        """Make rounds until `stop` is set; what is under way then ends within a second."""
        self._stop = stop
        try:
            while not stop.wait(LOOK_S):
                self.look()
        finally:
            self._federation.moving.pusher.close()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._aside.shutdown(wait=True, cancel_futures=True)
            self._release()

    def look(self) -> None:
        """See what is due now and begin it. Nothing that goes wrong in here ends the rounds."""
        try:
            now_ms = self._clock_ms()
            if self._holds(now_ms):
                self._hear(now_ms)
                self._speak(now_ms)
                self._move(now_ms)
                self._follow_nudges(now_ms)
                self._follow_timetable(now_ms)
        except NodeError as error:
            _logger.warning("round skipped: %s", error)
        except Exception:
            _logger.exception("round failed")

    def idle(self) -> bool:
        """Tell whether nothing is under way."""
        under_way = (*self._pulls.values(), self._telling, self._duty, self._speaking, self._moving)
        return all(each is None or each.done() for each in under_way) and self._federation.moving.pusher.idle()

    def _holds(self, now_ms: int) -> bool:
        """Keep the lease, writing only every third part of its length."""
        if self._held_ms is None or not 0 <= now_ms - self._held_ms < LEASE_MS // 3:
            self._held_ms = now_ms if self._lease.hold(now_ms) else None
            if self._held_ms is None:
                self._stop.wait(1.0)  # somebody else makes the rounds
        return self._held_ms is not None

    def _release(self) -> None:
        try:
            self._lease.release()
        except NodeError as error:
            _logger.warning("the lease runs out by itself: %s", error)

    def _hear(self, now_ms: int) -> None:
        """Take in what changed in the database: nudges, and checkpoints of ours that peers should hear of."""
        version = self._node.db.data_version()
        if version != self._version:
            self._nudges = self._federation.notices.nudges()
            self._version = version
        elif not self._federation.notices.pending:
            return
        telling = self._telling is not None and not self._telling.done()
        if self._federation.notices.look(now_ms) and not telling:
            self._telling = self._aside.submit(self._tell)

    def _speak(self, now_ms: int) -> None:
        """Send what waits for other cities, about agreements and reports, when something changed or is due."""
        version = self._node.db.data_version()
        seen, looked_ms = self._spoken
        if version == seen and 0 <= now_ms - looked_ms < _TIMETABLE_MS:
            return
        if self._speaking is None or self._speaking.done():
            self._spoken = (version, now_ms)
            if self._federation.agreeing.office.due(now_ms):
                self._speaking = self._aside.submit(self._spoke)

    def _spoke(self) -> None:
        try:
            now_ms = self._clock_ms()
            taken = self._federation.agreeing.office.round(now_ms) + self._node.readers.reports.deliver(now_ms)
            taken += self._federation.moving.consenting.withdrawals.round(now_ms)
            taken += self._federation.moving.deletions.round(now_ms)
            _logger.debug("%s messages about agreements, reports and withdrawals were taken", taken)
        except NodeError as error:
            _logger.warning("messages to other cities put off: %s", error)
        except Exception:
            _logger.exception("messages to other cities failed")

    def _move(self, now_ms: int) -> None:
        """Decide on transfers and tell of them, apart from all else: data wait for it."""
        version = self._node.db.data_version()
        seen, looked_ms = self._moved
        if version == seen and 0 <= now_ms - looked_ms < _TIMETABLE_MS:
            return
        if self._moving is None or self._moving.done():
            self._moved = (version, now_ms)
            self._federation.moving.pusher.look()
            if self._federation.moving.transfers.due(now_ms):
                self._moving = self._aside.submit(self._delivered)

    def _delivered(self) -> None:
        try:
            _logger.debug("%s messages of transfers", self._federation.moving.transfers.deliver(self._clock_ms()))
        except NodeError as error:
            _logger.warning("messages of transfers put off: %s", error)
        except Exception:
            _logger.exception("messages of transfers failed")

    def _follow_nudges(self, now_ms: int) -> None:
        for nudge in self._nudges:
            if self._is_free(nudge.peer, now_ms):
                self._begin(nudge.peer, nudge)

    def _follow_timetable(self, now_ms: int) -> None:
        if 0 <= self._timetable_ms - now_ms <= _TIMETABLE_MS:
            return
        self._timetable_ms = now_ms + _TIMETABLE_MS
        for peer in self._federation.peers.list():
            pace = self._pace_ms.get(peer.name) or self._paced(peer.name)
            if self._is_free(peer.name, now_ms) and self._federation.exchanging.exchange.due(
                peer.name, now_ms, poll_ms=pace
            ):
                self._begin(peer.name, None)
        if self._duty is None or self._duty.done():
            self._duty = self._aside.submit(self._do_duties)

    def _do_duties(self) -> None:
        """Do what is due of the duties, one after the other; one that fails is tried again in its turn."""
        for duty in self._duties:
            now_ms = self._clock_ms()
            if self._stop.is_set() or 0 <= duty.next_ms - now_ms <= duty.every_ms:
                continue
            duty.next_ms = now_ms + duty.every_ms
            try:
                duty.act(now_ms)
            except NodeError as error:
                _logger.warning("%s put off: %s", duty.name, error)
            except Exception:
                _logger.exception("%s failed", duty.name)

    def _cosign(self, now_ms: int) -> None:
        for each in self._federation.watching.cosigning.run_due(now_ms, stop=self._stop):
            level = logging.DEBUG if each.state == "cosigned" else logging.WARNING
            _logger.log(level, "%s %s %s: %s", each.witness, each.state, each.collection, each.detail)

    def _blank(self, now_ms: int) -> None:
        """See to mirrors whose agreements ended or began."""
        self._federation.agreeing.blanking.look(now_ms)

    def _remind(self, now_ms: int) -> None:
        """Tell again what another city has not taken of our word on deletion."""
        self._federation.moving.deletions.remind(now_ms)

    def _answer_again(self, now_ms: int) -> None:
        """Tell again what another city has not taken of our answers to withdrawals."""
        self._federation.moving.consenting.acknowledgements.remind(now_ms)

    def _compare(self, _: int) -> None:
        self._federation.exchanging.visits.compare(stop=self._stop)

    def _paced(self, name: str) -> int:
        """Draw anew how soon a peer is asked again, so that a hundred cities do not ask in step."""
        poll_ms = self._node.settings.peer_poll_s * 1000
        self._pace_ms[name] = int(poll_ms * (1 - JITTER * self._chance()))
        return self._pace_ms[name]

    def _is_free(self, name: str, now_ms: int) -> bool:
        under_way = self._pulls.get(name)
        return (under_way is None or under_way.done()) and now_ms >= self._not_before.get(name, 0)

    def _begin(self, name: str, nudge: Nudge | None) -> None:
        self._pulls[name] = self._pool.submit(self._guarded, name, nudge)

    def _guarded(self, name: str, nudge: Nudge | None) -> None:
        """Visit a peer, and let nothing out of the thread."""
        gap = _LONG_GAP_MS
        try:
            gap = _GAP_MS if self._visit(name, nudge) else _LONG_GAP_MS
        except (AlreadyRunning, Stopped):
            gap = _GAP_MS * 4
        except NodeError as error:
            _logger.warning("visit of %s: %s", name, error, extra={"peer": name, "code": error.code})
            self._forget(nudge, error)
        except Exception:
            _logger.exception("visit of %s failed", name, extra={"peer": name})
        finally:
            self._not_before[name] = self._clock_ms() + gap
            self._paced(name)

    def _visit(self, name: str, nudge: Nudge | None) -> bool:
        """Visit a peer; True if all is level afterwards."""
        visited = self._federation.exchanging.visits.visit(name, self._stop)
        _log_pulled(visited.pulled)
        if visited.told:
            _logger.info("%s was told: %s", name, visited.told, extra={"peer": name})
        self._forget(nudge, visited.pulled.error)
        return visited.pulled.level

    def _forget(self, nudge: Nudge | None, error: NodeError | None) -> None:
        """Settle a nudge; what failed at the peer is tried again by its patience, what failed here by the nudge."""
        if nudge is not None and (error is None or is_the_peers(error)):
            self._federation.notices.settle(nudge)

    def _tell(self) -> None:
        try:
            told = self._federation.notices.tell(self._clock_ms(), self._stop)
            _logger.debug("%s peers heard of new checkpoints", told)
        except NodeError as error:
            _logger.warning("notices put off: %s", error)
        except Exception:
            _logger.exception("notices failed")


def _log_pulled(pulled: Pulled) -> None:
    for each in pulled.collections:
        if each.error is not None:
            extra = {"peer": pulled.peer, "code": each.error.code}
            _logger.warning("%s is not level: %s", each.collection, each.error, extra=extra)
        elif each.entries:
            _logger.info(
                "%s entries=%s refused=%s size=%s took_ms=%s",
                *(each.collection, each.entries, each.refused, each.size, pulled.took_ms),
                extra={"peer": pulled.peer},
            )
