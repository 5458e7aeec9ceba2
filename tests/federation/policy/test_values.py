"""Values of right operands, purposes and places: what is read, and what lies within what."""

import json
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from node.federation.agreement_desk.view import moment
from node.federation.policy import places, purposes, quantities, terms, values

DPV = terms.DPV
COUNTRY = "http://publications.europa.eu/resource/authority/country/"
PLACE = "http://publications.europa.eu/resource/authority/place/"
NUTS = "http://data.europa.eu/nuts/code/"
LOCATION = "https://w3id.org/dpv/loc#"


@pytest.mark.parametrize(
    "text",
    ["2027-02-02T00:00:00Z", "2027-02-02T02:00:00+02:00", "2027-02-01T19:00-05:00", "2027-02-02T00:00:00.000Z"],
)
def test_one_moment_has_one_weight_however_it_is_written(text: str) -> None:
    assert values.time_ms(text) == datetime(2027, 2, 2, tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize(
    "text",
    [
        "2027-02-02",
        "2027-02-02T00:00:00",
        "2027-02-02 00:00:00Z",
        "2027-02-29T00:00:00Z",
        "2027-02-02T24:00:00Z",
        "2027-02-02T00:00:60Z",
        "2027-02-02T00:00:00+24:00",
        "2027-02-02T00:00:00.0001Z",
        "0999-02-02T00:00:00Z",
        "12027-02-02T00:00:00Z",
        # Of another year in UTC than can be written or counted.
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59-00:01",
        "1970-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "٢٠٢٧-02-02T00:00:00Z",
        "2027-02-02T00:00:00Z ",
        "",
    ],
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert values.time_ms(text) is None


def test_the_first_and_the_last_moment_are_read_and_written_and_none_lies_beyond() -> None:
    first, last = "1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"
    for text in (first, last):
        assert values.time_text(values.time_ms(text) or 0) == text
    assert values.time_text(-1) == first
    for far in (values.LAST_MS + 1, 10**18):
        assert values.time_text(far) == last
        assert quantities.instant_text(far) == "9999-12-31T23:59:59Z"
        assert moment(far) == "9999-12-31T23:59:59+00:00"
    assert (length := values.duration("P9999Y99999D")) is not None
    assert length.after(length.after(values.LAST_MS)) >= values.LAST_MS


def test_a_moment_reads_back() -> None:
    assert values.time_text(values.time_ms("2027-02-02T00:00:00.007Z") or 0) == "2027-02-02T00:00:00.007Z"


@pytest.mark.parametrize("text", ["P", "PT", "P1DT", "1D", "-P1D", "P1.5D", "P1H", "P1D2M", "PT1H ", "P99999Y", ""])
def test_what_is_no_length_of_time_is_none(text: str) -> None:
    assert values.duration(text) is None


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        ("2027-01-31T12:00Z", "P1M", "2027-02-28T12:00Z"),
        ("2028-01-31T12:00Z", "P1M", "2028-02-29T12:00Z"),
        ("2028-02-29T12:00Z", "P1Y", "2029-02-28T12:00Z"),
        ("2027-12-31T12:00Z", "P2M1D", "2028-03-01T12:00Z"),
        ("2027-01-01T00:00Z", "PT36H", "2027-01-02T12:00Z"),
        ("2027-01-01T00:00Z", "P2W", "2027-01-15T00:00Z"),
    ],
)
def test_months_end_by_the_calendar(start: str, length: str, end: str) -> None:
    read, since = values.duration(length), values.time_ms(start)
    assert read is not None
    assert since is not None
    assert read.after(since) == values.time_ms(end)


def test_a_length_beyond_the_calendar_still_ends_somewhere() -> None:
    forever = values.duration("P9999Y")
    assert forever is not None
    assert forever.after(values.time_ms("2027-01-01T00:00Z") or 0) > (values.time_ms("9000-01-01T00:00Z") or 0)


