"""CKAN: the Action API page by page, or a dump of packages in a file, each package a dataset.

A walk over the API is trusted only as far as it can be counted: the number of datasets the portal claims, every page
new, nothing twice. Where the sum does not come out, the desk hears `incomplete` and nothing is withdrawn; what was
read is still published. Changed-since is used only when the answer proves that the portal honours it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from node.catalog.portals import ckanrecord
from node.catalog.portals.base import Description, Desk, Head, Named, Refusal, Walk
from node.catalog.portals.jsonvalues import address_of, line_of, list_of, map_of
from node.catalog.portals.jsonwalk import (
    JsonWalk,
    count_of,
    envelope_of,
    raise_if_no_answer,
    records_of,
    refusal_for_want,
)
from node.errors import Malformed, Refused, SourceUnreachable
from node.records import Finding

ROWS = 500  # CKAN gives at most 1,000; half of that keeps a page below what a slow portal can write in time
_JSON = "application/json"
_DUMP_ENDINGS = (".json", ".jsonl", ".ndjson", ".jsonlines", ".json.gz", ".jsonl.gz")
_IN_A_DUMP = "result.results|results|result.packages|result|packages|datasets|"
_MAX_PAGES = 20_000


class CkanWalk(JsonWalk):
    """The packages that were read."""

    portal = ""

    def head_of(self, record: dict[str, Any], row: int) -> Head | Refusal:
        """Name a package by its id (which outlives its name)."""
        name, identifier = line_of(record.get("name")), line_of(record.get("id"))
        key, title, owner = identifier or name, ckanrecord.title_of(record), ckanrecord.owner_of(record)
        if closed := _why_not_public(record):
            return Refusal(key or f"#{row}", title or name, "not-public", closed, owner)
        kind = line_of(record.get("type")).lower()
        if kind in ckanrecord.NOT_DATASETS:
            message = f"It is a {kind[:40]!r}, not a dataset; nothing needs to be done."
            return Refusal(key or f"#{row}", title or name, "not-a-dataset", message, owner)
        if refusal := refusal_for_want(key, row, title, owner):
            return refusal
        return Head(key, ckanrecord.KINDS.get(kind, "dataset"), _own_iri(record), name or identifier, title)

    def description_of(self, record: dict[str, Any], head: Head, named: Named) -> Description:
        """Describe a package."""
        return ckanrecord.describe(record, head, named, language=self._source.language, portal=self.portal)


def _why_not_public(record: dict[str, Any]) -> str:
    state = line_of(record.get("state") or "active").lower()
    if state != "active":
        return f"Its state is {state[:40]!r}. Publish it at the source if it should be seen."
    if str(record.get("private", False)).lower() == "true" or record.get("capacity") == "private":
        return "It is private. Make it public at the source if it should be seen."
    return ""


def _own_iri(record: dict[str, Any]) -> str:
    """Give the IRI that a package was published under before, as ckanext-dcat keeps it in `uri`."""
    said = line_of(record.get("uri"))
    for extra in list_of(record.get("extras")) if not isinstance(record.get("extras"), dict) else ():
        if not said and isinstance(extra, dict) and extra.get("key") == "uri":
            said = line_of(extra.get("value"))
    said = said or line_of(map_of(record.get("extras")).get("uri"))
    return address_of(said) if said.startswith(("http://", "https://")) else ""


class CkanPortal:
    """The adapter for CKAN."""

    kind: ClassVar[str] = "ckan"
    title: ClassVar[str] = "CKAN (Action API, or a dump of its packages)"
    version: ClassVar[int] = 1

    def open(self, desk: Desk) -> Walk:
        """Read a dump if the location is a file, else page through the API."""
        path = urlsplit(desk.source.location).path.lower()
        if desk.source.is_file or path.endswith((*_DUMP_ENDINGS, "current_package_list_with_resources")):
            return _open_dump(desk)
        return _Pages(desk).walk()


def _open_dump(desk: Desk) -> CkanWalk:
    document = desk.fetch_main(accept=_JSON)
    spill = desk.json_to_lines(document, records=_IN_A_DUMP)
    raise_if_no_answer(spill)
    envelope, total = envelope_of(spill), count_of(spill)
    claimed = _count(envelope)
    if claimed is not None and claimed != total:
        desk.incomplete(f"The document says that there are {claimed} datasets and holds {total}.")
    elif not total:
        desk.incomplete("The document holds no dataset.")
    desk.progress("read", total, claimed)
    walk = CkanWalk(desk, [spill])
    walk.portal = _portal_of(line_of(envelope.get("help")))
    return walk


def _count(envelope: dict[str, Any]) -> int | None:
    """Read how many datasets the portal claims, wherever the envelope keeps it."""
    for place in (map_of(envelope.get("result")), envelope):
        count = place.get("count", place.get("result.count"))
        if isinstance(count, int) and not isinstance(count, bool):
            return count
    return None


def _portal_of(address: str) -> str:
    """Give the root of a portal's pages from an address of its API; empty if it is none."""
    root, api, _ = address.partition("/api/")
    if not api or "<" in root or not root.startswith(("http://", "https://")):
        return ""
    return root


