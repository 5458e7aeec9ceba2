"""`make demo` as a newcomer sees it: two cities come up, answer, and go when asked."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parents[2]
PORTS = (8001, 8002)


def get(url: str, accept: str = "*/*") -> bytes:
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module")
def said() -> Iterator[list[str]]:
    if not all(map(is_free, PORTS)):
        pytest.skip("ports 8001 and 8002 are taken: a demonstration is running here")
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**os.environ, "LIVE": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    until = time.monotonic() + 120
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C stops both" in line:
                break
            assert time.monotonic() < until, lines
        yield lines
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()
    assert code == 0
    assert all(map(is_free, PORTS))


def test_it_says_what_to_open_and_try(said: list[str]) -> None:
    text = "".join(said)
    for address in ("http://127.0.0.1:8001/", "http://127.0.0.1:8002/", "curl "):
        assert address in text


@pytest.mark.parametrize(("port", "languages"), [(8001, {"fi", "sv", "en"}), (8002, {"en"})])
def test_each_city_publishes_its_own_portal(said: list[str], port: int, languages: set[str]) -> None:
    turtle = get(f"http://127.0.0.1:{port}/collections/open-data", "text/turtle").decode()
    assert turtle.count(" a dcat:Dataset") >= 40
    assert all(f'"@{language}' in turtle for language in languages)
    runs = json.loads(get(f"http://127.0.0.1:{port}/runs", "application/json"))
    assert "succeeded" in json.dumps(runs)


def test_the_pages_are_there_in_the_citys_languages(said: list[str]) -> None:
    assert 'lang="sv"' in get("http://127.0.0.1:8001/?lang=sv", "text/html").decode()
    assert "London" in get("http://127.0.0.1:8002/", "text/html").decode()
