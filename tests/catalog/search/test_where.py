"""Where and when: shapes become boxes, dates become days, and what is neither becomes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.search.known_places import box_of_place
from node.catalog.search.schema import OPEN_END, OPEN_START
from node.catalog.search.where import around, box_of, first_day, last_day, moment_ms, span
from node.vocab.lists import PLACES


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ("POLYGON((24.5 60,25 60,25 61 3,24.5 60))", (24.5, 60, 25, 61)),
        ("MULTIPOINT((1 2),(3 4))", (1, 2, 3, 4)),
        ("POINT(24.9 60.2)", (24.9, 60.2, 24.9, 60.2)),
        ('{"type":"Polygon","coordinates":[[[24.5,60.0],[25,61.5]]]}', (24.5, 60, 25, 61.5)),
        ("<http://www.opengis.net/def/crs/EPSG/0/4326> POINT(60.2 24.9)", (24.9, 60.2, 24.9, 60.2)),
        ("<http://www.opengis.net/def/crs/OGC/1.3/CRS84> POINT(24.9 60.2)", (24.9, 60.2, 24.9, 60.2)),
        ("ENVELOPE(170, -170, 10, -10)", (170, -10, 190, 10)),
        ("ENVELOPE(-1, 2, 52, 51)", (-1, 51, 2, 52)),
        ("POINT(385000 6672000)", None),
        ("POLYGON((24.5 160))", None),
        ("Helsinki", None),
        ("", None),
    ],
)
def test_a_shape_in_degrees_is_a_box(shape: str, box: tuple[float, ...] | None) -> None:
    assert box_of(shape) == box


@settings(max_examples=40)
@given(st.text(st.sampled_from("0123456789.,-+eE ()[]{}POINTENVELOPE<>:/"), max_size=300))
def test_no_text_makes_a_box_beyond_the_globe(text: str) -> None:
    found = box_of(text)
    if found is not None:
        west, south, east, north = found
        assert -180 <= west <= 180
        assert west <= east <= west + 360
        assert -90 <= south <= north <= 90


def test_several_boxes_are_the_box_around_them() -> None:
    assert around([(1, 2, 3, 4), (0, 3, 2, 5)]) == (0, 2, 3, 5)
    assert around([]) is None


def test_dates_months_and_years_are_days() -> None:
    assert first_day("1970-01-01") == last_day("1970-01-01") == 0
    assert (first_day("1971"), last_day("1971")) == (365, 729)
    assert last_day("2021-02") == last_day("2021-02-28")
    assert last_day("2020-02") == last_day("2020-02-29")
    assert first_day("2021-02-03T10:00:00Z") == first_day("2021-02-03")
    assert [first_day(text) for text in ("", "spring", "0000", "2021-13", "20210101", "99999")] == [None] * 6


def test_a_period_is_open_where_nobody_names_its_end() -> None:
    assert span(["1970"], []) == (0, OPEN_END)
    assert span([], ["1970"]) == (OPEN_START, 364)
    assert span(["1971", "1970"], ["1972", ""]) == (0, 1095)
    assert span(["1972"], ["1970"]) == (364, 730), "two that were swapped"
    assert span(["soon"], []) is None


def test_moments_are_milliseconds_in_utc() -> None:
    assert moment_ms("1970-01-02T02:00:00+02:00") == moment_ms("1970-01-02") == 86_400_000
    assert moment_ms("1970-01-01T00:00:00.5") == 500
    assert moment_ms("1971") == 365 * 86_400_000
    assert moment_ms("long ago") is None


def test_every_known_place_is_in_our_table_and_on_the_globe() -> None:
    boxes = {concept.code: box_of_place(concept.code) for concept in PLACES}
    assert sum(box is not None for box in boxes.values()) > 100
    west, south, east, north = boxes["FIN_HEL"] or (0, 0, 0, 0)
    assert west < 24.94 < east
    assert south < 60.17 < north
    assert box_of_place("nowhere") is None
