"""Laws of what is in force: journals of pairs in, states out; rebuilt equals lived; strangers change nothing."""

from hashlib import sha256
from typing import Any

import pytest

from node.db import Database
from node.errors import Conflict, Malformed, NotFound
from node.federation.agreements.agreements import pair_collection
from node.federation.agreements.follower import term_of
from node.federation.agreements.records import KIND, Statement, payload_of, record_in, slug_in, statement_in
from node.federation.policy import read_rules
from node.federation.rights.decisions import Decisions
from node.journal import Arrived, Draft, Entry, Opening, keep_up_in
from node.keys import Keyring
from tests.federation.agreement_rig import DAY, LONDON, OSLO, PLANS, T0, US, Standing, text_of, until


@pytest.fixture
def here(db: Database, keyring: Keyring) -> Standing:
    return Standing(db, keyring)


def hear(here: Standing, text: Any, state: str, *, peer: str = "london", base: str = LONDON, at_ms: int = T0) -> None:
    """A peer's journal of its pair with us says how it stands to an agreement."""
    name, pair = f"{peer}/{pair_collection(US)}", pair_collection(US)
    record = record_in(text.iri, base)
    payload = payload_of(record, text, Statement(text.iri, text.signed, state, f"{peer} says so"), at_ms=at_ms)
    with here.db.write() as tx:
        try:
            here.journals.get(tx, name)
        except NotFound:
            iri = f"{base}/collections/{pair}"
            here.journals.create(tx, name=name, iri=iri, title=pair, visibility="restricted", at_ms=at_ms)
        held = here.journals.get(tx, name)
        digest = "sha256:" + sha256(payload).hexdigest()
        opening = Opening("put", b"s" * 16, record, slug_in(text.iri, base), KIND, digest)
        entry = Entry(held.iri, held.size + 1, at_ms, opening.commitment(), opening)
        grown, entries = here.journals.mirrored(tx, name, [Arrived(entry, payload)], at_ms=at_ms)
        keep_up_in(tx, here.journals, here.follower, grown, entries)


def test_a_concluded_agreement_is_in_force_and_stands_in_the_journal_of_its_pair(here: Standing) -> None:
    iri = here.conclude(text_of())
    found = here.agreements.get(iri)
    assert (found.peer, found.role, found.target, found.covers) == ("london", "provider", PLANS, (PLANS,))
    assert (found.signed_by, found.state_at(T0), found.title) == ("both", "in-force", "Plans")
    assert here.sizes() == {pair_collection(LONDON): 1}
    assert [each.iri for each in here.agreements.in_force(T0)] == [iri]
    assert [each.iri for each in here.agreements.covering(PLANS)] == [iri]
    assert [each.iri for each in here.agreements.of_peer("london")] == [iri]
    assert here.agreements.of_peer("oslo") == []


def test_concluding_it_again_writes_nothing(here: Standing) -> None:
    iri = here.conclude(text_of())
    here.change(iri, "suspended", "A pause.")
    here.conclude(text_of(), T0 + DAY)
    assert here.sizes() == {pair_collection(LONDON): 2}
    assert here.state(iri) == "suspended"


def test_another_agreement_under_the_same_name_is_refused(here: Standing) -> None:
    here.conclude(text_of())
    with pytest.raises(Conflict):
        here.conclude(text_of(title="Something else"))


def test_the_peers_journal_of_this_pair_is_followed_from_then_on(here: Standing) -> None:
    here.conclude(text_of())
    assert [(each.peer, each.local) for each in here.peers.follows()] == [("london", f"london/{pair_collection(US)}")]


def test_a_public_agreement_is_also_in_the_public_collection(here: Standing) -> None:
    iri = here.conclude(text_of(public=True))
    here.change(iri, "revoked", "Over.")
    assert here.sizes() == {pair_collection(LONDON): 2, "agreements": 2}
    with here.db.read() as tx:
        assert here.journals.get(tx, "agreements").visibility == "public"
        assert here.journals.get(tx, pair_collection(LONDON)).visibility == "restricted"


