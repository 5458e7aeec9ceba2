"""The seal of a page: which cities have seen the history that a record stands in, beside its own.

A checkpoint is cosigned within a minute of being signed, so the newest one may have no witness yet while an older one
that covers the record has: whichever of the two each city has seen is told. Nothing is told of a note that cannot be
read.
"""

from collections.abc import Sequence

from node.errors import NodeError
from node.web.parts import Parts
from node.web.ports.history import Cosigner
from node.web.ports.ports import Checkpoint


def cosigners_of(
    parts: Parts, collection: str, checkpoint: Checkpoint | None, *, covering: int = 1
) -> Sequence[Cosigner]:
    """Give the cities that have seen a checkpoint of a collection which covers an entry, each once, by name."""
    federation = parts.site.federation
    if federation is None or checkpoint is None:
        return ()
    cosigners = federation.watching.cosigners
    found: dict[str, Cosigner] = {}
    for size in dict.fromkeys((cosigners.cosigned(collection), checkpoint.size)):
        if size >= covering:
            found |= {each.city: each for each in _of(parts, collection, size)}
    return [found[city] for city in sorted(found)]


def _of(parts: Parts, collection: str, size: int) -> Sequence[Cosigner]:
    federation = parts.site.federation
    try:
        return federation.watching.cosigners.of(parts.site.feed.note(collection, size)) if federation else ()
    except NodeError:
        return ()
