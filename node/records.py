"""What a record is: its kind, its name, its payload's digest, and what was found wrong with it.

Pure values: no I/O, no RDF library, no clock. The bytes of a payload are made in `node.vocab`; here they are
only named and measured. Formats: names, payload limits and digests are fixed, see `node/DECISIONS.md`.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

MAX_PAYLOAD_BYTES = 1024 * 1024
MAX_TRIPLES = 10_000
# The one collection of a city that is restricted for ever: its statements of evidence are never offered or mirrored.
EVIDENCE = "evidence"
# Which agreements there are: the public ones, and beside it, as `agreements-…`, one journal for each pair of cities.
AGREEMENTS = "agreements"

# Kind -> the plural in addresses. The order of the first three settles records of several types.
KINDS: dict[str, str] = {
    "dataset-series": "series",
    "data-service": "services",
    "dataset": "datasets",
    "practice": "practices",
    "adoption": "adoptions",
    "question": "questions",
    "answer": "answers",
    "ai-system": "ai-systems",
    "city-model": "models",
    "challenge": "challenges",
    "reuse": "reuses",
    "set": "sets",
    "agreement": "agreements",
    "vocabulary": "vocabularies",
    "statement": "statements",
}
PLURALS: dict[str, str] = {plural: kind for kind, plural in KINDS.items()}

Level = Literal["mandatory", "recommended", "repaired", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reader of a record should know, kept beside the record and shown with it.

    `code` is stable and hyphenated; `path` the property it is about, as a full IRI or empty; `message` one sentence
    that says what to write, not what is forbidden.
    """

    code: str
    level: Level
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Record:
    """A description ready for a journal: canonical N-Quads without blank nodes, and its names."""

    iri: str
    kind: str
    slug: str
    payload: bytes
    findings: tuple[Finding, ...] = ()

    @property
    def digest(self) -> str:
        """`sha256:` and the lower-case hex of SHA-256 over the payload's bytes."""
        return digest_of(self.payload)


def digest_of(payload: bytes) -> str:
    """Name bytes by their SHA-256, written `sha256:` + 64 lower-case hex digits."""
    return "sha256:" + hashlib.sha256(payload).hexdigest()


_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def slug_of(text: str) -> str:
    """Turn a name into a slug: NFKD without marks, lower case, other runs one `-`, at most 80; may be empty."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _NOT_SLUG.sub("-", plain.lower()).strip("-")[:80].strip("-")


# What is a letter or a mark by its class, and yet shows nothing: fillers of Hangul, the blank of Braille, selectors.
_FILLERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
)
_SEEN = re.compile("[!-~]")


def is_unseen(text: str) -> bool:
    """Tell whether a text has no character that anybody sees: spaces, controls, signs of direction, joiners alone."""
    return _SEEN.search(text) is None and not any(map(_is_seen, text))


def _is_seen(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp") and sign not in _FILLERS


_COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


def is_collection_name(name: str) -> bool:
    """Tell whether a collection, source or peer may have this name."""
    return _COLLECTION_NAME.match(name) is not None


def is_nodes_own(name: str) -> bool:
    """Tell whether the node alone writes a collection of this name: which agreements there are, and the evidence.

    No person, source or agreement has a say in it: nothing is published into it, and it is not opened, renamed or
    agreed on.
    """
    return name == EVIDENCE or name.partition("-")[0] == AGREEMENTS
