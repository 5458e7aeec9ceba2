"""The client door: everything this node says to a peer, one method each, and nothing it could write with.

Asks only below the peer's own base URL, whatever the peer's documents name. Every answer is bounded in bytes and time,
its type is checked, and a refusal of the peer becomes an error of ours with the peer's code and words. What comes back
from here is still a stranger's: `intake` and `identity` check it. Knows no store and no private key; tokens come from a
`TokenSource`.
"""

import http
import ipaddress
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import orjson

from node.errors import Malformed
from node.federation.peer_noes import printable, refusal_of, words_of
from node.outbound import Outbound, Reply

STATEMENT_TYPE = "application/entity-statement+jwt"
PAGE_TYPE = "application/vnd.citynode.entries+jsonl"
MAX_STATEMENT_BYTES = 64 * 1024
MAX_HEADS_BYTES = 2 * 1024 * 1024
MAX_NOTE_BYTES = 64 * 1024
MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_SNAPSHOT_BYTES = 16 * 1024**3
MAX_TILE_BYTES = 256 * 32
MAX_FOUND_BYTES = 1024 * 1024
MAX_HEADS = 5_000
MAX_SEQS = 200
_SMALL_BYTES = 64 * 1024
_DEADLINE_S = 15.0
_PAGE_DEADLINE_S = 60.0
_SNAPSHOT_DEADLINE_S = 3_600.0

_OK, _ACCEPTED, _NO_CONTENT, _NOT_MODIFIED = 200, 202, 204, 304
_COLLECTION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(?:/[a-z0-9][a-z0-9-]{0,62})?\Z")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*\Z")


class TokenSource(Protocol):
    """Who gets tokens of peers for us."""

    def headers(
        self, peer_url: str, method: str, url: str, *, details: Sequence[Mapping[str, Any]] = ()
    ) -> Mapping[str, str]:
        """Give the headers that authenticate one request; asks the peer for a token if none is held.

        `details` are what the token must say of agreements, where the address does not tell that by itself.

        Raises:
            PeerUnreachable: The peer gave no answer.
            Unauthenticated: It gives us no token.
        """

    def again(self, peer_url: str, answer: Mapping[str, str]) -> bool:
        """Learn from the headers of a 401; tells whether asking once more, with new headers, can help."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed state of one collection as a peer shows it; nothing of it is checked but its form."""

    collection: str
    name: str
    size: int
    checkpoint: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heads:
    """All heads a peer shows, and the mark that makes the next question conditional."""

    heads: tuple[Head, ...]
    etag: str


def normal_url(text: str, *, allow_http: bool) -> str:
    """Give a base URL in the one spelling by which peers are told apart.

    Lower case, no default port, no slash at the end; https, or http for this machine and where `allow_http`.

    Raises:
        Malformed: It is no base URL, or http for another machine.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise _no_base(text) from error
    named = _HOST.match(host) or _is_literal(host)
    if parts.scheme not in ("http", "https") or not named or "@" in parts.netloc or parts.query or parts.fragment:
        raise _no_base(text)
    path = parts.path.rstrip("/")
    if not _PATH.match(path) or any(step in (".", "..") for step in path.split("/")) or len(text) > 500:
        raise _no_base(text)
    if parts.scheme == "http" and not allow_http and not _is_loopback(host):
        raise Malformed(
            f"{text[:200]} is not https.", fix="A peer is reached over https; CITYNODE_ALLOW_HTTP_PEERS is for tests."
        ).on_page("no.peer.https", field="invite")
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}{f':{port}' if port not in (None, default) else ''}{path}"


def _no_base(text: str) -> Malformed:
    return Malformed(
        f"{text[:200]!r} is no base URL.",
        fix="Write https://host/path, without query or user.",
    ).on_page("no.peer.address", field="invite")


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return (
        host == "localhost"
        or host.endswith(".localhost")
        or (_is_literal(host) and ipaddress.ip_address(host).is_loopback)
    )


class Sign(Protocol):
    """Signs a request of ours."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, /) -> Mapping[str, str]:
        """Give the headers that do so."""


