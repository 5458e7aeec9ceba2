"""Files that commands write: whole or not at all, and never in the place of what is no file."""

import os
import stat
from pathlib import Path

import pytest
import typer

from node.cli.main import main
from node.cli.plain_files import check_replaceable, write_plain
from node.errors import Refused

# Each writes a file that is named last; none needs a node to see that nothing can be written there.
COMMANDS = (
    ("agreements", "export", "any", "--to"),
    ("catalog", "export", "--to"),
    ("data", "get", "any", "--to"),
    ("db", "backup"),
    ("practices", "export", "--out"),
)


def others(folder: Path) -> dict[str, Path]:
    """What is no file, by what it is called."""
    (folder / "file").write_text("as it was")
    (folder / "link").symlink_to(folder / "file")
    (folder / "nowhere").symlink_to(folder / "none")
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    named = {"a link": "link", "a pipe": "pipe", "a folder": "folder"}
    return {what: folder / name for what, name in named.items()} | {
        "is a link": folder / "nowhere",
        "a device": Path(os.devnull),
    }


def test_a_file_is_written_whole_and_over_one_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "e.json"
    for body in (b"first", b"then"):
        write_plain(file, body)
        assert file.read_bytes() == body
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_no_file_stays_and_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for what, path in others(tmp_path).items():
        before = path.lstat()
        with pytest.raises(typer.Exit) as ended:
            write_plain(path, b"x")
        said = capsys.readouterr().err
        assert (ended.value.exit_code, said.count("\n"), what in said) == (2, 1, True)
        assert os.path.samestat(path.lstat(), before)
        assert stat.S_IFMT(path.lstat().st_mode) == stat.S_IFMT(before.st_mode)
    assert (tmp_path / "file").read_text() == "as it was"
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="No such file"):
        write_plain(tmp_path / "none" / "e.json", b"x")
    with pytest.raises(Refused, match="Not a directory"):
        write_plain(Path(__file__) / "e.json", b"x")

    def read_only(_: Path, *__: object, **___: object) -> None:
        raise OSError(30, "Read-only file system")

    for act in ("write_bytes", "unlink"):
        monkeypatch.setattr(Path, act, read_only)
    with pytest.raises(Refused, match="Read-only file system"):
        write_plain(tmp_path / "e.json", b"x")


def test_a_long_name_is_cut_in_what_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = tmp_path / "/".join(["x" * 100] * 30)
    long.parent.mkdir(parents=True)
    long.symlink_to("none")
    with pytest.raises(typer.Exit):
        check_replaceable(long)
    assert len(capsys.readouterr().err) < 400


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_that_writes_a_file_leaves_what_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (Path(os.devnull), pipe):
        assert main([*words, str(path), "--data", str(tmp_path / "no-node")]) == 2
        said = capsys.readouterr().err
        assert (said.count("\n"), "nothing was written" in said) == (1, True)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
