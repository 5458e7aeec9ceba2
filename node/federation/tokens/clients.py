"""Who asks for a token: a city that proves with a signed assertion (`private_key_jwt`) that it holds its pinned key.

The checks of FAPI 2.0, in order: who claims to be asking, whether one of the keys a person approved signed it, whether
it was meant for us alone, whether its time is now and short, and whether it is used for the first time. Until the
signature holds, every "no" is the same sentence, whoever asks: it tells nobody which cities are peers here.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from node.errors import Conflict, NodeError, NotFound, Refused, Unauthenticated, Unavailable
from node.federation.tokens.dpop import AHEAD_S, is_name
from node.federation.tokens.replay import Replay
from node.keys import PublicKey, Purpose
from node.keys.jwk import ALGORITHMS, unb64
from node.keys.jwt import MAX_TOKEN_BYTES, read_jwt

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# What we write; `JWT` is what OAuth libraries write when nobody tells them. No other token of ours has either type,
# and a peer's client key signs nothing else.
TYPE = "client-authentication+jwt"
COMMON_TYPE = "JWT"
MAX_LIFETIME_S = 300
MAX_URL = 2_048
HEARD_EVERY_MS = 10_000
UNKNOWN = "The client is not known here, or no key that is pinned for it signed its assertion."


class Standing(Protocol):
    """A peer, as far as tokens need it."""

    @property
    def name(self) -> str:
        """Give its name here."""

    @property
    def url(self) -> str:
        """Give its base URL, which is its client id."""

    @property
    def state(self) -> str:
        """Give proposed, approved, active, paused or blocked."""

    @property
    def exchanges(self) -> bool:
        """Tell whether anything may be exchanged with it: approved or active, and not held apart."""


class Directory(Protocol):
    """The peers of this node, as far as tokens need them."""

    def by_url(self, url: str) -> Standing | None:
        """Find a peer by its base URL."""

    def keys(self, name: str, purpose: Purpose, *, at_ms: int | None = None) -> Sequence[PublicKey]:
        """Give the keys pinned for a purpose that were good at a time."""

    def heard(self, name: str, at_ms: int) -> None:
        """Note that a peer asked us something."""


class Renew(Protocol):
    """Asks a peer for the keys it has now, and takes those that the pinned ones vouch for; at most once a minute."""

    def __call__(self, name: str, now_ms: int, *, kid: str) -> object:
        """Look whether the peer has rotated to a key of this id."""


def _as_pinned(name: str, now_ms: int, *, kid: str) -> None:
    """Ask nobody: the keys that are pinned are all there is."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Recognises peers by their assertions."""

    base_url: str
    directory: Directory
    replay: Replay
    renew: Renew = _as_pinned
    _heard: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    def find(self, url: object) -> Standing | None:
        """Give the peer with this client id, whatever its state."""
        return self.directory.by_url(url) if isinstance(url, str) and 0 < len(url) <= MAX_URL else None

    def heard(self, peer: Standing, now_ms: int) -> None:
        """Note that a peer asked us something, every ten seconds.

        Failing is worth nothing: a harvest may hold the database, or the peer may just have been removed.
        """
        if not 0 <= now_ms - self._heard.get(peer.name, 0) < HEARD_EVERY_MS:
            self._heard[peer.name] = now_ms
            with suppress(Unavailable, NotFound):
                self.directory.heard(peer.name, now_ms)

    def recognise(self, assertion: str, *, client_id: str | None, now_ms: int) -> Standing:
        """Give the peer that an assertion proves.

        Args:
            assertion: The `client_assertion` of the form.
            client_id: The form's `client_id`, if it has one; it must name the same client.
            now_ms: The time.

        Raises:
            Unauthenticated: It proves nothing, or its city may not exchange anything just now; `error` is OAuth's code.
            TooManyRequests: Too many ids are alive.
        """
        peer = self.find(_claimed(assertion))
        if peer is None or peer.state in ("proposed", "blocked"):
            raise _refused()
        keys = [key.jwk for key in pinned_keys(self.directory, self.renew, peer, kid_of(assertion), now_ms)]
        try:
            _, claims = read_jwt(assertion, keys, typ=_type_of(assertion), algs=ALGORITHMS)
        except Refused as error:
            raise _refused() from error
        if (claims.get("iss"), claims.get("sub"), client_id or peer.url) != (peer.url,) * 3:
            raise _refused("iss, sub and client_id must all be the client's base URL.")
        self._check_audience(claims)
        until_s = check_times(claims, now_ms)
        if not peer.exchanges:
            raise _refused("This city exchanges nothing with you just now; ask it why.", code="unauthorized_client")
        self._check_first_use(peer, claims, until_s, now_ms)
        return peer

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        # A string and nothing else: in a list another server could stand beside us, which would then be able to use
        # the assertion here (the audience injection that FAPI 2.0 closes).
        if claims.get("aud") != self.base_url:
            raise _refused(f"aud must be the string {self.base_url} and nothing else.")

    def _check_first_use(self, peer: Standing, claims: Mapping[str, Any], until_s: float, now_ms: int) -> None:
        if not is_name(claims.get("jti")):
            raise _refused("jti must be a text of 1 to 256 characters.")
        try:
            self.replay.use("assertion", peer.url, claims["jti"], until_ms=round((until_s + 1) * 1000), now_ms=now_ms)
        except Conflict as error:
            raise _refused("This assertion was used before; make a new one for each request.") from error


