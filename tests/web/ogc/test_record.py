"""A record as a GeoJSON feature: odd payloads give less, never something wrong; and questions read by the standard."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.search.told import told_of
from node.catalog.shelf import CollectionInfo, Held
from node.errors import Malformed
from node.vocab import ntriples
from node.vocab.mappings import plain_code
from node.web.ogc.ask import PARAMETERS, check_names, question, words
from node.web.ogc.record import Place, feature
from node.web.wording.graph import Described
from tests.web.cities import BASE, EU, payload

IT, FILE, SPAN, AREA = f"{BASE}/datasets/x", f"{BASE}/datasets/x#f", f"{BASE}/datasets/x#t", f"{BASE}/datasets/x#p"
HELD = Held("open-data", IT, "dataset", "x", "sha256:" + "0" * 64, 1, 1_795_232_400_000)
INFO = CollectionInfo("open-data", f"{BASE}/collections/open-data", "Open data", "public", size=1, updated_at_ms=1)
WKT = "^^<http://www.opengis.net/ont/geosparql#wktLiteral>"


def made(*triples: tuple[str, str, str]) -> Any:
    body = payload((IT, "rdf:type", "dcat:Dataset"), *triples)
    said = Described(ntriples.triples_of(body), IT, "en", ("en", "fi"))
    told = told_of(HELD, body, city="here", mapped=plain_code)
    return feature(said, told, HELD, INFO, Place(f"{BASE}/ogc/collections/_all", "datasets.x"), base=BASE, city="Here")


def link_types(record: Any) -> dict[str, str]:
    return {link["href"]: link.get("type", "") for link in record["links"]}


def test_a_record_that_says_nothing_is_still_a_record() -> None:
    record = made()
    assert record["properties"]["title"] == IT
    assert record["time"] is None
    assert record["geometry"] is None
    assert not {"description", "license", "themes", "formats", "contacts", "language"} & set(record["properties"])


@pytest.mark.parametrize(
    ("start", "end", "time"),
    [
        ("2019", "2019", {"interval": ["2019-01-01", "2019-12-31"]}),
        ("2019-02", "", {"interval": ["2019-02-01", ".."]}),
        ("", "2020-02-29T10:00:00Z", {"interval": ["..", "2020-02-29"]}),
        ("2020-01-02", "2020-01-02", {"date": "2020-01-02"}),
        ("soon", "later", None),
        ("9999-99-99", "", None),
    ],
)
def test_a_period_is_said_in_days_as_far_as_it_is_known(start: str, end: str, time: object) -> None:
    ends = [(SPAN, f"dcat:{name}Date", f'"{day}"') for name, day in (("start", start), ("end", end)) if day]
    assert made((IT, "dct:temporal", SPAN), *ends)["time"] == time


@pytest.mark.parametrize(
    ("shape", "corners"),
    [
        ("POINT(24.9 60.2)", ([24.9, 60.2], [24.9, 60.2])),
        ("POLYGON((24 60, 25 60, 25 61, 24 60))", ([24, 60], [25, 61])),
        ("POLYGON((170 -20, 190 -20, 190 -10, 170 -20))", ([170, -20], [190, -10])),
        ("POLYGON((385000 6671000, 386000 6672000))", None),
        ("a shape", None),
    ],
)
def test_every_shape_is_shown_as_one_rectangle_from_its_south_west(shape: str, corners: object) -> None:
    shown = made((IT, "dct:spatial", AREA), (AREA, "dcat:bbox", f'"{shape}"{WKT}'))["geometry"]
    if corners is None:
        assert shown is None
        return
    ring = shown["coordinates"][0]
    assert shown["type"] == "Polygon"
    assert (ring[0], ring[2]) == corners
    assert (len(ring), ring[0]) == (5, ring[-1])


@pytest.mark.parametrize(
    ("licence", "said"),
    [
        (EU + "licence/CC_BY_4_0", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "CC-BY-SA-4.0"),
        ("https://example.org/our-own-licence", "other"),
        ('"free for all"', None),
        ('"CC0"', "CC0-1.0"),
    ],
)
def test_a_licence_is_an_spdx_id_or_a_link_and_never_guessed(licence: str, said: str | None) -> None:
    record = made((IT, "dct:license", licence))
    assert record["properties"].get("license") == said
    linked = [link["href"] for link in record["links"] if link["rel"] == "license"]
    assert bool(linked) is (said is not None)


def test_licences_of_several_files_are_all_said() -> None:
    other = FILE + "2"
    record = made(
        (IT, "dcat:distribution", FILE),
        (IT, "dcat:distribution", other),
        (FILE, "dct:license", EU + "licence/CC0"),
        (other, "dct:license", EU + "licence/OGL_3_0"),
    )
    assert set(record["properties"]["license"].split(" AND ")) == {"CC0-1.0", "OGL-UK-3.0"}


def test_services_have_the_types_by_which_qgis_knows_a_layer() -> None:
    files = {
        "https://example.org/wms": ("dct:format", EU + "file-type/WMS_SRVC"),
        "https://example.org/wfs": ("dct:format", '"OGC WFS"'),
        "https://example.org/arcgis/rest/services/Trees/FeatureServer/0": ("dct:format", '"ArcGIS"'),
        "https://example.org/trees.csv": ("dcat:mediaType", "https://www.iana.org/assignments/media-types/text/csv"),
    }
    triples = []
    for number, (address, (name, form)) in enumerate(files.items()):
        file = f"{FILE}{number}"
        triples += [(IT, "dcat:distribution", file), (file, "dcat:accessURL", address), (file, name, form)]
    types = link_types(made(*triples))
    assert types["https://example.org/wms"] == "OGC:WMS"
    assert types["https://example.org/wfs"] == "OGC:WFS"
    assert types["https://example.org/arcgis/rest/services/Trees/FeatureServer/0"] == "ESRI:ArcGIS:FeatureServer"
    assert types["https://example.org/trees.csv"] == "text/csv"


def test_links_that_could_do_something_are_not_given() -> None:
    record = made(
        (IT, "dcat:distribution", FILE),
        (FILE, "dcat:downloadURL", "javascript:alert(1)"),
        (IT, "dcat:landingPage", "data:text/html,x"),
        (IT, "dct:license", "javascript:alert(2)"),
    )
    assert all(link["href"].startswith("http") for link in record["links"])


# ---------------------------------------------------------------- questions


def asked(**params: str) -> Any:
    return question(
        params, collection="", language="en", iri_of=lambda given: f"urn:{given}" if given == "a" else ""
    ).query


def test_operators_of_our_search_are_words_to_a_client_of_the_standard() -> None:
    assert words('a "b" OR c, -d:e') == '"a b OR c" OR "-d:e"'


def test_what_no_record_has_finds_none_and_not_all() -> None:
    assert asked(ids="b").iris == ("urn:none",)
    assert asked(ids="a", externalIds="urn:b").iris == ("urn:none",)
    assert asked(ids="a,b").iris == ("urn:a",)
    assert asked(externalIds="https://x.example/a,b,https://x.example/c").iris == (
        "https://x.example/a,b",
        "https://x.example/c",
    )
    assert asked(ids=" , ").iris == ()


def test_orders_rise_unless_a_minus_says_otherwise() -> None:
    assert (asked(sortby="title").sort, asked(sortby="title").reverse) == ("title", False)
    assert (asked(sortby="-title").sort, asked(sortby="-title").reverse) == ("title", True)
    assert (asked(sortby="updated").sort, asked(sortby="updated").reverse) == ("changed", True)
    assert (asked(sortby="-updated").sort, asked(sortby="-updated").reverse) == ("changed", False)
    assert (asked(sortby=" title").sort, asked().sort, asked(q="x").sort) == ("title", "changed", "relevance")


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(PARAMETERS)), st.text(max_size=30)))
def test_whatever_is_sent_is_read_or_refused_with_a_sentence(params: dict[str, str]) -> None:
    fix = "nothing to mend"
    try:
        asked(**check_names(list(params.items()), tuple(PARAMETERS)))
    except Malformed as error:
        fix = error.fix
    assert fix
