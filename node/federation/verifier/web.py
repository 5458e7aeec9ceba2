"""How the verifier reaches a node: addresses taken apart, answers bounded, a "no" told from no answer.

Nothing here is believed; it only brings bytes. A document of a node is asked for at that node alone: links that lead to
another origin are not followed.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from node.errors import Malformed, NotFound, PeerUnreachable, Refused
from node.federation.verifier.proof import Document, object_of
from node.journal.note import MAX_NOTE_BYTES
from node.outbound import Outbound, origin_of
from node.records import PLURALS

MAX_DOCUMENT_BYTES = 16 << 20
MAX_LIST_BYTES = 16 << 20
MAX_PAGE_BYTES = 64 << 20
_DEADLINE_S = 30.0
_SHORT_S = 5.0
_NAME = "[a-z0-9][a-z0-9-]{0,62}"
_COLLECTION = re.compile(rf"(?P<base>.*)/collections/(?P<name>{_NAME}(?:/{_NAME})?)\Z")
_PARTS = ("checkpoint", "snapshot", "entries", "origin", "epochs")
_RECORD = re.compile(rf"(?P<base>.*)/(?P<plural>{'|'.join(PLURALS)})/(?P<slug>[^/]+)\Z")
_BY_IRI = re.compile(r"(?P<base>.*)/records(?:\.(?P<form>[a-z]+))?\Z")
FORMS = {
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "nt": "application/n-triples",
}
_EXPORT = re.compile(r"/export\.json(?=\?|\Z)")
_LINK = re.compile(r'<([^<>"]*)>((?:\s*;\s*[a-zA-Z]+="[^"]*")*)')

Kind = Literal["node", "collection", "snapshot", "record", "iri"]


@dataclass(frozen=True, slots=True)
class Place:
    """An address of a node, taken apart. `name` is a collection's local name, a record's path, or its IRI."""

    kind: Kind
    base: str
    name: str = ""
    form: str = ""


def place_of(url: str) -> Place:
    """Take an address apart; what is nothing else is a node's base URL."""
    parts = urlsplit(url)
    path = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    iris = parse_qs(parts.query).get("iri", [])
    path = path.removesuffix(".json").removesuffix("/proof")
    by_iri = _BY_IRI.match(path)
    if by_iri and len(iris) == 1:
        form = by_iri["form"] or ""
        return Place("iri", by_iri["base"], iris[0], form if form in FORMS else "")
    head, _, last = path.rpartition("/")
    if last in _PARTS and _COLLECTION.match(head):
        path = head
    if found := _COLLECTION.match(path):
        return Place("snapshot" if last == "snapshot" else "collection", found["base"], found["name"])
    if found := _RECORD.match(path):
        slug, dot, form = found["slug"].rpartition(".")
        known = bool(dot) and form in (*FORMS, "html")
        name = f"{found['plural']}/{slug if known else found['slug']}"
        return Place("record", found["base"], name, form if known and form in FORMS else "")
    return Place("node", path)


class Web:
    """Asks nodes on behalf of one verification."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound

    def checkpoints(self, base: str) -> list[Document]:
        """Give what a node says of its collections; Malformed unless it is a list of checkpoints."""
        told = object_of(self._get(f"{base}/checkpoints", "application/json", MAX_LIST_BYTES)[0], MAX_LIST_BYTES)
        found = told.get("checkpoints")
        if not isinstance(found, list) or not all(_is_head(each) for each in found):
            raise Malformed(f"{base}/checkpoints is no list of checkpoints.")
        return found

    def note(self, base: str, name: str) -> str:
        """Give the newest note of a collection."""
        return self._get(f"{base}/collections/{name}/checkpoint", "text/plain", MAX_NOTE_BYTES)[0].decode(
            errors="replace"
        )

    def envelope(self, base: str, name: str, *, after: int, size: int) -> bytes:
        """Give the first line of a page, which has the consistency proof from `after` to `size`."""
        url = f"{base}/collections/{name}/entries?after={after}&size={size}&limit=1"
        return self._get(url, "*/*", MAX_PAGE_BYTES)[0].partition(b"\n")[0]

    def tile(self, base: str, name: str, path: str) -> bytes:
        """Give the hashes of one tile."""
        return self._get(f"{base}/collections/{name}/tile/{path}", "*/*", 256 * 32)[0]

    def statement(self, base: str) -> str:
        """Give what a city says of itself; soon or not at all, for a mirror's copy may do."""
        return self._get(f"{base}/.well-known/openid-federation", "*/*", 1 << 20, _SHORT_S)[0].decode(errors="replace")

    def origin(self, base: str, name: str) -> str:
        """Give the statement of a collection's city as this node verified it last."""
        return self._get(f"{base}/collections/{name}/origin", "*/*", 1 << 20)[0].decode(errors="replace")

    def text(self, url: str) -> str:
        """Give any small text, such as an older note."""
        return self._get(url, "*/*", 1 << 20)[0].decode(errors="replace")

    def agreement(self, url: str) -> bytes:
        """Give the file that proves a public agreement, by the address of its page or of the file itself.

        Raises:
            Malformed: The address is that of no agreement.
            NotFound: There is none there that its cities publish.
        """
        place = place_of(_EXPORT.sub("", url))
        if place.kind == "iri":
            address = f"{place.base}/records/export.json?iri={quote(place.name, safe='')}"
        elif place.kind == "record" and place.name.startswith("agreements/"):
            address = f"{place.base}/{place.name}/export.json"
        else:
            raise Malformed(f"{url[:200]} is the address of no agreement.", fix="Give that of its page at a city.")
        return self._get(address, "application/json", MAX_LIST_BYTES)[0]

    def record(self, place: Place) -> tuple[bytes, str, bytes]:
        """Give a record's document, its form, and its proof."""
        form = place.form or "ttl"
        if place.kind == "iri":
            iri = quote(place.name, safe="")
            url, beside = f"{place.base}/records.{form}?iri={iri}", f"{place.base}/records/proof?iri={iri}"
        else:
            url, beside = f"{place.base}/{place.name}.{form}", f"{place.base}/{place.name}/proof"
        body, link = self._get(url, FORMS[form], MAX_DOCUMENT_BYTES)
        proof = _proof_link(link, url) or beside
        return body, form, self._get(proof, "application/json", MAX_LIST_BYTES)[0]

    def _get(self, url: str, accept: str, max_bytes: int, deadline_s: float = _DEADLINE_S) -> tuple[bytes, str]:
        """Give the body and the Link header of a good answer; NotFound, Refused or PeerUnreachable for others."""
        reply = self.outbound.ask(url, accept=accept, max_bytes=max_bytes, deadline_s=deadline_s)
        if reply.status == 200:
            return reply.body, reply.headers.get("link", "")
        if reply.status in (404, 410):
            raise NotFound(f"There is nothing at {url}: it answered {reply.status}.", fix="Check the address.")
        if reply.status == 429 or reply.status >= 500:
            raise PeerUnreachable(f"{url} answered {reply.status}.", fix="Try again later.")
        raise Refused(f"{url} answered {reply.status}.", fix="Check the address.")


def _is_head(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), str) for name in ("collection", "name", "checkpoint")
    )


def _proof_link(header: str, url: str) -> str:
    for found in _LINK.finditer(header[:16_384]):
        if 'title="proof"' in found[2]:
            target = urljoin(url, found[1])
            return target if origin_of(target) == origin_of(url) else ""
    return ""
