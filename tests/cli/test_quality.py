"""The commands on quality: what collections are worth, and what to mend, also where no worker has measured anything."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from node.catalog.quality.metrics import METRICS
from node.web.wording.words import words
from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@pytest.fixture
def harvested(helsinki: Say, tmp_path: Path) -> Say:
    source = tmp_path / "source.ttl"
    source.write_text(catalogue({"a": "Trees", "b": "Parks", "c": "Kerbs"}))
    helsinki("sources", "add", "portal", source, "--kind", "dcat")
    assert helsinki("harvest", "run", "portal").code == 0
    return helsinki


def test_collections_are_listed_with_their_points_without_a_worker(harvested: Say) -> None:
    told = harvested("quality", "list", "--days", "7", "--json")
    assert told.code == 0, told.err
    (one,) = told.json["collections"]
    assert (one["name"], one["records"], one["points"], one["rating"]) == ("open-data", 3, 30.0, "bad")
    assert set(told.json["days"]) == {"collection:open-data", "source:portal"}
    assert told.json["links"]["ok"] == 0
    plain = harvested("quality", "list", "open-data", "--days", "1")
    assert "open-data" in plain.out
    assert "source:portal" in plain.out
    assert "Links:" in plain.err


def test_what_to_mend_is_told_by_cost_in_a_language(harvested: Say) -> None:
    told = harvested("quality", "fix", "--lang", "sv", "--json").json
    assert [one["gain"] for one in told] == sorted((one["gain"] for one in told), reverse=True)
    assert {one["metric"] for one in told} <= {metric.name for metric in METRICS}
    keyword = next(one for one in told if one["metric"] == "keywordAvailability")
    assert keyword["fix"] == words("sv", "quality.fix.keywordAvailability")
    assert (keyword["records"], keyword["of"], keyword["gain"]) == (3, 3, 30.0)
    assert "keywordAvailability" in harvested("quality", "fix").out
    assert len(harvested("quality", "fix", "--limit", "2", "--json").json) == 2
    assert [one["lost"] for one in told] == sorted((one["lost"] for one in told), reverse=True)


def test_what_is_to_be_mended_is_ours_unless_a_mirror_is_asked_for(harvested: Say, tmp_path: Path) -> None:
    ours = harvested("quality", "fix", "--json").json
    with closing(sqlite3.connect(tmp_path / "node" / "node.db")) as db, db:  # as if it had come from London
        db.execute("UPDATE collection SET name = 'london/open-data' WHERE name = 'open-data'")
    assert harvested("quality", "fix", "--json").json == []
    theirs = [one | {"collection": "london/open-data"} for one in ours]
    assert harvested("quality", "fix", "--all", "--json").json == theirs
    assert harvested("quality", "fix", "london/open-data", "--json").json == theirs


def test_records_that_fail_a_metric_and_links_that_fail_are_named(harvested: Say) -> None:
    told = harvested("quality", "fix", "--metric", "keywordAvailability", "--json").json
    assert len({one["iri"] for one in told}) == 3
    assert told[0]["iri"] in harvested("quality", "fix", "--metric", "keywordAvailability").out
    assert harvested("quality", "fix", "--links", "--json").json == []
    assert "There are no links" in harvested("quality", "fix", "--links").out


def test_an_unknown_collection_or_metric_is_refused_with_what_there_is(harvested: Say) -> None:
    assert (harvested("quality", "list", "nowhere").code, harvested("quality", "fix", "--metric", "x").code) == (1, 1)
    assert "keywordAvailability" in harvested("quality", "fix", "--metric", "x").err
