"""Laws of watching: what is saved and clean is published, once and whole; nothing is ever withdrawn by it."""

from pathlib import Path

import pytest

from node.catalog.author.folder import Folder
from node.catalog.author.watch import Watch
from node.vocab.kinds import TABLES, example_of
from tests.catalog.author.conftest import Rig

pytestmark = pytest.mark.slow  # the fast suite is a minute long, and these publish many times
TABLE = TABLES["practice"]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "drafts", TABLE, "en")


def seen(watch: Watch) -> list[tuple[str, str]]:
    return [(each.name, each.what) for each in watch.round()]


def test_a_file_is_published_once_it_has_stopped_changing(rig: Rig, folder: Folder) -> None:
    watch = Watch(folder, rig.office)
    assert seen(watch) == []
    folder.write("watched", example_of(TABLE))
    assert seen(watch) == []
    assert seen(watch) == [("watched", "published")]
    assert seen(watch) == []
    path = folder.path / "watched.md"
    for number in range(2):  # somebody is typing
        path.write_text(path.read_text("utf-8") + f"\nWord {number}.\n", "utf-8")
        assert seen(watch) == []
    assert seen(watch) == [("watched", "published")]
    path.touch()
    watch.round()
    assert seen(watch) == [("watched", "unchanged")]


def test_a_translation_publishes_its_original_again(rig: Rig, folder: Folder) -> None:
    folder.write("spoken", example_of(TABLE))
    watch = Watch(folder, rig.office)
    watch.round()
    watch.round()
    (folder.path / "spoken.sv.md").write_text("---\ntitle: Exempel\n---\n", "utf-8")
    watch.round()
    assert seen(watch) == [("spoken", "published")]
    held = rig.held("spoken")
    assert held
    assert rig.office.said(held)["title"]["sv"] == "Exempel"


def test_what_has_errors_is_said_with_its_lines_and_published_once_mended(rig: Rig, folder: Folder) -> None:
    folder.write("broken", example_of(TABLE))
    path = folder.path / "broken.md"
    whole = path.read_text("utf-8")
    path.write_text(whole.replace("status: operational", "status: splendid"), "utf-8")
    watch = Watch(folder, rig.office)
    watch.round()
    (event,) = watch.round()
    assert (event.what, [each.code for each in event.problems if each.level == "error"]) == (
        "refused",
        ["unknown-code"],
    )
    assert event.problems[0].line == whole.splitlines().index("status: operational") + 1
    assert rig.held("broken") is None
    assert seen(watch) == []  # said once
    path.write_text(whole, "utf-8")
    watch.round()
    assert seen(watch) == [("broken", "published")]


def test_a_file_that_is_gone_withdraws_nothing(rig: Rig, folder: Folder) -> None:
    folder.write("gone", example_of(TABLE))
    watch = Watch(folder, rig.office)
    watch.round()
    assert seen(watch) == [("gone", "published")]
    for path in folder.path.iterdir():
        path.unlink()
    assert seen(watch) == [("gone", "gone")]
    assert seen(watch) == []
    assert rig.held("gone") is not None


def test_a_collection_that_is_not_there_and_a_lone_translation_are_said(rig: Rig, folder: Folder) -> None:
    folder.write("homeless", example_of(TABLE), collection="nowhere")
    (folder.path / "lone.sv.md").write_text("---\n---\n", "utf-8")
    watch = Watch(folder, rig.office)
    watch.round()
    events = {each.name: each for each in watch.round()}
    assert {name: each.what for name, each in events.items()} == {"homeless": "refused", "lone": "refused"}
    assert "citynode collections create nowhere" in events["homeless"].problems[0].message
    assert "lone.md" in events["lone"].problems[0].message
