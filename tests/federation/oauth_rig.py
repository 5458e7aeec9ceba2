"""A real node to attack over its real app, and a city that knows how to be polite to it, or not.

London is the node: settings, keys, database, web, all of it, in a folder of its own. Helsinki has keys and an address
and is approved there; every part of what it sends can be bent by a test.
"""

import asyncio
import json
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from node.app import create_app
from node.assembly import Node, build
from node.federation.peers.store import Peer
from node.federation.signing.messages import MessageSigning
from node.federation.tokens.clients import ASSERTION_TYPE, TYPE
from node.federation.tokens.dpop import ProofKey, hash_of
from node.keys import Keyring
from node.keys.jwk import b64
from node.settings import load
from node.web.wire.front import App

LONDON, HELSINKI, OSLO = "http://127.0.0.1:8001", "https://helsinki.example", "https://oslo.example"
TOKEN_URL = f"{LONDON}/oauth/token"
FORM = "application/x-www-form-urlencoded"
# Every attack of a module comes from one address; what limits do is tested where limits are.
UNLIMITED = {"rate_public_per_min": 0, "rate_feed_per_min": 0, "rate_token_per_min": 0}


def now_s() -> int:
    return int(time.time())


def bent(honest: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change members; None leaves one out."""
    merged = {**honest, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def raw_jwt(header: Mapping[str, Any], claims: Mapping[str, Any] | bytes, sign: Any) -> str:
    """Write a token to the letter, whatever it says."""
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    said = f"{b64(json.dumps(header).encode())}.{b64(body)}"
    return f"{said}.{b64(sign(said.encode()))}"


@dataclass
class Town:
    """A city that asks London for tokens."""

    url: str
    keyring: Keyring
    key: ProofKey = field(default_factory=ProofKey)

    def claims(self, **changes: Any) -> dict[str, Any]:
        honest = {
            "iss": self.url,
            "sub": self.url,
            "aud": LONDON,
            "jti": secrets.token_urlsafe(12),
            "iat": now_s(),
            "exp": now_s() + 120,
        }
        return bent(honest, changes)

    def assertion(self, **changes: Any) -> str:
        return self.keyring.jwt("client", TYPE, self.claims(**changes))

    def form(self, **changes: Any) -> dict[str, Any]:
        honest = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": changes.get("client_assertion") or self.assertion(),
            "resource": LONDON,
            "scope": "federation",
        }
        return bent(honest, changes)

    def proof(self, method: str = "POST", url: str = TOKEN_URL, *, token: str = "", at_s: int = 0) -> str:
        return self.key.proof(method, url, now_ms=(at_s or now_s()) * 1000, token=token)

    def signed(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Sign a message as a city does that publishes a key for messages."""
        nobody: Any = None  # it only signs: nobody's signature is checked
        hand = MessageSigning(self.keyring, nobody, nobody, nobody, clock_ms=lambda: now_s() * 1000)
        return hand.sign_request(method, url, headers, body)

    def bent_proof(
        self, method: str, url: str, *, token: str = "", header: Mapping[str, Any] | None = None, **changes: Any
    ) -> str:
        """Write a proof that is honest but for what is changed, and signed rightly."""
        honest: dict[str, Any] = {
            "jti": secrets.token_urlsafe(12),
            "htm": method,
            "htu": url,
            "iat": now_s(),
            "ath": hash_of(token) if token else None,
        }
        named = bent({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key._public}, header or {})
        return raw_jwt(named, bent(honest, changes), self.sign_proof)

    def sign_proof(self, said: bytes) -> bytes:
        return es256(self.key._key.private_key, said)


def es256(key: Any, said: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(said, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Door:
    """London, with a client that sends exactly what it is told to."""

    def __init__(self, node: Node, app: App, address: str = "203.0.113.7") -> None:
        self.node = node
        self.app = app
        self.address = address
        self._runner = asyncio.Runner()

    @classmethod
    @contextmanager
    def to(cls, node: Node) -> Iterator["Door"]:
        """Open it, and close the node afterwards."""
        door = cls(node, create_app(node))
        try:
            yield door
        finally:
            door._runner.close()
            node.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        headers: list[tuple[str, str]] | None = None,
        address: str = "",
    ) -> httpx.Response:
        return self._runner.run(self._asked(method, path, content, headers or [], address or self.address))

    async def _asked(
        self, method: str, path: str, content: bytes, headers: list[tuple[str, str]], address: str
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False, client=(address, 5000))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=LONDON) as client:
            client.headers.clear()
            return await client.request(method, path, content=content, headers=headers)

    def post(
        self,
        form: Mapping[str, Any] | bytes,
        *proofs: str,
        path: str = "/oauth/token",
        address: str = "",
        kind: str = FORM,
        more: list[tuple[str, str]] | None = None,
    ) -> httpx.Response:
        body = form if isinstance(form, bytes) else urlencode(form, doseq=True).encode()
        headers = [("content-type", kind), *(("dpop", proof) for proof in proofs), *(more or [])]
        return self.ask("POST", path, content=body, headers=headers, address=address)

    def token(self, town: Town, **changes: Any) -> str:
        reply = self.post(town.form(**changes), town.proof())
        assert reply.status_code == 200, reply.text
        return str(reply.json()["access_token"])

    def notify(
        self, credentials: str, *proofs: str, body: bytes = b'{"heads": []}', address: str = ""
    ) -> httpx.Response:
        """Knock at the door that only peers may use."""
        headers = [("authorization", credentials), *(("dpop", proof) for proof in proofs)]
        if not credentials:
            headers = headers[1:]
        headers.append(("content-type", "application/json"))
        return self.ask("POST", "/federation/notify", content=body, headers=headers, address=address)


def made_node(folder: Path, migrated: Path, keyring: Keyring, **settings: Any) -> Node:
    """Put a node together in a folder, from a migrated database and keys that exist."""
    shutil.copy(migrated, folder / "node.db")
    shutil.copytree(keyring._folder, folder / "keys")
    asked = {"name": "London", "base_url": LONDON, **UNLIMITED, **settings}
    return build(load(environ={}, data=folder, overrides=asked))


def know(node: Node, town: Town, name: str, *, state: str = "active", quarantine: str = "") -> None:
    """Write a city into the book as a person would have admitted it, with its keys pinned."""
    columns: dict[str, Any] = dict.fromkeys(Peer.__dataclass_fields__, 0)
    texts = ("title", "fingerprint", "quarantine", "note", "statement", "approved_by", "last_error_code", "last_error")
    columns |= dict.fromkeys(texts, "")
    columns |= {"name": name, "url": town.url, "state": state, "quarantine": quarantine, "namespaces": ()}
    peers = node.federation.peers
    with node.db.write() as tx:
        peers.insert(tx, Peer(**columns))
        if state != "proposed":
            peers.pin(tx, name, town.keyring.published(), 0)
