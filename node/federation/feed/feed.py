"""The feed going out: what other nodes read of a collection, own or mirrored, page by page or all at once.

A reading of the journals; it knows no caller, so whoever serves it asks `rights` first. Only signed sizes are shown:
what was appended since, or is being fetched from an origin, is in no page yet. Every method reads in a transaction of
its own that ends before a byte is sent, so no slow reader holds up a writer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from node.db import Tx
from node.errors import Malformed, NotFound
from node.federation.answers import Records
from node.federation.feed import feed_pages
from node.federation.feed.feed_pages import MAX_ENTRIES, MAX_PAYLOAD_BYTES, MAX_STUBS
from node.journal import Collection, Entry, Reader, note

# Payloads are fetched in small lots, so that a page of large ones costs little more memory than it may hold.
_LOT = 50
TILE_WIDTH = 256
_MAX_LEVEL = 7  # 256**8 entries are more than any number here counts
_GAPS = (
    "SELECT e.seq, e.op IS NULL FROM entry e LEFT JOIN payload p ON p.digest = e.digest"
    " LEFT JOIN refusal f ON f.collection_id = e.collection_id AND f.seq = e.seq"
    " WHERE e.collection_id = ? AND e.seq > ? AND e.seq <= ?"
    " AND (e.op IS NULL OR f.seq IS NOT NULL OR (e.digest IS NOT NULL AND p.digest IS NULL)) ORDER BY e.seq"
)

KeysOf = Callable[[str], Sequence[bytes]]
Only = Records | None  # the records that may be seen; None: all


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed state of a collection; `key` is the C2SP verifier key of its origin, empty if not known."""

    collection: str
    name: str
    size: int
    checkpoint: str
    key: str

    def document(self) -> dict[str, str | int]:
        """Give it as it stands in `/checkpoints`."""
        said: dict[str, str | int] = {"collection": self.collection, "name": self.name, "size": self.size}
        return said | {"checkpoint": self.checkpoint, "key": self.key}


@dataclass(frozen=True, slots=True)
class Page:
    """The bytes of a page, their tag (an ETag without quotes and coding), the last seq, and the records told of."""

    body: bytes
    tag: str
    end: int
    given: frozenset[str] = frozenset()


