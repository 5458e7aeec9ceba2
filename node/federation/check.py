"""What one entry of a peer must satisfy before it is kept: checks 6 to 8 of `intake`, as pure functions and codes.

Each answers with a fault (a code, and a sentence of printable text) or none; a fault refuses the entry and never the
page. Payloads are searched as the bytes they are: once they are known to be canonical, a line of a payload begins with
`<subject> <predicate> `, and nothing inside a literal can look like one. `WORDS` is what each code means to people.
"""

import re
from collections.abc import Collection as Many
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from node.errors import Malformed
from node.federation.feed.pages import Line, opening_of
from node.journal import Opening
from node.journal.mirror import AGREEMENT_ENDED, BAD_ERASURE, MAX_DETAIL, NOT_FOLLOWED, PERSONAL_DATA, WITHHELD
from node.records import KINDS, MAX_PAYLOAD_BYTES
from node.vocab import personal
from node.vocab.peer_payload import BLANK_NODES, MALFORMED, NOT_CANONICAL, TOO_LARGE
from node.vocab.terms import CN, DC, DCAT, DCT, FOAF, ODRL, RDF, RDFS, SCHEMA, SKOS

BAD_OPENING = "bad-opening"
COMMITMENT = "commitment-mismatch"
DIGEST = "digest-mismatch"
PAYLOAD_MISSING = "payload-missing"
BAD_RECORD = "bad-record-iri"
BAD_SLUG = "bad-slug"
FOREIGN_RECORD = "foreign-record"
FOREIGN_SUBJECT = "foreign-subject"
UNKNOWN_KIND = "kind-unknown"
CLASS_MISSING = "class-missing"
TITLE_MISSING = "title-missing"
PERSONAL = PERSONAL_DATA

WORDS: Mapping[str, str] = {
    BAD_OPENING: "What the entry is said to hold is not in the format.",
    COMMITMENT: "What came with the entry is not what the entry commits to.",
    DIGEST: "The payload that came is not the one that the entry names.",
    PAYLOAD_MISSING: "The record's description did not come along.",
    BAD_ERASURE: "It erases an entry that is not there, was erased before, or says an erasure itself.",
    TOO_LARGE: "The description has more than 1 MiB or 10,000 triples.",
    MALFORMED: "The description is no N-Quads.",
    NOT_CANONICAL: "The description is not written in the canonical form.",
    BLANK_NODES: "The description holds blank nodes.",
    BAD_RECORD: "The record's IRI is no absolute http(s) IRI that a record may have.",
    BAD_SLUG: "The record's short name is none.",
    FOREIGN_RECORD: "The record's IRI lies in a namespace of another city.",
    FOREIGN_SUBJECT: "It describes a thing in a namespace of another city.",
    UNKNOWN_KIND: "This node does not know records of this kind.",
    CLASS_MISSING: "The description does not say that the record is of its kind.",
    TITLE_MISSING: "The record has no title.",
    PERSONAL: "It says that personal data is in it, and its collection is open to everyone.",
    NOT_FOLLOWED: "The record has none of the themes that are followed.",
    WITHHELD: "The peer shows the entry, and not what is in it.",
    AGREEMENT_ENDED: "The agreement under which it was held is over.",
}
# Nobody's fault, so neither shown as one nor told to the peer.
QUIET = frozenset({NOT_FOLLOWED, WITHHELD, AGREEMENT_ENDED})
# May be the fault of the way and not of the origin, so the entry is asked for again without anybody's doing.
PASSING = frozenset({BAD_OPENING, COMMITMENT, DIGEST, PAYLOAD_MISSING})

