"""What is inside a file is shown on its record's page to everyone, and what may not be shown is shown to nobody."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.web.assemble import build
from tests.catalog.models.samples import catalogue, cityjson
from tests.catalog.previews.made import geojson, picture, square
from tests.catalog.rig import BASE, City, make_city
from tests.portal_server import PortalServer, page
from tests.web.client import Client

pytestmark = pytest.mark.slow  # a whole node, a harvest, a process for each file

ROWS = b"id,name,when\n1,<script>alert(1)</script>,2026-01-01\n2,=1+1,2026-01-02\n"


@pytest.fixture
def city(migrated: Path, tmp_path: Path) -> Iterator[City]:
    shutil.copy(migrated, tmp_path / "node.db")
    made = make_city(tmp_path, languages=("en", "fi", "sv"))
    yield made
    made.node.close()


@pytest.fixture
def client(city: City) -> Iterator[Client]:
    one = Client(build(city.node.site), BASE)
    yield one
    one.close()


def look(city: City, portal: PortalServer, **files: bytes) -> None:
    """Publish a dataset with these files (`_` in a name is its dot), and look into all of them."""
    for name, body in files.items():
        portal.pages[f"/{name.replace('_', '.')}"] = page(body)
    city.harvest(catalogue(*(f"{portal.url}/{name.replace('_', '.')}" for name in files)))
    previews, stop = city.node.knowledge.previews, threading.Event()
    previews.keeper.catch_up(stop)
    while previews.previewer.round(stop):
        pass


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer() as server:
        yield server


def linked(shown: str, ending: str) -> str:
    found = re.search(rf"/previews/[0-9a-f]{{64}}\.{ending}", shown)
    assert found is not None
    return found[0]


def test_a_page_shows_the_first_rows_as_text_in_every_language(
    city: City, client: Client, portal: PortalServer
) -> None:
    look(city, portal, a_csv=ROWS)
    shown = client.page("/datasets/m")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>alert" not in shown
    assert "All 2 rows, read on " in shown
    assert '<th scope="col" class="n"><bdi>id</bdi><small>whole number</small></th>' in shown
    for language, word in (("fi", "kokonaisluku"), ("sv", "heltal")):
        assert word in client.page("/datasets/m", language)


@pytest.mark.parametrize(
    ("body", "language", "said"),
    [
        (b"id,name\n1,x\n", "sv", "Den enda raden, läst "),
        (b"id,name\n1,x\n", "fi", "Tiedoston ainoa rivi."),
        (b"id,name\n", "en", "No rows below the names, read on "),
        (b"name," * 20_000 + b"id\n1,2\n", "en", "Columns: 20,001, of which the first 60 are shown."),
        (b"name," * 60 + b"id\n1,2\n", "fi", "Sarakkeita: 61, joista näytetään 60 ensimmäistä."),
        (b"name," * 59 + b"id\n1,2\n", "sv", "Kolumner: 60. "),
    ],
)
def test_one_row_and_none_are_said_as_people_do(
    city: City, client: Client, portal: PortalServer, body: bytes, language: str, said: str
) -> None:
    look(city, portal, a_csv=body)
    assert said in client.page("/datasets/m", language)


def test_what_was_made_is_given_by_its_name_and_asked_for_again_soon(
    city: City, client: Client, portal: PortalServer
) -> None:
    look(city, portal, a_geojson=geojson(square(24.9, 60.1)), b_png=picture())
    shown = client.page("/datasets/m")
    for ending, kind in (("geojson", "application/geo+json"), ("webp", "image/webp"), ("json", "application/json")):
        reply = client.get(linked(shown, ending))
        assert (reply.status_code, reply.headers["content-type"]) == (200, kind)
        assert reply.headers["cache-control"] == "public, max-age=60", "or caches would show what was taken away"
        again = client.get(linked(shown, ending), headers={"If-None-Match": reply.headers["etag"]})
        assert again.status_code == 304
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert json.loads(client.get(linked(shown, "geojson")).content)["type"] == "FeatureCollection"
    assert 'data-map="shape"' in shown
    assert 'loading="lazy"' in shown


def test_a_page_is_made_anew_once_a_file_was_looked_into(city: City, client: Client, portal: PortalServer) -> None:
    portal.pages["/a.csv"] = page(ROWS)
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    assert 'id="look"' not in client.page("/datasets/m")
    look(city, portal, a_csv=ROWS)
    assert 'id="look"' in client.page("/datasets/m")


def test_a_file_that_is_larger_than_is_fetched_says_so_to_readers(
    city: City, client: Client, portal: PortalServer
) -> None:
    city.node.knowledge.previews.previewer._fetching = replace(
        city.node.knowledge.previews.previewer._fetching, max_bytes=1_000
    )
    look(city, portal, a_csv=b"a,b\n" + b"1,2\n" * 1_000)
    assert "Se on liian suuri sisään katsottavaksi." in client.page("/datasets/m", "fi")


def test_a_file_of_which_nothing_can_be_shown_says_why(city: City, client: Client, portal: PortalServer) -> None:
    look(city, portal, a_csv=b"\x00\x01")
    (one,) = city.node.knowledge.previews.looks.all()
    assert one.detail == "text: It is no text. Name the format that the file has."
    for language, said in (
        ("en", "<p>It is not in a form that is shown here.</p>"),
        ("fi", "<p>Se ei ole muodossa, jota täällä näytetään.</p>"),
        ("sv", "<p>Den är inte i en form som visas här.</p>"),
    ):
        shown = client.page("/datasets/m", language)
        assert said in shown
        assert "It is no text" not in shown


@pytest.mark.parametrize("url", ["http://10.0.0.1/a.csv", "http://no-such-name.invalid/a.csv"])
def test_who_wrote_an_address_does_not_learn_from_us_what_it_means_in_here(
    city: City, client: Client, url: str
) -> None:
    city.harvest(catalogue(url))
    previews, stop = city.node.knowledge.previews, threading.Event()
    previews.keeper.catch_up(stop)
    while previews.previewer.round(stop):
        pass
    (one,) = previews.looks.all()
    shown = client.page("/datasets/m")
    assert "This file could not be fetched" in shown
    assert one.detail
    assert one.detail not in shown


def test_names_that_stand_for_nothing_are_not_found(city: City, client: Client, portal: PortalServer) -> None:
    look(city, portal, a_csv=ROWS)
    name = linked(client.page("/datasets/m"), "json")
    for path in (name.replace(".json", ".webp"), f"{name}.bak", name.replace(".json", ""), "/previews/.json",
                 "/previews/" + "0" * 64 + ".json", "/previews/..%2f..%2fnode.db"):  # fmt: skip
        assert client.get(path).status_code == 404


def test_what_becomes_restricted_is_shown_to_nobody_any_more(city: City, client: Client, portal: PortalServer) -> None:
    look(city, portal, a_csv=ROWS)
    name = linked(client.page("/datasets/m"), "json")
    assert client.get(name).status_code == 200
    with city.node.db.write() as tx:
        tx.run("UPDATE collection SET visibility = 'restricted' WHERE name = 'open-data'")
    never = client.get("/previews/" + "0" * 64 + ".json")
    gone = client.get(name)
    assert (gone.status_code, gone.json() | {"instance": ""}) == (404, never.json() | {"instance": ""})


def test_a_record_is_cited_in_two_forms(city: City, client: Client, portal: PortalServer) -> None:
    look(city, portal, a_csv=ROWS)
    bib, ris = client.get("/datasets/m/cite.bib"), client.get("/datasets/m/cite.ris")
    assert bib.headers["content-type"] == "application/x-bibtex; charset=utf-8"
    assert bib.text.startswith("@misc{m,\n  title = {3D model of the centre},")
    assert ris.text.startswith("TY  - DATA\r\n")
    by_iri = client.get("/records/cite.bib?iri=https%3A%2F%2Fdata.example%2Fid%2Fm")
    assert by_iri.text == bib.text
    assert client.get("/datasets/none/cite.bib").status_code == 404


def test_the_record_of_a_city_model_shows_the_model(city: City, client: Client, portal: PortalServer) -> None:
    look(city, portal, m_city_json=cityjson())
    models, stop = city.node.knowledge.models, threading.Event()
    models.keeper.catch_up(stop)
    while models.inspector.round(stop):
        pass
    (record,) = city.node.knowledge.authoring.own("city-model")
    shown = client.page(f"/models/{record.slug}")
    assert client.get(linked(shown, "bin")).content[:4] == b"CNM1"
    assert "data-model=" in client.page("/datasets/m")
