"""The client of the Dataspace Protocol: asks a peer for its version and its catalogue, and says messages to it.

Asks only below the peer's own base URL, whatever the peer's documents or links name; a token goes nowhere else. Every
answer is bounded in bytes, number and time. What connectors do otherwise than the specification is taken where it does
no harm: 200 for 201, `prev` for `previous`, a catalogue without distributions, an empty answer to a message.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin, urlsplit

import orjson

from node.errors import ForbiddenAddress, Malformed, NodeError, Refused
from node.federation.client import TokenSource
from node.federation.dsp.documents import (
    VERSION,
    Catalog,
    CatalogRequest,
    Dataset,
    ProtocolVersion,
    read_versions,
)
from node.federation.dsp.fields import MAX_ADDRESS, Json, reasons
from node.federation.dsp.messages import ContractNegotiation
from node.federation.dsp.transfers import TransferProcess
from node.federation.moving import MAX_MESSAGE
from node.federation.peer_noes import refusal_of
from node.federation.signing.integrity import strict_json
from node.federation.signing.messages import MessageSigning, request_of, response_of
from node.outbound import Outbound, Reply

__all__ = ["DspClient", "below"]

WELL_KNOWN = "/.well-known/dspace-version"
MEDIA_TYPES = ("application/json", "application/ld+json")
ACCEPT = "application/json, application/ld+json;q=0.9"
MAX_VERSION_BYTES = 64 * 1024
MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_ANSWER_BYTES = MAX_MESSAGE
MAX_PAGES = 1_000
VERSION_FRESH_MS = 600_000
MAX_PEERS = 2_000
_DEADLINE_S = 15.0
_PAGE_DEADLINE_S = 60.0
_LINK = re.compile(r'<([^<>"\s]{1,2000})>((?:\s*;\s*[a-zA-Z*]+\s*(?:=\s*(?:"[^"]*"|[^\s",;]+))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Connector:
    """Where and how a peer speaks the protocol."""

    base: str
    auths: tuple[str, ...]  # protocols in lower case; empty where it names none


# A peer whose version document cannot be read is spoken to all the same, where it wants its answers.
_UNKNOWN = Connector("", ())


class DspClient:
    """Speaks the protocol to peers. Safe to share by threads; holds no key, its tokens come from its sources."""

    def __init__(
        self,
        outbound: Outbound,
        tokens: TokenSource,
        *,
        others: Mapping[str, TokenSource] | None = None,
        signing: MessageSigning | None = None,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Take the door outwards, and what gives tokens.

        Args:
            outbound: The way out.
            tokens: Used with every peer that takes OAuth, or says nothing of it.
            others: Further sources by the name a version document has for them, in lower case, such as `dcp`.
            signing: Signs messages and checks what answers them; without it nothing is signed.
            clock_ms: Gives the time.
        """
        self._outbound, self._tokens, self._others = outbound, tokens, dict(others or {})
        self._signing = signing
        self._clock_ms = clock_ms
        self._known: dict[str, tuple[int, Connector]] = {}
        self._lock = threading.Lock()

    # ---------------------------------------------------------------- who speaks what

    def versions(self, peer_url: str, *, stop: threading.Event | None = None) -> tuple[ProtocolVersion, ...]:
        """Ask a peer which versions it speaks; needs no token.

        Raises:
            PeerUnreachable, NotFound, Refused: It says nothing that can be read.
        """
        reply = self._outbound.ask(
            peer_url + WELL_KNOWN, max_bytes=MAX_VERSION_BYTES, deadline_s=_DEADLINE_S, accept=ACCEPT, stop=stop
        )
        return read_versions(_object(peer_url, reply))

    def version(self, peer_url: str, *, stop: threading.Event | None = None) -> Connector:
        """Give where a peer speaks 2025-1; asked again after ten minutes.

        Raises:
            PeerUnreachable: It gives no answer.
            Refused: It does not speak it, or names a place that is not its own.
        """
        known = self._held(peer_url)
        if known is None or not known.base:
            known = _connector(peer_url, self.versions(peer_url, stop=stop))
            self._hold(peer_url, known)
        return known

    def _held(self, peer_url: str) -> Connector | None:
        with self._lock:
            at_ms, known = self._known.get(peer_url, (0, _UNKNOWN))
        return known if 0 <= self._clock_ms() - at_ms < VERSION_FRESH_MS else None

    def _hold(self, peer_url: str, found: Connector) -> None:
        with self._lock:
            if len(self._known) >= MAX_PEERS:
                self._known.clear()
            self._known[peer_url] = (self._clock_ms(), found)

    # ---------------------------------------------------------------- what it offers

    def catalogue(
        self, peer_url: str, filters: tuple[Json, ...] = (), *, stop: threading.Event | None = None
    ) -> Iterator[Catalog]:
        """Read a peer's catalogue page by page, as it is offered to us. Raises what `send` raises."""
        base = self.version(peer_url, stop=stop).base
        body = orjson.dumps(CatalogRequest(filters).document())
        address, seen = f"{base}/catalog/request", set[str]()
        while address and address not in seen:
            if len(seen) == MAX_PAGES:
                raise Refused(f"The catalogue of {peer_url} has more than {MAX_PAGES} pages.")
            seen.add(address)
            reply = self._post(peer_url, address, body, MAX_PAGE_BYTES, stop)
            yield Catalog.read(_object(peer_url, reply))
            address = next_page(peer_url, address, reply.headers.get("link", ""))

    def dataset(self, peer_url: str, iri: str, *, stop: threading.Event | None = None) -> Dataset:
        """Ask a peer for one dataset. Raises what `send` raises; NotFound where there is none for us."""
        base = self.version(peer_url, stop=stop).base
        reply = self._get(peer_url, f"{base}/catalog/datasets/{quote(iri, safe='')}", MAX_PAGE_BYTES, stop)
        return Dataset.read_root(_object(peer_url, reply))

    # ---------------------------------------------------------------- negotiations

    def endpoints(self, peer_url: str, *, stop: threading.Event | None = None) -> str:
        """Give the address below which a peer takes messages: what `other_url` of a new negotiation is."""
        return self.version(peer_url, stop=stop).base

    def send(
        self, peer_url: str, url: str, message: Json, *, stop: threading.Event | None = None
    ) -> ContractNegotiation | None:
        """Say a message to a peer; give how it says that the negotiation stands, if it says so.

        Args:
            peer_url: The peer's base URL.
            url: Where to; must lie below that.
            message: As its class wrote it.
            stop: Checked while waiting.

        Raises:
            ForbiddenAddress: The address is not the peer's.
            NotFound: It knows no such negotiation, or not of ours.
            Unauthenticated, Forbidden: It does not take our token.
            Refused: It refuses the message; its code and reasons are in ours. Saying it again will not help.
            TooManyRequests, PeerUnreachable: Try again later, after `retry_after_s`.
        """
        said = self._told(peer_url, url, message, stop)
        return ContractNegotiation.read(said) if said.get("@type") == "ContractNegotiation" else None

    def state(self, peer_url: str, url: str, *, stop: threading.Event | None = None) -> ContractNegotiation:
        """Ask a peer how a negotiation stands. Raises what `send` raises."""
        reply = self._get(peer_url, below(peer_url, url), MAX_ANSWER_BYTES, stop)
        return ContractNegotiation.read(_object(peer_url, reply))

    # ---------------------------------------------------------------- transfers

    def tell(
        self, peer_url: str, url: str, message: Json, *, stop: threading.Event | None = None
    ) -> TransferProcess | None:
        """Say a message about a transfer; give how it says that this stands, if it does. Raises what `send` raises."""
        said = self._told(peer_url, url, message, stop)
        return TransferProcess.read(said) if said.get("@type") == "TransferProcess" else None

    def standing(self, peer_url: str, url: str, *, stop: threading.Event | None = None) -> TransferProcess:
        """Ask a peer how a transfer stands. Raises what `send` raises."""
        reply = self._get(peer_url, below(peer_url, url), MAX_ANSWER_BYTES, stop)
        return TransferProcess.read(_object(peer_url, reply))

    # ---------------------------------------------------------------- asking

    def _told(self, peer_url: str, url: str, message: Json, stop: threading.Event | None) -> Json:
        """Say a message; give the answer's object, or an empty one where it says nothing."""
        address = below(peer_url, url)
        reply = self._post(peer_url, address, orjson.dumps(message), MAX_ANSWER_BYTES, stop, signed=True)
        return _object(peer_url, reply) if reply.body and _says_json(reply) else {}

    def _get(self, peer_url: str, address: str, most: int, stop: threading.Event | None) -> Reply:
        def ask(headers: Mapping[str, str]) -> Reply:
            return self._outbound.ask(
                address, headers=headers, max_bytes=most, deadline_s=_DEADLINE_S, accept=ACCEPT, stop=stop
            )

        return self._answered(peer_url, "GET", address, ask)

    def _post(
        self,
        peer_url: str,
        address: str,
        body: bytes,
        most: int,
        stop: threading.Event | None,
        *,
        signed: bool = False,
    ) -> Reply:
        """Say something; with `signed`, an answer that is not signed by a peer that signs is none."""

        def ask(headers: Mapping[str, str]) -> Reply:
            sent = {**headers, "Content-Type": "application/json"}
            if self._signing is not None:
                sent |= self._signing.sign_request("POST", address, sent, body)
            reply = self._outbound.ask(
                address,
                method="POST",
                body=body,
                headers=sent,
                max_bytes=most,
                deadline_s=_PAGE_DEADLINE_S,
                accept=ACCEPT,
                stop=stop,
            )
            if signed and self._signing is not None and 200 <= reply.status < 300:
                answered = response_of(request_of("POST", address, sent), reply.status, reply.headers)
                self._signing.check_response(peer_url, answered, reply.body)
            return reply

        return self._answered(peer_url, "POST", address, ask)

    def _answered(self, peer_url: str, method: str, address: str, ask: Callable[[Mapping[str, str]], Reply]) -> Reply:
        """Ask with a token; once more with a new one if the peer says that this one does not hold."""
        tokens = self._source(peer_url)
        reply = ask(tokens.headers(peer_url, method, address))
        if reply.status == 401 and tokens.again(peer_url, reply.headers):
            reply = ask(tokens.headers(peer_url, method, address))
        if not 200 <= reply.status < 300:
            raise refusal_of(peer_url, reply, _words_of(reply))
        return reply

    def _source(self, peer_url: str) -> TokenSource:
        """Choose how to show who we are: OAuth, unless the peer says that it takes only something else of ours."""
        known = self._held(peer_url) if self._others else _UNKNOWN
        if known is None:
            try:
                known = self.version(peer_url)
            except NodeError:
                self._hold(peer_url, _UNKNOWN)
                known = _UNKNOWN
        if not known.auths or "oauth" in known.auths:
            return self._tokens
        return next((self._others[name] for name in known.auths if name in self._others), self._tokens)


