"""A graph on disk: N-Triples lines in a spill file, with an index from subject to where its lines stand.

A source may hold a hundred thousand datasets in one file and in any order, so the graph is never in memory: the index
keeps one number per subject (where its lines begin, how far they reach, how many they are) and extents are read back
piece by piece. Nothing here knows DCAT; `extent.py` says what belongs together.
"""

import os
import sys
import weakref
from collections.abc import Callable, Iterator, KeysView
from pathlib import Path
from types import TracebackType
from typing import Self

from node.vocab.ntriples import Triple, split

# Lines of one subject further apart than this, or reaching further than that, are kept as two regions.
_REACH = 64 * 1024
_LONGEST = 256 * 1024
_REMEMBERED = 100_000  # triples
_BLOCK = 4 << 20
_MOST_TYPES = 10_000  # characters; a subject of a hundred thousand classes would be copied as often
_LENGTH_BITS = 32
_LENGTH_MASK = (1 << _LENGTH_BITS) - 1
_TYPE = b" <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "


class Spill:
    """A read-only graph over one file of canonical N-Triples lines; close it, or use it in a `with`."""

    def __init__(self, path: Path, *, heard: Callable[[], None] = lambda: None) -> None:
        """Index the file in one pass; `heard` is called every few megabytes and may raise to stop."""
        self._file = os.open(path, os.O_RDONLY)
        # A walk that breaks off anywhere must not keep a file of gigabytes open for ever.
        self._closed = weakref.finalize(self, os.close, self._file)
        self._heard = heard
        self._regions: dict[str, int] = {}
        self._more: dict[str, list[int]] = {}
        self._counts: dict[str, int] = {}
        self._scattered: dict[str, list[Triple]] = {}
        self._room = _REMEMBERED
        # Subject -> its classes in file order, LF between them: a list for each of a million would be half our memory.
        self.types: dict[str, str] = {}
        self.total = 0
        self._index(path)

    def _index(self, path: Path) -> None:
        position = first = count = cut = 0
        subject, own = "", b"\0"
        with path.open("rb", buffering=1 << 20) as file:
            while lines := file.readlines(_BLOCK):
                self._heard()
                for line in lines:
                    if not line.startswith(own):
                        self._add(subject, first, position, count)
                        cut = line.index(b" ")
                        subject, own = line[:cut].decode(), line[: cut + 1]
                        first, count = position, 0
                    count += 1
                    if line.startswith(_TYPE, cut):
                        self._add_type(subject, sys.intern(line[cut + len(_TYPE) : -3].decode()))
                    position += len(line)
            self._add(subject, first, position, count)

    def _add_type(self, subject: str, name: str) -> None:
        known = self.types.get(subject)
        if known is None:
            self.types[subject] = name
        elif len(known) < _MOST_TYPES:
            self.types[subject] = sys.intern(f"{known}\n{name}")

    def _add(self, subject: str, start: int, end: int, count: int) -> None:
        if not subject:
            return
        self.total += count
        known = self._regions.get(subject)
        if known is None:
            self._regions[subject] = (start << _LENGTH_BITS) | (end - start)
            if count > 1:
                self._counts[subject] = count
            return
        self._counts[subject] = self._counts.get(subject, 1) + count
        region = self._more[subject][-1] if subject in self._more else known
        begin, length = region >> _LENGTH_BITS, region & _LENGTH_MASK
        if start - (begin + length) > _REACH or end - begin > _LONGEST:
            self._more.setdefault(subject, []).append((start << _LENGTH_BITS) | (end - start))
        elif subject in self._more:
            self._more[subject][-1] = (begin << _LENGTH_BITS) | (end - begin)
        else:
            self._regions[subject] = (begin << _LENGTH_BITS) | (end - begin)

    def __contains__(self, subject: str) -> bool:
        """Tell whether the graph says anything of a subject."""
        return subject in self._regions

    def subjects(self) -> KeysView[str]:
        """Give every subject, in order of first appearance; asking it for one costs a dictionary's look."""
        return self._regions.keys()

    def count(self, subject: str) -> int:
        """Count the lines of a subject."""
        return self._counts.get(subject, 1) if subject in self._regions else 0

    def triples(self, subject: str, near: dict[str, list[Triple]]) -> list[Triple]:
        """Give all triples of a subject.

        `near` is the caller's memory for one extent: lines of other subjects that were read on the way are left
        there, since blank nodes stand next to the node that holds them. A subject whose lines lie in several regions
        is most often an agent that every record repeats: it is read once, without duplicates, and remembered.
        """
        if subject in near:
            found = near[subject]
            if len(found) == self.count(subject):
                return found
        if subject in self._more:
            return self._from_everywhere(subject)
        local = self._read(self._regions[subject])
        found = local.pop(subject, [])
        for other, lines in local.items():
            near.setdefault(other, lines)
        return found

    def _from_everywhere(self, subject: str) -> list[Triple]:
        found = self._scattered.pop(subject, None)
        if found is None:
            lines = dict.fromkeys(self._find(subject, f"{subject} ".encode()))
            found = [split(line.decode()) for line in lines]
            self._room -= len(found)
        self._scattered[subject] = found
        while self._room < 0:
            oldest = next(iter(self._scattered))
            self._room += len(self._scattered.pop(oldest))
        return found

    def _find(self, subject: str, start: bytes) -> Iterator[bytes]:
        """Give the subject's lines that begin so, without their LF."""
        for region in (self._regions[subject], *self._more.get(subject, ())):
            text = self._bytes(region)
            at = text.find(start)
            while at >= 0:
                end = text.index(b"\n", at)
                if at == 0 or text[at - 1] == 10:
                    yield text[at:end]
                at = text.find(start, end)

    def _read(self, region: int) -> dict[str, list[Triple]]:
        local: dict[str, list[Triple]] = {}
        last = ""
        own: list[Triple] = []
        # `split`, in line and for all lines at once: this is the hottest loop of a harvest. LF only ends lines.
        for line in self._bytes(region).decode().split(" .\n")[:-1]:
            subject, predicate, object_ = line.split(" ", 2)
            if subject != last:
                last, own = subject, local.setdefault(subject, [])
            own.append((last, predicate, object_))
        return local

    def _bytes(self, region: int) -> bytes:
        return os.pread(self._file, region & _LENGTH_MASK, region >> _LENGTH_BITS)

    def literals(self, subject: str, predicate: str) -> list[str]:
        """Give the literals of one property of a subject, without reading the rest of its lines."""
        start = f'{subject} {predicate} "'.encode()
        return [line[len(start) - 1 : -2].decode() for line in self._find(subject, start)]

    def lines(self) -> Iterator[Triple]:
        """Read the whole graph again, line by line, in file order."""
        with os.fdopen(os.dup(self._file), "rb", buffering=1 << 20) as file:
            file.seek(0)
            while lines := file.readlines(_BLOCK):
                self._heard()
                for raw in lines:
                    yield split(raw.decode().rstrip("\n"))

    def close(self) -> None:
        """Give the file back."""
        self._closed()

    def __enter__(self) -> Self:
        """Use it in a `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
