"""The door of data, asked as a peer asks it: who gets which bytes of what, when, and what everybody else hears."""

import asyncio
import base64
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.errors import NotAgreed
from node.federation.signing.messages import request_of, response_of
from node.federation.transfer import Step
from tests.federation.agreed import RESEARCH, atom, change
from tests.federation.cities import LONDON
from tests.federation.data.door_rig import BODY, PART, Answer, Pair, knock, pair

pytestmark = pytest.mark.slow  # two whole nodes
VOLUME = "https://w3id.org/citynode/odrl#volume"


@pytest.fixture(scope="module")
def standing(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A transfer that nobody ends."""
    with pair(tmp_path_factory.mktemp("door"), migrated) as made:
        made.lay()
        made.start()
        yield made


@pytest.fixture(scope="module")
def fronted(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A city with a server in front that sends files by itself, and a peer with a connector of another make."""
    front: dict[str, Any] = {"data_accel": "/handed/", "trusted_proxies": ("127.0.0.1",), "rate_feed_per_min": 600_000}
    with pair(
        tmp_path_factory.mktemp("front"), migrated, data_bearer_peers=("london",), data_streams=64, **front
    ) as made:
        made.lay()
        yield made


@pytest.fixture
def own(standing: Pair) -> Callable[..., Pair]:
    """A transfer of the test's own, under an agreement of its own."""

    def started(*constraint: dict[str, Any], **more: Any) -> Pair:
        made = replace(standing)
        made.start(*constraint, **more)
        return made

    return started


def at_most(many: int) -> dict[str, Any]:
    return {"leftOperand": VOLUME, "operator": "lteq", "rightOperand": str(many)}


# ---------------------------------------------------------------- what is given


def test_the_manifest_tells_what_can_be_had(standing: Pair) -> None:
    told = standing.ask("/")
    assert (told.status, told.headers["content-type"]) == (200, "application/json")
    assert told.json["transfer"] == standing.pid
    assert told.json["agreement"] == standing.agreement
    [part] = told.json["parts"]
    digest = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    assert (part["part"], part["size"], part["digest"], part["filtered"]) == (PART, len(BODY), digest, False)


@pytest.mark.parametrize("path", ["", f"/{PART}"])
def test_a_part_comes_whole_with_what_proves_it(standing: Pair, path: str) -> None:
    told = standing.ask(path)
    assert (told.status, told.body, told.ended) == (200, BODY, True)
    assert told.headers["content-length"] == str(len(BODY))
    assert told.headers["repr-digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:"
    assert told.headers["etag"] == standing.ask("/").json["parts"][0]["etag"]
    assert "no-store" in told.headers["cache-control"]
    assert standing.streams()[-1] == (PART, 0, len(BODY), True, "done")


def test_a_stretch_is_given_while_it_is_of_the_same_version(standing: Pair) -> None:
    etag = standing.ask(method="HEAD").headers["etag"]
    told = standing.ask(range="bytes=1000-600999", if_range=etag)
    assert (told.status, told.body, told.ended) == (206, BODY[1_000:601_000], True)
    assert told.headers["content-range"] == f"bytes 1000-600999/{len(BODY)}"
    assert standing.ask(range="bytes=1000-1999", if_range='"another"').status == 200


def test_a_head_tells_what_a_get_would_and_takes_nothing(standing: Pair) -> None:
    before = standing.streams()
    told = standing.ask(f"/{PART}", method="HEAD")
    assert (told.status, told.body, told.headers["content-length"]) == (200, b"", str(len(BODY)))
    assert standing.streams() == before


def test_conditions_are_kept(standing: Pair) -> None:
    etag = standing.ask(method="HEAD").headers["etag"]
    assert (told := standing.ask(if_none_match=etag)).status == 304
    assert (told.body, told.ended) == (b"", True)
    assert standing.ask(if_match='"another"').status == 412
    assert standing.ask(if_match=etag, range="bytes=0-0").status == 206


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "bytes=0-9,5-20", f"bytes={len(BODY)}-", "bytes=5-2"])
def test_a_range_that_is_not_one_stretch_of_it_is_refused_with_its_size(standing: Pair, header: str) -> None:
    told = standing.ask(range=header)
    assert (told.status, told.headers["content-range"]) == (416, f"bytes */{len(BODY)}")
    assert told.json["type"].endswith("/wrong-range")
    assert "one stretch" in told.json["fix"]


