"""Commands on problem reports: what readers say is wrong with this city's records, and the city's answer.

Answering and closing change what the public page of a report says, and are told to the city it came from. A report
about another city's record stands here too, but is that city's to settle.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened

if TYPE_CHECKING:
    from node.catalog.problem_store import Report

app = typer.Typer(help="Problems that readers report: look at them, answer and close them.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The report's id, or the beginning of it.")]


@app.command("list")
def list_(
    settled: Annotated[bool, typer.Option("--settled", help="What is settled, the last first.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many to show.")] = 100,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List the reports that are open, the oldest first."""
    with opened(data) as node:
        found = node.readers.reports.list(settled=settled, limit=limit)
    if as_json:
        say.document(found)
        return
    if not found:
        say.line("Nothing was settled yet." if settled else "No report waits.")
        return
    columns = ("id", "state", "sort", "since", "city", "record")
    rows = [
        (each.id, each.state, each.kind, say.moment(each.at), each.peer or "-", say.short(each.title or each.iri))
        for each in found
    ]
    say.table(columns, rows)


@app.command()
def show(name: IdArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show a report as it was made, and how it stands."""
    with opened(data) as node:
        found = node.readers.reports.show(name)
    _shown(found, as_json=as_json)


@app.command()
def answer(
    name: IdArgument,
    text: Annotated[str, typer.Option("--text", help="What its page says meanwhile.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say on a report's page that somebody looks at it."""
    with opened(data) as node:
        found = node.readers.reports.answer(name, text)
    _shown(found, as_json=as_json)


@app.command()
def sort(
    name: IdArgument,
    kind: Annotated[str, typer.Argument(metavar="SORT", help="wrong, old, link, licence, personal, unclear or other.")],
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say what sort of problem a report is really about."""
    with opened(data) as node:
        found = node.readers.reports.sort(name, kind)
    _shown(found, as_json=as_json)


@app.command()
def close(
    name: IdArgument,
    outcome: Annotated[str, typer.Option("--as", help="mended or declined.")],
    reason: Annotated[str, typer.Option("--reason", help="What its page says; needed.")],
    publish: Annotated[bool, typer.Option("--publish", help="Show the reader's words on its page.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Settle a report, and forget who made it."""
    with opened(data) as node:
        contact = node.readers.reports.show(name).contact
        found = node.readers.reports.close(name, outcome, reason, publish=publish)
    _shown(found, as_json=as_json)
    if contact and not as_json:
        say.note(f"Who reported it may be told at {contact}; this node has forgotten the address.")


def _shown(found: "Report", *, as_json: bool) -> None:
    if as_json:
        say.document(found)
        return
    say.line(f"{found.id}  {found.state}  {found.kind}  {found.title or found.iri}")
    ways = {"reader": "here", "sent": f"here, and told to {found.peer}", "received": f"at {found.peer}"}
    by = f", by {found.contact}" if found.contact else ""
    say.line(f"reported {say.moment(found.at)} {ways[found.way]}{by}")
    say.line(f"record {found.iri}")
    if found.said:
        say.line(f"says: {found.said}")
    if found.reason:
        say.line(f"answer: {found.reason}")
