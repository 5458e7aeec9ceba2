"""Commands on the audit trail: who did what at the desk, over the staff's API and on this command line.

Reads the database alone, so it may run beside a node that is served. Taking the trail as a file stands in the trail.
Days are those of UTC, as the times are that it prints.
"""

from typing import Annotated, Literal

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.errors import Malformed

app = typer.Typer(help="The audit trail: who did what, when and from where.", no_args_is_help=True)

WhoOption = Annotated[str, typer.Option("--who", metavar="NAME", help="Only what this account did.")]
ActOption = Annotated[str, typer.Option("--act", metavar="ACT", help="Only acts that begin so, such as `staff`.")]
FromOption = Annotated[str, typer.Option("--from", metavar="2026-11-22", help="Of this day (UTC) and after.")]
ToOption = Annotated[str, typer.Option("--to", metavar="2026-11-22", help="Of this day (UTC) and before.")]


@app.command("list")
def list_(
    who: WhoOption = "",
    act: ActOption = "",
    since: FromOption = "",
    until: ToOption = "",
    before: Annotated[int, typer.Option("--before", metavar="N", min=0, help="Older than this number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 50,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what was done, the newest first."""
    from node.staff.export import fields, told

    first, last = _day("--from", since, 0), _day("--to", until, 1)
    with opened(data) as node:
        found = node.staff.trail.list(who=who, act=act, since_ms=first, until_ms=last, before=before, limit=limit)
    if as_json:
        say.document(told(found))
        return
    names = ("number", "at", "who", "way", "act", "target", "outcome")
    say.table(names, [[fields(each)[name] or "-" for name in names] for each in found])


@app.command()
def export(
    form: Annotated[Literal["csv", "json"], typer.Option("--format", help="A table, or JSON lines.")] = "csv",
    who: WhoOption = "",
    act: ActOption = "",
    since: FromOption = "",
    until: ToOption = "",
    data: DataOption = None,
) -> None:
    """Write the trail to standard output, cells that a spreadsheet would run made harmless."""
    from node.staff.export import as_csv, as_json, events

    first, last = _day("--from", since, 0), _day("--to", until, 1)
    write = as_csv if form == "csv" else as_json
    with opened(data) as node:
        for line in write(events(node.staff.trail, who=who, act=act, since_ms=first, until_ms=last)):
            say.raw(line)


def _day(option: str, day: str, after: int) -> int:
    from node.staff.export import day_ms

    try:
        return day_ms(day, after=after) if day else 0
    except (ValueError, OverflowError) as error:
        raise Malformed(f"{option}: {day[:20]!r} is no day.", fix="Write it as 2026-11-22.") from error
