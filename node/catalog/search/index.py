"""Opens the indexes for readers, each in the state the keeper last committed; many processes may read at once.

An index is opened when it is first asked for and looked at anew when `position.json` changed, which costs one look at
the file's time. What was opened stays good while somebody holds it, also when the keeper has made the index anew.
Reads the folder only, but for the mark that something in it is damaged.
"""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tantivy import Index, Searcher

from node.catalog.search.layout import PUBLIC, Layout, Position, index_of
from node.errors import Unavailable

_TRIES = 3
_NOT_YET = "Search is being prepared on this node."
_SOON = "Try again in a moment."


@dataclass(frozen=True, slots=True)
class Opened:
    """An index in one state, and that state's name: another one after every change."""

    searcher: Searcher
    generation: str


@dataclass(slots=True)
class _Kept:
    making: int
    index: Index
    n: int
    opened: Opened


class Indexes:
    """All indexes of this node, for reading. Safe to share by threads."""

    def __init__(self, folder: Path) -> None:
        """Read in a folder; nothing is opened yet."""
        self._layout = Layout(folder)
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._stamp: tuple[int, ...] = ()
        self._position: Position | None = None

    def public(self) -> Opened:
        """Give the index of all public collections.

        Raises:
            Unavailable: There is none yet, or it is being made anew.
        """
        opened = self._opened(PUBLIC)
        if opened is None:
            raise Unavailable(_NOT_YET, fix=_SOON)
        return opened

    def restricted(self, collection: str) -> Opened | None:
        """Give the index of a restricted collection; None where nothing of it was indexed.

        Raises:
            Unavailable: It is being made anew.
        """
        return self._opened(index_of(collection))

    def generation(self) -> int:
        """Give the number up to which the indexes have read; 0 where there is none."""
        with self._lock:
            position = self._now()
        return position.n if position else 0

    def records(self) -> int:
        """Count the records of all indexes, a record of two collections twice; those that cannot be read count 0."""
        with self._lock:
            position = self._now()
        names = position.makings if position else {}
        total = 0
        for name in names:
            with suppress(Unavailable):
                opened = self._opened(name)
                total += opened.searcher.num_docs if opened else 0
        return total

    def report_damage(self) -> None:
        """Say that an index could not be read: whoever writes makes all of it anew."""
        self._layout.mark_damaged()

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            self._kept.clear()
            self._stamp, self._position = (), None

    def _opened(self, name: str) -> Opened | None:
        with self._lock:
            for _ in range(_TRIES):
                position = self._now()
                if position is None or name not in position.makings:
                    self._kept.pop(name, None)
                    return None
                try:
                    return self._level(name, position)
                except ValueError:  # tantivy's word for all that goes wrong; mostly, it was made anew meanwhile
                    self._kept.pop(name, None)
                    self._stamp = ()
        self.report_damage()
        raise Unavailable("The search index cannot be read, and is made anew.", fix=_SOON)

    def _now(self) -> Position | None:
        try:
            found = self._layout.position_file.stat()
        except OSError:
            self._stamp, self._position = (), None
            return None
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp != self._stamp:
            self._position, self._stamp = self._layout.position(), stamp
        return self._position

    def _level(self, name: str, position: Position) -> Opened:
        """Give an index as the position says it is; ValueError if it cannot be opened."""
        making, kept = position.makings[name], self._kept.get(name)
        if kept is not None and (kept.making, kept.n) == (making, position.n):
            return kept.opened
        if kept is None or kept.making != making:
            index = Index.open(str(self._layout.path(name, making)))
            index.config_reader("manual", 0)
        else:
            index = kept.index
        stamp = -1
        while stamp != (stamp := self._written(name, making)):
            index.reload()
        # Not the position, which also counts what was read of restricted collections: whoever asks the public index is
        # shown its generation.
        opened = Opened(index.searcher(), f"{making}-{stamp}")
        self._kept[name] = _Kept(making, index, position.n, opened)
        return opened

    def _written(self, name: str, making: int) -> int:
        """Count what was ever written to an index, as of its last commit; ValueError if that cannot be read."""
        try:
            return int(json.loads((self._layout.path(name, making) / "meta.json").read_bytes())["opstamp"])
        except (OSError, KeyError, TypeError) as error:
            raise ValueError("The index has no state.") from error
