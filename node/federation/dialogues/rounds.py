"""What is done with negotiations and transfers alike: a message is heard, the decider is asked, what is due goes out.

Whatever comes is stored before it is acknowledged and decided on later, so that a crash between any two steps is mended
by the next round. A decision was made on what was seen: if that has changed meanwhile, it is made again. Nobody is
waited for while the database is locked.
"""

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from node.db import Tx
from node.errors import Conflict, NotFound, Refused, TooLarge, Unavailable
from node.federation.dialogues.delivery import Acquaintance, DialogueDelivery
from node.federation.dialogues.dialogues import Dialogues, Heard, Said
from node.federation.dialogues.moves import DialogueMoves, Doing
from node.federation.dialogues.outgoing import Outbox
from node.federation.turns import Dialogue

MAX_OPEN = 1_000  # with one city, that have not ended
_TURNS = 20
_RACES = 5
_LATER_MS = 10_000

D = TypeVar("D", bound=Dialogue)
S = TypeVar("S", bound=Doing)
H = TypeVar("H", bound=Heard)


class Parties(Acquaintance, Protocol):
    """The other sides, by participant id."""

    def address(self, peer: str, callback: str) -> str:
        """Give the address below which it wants our messages, if that is its own. Raises Refused."""


class DialogueRounds(ABC, Generic[D, S, H]):
    """Dialogues of one kind. Safe to share by threads and by processes on one database."""

    outbox: Outbox
    _store: Dialogues[D]
    _moves: DialogueMoves[D, S, H]
    _delivery: DialogueDelivery[D, S]
    _parties: Parties
    _clock_ms: Callable[[], int]

    @abstractmethod
    def _next(self, seen: D, now_ms: int) -> S | None:
        """Ask for the next step of ours."""

    @abstractmethod
    def _done(self, seen: D, step: S, now_ms: int) -> D | None:
        """Put out a step that was decided on what was seen; None if that has changed meanwhile."""

    @abstractmethod
    def _read(self, said: Mapping[str, Any], kinds: tuple[Any, ...] = ()) -> H:
        """Read a message that may be one of these kinds, or of any. Raises Malformed."""

    @abstractmethod
    def _begun(self, caller: str, message: H, now_ms: int) -> D:
        """Take a message that begins one, which may have come before. Raises Refused."""

    @staticmethod
    @abstractmethod
    def _beginning(message: H) -> tuple[object, ...]:
        """Give what makes two first messages the same beginning."""

    # ---------------------------------------------------------------- what others say

    def hear(self, caller: str, role: str | None, pid: str, said: Mapping[str, Any], *kinds: Any) -> D:  # noqa: ANN401
        """Take a message, and give the dialogue as it stands then. The same message again changes nothing.

        Args:
            caller: Who says it, by participant id.
            role: Ours, as the path says; None where a path serves both.
            pid: Ours; empty for a message that begins one.
            said: The message, as JSON.
            kinds: What the path takes.

        Raises:
            NotFound: There is no such one, or not with the caller.
            Refused: It cannot be read, does not fit the state, or its content does not hold; nothing has changed.
        """
        if not self._parties.knows(caller):
            raise self._not_here()
        message = self._read(said, kinds)
        now_ms = self._clock_ms()
        return self._taken(caller, role, pid, message, now_ms) if pid else self._begun(caller, message, now_ms)

    def _begun_again(self, held: D, message: H) -> D:
        """Take a first message that came again for what it is: the same beginning, whatever its own id is by now."""
        before = self._read(json.loads(self._store.messages(held.pid)[0].body))
        if self._beginning(before) != self._beginning(message):
            word = self._store.shape.table
            raise Conflict(f"Another {word} was begun under this pid.", fix=f"Give each {word} a pid of its own.")
        return held

    def _check_room(self, tx: Tx, peer: str) -> None:
        if self._store.open_with(tx, peer) >= MAX_OPEN:
            word = self._store.shape.table
            raise TooLarge(f"{MAX_OPEN} {word}s with {peer} are open.", fix="End some of them first.")

    def _check_known(self, peer: str) -> None:
        if not self._parties.knows(peer):
            raise NotFound(
                f"Nothing is exchanged with {peer}.",
                fix="First: citynode peers approve NAME",
            ).on_page("no.peer.exchange", name=peer)

    def _taken(self, caller: str, role: str | None, pid: str, message: H, now_ms: int) -> D:
        """Take a message that does not begin anything; the same again changes nothing."""
        with self._store.db.write() as tx:
            held = self._store.held(tx, pid)
            if held.peer != caller or role not in (None, held.role):
                raise self._not_here()
            known = self._store.heard(tx, pid, digest=message.digest, name=message.name)
            if known is not None and message.name:
                if known.digest != message.digest:
                    raise Conflict("Another message had this @id.", fix="Give each message an @id of its own.")
                return held
            try:
                return self._moves.take(tx, held, message, now_ms)
            except Conflict:
                if known is None:
                    raise
                return held  # a repeat without an id of its own, which fits no more because it was taken

    def state(self, caller: str, role: str | None, pid: str) -> D:
        """Tell a city how one with it stands.

        Raises:
            NotFound: There is none with it.
            Unavailable: It has our first message, and we have not its answer.
        """
        found = self._store.get(pid)
        if not self._parties.knows(caller) or found.peer != caller or role not in (None, found.role):
            raise self._not_here()
        if not found.state:
            raise Unavailable(f"This {self._store.shape.table} is just being begun.", fix="Ask again.")
        if not found.other_pid:
            raise self._not_here()  # ended before it was known that the other side had heard of it
        return found

    def _not_here(self) -> NotFound:
        """Give the one answer to everyone who is not the other side, whether there is such a one or not."""
        return NotFound(f"There is no such {self._store.shape.table}.")

    # ---------------------------------------------------------------- what is decided

    def _settled(self, pid: str, now_ms: int) -> D:
        for _ in range(_RACES):
            seen = self.get(pid)
            step = self._next(seen, now_ms)
            found = self._done(seen, step, now_ms) if step else self._asked(seen)
            if found is not None:
                return found
        return self.get(pid)

    def _asked(self, seen: D, later_ms: int = 0) -> D | None:
        with self._store.db.write() as tx:
            return seen if self._store.asked(tx, seen, ask_at=later_ms) else None

    # ---------------------------------------------------------------- what the worker does

    def deliver(self, now_ms: int, subject: str = "") -> int:
        """Ask for what is to be decided and send what is due; give how many messages were taken.

        Args:
            now_ms: The time.
            subject: Only this one.
        """
        taken = 0
        kind, send = self._store.shape.kind, self._delivery.send
        for _ in range(_TURNS):
            asked = [self._swept(pid, now_ms) for pid in self._store.to_ask(now_ms, subject)]
            sent = self.outbox.deliver(kind, now_ms, lambda one: send(one, now_ms), subject=subject)
            taken += sent
            if not sent and not any(asked):
                break
        return taken

    def due(self, now_ms: int) -> bool:
        """Tell whether anything is to be decided or, of whatever kind, to be sent; a few reads by an index."""
        return self._store.has_to_ask(now_ms) or self.outbox.due(now_ms)

    def _swept(self, pid: str, now_ms: int) -> bool:
        """Settle one; True if there is something to send. What cannot be done now is asked again later."""
        word = self._store.shape.table
        logger = logging.getLogger(f"citynode.{word}s")
        try:
            return bool(self._settled(pid, now_ms).sending)
        except Unavailable as error:
            logger.info("What follows in %s %s is asked again later: %s", word, pid, error)
            self._asked(self.get(pid), now_ms + _LATER_MS)
        except Refused as error:
            logger.warning("What was decided in %s %s cannot be done: %s", word, pid, error)
            self._asked(self.get(pid))
        return False

    # ---------------------------------------------------------------- reading

    def get(self, pid: str) -> D:
        """Give one by our id. Raises NotFound."""
        return self._store.get(pid)

    def list(self, *, peer: str = "", offset: int = 0, limit: int = 100) -> Sequence[D]:
        """Give them, the newest first: all, or those with one city."""
        return self._store.list(peer=peer, offset=offset, limit=limit)

    def open(self) -> Sequence[D]:
        """Give all that have not ended, the newest first."""
        return self._store.open()

    def named(self, beginning: str) -> Sequence[D]:
        """Give those whose id of ours begins so."""
        return self._store.named(beginning)

    def messages(self, pid: str) -> Sequence[Said]:
        """Give what was said in one, in order."""
        return self._store.messages(pid)
