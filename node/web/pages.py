"""HTML: the templates, what they may know, and who is looking at them.

Jinja2 with autoescape, every name must exist; no inline style or script leaves here, so the content policy can stay
strict. The language comes from `?lang=` or Accept-Language, never from a cookie; once chosen it travels in links.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request

from node.web.addresses import At, is_mirror
from node.web.ports.ports import CollectionInfo, Run, Site
from node.web.wire import negotiate
from node.web.wire.answer import REVALIDATE, VARY, Document
from node.web.wording import text
from node.web.wording.accent import theme_css
from node.web.wording.words import LANGUAGES, known, title_language, title_said, words

_HERE = Path(__file__).parent
PAGE_VERSION = "html2"
_SLUGS_S = 5.0
STATIC_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".png": "image/png",
}

# The ten icons, on a grid of 24 (ui/README). One never stands without its word.
ICONS = {
    "mark": '<circle cx="9" cy="12" r="5.5"/><circle cx="15" cy="12" r="5.5"/>',
    "seal": '<path d="M12 2.8l2.5 1.9 3.1-.2.8 3 2.6 1.7-1.2 2.9 1.2 2.9-2.6 1.7-.8 3-3.1-.2L12 21.4l-2'
    '.5-1.9-3.1.2-.8-3L3 15l1.2-2.9L3 9.2l2.6-1.7.8-3 3.1.2z"/><path d="M8.6 12.2l2.4 2.4 4.4-4.8"/>',
    "yes": '<path d="M4.5 12.8l4.7 4.7L19.5 6.8"/>',
    "no": '<path d="M6 6l12 12M18 6L6 18"/>',
    "warn": '<path d="M12 4L2.8 20h18.4z"/><path d="M12 10v4.6M12 17.4v.1"/>',
    "wait": '<circle cx="12" cy="12" r="8.6"/><path d="M12 7.2V12l3.2 2"/>',
    "shut": '<rect x="4.5" y="10.5" width="15" height="10" rx="1"/><path d="M8 10.5V7.6a4 4 0 018 0v2.9"/>',
    "empty": '<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.4 15.4L21 21"/>',
    "down": '<path d="M12 4v12M6.5 11l5.5 5.5 5.5-5.5M4.5 20.5h15"/>',
    "run": '<path d="M20 12a8 8 0 11-2.6-5.9M20 3.5v4h-4"/>',
}


def _icon(name: str) -> Markup:
    return Markup(f'<svg viewBox="0 0 24 24" aria-hidden="true">{ICONS[name]}</svg>')  # noqa: S704


_STATES = {"succeeded": ("ok", "yes"), "failed": ("bad", "no"), "running": ("", "run"), "queued": ("", "wait")}


def _state(run: Run, reader: str) -> Markup:
    """Say how a run stands, with the icon that goes with the word."""
    held = run.state == "held" or bool(run.counters.get("held"))
    style, icon = ("warn", "wait") if held else _STATES.get(run.state, ("warn", "warn"))
    key = "state.held" if held else f"state.{run.state}"
    return Markup('<span class="say {}">{}{}</span>').format(style, _icon(icon), words(reader, key))


def _sentence(reader: str, key: str, values: Mapping[str, object]) -> str:
    """Say a thing; where a value is marked up, as a title in its own language is, the sentence is so too."""
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(escape(words(reader, key))).format(**values)  # noqa: S704 (escaped just here)
    return words(reader, key, **values)


def _statics(folder: Path) -> dict[str, bytes]:
    """Read every file that pages are drawn with, by its path below the folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in STATIC_TYPES
    }


