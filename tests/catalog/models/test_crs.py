"""Reference systems as files write them, and where extents lie."""

import pytest

from node.catalog.models.crs import codes_of, place

AMSTERDAM = (84_000.0, 446_000.0, 0.0, 86_000.0, 448_000.0, 50.0)


@pytest.mark.parametrize(("said", "codes"), [
    ("http://www.opengis.net/def/crs/EPSG/0/7415", (7415,)),
    ("https://www.opengis.net/def/crs/EPSG/9.8/7415", (7415,)),
    ("urn:ogc:def:crs:EPSG::7415", (7415,)),
    ("urn:ogc:def:crs:EPSG:6.12:7415", (7415,)),
    ("urn:ogc:def:crs,crs:EPSG:6.12:3068,crs:EPSG:6.12:5783", (3068, 5783)),
    ("http://www.opengis.net/gml/srs/epsg.xml#28992", (28992,)),
    ("EPSG:3879", (3879,)),
    ("https://epsg.io/3879", (3879,)),
    ("urn:adv:crs:ETRS89_UTM32*DE_DHHN2016_NH", (25832,)),
    ("EPSG:12345678", ()),
    ("local", ()),
    ("", ()),
])  # fmt: skip
def test_codes_are_found_in_all_their_spellings(said: str, codes: tuple[int, ...]) -> None:
    assert codes_of(said) == codes


@pytest.mark.parametrize("said", ["EPSG:7415", "EPSG:28992", "urn:ogc:def:crs,crs:EPSG::28992,crs:EPSG::5709"])
def test_an_extent_becomes_a_box_also_in_a_compound_system(said: str) -> None:
    placed = place(said, AMSTERDAM)
    assert placed.box == pytest.approx((4.3526, 51.9977, 4.3823, 52.0160), abs=0.001)
    assert placed.problem == ""


def test_degrees_are_taken_in_the_order_that_the_file_promises() -> None:
    london = (51.4, -0.2, 0.0, 51.6, 0.1, 90.0)
    assert place("urn:ogc:def:crs:EPSG::4979", london, north_first=True).box == (-0.2, 51.4, 0.1, 51.6)
    assert place("OGC:CRS84", (-0.2, 51.4, 0.0, 0.1, 51.6, 90.0)).box == (-0.2, 51.4, 0.1, 51.6)


@pytest.mark.parametrize(("said", "problem"), [
    ("", "no-crs"), ("mine", "unknown-crs"), ("EPSG:999999", "unknown-crs"), ("EPSG:5709", "unknown-crs"),
    ("EPSG:2154", "outside-crs"), ("EPSG:3879", "outside-crs"),
])  # fmt: skip
def test_what_gives_no_box_says_why(said: str, problem: str) -> None:
    placed = place(said, AMSTERDAM)
    assert (placed.box, placed.problem) == (None, problem)
    assert placed.message
