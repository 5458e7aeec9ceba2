"""The other city's data door, as we ask it: what may be had of a transfer, and the bytes of a part from any byte on.

A city's door is asked with a token bound to this process' own key, which is renewed at the city's token endpoint as
often as a long download needs; another connector's with the bearer token that its start message named. Everything it
says is a stranger's: bounded, checked for its shape, and never taken for an address. Writes nothing.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from node.errors import (
    ConsentUnknown,
    ForbiddenAddress,
    Malformed,
    NodeError,
    PeerUnreachable,
    Refused,
    SourceUnreachable,
)
from node.federation.moving import MAX_PARTS, TRANSFER_ACCESS, check_apart, checked_part
from node.federation.peer_noes import printable, refusal_of, words_of
from node.federation.signing.integrity import strict_json
from node.federation.signing.messages import request_of, response_of
from node.federation.signing.signatures import Message
from node.federation.transfer import Transfer
from node.outbound import Outbound, Reply, Span, Stream

MAX_MANIFEST_BYTES = 2 * 1024 * 1024
_STALL_S = 60.0
_OPEN_S = 60.0
_MANIFEST_S = 120.0
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_ETAG = re.compile(r'"[\x21\x23-\x7e]{0,198}"\Z')
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
_UNNAMED = "data"
_EDC = "https://w3id.org/edc/v0.0.1/ns/"


class Tokens(Protocol):
    """What shows the other city who we are."""

    def headers(
        self, peer_url: str, method: str, url: str, *, details: Sequence[Mapping[str, Any]] = ()
    ) -> Mapping[str, str]:
        """Give the headers of one request; asks the peer for a token where none is held."""

    def again(self, peer_url: str, answer: Mapping[str, str]) -> bool:
        """Learn from a refusal; tells whether asking once more can help."""


class Signing(Protocol):
    """Checks signed answers."""

    def check_response(self, peer_url: str, message: Message, body: bytes) -> None:
        """Check the signature of a city that signs. Raises BadSignature."""


@dataclass(frozen=True, slots=True)
class Item:
    """A part as the other city announces it. `size` is -1 where it is not known, `digest` empty likewise."""

    name: str
    media_type: str
    size: int
    digest: str
    etag: str
    filtered: bool
    url: str


@dataclass(frozen=True, slots=True)
class Way:
    """How the data of one transfer are asked for: of a city's own door, or at another connector's address."""

    peer_url: str
    pid: str  # theirs
    endpoint: str
    bearer: str = ""

    @property
    def is_citys(self) -> bool:
        """Tell whether it is a city's door, which has a manifest."""
        base = f"{self.peer_url}/data/{self.pid}"
        return not self.bearer and (self.endpoint == base or self.endpoint.startswith(f"{base}/"))

    @property
    def details(self) -> Sequence[Mapping[str, Any]]:
        """Say what a token for it must name."""
        return ({"type": TRANSFER_ACCESS, "transfer": self.pid},)


def way_of(transfer: Transfer) -> Way:
    """Read where the data of a started transfer are. Raises Malformed."""
    said = transfer.address
    endpoint = said.get("endpoint")
    if not isinstance(endpoint, str) or not 0 < len(endpoint) <= 2_000 or not endpoint.isprintable():
        raise Malformed("The other city's start names no address of the data.", fix="Tell its operator.")
    listed = said.get("endpointProperties")
    found = {each.get("name"): each.get("value") for each in _objects(listed)}
    kind = str(found.get("authType") or found.get(f"{_EDC}authType") or "").lower()
    token = found.get("authorization") or found.get(f"{_EDC}authorization")
    way = Way(transfer.peer, transfer.other_pid, endpoint.rstrip("/"))
    if kind == "bearer" and isinstance(token, str) and 0 < len(token) <= 16_384 and token.isascii():
        return Way(way.peer_url, way.pid, endpoint, token.removeprefix("Bearer ").strip())
    if not way.is_citys:
        raise Malformed("The other city's start names an address that is not its data door, and no bearer token.")
    return way


