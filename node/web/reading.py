"""The shelf as the public may see it: what is restricted is left out here, for every router.

A restricted record looks exactly like one that does not exist (formats.md 5), so every router reads through here and
none holds the shelf itself; who shows a token may see more (`seen`). A record that is not there takes as many questions
as one that may not be seen. Reads are in line; collections are remembered per shelf version.
"""

from collections.abc import Callable, Iterator, Sequence

import structlog

from node.errors import Malformed, NotFound, Refuted, Unavailable, Withdrawn
from node.records import KINDS, Finding
from node.vocab import check, ntriples
from node.web.addresses import MAX_IRI, is_mirror
from node.web.ports.ports import CollectionInfo, Held, Shelf

log = structlog.get_logger("node.web")
# Offsets cost the more the further they go, so few and large steps.
BATCH = 5_000


class Reading:
    """Public records and collections only."""

    def __init__(self, shelf: Shelf, hidden: Callable[[], frozenset[str]] = frozenset) -> None:
        """Read a shelf; `hidden` names the peers whose mirrors are not shown."""
        self._shelf = shelf
        self._hidden = hidden
        self._known: tuple[int, dict[str, CollectionInfo]] = (-1, {})
        self._all: dict[str, CollectionInfo] = {}

    def version(self) -> int:
        """Give the shelf's version."""
        return self._shelf.version()

    def collections(self) -> dict[str, CollectionInfo]:
        """Give the public collections by name: our own, then the mirrored ones, each in order of name."""
        version = self._shelf.version()
        if self._known[0] != version:
            hidden, found = self._hidden(), self._shelf.collections()
            self._all = {info.name: info for info in found}
            shown = [i for i in found if not is_mirror(i.name) or i.name.split("/")[0] not in hidden]
            public = [info for info in shown if info.visibility == "public"]
            self._known = (
                version,
                {info.name: info for info in sorted(public, key=lambda info: (is_mirror(info.name), info.name))},
            )
        return self._known[1]

    def known(self) -> dict[str, CollectionInfo]:
        """Give every collection by name, whoever may see it: for those alone who decide that."""
        self.collections()
        return self._all

    def own(self) -> list[CollectionInfo]:
        """Give the public collections that are this city's."""
        return [info for info in self.collections().values() if not is_mirror(info.name)]

    def collection(self, name: str) -> CollectionInfo:
        """Find a public collection. Raises NotFound."""
        info = self.collections().get(name)
        if info is None:
            raise NotFound(f"There is no collection {name!r} here.", fix="The collections are listed at /catalog.")
        return info

    def find(self, kind: str, slug: str) -> Held | None:
        """Find a live public record."""
        held = self._shelf.record(kind, slug)
        return held if held is not None and held.collection in self.collections() else None

    def still(self, held: Held) -> bool:
        """Tell whether the shelf holds this very state of the record, still in public."""
        return self.find(held.kind, held.slug) == held

    def record(self, kind: str, slug: str) -> Held:
        """Find a live public record. Raises Withdrawn if it was here, else NotFound."""
        held = self.find(kind, slug)
        if held is not None:
            return held
        # Asked whether or not something restricted is at this address: it must make no difference, also not in time.
        gone = self._shelf.withdrawn(kind, slug)
        if gone is not None:
            raise Withdrawn("This record was withdrawn by its city.", iri=gone[0], at_ms=gone[1])
        raise NotFound(f"There is no record /{KINDS[kind]}/{slug} here.", fix="The records are listed at /catalog.")

    def find_iri(self, iri: str) -> Held | None:
        """Find a live public record by IRI."""
        held = self._shelf.by_iri(iri)
        return held if held is not None and held.collection in self.collections() else None

    def by_iri(self, iri: str) -> Held:
        """Find a live public record by IRI. Raises Withdrawn if it was here, or in a mirror, else NotFound."""
        held = self.find_iri(iri)
        if held is not None:
            return held
        # As in `record`: asked whether or not something restricted has this IRI.
        shown = self.collections()
        for name, at_ms in self._shelf.gone(iri):
            if name in shown:
                said = "This record was withdrawn by its city."
                raise Withdrawn(said, iri=iri, at_ms=at_ms, mirror=name if is_mirror(name) else "")
        raise NotFound("No record with this IRI is held here.", fix="Check its spelling, also http or https.")

    def payload(self, held: Held) -> bytes:
        """Give the payload. Raises NotFound if it was erased since the record was looked up."""
        (body,) = self.payloads([held])
        if not body:
            raise NotFound("This record was erased.", fix="The records are listed at /catalog.")
        return body

    def payloads(self, helds: Sequence[Held]) -> list[bytes]:
        """Give payloads in the order asked for.

        Raises:
            Unavailable: One of them is damaged in our store: our fault, and nothing the caller can change.
        """
        try:
            return list(self._shelf.payloads(helds))
        except Refuted as error:
            log.warning("a payload is damaged", why=str(error), fix="citynode journal verify")
            raise Unavailable("A record is damaged in this node's store.", fix="Its operator has been told.") from error

    def findings(self, held: Held) -> list[Finding]:
        """Say what was found: at harvest for our own records, now for mirrored ones."""
        if not is_mirror(held.collection):
            return list(self._shelf.findings(held))
        return check.findings(held.kind, held.iri, ntriples.triples_of(self.payload(held)))

    def count(self, name: str, *, modified_since_ms: int = 0, kind: str | None = None) -> int:
        """Count the live records of a public collection."""
        return self._shelf.count(self.collection(name).name, modified_since_ms=modified_since_ms, kind=kind)

    def page(self, name: str, *, offset: int, limit: int, modified_since_ms: int = 0) -> list[Held]:
        """List live records of a public collection in order of slug."""
        info = self.collection(name)
        return list(self._shelf.page(info.name, offset=offset, limit=limit, modified_since_ms=modified_since_ms))

    def walk(self, name: str) -> Iterator[list[Held]]:
        """Go through a whole collection in batches, in order of slug; nothing twice, nothing lost that stays.

        Records that come or go meanwhile shift the offsets, so after a change the place is found again by slug.
        """
        offset, version, last = 0, self._shelf.version(), ""
        sent: set[str] = set()  # what was given of slug `last`
        while True:
            moved = self._shelf.version() != version
            if moved:
                version, offset = self._shelf.version(), self._place(name, last)
            batch = list(self._shelf.page(name, offset=offset, limit=BATCH))
            fresh = [held for held in batch if held.slug > last or held.iri not in sent] if moved else batch
            if fresh:
                yield fresh
                sent = {held.iri for held in fresh if held.slug == fresh[-1].slug} | (
                    sent if fresh[-1].slug == last else set()
                )
                last = fresh[-1].slug
            if len(batch) < BATCH:
                return
            offset += len(batch)

    def _place(self, name: str, slug: str) -> int:
        """Find the first offset whose slug is not before this one."""
        low, high = 0, self._shelf.count(name)
        while low < high:
            middle = (low + high) // 2
            found = self._shelf.page(name, offset=middle, limit=1)
            if found and found[0].slug < slug:
                low = middle + 1
            else:
                high = middle
        return low


def held_by(reading: Reading, iri: str) -> Held:
    """Find a record by the IRI of a query. Raises Malformed, NotFound."""
    if not iri or len(iri) > MAX_IRI:
        error = Malformed("There is no IRI to look for.", fix="Write ?iri= and the record's IRI, encoded.")
        error.said = ("refuse.iri", {})
        raise error
    return reading.by_iri(iri)
