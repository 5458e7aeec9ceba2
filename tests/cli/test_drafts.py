"""Commands on drafts and corrections: the same as the desk, from a shell."""

import json
from pathlib import Path

import pytest

from node.vocab.kinds import TABLES, example_of
from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes
SAID = example_of(TABLES["practice"])
TREES = "https://city.example/id/trees"


def test_a_draft_goes_its_way_and_an_older_version_comes_back(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "snow.json"
    file.write_text(json.dumps(SAID))
    assert helsinki("drafts", "save", "practice", "snow", str(file)).out == "Saved version 1 of practice snow\n"
    assert [each["slug"] for each in helsinki("drafts", "list", "--json").json] == ["snow"]
    assert "practice snow, draft 1" in helsinki("drafts", "show", "practice", "snow").out
    assert helsinki("drafts", "ask", "practice", "snow", "--note", "Read it").code == 0
    assert helsinki("drafts", "list", "--state", "review", "--json").json[0]["note"] == "Read it"
    published = helsinki("drafts", "publish", "practice", "snow", "--json").json["published"]
    file.write_text(json.dumps(SAID | {"title": {"en": "Another"}}))
    helsinki("drafts", "save", "practice", "snow", str(file))
    assert helsinki("drafts", "publish", "practice", "snow").out == f"Published {published[0]}\n"
    versions = helsinki("drafts", "history", "practice", "snow", "--json").json
    assert [each["said"]["title"]["en"] for each in versions] == ["Another", SAID["title"]["en"]]
    assert "put" in helsinki("drafts", "history", "practice", "snow").out
    assert helsinki("drafts", "restore", "practice", "snow", "--entry", str(versions[1]["seq"])).code == 0
    assert helsinki("drafts", "show", "practice", "snow", "--json").json["said"]["title"] == SAID["title"]
    unasked = helsinki("drafts", "discard", "practice", "snow")
    assert (unasked.code, "say --yes" in unasked.err) == (1, True)
    assert "Threw the draft" in helsinki("drafts", "discard", "practice", "snow", "--yes").out
    assert helsinki("drafts", "withdraw", "practice", "snow", "--reason", "Over").out == f"Withdrew {published[0]}\n"
    assert helsinki("drafts", "list", "--json").json[0]["state"] == "withdrawn"


def test_what_cannot_be_published_or_read_says_why(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "bare.yaml"
    file.write_text("title: {en: Bare}")
    helsinki("drafts", "save", "challenge", "bare", str(file))
    refused = helsinki("drafts", "publish", "challenge", "bare")
    assert refused.code == 1
    assert "/description" in refused.err
    file.write_text("[1, 2")
    assert helsinki("drafts", "save", "challenge", "bare", str(file)).code == 1
    assert helsinki("drafts", "save", "challenge", "bare", str(tmp_path / "nowhere")).code == 1
    assert helsinki("drafts", "show", "challenge", "nothing").code == 1


def test_a_correction_is_set_listed_and_taken_back(helsinki: Say, tmp_path: Path) -> None:
    source, fix = tmp_path / "portal.ttl", tmp_path / "fix.json"
    source.write_text(catalogue({"trees": "Trees"}))
    helsinki("sources", "add", "portal", str(source), "--kind", "dcat")
    assert helsinki("harvest", "run", "portal").code == 0
    assert "Nothing of it is corrected." in helsinki("corrections", "show", TREES).out
    fix.write_text(json.dumps({"title": {"en": "Street trees"}}))
    made = helsinki("corrections", "set", TREES, str(fix), "--note", "They know")
    assert made.code == 0, made.err
    assert "They know" in made.out
    assert helsinki("corrections", "list", "--json").json[0]["said"] == {"title": {"en": "Street trees"}}
    assert TREES in helsinki("corrections", "list").out
    assert helsinki("corrections", "set", TREES, str(fix), "--json").json["correction"] is not None
    source.write_text(catalogue({"trees": "Every tree"}))
    helsinki("harvest", "run", "portal")
    assert "says something else" in helsinki("corrections", "show", TREES).err
    assert helsinki("corrections", "list", "--changed", "--json").json
    assert helsinki("corrections", "remove", TREES, "--json").json["correction"] is None
    assert helsinki("corrections", "remove", TREES).code == 1


def test_what_is_erased_is_not_kept_beside_its_correction(helsinki: Say, tmp_path: Path) -> None:
    source, fix = tmp_path / "portal.ttl", tmp_path / "fix.json"
    source.write_text(catalogue({"trees": "A secret"}))
    helsinki("sources", "add", "portal", str(source), "--kind", "dcat")
    helsinki("harvest", "run", "portal")
    fix.write_text(json.dumps({"title": {"en": "Street trees"}}))
    assert helsinki("corrections", "set", TREES, str(fix)).code == 0
    assert helsinki("journal", "erase", "open-data", "1", "--reason", "secret", "--yes").code == 0
    database = (tmp_path / "node" / "node.db").read_bytes()
    assert b"A secret" not in database
    assert helsinki("corrections", "set", TREES, str(fix)).code == 1, "what the source said is read again first"
    source.write_text(catalogue({"trees": "Trees"}))
    helsinki("harvest", "run", "portal")
    assert helsinki("corrections", "set", TREES, str(fix)).code == 0
