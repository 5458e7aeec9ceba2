"""Commands on data of other cities: get them, see how far they are, go on, ask for access.

`get` works in the process of the command and may be run again as often as one likes: it goes on where it stopped. What
is handed over to the worker goes on by itself. Progress goes to standard error, the result to standard output.
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.cli.plain_files import check_replaceable
from node.errors import Stopped

if TYPE_CHECKING:
    from node.assembly import Node
    from node.federation.pulls.office import PullOffice
    from node.federation.pulls.ports import Tell
    from node.federation.pulls.store import Pull

app = typer.Typer(help="Data that this city gets from others.", no_args_is_help=True)

WAITS = 3
INTERRUPTED = 130
DatasetArgument = Annotated[
    str, typer.Argument(metavar="DATASET", help="Its IRI, the name that ends its address, or its title.")
]
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the pull (citynode data pulls list).")]
PurposeOption = Annotated[
    str, typer.Option("--purpose", metavar="PURPOSE", help="What for, such as AcademicResearch; see the agreement.")
]
PeerOption = Annotated[str, typer.Option("--peer", metavar="PEER", help="Of this city, by its name here.")]


def get(
    dataset: DatasetArgument,
    purpose: PurposeOption = "",
    part: Annotated[str, typer.Option("--part", metavar="NAME", help="One part of it; all if left out.")] = "",
    peer: PeerOption = "",
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="FILE|FOLDER/|s3://…", help="Where it goes; here if left out. A FILE is replaced."
        ),
    ] = "",
    agreement: Annotated[
        str,
        typer.Option(
            "--agreement", metavar="IRI", help="Under this one alone; else under the newest that is not refused."
        ),
    ] = "",
    push: Annotated[bool, typer.Option("--push", help="Let the other city bring it to our node.")] = False,
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Ask for an agreement where there is none for the purpose.")
    ] = True,
    wait: Annotated[
        int, typer.Option("--wait", metavar="SECONDS", min=0, max=86_400, help="Wait for the other city so long.")
    ] = 60,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Get data of another city under an agreement. Interrupted, the same command goes on where it stopped."""
    from node.federation.moving import PULL, PUSH
    from node.federation.pulls.files import is_remote
    from node.federation.pulls.store import COMMAND_LINE, Wanted

    target = to or f"{Path.cwd()}/"
    if not (is_remote(target) or target.endswith("/") or Path(target).is_dir()):
        check_replaceable(Path(target))
    way = PUSH if push else PULL
    wanted = Wanted(dataset, purpose, part, peer, target, way, by=COMMAND_LINE, ask=ask, agreement=agreement)
    with opened(data) as node, _interruptible() as stop, _progress(quiet=as_json) as tell:
        try:
            pull = _office(node).fetch(wanted, stop=stop, tell=tell, wait_s=wait)
        except Stopped as error:
            say.note(f"{error.message} What came stays: the same command goes on.")
            raise typer.Exit(INTERRUPTED) from error
    _print(pull, as_json=as_json)
    if pull.state != "done":
        raise typer.Exit(WAITS)


