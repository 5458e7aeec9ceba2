"""The desk of data: what the city's pages show and do with everything that moves, over all the rooms that move it.

Nothing is decided, counted or kept here; each room says what it knows and does what it is told, and this turns their
values into those of `moved`. A transfer that is told carries no address, since that may hold a token. Stands on every
room of data and is imported by none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from node.errors import Conflict, NotFound
from node.federation.consent.office import ConsentOffice
from node.federation.data.origin_office import OriginOffice
from node.federation.data.origins import DataOrigins
from node.federation.data.streams import Streams
from node.federation.deletions.deletions import Deletions
from node.federation.evidence.desk import EvidenceDesk
from node.federation.moved import (
    Checked,
    ConsentTold,
    DeletionTold,
    Message,
    OriginTold,
    OriginWish,
    PullTold,
    PullWish,
    StatementTold,
    StatementWish,
    TransferTold,
    WithdrawalsWaiting,
    WithdrawalTold,
)
from node.federation.pulls.office import PullDesk
from node.federation.transfer import Step, Transfer
from node.federation.transfers.service import Transfers

Act = Literal["suspend", "resume", "terminate"]
Direction = Literal["in", "out"]
MAX_LISTED = 200
# What a transfer ends or pauses with when a person of ours says so.
_BY_HAND = "by-hand"
_NAMES: Mapping[str, str] = {
    "request": "TransferRequest",
    "start": "TransferStart",
    "suspend": "TransferSuspension",
    "complete": "TransferCompletion",
    "terminate": "TransferTermination",
}


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms behind the desk."""

    transfers: Transfers
    streams: Streams
    pulls: PullDesk
    origins: DataOrigins
    origin_office: OriginOffice
    consent: ConsentOffice
    evidence: EvidenceDesk
    deletions: Deletions


