"""What tests of pulls share: a dataset of one's own in a world of two cities, and London getting it."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.federation.pulls.guard import LOOK_S
from node.federation.pulls.store import Pull, Wanted
from tests.federation.agreed import agree as agreed
from tests.federation.agreed import permits
from tests.federation.cities import City, Request
from tests.federation.data.door_rig import PART, Pair


@dataclass
class Own(Pair):
    """The two cities with a dataset of one test's own."""

    number: int = 1

    @property
    def dataset(self) -> str:
        return self.helsinki.record(self.number)


def agree(two: Own, *constraint: dict[str, Any]) -> str:
    return agreed(
        two.helsinki.node, two.london.node, records=[two.dataset], rules=permits("use", constraint=constraint)
    )


def office(city: City) -> Any:
    return city.federation.moving.pulling.office


def got(two: Own, *, wait_s: float = 10, stop: threading.Event | None = None, **wanted: Any) -> Pull:
    """Get it in London, with Helsinki's worker beside."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            two.settle()

    worker = threading.Thread(target=work)
    worker.start()
    wish = {"dataset": two.dataset, "target": f"{two.folder}/here/", "by": "a test"} | wanted
    try:
        found: Pull = office(two.london).fetch(Wanted(**wish), stop=stop or threading.Event(), wait_s=wait_s)
        return found
    finally:
        over.set()
        worker.join()


def cut_once(two: Own, at: int) -> list[int]:
    """Let the wire break once, at a byte of the answers together; give where it did."""
    cuts: list[int] = []

    def snap(_: Request, sent: int, length: int) -> int | None:
        if not cuts and sent <= at < sent + length:
            cuts.append(at)
            return at - sent
        return None

    two.london.wire.snap = snap
    return cuts


def unfinished(two: Own, name: str = PART) -> Path:
    """Where a part lies in London before it has its name."""
    (found,) = (two.folder / "here").glob(f".citynode-*/{name}")
    return found


def ranges(two: Own) -> list[str]:
    asked = [each for each in two.london.wire.asked if each.path.endswith(PART)]
    return [each.headers.get("Range", "") for each in asked]


def stopped_within(two: Own) -> threading.Event:
    """Give what is set as soon as bytes of the part arrive, as if somebody interrupted the pull there."""
    stop = threading.Event()

    def snap(request: Request, sent: int, _: int) -> int | None:
        if request.path.endswith(PART) and sent and not stop.is_set():
            stop.set()
            time.sleep(3 * LOOK_S)
        return None

    two.london.wire.snap = snap
    return stop