@pytest.mark.parametrize("state", ["suspended", "revoked", "superseded"])
def test_what_we_say_holds_at_once_and_survives_a_rebuild(here: Standing, state: str) -> None:
    iri = here.conclude(text_of())
    assert here.change(iri, state, "Because.")
    assert not here.change(iri, state, "Because.")
    assert here.state(iri) == state
    assert here.agreements.in_force(T0 + 2_000) == []
    assert here.agreements.get(iri).reason == "Because."
    assert here.tables() == here.rebuilt()


@pytest.mark.parametrize("state", ["suspended", "revoked", "superseded"])
def test_what_they_say_ends_it_too(here: Standing, state: str) -> None:
    text = text_of()
    iri = here.conclude(text)
    hear(here, text, "in-force")
    assert here.state(iri) == "in-force"
    hear(here, text, state, at_ms=T0 + 5)
    assert here.state(iri) == state
    assert here.agreements.get(iri).reason == "london says so"
    assert here.tables() == here.rebuilt()


@pytest.mark.parametrize("state", ["revoked", "superseded"])
def test_what_is_over_is_not_taken_back_by_either_side(here: Standing, state: str) -> None:
    text = text_of()
    iri = here.conclude(text)
    hear(here, text, state, at_ms=T0 + 5)
    hear(here, text, "in-force", at_ms=T0 + 6)
    assert here.state(iri) == state
    assert here.tables() == here.rebuilt()
    other = here.conclude(text_of("22222222-2222-4222-8222-222222222222"))
    here.change(other, state)
    here.change(other, "in-force")
    assert here.state(other) == state
    assert here.tables() == here.rebuilt()


def test_what_is_over_stays_so_when_the_entry_that_said_it_is_erased(here: Standing) -> None:
    text = text_of()
    iri = here.conclude(text)
    hear(here, text, "in-force")
    hear(here, text, "revoked", at_ms=T0 + 5)
    name = f"london/{pair_collection(US)}"
    with here.db.write() as tx:
        opening = Opening("erase", b"s" * 16, target=2)
        held = here.journals.get(tx, name)
        entry = Entry(held.iri, held.size + 1, T0 + 6, opening.commitment(), opening)
        grown, entries = here.journals.mirrored(tx, name, [Arrived(entry, None)], at_ms=T0 + 6)
        keep_up_in(tx, here.journals, here.follower, grown, entries)
    assert here.state(iri) == "revoked"
    assert here.tables() == here.rebuilt()


def test_what_they_said_before_we_held_it_counts_as_soon_as_we_do(here: Standing) -> None:
    text = text_of()
    hear(here, text, "suspended")
    iri = here.conclude(text)
    assert here.state(iri) == "suspended"
    assert here.tables() == here.rebuilt()


def test_a_third_city_says_nothing_about_the_agreements_of_two_others(here: Standing) -> None:
    text = text_of()
    iri = here.conclude(text)
    hear(here, text, "revoked", peer="oslo", base=OSLO)
    assert here.state(iri) == "in-force"
    assert here.tables() == here.rebuilt()


def test_only_the_peers_journal_of_its_pair_with_us_counts(here: Standing) -> None:
    text = text_of()
    iri = here.conclude(text)
    record = record_in(text.iri, LONDON)
    payload = payload_of(record, text, Statement(text.iri, text.signed, "revoked", ""), at_ms=T0)
    for name in ("london/open-data", f"london/{pair_collection(OSLO)}"):
        with here.db.write() as tx:
            base = f"{LONDON}/collections/{name.partition('/')[2]}"
            here.journals.create(tx, name=name, iri=base, title="x", visibility="public", at_ms=T0)
            opening = Opening("put", b"s" * 16, record, "x", KIND, "sha256:" + sha256(payload).hexdigest())
            entry = Entry(base, 1, T0, opening.commitment(), opening)
            grown, entries = here.journals.mirrored(tx, name, [Arrived(entry, payload)], at_ms=T0)
            keep_up_in(tx, here.journals, here.follower, grown, entries)
    assert here.state(iri) == "in-force"


