"""Before the door: whether data about persons may move under an agreement, and which of their rows pass now.

The one place where the flag of a dataset, the bases of the signed agreement and the consent source come together. The
transfer's protocol asks when a transfer is requested and when it starts; the door asks at each request, and whoever has
withdrawn by then is left out. Decides nothing that the agreement's clauses decide, and keeps nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from node.errors import ConsentUnknown, NotAgreed, NotFound
from node.federation.consent.filter import Filtered
from node.federation.consent.noticed import Noticed
from node.federation.consent.records import Asked
from node.federation.consent.rows import as_filtered
from node.federation.consent.rules import Json, Verdict, judge
from node.federation.moving import Going, Origins, Part, Source

_UNKNOWN = "The city that gives the data cannot tell now whose rows may leave."
_NOTED_MS = 60_000  # a read need not write each time that its source answered


class About(Protocol):
    """Knows what stands beside the rules of an agreement."""

    def __call__(self, agreement: str, /) -> Json:
        """Give it; nothing for an agreement that is not there."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Asks. Safe to share by threads."""

    noticed: Noticed
    origins: Origins
    about: About
    is_bound: Callable[[str], bool]  # whether an agreement permits use for named purposes alone
    clock_ms: Callable[[], int]

    def verdict(self, transfer: Going) -> Verdict:
        """Say whether the transfer may be, as far as persons are concerned."""
        return self.would(transfer.agreement, transfer.dataset, transfer.purpose)

    def would(self, agreement: str, dataset: str, purpose: str) -> Verdict:
        """Say what a transfer would hear that nobody has asked for yet; agreement, dataset and purpose by IRI."""
        return judge(self.origins.personal(dataset), self.about(agreement), purpose, is_bound=self.is_bound(agreement))

    def check(self, transfer: Going) -> None:
        """Refuse what may not be. Raises NotAgreed; its operand is the code of what is missing."""
        self._checked(transfer)

    def of(self, transfer: Going) -> "Sieve | None":
        """Give what leaves out rows of a transfer; None where all of them may go. Raises NotAgreed."""
        return Sieve(self, transfer) if self._checked(transfer).by_consent else None

    def _checked(self, transfer: Going) -> Verdict:
        verdict = self.verdict(transfer)
        if not verdict.allowed:
            raise NotAgreed(
                f"{verdict.message} ({verdict.code})",
                agreement=transfer.agreement,
                operand=verdict.code,
                fix=verdict.fix,
            )
        return verdict


@dataclass(frozen=True, slots=True)
class Sieve:
    """Lets through the rows of those who consent at the moment it is asked."""

    gate: Gate
    transfer: Going

    def shown(self, part: Part) -> Part:
        """Give a part as it is announced: without size, digest and ranges."""
        return as_filtered(part)

    def through(self, source: Source) -> Source:
        """Give what is left of a part that is open at its first byte.

        Raises:
            ConsentUnknown: The consent source cannot be asked, or the part has no rows that can be read.
        """
        gate, going = self.gate, self.transfer
        personal = gate.origins.personal(going.dataset)
        if personal is None or not personal.column:
            raise ConsentUnknown("Nothing says which column names the person.", fix="Ask for it again.")
        try:
            source_of = gate.noticed.store.source(personal.consent)
        except NotFound as error:
            raise ConsentUnknown(error.message, fix="Its city names one that there is.") from error
        asked = Asked(going.dataset, going.purpose, going.peer)
        try:
            allowed = gate.noticed.allowed(source_of, going.agreement, asked, gate.clock_ms)
        except ConsentUnknown as error:
            # What is wrong with our source is for our own desk: whoever reads our data hears that it is so.
            gate.noticed.store.checked(source_of.name, str(error), gate.clock_ms())
            raise ConsentUnknown(_UNKNOWN, fix="Ask again later: its city has been told.") from error
        now_ms = gate.clock_ms()
        if source_of.trouble or now_ms - source_of.checked_at >= _NOTED_MS:
            gate.noticed.store.checked(source_of.name, "", now_ms)
        part = source.part
        return Filtered(
            source,
            personal.column,
            allowed,
            lambda start: gate.origins.open(part.dataset, part.name, start=start, etag=part.etag),
        )
