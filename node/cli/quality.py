"""Commands on quality: what collections are worth, what to mend first, which links fail.

They read what the worker wrote; where none runs (or it is behind) the records are measured first, here. Restricted
collections are listed too: whoever may run commands may read the database. What is to be mended is told of the city's
own collections, since nobody else's can be mended here, unless others are asked for. `--json` gives what pages give.
"""

import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from node.assembly import Node
    from node.catalog.quality.summary import Summary

app = typer.Typer(help="Quality: what is well described, and what to mend first.", no_args_is_help=True)

CollectionArgument = Annotated[
    str | None, typer.Argument(metavar="[COLLECTION]", help="One collection; all of them if left out.")
]
MendedArgument = Annotated[
    str | None,
    typer.Argument(metavar="[COLLECTION]", help="One collection, also PEER/NAME; all of our own if left out."),
]
LanguageOption = Annotated[str, typer.Option("--lang", metavar="en|fi|sv", help="Language of the sentences.")]


@app.command("list")
def list_(
    collection: CollectionArgument = None,
    days: Annotated[int, typer.Option("--days", metavar="N", min=0, max=400, help="The last days, too.")] = 0,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List collections with the mean points of their datasets; with --days how they and their sources were."""
    from node.web.records.quality_view import days_told, summary_told

    with opened(data) as node:
        _level(node)
        book = node.finding.quality
        sums = {name: book.summary(name) for name in _names(node, collection)}
        sums = {name: summary for name, summary in sums.items() if summary.records}
        trend = {subject: book.days(subject)[-days:] for subject in _subjects(node, list(sums))} if days else {}
        if as_json:
            told: dict[str, Any] = {"collections": [{"name": name} | summary_told(one) for name, one in sums.items()]}
            told |= {"days": {subject: days_told(found) for subject, found in trend.items()}} if days else {}
            say.document(told | {"links": book.links(), "links_tried": book.checks_links})
            return
        say.table(
            ("collection", "datasets", "points", "known of 405", "rating"),
            [(name, *_row(summary)) for name, summary in sums.items()],
        )
        for subject, found in trend.items():
            say.line()
            say.table(
                (subject, "datasets", "points", "known of 405", "rating"),
                [(one["day"], *_row(summary)) for one, (_, summary) in zip(days_told(found), found, strict=True)],
            )
        say.note(_links_said(node))


def _row(summary: "Summary") -> tuple[int, str, str, str]:
    return summary.records, f"{summary.mean:.1f}", f"{summary.mean_known:.1f}", summary.rating


def _links_said(node: "Node") -> str:
    counts = node.finding.quality.links()
    tried = f"Links: {counts['ok']} answer, {counts['failed']} fail, {counts['unknown']} unknown"
    off = "" if node.finding.quality.checks_links else "; none is tried (link_check_days is 0)"
    return f"{tried} ({counts['untried']} of them not tried yet){off}"


@app.command()
def fix(
    collection: MendedArgument = None,
    metric: Annotated[str, typer.Option("--metric", metavar="NAME", help="List the records that fail it.")] = "",
    links: Annotated[bool, typer.Option("--links", help="List the links that fail.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Mirrored collections, too.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="At most so many rows.")] = 50,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say what to mend in our own collections, the costliest first; with --metric or --links, where."""
    from node.web.addresses import is_mirror

    with opened(data) as node:
        _level(node)
        names = [name for name in _names(node, collection) if collection or everything or not is_mirror(name)]
        if links:
            _failing_links(node, names, limit, as_json=as_json)
        elif metric:
            _failing_records(node, names, metric, limit, as_json=as_json)
        else:
            _work(node, names, limit, language, as_json=as_json)


def _work(node: "Node", names: list[str], limit: int, language: str, *, as_json: bool) -> None:
    from node.web.records.quality_view import work_of

    found: list[dict[str, Any]] = [
        {"collection": name, "metric": one.name, "records": one.failed, "of": one.known, "lost": one.lost}
        | {"gain": round(one.gain, 1), "fix": one.text}
        for name in names
        for one in work_of(node.finding.quality.summary(name), language)
    ]
    found = sorted(found, key=lambda row: (-row["lost"], row["collection"], row["metric"]))[:limit]
    if as_json:
        say.document(found)
    elif found:
        say.table(
            ("collection", "fails in", "points lost", "mean rises by", "metric", "what to do"),
            [
                (
                    one["collection"],
                    f"{one['records']}/{one['of']}",
                    one["lost"],
                    one["gain"],
                    one["metric"],
                    one["fix"],
                )
                for one in found
            ],
        )
    else:
        say.line("There is nothing to mend")


def _failing_records(node: "Node", names: list[str], metric: str, limit: int, *, as_json: bool) -> None:
    from node.catalog.quality.metrics import PLACES

    if metric not in PLACES:
        raise NotFound(f"There is no metric {metric!r}.", fix=f"There are {', '.join(PLACES)}.")
    found = [
        {"collection": name, "iri": one.iri, "points": one.points, "max_known": one.max_known}
        for name in names
        for one in node.finding.quality.records(name, failing=metric, limit=limit)
    ][:limit]
    if as_json:
        say.document(found)
    else:
        say.table(("collection", "points", "record"), [(one["collection"], one["points"], one["iri"]) for one in found])


def _failing_links(node: "Node", names: list[str], limit: int, *, as_json: bool) -> None:
    from node.web.records.quality_view import failing_told

    found = [(name, one) for name in names for one in node.finding.quality.failing(name, limit=limit)][:limit]
    if as_json:
        say.document([{"collection": name} | failing_told([one])[0] for name, one in found])
        return
    if not found:
        say.line(_no_link_fails(node, names))
        return
    say.table(
        ("collection", "why", "tried", "role", "link", "record"),
        [
            (
                name,
                f"{one.tried.detail} {one.tried.status or ''}",
                say.moment(one.tried.checked_ms),
                one.role,
                one.tried.url,
                one.record,
            )
            for name, one in found
        ],
    )


def _no_link_fails(node: "Node", names: list[str]) -> str:
    """Say why there is none: there are no links, none was tried, or those that were do not fail."""
    book = node.finding.quality
    counts = [book.tried_of(name) for name in names]
    named, tried = sum(each[0] for each in counts), sum(each[1] for each in counts)
    if not named:
        return "There are no links"
    if not tried:
        why = "" if book.checks_links else ": this node tries none (link_check_days is 0)"
        return f"No link was tried yet{why}"
    return f"No link fails; {tried} of {named} were tried"


def _names(node: "Node", name: str | None) -> list[str]:
    found = [info.name for info in node.shelf.collections()]
    if name is not None and name not in found:
        raise NotFound(f"There is no collection {name!r}.", fix="List them: citynode collections list")
    return [name] if name is not None else found


def _subjects(node: "Node", names: list[str]) -> list[str]:
    sources = [source for name in names for source in node.finding.quality.sources(name)]
    known = set(node.finding.quality.subjects())
    wanted = [f"collection:{name}" for name in names] + [f"source:{name}" for name in sources]
    return [subject for subject in wanted if subject in known]


def _level(node: "Node") -> None:
    """Measure what was not measured yet, slice by slice; a worker that is at it takes its share."""
    never = threading.Event()
    for reading in node.finding.readings:
        if reading.name == "quality":
            try:
                while reading.catch_up(never):
                    pass
            except Unavailable as error:
                say.note(f"Some records are not measured yet: {error}")
