"""Laws of the page of deletion: who looks sees what is due, and the city's word takes somebody who may decide."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.federation.pulls.store import Progress, PullStore, Wanted
from node.federation.transfers.moves import new
from node.federation.transfers.store import TransferStore
from tests.federation.agreed import agree_alone, change, permits
from tests.web.desk.rig import at_desk, text_of
from tests.web.desk.sent import forms_to
from tests.web.find_rig import LONDON, Rig
from tests.web.finding import found_city

pytestmark = pytest.mark.slow
PAGE, DATASET = "/desk/data/deletions", f"{LONDON}/datasets/kerbs"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("deletions"), migrated) as made:
        yield made


def over(rig: Rig) -> str:
    """Let an agreement end under which something was fetched from London; give its IRI."""
    node, rules = rig.node, permits("use", duty=[{"action": "odrl:delete"}])
    agreement = agree_alone(node, LONDON, records=[DATASET], rules=rules, mirror=True, title="Kerbs")
    change(node, agreement, "revoked")
    said = {"pid": agreement[-36:], "agreement": agreement, "dataset": DATASET, "started_at": 5, "state": "COMPLETED"}
    pull = PullStore(node.db).add(
        Wanted(DATASET, peer="london", target=f"/srv/got/{agreement[-36:]}/"), state="waiting", now_ms=clock_ms()
    )
    with node.db.write() as tx:
        TransferStore(node.db).insert(tx, new("consumer", LONDON, clock_ms(), other_url=LONDON, **said))
        tx.run("UPDATE pull SET state = 'done', agreement = ?, got = 8 WHERE id = ?", agreement, pull.id)
    return agreement


def lies(rig: Rig, agreement: str, file: Path) -> None:
    """Let a file stand where it was put."""
    file.write_bytes(b"x")
    parts = json.dumps({"x": asdict(Progress(8, digest="sha256:0", file=str(file), named=True))})
    with rig.node.db.write() as tx:
        tx.run("UPDATE pull SET parts = ? WHERE agreement = ?", parts, agreement)


def waits(rig: Rig) -> list[str]:
    look = rig.node.today.look()
    return [each.path for each in (*look.urgent, *look.soon) if each.what == "deletion-late"]


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_an_approver_says_that_it_is_deleted_and_today_waits_until_then(rig: Rig, language: str) -> None:
    agreement = over(rig)
    assert waits(rig) == [PAGE]
    with at_desk(rig, "steward", name=f"sirpa-{language}", language=language) as desk:
        page = desk.get(PAGE)
        assert f'<html lang="{language}">' in page.text
        assert f"/srv/got/{agreement[-36:]}/" in text_of(page)
        assert not forms_to(page.text, "/deletions")
        assert desk.press(PAGE, {"agreement": agreement}).status_code == 403
        assert "“Kerbs”" in text_of(desk.get("/desk")) or "”Kerbs”" in text_of(desk.get("/desk"))
    with at_desk(rig, "approver", name=f"aino-{language}", language=language) as desk:
        assert forms_to(desk.get(PAGE).text, "/deletions")
        desk.after(desk.press(PAGE, {"agreement": agreement}))
        assert agreement[-36:] not in text_of(desk.get(PAGE))
        assert f"aino-{language}" in text_of(desk.get(f"{PAGE}?ended=true"))
        assert desk.press(PAGE, {"agreement": agreement}).status_code == 409
        assert desk.press(PAGE, {}).status_code == 400
        statements = rig.node.federation.moving.evidencing.desk.statements()
        (stated,) = [each for each in statements if (each.kind, each.agreement) == ("deletion", agreement)]
        said = text_of(desk.get(f"/desk/data/evidence?name={stated.record.rpartition('/')[2]}"))
        first = {"en": "Deletion: ", "fi": "Datan poisto: ", "sv": "Radering av data: "}[language]
        assert first in said
    assert waits(rig) == []


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_files_that_still_stand_are_shown_and_ticked_to_be_others(rig: Rig, tmp_path: Path, language: str) -> None:
    agreement, file = over(rig), tmp_path / "kerbs.csv"
    lies(rig, agreement, file)
    with at_desk(rig, "approver", name=f"lyyti-{language}", language=language) as desk:
        page = desk.get(PAGE)
        assert (str(file) in text_of(page), 'name="other_files"' in page.text) == (True, True)
        refused = desk.press(PAGE, {"agreement": agreement})
        assert (refused.status_code, str(file) in text_of(refused)) == (409, True)
        desk.after(desk.press(PAGE, {"agreement": agreement, "other_files": "yes"}))
        assert agreement[-36:] not in text_of(desk.get(PAGE))


def test_the_api_says_the_same_to_staff_alone(rig: Rig, tmp_path: Path) -> None:
    agreement, path = over(rig), "/api/data/deletions"
    ada, robot = rig.bearer("ada", staff=True), rig.bearer("robot", scopes=["read:plans"])

    def post(name: str, headers: dict[str, str], **more: object) -> Any:
        body = json.dumps({"name": name, **more}).encode()
        return rig.client.ask("POST", path, headers={"content-type": "application/json", **headers}, content=body)

    for headers, status in (({}, 401), (robot, 403)):
        assert (rig.get(path, **headers).status_code, post(agreement, headers).status_code) == (status, status)
    (told,) = rig.json(path, **ada)["deletions"]
    assert (told["agreement"], told["fetched"][0]["bytes"]) == (agreement, 8)
    short = agreement[-36:][:9]
    lies(rig, agreement, tmp_path / "kerbs.csv")
    assert [post(short, ada, **more).status_code for more in ({}, {"other_files": False})] == [409, 409]
    assert post(short, ada, other_files="yes").status_code == 400
    said = post(short, ada, other_files=True).json()
    assert (said["by"], "said_at" in said, "told_at" in said) == ("ada", True, False)
    assert post(agreement, ada).status_code == 409
    assert rig.json(path, **ada) == {"deletions": []}
    with rig.node.db.read() as tx:
        row = tx.row("SELECT target FROM audit WHERE act = 'POST /api/data/deletions' AND outcome = 'done'")
    assert row == (short,)