_CLASSES: Mapping[str, str] = {
    "dataset": DCAT.Dataset,
    "dataset-series": DCAT.DatasetSeries,
    "data-service": DCAT.DataService,
    "practice": CN.Practice,
    "adoption": CN.Adoption,
    "question": SCHEMA.Question,
    "answer": SCHEMA.Answer,
    "ai-system": CN.AiSystem,
    "city-model": CN.CityModel,
    "challenge": CN.Challenge,
    "reuse": CN.Reuse,
    "agreement": ODRL.Agreement,
    "set": CN.ComparableSet,
    "vocabulary": SKOS.ConceptScheme,
    "statement": CN.Statement,
}
_TITLES = (DCT.title, DC.title, RDFS.label, SKOS.prefLabel, FOAF.name)
_RECORD = re.compile(r'https?://[^\x00-\x20/?#<>"{}|^`\\\x7f-\x9f]+(?:[/?#][^\x00-\x20<>"{}|^`\\\x7f-\x9f]*)?')
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")
_MAX_IRI = 2_000


class Fault(NamedTuple):
    """Why an entry is refused, and of which record it says to be if that is known."""

    code: str
    detail: str
    record: str = ""


class Authority:
    """Who may describe what, as one peer meets it: the namespaces that other cities declared and it did not."""

    def __init__(self, table: Mapping[str, frozenset[str]], peer: str) -> None:
        """Take the table of prefixes with who declared them; our own are ours like any city's."""
        # Prefixes of the peer itself and shared ones stay in: the longest decides, and they may be the longest.
        self._foreign = {prefix: _foreign(owners, peer) for prefix, owners in table.items() if owners}
        self._any = any(self._foreign.values())
        self.origins = frozenset(_origin(prefix) for prefix, foreign in self._foreign.items() if foreign)

    def forbids(self, iri: str) -> str:
        """Give the prefix that forbids the peer to describe an IRI; empty if it may."""
        origin = _origin(iri)
        plain = plain_origin(origin)
        if not self._any or (plain not in self.origins and origin != iri):
            return ""  # as nearly always; the walk below costs ten times as much
        iri = plain + iri[len(origin) :]
        end = len(iri)
        while end > 0:
            prefix = iri[:end]
            if prefix in self._foreign:
                return prefix if self._foreign[prefix] else ""
            end = max(iri.rfind("/", 0, end - 1), iri.rfind("#", 0, end - 1)) + 1
        return ""

    def foreign_in(self, subjects: Sequence[str]) -> tuple[str, str]:
        """Give the first of a payload's subjects that it may not describe, and the prefix; empty if none."""
        forbidden = ((subject, self.forbids(subject)) for subject in subjects)
        return next(((subject, prefix) for subject, prefix in forbidden if prefix), ("", ""))


def _foreign(owners: frozenset[str], peer: str) -> bool:
    # One that two cities declare gives neither authority.
    return len(owners) == 1 and peer not in owners


def _origin(prefix: str) -> str:
    return prefix[: prefix.find("/", prefix.find("//") + 2) + 1] or prefix


