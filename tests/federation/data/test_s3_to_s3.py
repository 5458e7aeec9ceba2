"""From store to store: an object of Helsinki's bucket comes to be one of London's, and both sign for it."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.federation.data.s3_sink import PIECE
from node.federation.moved import OriginWish
from node.federation.pulls.store import Wanted
from node.outbound import Outbound
from tests.federation.agreed import agree, permits
from tests.federation.cities import Door
from tests.federation.data import s3_server
from tests.federation.data.door_rig import Pair, pair
from tests.federation.data.s3_server import BUCKET, REGION, Store

pytestmark = pytest.mark.slow  # whole nodes, and a server in a process of its own

BODY = os.urandom(2 * PIECE + 12_345)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with s3_server.running(tmp_path) as made:
        yield made


@pytest.fixture
def two(tmp_path: Path, migrated: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """Give two cities whose way out leads to the store over the network, and to each other over the wire."""
    for name in ("ask", "stream", "send"):
        wired, real = getattr(Door, name), getattr(Outbound, name)

        def either(door: Door, url: str, *args: Any, wired: Any = wired, real: Any = real, **how: Any) -> Any:
            return (real if url.startswith(store.url) else wired)(door, url, *args, **how)

        monkeypatch.setattr(Door, name, either)
    folder = tmp_path / "cities"
    folder.mkdir()
    with pair(folder, migrated) as made:
        for city in (made.helsinki, made.london):
            more = {"key_id": store.key_id, "region": REGION}
            office = city.federation.moving.origin_parts.office
            office.set_credential("store", "s3", store.url, store.secret, more)
        yield made


def test_an_object_of_one_city_comes_to_be_one_of_the_other(two: Pair, store: Store) -> None:
    store.client.put_object(Bucket=BUCKET, Key="helsinki/noise.csv", Body=BODY, ContentType="text/csv")
    wish = OriginWish(two.dataset, f"s3://{BUCKET}/helsinki/noise.csv")
    two.helsinki.federation.moving.origin_parts.office.add(wish, by="a test")
    agree(two.helsinki.node, two.london.node, records=[two.dataset], rules=permits("use"))
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            two.settle()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        wanted = Wanted(dataset=two.dataset, target=f"s3://{BUCKET}/london/noise.csv", by="a test")
        pull = two.london.federation.moving.pulling.office.fetch(wanted, stop=threading.Event(), wait_s=20)
    finally:
        over.set()
        worker.join()
    assert (pull.state, pull.got) == ("done", len(BODY)), pull.said
    assert store.body("london/noise.csv") == BODY
    assert store.uploads() == []
    for city in (two.london, two.helsinki):
        assert city.sql("SELECT kind FROM receipt WHERE dataset = ?", two.dataset) == [("receipt",)]
