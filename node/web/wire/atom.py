"""A search as an Atom feed (RFC 4287) that a feed reader can keep: the same answer as the JSON of `/search`.

`entry_of` reads one hit of that JSON, so hits that came live from another city are entries like any other. What every
feed must have and search may lack is settled here: a title is never empty, an author is always named, characters that
XML 1.0 cannot hold are dropped. Pure text: no shelf, no request. A feed is for subscribers, so whoever asks for one
without an order is best given `sort=changed`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

MEDIA_TYPE = "application/atom+xml"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
DESCRIPTION_TYPE = "application/opensearchdescription+xml"
EPOCH = "1970-01-01T00:00:00Z"

# RFC 3339, the only spelling of time that RFC 4287 (3.3) takes.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_NOT_IN_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_THEMES = "http://publications.europa.eu/resource/authority/data-theme/"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as an entry. `changed` is RFC 3339, `licence` an IRI or empty, `categories` pairs of scheme, term."""

    iri: str
    page: str
    title: str
    language: str = ""
    summary: str = ""
    author: str = ""
    city: str = ""
    changed: str = EPOCH
    licence: str = ""
    categories: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What the feed says of itself.

    `id` is the search without page and language, so that it stays one feed; `here` the address it was asked at, `page`
    its HTML twin, `next` the following page (RFC 5005) or empty; `updated` (RFC 3339) stands for a feed of no entries.
    """

    id: str
    here: str
    page: str
    title: str
    author: str
    language: str = "en"
    query: str = ""
    total: int = 0
    per_page: int = 20
    next: str = ""
    description: str = ""
    updated: str = EPOCH
    icon: str = ""
    software: str = ""
    subtitle: str = ""


def moment(ms: int) -> str:
    """Write milliseconds since 1970 as RFC 3339.

    >>> moment(1_795_232_400_000)
    '2026-11-21T03:40:00Z'
    """
    return datetime.fromtimestamp(ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def entry_of(hit: Mapping[str, object]) -> Entry:
    """Read a hit of the JSON of `/search`; what is missing or of another shape is left out."""

    def text(key: str) -> str:
        found = hit.get(key)
        return found if isinstance(found, str) else ""

    def texts(key: str) -> list[str]:
        found = hit.get(key)
        return [each for each in found if isinstance(each, str)] if isinstance(found, list | tuple) else []

    licence = hit.get("licence")
    licence_iri = str(licence.get("iri") or "") if isinstance(licence, Mapping) else ""
    return Entry(
        iri=text("iri"),
        page=text("page"),
        title=text("title"),
        language=text("title_language"),
        summary=text("description"),
        author=text("publisher"),
        city=text("city_title") or text("city"),
        changed=text("changed") or EPOCH,
        licence=licence_iri,
        categories=(*((_THEMES, theme) for theme in texts("themes")), *(("", form) for form in texts("formats"))),
    )


def feed(about: About, entries: Iterable[Entry]) -> bytes:
    """Write the feed: RFC 4287 with OpenSearch 1.1 counts, UTF-8. Its `updated` is the newest entry's."""
    listed = list(entries)
    return "".join(_feed(about, listed)).encode()


def _feed(about: About, entries: Sequence[Entry]) -> Iterator[str]:
    newest = max((_time(each.changed) for each in entries), key=_instant, default=_time(about.updated))
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:os="{OPENSEARCH}" xml:lang="{_xml(about.language)}">\n'
    yield _element("id", about.id)
    yield _element("title", _said(about.title, about.id))
    yield _element("subtitle", about.subtitle) if about.subtitle else ""
    yield _element("updated", newest)
    yield f"<author>{_element('name', _said(about.author, 'citynode'), end='')}</author>\n"
    yield _link("self", about.here, MEDIA_TYPE)
    yield _link("alternate", about.page, "text/html")
    if about.next:
        yield _link("next", about.next, MEDIA_TYPE)
    if about.description:
        yield _link("search", about.description, DESCRIPTION_TYPE)
    yield _element("icon", about.icon) if about.icon else ""
    yield f'<generator version="{_xml(about.software)}">citynode</generator>\n'
    yield f"<os:totalResults>{about.total}</os:totalResults>\n<os:itemsPerPage>{about.per_page}</os:itemsPerPage>\n"
    yield f'<os:Query role="request" searchTerms="{_xml(about.query)}"/>\n'
    for each in entries:
        yield from _entry(each, about.author)
    yield "</feed>\n"


def _entry(entry: Entry, city: str) -> Iterator[str]:
    language = f' xml:lang="{_xml(entry.language)}"' if entry.language else ""
    yield f"<entry{language}>\n"
    yield _element("id", entry.iri)
    yield _element("title", _said(entry.title, entry.iri))
    yield _element("updated", _time(entry.changed))
    author = _said(entry.author, entry.city, city, "citynode")
    yield f"<author>{_element('name', author, end='')}</author>\n"
    yield _link("alternate", entry.page, "text/html")
    yield _link("via", entry.iri) if entry.iri != entry.page else ""
    # RFC 4946: the licence of the thing, not of the entry's text.
    yield _link("license", entry.licence) if entry.licence else ""
    for scheme, term in entry.categories:
        said = f' scheme="{_xml(scheme)}"' if scheme else ""
        yield f'<category term="{_xml(term)}"{said}/>\n'
    # An entry whose only content is elsewhere should have a summary (4.1.2); an empty one is better than none.
    yield _element("summary", entry.summary)
    yield "</entry>\n"


def _time(value: str) -> str:
    return value if _TIME.fullmatch(value) and _readable(value) else EPOCH


def _readable(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _said(*texts: str) -> str:
    """Choose the first text in which there is something to read; blanks, and what XML cannot hold, are nothing."""
    return next((text for text in texts if _NOT_IN_XML.sub("", text).strip()), texts[-1])


def _xml(text: str) -> str:
    return escape(_NOT_IN_XML.sub("", text), quote=True)


def _element(name: str, text: str, *, end: str = "\n") -> str:
    return f"<{name}>{_xml(text)}</{name}>{end}"


def _link(rel: str, href: str, kind: str = "") -> str:
    said = f' type="{_xml(kind)}"' if kind else ""
    return f'<link rel="{_xml(rel)}" href="{_xml(href)}"{said}/>\n'
