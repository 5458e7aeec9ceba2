"""The claim on a triple store: one has it, it is free as soon as nobody lives who had it, and looking takes nothing."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from node.errors import AlreadyRunning
from node.jobs import claim as module
from node.jobs.claim import claim, is_claimed

HOLD = """
import sys, time
from pathlib import Path
from node.jobs.claim import claim
claim(Path(sys.argv[1]), "public")
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_claim_is_refused_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.0)
    held = claim(tmp_path, "public")
    with pytest.raises(AlreadyRunning, match="already") as refused:
        claim(tmp_path, "public")
    assert "stop it first" in refused.value.fix
    os.close(claim(tmp_path, "restricted"))
    os.close(held)
    os.close(claim(tmp_path, "public"))


def test_who_comes_while_the_other_stops_waits_for_its_end(tmp_path: Path) -> None:
    held = claim(tmp_path, "public")
    ending = threading.Timer(0.15, os.close, (held,))
    ending.start()
    os.close(claim(tmp_path, "public"))
    ending.join()


def test_looking_takes_nothing_and_makes_nothing(tmp_path: Path) -> None:
    assert is_claimed(tmp_path, "public") is False
    assert list(tmp_path.iterdir()) == []
    held = claim(tmp_path, "public")
    assert is_claimed(tmp_path, "public") is True
    os.close(held)
    assert is_claimed(tmp_path, "public") is False


def test_no_other_program_inherits_a_claim_by_chance(tmp_path: Path) -> None:
    held = claim(tmp_path, "public")
    assert os.get_inheritable(held) is False
    os.close(held)


@pytest.mark.slow
def test_a_killed_process_lets_go_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert is_claimed(tmp_path, "public")
    finally:
        process.kill()
        process.communicate()
    monkeypatch.setattr(module, "WAIT_S", 0.0)
    os.close(claim(tmp_path, "public"))
