"""What the search found, made ready to be shown: one `Row` a hit, with its JSON beside what a page says of it.

A row of a record that is held here is worked out from its payload, one that another city answered from that answer;
from then on nothing tells them apart but the word that says so. Texts are the record's own in the reader's language, or
marked as another's; links lead out over http and https alone. Values only: no request, no template.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from markupsafe import Markup, escape

from node.catalog.search.results import Hit
from node.federation.asking.heard import Json
from node.vocab import lists
from node.web.addresses import At, is_mirror
from node.web.ports.ports import Held
from node.web.search.facts import RowFact
from node.web.search.looks import Look, rfc3339
from node.web.wording import text
from node.web.wording.text import NOTHING, Said
from node.web.wording.words import known, words

_COMPARABLE = ("dataset", "dataset-series", "data-service")


@dataclass(frozen=True, slots=True)
class Via:
    """Another route by which the same record is held, or another record that looks like the same thing."""

    city: str
    collection: str
    page: str = ""
    title: Said = NOTHING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One hit: `json` is its member of the JSON answer, the rest is for a page.

    `why_in` is where `why` (escaped, with marks) was found; it is said where that is not the description. `record` and
    `address`, the path of its page, are empty for a live one. `way` says of an agreement who opens to whom.
    """

    json: Json
    title: Said
    marked: Markup
    lead: Said
    why: Said
    why_in: str
    publisher: Said
    licence: str
    sure: bool
    forms: tuple[Said, ...]
    updated: str
    also_via: tuple[Via, ...] = ()
    similar: tuple[Via, ...] = ()
    record: Held | None = None
    address: str = ""
    facts: tuple[RowFact, ...] = ()
    way: str = ""

    @property
    def live(self) -> bool:
        """Tell whether it was found in another city just now."""
        return bool(self.json["live"])

    @property
    def is_comparable(self) -> bool:
        """Tell whether it can be put side by side with others: data, and held here."""
        return not self.live and self.json["kind"] in _COMPARABLE

    @property
    def is_own(self) -> bool:
        """Tell whether it is this city's own."""
        return not self.live and not is_mirror(str(self.json["collection"]))


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes rows for one reader. `city_of` gives name here and title of a collection's city, `points` the quality."""

    base: str
    reader: str
    city_of: Callable[[str], tuple[str, str]]
    points: Callable[[Held], int | None]

    def held(self, hit: Hit, look: Look) -> Row:
        """Make the row of a record that is held here."""
        held, view = hit.held, look.view
        also = tuple(self._route(one) for one in hit.also_via)
        similar = tuple(
            Via(
                self.city_of(one.held.collection)[1],
                one.held.collection,
                self._page(one.held),
                text.told(one.title, one.tag, self.reader).clipped(),
                one.reason,
            )
            for one in hit.similar
        )
        told = self._json(hit, look)
        told["also_via"] = [{"city": self.city_of(one.collection)[0], "collection": one.collection} for one in also]
        told["similar"] = [
            {"iri": of.held.iri, "page": one.page, "title": one.title.text, "reason": one.reason}
            for of, one in zip(hit.similar, similar, strict=True)
        ]
        return Row(
            json=told,
            title=view.title,
            marked=_fitting(hit.why_title, view.title),
            lead=view.lead,
            # The search escapes all but its marks.
            why=text.told(Markup(hit.why_text), hit.why_tag, self.reader),  # noqa: S704
            why_in=hit.why_in,
            publisher=view.publisher,
            licence=view.licence,
            sure=view.sure,
            forms=view.forms,
            updated=view.updated,
            also_via=also,
            similar=similar,
            record=held,
            address=At("", held).page,
            facts=look.facts,
            way=look.way,
        )

    def live(self, told: Json) -> Row:
        """Make the row of a hit that another city answered; `federation.heard` made it fit to be shown."""
        licence, use, sure = told["licence"], words(self.reader, "row.unknown"), False
        if licence:
            facts = lists.facts(licence["iri"])
            key = "row.free" if facts.attribution == "no" else "row.free_credit"
            sure = facts.commercial == "yes"
            use = (
                words(self.reader, key if sure else "row.limited") if facts.commercial != "unknown" else licence["name"]
            )
        return Row(
            json=told,
            title=text.told(told["title"], told["title_language"], self.reader).clipped(),
            marked=Markup(told["why"]["title"]),  # noqa: S704 (made anew by `heard.marked`)
            lead=text.told(told["description"], told["description_language"], self.reader),
            why=text.told(Markup(told["why"]["text"]), told["why"]["language"], self.reader),  # noqa: S704 (likewise)
            why_in="text",
            publisher=Said(told["publisher"]),
            licence=use,
            sure=sure,
            forms=tuple(Said(_form_label(code, self.reader)) for code in told["formats"][:6]),
            updated=text.date_text(told["changed"], self.reader),
        )

    # ------------------------------------------------------------ parts

    def _json(self, hit: Hit, look: Look) -> dict[str, Any]:
        held, (city, city_title) = hit.held, self.city_of(hit.held.collection)
        view, licences = look.view, look.view.licences
        return {
            "iri": held.iri,
            "page": self._page(held),
            "kind": held.kind,
            "title": view.title.text,
            "title_language": view.title.tag,
            "description": view.lead.text,
            "description_language": view.lead.tag,
            "city": city,
            "city_title": city_title,
            "publisher": view.publisher.text,
            "collection": held.collection,
            "licence": {"iri": licences[0].iri, "name": licences[0].name} if len(licences) == 1 else None,
            "formats": list(look.formats),
            "themes": list(look.themes),
            "changed": look.changed or rfc3339(held.at_ms),
            "quality": self.points(held),
            "why": {"title": hit.why_title, "text": hit.why_text, "in": hit.why_in, "language": hit.why_tag},
            "also_via": [],
            "similar": [],
            "live": False,
        }

    def _page(self, held: Held) -> str:
        return At(self.base, held).page

    def _route(self, held: Held) -> Via:
        return Via(self.city_of(held.collection)[1], held.collection, self._page(held))


