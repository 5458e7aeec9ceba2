"""Bad files of knowledge through the real commands: each fault is named with file and line, nothing is published.

The list is that of what people and their editors really produce, and of what somebody might send them in good English.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

APPROACH = "## What we did\n\nCameras on the yards tell drivers which one has room, in time for the next round.\n"


def practice(front: str = "", body: str = "") -> str:
    return f"---\ntitle: Snow\n{front}---\n\n{APPROACH}{body}"


def line_of(text: str, part: str) -> int:
    """The number of the first line that has this part."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


# Name → file, code of the fault, and a part of the line it is on (none: the whole file).
BAD: dict[str, tuple[bytes | str, str, str]] = {
    "wrong-type": (practice("publisher: true\n"), "wrong-value", "publisher"),
    "wrong-list": (practice("license: [CC_BY_4_0, CC0]\n"), "wrong-value", "license"),
    "wrong-date": (practice("review: next spring\n"), "wrong-value", "review"),
    "wrong-number": (practice("evidence:\n  - indicator: Loads\n    value: 1e999\n"), "wrong-value", "value:"),
    "huge-number": (practice(f"evidence:\n  - indicator: Loads\n    value: {'9' * 5_000}\n"), "wrong-value", "value:"),
    "wrong-code": (practice("status: finished\n"), "unknown-code", "status"),
    "wrong-field": (practice("summery: Snow\n"), "unknown-field", "summery"),
    "wrong-language": (practice("summary: {klingon: nuqneH}\n"), "unknown-language", "klingon"),
    "wrong-main-language": (practice("language: klingon\n"), "unknown-language", "language"),
    "twice": (practice("title: Slush\n"), "", "Slush"),
    "anchor": (practice("summary: &a Snow\nkeywords: [*a]\n"), "", "&a"),
    "tag": (practice("summary: !!python/object/apply:os.system [id]\n"), "", "!!python"),
    "broken-yaml": (practice("summary: [Snow\nstatus: pilot\n"), "", ""),
    "open-front": ("---\ntitle: Snow\n", "", ""),
    "deep": (practice("keywords: " + "[" * 400 + "]" * 400 + "\n"), "", "keywords"),
    "tabs": (practice("publisher:\n\tname: City\n"), "", "\tname"),
    "not-utf-8": (practice().encode() + b"\n\xff\xfe caf\xe9\n", "", ""),
    "zeros": (practice(body="\x00"), "", ""),
    "large": ((practice() + "x" * (50 << 20)).encode(), "", ""),
    "empty": ("", "", ""),
    "script": (practice(body="\n<script>alert(1)</script>\n"), "script", ""),
    "handler": (practice(body="\nSee [this](javascript:alert(1)).\n"), "script", ""),
    "private-link": (practice("code: http://10.1.2.3/snow\n"), "private-link", "code"),
    "private-name": (practice("uses: [https://localhost/datasets/snow]\n"), "private-link", "uses"),
    "private-in-text": (practice(body="\nThe [report](http://192.168.0.7/report).\n"), "private-link", ""),
    "bad-link": (practice("code: ftp://city.example/snow\n"), "wrong-value", "code"),
    "bad-iri": (practice("code: https://city.example/a<b>c\n"), "wrong-value", "code"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write all bad files, and a good one among them."""
    made = tmp_path_factory.mktemp("bad")
    for name, (file, _, _) in BAD.items():
        (made / f"{name}.md").write_bytes(file if isinstance(file, bytes) else file.encode())
    (made / "good.md").write_text(practice())
    return made


@pytest.fixture
def helsinki(citynode: Say) -> Say:
    """A node that is not on a private host itself."""
    made = citynode("init", "--name", "Helsinki", "--base-url", "https://helsinki.example", "--lang", "en,fi,sv")
    assert made.code == 0, made.err
    return citynode


def test_each_bad_file_is_named_with_its_line_and_nothing_is_published(helsinki: Say, folder: Path) -> None:
    linted = helsinki("practices", "lint", "--folder", folder, "--json")
    assert linted.code == 1
    found: dict[str, list[dict[str, Any]]] = {}
    for each in linted.json:
        if each["level"] == "error":
            found.setdefault(each["name"], []).append(each)
    assert found.keys() == BAD.keys()
    for name, (file, code, part) in BAD.items():
        faults = found[name]
        assert all(each["file"].endswith(f"{name}.md") and each["message"] for each in faults), faults
        assert code in ("", *(each["code"] for each in faults)), faults
        if part:
            assert line_of(str(file), part) in [each["line"] for each in faults], faults

    refused = helsinki("practices", "publish", "--folder", folder)
    assert refused.code == 1
    assert refused.err.splitlines()[-1].startswith("citynode: ")
    assert "Traceback" not in refused.err
    states = {each["name"]: each["record"] for each in helsinki("practices", "list", "--folder", folder, "--json").json}
    assert set(states.values()) <= {"", None}


def test_adoptions_in_a_circle_are_named(helsinki: Say, tmp_path: Path) -> None:
    practices = tmp_path / "practices"
    practices.mkdir()
    base = "https://helsinki.example"
    (practices / "one.md").write_text(practice(f"replicated_from: [{base}/practices/two]\n"))
    (practices / "two.md").write_text(practice())
    assert helsinki("practices", "publish", "one", "two", "--folder", practices).code == 0
    (practices / "two.md").write_text(practice(f"replicated_from: [{base}/practices/one]\n"))
    refused = helsinki("practices", "publish", "two", "--folder", practices)
    assert refused.code == 1
    assert f"{practices / 'two.md'}:3: error: " in refused.err + refused.out
    assert f"{base}/practices/one" in refused.err + refused.out
    (practices / "self.md").write_text(practice(f"replicated_from: [{base}/practices/self]\n"))
    assert "points to itself" in helsinki("practices", "lint", "self", "--folder", practices).out
