"""Laws of long bodies that are read as they come: exact or visibly broken, from any byte on, stopped at once.

Servers are real ones on loopback. What a read gives at the end of a body is empty only if all of it came.
"""

import threading
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler

import pytest

from node.errors import ForbiddenAddress, SourceUnreachable, Stopped, TooLarge
from node.outbound import Outbound, Span, Stream
from tests.test_outbound import HOSTILE, Handle, Server, answer, door

BODY = bytes(range(256)) * 1000
ETAG = '"one"'


def ranged(body: bytes = BODY, etag: str = ETAG) -> Handle:
    """Serve ranges as RFC 9110 has them."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        asked, if_range = request.headers.get("Range", ""), request.headers.get("If-Range", etag)
        start, end = 0, len(body)
        if asked and if_range == etag:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), int(last) + 1 if last else len(body)
        if start >= len(body):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(body)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        whole = (start, end) == (0, len(body))
        request.send_response(200 if whole else 206)
        if not whole:
            request.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(end - start))
        request.end_headers()
        request.wfile.write(body[start:end])

    return handle


def slow(stopped: threading.Event, first: bytes = b"first", length: int = 1000) -> Handle:
    """Send a beginning, and nothing more until the test is over."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(length))
        request.end_headers()
        request.wfile.write(first)
        request.wfile.flush()
        stopped.wait(10)
        request.close_connection = True

    return handle


def opened(url: str, outbound: Outbound | None = None, span: Span | None = None, **changes: object) -> Stream:
    settings: dict[str, object] = {"max_bytes": 1 << 30, "open_s": 5.0, "stall_s": 5.0}
    return (outbound or door()).stream(url, span=span or Span(), **(settings | changes))  # type: ignore[arg-type]


def drained(stream: Stream) -> bytes:
    return b"".join(iter(lambda: stream.read(10_000), b""))


def test_a_body_is_read_whole_and_its_facts_are_told() -> None:
    with Server(ranged()) as server, opened(server.url + "/a?b=c", headers={"X-Own": "1", "range": "bytes=5-"}) as got:
        assert (got.status, got.start, got.total, got.length, got.etag) == (200, 0, len(BODY), len(BODY), ETAG)
        assert drained(got) == BODY
        assert got.read() == b""
        path, headers = server.requests[0]
    assert (path, headers["x-own"], headers["accept-encoding"]) == ("/a?b=c", "1", "identity")
    assert "range" not in headers


@pytest.mark.parametrize(("start", "end"), [(1, None), (255_999, None), (0, 1), (100, 90_000)])
def test_any_stretch_of_a_body_can_be_had(start: int, end: int | None) -> None:
    with Server(ranged()) as server, opened(server.url, span=Span(start, end, ETAG)) as got:
        assert (got.status, got.start, got.total) == (206, start, len(BODY))
        assert drained(got) == BODY[start:end]


def test_another_version_comes_from_its_beginning() -> None:
    with Server(ranged(etag='"two"')) as server, opened(server.url, span=Span(500, None, ETAG)) as got:
        assert (got.status, got.start, got.etag) == (200, 0, '"two"')
        assert drained(got) == BODY


def test_a_weak_tag_never_joins_two_versions() -> None:
    assert "If-Range" not in Span(5, None, 'W/"one"').headers()
    assert Span(5, None, ETAG).headers() == {"Range": "bytes=5-", "If-Range": ETAG}


def test_a_stretch_past_the_end_tells_how_long_the_body_is() -> None:
    with Server(ranged()) as server, opened(server.url, span=Span(len(BODY))) as got:
        assert (got.status, got.total, got.is_good) == (416, len(BODY), False)


@pytest.mark.parametrize(
    "handle",
    [
        answer(BODY, Content_Length=str(len(BODY) + 1)),
        answer(b"5\r\nhello\r\n", Content_Length="", Transfer_Encoding="chunked"),
        answer(b"5\r\nhello\r\n5\r\nhel", Content_Length="", Transfer_Encoding="chunked"),
    ],
)
def test_a_short_body_never_looks_like_a_whole_one(handle: Handle) -> None:
    def dropped(request: BaseHTTPRequestHandler) -> None:
        handle(request)
        request.close_connection = True

    with Server(_without_empty_length(dropped)) as server, opened(server.url) as got, pytest.raises(SourceUnreachable):
        drained(got)


