"""What the page of a search shows besides its rows: facets to tick, filters that are chosen, orders, other cities.

Works without script: facets are boxes of one GET form, a chosen filter is a link to the same question without it. A
value that is chosen is shown though nothing has it, or sending the form would lose it. Values for the template only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from node.catalog.search.query import FACETS
from node.catalog.search.results import Count
from node.federation.asking.asking import Asked as AskedCity
from node.web.search.facts import is_knowledge
from node.web.search.hits import facet_label
from node.web.search.query import EDGES, Asked
from node.web.wording.text import told
from node.web.wording.words import words

# In the order of the page; the first are open.
SHOWN = ("city", "use", "kind", "format", "freshness", "theme", "publisher", "licence", "language", "access", "quality")
# What tells records of knowledge apart: they have no files, hence no licence of any.
SHOWN_OF_KNOWLEDGE = ("city", "kind", "theme", "freshness", "publisher", "language", "quality")
OPEN = 3
FIRST = 8
_ORDERS = ("relevance", "changed", "title", "quality")


@dataclass(frozen=True, slots=True)
class Box:
    """One value to tick."""

    name: str
    value: str
    label: str
    count: int
    checked: bool
    is_own: bool = False
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """One facet: the values one sees first and the others, folded until asked for."""

    name: str
    title: str
    boxes: tuple[Box, ...]
    more: tuple[Box, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A chosen filter and the address without it."""

    label: str
    href: str
    is_city: bool
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort, and its address."""

    label: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """All of it; `edges` are those of the box that is asked for, in the order of their fields."""

    groups: tuple[Group, ...]
    chips: tuple[Chip, ...]
    orders: tuple[Order, ...]
    kept: tuple[tuple[str, str], ...]
    silent: tuple[str, ...]
    edges: tuple[str, ...]
    is_placed: bool


def panel(
    asked: Asked,
    facets: Mapping[str, Sequence[Count]],
    cities: Sequence[AskedCity],
    reader: str,
    city: Callable[[str], str],
    own: str,
    kind: str = "",
) -> Panel:
    """Work it out for one answer.

    `city` names a city by its name here, `own` is ours; a page that is of one `kind` alone says so above, and not here.
    """
    names = (name for name in _names(asked) if name != "kind" or not kind)
    groups = (_group(name, asked, facets.get(name, ()), reader, city, own) for name in names)
    shown = tuple(group for group in groups if group is not None)
    return Panel(
        groups=shown,
        chips=tuple(_chips(asked, facets, reader, city, ("kind", kind))),
        orders=tuple(_orders(asked, reader)),
        kept=tuple(_kept(asked, {group.name for group in shown}, kind)),
        silent=tuple(words(reader, f"asked.{one.state}", city=one.city) for one in cities if one.state != "answered"),
        edges=tuple(f"{edge:g}" for edge in asked.query.bbox) if asked.query.bbox else ("",) * len(EDGES),
        is_placed=bool(asked.query.bbox or asked.query.place),
    )


def _orders(asked: Asked, reader: str) -> Iterator[Order]:
    """List the ways to sort; without words nothing matches better than anything else, and the newest come first."""
    has_words = bool(asked.value("q").strip())
    sort = asked.query.sort if has_words or asked.query.sort != "relevance" else "changed"
    for order in _ORDERS if has_words else _ORDERS[1:]:
        address = asked.path(asked.changed("sort", "" if order == "relevance" else order))
        yield Order(words(reader, f"sort.{order}"), address, order == sort)


def _names(asked: Asked) -> tuple[str, ...]:
    """Name the facets that tell the records of this question apart, and any other that something is chosen of."""
    kinds = asked.query.filters.get("kind", ())
    if not kinds or not all(is_knowledge(kind) for kind in kinds):
        return SHOWN
    return (
        *SHOWN_OF_KNOWLEDGE,
        *(name for name in SHOWN if name in asked.query.filters and name not in SHOWN_OF_KNOWLEDGE),
    )


def _group(
    name: str, asked: Asked, counts: Sequence[Count], reader: str, city: Callable[[str], str], own: str
) -> Group | None:
    chosen = asked.query.filters.get(name, ())
    known = {count.value for count in counts}
    listed = [*counts, *(Count(value, value, 0) for value in chosen if value not in known)]
    if not listed:
        return None
    boxes = [
        Box(
            name,
            one.value,
            facet_label(name, one.value, one.label, reader, city),
            one.count,
            one.value in chosen,
            name == "city" and one.value == own,
            told(one.label, one.tag, reader).lang,
        )
        for one in listed
    ]
    # What is ticked stays in sight.
    boxes.sort(key=lambda box: not box.checked)
    first = max(FIRST, len(chosen))
    return Group(
        name,
        words(reader, f"facet.{name}"),
        tuple(boxes[:first]),
        tuple(boxes[first:]),
        is_open=bool(chosen) or name in SHOWN[:OPEN],
    )


def _chips(
    asked: Asked,
    facets: Mapping[str, Sequence[Count]],
    reader: str,
    city: Callable[[str], str],
    said_above: tuple[str, str],
) -> list[Chip]:
    made = []
    for pair in (each for each in asked.narrowing if each != said_above):
        name, value = pair
        bare = value.removeprefix("-").strip() if name in FACETS else value
        if name in FACETS:
            known = next((count for count in facets.get(name, ()) if count.value == bare), Count(bare, bare, 0))
            label = facet_label(name, bare, known.label, reader, city)
            lang = told(known.label, known.tag, reader).lang
        else:
            label, lang = words(reader, f"chip.{name}", value=value), ""
        if bare != value:
            label = words(reader, "chip.not", value=label)
        made.append(Chip(label, asked.path(asked.without(pair)), name == "city" and bare == value, lang))
    return made


def _kept(asked: Asked, shown: set[str], kind: str) -> list[tuple[str, str]]:
    """List what the form has no field for and must not lose: values left out, the order, the language."""
    fields = {"q", "bbox", "place", "from", "to", "cursor", "limit", "facet"}
    # A list of a kind begins with its newest; whoever then looks for words wants the best match.
    begun = ("sort", "changed") if kind and not asked.value("q") else None
    return [
        (name, value)
        for name, value in asked.pairs
        if name not in fields and (name, value) != begun and (name not in shown or value.startswith("-"))
    ]
