"""The command's very beginning: what it loads may be broken off like anything that follows."""

import sys

import pytest

import node.__main__ as entry


class Interrupted:
    """Lets a Ctrl-C come while a module is looked for."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "node.cli.main":
            raise KeyboardInterrupt


def test_a_ctrl_c_while_the_commands_are_loaded_is_a_quiet_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "node.cli.main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert entry.main() == 130
    assert capsys.readouterr() == ("", "")
