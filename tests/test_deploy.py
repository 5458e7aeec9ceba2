"""`deploy/nginx.conf` itself, under a real nginx: what cities bring passes at once, and all else is bounded."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.testing import free_port, wait_for

CONF = Path(__file__).parents[1] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SIZE = 3 << 20
WHOLE = """daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 64; }}
http {{
access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
include {folder}/site;
}}
"""


class Node:
    """What nginx asks: it keeps the heads and counts the bytes of the bodies, and answers 204 when one is whole."""

    def __init__(self, door: socket.socket) -> None:
        self.door, self.heads, self.got = door, [""], 0

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                stream, _ = self.door.accept()
                with stream, contextlib.suppress(OSError):
                    self._answer(stream)

    def _answer(self, stream: socket.socket) -> None:
        came = b""
        while b"\r\n\r\n" not in came:
            if not (piece := stream.recv(65_536)):
                return
            came += piece
        head, _, body = came.partition(b"\r\n\r\n")
        self.heads.append(head.decode().lower())
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        size, self.got = int(lengths[0]) if lengths else 0, len(body)
        while self.got < size:
            if not (piece := stream.recv(65_536)):
                return
            self.got += len(piece)
        stream.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


@pytest.fixture
def node() -> Iterator[Node]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        made = Node(door)
        serving = threading.Thread(target=made.serve)
        serving.start()
        try:
            yield made
        finally:
            door.shutdown(socket.SHUT_RDWR)
            serving.join(5)


@pytest.fixture
def port(node: Node, tmp_path: Path) -> Iterator[int]:
    """Start nginx with the file as it stands; only addresses and the certificate are the test's."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    listening = free_port()
    site = CONF.read_text()
    kept = [line for line in site.splitlines() if "[::]" not in line and "ssl_" not in line]
    changed = "\n".join(kept).replace("server 127.0.0.1:8000;", f"server 127.0.0.1:{node.door.getsockname()[1]};")
    changed = changed.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    changed = changed.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{listening};")
    assert changed.count("127.0.0.1:") == 3
    (tmp_path / "site").write_text(changed)
    (tmp_path / "nginx.conf").write_text(WHOLE.format(folder=tmp_path))
    process = subprocess.Popen([NGINX, "-e", str(tmp_path / "log"), "-c", str(tmp_path / "nginx.conf")])
    try:
        wait_for(lambda: process.poll() is not None or _is_open(listening), "nginx to listen", tmp_path / "log")
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield listening
    finally:
        process.terminate()
        process.wait(10)


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def begin(port: int, method: str, path: str, size: int) -> socket.socket:
    """Send the head of a request."""
    stream = socket.create_connection(("127.0.0.1", port), 10)
    head = f"{method} {path} HTTP/1.1\r\nHost: data.example.city\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    stream.sendall(head.encode())
    return stream


def status(stream: socket.socket) -> int:
    return int(stream.recv(65_536).split()[1])


@pytest.mark.slow
def test_what_another_city_brings_passes_before_it_is_whole(node: Node, port: int) -> None:
    half = SIZE // 2
    with begin(port, "PATCH", "/data/incoming/x/big.bin", SIZE) as stream:
        stream.sendall(os.urandom(half))
        # Nothing of it may wait in nginx: after a cut it goes on behind the last byte that the node has.
        wait_for(lambda: node.got == half, "the first half to be at the node", within_s=10)
        stream.sendall(os.urandom(SIZE - half))
        assert status(stream) == 204
    assert node.got == SIZE
    assert "x-forwarded-for: 127.0.0.1" in node.heads[-1]
    assert "host: data.example.city" in node.heads[-1]


@pytest.mark.slow
def test_a_cut_leaves_the_node_what_was_sent(node: Node, port: int) -> None:
    with begin(port, "PATCH", "/data/incoming/x/big.bin", SIZE) as stream:
        stream.sendall(os.urandom(SIZE // 3))
        wait_for(lambda: node.got == SIZE // 3, "what was sent to be at the node", within_s=10)
    with begin(port, "GET", "/healthz", 0) as stream:  # nginx let go of it, so the node is free for the next
        assert status(stream) == 204


@pytest.mark.slow
def test_messages_are_bounded_by_what_the_node_takes(node: Node, port: int) -> None:
    with begin(port, "POST", "/api/records", (1 << 20) + 1) as stream:
        assert status(stream) == 413
    with begin(port, "POST", "/api/records", 1 << 20) as stream:
        stream.sendall(bytes(1 << 20))
        assert status(stream) == 204
    assert node.got == 1 << 20
