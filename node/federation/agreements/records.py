"""Agreements as records: the description that stands in a pair's journal, written as canonical N-Quads and read back.

The signed text is one `rdf:JSON` literal and decides everything about what was agreed; beside it stands the state that
this journal's city gives it, and why. All other triples are derived for readers of linked data and decide nothing.
Pure: no I/O, no clock, no RDF library.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from node.errors import Malformed
from node.federation.agreements.text import AgreementText
from node.journal.entry import at_text
from node.records import KINDS
from node.vocab.ntriples import iri as iri_term
from node.vocab.ntriples import literal, triples_of, value_of
from node.vocab.terms import CN, DCT, ODRL, RDF, XSD

KIND = "agreement"
STATES = ("in-force", "suspended", "revoked", "superseded")
FINAL = frozenset({"revoked", "superseded"})  # what a journal says so once, it cannot take back
MAX_REASON = 1_000
MAX_IRI = 500


@dataclass(frozen=True, slots=True)
class Statement:
    """What a record says: of which agreement, its signed text, the state its city gives it, and why."""

    agreement: str
    signed: str
    state: str
    reason: str


def slug_in(agreement: str, base_url: str) -> str:
    """Name the record of an agreement in our journals: its own name if we made it, one made from its IRI if not.

    A peer chooses the IRIs of the agreements it provides, so their last part must not become a name of ours.
    """
    mine = f"{base_url}/{KINDS[KIND]}/"
    if agreement.startswith(mine) and _is_uuid(agreement[len(mine) :]):
        return agreement[len(mine) :]
    return str(uuid.uuid5(uuid.NAMESPACE_URL, agreement))


def record_in(agreement: str, base_url: str) -> str:
    """Give the IRI of the record that an agreement has in our journals."""
    return f"{base_url}/{KINDS[KIND]}/{slug_in(agreement, base_url)}"


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def payload_of(record: str, text: AgreementText, said: Statement, *, at_ms: int) -> bytes:
    """Write the description of a record: sorted canonical N-Quads without blank nodes."""
    about = text.about
    said_of: list[tuple[str, str]] = [
        (RDF.type, f"<{ODRL.Agreement}>"),
        (DCT.title, literal(str(about.get("title") or f"Agreement {text.iri}"))),
        (DCT.issued, literal(at_text(text.issued_ms), datatype=XSD.dateTime)),
        (DCT.modified, literal(at_text(at_ms), datatype=XSD.dateTime)),
        (CN.agreement, _named(text.iri)),
        (CN.text, literal(said.signed, datatype=RDF.JSON)),
        (CN.state, literal(said.state)),
        (ODRL.assigner, _named(text.assigner)),
        (ODRL.assignee, _named(text.assignee)),
        (ODRL.target, _named(text.target)),
    ]
    said_of += [(CN.reason, literal(said.reason))] if said.reason else []
    said_of += [(term, _named(str(about[key]))) for key, term in _LINKS.items() if about.get(key)]
    return "".join(sorted({f"<{record}> <{term}> {value} .\n" for term, value in said_of})).encode()


_LINKS: Mapping[str, str] = {"partOf": DCT.isPartOf, "replaces": DCT.replaces}


def _named(name: str) -> str:
    """Spell the name of a thing: as IRI if it is one as it stands, else as text, since other connectors name freely."""
    term = iri_term(name)
    return term if term == f"<{name}>" else literal(name)


def statement_in(record: str, payload: bytes) -> Statement:
    """Read what a record says.

    Raises:
        Malformed: It says no agreement, no text or no state, or one of them twice.
    """
    found: dict[str, list[str]] = {}
    for subject, predicate, value in triples_of(payload):
        if subject == f"<{record}>":
            found.setdefault(predicate[1:-1], []).append(value_of(value))
    agreement, signed, state = (_one(found, each) for each in (CN.agreement, CN.text, CN.state))
    if state not in STATES or not 0 < len(agreement) <= MAX_IRI:
        raise Malformed(f"The record {record} gives its agreement no state that there is.")
    return Statement(agreement, signed, state, (found.get(CN.reason) or [""])[0][:MAX_REASON])


def _one(found: Mapping[str, list[str]], term: str) -> str:
    values = found.get(term, [])
    if len(values) != 1:
        raise Malformed(f"A record of an agreement says {term} once.")
    return values[0]
