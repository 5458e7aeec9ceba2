"""Who this node is, over HTTP: a whole node answers, and what it says can be checked with what it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.app import create_app
from node.assembly import Node, build
from node.cli.beginning import begin
from node.federation.identity.identity import read_statement
from node.federation.identity.own import HOUR_S
from node.keys import PURPOSES, thumbprint
from tests.web.client import Client

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

ORIGIN = "http://127.0.0.1:8001"
BASES = {"plain": ORIGIN, "prefixed": f"{ORIGIN}/cities/helsinki"}


@pytest.fixture(params=BASES)
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    settings, _ = begin(data=tmp_path / "node", name="Helsinki", base_url=BASES[request.param], languages="en")
    made = build(settings)
    yield made
    made.close()


@pytest.fixture
def client(node: Node) -> Iterator[Client]:
    made = Client(create_app(node), ORIGIN)
    yield made
    made.close()


def test_the_statement_can_be_checked_with_itself(node: Node, client: Client):
    base = node.settings.base_url
    reply = client.get(base + "/.well-known/openid-federation")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/entity-statement+jwt")
    found = read_statement(reply.text, url=base, now_ms=now_of(reply.text))
    assert (found.name, found.fingerprint) == ("Helsinki", node.keyring.fingerprint)
    assert found.collections == (("open-data", f"{base}/collections/open-data", "Open data"),)
    assert list(found.keys) == node.keyring.published()


def now_of(statement: str) -> int:
    from node.keys.jwt import unchecked_claims

    return int(unchecked_claims(statement, max_bytes=65_536)["iat"]) * 1000


def test_restricted_collections_are_not_told(node: Node, client: Client):
    node.create_collection("secrets", title="Of nobody's business", visibility="restricted", at_ms=1)
    statement = client.get(node.settings.base_url + "/.well-known/openid-federation").text
    found = read_statement(statement, url=node.settings.base_url, now_ms=now_of(statement))
    assert [name for name, _, _ in found.collections] == ["open-data"]


@pytest.mark.parametrize("path", ["openid-federation", "did.json", "jwks.json"])
def test_what_has_not_changed_is_a_304(node: Node, client: Client, path: str):
    address = f"{node.settings.base_url}/.well-known/{path}"
    first = client.get(address)
    assert first.headers["cache-control"].startswith("public")
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert client.head(address).headers["content-length"] == first.headers["content-length"]


def test_a_rotation_in_another_process_shows_at_once(node: Node, client: Client):
    from node.assembly import keys_folder
    from node.keys import Keyring

    address = node.settings.base_url + "/.well-known/"
    before = {path: client.get(address + path) for path in ("openid-federation", "did.json", "jwks.json")}
    Keyring(keys_folder(node.settings)).rotate("record", now_ms=1, issuer=node.settings.base_url)
    for path, old in before.items():
        new = client.get(address + path, headers={"if-none-match": old.headers["etag"]})
        assert (new.status_code, new.headers["etag"] == old.headers["etag"]) == (200, False)


def test_the_key_set_names_every_key_once_by_its_thumbprint(node: Node, client: Client):
    keys = client.get(node.settings.base_url + "/.well-known/jwks.json").json()["keys"]
    assert [key["kid"] for key in keys] == [thumbprint(key) for key in keys]
    assert {key["kid"] for key in keys} == {node.keyring.current(purpose).kid for purpose in PURPOSES}


def test_the_did_leads_back_to_its_document(node: Node, client: Client):
    base = node.settings.base_url
    document = client.get(base + "/.well-known/did.json").json()
    host, *path = document["id"].removeprefix("did:web:").split(":")
    found = f"http://{host.replace('%3A', ':')}/{'/'.join(path) if path else '.well-known'}/did.json"
    assert found == (base + "/.well-known/did.json" if base == ORIGIN else base + "/did.json")
    assert client.get(found).json() == document
    assert client.get(base + "/did.json").status_code == (404 if base == ORIGIN else 200)


def test_a_statement_is_of_the_running_hour(node: Node):
    own = node.federation.identity
    hour = HOUR_S * 1000
    assert own.statement(hour) == own.statement(2 * hour - 1) != own.statement(2 * hour)