@pytest.mark.parametrize("text", ["research", "", "urn: x", "urn:", "http://a b", "<urn:x:y>", "1a:b"])
def test_what_is_no_iri_is_none(text: str) -> None:
    assert not values.is_iri(text)


def test_every_purpose_lies_within_the_top_and_has_a_name_in_every_language() -> None:
    assert len(purposes.PURPOSES) >= 40
    for iri, purpose in purposes.PURPOSES.items():
        assert iri.startswith(DPV)
        assert purposes.is_a(iri, DPV + "Purpose") is True
        assert purposes.is_a(iri, iri) is True
        assert all(purpose.labels[lang].strip() for lang in ("en", "fi", "sv"))
        assert set(purpose.broader) <= set(purposes.PURPOSES)


def test_no_two_purposes_have_one_name() -> None:
    for lang in ("en", "fi", "sv"):
        names = [labels[lang].casefold() for labels in purposes.LABELS.values()]
        assert len(set(names)) == len(names)


def test_no_purpose_lies_within_itself() -> None:
    for one in purposes.PURPOSES:
        for other in purposes.PURPOSES:
            assert one == other or not (purposes.is_a(one, other) and purposes.is_a(other, one))


def test_a_purpose_is_known_unknown_or_open() -> None:
    assert purposes.is_a(DPV + "CommercialResearch", DPV + "CommercialPurpose") is True
    assert purposes.is_a(DPV + "CommercialResearch", DPV + "ResearchAndDevelopment") is True
    assert purposes.is_a(DPV + "AcademicResearch", DPV + "Marketing") is False
    assert purposes.is_a(DPV + "ResearchAndDevelopment", DPV + "AcademicResearch") is None
    assert purposes.is_a("urn:x:y", "urn:x:y") is None


@pytest.mark.parametrize(
    ("place", "whole", "verdict"),
    [
        (PLACE + "FIN_HEL", COUNTRY + "FIN", True),
        (PLACE + "FIN_HEL", LOCATION + "EU", True),
        (PLACE + "GBR_LON", LOCATION + "EU", False),
        (COUNTRY + "NOR", LOCATION + "EEA", True),
        (LOCATION + "EU", LOCATION + "EEA", True),
        (LOCATION + "EEA", LOCATION + "EU", None),
        (NUTS + "FI1B1", NUTS + "FI1B", True),
        (NUTS + "FI1B1", COUNTRY + "FIN", True),
        (NUTS + "FI1C", NUTS + "FI1B", False),
        (NUTS + "EL30", COUNTRY + "GRC", True),
        (NUTS + "UKI", LOCATION + "GB", True),
        (NUTS + "FI", LOCATION + "FI", True),
        (NUTS + "fi1b", NUTS + "FI", None),
        (NUTS + "XX1", NUTS + "XX", None),
        (LOCATION + "FI-18", COUNTRY + "FIN", True),
        (LOCATION + "EE-37", LOCATION + "EE-141", None),
        (PLACE + "FIN_HEL", NUTS + "FI1B1", None),
        (PLACE + "FIN_HEL", PLACE + "FIN_ESP", False),
        (PLACE + "XXX_HEL", COUNTRY + "FIN", None),
        (COUNTRY + "XXX", COUNTRY + "XXX", True),
        (COUNTRY + "XXX", COUNTRY + "FIN", None),
        ("_:EU", "_:EU", None),
        ("", COUNTRY + "FIN", None),
    ],
)
def test_a_place_is_within_another_as_far_as_it_is_known(place: str, whole: str, verdict: bool | None) -> None:
    assert places.part_of(place, whole) is verdict


def test_the_tables_of_places_are_whole() -> None:
    said = json.loads(files("agreements").joinpath("places.json").read_text())
    assert sum("EU" in country["within"] for country in said["countries"].values()) == 27
    assert sum("EEA" in country["within"] for country in said["countries"].values()) == 30
    for labels in places.LABELS.values():
        assert all(labels[lang].strip() for lang in ("en", "fi", "sv"))
