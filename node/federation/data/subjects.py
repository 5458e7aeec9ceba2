"""Whether data about residents name whom a row is about: what was said of a dataset, held against its parts.

A column that is spelt otherwise than in the files would be found at the door alone, by another city that can do nothing
about it. So it is looked for when somebody names it, and again by the worker as files come and change. How rows are
read is consent's business; it is handed in.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from node.errors import Malformed, NodeError
from node.federation.data.places import Bytes, Place, Registered, is_once
from node.federation.moving import Part, Personal

MAX_LOOKED = 20  # parts of one origin, while somebody waits
_MAX_KNOWN = 20_000
_MAX_NAMES, _MAX_NAME = 30, 60


class Columns(Protocol):
    """Reads the beginning of a part."""

    def __call__(self, part: Part, opens: Callable[[int], Bytes], column: str, /) -> Sequence[str]:
        """Name its columns, of which one should be this; none where it has no rows. Raises Unavailable."""


class Subjects:
    """Looks. Safe to share by threads."""

    def __init__(self, places: Mapping[str, Place], columns: Columns, source: Callable[[str], object]) -> None:
        """Take the places, what reads a head, and what raises NotFound for a consent source that is not there."""
        self._places, self._columns, self._source = places, columns, source
        self._known: dict[tuple[str, str, str, str], bool] = {}

    def check(self, origins: Sequence[Registered], said: Personal) -> None:
        """Refuse what could be true of no part of a dataset, as far as its parts can be read now.

        Raises:
            NotFound: There is no such consent source.
            Malformed: Its parts have rows, and none of them has such a column, or a head that can be read.
        """
        if said.consent:
            self._source(said.consent)
        first: tuple[str, Sequence[str]] | None = None
        refused: Malformed | None = None
        for origin, part in self._parts(origins) if said.column else ():
            try:
                found = self._columns(part, self._opens(origin, part), said.column)
            except Malformed as error:
                refused = refused or error
                continue
            except NodeError:
                continue  # what cannot be read now is told of by whoever reads it
            if found.count(said.column) == 1:
                return
            first = first or ((part.name, found) if found else None)
        if first:
            raise Malformed(
                f"{first[0]} has no column {said.column[:80]}, or has it twice; it has: {_shown(first[1])}.",
                fix="Name the column that says whom a row is about: --subject-column",
            ).on_page("no.origin.column", field="column", part=first[0], columns=_shown(first[1]))
        if refused:
            raise refused

    def trouble(self, origin: Registered, part: Part, said: Personal | None) -> str:
        """Say what is wrong with a part whose rows are told apart by a column; asked once for each version.

        It names no column of the part: where there is no head, those would be values of somebody.
        """
        if said is None or not (said.column and said.consent) or is_once(part.etag):
            return ""
        key = part.dataset, part.name, part.etag, said.column
        if key not in self._known:
            names = self._columns(part, self._opens(origin, part), said.column)
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[key] = not names or names.count(said.column) == 1
        return "" if self._known[key] else _no_column(part.name, said.column)

    def _parts(self, origins: Sequence[Registered]) -> Sequence[tuple[Registered, Part]]:
        found: list[tuple[Registered, Part]] = []
        for origin in origins:
            try:
                parts = self._places[origin.kind].parts(origin)[:MAX_LOOKED]
            except NodeError:
                continue
            found += [(origin, part) for part in parts]
        return found

    def _opens(self, origin: Registered, part: Part) -> Callable[[int], Bytes]:
        return lambda start: self._places[origin.kind].open(origin, part.name, start=start)


def _shown(names: Sequence[str]) -> str:
    short = ", ".join(name[:_MAX_NAME] for name in names[:_MAX_NAMES])
    return "".join(each if each.isprintable() else " " for each in short)


def _no_column(part: str, column: str) -> str:
    return f"{part} has no column {column[:80]}, or has it twice, so nobody can tell whom its rows are about."
