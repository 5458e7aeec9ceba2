"""What a service of a digital twin speaks: asked at its own address, each standard by its own first document.

A stranger's server: every question is bounded in bytes and time, nothing of the answer is kept but what names the
standard, and XML is looked at but never parsed. The way out is handed in. Knows no database.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import orjson

from node.errors import ForbiddenAddress, NodeError, Stopped
from node.vocab.kinds.checking import is_link
from node.vocab.kinds.data_service import TABLE

MAX_BYTES = 2 << 20
DEADLINE_S = 15.0
_ACCEPT = "application/json, application/ld+json;q=0.9, application/xml;q=0.8, text/xml;q=0.8"
_MAX_TITLE = 200
_PROLOG = re.compile(rb"\s*(?:<\?.{0,500}?\?>\s*|<!--.{0,4000}?-->\s*){0,20}", re.DOTALL)
_ROOT = re.compile(rb"<(?:[\w.-]{1,40}:)?([\w.-]{1,80})\b([^<>]{0,20000})>?")
_VERSION = re.compile(rb"""\bversion\s*=\s*["']([\d.]{1,10})["']""")
_TITLE = re.compile(rb"<(?:[\w.-]{1,40}:)?Title[^<>]{0,200}>([^<>]{1,400})</")
_SENSING = re.compile(r"http://www\.opengis\.net/spec/iot_sensing/(1\.\d)")
_FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/"
_TYPE_LISTS = ("EntityTypeList", "EntityTypeInformation")


class Reply(Protocol):
    """An answer, as far as it is looked at."""

    @property
    def status(self) -> int:
        """Give the status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Give the headers, names in lower case."""

    @property
    def body(self) -> bytes:
        """Give the body."""


class Way(Protocol):
    """The way out, as far as probing needs it."""

    def ask(
        self, url: str, *, max_bytes: int, deadline_s: float, accept: str = "", stop: threading.Event | None = None
    ) -> Reply:
        """Ask for a document; follows no redirect."""


@dataclass(frozen=True, slots=True)
class Speaks:
    """One standard that was recognised: the address where it begins, and the document that describes it."""

    standard: str  # a code of `data_service.STANDARDS`
    version: str
    endpoint: str
    description: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One question that was put, and what came of it in a few words."""

    url: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of probing: every standard that was recognised, and every question."""

    speaks: tuple[Speaks, ...]
    tried: tuple[Tried, ...]

    def said(self, url: str, *, language: str) -> dict[str, Any]:
        """Begin a description of the service, for a person to complete."""
        first = next(iter(self.speaks), None)
        title = next((each.title for each in self.speaks if each.title), "") or urlsplit(url).hostname or url
        said: dict[str, Any] = {"title": {language: title}, "endpoint": first.endpoint if first else url}
        if first:
            said["standards"] = list(dict.fromkeys(each.standard for each in self.speaks))
            said["endpoint_description"] = first.description
        return said | {name: "" for name in ("summary", "contact") if TABLE.field(name)}


class Prober:
    """Asks one service; made anew for each."""

    def __init__(self, way: Way, *, stop: threading.Event) -> None:
        """Ask nothing yet."""
        self._way = way
        self._stop = stop
        self._tried: list[Tried] = []

    def probe(self, url: str) -> Probed:
        """Find out what is spoken at an address; at most seven questions. Raises ForbiddenAddress, Stopped."""
        found = list(self._first(url))
        for attempt in (_wfs, _ngsi_ld, _sensorthings):
            if not found:
                for address, read in attempt(url):
                    found += [each for each in [self._asked(address, read)] if each]
        return Probed(tuple(found), tuple(self._tried))

    def _first(self, url: str) -> Iterator[Speaks]:
        """Ask the address itself, and where it says what it conforms to."""
        body = self._ask(url)
        if body is None:
            return
        if (known := _recognised(url, body)) is not None:
            yield known
        told = _json(body)
        if isinstance(told, dict):
            yield from self._ogc(url, told)

    def _ogc(self, url: str, told: Mapping[str, Any]) -> Iterator[Speaks]:
        links = _links(told)
        classes = told.get("conformsTo")
        if not isinstance(classes, list) and (address := links.get("conformance")):
            body = self._ask(address)
            page = _json(body) if body else None
            classes = page.get("conformsTo") if isinstance(page, dict) else None
        for each in classes if isinstance(classes, list) else ():
            if isinstance(each, str) and each.startswith(_FEATURES):
                version = each[len(_FEATURES) :].partition("/")[0][:10]
                yield Speaks("ogc-api-features", version, url, links.get("service-desc", url), _title(told))
                return

    def _asked(self, url: str, read: Callable[[str, bytes], Speaks | None]) -> Speaks | None:
        body = self._ask(url)
        return read(url, body) if body is not None else None

    def _ask(self, url: str) -> bytes | None:
        """Put one question; None where there is no good answer, and why is noted."""
        try:
            reply = self._way.ask(url, max_bytes=MAX_BYTES, deadline_s=DEADLINE_S, accept=_ACCEPT, stop=self._stop)
        except Stopped:
            raise
        except NodeError as error:
            if isinstance(error, ForbiddenAddress) and not self._tried:
                raise  # it is the address that a person named
            self._tried.append(Tried(url, str(error)))
            return None
        where = reply.headers.get("location", "")
        leads = f", leads to {where[:300]}: probe that address" if where and 300 <= reply.status < 400 else ""
        self._tried.append(Tried(url, f"{reply.status}{leads}"))
        return reply.body if reply.status == 200 else None


def _recognised(url: str, body: bytes) -> Speaks | None:
    """Recognise a document that names its standard itself."""
    told = _json(body)
    if not isinstance(told, dict):
        return _types(url, body) or _capabilities(url, body)
    if isinstance(told.get("stac_version"), str) and told.get("type") == "Catalog" and "conformsTo" in told:
        description = _links(told).get("service-desc", url)
        return Speaks("stac-api", told["stac_version"][:10], url, description, _title(told))
    asset = told.get("asset")
    if isinstance(asset, dict) and "root" in told and "geometricError" in told:
        return Speaks("3d-tiles", str(asset.get("version", ""))[:10], url, url)
    return _sensing(url, told) or _types(url, body)


def _capabilities(url: str, body: bytes) -> Speaks | None:
    """Recognise the capabilities of a WFS by their root element; what stands in them is never parsed."""
    head = body[:65536]
    root = _ROOT.match(head, (_PROLOG.match(head) or re.match(b"", head)).end())  # type: ignore[union-attr]
    if root is None or root[1] != b"WFS_Capabilities":
        return None
    version, title = _VERSION.search(root[2]), _TITLE.search(head)
    name = " ".join(title[1].decode("utf-8", "replace").split())[:_MAX_TITLE] if title else ""
    plain = urlunsplit(urlsplit(url)._replace(query="", fragment=""))
    return Speaks("wfs", version[1].decode() if version else "", plain, _with_query(plain), name)


def _sensing(url: str, told: Mapping[str, Any]) -> Speaks | None:
    """Recognise the root of a SensorThings service: by its conformance (1.1), else by what it lists (1.0)."""
    settings, listed = told.get("serverSettings"), told.get("value")
    classes = settings.get("conformance") if isinstance(settings, dict) else None
    for each in classes if isinstance(classes, list) else ():
        if isinstance(each, str) and (found := _SENSING.match(each)):
            return _sensorthings_of(url, found[1])
    named = [each.get("name") for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    names = {name for name in named if isinstance(name, str)}
    if {"Things", "Datastreams", "Observations"} <= names:
        version = re.search(r"/v(1\.[01])/?\Z", urlsplit(url).path)
        return _sensorthings_of(url, version[1] if version else "1.0")
    return None


def _sensorthings_of(url: str, version: str) -> Speaks:
    return Speaks("sensorthings-1.0" if version == "1.0" else "sensorthings-1.1", version, url, url)


def _types(url: str, body: bytes) -> Speaks | None:
    """Recognise NGSI-LD by its list of entity types."""
    told = _json(body)
    listed = told.get("type") in _TYPE_LISTS or "typeList" in told if isinstance(told, dict) else False
    several = (
        isinstance(told, list) and bool(told) and all(isinstance(each, dict) and "typeName" in each for each in told)
    )
    if not listed and not several:
        return None
    return Speaks("ngsi-ld", "v1", url.removesuffix("/types"), url)


def _wfs(url: str) -> Sequence[tuple[str, Callable[[str, bytes], Speaks | None]]]:
    return [(_with_query(url), _capabilities)]


def _ngsi_ld(url: str) -> Sequence[tuple[str, Callable[[str, bytes], Speaks | None]]]:
    base = _bare(url)
    root = base if base.endswith("/ngsi-ld/v1") else f"{base}/ngsi-ld/v1"
    return [(f"{root}/types", _types)]


def _sensorthings(url: str) -> Sequence[tuple[str, Callable[[str, bytes], Speaks | None]]]:
    return [(f"{_bare(url)}/v1.1", _recognised), (f"{_bare(url)}/v1.0", _recognised)]


def _bare(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query="", fragment="")).rstrip("/")


def _with_query(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query="service=WFS&request=GetCapabilities", fragment=""))


def _json(body: bytes) -> Any:  # noqa: ANN401 (whatever a stranger sent)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _links(told: Mapping[str, Any]) -> dict[str, str]:
    """Give the addresses that a landing page links to, by relation; relative ones are left out."""
    listed = told.get("links")
    found: dict[str, str] = {}
    for each in listed[:200] if isinstance(listed, list) else ():
        rel, href = (each.get("rel"), each.get("href")) if isinstance(each, dict) else (None, None)
        if isinstance(rel, str) and isinstance(href, str) and is_link(href):
            # OGC names some relations by IRIs that end in the plain name.
            found.setdefault(rel.rpartition("/")[2], href)
    return found


def _title(told: Mapping[str, Any]) -> str:
    title = told.get("title")
    return " ".join(title.split())[:_MAX_TITLE] if isinstance(title, str) else ""
