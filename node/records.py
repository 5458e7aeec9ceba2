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


_COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


def is_collection_name(name: str) -> bool:
    """Tell whether a collection, source or peer may have this name."""
    return _COLLECTION_NAME.match(name) is not None
