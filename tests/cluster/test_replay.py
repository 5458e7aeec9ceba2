"""Single use across processes: of many that are shown one id, one takes it; what was taken survives a `kill -9`."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from node.db import Database
from node.errors import Conflict
from node.federation.tokens.replay import Replay

ROOT = Path(__file__).resolve().parents[2]
AT_MS = 1_800_000_000_000
# Takes ids 0, 1, 2 …; writes each that it was first to take, and waits to be killed.
_TAKER = """
import sys, time
from pathlib import Path
from node.db import Database
from node.errors import Conflict
from node.federation.tokens.replay import Replay
url, folder, count, at_ms = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
replay = Replay(Database(url), folder)
sys.stdin.readline()
for number in range(count):
    try:
        replay.use("proof", "x", str(number), until_ms=at_ms + 600_000, now_ms=at_ms)
    except Conflict:
        continue
    print(number, flush=True)
print("done", flush=True)
time.sleep(60)
"""


def taker(url: str, folder: Path, count: int) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-c", _TAKER, url, str(folder), str(count), str(AT_MS)]
    return subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def begin(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream
        stream.close()


def test_of_many_processes_one_takes_an_id(db_url: str, tmp_path: Path) -> None:
    count = 300
    processes = [taker(db_url, tmp_path, count) for _ in range(4)]
    try:
        for process in processes:
            begin(process)
        taken: list[int] = []
        for process in processes:
            assert process.stdout
            taken += [int(line) for line in iter(process.stdout.readline, "done\n")]
    finally:
        for process in processes:
            end(process)
    assert sorted(taken) == list(range(count))


@pytest.mark.parametrize("after", [1, 40])
def test_what_a_killed_process_took_stays_taken(db_url: str, tmp_path: Path, after: int) -> None:
    process = taker(db_url, tmp_path, 100_000)
    try:
        begin(process)
        assert process.stdout
        taken = [process.stdout.readline().strip() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        process.wait()
    finally:
        end(process)
    database = Database(db_url)
    replay = Replay(database, tmp_path)
    for name in taken:
        with pytest.raises(Conflict):
            replay.use("proof", "x", name, until_ms=AT_MS + 600_000, now_ms=AT_MS)
    replay.use("proof", "x", "another", until_ms=AT_MS + 600_000, now_ms=AT_MS)
    replay.close()
    database.close()
