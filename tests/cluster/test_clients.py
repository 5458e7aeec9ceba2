"""Programs that people have, against a node as operators run it: OWSLib, QGIS's requests, our client, feed rules.

The examples of `docs/client.md` are run as they stand there, with the address of the node in the place of the
example's: what is printed in the documentation works.
"""

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from owslib.ogcapi.records import Records

from node.client import Client, NotThere, Refused
from node.testing import City, city, wait_for
from tests.web.feed_rules import ATOM, SITEMAP, broken_rules, opensearch_rules, parsed, sitemap_rules

ROOT = Path(__file__).resolve().parents[2]
DCAT = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix geo: <http://www.opengis.net/ont/geosparql#> .
<https://source.example/parking> a dcat:Dataset ; dct:title "Kerbside parking areas"@en, "Pysäköintialueet"@fi ;
  dct:description "Where one may park & for how long <at most>."@en ; dcat:keyword "parking"@en ;
  dct:publisher <https://source.example/team> ; dct:modified "2026-03-01"^^xsd:date ;
  dct:spatial [ a dct:Location ;
    dcat:bbox "POLYGON((24.8 60.1,25.3 60.1,25.3 60.3,24.8 60.3,24.8 60.1))"^^geo:wktLiteral ] ;
  dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2015-01-01"^^xsd:date ; dcat:endDate "2019-12-31"^^xsd:date ] ;
  dcat:distribution [ a dcat:Distribution ;
    dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ;
    dct:license <http://publications.europa.eu/resource/authority/licence/CC_BY_4_0> ;
    dcat:accessURL <https://source.example/parking.csv> ; dcat:downloadURL <https://source.example/parking.csv> ] ,
  [ a dcat:Distribution ; dct:format <http://publications.europa.eu/resource/authority/file-type/WMS_SRVC> ;
    dcat:accessURL <https://source.example/wms> ] .
<https://source.example/team> a foaf:Agent ; foaf:name "Streets"@en .
"""
FILLER = (
    '<https://source.example/s{n}> a dcat:Dataset ; dct:title "Statistics {n}"@en ; dct:description "Numbers."@en .\n'
)

HIDDEN = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<https://source.example/vault> a dcat:Dataset ; dct:title "Zanzibar vault"@en ; dct:description "Hidden."@en .
"""


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("clients")
    source = folder / "catalogue.ttl"
    source.write_text(DCAT + "".join(FILLER.format(n=n) for n in range(30)))
    with city(folder / "node", environ={"CITYNODE_SPARQL": "embedded"}) as made:
        made.say("sources", "add", "own", source, "--kind", "dcat")
        made.say("harvest", "run", "own")
        made.say("collections", "create", "plans", "--visibility", "restricted")
        (folder / "secret.ttl").write_text(HIDDEN)
        made.say("sources", "add", "secret", folder / "secret.ttl", "--kind", "dcat", "--collection", "plans")
        made.say("harvest", "run", "secret")
        made.start()
        with Client(made.address) as client:
            wait_for(lambda: _answers(lambda: client.search_page("parking").total == 1), "search", made.log)
            wait_for(lambda: _answers(lambda: client.ask("ASK { ?s ?p ?o }")), "the triple store", made.log)
        yield made


def _answers(ask: Callable[[], bool]) -> bool:
    with contextlib.suppress(Exception):
        return ask()
    return False


# ---------------------------------------------------------------- OGC API Records


def test_owslib_finds_records_as_its_users_ask(helsinki: City) -> None:
    catalogue = Records(f"{helsinki.address}/ogc")
    assert set(catalogue.records()) >= {"_all", "open-data"}
    assert catalogue.api()["openapi"].startswith("3.0")
    assert any(uri.endswith("/conf/searchable-catalog") for uri in catalogue.conformance()["conformsTo"])
    assert catalogue.collection("open-data")["itemType"] == "record"
    found = catalogue.collection_items(
        "open-data", q="parking", bbox=[24, 60, 26, 61], datetime_="2017-01-01/..", limit=5
    )
    (parking,) = found["features"]
    assert found["numberMatched"] == 1
    assert parking["properties"]["title"] == "Kerbside parking areas"
    assert catalogue.collection_item("open-data", parking["id"]) == parking
    assert catalogue.collection_items("open-data", q="parking", bbox=[0, 0, 1, 1])["numberMatched"] == 0
    titles = [
        each["properties"]["title"]
        for each in catalogue.collection_items("open-data", sortby=("title", "desc"), limit=50)["features"]
    ]
    assert len(titles) == 31
    assert titles == sorted(titles, reverse=True)
    assert "properties" in catalogue.collection_queryables("open-data")
    with pytest.raises(RuntimeError, match="colour"):
        catalogue.collection_items("open-data", colour="red")


@pytest.mark.parametrize("name", ["_all", "open-data"])
def test_metasearch_of_qgis_searches_and_opens_records(helsinki: City, name: str) -> None:
    """Ask as QGIS 3.44 does: for a catalogue, offsets from 0, all that its list and its window read of a record."""
    base, _, catalogue = f"{helsinki.address}/ogc/collections/{name}".partition("/collections/")
    asked = Records(base)
    told = asked.collection(catalogue)
    assert {"links", "title", "description"} <= set(told)
    found = asked.collection_items(
        collection_id=catalogue, limit=10, offset=0, q="parking", bbox=["24", "60", "26", "61"]
    )
    assert (found["numberMatched"], found["numberReturned"]) == (1, 1)
    (record,) = found["features"]
    assert record["properties"]["type"] == "dataset"
    corners = record["geometry"]["coordinates"][0]
    assert (corners[0], corners[2]) == ([24.8, 60.1], [25.3, 60.3])
    # By these types it knows which links are layers to add.
    assert {"OGC:WMS", "text/csv"} <= {link.get("type") for link in record["links"]}
    everything = asked.collection_items(collection_id=catalogue, limit=10, offset=10)
    assert everything["numberReturned"] == 10
    assert len({record["id"] for record in everything["features"]}) == 10
    assert asked.collection_item(catalogue, record["id"])["id"] == record["id"]


def test_what_is_restricted_is_found_with_a_token_and_by_nobody_else(helsinki: City) -> None:
    token = helsinki.json("tokens", "issue", "archivist", "--staff")["token"]
    known, stranger = Records(f"{helsinki.address}/ogc"), Records(f"{helsinki.address}/ogc")
    # OWSLib has one mapping of headers for all its clients, unless each gets its own.
    known.headers, stranger.headers = {"Authorization": f"Bearer {token}"}, {}
    assert "plans" in known.records()
    assert "plans" not in stranger.records()
    assert stranger.collection_items("_all", q="zanzibar")["numberMatched"] == 0
    with pytest.raises(RuntimeError, match="no such catalogue"):
        stranger.collection_items("plans", q="zanzibar")
    for name in ("_all", "plans"):
        (found,) = known.collection_items(name, q="zanzibar")["features"]
        assert known.collection_item(name, found["id"])["properties"]["title"] == "Zanzibar vault"
        with pytest.raises(RuntimeError, match="no such"):
            stranger.collection_item(name, found["id"])
    assert known.response_headers["cache-control"] == "private, no-store"
    with Client(helsinki.address, token=token) as staff, Client(helsinki.address) as anybody:
        assert [hit.title for hit in staff.search("zanzibar")] == ["Zanzibar vault"]
        assert list(anybody.search("zanzibar")) == []
        with pytest.raises(NotThere):
            next(anybody.changes("plans"))
        assert [change.operation for change in staff.changes("plans")] == ["put"]


# ---------------------------------------------------------------- our client


def _examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "client.md").read_text(), re.DOTALL)


