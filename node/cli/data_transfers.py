"""Commands on transfers: what moves between this city and others, and the three things a person may do about it.

What is said here holds at once, whether or not the other city can be reached: the door hands out nothing of a transfer
that we suspended or ended, and the worker tells the other city as soon as it can.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from node.cli import say
from node.cli.acts import user
from node.cli.asking import YesOption, confirm
from node.cli.common import DataOption, JsonOption, opened

if TYPE_CHECKING:
    from node.federation.data_desk import DataDesk
    from node.federation.moved import TransferTold

app = typer.Typer(help="Transfers: what moves between this city and others.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="TRANSFER", help="Its id here, or the beginning of it.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; told to the other city.")]


@contextmanager
def _desk(data: Path | None, name: str = "") -> Iterator[tuple["DataDesk", str]]:
    """Open the desk of data, and find a transfer by the beginning of its id."""
    from node.assembly import data_desk

    with opened(data) as node:
        moving = node.federation.moving
        yield data_desk.build(moving), moving.transfers.found(name).pid if name else ""


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="Also those that are over.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what moves between this city and others, the newest first."""
    with _desk(data) as (desk, _):
        found = desk.transfers(ended=ended)
    if as_json:
        say.document({"transfers": found})
        return
    say.table(
        ("transfer", "as", "with", "state", "dataset", "part", "since"),
        [
            (each.pid, each.role, each.peer, _state(each), each.dataset, each.part, say.moment(each.requested_ms))
            for each in found
        ],
        none="Nothing ever moved." if ended else "Nothing moves now; what is over: --ended.",
    )


@app.command()
def show(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Tell how a transfer stands, what the two cities said, and what was streamed."""
    with _desk(data, name) as (desk, pid):
        found = desk.transfer(pid)
    if as_json:
        say.document(found)
        return
    facts = {
        "transfer": found.pid,
        "with": f"{found.peer} (we are the {found.role})",
        "their id": found.other_pid,
        "state": _state(found),
        "why": " ".join(found.reasons),
        "format": found.format,
        "agreement": found.agreement,
        "clause": found.clause,
        "purpose": found.purpose,
        "dataset": found.dataset,
        "part": found.part or "all parts",
        "by": found.by,
    }
    say.lines(f"{head:<10} {value}" for head, value in facts.items() if value)
    say.lines(f"{say.moment(each.at_ms)}  {_ARROWS[each.direction]} {each.name}" for each in found.history)
    say.lines(
        f"{say.moment(each.begun_ms)}  {each.part}: {each.sent} bytes from {each.begins}, {each.how or 'running'}"
        for each in found.streams
    )


@app.command()
def suspend(name: NameArgument, reason: ReasonOption = "", data: DataOption = None) -> None:
    """Let a transfer stand still; what streams now is cut within a second."""
    _act("suspend", name, reason, data)


@app.command()
def resume(name: NameArgument, data: DataOption = None) -> None:
    """Start a suspended transfer again, if its agreement permits it."""
    _act("resume", name, "", data)


@app.command()
def terminate(name: NameArgument, reason: ReasonOption = "", yes: YesOption = False, data: DataOption = None) -> None:
    """Ask, and end a transfer for good; what streams now is cut within a second."""
    _act("terminate", name, reason, data, ask="End the transfer {} for good?", yes=yes)


_ARROWS = {"in": "<-", "out": "->"}
_DONE = {"suspend": "Suspended", "resume": "Resumed", "terminate": "Ended"}


def _act(
    act: Literal["suspend", "resume", "terminate"],
    name: str,
    reason: str,
    data: Path | None,
    *,
    ask: str = "",
    yes: bool = False,
) -> None:
    with _desk(data, name) as (desk, pid):
        if ask:
            confirm(ask.format(pid), yes=yes)
        desk.act(act, pid, reason=reason, by=user())
        found = desk.transfer(pid)
    say.line(f"{_DONE[act]} {pid}; the worker tells {found.peer}.")


def _state(each: "TransferTold") -> str:
    shown = each.state.lower() or "on its way"
    by = {"us": "by us", "them": "by them", "agreement": "with its agreement"}.get(each.paused_by, "")
    return f"{shown} {by}" if by and each.state == "SUSPENDED" else shown