def below(peer_url: str, address: str) -> str:
    """Give an address without the slash at its end, if it lies below a peer's base URL and can lead nowhere else.

    Raises:
        ForbiddenAddress: It is another's, or spelled so that two readers may take it for different ones.
    """
    plain = address.rstrip("/")
    rest = plain.removeprefix(peer_url)
    ours = len(address) <= MAX_ADDRESS and plain.startswith(peer_url) and (not rest or rest[0] == "/")
    path = rest.partition("?")[0]
    steps = unquote(unquote(path)).replace("\\", "/").split("/")
    if not ours or not address.isascii() or not address.isprintable() or any(c in rest for c in "# \\@"):
        raise ForbiddenAddress(
            f"{address[:200]!r} is no address of {peer_url}.", fix=f"Name one below {peer_url}/."
        ).on_page("no.data.address", url=peer_url)
    if "." in steps or ".." in steps:
        raise ForbiddenAddress(
            f"{address[:200]!r} leads somewhere else than it says.", fix="Write it without dots."
        ).on_page("no.data.address", url=peer_url)
    return plain


def next_page(peer_url: str, address: str, links: str) -> str:
    """Give the address of the next page from a header Link (RFC 8288); empty if this was the last one.

    Raises:
        ForbiddenAddress: The next page is not the peer's.
    """
    for target, parameters in _LINK.findall(links[:8_000]):
        said = _REL.search(parameters)
        if said and "next" in (said[1] or said[2] or "").lower().split():
            return below(peer_url, urljoin(address, target))
    return ""


