"""What the desk and the staff's API need of sources and runs, and of the look at what waits for a person.

The part of `ports` that belongs to `web.desk.sources`, `runs` and `today`. All methods block: for milliseconds, those
that decide on withdrawals for seconds; so they are called beside the event loop.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from node.catalog.run_report import Likely, Owner
from node.catalog.runs import Run, RunRow
from node.catalog.source_office import Standing, Usual, Wanted
from node.catalog.story import Difference
from node.catalog.today import Day


class SourceOffice(Protocol):
    """The desk of sources and runs."""

    @property
    def usual(self) -> Usual:
        """Give what holds for a source where nobody says another."""

    def kinds(self) -> Mapping[str, str]:
        """Give the kinds of sources and what each is called."""

    def list(self) -> Sequence[Standing]:
        """Give every source in order of name."""

    def show(self, name: str) -> Standing:
        """Give one source."""

    def runs(self, source: str = "", *, limit: int = 50) -> Sequence[Run]:
        """Give the newest runs, newest first."""

    def run(self, number: int) -> Run:
        """Give one run."""

    def add(self, name: str, wanted: Wanted, *, paused: bool = False) -> Standing:
        """Add a source that has a web address."""

    def edit(self, name: str, wanted: Wanted, *, mark: str = "") -> Standing:
        """Change a source; `mark` names the settings that were shown."""

    def pause(self, name: str) -> Standing:
        """Leave a source out of the timetable."""

    def resume(self, name: str) -> Standing:
        """Let the timetable read a source again."""

    def forget(self, name: str) -> None:
        """Forget a source; what it published stays."""

    def start(self, name: str, *, by: str, dry: bool = False, full: bool = False) -> Run:
        """Ask for a run."""

    def give_up(self, name: str, *, by: str) -> Run:
        """Ask for all records of a source to be withdrawn and the source to be forgotten."""

    def stop(self, number: int) -> Run:
        """Ask a run to stop."""

    def approve(self, number: int, keys: Collection[str] | None = None, *, by: str, word: str = "") -> Run:
        """Withdraw what a run held, all or what is chosen."""

    def keep(self, number: int, *, by: str, word: str = "") -> Run:
        """Withdraw nothing of what a run held."""


class RunReports(Protocol):
    """What runs did, for the staff."""

    def rows(self, run: Run, change: str, *, offset: int = 0, limit: int = ..., language: str = "") -> Sequence[RunRow]:
        """Give what a run did of one kind, records in a language if they have it."""

    def everything(self, run: Run) -> Sequence[RunRow]:
        """Give all of it."""

    def samples(self, run: Run) -> Sequence[RunRow]:
        """Give the first records of a dry run as they would be."""

    def findings(self, run: Run) -> Sequence[tuple[str, int]]:
        """Give what a dry run found in most records, and in how many."""

    def differences(self, run: Run, *, offset: int = 0, limit: int = 50, language: str = "") -> Sequence[Difference]:
        """Give records that a run changed, line by line."""

    def likely(self, held: Sequence[RunRow]) -> Likely | None:
        """Name the one publisher to whom most of what is held belongs."""

    def owners(self, run: Run) -> Sequence[Owner]:
        """Give who has to mend what of the refused records."""


class Harvesting(Protocol):
    """Sources and runs."""

    @property
    def office(self) -> SourceOffice:
        """Give the desk."""

    @property
    def reports(self) -> RunReports:
        """Give what runs did."""


class Today(Protocol):
    """What waits for a person."""

    def look(self) -> Day:
        """Look at everything."""
