"""Catalogues and version documents: written as the schemas want, read as connectors write."""

from typing import Any

import pytest

from node.errors import Malformed
from node.federation.dsp.documents import (
    Catalog,
    CatalogError,
    CatalogRequest,
    DataService,
    Dataset,
    Distribution,
    own_versions,
    read_versions,
)
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.dsp.policies import Offer

OFFER = Offer("urn:o", "", {"permission": [{"action": "use"}]}, {"title": "Plans"})
WAY = Distribution("https://w3id.org/citynode/ns#feed", DataService("urn:s", "https://london.test"))
DATASET = Dataset("urn:d", (OFFER,), (WAY,), {"dct:title": {"@value": "Plans", "@language": "en"}})
CATALOG = Catalog("urn:c", "https://london.test", (DATASET,), (DataService("urn:s", "https://london.test"),))


def root(**members: Any) -> dict[str, Any]:
    return {"@context": [DSP_CONTEXT], "@id": "urn:c", "@type": "Catalog", "participantId": "urn:p", **members}


def test_a_catalogue_reads_back_as_it_was_written():
    assert Catalog.read(CATALOG.document()) == CATALOG
    assert Dataset.read_root(DATASET.document(root=True)) == DATASET
    assert CatalogRequest.read(CatalogRequest(({"offset": 1},)).document()) == CatalogRequest(({"offset": 1},))
    assert CatalogError.read(CatalogError("no", ("Why.",)).document()) == CatalogError("no", ("Why.",))


def test_an_empty_list_is_left_out():
    assert Catalog("urn:c", "urn:p").document().keys() == {"@context", "@type", "@id", "participantId"}


def test_an_offer_below_its_dataset_has_no_target():
    offered = CATALOG.document()["dataset"][0]["hasPolicy"][0]
    assert "target" not in offered
    assert offered["@id"] == "urn:o"


def test_what_a_connector_without_data_plane_writes_is_taken():
    dataset = {"@id": "d", "@type": "Dataset", "hasPolicy": {"@id": "o", "@type": "Offer", "permission": []}}
    found = Catalog.read(root(dataset=dataset, catalog=[{"@id": "sub"}], service={"@id": "s", "@type": "DataService"}))
    assert found.datasets == (Dataset("d", (Offer("o", "", {}, {}, ()),), ()),)
    assert found.services == (DataService("s"),)


@pytest.mark.parametrize(
    "members",
    [
        {"dataset": ["text"]},
        {"dataset": [{}]},
        {"dataset": [{"@id": "d"}] * 5_001},
        {"dataset": [{"@id": "d", "distribution": [{"format": 1}]}]},
        {"service": [{"@id": "s", "endpointURL": 1}]},
        {"participantId": None},
        {"@id": ""},
    ],
)
def test_what_is_no_catalogue_is_refused(members: dict[str, Any]):
    with pytest.raises(Malformed):
        Catalog.read(root(**members))


def test_a_peers_own_terms_are_kept_within_a_bound():
    assert Catalog.read(root(**{"dct:title": "T", "title": "x", "edc:id": "1"})).terms == {"dct:title": "T"}
    assert Catalog.read(root(**{"dct:title": "x" * 20_000})).terms == {}
    assert Catalog.read(root(**{f"dct:t{number}": 1 for number in range(50)})).terms == {}


def test_our_version_document_names_one_place_and_two_ways_to_show_who_one_is():
    told = read_versions(own_versions("https://london.test"))
    assert {(each.version, each.path) for each in told} == {("2025-1", "/dsp/2025-1")}
    assert [each.auth.protocol for each in told if each.auth] == ["OAuth", "DCP"]
    with pytest.raises(Malformed):
        read_versions({"protocolVersions": []})
