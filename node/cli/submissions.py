"""Commands on submissions: what strangers sent and waits for a person, and the person's decision.

Accepting publishes a record; refusing needs a reason, which the sender reads at the address that only they have. Either
way the description and the mail address of the sender are forgotten here, so the answer shows the address a last time.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened

if TYPE_CHECKING:
    from node.catalog.submissions import Shown

app = typer.Typer(help="Reuses that others submitted: look at them, accept or refuse them.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The submission's id, or the beginning of it.")]


@app.command("list")
def list_(
    decided: Annotated[bool, typer.Option("--decided", help="What was decided, the last first.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many to show.")] = 100,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what waits for a decision, the longest waiting first."""
    with opened(data) as node:
        found = node.knowledge.submissions.list(waiting=not decided, limit=limit)
    if as_json:
        say.document(found)
        return
    if not found and not decided:
        say.line("Nothing waits.")
        return
    columns = ("id", "kind", "state", "since", "title")
    rows = [
        (each.id, each.kind, each.state, say.moment(each.decided_ms or each.at_ms), say.short(each.title))
        for each in found
    ]
    say.table(columns, rows)


@app.command()
def show(name: IdArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show a submission as it was sent, and what lint says of it."""
    with opened(data) as node:
        found = node.knowledge.submissions.show(name)
    if as_json:
        say.document(found)
        return
    say.line(f"{found.id}  {found.kind}  {found.state}  {found.title}")
    say.line(f"submitted {say.moment(found.at_ms)}{f', by {found.contact}' if found.contact else ''}")
    _say_decision(found)
    say.lines(f"  {path}: {value}" for path, value in _flat(found.said))
    say.lines(f"{each.level}: {each.pointer} {each.message}" for each in found.warnings)


@app.command()
def accept(
    name: IdArgument,
    slug: Annotated[str, typer.Option("--slug", help="What its address ends in; else made of its title.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Publish a submission in the public collection of its kind."""
    with opened(data) as node:
        _decided(node.knowledge.submissions.accept(name, slug=slug), as_json=as_json)


@app.command()
def refuse(
    name: IdArgument,
    reason: Annotated[str, typer.Option("--reason", help="What its sender reads; needed.")],
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Refuse a submission."""
    with opened(data) as node:
        _decided(node.knowledge.submissions.refuse(name, reason=reason), as_json=as_json)


def _decided(found: "Shown", *, as_json: bool) -> None:
    if as_json:
        say.document(found)
        return
    _say_decision(found)
    if found.contact:
        say.note(f"Who sent it may be told at {found.contact}; this node has forgotten the address.")


def _say_decision(found: "Shown") -> None:
    if found.state == "accepted":
        say.line(f"Published {found.record}")
    elif found.state == "refused":
        say.line(f"Refused {found.title or found.id}: {found.reason}")


def _flat(value: object, at: str = "") -> list[tuple[str, object]]:
    """Give every value with the path to it, in order."""
    if isinstance(value, dict):
        return [pair for key, each in value.items() for pair in _flat(each, f"{at}.{key}" if at else str(key))]
    if isinstance(value, list):
        return [pair for number, each in enumerate(value) for pair in _flat(each, f"{at}[{number}]")]
    return [(at, value)]
