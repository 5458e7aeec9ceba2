"""A visit to a peer, from beginning to end: pull, compare with what others were shown, tell what it should know.

What the worker does by itself and `citynode exchange run` does by hand is this one thing. Only the pull decides how the
visit went; what could not be told or compared now is so the next time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from node.errors import BrokenHistory, NodeError, PeerUnreachable, Stopped, Unavailable
from node.federation.exchange.again import Again, Asked
from node.federation.exchange.epochs import Epochs
from node.federation.exchange.exchange import Exchange, Pulled
from node.federation.exchange.heads import Heads
from node.federation.peers.backoff import is_the_peers
from node.federation.peers.days import PeerDays
from node.federation.peers.peers import Peers
from node.federation.refusals.reports import Reports, Told

_logger = logging.getLogger("citynode.federation")
# Finding out that there is nothing new is one small request.
_SLOW_MS = 5_000


@dataclass(frozen=True, slots=True)
class Visited:
    """How a visit went. `contradictions` are histories that others were shown differently."""

    pulled: Pulled
    contradictions: tuple[str, ...] = ()
    asked_again: Asked = field(default_factory=Asked)
    told: Told = field(default_factory=Told)


class Visits:
    """Visits peers. Safe to share by threads and processes."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        heads: Heads,
        epochs: Epochs,
        again: Again,
        reports: Reports,
        peers: Peers,
        days: PeerDays,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take what is needed."""
        self._exchange = exchange
        self._heads = heads
        self._epochs = epochs
        self._again = again
        self._reports = reports
        self._peers = peers
        self._days = days
        self._clock_ms = clock_ms

    def visit(self, name: str, stop: Event | None = None, *, only: str = "", by_hand: bool = False) -> Visited:
        """Visit one peer; what `by_hand` means and what is raised is said at `Exchange.pull`."""
        pulled = self._pulled(name, stop, only=only, by_hand=by_hand)
        self._look_for_epochs(pulled)
        # Of every peer, not of this one alone: its list may be the first to show another city's history differently.
        found = () if pulled.unchanged else self.compare(stop=stop)
        if not self._peers.get(name).exchanges:
            return Visited(pulled, found)
        asked = self._again.ask(name, only, every=False, stop=stop)
        return Visited(pulled, found, asked, self._told(name, stop))

    def _pulled(self, name: str, stop: Event | None, *, only: str, by_hand: bool) -> Pulled:
        """Pull, and count how the peer could be reached."""
        try:
            pulled = self._exchange.pull(name, stop, only=only, by_hand=by_hand)
        except NodeError as error:
            # That nothing is followed, or that it is paused, says nothing of whether it can be reached.
            if isinstance(error, Unavailable) and is_the_peers(error):
                self._count(name, failed=True)
            raise
        lost = any(isinstance(each.error, PeerUnreachable) for each in pulled.collections)
        self._count(name, failed=lost, slow=pulled.unchanged and pulled.took_ms > _SLOW_MS)
        return pulled

    def _count(self, name: str, *, failed: bool, slow: bool = False) -> None:
        try:
            self._days.note(name, self._clock_ms(), failed=failed, slow=slow)
        except NodeError as error:
            _logger.info("this visit of %s is not counted: %s", name, error)

    def compare(self, name: str = "", stop: Event | None = None) -> tuple[str, ...]:
        """Compare what is held of a peer, or of all, with what other peers hold of it; give the contradictions."""
        found = []
        for follow in self._peers.follows(name):
            if self._peers.get(follow.peer).exchanges and not (stop and stop.is_set()):
                told = self._heads.compare(follow.peer, follow.iri, follow.local, self._clock_ms())
                if told.contradiction:
                    found.append(told.contradiction)
                    _logger.error("%s is held apart: %s", follow.peer, told.contradiction, extra={"peer": follow.peer})
        return tuple(found)

    def retry(self, name: str, collection: str = "", stop: Event | None = None) -> Visited:
        """Pull by hand, then ask again for everything that is held as a stub, whatever the code.

        Raises what `Exchange.pull` and `Again.ask` raise.
        """
        pulled = self._exchange.pull(name, stop, only=collection, by_hand=True)
        asked = self._again.ask(name, collection, every=True, stop=stop)
        return Visited(pulled, (), asked, self._told(name, stop))

    def _look_for_epochs(self, pulled: Pulled) -> None:
        """Where a history broke, ask whether its city says that it began anew, so that a person finds the statement."""
        for local in [each.collection for each in pulled.collections if isinstance(each.error, BrokenHistory)]:
            try:
                offered = self._epochs.look(pulled.peer, local.rpartition("/")[2], self._clock_ms())
            except NodeError as error:
                _logger.info("%s was not asked for epochs of %s: %s", pulled.peer, local, error)
                continue
            if offered is not None:
                hint = f"citynode peers approve-epoch {pulled.peer} {local.rpartition('/')[2]}"
                _logger.warning("%s began anew, says its city: %s", local, hint, extra={"peer": pulled.peer})

    def _told(self, name: str, stop: Event | None) -> Told:
        if not self._reports.waiting(name):
            return Told()
        try:
            return self._reports.send(name, self._clock_ms(), stop)
        except Stopped:
            raise
        except NodeError as error:
            _logger.warning("%s was not told everything: %s", name, error, extra={"peer": name, "code": error.code})
            return Told()
