"""Files are named by what is in them, kept whole, and swept away when nothing points to them."""

import os
from pathlib import Path

from node.catalog.previews.folder import Folder


def test_the_same_is_kept_once_and_another_elsewhere(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first, second = folder.put(b"{}", b"twin", "bin"), folder.put(b"{}", b"other", "bin")
    assert first == folder.put(b"{}", b"twin", "bin") != second
    assert folder.read(first, "bin") == b"twin"
    assert folder.read(first, "webp") is None


def test_only_names_of_this_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("no")
    folder = Folder(tmp_path / "previews")
    for name in ("../secret", "..", "", "a" * 63, "A" * 64, "0" * 64 + "/../../secret"):
        assert folder.read(name, "json") is None
    assert folder.read("0" * 64, "../json") is None


def test_facts_and_twin_are_told_apart(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.put(b"ab", b"c", "bin") != folder.put(b"a", b"bc", "bin")


def test_what_nothing_points_to_is_swept_away_after_an_hour(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    kept, left, young = (folder.put(b, b"", "") for b in (b"1", b"2", b"3"))
    for name in (kept, left):
        os.utime(tmp_path / name[:2] / f"{name}.json", (0, 0))
    assert folder.sweep({kept}) == 1
    assert [folder.read(name, "json") is not None for name in (kept, left, young)] == [True, False, True]
