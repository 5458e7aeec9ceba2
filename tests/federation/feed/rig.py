"""What tests of feeds share."""

from node.federation.feed.feed import Feed
from tests.federation.feed_rig import read
from tests.journal.rig import NAME


def walk(feed: Feed, limit: int, size: int | None = None) -> list[dict]:
    lines, after = [], 0
    while True:
        page = read(feed.page(NAME, after=after, limit=limit, size=size))
        lines += page.lines
        after = page.envelope["end"]
        if after == page.envelope["size"]:
            return lines
