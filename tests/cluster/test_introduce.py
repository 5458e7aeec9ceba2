"""The script of the compose file's `introduce` service, on two real nodes without Docker: it works, and works again."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from node.testing import OPEN_DATA, City, evidence
from node.testing import city as one_city

ROOT = Path(__file__).resolve().parents[2]


def introduced(cities: list[City], folder: Path) -> str:
    """Run the script with a `citynode` on the path, as the image has it."""
    command = folder / "bin" / "citynode"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m node "$@"\n')
    command.chmod(0o755)
    environ = {
        **cities[0].surroundings(),
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "CITIES": str(folder),
        "SECRETS": str(folder / "none"),
        "DEMO": str(ROOT / "demo"),
    }
    script = ["sh", ROOT / "deploy" / "introduce.sh"]
    done = subprocess.run(script, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=480, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_script_introduces_both_cities_and_may_be_said_again(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        cities = [stack.enter_context(one_city(tmp_path / n.lower(), name=n)) for n in ("Helsinki", "London")]
        helsinki, london = (one.start() for one in cities)
        assert "active" in introduced(cities, tmp_path).splitlines()[-1]
        for one, other, number in ((helsinki, london, 66), (london, helsinki, 60)):
            held = evidence.entries(one, f"{other.base_url}/collections/{OPEN_DATA}")
            assert len(held) == number
            assert one.json("peers", "list")[0]["state"] == "active"
        before = [one.heads() for one in cities]
        introduced(cities, tmp_path)
        assert [one.heads() for one in cities] == before
