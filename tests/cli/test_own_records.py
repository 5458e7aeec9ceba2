"""Commands on vocabularies and sets: check, publish, show; suggest, new, publish, list."""

from pathlib import Path

import pytest

from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

HEAD = "table,value,language,match,code,note\n"


def test_a_vocabulary_is_checked_published_and_shown(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "node" / "mappings.csv"
    assert "No matches" in helsinki("vocabulary", "check").out
    assert helsinki("vocabulary", "publish").code == 1
    file.write_text(HEAD + "theme,Liikenne,fi,exact,TRAFFIC,\ncolour,Sininen,fi,exact,BLUE,\n", "utf-8")
    refused = helsinki("vocabulary", "check")
    first, second, last = refused.err.splitlines()
    assert (refused.code, first.startswith("line 2: 'TRAFFIC'"), second.startswith("line 3: ")) == (1, True, True)
    assert "2 lines" in last
    file.write_text(HEAD + "theme,Liikenne ja kartat,fi,exact,TRAN,\n", "utf-8")
    assert helsinki("vocabulary", "check", "--json").json["matches"]["theme"] == 1
    assert helsinki("vocabulary", "publish", "--json").json["put"] == ["http://127.0.0.1:8001/vocabularies/theme"]
    assert helsinki("vocabulary", "publish").out == "Nothing changed\n"
    (shown,) = helsinki("vocabulary", "show", "--table", "theme", "--json").json
    assert (shown["city"], shown["value"], shown["match"], shown["code"]) == (
        "helsinki", "Liikenne ja kartat", "exact", "TRAN",
    )  # fmt: skip
    assert helsinki("vocabulary", "show", "--city", "london", "--json").json == []
    assert helsinki("vocabulary", "show", "--table", "colours").code == 1


def test_a_set_is_written_published_listed_and_withdrawn(helsinki: Say, tmp_path: Path) -> None:
    source = tmp_path / "catalogue.ttl"
    source.write_text(catalogue({"a": "Parking areas", "b": "Parking bays"}))
    helsinki("sources", "add", "portal", source, "--kind", "dcat")
    assert helsinki("harvest", "run").code == 0
    assert "at least two cities" in helsinki("sets", "suggest").out
    assert helsinki("sets", "suggest", "--json").json == {"suggestions": [], "found": 0}
    iris = [f"https://city.example/id/{name}" for name in "ab"]
    assert helsinki("sets", "new", "parking").code == 1
    assert helsinki("sets", "new", "parking", iris[0]).code == 1
    assert helsinki("sets", "new", "parking", "--from", "nosuch").code == 1
    assert helsinki("sets", "new", "parking", iris[0], "https://x.example/none").code == 1
    assert helsinki("sets", "publish", "parking").code == 1
    written = helsinki("sets", "new", "parking", *iris)
    assert (written.code, Path(written.out.strip()).is_file()) == (0, True)
    assert helsinki("sets", "publish", "parking").out == "Published http://127.0.0.1:8001/sets/parking\n"
    (listed,) = helsinki("sets", "list", "--json").json
    assert (listed["records"], listed["collection"]) == (2, "sets")
    assert "parking" in helsinki("sets", "list").out
    assert helsinki("sets", "withdraw", "parking", "--json").json["withdrawn"] == ["http://127.0.0.1:8001/sets/parking"]
    assert helsinki("sets", "list", "--json").json == []
