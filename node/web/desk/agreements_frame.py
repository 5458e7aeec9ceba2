"""What the desk's pages of agreements have in common: the offices, the one page of a thing, and how it is named.

The page of a thing gathers all that a person needs to decide: its sentences, what changed since the last version, what
colleagues said, who approved, what happened. Whatever cannot be had, such as what one version alone changed, is left
out.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from node.errors import Conflict, Malformed, NotFound
from node.federation.agreements.verifier import Finding
from node.federation.policy.templates import agreement_title
from node.keys.public import ms_of
from node.records import is_nodes_own
from node.web.agreements.named import Place, linked, title_of
from node.web.desk import agreements_shown as shown
from node.web.desk import titles
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form
from node.web.ports.ports import CollectionInfo, Federation
from node.web.wire.problems import Problem
from node.web.wording import text
from node.web.wording.words import known, words

Json = Mapping[str, Any]
_HERE = "/desk/agreements"
_MOST_LISTED = 200


def where(name: str, anchor: str = "") -> str:
    """Give the path of the page of a thing."""
    return f"{_HERE}?{urlencode({'name': name})}{'#' + anchor if anchor else ''}"


class Agreements:
    """The offices and what every page of agreements needs. What reads blocks, and is called beside the event loop."""

    def __init__(self, desk: Desk, federation: Federation) -> None:
        self._desk = desk
        self._federation = federation
        self.office = federation.agreeing.office
        self.offers = federation.agreeing.offer_office

    def page(self, request: Request, clerk: Clerk, template: str, *, status: int = 200, **context: object) -> Response:
        """Write a page of agreements."""
        reader, city_named = self._desk.parts.pages.visitor(request).language, self._named()
        more: dict[str, Any] = {
            "shown": shown,
            "where": where,
            "city_named": city_named,
            "covered": self._covered(reader),
            "clauses_of": self._clauses(),
            "titled": lambda thing: agreement_title(thing["title"] or "", reader) or words(reader, "untitled"),
            "way": lambda thing: self._way(thing, city_named, reader),
            **context,
        }
        return self._desk.page(request, clerk, template, nav="agreements", status=status, **more)

    def _named(self) -> Callable[[str], str]:
        """Give what names a city by its name here, as it calls itself; asks once for a whole page."""

        @cache
        def known() -> dict[str, str]:
            return {each.name: each.city for each in self._federation.view.cities()}

        return lambda name: known().get(name, name)

    def _covered(self, reader: str) -> Callable[[Json], list[text.Said]]:
        """Give what names what a thing covers by its title here, else by the end of its IRI."""
        site = self._desk.parts.site

        @cache
        def kept() -> dict[str, CollectionInfo]:
            return {each.iri: each for each in site.shelf.collections() if each.title}

        def named(iri: str) -> text.Said:
            info, end = kept().get(iri), iri.rstrip("/").rpartition("/")[2] or iri
            if info is None:
                held = site.shelf.by_iri(iri) if iri else None
                payload = site.shelf.payload(held) if held else b""
                return titles.of_record(iri, payload, reader, site.languages, end) if payload else text.Said(end)
            return title_of(info, reader, site.languages[0])

        return lambda thing: [named(each) for each in shown.covers(thing)]

    def _clauses(self) -> Callable[[Json, str], Callable[[str, Callable[[str], str]], Markup]]:
        """Give what writes the sentences of a thing in a language: titles in it, or marked as in another."""
        site = self._desk.parts.site

        @cache
        def kept() -> list[CollectionInfo]:
            return [each for each in site.shelf.collections() if each.title]

        def places(thing: Json, language: str) -> dict[str, Place]:
            covered, found = set(shown.covers(thing)), {}
            for info in kept():
                if info.iri in covered:
                    said = title_of(info, language, site.languages[0])
                    found[info.iri] = Place(said.text, "", said.lang, said.mark(language), info.title)
            return found

        def of(thing: Json, language: str) -> Callable[[str, Callable[[str], str]], Markup]:
            named = places(thing, language)
            return lambda said, link: linked(said, named, link)

        return of

    def _way(self, thing: Json, city_named: Callable[[str], str], reader: str) -> str:
        """Say who opens to whom in a thing."""
        ours, theirs = self._desk.parts.site.city, city_named(str(thing["peer"]))
        first, second = (ours, theirs) if thing["role"] == "provider" else (theirs, ours)
        return words(reader, "agreement.way", assigner=first, assignee=second)

    def language(self, request: Request) -> str:
        """Give the language of the sentences for a reader: one that agreements are written in."""
        language = self._desk.parts.pages.visitor(request).language
        return language if language in shown.LANGUAGES else "en"

    def found(self, request: Request, found: Finding) -> tuple[str, str]:
        """Give what a check found in the reader's language, and else in English; and which language that is."""
        reader = self._desk.parts.pages.visitor(request).language
        key = f"desk.agr.proof.{found.code}"
        if not found.code or not known(key):
            return found.sentence, "en"
        city_at, covered = self._desk.parts.city_at, self._covered(reader)
        says: dict[str, Callable[[str], str]] = {
            "assignee": city_at,
            "title": lambda title: agreement_title(title, reader),
            "target": lambda iri: covered({"target": iri})[0].text,
            "time": lambda at: text.moment(ms_of(at), reader),
            "state": lambda state: words(reader, f"desk.agr.stage.{state}"),
        }
        values = {name: says[name](value) if name in says else value for name, value in found.values.items()}
        return words(reader, key, city=city_at(found.city), **values), reader

    def peers(self) -> Sequence[Json]:
        """List the cities that something can be agreed with."""
        return [each for each in self._federation.office.list() if each["state"] in ("approved", "active")]

    def own(self) -> Sequence[tuple[str, str]]:
        """List our collections by name and title, but for those that the node alone writes."""
        listed = self._desk.parts.site.shelf.collections()
        return [(each.name, each.title) for each in listed if "/" not in each.name and not is_nodes_own(each.name)]

    def offered_data(self, request: Request) -> Sequence[tuple[str, str]]:
        """List what has data of its own to move, and what agreements open one by one: by IRI and title; blocks."""
        reader, site = self._desk.parts.pages.visitor(request).language, self._desk.parts.site
        collections = {each.iri for each in site.shelf.collections()}
        opened = [
            iri for each in self.office.list()["agreements"] if each["role"] == "provider" for iri in shown.covers(each)
        ]
        moved = [each.dataset for each in site.data_desk.origins()] if site.data_desk else []
        single = [iri for iri in dict.fromkeys((*moved, *opened)) if iri not in collections][:_MOST_LISTED]
        titled = self._covered(reader)
        return sorted(((iri, titled({"target": iri})[0].text) for iri in single), key=lambda one: one[1].casefold())

    def named(self, form: Form) -> str:
        """Give the name of the thing that a form is about, and tell the trail. Raises Malformed."""
        name = form.text("name", most=600, needed=True)
        form.told["target"] = name
        return name

    async def one(
        self,
        request: Request,
        clerk: Clerk,
        name: str,
        *,
        wrong: Problem | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        """Write the page of a thing; after a form that was refused with what was typed and why."""
        language = self.language(request)
        told = await self._desk.does(lambda: self._told(name, language))
        status = wrong.status if wrong else 200
        return self.page(request, clerk, "agreement.html", status=status, wrong=wrong, typed=typed or {}, **told)

    def _told(self, name: str, language: str) -> dict[str, Any]:
        thing, readings = self.office.show(name), self.office.readings
        parts = thing["parts"] if thing["kind"] == "document" else [thing]
        said = {each: readings.explain(name, each)["parts"] for each in shown.LANGUAGES}
        return {
            "thing": thing,
            "name": name,
            "parts": list(zip(parts, said[language], strict=True)),
            "others": {each: said[each] for each in shown.LANGUAGES if each != language},
            "language": language,
            "changes": self._changes(name, language) if len(parts) == 1 else None,
            "digest": self._digest(name, parts),
            "stands": self._standing(name),
            "comments": self.office.comments(name),
            "raw": json.dumps(_raw(said["en"]), ensure_ascii=False, indent=2),
        }

    def _changes(self, name: str, language: str) -> Json | None:
        """Say what the newest version changed; None where there is nothing to compare it with."""
        try:
            return self.office.readings.diff(name, lang=language)
        except (NotFound, Malformed):
            return None

    def _digest(self, name: str, parts: Sequence[Json]) -> str:
        """Give the digest of what a person would approve; empty where nothing waits for that."""
        return self._standing(name) if any(shown.can(each).approve for each in parts) else ""

    def _standing(self, name: str) -> str:
        """Give the digest of the terms that stand open; empty where none do."""
        try:
            return str(self.office.to_approve(name)["terms"])
        except Conflict:
            return ""


def _raw(parts: Sequence[Json]) -> object:
    """Give the rules of a thing as they stand in documents, with what stands beside them."""
    told = [
        {"target": each["target"], **{key: each["about"][key] for key in sorted(each["about"])}, **each["rules"]}
        for each in parts
    ]
    return told[0] if len(told) == 1 else told
