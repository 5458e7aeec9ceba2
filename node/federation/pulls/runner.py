"""One pull, moved on as far as it goes: an agreement, a transfer, its parts, their proof, the receipt.

Each step looks at what is stored and does the next thing, so that whoever takes a pull up after a kill goes on where it
stood. What only needs time leaves the pull waiting; what needs a person leaves it failed, with the reason. Progress is
told as it comes. Blocks for as long as it may; the guard beside it ends every wait.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from node.errors import Conflict, ConsentUnknown, Malformed, NodeError, NotAgreed, Refused, Stopped, Unavailable
from node.federation.moving import PUSH, Moved
from node.federation.peers.backoff import Backoff, asked_ms
from node.federation.pulls.agreeing import Terms
from node.federation.pulls.bringing import Bringer, Paused
from node.federation.pulls.download import Patience
from node.federation.pulls.finding import Finder, Found
from node.federation.pulls.guard import Guard
from node.federation.pulls.ports import Receipts, Sinks, Tell, Transfers, tell_nobody
from node.federation.pulls.receiving import Receiver
from node.federation.pulls.store import WORKER, Pull, PullStore, State
from node.federation.transfer import Step, Transfer

_logger = logging.getLogger("citynode.pulls")
_PATIENCE = Backoff(first_ms=2_000, longest_ms=300_000, opens_after=100)
_LOOK_S = 0.1
_SAY_S = 2.0
_LONGEST_LOOK_MS = 30_000


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works on a pull. `thumbprint` is that of our proof key."""

    store: PullStore
    finder: Finder
    terms: Terms
    transfers: Transfers
    bringer: Bringer
    receiver: Receiver
    receipts: Receipts
    sinks: Sinks
    thumbprint: str
    clock_ms: Callable[[], int]
    chance: Callable[[], float]


_GIVEN_UP = {"cancelled": "It was cancelled."}


class Waiting(Exception):  # noqa: N818  (no fault: it is somebody else's turn)
    """A pull waits for somebody else; the text says for whom."""


