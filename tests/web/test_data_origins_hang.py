"""An origin that hangs or breaks: what waits for it counts, can be cut, and leaves nothing behind."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from node.errors import Stopped
from node.federation.moved import OriginWish
from tests.federation.agreed import change
from tests.federation.cities import LONDON
from tests.federation.data.door_rig import BODY, PART, Pair, knock, pair

pytestmark = pytest.mark.slow  # two whole nodes
FAR, ORIGIN = "far.csv", "http://127.0.0.1:9"


class Origin:
    """A web server: answers, hangs, or breaks off before its first byte."""

    def __init__(self) -> None:
        self.does = "answer"
        self.asked = 0
        self.over = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        while self.does == "hang" and not self.over.is_set():  # noqa: ASYNC110 (a test's thread says when)
            await asyncio.sleep(0.01)
        told = {"content-type": "text/csv", "etag": '"one"', "content-length": str(len(BODY))}
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(name.encode(), value.encode()) for name, value in told.items()],
            }
        )
        if self.does == "break":
            raise ConnectionError
        await send({"type": "http.response.body", "body": BODY})


@pytest.fixture
def far(migrated: Path, tmp_path: Path) -> Iterator[tuple[Pair, Origin]]:
    """A dataset with a part on this machine and one at an origin, and a transfer of both."""
    origin = Origin()
    with pair(tmp_path, migrated) as made:
        made.lay()
        made.helsinki.wire.apps[ORIGIN] = origin
        office = made.helsinki.federation.moving.origin_parts.office
        office.add(OriginWish(made.dataset, f"{ORIGIN}/{FAR}", FAR), by="a test", files=True)
        made.start()
        yield made, origin
        origin.over.set()


def test_who_waits_for_an_origin_counts_and_is_cut_with_its_agreement(far: tuple[Pair, Origin]) -> None:
    made, origin = far
    assert made.ask(f"/{FAR}").body == BODY
    held = made.door.serving.look(made.pid, LONDON)
    rows = made.streams()
    origin.does, before = "hang", origin.asked
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(made.door.serving.open, held, held.part(FAR)) for _ in range(4)]
        while origin.asked < before + 4:
            threading.Event().wait(0.01)
        assert made.ask(f"/{PART}").status == 429
        change(made.helsinki.node, made.agreement, "revoked")
        threading.Event().wait(0.6)
        origin.over.set()
        assert [type(each.exception(5)) for each in waiting] == [Stopped] * 4
    assert made.streams() == rows  # of what never began the books know nothing
    assert len(made.door.serving.live) == 0


def test_an_origin_that_breaks_before_its_first_byte_leaves_no_stream(far: tuple[Pair, Origin]) -> None:
    made, origin = far
    rows = made.streams()
    origin.does = "break"
    told = [made.ask(f"/{FAR}").status for _ in range(5)]  # one more than may run at once
    assert [status >= 500 for status in told] == [True] * 5
    assert made.streams() == rows
    assert made.ask(f"/{PART}").status == 200
    assert len(made.door.serving.live) == 0


def test_of_many_that_ask_for_what_hangs_none_holds_up_another_transfer(far: tuple[Pair, Origin]) -> None:
    made, origin = far
    first, path = made.pid, f"/data/{made.pid}/{FAR}"
    made.request(part=PART)
    assert made.pid != first
    shown = [made.headers(path, pid=first) for _ in range(40)]
    near = f"/data/{made.pid}/{PART}"

    async def asked() -> tuple[int, int]:
        origin.does, before = "hang", origin.asked
        hanging = [asyncio.create_task(knock(made.helsinki, "GET", path, each)) for each in shown]
        await asyncio.sleep(0.5)
        threads = origin.asked - before
        async with asyncio.timeout(5):
            told = await knock(made.helsinki, "GET", near, showing)
        origin.over.set()
        await asyncio.gather(*hanging)
        return threads, told.status

    showing = {**made.headers(near), "range": "bytes=0-9"}
    threads, status = made.helsinki.wire.run(asked())
    assert 0 < threads <= 2
    assert status == 206
