"""What a caller may find: every restricted collection decided anew, by the clause for live search, record by record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.catalog.search.query import Allowed, Query
from node.errors import NotAgreed
from node.federation.tokens.access import Caller
from node.web.doors.sight import Seeing, sight_for
from node.web.pages import Pages
from node.web.parts import Parts
from node.web.reading import Reading
from tests.catalog.rig import BASE
from tests.federation.agreed import agree_alone, atom, change, now_ms, pair_of, peer, permits, stand_in
from tests.web.find_rig import Rig, dataset, empty

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

LONDON = "https://london.example"
ONE, TWO = f"{BASE}/datasets/one", f"{BASE}/datasets/two"
PARTY = Caller("peer", "london", url=LONDON)
PAGES = "https://w3id.org/citynode/odrl#channel-page"
SEARCH = "https://w3id.org/citynode/odrl#channel-search"


@pytest.fixture
def rig(migrated: Path, tmp_path: Path) -> Iterator[Rig]:
    made = empty(tmp_path / "node", migrated)
    peer(made.node, "london", LONDON)
    peer(made.node, "oslo", "https://oslo.example")
    made.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1_000)
    made.node.create_collection("secret", title="Secret", visibility="restricted", at_ms=1_000)
    made.put("plans", dataset(ONE, "Plan one"), dataset(TWO, "Plan two"))
    made.put("secret", dataset(f"{BASE}/datasets/three", "Plan three"))
    made.read()
    yield made
    made.close()


def seen(rig: Rig, caller: Any = PARTY) -> Seeing:
    """What a caller may find, besides the journal of its own agreements."""
    site: Any = rig.node.site
    pages = Pages(site)
    reading = Reading(site.shelf, site.federation.view.hidden)
    return sight_for(Parts(site, reading, pages, None), caller)  # type: ignore[arg-type]


def allowed(rig: Rig, caller: Any = PARTY) -> list[Allowed]:
    pair = pair_of(rig.node, stand_in(rig.node, LONDON))
    return [each for each in seen(rig, caller).sight.restricted if each.collection != pair]


def found(rig: Rig, caller: Any = PARTY) -> list[str]:
    query = Query(text="plan", sort="title", grouped=False)
    hits = rig.node.finding.search.find(query, seen(rig, caller).sight, now_ms=now_ms()).hits
    return [hit.held.iri for hit in hits]


def test_an_agreement_shows_its_collection_to_its_party_and_to_nobody_else(rig: Rig) -> None:
    assert found(rig) == []
    agree_alone(rig.node, LONDON, "plans", rules=permits("read"))
    assert allowed(rig) == [Allowed("plans")]
    assert found(rig) == [ONE, TWO]
    for other in (
        Caller(),
        Caller("peer", "oslo", url="https://oslo.example"),
        Caller("program", "x", frozenset({"read:a"})),
    ):
        assert found(rig, other) == []


def test_staff_sees_what_is_the_citys_own(rig: Rig) -> None:
    assert {each.collection for each in allowed(rig, Caller("staff", "maija"))} == {"plans", "secret"}


def test_a_single_record_is_all_that_is_shown_of_its_collection(rig: Rig) -> None:
    agree_alone(rig.node, LONDON, records=[ONE], rules=permits("read"))
    assert allowed(rig) == [Allowed("plans", frozenset({ONE}), but=False)]
    assert found(rig) == [ONE]


def test_a_record_that_another_agreement_forbids_is_left_out_also_of_counts(rig: Rig) -> None:
    agree_alone(rig.node, LONDON, "plans", rules=permits("read"))
    agree_alone(rig.node, LONDON, records=[TWO], rules={"prohibition": [{"action": "odrl:read"}]} | permits("index"))
    assert allowed(rig) == [Allowed("plans", frozenset({TWO}))]
    total = rig.node.finding.search.find(Query(text="plan"), seen(rig).sight, now_ms=now_ms()).total
    assert (found(rig), total) == ([ONE], 1)


@pytest.mark.parametrize(("channel", "shown"), [(SEARCH, True), (PAGES, False)])
def test_the_clause_for_search_counts_and_the_one_for_pages_does_not(rig: Rig, channel: str, shown: bool) -> None:
    agree_alone(rig.node, LONDON, "plans", rules=permits("read", constraint=[atom("deliveryChannel", "eq", channel)]))
    assert bool(allowed(rig)) is shown


def test_what_may_be_read_so_many_times_is_not_found_and_not_used_up(rig: Rig) -> None:
    agree_alone(rig.node, LONDON, "plans", rules=permits("read", constraint=[atom("count", "lteq", "3")]))
    for _ in range(5):
        assert found(rig) == []
    with rig.node.db.read() as tx:
        assert tx.rows("SELECT * FROM counted") == []


def test_what_is_suspended_is_gone_at_once_and_its_party_is_told_the_clause_if_it_asks(rig: Rig) -> None:
    iri = agree_alone(rig.node, LONDON, "plans", rules=permits("read"))
    assert found(rig)
    change(rig.node, iri, "suspended")
    assert found(rig) == []
    with pytest.raises(NotAgreed) as refused:
        seen(rig).check(["plans"])
    assert refused.value.agreement == iri
    seen(rig).check(["secret"])
    seen(rig, Caller("peer", "oslo", url="https://oslo.example")).check(["plans"])
