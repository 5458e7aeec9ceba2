"""Laws of the desk: what an adapter is lent, within which bounds, and what is remembered of it."""

import threading
from pathlib import Path
from typing import Any

import pytest

from node.catalog.desk import Conditions, Limits, RunDesk, clear_leftovers
from node.catalog.portals.base import SourceInfo, SourceUnchanged
from node.errors import ForbiddenAddress, Malformed, NotFound, SourceUnreachable, Stopped, TooLarge
from node.outbound import Outbound
from node.records import Finding
from tests.catalog.rig import BASE, LastingParser, datasets
from tests.portal_server import PortalServer, page, status


@pytest.fixture
def desk(tmp_path: Path):
    stop = threading.Event()
    outbound = Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="citynode/test")
    seen: list[tuple[str, int, int | None]] = []

    def make(location: object, *, last: Conditions | None = None, **limits: Any) -> RunDesk:
        info = SourceInfo("s", "dcat", str(location), BASE, "en")
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        return RunDesk(
            info,
            outbound,
            parser,
            work,
            Limits(**limits),
            stop,
            lambda *count: seen.append(count),
            last or Conditions(),
        )

    make.seen = seen
    with LastingParser(stop=stop) as parser:
        yield make


def write(folder: Path, text: str | bytes, name: str = "s.ttl") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_file_is_given_as_it_is_and_parsed_into_the_run_s_folder(desk, tmp_path: Path) -> None:
    path = write(tmp_path, datasets(1))
    lent = desk(path)
    document = lent.fetch_main()
    assert (document.path, document.url, document.size) == (path, "s.ttl", path.stat().st_size)
    lines = lent.rdf_to_lines(document, media_type="text/turtle", base_iri="https://b.example/")
    assert lines.parent == lent.workspace()
    assert lines.read_bytes().count(b"\n") == 3
    assert path.exists(), "a file of the city's is never removed"
    assert desk.seen[0] == ("reach", 0, None)


def test_a_downloaded_document_goes_once_it_is_parsed(desk, portal: PortalServer) -> None:
    portal.pages["/c"] = page('{"a": [1, 2]}', "application/json")
    lent = desk(f"{portal.url}/c")
    document = lent.fetch_main()
    assert (document.media_type, document.url) == ("application/json", f"{portal.url}/c")
    lent.json_to_lines(document, records="a")
    assert not document.path.exists()


def test_a_document_that_is_too_large_is_refused(desk, tmp_path: Path, portal: PortalServer) -> None:
    with pytest.raises(TooLarge, match="at most 10 are taken"):
        desk(write(tmp_path, datasets(1)), max_document_bytes=10).fetch_main()
    portal.pages["/c"] = page(b"x" * 11)
    with pytest.raises(TooLarge, match="more than 10 bytes"):
        desk(f"{portal.url}/c", max_document_bytes=10).fetch_main()


def test_pages_together_are_bounded_too(desk, portal: PortalServer) -> None:
    for number in range(6):
        portal.pages[f"/{number}"] = page(b"x" * 9 + str(number).encode())
    lent = desk(f"{portal.url}/0", max_document_bytes=10)
    lent.fetch_main()
    for number in (1, 2, 3):
        lent.fetch(f"{portal.url}/{number}")
    with pytest.raises(TooLarge, match="more than 40 bytes together"):
        lent.fetch(f"{portal.url}/4")


@pytest.mark.parametrize("where", ["file", "main", "page"])
def test_an_empty_document_is_trouble_and_no_catalogue(where: str, desk, tmp_path: Path, portal: PortalServer) -> None:
    portal.pages["/c"] = page(b"x" if where == "page" else b"")
    portal.pages["/d"] = page(b"")
    lent = desk(write(tmp_path, b"") if where == "file" else f"{portal.url}/c")
    act = lent.fetch_main
    if where == "page":
        lent.fetch_main()
        act = lambda: lent.fetch(f"{portal.url}/d")  # noqa: E731
    with pytest.raises(SourceUnreachable, match="is empty"):
        act()


