"""The commands on evidence: a node states, lists, shows and exports; the file is verified with no node at all."""

import json
from pathlib import Path

import pytest

from node.assembly import build
from node.assembly.clock import clock_ms
from node.settings import load
from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


def state(folder: Path, why: str) -> str:
    """Let the node state something, as a cut transfer would; give the statement's name."""
    node = build(load(data=folder))
    try:
        evidence = node.federation.moving.evidencing.evidence
        with node.db.write() as tx:
            said = {"transfer": f"p-{why}", "why": why, "dataset": "urn:plans"}
            found = evidence.put(tx, "cut", why, said, other="https://london.example", at_ms=clock_ms())
        return found.record.rpartition("/")[2]
    finally:
        node.close()


def test_a_node_states_lists_shows_exports_and_erases(helsinki: Say, citynode: Say, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    first, second = state(folder, "revoked"), state(folder, "expired")
    listed = helsinki("evidence", "list", "--json").json
    assert {each["record"].rpartition("/")[2] for each in listed} == {first, second}
    assert "cut" in helsinki("evidence", "list", "--transfer", "p-revoked").out
    assert helsinki("evidence", "list", "--since", "2999-01-01", "--json").json == []
    assert helsinki("evidence", "list", "--since", "soon").code == 1
    shown = helsinki("evidence", "show", "p-revoked")
    assert (shown.code, "why: revoked" in shown.out) == (0, True)
    assert shown.out.rstrip().splitlines()[-1].startswith("proven: 1 statement of")

    file = tmp_path / "evidence.json"
    wrote = helsinki("evidence", "export", "-o", file)
    assert f"citynode evidence verify {file}" in wrote.out
    assert helsinki("evidence", "export", "-o", "/dev/null").code == 2, "a device is never replaced"
    identity = helsinki("identity", "--json").json
    key = f"{identity['issuer']}={identity['fingerprint']}"
    assert citynode("evidence", "verify", file, "--key", key).code == 0
    assert citynode("evidence", "verify", file, "--key", f"{identity['issuer']}=other").code == 1
    assert citynode("evidence", "verify", file, "--key", "nothing").code == 2
    assert citynode("evidence", "verify", tmp_path / "none").code == 2
    told = citynode("evidence", "verify", file, "--json").json
    assert (told["verdict"], len(told["statements"])) == ("proven", 2)

    assert citynode("evidence", "verify", Path(__file__)).code == 2, "what is no bundle is wrong use"
    for name in (second[:12], "p-exp"):
        assert len(json.loads(helsinki("evidence", "export", name).out)["journal"]["entries"]) == 1
    assert helsinki("evidence", "export", "--transfer", "p-rev").code == 0
    assert helsinki("evidence", "export", "--kind", "cut", "--until", "2999-01-01").code == 0
    wrong = ([second, "--kind", "cut"], ["--kind", "cuts"], ["--transfer", "p-"], ["--transfer", "x"], ["cccc"])
    assert [helsinki("evidence", "export", *each).code for each in wrong] == [2, 1, 1, 1, 1]

    assert helsinki("evidence", "erase", first[:12], "--yes").code == 1, "what is destroyed is named whole"
    assert helsinki("evidence", "erase", first).code == 1
    assert helsinki("evidence", "erase", first, "--yes").out.startswith("Erased: 2 entries")
    assert helsinki("evidence", "show", first).code == 1
    assert helsinki("journal", "verify", "evidence").out.startswith("evidence: proven, 5 entries")
    left = json.loads(helsinki("evidence", "export").out)
    assert len(left["journal"]["entries"]) == 1
    assert citynode("evidence", "verify", file).code == 0, "what was exported before is out of reach, and still holds"
