"""A sign-in provider in memory that can be made to lie: the other side of `node.staff.oidc`, over its way out.

It follows OpenID Connect as a provider does (code, PKCE, signed ID token, userinfo); each test changes one thing.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from node.errors import PeerUnreachable
from node.staff.oidc import Wanted

ISSUER = "https://id.example.org/city"
CLIENT = "citynode"
NOW_MS = 1_800_000_000_000
BACK = "https://data.example.org/desk/sign-in/city/back"
WANTED = Wanted(
    issuer=ISSUER,
    client_id=CLIENT,
    client_secret="s3cret-of-the-client",  # noqa: S106
    back=BACK,
    home="https://data.example.org/desk/sign-in",
    roles={"data-stewards": frozenset({"steward"}), "data-leads": frozenset({"approver", "viewer"})},
)
RSA = RSAKey.generate_key(2048, parameters={"kid": "r1", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "r1"})
EC = ECKey.generate_key("P-256", parameters={"kid": "e1", "use": "sig"})


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes


@dataclass
class City:
    """The provider. `claims` are put over the right ones; a value of None takes one out."""

    now_ms: int = NOW_MS
    claims: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    user: dict[str, Any] = field(
        default_factory=lambda: {"sub": "u-17", "name": "Maija M", "groups": ["data-stewards"]}
    )
    key: Any = field(default_factory=lambda: RSA)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "r1"})
    keys: list[Any] = field(default_factory=lambda: [RSA])
    in_userinfo: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    authorized: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    away: bool = False
    back: str = BACK

    def ask(
        self, url: str, *, method: str = "GET", body: bytes = b"", headers: Mapping[str, str], **_bounds: Any
    ) -> Reply:
        self.asked.append(url)
        if self.away:
            raise PeerUnreachable("Nobody listens.")
        path = urlsplit(url).path
        if path.endswith("/.well-known/openid-configuration"):
            return self._json(self._metadata())
        if path.endswith("/keys"):
            return self._json(KeySet(self.keys).as_dict(private=False))
        if path.endswith("/userinfo"):
            return self._json({"sub": self.user["sub"], **self.in_userinfo})
        return self._token(dict(parse_qsl(body.decode())), headers)

    def browse(self, url: str, **more: str) -> dict[str, str]:
        """Do what a person and their browser do at the provider: give the query that they come back with."""
        query = dict(parse_qsl(urlsplit(url).query))
        assert (query["response_type"], query["redirect_uri"], query["client_id"]) == ("code", self.back, CLIENT)
        assert query["code_challenge_method"] == "S256"
        self.authorized = query
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], **more}

    def _metadata(self) -> dict[str, Any]:
        paths = {"authorization": "authorize", "token": "token", "userinfo": "userinfo", "end_session": "leave"}
        ends = {f"{name}_endpoint": f"{ISSUER}/{path}" for name, path in paths.items()}
        return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", **ends, **self.about}

    def _token(self, form: dict[str, str], headers: Mapping[str, str]) -> Reply:
        begun = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        basic = base64.b64encode(f"{CLIENT}:{WANTED.client_secret}".encode()).decode()
        if headers.get("Authorization") != f"Basic {basic}":
            return self._json({"error": "invalid_client"}, 401)
        if begun is None or challenge != begun["code_challenge"] or form["redirect_uri"] != self.back:
            return self._json({"error": "invalid_grant"}, 400)
        said = self._right_claims(begun) | self.claims
        kept = {name: value for name, value in said.items() if value is not None}
        spelt = _hmac_signed(self.header, kept, self.key) if isinstance(self.key, bytes) else self._signed(kept)
        return self._json({"access_token": "at-1", "token_type": "Bearer", "expires_in": 60, "id_token": spelt})

    def _signed(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(self.header, dict(claims), self.key, algorithms=[self.header["alg"]])

    def _right_claims(self, begun: Mapping[str, str]) -> dict[str, Any]:
        now_s = self.now_ms // 1000
        times = {"iat": now_s, "exp": now_s + 300, "auth_time": now_s}
        return {"iss": ISSUER, "aud": CLIENT, "nonce": begun["nonce"], **times, **self.user}

    @staticmethod
    def _json(value: object, status: int = 200) -> Reply:
        return Reply(status, orjson.dumps(value))


def _hmac_signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: bytes) -> str:
    """Sign with a public key taken for a secret, which the library refuses to."""
    pieces = [base64.urlsafe_b64encode(orjson.dumps(each)).rstrip(b"=") for each in (header, claims)]
    mark = hmac.digest(key, b".".join(pieces), "sha256")
    return b".".join([*pieces, base64.urlsafe_b64encode(mark).rstrip(b"=")]).decode()
