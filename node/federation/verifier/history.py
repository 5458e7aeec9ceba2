"""Whether a collection's checkpoint continues an older one: by a proof that a node gives, or by its tiles alone.

The node gives the proof with a page; where it cannot, the verifier makes the proof itself from tiles (C2SP tlog-tiles),
which any file server can serve. Either way it is checked against both signed roots, so it does not matter who gave it.
"""

from node.errors import BrokenHistory, Malformed, NotFound, PeerUnreachable
from node.federation.verifier.proof import hashes_of, object_of
from node.federation.verifier.web import MAX_PAGE_BYTES, Web
from node.journal import tree
from node.journal.note import Checkpoint

_WIDTH = 256


def continues(web: Web, base: str, name: str, old: Checkpoint, new: Checkpoint) -> None:
    """Check that a collection at a node grew from `old` to `new`, both signed.

    Raises:
        BrokenHistory: It did not: history was rewritten, or two are told.
        PeerUnreachable: The node has not yet what the older checkpoint covers, or gives no proof.
    """
    if old.size > new.size:
        raise PeerUnreachable(
            f"The older checkpoint has {old.size} entries, and {base} shows {new.size}.",
            fix="Ask the origin; a node that goes back was restored from a backup, or lies.",
        )
    if old.size == new.size:
        if old.root != new.root:
            raise BrokenHistory(f"Two checkpoints of {old.size} entries of {old.origin} have different roots.")
        return
    if old.size == 0 and old.root == tree.EMPTY_ROOT:
        return
    proofs = (_from_page, _from_tiles)
    if not any(_holds(proof(web, base, name, old.size, new.size), old, new) for proof in proofs):
        raise BrokenHistory(f"The checkpoint of {new.size} entries does not continue the older one of {old.size}.")


def _holds(proof: list[bytes] | None, old: Checkpoint, new: Checkpoint) -> bool:
    return proof is not None and tree.verify_consistency(old.size, new.size, proof, old.root, new.root)


def _from_page(web: Web, base: str, name: str, old: int, new: int) -> list[bytes] | None:
    try:
        told = object_of(web.envelope(base, name, after=old, size=new), MAX_PAGE_BYTES)
        return list(hashes_of(told.get("consistency")))
    except (Malformed, NotFound):
        return None


def _from_tiles(web: Web, base: str, name: str, old: int, new: int) -> list[bytes] | None:
    tiles = _Tiles(web, base, name, new)
    try:
        return tree.consistency(old, new, tiles.complete)
    except (Malformed, NotFound):
        return None


class _Tiles:
    """The hashes of one tree as its tiles have them."""

    def __init__(self, web: Web, base: str, name: str, size: int) -> None:
        self._web = web
        self._base = base
        self._name = name
        self._size = size
        self._held: dict[tuple[int, int], list[bytes]] = {}

    def complete(self, height: int, index: int) -> bytes:
        """Give the root of a complete subtree of 2**height leaves."""
        level, rest = divmod(height, tree.TILE_HEIGHT)
        tile, offset = divmod(index << rest, _WIDTH)
        hashes = self._tile(level, tile)[offset : offset + (1 << rest)]
        if len(hashes) != 1 << rest:
            raise Malformed("A tile is shorter than its tree.")
        return tree.root_of(hashes)

    def _tile(self, level: int, index: int) -> list[bytes]:
        if (level, index) not in self._held:
            width = min(_WIDTH, self._size // _WIDTH**level - index * _WIDTH)
            raw = self._web.tile(self._base, self._name, tile_path(level, index, width))
            if len(raw) != width * tree.HASH_BYTES:
                raise Malformed("A tile has another size than it should.")
            hashes = [raw[at : at + tree.HASH_BYTES] for at in range(0, len(raw), tree.HASH_BYTES)]
            self._held[level, index] = hashes
        return self._held[level, index]


def tile_path(level: int, index: int, width: int) -> str:
    """Write a tile's path as C2SP tlog-tiles does: `0/x001/234`, and `.p/5` for one that is not full.

    >>> tile_path(0, 1234067, 256), tile_path(1, 7, 5)
    ('0/x001/x234/067', '1/007.p/5')
    """
    digits = f"{index:03d}"
    groups = [f"{part:03d}" for part in _thousands(int(digits))]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"{level}/{path}" + (f".p/{width}" if width < _WIDTH else "")


def _thousands(index: int) -> list[int]:
    groups = [index % 1000]
    while index := index // 1000:
        groups.insert(0, index % 1000)
    return groups
