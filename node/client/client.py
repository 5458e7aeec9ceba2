"""The client itself: each method one thing that a node's HTTP API can do, said in Python.

Iterators ask for the next page only when it is wanted, so that taking ten of a million records costs one request.
Nothing is kept between calls but connections.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Literal, Self, TypedDict, Unpack
from urllib.parse import urlencode

import httpx

from node.client.asking import Asker, Params, Patience, Reply, json_object
from node.client.noes import BadAnswer
from node.client.values import (
    Change,
    Collection,
    Hit,
    Page,
    Peer,
    Raw,
    Record,
    Solutions,
    objects,
    text,
    time_,
)

Sort = Literal["relevance", "changed", "title", "quality"]
Form = Literal["ttl", "jsonld", "rdf", "nt"]
Words = str | Sequence[str]
MOST_PER_PAGE = 100
_SPARQL_JSON = "application/sparql-results+json"
_FORMS = {
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "nt": "application/n-triples",
}


class Filters(TypedDict, total=False):
    """What narrows a search. Several values of one facet mean any of them; a value with a leading `-` is excluded.

    `bbox` is west, south, east, north in degrees; `since` and `until` are ISO dates or years that the data is about.
    """

    city: Words
    kind: Words
    theme: Words
    format: Words
    licence: Words
    use: Words
    access: Words
    language: Words
    publisher: Words
    freshness: Words
    quality: Words
    keyword: Words
    collection: Words
    bbox: tuple[float, float, float, float]
    place: str
    since: str
    until: str


_RENAMED = {"since": "from", "until": "to"}


class Client:
    """One city's node. Use it in `with`, or close it."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str | Callable[[], str] = "",
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open nothing yet.

        Args:
            base_url: The node's public address, such as `https://data.example.org`.
            token: One that the city issued, or what gives one before each request; it goes to this node only.
            patience: How often and how long to try.
            transport: Instead of the network.
            sleep: Waits so many seconds between tries.
        """
        self._asker = Asker(base_url, token=token, patience=patience, transport=transport, sleep=sleep)

    @property
    def base_url(self) -> str:
        """Give the node's address."""
        return self._asker.base_url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self._asker.close()

    # ------------------------------------------------------------ search

    def search(
        self,
        words: str = "",
        *,
        sort: Sort = "relevance",
        most: int | None = None,
        page_size: int = 50,
        lang: str = "",
        **filters: Unpack[Filters],
    ) -> Iterator[Hit]:
        """Find records, best first, over as many pages as are read; at most `most` of them.

        `words` may hold "phrases", prefixes* and -unwanted words. Sorted by relevance, a node goes 10,000 deep; the
        other orders have no end.

        Raises:
            Refused: A filter has a value that cannot be read; raised by the first step of the iteration.
        """
        size = page_size if most is None else min(page_size, most)
        page = self.search_page(words, sort=sort, page_size=max(1, size), lang=lang, facets=("none",), **filters)
        given = 0
        while True:
            for hit in page.hits:
                if most is not None and given >= most:
                    return
                yield hit
                given += 1
            if not page.next or not page.hits or (most is not None and given >= most):
                return
            page = Page.of(self._asker.get(page.next).json())

    def search_page(
        self,
        words: str = "",
        *,
        sort: Sort = "relevance",
        page_size: int = 20,
        lang: str = "",
        facets: Sequence[str] = (),
        **filters: Unpack[Filters],
    ) -> Page:
        """Give one page with counts by facet, and how cities that were asked live answered. Raises Refused.

        `facets` names those to count: all if it is empty, none if it is `["none"]`.
        """
        asked = [("q", words), ("sort", sort), ("lang", lang)]
        asked += [("limit", str(min(page_size, MOST_PER_PAGE))), *(("facet", name) for name in facets)]
        asked = [*(pair for pair in asked if pair[1]), *_filtered(filters)]
        return Page.of(self._asker.get("/search.json", asked).json())

    # ------------------------------------------------------------ records

    def record(self, iri: str, *, form: Form = "jsonld") -> Record:
        """Read one record, own or mirrored, by its IRI. Raises NotThere, Refused."""
        reply = self._asker.get(f"/records.{form}", [("iri", iri)], accept=_FORMS[form])
        links = httpx.Response(200, headers={"link": reply.headers.get("link", "")}).links
        canonical = links.get("canonical", {}).get("url", "")
        return Record(iri, reply.media_type, reply.body, canonical, reply.headers.get("etag", ""))

    def collections(self) -> list[Collection]:
        """List the collections that this caller can search, own ones and mirrors."""
        found = objects(self._asker.get("/ogc/collections").json(), "collections")
        # A name has no dot; the catalogue of everything is no collection.
        return [
            Collection(
                text(raw, "id").replace(".", "/"), text(raw, "title"), text(raw, "description"), time_(raw, "updated")
            )
            for raw in found
            if not text(raw, "id").startswith("_")
        ]

    def changes(self, collection: str, *, after: int = 0, page_size: int = 500) -> Iterator[Change]:
        """Read a collection's journal from after an entry up to what is signed now, in order.

        Whoever keeps the last `seq` and goes on after it the next time misses nothing and reads nothing twice.

        Raises:
            NotThere: There is no such collection for this caller; raised by the first step of the iteration.
        """
        end, size = after, after + 1
        while end < size:
            page = [("after", str(end)), ("limit", str(page_size))]
            reply = self._asker.get(f"/collections/{collection}/entries", page, accept="*/*")
            head, *lines = _json_lines(reply.body)
            told_end, told_size = head.get("end"), head.get("size")
            if not isinstance(told_end, int) or not isinstance(told_size, int):
                raise BadAnswer("The feed does not say where it ends.")
            yield from map(Change.of, lines)
            if told_end <= end:
                return
            end, size = told_end, told_size

    # ------------------------------------------------------------ SPARQL

    def select(self, query: str, *, restricted: bool = False) -> Solutions:
        """Ask a SELECT of everything public, or of the restricted collections that the token opens. Raises Refused."""
        return Solutions.of(self._sparql(query, _SPARQL_JSON, restricted=restricted).json())

    def ask(self, query: str, *, restricted: bool = False) -> bool:
        """Ask an ASK. Raises as `select` does."""
        found = self._sparql(query, _SPARQL_JSON, restricted=restricted).json().get("boolean")
        if not isinstance(found, bool):
            raise BadAnswer("This is no answer to an ASK.", fix="Use select() or construct() for other questions.")
        return found

    def construct(self, query: str, *, form: Form = "ttl", restricted: bool = False) -> bytes:
        """Ask a CONSTRUCT or DESCRIBE, and give the triples in a form. Raises as `select` does."""
        return self._sparql(query, _FORMS[form], restricted=restricted).body

    def _sparql(self, query: str, accept: str, *, restricted: bool) -> Reply:
        path = "/sparql/restricted" if restricted else "/sparql"
        body = urlencode({"query": query}).encode()
        return self._asker.post(path, body, "application/x-www-form-urlencoded", accept=accept)

    # ------------------------------------------------------------ cities

    def peers(self) -> list[Peer]:
        """List the cities this node exchanges with."""
        return [Peer.of(raw) for raw in objects(self._asker.get("/federation.json").json(), "cities")]

    def agreements(self) -> Raw:
        """List drafts, negotiations and agreements with other cities; for a staff token. Raises NotAllowed."""
        return self._asker.get("/api/agreements").json()


def _filtered(filters: Filters) -> Params:
    """Write filters as parameters. Raises TypeError for a name that no filter has."""
    unknown = sorted(set(filters) - set(Filters.__annotations__))
    if unknown:
        raise TypeError(f"there is no filter {unknown[0]!r}; there are: {', '.join(Filters.__annotations__)}")
    asked: list[tuple[str, str]] = []
    for name, value in filters.items():
        if isinstance(value, str):
            asked.append((_RENAMED.get(name, name), value))
        elif name == "bbox" and isinstance(value, tuple | list):
            asked.append((name, ",".join(f"{float(edge):.10g}" for edge in value)))
        elif isinstance(value, Sequence):
            asked += [(name, str(each)) for each in value]
    return asked


def _json_lines(body: bytes) -> list[Raw]:
    """Read a page of entries: one JSON object a line. Raises BadAnswer."""
    found = [json_object(line) for line in body.splitlines() if line.strip()]
    lines: list[Raw] = [line for line in found if line is not None]
    if not lines or len(lines) != len(found):
        raise BadAnswer("This is no page of entries.", fix="Is this the address of a city node?")
    return lines
