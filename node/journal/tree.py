"""The Merkle tree of RFC 9162, section 2: roots, frontiers, proofs and their verification. Pure.

Works on hashes of leaves; where they are kept is the caller's matter. A *frontier* is the list of roots of the
complete subtrees a tree of some size consists of, largest first: all that is needed to append and to give the root.
Heights count from 0 (leaves); a *tile level* is eight heights, so complete subtrees of 256, 65,536 … leaves.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
TILE_HEIGHT = 8
HASH_BYTES = 32

# Gives the root of the complete subtree of 2**height leaves that starts at leaf index * 2**height.
Complete = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Tile:
    """The root of one complete subtree of 256**level leaves, level 1 and up."""

    level: int
    idx: int
    hash: bytes


def leaf_hash(data: bytes) -> bytes:
    """Hash the bytes of one leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees to the one above them."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree, of which only the roots of its complete subtrees are kept."""

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        self.size = size
        self._roots = list(roots)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "Frontier":
        """Read what `to_bytes` gave; ValueError if it does not fit the size."""
        if len(data) != size.bit_count() * HASH_BYTES:
            raise ValueError("the frontier does not fit the size")
        return cls(size, (data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)))

    def to_bytes(self) -> bytes:
        """Give the roots one after the other, largest subtree first."""
        return b"".join(self._roots)

    def append(self, leaf: bytes) -> list[Tile]:
        """Add one leaf hash; give the tiles' roots it completed, lowest first."""
        node, position, height = leaf, self.size, 0
        completed = []
        while position & 1:
            node = node_hash(self._roots.pop(), node)
            position >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                completed.append(Tile(height // TILE_HEIGHT, position, node))
        self._roots.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Give the root of the whole tree."""
        if not self._roots:
            return EMPTY_ROOT
        node = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            node = node_hash(left, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Give the root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """Give the largest power of two smaller than `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def subtree(start: int, end: int, complete: Complete) -> bytes:
    """Give MTH(D[start:end]) for a range that occurs in a tree: `start` a multiple of its largest complete part."""
    size = end - start
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return complete(height, start >> height)
    middle = start + _split(size)
    return node_hash(subtree(start, middle, complete), subtree(middle, end, complete))


def inclusion(index: int, size: int, complete: Complete) -> list[bytes]:
    """Prove that leaf `index` (from 0) is in the tree of `size` leaves: PATH of RFC 9162, 2.1.3.1."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree(middle, end, complete))
            end = middle
        else:
            path.append(subtree(start, middle, complete))
            start = middle
    return path[::-1]


def consistency(old: int, new: int, complete: Complete) -> list[bytes]:
    """Prove that the tree of `new` leaves continues that of `old`: RFC 9162, 2.1.4.1; empty if `old` is 0 or `new`."""
    if not 0 <= old <= new:
        raise ValueError("the older tree is larger than the newer")
    if old in (0, new):
        return []
    start, end, path = 0, new, []
    known = True  # the older tree is a whole subtree so far: its root is known to the verifier
    while old - start != end - start:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree(middle, end, complete))
            end = middle
        else:
            path.append(subtree(start, middle, complete))
            start, known = middle, False
    if not known:
        path.append(subtree(start, end, complete))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof as RFC 9162, 2.1.3.2 does."""
    if not 0 <= index < size:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Check a consistency proof as RFC 9162, 2.1.4.2 does; the empty tree is consistent with every other."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return _climbs(fn, sn, path, (old_root, new_root))


def _climbs(fn: int, sn: int, path: Sequence[bytes], roots: tuple[bytes, bytes]) -> bool:
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_node = node_hash(new_node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and (old_node, new_node) == roots
