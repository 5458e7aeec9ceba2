"""Laws of one part's download from a server that may do anything: exact bytes, or nothing that looks whole."""

import hashlib
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from node.errors import Forbidden, ForbiddenAddress, PeerUnreachable, Refuted, SourceUnreachable, Stopped, Unavailable
from node.federation.moving import Moved
from node.federation.pulls.door import DataDoor, Item, Way
from node.federation.pulls.download import MAX_BEGINNINGS, Changed, Downloader, Patience
from node.federation.pulls.files import Growing
from node.federation.pulls.store import Progress
from node.outbound import Span
from tests.test_outbound import Handle, Server, answer, door
from tests.test_outbound_stream import BODY, ETAG, ranged

pytestmark = pytest.mark.slow  # it waits as pulls do

DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
MOST = 1 << 20


class Nobody:
    """Has no tokens and knows no keys: the servers here are asked with the bearer token of the way."""

    def headers(self, *_: object, **__: object) -> dict[str, str]:
        raise AssertionError

    def again(self, *_: object) -> bool:
        raise AssertionError

    def check_response(self, *_: object) -> None:
        raise AssertionError


class Seen:
    """Hears what happens."""

    def __init__(self) -> None:
        self.kept_at: list[int] = []
        self.sentences: list[str] = []
        self.on_came: Callable[[int], None] = lambda _: None

    def came(self, got: int) -> None:
        self.on_came(got)

    def kept(self, progress: Progress) -> None:
        self.kept_at.append(progress.got)

    def said(self, sentence: str) -> None:
        self.sentences.append(sentence)


def item(server: Server, **changes: object) -> Item:
    said = {"media_type": "text/csv", "size": len(BODY), "digest": DIGEST, "etag": ETAG, "filtered": False}
    return Item(name="x", url=f"{server.url}/x", **{**said, **changes})  # type: ignore[arg-type]


def bring(server: Server, to: Path, one: Item, seen: Seen | None = None, *, keep: int = 0) -> Moved:
    way = Way(server.url, "pid", f"{server.url}/x", "secret")
    loader = Downloader(DataDoor(door(), Nobody(), Nobody(), max_bytes=MOST, allow_http=True), lambda: 0.0)
    with Growing(to, keep=keep, stop=lambda: False) as file:
        moved = loader.bring(way, one, file, seen or Seen(), threading.Event())
        file.prove()
    return moved


