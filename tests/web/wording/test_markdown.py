"""Laws of Markdown on pages: what a stranger writes in a field can do nothing but be read."""

import time

import pytest

from node.web.wording.markdown import MOST_CHARACTERS, markdown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("*a* and **b**", "<p><em>a</em> and <strong>b</strong></p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("<b onclick=x>a</b>", "<p>&lt;b onclick=x&gt;a&lt;/b&gt;</p>"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>"),
        ("[a](vbscript:x)", "<p>[a](vbscript:x)</p>"),
        ("[a](https://b.example)", '<p><a href="https://b.example" rel="nofollow noopener">a</a></p>'),
        ("[a](mailto:a@b.example)", '<p><a href="mailto:a@b.example" rel="nofollow noopener">a</a></p>'),
        # On our page it would lead into our node.
        ("[a](../other.md)", '<p><a rel="nofollow noopener">a</a></p>'),
        ("[a](//b.example/c)", '<p><a rel="nofollow noopener">a</a></p>'),
        ("# One\n\n###### Six", "<h3>One</h3>\n<h3>Six</h3>"),
    ],
)
def test_only_marks_and_links_to_the_web_become_html(written: str, shown: str) -> None:
    assert markdown(written) == shown


def test_a_picture_is_a_link_so_that_reading_asks_no_other_server() -> None:
    made = markdown('![A "map"](https://b.example/map.png)')
    assert made == '<p><a href="https://b.example/map.png" rel="nofollow noopener">A "map"</a></p>'
    assert ">https://b.example/map.png</a>" in markdown("![](https://b.example/map.png)")
    assert "<img" not in markdown("[![a](https://b.example/a.png)](https://c.example)")


def test_headings_are_put_below_those_of_the_page() -> None:
    assert markdown("# One", 4) == "<h4>One</h4>"


def test_a_table_is_a_table() -> None:
    assert "<th>a</th>" in markdown("|a|b|\n|-|-|\n|1|<i>|")
    assert "&lt;i&gt;" in markdown("|a|b|\n|-|-|\n|1|<i>|")


def test_a_book_in_one_field_is_shown_as_it_is_typed() -> None:
    text = "![" * (MOST_CHARACTERS // 2) + "\n<b>"
    began = time.process_time()
    assert markdown(text) == f"{'![' * (MOST_CHARACTERS // 2)}<br>&lt;b&gt;"
    assert time.process_time() - began < 0.5
