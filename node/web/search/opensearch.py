"""The OpenSearch 1.1 description: by it browsers, feed readers and catalogue clients learn how to search here.

One small document from the city's name and address; the templates name parameters of `/search` and nothing else, so
what a client fills in is read by the one reader there is. With the Geo and Time extensions, for earth observation
clients. Names are cut to the lengths that the specification allows.
"""

import hashlib
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.web.parts import Parts
from node.web.wire import answer, atom
from node.web.wire.answer import Document
from node.web.wire.atom import DESCRIPTION_TYPE, OPENSEARCH
from node.web.wording.words import words

PATH = "/opensearch.xml"
MOST_SHORT, MOST_LONG, MOST_ABOUT = 16, 48, 1024
_GEO, _TIME = "http://a9.com/-/opensearch/extensions/geo/1.0/", "http://a9.com/-/opensearch/extensions/time/1.0/"
_ASKED = (
    "q={searchTerms?}&limit={count?}&lang={language?}&bbox={geo:box?}&place={geo:name?}"
    "&from={time:start?}&to={time:end?}"
)
_MARKUP = re.compile(r"[<>]")
# Only the terms: what a browser's search box fills in.
_SHORT = "q={searchTerms}"


def description(base: str, city: str, about: str, languages: Sequence[str]) -> bytes:
    """Write the description of a city's search."""
    urls = [
        ("text/html", f"{base}/search?{_SHORT}", "results"),
        (atom.MEDIA_TYPE, f"{base}/search.atom?{_ASKED}", "results"),
        ("application/json", f"{base}/search.json?{_ASKED}", "results"),
        (DESCRIPTION_TYPE, base + PATH, "self"),
    ]
    said = "".join(f'<Url type="{kind}" rel="{rel}" template="{escape(template)}"/>\n' for kind, template, rel in urls)
    told = "".join(f"<Language>{escape(code)}</Language>\n" for code in languages)
    icon = quote(f"{base}/static/icon.svg", safe=":/")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OpenSearchDescription xmlns="{OPENSEARCH}" xmlns:geo="{_GEO}" xmlns:time="{_TIME}">\n'
        f"<ShortName>{_named(city, MOST_SHORT)}</ShortName>\n<LongName>{_named(city, MOST_LONG)}</LongName>\n"
        f"<Description>{_named(about, MOST_ABOUT)}</Description>\n{said}"
        f'<Image type="image/svg+xml">{escape(icon)}</Image>\n'
        f'<Query role="example" searchTerms="*"/>\n{told}'
        "<InputEncoding>UTF-8</InputEncoding>\n<OutputEncoding>UTF-8</OutputEncoding>\n</OpenSearchDescription>\n"
    ).encode()


def _named(text: str, most: int) -> str:
    """Cut a text to its length; what looks like markup may not stand in it."""
    return escape(_MARKUP.sub(" ", text)[:most].strip())


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made, site = APIRouter(tags=["Search"]), parts.site
    about = words(parts.pages.languages[0], "ogc.lead", city=site.city)
    body = description(site.base_url, site.city, about, parts.pages.languages)
    tag = hashlib.sha256(body).hexdigest()[:32] + "-os1"

    @made.get(PATH, summary="How to search here (OpenSearch 1.1)", response_class=Response)
    async def opensearch(request: Request) -> Response:
        document = Document(body, DESCRIPTION_TYPE, tag=tag, cache=answer.REVALIDATE, vary=answer.VARY_SUFFIX)
        return answer.reply(request.headers, document)

    return made
