import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import Malformed
from node.federation.policy.phrases import Exact, First, Listed, Named, Numbered, Pattern, Phrase, Tagged, only

WORD = Pattern[str](re.compile(r"[a-z]+"), lambda text: text, lambda found: found[0])
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(TEXTS)
def test_any_text_in_angle_brackets_reads_back_and_stays_in_its_line(text: str) -> None:
    form = Tagged({"b": "B", "<": "C"})
    said = form.say(text)
    assert said is not None
    assert said.isprintable()
    assert only(form, said, fix="") == text


@given(st.lists(TEXTS, min_size=1, max_size=6).map(tuple))
def test_a_list_of_any_texts_reads_back(texts: tuple[str, ...]) -> None:
    for form in (Listed(Tagged({}), " or "), Numbered(Tagged({}), str, ", ", " and ")):
        said = form.say(texts)
        assert said is not None
        assert only(form, said, fix="") == texts


def test_a_text_that_could_mean_two_things_is_refused_and_never_guessed_at() -> None:
    same = {"x": "word", "y": "other"}
    two: First[str] = First(
        [Pattern(re.compile("a"), same.get, lambda _: "x"), Pattern(re.compile("a"), same.get, lambda _: "y")]
    )
    twice = First([_Says("a", "x"), _Says("a", "y")])
    assert two.say("z") is None
    with pytest.raises(Malformed, match="two things"):
        only(twice, "a", fix="Say it otherwise.")
    with pytest.raises(Malformed, match="says nothing"):
        only(twice, "ab", fix="")


class _Says:
    """Says any value by one word, and reads one value back."""

    def __init__(self, word: str, value: str) -> None:
        self.word, self.value = word, value

    def say(self, value: str) -> str:
        return self.word

    def read(self, text: str, at: int):
        if text.startswith(self.word, at):
            yield self.value, at + len(self.word)


def test_names_that_two_values_share_or_that_hold_a_quotation_mark_are_not_used() -> None:
    form = Named.of({"a": "One", "b": "One", "c": "Th”ree", "d": "Four", "e": ""}, ("“", "”"))
    assert [form.say(value) for value in "abcde"] == [None, None, None, "“Four”", None]
    assert only(form, "“Four”", fix="") == "d"


def test_a_phrase_fills_its_places_and_finds_them_again() -> None:
    phrase = Phrase.of("{who} may {what}.")
    forms = {"who": Exact("London"), "what": WORD}
    assert phrase.say(forms, {"what": "read"}) == "London may read."
    assert list(phrase.read(forms, "London may read.", 0)) == [({"who": None, "what": "read"}, 16)]
    assert phrase.say(forms, {"what": "READ"}) is None


def test_an_empty_list_has_no_words() -> None:
    assert Listed(WORD, " or ").say(()) is None
    assert Numbered(WORD, str, ", ", " and ").say(()) is None
    assert Listed(WORD, " or ").say(("a", "B")) is None
    assert Numbered(WORD, str, ", ", " and ").say(("a", "B")) is None
