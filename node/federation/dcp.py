"""DCP's self-issued token over did:web: the second way in which another connector shows who it is, and ours to show it.

The token says that its sender is the city whose DID it names: signed by that city's client key, meant for this node
alone, good once and for five minutes at most. Whose key it is was pinned when a person approved the peer; no DID
document is fetched for it. It gives what OAuth's token gives, on the endpoints of the Dataspace Protocol and nowhere
else, and it is bound to no key: whoever reads it in passing may use it once, which is why OAuth is the first way.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from node.errors import Conflict, Refused, Unauthenticated
from node.federation.identity.did import did_web
from node.federation.tokens.access import Caller
from node.federation.tokens.clients import Directory, Renew, Standing, check_times, kid_of, pinned_keys
from node.federation.tokens.dpop import is_name
from node.federation.tokens.metadata import SCOPE_FEDERATION
from node.federation.tokens.replay import Replay
from node.federation.tokens.source import check_address
from node.keys import PublicKey, Purpose
from node.keys.jwt import read_jwt, signed_jwt, unchecked_claims
from node.keys.signer import Signer

__all__ = ["SelfIssued", "SelfIssuedTokens", "is_self_issued"]

# No other token of ours that the client key signs names DIDs, and this one names nothing else.
TYPE = "JWT"
LIFETIME_S = 120
MAX_DID = 2_048
REALM = 'Bearer realm="citynode"'
UNKNOWN = "The sender is not known here, or no key that is pinned for it signed its token."


class Signing(Protocol):
    """The keyring, as far as this needs it."""

    def signers(self, purpose: Purpose, at_ms: int) -> Sequence[tuple[PublicKey, Signer]]:
        """List the keys that sign at a time, the one in use first."""


def is_self_issued(credentials: Sequence[str]) -> bool:
    """Tell whether what a request shows looks like such a token, and not like a token that this city issued by name."""
    scheme, _, shown = credentials[0].partition(" ") if len(credentials) == 1 else ("", "", "")
    return scheme.lower() == "bearer" and shown.count(".") == 2


class SelfIssuedTokens:
    """Recognises peers by tokens that they issued themselves. Blocking; safe to share by threads."""

    def __init__(
        self, base_url: str, directory: Directory, replay: Replay, renew: Renew, *, clock_ms: Callable[[], int]
    ) -> None:
        """Take who we are, the peers with their keys, where used ids are kept, and what looks for rotated keys."""
        self._did = did_web(base_url)
        self._directory, self._replay, self._renew = directory, replay, renew
        self._clock_ms = clock_ms

    def caller(self, credentials: str) -> Caller:
        """Say who shows this header Authorization.

        Raises:
            Unauthenticated: The token does not hold.
            TooManyRequests: Too many ids are alive.
        """
        try:
            return self._told(credentials.partition(" ")[2].strip())
        except Unauthenticated as error:
            said = error.message.replace('"', "'")
            challenge = f'{REALM}, error="invalid_token", error_description="{said}"'
            raise Unauthenticated(error.message, challenge=challenge, fix=error.fix) from error

    def _told(self, token: str) -> Caller:
        now_ms = self._clock_ms()
        try:
            said = unchecked_claims(token).get("iss")
        except Refused as error:
            raise _refused() from error
        peer = self._peer(said)
        if peer is None or peer.state in ("proposed", "blocked"):
            raise _refused()
        claims = self._checked(peer, str(said), token, now_ms)
        until_s = check_times(claims, now_ms)
        if not peer.exchanges:
            raise _refused("This city exchanges nothing with you just now; ask it why.")
        self._check_first_use(peer, claims, until_s, now_ms)
        return Caller("peer", peer.name, frozenset({SCOPE_FEDERATION}), peer.url)

    def _peer(self, did: object) -> Standing | None:
        if not isinstance(did, str) or not did.startswith("did:web:") or len(did) > MAX_DID:
            return None
        address = "/".join(map(unquote, did.removeprefix("did:web:").split(":")))
        # The DID does not tell http from https; http is only ever a city in a closed network.
        found = (self._directory.by_url(f"{scheme}://{address}") for scheme in ("https", "http"))
        return next((each for each in found if each is not None and did_web(each.url) == did), None)

    def _checked(self, peer: Standing, did: str, token: str, now_ms: int) -> Mapping[str, Any]:
        kid = kid_of(token).removeprefix(f"{did}#")
        keys = pinned_keys(self._directory, self._renew, peer, kid, now_ms)
        try:
            header, claims = _read(token, keys, did)
        except Refused as error:
            raise _refused() from error
        if len(keys) > 1 and "kid" not in header:
            raise _refused("You have several keys: name in kid the one that signed.")
        if (claims.get("iss"), claims.get("sub")) != (did, did):
            raise _refused("iss and sub must both be the sender's DID.")
        if claims.get("aud") != self._did:
            raise _refused(f"aud must be the string {self._did} and nothing else.")
        return claims

    def _check_first_use(self, peer: Standing, claims: Mapping[str, Any], until_s: float, now_ms: int) -> None:
        if not is_name(claims.get("jti")):
            raise _refused("jti must be a text of 1 to 256 characters.")
        try:
            self._replay.use("self-issued", peer.url, claims["jti"], until_ms=round(until_s * 1000) + 1, now_ms=now_ms)
        except Conflict as error:
            raise _refused("This token was used before; make a new one for each request.") from error


class SelfIssued:
    """Issues our own tokens, one for each request: what `DspClient` shows to connectors that take only DCP."""

    def __init__(
        self, base_url: str, keyring: Signing, *, clock_ms: Callable[[], int], allow_http: bool = False
    ) -> None:
        """Take who we are, what signs for us, and the time; `allow_http` is for closed test networks."""
        self._did, self._keyring = did_web(base_url), keyring
        self._clock_ms, self._allow_http = clock_ms, allow_http

    def headers(
        self,
        peer_url: str,
        method: str,  # noqa: ARG002 (says nothing of it)
        url: str,
        *,
        details: Sequence[Mapping[str, Any]] = (),  # noqa: ARG002 (nor of agreements)
    ) -> Mapping[str, str]:
        """Give the header that authenticates one request. Raises ForbiddenAddress for an address of another."""
        check_address(peer_url, url, allow_http=self._allow_http)
        now_ms = self._clock_ms()
        claims = {
            "iss": self._did,
            "sub": self._did,
            "aud": did_web(peer_url),
            "jti": secrets.token_urlsafe(16),
            "iat": now_ms // 1000,
            "exp": now_ms // 1000 + LIFETIME_S,
        }
        key, signer = self._keyring.signers("client", now_ms)[0]
        token = signed_jwt(claims, typ=TYPE, alg=key.alg, kid=f"{self._did}#{key.kid}", sign=signer.sign)
        return {"Authorization": f"Bearer {token}"}

    def again(self, peer_url: str, answer: Mapping[str, str]) -> bool:  # noqa: ARG002 (each token is a new one)
        """Tell whether asking once more can help; it cannot."""
        return False


def _read(token: str, keys: Sequence[PublicKey], did: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    # EDC writes no type. Whatever else a client key signs names one.
    return read_jwt(token, [key.jwk for key in keys], typ=TYPE, before_kid=f"{did}#", may_lack_typ=True)


def _refused(message: str = UNKNOWN) -> Unauthenticated:
    return Unauthenticated(message, fix="Make a fresh token for each request, or use OAuth.")
