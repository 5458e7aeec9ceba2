"""The command `citynode search`: what anyone would find, asked in a terminal, with or without a running node.

It reads the index on disk as the web does and takes the same parameters. Where no worker keeps the index level, what is
new is taken in first; while one does, it has done so. What is restricted is shown only where the operator asks for it.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Malformed, Unavailable
from node.records import slug_of

if TYPE_CHECKING:
    from node.assembly import Node
    from node.catalog.search.query import Sight
    from node.catalog.search.results import Hit, Results
    from node.web.ports.ports import Held

# A word may begin with a dash, and is then left out.
DASHES: dict[str, Any] = {"ignore_unknown_options": True}
_VALUES = "May come again; --{0}=-VALUE leaves it out."


def _facet(name: str, meaning: str) -> Any:  # noqa: ANN401 (typer's own word for an option)
    return typer.Option(f"--{name}", metavar="VALUE", help=f"{meaning} {_VALUES.format(name)}")


def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]...", help='Words, "a phrase", begin*, -unwanted, a OR b, title:word, city:x'),
    ] = None,
    city: Annotated[list[str] | None, _facet("city", "Whose records.")] = None,
    kind: Annotated[list[str] | None, _facet("kind", "dataset, practice, ai-system, …")] = None,
    theme: Annotated[list[str] | None, _facet("theme", "A theme: TRAN, or its name.")] = None,
    format_: Annotated[
        list[str] | None, _facet("format", "Only records with files of this format: csv, geojson, …")
    ] = None,
    licence: Annotated[list[str] | None, _facet("licence", "A licence: its code, its name, none, other.")] = None,
    use: Annotated[list[str] | None, _facet("use", "free, credit, limited, agreement, unknown.")] = None,
    access: Annotated[list[str] | None, _facet("access", "public, restricted, non_public, unknown.")] = None,
    language: Annotated[list[str] | None, _facet("language", "Language of the data: fi, sv, en, …")] = None,
    publisher: Annotated[list[str] | None, _facet("publisher", "A publisher's short name.")] = None,
    freshness: Annotated[list[str] | None, _facet("freshness", "Changed within a week, month, year; older.")] = None,
    quality: Annotated[list[str] | None, _facet("quality", "excellent, good, sufficient, bad, unknown.")] = None,
    keyword: Annotated[list[str] | None, _facet("keyword", "A keyword, whole.")] = None,
    collection: Annotated[list[str] | None, _facet("collection", "A collection, own or mirrored.")] = None,
    bbox: Annotated[str, typer.Option("--bbox", metavar="W,S,E,N", help="A box in degrees.")] = "",
    place: Annotated[str, typer.Option("--place", metavar="NAME", help="A place by its name.")] = "",
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="About times from this day or year on.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="About times up to this day or year.")] = "",
    sort: Annotated[str, typer.Option("--sort", metavar="ORDER", help="relevance, changed, title, quality.")] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="How many records, 1 to 100.")] = 20,
    cursor: Annotated[str, typer.Option("--cursor", metavar="CURSOR", help="Go on after a page.")] = "",
    facet: Annotated[list[str] | None, typer.Option("--facet", metavar="NAME", help="Count by a facet.")] = None,
    lang: Annotated[str, typer.Option("--lang", metavar="TAG", help="Language of the titles shown.")] = "en",
    restricted: Annotated[bool, typer.Option("--restricted", help="Also what needs an agreement.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Search the public records of this node, its own and those of other cities; --restricted: all of them."""
    from node.catalog.search.query import FACETS
    from node.web.search.query import read_asked

    _refuse_options(words or ())
    chosen = (city, kind, theme, format_, licence, use, access, language, publisher, freshness, quality, keyword)
    facets = dict(zip(FACETS, (*chosen, collection), strict=True)) | {"facet": facet or ["none"]}
    single = {"q": " ".join(words or ()), "bbox": bbox, "place": place, "from": since, "to": until}
    paging = {"sort": sort, "limit": str(limit), "cursor": cursor}
    pairs = [(name, value) for name, values in facets.items() for value in values or ()]
    asked = read_asked([*single.items(), *paging.items(), *pairs], lang)
    with opened(data) as node:
        _take_in(node)
        results = node.finding.search.find(asked.query, _sight(node, restricted=restricted), now_ms=now_ms())
        if as_json:
            say.document(_document(node, results, lang))
            return
        _show(node, results, named=bool(facet))
        if not results.total and not restricted:
            _tell_of_more(node.finding.search.find(asked.query, _sight(node, restricted=True), now_ms=now_ms()))


