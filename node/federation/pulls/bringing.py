"""The parts of a started transfer, brought here one after the other and kept books of.

What is whole already is not asked for again, unless it has become another part meanwhile, here or there; what lies here
is read once more before it is signed for. No file has its name before all parts are here and signed for. Before a
refusal counts as one, it is looked whether the transfer itself was suspended or ended, since the bytes stop before the
message of it is here. Nothing is completed in here.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from node.errors import Conflict, Forbidden, NotAgreed, NotFound, Refused, Stopped, TooManyRequests
from node.federation.moving import Moved
from node.federation.pulls.door import DataDoor, Item, Way, way_of
from node.federation.pulls.download import Changed, Downloader
from node.federation.pulls.files import Growing, Places, appear, is_remote, is_there, remove, remove_folder
from node.federation.pulls.guard import Guard
from node.federation.pulls.ports import Tell, Transfers
from node.federation.pulls.store import Progress, Pull, PullStore
from node.federation.transfer import Transfer

_logger = logging.getLogger("citynode.pulls")
MAX_CHANGES = 5  # of one part, while it is brought
_ALL = 1 << 62
_HEAR_S = 15.0  # how long the message that explains a refusal is waited for


@dataclass(frozen=True, slots=True)
class Bringer:
    """Brings parts. `folder` is the node's own for what goes elsewhere than to files of this machine."""

    store: PullStore
    door: DataDoor
    downloader: Downloader
    transfers: Transfers
    folder: Path
    clock_ms: Callable[[], int]

    def bring(self, pull: Pull, transfer: Transfer, stop: threading.Event, tell: Tell) -> list[Moved]:
        """Bring all parts of a transfer, whole and proven.

        Raises:
            Stopped: `stop` was set, or the pull is not ours any more.
            Paused: The transfer does not stream any more; its state says why.
            Refused: The other city does not hand it out, or what it hands out does not hold.
            Unavailable: Try again later.
        """
        looks = lambda: self.transfers.get(transfer.pid)  # noqa: E731
        with Guard(pull, self.store, stop=stop, transfer=looks, clock_ms=self.clock_ms) as guard:
            try:
                return self._brought(pull, transfer, guard.cut, tell)
            except Stopped as error:
                if guard.paused:
                    raise Paused from error
                raise
            except (Forbidden, NotFound, NotAgreed, Refused) as error:
                if self._is_explained(transfer, error, guard.cut):
                    raise Paused from error
                raise

    def _is_explained(self, transfer: Transfer, error: Exception, cut: threading.Event) -> bool:
        """Tell whether the transfer was suspended or ended, waiting a moment for the message of it."""
        if isinstance(error, (Conflict, TooManyRequests)):
            return False
        until = time.monotonic() + _HEAR_S
        while time.monotonic() < until:
            if not self.transfers.get(transfer.pid).streams:
                return True
            cut.wait(0.1)
        return False

    def _brought(self, pull: Pull, transfer: Transfer, cut: threading.Event, tell: Tell) -> list[Moved]:
        way = way_of(transfer)
        for _ in range(MAX_CHANGES):
            items = self.door.manifest(way, stop=cut)
            items = [each for each in items if pull.part in ("", each.name) or not way.is_citys]
            if not items:
                raise NotFound(f"The other city hands out no part {pull.part}.", fix="Leave --part out to see all.")
            ledger = _Ledger(self.store, self.store.get(pull.id), items, tell, self.clock_ms)
            try:
                return [self._part(ledger, way, item, cut) for item in items]
            except Changed as error:
                ledger.said(str(error))
        raise Refused("It changes more often than it can be read.", fix="Try again when its city has finished.")

    def _part(self, ledger: "_Ledger", way: Way, item: Item, cut: threading.Event) -> Moved:
        held, places = ledger.of(item), self._places(ledger.pull, ledger.names)
        final = places.final(item.name)
        if held.is_whole:
            if is_there(final, held.got, held.digest, cut.is_set):
                return Moved(item.name, held.media_type, held.got, held.digest, held.filtered)
            ledger.said(f"{item.name} is not here any more as it came: it is brought again.")
            ledger.kept(item, replace(held, got=0, digest=""))
        with Growing(final, keep=ledger.kept_of(item), stop=cut.is_set) as file:
            if file.got:
                ledger.said(f"{item.name}: goes on at byte {file.got}.")
            moved = self.downloader.bring(way, item, file, ledger.watch(item), cut)
            if is_remote(ledger.pull.target):  # what is put elsewhere comes from a file of the node's own
                file.finish()
            else:
                file.save()
        ledger.whole(item, moved, final)
        return moved

    def _places(self, pull: Pull, names: Sequence[str]) -> Places:
        return Places(pull.target, self.folder / str(pull.id), names)

    def is_whole(self, pull: Pull) -> bool:
        """Tell whether every part that was announced is here, proven."""
        return bool(pull.parts) and all(each.is_whole for each in pull.parts.values())

    def appear(self, pull: Pull) -> None:
        """Give every part that is here whole its name; repeatable. Raises Refused."""
        for progress in self.store.get(pull.id).parts.values():
            if progress.is_whole:
                appear(Path(progress.file))

    def remote(self, pull: Pull) -> Iterator[tuple[str, Path, str]]:
        """Give what has to go elsewhere: to which address, from which file, of which media type."""
        places = self._places(pull, list(pull.parts))
        for name, progress in pull.parts.items():
            if location := places.remote(name):
                yield location, Path(progress.file), progress.media_type

    def forget(self, pull: Pull) -> None:
        """Remove what has no name yet of a pull that is over; what became a file stays."""
        places = self._places(pull, list(pull.parts))
        for name in pull.parts:
            remove(places.final(name))
        remove_folder(self.folder / str(pull.id))