def _bases(location: str) -> Iterator[str]:
    """Give the addresses where the Action API may be: as named, else under the usual roots."""
    plain = location.split("#", 1)[0].split("?", 1)[0].rstrip("/")
    plain = plain.removesuffix("/package_search").removesuffix("/package_list")
    if "/action" in plain:
        yield plain
        return
    root = plain.partition("/api")[0] if plain.endswith(("/api", "/api/3")) else plain
    yield f"{root}/api/3/action"
    yield f"{root}/data/api/3/action"


@dataclass(slots=True)
class _Page:
    spill: Path
    claimed: int
    ids: list[str]
    stamps: list[str]


class _Pages:
    """Paging through `package_search`, with a count of everything."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._base = ""
        self._spills: list[Path] = []
        self._seen: set[str] = set()

    def walk(self) -> CkanWalk:
        """Page through all packages, or through the changed ones if the portal can tell them."""
        total = self._find()
        since = self._since()
        full = True
        if since:
            full = not self._page_through_changed(since, total)
        if full:
            self._page_through(total, "")
        walk = CkanWalk(self._desk, self._spills, full=full, repeats=True)
        walk.portal = _portal_of(self._base + "/")
        return walk

    def _find(self) -> int:
        """Find the API and ask for the number of datasets alone."""
        failure: Exception | None = None
        for base in _bases(self._desk.source.location):
            self._base = base
            try:
                return self._read(self._address(0, 0, "")).claimed
            except (Refused, SourceUnreachable) as error:
                failure = failure or error
        raise failure or Malformed("The location names no CKAN.")

    def _since(self) -> str:
        """Give the time of the last look, an hour earlier: portals' clocks and search indexes run late."""
        said = self._desk.source.changed_since
        if not said:
            return ""
        try:
            at = datetime.fromisoformat(said)
        except ValueError:
            return ""
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return (at.astimezone(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _address(self, start: int, rows: int, query: str) -> str:
        asked = {"rows": rows, "start": start, "sort": "id asc"} | ({"fq": query} if query else {})
        return f"{self._base}/package_search?{urlencode(asked)}"

    def _read(self, address: str, *, main: bool = False) -> _Page:
        desk = self._desk
        document = desk.fetch_main(address, accept=_JSON) if main else desk.fetch(address, accept=_JSON)
        spill = desk.json_to_lines(document, records="result.results")
        raise_if_no_answer(spill)
        claimed = _count(envelope_of(spill))
        if claimed is None:
            raise Malformed("The answer does not say how many datasets there are.", fix="Is the location a CKAN?")
        ids, stamps = [], []
        for row, record in enumerate(records_of(spill)):
            package = map_of(record)
            ids.append(line_of(package.get("id")) or line_of(package.get("name")) or f"#{row}")
            stamps.append(line_of(package.get("metadata_modified")))
        return _Page(spill, claimed, ids, stamps)

    def _page_through_changed(self, since: str, total: int) -> bool:
        """Read what changed; False if the portal does not honour the question and everything must be read."""
        query = f"metadata_modified:[{since} TO *]"
        try:
            first = self._read(self._address(0, 1, query))
        except Refused:
            return False
        honoured = first.claimed < total and all(stamp[:19] >= since[:19] for stamp in first.stamps)
        if honoured and first.claimed:
            self._page_through(first.claimed, query)
        if not honoured:
            self._note("changed-since-unknown", "The portal does not tell what changed, so all was read.")
            return False
        self._note("changed-since", f"Only what changed since {since} was read ({first.claimed} of {total}).")
        return True

    def _note(self, code: str, message: str) -> None:
        self._desk.note(Finding(code, "note", "", message))

    def _page_through(self, total: int, query: str) -> None:
        """Read page after page until the sum comes out or the portal stops making sense."""
        start, desk = 0, self._desk
        if not total:
            desk.incomplete("The portal says that it has no dataset.")
            return
        for _ in range(_MAX_PAGES):
            try:
                # One page is the whole source: only then may its sameness be taken for the source's.
                page = self._read(self._address(start, ROWS, query), main=total <= ROWS and not query)
            except (Refused, SourceUnreachable) as error:
                desk.incomplete(f"The page that begins at {start} could not be read: {error}")
                return
            if page.claimed != total:
                desk.incomplete(f"The number of datasets changed from {total} to {page.claimed} while they were read.")
                total = page.claimed
            if not self._take(page, start):
                return
            start += len(page.ids)
            desk.progress("read", len(self._seen), total)
            if start >= total:
                break
        if len(self._seen) != total:
            desk.incomplete(f"The portal says that it has {total} datasets and gave {len(self._seen)} different ones.")

    def _take(self, page: _Page, start: int) -> bool:
        """Keep a page that brings something new; False ends the paging."""
        if not page.ids:
            self._desk.incomplete(f"The page that begins at {start} is empty; {page.claimed} datasets were promised.")
            return False
        new = set(page.ids) - self._seen
        if not new:
            self._desk.incomplete(f"The page that begins at {start} repeats what was read before.")
            return False
        self._seen |= new
        self._spills.append(page.spill)
        return True
