"""`citynode data withdrawals`: residents of other cities who took consent back, in data that this city holds.

A withdrawal names nobody: `match` looks a file of ours through and says which rows are meant. That the duty is known
and that the rows are gone is told to the city that gave the data, by a person.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from node.cli import say
from node.cli.acts import user
from node.cli.asking import confirm
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Conflict, NodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from node.federation.consent.acknowledgements import Match
    from node.federation.moved import WithdrawalTold

app = typer.Typer(help="Withdrawals of consent: told and heard, to acknowledge and erase.", no_args_is_help=True)

_NONE = "No withdrawal waits; those that are erased: --ended."
_NONE_ENDED = "No withdrawal is erased yet."
_NONE_UNTOLD = "The other cities have taken every answer."

IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]…", help="Withdrawals, or the beginnings of their ids.")
]
AllOption = Annotated[bool, typer.Option("--all", help="All that wait for it.")]


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="What is erased, instead.")] = False,
    untold: Annotated[
        bool, typer.Option("--untold", help="What we answered and the other city has not taken, instead.")
    ] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List withdrawals that cities told us of (in) and that we told (out), the oldest first."""
    with opened(data) as node:
        stage: Literal["untold", "erased", "open"] = "untold" if untold else "erased" if ended else "open"
        found = list(node.federation.moving.consenting.office.each_withdrawal(stage))
    if as_json:
        say.document({"withdrawals": found})
        return
    heads = ("id", "way", "city", "dataset", "purpose", "withdrawn", "state")
    none = _NONE_UNTOLD if untold else _NONE_ENDED if ended else _NONE
    say.table(heads, [_row(each) for each in found], none=none)


@app.command()
def match(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON lines or Parquet of this city's.")],
    column: Annotated[str, typer.Option("--column", metavar="COLUMN", help="Whom a row is about.")],
    agreement: Annotated[str, typer.Option("--agreement", metavar="IRI", help="Under this agreement alone.")] = "",
    dataset: Annotated[str, typer.Option("--dataset", metavar="IRI", help="Of this dataset alone.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say which rows of a file are about somebody who withdrew; rows are counted from 1, without the head.

    However many they are: they are printed while the file is read.
    """
    seen = _Seen()
    try:
        with opened(data) as node:
            found = node.federation.moving.consenting.office.match(file, column, agreement=agreement, dataset=dataset)
            if as_json:
                say.listing("matches", seen.of(found))
                return
            shown = ((each.row, each.key, each.withdrawal[:20]) for each in seen.of(found))
            say.rows(("row", "key", "withdrawal"), shown)
    except NodeError:
        if seen.rows:
            say.note(f"{seen.rows} rows were found before this: what is printed is not all.")
        raise
    say.note(f"{seen.rows} rows must be erased." if seen.rows else "No row of it is about somebody who withdrew.")


class _Seen:
    """Counts rows as they pass; a row that several withdrawals mean comes several times, one after the other."""

    def __init__(self) -> None:
        self.rows, self._last = 0, 0

    def of(self, found: "Iterable[Match]") -> "Iterator[Match]":
        """Let them pass."""
        for each in found:
            self.rows += each.row != self._last
            self._last = each.row
            yield each


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


@app.command()
def resend(
    names: IdsArgument = None, all_: AllOption = False, as_json: JsonOption = False, data: DataOption = None
) -> None:
    """Send our answers again that the other cities have not taken; the worker does so once a day by itself."""
    with opened(data) as node:
        office = node.federation.moving.consenting.office
        done = office.resend(*_named(names, all_=all_))
        node.federation.moving.consenting.withdrawals.round(now_ms())
        untold = {each.name for each in office.each_withdrawal("untold")}
    if as_json:
        say.document({"withdrawals": done, "untold": len(untold)})
        return
    say.line("1 answer sent again." if len(done) == 1 else f"{len(done)} answers sent again.")
    if untold:
        say.note(f"{len(untold)} are not taken by the other city yet: what waits is tried again by itself.")


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
    state = "erased" if each.erased_ms else "acknowledged" if each.acknowledged_ms else "waiting"
    return f"{state}, not taken yet" if each.is_untold else state


def _answered(done: "Sequence[WithdrawalTold]", state: str, *, as_json: bool) -> None:
    if as_json:
        say.document({"withdrawals": done})
    elif not done:
        say.line("Nothing waited for that: no city is told anything new.")
    else:
        say.line(f"1 withdrawal {state}." if len(done) == 1 else f"{len(done)} withdrawals {state}.")
