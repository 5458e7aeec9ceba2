"""Of bytes that an agreement lets through no more are given than there are, however many ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from node.db import Database
from node.federation.data.quotas import Measure, give_back, reserve, used

RULE = Measure("urn:a", "urn:a#p1", "urn:d", 1_000)
WIDER = Measure("urn:a", "urn:a#p2", "urn:d", 5_000)


def taken(db: Database, many: int, *, least: int = 1, measures: tuple[Measure, ...] = (RULE,)) -> int:
    with db.write() as tx:
        return reserve(tx, measures, many, least=least)


def test_what_is_reserved_counts_until_it_is_given_back(db: Database) -> None:
    assert taken(db, 600) == 600
    assert taken(db, 600) == 400
    assert taken(db, 1) == 0
    with db.write() as tx:
        give_back(tx, [RULE], 250)
    assert used(db, "urn:a", "urn:d") == {"urn:a#p1": 750}
    assert taken(db, 600, least=251) == 0
    assert taken(db, 600, least=250) == 250


def test_of_several_clauses_the_one_with_the_least_left_decides_and_all_are_charged(db: Database) -> None:
    assert taken(db, 4_000, measures=(RULE, WIDER)) == 1_000
    assert used(db, "urn:a", "urn:d") == {"urn:a#p1": 1_000, "urn:a#p2": 1_000}
    assert taken(db, 1, measures=(RULE, WIDER)) == 0
    assert taken(db, 4_000, measures=(WIDER,)) == 4_000


def test_another_target_and_another_agreement_have_their_own(db: Database) -> None:
    assert taken(db, 1_000) == 1_000
    for other in (Measure("urn:b", RULE.rule, RULE.target, 10), Measure(RULE.agreement, RULE.rule, "urn:e", 10)):
        assert taken(db, 100, measures=(other,)) == 10
    assert used(db, "urn:a", "urn:e") == {"urn:a#p1": 10}


def test_without_a_clause_nothing_is_counted(db: Database) -> None:
    assert taken(db, 10**12, measures=()) == 10**12
    with db.write() as tx:
        give_back(tx, [], 5)
    assert used(db, "urn:a", "urn:d") == {}


@pytest.mark.slow
def test_of_a_hundred_at_once_exactly_as_many_pass_as_there_is_room_for(db: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: taken(db, 70, least=70), range(100)))
    assert (found.count(70), found.count(0)) == (14, 86)
    assert used(db, "urn:a", "urn:d") == {"urn:a#p1": 980}
