"""Laws of the desk's pages of collections: whoever may run makes them, an approver alone opens them to everyone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.desk.rig import at_desk, text_of
from tests.web.find_rig import Rig
from tests.web.finding import found_city

pytestmark = pytest.mark.slow
HERE = "/desk/collections"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("collections"), migrated) as made:
        yield made


def acts(rig: Rig, name: str) -> list[tuple[str, str]]:
    return [(each.act, each.outcome) for each in reversed(rig.node.staff.trail.list()) if each.target == name]


def test_a_collection_is_made_titled_opened_and_restricted_at_the_desk(rig: Rig) -> None:
    office = rig.node.knowledge.collections
    with at_desk(rig, "steward", "approver", name="sirpa") as desk:
        desk.get(HERE)
        page = desk.after(desk.press(HERE, {"name": "trees", "title": "City trees", "access": "restricted"}))
        assert "is made" in text_of(page)
        assert (office.show("trees").title, office.show("trees").is_public) == ("City trees", False)
        assert "Trees of the city" in text_of(
            desk.after(desk.press(f"{HERE}/trees/title", {"title": "Trees of the city"}))
        )
        unsure = desk.press(f"{HERE}/trees/open")
        assert (unsure.status_code, office.show("trees").is_public) == (400, False)
        desk.after(desk.press(f"{HERE}/trees/open", {"sure": "1"}))
        assert office.show("trees").is_public
        assert desk.get("/collections/trees").status_code == 200
        desk.get(f"{HERE}/trees")
        desk.after(desk.press(f"{HERE}/trees/restrict"))
        assert not office.show("trees").is_public
    assert acts(rig, "trees") == [
        ("collection.make", "done"),
        ("collection.title", "done"),
        ("collection.open", "refused"),
        ("collection.open", "done"),
        ("collection.restrict", "done"),
    ]


def test_who_may_read_a_collection_is_an_approvers_to_decide(rig: Rig) -> None:
    with at_desk(rig, "steward", name="paavo") as desk:
        page = desk.get(f"{HERE}/plans")
        assert "decided by an approver" in text_of(page)
        assert desk.press(f"{HERE}/plans/open", {"sure": "1"}).status_code == 403
    with at_desk(rig, "approver", name="ann") as desk:
        desk.get(HERE)
        assert desk.press(HERE, {"name": "others"}).status_code == 403
    assert not rig.node.knowledge.collections.show("plans").is_public


@pytest.mark.parametrize(
    "name", ["A B", "", "entries", "agreements", "agreements-london", "evidence", "london/x", "open-data"]
)
def test_what_cannot_be_made_is_said_beside_the_name(rig: Rig, name: str) -> None:
    with at_desk(rig, "steward", name="sirpa") as desk:
        desk.get(HERE)
        reply = desk.press(HERE, {"name": name, "title": "X"})
        assert reply.status_code in (400, 409)
        assert 'id="name-flaw"' in reply.text


def test_mirrors_and_what_the_node_fills_by_itself_are_nobodys_to_open(rig: Rig) -> None:
    office = rig.node.knowledge.collections
    assert not any("/" in each.name or each.name.startswith("agreements") for each in office.list())
    with at_desk(rig, "approver", name="ann") as desk:
        desk.get(HERE)
        for name in ("agreements", "evidence", "nothing"):
            assert desk.press(f"{HERE}/{name}/open", {"sure": "1"}).status_code == 404
            assert desk.press(f"{HERE}/{name}/title", {"title": "X"}).status_code in (403, 404)
        rig.node.create_collection("agreements", title="Agreements", visibility="public", at_ms=1)
        assert desk.press(f"{HERE}/agreements/restrict").status_code == 404, "nobody could open it again"
    assert rig.node.knowledge.authoring.visibilities()["agreements"] == "public"
