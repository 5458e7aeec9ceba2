"""Walking through everything that a journal still holds: its puts with their payloads, superseded ones too.

For questions about all that a reader of a collection could see, not only about what stands now. Pages of 500 entries,
each in a transaction of its own, so that a walk through millions holds nobody up. Payloads are bytes here.
"""

from collections.abc import Iterator
from typing import NamedTuple

from node.db import Tx
from node.journal.reading import Reader

_PAGE = 500


class Put(NamedTuple):
    """One put whose payload is here."""

    seq: int
    record: str
    kind: str
    payload: bytes


def puts(reader: Reader, name: str) -> Iterator[Put]:
    """Give the puts of a journal from the first on; what is appended meanwhile comes as well, up to some end.

    Raises:
        NotFound: There is no such collection.
    """
    last = 0
    while True:
        with reader.db.read() as tx:
            found, end = _page(tx, reader, name, last)
        yield from found
        if end == last:
            return
        last = end


def puts_in(tx: Tx, reader: Reader, name: str, *, after: int) -> Iterator[Put]:
    """Give the puts after a seq, as this transaction sees them."""
    while True:
        found, end = _page(tx, reader, name, after)
        yield from found
        if end == after:
            return
        after = end


def _page(tx: Tx, reader: Reader, name: str, after: int) -> tuple[list[Put], int]:
    entries = reader.entries(tx, name, after=after, limit=_PAGE)
    openings = [(each.seq, each.opening) for each in entries if each.opening and each.opening.op == "put"]
    payloads = reader.payloads(tx, [opening.digest for _, opening in openings])
    found = [
        Put(seq, opening.record, opening.kind, payloads[opening.digest])
        for seq, opening in openings
        if opening.digest in payloads
    ]
    return found, entries[-1].seq if entries else after
