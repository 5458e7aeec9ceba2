"""Knowledge, put together: authoring, relations between records, submissions, and city models read from their files.

Only wiring: each part gets what it needs and knows none of the others beyond that.
"""

from dataclasses import dataclass

from node.catalog.shelf import Shelf
from node.db import Database
from node.journal.journal import Journals
from node.settings import Settings


@dataclass(slots=True)
class Knowledge:
    """Everything on practices, AI systems, models, challenges and reuses that commands, jobs and the web use."""


def build(settings: Settings, *, db: Database, journals: Journals, shelf: Shelf) -> Knowledge:  # noqa: ARG001
    """Put knowledge together; opens nothing by itself."""
    return Knowledge()
