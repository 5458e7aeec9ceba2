"""OAuth at the edge: what the metadata says, which methods an address knows, and bodies that never end."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from starlette.requests import Request

from node.errors import Malformed, NodeError, TooLarge
from node.federation.tokens.metadata import server_metadata
from node.keys import Keyring
from node.web.wire.bodies import body_of
from tests.federation.oauth_rig import LONDON, Door, made_node

SERVER = "/.well-known/oauth-authorization-server"
RESOURCE = "/.well-known/oauth-protected-resource"


@pytest.fixture(scope="module")
def london(migrated: Path, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with Door.to(made_node(tmp_path_factory.mktemp("london"), migrated, keyring)) as door:
        yield door


@pytest.fixture(scope="module")
def below(migrated: Path, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Give a node whose base URL has a path."""
    node = made_node(tmp_path_factory.mktemp("below"), migrated, keyring, base_url=f"{LONDON}/a/city")
    with Door.to(node) as door:
        yield door


# ---------------------------------------------------------------- metadata


def test_the_metadata_says_what_there_is(london: Door) -> None:
    told = london.ask("GET", SERVER).json()
    assert told["issuer"] == LONDON
    for endpoint in ("token", "introspection", "revocation"):
        address = told[f"{endpoint}_endpoint"]
        assert london.post({}, path=address.removeprefix(LONDON)).status_code in (400, 401)
        assert told[f"{endpoint}_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        assert told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == ["ES256", "Ed25519"]
    assert told["dpop_signing_alg_values_supported"] == ["ES256", "Ed25519"]
    assert london.ask("GET", told["jwks_uri"].removeprefix(LONDON)).status_code == 200
    assert "authorization_endpoint" not in told


def test_the_metadata_is_whole_by_the_librarys_own_check() -> None:
    told: dict[str, Any] = {**server_metadata("https://city.example")}
    metadata = AuthorizationServerMetadata(told)
    # Nobody is sent here by a browser: no authorization endpoint, and a list of response types that is empty.
    for member in set(metadata.REGISTRY_KEYS) - {"authorization_endpoint", "response_types_supported"}:
        getattr(metadata, f"validate_{member}", lambda: None)()


def test_the_resource_names_its_server(london: Door) -> None:
    told = london.ask("GET", RESOURCE).json()
    assert (told["resource"], told["authorization_servers"]) == (LONDON, [LONDON])
    assert told["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize("path", [SERVER, RESOURCE])
def test_metadata_is_kept_and_asked_about(london: Door, path: str) -> None:
    first = london.ask("GET", path)
    again = london.ask("GET", path, headers=[("if-none-match", first.headers["etag"])])
    assert (first.status_code, again.status_code) == (200, 304)


@pytest.mark.parametrize("path", [SERVER, RESOURCE])
def test_an_issuer_with_a_path_is_found_where_rfc_8414_looks_for_it(below: Door, london: Door, path: str) -> None:
    found = [below.ask("GET", spelt) for spelt in (f"{path}/a/city", f"/a/city{path}", path)]
    assert {reply.status_code for reply in found} == {200}
    assert len({reply.content for reply in found}) == 1
    assert below.ask("GET", f"{path}/other").status_code == 404
    assert below.ask("GET", f"{path}x").status_code == 404
    assert london.ask("GET", f"{path}/a/city").status_code == 404
    told = below.ask("GET", f"{SERVER}/a/city").json()
    assert (told["issuer"], told["token_endpoint"]) == (f"{LONDON}/a/city", f"{LONDON}/a/city/oauth/token")


# ---------------------------------------------------------------- methods


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke", "/federation/notify"])
def test_where_one_posts_there_is_nothing_to_get(london: Door, path: str) -> None:
    asked = london.ask("OPTIONS", path)
    assert (asked.status_code, asked.headers["allow"]) == (204, "POST, OPTIONS")
    assert asked.headers["access-control-allow-methods"] == "POST, OPTIONS"
    for name in ("authorization", "dpop", "content-type"):
        assert name in asked.headers["access-control-allow-headers"].lower()
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        reply = london.ask(method, path)
        assert (reply.status_code, reply.headers["allow"]) == (405, "POST, OPTIONS")
    assert london.ask("GET", path).json()["fix"] == "Use POST."


def test_where_one_reads_there_is_nowhere_to_post(london: Door) -> None:
    for path in ("/", "/checkpoints", "/catalog"):
        assert london.ask("OPTIONS", path).headers["allow"] == "GET, HEAD, OPTIONS"
        reply = london.ask("POST", path)
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert reply.json()["fix"] == "Use GET or HEAD."


# ---------------------------------------------------------------- bodies


def read(*parts: bytes, most: int = 10, headers: dict[str, str] | None = None, gone: bool = False) -> bytes:
    """Read a body that comes in parts; without an end it drips for ever."""

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        if left:
            return {"type": "http.request", "body": left.pop(0), "more_body": True}
        if gone:
            return {"type": "http.disconnect"}
        if not parts:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": b"", "more_body": False}

    left = list(parts)
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive)
    return asyncio.run(body_of(request, most=most, deadline_s=0.05))


def test_a_body_within_its_bounds_is_given_whole() -> None:
    assert read(b"12345", b"67890") == b"1234567890"
    assert read(b"12345", headers={"content-length": "5", "content-encoding": "identity"}) == b"12345"


BODIES: dict[str, tuple[dict[str, Any], type[NodeError]]] = {
    "declared too long": ({"headers": {"content-length": "11"}}, TooLarge),
    "longer than it may be": ({"parts": [b"123456", b"123456"]}, TooLarge),
    "never comes": ({}, TooLarge),
    "ends early": ({"parts": [b"1"], "gone": True}, Malformed),
    "compressed": ({"parts": [b"1"], "headers": {"content-encoding": "gzip"}}, Malformed),
    "length is no number": ({"parts": [b"1"], "headers": {"content-length": "-1"}}, Malformed),
    "length is endless": ({"parts": [b"1"], "headers": {"content-length": "1" * 40}}, Malformed),
}


@pytest.mark.parametrize(("given", "error"), BODIES.values(), ids=BODIES)
def test_a_body_past_a_bound_is_refused(given: dict[str, Any], error: type[NodeError]) -> None:
    with pytest.raises(error):
        read(*given.pop("parts", []), **given)
