"""What an adapter is: it turns a portal's bytes into descriptions, and knows nothing of journals or databases.

An adapter walks its source in two steps. `open` reaches and reads: every page is fetched through the desk and parsed
in the desk's child process into spill files. The walk it returns is then asked twice: `heads` names what is there
(cheap, so that names can be settled in order of source key before anything is published) and `describe` yields one
description or one refusal per head. One record's failure never harms the next.
Adapters are found by the entry point group `citynode.portals`; they may touch `outbound` through the desk only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from node.records import Finding
from node.vocab.ntriples import Triple


@dataclass(frozen=True, slots=True)
class Document:
    """A fetched document on disk. `url` is where it was finally found; `sha256` is over the body's bytes (hex)."""

    path: Path
    url: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What an adapter may know of its source. `location` is a URL or an absolute path of a local file."""

    name: str
    kind: str
    location: str
    base_url: str
    language: str
    keep_contacts: bool = False
    changed_since: str = ""

    @property
    def is_file(self) -> bool:
        """Tell whether the source is a file of this machine."""
        return not self.location.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Head:
    """One record of the source before it is read in full.

    `key` is stable and unique within the source (an id, an IRI); `iri` is the source's own IRI for it or empty;
    `name` is what a slug is made from (the source's name, else its identifier), or empty.
    """

    key: str
    kind: str
    iri: str
    name: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """The IRI and slug that the node settled for a head."""

    iri: str
    slug: str
    kind: str


@dataclass(slots=True)
class Description:
    """One record's whole extent, values mended, blank nodes still blank; the subject of the record is `<iri>`."""

    key: str
    iri: str
    kind: str
    slug: str
    triples: list[Triple]
    title: str = ""
    owner: str = ""
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that cannot be published: which, why (`code`), what to mend (`message`), and whose it is."""

    key: str
    title: str
    code: str
    message: str
    owner: str = ""


class SourceUnchanged(Exception):  # noqa: N818  (a normal ending, raised through the adapter's stack)
    """The source said 304 or sent the very bytes of the last complete run: there is nothing to read."""


class Desk(Protocol):
    """What harvest lends an adapter for one run. Every method raises when the run is cancelled or past its deadline."""

    source: SourceInfo

    def fetch_main(self, url: str = "", *, accept: str = "") -> Document:
        """Get the source's main document (default: its location), conditionally.

        Raises:
            SourceUnchanged: 304, or the same bytes as in the last complete run.
            SourceUnreachable: No good answer, with the reason.
        """

    def fetch(self, url: str, *, accept: str = "") -> Document:
        """Get a further document (a page)."""

    def rdf_to_lines(self, document: Document, *, media_type: str, base_iri: str, keep_graphs: bool = False) -> Path:
        """Parse strangers' RDF in the child process into an N-Triples file of canonical lines.

        With `keep_graphs` lines of named graphs keep the graph as a fourth term (N-Quads); else graphs are merged.

        IRIs are absolute and mended, language tags lower case, blank labels unique over the run. What was mended is
        noted as findings of the run. Raises Malformed with the line and the reason.
        """

    def json_to_lines(self, document: Document, *, records: str) -> Path:
        """Parse strangers' JSON in the child process into a file of one JSON object per line.

        `records` names where the list is: `""` the top-level array (or JSON lines), `"result.results"` a path.
        The first line is always an object with the document's other small members (an envelope), `{}` if none.
        Raises Malformed.
        """

    def note(self, finding: Finding) -> None:
        """Say something of the source as a whole (not of one record); shown with the run."""

    def incomplete(self, reason: str) -> None:
        """Say that the walk did not see everything: the run ends `partial` and nothing is withdrawn."""

    def progress(self, stage: str, done: int, total: int | None = None) -> None:
        """Count: stage is `reach`, `read` or `check`."""

    def workspace(self) -> Path:
        """Give a folder that goes when the run ends."""


class Walk(Protocol):
    """A source that has been read into spill files."""

    def heads(self) -> Iterator[Head | Refusal]:
        """Name each record once, cheaply."""

    def describe(self, names: Mapping[str, Named]) -> Iterator[Description | Refusal]:
        """Yield every record whose key is in `names`, in any order; a key may yield a refusal instead."""


class Portal(Protocol):
    """An adapter. `kind` is the word used in `citynode sources add --kind`."""

    kind: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int]  # raised when the same bytes would give other descriptions

    def open(self, desk: Desk) -> Walk:
        """Reach and read the whole source."""