class Feed:
    """Reads collections for those who follow them. Safe in every thread.

    Where `only` names records, everything else is given as a stub: the tree is whole, and says no more than its size.
    An erasure is always given, so that whoever holds its target can obey it.
    """

    def __init__(self, reader: Reader, keys_of: KeysOf) -> None:
        """Read through the journals; `keys_of` gives the keys that may have signed the notes of a collection."""
        self._reader = reader
        self._keys_of = keys_of
        self._known: tuple[object, tuple[Head, ...]] = (None, ())

    def heads(self) -> tuple[Head, ...]:
        """Give the newest signed state of every public collection, own and mirrored, in order of name."""
        version = self._reader.db.data_version()
        if self._known[0] != version:
            with self._reader.db.read() as tx:
                found = [self._head(tx, one) for one in self._reader.collections(tx) if one.visibility == "public"]
            self._known = (version, tuple(sorted(filter(None, found), key=lambda head: head.name)))
        return self._known[1]

    def held(self, peer: str) -> tuple[Head, ...]:
        """Give the newest signed state of every mirror of a peer's collections, whoever may see it."""
        with self._reader.db.read() as tx:
            of_it = [each for each in self._reader.collections(tx) if each.name.startswith(f"{peer}/")]
            found = [self._head(tx, each) for each in of_it]
        return tuple(filter(None, found))

    def note(self, name: str, size: int | None = None) -> str:
        """Give the signed note of the newest size, or of an older one, with the cosignatures that are known.

        Raises:
            NotFound: There is no such collection, or none of that size was signed.
        """
        with self._reader.db.read() as tx:
            collection = self._reader.get(tx, name)
            signed, text = _noted(tx, collection, size)
            return _cosigned(tx, collection, signed, text)

    def page(
        self, name: str, *, after: int, size: int | None = None, limit: int = MAX_ENTRIES, only: Only = None
    ) -> bytes:
        """Give the entries after a seq: at most `limit`, at most 4 MiB of payload, at least one if there is one.

        Raises:
            NotFound: There is no such collection, `size` was not signed, or `after` is past it.
            Malformed: `limit` is not from 1 to 1,000.
        """
        return self.paged(name, after=after, size=size, limit=limit, only=only).body

    def paged(
        self, name: str, *, after: int, size: int | None = None, limit: int = MAX_ENTRIES, only: Only = None
    ) -> Page:
        """Give a page and its tag, read in one transaction; otherwise like `page`."""
        with self._reader.db.read() as tx:
            collection = self._reader.get(tx, name)
            signed, text, tag = self._asked(tx, collection, (after, size, limit), only)
            entries = self._reader.entries(tx, name, after=after, limit=min(limit, signed - after))
            lines = self._lines(tx, entries, only)
            end = after + len(lines)
            first = feed_pages.envelope(
                collection=collection.iri,
                after=after,
                end=end,
                size=signed,
                checkpoint=text,
                consistency=self._reader.consistency(tx, name, after, signed),
                through=self._reader.consistency(tx, name, end, signed),
            )
        return Page(b"".join([first, *lines]), tag, end, _given(entries[: len(lines)], only))

    def tag(
        self, name: str, *, after: int, size: int | None = None, limit: int = MAX_ENTRIES, only: Only = None
    ) -> str:
        """Name the bytes that `page` would give, without making them. Raises like `page`."""
        with self._reader.db.read() as tx:
            return self._asked(tx, self._reader.get(tx, name), (after, size, limit), only)[2]

    def stubs(self, name: str, seqs: Sequence[int], size: int | None = None) -> bytes:
        """Give single entries of a signed tree again, as far as they may be seen now; at most 200, each once.

        The envelope names those that are in the answer: where 4 MiB of payload are full, the rest is for another one.

        Raises:
            NotFound: There is no such collection or size, or no such entry in it.
            Malformed: No seq, or too many.
        """
        return self.stubs_paged(name, seqs, size).body

    def stubs_paged(self, name: str, seqs: Sequence[int], size: int | None = None, *, only: Only = None) -> Page:
        """Give single entries and their tag; otherwise like `stubs`."""
        wanted = sorted(set(seqs))
        if not 1 <= len(wanted) <= MAX_STUBS:
            raise Malformed(f"From 1 to {MAX_STUBS} entries can be named.", fix="Ask for less at once.")
        with self._reader.db.read() as tx:
            collection = self._reader.get(tx, name)
            signed, text = _own_signed(tx, collection, size)
            if wanted[0] < 1 or wanted[-1] > signed:
                raise NotFound(f"There is no entry {wanted[-1]} among the first {signed}.")
            entries = [self._reader.entry(tx, name, seq) for seq in wanted]
            lines = self._lines(tx, entries, only)
        given = wanted[: len(lines)]
        first = feed_pages.envelope_of_stubs(collection=collection.iri, seqs=given, size=signed, checkpoint=text)
        body = b"".join([first, *lines])
        return Page(body, feed_pages.tag_of_bytes(body), given[-1], _given(entries[: len(lines)], only))

    def snapshot(self, name: str, size: int | None = None, *, only: Only = None) -> Iterator[bytes]:
        """Give all pages of a signed size one after the other; each is made when it is asked for.

        What is wrong with the question is raised at once, before the first page.
        """
        with self._reader.db.read() as tx:
            signed = _noted(tx, self._reader.get(tx, name), size)[0]
        return self._pages(name, signed, only)

    def _pages(self, name: str, size: int, only: Only) -> Iterator[bytes]:
        page = self.paged(name, after=0, size=size, only=only)
        yield page.body
        while page.end < size:
            page = self.paged(name, after=page.end, size=size, only=only)
            yield page.body

    def tile(self, name: str, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
        """Give the first `width` hashes of a C2SP tile, 32 bytes each; only hashes below the newest signed size.

        Raises:
            NotFound: There is no such collection, or the signed tree has no such tile, or not so wide a one.
        """
        missing = NotFound(f"The signed tree of {name} has no such tile.", fix="Take sizes from its checkpoint.")
        if not (0 <= level <= _MAX_LEVEL and index >= 0 and 1 <= width <= TILE_WIDTH):
            raise missing
        with self._reader.db.read() as tx:
            signed = _noted(tx, self._reader.get(tx, name), None)[0]
            if index * TILE_WIDTH + width > signed >> (8 * level):
                raise missing
            return b"".join(self._reader.tile(tx, name, level, index)[:width])

    def _head(self, tx: Tx, collection: Collection) -> Head | None:
        try:
            size, text = _noted(tx, collection, None)
        except NotFound:
            return None  # not signed yet, or not yet held in full
        key = next((raw for raw in self._keys_of(collection.name) if note.names_key(text, raw)), None)
        said = note.verifier_key(note.origin_of(collection.iri), key) if key else ""
        return Head(collection.iri, collection.name, size, _cosigned(tx, collection, size, text), said)

    def _asked(
        self, tx: Tx, collection: Collection, asked: tuple[int, int | None, int], only: Only
    ) -> tuple[int, str, str]:
        """Settle what a page (after, size, limit) is to be; give its signed size, note and tag."""
        after, size, limit = asked
        if not 1 <= limit <= MAX_ENTRIES:
            raise Malformed(f"A page has from 1 to {MAX_ENTRIES} entries.", fix=f"Write limit={MAX_ENTRIES}.")
        signed, text = _own_signed(tx, collection, size)
        if not 0 <= after <= signed:
            raise NotFound(f"{collection.name} has no entries after {after}: {signed} are signed.")
        gaps = [(int(row[0]), bool(row[1])) for row in tx.rows(_GAPS, collection.id, after, min(after + limit, signed))]
        shown = [] if only is None else [only.marks]
        return signed, text, feed_pages.tag_of([collection.iri, after, limit, signed, text, *shown], gaps)

    def _lines(self, tx: Tx, entries: Sequence[Entry], only: Only) -> list[bytes]:
        entries = entries if only is None else [_stub_unless(entry, only) for entry in entries]
        lines: list[bytes] = []
        taken = 0
        for start in range(0, len(entries), _LOT):
            lot = entries[start : start + _LOT]
            held = self._reader.payloads(tx, filter(None, map(digest_shown, lot)))
            for entry in lot:
                payload = held.get(digest_shown(entry))
                taken += len(payload or b"")
                if taken > MAX_PAYLOAD_BYTES and lines:
                    return lines
                lines.append(feed_pages.line_of(entry, payload))
        return lines


def _stub_unless(entry: Entry, only: Records) -> Entry:
    """Take what an entry says out of it, unless it is about one of these records or says an erasure."""
    opening = entry.opening
    return entry if opening is None or opening.op == "erase" or opening.record in only else replace(entry, opening=None)


def _given(entries: Sequence[Entry], only: Only) -> frozenset[str]:
    told = (entry.opening.record for entry in entries if entry.opening and entry.opening.op != "erase")
    return frozenset(told if only is None else filter(only.__contains__, told))


def digest_shown(entry: Entry) -> str:
    """Give the digest of the payload that goes with an entry, or nothing.

    Not where a mirror refused it: that the same payload is here for another record is no reason to give it out.
    """
    return entry.opening.digest if entry.opening and not entry.refused else ""


def signed_size(tx: Tx, collection: Collection) -> int:
    """Give the newest size that was signed and is here in full. Raises NotFound while there is none."""
    return _noted(tx, collection, None)[0]


def _noted(tx: Tx, collection: Collection, size: int | None) -> tuple[int, str]:
    """Find the note of a size, or the newest that covers no more than is here."""
    if size is not None and not 0 <= size <= collection.size:
        raise NotFound(f"{collection.name} has no checkpoint of {size} entries.")
    mark = "size <= ?" if size is None else "size = ?"
    sql = f"SELECT size, note FROM checkpoint WHERE collection_id = ? AND {mark} ORDER BY size DESC LIMIT 1"  # noqa: S608
    row = tx.row(sql, collection.id, collection.size if size is None else size)
    if row is None:
        told = "yet" if size is None else f"of {size} entries"
        raise NotFound(f"{collection.name} has no checkpoint {told}.", fix="Its newest one is at /checkpoints.")
    return int(row[0]), str(row[1])


def _own_signed(tx: Tx, collection: Collection, size: int | None) -> tuple[int, str]:
    """Find a size and its note as the origin alone signed it: cosignatures come later and would change the page."""
    signed, text = _noted(tx, collection, size)
    parsed, origin = note.parse(text), note.origin_of(collection.iri)
    own = tuple(line for line in parsed.signatures if line.name == origin)
    return signed, note.SignedNote(parsed.text, own).render() if own else text


def _cosigned(tx: Tx, collection: Collection, size: int, text: str) -> str:
    sql = "SELECT line FROM cosignature WHERE collection_id = ? AND size = ? ORDER BY witness"
    return note.with_lines(text, [str(row[0]) for row in tx.rows(sql, collection.id, size)])