class Paused(Exception):  # noqa: N818  (no fault: the transfer's state says what comes next)
    """The transfer does not stream any more."""


class _Ledger:
    """The books of one pull while its parts are brought: in the table, and told to whoever looks on."""

    def __init__(
        self, store: PullStore, pull: Pull, items: Sequence[Item], tell: Tell, clock_ms: Callable[[], int]
    ) -> None:
        self.pull, self.names = pull, [each.name for each in items]
        self._store, self._tell, self._clock_ms = store, tell, clock_ms
        self._total = sum(each.size for each in items) if all(each.size >= 0 for each in items) else 0
        self._known = {each.name for each in items if each.etag and self._etag(each) == each.etag}
        self._parts = {each.name: self._still_good(each) for each in items}
        self._keep()

    def _etag(self, item: Item) -> str:
        return self.pull.parts.get(item.name, Progress()).etag

    def kept_of(self, item: Item) -> int:
        """Say how much of a part's file can be gone on with.

        What was safe on the disk; or all of it where a digest will tell, since only a power cut loses the rest.
        """
        whole = item.digest and item.name in self._known and not item.filtered
        return _ALL if whole else self._parts[item.name].got

    def _still_good(self, item: Item) -> Progress:
        """Give what is here of a part, if it is still the same part."""
        held = self.pull.parts.get(item.name, Progress())
        # Without a tag nobody can tell whether the rest would be of the same version.
        if held.etag == item.etag and (held.is_whole or (item.etag and not item.filtered)):
            return held
        if held.got:
            self._tell(0, self._total, f"{item.name} has changed at its origin: it is begun again.")
        return Progress(etag=item.etag, size=item.size, media_type=item.media_type, filtered=item.filtered)

    @property
    def _got(self) -> int:
        return sum(each.got for each in self._parts.values())

    def of(self, item: Item) -> Progress:
        """Give how far a part is."""
        return self._parts[item.name]

    def watch(self, item: Item) -> "_Watch":
        """Give who looks on while a part is brought."""
        return _Watch(self, item)

    def came(self, item: Item, got: int) -> None:
        """Tell how far it has come."""
        self._tell(self._got - self._parts[item.name].got + got, self._total, item.name)

    def kept(self, item: Item, progress: Progress) -> None:
        """Write down what is safe."""
        self._parts[item.name] = progress
        self._keep()

    def whole(self, item: Item, moved: Moved, file: Path) -> None:
        """Write down that a part is here."""
        held = Progress(moved.bytes, item.etag, moved.bytes, moved.digest, moved.media_type, moved.filtered, str(file))
        self.kept(item, held)
        self._tell(self._got, self._total, item.name)

    def said(self, sentence: str) -> None:
        """Say what a person should know."""
        _logger.info("pull %s: %s", self.pull.id, sentence)
        self._tell(self._got, self._total, sentence)

    def _keep(self) -> None:
        parts = {name: replace(each) for name, each in self._parts.items()}
        self.pull = self._store.keep(self.pull, self._clock_ms(), parts=parts, got=self._got, total=self._total)


@dataclass(frozen=True, slots=True)
class _Watch:
    """Passes on what happens to one part."""

    ledger: _Ledger
    item: Item

    def came(self, got: int) -> None:
        self.ledger.came(self.item, got)

    def kept(self, progress: Progress) -> None:
        self.ledger.kept(self.item, progress)

    def said(self, sentence: str) -> None:
        self.ledger.said(sentence)