def _tell_of_more(wider: "Results") -> None:
    """Say that something would be found where not everybody may look; whoever has this command may."""
    if wider.total and not wider.fuzzy:
        records = "1 record" if wider.total == 1 else f"{wider.total} records"
        say.note(f"Not everybody may see {records} with these words: add --restricted")


def _refuse_options(words: Sequence[str]) -> None:
    """Tell a word to leave out (`-sensor`) from an option that does not exist: only the latter has two dashes."""
    for word in words:
        if word.startswith("--") and word.strip("-"):
            raise Malformed(f"There is no option {word[:40]}.", fix="citynode search --help lists them all.")


def _take_in(node: "Node") -> None:
    """Bring the index level; if somebody else is at it, what there is will do."""
    for reading in node.finding.readings:
        if reading.name == "search":
            with suppress(Unavailable):
                reading.catch_up(threading.Event())


def _sight(node: "Node", *, restricted: bool) -> "Sight":
    from node.catalog.search.query import Allowed, Sight

    hidden = node.federation.view.hidden()
    if not restricted:
        return Sight(hidden)
    names = [info.name for info in node.shelf.collections() if info.visibility != "public"]
    return Sight(hidden, tuple(Allowed(name) for name in names))


def _city(node: "Node", collection: str) -> str:
    peer, slash, _ = collection.partition("/")
    return peer if slash else node.settings.name


def _show(node: "Node", results: "Results", *, named: bool) -> None:
    about = f"{'' if results.exact else 'at least '}{results.total} record{'' if results.total == 1 else 's'}"
    if results.fuzzy:
        about = f"Nothing has all of these words; {about} with similar or most of them"
    say.line(about)
    if results.did_you_mean:
        say.line(f"Did you mean: {results.did_you_mean}")
    for hit in results.hits:
        _show_hit(node, hit)
    for name, counts in results.facets.items() if named else ():
        say.line()
        say.table((name, "records"), [(_named(count.value, count.label), count.count) for count in counts])
    if results.cursor:
        say.note(f"More: --cursor {results.cursor}")


def _show_hit(node: "Node", hit: "Hit") -> None:
    held = hit.held
    say.line()
    say.line(hit.title)
    say.line(f"  {_city(node, held.collection)} · {held.kind} · {held.collection}")
    say.line(f"  {held.iri}")
    if hit.also_via:
        say.line("  also via " + ", ".join(each.collection for each in hit.also_via))
    for each in hit.similar:
        say.line(f"  similar (same {each.reason.replace('-', ' ')}): {each.held.iri}")


def _named(value: str, label: str) -> str:
    return value if label == value else f"{value} ({label})"


def _document(node: "Node", results: "Results", reader: str) -> dict[str, object]:
    """Say it as `/search` does in JSON; `next` is a cursor, since there is no address here."""
    return {
        "total": results.total,
        "total_is": "exact" if results.exact else "at-least",
        "hits": _hits(node, results, reader),
        "facets": {
            name: [{"value": each.value, "label": each.label, "count": each.count} for each in counts]
            for name, counts in results.facets.items()
        },
        "next": results.cursor or None,
        "did_you_mean": results.did_you_mean or None,
        "fuzzy": results.fuzzy,
    }


def _hits(node: "Node", results: "Results", reader: str) -> list[object]:
    from node.web.search.hits import Teller
    from node.web.search.looks import Looks

    titles = {one.name: one.city for one in node.federation.view.cities()}
    own = slug_of(node.settings.name), node.settings.name

    def city_of(collection: str) -> tuple[str, str]:
        peer, slash, _ = collection.partition("/")
        return (peer, titles.get(peer, peer)) if slash else own

    def points(held: "Held") -> int | None:
        return node.finding.quality.points(held.collection, held.iri)

    teller = Teller(node.settings.base_url, reader, city_of, points)
    helds = [hit.held for hit in results.hits]
    bodies = {held.digest: body for held, body in zip(helds, node.shelf.payloads(helds), strict=True)}
    looks = Looks(node.settings.languages).of(helds, reader, lambda asked: [bodies[one.digest] for one in asked])
    return [teller.held(hit, look).json for hit, look in zip(results.hits, looks, strict=True) if look is not None]
