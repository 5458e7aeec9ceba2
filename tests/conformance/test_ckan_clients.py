"""Real clients against a real server: ckanapi, our own harvester, and the requests that CKAN's harvesters send.

Two cities' demonstration catalogues stand in one node; what another node harvests from its facade is compared with
what was published. The same for `/data.json` and our DCAT-US adapter.
"""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ckanapi
import httpx
import pytest
import rdflib
import uvicorn

from node.app import create_app
from node.vocab import ntriples
from node.vocab.terms import DCAT, DCT, FOAF
from node.web.wording.graph import Described
from tests.catalog.conftest import lasting_parser  # noqa: F401 - a fixture
from tests.catalog.rig import City, make_city
from tests.portal_server import PortalServer, wait_until

DEMO = Path(__file__).parents[2] / "demo"
HYDRA = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
_TEXTS = (DCT.title, DCT.description, DCAT.keyword)
_LINKS = (DCAT.theme, DCT.license, DCT.accrualPeriodicity, DCT.accessRights)


@contextmanager
def served(city: City, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(create_app(city.node), port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, 20)
        yield
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def node_at(folder: Path, migrated: Path, base_url: str) -> City:
    folder.mkdir()
    shutil.copy(migrated, folder / "node.db")
    return make_city(folder, base_url=base_url, languages=("fi", "sv", "en"))


@pytest.fixture
def portal(migrated: Path, tmp_path: Path, lasting_parser: None) -> Iterator[City]:  # noqa: F811
    """Give a node with two catalogues, served over HTTP at its base URL."""
    with PortalServer() as free:
        base = free.url
    city = node_at(tmp_path / "portal", migrated, base)
    for name, kind in (("helsinki", "ckan"), ("london", "datapress")):
        city.add(DEMO / f"{name}.json", name, kind=kind)
        assert city.run(name).counters.added
    for reading in city.node.finding.readings:
        reading.catch_up(threading.Event())
    with served(city, int(base.rsplit(":", 1)[1])):
        yield city
    city.node.close()


@pytest.fixture
def harvester(migrated: Path, tmp_path: Path) -> Iterator[City]:
    city = node_at(tmp_path / "harvester", migrated, "http://127.0.0.1:8009")
    yield city
    city.node.close()


def told(city: City) -> dict[str, Described]:
    """Every dataset that a city shows, by its IRI."""
    helds = [held for held in city.held() if held.kind == "dataset"]
    payloads = city.node.shelf.payloads(helds)
    return {
        held.iri: Described(ntriples.triples_of(payload), held.iri, "en", ("en",))
        for held, payload in zip(helds, payloads, strict=True)
    }


def test_ckanapi_walks_the_whole_catalogue(portal: City) -> None:
    with ckanapi.RemoteCKAN(portal.node.settings.base_url, user_agent="a script of 2014") as client:
        names = client.action.package_list()
        assert len(names) == len(set(names)) == len(told(portal))
        for get_only in (True, False):
            client.get_only = get_only
            found: list[dict[str, Any]] = []
            while len(found) < len(names):
                page = client.action.package_search(q="*:*", rows=50, start=len(found), sort="id asc")
                assert page["count"] == len(names)
                found += page["results"]
            assert [package["name"] for package in found] == names
            assert len({package["id"] for package in found}) == len(names)
            assert len({r["id"] for package in found for r in package["resources"]}) == sum(
                package["num_resources"] for package in found
            )
        assert client.action.package_show(id=names[0]) == found[0]


def test_a_script_keeps_the_ids_and_names_of_its_citys_old_portal(portal: City) -> None:
    old = json.loads((DEMO / "helsinki.json").read_text())["result"]["results"][:5]
    with ckanapi.RemoteCKAN(portal.node.settings.base_url) as client:
        for package in old:
            by_id, by_name = (client.action.package_show(id=package[key]) for key in ("id", "name"))
            assert by_id == by_name
            assert {each["url"] for each in package["resources"] if each["url"]} <= {
                address for each in by_id["resources"] for address in (each["url"], each["access_url"])
            }


def test_our_harvester_reads_the_facade_back(portal: City, harvester: City) -> None:
    harvester.add(portal.node.settings.base_url, "facade", kind="ckan")
    run = harvester.run("facade")
    before, after = told(portal), told(harvester)
    assert (run.state, run.counters.refused) == ("succeeded", 0), run.reason
    assert set(after) == set(before)
    for iri, one in before.items():
        other = after[iri]
        for predicate in _TEXTS:
            wanted = {t for t in one.terms(iri, predicate) if ntriples.language_of(t)}
            assert wanted <= set(other.terms(iri, predicate)), (iri, predicate)
        for predicate in _LINKS:
            wanted = {v for v in one.links(iri, predicate) if "genid" not in v}
            assert wanted <= set(other.values(iri, predicate)), (iri, predicate)
        # Its page is now the one here; the city's own is kept beside it.
        assert set(one.links(iri, DCAT.landingPage)) <= set(other.links(iri, FOAF.page))
        files, others = (each.values(iri, DCAT.distribution) for each in (one, other))
        assert len(others) == len(files)
        for property_ in (DCT.format, DCAT.accessURL):
            wanted = {v for file in files for v in one.links(file, property_) if "genid" not in v}
            assert wanted <= {v for file in others for v in other.values(file, property_)}, (iri, property_)
        publisher = {one.name(term).text for term in one.terms(iri, DCT.publisher)}
        assert publisher <= {other.text(p, FOAF.name).text for p in other.values(iri, DCT.publisher)}
    again = harvester.run("facade")
    assert (again.state, again.ranges) == ("succeeded", []), again.reason


def test_whoever_asks_for_what_changed_gets_that_alone(portal: City) -> None:
    address = f"{portal.node.settings.base_url}/api/3/action/package_search"

    def stamps(**params: str) -> list[str]:
        found = httpx.get(address, params={"rows": "1000", **params}).json()["result"]
        assert len(found["results"]) == found["count"]
        return [package["metadata_modified"] for package in found["results"]]

    everything = stamps(sort="id asc")
    assert len(everything) == len(told(portal))
    middle = sorted(everything)[len(everything) // 2]
    for sort in ("id asc", "metadata_modified desc", ""):
        since = stamps(fq=f"metadata_modified:[{middle}Z TO *]", sort=sort)
        assert sorted(since) == sorted(each for each in everything if each >= middle)
        until = stamps(fq=f"metadata_modified:{{* TO {middle}Z}}", sort=sort)
        assert sorted(until) == sorted(each for each in everything if each < middle)


def test_the_requests_of_ckanext_harvest_are_answered(portal: City) -> None:
    """As its CKAN harvester's gather and import stages send them."""
    base = portal.node.settings.base_url
    params = {
        "rows": "100",
        "start": "0",
        "sort": "id asc",
        "fq": "+metadata_modified:[2016-01-01T00:00:00Z TO *] -organization:nobody +capacity:public",
    }
    found = httpx.get(f"{base}/api/3/action/package_search", params={**params, "sort": "metadata_modified desc"})
    assert found.json()["result"]["count"] == len(told(portal))
    for package in httpx.get(f"{base}/api/3/action/package_search", params=params).json()["result"]["results"]:
        # What its import stage takes for granted.
        assert {"id", "name", "title", "tags", "groups", "extras", "resources", "metadata_modified"} <= set(package)
        assert all(isinstance(extra["value"], str) for extra in package["extras"])
        assert len({extra["key"] for extra in package["extras"]}) == len(package["extras"])
        assert all(isinstance(resource["url"], str) for resource in package["resources"])
    organisation = found.json()["result"]["results"][0]["organization"]["id"]
    shown = httpx.get(f"{base}/api/action/organization_show", params={"id": organisation})
    assert shown.json()["result"]["name"] == organisation


def test_an_rdf_harvester_follows_the_pages_to_the_same_datasets(portal: City) -> None:
    """As ckanext-dcat does: Turtle, and `hydra:next` while there is one."""
    address: str | None = f"{portal.node.settings.base_url}/collections/open-data.ttl"
    found: set[str] = set()
    while address:
        graph = rdflib.Graph().parse(data=httpx.get(address).text, format="turtle")
        found |= {str(each) for each in graph.subjects(rdflib.RDF.type, rdflib.URIRef(DCAT.Dataset))}
        address = next((str(each) for each in graph.objects(None, HYDRA.next)), None)
    assert found == set(told(portal))


def test_our_dcat_us_adapter_reads_data_json_back(portal: City, harvester: City) -> None:
    harvester.add(f"{portal.node.settings.base_url}/data.json", "pod", kind="dcat-us")
    run = harvester.run("pod")
    before, after = told(portal), told(harvester)
    assert (run.state, run.counters.refused) == ("succeeded", 0), run.reason
    assert set(after) == set(before)
    for iri, one in before.items():
        other = after[iri]
        # The profile has one language, so the node's own is given.
        assert set(other.values(iri, DCT.title)) <= set(one.values(iri, DCT.title))
        for predicate in (DCT.license, DCAT.landingPage, DCT.accessRights):
            wanted = {v for v in one.links(iri, predicate) if "genid" not in v}
            assert wanted <= set(other.values(iri, predicate)), (iri, predicate)
        assert len(one.values(iri, DCAT.distribution)) == len(other.values(iri, DCAT.distribution))
    again = harvester.run("pod")
    assert (again.state, again.ranges) == ("succeeded", []), again.reason


def test_data_json_has_what_the_profile_requires(portal: City) -> None:
    reply = httpx.get(f"{portal.node.settings.base_url}/data.json")
    catalogue = json.loads(reply.text)
    assert catalogue["conformsTo"] == "https://project-open-data.cio.gov/v1.1/schema"
    assert len(catalogue["dataset"]) == len(told(portal))
    for each in catalogue["dataset"]:
        assert {"title", "description", "keyword", "modified", "publisher", "contactPoint", "identifier"} <= set(each)
        assert each["accessLevel"] in ("public", "restricted public", "non-public")
        assert all(isinstance(word, str) and word for word in each["keyword"])
        assert each["publisher"]["name"]
        for file in each.get("distribution", []):
            assert ("downloadURL" in file) <= ("mediaType" in file)


def test_data_json_is_packed_kept_and_given_by_collection(portal: City) -> None:
    address = f"{portal.node.settings.base_url}/data.json"
    plain = httpx.get(address, headers={"accept-encoding": "identity"})
    packed = httpx.get(address, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert httpx.get(address, headers={"if-none-match": plain.headers["etag"]}).status_code == 304
    assert httpx.head(address).headers["etag"] == plain.headers["etag"]
    assert httpx.get(address, params={"collection": "open-data"}).json() == plain.json()
    assert httpx.get(address, params={"collection": "nothing"}).status_code == 404
