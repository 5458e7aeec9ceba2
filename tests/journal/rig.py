"""What the journal's tests share: drafts that look like records, and a follower that keeps the newest state."""

import hashlib
from collections.abc import Sequence

from node.db import Tx
from node.journal import Collection, Draft, Entry, Payloads

NAME = "open-data"


def payload_of(record: str, text: str) -> bytes:
    return f'<{record}> <http://purl.org/dc/terms/title> "{text}"@en .\n'.encode()


def iri_of(number: int) -> str:
    return f"http://127.0.0.1:8001/datasets/d{number}"


def put(number: int, text: str = "A title") -> Draft:
    return Draft(iri_of(number), f"d{number}", "dataset", "put", payload_of(iri_of(number), text))


def withdraw(number: int) -> Draft:
    return Draft(iri_of(number), f"d{number}", "dataset", "withdraw")


def salts(seed: int = 0):
    """Give salts that are the same every time."""
    count = iter(range(seed * 1_000_000, (seed + 1) * 1_000_000))
    return lambda: hashlib.sha256(str(next(count)).encode()).digest()[:16]


class Newest:
    """A follower that keeps each record's newest state in memory, and which entries it saw."""

    name = "newest"

    def __init__(self) -> None:
        self.state: dict[str, dict[str, bytes]] = {}
        self.seen: list[tuple[str, int]] = []

    def apply(self, tx: Tx, collection: Collection, entries: Sequence[Entry], payloads: Payloads) -> None:
        held = payloads(e.opening.digest for e in entries if e.opening and e.opening.op == "put")
        kept = self.state.setdefault(collection.name, {})
        for entry in entries:
            self.seen.append((collection.name, entry.seq))
            if entry.opening and entry.opening.op == "put":
                # Missing only if the entry lost its record to a later one: an erased payload has no opening.
                kept[entry.opening.record] = held[entry.opening.digest]
            elif entry.opening and entry.opening.op == "withdraw":
                kept.pop(entry.opening.record, None)

    def clear(self, tx: Tx) -> None:
        self.state, self.seen = {}, []
