"""Our own tokens at other cities: asked for with a signed assertion, bound to a key of this process, kept a while.

One token per peer and process, and one more for each agreement under which something restricted is read: it names the
agreement, its text and the purpose (RFC 9396), so that these never stand in an address; if the peer sees one of them
otherwise, a token without any is asked for. The key of the proofs is made when the process starts and is written
nowhere, so what is read in passing is worth nothing. A token goes to the peer that issued it and nowhere else. What a
peer answers is taken as a stranger's: bounded, checked for its shape, and shown only in printable letters.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from node.errors import ForbiddenAddress, Malformed, PeerUnreachable, TooManyRequests, Unauthenticated
from node.federation.tokens.clients import ASSERTION_TYPE, TYPE
from node.federation.tokens.dpop import ProofKey
from node.federation.tokens.jwt import Signing
from node.federation.tokens.metadata import GRANT_TYPE, SCOPE_FEDERATION, TOKEN_PATH
from node.federation.tokens.request import FORM
from node.outbound import Outbound, Reply

_logger = logging.getLogger("citynode.federation")
ASSERTION_LIFETIME_S = 240
# A token is replaced this long before it ends, so that none ends on its way.
SPARE_MS = 30_000
LONGEST_MS = 3_600_000
# So long a token is used that names less than was asked for: soon it may be given in full.
PLAIN_MS = 60_000
MAX_ANSWER_BYTES = 16 * 1024
MAX_TOKEN = 8 * 1024
MAX_NONCE = 256
MAX_PEERS = 2_000
DEADLINE_S = 15.0

Details = Sequence[Mapping[str, Any]]
# What to say of agreements, to a peer, about one of its collections.
Claims = Callable[[str, str], Details]


def claims_nothing(_peer_url: str, _collection: str) -> Details:
    """Name no agreement: there is none."""
    return ()


@dataclass(slots=True)
class _Account:
    """What we hold at one peer. The lock keeps two threads from asking for the same token at once."""

    details: bytes = b""
    token: str = ""
    until_ms: int = 0
    nonce: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


class TokenSource:
    """Gets and keeps tokens of peers. Safe to share by threads; every process has its own key and tokens."""

    def __init__(
        self,
        *,
        base_url: str,
        keyring: Signing,
        outbound: Outbound,
        clock_ms: Callable[[], int],
        allow_http: bool = False,
        claims: Claims = claims_nothing,
    ) -> None:
        """Take who we are, what signs for us, and the door outwards.

        Args:
            base_url: Our own, which is our client id at every peer.
            keyring: Signs with the `client` key.
            outbound: The way out.
            clock_ms: Gives the time.
            allow_http: Whether tokens may go to http addresses beyond this machine, in closed test networks.
            claims: Says under which agreements a collection of a peer is read, and for what.
        """
        self._base_url, self._keyring, self._outbound = base_url, keyring, outbound
        self._clock_ms, self._allow_http = clock_ms, allow_http
        self._claims = claims
        self._key = ProofKey()
        self._accounts: dict[tuple[str, bytes], _Account] = {}
        self._lock = threading.Lock()

    @property
    def thumbprint(self) -> str:
        """Give the thumbprint (RFC 7638) of the key to which our tokens are bound."""
        return self._key.thumbprint

    def headers(self, peer_url: str, method: str, url: str, *, details: Details = ()) -> Mapping[str, str]:
        """Give the headers that authenticate one request; asks the peer for a token if none is held.

        Args:
            peer_url: The peer's base URL.
            method: The method of the request.
            url: Its address, which must be the peer's.
            details: What the token must say of agreements; without it what is said for the collection in the address.

        Raises:
            ForbiddenAddress: The address is not the peer's, or a token would be readable on its way there.
            PeerUnreachable: The peer gave no answer, or none that can be read. Safe to retry.
            TooManyRequests: It wants to be asked less often.
            Unauthenticated: It gives us no token; the message has its reason.
        """
        check_address(peer_url, url, allow_http=self._allow_http)
        account = self._account(peer_url, _packed(details) if details else self._details(peer_url, url))
        with account.lock:
            if account.until_ms - SPARE_MS <= self._clock_ms():
                self._renew(peer_url, account)
            token, nonce = account.token, account.nonce
        proof = self._key.proof(method, url, now_ms=self._clock_ms(), token=token, nonce=nonce)
        return {"Authorization": f"DPoP {token}", "DPoP": proof}

    def again(self, peer_url: str, answer: Mapping[str, str]) -> bool:
        """Learn from the headers (in lower case) of a 401; tells whether asking once more can help."""
        challenge = answer.get("www-authenticate", "")
        if "use_dpop_nonce" in challenge:
            kept = [self._keep_nonce(account, answer) for account in self._held_at(peer_url)]
            return any(kept)
        if "invalid_token" in challenge:
            self.forget(peer_url)
            return True
        return False

    def forget(self, peer_url: str) -> None:
        """Drop the tokens held at a peer: one was refused."""
        for account in self._held_at(peer_url):
            account.until_ms = 0

    def _details(self, peer_url: str, url: str) -> bytes:
        """Say what a token must name for an address below a collection; nothing for all others."""
        below = f"{peer_url}/collections/"
        name = url.removeprefix(below).partition("/")[0] if url.startswith(below) else ""
        found = self._claims(peer_url, below + name) if name else ()
        return _packed(found)

    def _held_at(self, peer_url: str) -> Sequence[_Account]:
        with self._lock:
            return [account for (url, _), account in self._accounts.items() if url == peer_url]

    def _account(self, peer_url: str, details: bytes = b"") -> _Account:
        key = (peer_url, details)
        with self._lock:
            if len(self._accounts) >= MAX_PEERS and key not in self._accounts:
                self._accounts.clear()
            return self._accounts.setdefault(key, _Account(details))

    def _renew(self, peer_url: str, account: _Account) -> None:
        reply = self._ask(peer_url, account)
        wants_nonce = reply.status in (400, 401) and _said(reply).get("error") == "use_dpop_nonce"
        if wants_nonce and self._keep_nonce(account, reply.headers):
            reply = self._ask(peer_url, account)
        longest_ms = LONGEST_MS
        if account.details and reply.status != 200 and _said(reply).get("error") == "invalid_authorization_details":
            # One of the agreements stands otherwise there. A token that names none still opens what needs none.
            _logger.warning("%s refuses what a token is to name, it is asked for without: %s", peer_url, _words(reply))
            reply, longest_ms = self._ask(peer_url, account, plain=True), SPARE_MS + PLAIN_MS
        if reply.status != 200:
            raise _refusal(peer_url, reply)
        account.token, lifetime_ms = _token(peer_url, reply)
        account.until_ms = self._clock_ms() + min(lifetime_ms, longest_ms)

    def _ask(self, peer_url: str, account: _Account, *, plain: bool = False) -> Reply:
        address = peer_url + TOKEN_PATH
        proof = self._key.proof("POST", address, now_ms=self._clock_ms(), nonce=account.nonce)
        return self._outbound.ask(
            address,
            method="POST",
            body=self._form(peer_url, b"" if plain else account.details),
            headers={"Content-Type": FORM, "DPoP": proof},
            max_bytes=MAX_ANSWER_BYTES,
            deadline_s=DEADLINE_S,
            accept="application/json",
        )

    def _form(self, peer_url: str, details: bytes) -> bytes:
        now_s = self._clock_ms() // 1000
        claims: dict[str, object] = {
            "iss": self._base_url,
            "sub": self._base_url,
            "aud": peer_url,
            "jti": secrets.token_urlsafe(16),
            "iat": now_s,
            "exp": now_s + ASSERTION_LIFETIME_S,
        }
        form = {
            "grant_type": GRANT_TYPE,
            "client_id": self._base_url,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._keyring.jwt("client", TYPE, claims),
            "resource": peer_url,
            "scope": SCOPE_FEDERATION,
            **({"authorization_details": details.decode()} if details else {}),
        }
        return urlencode(form).encode()

    @staticmethod
    def _keep_nonce(account: _Account, answer: Mapping[str, str]) -> bool:
        nonce = answer.get("dpop-nonce", "")
        if not 0 < len(nonce) <= MAX_NONCE or not nonce.isascii() or nonce == account.nonce:
            return False
        account.nonce = nonce
        return True


def check_address(peer_url: str, url: str, *, allow_http: bool) -> None:
    """Refuse to send a token elsewhere than to the peer it is for, or readable on its way. Raises ForbiddenAddress."""
    if not (url == peer_url or url.startswith(f"{peer_url}/")):
        raise ForbiddenAddress(f"A token of {peer_url} goes nowhere else than there.")
    parts = urlsplit(peer_url)
    plain = parts.scheme != "https" and not allow_http and not _is_this_machine(parts.hostname or "")
    if plain or parts.scheme not in ("http", "https"):
        raise ForbiddenAddress(
            f"{peer_url} is not https: a token would be readable on its way.",
            fix="Ask that city for https; CITYNODE_ALLOW_HTTP_PEERS is for closed test networks.",
        )


def _is_this_machine(host: str) -> bool:
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")


def _packed(details: Details) -> bytes:
    return orjson.dumps(list(details), option=orjson.OPT_SORT_KEYS) if details else b""


def _said(reply: Reply) -> dict[str, object]:
    try:
        said = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _token(peer_url: str, reply: Reply) -> tuple[str, int]:
    """Read the token and how long it lasts, in ms."""
    said = _said(reply)
    token, kind, lifetime_s = said.get("access_token"), said.get("token_type"), said.get("expires_in")
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN or not token.isascii() or not token.isprintable():
        raise Malformed(f"{peer_url} answered without a token.", fix="Is a city node behind that address?")
    if not isinstance(kind, str) or kind.lower() != "dpop":
        raise Malformed(f"{peer_url} gave a token that is bound to no key.", fix="Ask that city to update its node.")
    if type(lifetime_s) is not int or lifetime_s < 1:
        raise Malformed(f"{peer_url} does not say how long its token lasts.")
    return token, min(lifetime_s * 1000, LONGEST_MS)


def _words(reply: Reply) -> str:
    return _printable(_said(reply).get("error_description"))


def _refusal(peer_url: str, reply: Reply) -> PeerUnreachable | TooManyRequests | Unauthenticated:
    said = _said(reply)
    code, words = (_printable(said.get(name)) for name in ("error", "error_description"))
    after = reply.headers.get("retry-after", "")
    wait_s = int(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0
    if reply.status == 429:
        return TooManyRequests(f"{peer_url} wants to be asked less often.", retry_after_s=wait_s or 1)
    if reply.status in (400, 401, 403) and code:
        fix = "Have they approved this city (citynode peers approve), and is this machine's clock right?"
        return Unauthenticated(f"{peer_url} gives us no token: {code}. {words}".strip(), error=code, fix=fix)
    return PeerUnreachable(f"{peer_url} answered {reply.status} at its token endpoint.", retry_after_s=wait_s)


def _printable(value: object) -> str:
    return "".join(c for c in value if c.isprintable())[:200] if isinstance(value, str) else ""
