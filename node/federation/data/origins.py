"""Where the data of our datasets lie, whatever kind of place that is: the one answer for the door and for pushes.

Which part lies where is in the tables; its bytes come from the place of its kind, its digest from what was read before
(`digests`). What a record promises and the bytes do not keep is never opened, nor what is promised and not read yet.
What would surprise: a place on the network is asked each time that a part is opened, but its list is good for seconds,
as is that of a large folder; what has changed since is found when it is opened.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from node.errors import NotFound, OriginChanged, Unavailable
from node.federation.data.digests import Thing, broken
from node.federation.data.files import FilePlace
from node.federation.data.origin_store import Known, OriginStore
from node.federation.data.outward import outward, plainly
from node.federation.data.places import Bytes, Place, Registered, is_once, no_part, takeable
from node.federation.moving import Part, Personal
from node.vocab import personal

_FRESH_S = 5.0
# Walking a folder of thousands for each range of one file would cost more than the range; few files are looked at anew.
_FRESH_LOCAL_S, _FEW = 1.0, 100
_MOST_LISTS = 200
_CHECKED_S = 30


class Shelves(Protocol):
    """In which collections of ours records stand."""

    def collections_of(self, iris: Sequence[str]) -> Mapping[str, Collection[str]]:
        """Give the IRIs of our collections that hold each of these records now."""

    def things(self, iris: Sequence[str]) -> Mapping[str, Thing]:
        """Give those of these that are ours, by IRI."""


class Opened:
    """The open bytes of a part, with all that is known of it."""

    def __init__(self, part: Part, source: Bytes) -> None:
        self.part = part
        self.read = source.read  # no step between: it is called for each piece
        self._source = source

    def close(self) -> None:
        """Let go of it; repeatable, and from any thread, which ends a read that blocks."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class DataOrigins:
    """The origins. Safe to share by threads; all but `parts` and `open` answer out of the database."""

    def __init__(
        self,
        store: OriginStore,
        places: Mapping[str, Place],
        shelves: Shelves,
        *,
        files: FilePlace,
        monotonic: Callable[[], float],
    ) -> None:
        """Read through these places, by kind of origin; what they say of themselves is not passed on."""
        self._store = store
        self._places = outward(places)
        self._shelves = shelves
        self._files = files
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._lists: dict[Registered, tuple[float, Sequence[Part]]] = {}
        self._said: dict[str, tuple[float, Personal | None]] = {}

    def has(self, dataset: str) -> bool:
        """Tell whether a dataset has data, whether or not they can be read now."""
        return self._store.has(dataset)

    def covered(self, covers: Sequence[str]) -> Sequence[str]:
        """Give the datasets that have data, among these records and in these collections, by IRI, in order."""
        datasets, wanted = self._store.datasets(), frozenset(covers)
        if not datasets:
            return []
        standing = self._shelves.collections_of(datasets)
        return [each for each in datasets if standing.get(each) and (each in wanted or wanted & set(standing[each]))]

    def with_data(self, covers: Sequence[str]) -> frozenset[str]:
        """Give those of these records and collections that have data, or hold a record that has; asks once for all."""
        standing = self._shelves.collections_of(self._store.datasets())
        return frozenset(covers) & frozenset(standing).union(*standing.values())

    def parts(self, dataset: str) -> Sequence[Part]:
        """Give the parts of a dataset, by name: all of them, or none.

        Raises:
            NotFound: It has no data.
            Unavailable: A place where some of it lies cannot be asked, or some of it is not what the record promises:
                a list without that part would be taken, and signed for, as all there is.
            TooLarge, Conflict: All of it together is nothing that another city could take.
        """
        origins, known = self._of(dataset), self._store.known(dataset)
        single = {each.name for each in origins if not each.is_folder}
        found: dict[str, Part] = {}
        for origin in origins:
            for part in self._listed(origin):
                # A file that was registered by itself comes before one of that name in a folder.
                if not origin.is_folder or part.name not in single:
                    found[part.name] = _told(part, known.get(part.name))
        shown = [found[name] for name in sorted(found)]
        for part in shown:
            if _is_broken(part, known.get(part.name)):
                raise broken(part.name)
        return takeable(shown, dataset) if len(origins) > 1 else shown

    def known(self, dataset: str) -> Sequence[Part]:
        """Give the parts of a dataset as far as that is known without asking anybody: for books, within a transaction.

        What lies elsewhere is there once all its bytes were read, and has no media type.
        """
        origins, known = self._of(dataset), self._store.known(dataset)
        found = {name: Part(dataset, name, "", each.size, each.digest, each.etag, 0) for name, each in known.items()}
        for origin in origins:
            listed = self._listed(origin) if origin.is_local else ()
            found |= {part.name: _told(part, known.get(part.name)) for part in listed}
        return [found[name] for name in sorted(found)]

    def open(self, dataset: str, part: str, *, start: int = 0, etag: str = "") -> Opened:
        """Open a part from a byte on.

        Args:
            dataset: The record's IRI.
            part: Its name.
            start: The first byte.
            etag: Only while it is still this version.

        Raises:
            NotFound: There is no such part.
            OriginChanged: It is another version, or not what the record promises.
            Unavailable: The place cannot be asked, or its promised checksum was not worked out yet.
        """
        origin = self._origin(dataset, part)
        source = self._places[origin.kind].open(origin, part, start=start)
        try:
            # What has no versions is whatever it is now, as long as nobody goes on where another stream stopped.
            known = "" if is_once(etag) and not start else etag
            return Opened(self._checked(origin, source.part, known), source)
        except BaseException:
            source.close()
            raise

    def lies(self, dataset: str, part: str) -> str:
        """Say where a part lies, in words that are others when it lies elsewhere; empty if nowhere. Asks no place."""
        with suppress(NotFound):
            origin = self._origin(dataset, part)
            return f"{origin.kind} {origin.location} {origin.name}"
        return ""

    def path(self, dataset: str, part: str) -> Path | None:
        """Give the path of a part that lies on this machine, for a server in front that sends it by itself.

        Raises what `open` raises.
        """
        origin = self._origin(dataset, part)
        if not origin.is_local:
            return None
        with self.open(dataset, part), plainly(origin, part):
            return self._files.path_of(origin, part)

    def personal(self, dataset: str) -> Personal | None:
        """Say how it is about residents, None if it is not.

        A record that says so of itself counts as marked, whatever was said with the origin: then nobody has named a
        column yet, and by consent nothing goes out.
        """
        marked = self._store.personal(dataset)
        return marked if marked is not None else self._by_record(dataset)

    # ---------------------------------------------------------------- inside

    def _by_record(self, dataset: str) -> Personal | None:
        """Look into the record, once a second at most: a range of bytes must not cost a payload."""
        now = self._monotonic()
        with self._lock:
            since, found = self._said.get(dataset, (-_FRESH_LOCAL_S, None))
        if now - since >= _FRESH_LOCAL_S:
            thing = self._shelves.things([dataset]).get(dataset)
            found = Personal() if thing and personal.contains("dataset", thing.payload) else None
            with self._lock:
                if len(self._said) >= _MOST_LISTS:
                    self._said.clear()
                self._said[dataset] = (now, found)
        return found

    def _of(self, dataset: str) -> Sequence[Registered]:
        found = self._store.of(dataset)
        if not found:
            raise NotFound(
                f"{dataset[:200]} has no data here.",
                fix="See what the catalogue offers.",
            ).on_page("no.origin.none")
        return found

    def _origin(self, dataset: str, part: str) -> Registered:
        """Find where a part lies: a file by its name, else the folder with the longest beginning."""
        origins = self._of(dataset)
        exact = [each for each in origins if not each.is_folder and each.name == part]
        folders = sorted(
            (each for each in origins if each.is_folder and each.below(part)), key=lambda each: -len(each.name)
        )
        for origin in (*exact, *folders):
            return origin
        raise no_part(part)

    def _listed(self, origin: Registered) -> Sequence[Part]:
        if origin.kind == "file":
            return self._places[origin.kind].parts(origin)
        now, key = self._monotonic(), replace(origin, trouble="", trouble_at_ms=0)
        with self._lock:
            kept = self._lists.get(key)
        if kept is not None and 0 <= now - kept[0] < (_FRESH_LOCAL_S if origin.is_local else _FRESH_S):
            return kept[1]
        parts = self._places[origin.kind].parts(origin)
        if origin.is_local and len(parts) < _FEW:
            return parts
        with self._lock:
            if len(self._lists) >= _MOST_LISTS:
                self._lists.clear()
            self._lists[key] = (now, parts)
        return parts

    def _checked(self, origin: Registered, part: Part, etag: str) -> Part:
        if etag and part.etag != etag:
            raise OriginChanged(
                f"{part.name} is another version by now.",
                fix="Begin again.",
            ).on_page("no.origin.changed", name=part.name)
        known = self._store.known_of(part.dataset, part.name)
        if _is_broken(part, known):
            raise broken(part.name)
        told = _told(part, known)
        if origin.checksum and not told.digest:
            raise Unavailable(
                f"{part.name} is being checked against its record's checksum.",
                retry_after_s=_CHECKED_S,
                fix="Try again soon; the worker of this node does it.",
            ).on_page("no.origin.checking", name=part.name)
        return told


def _told(part: Part, known: Known | None) -> Part:
    """Add the digest, if it is of these bytes; and how many they are, where only reading them tells."""
    if known is None or known.etag != part.etag:
        return part
    return replace(part, digest=known.digest, size=known.size if part.size is None else part.size)


def _is_broken(part: Part, known: Known | None) -> bool:
    return known is not None and known.etag == part.etag and not known.digest
