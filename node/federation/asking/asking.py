"""Live search: one question put to several cities at once, for what an agreement lets us read but not copy.

At most twenty cities, all in parallel, each with the same deadline. A city that has not answered after a third of it is
asked once more over another connection, and the first answer counts. One that lets its deadline pass, or cannot be
reached, is left alone for a while, so that it costs one search its deadline and not each; that is told and never an
error. Who may be asked for whom is decided in `askable`, what of an answer counts in `heard`. Nothing is kept of what
was asked or answered.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from node.errors import NodeError, PeerUnreachable, Stopped, TooManyRequests, Unavailable
from node.federation.asking.askable import Askable, Askables
from node.federation.asking.heard import Answer, Json, read_answer
from node.federation.check import Authority
from node.federation.client import PeerClient
from node.federation.rights.rights import Who

_logger = logging.getLogger("citynode.federation")
MAX_PEERS = 20
MAX_LIMIT = 100
MAX_RECORDS = 20
# After this share of the deadline a silent city is asked again.
HEDGE = 1 / 3
FIRST_QUIET_S, LONGEST_QUIET_S = 30.0, 300.0
# Two questions to each city, of two searches at once; a thread is there only while it is needed.
_THREADS = 4 * MAX_PEERS
State = Literal["answered", "slow", "unreachable", "refused"]


class Namespaces(Protocol):
    """Who describes what."""

    def namespaces(self) -> Mapping[str, frozenset[str]]:
        """Give every approved prefix with who declared it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question as every node understands it, and what narrows it to cities and collections as they are named here.

    `asked` are parameters of `/search` but for cities, collections and paging. Empty sets narrow nothing.
    """

    asked: tuple[tuple[str, str], ...]
    limit: int = 20
    cities: frozenset[str] = frozenset()
    not_cities: frozenset[str] = frozenset()
    collections: frozenset[str] = frozenset()
    not_collections: frozenset[str] = frozenset()

    def narrowed(self, askable: Askable) -> Askable | None:
        """Give what of a city is asked about; None for nothing."""
        if askable.peer in self.not_cities or (self.cities and askable.peer not in self.cities):
            return None

        def is_wanted(name: str) -> bool:
            local = f"{askable.peer}/{name}"
            return local not in self.not_collections and (not self.collections or local in self.collections)

        names = frozenset(filter(is_wanted, askable.collections))
        # In which collection a single record stands is not known here.
        records = askable.records if not self.collections else frozenset[str]()
        return replace(askable, collections=names, records=records) if names or records else None

    def to(self, askable: Askable) -> list[tuple[str, str]]:
        """Write the parameters for one city."""
        only = sorted(askable.collections)
        narrow = [("collection", name) for name in only] if not askable.records else []
        narrow += [("iri", record) for record in sorted(askable.records)[:MAX_RECORDS]] if not only else []
        limit = MAX_LIMIT if only and askable.records else min(self.limit, MAX_LIMIT)
        return [*self.asked, *narrow, ("limit", str(limit)), ("facet", "none")]


@dataclass(frozen=True, slots=True)
class Asked:
    """How one city answered: its name here and as it says it, how many hits came, after how long."""

    peer: str
    city: str
    state: State
    hits: int = 0
    ms: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: the hits of each city in its order, how many there are in all, and how each answered."""

    found: tuple[tuple[Json, ...], ...] = ()
    total: int = 0
    exact: bool = True
    asked: tuple[Asked, ...] = ()


