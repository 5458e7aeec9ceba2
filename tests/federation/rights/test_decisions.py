"""The one decision point: what agreements in force permit, which clause says so, and how often."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from node.db import Database
from node.errors import NotAgreed
from node.federation.agreements.agreements import pair_collection
from node.federation.answers import Ask, Records
from node.federation.exchange.blanking import deadline_of
from node.federation.policy.terms import CHANNELS
from node.federation.rights.decisions import Decisions
from node.journal import Draft
from node.keys import Keyring
from tests.federation.agreed import MARKETING, RESEARCH, SERVICES, atom, permits
from tests.federation.agreement_rig import DAY, LONDON, OSLO, PLANS, T0, US, Standing, text_of

DRAFTS = f"{US}/collections/drafts"
SECRETS = f"{LONDON}/collections/secrets"
FEED = CHANNELS["feed"].iri
NAMES = iter(f"11111111-1111-4111-8111-{number:012d}" for number in range(10_000))


class City(Standing):
    """A city with agreements and the decisions made by them."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        super().__init__(db, keyring)
        self.decisions = Decisions(db, self.agreements, base_url=US)

    def agree(self, rules: Any = None, *, at_ms: int = T0, **more: Any) -> str:
        return self.conclude(text_of(next(NAMES), rules=rules or permits("index", "read"), at_ms=at_ms, **more))

    def asks(self, action: str = "index", *, purpose: str = "", under: str = "", now_ms: int = T0, **more: Any) -> Any:
        details = [{"agreement": under, "purpose": purpose}] if under else []
        facts: dict[str, Any] = {"collection": PLANS, "peer": "london", "recipient": LONDON, "details": details}
        return self.decisions.decide(Ask(action, **(facts | more)), now_ms)


@pytest.fixture
def city(db: Database, keyring: Keyring) -> City:
    return City(db, keyring)


# ---------------------------------------------------------------- what permits, and what does not


def test_an_agreement_permits_its_party_exactly_the_actions_that_it_names(city: City) -> None:
    iri = city.agree(permits("index", "use"))
    assert [action for action in ("index", "read", "use", "distribute", "derive") if city.asks(action)] == [
        "index",
        "use",
    ]
    found = city.asks()
    assert (found.agreement, found.clause, found.code) == (iri, f"{iri}#p1", "")
    assert city.asks("read").code == "no-clause"


def test_without_an_agreement_nothing_is_permitted_and_nobody_is_named(city: City) -> None:
    city.agree(covers=[PLANS])
    for ask in (
        {"peer": "oslo", "recipient": OSLO},
        {"collection": DRAFTS},
        {"collection": f"{PLANS}/"},
        {"collection": ""},
        {"role": "consumer"},
        {"collection": f"{US}/collections/declaration"},
    ):
        found = city.asks(**ask)
        assert (found.allowed, found.code, found.agreement) == (False, "no-agreement", ""), ask


def test_a_bundle_stands_for_what_it_covers_and_for_no_journal_of_its_name(city: City) -> None:
    bundle = f"{US}/collections/declaration"
    city.agree(target=bundle, covers=[PLANS, DRAFTS])
    assert city.asks()
    assert city.asks(collection=DRAFTS)
    assert not city.asks(collection=bundle)


@pytest.mark.parametrize(
    ("state", "code"), [("suspended", "suspended"), ("revoked", "revoked"), ("superseded", "superseded")]
)
def test_what_either_journal_ends_permits_nothing_from_the_commit_on(city: City, state: str, code: str) -> None:
    iri = city.agree()
    assert city.asks()
    city.change(iri, state)
    found = city.asks()
    assert (found.allowed, found.code, found.agreement) == (False, code, iri)