class Runner:
    """Moves pulls on. Safe to share by threads, each with a pull of its own."""

    def __init__(self, crew: Crew) -> None:
        """Work with these."""
        self._crew = crew

    def run(
        self, number: int, holder: str, *, stop: threading.Event, tell: Tell = tell_nobody, wait_s: float = 0
    ) -> Pull:
        """Take a pull and move it on; give it as it then stands.

        Args:
            number: Which.
            holder: Who works on it: `worker …` for what goes on by itself, anything else for a command.
            stop: Ends it soon; what came stays.
            tell: Hears of progress.
            wait_s: How long others may be waited for while nothing comes.

        Raises:
            AlreadyRunning: Another process is at it.
            Conflict: It is over.
            Refused: It cannot be had; the pull has failed, with this reason.
            Unavailable, Stopped: Not now. The pull waits, or a command may run it again.
        """
        store, clock_ms = self._crew.store, self._crew.clock_ms
        pull = store.claim(number, holder, clock_ms())
        later: State = "waiting" if holder.startswith(WORKER) else "stopped"
        try:
            return self._moved(pull, stop, tell, wait_s)
        except Waiting as waits:
            due = clock_ms() + min(_LONGEST_LOOK_MS, max(500, (clock_ms() - pull.at) // 20))
            return store.leave(pull, later, str(waits), clock_ms(), due_at=due)
        except Unavailable as error:
            self._put_off(pull, later, error)
            raise
        except NodeError as error:
            self._failed(pull, error)
            raise
        except BaseException:
            store.leave(pull, later, "", clock_ms(), due_at=clock_ms())
            raise

    def _moved(self, pull: Pull, stop: threading.Event, tell: Tell, wait_s: float) -> Pull:
        patience = Patience(wait_s)
        with Guard(pull, self._crew.store, stop=stop, clock_ms=self._crew.clock_ms) as guard:
            while True:
                try:
                    pull = self._agreed(self._crew.store.get(pull.id))
                    pull = self._requested(pull)
                    if self._is_through(pull, guard.cut, tell, patience):
                        return self._done(pull)
                except Waiting as waits:
                    if patience.left_s == 0:
                        raise
                    tell(pull.got, pull.total, str(waits))
                    self._wait(pull, guard.cut, patience)

    def _wait(self, pull: Pull, cut: threading.Event, patience: Patience) -> None:
        """Wait until something may have changed; send what waits meanwhile, since no worker may be there to do it."""
        end, said = time.monotonic() + min(patience.left_s, _SAY_S), pull.transfer and self._state(pull)
        if pull.transfer:
            self._crew.transfers.deliver(self._crew.clock_ms(), pull.transfer)
        while time.monotonic() < end:
            if cut.wait(_LOOK_S):
                raise Stopped("The pull was stopped.")
            if pull.transfer and self._state(pull) != said:
                return

    def _state(self, pull: Pull) -> str:
        found = self._crew.transfers.get(pull.transfer)
        return f"{found.version} {found.state}"

    # ---------------------------------------------------------------- steps

    def _agreed(self, pull: Pull) -> Pull:
        """Find the agreement, or what is to become one."""
        if pull.agreement:
            return pull
        crew = self._crew
        found = crew.finder.find(pull.dataset, pull.peer)
        # Looked at first: what ends well in between is an agreement by then.
        over = bool(pull.negotiation) and crew.terms.is_over(pull.negotiation)
        try:
            agreement = crew.terms.under(
                found, pull.purpose, crew.clock_ms(), named=pull.named, noes=lambda iri: len(self._refused(pull, iri))
            )
        except NotAgreed as error:
            if pull.named:
                raise
            if over:
                fix = f"See: citynode agreements show {pull.negotiation}"
                raise NotAgreed(f"{error.message} The negotiation about it has ended.", fix=fix) from error
            raise Waiting(self._negotiated(pull, found, error)) from error
        return crew.store.keep(pull, crew.clock_ms(), agreement=agreement)

    def _negotiated(self, pull: Pull, found: Found, error: NotAgreed) -> str:
        """See to a negotiation where there is no agreement; say what is waited for. Raises NotAgreed for nothing."""
        crew, talk = self._crew, pull.negotiation
        if not talk:
            talk = crew.terms.taken(found, pull.purpose)
            if not talk and pull.ask and pull.purpose:
                talk = crew.terms.asked(found, pull.purpose, "", by=pull.by, now_ms=crew.clock_ms())
            if not talk:
                raise error
            crew.store.keep(pull, crew.clock_ms(), negotiation=talk)
        return f"{found.peer} is asked for access: negotiation {talk}."

    def _requested(self, pull: Pull) -> Pull:
        """Request the transfer, unless it is under way already."""
        if pull.transfer:
            return pull
        crew = self._crew
        transfer = self._begun(pull)
        if transfer is None:
            found = crew.finder.find(pull.dataset, pull.peer)
            transfer = crew.transfers.request(
                found.url,
                pull.agreement,
                pull.dataset,
                pull.part,
                pull.purpose,
                pull.format,
                jkt="" if pull.format == PUSH else crew.thumbprint,
                address=crew.receiver.address if pull.format == PUSH else None,
                by=pull.by,
            )
        pull = crew.store.keep(pull, crew.clock_ms(), transfer=transfer.pid)
        crew.transfers.deliver(crew.clock_ms(), transfer.pid)
        return pull

    def _begun(self, pull: Pull) -> Transfer | None:
        """Find the transfer that a process had just requested for this pull when it was killed."""
        begun = (each for each in self._asked(pull, pull.agreement) if not each.is_final)
        return next((each for each in begun if not self._crew.store.of_transfer(each.pid)), None)

    def _asked(self, pull: Pull, agreement: str) -> Iterator[Transfer]:
        """Give the transfers that ask for what a pull wants, under an agreement, since it wants that."""
        wants = ("consumer", pull.dataset, pull.part, pull.purpose, pull.format)
        for each in self._crew.transfers.of_agreement(agreement):
            about = (each.role, each.dataset, each.part, each.purpose, each.format)
            if about == wants and each.created_at >= pull.at:
                yield each

    def _refused(self, pull: Pull, agreement: str) -> Sequence[Transfer]:
        """Give those that the other city has refused under an agreement: they never started."""
        asked = self._asked(pull, agreement)
        return [each for each in asked if each.state == "TERMINATED" and not each.started_at]

    def _is_elsewhere(self, pull: Pull, why: str, tell: Tell) -> bool:
        """Try what was refused under another agreement that permits it and that it was not refused under as often."""
        crew, noes = self._crew, len(self._refused(pull, pull.agreement))
        if pull.named or not noes:
            return False
        found = crew.finder.find(pull.dataset, pull.peer)
        try:
            other = crew.terms.under(
                found, pull.purpose, crew.clock_ms(), noes=lambda iri: len(self._refused(pull, iri))
            )
        except NotAgreed:
            return False
        if len(self._refused(pull, other)) >= noes:
            return False
        said = why if why.endswith(".") else f"{why}."
        tell(0, 0, f"{said} That is under {pull.agreement}; it is asked for under {other}.")
        crew.store.keep(pull, crew.clock_ms(), agreement=other, transfer="")
        return True

    def _is_through(self, pull: Pull, cut: threading.Event, tell: Tell, patience: Patience) -> bool:
        """Bring what the transfer hands out and complete it; True once it is completed and in its place."""
        crew, transfer = self._crew, self._crew.transfers.get(pull.transfer)
        if transfer.state == "COMPLETED":
            self._put_in_place(pull, transfer, tell, cut)
            return True
        if transfer.state == "TERMINATED":
            why = " ".join(transfer.reasons) or transfer.code or "It gave no reason."
            if self._is_elsewhere(pull, why, tell):
                return False
            if transfer.code == Refused.code:  # our very request: the reason says that, and by whom
                raise Refused(why, fix="Mend what it names, and get it again.")
            raise NotAgreed(f"The transfer was ended: {why}", agreement=transfer.agreement)
        if "complete" in transfer.sending:
            raise Waiting("The receipt is on its way.")
        if not transfer.streams:
            raise Waiting(_why_not(transfer))
        if pull.format == PUSH:
            crew.receiver.look(pull, transfer, tell, cut)
            raise Waiting("The other city brings it.")
        try:
            moved = crew.bringer.bring(pull, transfer, cut, tell, patience)
        except Paused:
            return False  # the transfer's state says what comes next
        except ConsentUnknown as error:
            raise Waiting(str(error)) from error
        self._put_away(pull, tell, cut)
        self._complete(pull, transfer, moved, cut)
        return self._crew.transfers.get(pull.transfer).state == "COMPLETED"

    def _put_in_place(self, pull: Pull, transfer: Transfer, tell: Tell, cut: threading.Event) -> None:
        """Give what is completed its names, of a push after it was put beside them; nothing of it is given up."""
        crew = self._crew
        if pull.format != PUSH:
            if not crew.bringer.is_whole(pull):
                raise Refused("The other city completed the transfer before all of it was here.", fix="Get it again.")
            crew.bringer.appear(pull, cut)
            return
        pull = crew.receiver.take(pull, transfer, cut)
        try:
            self._put_away(pull, tell, cut)
        except Refused as error:
            raise Unavailable(error.message, fix=f"{error.fix} It is here and signed for: resume then.") from error
        crew.bringer.appear(pull, cut)
        crew.receiver.done(transfer)

    def _put_away(self, pull: Pull, tell: Tell, cut: threading.Event) -> None:
        """Bring what goes elsewhere to where it goes."""
        for location, file, media_type in self._crew.bringer.remote(self._crew.store.get(pull.id)):
            tell(pull.got, pull.total, f"to {location}")
            with file.open("rb") as source:
                self._crew.sinks.put(location, source, size=file.stat().st_size, media_type=media_type, stop=cut)

    def _complete(self, pull: Pull, transfer: Transfer, moved: Sequence[Moved], cut: threading.Event) -> None:
        crew = self._crew
        try:
            receipt = crew.receipts.half(transfer, moved, now_ms=crew.clock_ms())
        except Malformed as error:  # another connector, whose names no receipt can hold: what is here is here
            _logger.warning("no receipt can be written of transfer %s: %s", transfer.pid, error)
            receipt = ""
        try:
            crew.transfers.step(transfer.pid, Step("complete", receipt=receipt))
        except Conflict as error:  # suspended just now: it is completed when it goes on
            raise Waiting("All of it is here; the transfer was suspended before it could be completed.") from error
        try:
            crew.bringer.appear(pull, cut)
        finally:  # whatever stands in the way of a name here, it is signed for
            crew.transfers.deliver(crew.clock_ms(), transfer.pid)
        if crew.transfers.get(transfer.pid).state != "COMPLETED":
            raise Waiting("All of it is here; the receipt is on its way.")

    def _done(self, pull: Pull) -> Pull:
        crew = self._crew
        done = crew.store.leave(crew.store.get(pull.id), "done", "", crew.clock_ms())
        crew.bringer.forget(done)
        return done

    def _put_off(self, pull: Pull, later: State, error: Unavailable) -> None:
        """Let a pull wait for better times; the longer, the oftener it was tried in vain."""
        crew, now_ms = self._crew, self._crew.clock_ms()
        found = crew.store.get(pull.id)
        if found.state == "cancelled":
            self.give_up(found, "cancelled")
        elif isinstance(error, Stopped):
            crew.store.leave(pull, later, "", now_ms, due_at=now_ms)
        else:
            tries = 1 if found.got > pull.got else pull.tries + 1
            wait = _PATIENCE.wait_ms(tries, crew.chance(), asked_ms=asked_ms(error))
            crew.store.leave(pull, later, str(error), now_ms, due_at=now_ms + wait, tries=tries)

    def _failed(self, pull: Pull, error: NodeError) -> None:
        """Let a pull fail, and its transfer end: nobody will go on with it."""
        crew = self._crew
        left = crew.store.leave(crew.store.get(pull.id), "failed", str(error), crew.clock_ms())
        self.give_up(left, error.code)

    def give_up(self, pull: Pull, code: str) -> None:
        """End the transfer of a pull that is over, and remove what is not whole and signed for of it.

        The other city hears the code and no words of ours, which name folders, stores and addresses of this city.
        """
        crew = self._crew
        if not pull.transfer:
            crew.bringer.forget(pull)
            return
        try:
            transfer = crew.transfers.get(pull.transfer)
            if self._is_signed(pull, transfer):
                crew.bringer.rescue(pull)
            else:
                crew.bringer.forget(pull)
            if not transfer.is_final:
                reason = _GIVEN_UP.get(code, f"The city that asked for the data cannot take them ({code}).")
                crew.transfers.step(pull.transfer, Step("terminate", code=code, reasons=(reason,)))
            # Whoever ended it: what was brought of it is no more ours. What was signed for stays where it is.
            if pull.format == PUSH and transfer.state != "COMPLETED":
                crew.receiver.done(transfer)
            if not transfer.is_final:
                crew.transfers.deliver(crew.clock_ms(), pull.transfer)
        except NodeError:
            return  # it ends on the other side with its agreement

    def end(self, number: int, holder: str, error: NodeError) -> None:
        """Let a pull fail that nobody is at and that can come to nothing; what is signed for is still to be named.

        Raises:
            AlreadyRunning, Conflict: Somebody is at it by now, or has ended it.
        """
        pull = self._crew.store.get(number)
        if pull.transfer and self._is_signed(pull, self._crew.transfers.get(pull.transfer)):
            return
        self._failed(self._crew.store.claim(number, holder, self._crew.clock_ms()), error)

    def _is_signed(self, pull: Pull, transfer: Transfer) -> bool:
        """Tell whether a receipt says that all of it is here."""
        if pull.format == PUSH:
            return transfer.state == "COMPLETED"
        ended = transfer.state == "COMPLETED" or "complete" in transfer.sending
        return ended and self._crew.bringer.is_whole(pull)


def _why_not(transfer: Transfer) -> str:
    if transfer.state == "SUSPENDED":
        return f"The transfer is suspended. {' '.join(transfer.reasons)}".strip()
    if transfer.trouble:
        return f"The other city could not be asked yet: {transfer.trouble}"
    return "The other city was asked to start the transfer."
