"""What the desk and the portal need of data that move: one desk over all the rooms that move them.

Protocols and not classes, as in `ports`. Every method blocks, some for as long as a peer or an origin takes, so they
are called beside the event loop; errors are those of the tree. Who may do what is asked by the pages.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from node.federation.moved import (
    Checked,
    ConsentTold,
    DeletionTold,
    OriginTold,
    OriginWish,
    PullTold,
    PullWish,
    StatementTold,
    TransferTold,
    WithdrawalTold,
)

Act = Literal["suspend", "resume", "terminate"]


class DataDesk(Protocol):
    """The desk of data."""

    def transfers(self, *, ended: bool = False) -> Sequence[TransferTold]:
        """List what moves between us and peers, the newest first."""

    def transfer(self, pid: str) -> TransferTold:
        """Tell all of one. Raises NotFound."""

    def act(self, act: Act, pid: str, *, reason: str, by: str) -> None:
        """Suspend, begin again or end a transfer. Raises NotFound, Conflict."""

    def pulls(self, *, ended: bool = False) -> Sequence[PullTold]:
        """List what we asked for, the newest first."""

    def pull(self, number: int) -> PullTold:
        """Tell of one. Raises NotFound."""

    def get(self, wish: PullWish, *, by: str) -> PullTold:
        """Ask for data; the worker does it. Raises NotFound, NotAgreed, Malformed, Conflict."""

    def ask_access(self, wish: PullWish, *, message: str, by: str) -> str:
        """Write a draft that asks the other city for an agreement; give its id. Raises NotFound, Malformed."""

    def resume_pull(self, number: int) -> None:
        """Go on where one stopped. Raises NotFound, Conflict."""

    def cancel_pull(self, number: int) -> None:
        """End one. Raises NotFound, Conflict."""

    def origins(self) -> Sequence[OriginTold]:
        """List where the data of our datasets lie."""

    def credentials(self) -> Sequence[str]:
        """Name the credentials that origins may use; what they are is never told."""

    def add_origin(self, wish: OriginWish, *, by: str) -> OriginTold:
        """Register where data lie, once they were read. Raises Malformed, Conflict, NotFound, Unavailable."""

    def test_origin(self, dataset: str, part: str) -> OriginTold:
        """Read one now, as far as that proves that it can be handed out. Raises NotFound."""

    def remove_origin(self, dataset: str, part: str) -> None:
        """Forget one. Raises NotFound."""

    def has_data(self, dataset: str) -> bool:
        """Tell whether this city hands out data of a dataset under an agreement; answers in microseconds."""

    def consent_sources(self) -> Sequence[ConsentTold]:
        """List who knows which residents agreed."""

    def check_consent(self, name: str) -> ConsentTold:
        """Ask a consent source now. Raises NotFound."""

    def withdrawals(
        self,
        direction: Literal["in", "out"],
        *,
        stage: Literal["open", "untold", "any"] = "open",
        peer: str = "",
        after: str = "",
        limit: int = ...,
    ) -> Sequence[WithdrawalTold]:
        """List what residents withdrew, the oldest first, a page at a time. Raises Malformed for no cursor."""

    def acknowledge(self, name: str, *, by: str) -> None:
        """Tell the other city that we know we must erase. Raises NotFound, Conflict."""

    def erased(self, name: str, *, by: str) -> None:
        """Tell the other city that it is erased. Raises NotFound, Conflict."""

    def resend(self, name: str) -> None:
        """Send our answer again that the other city has not taken. Raises NotFound, Conflict."""

    def deletions(self, *, ended: bool = False) -> Sequence[DeletionTold]:
        """List what must be deleted since its agreement is over, here and there."""

    def lying(self, told: DeletionTold) -> Sequence[str]:
        """Name files that stand where what must be deleted was put."""

    def deleted(self, agreement: str, *, by: str, other_files: bool = False) -> None:
        """Say that what was fetched under an agreement is deleted. Raises NotFound, Malformed, Conflict."""

    def statements(self, *, transfer: str = "", limit: int = 100) -> Sequence[StatementTold]:
        """List what stands in our evidence, the newest first."""

    def statement(self, record: str) -> StatementTold:
        """Tell of one. Raises NotFound."""

    def check(self, record: str) -> Checked:
        """Check a statement now: signatures, journal, checkpoints."""

    def export(self, name: str = "") -> bytes:
        """Write a bundle that anybody can verify: of a transfer or a statement, else all. Raises NotFound, TooLarge."""
