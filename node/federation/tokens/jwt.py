"""Our access tokens (RFC 9068, `at+jwt`): bound to a key of their holder, good for five minutes, only for this node.

Issuer and audience are the base URL, so a token of another city never fits here, nor ours there. A token that was
revoked stands in the table `revoked` until it would have run out. Owns that table.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from node.db import Database
from node.errors import Refused, Unauthenticated
from node.federation.tokens.dpop import AHEAD_S, is_name
from node.keys import PublicKey, Purpose
from node.keys.jwk import ALGORITHMS
from node.keys.jwt import read_jwt

TYPE = "at+jwt"
LIFETIME_S = 300
MOST_SEEN = 2_000


class Signing(Protocol):
    """The keyring, as far as tokens need it."""

    def jwt(self, purpose: Purpose, typ: str, claims: Mapping[str, object]) -> str:
        """Sign claims with the current key of a purpose."""

    def published(self, purpose: Purpose | None = None) -> Sequence[PublicKey]:
        """Give the public keys of a purpose, also replaced ones."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an access token says, after its signature, times and addressees were checked."""

    client_id: str
    scopes: frozenset[str]
    thumbprint: str
    jti: str
    issued_s: int
    expires_s: int
    details: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Issues and reads them."""

    base_url: str
    keyring: Signing
    db: Database
    _seen: dict[str, tuple[frozenset[str], Held]] = field(default_factory=dict, repr=False, compare=False)

    def issue(
        self,
        client_id: str,
        *,
        scopes: frozenset[str],
        thumbprint: str,
        now_ms: int,
        details: Sequence[Mapping[str, object]] = (),
    ) -> str:
        """Write a token for a client, bound to the key with this thumbprint."""
        claims: dict[str, object] = {
            "iss": self.base_url,
            "sub": client_id,
            "client_id": client_id,
            "aud": self.base_url,
            "iat": now_ms // 1000,
            "exp": now_ms // 1000 + LIFETIME_S,
            "jti": secrets.token_urlsafe(16),
            "scope": " ".join(sorted(scopes)),
            "cnf": {"jkt": thumbprint},
        }
        if details:
            claims["authorization_details"] = list(details)
        return self.keyring.jwt("token", TYPE, claims)

    def read(self, token: str, *, now_ms: int) -> Held:
        """Read a token that was shown to us.

        Raises:
            Unauthenticated: It is none of ours, ran out, is for somebody else, or was revoked.
        """
        held = self._read(token, now_ms)
        if not held.issued_s - AHEAD_S <= now_ms / 1000 < held.expires_s:
            raise _refused("The access token has expired.")
        if self._is_revoked(held.jti):
            raise _refused("The access token was revoked.")
        return held

    def _read(self, token: str, now_ms: int) -> Held:
        """Read what never changes of a token: a peer shows the same one for minutes, and its signature is checked once.

        Once, that is, for as long as the same keys sign: when one is replaced or ends, everything is checked anew.
        """
        keys = [key for key in self.keyring.published("token") if key.is_in_force(now_ms)]
        kids = frozenset(key.kid for key in keys)
        known = self._seen.get(token)
        if known is not None and known[0] == kids:
            return known[1]
        try:
            _, claims = read_jwt(token, [key.jwk for key in keys], typ=TYPE, algs=ALGORITHMS)
        except Refused as error:
            raise _refused("The access token is none of this node's.") from error
        held = _held(claims)
        if (claims.get("iss"), claims.get("aud")) != (self.base_url, self.base_url):
            raise _refused("The access token is not for this node.")
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen[token] = (kids, held)
        return held

    def revoke(self, held: Held, *, now_ms: int) -> None:
        """End a token before its time; ending one again changes nothing."""
        with self.db.write() as tx:
            tx.run("DELETE FROM revoked WHERE expires_at < ?", now_ms)
            tx.run(
                "INSERT INTO revoked (jti, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                held.jti,
                held.expires_s * 1000,
            )

    def _is_revoked(self, jti: str) -> bool:
        return self.db.hot().row("SELECT 1 FROM revoked WHERE jti = ?", (jti,)) is not None


def _held(claims: Mapping[str, Any]) -> Held:
    """Take the claims that a token of ours always has. Ours are whole; the check costs little and trusts nothing."""
    cnf, details = claims.get("cnf"), claims.get("authorization_details", [])
    jkt = cnf.get("jkt") if isinstance(cnf, dict) else None
    texts = (claims.get("client_id"), claims.get("scope"), jkt, claims.get("jti"))
    times = (claims.get("iat"), claims.get("exp"))
    fits = all(isinstance(text, str) for text in texts) and all(type(time) is int for time in times)
    if not fits or not is_name(claims["jti"]) or not isinstance(details, list):
        raise _refused("The access token is not whole.")
    return Held(
        client_id=claims["client_id"],
        scopes=frozenset(claims["scope"].split()),
        thumbprint=str(jkt),
        jti=claims["jti"],
        issued_s=claims["iat"],
        expires_s=claims["exp"],
        details=details,
    )


def _refused(message: str) -> Unauthenticated:
    return Unauthenticated(message, fix="Get a new one at the token endpoint.")
