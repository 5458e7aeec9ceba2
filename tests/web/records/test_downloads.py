"""Laws of the counted way to a file, of counted searches, and of the numbers made of them: sums, nothing of anybody."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.web.addresses import At
from tests.web.cities import PARKING
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.find_rig import LONDON, Rig
from tests.web.finding import VAULT, found_city

pytestmark = pytest.mark.slow
FILES = {"https://example.org/parking.geojson", "https://example.org/parking"}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("downloads"), migrated) as made:
        yield made


@pytest.fixture
def reader(rig: Rig) -> Iterator[Browser]:
    browser = Browser(rig)
    yield browser
    browser.close()
    rig.node.readers.usage.flush()
    with rig.node.db.write() as tx:
        tx.run("DELETE FROM usage")


def counted(rig: Rig) -> dict[tuple[str, str], int]:
    rig.node.readers.usage.flush()
    with rig.node.db.read() as tx:
        return {(row[0], row[1]): row[2] for row in tx.rows('SELECT what, about, "count" FROM usage')}


def test_a_page_leads_to_its_files_by_the_counted_way_and_only_there(rig: Rig, reader: Browser) -> None:
    page = reader.get("/datasets/parking").text
    found = set()
    for number in (1, 2):
        assert f'href="/get/datasets/parking/{number}"' in page
        reply = reader.get(f"/get/datasets/parking/{number}")
        assert (reply.status_code, reply.headers["cache-control"]) == (303, "no-store")
        found.add(reply.headers["location"])
    assert found == FILES
    assert counted(rig) == {("download", PARKING.record): 2}
    assert "/get/" not in reader.get("/datasets/parking.ttl", accept="text/turtle").text  # programs go there directly


def test_what_nobody_begins_is_not_counted(rig: Rig, reader: Browser) -> None:
    reader._runner.run(reader._client.head("/get/datasets/parking/1"))
    reader.get("/get/datasets/parking/1", sec_purpose="prefetch")
    for path in (
        "/get/datasets/parking/3",
        "/get/datasets/parking/0",
        "/get/datasets/parking/-1",
        "/get/datasets/parking/%C2%B2",
        "/get/datasets/nothing/1",
        "/get/datasets/vault/1",
        f"/get?iri={VAULT.iri}&n=1",
        "/get?iri=&n=1",
        "/get",
    ):
        assert reader.get(path).status_code in (400, 404), path
    assert counted(rig) == {}


def test_a_record_is_counted_by_its_iri_too(rig: Rig, reader: Browser) -> None:
    reply = reader.get(f"/get?iri={PARKING.record}&n=1")
    assert reply.headers["location"] in FILES
    assert counted(rig) == {("download", PARKING.record): 1}


def test_searches_are_counted_once_by_whether_they_found_anything_and_never_by_their_words(
    rig: Rig, reader: Browser
) -> None:
    for path in ("/search?q=parking", "/search?q=trees", "/search?q=qqqqqqqq", "/search.json?q=parking"):
        assert reader.get(path).status_code == 200
    for more in ("/search", "/search?q=parking&kind=dataset", "/search?kind=dataset", "/search?q="):
        assert reader.get(more).status_code == 200
    assert counted(rig) == {("search", "found"): 3, ("search", "none"): 1}


def test_the_numbers_are_told_to_everybody_without_what_is_restricted(rig: Rig, reader: Browser) -> None:
    for number in (1, 1, 2):
        reader.get(f"/get/datasets/parking/{number}")
    rig.node.readers.usage.count("download", VAULT.iri)
    counted(rig)
    told = reader.get("/numbers.json").json()
    assert (told["records"], told["downloads"]["total"], len(told["downloads"]["days"])) == (3, 4, 30)
    assert told["downloaded_most"] == [{"record": PARKING.record, "count": 3}]
    assert {"kind", "theme", "quality", "freshness", "use"} == set(told["by"])
    assert "exchange" not in told
    assert VAULT.iri not in json.dumps(told)
    page = reader.get("/numbers")
    assert "Kerbside parking areas" in page.text
    assert "Parking under the bank" not in page.text
    assert page.text.count("<svg") > 3
    assert page.text.count("<table") >= 3


@pytest.mark.parametrize("path", ["/numbers?nope=1", "/numbers.json?nope=1", "/federation?x=1", "/federation.json?x=1"])
def test_a_parameter_that_a_page_does_not_have_is_refused(reader: Browser, path: str) -> None:
    assert reader.get(path).status_code == 400


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_the_numbers_of_an_unused_catalogue_are_said_and_not_drawn(rig: Rig, reader: Browser, language: str) -> None:
    reader.language = language
    page = reader.get("/numbers")
    assert (page.status_code, 'class="days"' in page.text) == (200, False)


def test_staff_sees_what_is_restricted_and_what_is_exchanged(rig: Rig, reader: Browser) -> None:
    rig.put("plans", PARKING)  # it stands in public, too: one record by two ways
    rig.read()
    staff = rig.bearer("ada", staff=True)
    told: dict[str, Any] = reader.get("/api/numbers", accept="application/json", **staff).json()
    assert told["records"] == 4
    for name in ("kind", "quality", "use"):
        assert sum(each["count"] for each in told["by"][name]) == 4, f"{name} adds up to what the page says"
    assert [each["peer"] for each in told["exchange"]] == ["london"]
    assert reader.get("/api/numbers", accept="application/json").status_code == 401
    with at_desk(rig, "viewer") as desk:
        page = text_of(desk.get("/desk/numbers"))
    assert "4 of the city’s own records" in page
    assert "london" in page.lower()


def test_the_counted_way_to_another_citys_file_goes_by_the_records_iri(rig: Rig) -> None:
    held = rig.node.shelf.by_iri(f"{LONDON}/datasets/kerbs")
    assert held is not None
    assert At("/base", held).file(2) == "/base/get?iri=https%3A%2F%2Flondon.example%2Fdatasets%2Fkerbs&n=2"
