"""Laws of what strangers may send: plain words within bounds, each fault named with its place."""

from typing import Any

import pytest

from node.catalog.submission_rules import (
    CITY_SAYS,
    MAX_BRACKETS,
    MAX_CHARACTERS,
    MAX_LINKS,
    MAX_VALUES,
    faults_in,
    likeness_of,
    name_of,
)
from node.vocab.kinds import TABLES, example_of

REUSE = TABLES["reuse"]
WHERE = "link"


def faults(**said: Any) -> list[tuple[str, str]]:
    """What is wrong with it, but for what is missing."""
    return [(each.pointer, each.code) for each in faults_in(REUSE, said) if each.code != "missing"]


def test_what_the_city_would_write_itself_passes() -> None:
    said = {name: value for name, value in example_of(REUSE).items() if name not in CITY_SAYS}
    assert faults_in(REUSE, said) == ()
    assert faults(title={"en": "Less than 5 < 6 m, and 💚 👩‍💻"}) == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "see <a href=x>",
        "</p>",
        "<!-- hidden -->",
        "<?php",
        "< img src=x onerror=alert(1)>",
        "<\nsvg/onload=alert(1)>",
    ],
)
def test_html_is_refused_wherever_it_stands(text: str) -> None:
    assert faults(title={"en": "A", "fi": text}) == [("/title/fi", "html")]
    assert faults(unheard_of=[{"deep": text}]) == [("/unheard_of/0/deep", "html")]


@pytest.mark.parametrize(
    "text", ["[run](javascript:alert(1))", "![x](data:text/html,y)", "[file]( file:///etc/passwd)"]
)
def test_a_link_that_runs_or_reads_something_is_refused(text: str) -> None:
    assert ("/title/en", "bad-link") in faults(title={"en": text})


def test_characters_that_nobody_sees_are_refused() -> None:
    assert faults(title={"en": "pay\u202eload"}) == [("/title/en", "hidden-character")]


def test_who_made_it_and_where_it_is_must_be_said() -> None:
    missing = {each.pointer for each in faults_in(REUSE, {}) if each.code == "missing"}
    assert missing == {"/title", "/description", "/datasets", "/maker", "/link"}


def test_what_is_the_citys_to_say_is_refused() -> None:
    assert faults(issued="2026-01-01", review="2027") == [("/issued", "city-says"), ("/review", "city-says")]


def test_links_characters_values_and_depth_are_bounded() -> None:
    link = "https://app.example/x "
    assert faults(title={"en": link * MAX_LINKS}) == []
    assert faults(title={"en": link * (MAX_LINKS + 1)}) == [("", "too-many-links")]
    assert faults(title={"en": "x" * MAX_CHARACTERS}) == []
    assert faults(title={"en": "x" * (MAX_CHARACTERS + 1)}) == [("", "too-much")]
    assert faults(many=["x"] * (MAX_VALUES - 3)) == []
    assert faults(many=["x"] * MAX_VALUES) == [("", "too-much")]
    assert faults(title={"en": "[" * (MAX_BRACKETS + 1)}) == [("", "too-much")]
    deep: Any = "x"
    for _ in range(2_000):
        deep = [deep]
    assert faults(deep=deep) == [("", "too-much")]


def test_the_same_thing_is_known_again_however_it_is_spelt() -> None:
    one = likeness_of(REUSE, {"title": {"en": "Tree Máp"}, WHERE: "https://www.Trees.example/app/?id=1#top"})
    other = likeness_of(REUSE, {"title": {"sv": "tree  map!"}, WHERE: "http://trees.example/app/?id=1"})
    third = likeness_of(REUSE, {"title": {"en": "Trees"}, WHERE: "https://trees.example/app/?id=2"})
    assert one == other
    assert one[0] != third[0]
    assert one[1] != third[1]
    assert likeness_of(REUSE, {"title": {"en": "Trees"}})[1] == ""


def test_names_are_made_of_the_english_title_first() -> None:
    assert name_of({"title": {"fi": "Puut", "en": "Trees of Helsinki"}}, "reuse") == "trees-of-helsinki"
    assert name_of({"title": {"fi": "Puut"}}, "reuse") == "puut"
    assert name_of({"title": {"el": "Δέντρα"}}, "reuse") == "dentra"
    assert name_of({"title": {"zh": "树", "fi": "Puut"}}, "reuse") == "puut"
    assert name_of({"title": {"zh": "树"}}, "reuse").startswith("reuse-")
    assert name_of({"title": {"en": " "}}, "reuse") == name_of({"title": "x"}, "reuse") == ""


@pytest.mark.parametrize("sign", ["\u00ad", "\u3164", "\u2800", "\u061c", "\U000e0041"])
def test_no_character_that_nobody_sees_is_taken(sign: str) -> None:
    assert faults(title={"en": f"pay{sign}load"}) == [("/title/en", "hidden-character")]


def test_letters_may_have_marks_but_no_towers_of_them() -> None:
    assert faults(title={"en": "Vie\u0323\u0302t h\u0443\u0301 \u0e01\u0e34\u0e48"}) == []
    assert faults(title={"en": "Z" + "\u0300\u0489" * 10}) == [("/title/en", "stacked-marks")]


@pytest.mark.parametrize(
    "address",
    [
        "https://trees.example:443/map",
        "http://trees.example:80/map/",
        "https://trees.example./map?",
        "https://trees.example/m%61p",
        "https://trees.example/map/?#top",
    ],
)
def test_the_same_address_written_otherwise_is_the_same(address: str) -> None:
    assert likeness_of(REUSE, {WHERE: address}) == likeness_of(REUSE, {WHERE: "https://trees.example/map"})
    other = likeness_of(REUSE, {WHERE: "https://trees.example:8443/map"})
    assert likeness_of(REUSE, {WHERE: address}) != other