def _connector(peer_url: str, versions: tuple[ProtocolVersion, ...]) -> Connector:
    found = [each for each in versions if each.version == VERSION]
    if not found:
        raise Refused(
            f"{peer_url} does not speak the Dataspace Protocol {VERSION}.", fix="Ask that city to update."
        ).on_page("no.data.protocol", url=peer_url)
    # A connector may stand at several places, each with another way to show who one is: OAuth is ours.
    first = next((each for each in found if each.auth and each.auth.protocol.lower() == "oauth"), found[0])
    path = "" if first.path == "/" else f"/{first.path.strip('/')}"
    whole = bool(urlsplit(first.path).scheme)
    base = below(peer_url, first.path if whole else peer_url + path)
    same = [each for each in found if each.path == first.path]
    return Connector(base, tuple(each.auth.protocol.lower() for each in same if each.auth))


def _says_json(reply: Reply) -> bool:
    """Tell whether an answer is JSON; some connectors, the protocol's conformance kit among them, do not say so."""
    return reply.media_type in MEDIA_TYPES or (not reply.media_type and reply.body.lstrip()[:1] == b"{")


def _object(peer_url: str, reply: Reply) -> Json:
    if reply.status != 200 and not 200 <= reply.status < 300:
        raise refusal_of(peer_url, reply, _words_of(reply))
    if not _says_json(reply):
        raise Malformed(f"{peer_url} answered {reply.media_type[:80]!r} where JSON was asked for.")
    return strict_json(reply.body, max_bytes=MAX_PAGE_BYTES)


def _words_of(reply: Reply) -> str:
    """Give the code and the reasons of an error of the protocol, or the detail of a problem."""
    try:
        said = orjson.loads(reply.body[:MAX_ANSWER_BYTES])
    except ValueError:
        return "."
    if not isinstance(said, dict):
        return "."
    code = said.get("code") or str(said.get("type", "")).rpartition("/")[2]
    words = " ".join(reasons(said)) or str(said.get("detail") or "")
    shown = "".join(c if c.isprintable() else " " for c in f"{str(code)[:60]}): {words[:600]}")
    return f" ({shown.strip()}" if words or code else "."