def request(
    dataset: DatasetArgument,
    purpose: PurposeOption = "",
    message: Annotated[str, typer.Option("--message", metavar="TEXT", help="What the other city should know.")] = "",
    peer: PeerOption = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Ask a city for access to a dataset for a purpose; nothing is agreed before persons of both approve its terms."""
    from node.federation.pulls.store import COMMAND_LINE, Wanted

    with opened(data) as node:
        talk = _office(node).request(Wanted(dataset, purpose, peer=peer, by=COMMAND_LINE), message)
    if as_json:
        say.document({"negotiation": talk})
        return
    say.line(f"Asked: negotiation {talk}")
    say.line(f"How it stands: citynode agreements show {talk[:8]}")


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="Also those that are over.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what this city gets from others, the newest first; what is over only with --ended."""
    from node.federation.pulls.office import shown

    with opened(data) as node:
        found = _office(node).list(ended=ended)
    if as_json:
        say.document([shown(each) for each in found])
        return
    say.table(
        ("pull", "state", "from", "here", "of", "dataset", "why"),
        [
            (each.id, each.state, each.peer, _here(each), _size(each.total), each.dataset, say.short(each.said))
            for each in found
        ],
        none="Nothing was ever got from others." if ended else "Nothing is under way; what is over: --ended.",
    )


@app.command()
def show(number: NumberArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show one pull: its agreement and transfer, its parts, and why it stands where it stands."""
    with opened(data) as node:
        _print(_office(node).show(number), as_json=as_json)


@app.command()
def resume(number: NumberArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Hand a pull over to the worker, which goes on with it; a failed one begins with a new transfer."""
    with opened(data) as node:
        _print(_office(node).resume(number), as_json=as_json)


@app.command()
def cancel(number: NumberArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """End a pull and its transfer; what is not whole of it is removed."""
    with opened(data) as node:
        _print(_office(node).cancel(number), as_json=as_json)


def _office(node: "Node") -> "PullOffice":
    return node.federation.moving.pulling.office


def _print(pull: "Pull", *, as_json: bool) -> None:
    from node.federation.pulls.office import shown

    if as_json:
        say.document(shown(pull))
        return
    say.line(f"Pull {pull.id} is {pull.state}" + (f": {pull.said}" if pull.said else ""))
    say.line(f"  {pull.dataset} of {pull.peer}, to {pull.target}")
    for name, each in sorted(pull.parts.items()):
        here = f"{_size(each.got)} {each.digest}" if each.is_whole else f"{_size(each.got)} of {_size(each.size)}"
        say.line(f"  {name}: {here}" + (", rows were left out" if each.filtered else ""))
    if pull.transfer:
        say.line(f"  Transfer {pull.transfer} under {pull.agreement}")
    if pull.state == "stopped":
        say.line(f"  To go on: the same command again, or the worker: citynode data pulls resume {pull.id}")
    if pull.state == "done":
        say.line(f"  What both cities signed: citynode evidence export --transfer {pull.transfer}")


def _here(pull: "Pull") -> str:
    """Say how much is here: of what failed or was cancelled nothing, since what is not whole was removed."""
    return "-" if pull.state in ("failed", "cancelled") else _size(pull.got)


def _size(count: int) -> str:
    """Write an amount of bytes for people; a dash where it is not known."""
    if count < 0:
        return "-"
    amount, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1_000 or unit == "TB":
            break
        amount /= 1_000
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C sets, so that what came is safe before the command ends; a second one ends it."""
    stop = threading.Event()

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (as signals call it)
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = [(each, signal.signal(each, hear)) for each in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Tell]":
    if quiet:
        yield lambda got, total, doing: None  # noqa: ARG005
    elif sys.stderr.isatty():
        with _bar() as hear:
            yield hear
    else:
        yield _Lines().hear


@contextmanager
def _bar() -> "Iterator[Tell]":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("asking", total=None)

        def hear(got: int, total: int, doing: str) -> None:
            progress.update(task, description=say.short(doing), completed=got, total=total or None)

        yield hear


class _Lines:
    """One line when something new is done, and one every ten seconds while it lasts; a sentence is said once."""

    def __init__(self, *, every_s: float = 10.0) -> None:
        self._every_s = every_s
        self._doing = ""
        self._said_at = 0.0
        self._said: set[str] = set()

    def hear(self, got: int, total: int, doing: str) -> None:
        """Say it, if it is news."""
        now = time.monotonic()
        if doing in self._said or (doing == self._doing and now - self._said_at < self._every_s):
            return
        self._doing, self._said_at = doing, now
        if doing.endswith("."):
            self._said.add(doing)
            say.note(doing)
            return
        count = f": {_size(got)} of {_size(total)}" if total else f": {_size(got)}" if got else ""
        say.note(f"{doing}{count}")
