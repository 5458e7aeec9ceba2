"""The rig's own recomputation: it agrees with the node's tree, and finds every kind of byte that is not what it was."""

import base64
import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from node.testing import City, Portal, Reply, RigError, evidence, head_of
from node.testing.evidence import root_of

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

COLLECTION = "http://127.0.0.1:1/collections/open-data"


def sha(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def jcs(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def line(seq: int, text: str) -> dict[str, Any]:
    payload = f'<https://x.example/{seq}> <http://purl.org/dc/terms/title> "{text}" .\n'
    opening = {
        "salt": "c2FsdA",
        "record": f"https://x.example/{seq}",
        "slug": f"s{seq}",
        "kind": "dataset",
        "op": "put",
        "digest": sha(payload.encode()),
    }
    at = "2026-01-01T00:00:00.000Z"
    entry = {"v": 1, "collection": COLLECTION, "seq": seq, "at": at, "commit": sha(jcs(opening))}
    return {"entry": entry, "opening": opening, "payload": payload}


class Told(City):
    """A city that says what it was told to say: it stands in for a node that lies."""

    def tell(self, lines: list[dict[str, Any]]) -> None:
        leaves = [hashlib.sha256(b"\0" + jcs(one["entry"])).digest() for one in lines]
        note = f"x\n{len(lines)}\n{base64.b64encode(root_of(leaves)).decode()}\n\n— x AAAA\n"
        self.told = [json.dumps({"v": 1, "checkpoint": note}), *map(json.dumps, lines)]

    def ask(self, path: str, **_: object) -> Reply:  # type: ignore[override]
        if path == "/checkpoints":
            body = json.dumps({"checkpoints": [{"collection": COLLECTION, "name": "open-data"}]})
            return Reply(200, {}, body.encode())
        return Reply(200, {}, "\n".join(self.told).encode())


@pytest.fixture
def lines() -> list[dict[str, Any]]:
    return [line(seq, "straße") for seq in range(1, 6)]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 100])
def test_the_root_is_that_of_the_nodes_tree(number: int) -> None:
    def rfc(leaves: list[bytes]) -> bytes:
        if len(leaves) < 2:
            return leaves[0] if leaves else hashlib.sha256(b"").digest()
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + rfc(leaves[:split]) + rfc(leaves[split:])).digest()

    leaves = [hashlib.sha256(bytes([n])).digest() for n in range(number)]
    assert root_of(leaves) == rfc(leaves)


def test_what_is_whole_is_given(told: Told, lines: list[dict[str, Any]]) -> None:
    told.tell(lines)
    assert [held.seq for held in evidence.entries(told, COLLECTION)] == [1, 2, 3, 4, 5]
    assert head_of(json.loads(told.told[0])["checkpoint"]).size == 5


@pytest.mark.parametrize(
    ("where", "what", "says"),
    [
        (("payload",), "<a> <b> <c> .\n", "another digest"),
        (("opening", "slug"), "other", "does not commit"),
        (("entry", "at"), "2026-01-02T00:00:00.000Z", "signed 5"),
        (("entry", "seq"), 9, "stands where"),
        (("opening",), None, "no opening"),
    ],
)
def test_one_changed_value_is_found(
    told: Told, lines: list[dict[str, Any]], where: tuple[str, ...], what: object, says: str
) -> None:
    told.tell(lines)
    spoilt = copy.deepcopy(lines)
    target = spoilt[2]
    for step in where[:-1]:
        target = target[step]
    target[where[-1]] = what
    told.told[1:] = map(json.dumps, spoilt)
    with pytest.raises(RigError, match=says):
        evidence.entries(told, COLLECTION)


def test_swapped_or_missing_entries_are_found(told: Told, lines: list[dict[str, Any]]) -> None:
    told.tell(lines)
    told.told[1], told.told[2] = told.told[2], told.told[1]
    with pytest.raises(RigError, match="stands where"):
        evidence.entries(told, COLLECTION)


def test_a_portal_remembers_what_it_says(tmp_path: Path) -> None:
    portal = Portal(tmp_path / "p.ttl", host="https://h.example")
    first, second, third = portal.add(3)
    portal.change(first, first)
    portal.withdraw(second)
    assert portal.titles == {first: "Title 0, version 2", third: "Title 2"}
    text = portal.path.read_text()
    assert all(f'dct:title "{title}"@en' in text for title in portal.titles.values())
    assert second not in text
    assert portal.add(1) == ["https://h.example/id/d3"]
