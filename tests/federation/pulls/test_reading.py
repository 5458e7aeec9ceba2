"""Laws of what strangers say about data: manifests and addresses are read strictly, names lead nowhere else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.errors import Conflict, Malformed, NodeError, Refused, TooLarge
from node.federation.moving import MAX_PARTS, checked_part
from node.federation.pulls.door import MAX_MANIFEST_BYTES, Way, read_manifest, way_of
from node.federation.pulls.files import Places, checked_target
from node.federation.transfer import Transfer

PEER, PID = "https://helsinki.example", "urn:uuid:7f7c9f2c-2f9f-4a9b-9a6e-0d3d8a4d7b11"
WAY = Way(PEER, PID, f"{PEER}/data/{PID}")
PART: dict[str, Any] = {
    "part": "trips/2026.csv",
    "type": "text/csv",
    "size": 12,
    "digest": "sha256:" + "0" * 64,
    "etag": '"one"',
    "modified": 1,
    "filtered": False,
}
TRANSFER = Transfer(
    pid="ours",
    role="consumer",
    peer=PEER,
    other_pid=PID,
    other_url=f"{PEER}/dsp",
    state="STARTED",
    format="HttpData-PULL",
    agreement="a",
    dataset="d",
    part="",
    purpose="",
    jkt="",
    address={"endpoint": f"{PEER}/data/{PID}"},
    clause="",
    used_at=0,
    receipt="",
    reason={},
    paused_by="",
    opened_by="",
    created_at=1,
    started_at=2,
    changed_at=3,
    ask_at=0,
    version=1,
)


def manifest(*parts: Any, **more: Any) -> bytes:
    return json.dumps({"transfer": PID, "parts": list(parts), **more}).encode()


def test_a_manifest_names_parts_below_the_transfers_own_door() -> None:
    unknown = {"part": "b", "size": None, "digest": None, "filtered": True}
    items = read_manifest(manifest(PART, unknown), WAY, 1_000)
    assert [(each.name, each.size, each.digest, each.filtered) for each in items] == [
        ("trips/2026.csv", 12, PART["digest"], False),
        ("b", -1, "", True),
    ]
    assert items[0].url == f"{PEER}/data/{PID}/trips/2026.csv"
    assert items[1].media_type == "application/octet-stream"


def test_as_many_parts_as_a_dataset_may_have_are_taken_in_whatever_their_names() -> None:
    long = [f"{number:04}{'x' * 196}" for number in range(MAX_PARTS)]
    parts = [{**PART, "part": name, "etag": f'"{"e" * 198}"', "type": f"{'a' * 100}/{'b' * 100}"} for name in long]
    body = json.dumps({"transfer": PID, "parts": parts}, indent=2).encode()
    assert [each.name for each in read_manifest(body, WAY, 1_000)] == long


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (manifest(), Malformed),
        (manifest(PART, PART), Malformed),
        (manifest(PART, {**PART, "part": "TRIPS/2026.csv"}), Malformed),
        (manifest(*({**PART, "part": f"p{number}"} for number in range(MAX_PARTS + 1))), Malformed),
        (manifest({**PART, "part": "../../etc/passwd"}), Malformed),
        (manifest({**PART, "part": "/etc/passwd"}), Malformed),
        (manifest({**PART, "part": "a/../b"}), Malformed),
        (manifest({**PART, "part": "a/./b"}), Malformed),
        (manifest({**PART, "part": "a"}, {**PART, "part": "a/b"}), Malformed),
        (manifest({**PART, "part": "a/b/c"}, {**PART, "part": "A/B"}), Malformed),
        (manifest({**PART, "part": "a/.citynode-1/b"}), Malformed),
        (manifest({**PART, "part": "a/.CityNode-1/b"}), Malformed),
        (manifest({**PART, "part": "p\u00e4\u00e4t\u00f6s.csv"}), Malformed),
        (manifest({**PART, "part": "pa\u0308a\u0308to\u0308s.csv"}), Malformed),
        (manifest({**PART, "part": "\uff41.csv"}), Malformed),
        (manifest({**PART, "size": -2}), Malformed),
        (manifest({**PART, "size": True}), Malformed),
        (manifest({**PART, "size": "12"}), Malformed),
        (manifest({**PART, "size": 1_001}), Refused),
        (manifest({**PART, "digest": "md5:0"}), Malformed),
        (manifest({**PART, "etag": 'W/"one"'}), Malformed),
        (manifest({**PART, "etag": '"one"\r\nX: y'}), Malformed),
        (manifest("part"), Malformed),
        (manifest(PART, transfer="another"), Malformed),
        (b"[]", Malformed),
        (b'{"transfer": 1}', Malformed),
        (b" " * (MAX_MANIFEST_BYTES + 1), TooLarge),
    ],
)
def test_a_manifest_that_is_none_is_refused(body: bytes, error: type[NodeError]) -> None:
    with pytest.raises(error):
        read_manifest(body, WAY, 1_000)


def addressed(endpoint: object, *properties: tuple[str, str]) -> Transfer:
    listed = [{"name": name, "value": value} for name, value in properties]
    return replace(TRANSFER, address={"endpoint": endpoint, "endpointProperties": listed})


def test_a_citys_own_door_is_asked_with_our_key_and_others_with_their_token() -> None:
    assert way_of(TRANSFER).is_citys
    assert way_of(addressed(f"{PEER}/data/{PID}/one.csv", ("authType", "DPoP"))).is_citys
    bearer = way_of(
        addressed("https://elsewhere.example/public", ("authorization", "Bearer abc"), ("authType", "bearer"))
    )
    assert (bearer.bearer, bearer.is_citys) == ("abc", False)


@pytest.mark.parametrize(
    "transfer",
    [
        addressed("https://elsewhere.example/data"),
        addressed(f"{PEER}/data/{PID}evil"),
        addressed(f"{PEER}/data/another"),
        addressed("https://elsewhere.example/", ("authorization", "x" * 20_000), ("authType", "bearer")),
        addressed(""),
        addressed(None),
        addressed("https://a\n.example"),
    ],
)
def test_our_key_is_shown_at_the_door_of_the_transfer_alone(transfer: Transfer) -> None:
    with pytest.raises(Malformed):
        way_of(transfer)


def test_parts_go_where_the_target_says_and_nowhere_else(tmp_path: Path) -> None:
    folder = Places(f"{tmp_path}/", tmp_path / "own", PID, ["a", "b/c"])
    assert folder.final("b/c") == tmp_path / "b" / "c"
    assert Places(str(tmp_path / "x"), tmp_path, PID, ["a"]).final("a") == tmp_path / "x"
    with pytest.raises(Conflict):
        Places(str(tmp_path / "x"), tmp_path, PID, ["a", "b"]).final("a")
    for wrong in ("../a", "a/./b"):
        with pytest.raises(Malformed):
            folder.final(wrong)
        with pytest.raises(Malformed):
            folder.unfinished(wrong)
    store = Places("s3://bucket/key/", tmp_path / "own", PID, ["a", "b/c"])
    assert (store.final("b/c"), store.remote("b/c")) == (tmp_path / "own" / "b%c", "s3://bucket/key/b/c")
    assert Places("s3://bucket/key", tmp_path, PID, ["a"]).remote("a") == "s3://bucket/key"
    assert folder.remote("a") == ""


def test_what_is_not_finished_lies_where_neither_a_part_nor_another_pull_is(tmp_path: Path) -> None:
    beside = tmp_path / f".citynode-{PID.rpartition(':')[2]}"
    for target in (f"{tmp_path}/", str(tmp_path / "x")):
        places = Places(target, tmp_path / "own", PID, ["b/c"])
        assert places.unfinished("b/c") == beside / "b%c"
    with pytest.raises(Malformed):
        checked_part(beside.name)
    assert Places(f"{tmp_path}/", tmp_path, PID[:-1] + "2", ["a"]).folder != beside


def test_a_target_is_absolute_and_a_folder_ends_in_a_slash(tmp_path: Path) -> None:
    assert checked_target(str(tmp_path)) == f"{tmp_path}/"
    assert checked_target(str(tmp_path / "new.csv")) == str(tmp_path / "new.csv")
    assert checked_target(f"{tmp_path}/new/") == f"{tmp_path}/new/"
    for wrong in ("s3://", "s3://bucket", "s3://bucket/", "s3:///key"):
        with pytest.raises(Refused):
            checked_target(wrong)
