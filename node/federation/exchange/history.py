"""What a peer shows now against what is held of it: signed by its keys, of this collection, and of one history.

A head that is larger says nothing yet; its pages will have to prove themselves. A head of our size, or a smaller one,
must be the root of our own tree at that size: two signed roots of one size are two histories, and anyone who has the
city's key can check that. A smaller head of the same history is no lie (a cache, or a node restored from a backup).
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence

from node.errors import BadSignature, Fork, Malformed, Refuted
from node.federation.peers.peers import Follow, Peers
from node.journal import Reader, note
from node.journal.note import Checkpoint
from node.keys import PublicKey, verified


def opened_now(text: str, origin: str, keys: Sequence[PublicKey], now_ms: int) -> Checkpoint | None:
    """Open a note as one that is given now; None if only keys whose time is over signed it.

    Such a note says nothing for or against its city: whoever has an old key can make one at any time. What was taken
    while its key was in force stays what it is.

    Raises:
        Malformed: It is no checkpoint, or one of another collection.
        Refuted: None of the keys signed it, or one of its signatures is wrong.
    """
    found = note.opened(text, {origin: [key.raw for key in keys]}, verified)
    if found.origin != origin:
        raise Malformed(f"The checkpoint of {origin} speaks of {found.origin}.")
    is_new = any(key.is_in_force(now_ms) and note.names_key(text, key.raw) for key in keys)
    return found if is_new else None


class History:
    """Looks at heads of peers."""

    def __init__(self, reader: Reader, peers: Peers, *, clock_ms: Callable[[], int]) -> None:
        """Compare with these journals, by these pinned keys; the clock tells which of them are in force."""
        self._reader = reader
        self._peers = peers
        self._clock_ms = clock_ms

    def opened(self, follow: Follow, text: str) -> Checkpoint:
        """Read a note of a followed collection.

        Raises:
            Malformed: It is no checkpoint, or one of another collection.
            BadSignature: No key that was pinned signed it, or only one whose time is over.
        """
        origin = note.origin_of(follow.iri)
        keys = self._peers.keys(follow.peer, "checkpoint")
        try:
            found = opened_now(text, origin, keys, self._clock_ms())
        except Refuted as error:
            raise BadSignature(
                f"The checkpoint of {follow.local} is signed by no key that was pinned with {follow.peer}.",
                fix=f"If that city rotated its keys in another way: citynode peers approve {follow.peer}",
            ) from error
        if found is None:
            raise BadSignature(
                f"The checkpoint of {follow.local} is signed only by a key of {follow.peer} whose time is over.",
                fix="Its city signs its newest checkpoint anew after a rotation; if it does not, ask it.",
            )
        return found

    def compare(self, follow: Follow, shown: Checkpoint, text: str) -> None:
        """Compare a note (`text`, opened: `shown`) that covers no more than what is held with our own tree.

        Raises:
            Fork: It has another root than ours at its size.
        """
        with self._reader.db.read() as tx:
            ours = self._reader.root(tx, follow.local, shown.size)
            if ours == shown.root:
                return
            held = self._reader.newest_checkpoint(tx, follow.local) or ""
            top = note.checkpoint_of(note.parse(held).text).size if held else 0
            proof = self._reader.consistency(tx, follow.local, shown.size, top) if shown.size <= top else []
        tree = {"held": held, "held_root": b64(ours), "consistency": [b64(each) for each in proof]}
        raise self.fork("split-view", follow, shown, text, tree)

    def fork(self, kind: str, follow: Follow, shown: Checkpoint, text: str, more: Mapping[str, object]) -> Fork:
        """Say what contradicts what, in the form of all evidence of two histories; `more` has the note `held`.

        `split-view` is proven by the two notes and our tree; `broken-history` is what the origin could not prove.
        """
        keys = [note.verifier_key(shown.origin, key.raw) for key in self._peers.keys(follow.peer, "checkpoint")]
        said = {"kind": kind, "origin": shown.origin, "keys": keys, "shown_by": follow.peer, "shown": text}
        summary = f"{follow.iri} has two histories: what {follow.peer} signed does not fit at {shown.size} entries."
        evidence = json.dumps(said | {"size": shown.size} | dict(more))
        fix = "Ask that city; citynode peers show lists the evidence."
        return Fork(summary, evidence=evidence, held=str(more["held"]), shown=text, fix=fix)


def b64(raw: bytes) -> str:
    """Write bytes as C2SP notes write them."""
    return base64.b64encode(raw).decode()
