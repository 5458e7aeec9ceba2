"""The worker's side of pushes: what is to be brought now, by how many hands, and what becomes of a transfer by it.

Looks at the transfers that are started and at the books; whatever was under way when a process died is simply due
again. A transfer has one pair of hands, which bring its parts one after the other, and each city has a few pairs. What
fails is tried again with patience; what can never succeed ends the transfer with a reason. When the last part is there
whole, this side completes, with the receipt that it has signed.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from node.errors import ForbiddenAddress, NodeError, Refused, Stopped, Unavailable
from node.federation.data.serving import Serving
from node.federation.moving import PUSH, Moved, Part
from node.federation.peers.backoff import Backoff, asked_ms
from node.federation.pushes import bringing
from node.federation.pushes.address import Target, target
from node.federation.pushes.bringing import Carrier, passes
from node.federation.pushes.ports import Delivered, HalfSigned, Transfers
from node.federation.pushes.store import DONE, FAILED, WAITING, Brought, PushStore
from node.federation.transfer import Step, Transfer

AT_ONCE = 16
AT_ONCE_OF_ONE = 2  # who takes bytes slowly, or never answers, holds no more hands than its own
GIVE_UP_MS = 7 * 86_400_000
MAX_NOES = 20  # attempts that the other side answered with a "no" before the transfer ends
UNDELIVERABLE = "undeliverable"
_ELSEWHERE = "The address leads where this city does not go."
_PATIENCE = Backoff(first_ms=500, longest_ms=300_000, opens_after=8)
_logger = logging.getLogger("citynode.data")


@dataclass(frozen=True, slots=True)
class House:
    """What pushing knows of this city: the time, chance, what its books say went out, and who writes receipts."""

    clock_ms: Callable[[], int]
    chance: Callable[[], float]
    delivered: Delivered
    half_signed: HalfSigned
    allow_http: bool = False


class Pusher:
    """Brings what was asked to be pushed. One per worker; `look` never blocks for long, hands are threads."""

    def __init__(
        self, store: PushStore, transfers: Transfers, serving: Serving, carrier: Carrier, house: House
    ) -> None:
        """Put it together; nothing runs before the first look."""
        self._store, self._transfers, self._serving, self._carrier = store, transfers, serving, carrier
        self._house = house
        self._stop = threading.Event()
        self._hands: dict[str, tuple[str, Future[None]]] = {}  # whose they are, by transfer
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="push")
        self._due: dict[str, int] = {}  # when a transfer is looked at again, where nothing of it could be done
        self._tries: dict[str, int] = {}  # how often in a row

    def look(self) -> None:
        """See what is to be brought now, and begin it."""
        now_ms = self._house.clock_ms()
        going = {each.pid: each for each in self._transfers.open() if _is_ours(each)}
        self._hands = {pid: held for pid, held in self._hands.items() if not held[1].done()}
        busy = Counter(peer for peer, _ in self._hands.values())
        # Copied first: the hands write into both meanwhile.
        self._due = {pid: at_ms for pid, at_ms in self._due.copy().items() if pid in going}
        self._tries = {pid: tries for pid, tries in self._tries.copy().items() if pid in going}
        for pid, transfer in going.items():
            is_due = pid not in self._hands and self._due.get(pid, 0) <= now_ms
            if is_due and busy[transfer.peer] < AT_ONCE_OF_ONE and busy.total() < AT_ONCE:
                busy[transfer.peer] += 1
                self._hands[pid] = transfer.peer, self._pool.submit(self._guarded, transfer)

    def idle(self) -> bool:
        """Tell whether nothing is being brought."""
        return all(hand.done() for _, hand in self._hands.values())

    def close(self) -> None:
        """End what is under way, within a second; the other side keeps what it has."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    # ---------------------------------------------------------------- one transfer

    def _guarded(self, transfer: Transfer) -> None:
        """Bring what is due of a transfer, and let nothing out of the thread."""
        try:
            self._due[transfer.pid] = self._go(transfer)
        except Stopped:
            self._due[transfer.pid] = self._house.clock_ms()
        except NodeError as error:
            _logger.warning("transfer %s is not brought now: %s", transfer.pid, error)
            self._put_off(transfer, error)
        except Exception:
            _logger.exception("bringing transfer %s failed", transfer.pid)
            self._put_off(transfer, Unavailable("It failed at this city; its operator finds why in the log."))

    def _put_off(self, transfer: Transfer, error: NodeError) -> None:
        """Try a transfer again later of which nothing can be brought now; end it where that would go on for ever."""
        tries = self._tried(transfer.pid)
        wait_ms = _PATIENCE.wait_ms(tries, self._house.chance(), asked_ms=asked_ms(error))
        self._due[transfer.pid] = self._house.clock_ms() + wait_ms
        if self._is_old(transfer) or (isinstance(error, Refused) and tries >= MAX_NOES):
            with suppress(NodeError):  # at the next look
                self._end(self._transfers.get(transfer.pid), str(error))

    def _go(self, transfer: Transfer) -> int:
        """Bring all parts that are due; give when this is looked at again."""
        held = self._serving.look(transfer.pid, transfer.peer, format=PUSH)
        books = self._store.of(transfer.pid)
        if not books:
            self._store.plan(transfer.pid, [part.name for part in held.parts], at_ms=self._house.clock_ms())
            books = self._store.of(transfer.pid)
        for one in books:
            if one.state == WAITING and one.due_at <= self._house.clock_ms():
                self._bring(transfer, one)
        books = self._store.of(transfer.pid)
        parts = {part.name: part for part in held.parts}
        return self._concluded(transfer, books, parts)

    def _bring(self, transfer: Transfer, one: Brought) -> None:
        try:
            there = self._carrier.bring(transfer, self._target(transfer), one.part, self._stop)
        except Stopped:
            raise
        except NodeError as error:
            self._failed(transfer, one, error)
        else:
            self._tries.pop(transfer.pid, None)
            digest = self._digest(transfer, there)
            self._store.done(transfer.pid, there.part, there.sent, digest)
            _logger.info("%s of transfer %s was brought", one.part, transfer.pid)

    def _target(self, transfer: Transfer) -> Target:
        return target(
            transfer.address,
            transfer.peer,
            transfer.consumer_pid,
            is_single=bool(transfer.part),
            allow_http=self._house.allow_http,
        )

    def _failed(self, transfer: Transfer, one: Brought, error: NodeError) -> None:
        now_ms, tries = self._house.clock_ms(), one.tries + 1
        hopeless = not passes(error) or (isinstance(error, Refused) and tries >= MAX_NOES)
        final = hopeless or self._is_old(transfer)
        wait_ms = _PATIENCE.wait_ms(tries, self._house.chance(), asked_ms=asked_ms(error))
        # The other city is told this in the end; what its address leads to inside our network is ours to know.
        told = _ELSEWHERE if isinstance(error, ForbiddenAddress) else str(error)
        self._store.failed(one, told, tries=tries, due_ms=now_ms + wait_ms, final=final)
        _logger.warning("%s of transfer %s did not arrive: %s", one.part, transfer.pid, error)

    def _tried(self, pid: str) -> int:
        """Count an attempt that brought nothing further; give how many there were in a row."""
        tries = self._tries[pid] = self._tries.get(pid, 0) + 1
        return tries

    def _is_old(self, transfer: Transfer) -> bool:
        """Tell whether it has gone on for a week, not counting what it stood still before."""
        return self._house.clock_ms() - transfer.changed_at >= GIVE_UP_MS

    def _digest(self, transfer: Transfer, there: bringing.Brought) -> str:
        """Give the digest of what is there: as our own books have it, else as the other side says."""
        ours = self._house.delivered(transfer.pid, {there.part.name: there.part})
        return next((each.digest for each in ours if each.digest), "") or there.digest

    # ---------------------------------------------------------------- its end

    def _concluded(self, transfer: Transfer, books: list[Brought], parts: dict[str, Part]) -> int:
        now_ms = self._house.clock_ms()
        lost = next((one for one in books if one.state == FAILED), None)
        now = self._transfers.get(transfer.pid)
        if now.sending or not now.streams:
            return now_ms + _PATIENCE.first_ms
        if lost is not None:
            self._end(now, f"{lost.part} could not be delivered: {lost.error}")
        elif all(one.state == DONE for one in books):
            return now_ms + self._completed(now, parts, now_ms)
        else:
            return min(one.due_at for one in books if one.state == WAITING)
        return now_ms + _PATIENCE.first_ms

    def _completed(self, now: Transfer, parts: dict[str, Part], now_ms: int) -> int:
        """Complete a transfer; give how long to wait before it is done again, since it may be refused."""
        receipt = self._house.half_signed(now, self.moved(now.pid, parts), now_ms)
        tries = self._tried(now.pid)
        if tries < MAX_NOES:
            self._transfers.step(now.pid, Step("complete", receipt=receipt))
        else:
            self._end(now, "The other side did not let it be completed.")
        return _PATIENCE.wait_ms(tries, self._house.chance())

    def _end(self, now: Transfer, why: str) -> None:
        if now.streams and not now.sending:
            self._transfers.step(now.pid, Step("terminate", code=UNDELIVERABLE, reasons=(why,)))

    def moved(self, pid: str, parts: dict[str, Part]) -> list[Moved]:
        """Give what our books say of the parts that were brought whole, by name."""
        streamed = {one.part: one for one in self._house.delivered(pid, parts) if one.digest}
        return [streamed.get(one.part, one.moved) for one in self._store.of(pid) if one.state == DONE]


def _is_ours(transfer: Transfer) -> bool:
    return transfer.role == "provider" and transfer.format == PUSH and transfer.streams and bool(transfer.started_at)
