"""The public agreements that this node shows: its own, and those that partner cities publish and this node mirrors.

Found in the public collections named for them, as the reader may see these; one agreement that stands in the journals
of both of its cities is found once, in ours. What a record says is read once for each of its states, and put into
sentences only for those that a page shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from node.errors import NodeError
from node.federation.agreement_desk.register import Standing
from node.federation.agreements.agreements import PUBLIC_COLLECTION
from node.federation.agreements.records import Statement, statement_in
from node.federation.agreements.text import AgreementText, read_text
from node.web.addresses import is_mirror
from node.web.agreements.view import AgreementView, state_of, view_of
from node.web.parts import Parts
from node.web.ports.ports import Held
from node.web.wording.words import title_said

KIND = "agreement"
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """One agreement as a record says it; `state` is by that record and by the clock."""

    held: Held
    said: Statement
    text: AgreementText
    state: str

    @property
    def replaces(self) -> str:
        """Give the IRI of the agreement whose place it takes, if it takes one's."""
        return str(self.text.about.get("replaces", ""))


@dataclass(frozen=True, slots=True)
class Word:
    """How one stands by who knows best here; `by` names the city whose word that is, if it is the word of one."""

    state: str
    by: str
    reason: str


def every_public(parts: Parts, now_ms: int) -> list[Found]:
    """Give the public agreements that the reader may see, the newest first; at most a thousand are looked at."""
    found: dict[str, Found] = {}
    helds = list(_held(parts))
    for held, payload in zip(helds, parts.reading.payloads(helds), strict=True):
        read = read_record(held.iri, payload)
        if read is not None and read[1].iri not in found:
            found[read[1].iri] = Found(held, *read, state_of(*read, now_ms))
    return sorted(found.values(), key=lambda each: (-each.text.issued_ms, each.text.iri))


def view_in(parts: Parts, held: Held, language: str, now_ms: int) -> AgreementView | None:
    """Give what a record says, in sentences; None if it holds no agreement that this node can read."""
    titles = {info.iri: title_said(info.title, language) for info in parts.reading.collections().values()}
    return view_of(held.iri, parts.reading.payload(held), language, now_ms, parts.city_at, titles)


def word_of(parts: Parts, held: Held, known: Standing | None, state: str, reason: str) -> Word:
    """Say how one stands: by both journals where it is ours and public, else by the record of the city that shows it.

    Args:
        parts: What the reader may see.
        held: Its record.
        known: How it stands by both journals, if it is ours.
        state: How it stands by the record and the clock.
        reason: Why, by the record.
    """
    if known is not None:
        return Word(known.state, parts.city_at(known.by) if known.by else "", known.reason)
    mirror = parts.mirror(held.collection)
    return Word(state, mirror.city if mirror else "", reason)


def _held(parts: Parts) -> Iterator[Held]:
    """Give the records, our own before those of others."""
    left = MOST
    for name in _collections(parts):
        page = parts.reading.page(name, offset=0, limit=left)
        yield from (held for held in page if held.kind == KIND)
        left -= len(page)
        if left <= 0:
            return


def _collections(parts: Parts) -> Sequence[str]:
    names = [name for name in parts.reading.collections() if name.rpartition("/")[2] == PUBLIC_COLLECTION]
    return sorted(names, key=lambda each: (is_mirror(each), each))


@lru_cache(maxsize=2 * MOST)
def read_record(record: str, payload: bytes) -> tuple[Statement, AgreementText] | None:
    """Read what a record says of an agreement, and its text; None if it holds none that this node can read."""
    try:
        said = statement_in(record, payload)
        return said, read_text(said.signed)
    except (NodeError, ValueError):
        return None
