"""Finding, put together: what `node.assembly.build` adds to a node so that its records can be searched and queried.

Only wiring: each part gets what it needs and knows none of the others beyond that. `readings` are what the worker keeps
level, in this order: quality before search, because the index knows the points.
"""

from dataclasses import dataclass, field

from node.catalog.readings import Reading
from node.catalog.shelf import Shelf
from node.catalog.touched import Touched
from node.db import Database
from node.journal.journal import Journals
from node.outbound import Outbound
from node.settings import Settings


@dataclass(slots=True)
class Finding:
    """Everything by which records are found that commands, jobs and the web use."""

    touched: Touched
    readings: tuple[Reading, ...] = field(default=())  # one after the other, in this order
    apart: tuple[Reading, ...] = field(default=())  # each in a thread of its own

    def close(self) -> None:
        """Give back files and connections."""


def build(
    settings: Settings,  # noqa: ARG001
    *,
    db: Database,  # noqa: ARG001
    journals: Journals,  # noqa: ARG001
    shelf: Shelf,
    outbound: Outbound,  # noqa: ARG001
) -> Finding:
    """Put finding together; opens nothing by itself."""
    return Finding(touched=Touched(shelf))
