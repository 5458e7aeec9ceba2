"""What an address asks of the search: its parameters read, and addresses of the same question with one thing changed.

The parameters are the same for the page, JSON, Atom and RDF (`PARAMETERS`). What cannot be read is `Malformed` with a
sentence that says what can, and with the key and the parameter by which a page says it (`said`); what a form leaves
empty says nothing. Values are as they stand in the address: a leading
`-` leaves a value out. Pure: no index, no clock.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, get_args
from urllib.parse import urlencode

from node.catalog.search.query import FACETS, MAX_VALUES, SORTS, Parsed, Query, Sort, read_text
from node.errors import Malformed
from node.web.addresses import MAX_IRI
from node.web.wire.parameters import is_added, numbers_in

Pairs = tuple[tuple[str, str], ...]
MOST = 100
DEFAULT_LIMIT = 20
MAX_TEXT = 2_000
MAX_PARAMETERS = 200
MAX_VALUE = 300
MAX_CURSOR = 2_000
# As a form has them, in the order of `bbox`.
EDGES = ("west", "south", "east", "north")
# Parameter -> what it takes, in the words of the reference.
PARAMETERS: Mapping[str, str] = {
    "q": 'Words, all of which must be found; `"a phrase"`, `begin*`, `-not`, `a OR b`, `field:value` (`title:`,'
    " `keyword:`, `publisher:` or any facet).",
    "city": "A city, as it is named on this node.",
    "kind": "A kind of record: dataset, data-service, practice …",
    "theme": "An EU data theme: TRAN, ENVI …",
    "format": "An EU file type: CSV, GEOJSON …",
    "licence": "A licence of the EU table, or `other`, `none`.",
    "use": "What one may do with it: free, credit, limited, agreement, unknown.",
    "access": "PUBLIC, RESTRICTED, NON_PUBLIC, unknown.",
    "language": "A language of the record: fi, sv, en …",
    "publisher": "A publisher, by the name in the address.",
    "freshness": "When it changed: week, month, year, older, unknown.",
    "quality": "How well it is described: excellent, good, sufficient, bad, unknown.",
    "keyword": "A keyword.",
    "collection": "A collection, as it is named on this node.",
    "bbox": "west,south,east,north in degrees; west > east crosses the antimeridian.",
    **dict.fromkeys(EDGES, "One edge of the box, in degrees, where `bbox` is not written; all four are needed."),
    "place": "The name of a place.",
    "from": "Only what describes a time at or after this date or year.",
    "to": "Only what describes a time at or before this date or year.",
    "iri": "A record's IRI; several are any of them.",
    "sort": "relevance, changed, title or quality.",
    "limit": f"Records on a page, 1 to {MOST}.",
    "cursor": "As `next` gave it.",
    "facet": "A facet to count, or `none`; all are counted without it.",
    "lang": "Language of labels, titles and pages.",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SINGLE = ("q", "bbox", *EDGES, "place", "from", "to", "sort", "limit", "cursor", "lang")
# What says which page of an answer is shown, and not what is asked.
_PAGING = frozenset({"cursor", "limit", "facet", "lang"})
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ]([0-9][^T]{1,40}))?)?)?")
_CITY_OR_COLLECTION = re.compile(r"[-−–‐!]?\b(?:city|collection):(?:\"[^\"]*\"|\S+)", re.IGNORECASE)  # noqa: RUF001
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it stood in an address: what to ask the index, and the parameters it came from, in their order."""

    query: Query
    pairs: Pairs

    def value(self, name: str) -> str:
        """Give a parameter that stands once, or nothing."""
        return next((value for key, value in self.pairs if key == name), "")

    def values(self, name: str) -> tuple[str, ...]:
        """Give all values of a parameter, a leading `-` with them."""
        return tuple(value for key, value in self.pairs if key == name)

    @property
    def narrowing(self) -> Pairs:
        """Give what narrows the answer besides the text: the chosen filters, place and time."""
        shown = (*FACETS, "bbox", "place", "from", "to", "iri")
        return tuple(pair for pair in self.pairs if pair[0] in shown)

    @property
    def asks(self) -> bool:
        """Tell whether anything is asked: without that it is all there is."""
        return bool(self.value("q").strip() or self.narrowing)

    def parsed(self) -> Parsed:
        """Give the text as it is read."""
        return read_text(self.query.text)

    # ------------------------------------------------------------ addresses

    def path(self, pairs: Iterable[tuple[str, str]] | None = None, *, suffix: str = "") -> str:
        """Write the address of a question below the base URL; this one without paging, if none is given."""
        kept = self.lasting if pairs is None else tuple(pairs)
        return f"/search{suffix}{'?' + urlencode(kept) if kept else ''}"

    @property
    def lasting(self) -> Pairs:
        """Give what is asked without what says which page of it is shown."""
        return tuple(pair for pair in self.pairs if pair[0] not in _PAGING)

    def without(self, *pairs: tuple[str, str]) -> Pairs:
        """Give the question with some of it taken off."""
        return tuple(pair for pair in self.lasting if pair not in pairs)

    def changed(self, name: str, value: str) -> Pairs:
        """Give the question with one parameter of another value; an empty one takes it off."""
        kept = tuple(pair for pair in self.lasting if pair[0] != name)
        return (*kept, (name, value)) if value else kept

    def at(self, cursor: str, limit: int) -> Pairs:
        """Give the question with the place where the next page begins."""
        kept = tuple(pair for pair in self.pairs if pair[0] not in ("cursor", "limit"))
        size = (("limit", str(limit)),) if limit != DEFAULT_LIMIT else ()
        return (*kept, *size, ("cursor", cursor))

    # ------------------------------------------------------------ for other cities

    def elsewhere(self) -> Pairs:
        """Give what a peer's node understands of the question as we do: all but cities and collections, named here."""
        text = _CITY_OR_COLLECTION.sub(" ", self.value("q")).strip()
        ours = {"q", "city", "collection", *_PAGING}
        kept = tuple(pair for pair in self.lasting if pair[0] not in ours)
        return ((("q", text),) if text else ()) + kept + (("lang", self.query.language),)

    def named(self, facet: str) -> tuple[frozenset[str], frozenset[str]]:
        """Give the values of a facet that are wanted and those that are not, of parameters and of the text."""
        parsed, query = self.parsed(), self.query
        wanted = (*query.filters.get(facet, ()), *parsed.filters.get(facet, ()))
        unwanted = (*query.excluded.get(facet, ()), *parsed.excluded.get(facet, ()))
        return frozenset(wanted), frozenset(unwanted)