def test_of_several_parts_the_address_of_the_transfer_tells_which(own: Callable[..., Pair]) -> None:
    made = own()
    made.lay(b"second", name="folder/second.csv")
    try:
        told = made.ask()
        assert [part["part"] for part in told.json["parts"]] == ["folder/second.csv", PART]
        assert made.ask("/folder/second.csv").body == b"second"
        made.request(part=PART)
        assert [part["part"] for part in made.ask("/").json["parts"]] == [PART]
        assert made.ask("/folder/second.csv").status == 404
    finally:
        made.helsinki.federation.moving.origin_parts.office.remove(made.dataset, "folder/second.csv")


def test_a_part_is_given_to_who_refreshed_its_token_and_is_signed(standing: Pair) -> None:
    url = f"{standing.helsinki.url}/data/{standing.pid}/"
    shown = standing.headers(f"/data/{standing.pid}/")
    told = standing.ask("/", shown=shown)
    messages = standing.london.federation.dsp.messages
    answered = response_of(request_of("GET", url, shown), told.status, told.headers)
    messages.check_response(standing.helsinki.url, answered, told.body)


# ---------------------------------------------------------------- who gets nothing


def problem(told: Answer) -> tuple[int, str]:
    return told.status, told.json["type"].rpartition("/")[2]


def test_without_a_token_of_this_transfer_the_door_is_shut(standing: Pair) -> None:
    path = f"/data/{standing.pid}/{PART}"
    good = standing.headers(path)
    federation = standing.london.federation
    plain = federation.token_source.headers(standing.helsinki.url, "GET", standing.helsinki.url + path)
    plain = {**plain, **federation.dsp.messages.sign_request("GET", standing.helsinki.url + path, plain, None)}
    refused = {
        "nothing shown": ({}, 401),
        "a token without a proof": ({"Authorization": good["Authorization"]}, 401),
        "a bound token as bearer": ({"Authorization": good["Authorization"].replace("DPoP", "Bearer")}, 401),
        "a token for no transfer": (plain, 403),
        "no signature": ({name: good[name] for name in ("Authorization", "DPoP")}, 401),
    }
    assert {why: standing.ask(f"/{PART}", shown=shown).status for why, (shown, _) in refused.items()} == {
        why: status for why, (_, status) in refused.items()
    }


def test_a_proof_is_good_once(standing: Pair) -> None:
    shown = standing.headers(f"/data/{standing.pid}/")
    assert standing.ask("/", shown=shown).status == 200
    assert problem(standing.ask("/", shown=shown)) == (401, "unauthenticated")


def test_a_transfer_of_somebody_else_is_none(standing: Pair) -> None:
    other = "00000000-0000-4000-8000-000000000000"
    told = standing.helsinki.wire.run(
        knock(standing.helsinki, "GET", f"/data/{other}/", standing.headers(f"/data/{standing.pid}/"))
    )
    assert told.status == 401
    with pytest.raises(NotAgreed, match="no such transfer"):
        standing.granted(other)


@pytest.mark.parametrize("name", ["missing.csv", "..%2Fnode.db", "a//b", "x" * 300])
def test_a_part_that_there_is_not_is_none(standing: Pair, name: str) -> None:
    assert standing.ask(f"/{name}").status in (400, 404)


# ---------------------------------------------------------------- when it ends


