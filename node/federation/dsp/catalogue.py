"""The catalogue that one peer sees: a page of datasets with the offers of each, and the way to the pages beside it.

A page costs the same few statements whatever the catalogue's size. A dataset that everyone may read carries its own
terms; of what is restricted no more is told than the offer says. A page's token is where it begins, written so that
nobody takes it for an address; whoever makes one up sees nothing that the catalogue would not show.
"""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.errors import Malformed, NotFound
from node.federation.agreements.text import checked_id
from node.federation.dsp.described import described, texts
from node.federation.dsp.documents import PATH, Catalog, CatalogRequest, DataService, Dataset, Distribution
from node.federation.dsp.fields import Json
from node.federation.dsp.policies import Offer
from node.federation.moving import FORMATS
from node.federation.offers import Offers, Published, Slice, Thing

__all__ = ["Catalogue", "Page"]

PAGE = 100
MAX_PAGE = 500
MAX_OFFSET = 1_000_000
MAX_TOKEN = 3_000  # the longest target, four bytes a character
# Formats of ours are whole IRIs: the protocol's context would make a bare word an address below the document. The two
# of transfers are bare, since that is how other connectors look for them.
FEED = "https://w3id.org/citynode/ns#feed"
RECORD = "https://w3id.org/citynode/ns#record"
EDC = "https://w3id.org/edc/v0.0.1/ns/"
WithData = Callable[[Sequence[str]], Collection[str]]
SUPPORTED = "Send no filter, or one QuerySpec of https://w3id.org/edc/dspace/v0.0.1 with offset and limit alone."


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the catalogue, and the tokens of those beside it; empty where there is none."""

    document: Mapping[str, Any]
    next: str = ""
    previous: str = ""


@dataclass(frozen=True, slots=True)
class _Window:
    """What part of the catalogue is asked for."""

    after: str = ""
    before: str = ""
    offset: int = 0
    limit: int = PAGE


class Catalogue:
    """Shows peers what is offered to them. Safe to share by threads."""

    def __init__(
        self, offers: Offers, *, base_url: str, title: str, language: str, with_data: WithData = lambda _: frozenset()
    ) -> None:
        """Show these offers of the city of this name.

        Args:
            offers: What is offered.
            base_url: Our own.
            title: The city's name.
            language: Of titles that say no other.
            with_data: Gives those of some records and collections that have data to be transferred.
        """
        self._offers, self._base_url, self._title, self._language = offers, base_url, title, language
        self._with_data = with_data

    def page(self, peer_url: str, request: CatalogRequest, token: str = "") -> Page:
        """Give a page to a peer.

        Args:
            peer_url: The peer's base URL.
            request: Its question.
            token: Of the page, as it stood in a link; empty for the first one.

        Raises:
            Malformed: The filter is none that is supported, or the token none of ours.
        """
        window = _window(request.filters, token)
        seen = self._offers.visible_to(
            peer_url, after=window.after, before=window.before, limit=window.limit, offset=window.offset
        )
        data = self._with_data([cover for offers in seen.targets.values() for cover in _covers(offers)])
        found = [self._dataset(target, offers, seen.things, data) for target, offers in seen.targets.items()]
        catalog = Catalog(
            iri=f"{self._base_url}/catalog",
            participant=self._base_url,
            datasets=tuple(found),
            services=(self._service,),
            terms=texts(self._title, "", self._language),
        )
        forward, back = _beside(seen, window)
        return Page(catalog.document(), forward, back)

    def dataset(self, peer_url: str, iri: str) -> Mapping[str, Any]:
        """Give one dataset to a peer. Raises NotFound, also where it is there for others."""
        seen = self._offers.of_target(iri, peer_url)
        if iri not in seen.targets:
            raise NotFound("There is no such dataset here.", fix="What is offered to you is at catalog/request.")
        offers = seen.targets[iri]
        return self._dataset(iri, offers, seen.things, self._with_data(_covers(offers))).document(root=True)

    @property
    def _service(self) -> DataService:
        return DataService(f"{self._base_url}{PATH}#connector", self._base_url + PATH)

    def _dataset(
        self, target: str, offers: Sequence[Published], things: Mapping[str, Thing], data: Collection[str]
    ) -> Dataset:
        thing = things.get(target)
        # What an offer says of its covers names collections; whoever sees the offer may know them by name.
        told = tuple(Offer(each.iri, "", each.rules, each.about) for each in offers)
        moved = tuple(Distribution(each, self._service) for each in FORMATS) if set(data) & set(_covers(offers)) else ()
        return Dataset(target, told, (self._way(thing), *moved), self._terms(thing, offers[0]))

    def _terms(self, thing: Thing | None, offer: Published) -> dict[str, Any]:
        if thing is not None and thing.public and thing.payload:
            return described(thing.iri, thing.payload)
        title = thing.title if thing is not None and thing.public else ""
        return texts(title or offer.title, str(offer.about.get("note", "")), self._language)

    def _way(self, thing: Thing | None) -> Distribution:
        """Say how a dataset is got: a collection, or several, by their feeds, a record at its address."""
        record = thing is not None and bool(thing.payload)
        name, path = (RECORD, "/catalog") if record else (FEED, "/collections")
        return Distribution(name, DataService(f"{self._base_url}{path}#service", self._base_url + path))


def _covers(offers: Sequence[Published]) -> Sequence[str]:
    """Give the records and collections that offers of one target are about."""
    return list(dict.fromkeys(cover for offer in offers for cover in (offer.covers or (offer.target,))))


def _beside(seen: Slice, window: _Window) -> tuple[str, str]:
    # What a page shows may be less than what was found, even nothing: its ends are those of what was found.
    forward = _token("a", seen.last, window.limit) if seen.more_after and seen.last else ""
    back = _token("b", seen.first, window.limit) if seen.more_before and seen.first else ""
    return forward, back


def _token(end: str, target: str, limit: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([end, target, limit], ensure_ascii=False).encode()).decode().rstrip("=")


def _window(filters: Sequence[Json], token: str) -> _Window:
    if token:
        return _read_token(token)
    if not filters:
        return _Window()
    if len(filters) > 1:
        raise _unsupported()
    asked = {_local(name): value for name, value in filters[0].items()}
    known = {"@type", "offset", "limit", "sortOrder", "filterExpression"}
    ascending = _plain(asked.get("sortOrder", "ASC")) == "ASC"
    if not asked.keys() <= known or not {"offset", "limit"} & asked.keys() or asked.get("filterExpression"):
        raise _unsupported()
    if not ascending or _local(str(asked.get("@type", "QuerySpec"))) != "QuerySpec":
        raise _unsupported()
    limit = _number(asked.get("limit", PAGE), 1, 2**31)
    return _Window(offset=_number(asked.get("offset", 0), 0, MAX_OFFSET), limit=min(limit, MAX_PAGE))


def _local(name: str) -> str:
    return name.removeprefix(EDC).removeprefix("edc:")


def _plain(value: object) -> object:
    """Give a value out of the shapes that JSON-LD has for it."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value.get("@value") if isinstance(value, Mapping) else value


def _number(value: object, least: int, most: int) -> int:
    number = _plain(value)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise Malformed(f"offset and limit are whole numbers, at most {MAX_OFFSET} and {MAX_PAGE}.", fix=SUPPORTED)
    return number


def _unsupported() -> Malformed:
    return Malformed("This filter is not supported here.", fix=SUPPORTED)


def _read_token(token: str) -> _Window:
    try:
        plain = token.encode("ascii") if len(token) <= MAX_TOKEN else b""
        said = json.loads(base64.b64decode(plain + b"=" * (-len(plain) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        said = None
    match said:
        # True is an int here, and no number of JSON.
        case [("a" | "b") as end, str(target), int(limit)] if type(limit) is int and 0 < limit <= MAX_PAGE:
            # Only as we write it, and of what a target can be: it goes into a question to the database.
            if _is_id(target) and _token(end, target, limit) == token:
                return _Window(after=target, limit=limit) if end == "a" else _Window(before=target, limit=limit)
    raise Malformed("This continuation token is none of this catalogue.", fix="Begin again without one.")


def _is_id(target: str) -> bool:
    try:
        return bool(checked_id(target))
    except Malformed:
        return False
