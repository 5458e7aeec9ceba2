"""The adapter for DCAT as RDF: one document, a Hydra-paged catalogue in either dialect, or an LDES feed.

Turtle, RDF/XML, JSON-LD, N-Triples and TriG all become one spill of N-Triples lines in the child process; from there
on a file of a hundred thousand datasets and a page of ten are the same thing. Extents, names and repairs live in
`extent.py`, `node.vocab.mend` and `node.vocab.canon`.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, ClassVar
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from node.catalog.portals.base import Description, Desk, Document, Head, Named, Refusal, SourceInfo
from node.catalog.portals.extent import Extents
from node.catalog.portals.feed import Members, graph_of
from node.catalog.portals.spill import Spill
from node.errors import NodeError, Refused, Stopped, TooLarge
from node.records import Finding, is_unseen
from node.vocab.canon import is_anonymous
from node.vocab.mend import right_term
from node.vocab.ntriples import Triple, is_iri, is_literal, language_of, split, value_of
from node.vocab.terms import DCT, FOAF, HYDRA, TREE

MAX_PAGES = 20_000
_ACCEPT = (
    "text/turtle, application/rdf+xml;q=0.9, application/n-triples;q=0.9, application/trig;q=0.8,"
    " application/ld+json;q=0.7, application/xml;q=0.3, text/plain;q=0.1"
)
_BY_SUFFIX = {
    ".ttl": "text/turtle",
    ".n3": "text/turtle",
    ".rdf": "application/rdf+xml",
    ".xml": "application/rdf+xml",
    ".owl": "application/rdf+xml",
    ".jsonld": "application/ld+json",
    ".json": "application/ld+json",
    ".nt": "application/n-triples",
    ".nq": "application/n-quads",
    ".trig": "application/trig",
}
_KNOWN = set(_BY_SUFFIX.values())
_ALIASES = {
    "application/xml": "application/rdf+xml",
    "text/xml": "application/rdf+xml",
    "application/x-turtle": "text/turtle",
    "text/n3": "text/turtle",
    "application/json": "application/ld+json",
    "text/x-nquads": "application/n-quads",
}
_NEXT = (f" <{HYDRA.next}> ".encode(), b" <http://www.w3.org/ns/hydra/core#nextPage> ")
# A feed leads to its pages by `tree:node`, and the feed itself to its first page by `tree:view`.
_LINKS = (f" <{TREE.node}> ".encode(), f" <{TREE.view}> ".encode(), *_NEXT)
_TREE = b" <https://w3id.org/tree#"
_HYDRA = b" <http://www.w3.org/ns/hydra/core#"
_WITH_GRAPHS = {"application/trig", "application/n-quads", "application/ld+json"}
_TOTAL = f" <{HYDRA.totalItems}> ".encode()
# A line that makes a node a record.
_RECORD = re.compile(
    rb"^(<[^>]+>|_:\w+) <http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type> "
    rb"<http://www\.w3\.org/ns/dcat#(?:Dataset|DatasetSeries|DataService)> ",
    re.MULTILINE,
)
_TITLE = f"<{DCT.title}>"
_IDENTIFIER = f"<{DCT.identifier}>"
_PUBLISHER = f"<{DCT.publisher}>"
_NAME = f"<{FOAF.name}>"


# Members that CKAN writes into its answers and packages, and that no DCAT of anybody has.
_CKAN = re.compile(rb'"(?:success|num_resources|license_id)"\s*:')
_BEGINNING = 64 * 1024


def _looks_like_ckan(document: Document) -> bool:
    with document.path.open("rb") as file:
        return _CKAN.search(file.read(_BEGINNING)) is not None


def media_type_of(document: Document) -> str:
    """Tell what a document is: by what the portal says, else by its name, else by how it begins."""
    said = _ALIASES.get(document.media_type, document.media_type)
    if said in _KNOWN:
        return said
    suffix = Path(urlsplit(document.url).path).suffix.lower()
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    with document.path.open("rb") as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        return "application/ld+json"
    if start.startswith((b"<?xml", b"<rdf:", b"<!--")):
        return "application/rdf+xml"
    return "text/turtle"


class DcatPortal:
    """DCAT as RDF, whole, paged or as a feed."""

    kind: ClassVar[str] = "dcat"
    title: ClassVar[str] = "DCAT RDF (Turtle, RDF/XML, JSON-LD, N-Triples, TriG; Hydra pages, LDES)"
    version: ClassVar[int] = 1

    def open(self, desk: Desk) -> "DcatWalk":
        """Fetch and parse every page into one spill."""
        pages = _Pages(desk)
        pages.walk()
        return DcatWalk(desk, pages)


class _Pages:
    """Follows the pages of a source; a page that fails leaves the earlier ones as they are."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.spill = desk.workspace() / "graph.nt"
        self.totals: set[int] = set()
        self._members = Members(desk.workspace())
        self._waiting: deque[str] = deque()
        self._seen_urls: set[str] = set()
        self._seen_bytes: dict[str, str] = {}
        self._seen_records: set[bytes] = set()
        self._is_paged = False
        self.has_gaps = False
        self.is_ckan = False

    def walk(self) -> None:
        with self.spill.open("wb", buffering=1 << 20) as out:
            self._first(self._desk.fetch_main(accept=_ACCEPT), out)
            if self._waiting:
                out.flush()
                self._is_paged, self._seen_records = True, _records_of(self.spill)
            while self._waiting:
                self._next(self._waiting.popleft(), out)
            if len(self._seen_urls) > MAX_PAGES:
                self._miss(f"The source has more than {MAX_PAGES} pages; the rest was not read.")
            if self._members:
                self._members.release(out)

    def _miss(self, reason: str) -> None:
        self.has_gaps = True
        self._desk.incomplete(reason)

    def _first(self, document: Document, out: BinaryIO) -> None:
        self._seen_urls.add(document.url)
        self._seen_bytes[document.sha256] = document.url
        self.is_ckan = _looks_like_ckan(document)
        try:
            self._take(document, out)
        except Refused as error:
            self._miss(f"The source could not be read. {error}")

    def _next(self, url: str, out: BinaryIO) -> None:
        try:
            document = self._desk.fetch(url, accept=_ACCEPT)
            earlier = self._seen_bytes.get(document.sha256)
            if earlier is not None:
                self._miss(f"The page {url} repeats the page {earlier}; the walk may have gaps.")
                return
            self._take(document, out)
        except Stopped:
            raise
        except NodeError as error:
            self._miss(f"The page {url} could not be read. {error}")

    def _take(self, document: Document, out: BinaryIO) -> None:
        media_type = media_type_of(document)
        lines = self._desk.rdf_to_lines(
            document,
            media_type=media_type,
            base_iri=_base_of(document, self._desk.source),
            keep_graphs=media_type in _WITH_GRAPHS,
        )
        if self._is_paged:
            self._compare(document, lines, out)
        if media_type in _WITH_GRAPHS:
            for line in self._members.sort(lines, out):
                self._look(line.encode(), document)
        else:
            self._copy(lines, out, document)
        lines.unlink()
        self._desk.progress("read", len(self._seen_urls), None)

    def _compare(self, document: Document, lines: Path, out: BinaryIO) -> None:
        """Notice a page that repeats earlier ones in other words; pages without records may well be the same."""
        found = _records_of(lines)
        if not found:
            return
        self._seen_bytes[document.sha256] = document.url
        # Members of a feed come in many versions, so only of a paged catalogue must every page bring something new.
        if found <= self._seen_records and not self._members:
            out.flush()
            if not _news(lines, self.spill):
                self._miss(f"The page {document.url} brings nothing that earlier pages did not bring.")
        self._seen_records |= found

    def _copy(self, lines: Path, out: BinaryIO, document: Document) -> None:
        with lines.open("rb") as read:
            # Blocks end at a line's end, so a link to a next page never falls between two.
            while block := read.read(1 << 20):
                block += read.readline()
                out.write(block)
                self._desk.progress("read", len(self._seen_urls), None)
                if _HYDRA in block or _TREE in block:
                    for line in block.split(b"\n"):
                        self._look(line, document)

    def _look(self, line: bytes, document: Document) -> None:
        if any(mark in line for mark in _LINKS):
            self._follow(split(line.decode())[2], document)
        elif _TOTAL in line:
            self._count(split(line.decode())[2])

    def _follow(self, term: str, document: Document) -> None:
        # Links as literals are a dialect of paging, not an error: ckanext-dcat writes them so.
        try:
            url = urldefrag(urljoin(_base_of(document, self._desk.source), value_of(term).strip())).url
        except ValueError:
            self._miss(f"The page {value_of(term)[:200]!r} could not be read: this is no address.")
            return
        if not url or url in self._seen_urls or len(self._seen_urls) > MAX_PAGES:
            return
        self._seen_urls.add(url)
        if len(self._seen_urls) <= MAX_PAGES:
            self._waiting.append(url)

    def _count(self, term: str) -> None:
        text = value_of(term)
        if text.isdigit() and len(text) < 12:
            self.totals.add(int(text))