EXPECTED = {
    0: lambda said: "Kerbside parking areas" in said and said.count("\n") == 1,
    1: lambda said: said.startswith("1 records") and "Helsinki 1" in said,
    2: lambda said: "Pysäköintialueet" in said and "not-found" in said,
    3: lambda said: said.count(" put ") == 31,
    4: lambda said: "en Kerbside parking areas https://source.example/parking" in said,
    5: lambda said: "open-data" in said,
}


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_every_example_of_the_documentation_works(helsinki: City, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = _examples()
    assert len(examples) == len(EXPECTED)
    token = helsinki.json("tokens", "issue", "clerk", "--staff")["token"] if number == 5 else ""
    monkeypatch.setitem(os.environ, "CITY_TOKEN", token)
    code, said = examples[number].replace("https://data.example.org", helsinki.address), io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, f"docs/client.md, example {number + 1}", "exec"), {"__name__": "example"})  # noqa: S102
    assert EXPECTED[number](said.getvalue()), said.getvalue()


def test_the_client_walks_everything_in_small_pages(helsinki: City) -> None:
    with Client(helsinki.address) as client:
        for sort in ("title", "changed", "relevance"):
            found = [hit.iri for hit in client.search(sort=sort, page_size=7)]
            assert len(found) == len(set(found)) == 31
        assert next(client.search("statistics", most=3, sort="title")).title == "Statistics 0"
        with pytest.raises(Refused):
            client.search_page(bbox=(1, 2, 3, 400))
        with pytest.raises(NotThere):
            next(client.changes("no-such-collection"))
        assert client.construct("CONSTRUCT { ?s a ?c } WHERE { ?s a ?c } LIMIT 1", form="nt").endswith(b" .\n")


