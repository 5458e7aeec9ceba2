"""Commands on readers' reports and on the numbers of the catalogue."""

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from node.assembly import Node, build
from node.catalog.problem_reports import About, Words
from node.settings import load
from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

TREES = About("http://127.0.0.1:8001/datasets/trees", "Street trees")
KERBS = About("https://london.example/datasets/kerbs", "Kerbs", "https://london.example")


def node_in(folder: Path) -> Node:
    return build(load(environ={}, data=folder))


def report(folder: Path, about: About, text: str) -> str:
    """Report something as the web would; give its id."""
    node = node_in(folder)
    try:
        words = Words("wrong", text, "en", "ada@example.org")
        return node.readers.reports.report(about, words, caller="203.0.113.9")
    finally:
        node.close()


def test_a_report_is_listed_shown_answered_sorted_and_closed(helsinki: Say, tmp_path: Path) -> None:
    assert helsinki("reports", "list").out == "No report waits.\n"
    trees, kerbs = report(tmp_path / "node", TREES, "One is missing."), report(tmp_path / "node", KERBS, "Wrong side.")
    listed = helsinki("reports", "list", "--json").json
    assert [(each["id"], each["title"]) for each in listed] == [(trees, "Street trees"), (kerbs, "Kerbs")]
    assert "Street trees" in helsinki("reports", "list").out
    shown = helsinki("reports", "show", trees[:8]).out
    assert "ada@example.org" in shown
    assert "One is missing." in shown
    assert "looking" in helsinki("reports", "answer", trees, "--text", "We count them.").out
    assert helsinki("reports", "sort", trees, "old", "--json").json["kind"] == "old"
    assert helsinki("reports", "sort", trees, "nonsense").code == 1
    assert helsinki("reports", "close", trees, "--as", "mended").code == 2  # a reason is needed
    closed = helsinki("reports", "close", trees, "--as", "mended", "--reason", "It is there now.")
    assert "It is there now." in closed.out
    assert "ada@example.org" in closed.err
    assert helsinki("reports", "close", kerbs, "--as", "mended", "--reason", "Ours?").code == 1
    assert [each["id"] for each in helsinki("reports", "list", "--settled", "--json").json] == [trees]
    assert helsinki("reports", "show", "ffff").code == 1


def test_the_numbers_need_an_index_and_tell_what_was_counted(helsinki: Say, tmp_path: Path) -> None:
    assert helsinki("numbers").code == 3  # there is no index yet
    helsinki("index", "rebuild", "search")
    node = node_in(tmp_path / "node")
    node.readers.usage.count("search", "none")
    node.readers.usage.count("download", TREES.iri)
    node.readers.usage.flush()
    node.close()
    told = helsinki("numbers").out
    assert "0 records, 1 downloads and 1 searches in 30 days" in told
    assert f"downloaded 1 times: {TREES.iri}" in told
    assert helsinki("numbers", "--json").json["in_vain"] == 1


def test_a_web_process_that_is_ended_adds_what_it_has_counted(helsinki: Say, tmp_path: Path) -> None:
    helsinki("index", "rebuild", "search")
    with socket.create_server(("127.0.0.1", 0)) as door:
        command = [sys.executable, "-m", "node", "serve", "--fd", str(door.fileno()), "--data", str(tmp_path / "node")]
        with subprocess.Popen(command, pass_fds=(door.fileno(),), stderr=subprocess.DEVNULL) as process:
            try:
                asked = http.client.HTTPConnection(*door.getsockname(), timeout=60)
                asked.request("GET", "/search?q=nothing", headers={"accept": "application/json"})
                assert asked.getresponse().read()
                asked.close()
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
            finally:
                process.kill()
    assert helsinki("numbers", "--json").json["in_vain"] == 1
