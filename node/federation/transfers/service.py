"""Transfers with other cities, in both roles: what the web hears, what pulls and pushes begin, what the worker sends.

Whatever comes is stored before it is acknowledged and decided on later: `deliver` asks the decider and sends what
follows, so that a crash between any two steps is mended by the next round. Nobody is waited for while the database is
locked. The rules of the game are in `transfer` (pure), its changes in `moves`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from node.db import Database
from node.errors import Conflict, Malformed, Refused
from node.federation.dialogues.outgoing import Outbox
from node.federation.dialogues.rounds import DialogueRounds, Parties
from node.federation.moving import Format
from node.federation.transfer import Decider, Json, Kind, Step, Transfer
from node.federation.transfers import wire
from node.federation.transfers.decider import check_asked
from node.federation.transfers.delivery import Delivery, Sender
from node.federation.transfers.moves import Hooks, Moves, new
from node.federation.transfers.store import TransferStore
from node.federation.transfers.wire import Heard

__all__ = ["Hooks", "House", "Sender", "Transfers"]

_LOOK_MS = 15_000  # how often what is started is looked at, besides when an agreement changes


def _as_asked(asked: Transfer, now_ms: int) -> Transfer:  # noqa: ARG001 (the shape of what admits)
    """Admit what is asked for as it is."""
    return asked


@dataclass(frozen=True, slots=True)
class House:
    """What transfers know of this city.

    `admits` gives a request with its dataset named, or raises what the other side is told; `may_ask` raises where we
    may not request one ourselves; `stands` says by a word how an agreement stands now, so that it is seen when it
    changes.
    """

    callback: str
    clock_ms: Callable[[], int]
    chance: Callable[[], float]
    admits: Callable[[Transfer, int], Transfer] = field(default=_as_asked)
    may_ask: Callable[[Transfer, int], None] = field(default=lambda *_: None)
    stands: Callable[[str, int], str] = field(default=lambda *_: "")
    new_id: Callable[[], str] = field(default=lambda: str(uuid4()))


class Transfers(DialogueRounds[Transfer, Step, Heard]):
    """Safe to share by threads and by processes on one database."""

    _store: TransferStore
    _moves: Moves
    _parties: Parties

    def __init__(
        self, db: Database, house: House, *, parties: Parties, sender: Sender, decider: Decider, hooks: Hooks
    ) -> None:
        """Take what is needed.

        Args:
            db: Where they are kept.
            house: This city.
            parties: The other cities.
            sender: The way to them.
            decider: Decides for us.
            hooks: What others do when a transfer changes.
        """
        self._db, self._house, self._parties, self._decider = db, house, parties, decider
        self._clock_ms = house.clock_ms
        self._store, self.outbox = TransferStore(db), Outbox(db, chance=house.chance)
        self._moves = Moves(self._store, self.outbox, house.callback, house.new_id, hooks)
        self._delivery = Delivery(self._moves, sender, parties)
        self._stood: dict[str, str] = {}
        self._looked_ms = 0

    # ---------------------------------------------------------------- what others say

    def _read(self, said: Json, kinds: tuple[Kind, ...] = ()) -> Heard:
        return wire.read(said, kinds)

    @staticmethod
    def _beginning(message: Heard) -> tuple[object, ...]:
        asked = message.request
        assert asked is not None  # noqa: S101 - only requests begin
        where = asked.address.get("endpoint", "")
        what = asked.agreement, asked.format, asked.dataset, asked.part, asked.purpose, asked.jkt
        return *what, where, asked.callback.rstrip("/")

    def _begun(self, caller: str, message: Heard, now_ms: int) -> Transfer:
        asked = message.request
        if asked is None:
            raise Malformed("A first message is a TransferRequestMessage.")
        with self._db.write() as tx:
            held = self._store.begun(tx, caller, "provider", message.consumer_pid)
            if held is not None:
                return self._begun_again(held, message)
        check_asked(asked.format, asked.address, asked.part)
        members = {name: getattr(asked, name) for name in ("format", "agreement", "dataset", "part", "purpose", "jkt")}
        theirs = {"other_pid": message.consumer_pid, "other_url": self._parties.address(caller, asked.callback)}
        # Origins may lie far away: nobody is asked while the database is locked.
        made = new("provider", caller, now_ms, pid=self._house.new_id(), address=asked.address, **members, **theirs)
        admitted = self._house.admits(made, now_ms)
        with self._db.write() as tx:
            held = self._store.begun(tx, caller, "provider", message.consumer_pid)
            if held is not None:
                return self._begun_again(held, message)
            self._check_room(tx, caller)
            self._store.insert(tx, admitted)
            return self._moves.first(tx, admitted, message, now_ms)

    # ---------------------------------------------------------------- what we begin and decide

    def request(  # noqa: PLR0913  (what a request says)
        self,
        peer: str,
        agreement: str,
        dataset: str = "",
        part: str = "",
        purpose: str = "",
        format: Format = "HttpData-PULL",
        *,
        jkt: str = "",
        address: Json | None = None,
        by: str = "",
    ) -> Transfer:
        """Ask a city for data under an agreement; sent by the next round.

        Args:
            peer: The city, by its base URL.
            agreement: The agreement's IRI.
            dataset: The record's IRI; empty leaves it to an agreement that is about only one.
            part: One part of it; empty for all.
            purpose: What for, an IRI; empty for what asks for no purpose.
            format: Who moves the bytes.
            jkt: The thumbprint of the key that will pull.
            address: Of a push, where it is to be delivered.
            by: Who wants it.

        Raises:
            NotFound: Nothing is exchanged with that city.
            Refused: It may not be asked for.
        """
        self._check_known(peer)
        check_asked(format, address or {}, part)
        now_ms = self._clock_ms()
        asked = {"format": format, "agreement": agreement, "dataset": dataset, "part": part, "purpose": purpose}
        own = {"jkt": jkt, "address": dict(address or {}), "opened_by": by}
        made = new("consumer", peer, now_ms, pid=self._house.new_id(), **asked, **own)
        self._house.may_ask(made, now_ms)
        with self._db.write() as tx:
            self._store.insert(tx, made)
            return self._moves.begin(tx, made, now_ms)

    def step(self, pid: str, step: Step) -> Transfer:
        """Do a step that was decided: complete, suspend, resume or terminate. To terminate again is no harm.

        Raises:
            NotFound: There is no such transfer.
            Conflict: It does not fit how the transfer stands.
            Refused: It may not be: no agreement permits to start it again.
        """
        with self._db.write() as tx:
            held = self._store.held(tx, pid)
            now_ms = self._clock_ms()
            does = self._moves.end if step.act == "terminate" else self._moves.put
            return does(tx, held, step, now_ms)

    def _next(self, seen: Transfer, now_ms: int) -> Step | None:
        return None if seen.is_final else self._decider.next(seen, now_ms)

    def _done(self, seen: Transfer, step: Step, now_ms: int) -> Transfer | None:
        """Put out a step that was decided on what was seen; None if that has changed meanwhile."""
        if seen.sending and step.kind != "terminate":
            return self._asked(seen)  # asked again when that was taken
        try:
            with self._db.write() as tx:
                held = self._store.held(tx, seen.pid)
                if held.version != seen.version:
                    return None
                if step.kind == "terminate":
                    return self._store.change(tx, self._moves.end(tx, held, step, now_ms), at_ms=now_ms, ask_at=0)
                return self._moves.put(tx, held, step, now_ms)
        except Conflict:
            raise
        except Refused as error:
            if step.kind != "start":
                raise
            # What may not start any more will not: its end says why.
            return self._done(seen, Step("terminate", code=error.code, reasons=(str(error),)), now_ms)

    # ---------------------------------------------------------------- what the worker does

    def deliver(self, now_ms: int, subject: str = "") -> int:
        """Do so as for any dialogue, once it is seen which agreements have changed."""
        self._stir(now_ms)
        return super().deliver(now_ms, subject)

    def due(self, now_ms: int) -> bool:
        """Tell whether anything is to be decided or, of whatever kind, to be sent; a few reads by an index."""
        if super().due(now_ms):
            return True
        agreements = self._store.agreements()
        return bool(agreements) and (self._looks(now_ms) or any(self._changed(each, now_ms) for each in agreements))

    def _stir(self, now_ms: int) -> None:
        """Let the decider be asked about what changes without a message: agreements, and the time in their clauses."""
        agreements = self._store.agreements()
        changed = [each for each in agreements if self._changed(each, now_ms)]
        if self._looks(now_ms):
            self._looked_ms = now_ms
            provided = self._store.provided()
            changed += {each.agreement for each in provided if self._decider.next(each, now_ms)} - set(changed)
        if changed:
            with self._db.write() as tx:
                for each in changed:
                    self._store.ask_about(tx, each, now_ms)
        self._stood = {each: self._house.stands(each, now_ms) for each in agreements}

    def _changed(self, agreement: str, now_ms: int) -> bool:
        return self._stood.get(agreement) != self._house.stands(agreement, now_ms)

    def _looks(self, now_ms: int) -> bool:
        return not 0 <= now_ms - self._looked_ms < _LOOK_MS

    # ---------------------------------------------------------------- reading

    def found(self, name: str) -> Transfer:
        """Give the one that is called so, by our id or the beginning of it. Raises NotFound, Conflict."""
        found = self._store.named(name) if name else ()
        if len(found) > 1 and name not in {each.pid for each in found}:
            raise Conflict(
                f"{len(found)} transfers begin with {name[:60]}.",
                fix="Give more of the id.",
            ).on_page("no.transfer.several")
        return next((each for each in found if each.pid == name), found[0]) if found else self.get(name)

    def of_agreement(self, iri: str) -> Sequence[Transfer]:
        """Give those under an agreement, the newest first."""
        return self._store.of_agreement(iri)