@pytest.mark.parametrize(("act", "status"), [("suspend", 409), ("terminate", 410)])
def test_a_transfer_that_is_not_started_gives_nothing(own: Callable[..., Pair], act: Any, status: int) -> None:
    made = own()
    shown = made.headers(f"/data/{made.pid}/{PART}")
    transfers = made.helsinki.federation.moving.transfers
    transfers.step(made.pid, Step(act, code="because", reasons=("A test.",)))
    assert made.ask(f"/{PART}", shown=shown).status == 409  # our own word counts before anybody heard it
    shown = made.headers(f"/data/{made.pid}/{PART}")
    made.settle()
    assert made.ask(f"/{PART}", shown=shown).status == status
    with pytest.raises(NotAgreed, match="not started"):
        made.granted(made.pid)


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_an_agreement_that_ends_shuts_the_door_at_once(own: Callable[..., Pair], state: str) -> None:
    made = own()
    shown = made.headers(f"/data/{made.pid}/{PART}")
    change(made.helsinki.node, made.agreement, state)
    assert problem(made.ask(f"/{PART}", shown=shown)) == (403, "not-agreed")


def test_a_peer_that_is_blocked_is_out_with_its_next_request(own: Callable[..., Pair]) -> None:
    made = own()
    shown = made.headers(f"/data/{made.pid}/{PART}")
    made.helsinki.federation.peers.pause("london")
    try:
        assert made.ask(f"/{PART}", shown=shown).status == 401
        assert made.door.serving.stopped(made.pid) == "blocked"
    finally:
        made.helsinki.federation.peers.resume("london")


def test_what_changed_where_it_lies_is_another_version(own: Callable[..., Pair]) -> None:
    made = own()
    etag = made.ask(method="HEAD").headers["etag"]
    file = made.folder / "data" / PART
    file.write_bytes(BODY[::-1])
    try:
        assert made.ask(if_match=etag).status == 412
        assert made.ask(range="bytes=0-9", if_range=etag).body == BODY[::-1]
    finally:
        file.write_bytes(BODY)


@pytest.mark.parametrize("becomes", [None, os.mkfifo, os.mkdir])
def test_what_cannot_be_read_where_it_lies_is_unreachable_for_now_and_its_place_is_not_told(
    own: Callable[..., Pair], becomes: Callable[[Path], None] | None
) -> None:
    made = own()
    file = made.folder / "data" / PART
    file.unlink()
    if becomes is not None:
        becomes(file)
    try:
        for path in ("", "/", f"/{PART}"):
            told = made.ask(path)
            assert problem(told) == (502, "source-unreachable")
            assert str(made.folder) not in told.body.decode() + repr(told.headers)
            assert "noise.csv cannot be read now where it lies." in told.body.decode()
    finally:
        file.rmdir() if becomes is os.mkdir else file.unlink(missing_ok=True)
        file.write_bytes(BODY)
    assert made.ask(f"/{PART}").status == 200


# ---------------------------------------------------------------- how much


def test_the_volume_of_an_agreement_is_given_and_not_a_byte_more(own: Callable[..., Pair]) -> None:
    made = own(at_most(3_000))
    assert made.ask(range="bytes=0-1999").status == 206
    told = made.ask(range="bytes=0-1999")
    assert (*problem(told), told.json["operand"]) == (403, "not-agreed", "volume")
    assert made.ask().status == 403
    assert made.ask(range="bytes=0-999").status == 206
    assert made.ask(range="bytes=0-0").status == 403
    assert made.sql("SELECT bytes FROM data_volume WHERE agreement = ?", made.agreement) == [(3_000,)]


def test_of_many_requests_at_once_exactly_as_many_pass_as_the_volume_lets(fronted: Pair) -> None:
    made = replace(fronted)
    made.start(at_most(25_000))
    path = f"/data/{made.pid}/{PART}"
    shown = [{**made.headers(path), "range": f"bytes={at * 1_000}-{at * 1_000 + 999}"} for at in range(60)]

    async def all_of_them() -> list[Answer]:
        return await asyncio.gather(*(knock(made.helsinki, "GET", path, each) for each in shown))

    told = made.helsinki.wire.run(all_of_them())
    assert sorted(each.status for each in told) == [206] * 25 + [403] * 35
    assert all(len(each.body) == 1_000 and each.ended for each in told if each.status == 206)
    assert made.sql("SELECT bytes FROM data_volume WHERE agreement = ?", made.agreement) == [(25_000,)]


