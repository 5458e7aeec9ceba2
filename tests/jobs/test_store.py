"""The triple store's process: it becomes the engine, within its bounds, and throws away what cannot be opened."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.errors import Misconfigured
from node.jobs import store
from node.outbound.engine import Engine, child_at
from tests.catalog.graph.engines import Running, running

pytestmark = pytest.mark.slow  # real processes: seconds, not milliseconds

BECOME = """
import sys
from pathlib import Path
from node.jobs import store
store.become(store.Store(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), 5))
"""


def begin(folder: Path, *, memory_mib: int = 512) -> "subprocess.Popen[bytes]":
    arguments = [str(folder / "public"), str(folder / "public.address"), str(memory_mib << 20)]
    return subprocess.Popen([sys.executable, "-c", BECOME, *arguments])


def until_there(folder: Path) -> Engine:
    engine = Engine(lambda: child_at(folder / "public.address"))
    until = time.monotonic() + 20
    while child_at(folder / "public.address") is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    return engine


def ask(engine: Engine, query: str = "ASK { ?s ?p ?o }") -> object:
    found = engine.query(query, accept="application/sparql-results+json", deadline_s=20, max_bytes=1 << 20)
    return json.loads(found.body)["boolean"]


def test_the_process_becomes_the_engine_on_the_loopback_within_its_memory(tmp_path: Path) -> None:
    process = begin(tmp_path, memory_mib=300)
    try:
        engine = until_there(tmp_path)
        assert ask(engine) is False
        address = engine.address
        assert address is not None
        assert address.pid == process.pid
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        [line] = [line for line in limits.splitlines() if line.startswith("Max data size")]
        assert int(line.split()[3]) == (600 << 20) + store.OWN_BYTES + store._MOST_THREADS * store.STACK_BYTES
        assert Path(f"/proc/{process.pid}/exe").readlink() == store.program()
        engine.close()
    finally:
        process.terminate()
        process.wait(10)


def test_what_was_written_is_there_again_and_a_store_keeps_its_mark(tmp_path: Path) -> None:
    with running(tmp_path) as made:
        made.engine.update(b"INSERT DATA { <x:s> <x:p> 1 }", deadline_s=5)
        before = made.engine.address
        made.end()  # killed, and not asked to stop
        made.start()
        assert ask(made.engine) is True
        after = made.engine.address
        assert before is not None
        assert after is not None
        assert before.born == after.born


def test_a_damaged_store_is_made_anew_and_says_so_by_another_mark(tmp_path: Path) -> None:
    with running(tmp_path) as made:
        made.engine.update(b"INSERT DATA { <x:s> <x:p> 1 }", deadline_s=5)
        before = made.engine.address
        made.end()
        for each in made.made.folder.glob("MANIFEST-*"):
            each.write_bytes(b"damaged")
        made.start()
        assert ask(made.engine) is False
        after = made.engine.address
        assert before is not None
        assert after is not None
        assert before.born != after.born


def test_a_store_that_another_engine_holds_is_not_thrown_away(tmp_path: Path) -> None:
    with running(tmp_path) as made:
        made.engine.update(b"INSERT DATA { <x:s> <x:p> 1 }", deadline_s=5)
        other = Running(store.Store(made.made.folder, tmp_path / "other.address", 512 << 20, 5))
        other.start()
        try:
            assert other.process is not None
            assert other.process.wait(10) != 0
        finally:
            other.end()
        assert ask(made.engine) is True


def test_without_the_program_the_start_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PROGRAM", "no-such-program")
    with pytest.raises(Misconfigured, match="not installed") as stopped:
        store.program()
    assert "CITYNODE_SPARQL=off" in stopped.value.fix