def _records_of(lines: Path) -> set[bytes]:
    """Find the records with an IRI in a file of lines."""
    found: set[bytes] = set()
    with lines.open("rb") as read:
        while block := read.read(1 << 20):
            found.update(_RECORD.findall(block + read.readline()))
    return found


def _news(lines: Path, spill: Path) -> bool:
    """Tell whether a file of lines says anything (but for paging, and of nameless nodes) that the spill does not."""
    with lines.open("rb") as read:
        said = {_triple(line) for line in read if b"_:" not in line and _HYDRA not in line}
    with spill.open("rb") as read:
        for line in read:
            said.discard(line)
    return bool(said)


def _triple(line: bytes) -> bytes:
    return graph_of(line.decode().rstrip("\n"))[0].encode() + b"\n"


def _base_of(document: Document, source: SourceInfo) -> str:
    if document.url.startswith(("http://", "https://")):
        return document.url
    return f"{source.base_url}/sources/{source.name}/"


class DcatWalk:
    """The spilled graph of a source, record by record."""

    full = True

    def __init__(self, desk: Desk, pages: _Pages) -> None:
        """Index the spill and find the records."""
        self._desk = desk
        self._spill = Spill(pages.spill, heard=lambda: desk.progress("read", 0, None))
        self._extents = Extents(self._spill)
        self._roots: dict[str, str] = {}
        self._totals = pages.totals
        self._has_gaps = pages.has_gaps
        self._is_ckan = pages.is_ckan

    def heads(self) -> Iterator[Head | Refusal]:
        """Name each record: its IRI, or for a nameless node its identifier."""
        for subject in self._in_order():
            kind = self._extents.records[subject]
            identifier = self._identifier(subject)
            title = _best(self._spill.literals(subject, _TITLE))
            key = identifier if is_anonymous(subject) else value_of(subject)
            if not key:
                yield Refusal(
                    "", title, "nameless", "The record has neither an IRI nor an identifier. Give it one of them."
                )
                continue
            self._roots.setdefault(key, subject)
            yield Head(key, kind, value_of(subject) if is_iri(subject) else "", identifier, title)
        if not self._extents.records and not self._has_gaps:
            other = "It looks like what CKAN answers: is that its kind?" if self._is_ckan else "Is that its kind?"
            self._desk.incomplete(
                f"It describes no dataset, series or service of DCAT ({self._spill.total} triples were read)."
                f" Is it the right address? {other}"
            )
        self._compare_counts()

    def _identifier(self, subject: str) -> str:
        # It becomes a key in a database, and PostgreSQL holds no NUL.
        return min(map(value_of, self._spill.literals(subject, _IDENTIFIER)), default="").replace("\0", "\ufffd")

    def _in_order(self) -> Iterator[str]:
        """The records: those with IRIs first, then the nameless, in an order that does not hang on the file's.

        Of two with one key the first is taken, so twins are ordered by what is said of them.
        """
        nameless: dict[str, list[str]] = defaultdict(list)
        for subject in self._extents.records:
            if is_anonymous(subject):
                nameless[self._identifier(subject)].append(subject)
            else:
                yield subject
        for twins in nameless.values():
            yield from sorted(twins, key=self._content) if len(twins) > 1 else twins

    def _content(self, subject: str) -> list[str]:
        try:
            extent = self._extents.of(subject)
        except TooLarge:
            return []
        return sorted(f"{p} {'_:' if is_anonymous(o) else o}" for _, p, o in extent)

    def _compare_counts(self) -> None:
        found = len(self._extents.records)
        if self._totals and found < min(self._totals):
            self._desk.incomplete(
                f"The source says it holds {min(self._totals)} records and {found} were found on its pages."
            )

    def describe(self, names: Mapping[str, Named]) -> Iterator[Description | Refusal]:
        """Yield the extent of every named record, links to other records under the names they got."""
        renamed = {root: f"<{names[key].iri}>" for key, root in self._roots.items() if key in names}
        renamed = {root: name for root, name in renamed.items() if root != name}
        for key, root in self._roots.items():
            if key in names:
                yield self._one(key, root, names[key], renamed)
        for subject in self._extents.lost():
            message = "Only records without IRIs link to it, so nothing names it. Give it an IRI."
            yield Refusal("", _best(self._spill.literals(subject, _TITLE)), "nameless", message)
        subjects, triples = self._extents.unreached()
        if triples:
            self._desk.note(
                Finding("unreached", "note", "", f"{triples} triples of {subjects} subjects belong to no record.")
            )
        self._spill.close()

    def _one(self, key: str, root: str, named: Named, renamed: Mapping[str, str]) -> Description | Refusal:
        try:
            extent = self._extents.of(root)
        except TooLarge as error:
            return Refusal(key, _best(self._spill.literals(root, _TITLE)), error.code, str(error))
        title = _title(root, extent)
        owner = _owner(root, extent)
        if not title:
            return Refusal(key, "", "title-missing", "The record has no title. Add a title (dct:title).", owner)
        if renamed:
            extent = [(renamed.get(s, s), p, renamed.get(o, o)) for s, p, o in extent]
        return Description(key, named.iri, named.kind, named.slug, extent, title, owner)


