"""Single values: every reader gives a term that a strict parser takes, or nothing."""

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.portals import jsonvalues as values
from node.vocab.terms import XSD


@pytest.mark.parametrize(
    ("said", "lexical", "datatype"),
    [
        ("2012", "2012", "gYear"),
        ("2012-7", "2012-07", "gYearMonth"),
        ("2012-07-31", "2012-07-31", "date"),
        ("31.7.2012", "2012-07-31", "date"),
        ("07/31/2012", "2012-07-31", "date"),
        ("31/07/2012", "2012-07-31", "date"),
        ("07/07/2012", "2012-07-07", "date"),
        ("2016-09-08T05:51:26.711135", "2016-09-08T05:51:26.711135", "dateTime"),
        ("2016-09-08 05:51", "2016-09-08T05:51:00", "dateTime"),
        ("2016-09-08T05:51:26+0300", "2016-09-08T05:51:26+03:00", "dateTime"),
        ("2016-09-08T05:51:26.000Z", "2016-09-08T05:51:26.000Z", "dateTime"),
    ],
)
def test_a_date_keeps_its_precision(said: str, lexical: str, datatype: str) -> None:
    assert values.date_term(said) == f'"{lexical}"^^<{XSD[datatype]}>'


@pytest.mark.parametrize(
    "said", ["", "soon", "2012-13-01", "2012-02-30", "08/09/2016", "20161", "2016-01-01T25:00", "0000"]
)
def test_what_is_no_date_or_two_dates_is_none(said: str) -> None:
    assert values.date_term(said) == ""


def test_slashes_are_read_where_the_order_is_known() -> None:
    assert values.date_term("08/09/2016", month_first=True).startswith('"2016-08-09"')
    assert values.date_term("08/09/2016", month_first=False).startswith('"2016-09-08"')


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("https://hel.fi/a.csv", "https://hel.fi/a.csv"),
        (" https://hel.fi/a b.csv ", "https://hel.fi/a%20b.csv"),
        ("http://hel.fi/#a/#b", "http://hel.fi/#a/%23b"),
        ("http://hel.fi/100%/x", "http://hel.fi/100%25/x"),
        ("http://hel.fi/[x]?q=[y]", "http://hel.fi/%5Bx%5D?q=%5By%5D"),
        ("http://hel.fi/äiti", "http://hel.fi/äiti"),
        ("www.hel.fi/x", "http://www.hel.fi/x"),
        ("//hel.fi/x", "https://hel.fi/x"),
        ("/x", "https://portal.example/x"),
        ("ftp://hel.fi/x.zip", "ftp://hel.fi/x.zip"),
        ("urn:isbn:123", "urn:isbn:123"),
        ("Accounts Payable", ""),
        ("Source: the city", ""),
        ("javascript:alert(1)", ""),
        ("http://exa mple/x", ""),
        ("http://[bad/x", ""),
        ("", ""),
    ],
)
def test_an_address_is_mended_or_none(said: str, meant: str) -> None:
    assert values.address_of(said, "https://portal.example/data") == meant


@given(st.text(max_size=60) | st.from_regex(r"https?://[^ ]{0,40}", fullmatch=True))
def test_every_address_given_is_one_for_a_strict_parser(said: str) -> None:
    if address := values.address_of(said):
        pyoxigraph.NamedNode(address)
        list(pyoxigraph.parse(f"<{address}> <a:b> <{address}> .".encode(), format=pyoxigraph.RdfFormat.N_TRIPLES))


def test_mailboxes_are_found_in_what_people_write() -> None:
    assert values.mailboxes_of("mailto:a@x.fi") == ["a@x.fi"]
    assert values.mailboxes_of("Ian <ian.m@b.gov.uk>; open@b.gov.uk , open@b.gov.uk ") == [
        "ian.m@b.gov.uk",
        "open@b.gov.uk",
    ]
    assert values.mailboxes_of("see the page") == []
    assert values.is_placeholder("{{orgContactEmail}}")
    assert values.is_placeholder('<!--#echo var="root" -->x')


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2001 - 2010", ("2001", "2010")),
        ("from 2012", ("2012", "2012")),
        ("2009-09-01/2010", ("2009-09-01", "2010")),
        ("2009-09-01/..", ("2009-09-01", "")),
        ("Varies", ("", "")),
        ("FY2016", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_span_of_time_is_read_or_none(said: str, meant: tuple[str, str]) -> None:
    assert values.span_of(said) == meant


def test_sizes_with_units_are_no_number_of_bytes() -> None:
    assert values.bytes_term(2000) == f'"2000"^^<{XSD.nonNegativeInteger}>'
    assert values.bytes_term("12.0").startswith('"12"')
    assert values.bytes_term("1Gt") == values.bytes_term(-3) == values.bytes_term(None) == values.bytes_term(1.5) == ""


def test_a_hash_tells_its_algorithm_by_its_length() -> None:
    assert values.hash_of("D41D8CD98F00B204E9800998ECF8427E")[0].endswith("md5")
    assert values.hash_of("sha256:" + "a" * 64) == (values.SPDX.checksumAlgorithm_sha256, "a" * 64)
    assert values.hash_of("qwerty") == values.hash_of("abc123") == ("", "")


def test_geojson_becomes_wkt() -> None:
    box = {"type": "Polygon", "coordinates": [[[24, 60], [25, 60], [25, 61], [24, 61], [24, 60]]]}
    assert values.wkt_of(box) == "POLYGON((24 60,25 60,25 61,24 61,24 60))"
    assert values.is_box(box)
    assert values.wkt_of({"type": "Point", "coordinates": [24.9384, 60.1699, 5]}) == "POINT(24.9384 60.1699)"
    assert values.box_of(["24", "60", "25", "61"]) == "POLYGON((24 60,25 60,25 61,24 61,24 60))"


@pytest.mark.parametrize(
    "broken",
    [
        None,
        3,
        "x",
        [],
        {},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [[[1, "a"]]]},
        {"type": []},
        {"type": "Point", "coordinates": [1]},
        {"type": "Point", "coordinates": [float("nan"), 1]},
        {"type": "Polygon", "coordinates": [[[[]], [], [], [], []]]},
    ],
)
def test_broken_geometry_is_none(broken: object) -> None:
    assert values.wkt_of(broken) == ""
    assert not values.is_box(broken)


@pytest.mark.slow  # many examples
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda s: st.lists(s, max_size=5)))
def test_any_coordinates_are_survived(coordinates: object) -> None:
    for kind in ("Point", "LineString", "Polygon", "MultiPolygon"):
        shape = {"type": kind, "coordinates": coordinates}
        values.is_box(shape)
        if wkt := values.wkt_of(shape):
            assert wkt.startswith(kind.upper())


def test_words_are_read_from_every_kind_of_list() -> None:
    assert values.words_of(["a", " b ", "", None]) == ["a", "b"]
    assert values.words_of('["a", "b"]') == ["a", "b"]
    assert values.words_of("{helsinki,espoo}") == ["helsinki", "espoo"]
    assert values.words_of("a, b") == ["a, b"]
    assert values.words_of(None) == values.words_of({"a": 1}) == values.words_of("") == []
