"""Laws of reading what people type: nothing is an error, all is bounded, and each sign means what people mean by it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.search.reader import FACET_FIELDS, MAX_WORDS, TEXT_FIELDS, Parsed, Term, read_text


def typed(*terms: str) -> tuple[tuple[Term, ...], ...]:
    return tuple((Term(term),) for term in terms)


@settings(max_examples=50)
@given(st.text(max_size=200) | st.text(alphabet='"-*: ()ANDORNOTcity!+\\\x00', max_size=60))
def test_nothing_that_is_typed_is_an_error_and_all_of_it_is_bounded(text: str) -> None:
    parsed = read_text(text)
    assert len(parsed.clauses) + len(parsed.unwanted) <= MAX_WORDS
    assert all(clause for clause in parsed.clauses)
    assert set(parsed.filters) | set(parsed.excluded) <= set(FACET_FIELDS)
    for term in (*parsed.unwanted, *(each for clause in parsed.clauses for each in clause)):
        assert term.field in ("", *TEXT_FIELDS)
        assert any(char.isalnum() for char in term.text)
        term.text.encode()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("parking bays", typed("parking", "bays")),
        ("parking AND bays AND", typed("parking", "bays")),
        ("AND OR NOT parking OR", ((Term("parking"),),)),
        ('"open data', typed("open", "data")),
        ('"open data"', ((Term("open data", "phrase"),),)),
        ("“open data”", ((Term("open data", "phrase"),),)),
        ('"bus"', ((Term("bus"),),)),
        ("bik*", ((Term("bik", "prefix"),),)),
        ("b*", typed("b")),
        ("*bus", typed("bus")),
        ("a*b*c", typed("a b c")),
        ("cars OR buses || trams", ((Term("cars"), Term("buses"), Term("trams")),)),
        ("title:bike keyword:tree", ((Term("bike", field="title"),), (Term("tree", field="keyword"),))),
        ('tags:"open data"', ((Term("open data", "phrase", "keyword"),),)),
        ("EPSG:3067 2:1 foo:bar", typed("EPSG:3067", "2:1", "foo:bar")),
        ("title:", typed("title:")),
        ("https://x.example/d/1", ((Term("https://x.example/d/1", "iri"),),)),
        ("open-data covid-19", typed("open-data", "covid-19")),
        ("a\x00b\u202ec", typed("a", "b", "c")),
        ("(parking) [bays]", typed("parking", "bays")),
        ("חניה", typed("חניה")),
        ("🚗 cars", typed("cars")),
    ],
)  # fmt: skip
def test_signs_mean_what_people_mean_by_them(text: str, clauses: tuple[tuple[Term, ...], ...]) -> None:
    parsed = read_text(text)
    if text == "title:":
        assert parsed.blank or parsed.clauses
        return
    if text == "AND OR NOT parking OR":
        assert parsed.unwanted == (Term("parking"),)
        return
    assert parsed.clauses == clauses
    assert not parsed.unwanted


@pytest.mark.parametrize("text", ["-garage", "NOT garage", "!garage", "\u2013garage", "\u2212garage"])
def test_one_sign_before_a_word_leaves_it_out(text: str) -> None:
    assert read_text(f"parking {text}").unwanted == (Term("garage"),)
    assert read_text(f"parking {text}").clauses == typed("parking")


def test_signs_that_say_nothing_are_dropped() -> None:
    assert read_text("parking - garage -- -").clauses == typed("parking", "garage")
    assert read_text("--garage").clauses == typed("garage")


def test_facets_may_be_named_in_the_text() -> None:
    parsed = read_text('bus format:csv,json -city:london licence:-cc0 theme:"Transport, by road" NOT kind:practice')
    assert parsed.clauses == typed("bus")
    assert parsed.filters == {"format": ("csv", "json"), "theme": ("Transport, by road",)}
    assert parsed.excluded == {"city": ("london",), "licence": ("cc0",), "kind": ("practice",)}
    assert read_text("license:cc0").filters == {"licence": ("cc0",)}


def test_a_paste_is_read_as_far_as_a_question_goes() -> None:
    parsed = read_text("word " * 3_000)
    assert (len(parsed.clauses), parsed.cut) == (MAX_WORDS, True)
    assert read_text("x" * 10_000).cut
    assert len(read_text("x" * 10_000).clauses[0][0].text) == 200
    assert not read_text("word").cut


def test_text_without_words_is_told_from_no_text() -> None:
    assert read_text("?!").blank
    assert read_text("\x00").blank
    assert not read_text("").blank
    assert not read_text("  \n").blank
    assert read_text("*") == Parsed()
