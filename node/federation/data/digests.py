"""Digests of parts: worked out once for each version of their bytes, and held against what the record promises.

Small parts and those of this machine are read when they are registered, all others by the worker, one origin at a time.
What a record promises and the bytes do not keep is refused from then on (`origins`), and the origin says so to the
staff; as long as a promised digest is not worked out, the part is not handed out. Reads, and writes what it found.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from node.errors import NodeError, OriginChanged, Refuted, Stopped, TooLarge, Unavailable
from node.federation.data.origin_store import Known, OriginStore
from node.federation.data.places import PIECE_BYTES, Bytes, Place, Registered, is_once
from node.federation.data.promises import Promise, algorithm_of, promised, promises_in, summary
from node.federation.data.subjects import Subjects
from node.federation.moving import Part, Personal

LOOK_MS = 600_000
LOOK_LOCAL_MS = 60_000
LONGEST_MS = 1_800_000  # how long one part may take, and after how long a look at an origin is put down for others
# Of the worker's rounds. Shorter than a long one: two workers at one origin do no harm, a dead one must not hold it up.
LEASE_MS = 120_000
_MOST_SLOW = 1_000
_logger = logging.getLogger("citynode.data")


class Thing(Protocol):
    """A record of ours."""

    @property
    def payload(self) -> bytes:
        """Give its canonical payload."""


class Holdings(Protocol):
    """What this city holds of its own."""

    def things(self, iris: Sequence[str]) -> Mapping[str, Thing]:
        """Give those of these that are ours, by IRI."""

    def named(self, slug: str) -> Sequence[str]:
        """Give the IRIs of our records whose name in addresses this is."""


@dataclass(frozen=True, slots=True)
class Read:
    """What reading all bytes of a part gave: how many, `sha256:` and hex, and the digest that was promised."""

    part: Part
    size: int
    digest: str
    keeps: bool


class Digests:
    """Works digests out. Safe to share by threads."""

    def __init__(
        self,
        store: OriginStore,
        places: Mapping[str, Place],
        holdings: Holdings,
        subjects: Subjects,
        *,
        clock_ms: Callable[[], int],
    ) -> None:
        """Read places by kind of origin, records for what they promise, and heads for whom rows are about."""
        self._store, self._subjects = store, subjects
        self._places = places
        self._holdings = holdings
        self._clock_ms = clock_ms
        self._next_ms: dict[tuple[str, str, int], int] = {}
        self._slow: set[str] = set()  # marks of versions that take too long to read

    # ---------------------------------------------------------------- the worker's round

    def round(self, stop: threading.Event) -> int:
        """Look at the one origin that is due; give 1, or 0 if none is."""
        now_ms, origins = self._clock_ms(), self._store.all()
        keys = {(each.dataset, each.name, each.at_ms): each for each in origins}
        self._next_ms = {key: at for key, at in self._next_ms.items() if key in keys}
        waiting = [key for key in keys if not 0 <= self._next_ms.get(key, 0) - now_ms <= LOOK_MS]
        # Who has waited longest: two that take longer than they are left alone would else take turns for ever.
        due = min(waiting, key=lambda key: self._next_ms.get(key, 0), default=None)
        if due is None or stop.is_set():
            return 0
        try:
            self.look(keys[due], stop)
        except Stopped:
            return 0
        finally:
            # Whatever came of it: what fails here each time must not stand before all that come after it.
            if not stop.is_set():
                self._next_ms[due] = self._clock_ms() + (LOOK_LOCAL_MS if keys[due].is_local else LOOK_MS)
        return 1

    def look(self, origin: Registered, stop: threading.Event | None = None) -> str:
        """See what lies at an origin, read what nobody has read yet, and note what is wrong; gives that.

        Whatever goes wrong there is trouble of this origin alone, also what nobody thought of.
        """
        try:
            trouble = self._seen(origin, stop)
        except Stopped:
            raise
        except NodeError as error:
            trouble = error.message
        except Exception as error:  # noqa: BLE001  (logged)
            trouble = _odd(origin, origin.name, error)
        self._store.note(origin, trouble, at_ms=self._clock_ms())
        return trouble

    def _seen(self, origin: Registered, stop: threading.Event | None) -> str:
        promises, until_ms = self.promises(origin.dataset), self._clock_ms() + LONGEST_MS
        origin, trouble = self._store.promise(origin, summary(origin, promises)), ""
        said = self._store.personal(origin.dataset)
        for part in self._places[origin.kind].parts(origin):
            if self._clock_ms() > until_ms:
                break  # the rest at the next look
            found = self._looked(origin, part, promised(origin, part.name, promises), stop)
            trouble = found or self._headed(origin, part, said) or trouble
        return trouble

    def _headed(self, origin: Registered, part: Part, said: Personal | None) -> str:
        """Give what is wrong with the head of a part; one that cannot be read holds up no part beside it."""
        try:
            return self._subjects.trouble(origin, part, said)
        except Unavailable:
            raise
        except NodeError as error:
            return error.message
        except Exception as error:  # noqa: BLE001  (logged)
            return _odd(origin, part.name, error)

    def _looked(self, origin: Registered, part: Part, promise: str, stop: threading.Event | None) -> str:
        if is_once(part.etag):
            return unversioned(part.name).message if promise else ""
        known = self._store.known_of(part.dataset, part.name)
        if known is None or known.etag != part.etag:
            if part.etag in self._slow:
                return too_slow(part.name).message
            try:
                known = self.keep(self.read(origin, part.name, promise, stop))
            except TooLarge:
                self._slow = {part.etag, *list(self._slow)[:_MOST_SLOW]}
                raise
        return "" if known.digest else broken(part.name).message

    # ---------------------------------------------------------------- one part

    def promises(self, dataset: str) -> Sequence[Promise]:
        """Give what the record promises of its files now."""
        thing = self._holdings.things([dataset]).get(dataset)
        return promises_in(dataset, thing.payload) if thing else ()

    def read(self, origin: Registered, part: str, promise: str = "", stop: threading.Event | None = None) -> Read:
        """Read all bytes of a part, in bounded memory.

        Raises:
            Unavailable: It cannot be read, or changed meanwhile.
            TooLarge: It took longer than half an hour.
            Stopped: `stop` was set.
        """
        until_ms = self._clock_ms() + LONGEST_MS
        source = self._places[origin.kind].open(origin, part, start=0, stop=stop)
        try:
            return _read(source, promise, stop, lambda: self._clock_ms() > until_ms)
        finally:
            source.close()

    def keep(self, read: Read) -> Known:
        """Keep what reading gave: an empty digest says that it is not what was promised."""
        known = Known(read.part.etag, read.size, read.digest if read.keeps else "")
        self._store.know(read.part.dataset, read.part.name, known, at_ms=self._clock_ms())
        return known


def broken(part: str) -> OriginChanged:
    """Say that bytes are not those that the record promises."""
    return OriginChanged(
        f"The bytes of {part} do not have the checksum that the record promises.",
        fix="Put the right file there, or correct the record.",
    ).on_page("no.origin.checksum", name=part)


def unversioned(part: str) -> Refuted:
    """Say that a promise cannot be kept where nobody can tell which version was looked at."""
    return Refuted(
        f"The server of {part} tells no versions apart, so its promised checksum cannot be kept.",
        fix="Let it send an ETag or a Last-Modified, or take the checksum out of the record.",
    ).on_page("no.origin.versions", name=part)


def too_slow(part: str) -> TooLarge:
    """Say that a part cannot be read whole in half an hour."""
    return TooLarge(
        f"{part} takes too long to read.",
        fix="Hand it out from a faster place.",
    ).on_page("no.origin.slow", name=part)


def refuse(read: Read) -> None:
    """Refuse what does not keep its promise. Raises Refuted."""
    if not read.keeps:
        error = broken(read.part.name)
        raise Refuted(error.message, fix=error.fix)


def _odd(origin: Registered, part: str, error: Exception) -> str:
    """Log a fault that is no refusal of ours, and say it in a word."""
    _logger.error("looking at %s of %s failed", part or "an origin", origin.dataset, exc_info=error)
    return f"{part or 'It'} cannot be read ({type(error).__name__}): the node's log tells more."


def _read(source: Bytes, promise: str, stop: threading.Event | None, late: Callable[[], bool]) -> Read:
    ours, size = hashlib.sha256(), 0
    other = hashlib.new(algorithm_of(promise), usedforsecurity=False) if promise else ours
    while piece := source.read(PIECE_BYTES):
        size += len(piece)
        ours.update(piece)
        if other is not ours:
            other.update(piece)
        if stop is not None and stop.is_set():
            raise Stopped("The reading was stopped.")
        if late():
            raise too_slow(source.part.name)
    keeps = not promise or promise == f"{algorithm_of(promise)}:{other.hexdigest()}"
    return Read(source.part, size, f"sha256:{ours.hexdigest()}", keeps)
