"""Laws of words: the fast way says what the slow one says, accents do not matter, compounds are found by parts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.search import analyzers
from node.catalog.search.analyzers import _words, analyzed, as_parts, parts, stems, title_key, title_number, words

TEXTS = st.text(st.sampled_from("aZ 1_-äÄößæµ½²ªÿ–“€œłЖ東e\u0301\x00\x01\x02ı İ\u200f😀'{|}"), max_size=30)
LANGUAGES = st.sampled_from(["fi", "sv", "en", "de-AT", "pl", ""])


@settings(max_examples=40)
@given(TEXTS)
def test_folding_by_tables_says_what_folding_by_unicode_says(text: str) -> None:
    assert words(text) == _words(text)


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=4), LANGUAGES)
def test_texts_looked_at_together_are_those_looked_at_alone(texts: list[str], language: str) -> None:
    alone = [(words(text), stems(words(text), language)) for text in texts]
    assert [(said.split(), reduced.split()) for said, reduced in analyzed(texts, language)] == alone


@settings(max_examples=40)
@given(st.lists(st.tuples(TEXTS, LANGUAGES), min_size=2, max_size=5))
def test_a_title_s_number_never_contradicts_the_order_of_its_key(titles: list[tuple[str, str]]) -> None:
    keys = sorted(title_key(title, language, at) for at, (title, language) in enumerate(titles))
    numbers = [title_number(key) for key in keys]
    assert numbers == sorted(numbers)
    assert all(0 <= number < 1 << 63 for number in numbers)


@pytest.mark.parametrize(
    ("typed", "written", "language"),
    [
        ("pysakointi", "Pysäköinti", "fi"),
        ("ALUEILLA", "alueet", "fi"),
        ("parkeringar", "Parkering", "sv"),
        ("cycles", "cycling", "en"),
        ("Strasse", "Straße", "de"),
        ("straten", "straat", "nl"),
        ("Ørsted", "orsted", "da"),
    ],
)
def test_what_differs_in_accents_or_endings_is_one_stem(typed: str, written: str, language: str) -> None:
    assert stems(words(typed), language) == stems(words(written), language)


def found_by_part(typed: str, written: str, language: str) -> bool:
    asked = as_parts(stems(words(typed), language)[0])
    return bool(set(asked) & set(parts(stems(words(written), language), language).split()))


@pytest.mark.parametrize(
    ("typed", "written", "language"),
    [
        ("pysäköinti", "pysäköintialueet", "fi"),
        ("alueet", "pysäköintialueet", "fi"),
        ("tie", "pyörätie", "fi"),
        ("parkering", "parkeringsplatser", "sv"),
        ("platser", "parkeringsplatser", "sv"),
    ],
)
def test_compounds_are_found_by_how_they_begin_and_end(typed: str, written: str, language: str) -> None:
    assert found_by_part(typed, written, language)


def test_languages_without_compounds_have_no_parts() -> None:
    assert parts(["transportation"], "en") == ""
    assert not found_by_part("port", "transportation", "fi"), "a middle is neither a beginning nor an end"


def test_finnish_and_swedish_readers_find_their_last_letters_last() -> None:
    titles = ["Öljy", "Zoo", "Äänet", "Ångström", "Aalto"]
    ordered = sorted(titles, key=lambda title: title_key(title, "fi", 0))
    assert ordered == ["Aalto", "Zoo", "Ångström", "Äänet", "Öljy"]
    assert sorted(titles, key=lambda title: title_key(title, "en", 0)) == ["Aalto", "Äänet", "Ångström", "Öljy", "Zoo"]


def test_signs_without_blanks_between_them_are_words_of_their_own() -> None:
    assert words("東京都の公園 Park") == ["東", "京", "都", "の", "公", "園", "park"]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyzers, "_MOST_KEPT", 10)
    kept = analyzers._Stems("en")
    assert [kept[f"word{n}s"] for n in range(50)] == [f"word{n}" for n in range(50)]
    assert len(kept) <= 11


def test_keywords_keep_their_accents_and_lose_their_case() -> None:
    assert analyzers.keyword_value("  Pysäköinti \n alueet ") == "pysäköinti alueet"
    assert analyzers.keyword_value("e\u0301") == analyzers.keyword_value("É")