def test_a_count_is_used_up_by_transfers_and_not_by_requests(own: Callable[..., Pair]) -> None:
    made = own(atom("count", "lteq", "1"))
    assert [made.ask(range="bytes=0-9").status for _ in range(3)] == [206] * 3
    before = made.pid
    made.request()
    assert made.pid == "" or made.helsinki.federation.moving.transfers.get(made.pid).state == "TERMINATED"
    made.pid = before
    assert made.ask(range="bytes=0-9").status == 206


def test_a_transfer_is_for_its_purpose(own: Callable[..., Pair]) -> None:
    made = own(atom("purpose", "isA", RESEARCH), purpose=RESEARCH)
    assert made.ask("/").json["purpose"] == RESEARCH
    assert made.ask().body == BODY


def test_a_peer_reads_so_many_parts_at_once(own: Callable[..., Pair]) -> None:
    made = own()
    held = made.door.serving.look(made.pid, LONDON)
    streams = [made.door.serving.open(held, held.parts[0]) for _ in range(4)]
    told = made.ask()
    assert problem(told) == (429, "too-many-requests")
    assert int(told.headers["retry-after"]) > 0
    for each in streams:
        each.end("gone")
    assert made.ask().status == 200


# ---------------------------------------------------------------- the tokens of others


def test_a_connector_that_the_city_named_shows_a_bearer_token_for_one_transfer(fronted: Pair) -> None:
    made = replace(fronted)
    made.start(jkt=False)
    transfer = made.helsinki.federation.moving.transfers.get(made.pid)
    said = {each["name"]: each["value"] for each in made.door.tokens.address(transfer)["endpointProperties"]}
    assert said["authType"] == "bearer"
    shown = {"Authorization": f"Bearer {said['authorization']}"}
    messages = made.london.federation.dsp.messages
    url = f"{made.helsinki.url}/data/{made.pid}"
    assert made.ask(shown={**shown, **messages.sign_request("GET", url, shown, None)}).body == BODY
    first = made.pid
    made.request(jkt=False)
    assert made.pid != first
    url = f"{made.helsinki.url}/data/{made.pid}"
    assert made.ask(shown={**shown, **messages.sign_request("GET", url, shown, None)}).status == 401


def test_without_a_key_and_without_a_name_there_is_no_token_in_the_address(own: Callable[..., Pair]) -> None:
    made = own(jkt=False)
    said = made.door.tokens.address(made.helsinki.federation.moving.transfers.get(made.pid))
    assert {each["name"] for each in said["endpointProperties"]} == {"authType", "refreshEndpoint"}
    assert made.ask("/").status == 200


# ---------------------------------------------------------------- handed over


def test_a_file_is_handed_to_the_server_in_front_and_to_nobody_else(fronted: Pair) -> None:
    made = replace(fronted)
    made.start()
    told = made.ask(x_forwarded_for="192.0.2.7")
    path = made.folder / "data" / PART
    assert (told.status, told.body, told.headers["x-accel-redirect"]) == (200, b"", f"/handed{path}")
    assert made.streams()[-1][4] == "handed"
    assert made.ask().body == BODY
    assert made.ask(x_forwarded_for="192.0.2.7", range="bytes=0-9", if_range="x").body == BODY
    change(made.helsinki.node, made.agreement, "revoked")
    assert made.ask(x_forwarded_for="192.0.2.7").status == 403


def test_what_is_counted_in_bytes_is_never_handed_over(fronted: Pair) -> None:
    made = replace(fronted)
    made.start(at_most(10**9))
    assert made.ask(x_forwarded_for="192.0.2.7").body == BODY


# ---------------------------------------------------------------- while it flows


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_a_stream_that_runs_is_cut_within_a_second(own: Callable[..., Pair], state: str) -> None:
    made = own()
    held = made.door.serving.look(made.pid, LONDON)
    delivery = made.door.serving.open(held, held.parts[0])
    cut: list[float] = []
    delivery.when_cut(lambda: cut.append(time.monotonic()))
    delivery.next()
    begun = time.monotonic()
    change(made.helsinki.node, made.agreement, state)
    while not cut and time.monotonic() - begun < 3:
        time.sleep(0.01)
    assert cut
    assert cut[0] - begun < 1.0
    assert delivery.why == state
    delivery.end("cut")
    assert made.streams()[-1][4] == "cut"
