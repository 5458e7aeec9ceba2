"""When an agreement ends its mirror goes by the deadline, and nothing else does; on both databases."""

from dataclasses import replace
from typing import Any

import pytest

from node.catalog.shelf import Shelf, ShelfFollower
from node.db import Database, Tx
from node.federation.exchange.blanking import AHEAD_MS, Blanking, Looked
from node.federation.rights.decisions import Decisions
from node.journal import Arrived, keep_up_in, rebuild
from node.journal.verify import verify
from node.keys import Keyring
from tests.federation.agreed import atom, permits
from tests.federation.agreement_rig import DAY, LONDON, T0, US, Standing, text_of
from tests.journal.rig import put

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

SECRETS, MIRROR = f"{LONDON}/collections/secrets", "london/secrets"
DUE = "2027-02-02T00:00:00Z"
DUE_MS = 1_801_526_400_000


class City(Standing):
    """A city with a restricted mirror of three records, one of which a public collection of ours holds as well."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        super().__init__(db, keyring)
        self.shelf, self.soon = Shelf(self.journals), list[str]()
        self.followers = (ShelfFollower(),)
        self.blanking = Blanking(
            self.journals,
            self.agreements,
            Decisions(db, self.agreements, base_url=US),
            followers=self.followers,
            soon=self._soon,
        )
        drafts = [put(1), put(2), put(3)]
        with db.write() as tx:
            for name, iri in (("source", f"{US}/collections/source"), ("open", f"{US}/collections/open")):
                self.journals.create(tx, name=name, iri=iri, title="", visibility="public", at_ms=T0)
            self.journals.append(tx, "open", drafts[:1], at_ms=T0)
            entries = self.journals.append(tx, "source", drafts, at_ms=T0)
            self.journals.create(tx, name=MIRROR, iri=SECRETS, title="", visibility="restricted", at_ms=T0)
            arrived = [
                Arrived(replace(entry, collection=SECRETS), draft.payload)
                for entry, draft in zip(entries, drafts, strict=True)
            ]
            grown, kept = self.journals.mirrored(tx, MIRROR, arrived, at_ms=T0)
            for follower in self.followers:
                keep_up_in(tx, self.journals, follower, grown, kept)

    def _soon(self, tx: Tx, local: str) -> None:
        self.soon.append(local)

    def held(self) -> list[str]:
        return [each.slug for each in self.shelf.page(MIRROR, offset=0, limit=10)]

    def codes(self) -> list[tuple[int, str]]:
        sql = "SELECT r.seq, r.code FROM refusal r JOIN collection c ON c.id = r.collection_id WHERE c.name = ?"
        with self.db.read() as tx:
            return sorted(tx.rows(sql, MIRROR))  # type: ignore[arg-type]

    def agree(self, number: int = 1, *, deletes: bool = True, at_ms: int = T0, **more: Any) -> str:
        duty = [{"action": "odrl:delete", "constraint": [atom("dateTime", "lt", DUE)]}] if deletes else []
        facts: dict[str, Any] = {"by": LONDON, "to": US, "target": SECRETS, "rules": permits("index", duty=duty)}
        return self.conclude(text_of(f"11111111-1111-4111-8111-{number:012d}", at_ms=at_ms, **(facts | more)))


@pytest.fixture
def city(db: Database, keyring: Keyring) -> City:
    return City(db, keyring)


def test_it_goes_by_the_deadline_and_not_before_and_the_tree_stays(city: City) -> None:
    iri = city.agree()
    assert city.blanking.look(T0) == Looked(0, 0)
    city.change(iri, "revoked")
    assert city.blanking.look(T0 + DAY) == city.blanking.look(DUE_MS - AHEAD_MS - 1) == Looked(0, 0)
    assert len(city.held()) == 3
    assert city.blanking.look(DUE_MS - AHEAD_MS) == Looked(3, 0)
    assert city.held() == []
    assert city.codes() == [(1, "agreement-ended"), (2, "agreement-ended"), (3, "agreement-ended")]
    assert city.blanking.look(DUE_MS + DAY) == Looked(0, 0)
    assert verify(city.journals, MIRROR, []).size == 3
    rebuild(city.journals, city.followers[0])
    assert city.held() == []


def test_what_another_collection_holds_stays_there(city: City) -> None:
    iri = city.agree()
    city.change(iri, "revoked")
    city.blanking.look(DUE_MS)
    (held,) = city.shelf.page("open", offset=0, limit=10) or rebuilt(city)
    assert city.shelf.payload(held) == put(1).payload


def rebuilt(city: City) -> Any:
    rebuild(city.journals, city.followers[0])
    return city.shelf.page("open", offset=0, limit=10)


@pytest.mark.parametrize("state", ["suspended", "in-force"])
def test_what_is_not_over_stays(city: City, state: str) -> None:
    iri = city.agree()
    if state != "in-force":
        city.change(iri, state)
    assert city.blanking.look(DUE_MS - DAY * 2) == Looked(0, 0)
    assert len(city.held()) == 3


def test_a_later_agreement_holds_what_an_earlier_one_would_have_deleted(city: City) -> None:
    old = city.agree(1)
    city.agree(2, deletes=False, at_ms=T0 + 1, replaces=old)
    assert city.blanking.look(DUE_MS + DAY) == Looked(0, 0)
    assert len(city.held()) == 3


def test_an_expired_agreement_is_over_without_anybodys_word(city: City) -> None:
    ends = [atom("dateTime", "lt", "2027-01-20T00:00:00Z")]
    duty = [{"action": "odrl:delete", "constraint": [atom("dateTime", "lt", DUE)]}]
    city.agree(rules=permits("index", constraint=ends, duty=duty))
    assert city.blanking.look(DUE_MS - 5 * DAY) == Looked(0, 0)
    assert city.blanking.look(DUE_MS).blanked == 3


def test_what_one_record_is_still_agreed_stays_alone(city: City) -> None:
    kept = put(2).record
    whole = city.agree(1)
    city.agree(2, target=kept, deletes=False)
    city.change(whole, "revoked")
    assert city.blanking.look(DUE_MS).blanked == 2
    assert city.held() == [put(2).slug]


def at_once(*actions: str) -> Any:
    return permits(*actions, duty=[{"action": "odrl:delete"}])


@pytest.mark.parametrize(
    "later",
    [
        {"target": f"{LONDON}/datasets/elsewhere", "rules": permits("index")},
        {"rules": permits("read")},
        {"rules": permits("index")},
    ],
)
def test_a_duty_is_not_lost_to_a_later_agreement_that_is_over_too(city: City, later: dict[str, Any]) -> None:
    first = city.agree(1, rules=at_once("index"))
    second = city.agree(2, at_ms=T0 + 1, **later)
    city.change(first, "revoked")
    city.change(second, "revoked")
    assert city.blanking.look(T0 + DAY).blanked == 3


def test_a_later_agreement_that_permits_no_mirror_keeps_none(city: City) -> None:
    first = city.agree(1, rules=at_once("index"))
    city.agree(2, at_ms=T0 + 1, rules=permits("read"))
    city.change(first, "revoked")
    assert city.blanking.look(T0 + DAY).blanked == 3


def test_what_never_permitted_a_mirror_imposes_nothing_on_it(city: City) -> None:
    first = city.agree(1, rules=permits("index"))
    second = city.agree(2, at_ms=T0 + 1, rules=at_once("read"))
    city.change(first, "revoked")
    city.change(second, "revoked")
    assert city.blanking.look(T0 + DAY) == Looked(0, 0)


def test_a_record_that_one_agreement_kept_goes_when_that_is_over_too(city: City) -> None:
    one = city.agree(1, target=put(2).record, rules=at_once("index"))
    whole = city.agree(2, at_ms=T0 + 1, rules=at_once("index"))
    city.change(whole, "revoked")
    assert city.blanking.look(T0 + DAY).blanked == 2
    assert city.blanking.look(T0 + DAY) == Looked(0, 0)
    city.change(one, "revoked")
    assert city.blanking.look(T0 + DAY).blanked == 1
    assert city.held() == []


def test_an_agreement_on_one_record_concerns_that_alone(city: City) -> None:
    one = city.agree(1, target=put(2).record, rules=at_once("index"))
    whole = city.agree(2, at_ms=T0 + 1)
    for iri in (one, whole):
        city.change(iri, "revoked")
    assert city.blanking.look(T0 + DAY).blanked == 1
    assert put(2).slug not in city.held()
    assert city.blanking.look(DUE_MS).blanked == 2


@pytest.mark.parametrize(("covers", "left"), [(SECRETS, 3), (put(2).record, 1)])
def test_what_is_suspended_alone_keeps_what_it_covers_until_it_is_over(city: City, covers: str, left: int) -> None:
    first = city.agree(1, rules=at_once("index"))
    second = city.agree(2, at_ms=T0 + 1, target=covers, rules=permits("index"))
    city.change(second, "suspended")
    city.change(first, "revoked")
    assert city.blanking.look(T0 + DAY).blanked == 3 - left
    city.change(second, "revoked", at_ms=T0 + DAY)
    assert city.blanking.look(T0 + 2 * DAY).blanked == left


def test_what_is_permitted_again_is_asked_for_again(city: City) -> None:
    iri = city.agree(1)
    city.blanking.look(T0)
    city.change(iri, "suspended")
    assert city.blanking.look(T0 + 1) == Looked(0, 0)
    with city.db.write() as tx:
        city.journals.take_away(tx, MIRROR, [1], "agreement-ended", at_ms=T0)
    city.change(iri, "in-force")
    assert city.blanking.look(T0 + 2) == Looked(0, 1)


def test_stubs_are_asked_for_again_once_under_each_agreement(city: City) -> None:
    iri = city.agree(1, rules=permits("index", duty=[{"action": "odrl:delete"}]))
    city.change(iri, "revoked")
    assert city.blanking.look(T0 + DAY).blanked == 3
    city.agree(2, at_ms=T0 + DAY)
    assert city.blanking.look(T0 + DAY) == Looked(0, 3)
    assert city.soon == [MIRROR]
    assert city.blanking.look(T0 + DAY) == Looked(0, 0)
    city.agree(3, at_ms=T0 + DAY)
    assert city.blanking.look(T0 + DAY).asked == 3


def test_what_is_taken_away_twice_is_gone_once_and_an_own_journal_is_left_alone(city: City) -> None:
    with city.db.write() as tx:
        assert city.journals.take_away(tx, MIRROR, [1, 2, 99], "agreement-ended", at_ms=T0) == [1, 2]
        assert city.journals.take_away(tx, MIRROR, [1, 2], "agreement-ended", at_ms=T0) == []
        with pytest.raises(Exception, match="no mirror"):
            city.journals.take_away(tx, "open", [1], "agreement-ended", at_ms=T0)


def test_an_agreement_that_cannot_be_read_holds_up_no_duty_of_another(city: City) -> None:
    odd, duty = city.agree(1), city.agree(2)
    for iri in (odd, duty):
        city.change(iri, "revoked")
    with city.db.write() as tx:
        tx.run("UPDATE agreement SET signed = '{}' WHERE iri = ?", odd)
    assert city.blanking.look(DUE_MS).blanked == 3
