"""The tree of a feed follows from its tiles alone, which grow and never change."""

import pytest

from node.errors import NotFound
from node.federation.feed.feed import Feed
from node.journal.journal import Journals
from tests.federation.feed.rig import walk
from tests.federation.feed_rig import fill, leaf, many, noted_root, root_over
from tests.journal.rig import NAME

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save


def tile_of(feed: Feed, level: int, index: int, width: int = 256) -> list[bytes]:
    body = feed.tile(NAME, level, index, width)
    assert len(body) == 32 * width
    return [body[at : at + 32] for at in range(0, len(body), 32)]


def hashes_at(feed: Feed, level: int, size: int) -> list[bytes]:
    """Read a whole level as C2SP tlog-tiles says: full tiles, then the partial one."""
    count = size >> (8 * level)
    found = []
    for index in range(-(-count // 256)):
        found += tile_of(feed, level, index, min(256, count - 256 * index))
    return found


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 700])
def test_the_root_follows_from_the_tiles_alone(journals: Journals, feed: Feed, size: int) -> None:
    fill(journals, *many(size))
    leaves = hashes_at(feed, 0, size)
    assert root_over(leaves) == noted_root(feed.note(NAME))
    assert leaves == [leaf(line) for line in walk(feed, 1_000)]
    assert hashes_at(feed, 1, size) == [root_over(leaves[n : n + 256]) for n in range(0, size // 256 * 256, 256)]


def test_inclusion_follows_from_the_tiles_alone(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(600))
    leaves = hashes_at(feed, 0, 600)

    def path(index: int, hashes: list[bytes]) -> list[bytes]:
        if len(hashes) == 1:
            return []
        k = 1
        while k * 2 < len(hashes):
            k *= 2
        near, far = (hashes[:k], hashes[k:]) if index < k else (hashes[k:], hashes[:k])
        return [*path(index if index < k else index - k, near), root_over(far)]

    with journals.db.read() as tx:
        for index in (0, 255, 256, 511, 512, 599):
            assert path(index, leaves) == journals.inclusion(tx, NAME, index + 1, 600)


def test_tiles_grow_and_never_change(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(300))
    first, part = feed.tile(NAME, 0, 0), feed.tile(NAME, 0, 1, 44)
    fill(journals, *many(300, 300))
    assert feed.tile(NAME, 0, 0) == first
    assert feed.tile(NAME, 0, 1, 44) == part
    assert feed.tile(NAME, 0, 1).startswith(part)


@pytest.mark.parametrize(
    "asked",
    [
        *[(0, 1, 45), (0, 1, 256), (0, 2, 1), (1, 0, 2), (1, 0, 256), (2, 0, 1), (8, 0, 1), (63, 0, 1)],
        *[(0, 1 << 70, 1), (0, -1, 1), (-1, 0, 1), (0, 0, 0), (0, 0, 257), (0, 0, -5)],
    ],
)
def test_a_tile_beyond_the_signed_tree_is_not_found(
    journals: Journals, feed: Feed, asked: tuple[int, int, int]
) -> None:
    fill(journals, *many(300))
    fill(journals, *many(300, 300), sign=False)
    with pytest.raises(NotFound):
        feed.tile(NAME, *asked)
