"""Texts of other systems made into ours: HTML into Markdown, odd spaces and line ends straight, long ones cut.

Only tags that HTML has are taken for HTML: `<https://…>` and `x < y` stay as they are. What a tag says of its looks is
dropped; headings, paragraphs, lists, emphasis and links stay. Linear in the length of the text. Pure.
"""

import html
import re
from urllib.parse import urlsplit

_TAGS = (
    "a|abbr|b|blockquote|br|caption|code|dd|del|div|dl|dt|em|figure|figcaption|font|h[1-6]|header|hr|i|img|ins|li|ol|p"
    "|pre|s|section|small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul"
)
_TAG = re.compile(rf"<(/?)({_TAGS})((?:\s[^<>]*)?)/?>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style|iframe|object)\b|<(!--)", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}[^>]*>", re.IGNORECASE) for name in ("script", "style", "iframe", "object")}
_ENDS["!--"] = re.compile("-->")
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\xa0]+")
_LINES = re.compile(r"\n{3,}")
_BLOCKS = {"p", "div", "ul", "ol", "table", "blockquote", "section", "header", "figure", "pre", "dl"}
_BREAKS = {"br", "tr", "dt", "dd", "caption", "figcaption"}
_MARKS = {"b": "**", "strong": "**", "em": "*", "i": "*", "code": "`"}
MAX_TEXT = 400_000


def straight(text: str) -> str:
    """Make line ends and blanks the plain ones; drop control characters and blanks at both ends."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in plain.replace("\xa0", " ").split("\n")).strip()


def is_html(text: str) -> bool:
    """Tell whether there is a tag of HTML in a text."""
    return _TAG.search(text) is not None


def markdown_of(text: str) -> str:
    """Make Markdown of HTML; a text without tags only loses its character references."""
    if not is_html(text):
        return straight(html.unescape(text)) if "&" in text else straight(text)
    made = _Maker(_shown(text[:MAX_TEXT])).made()
    return _LINES.sub("\n\n", straight(html.unescape(made)))


def _shown(text: str) -> str:
    """Drop comments and what a browser never shows; one that has no end goes on to the end of the text."""
    kept, at = [], 0
    while found := _HIDDEN.search(text, at):
        kept.append(text[at : found.start()])
        end = _ENDS[(found[1] or found[2]).lower()].search(text, found.end())
        if end is None:
            return "".join(kept)
        at = end.end()
    return "".join([*kept, text[at:]])


class _Maker:
    """Goes through one text, tag by tag."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._out: list[str] = []
        self._lists: list[str] = []
        self._links: list[str] = []

    def made(self) -> str:
        at = 0
        for tag in _TAG.finditer(self._text):
            self._say(self._text[at : tag.start()])
            self._tag(tag[2].lower(), tag[3], closes=bool(tag[1]))
            at = tag.end()
        self._say(self._text[at:])
        return "".join(self._out)

    def _say(self, text: str) -> None:
        # Line ends of HTML are blanks; those of the author are tags.
        self._out.append(_BLANKS.sub(" ", text.replace("\n", " ")))

    def _tag(self, name: str, attributes: str, *, closes: bool) -> None:
        if name in ("ul", "ol"):
            self._list(name, closes=closes)
        elif name == "li":
            self._out.append("" if closes else f"\n{'  ' * max(len(self._lists) - 1, 0)}{self._bullet()} ")
        elif name in _BREAKS:
            self._out.append("\n")
        elif name in _BLOCKS:
            self._out.append("\n\n")
        elif name[0] == "h" and name[1:].isdigit():
            self._out.append("\n\n" if closes else "\n\n### ")
        elif name == "a":
            self._link(attributes, closes=closes)
        elif name in ("td", "th"):
            self._out.append(" · " if closes else "")
        else:
            self._out.append(_MARKS.get(name, ""))

    def _list(self, name: str, *, closes: bool) -> None:
        if not closes:
            self._lists.append(name)
        elif self._lists:
            self._lists.pop()
        self._out.append("\n\n" if not self._lists else "")

    def _bullet(self) -> str:
        return "1." if self._lists and self._lists[-1] == "ol" else "-"

    def _link(self, attributes: str, *, closes: bool) -> None:
        if closes:
            address = self._links.pop() if self._links else ""
            self._out.append(f"]({address})" if address else "")
            return
        found = _HREF.search(attributes)
        address = html.unescape(next((each for each in found.groups() if each), "")) if found else ""
        address = address if _is_web(address) else ""
        self._links.append(address)
        self._out.append("[" if address else "")


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "mailto") and not set(address) & set(" ()<>")


def cut(text: str, limit: int) -> str:
    """Shorten a text to at most so many characters, after a sentence if that keeps half of it, else after a word."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    end = max(head.rfind(mark) for mark in (". ", "! ", "? ", ".\n"))
    if end >= limit // 2:
        return head[: end + 1]
    head = text[: limit - 1]
    whole = text[limit - 1].isspace() or " " not in head
    return f"{(head if whole else head[: head.rfind(' ')]).rstrip()}…"