_FALLBACK_TITLES = (_TITLE, "<http://purl.org/dc/elements/1.1/title>", "<http://www.w3.org/2000/01/rdf-schema#label>")


def _title(root: str, extent: list[Triple]) -> str:
    found = _best([o for s, p, o in extent if p == _TITLE and s == root and is_literal(o)])
    if found:
        return found
    own = [(right_term(p), o) for s, p, o in extent if s == root and is_literal(o)]
    return next(filter(None, (_best([o for p, o in own if p == title]) for title in _FALLBACK_TITLES)), "")


def _best(titles: list[str]) -> str:
    """An original before a machine translation, then any order that does not change by itself."""
    kept = [title for title in titles if not is_unseen(value_of(title))]
    return value_of(min(kept, key=lambda title: ("-t-" in language_of(title), title))) if kept else ""


def _owner(root: str, extent: list[Triple]) -> str:
    publishers = {o for s, p, o in extent if s == root and p == _PUBLISHER}
    names = sorted(value_of(o) for s, p, o in extent if s in publishers and p == _NAME)
    return names[0] if names else min((value_of(o) for o in publishers), default="")


def local_page(url: str, source: SourceInfo) -> Path | None:
    """Find the file behind a page link of a file source: links resolve below the folder of the source's file."""
    prefix = f"{source.base_url}/sources/{source.name}/"
    if not source.is_file or not url.startswith(prefix):
        return None
    folder = Path(source.location).resolve().parent
    path = (folder / unquote(url[len(prefix) :])).resolve()
    return path if path.is_relative_to(folder) and path.is_file() else None


def page_url(path: Path, source: SourceInfo) -> str:
    """Give the address that a local page goes under."""
    folder = Path(source.location).resolve().parent
    return f"{source.base_url}/sources/{source.name}/{quote(str(path.relative_to(folder)))}"
