"""Offers: what may be published, who sees it, and that terms never change under a name."""

from dataclasses import replace
from typing import Any

import pytest

from node.db import Database
from node.errors import Conflict, Malformed, NotFound, Refused
from node.journal.journal import Journals
from tests.federation.offer_rig import BASE, LONDON, OSLO, RULES, Shop

RECORD = f"{BASE}/datasets/d1"
TITLED = f'<{RECORD}> <http://purl.org/dc/terms/title> "One"@en .\n'.encode()


@pytest.fixture
def shop(db: Database, journals: Journals) -> Shop:
    return Shop(db, journals)


def targets(shop: Shop, peer: str, **more: Any) -> list[str]:
    return [each.rpartition("/")[2] for each in shop.offers.visible_to(peer, **more).targets]


def test_an_offer_is_kept_as_it_was_published(shop: Shop):
    iri = shop.collection("plans", restricted=True)
    made = shop.publish(iri, name="plans", peers=["london", OSLO], about={"note": "For planners", "public": False})
    assert made.iri == f"{BASE}/offers/plans"
    assert (made.covers, made.peers, made.title) == ((iri,), (LONDON, OSLO), "Plans")
    assert made.about == {"note": "For planners", "title": "Plans"}
    assert made.rules == {"permission": [{"@id": f"{made.iri}#p1", "action": "use"}]}
    assert shop.offers.get("plans") == shop.offers.get(made.iri) == made
    assert shop.offers.list() == [made]


def test_terms_are_recognised_whatever_their_ids_are(shop: Shop):
    iri = shop.collection("open")
    one, two = shop.publish(iri, name="one", automatic=True), shop.publish(iri, name="two")
    assert one.terms == two.terms
    assert shop.offers.is_automatic(LONDON, one.iri, two.terms)
    assert not shop.offers.is_automatic(LONDON, two.iri, two.terms)
    assert not shop.offers.is_automatic(LONDON, one.iri, "sha256:other")
    assert not shop.offers.is_automatic(LONDON, "urn:nothing", one.terms)


def test_what_is_restricted_is_seen_by_the_peers_it_names_alone(shop: Shop):
    secret, public = shop.collection("secret", restricted=True), shop.collection("open")
    with pytest.raises(Malformed, match="restricted"):
        shop.publish(secret)
    to_london = shop.publish(secret, peers=["london"])
    shop.publish(public)
    assert targets(shop, LONDON) == ["open", "secret"]
    assert targets(shop, OSLO) == ["open"]
    assert shop.offers.visible(to_london.iri, LONDON) == to_london
    assert shop.offers.visible(to_london.iri, OSLO) is None
    assert shop.offers.of_target(secret, OSLO).targets == {}


def test_no_character_of_an_address_stands_for_another(shop: Shop):
    shop.publish(shop.collection("secret", restricted=True), peers=["oslo"])
    assert targets(shop, OSLO) == ["secret"]
    for other in ("https://oslo.test/axb", "https://oslo.test/a_b/c", "oslo.test/a_b", "%", "!", "https://%"):
        assert targets(shop, other) == []


def test_what_becomes_restricted_vanishes_for_those_it_does_not_name(shop: Shop):
    iri = shop.collection("plans")
    shop.publish(iri, name="to-all")
    shop.publish(iri, name="to-london", peers=["london"])
    with shop.db.write() as tx:
        shop.journals.change(tx, "plans", visibility="restricted")
    assert targets(shop, OSLO) == []
    assert [each.iri for each in shop.offers.of_target(iri, LONDON).targets[iri]] == [f"{BASE}/offers/to-london"]


def test_a_withdrawn_offer_is_seen_by_nobody_and_its_name_is_never_used_again(shop: Shop):
    iri = shop.collection("plans")
    made = shop.publish(iri, name="plans")
    assert shop.offers.withdraw("plans", at_ms=9) == replace(made, withdrawn_at=9)
    assert (shop.offers.visible(made.iri, LONDON), targets(shop, LONDON), shop.offers.list()) == (None, [], [])
    assert len(shop.offers.list(withdrawn=True)) == 1
    for again in (lambda: shop.offers.withdraw(made.iri, at_ms=10), lambda: shop.publish(iri, name="plans")):
        with pytest.raises(Conflict):
            again()


def test_a_bundle_stands_for_what_it_covers(shop: Shop):
    covers = [shop.collection("plans", restricted=True), shop.collection("open")]
    bundle = f"{BASE}/collections/declaration"
    made = shop.publish(bundle, peers=["london"], about={"title": "Declaration", "covers": covers})
    assert made.covers == tuple(covers)
    assert targets(shop, LONDON) == ["declaration"]
    with pytest.raises(Malformed, match="restricted"):
        shop.publish(bundle, about={"title": "Declaration", "covers": covers})


def test_a_single_record_is_offered_while_it_is_there(shop: Shop):
    shop.collection("plans", restricted=True)
    shop.records("plans", {RECORD: TITLED})
    made = shop.publish(RECORD, peers=["london"], about={"title": "One plan"})
    assert shop.offers.of_target(RECORD, LONDON).things[RECORD].payload == TITLED
    with shop.db.write() as tx:
        tx.run("UPDATE shelf SET digest = NULL")
    assert shop.offers.visible(made.iri, LONDON) is None


