"""STAC shows the city models that one may see, own and mirrored, and nothing else of the catalogue."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.catalog.author.office import Written
from node.journal import Draft
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from node.web.ogc.stac_documents import MOST_SUMMED
from tests.federation.agreed import peer
from tests.web.cities import BASE, PARKING
from tests.web.find_rig import LONDON, Rig, empty
from tests.web.ogc.test_stac_documents import CATALOG, COLLECTION, ITEM, held_to

pytestmark = pytest.mark.slow  # a whole node

TABLE = TABLES["city-model"]
EAST = "POLYGON((25.0 60.2, 25.1 60.2, 25.1 60.3, 25.0 60.3, 25.0 60.2))"


def said(title: str, **more: Any) -> dict[str, Any]:
    return example_of(TABLE) | {"title": {"en": title, "fi": f"{title} fi"}, "about": PARKING.record} | more


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    made = empty(tmp_path_factory.mktemp("stac"), migrated)
    node = made.node
    peer(node, "london", LONDON)
    node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1_000)
    node.create_collection("copy", title="City models", visibility="public", at_ms=1_000)
    made.put("open-data", PARKING)
    office = node.knowledge.authoring
    office.publish(
        "city-model", [Written("centre", said("Centre")), Written("east", said("East", area={"bbox": EAST}))]
    )
    office.publish("city-model", [Written("bunker", said("Bunker"))], collection="plans")
    iri = f"{LONDON}/models/city"
    made.put("copy", Draft(iri, "city", "city-model", "put", payload_of(TABLE, iri, said("The City"))))
    with node.db.write() as tx:  # as if it had come from London, which takes longer than all of this
        where = f"{LONDON}/collections/models"
        tx.run("UPDATE collection SET name = 'london/models', iri = ? WHERE name = 'copy'", where)
    made.read()
    yield made
    made.close()


def test_the_catalogue_leads_to_the_collections_that_hold_models_and_to_no_others(rig: Rig) -> None:
    root = held_to(rig.json("/stac"), CATALOG)
    children = [each["href"] for each in root["links"] if each["rel"] == "child"]
    assert children == [f"{BASE}/stac/collections/models", f"{BASE}/stac/collections/london.models"]
    for each in root["links"]:
        reply = rig.client.get(each["href"].removeprefix(BASE))
        assert reply.status_code == 200, each
    listed = rig.json("/stac/collections")["collections"]
    assert [held_to(each, COLLECTION)["id"] for each in listed] == ["models", "london.models"]
    assert listed[0] == rig.json("/stac/collections/models")
    assert listed[0]["extent"]["spatial"]["bbox"] == [[24.93, 60.16, 25.1, 60.3]]


def test_every_item_of_a_list_is_the_one_at_its_own_address(rig: Rig) -> None:
    found = rig.json("/stac/collections/models/items")
    assert [each["id"] for each in found["features"]] == ["models.centre", "models.east"]
    for each in found["features"]:
        held_to(each, ITEM)
        (own,) = [link["href"] for link in each["links"] if link["rel"] == "self"]
        assert rig.json(own.removeprefix(BASE)) == each
    (mirrored,) = rig.json("/stac/collections/london.models/items")["features"]
    assert rig.json(f"/stac/collections/london.models/items/{mirrored['id']}") == held_to(mirrored, ITEM)


def test_items_come_in_pages_and_by_place(rig: Rig) -> None:
    first = rig.json("/stac/collections/models/items?limit=1")
    (on,) = [each["href"] for each in first["links"] if each["rel"] == "next"]
    second = rig.json(on.removeprefix(BASE))
    assert [each["id"] for each in first["features"] + second["features"]] == ["models.centre", "models.east"]
    near = rig.json("/stac/collections/models/items?bbox=25.05,60.25,25.06,60.26")
    assert [each["id"] for each in near["features"]] == ["models.east"]
    assert rig.get("/stac/collections/models/items?bbox=1,2").status_code == 400
    assert rig.get("/stac/collections/models/items?nearby=1").status_code == 400


def test_texts_are_in_the_readers_language(rig: Rig) -> None:
    item = rig.json("/stac/collections/models/items/models.centre?lang=fi")
    assert item["properties"]["title"] == "Centre fi"


def test_a_restricted_model_shows_to_its_city_alone(rig: Rig) -> None:
    path = "/stac/collections/plans"
    for tail in ("", "/items", "/items/models.bunker"):
        assert rig.get(path + tail).status_code == 404
    assert rig.get("/stac/collections/models/items/models.bunker").status_code == 404
    assert "plans" not in rig.get("/stac").text

    staff = rig.bearer("desk", staff=True)
    reply = rig.get(f"{path}/items/models.bunker", **staff)
    assert held_to(reply.json(), ITEM)["properties"]["title"] == "Bunker"
    assert reply.headers["cache-control"] == "private, no-store"
    assert [each["id"] for each in rig.json("/stac/collections", **staff)["collections"]][-1] == "plans"


def test_other_records_are_no_items_and_other_collections_none_of_stac(rig: Rig) -> None:
    assert rig.get("/stac/collections/models/items/datasets.parking").status_code == 404
    assert rig.get("/stac/collections/open-data").status_code == 404
    assert rig.get("/stac/collections/open-data/items").status_code == 404


def test_a_collection_that_is_called_as_its_kind_is_named_once_and_in_the_readers_language(rig: Rig) -> None:
    page = rig.page(f"/records?iri={LONDON}/models/city", "fi")
    crumbs = page[page.index('class="crumbs"') : page.index("</ol>")]
    assert crumbs.count("Kaupunkimallit") == 1
    assert "City models" not in crumbs


def test_who_comes_with_a_browser_reads_a_page_and_a_program_json(rig: Rig) -> None:
    page = rig.get("/stac", "text/html,application/xhtml+xml,*/*;q=0.8", **{"accept-language": "sv"}).text
    assert "<h1>Stadsmodeller (STAC)</h1>" in page
    assert f'<a href="{BASE}/search?kind=city-model&amp;collection=models&amp;lang=sv">' in page
    assert page.count("/stac/collections/") == 0, "a person is led to lists of pages, not to JSON"
    assert 'href="/stac' in rig.page("/catalog")
    for accept in ("*/*", "application/json", "application/geo+json"):
        assert rig.get("/stac", accept).headers["content-type"] == "application/json"
    assert rig.get("/stac?f=html").headers["content-type"].startswith("text/html")
    assert rig.get("/stac?f=xml").status_code == 400


def test_a_document_that_did_not_change_is_not_sent_again(rig: Rig) -> None:
    for path in ("/stac", "/stac/collections/models", "/stac/collections/models/items/models.centre"):
        tag = rig.get(path).headers["etag"]
        assert rig.get(path, **{"if-none-match": tag}).status_code == 304


def test_a_collection_of_many_models_is_told_without_reading_them_all(rig: Rig) -> None:
    node = rig.node
    office = node.knowledge.authoring
    node.create_collection("tiles", title="Tiles", visibility="public", at_ms=1_000)
    many = [Written(f"tile-{n}", said(f"Tile {n}")) for n in range(MOST_SUMMED + 1)]
    office.publish("city-model", many, collection="tiles")
    rig.read()
    told = held_to(rig.json("/stac/collections/tiles"), COLLECTION)
    assert told["extent"]["spatial"]["bbox"] == [[-180, -90, 180, 90]]
    assert rig.json("/stac/collections/tiles/items?limit=2")["numberMatched"] == MOST_SUMMED + 1
