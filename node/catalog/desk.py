"""The desk of one harvest run: fetching, parsing and counting for an adapter, all within the run's limits.

Every document lands in the run's own folder and is parsed in the child process; addresses pass `outbound`, files only
the folder of a file source. The desk remembers what makes the next request conditional, and every reason why the walk
was not complete. It cannot write: no journal, no database.
"""

import hashlib
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from node.catalog.portals.base import Document, SourceInfo, SourceUnchanged
from node.catalog.portals.dcat import local_page, page_url
from node.errors import NotFound, SourceUnreachable, Stopped, TooLarge
from node.outbound import Outbound
from node.records import Finding
from node.vocab.parse import Parser, ParseReport

# Of a source with thousands of bad pages the first ones tell enough.
_MOST_NOTES = 500
_MOST_GAPS = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run."""

    max_document_bytes: int = 1 << 30
    fetch_deadline_s: float = 600.0
    parse_deadline_s: float = 1800.0


@dataclass(slots=True)
class Conditions:
    """What the source said of its main document, and the hash of all its documents, last time or this time.

    `body_sha256` is the number of documents, a colon and a hash over theirs: only a source that is one document can be
    known as unchanged by its first answer, since later pages change while the first one does not (DECISIONS 7).
    """

    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""


class OnProgress(Protocol):
    """Hears of counts as they change."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Stage is `reach`, `read`, `check`, `publish` or `withdraw`."""


@dataclass(slots=True)
class RunDesk:
    """What harvest lends an adapter; see `portals.base.Desk`."""

    source: SourceInfo
    outbound: Outbound
    parser: Parser
    folder: Path
    limits: Limits
    stop: threading.Event
    on_progress: OnProgress
    last: Conditions
    now: Conditions = field(default_factory=Conditions)
    findings: list[Finding] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    _documents: int = 0
    _bytes: int = 0
    _hashes: list[str] = field(default_factory=list)

    def fetch_main(self, url: str = "", *, accept: str = "") -> Document:
        """Get the source's main document, conditionally."""
        self.on_progress("reach", 0, None)
        if self.source.is_file:
            document = self._local(Path(self.source.location), "")
        else:
            document = self._remote(url or self.source.location, accept, self.last if self._was_one else Conditions())
        _check_not_empty(document)
        self._hashes.append(document.sha256)
        if self._was_one:
            self.stop_if_unchanged()
        return document

    @property
    def _was_one(self) -> bool:
        return self.last.body_sha256.startswith("1:")

    def stop_if_unchanged(self) -> None:
        """Raise SourceUnchanged if the documents fetched so far are those of the last complete run."""
        self.now.body_sha256 = f"{len(self._hashes)}:{hashlib.sha256(' '.join(self._hashes).encode()).hexdigest()}"
        if not self.gaps and self.now.body_sha256 == self.last.body_sha256:
            raise SourceUnchanged

    def fetch(self, url: str, *, accept: str = "") -> Document:
        """Get a further document: a page."""
        if self.source.is_file:
            path = local_page(url, self.source)
            if path is None:
                raise NotFound(f"The page {url} is not below the folder of the source's file.")
            document = self._local(path, page_url(path, self.source))
        else:
            document = self._remote(url, accept, Conditions())
        _check_not_empty(document)
        self._hashes.append(document.sha256)
        return document

    def _local(self, path: Path, url: str) -> Document:
        self.heed()
        try:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = path.stat().st_size
        except OSError as error:
            reason = f"The file {path} cannot be read: {error.strerror}."
            raise SourceUnreachable(reason, fix="Check that it is there and readable.") from error
        if size > self.limits.max_document_bytes:
            raise TooLarge(f"The file has {size} bytes; at most {self.limits.max_document_bytes} are taken.")
        return Document(path, url or path.name, "", size, sha256)

    def _remote(self, url: str, accept: str, known: Conditions) -> Document:
        self.heed()
        self._documents += 1
        path = self.folder / f"document-{self._documents}"
        answer = self.outbound.download(
            url,
            path,
            accept=accept,
            etag=known.etag,
            last_modified=known.last_modified,
            max_bytes=self.limits.max_document_bytes,
            deadline_s=self.limits.fetch_deadline_s,
            stop=self.stop,
        )
        if not self._hashes:
            self.now = Conditions(answer.etag, answer.last_modified)
        if answer.not_modified:
            self.now = self.last
            raise SourceUnchanged
        self._bytes += answer.size
        if self._bytes > 4 * self.limits.max_document_bytes:
            raise TooLarge(f"The source's pages have more than {4 * self.limits.max_document_bytes} bytes together.")
        return Document(path, answer.url, answer.media_type, answer.size, answer.sha256)

    def rdf_to_lines(self, document: Document, *, media_type: str, base_iri: str, keep_graphs: bool = False) -> Path:
        """Parse RDF in the child process."""
        path = self._next_path("lines")
        report = self.parser.rdf_to_lines(
            document.path,
            path,
            media_type=media_type,
            base_iri=base_iri,
            timeout_s=self.limits.parse_deadline_s,
            keep_graphs=keep_graphs,
        )
        return self._parsed(report, document, path)

    def json_to_lines(self, document: Document, *, records: str) -> Path:
        """Parse JSON in the child process."""
        path = self._next_path("records")
        report = self.parser.json_to_lines(document.path, path, records=records, timeout_s=self.limits.parse_deadline_s)
        return self._parsed(report, document, path)

    def _next_path(self, what: str) -> Path:
        self.heed()
        self._documents += 1
        return self.folder / f"{what}-{self._documents}"

    def _parsed(self, report: ParseReport, document: Document, path: Path) -> Path:
        for finding in report.findings:
            self.note(finding)
        if report.incomplete:
            self.incomplete(report.incomplete)
        if document.path.parent == self.folder:
            document.path.unlink(missing_ok=True)
        return path

    def note(self, finding: Finding) -> None:
        """Say something of the source as a whole."""
        if len(self.findings) < _MOST_NOTES and finding not in self.findings:
            self.findings.append(finding)

    def incomplete(self, reason: str) -> None:
        """Say that the walk did not see everything."""
        if len(self.gaps) < _MOST_GAPS:
            self.gaps.append(reason)

    def progress(self, stage: str, done: int, total: int | None = None) -> None:
        """Count."""
        self.heed()
        self.on_progress(stage, done, total)

    def workspace(self) -> Path:
        """Give the run's folder."""
        return self.folder

    def heed(self) -> None:
        """Raise if the run was stopped."""
        if self.stop.is_set():
            raise Stopped("The run was stopped.")


def _check_not_empty(document: Document) -> None:
    """A portal in trouble often answers 200 and nothing; that is no catalogue without records."""
    if not document.size:
        raise SourceUnreachable(f"{document.url} is empty.", fix="Look at it in a browser, or try later.")


def clear_leftovers(folder: Path, is_live: Callable[[str], bool]) -> None:
    """Remove the folders of runs that died before they could tidy up."""
    for leftover in folder.glob("run-*"):
        if not is_live(leftover.name.removeprefix("run-")):
            shutil.rmtree(leftover, ignore_errors=True)
