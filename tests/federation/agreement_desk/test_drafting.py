"""Drafts: of what is the assigner's own, in a language there is, for a time to come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, cast

import pytest

from node.db import Database
from node.errors import Malformed, NotFound, Refused
from node.federation.agreement_desk.drafting import CONSUMER, PROVIDER, Drafting, Held, Wish, Words
from node.journal.journal import Journals
from tests.federation.offer_rig import BASE, LONDON, RULES, Shop

NOW = 1_800_000_000_000
PLANS, OPEN = f"{BASE}/collections/plans", f"{BASE}/collections/open"
RECORD = f"{BASE}/datasets/d1"
TITLED = f'<{RECORD}> <http://purl.org/dc/terms/title> "One"@en .\n'.encode()
HARVESTED = "https://portal.example/sets/9"
SAID = Words(rules=RULES, about={"title": "Plans"})


@dataclass(frozen=True)
class London:
    """The one peer there is."""

    name: str = "london"
    url: str = LONDON


class Book:
    """The book of peers."""

    def get(self, name: str) -> Any:
        if name != "london":
            raise NotFound(f"There is no peer {name}.")
        return London()


@pytest.fixture
def drafting(db: Database, journals: Journals) -> Drafting:
    shop = Shop(db, journals)
    shop.collection("plans", restricted=True)
    shop.collection("open")
    shop.collection("agreements-london-test-0123abcd", restricted=True)
    shop.records("plans", {RECORD: TITLED})
    numbers = count(1)
    return Drafting(
        base_url=BASE,
        peers=cast("Any", Book()),
        ours=lambda: Held([PLANS, OPEN], [OPEN]),
        theirs=lambda _: [f"{LONDON}/collections/roads"],
        check=shop.offers.check,
        mirrored=lambda peer, iri: (peer, iri) == ("london", HARVESTED),
        new_id=lambda: f"n{next(numbers)}",
    )


def made(drafting: Drafting, role: str = PROVIDER, words: Words = SAID, **wish: Any) -> tuple[str, Sequence[str]]:
    (draft,) = drafting.drafts(Wish("london", words, role, **wish), NOW)
    return draft.target, draft.covers


def test_a_city_grants_what_is_its_own(drafting: Drafting) -> None:
    assert made(drafting, covers=["plans"]) == (PLANS, (PLANS,))
    assert made(drafting, target=RECORD) == (RECORD, (RECORD,))
    assert made(drafting, covers=["plans", OPEN]) == (f"{BASE}/collections/bundle", (PLANS, OPEN))
    assert made(drafting, covers=["plans", "open"], target="both")[0] == f"{BASE}/collections/both"
    assert made(drafting, words=replace(SAID, about={"title": "x", "covers": [PLANS]})) == (PLANS, (PLANS,))
    assert made(drafting, words=Words(template="digital-declaration"), covers=["open"])[0].endswith("/declaration")


NO_IDS = ["a b", "a\0", "\n", "a\u202eb", "x" * 600, "https://evil.example/x", f"{LONDON}/collections/roads", "../x"]


@pytest.mark.parametrize(
    "named",
    [*NO_IDS, "none", f"{BASE}/datasets/none", f"{BASE}.evil.example/x", "agreements-london-test-0123abcd"],
)
def test_a_city_grants_nothing_else(drafting: Drafting, named: str) -> None:
    for wish in ({"target": named}, {"covers": [named]}, {"covers": ["plans", named]}):
        with pytest.raises(Refused):
            made(drafting, **wish)


def test_another_city_is_asked_for_what_is_its_own(drafting: Drafting) -> None:
    roads = f"{LONDON}/collections/roads"
    assert made(drafting, CONSUMER) == (roads, (roads,))
    assert made(drafting, CONSUMER, theirs=["roads"]) == (roads, (roads,))
    record = f"{LONDON}/datasets/7"
    assert made(drafting, CONSUMER, target=record) == (record, (record,))
    # What it harvested keeps its portal's address: its mirror here holds it, or it was found to be there.
    for harvested in ({"target": HARVESTED}, {"target": "https://p.example/1", "known": "https://p.example/1"}):
        assert made(drafting, CONSUMER, **harvested)[0] == harvested["target"]
    with pytest.raises(Malformed):
        made(drafting, CONSUMER, target="https://p.example/2", known="https://p.example/1")
    # Whatever another connector calls what it offers us.
    assert made(drafting, CONSUMER, target="asset-7", offer="offer-7") == ("asset-7", ("asset-7",))


@pytest.mark.parametrize(
    "named", [*NO_IDS[:6], PLANS, f"{LONDON}", f"{LONDON}/", f"{LONDON}/../x", f"{LONDON}/%2e%2e/x", f"{LONDON}.evil/x"]
)
def test_another_city_is_asked_for_nothing_else(drafting: Drafting, named: str) -> None:
    for wish in ({"target": named}, {"theirs": [named]}, {"theirs": ["roads", named]}):
        with pytest.raises(Refused):
            made(drafting, CONSUMER, **wish)
    with pytest.raises(Refused):
        made(drafting, CONSUMER, target="a\u202eb", offer="offer-7")


@pytest.mark.parametrize(
    "until", ["1969-01-01", "2027-01-01", "2027-01-15T07:59:00Z", "9999-12-31", "0000-00-00", "soon"]
)
def test_nothing_is_granted_until_a_day_that_is_over_or_none(drafting: Drafting, until: str) -> None:
    with pytest.raises(Malformed):
        made(drafting, covers=["plans"], words=replace(SAID, until=until))


@pytest.mark.parametrize("until", ["1900-01-01", "9999-12-31"])
def test_a_day_that_no_calendar_reckons_is_called_so_and_not_no_day(drafting: Drafting, until: str) -> None:
    with pytest.raises(Malformed, match="outside the years 1970 to 9998") as told:
        made(drafting, words=replace(SAID, until=until))
    assert told.value.said[0] == "no.agreement.years"


def test_a_day_of_review_that_is_said_now_lies_ahead_and_one_that_stood_before_stays(drafting: Drafting) -> None:
    for words in (
        replace(SAID, review="2020-01-01"),
        Words(template="open-metadata/1", values={"review": "2020-01-01"}),
    ):
        with pytest.raises(Malformed, match="review: 2020-01-01 is past") as told:
            made(drafting, words=words)
        assert told.value.field == "review"
    old = replace(SAID, about={"title": "Plans", "review": "2020-01-01"})
    assert made(drafting, words=old), "what a city changes nothing of is not refused"
    assert made(drafting, words=replace(SAID, review="2027-01-15")), "today is not past"


@pytest.mark.parametrize("until", ["2027-01-15", "2027-01-15T08:01:00Z", "9999-12-30", "9999-12-31T23:59:59Z"])
def test_a_grant_ends_with_a_day_to_come(drafting: Drafting, until: str) -> None:
    assert made(drafting, covers=["plans"], words=replace(SAID, until=until))


@pytest.mark.parametrize("lang", ["zz", "", "EN"])
def test_a_draft_is_written_in_a_language_there_is(drafting: Drafting, lang: str) -> None:
    with pytest.raises(Malformed, match="not written in"):
        made(drafting, covers=["plans"], words=replace(SAID, lang=lang))
