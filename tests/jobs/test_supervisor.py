"""The supervisor: what it starts again, what it gives up on, and that nothing outlives it."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from node.jobs.supervisor import Child, Supervisor

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


def child(name: str, code: str) -> Child:
    return Child(name, (sys.executable, "-S", "-c", textwrap.dedent(code)))


def stopping_when(supervisor: Supervisor, path: Path, *, lines: int, within_s: float = 10) -> threading.Thread:
    def watch() -> None:
        until = time.monotonic() + within_s
        while time.monotonic() < until and (not path.exists() or len(path.read_text().split()) < lines):
            time.sleep(0.02)
        supervisor.stop()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    births = tmp_path / "births"
    supervisor = Supervisor([child("short", f"open({str(births)!r}, 'a').write('born\\n')")], grace_s=2)
    watch = stopping_when(supervisor, births, lines=3)
    assert supervisor.run() == 0
    watch.join()
    assert len(births.read_text().split()) >= 3


def test_a_child_that_was_ended_on_purpose_is_started_at_once_however_often(tmp_path: Path) -> None:
    births = tmp_path / "births"
    code = f"import os; open({str(births)!r}, 'a').write('born\\n'); os.kill(os.getpid(), {signal.SIGUSR1:d})"
    ended = Child("ended", (sys.executable, "-S", "-c", code), (), (60.0, 60.0), signal.SIGUSR1)
    supervisor = Supervisor([ended], grace_s=2)
    watch = stopping_when(supervisor, births, lines=4)
    assert supervisor.run() == 0
    watch.join()
    assert len(births.read_text().split()) >= 4


def test_a_child_that_says_wrong_use_ends_all_with_its_code(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    steady = child("steady", f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    wrong = child("wrong", "import time; time.sleep(0.5); raise SystemExit(2)")
    assert Supervisor([steady, wrong], grace_s=2).run() == 2
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_child_that_does_not_stop_is_killed_within_the_grace_time(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    deaf = f"""
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open({str(ready)!r}, 'w').write('ready')
        time.sleep(60)
    """
    supervisor = Supervisor([child("deaf", deaf)], grace_s=0.5)
    watch = stopping_when(supervisor, ready, lines=1)
    supervisor.run()
    watch.join()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process really fills")
def test_a_child_that_fills_more_memory_than_it_may_is_ended_and_one_that_only_sets_it_aside_is_not(
    tmp_path: Path,
) -> None:
    births, idle = tmp_path / "births", tmp_path / "idle"
    hungry = f"open({str(births)!r}, 'a').write('born\\n'); import time; held = b'x' * (200 << 20); time.sleep(60)"
    aside = (
        f"open({str(idle)!r}, 'a').write('born\\n'); import mmap, time; held = mmap.mmap(-1, 1 << 30); time.sleep(60)"
    )
    children = [
        Child(name, (sys.executable, "-S", "-c", code), delays_s=(0.05, 0.05), memory_bytes=100 << 20)
        for name, code in (("hungry", hungry), ("aside", aside))
    ]
    supervisor = Supervisor(children, grace_s=2)
    watch = stopping_when(supervisor, births, lines=3)
    assert supervisor.run() == 0
    watch.join()
    assert len(births.read_text().split()) >= 3
    assert len(idle.read_text().split()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it_and_its_children(number: signal.Signals, tmp_path: Path) -> None:
    process, pid = supervised(tmp_path)
    process.send_signal(number)
    assert process.wait(10) == 0
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_its_children_die_with_it_however_it_dies(tmp_path: Path) -> None:
    process, pid = supervised(tmp_path)
    process.kill()
    process.wait(10)
    assert gone(pid)


def supervised(tmp_path: Path) -> tuple["subprocess.Popen[bytes]", int]:
    told = tmp_path / "pid"
    inner = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    outer = (
        "import sys\nfrom node.jobs.supervisor import Child, Supervisor\n"
        f"sys.exit(Supervisor([Child('one', (sys.executable, '-c', {inner!r}))], grace_s=3).run())"
    )
    process = subprocess.Popen([sys.executable, "-c", outer], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not (told.exists() and told.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    return process, int(told.read_text())


def gone(pid: int, within_s: float = 5) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return True  # nobody reaps it in a bare container, but it runs no more
        time.sleep(0.02)
    return False