def read_asked(pairs: Sequence[tuple[str, str]], language: str, *, newest_first: bool = False) -> Asked:
    """Read the parameters of an address.

    Args:
        pairs: Names and values, decoded, in their order.
        language: That of the reader.
        newest_first: Sort by change where nothing else is said: it is a feed.

    Raises:
        Malformed: There is a parameter, a facet, an order or a value that does not exist; it says which do.
    """
    kept = _known(pairs)
    filters, excluded = _filters(kept)
    single = {name: next((value for key, value in kept if key == name), "") for name in _SINGLE}
    asked: dict[str, Any] = {
        "text": single["q"],
        "filters": filters,
        "excluded": excluded,
        "bbox": _bbox(single["bbox"]),
        "place": single["place"].strip(),
        "period": (_day("from", single["from"], end=False), _day("to", single["to"], end=True)),
        "iris": tuple(value for key, value in kept if key == "iri"),
        "sort": _sort(single["sort"], newest_first=newest_first),
        "limit": _limit(single["limit"]),
        "cursor": single["cursor"],
        "facets": _facets(tuple(value for key, value in kept if key == "facet")),
        "language": language,
    }
    try:
        query = Query(**asked)
    except Malformed as error:
        error.said = _why_refused(asked)
        raise
    return Asked(query, kept)


def fault(key: str, name: str, message: str, *, fix: str, **values: object) -> Malformed:
    """Make the refusal of a parameter: for programs in a sentence, for pages by `refuse.{key}` of the words."""
    made = Malformed(message, fix=fix)
    made.said = (f"refuse.{key}", {"name": name[:40], **values})
    return made


def _known(pairs: Sequence[tuple[str, str]]) -> Pairs:
    plain = ((name, _CONTROL.sub(" ", value)) for name, value in pairs if not is_added(name))
    kept = tuple((name, value) for name, value in plain if value.strip())
    if len(kept) > MAX_PARAMETERS:
        said = f"There are {len(kept)} parameters."
        raise fault("many", "", said, fix=f"Write at most {MAX_PARAMETERS}.", most=MAX_PARAMETERS)
    unknown = next((name for name, _ in kept if name not in PARAMETERS), None)
    if unknown is not None:
        known = ", ".join(PARAMETERS)
        said = f"The search has no parameter {unknown[:40]!r}."
        raise fault("parameter", unknown, said, fix=f"The parameters are: {known}.", known=known)
    most = {"q": 4 * MAX_TEXT, "cursor": MAX_CURSOR, "iri": MAX_IRI}
    long = next((name for name, value in kept if len(value) > most.get(name, MAX_VALUE)), None)
    if long is not None:
        size = most.get(long, MAX_VALUE)
        raise fault("long", long, f"{long} is too long.", fix=f"Write at most {size} characters.", most=size)
    twice = next((name for name in _SINGLE if sum(1 for key, _ in kept if key == name) > 1), None)
    if twice is not None:
        raise fault("twice", twice, f"{twice} stands more than once.", fix=f"Write {twice} once.")
    return _boxed(kept)