def in_turn(*handles: Handle) -> Handle:
    """Answer each request by the next of these, the last one for ever."""
    left = list(handles)

    def handle(request: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(request)

    return handle


def broken_at(at: int, body: bytes = BODY) -> Handle:
    """Announce all of it and break off."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        answer(body[:at], Content_Length=str(len(body)), ETag=ETAG)(request)
        request.close_connection = True

    return handle


def test_a_part_is_brought_and_what_is_said_of_it_is_true(tmp_path: Path) -> None:
    with Server(ranged()) as server:
        moved = bring(server, tmp_path / "x", item(server))
        assert server.requests[0][1]["authorization"] == "Bearer secret"
    assert moved == Moved("x", "text/csv", len(BODY), DIGEST)
    assert (tmp_path / "x").read_bytes() == BODY


@pytest.mark.parametrize("at", [0, 1, 100_000, len(BODY) - 1])
def test_what_breaks_off_is_gone_on_with(tmp_path: Path, at: int) -> None:
    seen = Seen()
    with Server(in_turn(broken_at(at), ranged())) as server:
        assert bring(server, tmp_path / "x", item(server), seen).digest == DIGEST
        assert server.requests[1][1].get("range", "") == (f"bytes={at}-" if at else "")
    assert at in seen.kept_at


def test_what_is_here_is_not_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(BODY)
    with Server(answer(b"never")) as server:
        assert bring(server, tmp_path / "x", item(server), keep=len(BODY)).digest == DIGEST
        assert not server.requests


def test_what_was_damaged_here_is_begun_again(tmp_path: Path) -> None:
    seen = Seen()
    (tmp_path / "x").write_bytes(b"!" + BODY[1:5_000])
    with Server(ranged()) as server:
        assert bring(server, tmp_path / "x", item(server), seen, keep=5_000).digest == DIGEST
    assert (tmp_path / "x").read_bytes() == BODY
    assert any("begun again" in each for each in seen.sentences)


def _wrong(**headers: str) -> Handle:
    return answer(BODY[:-1] + b"!", ETag=ETAG, **headers)


@pytest.mark.parametrize(
    ("handle", "changes"),
    [
        (_wrong(), {}),
        (_wrong(Repr_Digest=f"sha-256=:{b64encode(hashlib.sha256(BODY).digest()).decode()}:"), {"digest": ""}),
        (answer(BODY + b"!", ETag=ETAG), {"digest": ""}),
        (answer(BODY[:-1], ETag=ETAG), {"digest": ""}),
    ],
)
def test_what_is_not_what_was_announced_never_becomes_a_file(
    tmp_path: Path, handle: Handle, changes: dict[str, object]
) -> None:
    with Server(handle) as server:
        with pytest.raises(Refuted):
            bring(server, tmp_path / "x", item(server, **changes))
        assert len(server.requests) == MAX_BEGINNINGS
    assert (tmp_path / "x").stat().st_size == 0


def test_another_version_sends_us_back_to_the_manifest(tmp_path: Path) -> None:
    with Server(in_turn(broken_at(1_000), ranged(etag='"two"'))) as server, pytest.raises(Changed):
        bring(server, tmp_path / "x", item(server))
    assert (tmp_path / "x").stat().st_size == 0


def test_rows_that_are_left_out_are_left_out_anew_each_time(tmp_path: Path) -> None:
    chosen = BODY[:50_000]
    with Server(in_turn(broken_at(1_000), answer(chosen))) as server:
        filtered = item(server, size=-1, digest="", etag="", filtered=True)
        moved = bring(server, tmp_path / "x", filtered)
        assert "range" not in server.requests[1][1]
    assert moved == Moved("x", "text/csv", 50_000, f"sha256:{hashlib.sha256(chosen).hexdigest()}", True)
    assert (tmp_path / "x").read_bytes() == chosen


@pytest.mark.slow
def test_a_city_that_wants_to_be_asked_later_is(tmp_path: Path) -> None:
    busy = answer(b"", 429, Retry_After="0")
    with Server(in_turn(busy, ranged())) as server:
        assert bring(server, tmp_path / "x", item(server)).digest == DIGEST


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_asked_for_is_waited_for_no_longer_than_there_is_patience(tmp_path: Path, status: int) -> None:
    seen, begun = Seen(), time.monotonic()
    with (
        Server(answer(b"", status, Retry_After="30")) as server,
        Growing(tmp_path / "x", keep=0, stop=lambda: False) as file,
    ):
        way = Way(server.url, "pid", f"{server.url}/x", "secret")
        loader = Downloader(DataDoor(door(), Nobody(), Nobody(), max_bytes=MOST, allow_http=True), lambda: 0.0)
        with pytest.raises(Unavailable):
            loader.bring(way, item(server), file, seen, threading.Event(), Patience(0.3))
        assert len(server.requests) == 2, "the last try is at the end of the patience"
    assert time.monotonic() - begun < 5
    assert len(seen.sentences) == (status == 503)


def test_one_trouble_is_told_once_until_something_comes(tmp_path: Path) -> None:
    seen = Seen()
    with Server(in_turn(broken_at(0), broken_at(0), broken_at(9), broken_at(9), ranged())) as server:
        assert bring(server, tmp_path / "x", item(server), seen).digest == DIGEST
    assert len([each for each in seen.sentences if "tried again" in each]) < 4


def test_a_refusal_is_no_reason_to_try_again(tmp_path: Path) -> None:
    with Server(answer(b"no", 403)) as server:
        with pytest.raises(Forbidden):
            bring(server, tmp_path / "x", item(server))
        assert len(server.requests) == 1


def test_a_server_that_never_gives_a_byte_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.federation.pulls.download.MAX_TRIES", 2)
    with Server(broken_at(0)) as server:
        with pytest.raises(SourceUnreachable):
            bring(server, tmp_path / "x", item(server))
        assert len(server.requests) == 2
    with pytest.raises(PeerUnreachable):
        bring(server, tmp_path / "x", item(server))


def test_whoever_looks_on_can_end_it_and_what_came_stays(tmp_path: Path) -> None:
    seen = Seen()

    def end(_: int) -> None:
        raise Stopped("Enough.")

    seen.on_came = end
    with Server(ranged()) as server, pytest.raises(Stopped):
        bring(server, tmp_path / "x", item(server), seen)
    assert (tmp_path / "x").read_bytes() == BODY[: seen.kept_at[-1]]
    assert seen.kept_at[-1] > 0


def test_another_connector_hands_out_one_part_of_which_only_its_answer_tells(tmp_path: Path) -> None:
    with Server(ranged()) as server:
        way = Way(server.url, "pid", f"{server.url}/public/noise.csv", "secret")
        (one,) = DataDoor(door(), Nobody(), Nobody(), max_bytes=MOST, allow_http=True).manifest(
            way, stop=threading.Event()
        )
        assert (one.name, one.size, one.digest, one.etag) == ("noise.csv", len(BODY), "", ETAG)
        assert bring(server, tmp_path / "x", one).digest == DIGEST


def test_a_bearer_token_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    with Server(ranged()) as server:
        way = Way(server.url, "pid", f"{server.url}/public/noise.csv", "secret")
        closed = DataDoor(door(), Nobody(), Nobody(), max_bytes=MOST)
        with pytest.raises(ForbiddenAddress, match="https"):
            closed.manifest(way, stop=threading.Event())
        with pytest.raises(ForbiddenAddress, match="https"):
            closed.open(way, item(server), Span(), stop=threading.Event())
        assert not server.requests
