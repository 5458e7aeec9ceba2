"""One statement of evidence: its kind, its name, its canonical JSON, and the record that it is in the journal.

The JSON is one `rdf:JSON` literal, byte for byte what was signed; the triples beside it are derived and decide nothing.
What a statement is about (transfer, agreement, other city, dataset) is read out of it and stands nowhere else. Pure: no
I/O, no clock, no RDF library.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from node.errors import Malformed
from node.federation.policy.values import time_ms
from node.federation.signing.integrity import Json, jcs, strict_json
from node.journal.entry import at_text
from node.keys.public import ms_of
from node.records import EVIDENCE, KINDS, MAX_PAYLOAD_BYTES
from node.vocab.ntriples import iri as iri_term
from node.vocab.ntriples import literal, triples_of, value_of
from node.vocab.terms import CN, DCT, RDF, XSD

KIND = "statement"
COLLECTION = EVIDENCE
TITLE = "Evidence"
Kind = Literal["receipt", "difference", "one-sided", "cut", "withdrawal", "acknowledgement", "erasure", "deletion"]
TYPES: Mapping[Kind, str] = {
    "receipt": "TransferReceipt",
    "difference": "ReceiptDifference",
    "one-sided": "OneSidedReceipt",
    "cut": "TransferCut",
    "withdrawal": "ConsentWithdrawal",
    "acknowledgement": "ErasureAcknowledgement",
    "erasure": "ErasureDone",
    "deletion": "DataDeletion",
}
_KINDS = {name: kind for kind, name in TYPES.items()}
# Every name that is not our own suite's is one of our vocabulary; no context has to be fetched to read it.
CONTEXT: tuple[object, ...] = (
    "https://w3id.org/security/data-integrity/v2",
    {"@vocab": CN.NS},
)
MAX_BYTES = MAX_PAYLOAD_BYTES - 32 * 1024  # as it stands in a payload, where other triples are beside it
MAX_TEXT = 2_000

assert set(TYPES) == set(get_args(Kind))  # noqa: S101 - the two tables are one


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it stands in the journal. `text` is canonical JSON with its proofs; what it is not about is empty.

    `transfer` is our own id of it, `other` the base URL of the other city.
    """

    record: str
    kind: Kind
    text: str
    at_ms: int
    transfer: str = ""
    agreement: str = ""
    other: str = ""
    dataset: str = ""

    @property
    def document(self) -> Json:
        """Give it as JSON values."""
        return strict_json(self.text, max_bytes=MAX_PAYLOAD_BYTES)


def record_of(base_url: str, kind: Kind, subject: str) -> str:
    """Name the record of the one statement of a kind about a subject: saying it again writes nothing new."""
    return f"{base_url}/{KINDS[KIND]}/{uuid.uuid5(uuid.NAMESPACE_URL, f'{base_url} {kind} {subject}')}"


def bound_ms(text: str, *, is_end: bool = False) -> int:
    """Read the first or the last moment of what is wanted: a day in UTC, whole, or a moment with its zone; 0 for none.

    Raises:
        Malformed: It is neither.
    """
    is_day = len(text) == len("2026-11-22")
    at_ms = time_ms(f"{text}T23:59:59.999Z" if is_day and is_end else f"{text}T00:00:00Z" if is_day else text)
    if at_ms is None and text:
        raise Malformed(f"{text[:40]!r} is no day and no moment.", fix="Write 2026-11-22 or 2026-11-22T10:00:00Z.")
    return at_ms or 0


def slug_in(record: str) -> str:
    """Give the slug of a record."""
    return record.rpartition("/")[2]


def written(document: Mapping[str, Any]) -> str:
    """Write a document as it is signed, kept and sent.

    Raises:
        Malformed: It has no canonical JSON, or is longer than a statement may be.
    """
    text = jcs(document).decode()
    if len(literal(text, datatype=RDF.JSON).encode()) > MAX_BYTES:
        raise Malformed(f"A statement of evidence has at most {MAX_BYTES} bytes.", fix="Move fewer parts at once.")
    return text


def kind_of(document: Mapping[str, Any]) -> Kind:
    """Give the kind of a document. Raises Malformed."""
    kind = _KINDS.get(str(document.get("type")))
    if kind is None:
        raise Malformed(f"{ascii(document.get('type'))[:80]} is no kind of evidence.")
    return kind


def statement_of(record: str, text: str, base_url: str) -> Statement:
    """Read what a text states, as the city at `base_url` holds it.

    Raises:
        Malformed: It is no statement, or not in its canonical form.
    """
    said = strict_json(text, max_bytes=MAX_PAYLOAD_BYTES)
    if jcs(said) != text.encode():
        raise Malformed("The statement is not in its canonical form (RFC 8785).")
    kind, ours = kind_of(said), ""
    other = _word(said, "other")
    if kind == "receipt":
        provides = _word(said, "provider") == base_url
        other = _word(said, "consumer" if provides else "provider")
        ours = _word(said, "providerPid" if provides else "consumerPid")
    at_ms = ms_of(said.get("completedAt" if kind == "receipt" else "at"))
    about = (_word(said, name) for name in ("agreement", "dataset"))
    agreement, dataset = about
    return Statement(record, kind, text, at_ms, ours or _word(said, "transfer"), agreement, other, dataset)


def _word(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise Malformed(f"The {name} of the statement is no text of at most {MAX_TEXT} characters.")
    return value


def payload_of(found: Statement) -> bytes:
    """Write the record of a statement: sorted canonical N-Quads without blank nodes."""
    title = f"{found.kind} {at_text(found.at_ms)}"
    said = [
        (RDF.type, f"<{CN.Statement}>"),
        (DCT.title, literal(title)),
        (DCT.type, literal(found.kind)),
        (DCT.issued, literal(at_text(found.at_ms), datatype=XSD.dateTime)),
        (CN.statement, literal(found.text, datatype=RDF.JSON)),
    ]
    said += [(CN.agreement, _named(found.agreement))] if found.agreement else []
    return "".join(sorted({f"<{found.record}> <{term}> {value} .\n" for term, value in said})).encode()


def _named(name: str) -> str:
    term = iri_term(name)
    return term if term == f"<{name}>" else literal(name)


def statement_in(record: str, payload: bytes, base_url: str) -> Statement:
    """Read the statement that a record holds. Raises Malformed unless it is exactly one."""
    wanted = (f"<{record}>", f"<{CN.statement}>")
    texts = [value_of(value) for subject, term, value in triples_of(payload) if (subject, term) == wanted]
    if len(texts) != 1:
        raise Malformed(f"The record {record[:200]} holds {len(texts)} statements, where it should hold one.")
    return statement_of(record, texts[0], base_url)
