"""What is not everybody's comes back from a fire too: journals of agreements, and restricted collections."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.errors import BrokenHistory, NotFound
from node.federation.exchange.recover import Outcome
from node.journal import catch_up
from tests.federation.agreed import agree, change, pair_of
from tests.federation.cities import HELSINKI, LONDON, City, cities
from tests.federation.exchange.test_recover_story import backup, restore

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

PLANS = "plans"
Two = tuple[City, City]


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Two]:
    """Helsinki, which burns, and London, with which it has agreements."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.publish_many(2)
        helsinki.begin(PLANS, 2, visibility="restricted")
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        yield helsinki, london
        helsinki.node.close()  # the one that was built by a restore


def ours(two: Two) -> str:
    """Helsinki's journal of its agreements with London."""
    return pair_of(two[0].node, two[1].node)


def stands(city: City, iri: str) -> list[Any]:
    return city.sql("SELECT our_state FROM agreement WHERE iri = ?", iri)


def recovered(city: City) -> Outcome:
    """What `citynode recover` does."""
    outcome = city.federation.watching.recovery.run(clock_ms())
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)
    return outcome


def level(two: Two, name: str) -> None:
    helsinki, london = two
    visited = london.pull(helsinki)
    assert visited.pulled.level, visited.pulled.error
    assert london.root(f"helsinki/{name}") == helsinki.root(name)
    assert london.federation.peers.get("helsinki").quarantine == ""


def burnt(two: Two) -> tuple[str, str]:
    """Let Helsinki lose that one agreement was suspended and another concluded, which London holds."""
    helsinki, london = two
    kept = agree(helsinki.node, london.node, "open-data")
    copy = backup(helsinki)
    change(helsinki.node, kept, "suspended", reason="A pause.")
    lost = agree(helsinki.node, london.node, PLANS)
    assert london.pull(helsinki).pulled.level
    restore(helsinki, copy)
    return kept, lost


def test_agreements_that_were_signed_after_the_backup_come_back_and_count(two: Two):
    helsinki, _ = two
    kept, lost = burnt(two)
    assert (stands(helsinki, kept), stands(helsinki, lost)) == ([("in-force",)], [])
    outcome = recovered(helsinki)
    assert (outcome.held_back, outcome.checked.silent) == ("", ())
    (one,) = outcome.recovered
    assert (one.collection, one.error, one.size, one.entries, one.peer) == (ours(two), "", 3, 2, "london")
    assert (stands(helsinki, kept), stands(helsinki, lost)) == ([("suspended",)], [("in-force",)])
    assert helsinki.federation.rights.readers(PLANS) == {"london"}
    change(helsinki.node, kept, "in-force")
    level(two, ours(two))


def test_a_check_names_what_is_missing_of_agreements(two: Two):
    helsinki, _ = two
    burnt(two)
    checked = helsinki.federation.watching.recovery.check(clock_ms())
    assert [(each.collection, each.size) for each in checked.behind] == [(ours(two), 3)]
    assert ours(two) in helsinki.federation.watching.recovery.held_back()


def test_while_the_other_city_cannot_say_what_it_holds_nothing_is_written(two: Two):
    helsinki, london = two
    kept, _ = burnt(two)
    london.federation.peers.quarantine("helsinki", "split-view", "Two histories.", "{}", clock_ms())
    outcome = recovered(helsinki)
    assert (outcome.checked.silent, "exchanges nothing" in outcome.checked.why["london"]) == (("london",), True)
    assert "not every peer was asked" in outcome.held_back
    with pytest.raises(BrokenHistory):
        change(helsinki.node, kept, "suspended", reason="Another history.")
    london.federation.peers.approve("helsinki", by="Anna", at_ms=clock_ms())
    assert recovered(helsinki).held_back == ""
    level(two, ours(two))


def test_a_city_that_does_not_know_this_one_holds_nobody_back(two: Two):
    helsinki, london = two
    copy = backup(helsinki)
    london.federation.peers.pause("helsinki")
    restore(helsinki, copy)
    outcome = recovered(helsinki)
    assert (outcome.held_back, outcome.checked.silent) == ("", ())


def test_a_first_agreement_comes_back_with_its_journal_and_both_go_on_following(two: Two):
    helsinki, london = two
    copy = backup(helsinki)
    iri = agree(helsinki.node, london.node, PLANS)
    assert london.pull(helsinki).pulled.level
    restore(helsinki, copy)
    assert recovered(helsinki).held_back == ""
    assert helsinki.collection(ours(two)).visibility == "restricted"
    assert stands(helsinki, iri) == [("in-force",)]
    assert helsinki.pull(london).pulled.level
    assert helsinki.size(f"london/{pair_of(london.node, helsinki.node)}") == 1
    change(helsinki.node, iri, "suspended")
    level(two, ours(two))


