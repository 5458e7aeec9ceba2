"""Commands on sources: the portals this node harvests.

Only here may a source be a file of this machine; the web never takes a path. `test` reads and checks a source to its
end and publishes nothing.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened, settings_of
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
    data: DataOption = None,
) -> None:
    """Add a source; the worker harvests it when it is due, `citynode harvest run NAME` at once."""
    from node.catalog.sources import Source

    minutes = settings_of(data).harvest_every_min if every is None else every
    with opened(data) as node:
        source = node.sources.add(
            Source(
                name=name,
                kind=kind,
                location=location,
                collection=collection,
                created_at=now_ms(),
                schedule_minutes=minutes,
                keep_contacts=keep_contacts,
                threshold_percent=threshold,
            )
        )
        say.line(f"Added {source.name} ({source.kind}) from {source.location} into {source.collection}")
        say.line(f"Next: citynode harvest run {source.name}")


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
            [(s.name, s.kind, s.collection, f"{s.schedule_minutes} min", s.location) for s in found],
        )


@app.command("test")
def try_out(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Read and check a source to its end, publish nothing, and say what would happen."""
    with opened(data) as node:
        node.sources.get(name)
        run = run_once(node, name, dry_run=True, quiet=as_json)
        raise typer.Exit(ended(node, run, as_json=as_json))


@app.command()
def remove(name: NameArgument, data: DataOption = None) -> None:
    """Forget a source; what it published stays published."""
    with opened(data) as node:
        node.sources.remove(name)
        say.line(f"Removed the source {name}; its records stay published")
