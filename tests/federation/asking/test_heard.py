"""What another city answers is a stranger's word: bounded, printable, about what was agreed on, and its own."""

from typing import Any

import pytest

from node.errors import Malformed
from node.federation.asking.askable import Askable
from node.federation.asking.heard import marked, read_answer
from node.federation.check import Authority

LONDON = "https://london.example"
ASKABLE = Askable("london", LONDON, "London", frozenset({"plans"}), frozenset({f"{LONDON}/datasets/single"}))
AUTHORITY = Authority({"https://helsinki.example/": frozenset({""}), f"{LONDON}/": frozenset({"london"})}, "london")


def hit(**changes: Any) -> dict[str, Any]:
    return {
        "iri": f"{LONDON}/datasets/one",
        "page": f"{LONDON}/datasets/one",
        "kind": "dataset",
        "title": "Plans",
        "collection": "plans",
        "changed": "2026-11-21T00:00:00Z",
        "quality": 200,
        "licence": {"iri": "https://creativecommons.org/licenses/by/4.0/", "name": "CC BY 4.0"},
        "formats": ["CSV"],
        "why": {"title": "<mark>Plans</mark>", "text": ""},
    } | changes


def answer(*hits: object, **more: Any) -> dict[str, Any]:
    return {"hits": list(hits), "total": len(hits), "total_is": "exact"} | more


def read(*hits: object, **more: Any) -> Any:
    return read_answer(answer(*hits, **more), ASKABLE, AUTHORITY)


def test_a_hit_comes_out_as_ours_do_with_the_city_as_it_is_known_here() -> None:
    (told,) = read(hit(city="helsinki", city_title="Helsinki", live=False)).hits
    assert told["city"] == "london"
    assert told["city_title"] == "London"
    assert told["collection"] == "london/plans"
    assert told["live"] is True
    assert told["why"]["title"] == "<mark>Plans</mark>"


@pytest.mark.parametrize(
    "changes",
    [
        {"iri": "https://helsinki.example/datasets/one"},  # another city's to describe
        {"iri": "javascript:alert(1) x"},
        {"iri": "x" * 3000},
        {"iri": 7},
        {"kind": "spaceship"},
        {"collection": "open-data"},  # not what we may ask about
        {"collection": "../plans"},
        {"collection": None},
    ],
)
def test_what_is_not_what_we_may_ask_about_or_not_theirs_does_not_count(changes: dict[str, Any]) -> None:
    found = read(hit(), hit(**changes), total=50)
    assert len(found.hits) == 1
    assert (found.total, found.exact) == (1, False)


def test_a_single_record_counts_wherever_it_stands() -> None:
    assert read(hit(iri=f"{LONDON}/datasets/single", collection="secret")).hits


@pytest.mark.parametrize("said", [{}, {"hits": {}}, {"hits": [], "total": "1"}, {"hits": [], "total": True}])
def test_what_is_no_answer_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_answer(said, ASKABLE, AUTHORITY)
    with pytest.raises(Malformed):
        read(*[hit()] * 101)


def test_links_lead_to_that_city_and_texts_hold_nothing_but_letters() -> None:
    (told,) = read(
        hit(
            page="https://evil.example/",
            title="a\u202eb\x00c" + "x" * 900,
            description=["no text"],
            licence={"iri": "javascript:alert(1)", "name": "<b>"},
            formats=[1, "C\nSV", {}] * 40,
            changed="yesterday",
            quality=10**9,
        )
    ).hits
    assert told["page"].startswith(f"{LONDON}/records?iri=")
    assert told["title"].startswith("a b c")
    assert len(told["title"]) <= 500
    assert (told["description"], told["licence"]["iri"], told["changed"], told["quality"]) == ("", "", "", None)
    assert set(told["formats"]) == {"C SV"}


@pytest.mark.parametrize(
    "said",
    [
        "<script>alert(1)</script><mark>a</mark>",
        "<mark><mark>a</mark></mark>",
        "</mark>a<mark>",
        "<mark onclick=x>a</mark>",
        "&lt;mark&gt;&lt;/mark&gt;<mark>",
    ],
)
def test_marks_are_the_only_elements_and_every_one_is_closed(said: str) -> None:
    made = marked(said, 100)
    assert made.count("<mark>") == made.count("</mark>")
    assert "<" not in made.replace("<mark>", "").replace("</mark>", "")
