"""Laws of the child that reads Parquet: no file ends the node, takes its memory or holds it up; who leaves ends it."""

import io
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from node.errors import ConsentUnknown, Malformed, Stopped, Unavailable
from node.federation.consent import filter_parquet, parquet_reading
from node.federation.consent.arrow_sizes import check_places
from node.federation.consent.columns import columns_of
from node.federation.consent.held_rows import keys_of
from node.federation.consent.parquet_reading import Reading
from tests.federation.consent.rig import Origin, parquet_here, part

pytestmark = pytest.mark.slow  # each starts a process of its own, with the library in it
MIB = 1024 * 1024
PEOPLE = {"subject": ["r-1", "r-2"], "said": ["x", "y"]}


def file_of(columns: dict[str, Any], **how: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out, **how)
    return out.getvalue()


def deadly() -> bytes:
    """A file of which a count in its notes has one number too many: the library ends the process that looks at it."""
    data = file_of(PEOPLE)
    begins = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    two, three = b"\x19\x26\x00\x04\x00", b"\x19\x36\x00\x04\x00\x00"
    footer = data[begins:-8]
    assert two in footer
    footer = footer.replace(two, three, 1)
    return data[:begins] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def reading(data: bytes, **how: Any) -> Reading:
    def opens(start: int) -> io.BytesIO:
        opened = io.BytesIO(data)
        opened.seek(start)
        return opened

    return Reading("rows", opens, len(data), column="subject", allowed={"r-1"}, **how)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_file_that_ends_its_reader_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    data = deadly()
    with pytest.raises(ConsentUnknown, match="damaged"):
        Origin("a.parquet", data).left("subject", {"r-1"})
    with pytest.raises(ConsentUnknown, match="damaged"):
        list(reading(data))
    origin = Origin("a.parquet", data)
    assert columns_of(part("a.parquet", len(data)), origin.at, "subject") == ["subject", "said"]
    assert all(each.closed.is_set() for each in origin.opened)
    file = tmp_path / "a.parquet"
    file.write_bytes(data)
    with pytest.raises(Malformed, match="looked through"):
        list(keys_of(file, "subject"))


def test_after_a_refusal_nothing_looks_like_the_end() -> None:
    one = reading(deadly())
    with pytest.raises(ConsentUnknown):
        one.next()
    with pytest.raises(Stopped):
        one.next()
    one.close()


def test_a_file_that_takes_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_reading, "_MEMORY", 64 * MIB)
    many = 20_000_000
    cell = pa.ListArray.from_arrays(pa.array([0, many], pa.int32()), pa.array(np.zeros(many, bool)))
    data = file_of({"subject": ["r-1"], "said": cell}, compression="zstd", store_schema=False)
    assert len(data) < MIB
    with pytest.raises(ConsentUnknown, match=r"memory|MiB"):
        Origin("a.parquet", data).left("subject", {"r-1"})
    assert Origin("a.parquet", file_of(PEOPLE)).left("subject", {"r-1"})


def test_a_child_that_says_nothing_is_waited_for_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_reading, "_SILENT_S", 0.01)
    with pytest.raises(ConsentUnknown, match="longer than"):
        Origin("a.parquet", file_of(PEOPLE)).left("subject", {"r-1"})


def test_a_reader_who_leaves_ends_the_child_at_once() -> None:
    rows = 300_000
    data = file_of({"subject": ["r-1"] * rows, "said": np.random.default_rng(1).integers(0, 1 << 60, rows)})
    assert len(data) > 2 * MIB
    one = reading(data)
    assert one.next()
    child = one._child
    assert child is not None
    assert not is_gone(child.process.pid)
    one.close()
    assert is_gone(child.process.pid)
    with pytest.raises(Stopped):
        one.next()


@pytest.mark.parametrize("what", ["the child", "the origin"])
def test_a_read_that_hangs_ends_when_it_is_cut_by_another_thread(what: str) -> None:
    origin = Origin("a.parquet", file_of({"subject": ["r-1"] * 300_000, "n": range(300_000)}), pieces=(1 << 16,))
    hangs = threading.Event()
    source = origin.filtered("subject", {"r-1"})
    one = source._opened._reading
    assert one is not None
    if what == "the origin":
        opens, file = origin.at, one._file

        def hanging(start: int) -> Any:
            opened = opens(start)

            def read(_most: int) -> bytes:
                hangs.set()
                opened.closed.wait(20)
                raise Stopped("closed")

            opened.read = read  # type: ignore[assignment,method-assign]
            origin.opened[0].close = opened.close  # type: ignore[method-assign]
            return opened

        file._opens = hanging
    else:
        assert source.read(10)
        child = one._child
        assert child is not None
        os.kill(child.process.pid, signal.SIGSTOP)
        source._rest = memoryview(b"")
        threading.Timer(0.2, hangs.set).start()

    def all_of_it() -> None:
        while source.read(1 << 20):
            pass

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(all_of_it)
        assert hangs.wait(20)
        begun = time.monotonic()
        source.close()
        with pytest.raises(Stopped):
            asked.result(20)
        assert time.monotonic() - begun < 5
    assert one._child is None


def test_who_finds_no_room_is_told_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_reading, "_rooms", threading.BoundedSemaphore(1))
    data = file_of(PEOPLE)
    with reading(data) as first:
        assert first.next()
        if not first._done:
            with pytest.raises(Unavailable, match="Too many"):
                reading(data).next()
    for _ in range(2):
        assert parquet.read_table(io.BytesIO(b"".join(reading(data)))).to_pylist() == [{"subject": "r-1", "said": "x"}]


@pytest.mark.parametrize("places", [[0, 2, None], [-1, 0, 1], [5]])
def test_a_place_that_a_dictionary_does_not_have_is_refused(places: list[int | None]) -> None:
    words = pa.array(["a", "b"])
    bad = pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), words, safe=False)
    with pytest.raises(IndexError):
        check_places(bad)
    check_places(pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int32()), words))
    check_places(pa.DictionaryArray.from_arrays(pa.array([None], pa.int32()), words.slice(0, 0)))


def test_whatever_the_libraries_raise_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise IndexError("5 out of bounds")

    monkeypatch.setattr(filter_parquet, "_kept", fails)
    with pytest.raises(ConsentUnknown, match="no Parquet file"):
        list(parquet_here(file_of(PEOPLE), "r-1"))
