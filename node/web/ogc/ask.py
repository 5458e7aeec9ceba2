"""What a client of OGC API Records may ask of a catalogue's items, read into a question for the search.

One table says each parameter to people and programs (the OpenAPI document is written from it) and to the reader here:
an unknown parameter is refused with the list of the known ones, as OGC API Features asks (its requirement
`query-param-unknown`). `q` is read by the standard and not as our own search reads it: a comma is "or", white space
keeps words together in that order. Pure: no index, no clock.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from node.catalog.search.query import MAX_DEPTH, MAX_IRIS, Query, Sort
from node.errors import Malformed
from node.records import KINDS

MOST = 1_000
DEFAULT = 10
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MOST_LISTED = MAX_IRIS
_NUMBER = re.compile(r"[-+]?\d{1,4}(?:\.\d{1,20})?")
# A full-date or a date-time of RFC 3339, 5.6; the offset may be missing, its plus be a blank.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[Zz]|[-+ ][0-9]{2}:[0-9]{2})?)?"
)
# A comma between two IRIs; one inside an IRI is not followed by the beginning of another.
_BETWEEN = re.compile(r",(?=https?://|urn:)")

Json = dict[str, object]
# Sortable -> our order, and whether ascending is that order's usual direction.
SORTABLES: dict[str, tuple[Sort, bool]] = {
    "updated": ("changed", False),
    "title": ("title", True),
    "relevance": ("relevance", False),
    "quality": ("quality", False),
}
_TEXT: Json = {"type": "string"}
_LIST: Json = {"type": "array", "items": {"type": "string"}}
# Name -> what it does, its schema, whether it is a list with commas.
PARAMETERS: dict[str, tuple[str, Json]] = {
    "q": ("Words to look for. A comma means or; words apart by blanks must stand together.", _LIST),
    "bbox": (
        "west,south,east,north in degrees (CRS84); west > east crosses the antimeridian. Heights are not looked at.",
        {
            "type": "array",
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            "items": {"type": "number"},
        },
    ),
    "datetime": ("The time that the data is about: an instant, or start/end with .. for an open end.", _TEXT),
    "limit": (
        f"How many records at once; more than {MOST} is read as {MOST}.",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT},
    ),
    "offset": (
        f"How many to pass over, {MAX_DEPTH} together with limit. Links with rel=next lead further.",
        {"type": "integer", "minimum": 0, "default": 0},
    ),
    "type": ("Kinds of records.", {"type": "array", "items": {"type": "string", "enum": sorted(KINDS)}}),
    "ids": ("The ids of records in this catalogue.", _LIST),
    "externalIds": ("The IRIs of records.", _LIST),
    "sortby": (
        "One property, with + (or nothing) before it for ascending, - for descending.",
        {
            "type": "array",
            "items": {"type": "string", "enum": [sign + name for name in SORTABLES for sign in ("", "-")]},
        },
    ),
    "cursor": ("Where the page before ended; comes from a link with rel=next.", _TEXT),
    "lang": ("The language of texts.", _TEXT),
    "f": ("The form: json or html, before Accept.", {"type": "string", "enum": ["json", "html"]}),
}
COMMON = ("f", "lang")


def check_names(params: Sequence[tuple[str, str]], known: Sequence[str]) -> dict[str, str]:
    """Give the parameters by name. Raises Malformed for an unknown one, or one that comes twice."""
    found: dict[str, str] = {}
    for name, value in params:
        if name not in known:
            named = ", ".join(known)
            raise Malformed(
                f"There is no parameter {name[:40]!r} here.",
                fix=f"There are: {named}.",
            ).on_page("refuse.unknown", name=name[:40], known=named)
        if name in found:
            raise Malformed(
                f"The parameter {name} comes twice.", fix="Write several values with commas between them."
            ).on_page("refuse.twice", name=name)
        found[name] = value
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what of it the links to other pages repeat."""

    query: Query
    repeated: tuple[tuple[str, str], ...]


def question(params: Mapping[str, str], *, collection: str, language: str, iri_of: Callable[[str], str]) -> Asked:
    """Read the parameters of `items`.

    Args:
        params: By name, all known.
        collection: The local name of the one to look in; empty for all.
        language: Of the reader.
        iri_of: Gives the IRI of a record by its id; empty for an id that no record has.

    Raises:
        Malformed: Something cannot be read; the sentences say what can.
    """
    limit = min(_whole("limit", params.get("limit", str(DEFAULT)), least=1), MOST)
    offset = _offset(params.get("offset", "0"), limit)
    sort, reverse = _order(params.get("sortby", ""), has_words=bool(params.get("q", "").strip()))
    filters: dict[str, tuple[str, ...]] = {"collection": (collection,)} if collection else {}
    if params.get("type"):
        filters["kind"] = _kinds(params["type"])
    query = Query(
        text=words(params.get("q", "")),
        filters=filters,
        bbox=_bbox(params.get("bbox", "")),
        period=_period(params.get("datetime", "")),
        iris=_iris(params, iri_of),
        sort=sort,
        reverse=reverse,
        limit=limit,
        offset=offset,
        cursor=params.get("cursor", ""),
        language=language,
        highlight=False,
        # The standard knows no "nearly": only records that hold the words are an answer.
        loosen=False,
        grouped=not collection,
    )
    # `f` is said anew by each link; where the next page begins, too.
    repeated = tuple((name, value) for name, value in params.items() if name not in ("f", "offset", "cursor"))
    return Asked(query, repeated)


