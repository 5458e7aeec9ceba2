"""CKAN's Action API: a walk over pages is trusted as far as it can be counted, and never silently cut short."""

from pathlib import Path
from typing import Any

import pytest

from node.catalog.portals import ckan
from node.catalog.portals.base import SourceUnchanged
from node.catalog.portals.ckan import CkanPortal
from node.errors import SourceUnreachable
from node.vocab.terms import DCAT
from tests.catalog.portals.desk import Harvested, TestDesk, asked, harvest, unreachable


class Portal:
    """A CKAN with so many datasets; subclasses misbehave."""

    def __init__(self, number: int, cap: int = 1000, root: str = "https://p.example/data/api/3/action") -> None:
        self.packages: list[Any] = [
            {"id": f"id{n:04}", "name": f"n{n}", "title": f"T{n}", "metadata_modified": f"2026-01-01T00:{n % 60:02}:00"}
            for n in range(number)
        ]
        self.cap, self.root, self.pages = cap, root, 0

    def __call__(self, url: str) -> Any:
        if not url.startswith(self.root + "/package_search?"):
            return unreachable(url)
        query = asked(url)
        rows, start, found = min(int(query["rows"]), self.cap), int(query["start"]), self.packages
        if "fq" in query:
            found = self.changed(query["fq"])
        if rows == 0:
            return self.answer(len(found), [])
        self.pages += 1
        return self.page(len(found), found[start : start + rows])

    def changed(self, query: str) -> list[Any]:
        since = query.split("[")[1].split(" ")[0]
        return [package for package in self.packages if package["metadata_modified"] >= since[:19]]

    def page(self, count: int, found: list[Any]) -> Any:
        return self.answer(count, found)

    def answer(self, count: int, found: list[Any]) -> Any:
        return {"success": True, "result": {"count": count, "results": found}}


def walked(tmp_path: Path, portal: Portal, location: str = "", **more: str) -> tuple[Harvested, TestDesk]:
    desk = TestDesk(tmp_path, "ckan", location or portal.root, portal, **more)
    return harvest(CkanPortal(), desk), desk


@pytest.mark.parametrize("cap", [1000, 100, 7])
def test_every_dataset_is_read_whatever_the_portals_page_size(tmp_path: Path, cap: int) -> None:
    found, desk = walked(tmp_path, Portal(20 if cap == 7 else 1201, cap))
    assert len(found.descriptions) == (20 if cap == 7 else 1201)
    assert desk.reasons == []
    assert found.walk.full  # type: ignore[attr-defined]
    assert found["id0000"].one(DCAT.landingPage) == "<https://p.example/data/dataset/n0>"


@pytest.mark.parametrize(
    "location", ["https://p.example", "https://p.example/", "https://p.example/data/api/3/action/package_search?rows=1"]
)
def test_the_api_is_found_under_the_usual_roots(tmp_path: Path, location: str) -> None:
    found, desk = walked(tmp_path, Portal(3), location)
    assert len(found.descriptions) == 3
    assert desk.reasons == []


def test_a_location_without_a_ckan_fails_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match=r"elsewhere\.example/api/3/action"):
        walked(tmp_path, Portal(3), "https://elsewhere.example")


class RepeatsPages(Portal):
    def page(self, count: int, found: list[Any]) -> Any:
        return self.answer(count, self.packages[: self.cap])


class MiscountsAll(Portal):
    def page(self, count: int, found: list[Any]) -> Any:
        return self.answer(count + 3 * (self.pages > 1), found)


class PromisesMore(Portal):
    def answer(self, count: int, found: list[Any]) -> Any:
        return super().answer(count + 5, found)


class BreaksOff(Portal):
    how: Any = None

    def page(self, count: int, found: list[Any]) -> Any:
        return self.answer(count, found) if self.pages == 1 else self.how


class Shifts(Portal):
    def page(self, count: int, found: list[Any]) -> Any:
        return self.answer(count, found if self.pages == 1 else [self.packages[0], *found[1:]])


@pytest.mark.parametrize(
    ("portal", "reason"),
    [(RepeatsPages, "repeats"), (MiscountsAll, "changed from"), (PromisesMore, "empty"), (Shifts, "different")],
)
def test_a_walk_that_does_not_add_up_is_incomplete(tmp_path: Path, portal: type[Portal], reason: str) -> None:
    found, desk = walked(tmp_path, portal(10, cap=5))
    assert any(reason in each for each in desk.reasons), desk.reasons
    assert len(found.descriptions) >= 5
    assert found.codes() == []


@pytest.mark.parametrize(
    "how",
    [
        b"",
        "<!DOCTYPE html><html>Bad gateway</html>",
        {"success": False, "error": {"message": "solr"}},
        {"success": True},
        SourceUnreachable("it timed out"),
        '{"success": true, "result": {"count": 10, "results": [{"id":',
    ],
)
def test_a_page_that_breaks_leaves_what_was_read_and_says_why(tmp_path: Path, how: Any) -> None:
    portal = BreaksOff(10, cap=5)
    portal.how = how
    found, desk = walked(tmp_path, portal)
    assert len(found.descriptions) == 5
    assert desk.reasons[0].startswith("The page that begins at 5 could not be read: ")


def test_a_portal_that_says_it_is_empty_withdraws_nothing(tmp_path: Path) -> None:
    found, desk = walked(tmp_path, Portal(0))
    assert found.descriptions == {}
    assert desk.reasons == ["The portal says that it has no dataset."]


def test_the_same_single_page_means_an_unchanged_source(tmp_path: Path) -> None:
    portal = Portal(3)
    _, desk = walked(tmp_path, portal)
    same = desk.fetch(desk.fetched[-1]).sha256
    with pytest.raises(SourceUnchanged):
        walked(tmp_path, portal, last_sha256=same)


def test_the_same_first_page_of_several_means_nothing(tmp_path: Path) -> None:
    portal = Portal(ckan.ROWS + 1)
    _, desk = walked(tmp_path, portal)
    same = desk.fetch(desk.fetched[1]).sha256
    found, _ = walked(tmp_path, portal, last_sha256=same)
    assert len(found.descriptions) == ckan.ROWS + 1


def test_changed_since_is_used_where_the_answer_proves_it(tmp_path: Path) -> None:
    found, desk = walked(tmp_path, Portal(60), changed_since="2026-01-01T01:50:00+00:00")
    assert not found.walk.full  # type: ignore[attr-defined]
    assert len(found.descriptions) == 10
    assert [note.code for note in desk.notes] == ["changed-since"]
    assert desk.reasons == []


class IgnoresTheFilter(Portal):
    def changed(self, query: str) -> list[Any]:
        return self.packages


class FiltersWrongly(Portal):
    def changed(self, query: str) -> list[Any]:
        return self.packages[:5]


@pytest.mark.parametrize("portal", [IgnoresTheFilter, FiltersWrongly])
def test_a_portal_that_cannot_tell_what_changed_is_read_in_full(tmp_path: Path, portal: type[Portal]) -> None:
    found, desk = walked(tmp_path, portal(60), changed_since="2026-01-01T01:50:00Z")
    assert found.walk.full  # type: ignore[attr-defined]
    assert len(found.descriptions) == 60
    assert [note.code for note in desk.notes] == ["changed-since-unknown"]
