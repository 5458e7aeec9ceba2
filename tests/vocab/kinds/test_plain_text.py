"""Laws of plain texts: HTML becomes Markdown, what only looks like HTML stays, and no text takes long."""

import time

import pytest

from node.vocab.kinds.plain_text import cut, is_html, markdown_of, straight


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<p>One.</p><p>Two &amp; three.</p>", "One.\n\nTwo & three."),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<ol><li>a<ul><li>b</li></ul></li></ol>", "1. a\n  - b"),
        ("See <a href='https://a.example/x?a=1&amp;b=2'>this</a>.", "See [this](https://a.example/x?a=1&b=2)."),
        ('<a href="javascript:alert(1)">no</a>', "no"),
        ('<a href="https://a.example/x y">no</a>', "no"),
        ("<strong>Bold</strong> and <em>not</em><br>next", "**Bold** and *not*\nnext"),
        ("<h2>Head</h2>Text", "### Head\n\nText"),
        ("a<script>alert(1)</script>b<!-- c -->d<p>", "abd"),
        ("a<script>never ends<p>", "a"),
        ("<div>line\nends</div>", "line ends"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a · b ·"),
        ("</li></ul></a>odd<p>", "odd"),
    ],
)
def test_html_becomes_markdown(text: str, said: str) -> None:
    assert markdown_of(text) == said


@pytest.mark.parametrize("text", ["x < y and y > z", "<https://a.example>", "a <b", "2 <p 3"])
def test_what_only_looks_like_html_stays(text: str) -> None:
    assert not is_html(text)
    assert markdown_of(text) == text


def test_blanks_and_line_ends_are_the_plain_ones() -> None:
    assert straight("\xa0a\r\nb \x00\rc\n") == "a\nb\nc"


def test_a_text_is_cut_after_a_sentence_or_a_word() -> None:
    assert cut("A sentence of words. Another one here", 24) == "A sentence of words."
    assert cut("words without any end at all", 14) == "words without…"
    assert cut("x" * 30, 10) == "x" * 9 + "…"
    assert cut("short", 10) == "short"


@pytest.mark.parametrize("part", ["<script", "<!--", "<ul>", "<a href=", "<p ", "<li>", "&amp", "<"])
def test_no_text_takes_long(part: str) -> None:
    began = time.process_time()
    markdown_of(part * 20_000 + "<p>")
    assert time.process_time() - began < 2