def test_a_refusal_names_what_may_go_on_or_else_what_ended_last(city: City) -> None:
    first, second, third = (city.agree(at_ms=T0 + number) for number in range(3))
    for iri, state, after in ((first, "suspended", 1_000), (third, "revoked", 2_000), (second, "revoked", 3_000)):
        city.change(iri, state, at_ms=T0 + after)
    assert (city.asks(now_ms=T0 + 5_000).agreement, city.asks(now_ms=T0 + 5_000).code) == (first, "suspended")
    assert city.asks(now_ms=T0 + 5_000, action="read").agreement == first
    city.change(first, "revoked", at_ms=T0 + 4_000)
    assert city.asks(now_ms=T0 + 5_000).agreement == first
    city.change(city.agree(at_ms=T0 + 4_500), "revoked", at_ms=T0 + 4_600)
    assert city.asks(now_ms=T0 + 5_000).agreement not in (first, second, third)


def test_an_agreement_permits_within_its_term_alone(city: City) -> None:
    times = [atom("dateTime", "gteq", "2027-01-16T00:00:00Z"), atom("dateTime", "lt", "2027-01-17T00:00:00Z")]
    city.agree(permits("index", constraint=times))
    begin = 1_800_057_600_000
    assert [city.asks(now_ms=at).code for at in (begin - 1, begin, begin + DAY - 1, begin + DAY)] == [
        "not-yet",
        "",
        "",
        "expired",
    ]


def test_an_amendment_takes_the_place_of_the_old_text_and_of_its_tokens(city: City) -> None:
    rules = permits("index", constraint=[atom("purpose", "eq", RESEARCH)])
    old = city.agree(rules)
    assert city.asks(purpose=RESEARCH, under=old)
    new = city.agree(rules, at_ms=T0 + 1, replaces=old)
    assert city.asks(purpose=RESEARCH, under=new, now_ms=T0 + 2)
    found = city.asks(purpose=RESEARCH, under=old, now_ms=T0 + 2)
    assert (found.allowed, found.operand) == (False, "purpose"), "a token under the old one says nothing of the new one"
    details = [{"agreement": old, "digest": city.agreements.get(old).digest}]
    with pytest.raises(NotAgreed, match="taken the place"):
        city.decisions.granted(LONDON, details, T0 + 2)


def test_a_prohibition_of_any_agreement_wins(city: City) -> None:
    city.agree(permits("index", "read"))
    ban = {"permission": [{"action": "odrl:index"}], "prohibition": [{"action": "odrl:read"}]}
    other = city.agree(ban, at_ms=T0 + 1)
    found = city.asks("read", now_ms=T0 + 2)
    assert (found.allowed, found.code, found.clause) == (False, "prohibited", f"{other}#n1")
    assert city.asks("index", now_ms=T0 + 2)


def test_what_is_not_known_does_not_hold_and_the_clause_says_which(city: City) -> None:
    for left, operator, right in (
        ("purpose", "isA", RESEARCH),
        ("spatial", "isPartOf", "http://publications.europa.eu/resource/authority/country/FIN"),
        ("deliveryChannel", "eq", FEED),
    ):
        iri = city.agree(permits("index", constraint=[atom(left, operator, right)]))
        found = city.asks(recipient=LONDON)
        assert (found.allowed, found.code, found.operand) == (False, "unknown", left)
        assert found.clause == f"{iri}#p1"
        city.change(iri, "revoked")


def test_an_agreement_that_cannot_be_read_permits_nothing(city: City, caplog: pytest.LogCaptureFixture) -> None:
    iri = city.agree()
    assert city.asks()
    with city.db.write() as tx:
        tx.run("UPDATE agreement SET signed = '{}' WHERE iri = ?", iri)
    assert not city.asks()
    assert "permits nothing" in caplog.text


def test_what_is_called_an_offer_grants_nothing_in_whatever_table_it_stands(city: City) -> None:
    iri = city.agree()
    with city.db.write() as tx:
        sql = (
            'UPDATE agreement SET signed = replace(signed, \'"@type":"Agreement"\', \'"@type":"Offer"\') WHERE iri = ?'
        )
        tx.run(sql, iri)
    assert city.asks().code == "no-agreement"