# ---------------------------------------------------------------- feeds and sitemaps


@pytest.mark.parametrize(
    "query", ["", "?q=parking", "?q=%3Cat+most%3E", "?q=nothing-at-all", "?city=helsinki&limit=5&sort=title"]
)
def test_every_search_is_a_valid_feed(helsinki: City, query: str) -> None:
    reply = helsinki.ask(f"/search.atom{query}")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/atom+xml")
    assert broken_rules(reply.body) == []


def test_a_feed_goes_on_to_its_end(helsinki: City) -> None:
    address, seen = "/search.atom?limit=10", []
    for _ in range(10):
        feed = parsed(helsinki.ask(address).body)
        seen += [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
        following = {link.get("rel"): link.get("href", "") for link in feed.findall(f"{ATOM}link")}.get("next")
        if not following:
            break
        address = "/" + following.split("/", 3)[3]
    assert len(seen) == len(set(seen)) == 31


def test_the_sitemap_is_valid_and_every_page_of_it_is_there(helsinki: City) -> None:
    reply = helsinki.ask("/sitemap.xml")
    base = parsed(reply.body).findtext(f"{SITEMAP}url/{SITEMAP}loc") or ""
    assert sitemap_rules(reply.body, base) == []
    for location in (element.text or "" for element in parsed(reply.body).iter(f"{SITEMAP}loc")):
        assert helsinki.get("/" + location.split("/", 3)[3])[0] == 200


def test_the_description_of_the_search_is_valid_and_its_templates_work(helsinki: City) -> None:
    body = helsinki.ask("/opensearch.xml").body
    assert opensearch_rules(body) == []
    for url in parsed(body).iter("{http://a9.com/-/spec/opensearch/1.1/}Url"):
        template = "/" + url.get("template", "").split("/", 3)[3]
        filled = re.sub(r"\{searchTerms\??\}", "parking", template)
        accept = {"Accept": f"{url.get('type')},*/*;q=0.5"}
        reply = helsinki.ask(re.sub(r"\{[\w:]+\?\}", "", filled), headers=accept)
        assert reply.status == 200, filled
        assert reply.headers["content-type"].split(";")[0] == url.get("type")