def _fitting(why: str, title: Said) -> Markup:
    """Take the marked title if it is the one that is shown: the search may have found another language's."""
    made = Markup(why)  # noqa: S704 (the search escapes all but its marks)
    return made if why and made.striptags() == escape(title.text).striptags() else Markup()


def _form_label(code: str, reader: str) -> str:
    concept = lists.FILE_TYPES.by_code(code)
    return concept.label(reader) if concept else code


# ---------------------------------------------------------------- several cities


def merged(here: Sequence[Row], there: Sequence[Sequence[Row]], sort: str) -> list[Row]:
    """Put hits of several nodes in one order.

    Nodes do not know each other's measure of relevance, so the first of each come first, ours before others', and so
    on; any other order is kept by what it is of. A record that we hold ourselves stays ours.
    """
    known = {row.json["iri"] for row in here}
    others = [[row for row in rows if row.json["iri"] not in known] for rows in there]
    if sort == "relevance":
        ranked = zip_longest(here, *others)
        return _once([row for rank in ranked for row in rank if row is not None])
    keys: Mapping[str, Callable[[Row], Any]] = {
        "changed": lambda row: row.json["changed"],
        "title": lambda row: row.title.text.casefold(),
        "quality": lambda row: -1 if row.json["quality"] is None else row.json["quality"],
    }
    together = [*here, *(row for rows in others for row in rows)]
    return _once(sorted(together, key=keys[sort], reverse=sort != "title"))


def _once(rows: Sequence[Row]) -> list[Row]:
    return list({row.json["iri"]: row for row in reversed(rows)}.values())[::-1]


# ---------------------------------------------------------------- facets


def facet_label(facet: str, value: str, label: str, reader: str, city: Callable[[str], str]) -> str:
    """Say a value of a facet: what the node names in its own words, then the search's label."""
    if facet == "city":
        return city(value)
    key = f"kind.{value}" if facet == "kind" else f"facet.{facet}.{value}"
    return words(reader, key) if known(key) else label or value
