"""The door to the inspectors: a child process that may die, be killed, or ask for files, and addresses of the web."""

import gzip
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.models.facts import facts_from_json, facts_to_json
from node.catalog.models.fetching import Fetching
from node.catalog.models.inspect import Limits, inspect_file
from node.cli.main import main
from node.errors import Malformed, NodeError, NotFound, Stopped, TooLarge
from node.outbound import Outbound
from tests.catalog.models.made import SQUARE, city, read, told
from tests.catalog.models.test_citygml import HOUSE, NORTH_FIRST, document
from tests.catalog.models.test_tiles3d import tile, tileset

pytestmark = pytest.mark.slow  # a process for every model


def test_facts_cross_to_json_and_back(tmp_path: Path) -> None:
    facts = read(tmp_path, city(metadata={}))
    assert facts.problems
    assert facts_from_json(json.loads(json.dumps(facts_to_json(facts)))) == facts


def test_the_child_says_what_reading_here_says(tmp_path: Path) -> None:
    facts = read(tmp_path, city())
    assert inspect_file(tmp_path / "model.json") == facts


def test_refusals_come_through_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"LASF")
    with pytest.raises(Malformed, match="a point cloud") as refused:
        inspect_file(tmp_path / "a.bin", name="the cloud")
    assert refused.value.message.startswith("the cloud")
    assert "CityJSON" in refused.value.fix
    with pytest.raises(NotFound):
        inspect_file(tmp_path / "none.json")


def test_a_bomb_is_too_large_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    bomb = gzip.compress(b'{"type":"CityJSON"' + b" " * (70 << 20))
    (tmp_path / "a.gz").write_bytes(bomb)
    with pytest.raises(TooLarge, match="Unpacked"):
        inspect_file(tmp_path / "a.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.gz"]


def test_what_needs_more_memory_than_there_is_is_too_large_and_the_next_is_read(tmp_path: Path) -> None:
    deep = tmp_path / "deep.json"
    deep.write_text('{"root":' + "[" * 2_000_000 + "]" * 2_000_000 + "}")
    with pytest.raises(TooLarge, match="too deep"):
        inspect_file(deep)
    wide = tmp_path / "wide.json"
    wide.write_text('{"asset":{},"root":[' + "[0]," * 8_000_000 + "0]}")
    with pytest.raises(TooLarge):
        inspect_file(wide, limits=Limits(memory_bytes=100 << 20))
    wide.write_text(json.dumps(city()))
    assert inspect_file(wide).objects == 2


def test_stop_ends_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"type":"CityJSON","version":"2.0","x":' + "[" * 30_000_000)
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    before = time.monotonic()
    with pytest.raises(Stopped):
        inspect_file(path, stop=stop)
    assert time.monotonic() - before < 5
    timer.join()


def test_no_child_outlives_its_inspection(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(city()))
    before = set(_children())
    inspect_file(tmp_path / "a.json")
    assert set(_children()) <= before


def _children() -> list[int]:
    return [int(each) for task in Path("/proc/self/task").glob("*/children") for each in task.read_text().split()]


def test_a_child_that_is_killed_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"type":"CityJSON","version":"2.0","x":' + "[" * 30_000_000)
    before, over = set(_children()), threading.Event()

    def kill() -> None:
        while not over.wait(0.05):
            for child in set(_children()) - before:
                os.kill(child, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(TooLarge, match="SIGKILL"):
        inspect_file(path)
    over.set()
    killer.join()


# Over the web


class Site:
    """A web server of a few documents; `ranges` says whether parts may be asked for."""

    def __init__(self, *, ranges: bool) -> None:
        self.documents: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.moved: dict[str, str] = {}
        self.ranges = ranges
        self.url = ""


@contextmanager
def served(*, ranges: bool = False) -> Iterator[Site]:
    site = Site(ranges=ranges)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            if target := site.moved.get(self.path):
                self.send_response(302)
                self.send_header("Location", target)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body, part = site.documents.get(self.path), self.headers.get("Range", "")
            status = 404 if body is None else 206 if part and site.ranges else 200
            body = body or b""
            self.send_response(status)
            if status == 206:
                first, last = map(int, part.removeprefix("bytes=").split("-"))
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
                body = body[first : last + 1]
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"one"')
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def fetching(folder: Path, max_bytes: int = 20 << 20) -> Fetching:
    outbound = Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="tests")
    return Fetching(
        outbound, folder / "work", max_bytes=max_bytes, deadline_s=20, limits=Limits(), clock_ms=lambda: 10**15
    )


