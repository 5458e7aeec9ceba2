"""Who may ask a triple store now: few places, a short queue, and a turn for everybody.

Each asker runs one query at a time, so nobody holds a store alone. Whose queries ran into a bound of time or size in
the last minutes shares all places but one with the others of that sort, so that one stays for everybody else; where
there is but one, everybody else comes first. Whose query the engine died of waits, longer each time, since that costs
everybody. An asker is an address or a name, and empty for whoever needs no turn. In memory of one process; blocks.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from node.errors import TooManyRequests, Unavailable

QUEUE = 8
QUEUE_S = 3.0
# The most of a queue that one asker has, and those together who ran into bounds.
SHARE = QUEUE // 2
REMEMBERED_S = 300.0
MOST_REMEMBERED = 10_000
# How long an asker waits after a query that the engine died of: the engine needs about that to come back.
FIRST_REST_S, LONGEST_REST_S = 4.0, 64.0
SOON_S = 5


@dataclass(slots=True)
class _Mark:
    """What is remembered of an asker; times in seconds of the clock."""

    at: float
    heavy: bool = False
    rests: int = 0
    until: float = 0.0


@dataclass(eq=False, slots=True)
class Turn:
    """A query that waits or runs; `over` if nobody waits for its answer, `beside` if it was not alone all the time."""

    who: str
    heavy: bool
    over: bool = False
    beside: bool = False


class Places:
    """The places of one store: of queries that run, and of those that wait for one."""

    def __init__(self, number: int, *, wait_s: float = QUEUE_S, clock: Callable[[], float] = time.monotonic) -> None:
        """Let so many run, and others wait so long."""
        self._number, self._wait_s, self._clock = number, wait_s, clock
        self._heavy_number = max(1, number - 1)
        self._changed = threading.Condition()
        self._running: list[Turn] = []
        self._waiting: list[Turn] = []
        self._marks: dict[str, _Mark] = {}

    def take(self, who: str = "") -> Turn:
        """Take a place; whoever gets one gives it back.

        Raises:
            TooManyRequests: This asker has to wait for itself.
            Unavailable: Others were there before.
        """
        until = self._clock() + self._wait_s
        with self._changed:
            turn = Turn(who, self._is_heavy(who))
            self._refuse(turn)
            self._waiting.append(turn)
            try:
                while self._next() is not turn:
                    left = until - self._clock()
                    if left <= 0:
                        raise self._too_long(turn)
                    self._changed.wait(left)
                for each in self._running:
                    turn.beside = each.beside = True
                self._running.append(turn)
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
            return turn

    def leave(self, turn: Turn) -> None:
        """Give a place back."""
        with self._changed:
            self._running.remove(turn)
            self._changed.notify_all()

    def give_up(self, turn: Turn) -> None:
        """Keep a place for what the engine is still at, and let its asker ask the next."""
        with self._changed:
            turn.over = True
            self._changed.notify_all()

    def ran_away(self, turn: Turn) -> None:
        """Remember that a query went past a bound."""
        with self._changed:
            self._mark(turn.who).heavy = True

    def felled(self, turn: Turn) -> int:
        """Remember that the engine died while this ran; give the seconds until its asker may ask again.

        Only who was alone waits longer each time: of several it is not known whose query it was.
        """
        with self._changed:
            mark, rest = self._mark(turn.who), FIRST_REST_S
            if not turn.beside:
                rest = min(LONGEST_REST_S, FIRST_REST_S * 2**mark.rests)
                mark.rests, mark.heavy = min(8, mark.rests + 1), True
            mark.until = self._clock() + rest
            return max(SOON_S, math.ceil(rest))

    def _next(self) -> Turn | None:
        """Give who is to run next: the first that may, and of those who ran into bounds only if no other may."""
        if len(self._running) >= self._number:
            return None
        running = {turn.who for turn in self._running if turn.who and not turn.over}
        heavy = sum(turn.heavy and not turn.over for turn in self._running)
        able = [turn for turn in self._waiting if turn.who not in running]
        light = next((turn for turn in able if not turn.heavy), None)
        if light is not None or heavy >= self._heavy_number:
            return light
        return next(iter(able), None)

    def _refuse(self, turn: Turn) -> None:
        mark = self._marks.get(turn.who)
        left = mark.until - self._clock() if mark and turn.who else 0.0
        if left > 0:
            raise TooManyRequests(
                "Your last query needed more memory than there is, or ran beside one that did.",
                retry_after_s=math.ceil(left),
                fix="Wait as long as Retry-After says, and match fewer patterns.",
            ).on_page("no.sparql.last")
        if turn.who and sum(each.who == turn.who for each in self._waiting) >= SHARE:
            raise self._own()
        if len(self._waiting) >= QUEUE or (turn.heavy and sum(each.heavy for each in self._waiting) >= SHARE):
            raise self._full()

    def _too_long(self, turn: Turn) -> Unavailable:
        own = turn.who and any(each.who == turn.who and not each.over for each in self._running)
        return self._own() if own else self._full()

    def _own(self) -> TooManyRequests:
        return TooManyRequests(
            "Another query of yours is running.", retry_after_s=SOON_S, fix="Ask one after the other."
        ).on_page("no.sparql.yours")

    def _full(self) -> Unavailable:
        return Unavailable(
            "Other queries are running, as many as this node takes.",
            retry_after_s=SOON_S,
            fix="Try again in a few seconds.",
        ).on_page("no.sparql.busy")

    def _is_heavy(self, who: str) -> bool:
        mark = self._marks.get(who)
        return mark is not None and mark.heavy and bool(who) and self._clock() - mark.at < REMEMBERED_S

    def _mark(self, who: str) -> _Mark:
        now = self._clock()
        mark = self._marks.pop(who, None)
        if mark is None or now - mark.at >= REMEMBERED_S:
            mark = _Mark(now)
        mark.at = now
        self._marks[who] = mark  # the latest stand last
        while len(self._marks) > MOST_REMEMBERED or now - next(iter(self._marks.values())).at >= REMEMBERED_S:
            del self._marks[next(iter(self._marks))]
        return mark
