"""kill -9 at any moment: nothing acknowledged is lost, nothing is half applied. And two writers at once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.db import Database
from node.journal import catch_up, cursor, rebuild
from node.journal.journal import Journals
from node.journal.verify import verify
from node.keys import Keyring
from tests.journal.child import BATCH
from tests.journal.rig import NAME
from tests.journal.stored import Stored

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ready(db_url: str, tmp_path: Path) -> Journals:
    journals = Journals(Database(db_url), Keyring.create(tmp_path / "keys"))
    with journals.db.write() as tx:
        for name in (NAME, "other"):
            journals.create(tx, name=name, iri=f"http://x/{name}", title="", visibility="public", at_ms=1)
    yield journals
    journals.db.close()


def start(db_url: str, tmp_path: Path, who: str, *, name: str = NAME, batches: int = 0) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.journal.child", db_url, str(tmp_path / "keys"), name, who, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def killed(child: "subprocess.Popen[str]", where: random.Random) -> int:
    """Read some acknowledgements, wait a moment that falls anywhere in a transaction, kill; give the last one."""
    assert child.stdout is not None
    for _ in range(where.randrange(1, 6)):
        line = child.stdout.readline()
        assert line.startswith("ack"), line
    time.sleep(where.random() * 0.03)
    os.kill(child.pid, signal.SIGKILL)
    rest = [text for text in child.stdout.read().split("\n") if text.startswith("ack ")]
    child.wait()
    child.stdout.close()
    # The last line may be cut off by the kill: only a whole one is an acknowledgement.
    whole = [text for text in [line.strip(), *rest] if text.split(" ")[-1].isdigit()]
    return int(whole[-1].split(" ")[1])


def crash(ready: Journals, db_url: str, tmp_path: Path, times: int) -> None:
    where = random.Random(7)
    for number in range(times):
        acknowledged = killed(start(db_url, tmp_path, f"child {number}"), where)
        with ready.db.read() as tx:
            collection = ready.get(tx, NAME)
            assert cursor(tx, Stored(), collection) == collection.size, "cursor and effect part from the entries"
            lived = Stored.state(tx)
        assert collection.size >= acknowledged, "an acknowledged entry is lost"
        assert verify(ready, NAME, []).size == collection.size
    assert catch_up(ready, Stored()) == 0
    assert rebuild(ready, Stored()) == collection.size
    with ready.db.read() as tx:
        assert Stored.state(tx) == lived


def test_a_killed_writer_loses_nothing_that_was_acknowledged(ready: Journals, db_url: str, tmp_path: Path):
    crash(ready, db_url, tmp_path, 3)


@pytest.mark.slow
def test_a_writer_killed_many_times_loses_nothing(ready: Journals, db_url: str, tmp_path: Path):
    crash(ready, db_url, tmp_path, 40)


def test_two_racing_writers_leave_dense_numbers(ready: Journals, db_url: str, tmp_path: Path):
    batches = 15
    children = [
        start(db_url, tmp_path, "left", batches=batches),
        start(db_url, tmp_path, "right", batches=batches),
        start(db_url, tmp_path, "apart", name="other", batches=batches),
    ]
    said = [child.communicate(timeout=120)[0].split("\n")[:-1] for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert [len(lines) for lines in said] == [batches] * 3
    acknowledged = [int(line.split(" ")[1]) for lines in said[:2] for line in lines]
    assert len(set(acknowledged)) == len(acknowledged)
    found = verify(ready, NAME, [])
    assert found.size == max(acknowledged) >= batches * (BATCH - 1) * 2
    assert verify(ready, "other", []).size == max(int(line.split(" ")[1]) for line in said[2])
