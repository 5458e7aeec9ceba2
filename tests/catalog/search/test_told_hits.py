"""Laws of what a hit shows: marks around the words asked for, titles in the reader's language, words put right."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from node.catalog.search import analyzers, said
from node.catalog.search.highlight import WIDTH, Marker
from node.catalog.search.hits import marker_of
from node.catalog.search.reader import read_text
from node.catalog.search.suggest import distance, ranked

IRI = "http://127.0.0.1/datasets/a"
TITLE = "<http://purl.org/dc/terms/title>"


def marker(text: str, language: str = "en") -> Marker:
    made = marker_of(read_text(text), language)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("asked", "title", "marked"),
    [
        ("parking", "Parking areas", "<mark>Parking</mark> areas"),
        ("parked cars", "Parking for a car", "<mark>Parking</mark> for a <mark>car</mark>"),
        ("pysakointi", "Pysäköintialueet", "<mark>Pysäköintialueet</mark>"),
        ("alueet", "Helsingin pysäköintialueet", "Helsingin <mark>pysäköintialueet</mark>"),
        ("bik*", "Bikes & <cars>", "<mark>Bikes</mark> &amp; &lt;cars&gt;"),
        ("title:tree", "Trees", "<mark>Trees</mark>"),
        ("tree", "Nothing of the kind", ""),
    ],
)
def test_words_asked_for_are_marked_in_titles(asked: str, title: str, marked: str) -> None:
    assert marker(asked).title(title) == marked


@settings(max_examples=30)
@given(st.text(max_size=400), st.sampled_from(["a", "the street", "x y z"]))
def test_an_excerpt_is_escaped_whatever_the_text(text: str, asked: str) -> None:
    excerpt = marker(asked).excerpt(text + " the street <script>alert(1)</script> ")
    bare = excerpt.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert excerpt.count("<mark>") == excerpt.count("</mark>")
    assert len(bare) < 8 * WIDTH


def test_an_excerpt_is_the_part_with_the_most_of_what_was_asked_for() -> None:
    text = "Parking. " + "Nothing here to see for long. " * 30 + "Parking of bicycles by the street. " + "More. " * 50
    excerpt = marker("parking bicycles street").excerpt(text)
    assert "<mark>Parking</mark> of <mark>bicycles</mark> by the <mark>street</mark>" in excerpt
    assert excerpt.startswith("… ")
    assert excerpt.endswith(" …")
    assert marker("tram").excerpt(text) == ""


def test_markup_of_a_description_is_no_part_of_an_excerpt() -> None:
    text = "<p>A **bold** [link](https://x.example/a) to &amp; from the <b>street</b></p>"
    assert marker("street").excerpt(text) == "A bold link to &amp; from the <mark>street</mark>"
    assert escape("&") in marker("street").excerpt(text)


def payload(*titles: tuple[str, str]) -> bytes:
    lines = [f'<{IRI}> {TITLE} "{text}"@{tag} .' for text, tag in titles]
    lines.append(f'<{IRI}x> {TITLE} "Another"@en .')
    return ("\n".join(sorted(lines)) + "\n").encode()


def test_a_title_is_the_readers_else_english_else_any_and_machines_come_last() -> None:
    both = payload(("Vägar", "sv"), ("Roads", "en"), ("Tiet", "fi-t-en"))
    assert said.title_of(both, IRI, "sv") == ("Vägar", "sv")
    assert said.title_of(both, IRI, "en-GB") == ("Roads", "en")
    assert said.title_of(both, IRI, "fi") == ("Roads", "en")
    assert said.title_of(payload(("Strade", "it")), IRI, "fi") == ("Strade", "it")
    assert said.title_of(payload(('A \\"b\\"\\nc', "en")), IRI, "en") == ('A "b"\nc', "en")
    assert said.title_of(b"", IRI, "en") == (IRI, "")


@settings(max_examples=50)
@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_one_for_one_slip_and_the_same_both_ways(left: str, right: str) -> None:
    assert distance(left, right, 9) == distance(right, left, 9)
    assert (distance(left, right, 9) == 0) == (left == right)
    assert distance(left, left + "x", 3) == 1
    assert distance("x" + left, left, 3) == 1
    assert distance("xy" + left, "yx" + left, 3) == 1


def test_words_are_put_right_by_the_nearest_then_the_commonest() -> None:
    counts = {"parking": 5, "parkings": 9, "barking": 50, "marketing": 99, "parkign": 1}
    assert ranked("parkign", counts, 2)[:2] == ("parking", "barking") or ranked("parkign", counts, 2)[0] == "parking"
    assert ranked("tram", {"trams": 1, "team": 4, "ram": 4}, 1) == ("ram", "team", "trams")
    assert analyzers.fold("Ä") == "a"
