"""The rules of RFC 4287 that an Atom feed must follow, written from the RFC: what a feed validator would say.

Each rule cites its section. `broken_rules` gives sentences, none for a valid feed. Sitemaps (sitemaps.org 0.9) and
OpenSearch descriptions (1.1) have theirs here too.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

ATOM = "{http://www.w3.org/2005/Atom}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_W3C = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?")
_MEDIA = re.compile(r"[\w.+-]+/[\w.+-]+(;.*)?")
_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_TEXT_TYPES = {"text", "html", "xhtml"}
_ONCE_IN_FEED = ("generator", "icon", "logo", "id", "rights", "subtitle", "title", "updated")
_ONCE_IN_ENTRY = ("content", "id", "published", "rights", "source", "summary", "title", "updated")
_KNOWN = {
    *_ONCE_IN_FEED, *_ONCE_IN_ENTRY, "author", "category", "contributor", "link", "entry", "name", "uri", "email",
}  # fmt: skip


def parsed(body: bytes) -> ET.Element:
    """Parse what a node of ours wrote; an entity or a stray character ends it here."""
    return ET.fromstring(body)  # noqa: S314


def broken_rules(body: bytes) -> list[str]:
    """Say which rules a feed breaks."""
    feed = parsed(body)
    if feed.tag != f"{ATOM}feed":
        return ["2: the document element is atom:feed"]
    return [
        *_feed(feed),
        *(f"entry {at}: {rule}" for at, e in enumerate(feed.iter(f"{ATOM}entry")) for rule in _entry(e)),
    ]


def _feed(feed: ET.Element) -> Iterator[str]:
    yield from _counts(feed, _ONCE_IN_FEED, needed=("id", "title", "updated"), section="4.1.1")
    entries = feed.findall(f"{ATOM}entry")
    if not feed.findall(f"{ATOM}author") and not all(entry.findall(f"{ATOM}author") for entry in entries):
        yield "4.1.1: an author in the feed, or one in every entry"
    # 4.1.1: entries of one id are one entry at different times.
    seen = Counter((_of(entry, "id"), _of(entry, "updated")) for entry in entries)
    yield from (f"4.1.1: {key} comes twice" for key, count in seen.items() if count > 1)
    yield from _common(feed)
    if "self" not in {link.get("rel") for link in feed.findall(f"{ATOM}link")}:
        yield "4.1.1: a feed should have a link to itself"


def _entry(entry: ET.Element) -> Iterator[str]:
    yield from _counts(entry, _ONCE_IN_ENTRY, needed=("id", "title", "updated"), section="4.1.2")
    rels = [link.get("rel", "alternate") for link in entry.findall(f"{ATOM}link")]
    if entry.find(f"{ATOM}content") is None and "alternate" not in rels:
        yield "4.1.2: an entry without content has a link with rel alternate"
    yield from _common(entry)


def _counts(parent: ET.Element, once: tuple[str, ...], *, needed: tuple[str, ...], section: str) -> Iterator[str]:
    for name in once:
        count = len(parent.findall(f"{ATOM}{name}"))
        if count > 1 or (name in needed and not count):
            yield f"{section}: {count} atom:{name}"


def _common(parent: ET.Element) -> Iterator[str]:
    for element in parent:
        if element.tag.startswith(ATOM) and element.tag.removeprefix(ATOM) not in _KNOWN:
            yield f"unknown element {element.tag}"
        if element.tag != f"{ATOM}entry":
            yield from _construct(element)
    tag = parent.get(XML_LANG)
    if tag is not None and not _TAG.fullmatch(tag):
        yield f"2: xml:lang {tag!r}"
    alternates = Counter(
        (link.get("type"), link.get("hreflang"))
        for link in parent.findall(f"{ATOM}link")
        if link.get("rel", "alternate") == "alternate"
    )
    yield from (f"4.1: two alternate links of {key}" for key, count in alternates.items() if count > 1)


def _construct(element: ET.Element) -> Iterator[str]:
    name, text = element.tag.removeprefix(ATOM), element.text or ""
    if name in ("title", "subtitle", "summary", "rights") and element.get("type", "text") not in _TEXT_TYPES:
        yield f"3.1.1: type of {name}"
    if name == "title" and not text.strip():
        yield "4.2.14: an empty title"
    if name in ("updated", "published") and not _is_time(text):
        yield f"3.3: {text!r} is no RFC 3339 date-time"
    if name in ("id", "icon", "logo") and not _is_iri(text):
        yield f"4.2.6: {text!r} is no absolute IRI"
    if (
        name in ("author", "contributor")
        and len([n for n in element.findall(f"{ATOM}name") if (n.text or "").strip()]) != 1
    ):
        yield "3.2.1: a person has one name"
    if name == "category" and not element.get("term"):
        yield "4.2.2.1: a category has a term"
    if name == "link":
        yield from _link(element)


def _link(element: ET.Element) -> Iterator[str]:
    if not _is_iri(element.get("href", "")):
        yield f"4.2.7.1: href {element.get('href')!r}"
    if element.get("type") is not None and not _MEDIA.fullmatch(element.get("type", "")):
        yield f"4.2.7.3: type {element.get('type')!r}"
    if element.get("rel") == "":
        yield "4.2.7.2: an empty rel"


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    datetime.fromisoformat(text)
    return True


def _is_iri(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and (parts.netloc or parts.path)) and not re.search(r"[\s<>\"{}|\\^`]", text)


def _of(element: ET.Element, name: str) -> str:
    return element.findtext(f"{ATOM}{name}") or ""


# ---------------------------------------------------------------- sitemaps.org 0.9

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
MOST_URLS, MOST_BYTES, MOST_LOC = 50_000, 50 * 1024 * 1024, 2_048


def sitemap_rules(body: bytes, address: str) -> list[str]:
    """Say which rules a sitemap, or an index of sitemaps, breaks that was read at an address."""
    root = parsed(body)
    kind = {f"{SITEMAP}urlset": "url", f"{SITEMAP}sitemapindex": "sitemap"}.get(root.tag)
    if kind is None:
        return [f"the document element is {root.tag}"]
    said = ["more than 50 MiB"] if len(body) > MOST_BYTES else []
    said += ["more than 50,000 entries"] if len(root) > MOST_URLS else []
    locations = [element.findtext(f"{SITEMAP}loc") or "" for element in root]
    said += [f"{loc} comes twice" for loc, count in Counter(locations).items() if count > 1]
    for element, loc in zip(root, locations, strict=True):
        said += _sitemap_entry(element, loc, kind, address)
    return said


def _sitemap_entry(element: ET.Element, loc: str, kind: str, address: str) -> Iterator[str]:
    here, there = urlsplit(address), urlsplit(loc)
    if element.tag != f"{SITEMAP}{kind}":
        yield f"{element.tag} in a list of {kind}"
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        yield f"{loc} is not of this host"
    if len(loc) >= MOST_LOC or re.search(r"[\s<>\"]", loc):
        yield f"{loc[:80]} is no address"
    changed = element.findtext(f"{SITEMAP}lastmod")
    if changed is not None and not _W3C.fullmatch(changed):
        yield f"{changed!r} is no W3C date"
    allowed = {
        f"{SITEMAP}{name}" for name in ("loc", "lastmod", *(("changefreq", "priority") if kind == "url" else ()))
    }
    yield from (f"{child.tag} in {kind}" for child in element if child.tag not in allowed)


# ---------------------------------------------------------------- OpenSearch 1.1

OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_LENGTHS = {"ShortName": 16, "LongName": 48, "Description": 1_024}
_PARAMETER = re.compile(r"\{(?:([\w]+):)?([\w]+)(\?)?\}")
_CORE = {"searchTerms", "count", "startIndex", "startPage", "language", "inputEncoding", "outputEncoding"}


def opensearch_rules(body: bytes) -> list[str]:
    """Say which rules a description breaks."""
    root, said = parsed(body), []
    if root.tag != f"{OPENSEARCH}OpenSearchDescription":
        return [f"the document element is {root.tag}"]
    for name, most in _LENGTHS.items():
        texts = [element.text or "" for element in root.findall(f"{OPENSEARCH}{name}")]
        needed = name != "LongName"
        if (
            len(texts) > 1
            or (needed and not texts)
            or any(not text or len(text) > most or "<" in text for text in texts)
        ):
            said.append(f"{name}: {texts}")
    urls = root.findall(f"{OPENSEARCH}Url")
    said += [] if urls else ["no Url"]
    for url in urls:
        template = url.get("template", "")
        if not _MEDIA.fullmatch(url.get("type", "")) or not _is_iri(re.sub(r"[{}]", "", template)):
            said.append(f"Url {template!r} of {url.get('type')!r}")
        for prefix, name, _ in _PARAMETER.findall(template):
            if not prefix and name not in _CORE:
                said.append(f"unknown parameter {name}")
            if prefix and f'xmlns:{prefix}="' not in body.decode():
                said.append(f"unknown prefix {prefix}")
    return said
