"""Markdown of practices and the like, as HTML that can do no harm: what a person wrote in a field, shown on its page.

Unlike descriptions of harvested records (`text.clean`) these are always Markdown: HTML in them is shown as it is typed.
Pictures become links, so that looking at a page asks no other server; links that lead to no web address or mailbox lose
their target; headings are put below the page's own. nh3 goes over the result as over everything that leaves unescaped.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

_TAGS = {
    *("p", "br", "a", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "h3", "h4", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_FOLLOWED = ("https://", "http://", "mailto:")
_EMPTY = re.compile(r"<a\b[^>]*></a>")
# A hundred thousand brackets take seconds: whoever writes a book in one field reads it without marks.
MOST_CHARACTERS, MOST_BRACKETS = 40_000, 2_000


def _image(_: object, tokens: Sequence[Token], at: int, *__: Any) -> str:  # noqa: ANN401 (the renderer's own)
    image = tokens[at]
    source = str(image.attrs.get("src", ""))
    return str(Markup('<a href="{}">{}</a>').format(source, image.content or source))


def _made() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    made.add_render_rule("image", _image)
    return made


_MARKDOWN = _made()


@lru_cache(maxsize=1_024)
def markdown(text: str, level: int = 3) -> Markup:
    """Write Markdown as HTML, all its headings of one level (3 or 4).

    More than 40,000 characters, or more than 2,000 brackets, are written as plain lines.
    """
    if len(text) > MOST_CHARACTERS or text.count("[") > MOST_BRACKETS:
        return lines(text)
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"
    rough = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    safe = nh3.clean(
        rough,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        attribute_filter=lambda _, name, value: value if name != "href" or value.startswith(_FOLLOWED) else None,
        link_rel="nofollow noopener",
    )
    return Markup(_EMPTY.sub("", safe).strip())  # noqa: S704 (cleaned in the line before)


def lines(text: str) -> Markup:
    """Write plain text with its line breaks."""
    return Markup(str(escape(text.strip())).replace("\n", "<br>"))  # noqa: S704 (escaped)
