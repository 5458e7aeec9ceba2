"""The fault proxy does exactly the harm it was told to, counts it, and is gone with its `with`."""

import contextlib
import http.client
import http.server
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from node.testing import GONE, HEALTHY, FaultProxy, Faults, free_port, wait_for
from tests.portal_server import PortalServer, page, status

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

TEXT = bytes(range(256)) * 40
NO_ANSWER = (ConnectionError, urllib.error.URLError)


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer() as one:
        one.pages["/page"] = page(TEXT)
        one.pages["/empty"] = status(204)
        yield one


@pytest.fixture
def proxy(portal: PortalServer) -> Iterator[FaultProxy]:
    with FaultProxy(int(portal.url.rpartition(":")[2]), seed=7) as one:
        yield one


def get(proxy: FaultProxy, path: str = "/page") -> bytes:
    with urllib.request.urlopen(proxy.url + path, timeout=10) as answer:  # noqa: S310 (our own proxy)
        read: bytes = answer.read()
    return read


def ask_in_vain(proxy: FaultProxy) -> None:
    with contextlib.suppress(*NO_ANSWER):
        get(proxy)


def test_a_healthy_proxy_changes_nothing_and_counts(proxy: FaultProxy) -> None:
    assert get(proxy) == TEXT
    assert proxy.counts == {"passed": 1}
    (seen,) = proxy.exchanges
    assert (seen.method, seen.target, seen.status, seen.sent_bytes, seen.fault) == ("GET", "/page", 200, len(TEXT), "")


def test_a_refused_connection_never_reaches_the_node(proxy: FaultProxy, portal: PortalServer) -> None:
    proxy.faults = GONE
    with pytest.raises(NO_ANSWER):
        get(proxy)
    assert portal.asked == []
    assert proxy.counts == {"refuse": 1}
    proxy.heal()
    assert get(proxy) == TEXT


def test_a_cut_body_is_shorter_than_its_head_says(proxy: FaultProxy) -> None:
    proxy.faults = Faults(cut=1)
    with pytest.raises(http.client.IncompleteRead) as caught:
        get(proxy)
    assert TEXT.startswith(caught.value.partial)
    assert proxy.exchanges[-1].sent_bytes == len(caught.value.partial)


def test_a_corrupted_body_differs_in_one_byte(proxy: FaultProxy) -> None:
    proxy.faults = Faults(corrupt=1)
    for _ in range(5):
        got = get(proxy)
        assert len(got) == len(TEXT)
        assert sum(a != b for a, b in zip(got, TEXT, strict=True)) == 1


def test_half_of_the_corruptions_fall_into_an_uncompressed_body(proxy: FaultProxy, portal: PortalServer) -> None:
    proxy.faults = Faults(corrupt=1)
    for _ in range(30):
        get(proxy)
    asked = ["accept-encoding" in headers for _, headers in portal.asked]
    assert 5 < sum(asked) < 25


def test_a_replay_is_an_earlier_answer_of_the_same_path(proxy: FaultProxy, portal: PortalServer) -> None:
    proxy.faults = Faults(replay=1)
    assert get(proxy) == TEXT, "there is nothing to replay yet"
    proxy.heal()
    get(proxy)
    portal.pages["/page?after=2"] = page(b"newer")
    proxy.faults = Faults(replay=1)
    assert get(proxy, "/page?after=2") == TEXT
    assert proxy.counts["replay"] == 1


@pytest.mark.slow
def test_delay_and_drip_take_their_time(proxy: FaultProxy) -> None:
    for faults in (Faults(delay=1, delay_s=0.3), Faults(drip=1, drip_s=0.3)):
        proxy.faults = faults
        begun = time.monotonic()
        assert get(proxy) == TEXT
        assert time.monotonic() - begun >= 0.28
    assert proxy.counts == {"delay": 1, "drip": 1}


def test_what_has_no_body_is_spared(proxy: FaultProxy) -> None:
    for faults in (Faults(cut=1), Faults(corrupt=1), Faults(drip=1)):
        proxy.faults = faults
        assert get(proxy, "/empty") == b""
    assert proxy.counts == {"passed": 3}


def test_only_the_named_paths_are_touched(proxy: FaultProxy, portal: PortalServer) -> None:
    portal.pages["/collections/x/entries"] = page(TEXT)
    proxy.faults = Faults(refuse=1, paths=r"/entries$")
    assert get(proxy) == TEXT
    with pytest.raises(NO_ANSWER):
        get(proxy, "/collections/x/entries")


def test_the_same_seed_meets_the_same_faults(portal: PortalServer) -> None:
    def met(seed: int) -> list[str]:
        with FaultProxy(int(portal.url.rpartition(":")[2]), seed=seed, faults=Faults(cut=0.3, corrupt=0.3)) as proxy:
            for _ in range(20):
                with contextlib.suppress(http.client.IncompleteRead):
                    get(proxy)
            return [exchange.fault for exchange in proxy.exchanges]

    assert met(1) == met(1)
    assert met(1) != met(2)
    assert {"", "cut", "corrupt"} == set(met(1))


def test_a_node_that_is_away_looks_away(portal: PortalServer) -> None:
    with FaultProxy(1) as proxy:
        with pytest.raises(NO_ANSWER):
            get(proxy)
        assert proxy.counts == {"away": 1}


