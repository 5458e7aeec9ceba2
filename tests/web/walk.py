"""A walk over pages: every link of a page that stays in its part of the node, every form with its fields.

Reads pages as a browser without script does; knows nothing of any area.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx


@dataclass
class Sheet:
    """One form: where it is sent and how, its fields with what stands in them, those that take any text."""

    action: str
    method: str
    upload: bool = False
    fields: dict[str, list[str]] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """The links and forms of one page."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.url = url
        self.links: list[str] = []
        self.forms: list[Sheet] = []
        self.lang = ""
        self._by_id: dict[str, Sheet] = {}
        self._open: Sheet | None = None
        self._select = ""
        self._area = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.lang = said.get("lang", "")
        elif tag == "a" and "href" in said:
            self.links.append(urljoin(self.url, said["href"]))
        elif tag == "form":
            upload = said.get("enctype") == "multipart/form-data"
            self._open = Sheet(urljoin(self.url, said.get("action", "")), said.get("method", "get").lower(), upload)
            self.forms.append(self._open)
            self._by_id[said.get("id", "")] = self._open
        else:
            self._field(tag, said)

    def _field(self, tag: str, said: Mapping[str, str]) -> None:
        form = self._by_id.get(said["form"]) if "form" in said else self._open
        name = said.get("name", "")
        if tag == "option" and self._open and self._select:
            chosen = self._open.fields.setdefault(self._select, [])
            if not chosen or "selected" in said:
                self._open.fields[self._select] = [said.get("value", "")]
        elif form is None or not name or "disabled" in said:
            return
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
            form.fields.setdefault(name, []).append("")
            form.free.append(name)
        elif tag == "input" and said.get("type") in ("checkbox", "radio"):
            if "checked" in said or name not in form.fields:
                form.fields.setdefault(name, []).append(said.get("value", "on"))
        elif tag == "input" and said.get("type") != "file":
            form.fields.setdefault(name, []).append(said.get("value", ""))
            if said.get("type") != "hidden":
                form.free.append(name)

    def handle_data(self, data: str) -> None:
        if self._area and self._open:
            self._open.fields[self._area][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


def walked(
    get: Callable[[str], httpx.Response], base: str, start: str, stays: Callable[[str], bool], most: int
) -> Iterator[tuple[str, httpx.Response]]:
    """Visit a page and whatever it links to that `stays` holds of (path and query), each once, at most so many."""
    waiting, seen = [start], {start}
    while waiting and most:
        path = waiting.pop(0)
        most -= 1
        reply = get(path)
        yield path, reply
        if not reply.headers.get("content-type", "").startswith("text/html"):
            continue
        for link in Page(base + path, reply.text).links:
            parts = urlsplit(link)
            there = parts.path + (f"?{parts.query}" if parts.query else "")
            if f"{parts.scheme}://{parts.netloc}" == base and stays(there) and there not in seen:
                seen.add(there)
                waiting.append(there)
