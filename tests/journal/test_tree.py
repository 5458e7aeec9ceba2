"""The Merkle tree against the definitions of RFC 9162, written out again here, and published roots."""

import hashlib

import pytest

from node.journal import tree

# The inputs and roots of the Certificate Transparency reference implementations.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(data: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return hashlib.sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, data: list[bytes]) -> list[bytes]:
    """PATH of 2.1.3.1."""
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*path(m, data[:k]), mth(data[k:])]
    return [*path(m - k, data[k:]), mth(data[:k])]


def subproof(m: int, data: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of 2.1.4.1."""
    if m == len(data):
        return [] if whole else [mth(data)]
    k = split(len(data))
    if m <= k:
        return [*subproof(m, data[:k], whole), mth(data[k:])]
    return [*subproof(m - k, data[k:], False), mth(data[:k])]


def data_of(size: int) -> list[bytes]:
    return [f"leaf {number}".encode() for number in range(size)]


def complete_of(data: list[bytes]) -> tree.Complete:
    return lambda height, index: mth(data[index << height : (index + 1) << height])


def test_published_roots():
    for size, root in enumerate(ROOTS, 1):
        assert tree.root_of(map(tree.leaf_hash, INPUTS[:size])).hex() == root
    assert tree.root_of([]) == tree.EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 100])
def test_inclusion_proofs_are_those_of_the_rfc_and_prove(size: int):
    data = data_of(size)
    root = mth(data)
    for index in range(size):
        proof = tree.inclusion(index, size, complete_of(data))
        assert proof == path(index, data)
        leaf = tree.leaf_hash(data[index])
        assert tree.verify_inclusion(leaf, index, size, proof, root)
        assert not tree.verify_inclusion(tree.leaf_hash(b"other"), index, size, proof, root)
        assert not tree.verify_inclusion(leaf, index, size, [*proof, root], root)
        assert not tree.verify_inclusion(leaf, index, size, proof[:-1], root) or size == 1
        assert not tree.verify_inclusion(leaf, size, size, proof, root)
    with pytest.raises(ValueError, match="not in the tree"):
        tree.inclusion(size, size, complete_of(data))


@pytest.mark.parametrize("new", [*range(18), 31, 32, 33, 64])
def test_consistency_proofs_are_those_of_the_rfc_and_prove(new: int):
    data = data_of(new)
    root = mth(data)
    for old in range(new + 1):
        proof = tree.consistency(old, new, complete_of(data))
        assert proof == (subproof(old, data, True) if old else [])
        older = mth(data[:old])
        assert tree.verify_consistency(old, new, proof, older, root)
        wrong = hashlib.sha256(older).digest()
        assert not tree.verify_consistency(old, new, proof, wrong, root)
        assert not tree.verify_consistency(old, new, [*proof, root], older, root)
        if 0 < old < new:
            assert not tree.verify_consistency(old, new, proof, older, wrong)
            assert not tree.verify_consistency(old, new, proof[:-1], older, root)
            assert not tree.verify_consistency(old, new, [], older, root)
    with pytest.raises(ValueError, match="larger"):
        tree.consistency(new + 1, new, complete_of(data))
    assert not tree.verify_consistency(new + 1, new, [], root, root)


def test_a_frontier_gives_every_root_and_every_tile_on_its_way():
    frontier, data = tree.Frontier(), data_of(600)
    tiles = []
    for number, leaf in enumerate(data, 1):
        tiles += frontier.append(tree.leaf_hash(leaf))
        frontier = tree.Frontier.from_bytes(number, frontier.to_bytes())
        if number in {1, 2, 255, 256, 257, 512, 600}:
            assert frontier.root() == mth(data[:number])
    assert tiles == [tree.Tile(1, 0, mth(data[:256])), tree.Tile(1, 1, mth(data[256:512]))]


def test_a_second_level_tile_is_completed_by_its_65536th_leaf():
    frontier, leaf = tree.Frontier(), tree.leaf_hash(b"")
    tiles = [tile for _ in range(65_536) for tile in frontier.append(leaf)]
    assert len(tiles) == 257
    assert (tiles[-1].level, tiles[-1].idx, tiles[-1].hash) == (2, 0, frontier.root())


def test_a_frontier_that_does_not_fit_its_size_is_refused():
    with pytest.raises(ValueError, match="fit"):
        tree.Frontier.from_bytes(3, b"\x00" * 32)
