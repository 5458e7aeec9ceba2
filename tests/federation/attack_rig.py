"""A city that is attacked, and two that it knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.federation.tokens.dpop import ProofKey
from node.keys import Keyring
from tests.federation.oauth_rig import HELSINKI, LONDON, OSLO, Door, Town, know, made_node, now_s

NOTIFY = f"{LONDON}/federation/notify"


@pytest.fixture(scope="module")
def london(migrated: Path, keys: dict[str, Keyring], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    node = made_node(tmp_path_factory.mktemp("london"), migrated, keys["london"])
    know(node, Town(HELSINKI, keys["helsinki"]), "helsinki")
    know(node, Town(OSLO, keys["oslo"]), "oslo")
    with Door.to(node) as door:
        yield door


@pytest.fixture
def helsinki(keys: dict[str, Keyring]) -> Town:
    return Town(HELSINKI, keys["helsinki"])


@pytest.fixture
def oslo(keys: dict[str, Keyring]) -> Town:
    return Town(OSLO, keys["oslo"])


def refused(reply: httpx.Response, code: str) -> None:
    """Check what every refusal of these endpoints is: OAuth's JSON, never stored, with its code."""
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    told = reply.json()
    assert told["error"] == code, told
    assert set(told) == {"error", "error_description"}
    assert reply.status_code == (401 if code == "invalid_client" else 400)
    assert ("www-authenticate" in reply.headers) == (reply.status_code == 401)


def turned_away(reply: httpx.Response, error: str, scheme: str = "DPoP") -> None:
    """Check what every 401 of a protected address is: a problem, with a challenge that names what is wrong."""
    assert reply.status_code == 401, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == f"{LONDON}/problems/unauthenticated"
    dpop, bearer = reply.headers["www-authenticate"].split(", Bearer ")
    assert dpop.startswith("DPoP ")
    assert 'algs="ES256 Ed25519"' in dpop
    assert f'resource_metadata="{LONDON}/.well-known/oauth-protected-resource"' in dpop
    assert f'error="{error}"' in (dpop if scheme == "DPoP" else bearer)


def plain(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


OTHER = ProofKey()


def at(london: Door, helsinki: Town, *, key: str = "token", typ: str = "at+jwt", **changes: Any) -> str:
    """Write a token as London would, but for what is changed, signed by London's own key."""
    honest = {
        "iss": LONDON,
        "sub": HELSINKI,
        "client_id": HELSINKI,
        "aud": LONDON,
        "iat": now_s(),
        "exp": now_s() + 300,
        "jti": f"made-{now_s()}",
        "scope": "federation",
        "cnf": {"jkt": helsinki.key.thumbprint},
    }
    claims = {k: v for k, v in {**honest, **changes}.items() if v is not None}
    return london.node.keyring.jwt(key, typ, claims)  # type: ignore[arg-type]
