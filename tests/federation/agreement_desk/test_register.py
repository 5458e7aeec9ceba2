"""Laws of the register: it tells of public agreements alone, checks signatures now, and says how both cities stand."""

from types import SimpleNamespace
from typing import Any

import pytest

from node.db import Database
from node.federation.agreement_desk.register import Register
from node.federation.agreements.agreements import PUBLIC_COLLECTION, pair_collection
from node.federation.agreements.text import AgreementText, read_text
from node.federation.refusals.refusals import RefusalsHeard
from node.federation.refusals.reports import Refusal
from node.keys import Keyring
from tests.federation.agreed import signed
from tests.federation.agreement_rig import LONDON, OSLO, PLANS, T0, US, Standing, text_of

FEDERATION = "https://f.example/"
SECOND = "22222222-2222-4222-8222-222222222222"
AFTER = T0 + 10_000


class RefusedHere:
    """What this node refuses of mirrors, as it was put in."""

    def __init__(self) -> None:
        self.kept: list[Refusal] = []

    def refused(self, name: str = "", *, limit: int = 1_000) -> list[Refusal]:
        return [each for each in self.kept if each.collection.startswith(f"{name}/")][:limit]


@pytest.fixture
def city(db: Database, keyring: Keyring) -> Standing:
    return Standing(db, keyring)


def register(city: Standing, keyring: Keyring, *, here: RefusedHere | None = None, **keys: Any) -> Register:
    return Register(
        reader=city.journals,
        book=city.agreements,
        base_url=US,
        federation=keys.get("federation", FEDERATION),
        keys_of=lambda url: keyring.published() if url in keys.get("known", (US, LONDON)) else [],
        here=here or RefusedHere(),
        there=RefusalsHeard(city.journals),
        sources=keys.get("sources"),  # type: ignore[arg-type]  # only its file asks them
        clock_ms=lambda: AFTER,
    )


def both_signed(keyring: Keyring, **more: Any) -> str:
    """A text that both cities really signed."""
    cities = [
        SimpleNamespace(settings=SimpleNamespace(base_url=url, federation=FEDERATION), keyring=keyring)
        for url in (US, LONDON)
    ]
    return signed(cities[0], cities[1], [PLANS], at_ms=T0, **more)


# ---------------------------------------------------------------- signatures


def test_signatures_that_hold_are_said_to_hold_now(city: Standing, keyring: Keyring) -> None:
    found = register(city, keyring).check(both_signed(keyring))
    assert (found.verdict, found.why, found.at_ms) == ("holds", "", AFTER)


def test_the_signature_of_one_city_alone_is_never_said_to_hold_for_both(city: Standing, keyring: Keyring) -> None:
    text = read_text(both_signed(keyring))
    assert register(city, keyring).check(text.with_proofs(text.proofs[0]).signed).verdict == "half"
    assert register(city, keyring).check(text.text).verdict == "unsigned"


def test_a_text_that_was_changed_after_it_was_signed_does_not_hold(city: Standing, keyring: Keyring) -> None:
    found = register(city, keyring).check(both_signed(keyring, title="Plans").replace("Plans", "Plots"))
    assert found.verdict == "fails"
    assert found.why


def test_a_signature_for_another_federation_does_not_hold(city: Standing, keyring: Keyring) -> None:
    assert register(city, keyring, federation="https://other.example/").check(both_signed(keyring)).verdict == "fails"


def test_a_city_whose_keys_are_not_pinned_is_named_as_unknown(city: Standing, keyring: Keyring) -> None:
    found = register(city, keyring, known=(US,)).check(both_signed(keyring))
    assert (found.verdict, found.unknown) == ("unknown", (LONDON,))


def test_whatever_is_no_agreement_is_judged_and_raises_nothing(city: Standing, keyring: Keyring) -> None:
    for text in ("", "{}", "[]", "null", "\x00", "{" * 10_000, '{"permission": 1}'):
        assert register(city, keyring).check(text).verdict == "fails", text[:20]


# ---------------------------------------------------------------- standing


def public(name: str = "11111111-1111-4111-8111-111111111111", **more: Any) -> AgreementText:
    return text_of(name, public=True, **more)