def test_an_offer_that_is_published_grants_nothing(city: City) -> None:
    with city.db.write() as tx:
        tx.run(
            "INSERT INTO offer (iri, target, covers, about, rules, automatic, published_at)"
            " VALUES ('urn:o', ?, '[]', '{}', ?, ?, 1)",
            *(PLANS, '{"permission":[{"action":"odrl:index"}]}', True),
        )
    assert city.asks().code == "no-agreement"


def test_unsigned_agreements_open_nothing_restricted(city: City) -> None:
    iri = city.conclude(text_of(next(NAMES), signed=False))
    found = city.asks()
    assert (found.allowed, found.code, found.agreement) == (False, "agreed", iri)


# ---------------------------------------------------------------- purposes and tokens


def test_a_purpose_is_believed_from_the_token_under_its_agreement_and_from_nowhere_else(city: City) -> None:
    rules = permits("read", constraint=[atom("purpose", "isAnyOf", [SERVICES, RESEARCH])])
    iri = city.agree(rules)
    assert city.asks("read", purpose=RESEARCH, under=iri)
    assert city.asks("read", purpose=MARKETING, under=iri).code == "not-satisfied"
    assert city.asks("read", purpose="urn:lie", under=iri).code == "unknown"
    assert city.asks("read", purpose=RESEARCH, under=f"{iri}#").code == "unknown"
    assert city.asks("read").operand == "purpose"


def test_a_token_that_was_narrowed_opens_no_more_than_it_says(city: City) -> None:
    iri = city.agree(covers=[PLANS, DRAFTS])

    def under(**more: Any) -> Any:
        return city.asks(details=[{"agreement": iri, **more}])

    assert under()
    assert under(actions=["index"], datasets=[PLANS])
    assert under(actions=["read"]).code == "not-in-token"
    assert under(datasets=[DRAFTS]).code == "not-in-token"
    assert under(digest="sha256:" + "1" * 64).code == "other-digest"
    assert under(digest=city.agreements.get(iri).digest)


def test_a_token_is_given_for_what_is_permitted_and_for_nothing_else(city: City) -> None:
    iri = city.agree(permits("index", "read", constraint=[atom("purpose", "isA", RESEARCH)]), covers=[PLANS, DRAFTS])
    digest = city.agreements.get(iri).digest
    good: dict[str, Any] = {"type": "agreement-access", "agreement": iri, "digest": digest, "purpose": RESEARCH}
    for more in ({}, {"actions": ["index", "read"]}, {"datasets": [DRAFTS]}):
        assert city.decisions.granted(LONDON, [good | more], T0) == [good | more]
    for wrong, says in (
        ({"digest": "sha256:" + "1" * 64}, "another text"),
        ({"purpose": MARKETING}, "condition"),
        ({"actions": ["index", "use"]}, "No clause"),
        ({"datasets": [PLANS, f"{US}/collections/other"]}, "does not cover"),
        ({"agreement": f"{iri}x"}, "no such agreement"),
    ):
        with pytest.raises(NotAgreed, match=says):
            city.decisions.granted(LONDON, [good, good | wrong], T0)
    with pytest.raises(NotAgreed, match="no such agreement"):
        city.decisions.granted(OSLO, [good], T0)
    city.change(iri, "suspended")
    with pytest.raises(NotAgreed, match="suspended"):
        city.decisions.granted(LONDON, [good], T0)


def test_we_claim_no_more_than_the_agreement_itself_names(city: City) -> None:
    rules = permits("index", constraint=[atom("purpose", "isAnyOf", [SERVICES, RESEARCH])])
    theirs = city.agree(rules, by=LONDON, to=US, target=SECRETS)
    city.agree(by=OSLO, to=US, target=f"{OSLO}/collections/secrets")
    (claim,) = city.decisions.claims(LONDON, SECRETS, T0)
    assert claim == {
        "type": "agreement-access",
        "agreement": theirs,
        "digest": city.agreements.get(theirs).digest,
        "purpose": SERVICES,
    }
    assert city.decisions.claims(OSLO, SECRETS, T0) == ()
    assert city.decisions.claims(LONDON, f"{LONDON}/collections/open-data", T0) == ()
    city.change(theirs, "revoked")
    assert city.decisions.claims(LONDON, SECRETS, T0) == ()