_AUTHORITY = re.compile(r"(https?)://(?:[^/?#@]*@)?([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_USUAL_PORT = {"http": ":80", "https": ":443"}


@lru_cache(maxsize=4_096)
def plain_origin(origin: str) -> str:
    """Spell the beginning of an address as a city spells its own, so that a prefix decides whose it is.

    With a user name, capitals, the usual port or without the slash a browser goes to the same place.
    """
    found = _AUTHORITY.fullmatch(origin)
    if found is None:
        return origin
    scheme, host, rest = found[1].lower(), found[2].lower(), found[3]
    host = host.removesuffix(_USUAL_PORT[scheme]).removesuffix(":")
    return f"{scheme}://{host}{rest if rest.startswith('/') else '/' + rest}"


def opened(line: Line) -> tuple[Opening | None, Fault | None]:
    """Make check 6 up to the payload's digest: what the entry commits to, and that this is what came."""
    if line.opening is None:
        return None, None
    try:
        opening = opening_of(line.opening)
    except Malformed as error:
        return None, fault(BAD_OPENING, error.message)
    if opening.commitment() != line.entry.commitment:
        return None, fault(COMMITMENT, "The opening does not hash to the commitment of the entry.")
    return opening, _payload_fault(opening, line.payload)


def _payload_fault(opening: Opening, payload: bytes | None) -> Fault | None:
    if opening.op != "put":
        return None
    if payload is None:
        return fault(PAYLOAD_MISSING, "A put came without its payload.", opening)
    if len(payload) > MAX_PAYLOAD_BYTES:
        return fault(TOO_LARGE, f"It has {len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are taken.", opening)
    if sha256(payload).hexdigest() != opening.digest[7:]:  # behind `sha256:`
        return fault(DIGEST, "The payload does not have the digest of the opening.", opening)
    return None


def named(opening: Opening) -> Fault | None:
    """See that the record's names can be names here: the end of check 6, since later ones search for its IRI."""
    if opening.op == "erase":
        return None
    if not _RECORD.fullmatch(opening.record) or len(opening.record) > _MAX_IRI or not _is_public(opening.record):
        return Fault(BAD_RECORD, f"This is no IRI of a record: {printable(opening.record)}"[:MAX_DETAIL])
    if not _SLUG.fullmatch(opening.slug):
        return fault(BAD_SLUG, f"This is no short name of a record: {opening.slug}", opening)
    return None


def _is_public(iri: str) -> bool:
    return "/.well-known/genid/" not in iri and iri.isprintable()


def authorised(opening: Opening, subjects: Sequence[str], authority: Authority) -> Fault | None:
    """Make check 7: nothing in it is another city's to describe; `subjects` are those under `authority.origins`."""
    prefix = authority.forbids(opening.record)
    if prefix:
        return fault(FOREIGN_RECORD, f"{prefix} is another city's namespace.", opening)
    subject, prefix = authority.foreign_in(subjects)
    if prefix:
        return fault(FOREIGN_SUBJECT, f"It describes {subject}; {prefix} is another city's namespace.", opening)
    return None


def shaped(opening: Opening, payload: bytes, *, is_public: bool) -> Fault | None:
    """Make check 8: a record of a kind that is known, of that kind's class, with a title, and nobody's secrets."""
    if opening.kind not in KINDS:
        return fault(UNKNOWN_KIND, f"There is no kind {opening.kind}.", opening)
    if opening.op != "put":
        return None
    own = f"<{opening.record}> "
    is_a = f"{own}<{RDF.type}> <{_CLASSES[opening.kind]}> .\n" if opening.kind in _CLASSES else f"{own}<{RDF.type}> <"
    if _line_end(payload, is_a.encode()) < 0:
        return fault(CLASS_MISSING, f"The record is described as no {opening.kind}.", opening)
    if not any(_has_text(payload, f'{own}<{title}> "'.encode()) for title in _TITLES):
        return fault(TITLE_MISSING, "The record has no title (dct:title).", opening)
    what = personal.contains(opening.kind, payload) if is_public else ""
    return fault(PERSONAL, f"It contains {what}, and the collection is public.", opening) if what else None


def _line_end(payload: bytes, begin: bytes, at: int = 0) -> int:
    """Find the first line that begins so, and give where that beginning ends; -1 if there is none."""
    if at == 0 and payload.startswith(begin):
        return len(begin)
    found = payload.find(b"\n" + begin, at)
    return -1 if found < 0 else found + 1 + len(begin)


def _has_text(payload: bytes, begin: bytes) -> bool:
    at = _line_end(payload, begin)
    while at >= 0:
        if payload[at : at + 1] != b'"':
            return True
        at = _line_end(payload, begin, at)
    return False


def followed(opening: Opening, payload: bytes, themes: Many[str]) -> bool:
    """Tell whether a record has one of the themes that are followed; all are if none was chosen."""
    if not themes:
        return True
    own = f"<{opening.record}> <{DCAT.theme}> <"
    return any(_line_end(payload, f"{own}{theme}> .\n".encode()) >= 0 for theme in themes)


def fault(code: str, detail: str, opening: Opening | None = None) -> Fault:
    """Make a fault with a detail of at most 200 printable characters."""
    return Fault(code, printable(detail)[:MAX_DETAIL], opening.record if opening else "")


def printable(text: str) -> str:
    """Replace what has no place in a line of text: controls, lone surrogates, what turns the direction of writing."""
    return "".join(c if c.isprintable() else " " for c in text)