class PeerClient:
    """Speaks to peers. Safe to share by threads."""

    def __init__(self, outbound: Outbound, tokens: TokenSource, *, sign: Sign | None = None) -> None:
        """Speak through this door, with the tokens of this source; `sign` gives the headers that sign a message."""
        self._outbound = outbound
        self._tokens = tokens
        self._sign = sign

    def check(self, url: str) -> None:
        """Refuse by its spelling an address that this node never fetches. Raises ForbiddenAddress."""
        self._outbound.check(url)

    def authenticate(self, url: str) -> None:
        """Get a token of a peer, if none is held. Raises what the source of tokens raises."""
        self._tokens.headers(url, "GET", f"{url}/federation/notify")

    # ---------------------------------------------------------------- what everyone may read

    def statement(self, url: str, *, stop: threading.Event | None = None) -> str:
        """Give a peer's entity statement, unread."""
        wanted = _Wanted("/.well-known/openid-federation", STATEMENT_TYPE, MAX_STATEMENT_BYTES)
        return _text(self._get(url, wanted, stop=stop)).strip()

    def heads(self, url: str, etag: str = "", *, stop: threading.Event | None = None) -> Heads | None:
        """Give the newest checkpoints of a peer's public collections, own and mirrored; None if nothing changed."""
        wanted = _Wanted("/checkpoints", "application/json", MAX_HEADS_BYTES, etag=etag)
        reply = self._get(url, wanted, stop=stop)
        if reply.status == _NOT_MODIFIED:
            return None
        return Heads(_heads(url, reply), reply.etag[:200])

    def held(self, url: str, *, stop: threading.Event | None = None) -> tuple[Head, ...]:
        """Give the newest checkpoints of whatever a peer mirrors of this city, restricted collections too."""
        wanted = _Wanted("/federation/held", "application/json", MAX_HEADS_BYTES, token=True)
        return _heads(url, self._get(url, wanted, stop=stop))

    def note(
        self,
        url: str,
        name: str,
        size: int | None = None,
        *,
        token: bool = False,
        stop: threading.Event | None = None,
    ) -> str:
        """Give the newest signed note of a collection, or that of an older signed size."""
        path = f"/collections/{_name(name)}/checkpoint{f'?size={size:d}' if size is not None else ''}"
        return _text(self._get(url, _Wanted(path, "text/plain", MAX_NOTE_BYTES, token=token), stop=stop))

    def tile(
        self,
        url: str,
        name: str,
        level: int,
        index: int,
        *,
        width: int = 256,
        token: bool = False,
        stop: threading.Event | None = None,
    ) -> bytes:
        """Give the hashes of one C2SP tile, exactly `width` of them."""
        path = f"/collections/{_name(name)}/tile/{level:d}/{_tile_path(index)}{f'.p/{width:d}' if width < 256 else ''}"
        body = self._get(url, _Wanted(path, "application/octet-stream", MAX_TILE_BYTES, token=token), stop=stop).body
        if len(body) != width * 32:
            raise Malformed(f"The tile {path} of {url} has {len(body)} bytes, not {width * 32}.")
        return body

    def epochs(
        self, url: str, name: str, *, token: bool = False, stop: threading.Event | None = None
    ) -> tuple[str, ...]:
        """Give the epoch statements of a collection, unread; none if it never began anew."""
        wanted = _Wanted(f"/collections/{_name(name)}/epochs", "application/json", MAX_HEADS_BYTES, token=token)
        found = _object(self._get(url, wanted, stop=stop)).get("epochs")
        if not isinstance(found, list) or len(found) > MAX_HEADS or not all(isinstance(one, str) for one in found):
            raise Malformed(f"The epochs of {url} are no list of statements.")
        return tuple(found)

    def witnessed(self, url: str, origin_hash: str, *, stop: threading.Event | None = None) -> str:
        """Give the newest checkpoint that a peer cosigned of the origin with this SHA-256, in hex."""
        path = f"/witness/{origin_hash}/checkpoint"
        return _text(self._get(url, _Wanted(path, "text/plain", MAX_NOTE_BYTES), stop=stop))

    # ---------------------------------------------------------------- entries

    def page(
        self,
        url: str,
        name: str,
        *,
        after: int,
        size: int | None = None,
        limit: int | None = None,
        token: bool = False,
        stop: threading.Event | None = None,
    ) -> bytes:
        """Give a page of entries after seq `after`, as of the signed size; at most 16 MiB."""
        asked = {"after": after, "size": size, "limit": limit}
        return self._entries(url, name, asked, token=token, stop=stop)

    def stubs(
        self,
        url: str,
        name: str,
        seqs: Sequence[int],
        size: int,
        *,
        token: bool = False,
        stop: threading.Event | None = None,
    ) -> bytes:
        """Ask again for entries that are held as stubs, at most 200."""
        if not 0 < len(seqs) <= MAX_SEQS:
            raise ValueError(f"between 1 and {MAX_SEQS} entries are asked for at once, not {len(seqs)}")
        asked = {"seqs": ",".join(f"{seq:d}" for seq in seqs), "size": size}
        return self._entries(url, name, asked, token=token, stop=stop)

    def snapshot(
        self,
        url: str,
        name: str,
        size: int,
        to: Path,
        *,
        token: bool = False,
        max_bytes: int = MAX_SNAPSHOT_BYTES,
        stop: threading.Event | None = None,
    ) -> int:
        """Get all pages up to a signed size into the file `to`, which appears whole or not at all; give its size."""
        address = f"{url}/collections/{_name(name)}/snapshot?size={size:d}"

        def ask(headers: Mapping[str, str]) -> Reply:
            return self._outbound.save(
                address,
                to,
                headers=headers,
                max_bytes=max_bytes,
                deadline_s=_SNAPSHOT_DEADLINE_S,
                accept=PAGE_TYPE,
                stop=stop,
            )

        reply = self._with_token(url, "GET", address, ask) if token else ask({})
        _expect(url, reply, (_OK,), PAGE_TYPE)
        return reply.saved

    def _entries(
        self, url: str, name: str, asked: Mapping[str, object], *, token: bool, stop: threading.Event | None
    ) -> bytes:
        query = urlencode({key: value for key, value in asked.items() if value is not None}, safe=",")
        path = f"/collections/{_name(name)}/entries?{query}"
        wanted = _Wanted(path, PAGE_TYPE, MAX_PAGE_BYTES, token=token, deadline_s=_PAGE_DEADLINE_S)
        return self._get(url, wanted, stop=stop).body

    # ---------------------------------------------------------------- search

    def search(
        self,
        url: str,
        asked: Sequence[tuple[str, str]],
        *,
        details: Sequence[Mapping[str, Any]] = (),
        deadline_s: float,
        stop: threading.Event | None = None,
    ) -> Mapping[str, Any]:
        """Ask a peer's search as we are known there; give its answer as JSON values, unread.

        Args:
            url: The peer's base URL.
            asked: The parameters of its `/search`.
            details: What our token must say of agreements.
            deadline_s: For everything together.
            stop: Set when another answer came first.
        """
        path = f"/search?{urlencode(asked)}"
        wanted = _Wanted(path, "application/json", MAX_FOUND_BYTES, token=True, deadline_s=deadline_s, details=details)
        return _object(self._get(url, wanted, stop=stop))

    # ---------------------------------------------------------------- what only peers say to each other

    def notify(self, url: str, heads: Sequence[Mapping[str, object]], *, stop: threading.Event | None = None) -> None:
        """Tell a peer of new checkpoints."""
        self._tell(url, "/federation/notify", {"heads": list(heads)}, stop=stop)

    def tell_agreement(self, url: str, said: Mapping[str, object], *, stop: threading.Event | None = None) -> None:
        """Tell a peer that we stand otherwise to an agreement with it; it reads our journal for what that means."""
        self._tell(url, "/federation/agreements", dict(said), stop=stop)

    def tell_report(self, url: str, said: Mapping[str, object], *, stop: threading.Event | None = None) -> None:
        """Tell a peer what a reader of ours says is wrong with a record of its own."""
        self._tell(url, "/federation/reports", dict(said), stop=stop)

    def tell_standing(self, url: str, said: Mapping[str, object], *, stop: threading.Event | None = None) -> None:
        """Tell a peer how a report stands that it passed on to us."""
        self._tell(url, "/federation/reports/standing", dict(said), stop=stop)

    def tell_withdrawals(self, url: str, said: Mapping[str, object], *, stop: threading.Event | None = None) -> None:
        """Tell a peer which salted keys withdrew their consent from data that it holds."""
        self._tell(url, "/federation/withdrawals", dict(said), stop=stop, signed=True)

    def tell_erasure(self, url: str, said: Mapping[str, object], *, stop: threading.Event | None = None) -> None:
        """Tell a peer that we acknowledge withdrawals that it told us of, or that we have erased."""
        self._tell(url, "/federation/withdrawals/answers", dict(said), stop=stop, signed=True)

    def tell_deletion(self, url: str, said: Mapping[str, object], *, stop: threading.Event | None = None) -> None:
        """Tell a peer that what it gave us under an agreement is deleted, in a statement that we signed."""
        self._tell(url, "/federation/deletions", dict(said), stop=stop, signed=True)

    def confirm_erasures(self, url: str, iri: str, seqs: Iterable[int], *, stop: threading.Event | None = None) -> None:
        """Tell the origin of a collection which erased entries are gone here too."""
        self._tell(url, "/federation/erasures", {"collection": iri, "seqs": list(seqs)}, stop=stop)

    def tell_refusals(
        self, url: str, iri: str, refusals: Sequence[Mapping[str, object]], *, stop: threading.Event | None = None
    ) -> None:
        """Tell the origin of a collection which of its entries this node refuses: seq and code of each."""
        self._tell(url, "/federation/refusals", {"collection": iri, "refusals": list(refusals)}, stop=stop)

    def add_checkpoint(self, url: str, body: bytes, *, stop: threading.Event | None = None) -> tuple[int, bytes]:
        """Ask a witness to cosign (C2SP tlog-witness); give its status and body, whatever they say."""
        reply = self._outbound.ask(
            f"{url}/witness/add-checkpoint",
            method="POST",
            body=body,
            headers={"Content-Type": "text/plain; charset=utf-8"},
            max_bytes=_SMALL_BYTES,
            deadline_s=_DEADLINE_S,
            stop=stop,
        )
        return reply.status, reply.body

    def _tell(self, url: str, path: str, said: object, *, stop: threading.Event | None, signed: bool = False) -> None:
        address, body = url + path, orjson.dumps(said)

        def ask(headers: Mapping[str, str]) -> Reply:
            sent = {**headers, "Content-Type": "application/json"}
            if signed and self._sign is not None:
                sent |= self._sign("POST", address, sent, body)
            return self._outbound.ask(
                address,
                method="POST",
                body=body,
                headers=sent,
                max_bytes=_SMALL_BYTES,
                deadline_s=_DEADLINE_S,
                stop=stop,
            )

        _expect(url, self._with_token(url, "POST", address, ask), (_OK, _ACCEPTED, _NO_CONTENT), "")

    # ---------------------------------------------------------------- asking

    def _get(self, url: str, wanted: "_Wanted", *, stop: threading.Event | None) -> Reply:
        address = url + wanted.path

        def ask(headers: Mapping[str, str]) -> Reply:
            return self._outbound.ask(
                address,
                headers=headers,
                max_bytes=wanted.max_bytes,
                deadline_s=wanted.deadline_s,
                accept=wanted.media_type,
                etag=wanted.etag,
                stop=stop,
            )

        reply = self._with_token(url, "GET", address, ask, wanted.details) if wanted.token else ask({})
        if reply.status == _NOT_MODIFIED and wanted.etag:
            return reply
        _expect(url, reply, (_OK,), wanted.media_type)
        return reply

    def _with_token(
        self, url: str, method: str, address: str, ask: "_Ask", details: Sequence[Mapping[str, Any]] = ()
    ) -> Reply:
        """Ask with a token; once more with a new one if the peer says that this one does not hold."""
        reply = ask(self._tokens.headers(url, method, address, details=details))
        if reply.status == http.HTTPStatus.UNAUTHORIZED and self._tokens.again(url, reply.headers):
            reply = ask(self._tokens.headers(url, method, address, details=details))
        return reply


