"""Comparable sets and records side by side: `/sets` lists them, `/compare` shows any records next to each other.

Sets that people made are records like any other, here and in other cities; suggestions are guesses and say so
wherever they are shown. Everything is read as the public may see it: a set may name a record that is not shown here,
and that looks like one that does not exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote as _quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from node.errors import Malformed, NotFound
from node.vocab import ntriples
from node.vocab.lists import DATA_THEMES
from node.vocab.set_records import KIND, ComparableSet, set_in
from node.web.addresses import MAX_IRI, At
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, json_document
from node.web.ports.find import Suggestion
from node.web.ports.ports import Held
from node.web.records.columns import alike, rows_line, seen_in
from node.web.records.compare import (
    Side,
    columns_shown,
    columns_told,
    combination_of,
    data_of,
    quality_of,
    record_told,
    said_of,
    sides_of,
    terms_of,
    text_of,
)
from node.web.records.licences import told
from node.web.records.view import title_in
from node.web.wire import answer
from node.web.wire.answer import Document
from node.web.wire.parameters import check_known
from node.web.wording.graph import Described
from node.web.wording.text import NOTHING, Said
from node.web.wording.words import words

_KINDS = ("text/html", "application/json")
COLLECTION = "sets"
MOST_SETS, MOST_SUGGESTED, MOST_BESIDE = 200, 50, 5
FEWEST, MOST = 2, 20

Iris = Annotated[list[str], Query(alias="iri", description="A record's IRI; 2 to 20 of them.")]
SetIri = Annotated[str, Query(alias="set", description="The IRI of a comparable set, instead of records.")]


@dataclass(frozen=True, slots=True)
class Member:
    """One record of a set in the list."""

    held: Held
    city: str
    title: Said


@dataclass(frozen=True, slots=True)
class Listed:
    """A set in the list: the record that says it (none for a suggestion), and its records as they are shown here."""

    title: Said
    about: Said
    city: str
    held: Held | None
    address: str
    members: tuple[Member, ...]
    absent: int
    reasons: Mapping[str, Sequence[str]]


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Finding"], default_response_class=Response)
    both: dict[int | str, dict[str, object]] = {200: {"content": {kind: {} for kind in _KINDS}}, 404: {}, 406: {}}

    async def sets(request: Request) -> Response:
        check_known(request.query_params, "lang")
        visitor, as_json = parts.pages.visitor(request), _as_json(request)
        make = _sets_json if as_json else _sets_page
        return answer.reply(request.headers, await parts.thread(lambda: make(parts, visitor)))

    async def compare(request: Request, iri: Iris = [], asked: SetIri = "") -> Response:  # noqa: B006 (read anew)
        check_known(request.query_params, "iri", "set", "lang")
        visitor, as_json = parts.pages.visitor(request), _as_json(request)
        if not (asked or as_json) and len(set(iri)) < FEWEST:
            return answer.reply(request.headers, await parts.thread(lambda: _how_page(parts, visitor, iri[:1])))
        iris = _checked(iri, asked)
        make = _compared_json if as_json else _compared_page
        return answer.reply(request.headers, await parts.thread(lambda: make(parts, visitor, iris, asked)))

    said = "Sets that cities published, and suggestions of this node, which are guesses and marked as such."
    made.get("/sets", summary="Comparable sets", description=said, responses=both)(sets)
    made.get("/sets.json", include_in_schema=False)(sets)
    said = (
        "What may be done with them together, how to get them, which columns match. Name `iri` twice or more, or `set`."
    )
    made.get("/compare", summary="Records side by side", description=said, responses=both | {400: {}})(compare)
    made.get("/compare.json", include_in_schema=False)(compare)
    return made


def _as_json(request: Request) -> bool:
    return request.scope["path"].endswith(".json") or chosen_of(request, _KINDS) == "application/json"


def _checked(iris: Sequence[str], asked: str) -> list[str]:
    named = list(dict.fromkeys(iris))
    good = bool(asked) != bool(named) and all(0 < len(each) <= MAX_IRI for each in [*named, asked or "x"])
    if not good or (named and not FEWEST <= len(named) <= MOST):
        refused = Malformed(
            f"{FEWEST} to {MOST} records are compared, or one set.",
            fix="Write /compare?iri=…&iri=… with the records' IRIs, encoded, or /compare?set= and a set's.",
        )
        refused.said = ("refuse.compare", {})
        raise refused
    return named


def quote(iri: str) -> str:
    """Encode an IRI as one value of a query."""
    return _quote(iri, safe="")


# ---------------------------------------------------------------- the list


def sets_of(parts: Parts, held: Held, visitor: Visitor) -> list[Listed]:
    """List the sets that name a record, published ones first; of a set's own record itself. The first five.

    Hand in the parts as everybody sees them: what this says stands on a page that caches keep.
    """
    if held.kind == KIND:
        return [_listed(parts, held, parts.reading.payload(held), visitor)]
    return [*_curated(parts, visitor, held.iri), *_suggested(parts, visitor, held.iri)][:MOST_BESIDE]


def joined(texts: Sequence[str], reader: str) -> str:
    """Write several names as one: `A, B and C`."""
    *before, last = texts or ("",)
    return f"{', '.join(before)} {words(reader, 'sets.and')} {last}" if before else last


def _curated(parts: Parts, visitor: Visitor, of: str = "") -> list[Listed]:
    """Give the published sets; those alone that name the record `of`, if one is given."""
    found: list[Listed] = []
    sought = ntriples.iri(of).encode()
    for name in parts.reading.collections():
        if name.rpartition("/")[2] == COLLECTION:
            helds = [held for held in parts.reading.page(name, offset=0, limit=MOST_SETS) if held.kind == KIND]
            payloads = parts.reading.payloads(helds)
            # Looked for in the bytes: most sets say nothing of one record, and are not read for its page.
            named = [(held, body) for held, body in zip(helds, payloads, strict=True) if body and sought in body]
            found += [_listed(parts, held, body, visitor) for held, body in named]
    return found[:MOST_SETS]


def _listed(parts: Parts, held: Held, payload: bytes, visitor: Visitor) -> Listed:
    said, mirror = set_in(held.iri, payload), parts.mirror(held.collection)
    members = _members(parts, said.members, visitor)
    return Listed(
        title=said_of(said.title, visitor.language).clipped() or Said(held.slug),
        about=said_of(said.description, visitor.language),
        city=mirror.city if mirror else parts.site.city,
        held=held,
        address=f"/compare?set={quote(held.iri)}",
        members=tuple(members),
        absent=len(said.members) - len(members),
        reasons={},
    )


def _members(parts: Parts, iris: Sequence[str], visitor: Visitor) -> list[Member]:
    """Name the records that are shown here."""
    helds = [held for iri in iris if (held := parts.reading.find_iri(iri))]
    found: list[Member] = []
    for held, body in zip(helds, parts.reading.payloads(helds), strict=True):
        said = Described(ntriples.triples_of(body), held.iri, visitor.language, parts.pages.languages)
        mirror = parts.mirror(held.collection)
        found += [Member(held, mirror.city if mirror else parts.site.city, title_in(said))] if body else []
    return found


def _shown(parts: Parts, iris: Sequence[str], visitor: Visitor) -> list[Side]:
    return sides_of(parts, [held for iri in iris if (held := parts.reading.find_iri(iri))], visitor)


def _suggested(parts: Parts, visitor: Visitor, of: str = "") -> list[Listed]:
    """Give the suggestions of which at least two cities' records are still shown; with `of`, those that name it."""
    finding = parts.site.finding
    last = finding.sets.suggested() if finding else None
    found: list[Listed] = []
    named = [each for each in last.suggestions if not of or any(iri == of for _, iri in each.members)] if last else []
    for each in named[:MOST_SUGGESTED]:
        members = _members(parts, [iri for _, iri in each.members], visitor)
        if len({one.city for one in members}) > 1:
            found.append(_guess(each, members, visitor))
    return found


