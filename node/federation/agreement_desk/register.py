"""What everyone may know of agreements that both cities publish, beyond what their records say by themselves.

Whether the signatures hold by the keys that are pinned here now, how such an agreement stands by the journals of both
cities, what the public journal said of it over time, which entries either side refused of what it opens, and the file
by which anybody proves it. Of an agreement that is not public nothing is told, not even that there is one; of
collections only those that are public. Reads alone.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from node.db import Tx
from node.errors import NodeError, NotFound, Refused
from node.federation.agreement_desk.export import Sources, public_bundle
from node.federation.agreements.agreements import Agreement
from node.federation.agreements.records import KIND, statement_in
from node.federation.agreements.signing import ASSIGNER, BOTH, check_proofs
from node.federation.agreements.text import read_text
from node.federation.refusals.refusals import Heard
from node.federation.refusals.reports import Refusal
from node.journal import Entry, Reader
from node.keys import PublicKey

_PAGE = 1_000
_MOST_PAGES = 20
Verdict = Literal["holds", "half", "fails", "unknown", "unsigned"]


class Book(Protocol):
    """The book of agreements."""

    def find(self, iri: str) -> Agreement | None:
        """Give one agreement, or None."""

    def all(self) -> Sequence[Agreement]:
        """Give every agreement."""


class RefusedHere(Protocol):
    """Who keeps what we refuse of mirrors."""

    def refused(self, name: str = "", *, limit: int = 1_000) -> Sequence[Refusal]:
        """Give what is refused of a peer."""


class RefusedThere(Protocol):
    """Who keeps what peers refuse of our collections."""

    def list(self, name: str, *, limit: int = 1_000) -> Sequence[Heard]:
        """Give what peers refuse of a collection. Raises NotFound."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the signatures came to, and when; `unknown` are cities whose keys are not pinned here."""

    verdict: Verdict
    why: str
    at_ms: int
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How an agreement stands by both journals; `by` is the base URL of the city whose word it is, if it is one's."""

    state: str
    by: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Step:
    """What a journal said of an agreement at a time, by which entry; `state` is `withdrawn` for a withdrawal."""

    at_ms: int
    seq: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One public collection that an agreement opens: its IRI, its name here, and refused entries by their code."""

    iri: str
    local: str
    refused: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Register:
    """Reads. `keys_of` gives every key of a city that was pinned, by its base URL, replaced ones too, and ours."""

    reader: Reader
    book: Book
    base_url: str
    federation: str
    keys_of: Callable[[str], Sequence[PublicKey]]
    here: RefusedHere
    there: RefusedThere
    sources: Sources
    clock_ms: Callable[[], int]

    def check(self, signed: str) -> Checked:
        """Check the signatures of a text now, by pinned keys alone; whatever it is, it is judged and never raises."""
        now_ms = self.clock_ms()
        try:
            text = read_text(signed)
        except Refused as error:
            return Checked("fails", error.message, now_ms)
        if not text.proofs:
            return Checked("unsigned", "", now_ms)
        need = BOTH if len(text.proofs) > 1 else ASSIGNER
        parties = (text.assigner, text.assignee)[: len(need)]
        unknown = tuple(each for each in parties if not self.keys_of(each))
        if unknown:
            return Checked("unknown", "", now_ms, unknown)
        try:
            check_proofs(text, need=need, federation=self.federation, keys_of=self.keys_of, now_ms=now_ms)
        except Refused as error:
            return Checked("fails", error.message, now_ms)
        # That one of two has signed is no agreement, however well that signature holds.
        return Checked("holds" if need is BOTH else "half", "", now_ms)

    def export(self, signed: str, shown: Collection[str]) -> bytes:
        """Write the file by which anybody proves a public agreement, from collections that everybody may read here.

        Args:
            signed: Its text with the proofs, as a public record has it.
            shown: The local names of those collections.

        Raises:
            NotFound: The cities do not publish it.
            Malformed: It is no agreement.
            Unavailable: The newest entry about it is not under a signed checkpoint yet; try again.
        """
        return public_bundle(self.sources, read_text(signed), shown, now_ms=self.clock_ms())

    def standing(self, agreement: str) -> Standing | None:
        """Say how a public agreement of ours stands by both cities' journals; None of any other."""
        held = self._public(agreement)
        return self._standing(held) if held is not None else None

    def standings(self) -> dict[str, Standing]:
        """Say how every public agreement of ours stands, by its IRI."""
        return {each.iri: self._standing(each) for each in self.book.all() if each.public}

    def _standing(self, held: Agreement) -> Standing:
        state = held.state_at(self.clock_ms())
        theirs = state in ("suspended", "revoked") and held.our_state != state and held.their_state == state
        if theirs:
            return Standing(state, self._other(held), held.their_reason, held.their_at)
        ours = state in ("suspended", "revoked")
        return Standing(state, self.base_url if ours else "", held.our_reason if ours else "", held.our_at)

    def course(self, collection: str, record: str) -> list[Step]:
        """Give what a collection that everyone may read said of an agreement, the oldest first."""
        found: list[Step] = []
        with self.reader.db.read() as tx:
            for entry in self._entries(tx, collection):
                opening = entry.opening
                if opening is not None and opening.record == record and opening.kind == KIND:
                    found += self._step(tx, entry)
        return found

    def kept(self, agreement: str) -> list[Kept]:
        """Give the public collections that a public agreement opens, with what was refused of each by who mirrors it.

        Empty for an agreement that is not public, or that this node has no part in.
        """
        held = self._public(agreement)
        if held is None:
            return []
        with self.reader.db.read() as tx:
            shown = {each.iri: each.name for each in self.reader.collections(tx) if each.visibility == "public"}
        opened = [(iri, shown[iri]) for iri in dict.fromkeys((*held.covers, held.target)) if iri in shown]
        return [Kept(iri, local, self._refused(held, local)) for iri, local in opened]

    def _refused(self, held: Agreement, local: str) -> tuple[tuple[str, int], ...]:
        if "/" in local:
            codes = Counter(each.code for each in self.here.refused(held.peer) if each.collection == local)
        else:
            codes = Counter(each.code for each in self.there.list(local) if each.peer == held.peer)
        return tuple(sorted(codes.items()))

    def _public(self, agreement: str) -> Agreement | None:
        held = self.book.find(agreement)
        return held if held is not None and held.public else None

    def _other(self, held: Agreement) -> str:
        text = held.text
        return text.assignee if text.assigner == self.base_url else text.assigner

    def _entries(self, tx: Tx, collection: str) -> list[Entry]:
        found: list[Entry] = []
        try:
            for _ in range(_MOST_PAGES):
                page = self.reader.entries(tx, collection, after=found[-1].seq if found else 0, limit=_PAGE)
                found += page
                if len(page) < _PAGE:
                    break
        except NotFound:
            return []
        return found

    def _step(self, tx: Tx, entry: Entry) -> list[Step]:
        opening = entry.opening
        if opening is None or opening.op == "withdraw":
            return [Step(entry.at_ms, entry.seq, "withdrawn", "")]
        if opening.op != "put":
            return []
        payload = self.reader.payloads(tx, [opening.digest]).get(opening.digest)
        try:
            said = statement_in(opening.record, payload or b"")
        except (NodeError, ValueError):
            return []
        return [Step(entry.at_ms, entry.seq, said.state, said.reason)]
