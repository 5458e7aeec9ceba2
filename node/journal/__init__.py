"""Journals: append-only entries of records, their Merkle trees, checkpoints and followers.

Touches the database and nothing of RDF or HTTP: to a journal a payload is bytes. Readers and followers take what
they need from here; whoever writes imports `node.journal.journal`, and an import contract names those few.
"""

from node.journal.collection import Collection
from node.journal.entry import Draft, Entry, Opening, key_of
from node.journal.follow import (
    Follower,
    Payloads,
    catch_up,
    catch_up_in,
    cursor,
    gone_in,
    keep_up_in,
    late_in,
    rebuild,
)
from node.journal.mirror import Arrived
from node.journal.reading import Reader, newest_of

__all__ = [
    "Arrived",
    "Collection",
    "Draft",
    "Entry",
    "Follower",
    "Opening",
    "Payloads",
    "Reader",
    "catch_up",
    "catch_up_in",
    "cursor",
    "gone_in",
    "keep_up_in",
    "key_of",
    "late_in",
    "newest_of",
    "rebuild",
]
