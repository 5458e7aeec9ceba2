"""Commands on harvest runs: start one, look at it, stop it, and let held withdrawals go through.

A run works in the process of the command; the worker's own runs are seen and cancelled here just the same, since both
keep their state in the database.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.cli.runs_shown import as_document, ended, exit_code, run_once, told
from node.errors import NotFound

app = typer.Typer(help="Harvest runs.", no_args_is_help=True)

RunArgument = Annotated[int, typer.Argument(metavar="RUN", help="Number of the run (citynode harvest list).")]
SourceArgument = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A source; all of them if left out.")]
COMMAND_LINE = "command line"
MARKS = {"added": "+", "changed": "~", "withdrawn": "-", "unchanged": "=", "refused": "!", "held": "?", "note": "i"}


@app.command()
def run(
    name: SourceArgument = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check, publish nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Read everything even if the source says unchanged.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Harvest one source, or all of them one after the other."""
    with opened(data) as node:
        names = [name] if name else [source.name for source in node.sources.list()]
        if not names:
            raise NotFound("This node has no source.", fix="Add one: citynode sources add NAME LOCATION --kind KIND")
        if name:
            raise typer.Exit(
                ended(node, run_once(node, name, dry_run=dry_run, full=full, quiet=as_json), as_json=as_json)
            )
        runs = [run_once(node, one, dry_run=dry_run, full=full, quiet=as_json) for one in names]
        if as_json:
            say.document([{**as_document(one), "rows": node.runs.rows(one.id)} for one in runs])
            raise typer.Exit(max(exit_code(one) for one in runs))
        raise typer.Exit(max(ended(node, one, as_json=False) for one in runs))


@app.command("list")
def list_(
    name: SourceArgument = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 20,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List runs, newest first."""
    with opened(data) as node:
        node.runs.bury_dead(now_ms())
        found = node.runs.list(name or "", limit=limit)
        if as_json:
            say.document([as_document(one) for one in found])
            return
        say.table(
            ("run", "source", "state", "started", "took", "added", "changed", "withdrawn", "held", "refused"),
            [
                (
                    *(r.id, r.source, f"{r.state} (dry)" if r.dry else r.state, say.moment(r.started_ms)),
                    say.duration((r.ended_ms or now_ms()) - r.started_ms),
                    *(r.counters.added, r.counters.changed, r.counters.withdrawn, r.counters.held, r.counters.refused),
                )
                for r in found
            ],
        )


@app.command()
def show(number: RunArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show one run: counts, what it changed, what it refused, why, and whose dataset it is."""
    with opened(data) as node:
        node.runs.bury_dead(now_ms())
        one = node.runs.get(number)
        rows = node.stories.rows(one)
        if as_json:
            say.document({**as_document(one), "eta_ms": one.eta_ms(now_ms()), "rows": rows})
            return
        say.lines(told(one, now_ms()))
        for row in rows:
            owner = f" [{row.owner}]" if row.owner else ""
            why = f": {row.message} [{row.code}]" if row.code else f": {row.message}" if row.message else ""
            name = row.title or row.source_key
            say.line(f"{MARKS[row.change]} {row.change} {name}{owner}{why}" + (f" <{row.iri}>" if row.iri else ""))


@app.command()
def diff(number: RunArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show what a run changed in records that were published before, statement by statement."""
    with opened(data) as node:
        found = node.stories.differences(node.runs.get(number))
        if as_json:
            say.document(found)
            return
        for one in found:
            say.line(f"~ {one.title} <{one.iri}>")
            say.lines(f"  - {text}" for text in one.removed)
            say.lines(f"  + {text}" for text in one.added)
        if not found:
            say.line(f"Run {number} changed no record that was published before")


@app.command()
def cancel(number: RunArgument, data: DataOption = None) -> None:
    """Ask a run to stop; it does within 2 seconds and keeps what it published."""
    with opened(data) as node:
        one = node.runs.request_cancel(number, now_ms=now_ms())
        if one.state in ("queued", "running"):
            say.line(f"Run {number} of {one.source} is asked to stop")
        else:
            say.line(f"Run {number} of {one.source} has ended already: {one.state}")


@app.command()
def approve(
    number: RunArgument,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="KEY", help="A source key; may be repeated.")
    ] = None,
    word: Annotated[str, typer.Option("--word", help="Why, for your colleagues.")] = "",
    data: DataOption = None,
) -> None:
    """Withdraw what a run held because it was more than the threshold allows: all of it, or what is chosen."""
    with opened(data) as node:
        one = node.harvesting.office.approve(number, only or None, by=COMMAND_LINE, word=word)
        kept = one.decision.kept if one.decision else 0
        say.line(f"Withdrew {one.counters.withdrawn} records of {one.source}" + (f"; {kept} stay" if kept else ""))


@app.command()
def keep(
    number: RunArgument,
    word: Annotated[str, typer.Option("--word", help="Why, for your colleagues.")] = "",
    data: DataOption = None,
) -> None:
    """Withdraw nothing of what a run held; the next run that misses it asks again."""
    with opened(data) as node:
        one = node.harvesting.office.keep(number, by=COMMAND_LINE, word=word)
        say.line(f"The records of {one.source} that run {number} held stay published")
