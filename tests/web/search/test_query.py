"""The parameters of the search: what they mean, what is refused and how, and addresses that lose nothing."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.search.query import FACETS
from node.errors import Malformed
from node.web.search.query import PARAMETERS, Asked, read_asked
from node.web.wording.words import LANGUAGES, words


def read(*pairs: tuple[str, str], language: str = "en") -> Asked:
    return read_asked(pairs, language)


def days(year: int, month: int, day: int) -> int:
    return (date(year, month, day) - date(1970, 1, 1)).days


def test_values_of_one_facet_are_gathered_and_a_leading_minus_leaves_one_out() -> None:
    query = read(("city", "london"), ("city", "helsinki"), ("format", "-PDF"), ("city", "london")).query
    assert query.filters == {"city": ("london", "helsinki")}
    assert query.excluded == {"format": ("PDF",)}


def test_what_a_form_leaves_empty_and_what_advertisers_add_says_nothing() -> None:
    asked = read(("q", ""), ("place", " "), ("city", ""), ("utm_source", "x"), ("fbclid", "y"), ("city", "-"))
    assert not asked.query.filters
    assert not asked.query.excluded
    assert asked.query.facets == FACETS


def test_a_year_is_all_of_its_days_and_a_month_is_to_its_last() -> None:
    assert read(("from", "2020"), ("to", "2020")).query.period == (days(2020, 1, 1), days(2020, 12, 31))
    assert read(("to", "2024-02")).query.period == (None, days(2024, 2, 29))
    for moment in ("2024-02-03T10:00:00Z", "2024-02-03T10:00:00.5 02:00", "2024-02-03 10:00"):
        assert read(("from", moment)).query.period == (days(2024, 2, 3), None)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("colour", "red", "The parameters are: q, city"),
        ("facet", "colour", "The facets are: city"),
        ("sort", "best", "Sort by one of: relevance"),
        ("limit", "0", "from 1 to 100"),
        ("limit", "101", "from 1 to 100"),
        ("limit", "١٠", "from 1 to 100"),
        ("bbox", "24,60,25", "Write four numbers"),
        ("bbox", "24,60,25,north", "Write four numbers"),
        ("bbox", "24,nan,25,61", "west,south,east,north"),
        ("bbox", "1_0,2,3,4", "Write four numbers"),
        ("bbox", "٢٤,60,25,61", "Write four numbers"),
        ("from", "2026-11-21T25:99", "Write 2026-11-21"),
        ("from", "2026-11-21Tnoon", "Write 2026-11-21"),
        ("to", "2026T10:00", "Write 2026-11-21"),
        ("bbox", "24,61,25,60", "longitude first"),
        ("bbox", "190,60,195,61", "from -180 to 180"),
        ("from", "yesterday", "Write 2026-11-21"),
        ("from", "2026-13", "Write 2026-11-21"),
        ("from", "20260101", "Write 2026-11-21"),
        ("to", "0000", "Write 2026-11-21"),
        ("city", "x" * 301, "at most 300"),
        ("cursor", "x" * 2001, "at most 2000"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can(name: str, value: str, hint: str) -> None:
    with pytest.raises(Malformed) as refused:
        read((name, value))
    assert hint in refused.value.fix


def test_what_stands_once_stands_once_and_there_are_only_so_many() -> None:
    with pytest.raises(Malformed, match="more than once"):
        read(("q", "a"), ("q", "b"))
    with pytest.raises(Malformed, match="201 parameters"):
        read(*[("city", str(number)) for number in range(201)])
    with pytest.raises(Malformed, match="too many"):
        read(*[("city", str(number)) for number in range(101)])
    with pytest.raises(Malformed, match="ends before it starts"):
        read(("from", "2021"), ("to", "2020"))


def test_a_box_over_the_antimeridian_is_one() -> None:
    assert read(("bbox", "170,-20,-170,-10")).query.bbox == (170, -20, -170, -10)


@pytest.mark.parametrize(
    "text", ['"open data', "parking AND", "x" * 5000, "🚲🅿️", "شارع\u202e", "a\x00b", "((((", "-", "*"]
)
def test_whatever_people_type_is_read(text: str) -> None:
    asked = read(("q", text))
    asked.parsed()
    assert "\x00" not in asked.path()


def test_an_address_of_the_same_question_asks_the_same() -> None:
    pairs = (("q", "pysäköinti & co"), ("city", "london"), ("theme", "-TRAN"), ("bbox", "24,60,25,61"), ("limit", "5"))
    asked = read(*pairs)
    again = read(*parse_qsl(urlsplit(asked.path()).query))
    assert again.query.text == asked.query.text
    assert (again.query.filters, again.query.excluded, again.query.bbox) == (
        asked.query.filters,
        asked.query.excluded,
        asked.query.bbox,
    )
    following = read(*asked.at("c1", 5))
    assert (following.query.cursor, following.query.limit) == ("c1", 5)
    assert following.path() == asked.path()


def test_taking_off_one_filter_leaves_the_others() -> None:
    asked = read(("q", "bus"), ("city", "london"), ("city", "helsinki"))
    assert asked.without(("city", "london")) == (("q", "bus"), ("city", "helsinki"))
    assert asked.changed("sort", "title") == (*asked.pairs, ("sort", "title"))


def test_other_cities_are_asked_without_names_that_are_ours() -> None:
    asked = read(
        ("q", 'bus city:london -collection:"x y" title:stop'),
        ("city", "-oslo"),
        ("collection", "london/plans"),
        ("format", "CSV"),
        ("cursor", "c"),
        ("lang", "fi"),
        language="fi",
    )
    elsewhere = dict(asked.elsewhere())
    assert elsewhere == {"q": elsewhere["q"], "format": "CSV", "lang": "fi"}
    assert elsewhere["q"].split() == ["bus", "title:stop"]
    assert asked.named("city") == (frozenset({"london"}), frozenset({"oslo"}))
    assert asked.named("collection")[0] == {"london/plans"}


def test_every_facet_is_a_parameter_and_described() -> None:
    assert set(FACETS) <= set(PARAMETERS)
    assert all(PARAMETERS.values())


def test_four_edges_of_a_form_are_a_box_and_empty_ones_are_none() -> None:
    edges = (("west", "24.8"), ("south", " 60.1"), ("east", "25.3"), ("north", "60.3"))
    asked = read(("q", "x"), *edges)
    assert asked.query.bbox == (24.8, 60.1, 25.3, 60.3)
    assert asked.path() == read(("q", "x"), ("bbox", "24.8,60.1,25.3,60.3")).path()
    assert read(*((name, "") for name, _ in edges)).query.bbox is None
    for wrong in (edges[:3], (*edges, ("bbox", "1,2,3,4")), (*edges[:3], ("north", "60,3"))):
        with pytest.raises(Malformed) as refused:
            read(*wrong)
        assert refused.value.said[0] == "refuse.bbox"


def test_every_refusal_has_words_for_pages_in_which_all_values_stand() -> None:
    wrong = [
        ("colour", "x"),
        ("facet", "x"),
        ("sort", "x"),
        ("limit", "x"),
        ("bbox", "x"),
        ("from", "x"),
        ("q", "x" * 9_000),
    ]
    wrong += [("bbox", "190,60,195,61"), ("bbox", "24,61,25,60")]
    several = [[("sort", "title"), ("sort", "title")], [("from", "2020"), ("to", "2019")], [("iri", "x")] * 201]
    for pairs in (*([pair] for pair in wrong), *several, [("city", f"c{number}") for number in range(101)]):
        with pytest.raises(Malformed) as refused:
            read(*pairs)
        key, values = refused.value.said
        for language in LANGUAGES:
            assert "{" not in words(language, key, **values)


NAMES = st.sampled_from([*PARAMETERS, "colour", "utm_source"])
VALUES = st.text(max_size=40) | st.sampled_from(["-1e9", "24,60,25,61", "2026", "9" * 9, "\ud800", "-", "none,", "٣"])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_whatever_stands_in_an_address_is_read_or_refused_with_words(pairs: list[tuple[str, str]]) -> None:
    try:
        asked = read(*pairs)
    except Malformed as refused:
        key, values = refused.said
        assert words("fi", key, **values)
        return
    # What was read is read again from the address that it gives.
    again = read(*parse_qsl(urlsplit(asked.path()).query))
    assert (again.query.bbox, again.query.filters) == (asked.query.bbox, asked.query.filters)