# ---------------------------------------------------------------- parts of a collection, and mirrors


def test_an_agreement_on_single_records_opens_these_alone(city: City) -> None:
    mine, other = f"{US}/datasets/a", f"{US}/datasets/b"
    payload = b'<x> <y> "z" .\n'
    with city.db.write() as tx:
        city.journals.append(
            tx, "plans", [Draft(one, one[-1], "dataset", "put", payload) for one in (mine, other)], at_ms=T0
        )
    city.agree(target=mine)
    ask = Ask("index", PLANS, peer="london", recipient=LONDON)
    extent = city.decisions.extent(ask, T0, name="plans")
    assert (bool(extent), extent.only) == (True, Records(frozenset({mine})))
    assert city.decisions.decide(replace(ask, record=mine), T0)
    assert not city.decisions.decide(replace(ask, record=other), T0)
    assert not city.decisions.extent(replace(ask, collection=DRAFTS), T0, name="drafts"), "it never stood in that one"
    assert city.decisions.readers(PLANS, T0) == {"london"}
    assert city.decisions.readers(DRAFTS, T0) == frozenset()


def test_we_hold_what_an_agreement_lets_us_mirror_and_the_journal_of_the_pair_for_ever(city: City) -> None:
    pair = f"{LONDON}/collections/{pair_collection(US)}"
    assert city.decisions.mirrored("london", pair, T0)
    assert not city.decisions.mirrored("london", f"{LONDON}/collections/{pair_collection(OSLO)}", T0)
    assert not city.decisions.mirrored("london", SECRETS, T0)
    iri = city.agree(permits("index", constraint=[atom("purpose", "eq", RESEARCH)]), by=LONDON, to=US, target=SECRETS)
    assert city.decisions.mirrored("london", SECRETS, T0)
    assert not city.decisions.mirrored("oslo", SECRETS, T0)
    city.change(iri, "revoked")
    assert not city.decisions.mirrored("london", SECRETS, T0)


def test_to_read_is_not_to_mirror(city: City) -> None:
    city.agree(permits("read", "use"), by=LONDON, to=US, target=SECRETS)
    assert not city.decisions.mirrored("london", SECRETS, T0)


# ---------------------------------------------------------------- counting


def test_a_permission_is_used_up_as_often_as_it_is_executed_and_not_by_asking(city: City) -> None:
    iri = city.agree(permits("read", constraint=[atom("count", "lteq", "2")]))
    ask = Ask("read", PLANS, peer="london", recipient=LONDON)
    for _ in range(5):
        assert city.decisions.decide(ask, T0)
    assert [city.decisions.execute(ask, T0).allowed for _ in range(4)] == [True, True, False, False]
    found = city.decisions.decide(ask, T0)
    assert (found.code, found.operand, found.clause) == ("not-satisfied", "count", f"{iri}#p1")
    with city.db.read() as tx:
        assert tx.rows("SELECT agreement, rule, target, uses FROM counted") == [(iri, f"{iri}#p1", PLANS, 2)]
    again = city.agree(permits("read", constraint=[atom("count", "lteq", "1")]), at_ms=T0 + 1)
    assert city.decisions.execute(ask, T0 + 2).agreement == again, "each agreement counts for itself"


def test_of_a_hundred_at_once_exactly_as_many_as_permitted_are_granted(city: City) -> None:
    city.agree(permits("read", constraint=[atom("count", "lteq", "7")]))
    ask = Ask("read", PLANS, peer="london", recipient=LONDON)
    granted: list[bool] = []

    def use() -> None:
        granted.extend(city.decisions.execute(ask, T0).allowed for _ in range(10))

    threads = [threading.Thread(target=use) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(granted), sum(granted)) == (100, 7)


