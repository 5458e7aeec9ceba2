"""What a twin's service speaks is found by its own documents: real HTTP, documents as such services answer."""

import json
import threading
from collections.abc import Iterator

import pytest

from node.catalog.twins import MAX_BYTES, Probed, Prober
from node.errors import ForbiddenAddress, Stopped
from node.outbound import Outbound
from node.vocab.kinds.checking import check
from node.vocab.kinds.data_service import TABLE
from tests.portal_server import Handle, PortalServer, page, status

FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
SENSING = "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel"
WFS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- 3DCityDB -->\n<wfs:WFS_Capabilities version="2.0.0"'
    ' xmlns:wfs="http://www.opengis.net/wfs/2.0"><ows:ServiceIdentification><ows:Title>Buildings of the\n city'
    "</ows:Title></ows:ServiceIdentification></wfs:WFS_Capabilities>"
)
QUERY = "?service=WFS&request=GetCapabilities"


@pytest.fixture
def way() -> Iterator[Outbound]:
    made = Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="test")
    yield made
    made.close()


def told(body: object) -> Handle:
    return page(json.dumps(body), "application/json")


def probe(way: Outbound, url: str) -> Probed:
    return Prober(way, stop=threading.Event()).probe(url)


def spoken(found: Probed, portal: PortalServer) -> list[tuple[str, str, str, str]]:
    return [
        (each.standard, each.version, each.endpoint.removeprefix(portal.url), each.description.removeprefix(portal.url))
        for each in found.speaks
    ]


def test_a_landing_page_of_ogc_api_features_is_known_by_what_it_conforms_to(
    way: Outbound, portal: PortalServer
) -> None:
    rel = "http://www.opengis.net/def/rel/ogc/1.0/conformance"
    links = [{"rel": rel, "href": f"{portal.url}/conf"}, {"rel": "service-desc", "href": f"{portal.url}/api"}]
    portal.pages["/ogc"] = told({"title": "Twin  of\nthe city", "links": links})
    portal.pages["/conf"] = told({"conformsTo": [FEATURES]})
    found = probe(way, f"{portal.url}/ogc")
    assert spoken(found, portal) == [("ogc-api-features", "1.0", "/ogc", "/api")]
    assert found.speaks[0].title == "Twin of the city"


def test_a_stac_api_that_also_speaks_features_is_both(way: Outbound, portal: PortalServer) -> None:
    portal.pages["/"] = told({"type": "Catalog", "stac_version": "1.1.0", "conformsTo": [FEATURES], "links": []})
    assert [each.standard for each in probe(way, f"{portal.url}/").speaks] == ["stac-api", "ogc-api-features"]


@pytest.mark.parametrize(
    ("at", "body", "standard"),
    [
        ("/sta", {"serverSettings": {"conformance": [SENSING]}, "value": []}, ("sensorthings-1.1", "1.1")),
        (
            "/sta/v1.0",
            {"value": [{"name": name} for name in ("Things", "Datastreams", "Observations")]},
            ("sensorthings-1.0", "1.0"),
        ),
        ("/tileset.json", {"asset": {"version": "1.1"}, "geometricError": 1, "root": {}}, ("3d-tiles", "1.1")),
    ],
)
def test_a_document_that_names_its_standard_is_enough(
    way: Outbound, portal: PortalServer, at: str, body: object, standard: tuple[str, str]
) -> None:
    portal.pages[at] = told(body)
    found = probe(way, portal.url + at)
    assert [(each.standard, each.version) for each in found.speaks] == [standard]
    assert len(portal.asked) == 1


def test_a_wfs_is_asked_for_its_capabilities(way: Outbound, portal: PortalServer) -> None:
    portal.pages["/wfs"] = status(400)
    portal.pages[f"/wfs{QUERY}"] = page(WFS, "text/xml")
    found = probe(way, f"{portal.url}/wfs")
    assert spoken(found, portal) == [("wfs", "2.0.0", "/wfs", f"/wfs{QUERY}")]
    assert found.speaks[0].title == "Buildings of the city"


@pytest.mark.parametrize("body", [{"type": "EntityTypeList", "typeList": ["Building"]}, [{"typeName": "Building"}]])
@pytest.mark.parametrize("at", ["", "/ngsi-ld/v1", "/ngsi-ld/v1/types"])
def test_a_context_broker_is_known_by_its_types(way: Outbound, portal: PortalServer, body: object, at: str) -> None:
    portal.pages["/ngsi-ld/v1/types"] = told(body)
    assert spoken(probe(way, portal.url + at), portal) == [("ngsi-ld", "v1", "/ngsi-ld/v1", "/ngsi-ld/v1/types")]


def test_what_is_begun_of_a_probe_can_be_published_once_it_is_filled_in(way: Outbound, portal: PortalServer) -> None:
    portal.pages["/wfs"] = page(WFS, "text/xml")
    said = probe(way, f"{portal.url}/wfs").said(f"{portal.url}/wfs", language="fi")
    assert said["title"] == {"fi": "Buildings of the city"}
    assert said["standards"] == ["wfs"]
    assert [each.pointer for each in check(TABLE, said)] == ["/publisher"]


def test_a_stranger_is_asked_a_few_times_and_every_answer_is_told(way: Outbound, portal: PortalServer) -> None:
    portal.pages["/moved"] = status(301, Location="https://elsewhere.example/")
    found = probe(way, f"{portal.url}/moved")
    assert found.speaks == ()
    assert found.tried[0].outcome == "301, leads to https://elsewhere.example/: probe that address"
    assert [each.outcome for each in found.tried[1:]] == ["404"] * 4


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"<" * 500_000,
        b"<!--" * 100_000,
        b'<!DOCTYPE a [<!ENTITY b "c">]><WFS_Capabilities version="2.0.0"/>',
        b'{"links": [1, {"rel": 5, "href": []}, {"rel": "conformance", "href": "file:///x"}], "conformsTo": 1}',
        b'{"value": {"name": 1}, "serverSettings": [], "asset": 1, "root": 1, "geometricError": 1}',
        b'{"serverSettings": {"conformance": [1, null]}, "value": [1, {"name": []}], "type": [], "title": {}}',
        b"a" * (MAX_BYTES + 1),
    ],
)
def test_hostile_answers_are_no_standard_and_no_error(way: Outbound, portal: PortalServer, body: bytes) -> None:
    portal.pages["/x"] = page(body, "application/json")
    assert probe(way, f"{portal.url}/x").speaks == ()


def test_an_address_that_is_never_fetched_is_not_asked_and_a_stop_stops(way: Outbound, portal: PortalServer) -> None:
    with pytest.raises(ForbiddenAddress):
        probe(way, "http://169.254.169.254/latest")
    portal.pages["/x"] = told({"links": [{"rel": "conformance", "href": "http://169.254.169.254/latest"}]})
    assert probe(way, f"{portal.url}/x").speaks == ()
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        Prober(way, stop=stop).probe(f"{portal.url}/x")
