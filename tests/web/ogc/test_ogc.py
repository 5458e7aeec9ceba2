"""OGC API Records: GIS clients find what is public, by the letter of the standard, and nothing else."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from node.web.ogc.api import CONFORMANCE
from tests.web.cities import BASE, NOISE_IRI
from tests.web.client import Client
from tests.web.find_rig import LONDON
from tests.web.finding import HELSINKI_BOX, KERBS, found_city

pytestmark = pytest.mark.slow  # a whole node

ALL = "/ogc/collections/_all/items"
GEOJSON = "application/geo+json"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Client]:
    with found_city(tmp_path_factory.mktemp("ogc"), migrated) as rig:
        yield rig.client


def items(client: Client, query: str = "", *, path: str = ALL) -> Any:
    reply = client.get(f"{path}?{query}" if query else path)
    assert reply.status_code == 200, reply.text
    return reply.json()


def titles(client: Client, query: str = "", *, path: str = ALL) -> list[str]:
    return [each["properties"]["title"] for each in items(client, query, path=path)["features"]]


def names(client: Client, query: str = "", *, path: str = ALL) -> set[str]:
    found = items(client, query, path=path)
    assert found["numberReturned"] == len(found["features"])
    return {each["properties"]["externalIds"][0]["value"].rsplit("/", 1)[-1] for each in found["features"]}


def test_every_link_of_the_landing_page_leads_on(client: Client) -> None:
    for path in ("/ogc", "/ogc/"):
        landing = client.get(path).json()
        links = {link["rel"]: link for link in landing["links"]}
        assert {"self", "alternate", "service-desc", "service-doc", "conformance", "data"} <= set(links)
        for link in landing["links"]:
            reply = client.get(link["href"].removeprefix(BASE))
            assert reply.status_code == 200
            assert reply.headers["content-type"].split(";")[0] == link["type"].split(";")[0]
    assert client.get("/ogc/conformance").json() == {"conformsTo": list(CONFORMANCE)}


def test_clients_that_ask_for_nothing_get_json_and_browsers_get_pages(client: Client) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/ogc", "/ogc/conformance", "/ogc/collections", "/ogc/collections/_all", ALL, f"{ALL}/datasets.trees"):
        assert client.get(path).headers["content-type"] in ("application/json", GEOJSON)
        page = client.get(path, headers=browser)
        assert page.headers["content-type"].startswith("text/html")
        assert client.get(f"{path}?f=html").headers["content-type"].startswith("text/html")
        assert client.get(f"{path}?f=json", headers=browser).headers["content-type"] in ("application/json", GEOJSON)
    assert "Street trees" in client.get(f"{ALL}?f=html").text
    assert client.get(ALL, headers={"accept": "application/json"}).headers["content-type"] == "application/json"


def test_each_collection_is_a_catalogue_under_a_name_without_a_slash(client: Client) -> None:
    told = client.get("/ogc/collections").json()["collections"]
    assert {each["id"] for each in told} == {"_all", "open-data", "london.open-data"}
    for each in told:
        assert each["itemType"] == "record"
        assert client.get(f"/ogc/collections/{each['id']}").json() == each
        (items_at,) = [link for link in each["links"] if link["rel"] == "items" and link["type"] == GEOJSON]
        assert client.get(items_at["href"].removeprefix(BASE)).status_code == 200


def test_records_of_all_cities_are_found_in_one_catalogue(client: Client) -> None:
    assert names(client, "q=parking") == {"parking", "kerbs"}
    assert names(client, "q=parking", path="/ogc/collections/open-data/items") == {"parking"}
    assert names(client, "q=parking", path="/ogc/collections/london.open-data/items") == {"kerbs"}


def test_a_comma_means_or_and_words_side_by_side_stand_together(client: Client) -> None:
    assert names(client, "q=tree,kerbside%20parking") == {"trees", "kerbs", "parking"}
    assert names(client, "q=street%20trees") == {"trees"}
    assert names(client, "q=trees%20street") == set()
    # No near words: only records that hold the term are an answer.
    assert names(client, "q=strewt") == set()
    # What our own search would take for an operator is a word here.
    assert names(client, "q=-trees") == {"trees"}


def test_a_box_and_a_time_narrow_as_they_are_shown(client: Client) -> None:
    for query, found in (
        ("bbox=24,60,26,61", {"trees"}),
        ("bbox=-1,51,26,61", {"trees", "kerbs"}),
        ("bbox=170,-10,-170,10", set()),
        ("bbox=24,60,0,26,61,100", {"trees"}),
        ("datetime=2017-05-06", {"trees"}),
        ("datetime=2020-01-01T00:00:00Z/..", {"kerbs", "parking"}),
        ("datetime=../2016-01-01", {"trees"}),
        ("datetime=2020-06-01/2020-06-01", {"kerbs", "parking"}),
    ):
        assert names(client, f"{query}&externalIds={BASE}/datasets/trees,{KERBS.iri},{BASE}/datasets/parking") == found
    (trees,) = items(client, "q=trees")["features"]
    west, south, east, north = HELSINKI_BOX
    # MetaSearch of QGIS takes the first point for the south-west corner and the third for the north-east one.
    assert trees["geometry"]["coordinates"][0][0] == [west, south]
    assert trees["geometry"]["coordinates"][0][2] == [east, north]
    assert trees["time"] == {"interval": ["2015-01-01", "2019-12-31"]}
    (kerbs,) = items(client, "q=stop")["features"]
    assert kerbs["time"] == {"date": "2020-06-01"}


def test_types_ids_and_iris_choose_records(client: Client) -> None:
    assert names(client, "type=data-service") == set()
    assert {"trees", "kerbs"} <= names(client, "type=dataset,data-service")
    mirrored = "iri." + base64.urlsafe_b64encode(KERBS.iri.encode()).decode().rstrip("=")
    assert names(client, f"ids=datasets.trees,{mirrored}") == {"trees", "kerbs"}
    assert names(client, "ids=datasets.nobody,iri.%FF,x") == set()
    assert names(client, f"externalIds={KERBS.iri}") == {"kerbs"}
    assert names(client, f"externalIds={KERBS.iri}&ids=datasets.trees") == set()


def test_an_order_can_be_turned_about(client: Client) -> None:
    assert titles(client, "sortby=title") == titles(client, "sortby=-title")[::-1]
    assert titles(client, "sortby=%2Btitle")[0] == "Kerbside parking areas"
    newest = [each["properties"]["updated"] for each in items(client, "sortby=-updated")["features"]]
    assert newest == sorted(newest, reverse=True)
    assert newest == [each["properties"]["updated"] for each in items(client)["features"]]
    best = titles(client, "sortby=-quality")
    assert best[-1] == "Melukartta 2022"
    assert titles(client, "sortby=quality")[0] == "Melukartta 2022"


def test_pages_follow_each_other_and_lose_nothing(client: Client) -> None:
    seen, address, turns = [], f"{ALL}?limit=1&sortby=title&lang=en", 0
    while address:
        found = client.get(address).json()
        seen += [each["id"] for each in found["features"]]
        links = {link["rel"]: link["href"] for link in found["links"]}
        address, turns = links.get("next", "").removeprefix(BASE), turns + 1
        assert turns < 10
    assert len(seen) == len(set(seen)) == found["numberMatched"] == 4
    by_offset = [items(client, f"limit=1&offset={at}&sortby=title")["features"][0]["id"] for at in range(4)]
    assert by_offset == seen
    back = {link["rel"]: link["href"] for link in items(client, "limit=1&offset=2&q=parking")["links"]}
    assert "offset=1" in back["prev"]
    assert "q=parking" in back["prev"]


def test_a_record_links_to_its_forms_its_files_and_one_catalogue(client: Client) -> None:
    for found in items(client)["features"]:
        links = {link["rel"]: link for link in found["links"]}
        for rel in ("self", "collection"):
            assert len([link for link in found["links"] if link["rel"] == rel]) == 1
        again = client.get(links["self"]["href"].removeprefix(BASE))
        assert again.headers["content-type"] == GEOJSON
        assert again.json() == found
        for link in found["links"]:
            if link["rel"] == "alternate":
                reply = client.get(link["href"].removeprefix(BASE))
                assert reply.status_code == 200
                assert reply.headers["content-type"].split(";")[0] == link["type"]
    parking = client.get(f"{ALL}/datasets.parking").json()
    assert parking["properties"]["license"] == "CC-BY-4.0"
    assert parking["properties"]["formats"] == [
        {"name": "CSV", "mediaType": "text/csv"},
        {"name": "GeoJSON", "mediaType": "application/geo+json"},
    ]
    (file,) = [link for link in parking["links"] if link["rel"] == "enclosure"]
    assert file["href"] == "https://example.org/parking.geojson"
    assert file["length"] == 14_000_000
    assert {contact["roles"][0] for contact in parking["properties"]["contacts"]} == {"publisher", "pointOfContact"}


def test_a_record_speaks_the_readers_language(client: Client) -> None:
    assert client.get(f"{ALL}/datasets.trees?lang=fi").json()["properties"]["title"] == "Katupuut"
    reply = client.get(f"{ALL}/datasets.trees", headers={"accept-language": "fi"})
    assert reply.json()["properties"]["title"] == "Katupuut"
    assert reply.json()["properties"]["language"] == {"code": "fi"}


def test_a_mirrored_record_names_its_city_and_its_origin(client: Client) -> None:
    (kerbs,) = items(client, path="/ogc/collections/london.open-data/items")["features"]
    links = {link["rel"]: link["href"] for link in kerbs["links"]}
    assert links["collection"] == f"{BASE}/ogc/collections/london.open-data"
    assert kerbs["properties"]["externalIds"] == [{"value": f"{LONDON}/datasets/kerbs"}]
    assert kerbs["properties"]["collection"] == "london/open-data"
    assert client.get(f"/ogc/collections/open-data/items/{kerbs['id']}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "bbox=1,2,3",
        "bbox=25,61,24,60",
        "bbox=a,b,c,d",
        "bbox=nan,nan,nan,nan",
        "bbox=0,91,1,92",
        "datetime=yesterday",
        "datetime=1/2/3",
        "datetime=..",
        "datetime=../..",
        "datetime=/",
        "datetime=2020-01-01T25:99",
        "datetime=20200101",
        "datetime=2020-W01-1",
        "q=" + "a," * 40,
        "datetime=2020-01-02/2020-01-01",
        "limit=0",
        "limit=-1",
        "limit=ten",
        "offset=-1",
        "offset=20000",
        "sortby=size",
        "sortby=title,-updated",
        "type=spaceship",
        "f=xml",
        "colour=red",
        "q=a&q=b",
        "cursor=nonsense",
        "externalIds=" + ",".join(f"urn:x:{number}" for number in range(1_001)),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can(client: Client, query: str) -> None:
    reply = client.get(f"{ALL}?{query}")
    if len(query) > 4_000:
        assert reply.status_code == 414
        return
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["fix"]


@pytest.mark.parametrize(
    "query", ["limit=100000", "q=", "q=%22", "q=,,,", "q=%00%F0%9F%9A%B2%E2%80%AE", "bbox=", "ids=,"]
)
def test_what_people_send_in_earnest_is_answered(client: Client, query: str) -> None:
    assert client.get(f"{ALL}?{query}").status_code == 200


def test_nothing_restricted_shows_at_any_address(client: Client) -> None:
    assert names(client, "q=bank") == set()
    assert "vault" not in client.get(ALL).text
    for path in (
        "/ogc/collections/plans",
        "/ogc/collections/plans/items",
        "/ogc/collections/plans/queryables",
        "/ogc/collections/plans/items/datasets.vault",
        f"{ALL}/datasets.vault",
    ):
        twin = path.replace("plans", "nosuch").replace("vault", "nobody")
        reply, other = client.get(path), client.get(twin)
        assert reply.status_code == other.status_code == 404
        assert reply.text.replace("plans", "nosuch").replace("vault", "nobody") == other.text
    assert "plans" not in client.get("/ogc/api").text + client.get("/ogc/collections").text


def test_the_openapi_document_says_every_parameter_that_is_taken(client: Client) -> None:
    told = client.get("/ogc/api").json()
    assert told["openapi"].startswith("3.0.")
    get = told["paths"]["/collections/{catalogId}/items"]["get"]
    named = {each["$ref"].rpartition("/")[2] for each in get["parameters"]}
    for name in ("q", "bbox", "datetime", "limit", "offset", "type", "ids", "externalIds", "sortby", "cursor"):
        assert name in named
        assert told["components"]["parameters"][name]["description"]
    base = urlsplit(told["servers"][0]["url"]).path
    for path in told["paths"]:
        filled = path.replace("{catalogId}", "open-data").replace("{recordId}", "datasets.trees")
        assert client.get(base + filled.rstrip("/")).status_code == 200


def test_sortables_and_queryables_are_schemas_of_what_works(client: Client) -> None:
    reply = client.get("/ogc/collections/_all/sortables")
    assert reply.headers["content-type"] == "application/schema+json"
    for name in reply.json()["properties"]:
        assert client.get(f"{ALL}?sortby={name}").status_code == 200
    asked = client.get("/ogc/collections/open-data/queryables").json()["properties"]
    assert {"q", "bbox", "datetime", "type", "ids", "externalIds"} == set(asked)


def test_a_record_of_another_citys_iri_has_an_address_of_its_own(client: Client) -> None:
    (noise,) = items(client, "q=melukartta")["features"]
    assert noise["properties"]["externalIds"] == [{"value": NOISE_IRI}]
    assert client.get(f"/ogc/collections/open-data/items/{noise['id']}").json()["id"] == noise["id"]
    assert noise["geometry"] is None
    assert noise["time"] is None
    assert "license" not in noise["properties"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=", "”limit” är inget heltal"),
        ("f=html&f=html", "”f” står mer än en gång"),
        ("sortby=x", "finns ingen ordning ”x”"),
        ("type=x", "Det finns inget slag ”x”"),
        ("bbox=1", "Ett område behöver fyra kanter"),
        ("bbox=181,91,-181,-91", "Ett område behöver fyra kanter"),
        ("bbox=1,3,2,2", "Ett område behöver fyra kanter"),
        ("datetime=x", "”x” är ingen tidpunkt"),
        ("x=1", "”x”"),
    ],
)
def test_a_page_that_refuses_says_so_in_the_readers_language(client: Client, query: str, said: str) -> None:
    reply = client.get(f"{ALL}?{query}", headers={"accept": "text/html", "accept-language": "sv"})
    assert reply.status_code == 400
    told = reply.text.partition("<main")[2].partition("</main>")[0]
    assert said in told
    assert 'lang="en"' not in told