def test_a_restricted_collection_comes_back_from_whom_an_agreement_lets_mirror_it(two: Two):
    helsinki, london = two
    agree(helsinki.node, london.node, PLANS)
    london.federation.peers.follow("helsinki", [PLANS], at_ms=clock_ms())
    copy = backup(helsinki)
    helsinki.publish(helsinki.put(70), helsinki.put(71), collection=PLANS)
    assert london.pull(helsinki).pulled.level
    restore(helsinki, copy)
    outcome = recovered(helsinki)
    assert [(one.collection, one.size, one.error) for one in outcome.recovered] == [(PLANS, 3, "")]
    assert outcome.held_back == ""
    level(two, PLANS)


def test_nobody_but_its_own_city_reads_a_mirror_back(two: Two):
    helsinki, london = two
    agree(helsinki.node, london.node, PLANS)
    london.pull(helsinki)
    name = f"helsinki/{ours(two)}"
    assert {head.name for head in helsinki.federation.client.held(LONDON)} == {"helsinki/open-data", name}
    assert helsinki.federation.client.page(LONDON, name, after=0, token=True)
    theirs = f"london/{pair_of(london.node, helsinki.node)}"
    helsinki.pull(london)
    with pytest.raises(NotFound):
        helsinki.federation.client.page(LONDON, theirs, after=0, token=True)
    assert london.get("/federation/held").status == 401
    assert london.get(f"/collections/{name}/entries").status == 404


# ------------------------------------------------------------- a fork that has happened


def forked(two: Two) -> tuple[Path, str]:
    """Let Helsinki go on from its backup without asking, so that its journal has two signed histories."""
    helsinki, london = two
    kept = agree(helsinki.node, london.node, "open-data")
    copy = backup(helsinki)
    change(helsinki.node, kept, "suspended", reason="The first history.")
    change(helsinki.node, kept, "in-force")
    assert london.pull(helsinki).pulled.level
    restore(helsinki, copy)
    helsinki.federation.watching.recovery.alone()
    change(helsinki.node, kept, "suspended", reason="The second history.")
    change(helsinki.node, kept, "in-force", reason="Again.")
    london.pull(helsinki)
    assert "two histories" in london.federation.peers.get("helsinki").quarantine
    return copy, kept


def test_a_fork_of_agreements_ends_when_the_backup_is_restored_again(two: Two):
    helsinki, london = two
    copy, kept = forked(two)
    restore(helsinki, copy)
    london.federation.peers.approve("helsinki", by="Anna", at_ms=clock_ms())
    assert recovered(helsinki).held_back == ""
    assert helsinki.size(ours(two)) == 3
    change(helsinki.node, kept, "suspended", reason="Said again.")
    level(two, ours(two))


def test_a_fork_of_agreements_ends_with_an_epoch_that_begins_where_the_two_parted(two: Two):
    helsinki, london = two
    _, kept = forked(two)
    name, watching = ours(two), helsinki.federation.watching
    london.federation.peers.approve("helsinki", by="Anna", at_ms=clock_ms())
    prospect = watching.recovery.prospect(name, clock_ms())
    assert (prospect.peer, prospect.common) == ("", 1)
    assert "two histories" in prospect.errors["london"]
    opened = watching.epochs.open(name, "Two histories after a restore.", clock_ms(), common=prospect.common)
    assert (opened.from_size, helsinki.size(name)) == (1, 3)
    helsinki.node.journals.checkpoint(name, at_ms=clock_ms())
    # Its visits find the fork again before anybody approves; the approval ends that.
    london.pull(helsinki)
    assert "two histories" in london.federation.peers.get("helsinki").quarantine
    offered = london.federation.watching.epochs.look("helsinki", name, clock_ms())
    assert offered
    assert offered.from_size == 1
    london.federation.watching.epochs.approve("helsinki", name, by="Anna", now_ms=clock_ms())
    level(two, name)
    assert recovered(helsinki).held_back == ""
    # A later fire: what comes back is of the history that goes on, although some of it is older than the epoch.
    later = backup(helsinki)
    change(helsinki.node, kept, "suspended", reason="Later.")
    level(two, name)
    restore(helsinki, later)
    assert [(one.size, one.error) for one in recovered(helsinki).recovered] == [(4, "")]
    level(two, name)
