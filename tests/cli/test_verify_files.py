"""One rule of the commands that verify a file: what is no export of a node is wrong use (2), and never refuted (1)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Say

COMMANDS = (("verify",), ("evidence", "verify"), ("agreements", "verify"))
NO_EXPORTS: dict[str, Callable[[Path], object]] = {
    "nothing there": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.touch(),
    "text": lambda path: path.write_text("hello\n"),
    "a picture": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff"),
    "another JSON": lambda path: path.write_text('{"citynode": "something/1"}'),
    "a list": lambda path: path.write_text("[]"),
    "too large": lambda path: path.write_bytes(bytes(33 << 20)),
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("case", NO_EXPORTS)
def test_what_is_no_export_is_wrong_use_and_one_line_says_what_to_give(
    citynode: Say, tmp_path: Path, command: tuple[str, ...], case: str
) -> None:
    file = tmp_path / "file.json"
    NO_EXPORTS[case](file)
    said = citynode(*command, file)
    told = said.out + said.err
    assert said.code == 2, told
    assert told.count("\n") == 1, told
    assert "Give " in told, told


OTHERS = (("peers", "import"), ("agreements", "draft", "--with", "x", "--file"), ("db", "restore"))


@pytest.mark.slow
@pytest.mark.parametrize("command", [*OTHERS, ("practices", "import")], ids=lambda words: words[0])
@pytest.mark.parametrize("case", ["a pipe", "a device"])
def test_no_command_waits_for_a_pipe_or_reads_a_device(
    helsinki: Say, tmp_path: Path, command: tuple[str, ...], case: str
) -> None:
    file = tmp_path / "file.csv"
    NO_EXPORTS[case](file)
    node = tmp_path / ("other" if command[0] == "db" else "node")
    said = helsinki(*command, file, "--data", node)
    assert said.code == 1, said
    assert str(file) in said.err
    assert (said.out + said.err).count("\n") == 1, said


@pytest.mark.parametrize("kind", ["evidence", "agreement"])
@pytest.mark.parametrize("rest", [', "x": 1}', ', "x":', ""])
def test_what_calls_itself_an_export_and_does_not_hold_is_refuted(
    citynode: Say, tmp_path: Path, kind: str, rest: str
) -> None:
    file = tmp_path / "file.json"
    file.write_text(f'{{"citynode": "{kind}/1"{rest}')
    said = citynode("evidence" if kind == "evidence" else "agreements", "verify", file)
    assert (said.code, "refuted: " in said.out) == (1, True), said


@pytest.mark.parametrize(("kind", "command"), [("evidence", "evidence"), ("agreement", "agreements")])
def test_who_gives_another_export_is_told_its_command(citynode: Say, tmp_path: Path, kind: str, command: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(f'{{"citynode": "{kind}/1", "inclusion": {{}}}}')
    said = citynode("verify", file)
    assert said.code == 2
    assert f"citynode {command} verify {file}" in said.err


@pytest.mark.parametrize("kind", ["evidence", "agreement"])
def test_what_is_longer_than_any_export_is_wrong_use_whatever_it_calls_itself(
    citynode: Say, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(f'{{"citynode": "{kind}/1"'.encode() + b" " * (33 << 20))
    assert citynode("evidence" if kind == "evidence" else "agreements", "verify", file).code == 2


def test_an_address_of_no_agreement_is_wrong_use(citynode: Say) -> None:
    said = citynode("agreements", "verify", "https://city.example/datasets/trees")
    assert said.code == 2
    assert "is the address of no agreement" in said.err