# ---------------------------------------------------------------- explaining


def test_every_decision_can_be_explained_and_reported(city: City) -> None:
    old = city.agree()
    city.change(old, "revoked")
    iri = city.agree(permits("index", constraint=[atom("purpose", "isA", RESEARCH)]), at_ms=T0 + 1)
    ask = Ask("index", PLANS, peer="london", recipient=LONDON)
    told = city.decisions.explain(ask, T0 + 2)
    assert (told["allowed"], told["clause"], told["operand"]) == (False, f"{iri}#p1", "purpose")
    assert [each["state"] for each in told["considered"]] == ["revoked", "in-force"]  # type: ignore[attr-defined]
    (report,) = city.decisions.report(ask, T0 + 2)
    assert report["report:policy"] == {"@id": iri}
    states = {each["@type"]: each["report:activationState"]["@id"] for each in report["report:ruleReport"]}
    assert states == {"report:PermissionReport": "report:Inactive"}


def test_what_innovators_may_do_is_told_before_a_token_is_made(city: City) -> None:
    studio = "https://studio.example"
    limits = [atom("recipient", "isAnyOf", [studio]), atom("purpose", "isA", RESEARCH)]
    rules = {"permission": [*permits("index")["permission"], *permits("read", constraint=limits)["permission"]]}
    iri = city.agree(rules, by=LONDON, to=US, target=SECRETS)
    assert city.decisions.recipients(iri) == [studio]
    assert city.decisions.grantable(iri, RESEARCH, studio, T0) == ["read"], "to mirror is for the city"
    for purpose, recipient in ((MARKETING, studio), (RESEARCH, "https://other.example"), (RESEARCH, "")):
        with pytest.raises(NotAgreed):
            city.decisions.grantable(iri, purpose, recipient, T0)
    city.change(iri, "suspended")
    with pytest.raises(NotAgreed):
        city.decisions.grantable(iri, RESEARCH, studio, T0)
    assert city.decisions.alive(iri, T0).code == "suspended"


def test_a_program_mirrors_nothing_even_where_the_clause_names_it(city: City) -> None:
    studio = "https://studio.example"
    rules = permits("index", "read", constraint=[atom("recipient", "isAnyOf", [studio])])
    iri = city.agree(rules, by=LONDON, to=US, target=SECRETS)
    assert city.decisions.grantable(iri, RESEARCH, studio, T0) == ["read"]
    only = city.agree(permits("index", constraint=[atom("recipient", "eq", studio)]), by=LONDON, to=US, target=SECRETS)
    with pytest.raises(NotAgreed):
        city.decisions.grantable(only, RESEARCH, studio, T0)
    details = [{"agreement": each, "purpose": RESEARCH} for each in (iri, only)]
    asked = Ask("index", SECRETS, role="consumer", recipient=studio, details=details, bound=True, named=True)
    assert not city.decisions.decide(asked, T0)
    assert city.decisions.decide(replace(asked, action="read"), T0)


# ---------------------------------------------------------------- deletion


@pytest.mark.parametrize(
    ("constraint", "due"),
    [
        ([], T0),
        ([atom("dateTime", "lt", "2027-02-02T00:00:00Z")], 1_801_526_400_000),
        ([atom("elapsedTime", "lteq", "P30D")], T0 + 30 * DAY),
        ([atom("elapsedTime", "lteq", "P30D"), atom("dateTime", "lteq", "2027-01-16T00:00:00Z")], 1_800_057_600_000),
    ],
)
def test_a_deletion_duty_says_by_when(constraint: list[Any], due: int, city: City) -> None:
    duty = {"action": "odrl:delete", **({"constraint": constraint} if constraint else {})}
    for rules in (permits("index", duty=[duty]), permits("index") | {"obligation": [duty]}):
        assert deadline_of(city.agreements.get(city.agree(rules))) == due
    assert deadline_of(city.agreements.get(city.agree(permits("index", duty=[{"action": "odrl:attribute"}])))) is None
