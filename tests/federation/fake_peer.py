"""A peer city on a free loopback port that says whatever a test wants, also what no honest city would say.

`KeptServer` is a server of HTTP/1.1 whose answers are bytes or functions by path; `FakePeer` adds keys and a signed
entity statement, built here by hand from the wire format so that each claim can be bent. Both end with their `with`.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from node.keys import Keyring, PublicKey

NOW_MS = 1_800_000_000_000
DAY_S = 86_400
STATEMENT = "/.well-known/openid-federation"


@dataclass(frozen=True)
class Said:
    """An answer. `length` False leaves out Content-Length and closes."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Handle = Callable[[BaseHTTPRequestHandler, Heard], None]


class KeptServer:
    """A server on a free loopback port that keeps connections open; `says` maps a path without query to its answer."""

    def __init__(self) -> None:
        outer = self
        self.says: dict[str, Said | Handle] = {}
        self.requests: list[Heard] = []
        self.connections = 0
        self._open: set[socket.socket] = set()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = 20

            def setup(self) -> None:
                super().setup()
                outer.connections += 1
                outer._open.add(self.connection)

            def finish(self) -> None:
                outer._open.discard(self.connection)
                super().finish()

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                heard = Heard(self.command, self.path, headers, body)
                outer.requests.append(heard)
                try:
                    outer._answer(self, heard)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *args: object) -> None:
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def _answer(self, request: BaseHTTPRequestHandler, heard: Heard) -> None:
        found = self.says.get(heard.path.partition("?")[0], Said(b"nothing here", 404))
        if isinstance(found, Said):
            say(request, found)
        else:
            found(request, heard)

    def hang_up(self) -> None:
        """Close every open connection."""
        for stream in list(self._open):
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.hang_up()


def say(request: BaseHTTPRequestHandler, said: Said) -> None:
    """Write one answer."""
    request.send_response(said.status)
    for name, value in said.headers.items():
        request.send_header(name, value)
    if said.status != 304 and not {"content-length", "transfer-encoding"} & {name.lower() for name in said.headers}:
        request.send_header("Content-Length", str(len(said.body)))
    request.end_headers()
    request.wfile.write(said.body)


class FakePeer(KeptServer):
    """A city with keys and a statement; `says` may be bent at any time, `publish` renews the statement."""

    def __init__(self, folder: Path, *, name: str = "Helsinki", prefix: str = "") -> None:
        super().__init__()
        self.name = name
        self.url += prefix
        self.prefix = prefix
        self.keyring = Keyring.create(folder)
        self.namespaces: list[str] = [f"{self.url}/"]
        self.collections: list[dict[str, str]] = [
            {"name": "open-data", "iri": f"{self.url}/collections/open-data", "title": "Open data"}
        ]
        self.publish()

    @property
    def fingerprint(self) -> str:
        return self.keyring.fingerprint

    def publish(self, statement: str = "", *, now_ms: int = NOW_MS) -> str:
        """Serve a statement: this one, or an honest one of now."""
        said = statement or self.statement(now_ms=now_ms)
        headers = {"Content-Type": "application/entity-statement+jwt"}
        self.says[f"{self.prefix}{STATEMENT}"] = Said(said.encode(), headers=headers)
        return said

    def claims(self, *, now_ms: int, keys: Sequence[PublicKey] | None = None) -> dict[str, Any]:
        """Give the claims of an honest statement."""
        published = list(self.keyring.published() if keys is None else keys)
        valid = [key for key in published if key.is_in_force(now_ms)]

        def jwks(purpose: str) -> dict[str, Any]:
            return {"keys": [{**key.jwk, "kid": key.kid, "alg": key.alg} for key in valid if key.purpose == purpose]}

        base = self.url
        endpoints = {name: f"{base}/federation/{name}" for name in ("notify", "erasures", "refusals")}
        endpoints |= {"token": f"{base}/oauth/token", "witness": f"{base}/witness/add-checkpoint"}
        endpoints |= {"checkpoints": f"{base}/checkpoints", "collections": f"{base}/collections"}
        return {
            "iss": base,
            "sub": base,
            "iat": now_ms // 1000,
            "exp": now_ms // 1000 + DAY_S,
            "jwks": jwks("entity"),
            "metadata": {
                "federation_entity": {"organization_name": self.name},
                "oauth_authorization_server": {
                    "issuer": base,
                    "token_endpoint": endpoints["token"],
                    "jwks": jwks("token"),
                },
                "oauth_client": {
                    "token_endpoint_auth_method": "private_key_jwt",
                    "grant_types": ["client_credentials"],
                    "jwks": jwks("client"),
                },
                "oauth_resource": {"resource": base},
                "citynode": {
                    "v": 1,
                    "name": self.name,
                    "software": "citynode/0.1.0",
                    "federation": "https://w3id.org/citynode/federation/digital-declaration",
                    "namespaces": self.namespaces,
                    "endpoints": endpoints,
                    "protocols": {"feed": ["1"], "witness": ["cosignature/v1"]},
                    "collections": self.collections,
                    "keys": [key.document() for key in published],
                },
            },
        }

    def statement(self, *, now_ms: int, keys: Sequence[PublicKey] | None = None, **changes: Any) -> str:
        """Sign claims with the entity key; `changes` replace claims."""
        claims = self.claims(now_ms=now_ms, keys=keys) | changes
        return self.keyring.jwt("entity", "entity-statement+jwt", claims)

    def becomes(self, other: Keyring, *, now_ms: int) -> str:
        """Show another keyring from now on: what a thief of the address does."""
        self.keyring = other
        return self.publish(now_ms=now_ms)

    def rotate(self, *purposes: str, now_ms: int) -> str:
        """Rotate keys as a city does, and publish."""
        for purpose in purposes:
            self.keyring.rotate(purpose, now_ms=now_ms, issuer=self.url)  # type: ignore[arg-type]
        return self.publish(now_ms=now_ms)

    def shows(self, *heads: Mapping[str, object], etag: str = '"1"') -> None:
        """Serve heads at /checkpoints, with 304 for those who know them."""
        body = json.dumps({"checkpoints": list(heads)}).encode()

        def answer(request: BaseHTTPRequestHandler, heard: Heard) -> None:
            known = heard.headers.get("if-none-match") == etag
            headers = {"Content-Type": "application/json", "ETag": etag}
            say(request, Said(b"" if known else body, 304 if known else 200, headers))

        self.says[f"{self.prefix}/checkpoints"] = answer
