"""Finding what a person means by a name: a draft, a negotiation, an agreement, or a document with parts of these.

Everything has a long name that nobody types: drafts and negotiations an id, agreements and documents an IRI. The
beginning of an id, or of what ends an IRI, is enough where it is the only one that begins so. What a thing was called
before still names it: the id of a draft finds the negotiation that it became, and that of a negotiation its agreement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from node.errors import Malformed, NotFound
from node.federation.agreement_desk.drafts import Draft, Drafts
from node.federation.agreements.agreements import Agreement, Agreements
from node.federation.negotiation import Negotiation

LEAST = 4
LONGEST = 4_000


class Talks(Protocol):
    """Who looks up negotiations."""

    def named(self, beginning: str) -> Sequence[Negotiation]:
        """Give those whose id of ours begins so."""

    def of_agreement(self, iri: str) -> Negotiation | None:
        """Give the one in which an agreement was written, if it was in one."""

    def parts_of(self, document: str) -> Sequence[Negotiation]:
        """Give those about a part of a document, except what ended without an agreement."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for, each at its furthest stage: no draft that was proposed, no talk that became an agreement.

    `document` is the IRI if the name is that of a document; then there may be several of each.
    """

    document: str = ""
    drafts: tuple[Draft, ...] = ()
    negotiations: tuple[Negotiation, ...] = ()
    agreements: tuple[Agreement, ...] = ()

    @property
    def all(self) -> tuple[Draft | Negotiation | Agreement, ...]:
        """Give everything, the latest stage first."""
        return (*self.agreements, *self.negotiations, *self.drafts)


class Finder:
    """Finds. Safe to share by threads."""

    def __init__(self, drafts: Drafts, talks: Talks, agreements: Agreements) -> None:
        """Look in these."""
        self._drafts = drafts
        self._talks = talks
        self._agreements = agreements

    def find(self, name: str) -> Found:
        """Give what a name stands for.

        Raises:
            NotFound: Nothing.
            Malformed: The beginning of several, or nothing that can be looked for.
        """
        if not name.isprintable() or len(name) > LONGEST:
            raise Malformed(
                "Nothing has such a name.",
                fix="Copy one from: citynode agreements list",
            ).on_page("no.agreement")
        if "/" in name or ":" in name:
            return self._by_iri(name)
        if len(name) < LEAST:
            raise Malformed(
                f"{name[:LEAST]!r} is too short a name.", fix=f"Give its first {LEAST} characters or more."
            ).on_page("no.agreement")
        name = name.lower()
        called: list[tuple[str, Draft | Negotiation | Agreement]]
        called = [*self._agreements_named(name), *self._talks_named(name), *self._drafts_named(name)]
        # One thing may have had several names that begin so.
        found = {_id(latest): latest for latest in (self._latest(each) for _, each in called)}
        if len(found) > 1:
            exact = [each for full, each in called if full == name]
            if len(exact) != 1:
                raise Malformed(
                    f"{len(found)} names begin with {name[:80]}.",
                    fix="Give more of it.",
                ).on_page("no.agreement.several")
            return self.one(self._latest(exact[0]))
        if not found:
            raise _nothing(name)
        return self.one(next(iter(found.values())))

    def _latest(self, thing: Draft | Negotiation | Agreement) -> Draft | Negotiation | Agreement:
        """Give what a draft or a negotiation has become."""
        if isinstance(thing, Draft) and thing.negotiation:
            became = next((each for each in self._talks.named(thing.negotiation)), None)
            thing = became or thing
        return self.one(thing).all[0]

    def one(self, thing: Draft | Negotiation | Agreement) -> Found:
        """Give the furthest stage of one thing: a talk that ended in an agreement is that agreement."""
        if isinstance(thing, Draft):
            return Found(drafts=(thing,))
        if isinstance(thing, Agreement):
            return Found(agreements=(thing,))
        held = self._agreements.find(thing.agreement) if thing.agreement and thing.state == "FINALIZED" else None
        return Found(agreements=(held,)) if held else Found(negotiations=(thing,))

    def talk_of(self, agreement: Agreement) -> Negotiation | None:
        """Give the negotiation in which an agreement was written, if it was in one."""
        return self._talks.of_agreement(agreement.iri)

    def document_of(self, draft: Draft) -> str:
        """Give the document that a draft is a part of while its other direction is a draft, too; else an empty text."""
        parts = [each for each in self._drafts.waiting() if each.document and each.document == draft.document]
        return draft.document if len({each.role for each in parts}) > 1 else ""

    def _by_iri(self, iri: str) -> Found:
        agreement = self._agreements.find(iri)
        if agreement is not None:
            return Found(agreements=(agreement,))
        talk = self._talks.of_agreement(iri)
        if talk is not None:
            return Found(negotiations=(talk,))
        parts = self._agreements.parts_of(iri)
        held = {each.iri for each in parts}
        talks = [each for each in self._talks.parts_of(iri) if each.agreement not in held]
        drafts = [each for each in self._drafts.waiting() if each.document == iri]
        if not (parts or talks or drafts):
            raise _nothing(iri)
        return Found(iri, tuple(drafts), tuple(talks), tuple(parts))

    def _agreements_named(self, name: str) -> list[tuple[str, Agreement]]:
        called = ((each.iri.rpartition("/")[2].lower(), each) for each in self._agreements.all())
        return [(full, each) for full, each in called if full.startswith(name)]

    def _talks_named(self, name: str) -> list[tuple[str, Negotiation]]:
        return [(each.pid, each) for each in self._talks.named(name)]

    def _drafts_named(self, name: str) -> list[tuple[str, Draft]]:
        return [(each.id, each) for each in self._drafts.named(name)]


def _id(thing: Draft | Negotiation | Agreement) -> str:
    if isinstance(thing, Agreement):
        return thing.iri
    return thing.pid if isinstance(thing, Negotiation) else thing.id


def _nothing(name: str) -> NotFound:
    return NotFound(
        f"There is no draft, negotiation or agreement {name[:200]}.", fix="List them: citynode agreements list"
    ).on_page("no.agreement")
