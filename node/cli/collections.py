"""Commands on collections: the named sets of records of this city, each with its journal.

A collection is created, never removed: its journal is what others have seen. Its name and IRI are for ever; title and
visibility may change.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.errors import Malformed
from node.journal.collection import VISIBILITIES

if TYPE_CHECKING:
    from node.catalog.author.collections import Kept

app = typer.Typer(help="Collections: named sets of records, each with its journal.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9 and -, at most 63 characters.")]
VisibilityOption = Annotated[
    str | None, typer.Option("--visibility", metavar="public|restricted", help="Who may read it.")
]
TitleOption = Annotated[str | None, typer.Option("--title", help="What people read.")]


@app.command()
def create(
    name: NameArgument, visibility: VisibilityOption = None, title: TitleOption = None, data: DataOption = None
) -> None:
    """Create a collection."""
    with opened(data) as node:
        public = _is_public(visibility or "public")
        made = node.knowledge.collections.make(name, title=title or "", public=public)
        say.line(f"Created {made.name} ({_visibility(made)}), {made.iri}")


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the collections of this node."""
    with opened(data) as node:
        found = [(info, node.shelf.count(info.name)) for info in node.shelf.collections()]
        if as_json:
            say.document([{**asdict(info), "records": count} for info, count in found])
            return
        say.table(
            ("name", "visibility", "records", "entries", "changed", "title"),
            [(c.name, c.visibility, count, c.size, say.moment(c.updated_at_ms), c.title) for c, count in found],
        )


@app.command()
def erasures(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """List what was erased from a collection, which mirrors have confirmed it, and which have not yet."""
    with opened(data) as node:
        found = node.federation.erasures.list(name)
        if as_json:
            say.document(found)
            return
        say.table(
            ("entry", "erased", "confirmed by", "not yet by", "reason"),
            [
                (one.seq, say.moment(one.at_ms), ", ".join(one.confirmed), ", ".join(one.waiting), one.reason)
                for one in found
            ],
        )


@app.command("set")
def set_(
    name: NameArgument, visibility: VisibilityOption = None, title: TitleOption = None, data: DataOption = None
) -> None:
    """Change the visibility or the title of a collection."""
    if visibility is None and title is None:
        raise Malformed("Nothing to set.", fix="Say --visibility public|restricted or --title TEXT.")
    with opened(data) as node:
        office = node.knowledge.collections
        changed = office.rename(name, title) if title is not None else None
        if visibility is not None:
            changed = office.open_to_all(name) if _is_public(visibility) else office.restrict(name)
        if changed is not None:
            say.line(f"{changed.name} is {_visibility(changed)}, titled {changed.title!r}")


def _is_public(visibility: str) -> bool:
    if visibility not in VISIBILITIES:
        raise Malformed(f"There is no visibility {visibility!r}.", fix="Use public or restricted.")
    return visibility == "public"


def _visibility(one: "Kept") -> str:
    return "public" if one.is_public else "restricted"
