"""Texts, dates and numbers as readers of three languages write them."""

import time
from datetime import UTC, datetime

import nh3
import pytest

from node.web.wording import markdown, text
from tests.web.test_pages import Outline


def test_originals_win_over_machines_whatever_the_reader_speaks() -> None:
    terms = ['"Bonjour"@fr', '"Hello"@en-t-fr', '"Moi"@fi-t-fr']
    for reader in ("en", "fi", "sv"):
        assert text.choose(terms, reader).text == "Bonjour"
    assert text.choose(['"Hello"@en-t-fr'], "en").machine


def test_who_has_no_text_of_their_own_gets_english_then_what_the_author_wrote() -> None:
    cities = ("fi", "sv", "en")
    assert text.choose(['"a"@fi', '"b"@en', '"c"@sv-t-en'], "sv", cities).text == "b"
    assert text.choose(['"a"@fi', '"b"@nl', '"c"@sv-t-nl'], "sv", cities).text == "b"
    assert text.choose(['"a"@nl', '"b"@fi'], "sv", cities).text == "b"
    assert text.source_of("fi") == ""


@pytest.mark.parametrize(
    ("terms", "reader", "chosen", "mark"),
    [
        (['"a"@en', '"b"@fi'], "fi", "b", ""),
        (['"a"@en-gb', '"b"@fi'], "en", "a", ""),
        (['"a"', '"b"@fi'], "sv", "a", ""),
        (['"a"@de', '"b"@sv'], "en", "b", "in Swedish"),
        (['"a"@de'], "fi", "a", "saksaksi"),
        (['"a"@xx'], "en", "a", "in xx"),
        (['"a"@ar'], "fi", "a", "arabiaksi"),
        (['"a"@he-il'], "sv", "a", "på hebreiska"),
        (['"a"@xh'], "en", "a", "in Xhosa"),
        (['"a"@xh'], "fi", "a", "kieli: xhosa"),
        (['"a"@und'], "en", "a", "in und"),
        ([], "en", "", ""),
        (['" "@en', '"b"@fi'], "en", "b", "in Finnish"),
        (['"\u200b\u202e"@en', '"b"@fi'], "en", "b", "in Finnish"),
        (['"\u200b"@en'], "en", "", ""),
        (['"👩\u200d🚒"@en'], "en", "👩\u200d🚒", ""),
    ],
)
def test_the_text_is_the_readers_or_marked(terms: list[str], reader: str, chosen: str, mark: str) -> None:
    found = text.choose(terms, reader, ("fi", "sv", "en"))
    assert (found.text, found.mark(reader)) == (chosen, mark)


def test_dates_and_numbers_are_written_as_readers_do() -> None:
    at = datetime(2026, 11, 21, 3, 40, tzinfo=UTC)
    ms = int(at.timestamp() * 1000)
    assert [text.day(at, code) for code in ("en", "fi", "sv")] == ["21 Nov 2026", "21.11.2026", "21 nov. 2026"]
    assert text.moment(ms, "en") == "21 Nov 2026, 03:40 UTC"
    assert text.moment(ms, "fi") == "21.11.2026 klo 3.40 UTC"
    assert text.number(9814, "en") == "9,814"
    assert text.number(9814, "fi") == "9\u202f814"
    assert text.size(14_000_000, "en") == "14 MB"
    assert text.size(1_900_000, "fi") == "1,9 Mt"
    assert text.size(12, "sv") == "12 B"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("2026-11-21", "21 Nov 2026"), ("2026-11-21T10:00:00Z", "21 Nov 2026"), ("2026", "2026"), ("2026-11", "2026-11"),
     ("2026-99-99", "2026-99-99"), ("soon", "soon")],
)  # fmt: skip
def test_a_source_date_keeps_its_precision(value: str, shown: str) -> None:
    assert text.date_text(value, "en") == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("A *list*:\n\n- one\n- two", "<ul>\n<li>one</li>"),
        ("[x](https://example.org)", 'href="https://example.org"'),
        ("<p>One</p><script>alert(1)</script>", "<p>One</p>"),
        ("# Big\n\ntext", "<h3>Big</h3>"),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
    ],
)
def test_descriptions_are_shown_as_they_were_meant(given: str, shown: str) -> None:
    assert shown in text.clean(given)