def test_an_agreement_in_the_journal_of_another_pair_does_not_count(here: Standing) -> None:
    text = text_of()
    record = record_in(text.iri, US)
    payload = payload_of(record, text, Statement(text.iri, text.signed, "in-force", ""), at_ms=T0)
    name = pair_collection(OSLO)
    with here.db.write() as tx:
        iri = f"{US}/collections/{name}"
        here.journals.create(tx, name=name, iri=iri, title="x", visibility="restricted", at_ms=T0)
        entries = here.journals.append(tx, name, [Draft(record, "x", KIND, "put", payload)], at_ms=T0)
        keep_up_in(tx, here.journals, here.follower, here.journals.get(tx, name), entries)
    assert here.agreements.all() == []


def test_a_record_that_says_nothing_readable_changes_nothing(here: Standing) -> None:
    text = text_of()
    iri = here.conclude(text)
    good = payload_of(record_in(iri, LONDON), text, Statement(iri, text.signed, "revoked", ""), at_ms=T0)
    for bad in (good.replace(b'"revoked"', b'"whatever"'), good.replace(b"ns#agreement>", b"ns#nothing>")):
        with pytest.raises(Malformed):
            statement_in(record_in(iri, LONDON), bad)


def test_withdrawing_the_record_ends_the_agreement(here: Standing) -> None:
    iri = here.conclude(text_of())
    name = pair_collection(LONDON)
    with here.db.write() as tx:
        record, slug = record_in(iri, US), slug_in(iri, US)
        entries = here.journals.append(tx, name, [Draft(record, slug, KIND, "withdraw", None)], at_ms=T0)
        keep_up_in(tx, here.journals, here.follower, here.journals.get(tx, name), entries)
    assert here.state(iri) == "revoked"
    assert here.tables() == here.rebuilt()


def test_a_term_begins_and_ends_it(here: Standing) -> None:
    iri = here.conclude(text_of(rules=until("2027-06-01T00:00:00Z", start="2027-03-01T00:00:00Z")))
    held = here.agreements.get(iri)
    assert held.state_at(held.starts_at - 1) == "not-yet"
    assert held.state_at(held.starts_at) == "in-force"
    assert held.state_at(held.ends_at - 1) == "in-force"
    assert held.state_at(held.ends_at) == "expired"


def test_a_permission_without_an_end_has_none(here: Standing) -> None:
    bounded, open_ended = until("2027-06-01T00:00:00Z"), {"permission": [{"action": "use"}]}
    both = {"permission": bounded["permission"] + open_ended["permission"]}
    assert term_of(read_rules(bounded, policy_id="urn:x"))[1] > 0
    assert term_of(read_rules(both, policy_id="urn:x")) == (0, 0)