def test_one_connection_carries_many_requests_and_bodies(proxy: FaultProxy, portal: PortalServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=5)
    for _ in range(3):
        connection.request("GET", "/page")
        assert connection.getresponse().read() == TEXT
    connection.close()


def test_nothing_is_left_when_it_is_over(portal: PortalServer) -> None:
    before = threading.active_count()
    with FaultProxy(int(portal.url.rpartition(":")[2]), faults=Faults(delay=1, delay_s=60)) as proxy:
        waiting = threading.Thread(target=ask_in_vain, args=(proxy,))
        waiting.start()
        time.sleep(0.2)
        begun = time.monotonic()
    waiting.join(5)
    assert time.monotonic() - begun < 2
    assert threading.active_count() == before


def test_shares_that_are_no_shares_are_refused() -> None:
    for wrong in ({"cut": 1.5}, {"cut": 0.6, "corrupt": 0.6}, {"drip": -0.1}):
        with pytest.raises(ValueError, match="shares"):
            Faults(**wrong)  # type: ignore[arg-type]
    assert Faults(cut=0.4, corrupt=0.6).drawn(0.39, "/") == "cut"
    assert HEALTHY.drawn(0.0, "/") == ""


@pytest.mark.parametrize("said", [b"\r\n\r\n", b"GET /\r\n\r\n", b"POST /page HTTP/1.1\r\nContent-Length: x\r\n\r\n"])
def test_nonsense_ends_the_connection_and_nothing_else(proxy: FaultProxy, said: bytes) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as caller:
        caller.sendall(said)
        assert caller.recv(100) == b""
    assert get(proxy) == TEXT


# ---------------------------------------------------------------- what is streamed


class Node:
    """A server of a great body that counts what it could say, and keeps what it heard."""

    def __init__(self, size: int) -> None:
        outer = self
        self.size, self.said, self.heard = size, 0, b""
        self.gone = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(outer.size))
                self.end_headers()
                try:
                    while outer.said < outer.size:
                        outer.said += self.wfile.write(TEXT[: outer.size - outer.said])
                except OSError:
                    outer.gone.set()

            def do_PATCH(self) -> None:
                while piece := self.rfile.read1(1 << 16):
                    outer.heard += piece
                    if len(outer.heard) == int(self.headers["content-length"]):
                        self.send_response(204)
                        self.end_headers()
                        break
                outer.gone.set()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.port = int(self._server.server_port)

    def __enter__(self) -> "Node":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_a_streamed_body_passes_whole_and_is_counted() -> None:
    with Node(3_000_000) as node, FaultProxy(node.port) as proxy:
        assert len(get(proxy, "/data/x")) == 3_000_000
        wait_for(lambda: bool(proxy.exchanges), "it to be counted")
        (one,) = proxy.exchanges
        assert (one.status, one.sent_bytes, one.fault) == (200, 3_000_000, "")


def test_a_stream_is_no_faster_than_its_reader_and_ends_with_it() -> None:
    with Node(200_000_000) as node, FaultProxy(node.port) as proxy:
        with urllib.request.urlopen(proxy.url + "/data/x", timeout=10) as answer:  # noqa: S310 (our own proxy)
            answer.read(1000)
            time.sleep(0.3)
            assert node.said < 50_000_000
        assert node.gone.wait(5)


@pytest.mark.parametrize("kind", ["cut", "corrupt"])
def test_a_streamed_body_is_harmed_where_it_was_told_to(kind: str) -> None:
    shares = {"cut": 0.0, "corrupt": 0.0, kind: 1.0}
    faults = Faults(cut=shares["cut"], corrupt=shares["corrupt"], reach=1_000_000)
    with Node(3_000_000) as node, FaultProxy(node.port, faults=faults) as proxy:
        read = b""
        with contextlib.suppress(http.client.IncompleteRead), urllib.request.urlopen(proxy.url + "/data/x") as answer:  # noqa: S310
            while piece := answer.read(1 << 16):
                read += piece
        whole = (TEXT * 300)[:3_000_000]
        if kind == "cut":
            assert len(read) < 1_000_000
            assert whole.startswith(read)
        else:
            assert sum(a != b for a, b in zip(read, whole, strict=True)) == 1
        wait_for(lambda: proxy.counts[kind] == 1, "it to be counted")


def test_what_the_caller_brings_is_harmed_and_not_the_answer_to_it() -> None:
    with Node(0) as node, FaultProxy(node.port, faults=Faults(cut=1.0, reach=1000)) as proxy:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("PATCH", "/data/x", body=TEXT)
            connection.getresponse()
        connection.close()
        assert node.gone.wait(5)
        assert len(node.heard) < 1000
        assert TEXT.startswith(node.heard)


def test_a_body_that_drips_takes_its_time() -> None:
    with Node(1 << 20) as node, FaultProxy(node.port, faults=Faults(drip=1.0, drip_s=0.4)) as proxy:
        begun = time.monotonic()
        assert len(get(proxy, "/data/x")) == 1 << 20
        assert time.monotonic() - begun > 0.3


def test_a_node_that_is_away_has_no_streams_either() -> None:
    with FaultProxy(free_port()) as proxy:
        with pytest.raises(NO_ANSWER):
            get(proxy, "/data/x")
        wait_for(lambda: proxy.counts["away"] == 1, "it to be counted")
