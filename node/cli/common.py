"""What the commands share: the options every one takes, the settings of this call, the opened node, the clock.

The one place of the command line that opens a node, so that it is always closed again; and the edge where the wall
clock is read. Heavy parts are imported inside, since `citynode version` should not wait for an RDF library.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.acts import noted
from node.errors import Misconfigured
from node.settings import Settings, load

if TYPE_CHECKING:
    from node.assembly import Node

DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Data folder of the node (or CITYNODE_DATA).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def now_ms() -> int:
    """Give the wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def settings_of(data: Path | None, **overrides: object) -> Settings:
    """Load the settings of this call; `overrides` are the command line's own options.

    Raises:
        Misconfigured: A key or a value is wrong, or there is no node in the data folder.
    """
    settings = load(data=data, overrides=overrides)
    if not settings.file.is_file():
        raise Misconfigured(
            f"There is no node in {settings.data}.",
            fix="Make one: citynode init --name NAME --base-url URL, or name its folder with --data DIR.",
        )
    return settings


@contextmanager
def opened(data: Path | None) -> Iterator["Node"]:
    """Open the node for one command and close it afterwards; what the command does stands in the audit trail.

    Raises:
        Misconfigured: The tables are those of another program.
    """
    from node.assembly import build

    node = build(settings_of(data))
    try:
        node.db.check_revision()
        with noted(node.staff.trail):
            yield node
    finally:
        node.close()
