"""Commands on what finding reads from the shelf: the search index, the triple stores, quality, vocabularies, sets.

All of it can be thrown away. `status` says how far each has read, `rebuild` makes it anew while what there is goes on
answering; the worker does by itself whatever is needed in daily life. Both work with and without a running node: where
two would write at once, the second waits or is told so.
"""

import threading
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.errors import NotFound

if TYPE_CHECKING:
    from node.assembly import Node
    from node.catalog.readings import Reading, ReadingStatus

app = typer.Typer(help="The search index and other readings: status, rebuild.", no_args_is_help=True)


@app.command()
def status(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Say how far each reading has come, how much it holds, and whether it is level with the journals."""
    with opened(data) as node:
        found = [reading.status() for reading in _readings(node, None)]
    if as_json:
        say.document([_told(one) for one in found])
        return
    heads = ("reading", "state", "read", "of", "records", "MiB", "")
    say.table(heads, [_row(one) for one in found])


@app.command()
def rebuild(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One reading, such as search; all of them if left out.")
    ] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Make a reading anew from the shelf; what there is goes on answering until the new one is whole."""
    found: list[dict[str, Any]] = []
    with opened(data) as node:
        for reading in _readings(node, name):
            started = time.monotonic()
            count = reading.rebuild(threading.Event())
            took_ms = int((time.monotonic() - started) * 1000)
            found.append({"name": reading.name, "records": count, "took_ms": took_ms})
            if not as_json:
                say.line(f"{reading.name}: {count} records read in {say.duration(took_ms)}")
    if as_json:
        say.document(found)


def _readings(node: "Node", name: str | None) -> list["Reading"]:
    known: list[Reading] = [*node.finding.readings, *node.finding.apart]
    found = [reading for reading in known if name in (None, reading.name)]
    if not found:
        names = ", ".join(reading.name for reading in known)
        raise NotFound(f"There is no reading {name!r}.", fix=f"There are: {names}.")
    return found


def _told(one: "ReadingStatus") -> dict[str, object]:
    return {
        "name": one.name,
        "state": one.state,
        "position": one.position,
        "newest": one.newest,
        "records": one.records,
        "bytes": one.size,
        "detail": one.detail,
    }


def _row(one: "ReadingStatus") -> tuple[object, ...]:
    size = f"{one.size / (1 << 20):.1f}" if one.size else "-"
    return one.name, one.state, one.position, one.newest, one.records, size, one.detail
