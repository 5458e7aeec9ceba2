"""Commands on sources: the portals this node harvests.

Only here may a source be a file of this machine; the web never takes a path. `test` reads and checks a source to its
end and publishes nothing.
"""

from typing import Annotated, Any

import typer

from node.cli import say
from node.cli.asking import YesOption, confirm
from node.cli.common import DataOption, JsonOption, opened, settings_of
from node.cli.runs_shown import ended, run_once

app = typer.Typer(help="Sources: the portals this node harvests.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the source on this node.")]


@app.command()
def add(
    name: NameArgument,
    location: Annotated[str, typer.Argument(metavar="LOCATION", help="URL of the portal, or path of a file.")],
    kind: Annotated[str, typer.Option("--kind", metavar="ckan|dcat|datapress|dcat-us", help="The portal's software.")],
    collection: Annotated[str, typer.Option("--collection", help="Where its records go.")] = "open-data",
    every: Annotated[
        int | None, typer.Option("--every", metavar="MINUTES", min=5, help="How often the worker harvests it.")
    ] = None,
    keep_contacts: Annotated[
        bool, typer.Option("--keep-contacts", help="Publish named persons as the source names them.")
    ] = False,
    threshold: Annotated[
        int | None, typer.Option("--threshold", metavar="PERCENT", min=0, max=100, help="Withdrawals beyond it wait.")
    ] = None,
    paused: Annotated[
        bool, typer.Option("--paused", help="Leave it out of the timetable until it was tested.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Add a source; the worker harvests it when it is due, `citynode harvest run NAME` at once."""
    from node.catalog.source_office import Wanted

    minutes = settings_of(data).harvest_every_min if every is None else every
    wanted = Wanted(kind, location, collection, minutes, keep_contacts, threshold)
    with opened(data) as node:
        source = node.harvesting.office.add(name, wanted, files=True, paused=paused).wanted
        say.line(f"Added {name} ({source.kind}) from {source.location} into {source.collection}")
        say.line(f"Next: citynode {'sources test' if paused else 'harvest run'} {name}")


@app.command()
def edit(
    name: NameArgument,
    location: Annotated[
        str | None, typer.Option("--location", metavar="LOCATION", help="URL, or path of a file.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="The portal's software.")] = None,
    collection: Annotated[str | None, typer.Option("--collection", help="Where its records go from now on.")] = None,
    every: Annotated[
        int | None, typer.Option("--every", metavar="MINUTES", min=0, help="How often it is read; 0: by hand alone.")
    ] = None,
    keep_contacts: Annotated[
        bool | None, typer.Option("--keep-contacts/--drop-contacts", help="Publish named persons, or not.")
    ] = None,
    threshold: Annotated[
        int | None, typer.Option("--threshold", metavar="PERCENT", min=0, max=100, help="Withdrawals beyond it wait.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Change a source; what is not named stays as it is."""
    from dataclasses import replace

    asked: dict[str, Any] = {
        "location": location,
        "kind": kind,
        "collection": collection,
        "every_min": every,
        "keep_contacts": keep_contacts,
        "threshold": threshold,
    }
    with opened(data) as node:
        office = node.harvesting.office
        changes = {key: value for key, value in asked.items() if value is not None}
        source = office.edit(name, replace(office.show(name).wanted, **changes), files=True).wanted
        say.line(f"{name} ({source.kind}) from {source.location} into {source.collection}, {_every(source.every_min)}")


@app.command()
def pause(name: NameArgument, data: DataOption = None) -> None:
    """Leave a source out of the timetable; what it published stays."""
    with opened(data) as node:
        node.harvesting.office.pause(name)
        say.line(f"{name} is paused; read it by hand: citynode harvest run {name}")


@app.command()
def resume(name: NameArgument, data: DataOption = None) -> None:
    """Let the timetable read a source again."""
    with opened(data) as node:
        source = node.harvesting.office.resume(name)
        say.line(f"{name} is read again, {_every(source.wanted.every_min)}")


@app.command()
def withdraw(name: NameArgument, yes: YesOption = False, data: DataOption = None) -> None:
    """Say how many records go, ask, withdraw every record of a source, then forget the source."""
    with opened(data) as node:
        office = node.harvesting.office
        count = office.show(name).records
        say.line(
            f"{count} published record{'' if count == 1 else 's'} of {name} will be withdrawn, and it is forgotten."
        )
        confirm(f"Withdraw all of {name}?", yes=yes)
        run = office.work(office.give_up(name, by="command line").id)
        say.line(f"{name} is given up; {run.counters.withdrawn} records were withdrawn")


def _every(minutes: int) -> str:
    return f"every {minutes} min" if minutes else "by hand alone"


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the sources."""
    with opened(data) as node:
        found = node.sources.list()
        if as_json:
            say.document([source.model_dump() for source in found])
            return
        say.table(
            ("name", "kind", "collection", "every", "location"),
            [
                (s.name, s.kind, s.collection, "paused" if s.paused else f"{s.schedule_minutes} min", s.location)
                for s in found
            ],
        )


@app.command("test")
def try_out(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Read and check a source to its end, publish nothing, and say what would happen."""
    with opened(data) as node:
        node.sources.get(name)
        run = run_once(node, name, dry_run=True, quiet=as_json)
        raise typer.Exit(ended(node, run, as_json=as_json))


@app.command()
def remove(name: NameArgument, yes: YesOption = False, data: DataOption = None) -> None:
    """Ask, and forget a source; what it published stays published."""
    with opened(data) as node:
        node.sources.get(name)
        confirm(f"Forget {name}? Its records stay published, and nothing withdraws them together any more.", yes=yes)
        node.sources.remove(name)
        say.line(f"Removed the source {name}; its records stay published")
