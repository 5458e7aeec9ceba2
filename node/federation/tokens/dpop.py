"""Proof of possession (DPoP, RFC 9449): made for what we send, checked on what others send.

A token that is bound to a key is worth nothing to whoever reads it in passing: each request carries a fresh proof,
signed by that key, for this method, this address and this token, good once and for two minutes. Addresses are compared
with the base URL of the settings and never with what a request says of its host. Nonces are asked for only while the
store of used ids is half full; they are a MAC over the minute, so that no process has to remember them.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from node.errors import Conflict, Refused, Unauthenticated
from node.federation.tokens.replay import Replay
from node.keys.jwk import ALGORITHMS, b64
from node.keys.jwt import read_proof, thumbprint

TYPE = "dpop+jwt"
MAX_PROOF_BYTES = 4 * 1024
MAX_NAME = 256
# A sender's clock may be a minute off either way, and a proof may be a minute under way.
AHEAD_S, BEHIND_S = 60, 120
NONCE_STEP_MS = 60_000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class ProofKey:
    """A key of this process alone: made when it starts, written nowhere, gone with it."""

    def __init__(self) -> None:
        """Make the key."""
        self._key = ECKey.generate_key("P-256")
        self._public = {name: str(value) for name, value in self._key.as_dict(private=False).items() if name != "kid"}
        self.thumbprint = thumbprint(self._public)

    def proof(self, method: str, url: str, *, now_ms: int, token: str = "", nonce: str = "") -> str:
        """Write the proof for one request; `token` is the access token that goes with it, if one does."""
        claims: dict[str, object] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url.partition("#")[0].partition("?")[0],
            "iat": now_ms // 1000,
        }
        if token:
            claims["ath"] = hash_of(token)
        if nonce:
            claims["nonce"] = nonce
        header = {"typ": TYPE, "alg": "ES256", "jwk": self._public}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])


class Nonces:
    """Stateless nonces: good for one to two minutes, in every process that shares the secret."""

    def __init__(self, secret: bytes) -> None:
        """Take a secret of at least 32 bytes that all processes of the node have."""
        self._secret = secret

    def issue(self, now_ms: int) -> str:
        """Give the nonce of this minute."""
        return self._of(now_ms // NONCE_STEP_MS)

    def holds(self, nonce: str, now_ms: int) -> bool:
        """Tell whether it is the nonce of this minute or of the last."""
        step = now_ms // NONCE_STEP_MS
        given = nonce.encode("utf-8", "replace")
        return any(hmac.compare_digest(self._of(known).encode(), given) for known in (step, step - 1))

    def _of(self, step: int) -> str:
        return b64(hmac.new(self._secret, b"dpop-nonce %d" % step, hashlib.sha256).digest()[:18])


@dataclass(frozen=True, slots=True)
class Proofs:
    """Checks the proofs of others. `base_url` is what their addresses must start with."""

    base_url: str
    replay: Replay
    nonces: Nonces

    def check(self, given: str, *, method: str, path: str, now_ms: int, token: str = "", bound_to: str = "") -> str:
        """Give the thumbprint of the key that a proof proves.

        Args:
            given: The one DPoP header of the request.
            method: The request's method.
            path: Its path below the base URL, starting with a slash, without query.
            now_ms: The time.
            token: The access token it came with; empty at the token endpoint.
            bound_to: The thumbprint of the key that token is bound to.

        Raises:
            Unauthenticated: It proves nothing here; `error` and `nonce` say what the sender has to mend.
            TooManyRequests: Too many ids are alive.
        """
        try:
            header, claims = read_proof(given, typ=TYPE, algs=ALGORITHMS, max_bytes=MAX_PROOF_BYTES)
        except Refused as error:
            raise _refused(f"The DPoP proof cannot be used: {error.message}") from error
        self._check_purpose(claims, method, self.base_url + path, token)
        issued = self._check_time(claims, now_ms)
        self._check_nonce(claims, now_ms)
        proven = thumbprint(header["jwk"])
        if bound_to and proven != bound_to:
            raise Unauthenticated("The access token is bound to another key than the proof's.")
        # Last, so that only a proof that holds otherwise uses up an id.
        try:
            self.replay.use(
                "proof", proven, claims["jti"], until_ms=round((issued + BEHIND_S + 1) * 1000), now_ms=now_ms
            )
        except Conflict as error:
            raise _refused("The DPoP proof was used before.") from error
        return proven

    def _check_purpose(self, claims: Mapping[str, Any], method: str, url: str, token: str) -> None:
        if not is_name(claims.get("jti")):
            raise _refused("The DPoP proof lacks jti.")
        if claims.get("htm") != method:
            raise _refused("The DPoP proof is for another method.")
        htu = claims.get("htu")
        if not isinstance(htu, str) or normal_url(htu) != normal_url(url):
            raise _refused(f"The DPoP proof is for another address than {url}.")
        if token and claims.get("ath") != hash_of(token):
            raise _refused("The DPoP proof is not for this access token.")

    def _check_time(self, claims: Mapping[str, Any], now_ms: int) -> float:
        issued = claims.get("iat")
        if isinstance(issued, bool) or not isinstance(issued, int | float):
            raise _refused("The DPoP proof lacks iat.")
        if not now_ms / 1000 - BEHIND_S <= issued <= now_ms / 1000 + AHEAD_S:
            raise _refused("The DPoP proof is of another time; is the clock right?")
        return issued

    def _check_nonce(self, claims: Mapping[str, Any], now_ms: int) -> None:
        nonce = claims.get("nonce")
        if nonce is None and not self.replay.crowded(now_ms):
            return
        if not isinstance(nonce, str) or not self.nonces.holds(nonce, now_ms):
            raise Unauthenticated(
                "The DPoP proof must carry the nonce of the header DPoP-Nonce.",
                error="use_dpop_nonce",
                nonce=self.nonces.issue(now_ms),
            )


def hash_of(token: str) -> str:
    """Give the `ath` of an access token."""
    return b64(hashlib.sha256(token.encode("ascii", "replace")).digest())


def is_name(value: object) -> bool:
    """Tell whether this may be a `jti`: a text of 1 to 256 characters."""
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME


@lru_cache(maxsize=1024)
def normal_url(url: str) -> str:
    """Spell an address in the one way that all its spellings share (RFC 3986, 6.2.2 and 6.2.3).

    Without query and fragment, which RFC 9449 leaves out of the comparison; empty for what is no such address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc or any(c <= " " for c in url):
        return ""
    spelt = f"[{host}]" if ":" in host else host
    at = f":{port}" if port is not None and port != _DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{spelt}{at}{_normal_path(parts.path)}"


def _normal_path(path: str) -> str:
    plain = _ESCAPE.sub(_unescaped, path)
    kept: list[str] = []
    segments = plain.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _refused(message: str) -> Unauthenticated:
    return Unauthenticated(message, error="invalid_dpop_proof", fix="Make a fresh proof for each request.")
