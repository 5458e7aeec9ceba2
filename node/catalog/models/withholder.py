"""Takes back what was read of models whose datasets are marked as about residents, and lets nobody read them again.

The mark is set where data lie, not in a record, and may come after a model was read: then its record is withdrawn, and
what was read of it is forgotten. So it is with a file that a marked dataset names as well as others, and with a record
that a person made of a file. Where the mark is taken away the files are read anew. Writes through `inspections` and the
office; reads nobody's files.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Collection

from node.catalog.author.office import Authoring
from node.catalog.models import inspections
from node.catalog.models.inspections import Inspections
from node.catalog.models.marked_files import MarkedFiles
from node.catalog.relations import Relations
from node.catalog.shelf import Shelf
from node.db import Database
from node.errors import Conflict, Refused

KIND = "city-model"
_logger = logging.getLogger("citynode.models")


class Withholder:
    """Keeps to the marks. Safe to share by threads."""

    def __init__(
        self,
        db: Database,
        shelf: Shelf,
        authoring: Authoring,
        *,
        residents: Callable[[], Collection[str]],
        clock_ms: Callable[[], int],
    ) -> None:
        """Look at nothing yet; `residents` names the datasets that are marked, and is asked each time."""
        self._db, self._shelf, self._authoring = db, shelf, authoring
        self._residents, self._files, self._clock_ms = residents, MarkedFiles(db, shelf, residents), clock_ms
        self._inspections, self._relations = Inspections(db.hot()), Relations(shelf)
        self._version: int | None = None

    def round(self, stop: threading.Event) -> int:  # noqa: ARG002 (it is done at once)
        """Do what the marks ask for, if anything was written since the last time; give how many files that is."""
        version = self._db.data_version()
        if version == self._version:
            return 0
        residents = frozenset(self._residents())
        done = self._withhold(residents)
        self._version = version
        return done

    def is_shut(self, dataset: str, url: str) -> bool:
        """Tell whether a dataset is marked, or a marked one names the file at an address."""
        return dataset in self._residents() or url in self._files()

    def check(self, dataset: str, url: str, collection: str) -> None:
        """Refuse to publish what is read of a file by hand, unless it goes where not everybody reads.

        Raises:
            Conflict: The dataset is marked, or a marked one names the file.
        """
        shut = self.is_shut(dataset, url)
        if shut and collection not in {each.name for each in self._shelf.collections() if each.visibility != "public"}:
            raise Conflict(
                "The dataset is marked as about residents: what its files say is not published.",
                fix="If that is wrong: citynode data origins set … --not-personal",
            )

    def _withhold(self, residents: Collection[str]) -> int:
        shut, free = self._inspections.astray(residents, self._files())
        by_hand = self._by_hand(residents)
        for slug in sorted({each.slug for each in shut} | by_hand):
            # Not there: it never came so far, or a person was first.
            with contextlib.suppress(Refused):
                self._authoring.withdraw(KIND, slug)
                _logger.warning("%s is withdrawn: its dataset is marked as about residents", slug)
        if shut or free:
            with self._db.write() as tx:
                inspections.shut(tx, shut)
                inspections.release(tx, free, now_ms=self._clock_ms())
        return len(shut) + len(free) + len(by_hand)

    def _by_hand(self, residents: Collection[str]) -> frozenset[str]:
        """Name the records of models in open collections of ours that are about marked datasets."""
        is_open = [
            each.name for each in self._shelf.collections() if each.visibility == "public" and "/" not in each.name
        ]
        found = self._relations.into(sorted(residents), is_open)
        models = (each.iri for each in found if (each.kind, each.name) == (KIND, "about"))
        return frozenset(iri.rpartition("/")[2] for iri in models)
