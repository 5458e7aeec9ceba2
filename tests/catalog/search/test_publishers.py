"""Laws of publishers in facets: each is called as the reader calls it, counted once, whatever a stranger wrote."""

from hypothesis import given
from hypothesis import strategies as st

from node.catalog.search.publishers import counts, term_of

FI, SV, EN = ("Kaupunginkanslia", "fi"), ("Stadskansliet", "sv"), ("Executive Office", "en")


def test_a_publisher_is_called_as_the_reader_calls_it_where_any_of_its_records_does() -> None:
    terms = {term_of("office", [EN]): 5, term_of("office", [FI, SV, EN]): 2}
    for language, (name, tag) in (("en", EN), ("fi", FI), ("sv", SV)):
        (one,) = counts(terms, language)
        assert (one.value, one.label, one.tag, one.count) == ("office", name, tag, 7)


def test_a_name_in_another_language_tells_which_and_one_without_a_language_tells_none() -> None:
    (one,) = counts({term_of("office", [FI]): 1}, "sv")
    assert (one.label, one.tag) == FI
    (plain,) = counts({term_of("office", [("Office", "")]): 1}, "sv")
    assert (plain.label, plain.tag) == ("Office", "")


@given(st.text(), st.text(max_size=8))
def test_no_name_of_a_stranger_breaks_a_term(name: str, tag: str) -> None:
    (one,) = counts({term_of("office", [(name, tag)]): 3}, "fi")
    assert (one.value, one.count) == ("office", 3)
    assert one.label == ((" ".join(name.replace("\x1f", " ").replace("\x1e", " ").split())[:200]) or "office")
