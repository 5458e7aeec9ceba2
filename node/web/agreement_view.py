"""What the page of an agreement shows: its clauses in the reader's language, who signed when, and whether it holds.

Made of the record alone, so the page says what the journal proves and nothing that only this node believes. What holds
is said as of now; the signatures are shown as they stand in the text, and checked by `citynode agreements verify`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.errors import NodeError
from node.federation.agreement_follower import term_of
from node.federation.agreement_records import statement_in
from node.federation.agreement_text import AgreementText, ms_of_seconds, read_text
from node.federation.policy.sentences import Parties, Section, Terms, sections

_WRITTEN = ("en", "fi", "sv")
_KEY_SHOWN = 12
NameOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Signature:
    """One city's signature as it stands in the text; `at_ms` is 0 where it has not signed."""

    city: str
    order: str
    at_ms: int
    key: str


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


def view_of(record: str, payload: bytes, reader: str, now_ms: int, name_of: NameOf) -> AgreementView | None:
    """Read a record of the kind agreement; None if it holds no agreement that this node can read."""
    try:
        said = statement_in(record, payload)
        text = read_text(said.signed)
        language = reader if reader in _WRITTEN else "en"
        names = {iri: name_of(iri) for iri in (text.assigner, text.assignee)}
        parties = Parties(names[text.assigner], names[text.assignee], names)
        shown = sections(Terms(text.policy, text.about, parties, text.target), language)
        signatures = _signatures(text, name_of)
    except NodeError:
        return None
    starts_at, ends_at = term_of(text.policy)
    state = said.state
    if state == "in-force" and (now_ms < starts_at or 0 < ends_at <= now_ms):
        state = "not-yet" if now_ms < starts_at else "expired"
    return AgreementView(text.iri, state, said.reason, shown, language, signatures, ends_at)


def _signatures(text: AgreementText, name_of: NameOf) -> list[Signature]:
    found = []
    for place, (party, order) in enumerate(((text.assigner, "first"), (text.assignee, "second"))):
        proof = text.proofs[place] if place < len(text.proofs) else None
        key = str(proof.get("verificationMethod", "")).rpartition("#")[2][:_KEY_SHOWN] if proof else ""
        at_ms = ms_of_seconds(proof.get("created"), "a proof") if proof else 0
        found.append(Signature(name_of(party), order if proof else "missing", at_ms, key))
    return found