@pytest.mark.parametrize(
    "harm",
    [
        "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", '<a href="JAVASCRIPT:alert(1)">x</a>',
        "<svg onload=alert(1)>", "<style>*{}</style>", '<p style="position:fixed">', "<iframe src=//evil>",
        '<a href="data:text/html,x">x</a>', "![x](https://tracker.example/p.gif)", "<form action=//evil><input>",
    ],
)  # fmt: skip
def test_nothing_harmful_is_left(harm: str) -> None:
    for tag, attributes in Outline(str(text.clean(harm))).tags:
        assert tag in {"p", "a"}
        assert set(attributes) <= {"href", "rel"}
        assert str(attributes.get("href", "https:")).startswith("https:")


def test_plain_text_has_no_marks_and_ends_at_a_word() -> None:
    assert text.plain("<p>One &amp; <b>two</b></p><p>three</p>") == "One & two three"
    assert text.plain("one two three four", 11) == "one two…"
    assert text.plain("a < b") == "a < b"


@pytest.mark.parametrize(
    "said",
    [
        "Every on-street area: who may park there, when and for how long.",
        "Two\n\nparagraphs, 12 of them.  And  blanks.\r\nA line; 50 % of 1.5 m (or more)!",
        "1. A list\n2. of things",
        "- dashes\n- more",
        "Title\n=====\ntext",
        "    indented\ntext",
        "a < b & c > d",
        "*stars* and _lines_ and `code` and [a](https://x.example)",
        "",
    ],
)
def test_a_text_without_marks_is_taken_as_it_is_and_reads_as_if_it_had_been_cleaned(said: str) -> None:
    slowly = text._SPACE.sub(
        " ", text._unescape(nh3.clean(text._ANY_TAG.sub(text._gap, str(text.clean(said))), tags=set()))
    )
    assert text.plain(said) == slowly.strip()


def test_a_lead_of_a_very_long_description_costs_no_more_than_its_beginning() -> None:
    long = "<p>" + "word " * 200_000 + "</p>"
    assert text.plain(long, 20) == "word word word word…"


HOSTILE = [
    *("<a href=", "<p ", "<h1", "<div ", "[", "*", "_", "`", "![", "&", "<!--", "http://", "<", "<p>", "<br>", "a<br>"),
    *("[a](", "a_b*", "<pre>", "> ", " ", "a ", "x. A", "a\u0300", "\u00a0", "<p>\u00a0", "\n", "a\n\n", "&nbsp;"),
]


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_of_a_megabyte_keeps_a_page_busy(piece: str) -> None:
    for begins, ends in (("", ""), ("<p>x</p>", "x"), ("<p>x", "x</p>"), ("x", "<p>x</p>")):
        whole = begins + piece * (900_000 // len(piece)) + ends
        before = time.process_time()
        text.clean(whole)
        text.parted(whole, 400)
        text.plain(whole, 400)
        markdown.markdown(whole)
        assert time.process_time() - before < 2


def test_of_a_very_long_description_its_beginning_is_shown_and_a_mark() -> None:
    long = "<p>" + "word " * 9_000 + "<a href='https://x.example'>link</a></p>"
    assert text.clean(long).endswith(" wo</p>\n<p>…</p>")
    assert len(text.clean(long)) < text.MOST_CHARACTERS + 100
    cut = "<p>" + "a" * (text.MOST_CHARACTERS - 10) + "</p><a href='https://x.example'>link</a>"
    assert "href" not in text.clean(cut)
    assert "…" not in text.clean("<p>short</p>")


def test_open_tags_and_brackets_cost_no_more_than_their_number() -> None:
    before = time.process_time()
    text.clean("<p " * 10_000)
    text.clean("<p>x</p>" + "<h1" * 10_000)
    text.clean("![" * 15_000)
    assert time.process_time() - before < 0.5


def test_breaks_around_a_lead_are_taken_off_and_those_within_stay() -> None:
    assert text._without_breaks(" <br>\n a<br> b <br><br> ") == "a<br> b"
    assert text._without_breaks("<br> <br>") == ""
