"""Commands on comparable sets: suggest them, write one, publish it, list those of all cities.

A suggestion is a guess of this node and is never published by itself: `new` writes a file from it, a person edits the
file, `publish` makes it a record of the public collection `sets`, which federates like any record.
"""

import threading
from collections.abc import Sequence
from typing import Annotated

import typer

from node.catalog.likeness import Suggestion
from node.catalog.publish import Published
from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Malformed, NotFound

app = typer.Typer(help="Comparable sets: records of several cities about the same thing.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9 and -; ends the set's address.")]


@app.command()
def suggest(
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many to show.")] = 20,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Look for records of several cities that seem comparable; what is found is a guess and says what it rests on."""
    with opened(data) as node:
        finding, stop = node.finding, threading.Event()
        made = finding.sets.suggest(stop, n=finding.touched.newest(), now_ms=now_ms(), clock_ms=now_ms)
    shown = made.suggestions[:limit]
    if as_json:
        say.document({"suggestions": shown, "found": len(made.suggestions)})
        return
    if not shown:
        say.line("Nothing found: sets need records of at least two cities. Mirror one: citynode peers follow")
        return
    for each in shown:
        say.line(f"{each.name}  {_title(each)}  (suggested: {_reasons(each)})")
        say.lines(f"    {city}: {iri}" for city, iri in each.members)
    say.note(f"{len(made.suggestions)} found. Make one yours: citynode sets new NAME --from {shown[0].name}")


@app.command()
def new(
    name: NameArgument,
    members: Annotated[list[str] | None, typer.Argument(metavar="[IRI]...", help="Its records, at least two.")] = None,
    start: Annotated[str, typer.Option("--from", metavar="SUGGESTION", help="Begin with a suggestion.")] = "",
    data: DataOption = None,
) -> None:
    """Write the file of a new set, to be edited and then published."""
    if bool(members) == bool(start) or (members and len(set(members)) < 2):
        raise Malformed("A set begins with records.", fix="Name at least two IRIs, or --from SUGGESTION.")
    with opened(data) as node:
        sets = node.finding.sets
        suggested = sets.suggested()
        iris = list(dict.fromkeys(members or ())) or _members(suggested.suggestions if suggested else (), start)
        file = sets.draft(name, sets.begin(iris))
    say.line(str(file))
    say.note(f"Edit it: title, description, columns. Then: citynode sets publish {name}")


def _members(suggestions: Sequence[Suggestion], start: str) -> list[str]:
    found = next((each for each in suggestions if each.name == start), None)
    if found is None:
        raise NotFound(f"There is no suggestion {start[:40]!r}.", fix="List them: citynode sets suggest")
    return [iri for _, iri in found.members]


@app.command()
def publish(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Publish a set as its file says it; all its records must be public here."""
    with opened(data) as node:
        _say(node.finding.sets.publish(name), as_json=as_json)


@app.command()
def withdraw(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Withdraw a published set of ours; its file stays."""
    with opened(data) as node:
        _say(node.finding.sets.withdraw(name), as_json=as_json)


def _say(done: Published, *, as_json: bool) -> None:
    if as_json:
        say.document(done)
        return
    say.lines(f"Published {record}" for record in done.put)
    say.lines(f"Withdrew {record}" for record in done.withdrawn)
    if not done.put and not done.withdrawn:
        say.line("Nothing changed")


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the published sets, ours and those of other cities."""
    with opened(data) as node:
        rows = [
            {
                "set": each.held.iri,
                "collection": each.held.collection,
                "title": each.said.title.get("en") or next(iter(each.said.title.values()), ""),
                "records": len(each.said.members),
                "columns": len(each.said.columns),
            }
            for each in node.finding.sets.curated()
        ]
    if as_json:
        say.document(rows)
        return
    columns = ("title", "records", "columns", "collection", "set")
    say.table(columns, [[row[column] for column in columns] for row in rows])


def _title(each: Suggestion) -> str:
    return each.title.get("en") or next(iter(each.title.values()), "?")


def _reasons(each: Suggestion) -> str:
    said = [("words", each.terms), ("theme", each.themes), ("columns", each.columns)]
    return "; ".join(f"{what} {', '.join(values)}" for what, values in said if values)
