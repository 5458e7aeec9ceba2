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

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Conflict, Malformed, NotFound
from node.federation.agreements.agreements import PUBLIC_COLLECTION
from node.web.desk import agreements_shown as shown
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form
from node.web.ports.ports import Federation
from node.web.wire.problems import Problem

Json = Mapping[str, Any]
_HERE = "/desk/agreements"


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
        more: dict[str, Any] = {"shown": shown, "where": where, "city_named": self._named(), **context}
        return self._desk.page(request, clerk, template, nav="agreements", status=status, **more)

    def _named(self) -> Callable[[str], str]:
        """Give what names a city by its name here, as it calls itself; asks once for a whole page."""

        @cache
        def known() -> dict[str, str]:
            return {each.name: each.city for each in self._federation.view.cities()}

        return lambda name: known().get(name, name)

    def language(self, request: Request) -> str:
        """Give the language of the sentences for a reader: one that agreements are written in."""
        language = self._desk.parts.pages.visitor(request).language
        return language if language in shown.LANGUAGES else "en"

    def peers(self) -> Sequence[Json]:
        """List the cities that something can be agreed with."""
        return [each for each in self._federation.office.list() if each["state"] in ("approved", "active")]

    def own(self) -> Sequence[tuple[str, str]]:
        """List our collections by name and title, but for those that say which agreements there are."""
        listed = self._desk.parts.site.shelf.collections()
        return [
            (each.name, each.title)
            for each in listed
            if "/" not in each.name and each.name.partition("-")[0] != PUBLIC_COLLECTION
        ]

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
