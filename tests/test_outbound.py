"""Laws of the only way out: which addresses it never fetches, and what it does with bad servers.

Servers are real ones on loopback, started and stopped here; names are resolved by a resolver handed in.
"""

import errno
import gzip
import hashlib
import ipaddress
import os
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node.errors import ForbiddenAddress, SourceUnreachable, Stopped, TooLarge, Unavailable
from node.outbound import Answer, Outbound, download, is_public

Handle = Callable[[BaseHTTPRequestHandler], None]
MEGABYTE = 1 << 20


class Server:
    """A server on a free loopback port whose answers are functions by path."""

    def __init__(self, handle: Handle, tls: ssl.SSLContext | None = None) -> None:
        outer = self
        self.requests: list[tuple[str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
                try:
                    handle(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answer(body: bytes = b"hello", status: int = 200, **headers: str) -> Handle:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return handle


def door(**changes: Any) -> Outbound:
    settings: dict[str, Any] = {"loopback_allowed": True, "private_origins": frozenset(), "user_agent": "citynode/test"}
    return Outbound(**(settings | changes))


def get(outbound: Outbound, url: str, to: Path, **changes: Any) -> Answer:
    settings: dict[str, Any] = {"max_bytes": MEGABYTE, "deadline_s": 5.0, "stop": threading.Event()}
    return outbound.download(url, to, **(settings | changes))


@pytest.fixture
def to(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "document"
    # An abandoned worker may need a moment to notice.
    until = time.monotonic() + 2
    while list(tmp_path.glob("*.part")) and time.monotonic() < until:
        time.sleep(0.01)
    assert not list(tmp_path.glob("*.part")), "a part of a download was left behind"


HOSTILE = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://[fd00::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[ff02::1]/",
    "http://224.0.0.1/",
    "http://10.1.2.3/",
    "http://192.168.1.1/",
    "http://172.31.255.255/",
    "http://198.18.0.1/",
    "http://255.255.255.255/",
    "http://user:secret@portal.example/",
    "http://portal.example@127.0.0.1/",
    "file:///etc/passwd",
    "ftp://portal.example/",
    "gopher://portal.example/",
    "http:///nowhere",
    "//portal.example/",
    "http://１２７.0.0.1/",
    "http://127.0.0.1./",
    "http://portal..example/",
    "http://[::1",
    "portal.example",
    "",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_without_a_connection(url: str, to: Path) -> None:
    outbound = door(loopback_allowed=False, resolver=lambda host, port: ["127.0.0.1"])
    with pytest.raises(ForbiddenAddress):
        get(outbound, url, to)
    assert not to.exists()


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["10.0.0.1", "93.184.216.34"],
        ["93.184.216.34", "2002:7f00:1::"],
        ["2606:2800:220:1::1", "::ffff:169.254.169.254"],
        ["fe80::1%eth0"],
        ["::"],
    ],
)
def test_one_forbidden_answer_of_the_resolver_refuses_the_host(answers: list[str], to: Path) -> None:
    outbound = door(loopback_allowed=False, resolver=lambda host, port: answers)
    with pytest.raises(ForbiddenAddress):
        get(outbound, "http://portal.example/", to)


def test_a_name_is_asked_for_once_and_the_checked_address_is_connected(to: Path) -> None:
    """The second answer of a rebinding resolver is never asked for."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with Server(answer()) as server:
        get(door(resolver=rebinding), f"http://portal.example:{server.port}/a?b=c", to)
        path, headers = server.requests[0]
    assert asked == ["portal.example"]
    assert path == "/a?b=c"
    assert headers["host"] == f"portal.example:{server.port}"


def test_a_dead_address_is_followed_by_the_next_one(to: Path) -> None:
    with Server(answer()) as server:
        outbound = door(resolver=lambda host, port: ["::1", "127.0.0.1"])
        assert get(outbound, f"http://portal.example:{server.port}/", to).size == 5


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_not_refused(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_loopback_is_fetched_only_if_we_are_loopback_ourselves(to: Path) -> None:
    with Server(answer()) as server:
        assert get(door(), server.url, to).status == 200
        with pytest.raises(ForbiddenAddress):
            get(door(loopback_allowed=False), server.url, to)


def test_a_private_origin_is_fetched_if_it_is_named_and_only_at_its_port(to: Path) -> None:
    with Server(answer()) as server, Server(answer()) as other:
        outbound = door(loopback_allowed=False, private_origins=frozenset({server.url.upper() + "/"}))
        assert get(outbound, server.url + "/x", to).size == 5
        with pytest.raises(ForbiddenAddress):
            get(outbound, other.url, to)


def test_our_own_child_ports_are_never_fetched(to: Path) -> None:
    with Server(answer()) as server:
        outbound = door(child_ports=frozenset({server.port}), private_origins=frozenset({server.url}))
        with pytest.raises(ForbiddenAddress):
            get(outbound, server.url, to)
        assert not server.requests


@pytest.mark.parametrize(
    "location", ["http://10.0.0.1/", "http://169.254.169.254/", "file:///etc/passwd", "http://u:p@portal.example/"]
)
def test_a_redirect_to_where_we_do_not_go_is_refused(location: str, to: Path) -> None:
    with Server(answer(b"", 302, Location=location)) as server, pytest.raises(ForbiddenAddress):
        get(door(), server.url, to)


def test_redirects_are_followed_and_the_last_address_told(to: Path) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        n = int(request.path[1:])
        (answer(b"there") if n == 5 else answer(b"", 302, Location=f"/{n + 1}"))(request)

    with Server(handle) as server:
        assert get(door(), f"{server.url}/0", to).url == f"{server.url}/5"
        assert to.read_bytes() == b"there"


def test_a_circle_of_redirects_ends(to: Path) -> None:
    with Server(answer(b"", 301, Location="/again", Set_Cookie="a=b")) as server:
        with pytest.raises(SourceUnreachable, match="redirects"):
            get(door(), server.url, to)
        assert len(server.requests) == 6
        assert all("cookie" not in headers for _, headers in server.requests)


def test_the_answer_says_what_came(to: Path) -> None:
    headers = {"ETag": '"v1"', "Last_Modified": "Sat, 21 Nov 2026 10:00:00 GMT", "Content_Type": "Text/HTML; charset=x"}
    seen: list[tuple[int, int | None]] = []
    with Server(answer(b"<html>", **headers)) as server:
        got = get(door(), server.url, to, progress=lambda done, total: seen.append((done, total)), accept="text/turtle")
        assert server.requests[0][1]["accept"] == "text/turtle"
        assert server.requests[0][1]["user-agent"] == "citynode/test"
    assert (got.status, got.media_type, got.etag, got.size) == (200, "text/html", '"v1"', 6)
    assert got.last_modified == headers["Last_Modified"]
    assert got.sha256 == hashlib.sha256(b"<html>").hexdigest()
    assert got.headers["content-type"] == "Text/HTML; charset=x"
    assert not got.not_modified
    assert seen == [(6, 6)]


def test_an_unchanged_document_leaves_the_file_alone(to: Path) -> None:
    to.write_bytes(b"old")
    with Server(answer(b"", 304, ETag='"v1"')) as server:
        got = get(door(), server.url, to, etag='"v1"', last_modified="Sat, 21 Nov 2026 10:00:00 GMT")
        assert server.requests[0][1]["if-none-match"] == '"v1"'
        assert server.requests[0][1]["if-modified-since"] == "Sat, 21 Nov 2026 10:00:00 GMT"
    assert got.not_modified
    assert to.read_bytes() == b"old"


def test_a_304_that_nobody_asked_for_is_no_answer(to: Path) -> None:
    with Server(answer(b"", 304)) as server, pytest.raises(SourceUnreachable):
        get(door(), server.url, to)


def test_a_refusal_of_the_source_is_told_with_its_wish_to_wait(to: Path) -> None:
    with Server(answer(b"", 503, Retry_After="120")) as server, pytest.raises(SourceUnreachable) as caught:
        get(door(), f"{server.url}/x?token=secret", to)
    assert "503" in str(caught.value)
    assert "120 s" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [204, 206, 400, 403, 404, 410, 429, 500, 599])
def test_only_a_whole_answer_is_an_answer(status: int, to: Path) -> None:
    body = b"" if status == 204 else b"x"
    with Server(answer(body, status)) as server, pytest.raises(SourceUnreachable, match=str(status)):
        get(door(), server.url, to)
    assert not to.exists()


def test_a_body_shorter_than_announced_is_refused(to: Path) -> None:
    to.write_bytes(b"old")
    half = answer(b"half", Content_Length="8", Connection="close")
    with Server(half) as server, pytest.raises(SourceUnreachable):
        get(door(), server.url, to)
    assert to.read_bytes() == b"old"


def test_a_truncated_chunked_body_is_refused(to: Path) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"5\r\nhello\r\n")
        request.close_connection = True

    with Server(handle) as server, pytest.raises(SourceUnreachable):
        get(door(), server.url, to)


def test_gzip_is_read_also_in_several_members(to: Path) -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two")
    with Server(answer(body, Content_Encoding="gzip")) as server:
        got = get(door(), server.url, to)
    assert to.read_bytes() == b"one two"
    assert got.size == 7
    assert got.sha256 == hashlib.sha256(b"one two").hexdigest()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"x" * 999, mtime=0)[:-4], "gzip"),
        (b"no gzip", "gzip"),
        (b"x", "br"),
        (b"x", "gzip, gzip"),
        (b"x", "zstd"),
    ],
)
def test_a_coding_that_is_broken_or_was_not_asked_for_is_refused(body: bytes, encoding: str, to: Path) -> None:
    with Server(answer(body, Content_Encoding=encoding)) as server, pytest.raises(SourceUnreachable):
        get(door(), server.url, to)


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(MEGABYTE)
    return b"".join(packer.compress(block) for _ in range(size // MEGABYTE)) + packer.flush()


@pytest.mark.slow
def test_200_megabytes_in_200_kilobytes_are_stopped_in_bounded_memory(to: Path) -> None:
    body = bomb(200 * MEGABYTE)
    assert len(body) < 210_000
    with Server(answer(body, Content_Encoding="gzip")) as server:
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                get(door(), server.url, to, max_bytes=20 * MEGABYTE, deadline_s=30)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8 * MEGABYTE
    assert not to.exists()


def test_a_full_disk_is_said_and_is_no_fault_of_the_source(to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(download, "_write", full)
    with Server(answer()) as server, pytest.raises(Unavailable, match=r"no space left on device.*free space") as caught:
        get(door(), server.url, to)
    assert not isinstance(caught.value, SourceUnreachable)
    assert not to.exists()


def test_a_body_that_says_it_is_too_large_is_not_read(to: Path) -> None:
    with Server(answer(b"x", Content_Length=str(2 * MEGABYTE))) as server, pytest.raises(TooLarge):
        get(door(), server.url, to)


def test_a_body_that_does_not_say_how_large_it_is_is_stopped(to: Path) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(40):
            request.wfile.write(bytes(100_000))

    with Server(handle) as server, pytest.raises(TooLarge):
        get(door(), server.url, to)


def drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(200):
        request.wfile.write(b".")
        request.wfile.flush()
        time.sleep(0.05)


def drip_headers(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.0 200 OK\r\nX-Long: ")
    for _ in range(200):
        request.wfile.write(b".")
        request.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("handle", [drip, drip_headers])
def test_a_slow_drip_ends_at_the_deadline(handle: Handle, to: Path) -> None:
    with Server(handle) as server:
        begun = time.monotonic()
        with pytest.raises(SourceUnreachable, match=r"within 0\.5 s"):
            get(door(), server.url, to, deadline_s=0.5)
        assert time.monotonic() - begun < 1.0


@contextmanager
def silent_listener() -> Iterator[str]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def stopped_after(outbound: Outbound, url: str, to: Path) -> float:
    """Set the stop event after 0.2 s and give how long the download took to notice."""
    stop = threading.Event()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        get(outbound, url, to, stop=stop, deadline_s=30)
    timer.join()
    return time.monotonic() - begun - 0.2


def test_stop_is_heard_while_the_name_is_looked_up(to: Path) -> None:
    release = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        release.wait(10)
        return []

    assert stopped_after(door(resolver=slow), "http://portal.example/", to) < 0.5
    release.set()


def test_stop_is_heard_while_waiting_for_the_answer(to: Path) -> None:
    with silent_listener() as url:
        assert stopped_after(door(), url, to) < 0.5


def test_stop_is_heard_in_the_middle_of_the_body(to: Path) -> None:
    with Server(drip) as server:
        assert stopped_after(door(), server.url, to) < 0.5


def test_a_host_that_nobody_knows_is_told(to: Path) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(SourceUnreachable, match=r"portal\.example"):
        get(door(resolver=unknown), "http://portal.example/", to)


def test_a_port_where_nobody_listens_is_told(to: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        get(door(), f"http://127.0.0.1:{port}/", to)


def test_what_is_no_http_is_told(to: Path) -> None:
    def mail(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"220 mail ready\r\n")

    with Server(mail) as server, pytest.raises(SourceUnreachable):
        get(door(), server.url, to)


def certificate_for(name: str, folder: Path) -> Path:
    """Write a self-signed certificate with its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(secret + certificate.public_bytes(pem))
    return path


def test_the_certificate_must_be_for_the_name_and_not_for_the_address(to: Path) -> None:
    path = certificate_for("portal.example", to.parent)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(path)
    outbound = door(resolver=lambda host, port: ["127.0.0.1"])
    outbound._certificates.context = ssl.create_default_context(cafile=str(path))
    with Server(answer(), tls=theirs) as server:
        assert get(outbound, f"https://portal.example:{server.port}/", to).size == 5
        for wrong in ("other.example", "127.0.0.1"):
            with pytest.raises(SourceUnreachable, match=r"(?i)certificate"):
                get(outbound, f"https://{wrong}:{server.port}/", to)
