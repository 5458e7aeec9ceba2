"""`citynode data withdrawals`: residents of other cities who took consent back, in data that this city holds.

A withdrawal names nobody: `match` looks a file of ours through and says which rows are meant. That the duty is known
and that the rows are gone is told to the city that gave the data, by a person.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.acts import user
from node.cli.asking import confirm
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from node.federation.moved import WithdrawalTold

app = typer.Typer(help="Withdrawals of consent: told and heard, to acknowledge and erase.", no_args_is_help=True)

_NONE = "No withdrawal waits; those that are erased: --ended."
_NONE_ENDED = "No withdrawal is erased yet."

IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]…", help="Withdrawals, or the beginnings of their ids.")
]
AllOption = Annotated[bool, typer.Option("--all", help="All that wait for it.")]


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="What is erased, instead.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List withdrawals that cities told us of (in) and that we told (out), the oldest first."""
    with opened(data) as node:
        found = list(node.federation.moving.consenting.office.each_withdrawal(ended=ended))
    if as_json:
        say.document({"withdrawals": found})
        return
    heads = ("id", "way", "city", "dataset", "purpose", "withdrawn", "state")
    say.table(heads, [_row(each) for each in found], none=_NONE_ENDED if ended else _NONE)


@app.command()
def match(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON lines or Parquet of this city's.")],
    column: Annotated[str, typer.Option("--column", metavar="COLUMN", help="Whom a row is about.")],
    agreement: Annotated[str, typer.Option("--agreement", metavar="IRI", help="Under this agreement alone.")] = "",
    dataset: Annotated[str, typer.Option("--dataset", metavar="IRI", help="Of this dataset alone.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say which rows of a file are about somebody who withdrew; rows are counted from 1, without the head."""
    from node.federation.consent.acknowledgements import MAX_MATCHES

    with opened(data) as node:
        office = node.federation.moving.consenting.office
        found = office.match(file, column, agreement=agreement, dataset=dataset)
    if as_json:
        say.document({"matches": found})
        return
    say.table(("row", "key", "withdrawal"), [(each.row, each.key, each.withdrawal[:20]) for each in found])
    rows = len({each.row for each in found})
    more = " and perhaps more: look again once these are gone" if len(found) >= MAX_MATCHES else ""
    say.note(f"{rows} rows must be erased{more}." if found else "No row of it is about somebody who withdrew.")


@app.command()
def acknowledge(
    names: IdsArgument = None, all_: AllOption = False, as_json: JsonOption = False, data: DataOption = None
) -> None:
    """Tell the cities that this one knows that it must erase."""
    with opened(data) as node:
        office = node.federation.moving.consenting.office
        done = _done(office.acknowledge, _named(names, all_=all_))
        node.federation.moving.consenting.withdrawals.round(now_ms())
    _answered(done, "acknowledged", as_json=as_json)


@app.command()
def erased(
    names: IdsArgument = None,
    all_: AllOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --all.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Tell the cities that the rows are erased everywhere in this one, copies and backups included.

    What was not acknowledged before is acknowledged by it.
    """
    with opened(data) as node:
        office = node.federation.moving.consenting.office
        # What is heard while somebody reads the question is not among what they say yes to.
        until_ms = now_ms()
        count = sum(each.count for each in office.waiting(0) if each.direction == "in") if all_ else 0
        if count:
            confirm(f"Are the rows of all {count} withdrawals erased, copies and backups included?", yes=yes)
        done = _done(partial(office.erased, until_ms=until_ms), _named(names, all_=all_))
        node.federation.moving.consenting.withdrawals.round(now_ms())
    _answered(done, "erased", as_json=as_json)


def _named(names: list[str] | None, *, all_: bool) -> list[str]:
    if bool(names) == all_:
        raise typer.BadParameter("Name withdrawals, or say --all.")
    return names or []


def _done(answer: "Callable[..., Sequence[WithdrawalTold]]", names: list[str]) -> "Sequence[WithdrawalTold]":
    """Answer; that nothing waits is no fault where all were meant."""
    try:
        return answer(*names, by=user())
    except Conflict:
        if names:
            raise
        return ()


def _row(each: "WithdrawalTold") -> tuple[str, ...]:
    purpose = each.purpose.rpartition("#")[2] or "any"
    when = say.moment(each.withdrawn_ms)
    return (each.name[:20], each.direction, each.peer, each.dataset, purpose, when, _state(each))


def _state(each: "WithdrawalTold") -> str:
    return "erased" if each.erased_ms else "acknowledged" if each.acknowledged_ms else "waiting"


def _answered(done: "Sequence[WithdrawalTold]", state: str, *, as_json: bool) -> None:
    if as_json:
        say.document({"withdrawals": done})
    elif not done:
        say.line("Nothing waited for that: no city is told anything new.")
    else:
        say.line(f"1 withdrawal {state}." if len(done) == 1 else f"{len(done)} withdrawals {state}.")