def is_fragment(request: Request) -> bool:
    """Tell whether a script asks for a part of the page alone (htmx); going back in the history, it asks for all."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-request-type") != "full"


def ways_in(site: Site) -> list[tuple[str, str]]:
    """List the pages by which one may begin, besides the catalogue: the key of what each is called, and its address."""
    ways = [("sets.title", "/sets"), ("licences.title", "/licences")]
    if site.finding:
        ways.append(("quality.title", "/quality"))
        ways += [("numbers.title", "/numbers")] if site.readers else []
        ways += [("sparql.title", "/sparql")] if site.finding.sparql.offered else []
        ways.append(("stac.title", "/stac"))
    return [*ways, ("ogc.title", "/ogc"), ("ns.title", "/ns"), ("nav.runs", "/runs"), ("nav.api", "/docs")]


def why(code: str, status: int) -> str:
    """Give the key of the sentence that explains a problem to a person."""
    own = f"why.{code}"
    if known(own):
        return own
    return "why.unavailable" if status >= 500 else "why.forbidden" if status == 403 else "why.other"


def heading(code: str, said: str) -> str:
    """Give the key of what a problem is called: of what is said of this one where that has a title, else its code's."""
    own = f"{said}.title"
    return own if known(own) else f"problem.{code}"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks: in which language, whether they chose it, and at which address (without the prefix)."""

    language: str
    chosen: bool
    path: str
    query: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Twin:
    """The same page for machines."""

    label: str
    href: str


def accept_of(request: Request) -> str:
    """Give the Accept header, joined if it came in several lines."""
    return ",".join(request.headers.getlist("accept"))


class Pages:
    """Renders every page of the node."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.prefix = urlsplit(site.base_url).path.rstrip("/")
        self.languages = tuple(code for code in site.languages if code in LANGUAGES) or ("en",)
        self.static = _statics(_HERE / "static")
        self.static["theme.css"] = theme_css(site.accent).encode()
        mark = hashlib.sha256(b"".join(self.static[name] for name in sorted(self.static)))
        self.static_version = mark.hexdigest()[:10]
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["icon"] = _icon
        self._templates.globals["city_mark"] = self._city_mark
        self._slugs: tuple[float, dict[str, str]] = (-_SLUGS_S, {})

    def theme(self) -> bytes:
        """Write the sheet of colours: this city's own, and one for the dot beside each other city."""
        view = self._site.federation.view if self._site.federation else None
        return theme_css(self._site.accent, view.accents() if view else {}).encode()

    def _city_mark(self, name: str) -> Markup:
        """Write a city's name with the dot of its colour; the name alone says which one it is."""
        slug = "self" if name == self._site.city else self._slugs_now().get(name, "")
        dot = Markup(' data-city="{}"').format(slug) if slug else Markup()
        return Markup('<span class="city"{}>{}</span>').format(dot, name)

    def _slugs_now(self) -> dict[str, str]:
        """Give the names that cities bear here, by how they are called; asked for anew every few seconds."""
        now = time.monotonic()
        if now - self._slugs[0] >= _SLUGS_S:
            view = self._site.federation.view if self._site.federation else None
            self._slugs = (now, {one.city: one.name for one in view.cities()} if view else {})
        return self._slugs[1]

    def visitor(self, request: Request) -> Visitor:
        """Find out the language; an unknown `lang` is as good as none."""
        asked = request.query_params.get("lang", "")
        spoken = negotiate.language(request.headers.get("accept-language", ""), self.languages)
        query = tuple(pair for pair in parse_qsl(request.url.query) if pair[0] != "lang")
        chosen = asked in self.languages
        return Visitor(asked if chosen else spoken, chosen, request.scope["path"], query)

    def render(
        self,
        template: str,
        visitor: Visitor,
        *,
        nav: str = "",
        twins: Sequence[Twin] = (),
        fragment: str = "",
        again: bool = True,
        **context: Any,  # noqa: ANN401 - whatever the template names
    ) -> bytes:
        """Write one page, or of it the block that `fragment` names.

        What cannot be asked for `again`, as the answer of an act, offers no other language. Raises TypeError if the
        context has a name of the frame: it would stand at the head of the page instead.
        """
        made = self._templates.get_template(template)
        common = self._common(visitor, nav, twins) | ({} if again else {"languages": []})
        if taken := common.keys() & context.keys():
            said = f"{template}: the frame has a value of its own for {', '.join(sorted(taken))}."
            raise TypeError(said)
        values = {**common, **context}
        if not fragment:
            return made.render(values).encode()
        context_of_page = made.new_context(values)
        # Imports at the top of a template are made known to its blocks by its first step.
        next(made.root_render_func(context_of_page))
        return "".join(made.blocks[fragment](context_of_page)).encode()

    def _common(self, visitor: Visitor, nav: str, twins: Sequence[Twin]) -> dict[str, object]:
        """Give what every template may know."""
        reader = visitor.language
        return {
            "reader": reader,
            "city": self._site.city,
            "base": self._site.base_url,
            "here": visitor.path,
            "elsewhere": [(words(reader, key), path) for key, path in ways_in(self._site)],
            "federated": self._site.federation is not None,
            "searched": self._site.finding is not None,
            "desked": self._site.staff is not None,
            "prefix": self.prefix,
            "static": self.static_version,
            "nav": nav,
            "twins": twins,
            "languages": [(code, LANGUAGES[code], self._same_page(visitor, code)) for code in self.languages],
            "t": lambda key, **values: _sentence(reader, key, values),
            "link": lambda path: self._link(visitor, path),
            "number": lambda value: text.number(value, reader),
            "decimal": lambda value: text.decimal(value, reader),
            "moment": lambda ms: text.moment(ms, reader),
            "date": lambda ms: text.date_of(ms, reader),
            "end": lambda ms: text.end_of(ms, reader),
            "clock": lambda ms: text.clock(ms, reader),
            "record_link": lambda held, beside="": self._link(
                visitor, At("", held).beside(beside) if beside else At("", held).page
            ),
            "city_of": self._cities(),
            "in_words": lambda said, tag: text.told(said, tag, reader),
            "called": lambda title: title_said(title, reader),
            "named": lambda info: self._named(info, reader),
            "why": why,
            "heading": heading,
            "state": lambda run: _state(run, reader),
        }

    def _cities(self) -> Callable[[str], str]:
        """Give what names the city of a mirrored collection, and nothing for our own; asks once for a whole page."""

        @cache
        def known() -> dict[str, str]:
            view = self._site.federation.view if self._site.federation else None
            return {mirror.local: mirror.city for one in view.cities() for mirror in one.mirrors} if view else {}

        def named(collection: str) -> str:
            return known().get(collection, collection.partition("/")[0]) if "/" in collection else ""

        return named

    def _named(self, info: CollectionInfo, reader: str) -> Markup:
        """Write a collection's title, with its language where that is known and not the page's."""
        title = escape(title_said(info.title, reader))
        tag = reader if is_mirror(info.name) else title_language(str(title), self._site.languages[0])
        return title if tag == reader else Markup('<span lang="{}" dir="auto">{}</span>').format(tag, title)

    def document(self, body: bytes, *, cache: str = REVALIDATE, status: int = 200, **more: str) -> Document:
        """Wrap a page; its ETag is its own, made from its bytes."""
        return Document(
            body=body,
            media_type="text/html; charset=utf-8",
            tag=f"{hashlib.sha256(body).hexdigest()[:32]}-{PAGE_VERSION}",
            cache=cache,
            vary=VARY,
            status=status,
            links=more.get("links", ""),
            location=more.get("location", ""),
        )

    def _same_page(self, visitor: Visitor, language: str) -> str:
        return f"{self.prefix}{visitor.path}?{urlencode([*visitor.query, ('lang', language)])}"

    def _link(self, visitor: Visitor, path: str) -> str:
        address, hash_, fragment = path.partition("#")
        # An address that names its language keeps it: no parameter stands twice.
        if not visitor.chosen or any(name == "lang" for name, _ in parse_qsl(address.partition("?")[2])):
            return self.prefix + path
        return f"{self.prefix}{address}{'&' if '?' in address else '?'}lang={visitor.language}{hash_}{fragment}"