@pytest.mark.parametrize(
    ("target", "more", "kind"),
    [
        (f"{BASE}/collections/nothing", {}, NotFound),
        ("https://elsewhere.example/collections/plans", {"about": {"title": "Theirs"}}, NotFound),
        (f"{BASE}/collections/plans", {"about": {"covers": [f"{BASE}/collections/nothing"]}}, NotFound),
        (f"{BASE}/collections/plans", {"about": {"covers": [f"{BASE}/collections/open"]}}, Malformed),
        (f"{BASE}/datasets/x", {"about": {"title": "x", "covers": [f"{BASE}/collections/open"]}}, Malformed),
        (f"{BASE}/collections/plans", {"rules": {}}, Malformed),
        (f"{BASE}/collections/plans", {"rules": {"permission": [{"action": "sing"}]}}, Malformed),
        (f"{BASE}/collections/plans", {"about": {"secret": 1}}, Malformed),
        (f"{BASE}/collections/plans", {"peers": ["nobody"]}, NotFound),
        (f"{BASE}/collections/plans", {"peers": ["https://nobody.test"]}, NotFound),
        (f"{BASE}/collections/plans", {"name": "No Name"}, Malformed),
    ],
)
def test_what_cannot_be_offered_is_refused_and_nothing_is_kept(
    shop: Shop, target: str, more: dict[str, Any], kind: type[Refused]
):
    for name in ("plans", "open"):
        shop.collection(name)
    with pytest.raises(kind):
        shop.publish(target, **more)
    assert shop.offers.list() == []


def test_pages_go_on_where_the_last_one_ended_in_both_directions(shop: Shop):
    for number in range(7):
        shop.publish(shop.collection(f"c{number}"))
    page = shop.offers.visible_to(LONDON, limit=3)
    assert (list(page.targets), page.more_before, page.more_after) == (
        [f"{BASE}/collections/c{n}" for n in range(3)],
        False,
        True,
    )
    assert targets(shop, LONDON, after=page.last, limit=3) == ["c3", "c4", "c5"]
    last = shop.offers.visible_to(LONDON, after=f"{BASE}/collections/c5", limit=3)
    assert (len(last.targets), last.more_before, last.more_after) == (1, True, False)
    assert targets(shop, LONDON, before=last.first, limit=3) == ["c3", "c4", "c5"]
    assert targets(shop, LONDON, offset=6) == ["c6"]
    assert not shop.offers.visible_to(LONDON, before=f"{BASE}/collections/c1").more_before


def test_a_negotiation_begins_only_about_what_its_peer_may_know_of(shop: Shop):
    iri = shop.collection("secret", restricted=True)
    made = shop.publish(iri, peers=["london"])
    own_terms = {"@id": "urn:theirs", "target": iri, **RULES}
    shop.offers.admit(LONDON, "provider", {"@id": made.iri, "target": ""})
    shop.offers.admit(LONDON, "provider", {"@id": made.iri, "target": iri})
    shop.offers.admit(LONDON, "provider", own_terms)
    shop.offers.admit(OSLO, "consumer", own_terms)
    for offer in (own_terms, {"@id": made.iri, "target": iri}, {"@id": made.iri, "target": ""}):
        with pytest.raises(NotFound):
            shop.offers.admit(OSLO, "provider", offer)
    with pytest.raises(Malformed):
        shop.offers.admit(LONDON, "provider", {"@id": made.iri, "target": "urn:other"})


def test_what_stands_beside_an_offer_is_told_to_who_sees_it_and_asks_for_its_target(shop: Shop):
    iri, other = shop.collection("secret", restricted=True), shop.collection("open")
    made = shop.publish(iri, peers=["london"])
    asked = {"@id": made.iri, "target": iri}
    assert shop.offers.about_of(LONDON, asked) == {"title": "Secret"}
    assert shop.offers.about_of(OSLO, asked) == {}
    assert shop.offers.about_of(LONDON, asked | {"target": other}) == {}
    assert shop.offers.about_of(LONDON, asked | {"target": ""}) == {}
    assert shop.offers.about_of(LONDON, asked | {"@id": "urn:nothing"}) == {}
    shop.offers.withdraw(made.iri, at_ms=9)
    assert shop.offers.about_of(LONDON, asked) == {}


def test_a_target_has_a_bounded_number_of_offers(shop: Shop):
    iri = shop.collection("open")
    for _ in range(20):
        shop.publish(iri)
    with pytest.raises(Conflict, match="20 offers"):
        shop.publish(iri)


@pytest.mark.parametrize(
    "name", ["agreements-london-0123abcd", "agreements-oslo-test-ffffffff", "agreements", "evidence"]
)
def test_what_the_node_alone_writes_is_no_subject_of_an_offer(shop: Shop, name: str):
    iri = shop.collection(name, restricted=True)
    bundle = f"{BASE}/collections/both"
    for target, covers in ((iri, []), (bundle, [shop.collection("open"), iri])):
        with pytest.raises(Malformed, match="written by the node alone"):
            shop.publish(target, peers=["london"], about={"title": "Ours", "covers": covers})
    record = f"{BASE}/agreements/7c6f1f1e-3d35-4b0e-9f7e-0e6f4b0e7a11"
    shop.records(name, {record: TITLED.replace(RECORD.encode(), record.encode())})
    with pytest.raises(Malformed, match="written by the node alone"):
        shop.publish(record, peers=["london"], about={"title": "Ours"})
