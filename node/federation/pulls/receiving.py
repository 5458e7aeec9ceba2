"""What another city brings us because we asked it to push: how far it is, and how it gets to where it was wished.

The parts come in at our own door and lie whole in a folder of the node; the other city says when all are there. Only
then do they go on beside the places that the wish names, a file at a time, each read there once more; the names come
last, as of what we fetched ourselves. Both cities have signed for it by then, so whatever stands in the way is no end
of it: it waits and is tried again, also after a kill.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from node.errors import NotFound, Refused, Stopped, Unavailable
from node.federation.pulls.files import Growing, Places, is_remote, is_there, mark_of
from node.federation.pulls.naming import Naming
from node.federation.pulls.ports import Json, Tell
from node.federation.pulls.room import Room
from node.federation.pulls.store import Progress, Pull, PullStore
from node.federation.transfer import Transfer

_READ = 1 << 20


class Arrived(Protocol):
    """How far a part has come."""

    @property
    def part(self) -> str:
        """Give its name."""

    @property
    def got(self) -> int:
        """Give how many bytes are here."""

    @property
    def size(self) -> int:
        """Give how many there will be, -1 where nobody said it."""

    @property
    def media_type(self) -> str:
        """Give its media type."""

    @property
    def etag(self) -> str:
        """Give its version at its origin."""

    @property
    def digest(self) -> str:
        """Give the digest of all of it, empty until it was proven."""

    @property
    def filtered(self) -> bool:
        """Tell whether rows were left out."""


class Incoming(Protocol):
    """The door for what is brought to us."""

    def arrived(self, pid: str) -> Sequence[Arrived]:
        """Give how far every part has come, by name."""

    def file(self, pid: str, part: str) -> Path:
        """Give where a whole part lies. Raises NotFound."""

    def forget(self, pid: str) -> None:
        """Remove the files and the books of a transfer."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Follows what is brought. `address` is our door as the protocol says it; `folder` the node's own for pulls."""

    store: PullStore
    incoming: Incoming
    naming: Naming
    room: Room
    address: Json
    folder: Path
    clock_ms: Callable[[], int]

    def look(self, pull: Pull, transfer: Transfer, tell: Tell, cut: threading.Event) -> Pull:
        """Write down and tell how far it has come.

        Raises:
            Conflict: A part cannot be put where it should go: to be said before anybody signs for it.
        """
        arrived = self.incoming.arrived(transfer.pid)
        pull = self._settled(pull, transfer, arrived, cut)
        got = sum(one.got for one in arrived)
        total = sum(one.size for one in arrived) if arrived and all(one.size >= 0 for one in arrived) else 0
        tell(got, total, f"{pull.peer or 'The other city'} brings it.")
        if (got, total) == (pull.got, pull.total):
            return pull
        return self.store.keep(pull, self.clock_ms(), got=got, total=total)

    def take(self, pull: Pull, transfer: Transfer, cut: threading.Event) -> Pull:
        """Put every part beside its place, once all were brought; repeatable.

        Where several came and the wish names one file, they go into a folder of that name: by now both cities have
        signed for them, and nobody may have looked before the last of them came.

        Raises:
            Refused: None was brought, or one is not here any more.
            Unavailable: It cannot be put there now. Nothing is lost.
        """
        arrived = self.incoming.arrived(transfer.pid)
        if not arrived and not pull.parts:
            raise Refused("The other city completed the transfer and brought nothing.", fix="Get it again.")
        names = {*(one.part for one in arrived), *pull.parts}
        if len(names) > 1 and not is_remote(pull.target) and not pull.target.endswith("/"):
            pull = self.store.keep(pull, self.clock_ms(), target=f"{pull.target}/")
        places = self._places(pull, transfer, names)
        for one in arrived:
            if not pull.parts.get(one.part, Progress()).is_whole:
                mark = self._put(transfer.pid, one, places, cut.is_set)
                here = replace(_progress(one, places), digest=one.digest, mark=mark)
                parts = {**pull.parts, one.part: here}
                got = sum(each.got for each in parts.values())
                pull = self.store.keep(pull, self.clock_ms(), parts=parts, got=got, total=max(got, pull.total))
        return pull

    def _places(self, pull: Pull, transfer: Transfer, names: Collection[str]) -> Places:
        return Places(pull.target, self.folder / str(pull.id), transfer.pid, sorted(names))

    def _settled(self, pull: Pull, transfer: Transfer, arrived: Sequence[Arrived], cut: threading.Event) -> Pull:
        """Write down which files will come of it, as soon as a part is heard of."""
        if {one.part for one in arrived} <= set(pull.parts):
            return pull
        places = self._places(pull, transfer, {one.part for one in arrived})
        self.naming.check(pull, places, cut.is_set)
        return self.store.settle(pull, {one.part: _progress(one, places) for one in arrived}, self.clock_ms())

    def done(self, transfer: Transfer) -> None:
        """Forget what is in its place now."""
        self.incoming.forget(transfer.pid)

    def _put(self, pid: str, one: Arrived, places: Places, stop: Callable[[], bool]) -> str:
        """Put one part beside its place; give its mark."""
        path = places.unfinished(one.part)
        try:
            source = self.incoming.file(pid, one.part)
        except NotFound as error:  # a kill came before it was written down
            if is_there(path, one.got, one.digest, stop):
                return mark_of(path)
            raise Refused(f"{one.part} is not here any more as it came.", fix="Get it again.") from error
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if source.stat().st_dev == path.parent.stat().st_dev:
                source.replace(path)
            else:
                self._copied(source, path, stop)
        except (OSError, Refused) as error:
            why = error.message if isinstance(error, Refused) else f"{path.parent}: {error.strerror}."
            raise Unavailable(why, fix="It is here and signed for. Mend that, then resume.") from error
        if not is_there(path, one.got, one.digest, stop):
            raise Refused(f"{one.part} is not here any more as it came.", fix="Get it again.")
        return mark_of(path)

    def _copied(self, source: Path, path: Path, stop: Callable[[], bool]) -> None:
        self.room.check(path.parent, source.stat().st_size)
        with source.open("rb") as read, Growing(path, keep=0, stop=stop) as file:
            while piece := read.read(_READ):
                if stop():
                    raise Stopped("The pull was stopped.")
                file.write(piece)
            file.save()


def _progress(one: Arrived, places: Places) -> Progress:
    """Say of a part that it comes, and what it will be."""
    final = str(places.final(one.part))
    return Progress(one.got, one.etag, one.size, "", one.media_type, filtered=one.filtered, file=final)