class _Ask(Protocol):
    def __call__(self, headers: Mapping[str, str], /) -> Reply: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One document of a peer."""

    path: str
    media_type: str
    max_bytes: int
    etag: str = ""
    token: bool = False
    deadline_s: float = _DEADLINE_S
    details: Sequence[Mapping[str, Any]] = ()


def _expect(url: str, reply: Reply, statuses: tuple[int, ...], media_type: str) -> None:
    if reply.status not in statuses:
        raise refusal_of(url, reply, words_of(reply))
    if media_type and reply.media_type != media_type:
        raise Malformed(
            f"{url} answered {printable(reply.media_type, 80) or 'no type'} where {media_type} was asked for.",
            fix="Is a city node behind that address?",
        )


def _text(reply: Reply) -> str:
    try:
        return reply.body.decode()
    except UnicodeDecodeError as error:
        raise Malformed("The peer's answer is not UTF-8.") from error


def _object(reply: Reply) -> Mapping[str, Any]:
    try:
        said = orjson.loads(reply.body)
    except ValueError as error:
        raise Malformed("The peer's answer is no JSON.") from error
    if not isinstance(said, dict):
        raise Malformed("The peer's answer is no JSON object.")
    return said


def _heads(url: str, reply: Reply) -> tuple[Head, ...]:
    found = _object(reply).get("checkpoints")
    if not isinstance(found, list) or len(found) > MAX_HEADS:
        raise Malformed(f"The checkpoints of {url} are no list of at most {MAX_HEADS}.")
    return tuple(_head(each) for each in found)


def _head(said: object) -> Head:
    match said:
        case {"collection": str(iri), "name": str(name), "size": int(size), "checkpoint": str(note)} if (
            len(iri) <= 2_000
            and _COLLECTION.match(name)
            and not isinstance(size, bool)
            and 0 <= size < 1 << 53
            and len(note) <= MAX_NOTE_BYTES
        ):
            return Head(iri, name, size, note)
    raise Malformed("A head of the peer has no collection, name, size or checkpoint that could be one.")


def _name(name: str) -> str:
    if not _COLLECTION.match(name):
        raise Malformed(f"A collection cannot be named {name[:80]!r}.", fix="Write name, or peer/name for a mirror.")
    return name


def _tile_path(index: int) -> str:
    """Write a tile's index as C2SP does: 1234067 is x001/x234/067."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups)
