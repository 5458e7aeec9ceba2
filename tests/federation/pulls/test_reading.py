"""Laws of what strangers say about data: manifests and addresses are read strictly, names lead nowhere else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.errors import Conflict, Malformed, NodeError, Refused, Stopped, TooLarge
from node.federation.moving import MAX_PARTS
from node.federation.pulls.door import MAX_MANIFEST_BYTES, Way, read_manifest, way_of
from node.federation.pulls.files import Growing, Places, checked_target
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
    folder = Places(f"{tmp_path}/", tmp_path / "own", ["a", "b/c"])
    assert folder.final("b/c") == tmp_path / "b" / "c"
    assert Places(str(tmp_path / "x"), tmp_path, ["a"]).final("a") == tmp_path / "x"
    with pytest.raises(Conflict):
        Places(str(tmp_path / "x"), tmp_path, ["a", "b"]).final("a")
    with pytest.raises(Malformed):
        folder.final("../a")
    store = Places("s3://bucket/key/", tmp_path / "own", ["a", "b/c"])
    assert (store.final("b/c"), store.remote("b/c")) == (tmp_path / "own" / "b" / "c", "s3://bucket/key/b/c")
    assert Places("s3://bucket/key", tmp_path, ["a"]).remote("a") == "s3://bucket/key"
    assert folder.remote("a") == ""


def test_a_target_is_absolute_and_a_folder_ends_in_a_slash(tmp_path: Path) -> None:
    assert checked_target(str(tmp_path)) == f"{tmp_path}/"
    assert checked_target(str(tmp_path / "new.csv")) == str(tmp_path / "new.csv")
    assert checked_target(f"{tmp_path}/new/") == f"{tmp_path}/new/"
    for wrong in ("s3://", "s3://bucket", "s3://bucket/", "s3:///key"):
        with pytest.raises(Refused):
            checked_target(wrong)


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    final = tmp_path / "a" / "b.csv"
    with Growing(final, keep=0, stop=lambda: False) as file:
        file.write(b"12345")
        file.save()
    assert not final.exists()
    # What was not known to be safe is written anew.
    with Growing(final, keep=3, stop=lambda: False) as file:
        assert (file.got, (tmp_path / "a" / "b.csv.part").stat().st_size) == (3, 3)
        file.write(b"xy")
        digest = file.digest
        file.finish()
    assert final.read_bytes() == b"123xy"
    with Growing(tmp_path / "c", keep=0, stop=lambda: False) as other:
        other.write(b"123xy")
        assert other.digest == digest


def test_a_file_is_not_written_through_a_link_or_into_a_folder(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "x.part").symlink_to(victim)
    with pytest.raises(Refused):
        Growing(tmp_path / "x", keep=0, stop=lambda: False)
    assert victim.read_text() == "mine"
    with pytest.raises(Conflict):
        Growing(tmp_path, keep=0, stop=lambda: False)


def test_reading_again_what_is_here_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "x.part").write_bytes(b"1" * 10)
    with pytest.raises(Stopped):
        Growing(tmp_path / "x", keep=10, stop=lambda: True)
    assert (tmp_path / "x.part").stat().st_size == 10