def _guess(each: Suggestion, members: Sequence[Member], visitor: Visitor) -> Listed:
    themes = [concept.label(visitor.language) for code in each.themes if (concept := DATA_THEMES.by_code(code))]
    asked = "&".join(f"iri={quote(one.held.iri)}" for one in members)
    reasons = {"words": each.terms, "theme": themes, "columns": each.columns}
    return Listed(
        title=Said(joined([one.title.text for one in members], visitor.language)),
        about=NOTHING,
        city="",
        held=None,
        address=f"/compare?{asked}",
        members=tuple(members),
        absent=0,
        reasons={key: values for key, values in reasons.items() if values},
    )


def _sets_page(parts: Parts, visitor: Visitor) -> Document:
    body = parts.pages.render(
        "sets.html",
        visitor,
        nav="sets",
        twins=[Twin("JSON", f"{parts.site.base_url}/sets.json")],
        curated=_curated(parts, visitor),
        suggested=_suggested(parts, visitor),
    )
    return parts.pages.document(body)


def _sets_json(parts: Parts, visitor: Visitor) -> Document:
    def said(one: Listed) -> dict[str, object]:
        return {
            "set": one.held.iri if one.held else None,
            "page": At(parts.site.base_url, one.held).page if one.held else None,
            "compare": f"{parts.site.base_url}{one.address}",
            "title": one.title.text,
            "description": one.about.text or None,
            "city": one.city or None,
            "suggested": one.held is None,
            "reasons": {key: list(values) for key, values in one.reasons.items()},
            "records": [{"iri": each.held.iri, "city": each.city, "title": each.title.text} for each in one.members],
            "not_here": one.absent,
        }

    curated, suggested = _curated(parts, visitor), _suggested(parts, visitor)
    return json_document({"sets": [said(one) for one in curated], "suggestions": [said(one) for one in suggested]})