def test_the_end_within_an_and_counts_and_within_an_or_does_not() -> None:
    bound = {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": "2027-06-01T00:00:00Z"}
    other = {"leftOperand": "odrl:count", "operator": "lteq", "rightOperand": "3"}
    for kind, ends in (("and", True), ("or", False)):
        rules = {"permission": [{"action": "use", "constraint": [{kind: [bound, other]}]}]}
        assert bool(term_of(read_rules(rules, policy_id="urn:x"))[1]) is ends


def test_what_replaces_an_agreement_takes_its_place_when_it_begins(here: Standing) -> None:
    old = here.conclude(text_of())
    new = text_of(
        "22222222-2222-4222-8222-222222222222",
        rules=until("2028-01-01T00:00:00Z", start="2027-03-01T00:00:00Z"),
        replaces=old,
    )
    here.conclude(new)
    begins = here.agreements.get(new.iri).starts_at
    assert (here.state(old, begins - 1), here.state(new.iri, begins - 1)) == ("in-force", "not-yet")
    assert (here.state(old, begins), here.state(new.iri, begins)) == ("superseded", "in-force")


@pytest.mark.parametrize("state", ["suspended", "revoked"])
@pytest.mark.parametrize("ours", [True, False])
def test_what_was_replaced_does_not_come_back_whatever_becomes_of_the_newer_one(
    here: Standing, state: str, ours: bool
) -> None:
    old, new, begins = amended(here)
    here.now_ms = begins + 1
    if ours:
        here.change(new.iri, state, at_ms=begins + 1)
    else:
        hear(here, new, state, at_ms=begins - DAY)  # they write whatever time they like
    assert here.state(old, begins + 2) == "superseded"
    assert here.state(new.iri, begins + 2) == state


@pytest.mark.parametrize("ours", [True, False])
def test_what_was_revoked_before_it_began_replaces_nothing_and_what_was_suspended_does(
    here: Standing, ours: bool
) -> None:
    old, new, begins = amended(here)
    for state, then in (("suspended", "superseded"), ("revoked", "in-force")):
        if ours:
            here.change(new.iri, state, at_ms=begins - 1)
        else:
            here.now_ms = begins - 1
            hear(here, new, state, at_ms=begins - 1)
        assert here.state(old, begins - 1) == "in-force"
        assert here.state(old, begins) == then


def amended(here: Standing) -> tuple[str, Any, int]:
    """An agreement, another that replaces it later, and when that begins."""
    old = here.conclude(text_of())
    rules = until("2028-01-01T00:00:00Z", start="2027-03-01T00:00:00Z")
    new = text_of("22222222-2222-4222-8222-222222222222", rules=rules, replaces=old)
    here.conclude(new)
    return old, new, here.agreements.get(new.iri).starts_at


def test_an_agreement_with_another_city_replaces_nothing(here: Standing) -> None:
    old = here.conclude(text_of())
    here.conclude(text_of("22222222-2222-4222-8222-222222222222", to=OSLO, replaces=old))
    assert here.state(old) == "in-force"


@pytest.mark.parametrize(
    ("setting", "target", "state"),
    [
        ("never", "open-data", "agreed"),
        ("public", "open-data", "in-force"),
        ("public", "plans", "agreed"),
        ("always", "plans", "in-force"),
    ],
)
def test_an_unsigned_agreement_suffices_as_the_setting_says(
    db: Database, keyring: Keyring, setting: str, target: str, state: str
) -> None:
    here = Standing(db, keyring, unsigned=setting)
    iri = f"{US}/collections/{target}"
    if target == "open-data":
        with db.write() as tx:
            here.journals.create(tx, name=target, iri=iri, title="Open", visibility="public", at_ms=T0)
    assert here.state(here.conclude(text_of(target=iri, signed=False))) == state


def test_the_journal_of_a_pair_has_a_name_that_a_collection_can_have_and_no_other_pair_has() -> None:
    urls = [LONDON, OSLO, "https://" + "very-long-name." * 10 + "example", "https://xn--kln-sna.example/node", "urn:x"]
    names = [pair_collection(url) for url in urls]
    assert len(set(names)) == len(urls)
    assert all(len(name) <= 63 for name in names)


def test_an_address_that_gives_the_name_of_another_citys_journal_opens_it_to_nobody(here: Standing) -> None:
    # Found by search: names have 32 bits of a hash, so any city's can be met by one that can choose its address.
    good, bad = "https://shared.example/12396", "https://shared.example/20698"
    name = pair_collection(good)
    assert name == pair_collection(bad)
    here.conclude(text_of(to=good))
    decisions = Decisions(here.db, here.agreements, base_url=US)
    assert decisions.is_pair(name, good)
    assert not decisions.is_pair(name, bad)
    with pytest.raises(Conflict, match="another city"):
        here.conclude(text_of("22222222-2222-4222-8222-222222222222", to=bad))
    assert decisions.is_pair(name, good)
    assert here.sizes() == {name: 1}
    assert not decisions.is_pair("plans", good)


def test_a_peer_does_not_choose_the_names_of_our_records() -> None:
    name = "11111111-1111-4111-8111-111111111111"
    ours, theirs = f"{US}/agreements/{name}", f"{LONDON}/agreements/{name}"
    assert record_in(ours, US) == ours
    assert record_in(theirs, US) != ours
    assert record_in(theirs, US) == record_in(theirs, US)


def test_a_record_says_back_what_it_was_written_from() -> None:
    text = text_of(note='Line one.\nLine "two" \\ three', partOf="https://example.org/declaration")
    record = record_in(text.iri, US)
    said = Statement(text.iri, text.signed, "suspended", "Because of <reasons> & more\u2028")
    assert statement_in(record, payload_of(record, text, said, at_ms=T0)) == said
