"""A real engine in a folder of the test's: started as the node starts it, and always ended."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from node.jobs import store
from node.outbound import engine
from node.outbound.engine import Engine, child_at


@dataclass
class Running:
    """An engine that can be ended and started anew."""

    made: store.Store
    process: "subprocess.Popen[bytes] | None" = None
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine(lambda: child_at(self.made.address))

    def start(self) -> None:
        argv, environ = store.prepared(self.made)
        nowhere = subprocess.DEVNULL
        self.process = subprocess.Popen(argv, env=environ, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        told = child_at(self.made.address)
        assert told is not None
        port = int(told.query_url.split(":")[2].split("/")[0])
        engine.tell(self.made.address, port=port, pid=self.process.pid, born=told.born)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def rows(self, query: str) -> list[str]:
        """Give the lines of an answer, sorted, without its head; over all graphs together."""
        asked = self.engine.query(
            query,
            accept="text/tab-separated-values",
            params=[("union-default-graph", "true")],
            deadline_s=10,
            max_bytes=1 << 24,
        )
        return sorted(asked.body.decode().split("\n")[1:-1])

    def quads(self) -> list[str]:
        return self.rows("SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } }")


def is_gone(pid: int, within_s: float = 5.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@contextmanager
def running(folder: Path, name: str = "public", *, timeout_s: int = 5, memory_mib: int = 512) -> Iterator[Running]:
    made = Running(store.Store(folder / name, folder / f"{name}.address", memory_mib << 20, timeout_s))
    made.start()
    try:
        yield made
    finally:
        made.engine.close()
        made.end()


@contextmanager
def tended(made: Running) -> Iterator[Running]:
    """Start an engine anew whenever it ends, as the supervisor does: the node ends one that does not let go of a query
    in time, which on a busy machine any engine may fail to do."""
    over = threading.Event()

    def tend() -> None:
        while not over.wait(0.02):
            if made.process is not None and made.process.poll() is not None:
                made.start()

    tending = threading.Thread(target=tend)
    tending.start()
    try:
        yield made
    finally:
        over.set()
        tending.join()