# ---------------------------------------------------------------- side by side


def _how_page(parts: Parts, visitor: Visitor, iris: Sequence[str]) -> Document:
    """Say how to compare, to who came without anything to compare, or with one record alone."""
    twins = [Twin("JSON", f"{parts.site.base_url}/sets.json")]
    alone = _members(parts, iris, visitor)
    missing = [iri for iri in iris if iri not in {one.held.iri for one in alone}]
    beside = [each for one in alone for each in sets_of(parts, one.held, visitor)]
    body = parts.pages.render(
        "compare_how.html", visitor, nav="sets", twins=twins, alone=alone, beside=beside, missing=missing
    )
    return parts.pages.document(body)


@dataclass(frozen=True, slots=True)
class _Compared:
    """What is compared: the records shown, those that are not, and the set they are of, if any."""

    sides: tuple[Side, ...]
    missing: tuple[str, ...]
    said: ComparableSet | None
    held: Held | None
    guessed: bool


def _compared(parts: Parts, visitor: Visitor, iris: Sequence[str], asked: str) -> _Compared:
    held = parts.reading.find_iri(asked) if asked else None
    if asked and (held is None or held.kind != KIND):
        raise NotFound("No set with this IRI is held here.", fix="The sets are listed at /sets.")
    said = set_in(asked, parts.reading.payload(held)) if held else None
    wanted = said.members[:MOST] if said else iris
    sides = tuple(_shown(parts, wanted, visitor))
    missing = tuple(iri for iri in wanted if iri not in {side.held.iri for side in sides})
    return _Compared(sides, missing, said, held, guessed=not asked and _is_guess(parts, frozenset(iris)))


def _is_guess(parts: Parts, iris: frozenset[str]) -> bool:
    finding = parts.site.finding
    last = finding.sets.suggested() if finding else None
    return any(iris <= {iri for _, iri in each.members} for each in (last.suggestions if last else ()))


def _compared_page(parts: Parts, visitor: Visitor, iris: Sequence[str], asked: str) -> Document:
    found, reader = _compared(parts, visitor, iris, asked), visitor.language
    sides = found.sides
    mirror = parts.mirror(found.held.collection) if found.held else None
    seen = seen_in(parts, sides)
    by_people = columns_shown(found.said, reader) if found.said else []
    body = parts.pages.render(
        "compare.html",
        visitor,
        nav="sets",
        twins=[Twin("JSON", _twin(parts, iris, asked))],
        found=found,
        title=said_of(found.said.title, reader).clipped() if found.said else NOTHING,
        about=said_of(found.said.description, reader) if found.said else NOTHING,
        subject=joined([side.view.title.text for side in sides], reader),
        cities=joined(list(dict.fromkeys(side.city for side in sides)), reader),
        by=(mirror.city if mirror else parts.site.city) if found.held else "",
        combination=told(combination_of(sides), reader) if sides else None,
        terms=terms_of(sides, reader),
        data=[
            *data_of(sides, reader, parts.site.base_url),
            *rows_line(sides, seen, reader),
            *quality_of(parts, sides, reader),
        ],
        heads=_heads(sides),
        columns=by_people
        or [
            each | {"meaning": Said(str(each["meaning"])), "note": Said(str(each["note"]))}
            for each in alike(seen, reader)
        ],
        by_name=not by_people,
    )
    return parts.pages.document(body)


def _heads(sides: Sequence[Side]) -> list[str]:
    """Name each column of the table: by its city, and by its title too where a city stands twice."""
    cities = [side.city for side in sides]
    return [
        side.city if cities.count(side.city) == 1 else f"{side.city}, {side.view.title.text or side.held.slug}"
        for side in sides
    ]


def _twin(parts: Parts, iris: Sequence[str], asked: str) -> str:
    query = f"set={quote(asked)}" if asked else "&".join(f"iri={quote(iri)}" for iri in iris)
    return f"{parts.site.base_url}/compare.json?{query}"


def _compared_json(parts: Parts, visitor: Visitor, iris: Sequence[str], asked: str) -> Document:
    found, reader = _compared(parts, visitor, iris, asked), visitor.language
    return json_document(
        {
            "set": found.held.iri if found.held else None,
            "title": text_of(found.said.title, reader) if found.said else None,
            "suggested": found.guessed,
            "records": [record_told(parts, side) for side in found.sides],
            "not_here": list(found.missing),
            "combination": told(combination_of(found.sides), reader) if found.sides else None,
            "columns": columns_told(found.said, reader) if found.said else [],
            "columns_by_name": alike(seen_in(parts, found.sides), reader),
        }
    )
