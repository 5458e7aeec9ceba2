"""A child process gets nothing of ours, keeps its limits, and never outlives whoever started it."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from node.children import Child

pytestmark = pytest.mark.slow  # processes


def test_a_child_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYNODE_DATABASE_PASSWORD", "secret")
    child = Child("tests.child_that_tells")
    try:
        child.to.write(b"environment\n")
        assert child.ready(20)
        told = os.read(child.answers.fileno(), 1 << 16).decode()
    finally:
        assert child.end() == -signal.SIGKILL
    assert "secret" not in told
    ours = {"PYTHONPATH", "PATH", "LC_ALL", "LC_CTYPE", "ARROW_DEFAULT_MEMORY_POOL"}
    assert {line.partition("=")[0] for line in told.splitlines()} <= ours


def test_its_end_can_be_asked_for_again_and_again() -> None:
    child = Child("tests.child_that_tells")
    assert [child.end(), child.end()] == [-signal.SIGKILL] * 2


def test_silence_is_waited_for_and_no_longer() -> None:
    child = Child("tests.child_that_tells")
    try:
        begun = time.monotonic()
        assert not child.ready(0.2)
        assert time.monotonic() - begun < 2
    finally:
        child.end()


def test_memory_is_bounded() -> None:
    child = Child("tests.child_that_tells")
    try:
        child.to.write(b"memory\n")
        assert child.ready(20)
        assert os.read(child.answers.fileno(), 100) == b"MemoryError\n"
    finally:
        child.end()


def test_what_it_says_of_its_end_is_one_bounded_line_of_the_log(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("citynode.children")
    monkeypatch.setattr(logger, "propagate", False)  # what a test before this one wrote its log to may be closed
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    child = Child("tests.child_that_tells")
    try:
        child.to.write(b"errors\n")
        assert child.ready(20)
    finally:
        child.end()
        child.end()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "citynode.children"]
    assert line.startswith("child-said tests.child_that_tells: xx")
    assert line.endswith("x memory allocation failed[31m note: run with a backtrace")
    assert len(line) < 2_100
    assert capfd.readouterr().err == ""


def test_it_dies_with_its_parent_in_the_middle_of_a_computation(tmp_path: Path) -> None:
    program = """
        import time
        from node.children import Child
        child = Child("tests.child_that_tells")
        child.to.write(b"compute\\n")
        child.ready(20)
        print(child.process.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while time.monotonic() < until and Path(f"/proc/{pid}/stat").exists():
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{pid}/stat").exists()