def test_a_further_tileset_that_redirects_to_another_origin_is_not_fetched(tmp_path: Path) -> None:
    children = [tile(content={"uri": uri}) for uri in ("near.json", "far.json")]
    with served() as site, served() as other:
        site.documents["/tileset.json"] = json.dumps(tileset(tile(children=children))).encode()
        for each in (site, other):
            each.documents["/a.json"] = json.dumps(tileset(tile())).encode()
        site.moved = {"/near.json": "/a.json", "/far.json": f"{other.url}/a.json"}
        facts = fetching(tmp_path).read_new(f"{site.url}/tileset.json", stop=threading.Event())
        assert other.asked == []
    assert (facts.files, facts.tiles, facts.whole) == (2, 4, False)
    assert "another origin" in facts.problems[0].message


def test_a_tileset_at_an_address_brings_its_tilesets_and_no_content(tmp_path: Path) -> None:
    children = [tile(content={"uri": uri}) for uri in ("in/a.json", "b.glb", "http://127.0.0.1:9/x.json", "no.json")]
    with served() as site:
        site.documents["/t/tileset.json"] = json.dumps(tileset(tile(children=children))).encode()
        site.documents["/t/in/a.json"] = json.dumps(tileset(tile(content={"uri": "../b.glb"}))).encode()
        facts = fetching(tmp_path).read_new(f"{site.url}/t/tileset.json", stop=threading.Event())
        assert sorted(site.asked) == ["/t/in/a.json", "/t/no.json", "/t/tileset.json"]
    assert (facts.files, facts.tiles, facts.counts["glb"], facts.whole) == (2, 6, 2, False)
    assert set(told(facts)) == {"elsewhere", "missing-tileset"}
    assert list((tmp_path / "work").iterdir()) == []


def large() -> bytes:
    many = {f"b{number}": {"type": "Building", "attributes": {"text": "x" * 1_000}} for number in range(12_000)}
    return json.dumps(city(CityObjects=many)).encode()


def test_of_what_is_too_large_the_beginning_is_read_where_the_server_gives_parts(tmp_path: Path) -> None:
    body = large()
    with served(ranges=True) as site:
        site.documents["/a.json"] = body
        facts = fetching(tmp_path, 1 << 20).read_new(f"{site.url}/a.json", stop=threading.Event())
    assert (facts.whole, facts.bytes) == (False, len(body))
    assert 7_000 < facts.counts["Building"] < 9_000
    assert facts.crs.endswith("/3879")
    assert set(told(facts)) == {"beginning-only"}


def test_what_is_too_large_is_refused_where_the_server_gives_no_parts(tmp_path: Path) -> None:
    with served() as site:
        site.documents["/a.json"] = large()
        with pytest.raises(TooLarge):
            fetching(tmp_path, 1 << 20).read_new(f"{site.url}/a.json", stop=threading.Event())


def test_the_command_says_the_facts_of_a_file_and_of_an_address(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_text(json.dumps(city(version="0.9")))
    assert main(["models", "inspect", str(tmp_path / "a.json")]) == 0
    shown = capfd.readouterr().out
    assert "ETRS89 / GK25FIN" in shown
    assert "2 (1 Building, 1 BuildingPart)" in shown
    assert "error: /version:" in shown
    with served() as site:
        site.documents["/a.gml"] = document(NORTH_FIRST, HOUSE).encode()
        assert main(["models", "inspect", f"{site.url}/a.gml", "--json"]) == 0
        assert facts_from_json(json.loads(capfd.readouterr().out)).counts["Building"] == 1
        assert main(["models", "inspect", f"{site.url}/none"]) == 3
    assert main(["models", "inspect", str(tmp_path / "none")]) == 1
    assert capfd.readouterr().err.count("\n") == 2


# Whatever comes

GOOD = [
    json.dumps(city(appearance={"textures": [{}]})).encode(),
    document(NORTH_FIRST, HOUSE).encode(),
    json.dumps(tileset(tile(content={"uri": "a.glb"}, children=[tile()]))).encode(),
    b"\n".join(
        json.dumps(each).encode()
        for each in (city(CityObjects={}, vertices=[]), {"type": "CityJSONFeature", "id": "a", "vertices": SQUARE})
    ),
]
WORDS = [b"", b"[", b"]", b"{", b"}", b"-1", b"1e999", b"null", b'"', b"<a>", b"</", b"\xff", b"9" * 400, b",", b"NaN"]


@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(WORDS)), min_size=1, max_size=4),
)
@settings(max_examples=150)
def test_whatever_bytes_come_there_are_facts_or_one_refusal(
    tmp_path_factory: pytest.TempPathFactory, good: bytes, cuts: list[tuple[float, int, bytes]]
) -> None:
    for at, length, word in cuts:
        place = int(at * len(good))
        good = good[:place] + word + good[place + length :]
    folder = tmp_path_factory.mktemp("any")
    try:
        facts = read(folder, good, "tileset.json")
    except NodeError as error:
        assert isinstance(error, Malformed | TooLarge)  # noqa: PT017  (facts are the other good answer)
        return
    assert facts_from_json(json.loads(json.dumps(facts_to_json(facts), allow_nan=False))) == facts
    assert len(facts.problems) <= 100
