"""What the page of an agreement shows: its clauses in the reader's language, who signed when, and whether it holds.

Made of the record alone, so the page says what the journal proves and nothing that only this node believes. What holds
is said as of now; the signatures are shown as they stand in the text, and whoever shows them has them checked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from node.errors import NodeError
from node.federation.agreements.follower import term_of
from node.federation.agreements.records import Statement, statement_in
from node.federation.agreements.text import AgreementText, ms_of_seconds, read_text
from node.federation.policy.sentences import Parties, Section, Terms, sections
from node.federation.policy.templates import agreement_title

WRITTEN = ("en", "fi", "sv")
_KEY_SHOWN = 12
NameOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Signature:
    """One city's signature as it stands in the text; `at_ms` is 0 where it has not signed."""

    city: str
    order: str
    at_ms: int
    key: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class AgreementView:
    """An agreement for readers. `state` is a key of the words; times in ms, 0 for none."""

    iri: str
    state: str
    reason: str
    sections: Sequence[Section]
    language: str
    signatures: Sequence[Signature]
    ends_at_ms: int
    starts_at_ms: int
    text: AgreementText = field(repr=False)
    terms: Terms = field(repr=False)

    @property
    def title(self) -> str:
        """Give what its parties call it; a title that a template gave it is in the language of the sentences."""
        return agreement_title(str(self.text.about.get("title", "")), self.language)

    @property
    def covers(self) -> Sequence[str]:
        """Give the IRIs of what it covers."""
        return [str(each) for each in self.text.about.get("covers") or (self.text.target,)]

    @property
    def replaces(self) -> str:
        """Give the IRI of the agreement whose place it takes, if it takes one's."""
        return str(self.text.about.get("replaces", ""))


def view_of(
    record: str, payload: bytes, reader: str, now_ms: int, name_of: NameOf, titles: Mapping[str, str] | None = None
) -> AgreementView | None:
    """Read a record of the kind agreement; None if it holds no agreement that this node can read.

    Args:
        record: Its IRI.
        payload: Its description.
        reader: The reader's language; one that agreements are not written in gets English.
        now_ms: The time, for its term.
        name_of: Names a city by its base URL.
        titles: Titles of collections by IRI, for the sentences; the IRI stands beside them.
    """
    try:
        said = statement_in(record, payload)
        text = read_text(said.signed)
        language = reader if reader in WRITTEN else "en"
        terms = _terms(text, name_of, titles or {})
        shown = sections(terms, language)
        signatures = _signatures(text, name_of)
    except NodeError:
        return None
    starts_at, ends_at = term_of(text.policy)
    state = state_of(said, text, now_ms)
    return AgreementView(
        text.iri, state, said.reason, shown, language, signatures, ends_at, starts_at, text=text, terms=terms
    )


def _terms(text: AgreementText, name_of: NameOf, titles: Mapping[str, str]) -> Terms:
    names = {iri: name_of(iri) for iri in (text.assigner, text.assignee)}
    parties = Parties(names[text.assigner], names[text.assignee], {**titles, **names})
    return Terms(text.policy, text.about, parties, text.target)


def state_of(said: Statement, text: AgreementText, now_ms: int) -> str:
    """Say how a record has an agreement now: by its city's word, and within the term."""
    starts_at, ends_at = term_of(text.policy)
    if said.state == "in-force" and (now_ms < starts_at or 0 < ends_at <= now_ms):
        return "not-yet" if now_ms < starts_at else "expired"
    return said.state


def _signatures(text: AgreementText, name_of: NameOf) -> list[Signature]:
    found = []
    for place, (party, order) in enumerate(((text.assigner, "first"), (text.assignee, "second"))):
        proof = text.proofs[place] if place < len(text.proofs) else None
        key = str(proof.get("verificationMethod", "")).rpartition("#")[2][:_KEY_SHOWN] if proof else ""
        at_ms = ms_of_seconds(proof.get("created"), "a proof") if proof else 0
        found.append(Signature(name_of(party), order if proof else "missing", at_ms, key, party))
    return found
