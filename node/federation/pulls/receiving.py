"""What another city brings us because we asked it to push: how far it is, and how it gets to where it was wished.

The parts come in at our own door and lie whole in a folder of the node; the other city says when all are there. Only
then do they go on to the place that the wish names, a file at a time, whole or not at all. Taken up again after a kill
it goes on with the parts that are not in place yet.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from node.errors import NotFound, Refused
from node.federation.pulls.files import PART, Places
from node.federation.pulls.ports import Json, Tell
from node.federation.pulls.store import Progress, Pull, PullStore
from node.federation.transfer import Transfer


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
    address: Json
    folder: Path
    clock_ms: Callable[[], int]

    def look(self, pull: Pull, transfer: Transfer, tell: Tell) -> Pull:
        """Write down and tell how far it has come."""
        arrived = self.incoming.arrived(transfer.pid)
        got = sum(one.got for one in arrived)
        total = sum(one.size for one in arrived) if arrived and all(one.size >= 0 for one in arrived) else 0
        tell(got, total, f"{pull.peer or 'The other city'} brings it.")
        if (got, total) == (pull.got, pull.total):
            return pull
        return self.store.keep(pull, self.clock_ms(), got=got, total=total)

    def take(self, pull: Pull, transfer: Transfer) -> Pull:
        """Put every part in its place, once all were brought; repeatable.

        Raises:
            Refused: A part cannot be put where it should go, or none was brought.
        """
        arrived = self.incoming.arrived(transfer.pid)
        if not arrived and not pull.parts:
            raise Refused("The other city completed the transfer and brought nothing.", fix="Get it again.")
        names = sorted({*(one.part for one in arrived), *pull.parts})
        places = Places(pull.target, self.folder / str(pull.id), names)
        for one in arrived:
            final = places.final(one.part)
            if not pull.parts.get(one.part, Progress()).is_whole:
                self._put(transfer.pid, one.part, final)
                here = Progress(
                    one.got, one.etag, one.got, one.digest, one.media_type, filtered=one.filtered, file=str(final)
                )
                got = sum(each.got for each in pull.parts.values()) + one.got
                parts = {**pull.parts, one.part: here}
                pull = self.store.keep(pull, self.clock_ms(), parts=parts, got=got, total=max(got, pull.total))
        return pull

    def done(self, transfer: Transfer) -> None:
        """Forget what is in its place now."""
        self.incoming.forget(transfer.pid)

    def _put(self, pid: str, part: str, final: Path) -> None:
        beside = final.with_name(final.name + PART)
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                # Another disk takes a copy, which is no file of its own name before it is whole.
                shutil.move(self.incoming.file(pid, part), beside)
            except NotFound:
                if not beside.is_file() and not final.is_file():
                    raise
            if beside.is_file():
                beside.replace(final)
        except OSError as error:
            raise Refused(f"{final} cannot be written: {error.strerror}.", fix="Name another place.") from error
