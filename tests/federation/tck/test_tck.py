"""The 67 cases of the Dataspace TCK (metadata, catalogue, negotiations, transfers) in our own words, by its ids.

The real kit runs in `make tck`; this is what always runs. A dialogue is read from the kit's side: `offer` is said by it
and taken, `<offer` is what it expects of us, `!offer` must be refused and change nothing, `=STATE` is looked up.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.federation.tck.kit import BASE, Kit, kit
from tests.federation.tck.transfers import TransferTalk
from tests.tck.kit import IDS
from tests.tck.scripts import CONSUMER, CONSUMES, PROVIDER, PROVIDES

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save

DIALOGUES = {
    "CN:01-01": "request <offer terminate =TERMINATED",
    "CN:01-02": "request <offer request <terminate =TERMINATED",
    "CN:01-03": "request <offer accept <agree verify <finalize =FINALIZED",
    "CN:01-04": "request <agree verify <finalize =FINALIZED",
    "CN:02-01": "request <terminate =TERMINATED",
    "CN:02-02": "request terminate =TERMINATED",
    "CN:02-03": "request <agree terminate =TERMINATED",
    "CN:02-04": "request <offer terminate =TERMINATED",
    "CN:02-05": "request <offer <terminate =TERMINATED",
    "CN:02-06": "request <offer accept <terminate =TERMINATED",
    "CN:02-07": "request <agree verify <terminate =TERMINATED",
    "CN:03-01": "request <agree verify <finalize =FINALIZED !terminate =FINALIZED",
    "CN:03-02": "request <offer !verify =OFFERED",
    "CN:03-03": "request <offer accept !verify =ACCEPTED",
    "CN:03-04": "request <offer request !request =REQUESTED",
    "CN_C:01-01": "<request offer <accept agree <verify finalize =FINALIZED",
    "CN_C:01-02": "<request offer <request terminate =TERMINATED",
    "CN_C:01-03": "<request offer <terminate =TERMINATED",
    "CN_C:01-04": "<request agree <verify finalize =FINALIZED",
    "CN_C:02-01": "<request terminate =TERMINATED",
    "CN_C:02-02": "<request <terminate =TERMINATED",
    "CN_C:02-03": "<request agree <terminate =TERMINATED",
    "CN_C:02-04": "<request offer =OFFERED terminate =TERMINATED",
    "CN_C:02-05": "<request offer <accept terminate =TERMINATED",
    "CN_C:02-06": "<request agree <verify terminate =TERMINATED",
    "CN_C:03-01": "<request !finalize =REQUESTED",
    "CN_C:03-02": "<request offer =OFFERED !agree =OFFERED",
    "CN_C:03-03": "<request offer !finalize =OFFERED",
    "CN_C:03-04": "<request offer <accept !finalize =ACCEPTED",
    "CN_C:03-05": "<request offer <accept !offer =ACCEPTED",
    "CN_C:03-06": "<request offer <accept agree =AGREED !finalize =AGREED",
}
TRANSFERS = {
    "TP:01-01": "request <start <terminate =TERMINATED",
    "TP:01-02": "request <start <complete =COMPLETED",
    "TP:01-03": "request <start <suspend <terminate =TERMINATED",
    "TP:01-04": "request <start <suspend <start <complete =COMPLETED",
    "TP:01-05": "request <terminate =TERMINATED",
    "TP:02-01": "request <start =STARTED terminate =TERMINATED",
    "TP:02-02": "request <start =STARTED complete =COMPLETED",
    "TP:02-03": "request <start =STARTED suspend =SUSPENDED terminate =TERMINATED",
    "TP:02-04": "request <start =STARTED suspend =SUSPENDED start =STARTED complete =COMPLETED",
    "TP:02-05": "request =REQUESTED terminate =TERMINATED",
    "TP:03-01": "request !complete =REQUESTED",
    "TP:03-02": "request !suspend =REQUESTED",
    "TP:03-03": "request <start suspend =SUSPENDED !complete =SUSPENDED",
    "TP:03-04": "request <start terminate =TERMINATED !start =TERMINATED",
    "TP:03-05": "request <start terminate =TERMINATED !suspend =TERMINATED",
    "TP:03-06": "request <start terminate =TERMINATED !complete =TERMINATED",
    "TP_C:01-01": "<request start =STARTED terminate =TERMINATED",
    "TP_C:01-02": "<request start =STARTED complete =COMPLETED",
    "TP_C:01-03": "<request start =STARTED suspend =SUSPENDED terminate =TERMINATED",
    "TP_C:01-04": "<request start =STARTED suspend =SUSPENDED start =STARTED complete =COMPLETED",
    "TP_C:01-05": "<request =REQUESTED terminate =TERMINATED",
    "TP_C:02-01": "<request start <terminate =TERMINATED",
    "TP_C:02-02": "<request start <complete =COMPLETED",
    "TP_C:02-03": "<request start <suspend <terminate =TERMINATED",
    "TP_C:02-04": "<request start <suspend <start <complete =COMPLETED",
    "TP_C:02-05": "<request <terminate =TERMINATED",
    "TP_C:03-01": "<request !complete =REQUESTED",
    "TP_C:03-02": "<request !suspend =REQUESTED",
    "TP_C:03-03": "<request start suspend =SUSPENDED !complete =SUSPENDED",
    "TP_C:03-04": "<request start terminate =TERMINATED !start =TERMINATED",
    "TP_C:03-05": "<request start terminate =TERMINATED !suspend =TERMINATED",
    "TP_C:03-06": "<request start terminate =TERMINATED !complete =TERMINATED",
}
METADATA = ("MET:01-01", "CAT:01-01", "CAT:01-02", "CAT:01-03")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Kit]:
    """Give one node for all tests: each negotiates about a dataset of its own."""
    with kit(tmp_path_factory.mktemp("tck"), migrated) as made:
        yield made


def test_every_case_of_the_kit_is_here() -> None:
    assert sorted((*METADATA, *DIALOGUES, *TRANSFERS)) == sorted(IDS)
    assert len(IDS) == 67
    assert DIALOGUES.keys() == PROVIDER.keys() | CONSUMER.keys()
    assert TRANSFERS.keys() == PROVIDES.keys() | CONSUMES.keys()


@pytest.mark.parametrize("test", METADATA[:1])
def test_metadata(there: Kit, test: str) -> None:
    reply = there.ask("GET", "/.well-known/dspace-version", token=False)
    assert reply.status == 200
    found = [each for each in json.loads(reply.body)["protocolVersions"] if each["version"] == "2025-1"]
    assert found
    assert all(each["path"] and each["binding"] == "HTTPS" for each in found)


@pytest.mark.parametrize("test", METADATA[1:])
def test_catalogue(there: Kit, test: str) -> None:
    asked = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage"}
    if test == "CAT:01-01":
        reply = there.ask("POST", f"{BASE}/catalog/request", asked)
        found = json.loads(reply.body)
        assert (reply.status, found["@type"]) == (200, "Catalog")
        assert there.offer in [each["@id"] for each in found["dataset"]]
    if test == "CAT:01-02":
        reply = there.ask("GET", f"{BASE}/catalog/datasets/{quote(there.offer, safe='')}")
        found = json.loads(reply.body)
        assert (reply.status, found["@type"], found["@id"]) == (200, "Dataset", there.offer)
        assert found["hasPolicy"]
        assert found["distribution"]
    if test == "CAT:01-03":
        reply = there.ask("GET", f"{BASE}/catalog/datasets/CAT0103")
        assert (reply.status, json.loads(reply.body)["@type"]) == (404, "CatalogError")


@pytest.mark.parametrize("test", DIALOGUES)
def test_negotiation(there: Kit, test: str) -> None:
    there.talk(test).tell(DIALOGUES[test])


@pytest.mark.parametrize("test", TRANSFERS)
def test_transfer(there: Kit, test: str) -> None:
    TransferTalk(there, test).tell(TRANSFERS[test])


def test_without_a_token_nothing_but_the_versions_is_told(there: Kit) -> None:
    assert there.ask("POST", f"{BASE}/catalog/request", {}, token=False).status == 401
    assert there.ask("POST", f"{BASE}/negotiations/request", {}, token=False).status == 401
    assert there.ask("GET", f"{BASE}/negotiations/some", token=False).status == 401
    assert there.ask("GET", f"{BASE}/negotiations/some").status == 404
    assert there.ask("POST", f"{BASE}/transfers/request", {}, token=False).status == 401
    assert there.ask("GET", f"{BASE}/transfers/some", token=False).status == 401
    assert there.ask("GET", f"{BASE}/transfers/some").status == 404


def test_a_node_as_it_is_delivered_knows_no_scripts(there: Kit) -> None:
    """What decides for the kit's own city is what persons approved, and no setting says otherwise."""
    assert type(there.own.federation.agreeing.dsp.decider).__module__ == "node.federation.negotiations.approvals"
    assert not [name for name in type(there.own.node.settings).model_fields if "tck" in name or "script" in name]
