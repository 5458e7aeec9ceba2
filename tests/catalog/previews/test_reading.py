"""A look inside costs what it may and no more: a real child process, ended when it takes too much."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from node.catalog.previews.reading import NORMAL, Limits, look_inside
from node.catalog.previews.values import why_of
from node.errors import Malformed, Stopped, TooLarge
from tests.catalog.previews.made import cell, geojson, square, workbook

pytestmark = pytest.mark.slow  # a process each


def written(tmp_path: Path, body: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(body)
    return path


def test_rows_and_twins_come_back_from_the_child(tmp_path: Path) -> None:
    preview, twin = look_inside(written(tmp_path, geojson(square(24.9, 60.1))))
    assert (preview.form, twin[:1]) == ("map", b"{")
    preview, twin = look_inside(written(tmp_path, b"id,x\n1,2\n"))
    assert (preview.form, twin) == ("table", b"")


def test_what_the_child_refuses_is_refused_here(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refused:
        look_inside(written(tmp_path, b"\x00\x01"))
    assert why_of(refused.value) == "text"


def test_a_billion_rows_end_the_child_and_not_the_node(tmp_path: Path) -> None:
    body = workbook(f'<row r="1">{cell("A1", "a")}</row><row r="1048576">{cell("XFD1048576", "1")}</row>')
    begun = time.monotonic()
    with pytest.raises((TooLarge, Malformed)) as refused:
        look_inside(written(tmp_path, body), limits=replace(NORMAL, memory_bytes=256 << 20, seconds=3))
    assert why_of(refused.value) in ("costly", "workbook", "sheets")
    assert time.monotonic() - begun < 20


def test_a_child_without_memory_says_too_large(tmp_path: Path) -> None:
    body = b"[" + b"{}," * 3_000_000 + b"{}]"
    with pytest.raises(TooLarge):
        look_inside(written(tmp_path, body), limits=replace(NORMAL, memory_bytes=160 << 20))


def test_a_look_ends_soon_after_it_is_told_to(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n" + b"1,2\n" * 4_000_000)
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        look_inside(path, limits=Limits(seconds=30), stop=stop)
    assert time.monotonic() - begun < 3
    timer.join()


def test_a_twin_that_no_page_should_load_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        look_inside(written(tmp_path, geojson(square(24.9, 60.1))), limits=replace(NORMAL, twin_bytes=100))


def test_forty_megabytes_of_features_are_read_within_the_memory_of_one_look(tmp_path: Path) -> None:
    one = json.dumps({"type": "Feature", "properties": {"name": "Zone"}, "geometry": square(24.9, 60.1)}).encode()
    path = tmp_path / "file"
    path.write_bytes(b'{"type":"FeatureCollection","features":[' + b",".join([one] * 250_000) + b"]}")
    assert path.stat().st_size > 40 << 20
    preview, _ = look_inside(path, limits=replace(NORMAL, memory_bytes=768 << 20, seconds=4))
    assert preview.twin is not None
    assert preview.twin.facts["features"] > 1_000
