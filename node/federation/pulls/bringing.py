"""The parts of a started transfer, brought here one after the other and kept books of.

What is whole already is not asked for again, unless it has become another part meanwhile, here or there. Each file is
read from the disk once it is whole, and looked at again when all are, so that the receipt is of what lies here and not
of what went by. No file has its name before all parts are here and signed for. Before a refusal counts as one, it is
looked whether the transfer itself was suspended or ended, since the bytes stop before the message of it is here.
Nothing is completed in here.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from node.errors import (
    Conflict,
    Forbidden,
    NotAgreed,
    NotFound,
    PeerUnreachable,
    Refused,
    Stopped,
    TooManyRequests,
)
from node.federation.moving import LEAST_BYTES_S, PACE_S, PUSH, Moved
from node.federation.pulls.door import DataDoor, Item, Way, way_of
from node.federation.pulls.download import Changed, Downloader, Patience
from node.federation.pulls.files import Growing, Lost, Places, is_remote, is_there, mark_of, remove_folder
from node.federation.pulls.guard import Guard
from node.federation.pulls.naming import Naming
from node.federation.pulls.ports import Tell, Transfers
from node.federation.pulls.room import Room
from node.federation.pulls.store import WORKER, Progress, Pull, PullStore
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
    naming: Naming
    room: Room
    folder: Path
    clock_ms: Callable[[], int]

    def bring(
        self, pull: Pull, transfer: Transfer, stop: threading.Event, tell: Tell, patience: Patience
    ) -> list[Moved]:
        """Bring all parts of a transfer, whole and proven; `patience` is for while nothing comes.

        Raises:
            Stopped: `stop` was set, or the pull is not ours any more.
            Paused: The transfer does not stream any more; its state says why.
            Refused: The other city does not hand it out, what it hands out does not hold, or it cannot be put there.
            Unavailable: Try again later; so too where the disk is full, or what comes is too slow for the worker.
        """
        looks = lambda: self.transfers.get(transfer.pid)  # noqa: E731
        with Guard(pull, self.store, stop=stop, transfer=looks, clock_ms=self.clock_ms) as guard:
            try:
                return self._brought(pull, transfer, guard.cut, tell, patience)
            except Stopped as error:
                if guard.paused:
                    raise Paused from error
                raise
            except _Slow as error:
                raise PeerUnreachable(f"{transfer.peer} {error}", fix="Others come first; then it goes on.") from error
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

    def _brought(
        self, pull: Pull, transfer: Transfer, cut: threading.Event, tell: Tell, patience: Patience
    ) -> list[Moved]:
        way, why = way_of(transfer), ""
        for _ in range(MAX_CHANGES):
            items = self.door.manifest(way, stop=cut)
            items = [each for each in items if pull.part in ("", each.name) or not way.is_citys]
            if not items:
                raise NotFound(f"The other city hands out no part {pull.part}.", fix="Leave --part out to see all.")
            places = self.places(pull, [each.name for each in items])
            self.naming.check(pull, places, cut.is_set)
            ledger = _Ledger(self.store, self.store.get(pull.id), items, places, tell, self.clock_ms)
            self._check_room(items, places)
            try:
                moved = [self._part(ledger, way, item, cut, patience) for item in items]
                self.naming.prepare(ledger.pull, places, cut.is_set)
                return moved
            except (Changed, Lost) as error:
                why = str(error)
                ledger.said(why)
        raise Refused(f"It changes more often than it can be read. {why}", fix="Try again when nobody changes it.")

    def _check_room(self, items: Sequence[Item], places: Places) -> None:
        """See that what is still to come finds room, as far as its size is known. Raises Unavailable."""
        missing = 0
        for item in items:
            path = places.unfinished(item.name)
            missing += max(item.size - (path.stat().st_size if path.is_file() else 0), 0)
        self.room.check(places.folder, missing)

    def _part(self, ledger: "_Ledger", way: Way, item: Item, cut: threading.Event, patience: Patience) -> Moved:
        held, path = ledger.of(item), ledger.places.unfinished(item.name)
        if held.is_whole:
            if self._is_here(ledger, item, cut):
                return Moved(item.name, held.media_type, held.got, held.digest, held.filtered)
            ledger.said(f"{item.name} is not here any more as it came: it is brought again.")
            ledger.forgotten(item)
        room = lambda many: self.room.check(path.parent, many)  # noqa: E731
        with Growing(path, keep=ledger.kept_of(item), stop=cut.is_set, room=room) as file:
            if file.got:
                ledger.said(f"{item.name}: goes on at byte {file.got}.")
            try:
                moved = self.downloader.bring(way, item, file, ledger.watch(item), cut, patience)
                mark = file.prove()
            except Lost:
                ledger.forgotten(item)
                raise
        ledger.whole(item, moved, mark)
        patience.came()
        return moved

    @staticmethod
    def _is_here(ledger: "_Ledger", item: Item, cut: threading.Event) -> bool:
        """Tell whether a part that was whole still is: read once more, beside its name or under it."""
        held, places = ledger.of(item), ledger.places
        for path in dict.fromkeys((places.unfinished(item.name), places.final(item.name))):
            if is_there(path, held.got, held.digest, cut.is_set):
                named = path != places.unfinished(item.name)
                ledger.kept(item, replace(held, mark=mark_of(path), named=named))
                return True
        return False

    def places(self, pull: Pull, names: Sequence[str]) -> Places:
        """Say where the parts of a pull go."""
        return Places(pull.target, self.folder / str(pull.id), pull.transfer, names)

    def is_whole(self, pull: Pull) -> bool:
        """Tell whether every part that was announced is here, proven."""
        return bool(pull.parts) and all(each.is_whole for each in pull.parts.values())

    def appear(self, pull: Pull, cut: threading.Event) -> None:
        """Give every part its name, once all is signed for; repeatable. Raises what `Naming.appear` raises."""
        pull = self.store.get(pull.id)
        self.naming.appear(pull, self.places(pull, list(pull.parts)), cut.is_set)

    def remote(self, pull: Pull) -> Iterator[tuple[str, Path, str]]:
        """Give what has to go elsewhere: to which address, from which file, of which media type."""
        places = self.places(pull, list(pull.parts))
        for name, progress in pull.parts.items():
            if location := places.remote(name):
                yield location, places.unfinished(name), progress.media_type

    def rescue(self, pull: Pull) -> None:
        """Keep what was signed for of a pull that is over: under its names, or else beside them."""
        if is_remote(pull.target) and pull.format != PUSH:  # it was put there before anybody signed
            self.forget(pull)
            return
        places = self.places(pull, list(pull.parts))
        self.naming.rescue(pull, places)
        with suppress(OSError):  # what has no name yet
            places.folder.rmdir()

    def forget(self, pull: Pull) -> None:
        """Remove what has no name yet of a pull that is over; what became a file stays."""
        if pull.transfer:  # else nothing of it ever came
            remove_folder(self.places(pull, ()).folder)
        remove_folder(self.folder / str(pull.id))


class Paused(Exception):  # noqa: N818  (no fault: the transfer's state says what comes next)
    """The transfer does not stream any more."""


class _Slow(Exception):  # noqa: N818  (no fault of ours)
    """The other city sends so little that others should come first."""


class _Ledger:
    """The books of one pull while its parts are brought: in the table, and told to whoever looks on."""

    def __init__(
        self,
        store: PullStore,
        pull: Pull,
        items: Sequence[Item],
        places: Places,
        tell: Tell,
        clock_ms: Callable[[], int],
    ) -> None:
        """Begin. Raises Conflict where another pull brings one of the same files."""
        self.pull, self.places = pull, places
        self._store, self._tell, self._clock_ms = store, tell, clock_ms
        self._total = sum(each.size for each in items) if all(each.size >= 0 for each in items) else 0
        self._known = {each.name for each in items if each.etag and self._etag(each) == each.etag}
        self._parts = {each.name: self._placed(each, self._still_good(each)) for each in items}
        self.pull = store.settle(pull, self._parts, clock_ms())
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
        self._parts[item.name] = self._placed(item, progress)
        self._keep()

    def forgotten(self, item: Item) -> None:
        """Write down that nothing of a part is here any more."""
        self.kept(item, replace(self._parts[item.name], got=0, digest="", mark="", named=False))

    def whole(self, item: Item, moved: Moved, mark: str) -> None:
        """Write down that a part is here."""
        held = Progress(moved.bytes, item.etag, moved.bytes, moved.digest, moved.media_type, moved.filtered, mark=mark)
        self.kept(item, held)
        self._tell(self._got, self._total, item.name)

    def said(self, sentence: str) -> None:
        """Say what a person should know."""
        _logger.info("pull %s: %s", self.pull.id, sentence)
        self._tell(self._got, self._total, sentence)

    def _placed(self, item: Item, progress: Progress) -> Progress:
        return replace(progress, file=str(self.places.final(item.name)))

    def _keep(self) -> None:
        parts = {name: replace(each) for name, each in self._parts.items()}
        self.pull = self._store.keep(self.pull, self._clock_ms(), parts=parts, got=self._got, total=self._total)


class _Watch:
    """Passes on what happens to one part, and sees that the worker is not held up by one that hardly comes."""

    def __init__(self, ledger: _Ledger, item: Item) -> None:
        self.ledger, self.item = ledger, item
        self._since, self._got = time.monotonic(), -1
        self._may_be_slow = not ledger.pull.held_by.startswith(WORKER)

    def came(self, got: int) -> None:
        self.ledger.came(self.item, got)
        now = time.monotonic()
        if self._got < 0 or now - self._since >= PACE_S:
            if self._got >= 0 and got - self._got < PACE_S * LEAST_BYTES_S and not self._may_be_slow:
                raise _Slow(f"sends less than {LEAST_BYTES_S:,} bytes a second of {self.item.name}.")
            self._since, self._got = now, got

    def kept(self, progress: Progress) -> None:
        self.ledger.kept(self.item, progress)

    def said(self, sentence: str) -> None:
        self.ledger.said(sentence)
