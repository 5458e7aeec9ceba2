"""What the web needs for readers: the ledger of problem reports, the counts of use, the numbers made of them.

Protocols and not classes, as in `ports`. All of them block but `Usage.count`, which is one addition in memory; the
others are called beside the event loop.
"""

from collections.abc import Sequence
from typing import Protocol

from node.catalog.numbers import Told
from node.catalog.problem_reports import About, Bounds, Words
from node.catalog.problem_store import Report
from node.catalog.search.query import Sight
from node.catalog.usage import What


class Reports(Protocol):
    """What readers say is wrong with records."""

    @property
    def bounds(self) -> Bounds:
        """Say how much is taken."""

    def report(self, about: About, words: Words, *, caller: str, key: str = "") -> str:
        """Take a report of a reader; give its id, which is the same for a form that is sent again."""

    def new_key(self) -> str:
        """Give the key of a new form."""

    def standing(self, name: str) -> Report:
        """Tell everybody how a report stands."""

    def hear(self, peer: str, theirs: str, about: About, words: Words) -> str:
        """Take a report that another city passes on."""

    def hear_standing(self, peer: str, name: str, *, state: str, reason: str, theirs: str) -> None:
        """Take how a report stands that we told a city of."""

    def waiting(self) -> int:
        """Count what is this city's to settle."""

    def list(self, *, settled: bool = False, limit: int = 100) -> Sequence[Report]:
        """List what is open, or what is settled."""

    def show(self, name: str) -> Report:
        """Show one."""

    def sort(self, name: str, kind: str) -> Report:
        """Say what sort of problem one is."""

    def answer(self, name: str, text: str, *, mark: str = "") -> Report:
        """Say that somebody looks at it."""

    def close(self, name: str, outcome: str, reason: str, *, publish: bool = False, mark: str = "") -> Report:
        """Settle one."""


class Usage(Protocol):
    """How often something is used, without any of its users."""

    def count(self, what: What, about: str) -> None:
        """Count one use."""


class Numbers(Protocol):
    """The numbers of this catalogue."""

    def now(self, sight: Sight = ..., *, language: str = ..., with_exchange: bool = False) -> Told:
        """Give them as a sight shows them."""


class Readers(Protocol):
    """Everything on what readers do."""

    @property
    def reports(self) -> Reports:
        """Give the ledger of reports."""

    @property
    def usage(self) -> Usage:
        """Give what counts."""

    @property
    def numbers(self) -> Numbers:
        """Give the numbers."""