@dataclass(slots=True)
class _Race:
    """The tries at one city; the first answer ends all of them."""

    askable: Askable
    stop: threading.Event = field(default_factory=threading.Event)
    tries: int = 0
    running: int = 0
    answer: Answer | None = None
    error: NodeError | None = None
    ended_s: float = 0.0

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more is waited for."""
        return self.answer is not None or not self.running


@dataclass(frozen=True, slots=True)
class _Quiet:
    """A city that is left alone until a time of the monotonic clock, after so many failures in a row."""

    until_s: float
    failures: int
    state: State


class Asking:
    """Asks cities live. Safe to share by threads; each process remembers by itself who was silent."""

    def __init__(
        self,
        askables: Askables,
        client: PeerClient,
        peers: Namespaces,
        *,
        deadline_ms: int,
        monotonic: Callable[[], float],
    ) -> None:
        """Take who may be asked, what speaks to them, who describes what, and how long a search waits."""
        self._askables, self._client, self._peers = askables, client, peers
        self._deadline_s, self._monotonic = deadline_ms / 1000, monotonic
        self._quiet: dict[str, _Quiet] = {}
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def ask(self, caller: Who, wanted: Wanted) -> Heard:
        """Put a question to every city that may be asked for this caller; blocks for the deadline at most."""
        narrowed = (wanted.narrowed(each) for each in self._askables.of(caller))
        # Those that were silent go last, so that they do not stand in the way of the twenty that answer.
        found = sorted((each for each in narrowed if each is not None), key=lambda one: self._is_quiet(one.peer))
        asked = found[:MAX_PEERS]
        quiet = {each.peer: state for each in asked if (state := self._is_quiet(each.peer))}
        races = [_Race(each) for each in asked if each.peer not in quiet]
        if races:
            self._run(races, wanted)
        told = [self._told(race) for race in races]
        told += [Asked(each.peer, each.city, quiet[each.peer]) for each in asked if each.peer in quiet]
        answers = [race.answer for race in races if race.answer is not None]
        return Heard(
            tuple(each.hits for each in answers),
            sum(each.total for each in answers),
            exact=len(answers) == len(asked) == len(found) and all(each.exact for each in answers),
            asked=tuple(sorted(told, key=lambda each: each.peer)),
        )

    def close(self) -> None:
        """Wait for nothing more; questions that are under way end at their deadline."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    # ---------------------------------------------------------------- asking

    def _run(self, races: Sequence[_Race], wanted: Wanted) -> None:
        begun = self._monotonic()
        end, hedge = begun + self._deadline_s, begun + self._deadline_s * HEDGE
        running: dict[Future[Answer], _Race] = {}
        for race in races:
            self._try(race, wanted, end, running)
        while not all(race.is_over for race in races) and (now := self._monotonic()) < end:
            done, _ = wait(running, (hedge if now < hedge else end) - now, FIRST_COMPLETED)
            for future in done:
                self._settle(running.pop(future), future, begun)
            late = self._monotonic() >= hedge
            for race in races:
                broken = race.is_over and race.answer is None and isinstance(race.error, PeerUnreachable)
                if race.tries == 1 and race.answer is None and (broken or (late and race.running)):
                    self._try(race, wanted, end, running)
        for race in races:
            race.stop.set()

    def _try(self, race: _Race, wanted: Wanted, end: float, running: dict[Future[Answer], _Race]) -> None:
        left_s = end - self._monotonic()
        if left_s <= 0:
            return
        race.tries += 1
        race.running += 1
        running[self._threads().submit(self._one, race, wanted, left_s)] = race

    def _one(self, race: _Race, wanted: Wanted, left_s: float) -> Answer:
        if race.stop.is_set():
            raise Stopped("Another answer came first.")
        askable = race.askable
        said = self._client.search(
            askable.url, wanted.to(askable), details=askable.details, deadline_s=left_s, stop=race.stop
        )
        return read_answer(said, askable, Authority(self._peers.namespaces(), askable.peer))

    def _settle(self, race: _Race, future: Future[Answer], begun: float) -> None:
        race.running -= 1
        if race.answer is not None:
            return
        try:
            race.answer = future.result()
        except NodeError as error:
            race.error = error
        else:
            race.stop.set()
        race.ended_s = self._monotonic() - begun

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="asking")
            return self._pool

    # ---------------------------------------------------------------- what is told and remembered

    def _told(self, race: _Race) -> Asked:
        peer, city = race.askable.peer, race.askable.city
        if race.answer is not None:
            with self._lock:
                self._quiet.pop(peer, None)
            return Asked(peer, city, "answered", len(race.answer.hits), round(race.ended_s * 1000))
        state = self._state(race)
        spent_s = race.ended_s if race.is_over else self._deadline_s
        _logger.info("%s was asked live and did not answer: %s", peer, race.error or state, extra={"peer": peer})
        self._remember(peer, state, race.error)
        return Asked(peer, city, state, 0, round(spent_s * 1000))

    def _state(self, race: _Race) -> State:
        if not race.is_over:
            return "slow"
        if isinstance(race.error, PeerUnreachable):
            # Its tries end with their deadline, which is the search's: just before it they are late, not refused.
            return "slow" if race.ended_s >= 0.9 * self._deadline_s else "unreachable"
        return "refused"

    def _remember(self, peer: str, state: State, error: NodeError | None) -> None:
        asked_s = min(float(error.retry_after_s), LONGEST_QUIET_S) if isinstance(error, TooManyRequests) else 0.0
        # A city that refuses does so at once, and may think otherwise in a moment.
        if state == "refused" and not asked_s and not isinstance(error, Unavailable):
            return
        with self._lock:
            before = self._quiet.get(peer)
            failures = before.failures + 1 if before else 1
            quiet_s = max(asked_s, min(LONGEST_QUIET_S, FIRST_QUIET_S * 2 ** min(failures - 1, 10)))
            self._quiet[peer] = _Quiet(self._monotonic() + quiet_s, failures, state)

    def _is_quiet(self, peer: str) -> State | Literal[""]:
        with self._lock:
            found = self._quiet.get(peer)
        return found.state if found is not None and self._monotonic() < found.until_s else ""