def _without_empty_length(handle: Handle) -> Handle:
    def wrapped(request: BaseHTTPRequestHandler) -> None:
        request.protocol_version = "HTTP/1.1"
        send = request.send_header

        def send_header(name: str, value: str) -> None:
            if value:
                send(name, value)

        request.send_header = send_header  # type: ignore[method-assign,assignment]
        handle(request)

    return wrapped


def _endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(b"as much as there is")


@pytest.mark.parametrize(
    ("handle", "said"),
    [
        (_endless, "where its answer ends"),
        (answer(b"x", Content_Encoding="gzip"), "coding"),
        (answer(b"x", 206, Content_Range="bytes 5-5/9"), "other bytes"),
        (answer(b"x", 206), "other bytes"),
        (answer(b"xx", 206, Content_Range="bytes 3-3/9"), "two lengths"),
    ],
)
def test_an_answer_that_could_mislead_is_refused(handle: Handle, said: str) -> None:
    with Server(handle) as server, pytest.raises(SourceUnreachable, match=said):
        opened(server.url, span=Span(3))


def test_a_refusal_is_an_answer_and_its_words_are_bounded() -> None:
    with Server(answer(b"x" * 100_000, 403)) as server, opened(server.url) as got:
        assert (got.status, got.is_good) == (403, False)
        assert len(got.refusal()) == 64 * 1024


def test_more_than_was_allowed_is_refused_before_and_while_it_is_read() -> None:
    chunked = answer(b"a\r\n0123456789\r\n0\r\n\r\n", Content_Length="", Transfer_Encoding="chunked")
    with Server(answer(b"0123456789")) as server, pytest.raises(TooLarge):
        opened(server.url, max_bytes=9)
    with (
        Server(_without_empty_length(chunked)) as server,
        opened(server.url, max_bytes=9) as got,
        pytest.raises(TooLarge),
    ):
        drained(got)


def test_a_stalled_body_ends_in_an_error_and_what_came_stays_good() -> None:
    over = threading.Event()
    with Server(slow(over)) as server, opened(server.url, stall_s=0.1) as got:
        assert got.read() == b"first"
        with pytest.raises(SourceUnreachable, match="in time"):
            got.read()
        over.set()


@pytest.mark.parametrize("by", ["event", "cut"])
def test_a_read_that_waits_is_stopped_at_once(by: str) -> None:
    over, stop = threading.Event(), threading.Event()
    with Server(slow(over)) as server, opened(server.url, stop=stop) as got:
        assert got.read() == b"first"
        threading.Timer(0.05, stop.set if by == "event" else got.cut).start()
        begun = time.monotonic()
        with pytest.raises(Stopped):
            got.read()
        assert time.monotonic() - begun < 1
        with pytest.raises(Stopped):
            got.read()
        over.set()


def test_an_opening_that_waits_is_stopped_or_late() -> None:
    over, stop = threading.Event(), threading.Event()

    def mute(request: BaseHTTPRequestHandler) -> None:
        over.wait(10)

    with Server(mute) as server:
        with pytest.raises(SourceUnreachable):
            opened(server.url, open_s=0.1)
        stop.set()
        with pytest.raises(Stopped):
            opened(server.url, stop=stop)
        over.set()


def test_redirects_are_followed_within_the_origin_and_only_if_asked() -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/old":
            answer(b"", 302, Location="/new")(request)
        elif request.path == "/away":
            answer(b"", 307, Location="http://127.0.0.1:1/")(request)
        elif request.path == "/round":
            answer(b"", 302, Location="/round")(request)
        else:
            ranged()(request)

    with Server(handle) as server:
        with opened(server.url + "/old", follow=True, span=Span(7)) as got:
            assert drained(got) == BODY[7:]
        with opened(server.url + "/old") as got:
            assert got.status == 302
        with pytest.raises(ForbiddenAddress):
            opened(server.url + "/away", follow=True)
        with pytest.raises(SourceUnreachable, match="more than 3"):
            opened(server.url + "/round", follow=True)


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_never_streamed(url: str) -> None:
    outbound = door(loopback_allowed=False, resolver=lambda host, port: ["127.0.0.1"])
    with pytest.raises(ForbiddenAddress):
        opened(url, outbound)


@pytest.mark.slow
def test_memory_stays_small_whatever_the_size() -> None:
    size = 64 << 20

    def much(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(size))
        request.end_headers()
        piece = bytes(1 << 20)
        for _ in range(64):
            request.wfile.write(piece)

    with Server(much) as server:
        tracemalloc.start()
        with opened(server.url) as got:
            read = 0
            while piece := got.read():
                read += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert read == size
    assert peak < 8 << 20