def _boxed(pairs: Pairs) -> Pairs:
    """Write the four edges of a form as the box they are."""
    edges = {name: value.strip() for name, value in pairs if name in EDGES}
    if not edges:
        return pairs
    boxes = [value for name, value in pairs if name == "bbox"]
    if len(edges) < len(EDGES) or boxes:
        said = "A box has four edges." if not boxes else "A box is written once, as bbox or by its edges."
        raise fault("bbox", "bbox", said, fix="Write west, south, east and north, or bbox=24.8,60.1,25.3,60.3.")
    kept = tuple(pair for pair in pairs if pair[0] not in EDGES)
    return (*kept, ("bbox", ",".join(edges[name] for name in EDGES)))


def _filters(pairs: Pairs) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    wanted, unwanted = dict[str, tuple[str, ...]](), dict[str, tuple[str, ...]]()
    for name, value in pairs:
        if name in FACETS:
            bare = value.strip()
            which, bare = (unwanted, bare[1:].strip()) if bare.startswith("-") else (wanted, bare)
            if bare and bare not in which.get(name, ()):
                which[name] = (*which.get(name, ()), bare)
    return wanted, unwanted


def _facets(values: tuple[str, ...]) -> tuple[str, ...]:
    named = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    if not named:
        return FACETS
    unknown = next((name for name in named if name not in (*FACETS, "none")), None)
    if unknown is not None:
        known = ", ".join(FACETS)
        said, fix = f"There is no facet {unknown[:40]!r}.", f"The facets are: {known}, or none of them: none."
        raise fault("facet", "facet", said, fix=fix, value=unknown[:40], known=known)
    return tuple(dict.fromkeys(name for name in named if name != "none"))


def _sort(value: str, *, newest_first: bool) -> Sort:
    if not value:
        return "changed" if newest_first else "relevance"
    found: Sort | None = next((each for each in get_args(Sort) if each == value), None)
    if found is None:
        known = ", ".join(SORTS)
        said = f"There is no order {value[:40]!r}."
        raise fault("sort", "sort", said, fix=f"Sort by one of: {known}.", value=value[:40], known=known)
    return found


def _limit(value: str) -> int:
    if not value:
        return DEFAULT_LIMIT
    if not (value.isascii() and value.isdigit() and len(value) < 6 and 1 <= int(value) <= MOST):
        said = f"limit={value[:40]!r} is no size of a page."
        raise fault("limit", "limit", said, fix=f"Write a whole number from 1 to {MOST}.", most=MOST)
    return int(value)


def _bbox(value: str) -> tuple[float, float, float, float] | None:
    if not value:
        return None
    numbers = numbers_in(value)
    if len(numbers) != 4:
        raise fault(
            "bbox",
            "bbox",
            f"bbox={value[:80]!r} is no box.",
            fix="Write four numbers: bbox=24.8,60.1,25.3,60.3 (west,south,east,north).",
        )
    west, south, east, north = numbers
    return west, south, east, north


def _why_refused(query: Mapping[str, Any]) -> tuple[str, Mapping[str, object]]:
    """Say for pages what the bounds of a question refuse: a box, a period, else too many values of one facet."""
    west, south, east, north = query["bbox"] or (0.0, 0.0, 0.0, 0.0)
    first, last = query["period"]
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        return "refuse.bbox", {"name": "bbox"}
    if first is not None and last is not None and first > last:
        return "refuse.period", {"name": "to"}
    return "refuse.many", {"name": "", "most": MAX_VALUES}


def _day(name: str, value: str, *, end: bool) -> int | None:
    """Read a date, a month or a year as days since 1970; the `end` of a year is its last day.

    A time of that day may follow, as clients of OpenSearch write it; it must be one, and the day is what counts.
    """
    if not value:
        return None
    found = _DAY.fullmatch(value.strip())
    year, month, day = (int(part or 0) for part in found.groups()[:3]) if found else (0, 0, 0)
    try:
        if found and found[4]:
            time.fromisoformat(found[4].replace(" ", "+"))  # a plus that was not encoded is a blank
        month = month or (12 if end else 1)
        return date(year, month, day or (monthrange(year, month)[1] if end else 1)).toordinal() - _EPOCH
    except (ValueError, IndexError):
        pass
    said = f"{name}={value[:40]!r} is no date."
    raise fault("date", name, said, fix="Write 2026-11-21, 2026-11 or 2026.", value=value[:40])