def test_a_public_agreement_stands_as_both_cities_have_it(city: Standing, keyring: Keyring) -> None:
    iri = city.conclude(public())
    found = register(city, keyring).standing(iri)
    assert found is not None
    assert (found.state, found.by) == ("in-force", "")
    city.change(iri, "suspended", "A wrong file")
    found = register(city, keyring).standing(iri)
    assert found is not None
    assert (found.state, found.by, found.reason) == ("suspended", US, "A wrong file")
    assert register(city, keyring).standings() == {iri: found}


def test_the_word_of_the_other_city_counts_and_is_said_to_be_its_own(city: Standing, keyring: Keyring) -> None:
    iri = city.conclude(public())
    with city.db.write() as tx:
        tx.run(
            "INSERT INTO stated (peer, agreement, record, seq, state, reason, at, heard_at)"
            " VALUES ('london', ?, 'r', 2, 'suspended', 'We look at it', ?, 0)",
            *(iri, T0 + 5),
        )
    found = register(city, keyring).standing(iri)
    assert found is not None
    assert (found.state, found.by, found.reason) == ("suspended", LONDON, "We look at it")


def test_of_an_agreement_that_is_not_public_nothing_is_told(city: Standing, keyring: Keyring) -> None:
    iri = city.conclude(text_of())
    made = register(city, keyring)
    assert made.standing(iri) is None
    assert made.standings() == {}
    assert made.kept(iri) == []
    assert made.standing(f"{US}/agreements/none") is None
    assert made.kept(f"{US}/agreements/none") == []


# ---------------------------------------------------------------- course


def test_the_course_is_what_the_public_journal_said(city: Standing, keyring: Keyring) -> None:
    iri, other = city.conclude(public()), city.conclude(public(SECOND, to=OSLO), T0 + 1)
    city.change(iri, "suspended", "A wrong file", at_ms=T0 + 1_000)
    city.change(iri, "in-force", "", at_ms=T0 + 2_000)
    steps = register(city, keyring).course(PUBLIC_COLLECTION, iri)
    assert [(each.at_ms, each.state, each.reason) for each in steps] == [
        (T0, "in-force", ""),
        (T0 + 1_000, "suspended", "A wrong file"),
        (T0 + 2_000, "in-force", ""),
    ]
    assert [each.state for each in register(city, keyring).course(PUBLIC_COLLECTION, other)] == ["in-force"]
    assert register(city, keyring).course("none", iri) == []


def test_the_course_of_one_agreement_says_nothing_of_others(city: Standing, keyring: Keyring) -> None:
    iri = city.conclude(text_of())
    assert register(city, keyring).course(PUBLIC_COLLECTION, iri) == []
    assert register(city, keyring).course(pair_collection(LONDON), f"{US}/agreements/{SECOND}") == []


# ---------------------------------------------------------------- how it is kept


def test_only_public_collections_that_it_opens_are_told_with_what_is_refused_of_them(
    city: Standing, keyring: Keyring
) -> None:
    maps = f"{US}/collections/maps"
    with city.db.write() as tx:
        city.journals.create(tx, name="maps", iri=maps, title="Maps", visibility="public", at_ms=T0)
    iri = city.conclude(public(target=f"{US}/collections/bundle", covers=[PLANS, maps]))
    made = register(city, keyring)
    assert [(each.iri, each.local, each.refused) for each in made.kept(iri)] == [(maps, "maps", ())]


def test_refusals_are_counted_by_code_of_this_agreements_city_alone(city: Standing, keyring: Keyring) -> None:
    name, here = "london/maps", RefusedHere()
    theirs = f"{LONDON}/collections/maps"
    with city.db.write() as tx:
        city.journals.create(tx, name=name, iri=theirs, title="Maps", visibility="public", at_ms=T0)
    iri = city.conclude(public(by=LONDON, to=US, target=theirs))
    here.kept = [
        Refusal(name, 1, "bad-digest", "", "", T0, None),
        Refusal(name, 2, "bad-digest", "", "", T0, None),
        Refusal("london/other", 3, "bad-digest", "", "", T0, None),
    ]
    (kept,) = register(city, keyring, here=here).kept(iri)
    assert (kept.local, kept.refused) == (name, (("bad-digest", 2),))
