"""The program in docs/verify.md, run as a stranger runs it: it proves what a node serves, and refuses another key."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.cluster.rig import catalogue, city

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verify.md"


def test_a_stranger_can_prove_a_record_and_is_warned_of_another_key(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    program = tmp_path / "verify.py"
    program.write_text(found.group(1))
    with city(tmp_path / "node") as helsinki:
        helsinki.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", 301), "--kind", "dcat")
        helsinki.say("harvest", "run", "own")
        helsinki.start()
        (state,) = json.loads(helsinki.get("/checkpoints")[1])["checkpoints"]
        for record in ("d0", "d17", "d300"):
            done = prove(program, f"{helsinki.base_url}/datasets/{record}", state["key"])
            assert done.stdout.startswith("proven:"), done.stderr
        other = state["key"][:-6] + ("A" if state["key"][-6] != "A" else "B") + state["key"][-5:]
        refused = prove(program, f"{helsinki.base_url}/datasets/d17", other)
        assert refused.returncode != 0
        assert "InvalidSignature" in refused.stderr or "ValueError" in refused.stderr
        assert helsinki.stop() == 0


def prove(program: Path, record: str, key: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(program), record, key], capture_output=True, text=True, timeout=60, check=False
    )
