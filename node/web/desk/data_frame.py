"""What the desk's pages of data have in common: the office, how datasets are called, and the row of pages.

A dataset is named by its record's IRI everywhere; a person reads its title, in their language where it has one, and the
end of the IRI where this city holds no such record. Everybody with an account may look; what acts asks for its right.
"""

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from node.federation.moved import Found
from node.federation.policy.purposes import LABELS
from node.keys.public import ms_of
from node.web.desk import data_shown as shown
from node.web.desk import titles
from node.web.desk.frame import Clerk, Desk
from node.web.ports.moved import DataDesk
from node.web.wording import text
from node.web.wording.words import known, words

HERE = "/desk/data"
# The pages of the area, in their order: the end of the key of the words, and where each is.
PAGES = (
    ("moving", HERE),
    ("origins", f"{HERE}/origins"),
    ("withdrawals", f"{HERE}/withdrawals"),
    ("deletions", f"{HERE}/deletions"),
    ("evidence", f"{HERE}/evidence"),
)


def at(page: str, **query: str) -> str:
    """Give the path of a page of the area."""
    return f"{HERE}/{page}{'?' + urlencode(query) if query else ''}"


def purpose_said(iri: str, reader: str) -> str:
    """Give what a purpose is called in the reader's language, else its IRI."""
    return LABELS[iri][reader] if iri in LABELS and reader in LABELS[iri] else iri


class DataPages:
    """The office and what every page of data needs."""

    def __init__(self, desk: Desk, office: DataDesk) -> None:
        self._desk = desk
        self.office = office

    def page(
        self,
        request: Request,
        clerk: Clerk,
        template: str,
        *,
        tab: str,
        fragment: str = "",
        status: int = 200,
        **context: Any,  # noqa: ANN401 - whatever the template names
    ) -> Response:
        """Write a page of the area; `tab` names the page of the row that it belongs to."""
        reader = self._desk.parts.pages.visitor(request).language
        return self._desk.page(
            request,
            clerk,
            template,
            nav="data",
            fragment=fragment,
            status=status,
            tab=tab,
            tabs=PAGES,
            shown=shown,
            at=at,
            titled=self._titled(reader),
            city_named=self._named(),
            size=lambda octets: text.size(octets, reader),
            purpose_said=lambda iri: purpose_said(iri, reader),
            **context,
        )

    def found(self, request: Request, found: Found) -> tuple[str, str]:
        """Give what a check found in the reader's language, and else in English; and which language that is."""
        reader = self._desk.parts.pages.visitor(request).language
        key = f"desk.data.found.{found.code}"
        if not known(key):
            return found.sentence, "en"
        named, titled = self._named(), self._titled(reader)
        says: dict[str, Callable[[str], str]] = {
            **dict.fromkeys(("city", "provider", "consumer", "by", "other"), named),
            "dataset": lambda iri: titled(iri).text,
            "purpose": lambda iri: purpose_said(iri, reader),
            "time": lambda at: text.moment(ms_of(at), reader) if at else "-",
        }
        values = {name: says[name](value) if name in says else value for name, value in found.values.items()}
        return words(reader, key, **values), reader

    def purposes(self, request: Request) -> list[tuple[str, str]]:
        """List the purposes one may name, in the reader's language."""
        reader = self._desk.parts.pages.visitor(request).language
        named = ((iri, names.get(reader, names["en"])) for iri, names in LABELS.items())
        return sorted(named, key=lambda one: one[1].casefold())

    def _titled(self, reader: str) -> Callable[[str], text.Said]:
        """Give what calls a dataset by its title; looks each up once for a page."""
        site = self._desk.parts.site

        @cache
        def title(iri: str) -> text.Said:
            held, end = site.shelf.by_iri(iri), iri.rstrip("/").rpartition("/")[2] or iri
            if held is None:
                return text.Said(end)
            return titles.of_record(iri, site.shelf.payload(held), reader, site.languages, end)

        return title

    def _named(self) -> Callable[[str], str]:
        """Give what calls a city as it calls itself, by its name here or its base URL."""
        federation, parts = self._desk.parts.site.federation, self._desk.parts

        @cache
        def known() -> dict[str, str]:
            return {each.name: each.city for each in federation.view.cities()} if federation else {}

        return lambda name: parts.city_at(name) if "://" in name else known().get(name, name)
