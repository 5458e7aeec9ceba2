"""What the web needs of looks inside files: what is known of a dataset's files, and the bytes that pages show.

Protocols and not classes, as in `ports`. Only open collections are told of; whether this caller sees a collection is
asked of the reading, as everywhere.
"""

from collections.abc import Sequence
from typing import Protocol


class Look(Protocol):
    """What is known of one file of a dataset."""

    @property
    def url(self) -> str:
        """Give the file's address."""

    @property
    def state(self) -> str:
        """Give new, seen, failed or refused."""

    @property
    def why(self) -> str | None:
        """Name why nothing can be shown, if it was refused and is known."""

    @property
    def file(self) -> str:
        """Give the name under which what was made of it is kept, or nothing."""

    @property
    def facts(self) -> str:
        """Give what was seen as JSON, or nothing."""

    @property
    def checked_ms(self) -> int:
        """Give when it was last looked at."""


class Looks(Protocol):
    """Reads what is known."""

    def of(self, collection: str, iri: str) -> Sequence[Look]:
        """Give what is known of a dataset's files, by address."""

    def at(self, url: str) -> Sequence[Look]:
        """Give what is known of the file at an address, whichever dataset names it."""

    def shown_of(self, file: str) -> Sequence[str]:
        """Name the open collections in which something is kept under that name."""


class Folder(Protocol):
    """Reads what was made; blocks."""

    def read(self, name: str, ending: str) -> bytes | None:
        """Give a file; None where there is none."""


class Previews(Protocol):
    """Looks inside files."""

    @property
    def looks(self) -> Looks:
        """Give what is known."""

    @property
    def folder(self) -> Folder:
        """Give what was made."""