def check_times(claims: Mapping[str, Any], now_ms: int) -> float:
    """See that a token's time is now and short; give when it ends, in seconds. Raises Unauthenticated."""
    now_s = now_ms / 1000
    issued, expires = _number(claims, "iat"), _number(claims, "exp")
    begins = _number(claims, "nbf") if "nbf" in claims else issued
    if max(issued, begins) > now_s + AHEAD_S:
        raise _refused("The token is of the future; is your clock right?")
    if expires <= now_s:
        raise _refused("The token has expired; is your clock right?")
    if expires - issued > MAX_LIFETIME_S:
        raise _refused(f"A token may live for {MAX_LIFETIME_S} s.")
    return expires


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(f"The token lacks {name}.")
    return value


def _claimed(assertion: str) -> object:
    """Read who an assertion says it is of; proves nothing yet."""
    parts = assertion.split(".") if len(assertion) <= MAX_TOKEN_BYTES else []
    try:
        claims = orjson.loads(unb64(parts[1])) if len(parts) == 3 else None
    except (Refused, orjson.JSONDecodeError):
        return None
    return claims.get("sub") if isinstance(claims, dict) else None


def _header(assertion: str) -> Mapping[str, object]:
    """Read an assertion's header; proves nothing."""
    try:
        header = orjson.loads(unb64(assertion.partition(".")[0]))
    except (Refused, orjson.JSONDecodeError):
        return {}
    return header if isinstance(header, dict) else {}


def _type_of(assertion: str) -> str:
    """Choose which of the two types the assertion has to be of."""
    return COMMON_TYPE if _header(assertion).get("typ") == COMMON_TYPE else TYPE


def pinned_keys(directory: Directory, renew: Renew, peer: Standing, kid: str, now_ms: int) -> Sequence[PublicKey]:
    """Give the peer's pinned keys; one of an unknown id may be the one it has just rotated to."""
    keys = directory.keys(peer.name, "client", at_ms=now_ms)
    if not kid or not peer.exchanges or any(key.kid == kid for key in keys):
        return keys
    with suppress(NodeError):
        renew(peer.name, now_ms, kid=kid)
    return directory.keys(peer.name, "client", at_ms=now_ms)


def kid_of(assertion: str) -> str:
    """Read which key it says has signed it."""
    kid = _header(assertion).get("kid")
    return kid if isinstance(kid, str) and is_name(kid) else ""


def _refused(message: str = UNKNOWN, *, code: str = "invalid_client") -> Unauthenticated:
    return Unauthenticated(message, error=code)