class DataDoor:
    """Asks other cities' data doors. Safe to share by threads."""

    def __init__(
        self, outbound: Outbound, tokens: Tokens, signing: Signing, *, max_bytes: int, allow_http: bool = False
    ) -> None:
        """Ask through this way out, for parts of at most so many bytes; what a city announces must be signed by it.

        With `allow_http` data and bearer tokens may go where they can be read on their way, in closed test networks.
        """
        self._outbound, self._tokens, self._max_bytes = outbound, tokens, max_bytes
        self._signing, self._allow_http = signing, allow_http

    def manifest(self, way: Way, *, stop: threading.Event) -> list[Item]:
        """Ask what can be had of a transfer now. Raises what `open` raises; Malformed."""
        if not way.is_citys:
            return [self._foreign(way, stop)]
        address = f"{way.peer_url}/data/{way.pid}/"

        def ask() -> tuple[Mapping[str, str], Reply]:
            headers = self._tokens.headers(way.peer_url, "GET", address, details=way.details)
            most, patience = MAX_MANIFEST_BYTES, _MANIFEST_S
            return headers, self._outbound.ask(
                address, headers=headers, max_bytes=most, deadline_s=patience, accept="application/json", stop=stop
            )

        sent, reply = ask()
        if reply.status == 401 and self._tokens.again(way.peer_url, reply.headers):
            sent, reply = ask()
        if reply.status != 200:
            raise _refused(way, reply)
        # The parts that follow are proven by the sizes and digests in here, and by the receipt.
        answered = response_of(request_of("GET", address, sent), reply.status, reply.headers)
        self._signing.check_response(way.peer_url, answered, reply.body)
        return read_manifest(reply.body, way, self._max_bytes)

    def open(self, way: Way, item: Item, span: Span, *, stop: threading.Event) -> Stream:
        """Open a part from a byte on; the caller closes it. An answer of 416 is given back, too.

        Raises:
            Refused: The other city does not hand it out now; its words are in the message.
            Unavailable: It cannot be reached, or wants to be asked later. Safe to retry.
            ConsentUnknown: It does not know whose rows may leave.
            ForbiddenAddress: The token would go over the network in the clear.
        """
        stream = self._stream(way, item.url, span, stop)
        if stream.status == 401 and not way.bearer and self._tokens.again(way.peer_url, stream.headers):
            stream.close()
            stream = self._stream(way, item.url, span, stop)
        if stream.is_good or stream.status == 416:
            return stream
        with stream:
            reply = Reply(stream.status, stream.headers, stream.refusal())
        raise _refused(way, reply)

    def _stream(self, way: Way, url: str, span: Span, stop: threading.Event) -> Stream:
        if way.bearer:
            if urlsplit(url).scheme != "https" and not self._allow_http:
                raise ForbiddenAddress("Data are fetched from https addresses alone.", fix="Tell its operator.")
            headers: Mapping[str, str] = {"Authorization": f"Bearer {way.bearer}"}
        else:
            headers = self._tokens.headers(way.peer_url, "GET", url, details=way.details)
        try:
            return self._outbound.stream(
                url, headers=headers, span=span, max_bytes=self._max_bytes, open_s=_OPEN_S, stall_s=_STALL_S, stop=stop
            )
        except PeerUnreachable:
            raise
        except SourceUnreachable as error:
            raise PeerUnreachable(error.message, fix=error.fix) from error

    def _foreign(self, way: Way, stop: threading.Event) -> Item:
        """Say what another connector hands out: one part, of which no more is known than its answer says."""
        name = re.sub(r"[^A-Za-z0-9._-]", "", urlsplit(way.endpoint).path.rstrip("/").rpartition("/")[2])[:100]
        item = Item(name if re.match(r"[A-Za-z0-9]", name) else _UNNAMED, "", -1, "", "", False, way.endpoint)  # noqa: FBT003
        with self.open(way, item, Span(), stop=stop) as stream:
            size = -1 if stream.length is None else stream.length
            etag = stream.etag if _ETAG.match(stream.etag) else ""
            return Item(item.name, _media_type(stream.media_type), size, "", etag, False, way.endpoint)  # noqa: FBT003


def _refused(way: Way, reply: Reply) -> NodeError:
    """Turn a refusal into ours; that nobody knows there whose rows may leave is no trouble of the way to it."""
    words = words_of(reply)
    error = refusal_of(way.peer_url, reply, words)
    code, _, detail = words.partition("): ")
    if isinstance(error, PeerUnreachable) and code == f" ({ConsentUnknown.code}":
        return ConsentUnknown(
            f"The consent source of {way.peer_url} does not answer as it should: {detail}",
            retry_after_s=error.retry_after_s,
            fix="Nothing comes before it does; its city must mend it.",
        )
    return error


def read_manifest(body: bytes, way: Way, max_bytes: int) -> list[Item]:
    """Read a manifest strictly. Raises Malformed, TooLarge."""
    said = strict_json(body, max_bytes=MAX_MANIFEST_BYTES)
    if said.get("transfer") != way.pid:
        raise Malformed("The other city's manifest is of another transfer.", fix="Tell its operator.")
    listed = said.get("parts")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_PARTS:
        raise Malformed(f"The other city's manifest names no parts, or more than {MAX_PARTS}.")
    found = [_item(each, way, max_bytes) for each in listed]
    check_apart([each.name for each in found])
    return found


def _item(said: object, way: Way, max_bytes: int) -> Item:
    if not isinstance(said, dict):
        raise Malformed("A part of the other city's manifest is no object.")
    name = checked_part(str(said.get("part", "")))
    size, digest, etag = said.get("size"), str(said.get("digest") or ""), str(said.get("etag") or "")
    size = -1 if size is None else size
    if isinstance(size, bool) or not isinstance(size, int) or size < -1 or (digest and not _DIGEST.match(digest)):
        raise Malformed(f"Size or digest of the part {name} cannot be read.")
    if etag and not _ETAG.match(etag):
        raise Malformed(f"The ETag of the part {name} is none.")
    if size > max_bytes:
        raise Refused(
            f"The part {name} has {size} bytes; this city takes {max_bytes}.", fix="Raise CITYNODE_DATA_MAX_GIB."
        )
    url = f"{way.peer_url}/data/{way.pid}/{quote(name)}"
    kind, filtered = _media_type(str(said.get("type") or "")), said.get("filtered") is True
    return Item(name, kind, size, digest, etag, filtered, url)


def _media_type(text: str) -> str:
    found = _TYPE.match(printable(text, 210))
    return found[0].lower() if found else "application/octet-stream"


def _objects(value: object) -> Sequence[Mapping[str, Any]]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, Mapping)]