def words(q: str) -> str:
    """Say `q` in the words of our search: every term a phrase, any one of them enough (record-core `q`).

    >>> words("parking areas, kerb"), words(" , ")
    ('"parking areas" OR "kerb"', '')
    """
    terms = [" ".join(term.replace('"', " ").split()) for term in q.split(",")]
    return " OR ".join(f'"{term}"' for term in terms if term)


def _whole(name: str, given: str, *, least: int) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 10 and int(given) >= least):
        raise Malformed(
            f"{name}={given[:40]!r} is no number of records.", fix=f"Write a whole number from {least}."
        ).on_page("no.page.number", name=name, least=least)
    return int(given)


def _offset(given: str, limit: int) -> int:
    offset = _whole("offset", given, least=0)
    if offset + limit > MAX_DEPTH:
        raise Malformed(
            f"offset and limit together reach {MAX_DEPTH:,} records deep, not {offset + limit:,}.",
            fix="Narrow the question, or ask for sortby=updated, title or quality and follow the links with rel=next.",
        ).on_page("refuse.deep", most=MAX_DEPTH)
    return offset


def _order(sortby: str, *, has_words: bool) -> tuple[Sort, bool]:
    """Give the order and whether it is turned about; without one, the best first, or the newest where nothing ranks."""
    wanted = sortby.strip()
    if not wanted:
        return ("relevance" if has_words else "changed"), False
    descending, name = wanted.startswith("-"), wanted.lstrip("+-").strip()
    if name not in SORTABLES:
        several = "by several properties" if "," in name else f"by {name[:40]!r}"
        raise Malformed(
            f"Records are not sorted {several}.",
            fix=f"Write sortby= and one of {', '.join(SORTABLES)}; + before it is ascending, as without, - descending.",
        ).on_page("refuse.sort", value=wanted[:40], known=", ".join(SORTABLES))
    sort, rises = SORTABLES[name]
    return sort, rises is descending


def _kinds(value: str) -> tuple[str, ...]:
    kinds = tuple(dict.fromkeys(kind.strip() for kind in value.split(",") if kind.strip()))
    unknown = next((kind for kind in kinds if kind not in KINDS), "")
    if unknown:
        named = ", ".join(sorted(KINDS))
        raise Malformed(
            f"There is no type {unknown[:40]!r}.",
            fix=f"The types are: {named}.",
        ).on_page("refuse.kind", value=unknown[:40], known=named)
    return kinds


def _bbox(value: str) -> tuple[float, float, float, float] | None:
    """Read four numbers, or six of which the heights are left out. Limits are the search's own."""
    if not value.strip():
        return None
    numbers = [part.strip() for part in value.split(",")]
    if len(numbers) not in (4, 6) or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise Malformed(
            f"bbox={value[:60]!r} is no box.",
            fix="Write bbox=west,south,east,north in degrees, for example 24,60,25,61.",
        ).on_page("refuse.bbox")
    found = [float(number) for number in numbers]
    west, south, east, north = found if len(found) == 4 else (found[0], found[1], found[3], found[4])
    return west, south, east, north


def _period(value: str) -> tuple[int | None, int | None]:
    """Read an instant or an interval as days since 1970, both ends within (RFC 3339, 5.6; `..` or nothing is open)."""
    if not value.strip():
        return None, None
    ends = [end.strip() for end in value.split("/")]
    if len(ends) > 2:
        raise _no_time(value)
    start, *rest = [None if end in ("", "..") else _day(end, value) for end in ends]
    end = rest[0] if rest else start
    if start is None and end is None:
        raise _no_time(value)
    return start, end


def _day(text: str, whole: str) -> int:
    try:
        if not _INSTANT.fullmatch(text):
            raise _no_time(whole)
        day = datetime.fromisoformat(text.upper().replace(" ", "+")).date()
    except ValueError:
        raise _no_time(whole) from None
    return day.toordinal() - _EPOCH_DAY


def _no_time(value: str) -> Malformed:
    return Malformed(
        f"datetime={value[:60]!r} is no time.",
        fix="Write 2026-11-21, 2026-11-21T03:40:00Z, 2026-01-01/2026-12-31, or .. for one open end.",
    ).on_page("refuse.instant", value=value[:60])


def _iris(params: Mapping[str, str], iri_of: Callable[[str], str]) -> tuple[str, ...]:
    """Give the IRIs that `ids` and `externalIds` name; where they name none that exists, one that no record has."""
    ids = [each.strip() for each in params.get("ids", "").split(",") if each.strip()]
    outer = [each.strip() for each in _BETWEEN.split(params.get("externalIds", "")) if each.strip()]
    if len(ids) + len(outer) > _MOST_LISTED:
        raise Malformed(
            f"{len(ids) + len(outer)} records are named at once.", fix=f"Name at most {_MOST_LISTED}."
        ).on_page("no.page.many", name="ids", most=_MOST_LISTED)
    if not ids and not outer:
        return ()
    by_id = {found for each in ids if (found := iri_of(each))}
    chosen = by_id & set(outer) if ids and outer else by_id | set(outer)
    return tuple(sorted(chosen)) or ("urn:none",)