class DataDesk:
    """The desk. Safe to share by threads; methods block as long as the room they ask does."""

    def __init__(self, rooms: Rooms) -> None:
        """Work with these."""
        self._rooms = rooms

    # ---------------------------------------------------------------- transfers

    def transfers(self, *, ended: bool = False) -> Sequence[TransferTold]:
        """List what moves between us and peers, the newest first."""
        found = self._rooms.transfers.list(limit=MAX_LISTED) if ended else self._rooms.transfers.open()
        return [told(each) for each in found[:MAX_LISTED]]

    def transfer(self, pid: str) -> TransferTold:
        """Tell all of one. Raises NotFound."""
        found = self._rooms.transfers.get(pid)
        history = tuple(
            Message(said.at, said.direction, _NAMES.get(said.kind, str(said.kind)))
            for said in self._rooms.transfers.messages(pid)
        )
        return replace(told(found), history=history, streams=tuple(self._rooms.streams.story(pid)))

    def act(self, act: Act, pid: str, *, reason: str, by: str) -> None:
        """Suspend, begin again or end a transfer. Raises NotFound, Conflict."""
        if act == "resume" and self._rooms.transfers.get(pid).paused_by == "them":
            raise Conflict(
                "The other city has suspended this transfer, and who paused it begins it again.",
                fix="Ask that city, or end it here.",
            ).on_page("no.transfer.theirs")
        reasons = (reason,) if reason else ()
        self._rooms.transfers.step(pid, Step(act, code="" if act == "resume" else _BY_HAND, reasons=reasons, by=by))

    # ---------------------------------------------------------------- what we get

    def pulls(self, *, ended: bool = False) -> Sequence[PullTold]:
        """List what we asked for, the newest first."""
        return self._rooms.pulls.pulls(ended=ended)[:MAX_LISTED]

    def pull(self, number: int) -> PullTold:
        """Tell of one. Raises NotFound."""
        return self._rooms.pulls.pull(number)

    def get(self, wish: PullWish, *, by: str) -> PullTold:
        """Ask for data; the worker does it. Raises NotFound, NotAgreed, Malformed, Conflict."""
        return self._rooms.pulls.get(wish, by=by)

    def ask_access(self, wish: PullWish, *, message: str, by: str) -> str:
        """Ask the other city for an agreement; give the negotiation. Raises NotFound, Malformed."""
        return self._rooms.pulls.ask_access(wish, message=message, by=by)

    def resume_pull(self, number: int) -> None:
        """Go on where one stopped. Raises NotFound, Conflict."""
        self._rooms.pulls.resume_pull(number)

    def cancel_pull(self, number: int) -> None:
        """End one. Raises NotFound, Conflict."""
        self._rooms.pulls.cancel_pull(number)

    # ---------------------------------------------------------------- what we hand out

    def has_data(self, dataset: str) -> bool:
        """Tell whether this city hands out data of a dataset under an agreement; one read by an index."""
        return self._rooms.origins.has(dataset)

    def origins(self) -> Sequence[OriginTold]:
        """List where the data of our datasets lie."""
        return self._rooms.origin_office.list()

    def credentials(self) -> Sequence[str]:
        """Name the credentials that origins may use."""
        return [each.name for each in self._rooms.origin_office.credentials()]

    def add_origin(self, wish: OriginWish, *, by: str) -> OriginTold:
        """Register where data lie, once they were read. Raises Malformed, Conflict, NotFound, Unavailable."""
        if wish.consent and wish.consent not in {each.name for each in self._rooms.consent.sources()}:
            raise NotFound(
                f"There is no consent source {wish.consent[:63]!r}.", fix="Add it by command first."
            ).on_page("no.consent", field="consent", name=wish.consent[:63])
        return self._rooms.origin_office.add(wish, by=by)

    def test_origin(self, dataset: str, part: str) -> OriginTold:
        """Read one now, as far as somebody can wait for it. Raises NotFound."""
        return self._rooms.origin_office.test(dataset, part)

    def remove_origin(self, dataset: str, part: str) -> None:
        """Forget one. Raises NotFound."""
        self._rooms.origin_office.remove(dataset, part)

    # ---------------------------------------------------------------- residents

    def consent_sources(self) -> Sequence[ConsentTold]:
        """List who knows which residents agreed."""
        return self._rooms.consent.sources()

    def check_consent(self, name: str) -> ConsentTold:
        """Ask a consent source now. Raises NotFound."""
        return self._rooms.consent.check(name)

    def withdrawals(
        self,
        direction: Direction,
        *,
        stage: Literal["open", "untold", "any"] = "open",
        peer: str = "",
        after: str = "",
        limit: int = MAX_LISTED,
    ) -> Sequence[WithdrawalTold]:
        """List withdrawals that we heard of (in) or told (out), the oldest first: open, answered and not taken, or any.

        Raises Malformed if `after` is no cursor of one of them.
        """
        return self._rooms.consent.withdrawals(stage=stage, direction=direction, peer=peer, after=after, limit=limit)

    def waiting(self, overdue_ms: int) -> Sequence[WithdrawalsWaiting]:
        """Count, city by city, what we have to erase, and what nobody has answered that was told until a moment."""
        return self._rooms.consent.waiting(overdue_ms)

    def untold(self, before_ms: int) -> Sequence[WithdrawalsWaiting]:
        """Count, city by city, what we answered before a moment and the other city has not taken."""
        return self._rooms.consent.untold(before_ms)

    def resend(self, name: str) -> None:
        """Send our answer again that the other city has not taken. Raises NotFound, Conflict."""
        self._rooms.consent.resend(self._named(name))

    def acknowledge(self, name: str, *, by: str) -> None:
        """Tell the other city that we know we must erase. Raises NotFound."""
        self._rooms.consent.acknowledge(self._named(name), by=by)

    def erased(self, name: str, *, by: str) -> None:
        """Tell the other city that it is erased. Raises NotFound."""
        self._rooms.consent.erased(self._named(name), by=by)

    def _named(self, name: str) -> str:
        """Give the id of one that we heard: the beginning of one, which commands take, could name several."""
        return self._rooms.consent.heard(name).name

    # ---------------------------------------------------------------- deletion

    def deletions(self, *, ended: bool = False) -> Sequence[DeletionTold]:
        """List what must be deleted since its agreement is over, here and there; `ended`: also what is said gone."""
        return self._rooms.deletions.list(ended=ended)

    def lying(self, told: DeletionTold) -> Sequence[str]:
        """Name files that stand where what must be deleted was put."""
        return self._rooms.deletions.lying(told)

    def deleted(self, agreement: str, *, by: str, other_files: bool = False) -> None:
        """Say that what was fetched under an agreement is deleted. Raises NotFound, Malformed, Conflict."""
        self._rooms.deletions.deleted(agreement, by=by, other_files=other_files)

    # ---------------------------------------------------------------- evidence

    def statements(
        self, *, transfer: str = "", kind: str = "", since_ms: int = 0, limit: int = 100
    ) -> Sequence[StatementTold]:
        """List what stands in our evidence, the newest first: of a transfer, of a kind, from a moment on."""
        wish = StatementWish(transfer=transfer, kind=kind, since_ms=since_ms)
        return self._rooms.evidence.statements(wish, limit=limit)

    def statement(self, record: str) -> StatementTold:
        """Tell of one. Raises NotFound."""
        return self._rooms.evidence.statement(record)

    def check(self, record: str) -> Checked:
        """Check a statement now."""
        return self._rooms.evidence.check(record)

    def export(self, name: str = "") -> bytes:
        """Write a bundle that anybody can verify without a node: of a transfer, one statement, or else of all there is.

        Raises NotFound, Conflict, TooLarge.
        """
        return self._rooms.evidence.export(names=[name] if name else ())


def told(transfer: Transfer) -> TransferTold:
    """Tell of a transfer to whoever looks on, without its address and its receipt."""
    return TransferTold(
        pid=transfer.pid,
        role=transfer.role,
        peer=transfer.peer,
        state=transfer.state,
        format=transfer.format,
        agreement=transfer.agreement,
        dataset=transfer.dataset,
        part=transfer.part,
        purpose=transfer.purpose,
        clause=transfer.clause,
        paused_by=transfer.paused_by,
        reasons=transfer.reasons,
        by=transfer.opened_by,
        requested_ms=transfer.created_at,
        started_ms=transfer.started_at,
        changed_ms=transfer.changed_at,
        other_pid=transfer.other_pid,
        by_hand=transfer.code == _BY_HAND,
    )