def test_a_file_source_has_pages_below_its_folder_only(desk, tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    write(tmp_path, datasets(9), "outside.ttl")
    write(tmp_path, datasets(2), "cat/two.ttl")
    lent = desk(write(tmp_path, datasets(1), "cat/one.ttl"))
    assert lent.fetch(f"{BASE}/sources/s/two.ttl").url == f"{BASE}/sources/s/two.ttl"
    for address in (
        f"{BASE}/sources/s/../outside.ttl",
        f"{BASE}/sources/s/%2E%2E/outside.ttl",
        "https://data.example/x",
    ):
        with pytest.raises(NotFound, match="not below the folder"):
            lent.fetch(address)


def test_a_page_at_a_forbidden_address_is_not_fetched(desk, portal: PortalServer) -> None:
    lent = desk(f"{portal.url}/c")
    with pytest.raises(ForbiddenAddress):
        lent.fetch("http://169.254.169.254/latest/meta-data/")
    with pytest.raises(ForbiddenAddress):
        lent.fetch("file:///etc/passwd")


def test_validators_are_sent_for_a_source_of_one_document_and_for_nothing_else(desk, portal: PortalServer) -> None:
    portal.pages["/c"] = page(b"x", etag='"1"', last_modified="Sat, 21 Nov 2026 10:00:00 GMT")
    first = desk(f"{portal.url}/c")
    first.fetch_main()
    first.stop_if_unchanged()
    assert (first.now.etag, first.now.last_modified) == ('"1"', "Sat, 21 Nov 2026 10:00:00 GMT")
    again = desk(f"{portal.url}/c", last=first.now)
    with pytest.raises(SourceUnchanged):
        again.fetch_main()
    assert again.now == first.now
    portal.pages["/d"] = page(b"y")
    first.fetch(f"{portal.url}/d")
    first.stop_if_unchanged()
    paged = desk(f"{portal.url}/c", last=first.now)
    paged.fetch_main()
    assert "if-none-match" not in portal.asked[-1][1], "other pages may have changed behind the same first one"
    paged.fetch(f"{portal.url}/d")
    with pytest.raises(SourceUnchanged):
        paged.stop_if_unchanged()


def test_documents_are_the_same_only_all_together_and_in_their_order(desk, portal: PortalServer) -> None:
    for name in "abc":
        portal.pages[f"/{name}"] = page(name.encode())

    def walk(last: Conditions | None, *names: str, gap: str = "") -> RunDesk:
        lent = desk(f"{portal.url}/a", last=last)
        lent.fetch_main()
        for name in names:
            lent.fetch(f"{portal.url}/{name}")
        if gap:
            lent.incomplete(gap)
        lent.stop_if_unchanged()
        return lent

    known = walk(None, "b", "c").now
    for other in (("b",), ("c", "b"), ("b", "c", "c"), ()):
        assert walk(known, *other).now != known
    assert walk(known, "b", "c", gap="a page was missing").gaps
    with pytest.raises(SourceUnchanged):
        walk(known, "b", "c")


def test_a_304_that_nobody_asked_for_is_no_answer(desk, portal: PortalServer) -> None:
    portal.pages["/c"] = status(304)
    with pytest.raises(SourceUnreachable, match="304"):
        desk(f"{portal.url}/c").fetch_main()


def test_everything_stops_once_the_run_is_stopped(desk, tmp_path: Path, portal: PortalServer) -> None:
    path = write(tmp_path, datasets(1))
    lent, far = desk(path), desk(f"{portal.url}/c")
    document = lent.fetch_main()
    lent.stop.set()
    acts = [
        lent.fetch_main,
        far.fetch_main,
        lambda: far.fetch(f"{portal.url}/c"),
        lambda: lent.rdf_to_lines(document, media_type="text/turtle", base_iri="x:"),
        lambda: lent.json_to_lines(document, records=""),
        lambda: lent.progress("read", 1),
    ]
    for act in acts:
        with pytest.raises(Stopped):
            act()
    assert portal.asked == []


def test_a_document_that_cannot_be_parsed_leaves_no_lines(desk, tmp_path: Path) -> None:
    lent = desk(write(tmp_path, "this is no Turtle"))
    with pytest.raises(Malformed):
        lent.rdf_to_lines(lent.fetch_main(), media_type="text/turtle", base_iri="https://b.example/")
    assert list(lent.workspace().iterdir()) == []


def test_notes_are_said_once_and_both_lists_end_somewhere(desk, tmp_path: Path) -> None:
    lent = desk(write(tmp_path, "x"))
    for _ in range(2):
        lent.note(Finding("a", "note", "", "x"))
    assert len(lent.findings) == 1
    for number in range(5000):
        lent.incomplete(f"page {number}")
        lent.note(Finding("a", "note", "", str(number)))
    assert len(lent.gaps) == 100
    assert len(lent.findings) <= 1000


def test_what_dead_runs_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("run-1", "run-2", "other"):
        (tmp_path / name / "deep").mkdir(parents=True)
    clear_leftovers(tmp_path, lambda number: number == "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "run-2"]
    clear_leftovers(tmp_path / "missing", lambda _: False)
