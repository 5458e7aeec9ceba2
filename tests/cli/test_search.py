"""Commands of searching: the same answers as the web's, in lines or JSON, from the index on disk."""

from pathlib import Path

import pytest

from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@pytest.fixture
def filled(helsinki: Say, tmp_path: object) -> Say:
    """A node with three records that no worker has indexed yet."""
    path = tmp_path / "source.ttl"  # type: ignore[operator]
    path.write_text(catalogue({"a": "Parking areas", "b": "City bikes", "c": "Bike parking"}))
    assert helsinki("sources", "add", "portal", path, "--kind", "dcat", "--collection", "open-data").code == 0
    assert helsinki("harvest", "run", "portal").code == 0
    return helsinki


def test_records_are_found_without_a_running_node(filled: Say) -> None:
    said = filled("search", "parking")
    assert said.code == 0
    assert said.out.startswith("2 records\n")
    assert {"Parking areas", "Bike parking"} <= set(said.out.splitlines())
    assert "City bikes" not in said.out


def test_what_not_everybody_may_see_is_told_to_whoever_finds_nothing(filled: Say, tmp_path: Path) -> None:
    path = tmp_path / "plans.ttl"
    path.write_text(catalogue({"p": "Plan of the quarter"}))
    filled("collections", "create", "plans", "--visibility", "restricted")
    filled("sources", "add", "plans", path, "--kind", "dcat", "--collection", "plans")
    assert filled("harvest", "run", "plans").code == 0
    said = filled("search", "quarter")
    assert (said.out, "1 record with these words: add --restricted" in said.err) == ("0 records\n", True)
    assert filled("search", "quarter", "--restricted").out.startswith("1 record\n")
    assert "--restricted" not in filled("search", "nowhere").err


def test_answers_are_one_document_for_programs(filled: Say) -> None:
    found = filled("search", "bikes OR areas", "--sort", "title", "--facet", "kind", "--limit", "2", "--json").json
    assert (found["total"], found["total_is"], found["fuzzy"]) == (3, "exact", False)
    assert [hit["title"] for hit in found["hits"]] == ["Bike parking", "City bikes"]
    assert found["facets"]["kind"] == [{"value": "dataset", "label": "dataset", "count": 3}]
    rest = filled(
        "search", "bikes OR areas", "--sort", "title", "--limit", "2", "--cursor", found["next"], "--json"
    ).json
    assert [hit["title"] for hit in rest["hits"]] == ["Parking areas"]
    assert rest["next"] is None


def test_hits_are_told_to_programs_as_on_the_web(filled: Say) -> None:
    (hit,) = filled("search", "areas", "--json").json["hits"]
    assert {"iri", "page", "title_language", "city_title", "licence", "formats", "changed", "quality"} <= hit.keys()
    assert (hit["city"], hit["city_title"], hit["title"]) == ("helsinki", "Helsinki", "Parking areas")
    assert hit["page"].startswith("http://127.0.0.1:8001/datasets/")


def test_words_after_a_dash_are_left_out_and_unknown_options_are_refused(filled: Say) -> None:
    found = filled("search", "parking", "-bike", "--json").json
    assert [hit["title"] for hit in found["hits"]] == ["Parking areas"]
    assert [hit["title"] for hit in filled("search", "-parking", "--json").json["hits"]] == ["City bikes"]
    wrong = filled("search", "parking", "--citty", "london")
    assert (wrong.code, "--citty" in wrong.err) == (1, True)


def test_options_narrow_and_say_what_there_is(filled: Say) -> None:
    assert filled("search", "--kind", "dataset", "--json").json["total"] == 3
    assert filled("search", "--kind=-dataset", "--json").json["total"] == 0
    assert filled("search", "--city", "helsinki", "--from", "2020", "--json").json["total"] == 0
    wrong = filled("search", "--bbox", "1,2,3")
    assert wrong.code == 1
    assert "west,south,east,north" in wrong.err
    assert "relevance, changed, title, quality" in filled("search", "--sort", "best").err


def test_a_slip_of_the_finger_is_told(filled: Say) -> None:
    said = filled("search", "parknig")
    assert "Did you mean: parking" in said.out
    assert "Bike parking" in said.out
    assert filled("search", "quetzalcoatl").out == "0 records\n"
