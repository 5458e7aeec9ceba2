"""The whole life of agreements between two whole nodes in one process: drafted, countered, approved, signed, ended."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.errors import Conflict, Forbidden, Malformed, NodeError, NotAgreed, NotFound, Unauthenticated
from node.federation.agreement_desk.drafting import Wish, Words
from node.federation.agreement_desk.office import AgreementOffice
from node.federation.agreement_desk.readings import Question
from node.federation.agreements.agreements import pair_collection
from tests.federation.cities import HELSINKI, LONDON, City, cities

pytestmark = pytest.mark.slow

RULES = {"permission": [{"action": "odrl:index"}, {"action": "odrl:read"}], "prohibition": [{"action": "odrl:sell"}]}
FEWER = {"permission": [{"action": "odrl:index"}]}
DPV = "https://w3id.org/dpv#"


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.meet(london)
        london.meet(helsinki)
        for city in (helsinki, london):
            city.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=clock_ms())
        yield helsinki, london


def office(city: City) -> Any:
    return city.federation.agreeing.office


def plans(to: str = "london", **words: Any) -> Wish:
    return Wish(to, Words(**({"rules": RULES, "about": {"title": "Plans"}} | words)), covers=["plans"])


def settle(*towns: City) -> None:
    """Let every city's worker make its rounds until nothing is said any more."""
    for _ in range(20):
        if not sum(office(city).round(clock_ms()) for city in towns):
            return
    raise AssertionError("they never stop talking")


def proposed(giver: City, taker: City, wish: Wish | None = None) -> tuple[str, str]:
    """The ids that a proposal has on either side."""
    draft = office(giver).draft(wish or plans(taker.name))["drafts"][0]["id"]
    ours = office(giver).propose(draft)["id"]
    theirs = office(taker).list()["negotiations"][0]["id"]
    return ours, theirs


def agreed(giver: City, taker: City, wish: Wish | None = None) -> str:
    """An agreement that both cities signed."""
    before = {each["id"] for each in office(giver).list(ended=True)["agreements"]}
    ours, theirs = proposed(giver, taker, wish)
    office(giver).approve(ours, person="maija")
    office(taker).approve(theirs, person="john")
    settle(giver, taker)
    (made,) = {each["id"] for each in office(giver).list()["agreements"]} - before
    return made


def test_what_both_approve_is_signed_by_both_and_proven_by_both_journals(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    for city, other in ((helsinki, london), (london, helsinki)):
        shown = office(city).show(iri)
        assert (shown["state"], shown["signed_by"], shown["peer"]) == ("in-force", "both", other.name)
        city.pull(other)
        assert office(city).show(iri)["theirs"]["state"] == "in-force"
        assert office(city).readings.verify(iri).exit_code == 0
        city.verify(pair_collection(other.url))
        city.verify(f"{other.name}/{pair_collection(city.url)}", other)


def test_the_record_passes_the_peers_intake(two: tuple[City, City]) -> None:
    helsinki, london = two
    agreed(helsinki, london)
    for city, other in ((helsinki, london), (london, helsinki)):
        fetched = [each for each in city.pull(other).pulled.collections if "agreements-" in each.collection]
        assert [(each.entries, each.refused) for each in fetched] == [(1, 0)]


def test_nobody_signs_before_enough_persons_approved_and_one_person_is_one(two: tuple[City, City]) -> None:
    helsinki, london = two
    helsinki.federation.agreeing.approvals.required = 2
    ours, theirs = proposed(helsinki, london)
    office(london).approve(theirs, person="john")
    settle(helsinki, london)
    shown = office(helsinki).approve(ours, person="maija")
    settle(helsinki, london)
    assert (shown["approvals_missing"], shown["waits_for"]) == (1, "us")
    with pytest.raises(Conflict, match="maija has approved these terms already; somebody else must"):
        office(helsinki).approve(ours, person="maija")
    settle(helsinki, london)
    assert office(helsinki).sign(ours)["state"] == "accepted"
    assert office(helsinki).list()["agreements"] == []
    office(helsinki).approve(ours, person="pekka")
    settle(helsinki, london)
    assert office(helsinki).show(ours)["state"] == "in-force"


def test_changed_terms_need_new_approvals_and_are_shown_as_changed_sentences(two: tuple[City, City]) -> None:
    helsinki, london = two
    ours, theirs = proposed(helsinki, london)
    office(helsinki).approve(ours, person="maija")
    read = office(london).to_approve(theirs)["terms"]
    shown = office(london).counter(theirs, Words(rules=FEWER), person="john")
    assert (shown["state"], shown["waits_for"], shown["approvals_missing"]) == ("countered", "them", 0)
    with pytest.raises(Conflict, match="changed"):
        office(london).approve(theirs, person="ann", terms=read)
    settle(helsinki, london)
    waiting = office(helsinki).show(ours)
    assert (waiting["waits_for"], waiting["approvals"], waiting["state"]) == ("us", [], "countered")
    told = office(helsinki).readings.diff(ours, lang="en")
    assert any(each["kind"] != "same" for each in told["changes"])
    assert "sell" in told["text"]
    assert office(helsinki).readings.diff(ours, lang="fi")["text"] != told["text"]
    office(helsinki).approve(ours, person="maija")
    settle(helsinki, london)
    assert office(london).show(theirs)["state"] == "in-force"


def test_every_name_that_a_thing_had_finds_what_it_became(two: tuple[City, City]) -> None:
    helsinki, london = two
    draft = office(helsinki).draft(plans())["drafts"][0]["id"]
    ours = office(helsinki).propose(draft)["id"]
    shown = office(helsinki).show(draft[:8].upper())
    assert (shown["kind"], shown["id"], shown["waits_for"]) == ("negotiation", ours, "them")
    assert "one person of this city must approve it, too" in shown["waits"], "also while it is theirs to answer"
    with pytest.raises(Conflict, match="no draft any more"):
        office(helsinki).propose(draft)
    office(helsinki).approve(draft, person="maija")
    office(london).approve(office(london).list()["negotiations"][0]["id"], person="john")
    settle(helsinki, london)
    (made,) = (each["id"] for each in office(helsinki).list()["agreements"])
    assert {office(helsinki).show(name)["id"] for name in (draft, draft[:4], ours, ours[:8].upper(), made)} == {made}


def test_what_is_closed_says_which_agreements_still_open_the_same(two: tuple[City, City]) -> None:
    helsinki, london = two
    first, second = agreed(helsinki, london), agreed(helsinki, london, plans(rules=FEWER))
    shown = office(helsinki).act("suspend", first, reason="Under review")
    assert [(each["covers"][-5:], each["peer"], each["agreement"]) for each in shown["still_open"]] == [
        ("plans", "london", second)
    ]
    with pytest.raises(Conflict, match="Nothing is suspended"):
        office(helsinki).act("resume", second)
    assert office(helsinki).act("revoke", second, reason="The study is over")["still_open"] == []


def test_nothing_is_proposed_to_a_city_that_is_not_approved(two: tuple[City, City]) -> None:
    helsinki, _ = two
    draft = office(helsinki).draft(plans())["drafts"][0]["id"]
    helsinki.federation.office.block("london")
    with pytest.raises(Conflict, match="citynode peers approve london"):
        office(helsinki).propose(draft, person="maija")
    assert office(helsinki).show(draft)["approvals"] == []


def test_what_is_not_countered_stays_as_it_stands(two: tuple[City, City]) -> None:
    helsinki, london = two
    ours, theirs = proposed(helsinki, london)
    office(london).counter(theirs, Words(until="2030-12-31", title="Plans until 2030"))
    shown = office(helsinki).readings.explain(ours, "en")["parts"][0]
    assert shown["title"] == "Plans until 2030"
    assert [rule["action"] for rule in shown["rules"]["permission"]] == ["odrl:index", "odrl:read"]
    assert all(rule["constraint"][0]["rightOperand"] == "2031-01-01T00:00:00Z" for rule in shown["rules"]["permission"])
    assert shown["rules"]["prohibition"]


def test_an_answer_can_be_read_before_it_goes_out(two: tuple[City, City]) -> None:
    helsinki, london = two
    _, theirs = proposed(helsinki, london)
    words = Words(until="2030-12-31", title="Plans until 2030")
    would = office(london).would_counter(theirs, words)
    assert office(london).show(theirs)["state"] == "offered", "nothing was sent"
    assert would["terms"] == office(london).to_approve(theirs)["terms"], "that is what it changes"
    office(london).counter(theirs, words, person="john", terms=would["terms"])
    (sent,) = office(london).readings.explain(theirs, "en")["parts"]
    (read,) = would["parts"]
    assert {name: sent[name] for name in read} == read


def test_sentences_that_were_changed_can_be_proposed_back(two: tuple[City, City]) -> None:
    helsinki, london = two
    _, theirs = proposed(helsinki, london)
    text = office(london).readings.explain(theirs, "sv")["parts"][0]["text"]
    rules = office(london).readings.words_of(text, theirs, "sv")
    assert {rule["action"] for rule in rules["permission"]} == {"odrl:index", "odrl:read"}


def test_an_automatic_offer_is_agreed_to_without_a_person_of_its_city(two: tuple[City, City]) -> None:
    helsinki, london = two
    offers = helsinki.federation.agreeing.offer_office
    words = Words(rules=FEWER, about={"title": "Plans for all"})
    offer = offers.publish("plans", words, name="plans", peers=["london"], automatic=True, by="maija")
    seen = london.federation.agreeing.offer_office.of_peer("helsinki")
    assert [(each["id"], each["title"]) for each in seen] == [(offer["id"], "Plans for all")]
    draft = office(london).draft(Wish("helsinki", Words(), offer=offer["id"]))["drafts"][0]
    assert (draft["role"], draft["terms"]) == ("consumer", offer["terms"])
    office(london).propose(draft["id"], person="john")
    settle(helsinki, london)
    assert [each["state"] for each in office(london).list()["agreements"]] == ["in-force"]
    assert office(helsinki).list()["agreements"][0]["target"] == f"{HELSINKI}/collections/plans"


def test_an_automatic_offer_is_not_agreed_to_under_other_terms_or_after_its_withdrawal(two: tuple[City, City]) -> None:
    helsinki, london = two
    offers = helsinki.federation.agreeing.offer_office
    words = Words(rules=FEWER, about={"title": "Plans for all"})
    offer = offers.publish("plans", words, name="plans", peers=["london"], automatic=True, by="maija")["id"]
    ask = {"@id": offer, "target": f"{HELSINKI}/collections/plans"}
    talks = london.federation.agreeing.dsp.negotiations
    talks.request(HELSINKI, {**ask, **RULES}, {"title": "More than that"})
    late = office(london).draft(Wish("helsinki", Words(), offer=offer))["drafts"][0]["id"]
    settle(helsinki, london)
    assert [each["waits_for"] for each in office(helsinki).list()["negotiations"]] == ["us"]
    offers.withdraw("plans")
    refused = office(london).propose(late, person="john")
    settle(helsinki, london)
    assert office(helsinki).list()["agreements"] == []
    assert office(london).show(refused["id"])["state"] == "ended"
    assert "Nothing of that kind is offered" in office(london).show(refused["id"])["reason"]


@pytest.mark.parametrize(("act", "state"), [("suspend", "suspended"), ("revoke", "revoked")])
def test_either_city_ends_it_at_once_and_the_other_is_told(two: tuple[City, City], act: str, state: str) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    shown = office(london).act(act, iri, reason="The purpose is over.")
    assert (shown["state"], shown["notice"]["sentence"]) == (state, "delivered")
    assert office(helsinki).show(iri)["state"] == "in-force"  # nothing of a notice is believed …
    assert helsinki.sql("SELECT peer FROM nudge") == [("london",)]
    helsinki.pull(london)  # … but the journal that it points to
    told = office(helsinki).show(iri)
    assert (told["state"], told["reason"]) == (state, "The purpose is over.")
    assert helsinki.federation.agreeing.agreements.in_force(clock_ms()) == []


def test_a_suspension_ends_by_whoever_made_it(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    office(helsinki).act("suspend", iri, reason="A pause.")
    london.pull(helsinki)
    with pytest.raises(Conflict, match="helsinki suspended it; only helsinki can resume it"):
        office(london).act("resume", iri)
    assert office(helsinki).act("resume", iri)["state"] == "in-force"
    london.pull(helsinki)
    assert office(london).show(iri)["state"] == "in-force"


def test_a_notice_waits_until_the_other_city_is_back(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    helsinki.wire.down.add(LONDON)
    shown = office(helsinki).act("revoke", iri, reason="Over.")
    assert shown["state"] == "revoked"
    assert "not delivered yet" in shown["notice"]["sentence"]
    helsinki.wire.down.clear()
    office(helsinki).round(clock_ms() + 3_600_000)
    assert office(helsinki).show(iri)["notice"]["sentence"] == "delivered"
    office(helsinki).tend(clock_ms() + 3_600_000)
    assert office(helsinki).show(iri)["notice"]
    office(helsinki).tend(clock_ms() + 31 * 86_400_000)
    assert office(helsinki).show(iri)["notice"] is None


def test_what_is_over_stays_over(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    office(helsinki).act("revoke", iri, reason="Over.")
    assert office(helsinki).act("revoke", iri, reason="Again.")["reason"] == "Over."
    for act in ("suspend", "resume"):
        with pytest.raises(Conflict):
            office(helsinki).act(act, iri, reason="No.")


def test_an_amendment_takes_the_place_of_what_it_replaces_at_both(two: tuple[City, City]) -> None:
    helsinki, london = two
    old = agreed(helsinki, london)
    wish = Wish("", Words(until="2031-12-31"), replaces=old)
    new = agreed(helsinki, london, wish)
    for city in two:
        assert office(city).show(old)["state"] == "superseded"
        assert office(city).show(new)["state"] == "in-force"
        assert office(city).show(new)["replaces"] == old
        assert "2031" in office(city).readings.diff(new, lang="en")["text"]
    helsinki.pull(london)
    assert office(helsinki).show(old)["theirs"]["state"] == "superseded"
    assert office(helsinki).readings.verify(old).exit_code == 0


def test_the_declaration_is_one_document_and_two_agreements(two: tuple[City, City]) -> None:
    helsinki, london = two
    words = Words(template="digital-declaration", values={"contacts": "data@helsinki.example"})
    made = office(helsinki).draft(Wish("london", words, covers=["plans", "open-data"], theirs=["plans"]))
    document = made["document"]
    assert [each["role"] for each in made["drafts"]] == ["provider", "consumer"]
    assert {each["part_of"] for each in made["drafts"]} == {document}
    assert {each["target"] for each in made["drafts"]} == {
        f"{HELSINKI}/collections/declaration",
        f"{LONDON}/collections/declaration",
    }
    office(helsinki).approve(document, person="maija", terms=office(helsinki).to_approve(document)["terms"])
    assert office(helsinki).propose(document)["state"] == "not in force"
    settle(helsinki, london)
    terms = office(london).to_approve(document)
    assert len(terms["parts"]) == 2
    office(london).approve(document, person="john", terms=terms["terms"])
    settle(helsinki, london)
    for city in two:
        shown = office(city).show(document)
        assert (shown["state"], len(shown["parts"])) == ("in-force", 2)
        assert [each["id"] for each in office(city).list()["documents"]] == [document]
    old = next(each["id"] for each in office(helsinki).show(document)["parts"] if each["role"] == "provider")
    new = agreed(helsinki, london, Wish("", Words(until="2031-12-31"), replaces=old))
    for city in two:
        shown = office(city).show(document)
        assert {each["id"]: each["state"] for each in shown["parts"]}[old] == "superseded"
        assert (shown["state"], new in [each["id"] for each in shown["parts"]]) == ("in-force", True)
    office(london).act("revoke", document, reason="Over.")
    assert office(london).show(document)["state"] == "not in force"
    assert "in-force" not in {each["state"] for each in office(london).show(document)["parts"]}


def test_no_direction_of_a_declaration_is_proposed_alone(two: tuple[City, City]) -> None:
    helsinki, _ = two
    words = Words(template="digital-declaration", values={"contacts": "data@helsinki.example"})
    made = office(helsinki).draft(Wish("london", words, covers=["open-data"], theirs=["plans"]))
    for each in made["drafts"]:
        assert each["next"].endswith(f"propose {made['document']} --token-file FILE")
        with pytest.raises(Conflict) as refused:
            office(helsinki).propose(each["id"])
        assert made["document"] in refused.value.fix
    assert len(office(helsinki).propose(made["document"])["parts"]) == 2


def test_terms_that_have_ended_are_neither_drafted_nor_approved(
    two: tuple[City, City],
) -> None:
    helsinki, _ = two
    values = {"purposes": "PublicPolicyMaking", "ends": "2020-12-31", "transfer_basis": "adequacy"}
    with pytest.raises(Malformed, match="ends: 2020-12-31 is past"):
        office(helsinki).draft(Wish("london", Words(template="restricted-data", values=values), covers=["plans"]))
    words = Words(template="restricted-data", values={**values, "ends": "2029-12-31"})
    draft = office(helsinki).draft(Wish("london", words, covers=["plans"]))["drafts"][0]["id"]
    later = office(helsinki)._desk.clock_ms() + 10 * 365 * 86_400_000
    desk = replace(office(helsinki)._desk, clock_ms=lambda: later)
    for act in (lambda late: late.approve(draft, person="maija"), lambda late: late.propose(draft)):
        with pytest.raises(Malformed, match="ends: 2029-12-31 is past"):
            act(AgreementOffice(desk))
    assert office(helsinki).show(draft)["approvals"] == []


def test_who_approved_is_shown_of_the_negotiation_and_of_the_agreement(two: tuple[City, City]) -> None:
    helsinki, london = two
    ours, theirs = proposed(helsinki, london)
    office(helsinki).approve(ours, person="maija")
    assert [each["person"] for each in office(helsinki).show(ours)["approvals"]] == ["maija"]
    office(london).approve(theirs, person="john")
    settle(helsinki, london)
    for city, name, person in ((helsinki, ours, "maija"), (london, theirs, "john")):
        shown = office(city).show(name)
        assert (shown["kind"], [each["person"] for each in shown["approvals"]]) == ("agreement", [person])


def test_what_names_no_recipient_is_for_the_receiving_city_alone(two: tuple[City, City]) -> None:
    helsinki, london = two
    acme = "https://acme.example"
    rules = {"permission": [{"action": f"odrl:{each}"} for each in ("index", "read", "distribute")]}
    iri = agreed(helsinki, london, plans(rules=rules))
    readings = office(helsinki).readings
    for action, allowed in (("index", False), ("read", False), ("distribute", True)):
        assert readings.simulate(Question("london", action, "plans"))["allowed"]
        asked = readings.simulate(Question("london", action, "plans", recipient=acme))
        assert (asked["allowed"], asked["operand"]) == (allowed, "" if allowed else "recipient")
    with pytest.raises(NotAgreed, match="names no recipients"):
        office(london).readings.grantable(iri, "AcademicResearch", acme)
    with pytest.raises(NotAgreed, match=r"Only the receiving city \(London\) issues tokens"):
        office(helsinki).readings.grantable(iri, "AcademicResearch", acme)


def test_what_may_be_mirrored_and_is_not_followed_is_said_with_its_command(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    assert office(london).show(iri)["next"] == "citynode peers follow helsinki plans"
    assert office(helsinki).show(iri)["next"] == ""
    london.federation.peers.follow("helsinki", ["plans"], at_ms=clock_ms())
    assert office(london).show(iri)["next"] == ""


def test_only_a_public_agreement_is_shown_to_everyone_and_ends_there_too(two: tuple[City, City]) -> None:
    helsinki, london = two
    secret = agreed(helsinki, london)
    public = agreed(helsinki, london, plans(about={"title": "Open"}, public=True))
    for _ in range(2):  # more entries in the journal of the pair than in the public one
        office(helsinki).act("suspend", secret, reason="x")
        office(helsinki).act("resume", secret)
    assert helsinki.get(secret.removeprefix(HELSINKI)).status == 404
    assert helsinki.get(public.removeprefix(HELSINKI)).status == 200
    for kind in ("text/turtle", "application/ld+json", "application/rdf+xml", "application/n-triples", "text/html"):
        assert helsinki.get(public.removeprefix(HELSINKI), accept=kind).status == 200, kind
    assert [each["id"] for each in office(london).list()["agreements"] if each["public"]] == [public]
    office(london).act("revoke", public, reason="Over.")
    assert london.size("agreements") == 2


def test_approving_and_ending_at_once_ends_or_agrees_and_never_both(two: tuple[City, City]) -> None:
    helsinki, london = two
    _, theirs = proposed(helsinki, london)
    acts = [
        lambda: office(london).approve(theirs, person="john"),
        lambda: office(london).approve(theirs, person="ann"),
        lambda: office(london).act("revoke", theirs, reason="No."),
    ]
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(act) for act in acts]:
            assert isinstance(done.exception(), Conflict | NotFound | None)
    for each in office(helsinki).list()["negotiations"]:
        office(helsinki).approve(each["id"], person="maija")
    settle(helsinki, london)
    ended = [each["state"] for each in office(london).list(ended=True)["negotiations"]]
    agreements = [office(city).list(ended=True)["agreements"] for city in two]
    assert len(ended) + len(agreements[1]) == 1
    assert len(agreements[0]) == len(agreements[1])


def test_the_workers_say_by_themselves_what_the_commands_could_not(two: tuple[City, City]) -> None:
    helsinki, london = two
    helsinki.wire.down.add(LONDON)
    draft = office(helsinki).draft(plans())["drafts"][0]["id"]
    waiting = office(helsinki).propose(draft, person="maija")
    assert (waiting["waits_for"], "on its way" in waiting["waits"]) == ("us", True)
    # Why it is stuck is told: what the last attempt met.
    assert waiting["trouble"]
    assert [each["trouble"] for each in office(helsinki).list()["negotiations"]] == [waiting["trouble"]]
    stop = threading.Event()
    workers = [threading.Thread(target=city.rounds(chance=lambda: 0.0).run, args=(stop,)) for city in two]
    for worker in workers:
        worker.start()
    try:
        helsinki.wire.down.clear()
        until(lambda: office(london).list()["negotiations"])
        office(london).approve(office(london).list()["negotiations"][0]["id"], person="john")
        until(lambda: office(helsinki).list()["agreements"])
        iri = office(helsinki).list()["agreements"][0]["id"]
        until(lambda: office(helsinki).show(iri)["theirs"]["state"] == "in-force")
        office(helsinki).act("suspend", iri, reason="A pause.")
        until(lambda: office(london).show(iri)["state"] == "suspended")
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def until(law: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not law():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_ended_negotiation_is_approved_by_nobody(two: tuple[City, City]) -> None:
    helsinki, london = two
    ours, theirs = proposed(helsinki, london)
    office(helsinki).act("revoke", ours, reason="We meant something else.")
    with pytest.raises(Conflict):
        office(helsinki).approve(ours, person="maija")
    settle(helsinki, london)
    with pytest.raises(Conflict):
        office(london).approve(theirs, person="john")
    assert office(london).show(theirs)["reason"].startswith("We meant something else.")
    assert office(london).list()["agreements"] == []


def test_a_draft_that_is_dropped_or_proposed_is_no_draft_any_more(two: tuple[City, City]) -> None:
    helsinki, _ = two
    first, second = (office(helsinki).draft(plans())["drafts"][0]["id"] for _ in range(2))
    assert office(helsinki).act("revoke", first)["state"] == "dropped"
    with pytest.raises(NotFound):
        office(helsinki).propose(first)
    office(helsinki).propose(second)
    with pytest.raises(NodeError):
        office(helsinki).propose(second)


class Killed(BaseException):
    """The process dies here."""


def killed(*_: object) -> None:
    raise Killed


def test_a_crash_while_proposing_leaves_the_draft_as_it_was(
    two: tuple[City, City], monkeypatch: pytest.MonkeyPatch
) -> None:
    helsinki, london = two
    draft = office(helsinki).draft(plans())["drafts"][0]["id"]
    with monkeypatch.context() as patched:
        patched.setattr(helsinki.federation.agreeing.approvals, "carry", killed)
        with pytest.raises(Killed):
            office(helsinki).propose(draft, person="maija")
    shown = office(helsinki).show(draft)
    assert (shown["kind"], shown["approvals"]) == ("draft", [])
    assert office(helsinki).list()["negotiations"] == []
    begun = office(helsinki).propose(draft, person="maija")
    assert (begun["kind"], begun["approvals_missing"]) == ("negotiation", 0)
    assert len(office(london).list()["negotiations"]) == 1


def test_of_two_who_propose_a_draft_at_once_one_does(two: tuple[City, City]) -> None:
    helsinki, london = two
    draft = office(helsinki).draft(plans())["drafts"][0]["id"]
    (seen,) = office(helsinki)._desk.finder.find(draft).drafts
    office(helsinki)._proposed(seen, "", "maija")
    with pytest.raises(Conflict, match="proposed already"):
        office(helsinki)._proposed(seen, "", "pekka")
    settle(helsinki, london)
    (ours,) = office(helsinki).list(ended=True)["negotiations"]
    assert [each["person"] for each in office(helsinki).show(ours["id"])["approvals"]] == ["maija"]
    assert len(office(london).list(ended=True)["negotiations"]) == 1


def test_an_approval_stands_before_other_terms_are_put_out(
    two: tuple[City, City], monkeypatch: pytest.MonkeyPatch
) -> None:
    helsinki, london = two
    _, theirs = proposed(helsinki, london)
    with monkeypatch.context() as patched:
        patched.setattr(london.federation.agreeing.approvals, "give_in", killed)
        with pytest.raises(Killed):
            office(london).counter(theirs, Words(rules=FEWER), person="john")
    assert not office(london)._talk(theirs).sending
    shown = office(london).counter(theirs, Words(rules=FEWER), person="john")
    assert (shown["state"], shown["approvals_missing"]) == ("countered", 0)


@pytest.mark.parametrize("reason", ["", "  ", "Two\nlines.", "x" * 1_001])
def test_the_reason_of_an_end_is_one_short_line(two: tuple[City, City], reason: str) -> None:
    helsinki, london = two
    ours, _ = proposed(helsinki, london)
    with pytest.raises(Malformed):
        office(helsinki).act("revoke", ours, reason=reason)
    assert office(helsinki).show(ours)["state"] == "offered"


def test_what_cannot_be_superseded_now_stops_no_reminder(
    two: tuple[City, City], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, tended = office(two[0])._desk, list[int]()

    def refuse(_: int) -> None:
        raise Conflict("Not now.")

    monkeypatch.setattr(desk.acts, "supersede", refuse)
    monkeypatch.setattr(desk.talks.outbox, "forget", tended.append)
    monkeypatch.setattr(desk.reminders, "tell", tended.append)
    office(two[0]).tend(1)
    assert tended == [1, 1]


def test_bad_wishes_write_nothing(two: tuple[City, City]) -> None:
    helsinki, _ = two
    bad = [
        (Wish("oslo", Words(rules=RULES)), NotFound),
        (plans(rules={}), Malformed),
        (plans(rules={"permission": [{"action": "odrl:fly"}]}), Malformed),
        (plans(rules=None, template="nothing"), NotFound),
        (plans(rules=None, template="restricted-data"), Malformed),
        (plans(until="soon"), Malformed),
        (plans(about={"title": "x", "secret": "y"}), Malformed),
        (Wish("london", Words(rules=RULES), covers=["nothing"]), NotFound),
        (Wish("london", Words(rules=RULES), covers=[pair_collection(LONDON)]), NotFound),
        (Wish("london", Words(rules=RULES), role="king"), Malformed),
    ]
    for wish, error in bad:
        with pytest.raises(error):
            office(helsinki).draft(wish)
    assert office(helsinki).list()["drafts"] == []


def test_simulate_names_the_clause_and_its_sentence(two: tuple[City, City]) -> None:
    helsinki, london = two
    purpose = {"leftOperand": "odrl:purpose", "operator": "isA", "rightOperand": f"{DPV}PublicBenefit"}
    rules = {"permission": [{"action": "odrl:read", "constraint": [purpose]}], "prohibition": [{"action": "odrl:sell"}]}
    agreed(helsinki, london, plans(rules=rules))
    readings = office(helsinki).readings
    yes = readings.simulate(Question("london", "read", "plans", purpose=f"{DPV}PublicBenefit"))
    assert (yes["allowed"], yes["clause"].endswith("#p1")) == (True, True)
    assert yes["sentence"].startswith("2.")
    no = readings.simulate(Question("london", "read", "plans", purpose="Marketing", report=True))
    assert (no["allowed"], no["operand"]) == (False, "purpose")
    assert len(no["report"]) == 1
    assert readings.simulate(Question("london", "sell", "plans"))["code"] == "prohibited"
    assert readings.simulate(Question("london", "read", "open-data"))["code"] == "no-agreement"
    for bad in (Question("london", "fly", "plans"), Question("oslo", "read", "plans")):
        with pytest.raises(NodeError):
            readings.simulate(bad)


def test_an_export_proves_it_without_a_node(two: tuple[City, City]) -> None:
    from node.federation.agreements.verifier import verify_bundle

    helsinki, london = two
    iri = agreed(helsinki, london)
    helsinki.pull(london)
    body = office(helsinki).readings.export(iri)
    assert verify_bundle(body, now_ms=clock_ms()).exit_code in (0, 3)
    assert verify_bundle(body.replace(b"odrl:sell", b"odrl:read"), now_ms=clock_ms()).exit_code == 1


def test_persons_are_staff_tokens_that_hold(two: tuple[City, City]) -> None:
    helsinki, _ = two
    tokens, persons = helsinki.federation.named_tokens, helsinki.federation.agreeing.persons
    _, secret = tokens.issue("maija", now_ms=clock_ms(), staff=True)
    _, program = tokens.issue("robot", now_ms=clock_ms(), scopes=["read:plans"])
    assert persons.named(secret, clock_ms()) == "maija"
    with pytest.raises(Forbidden):
        persons.named(program, clock_ms())
    tokens.revoke("maija", now_ms=clock_ms())
    for wrong in (secret, "cn_nonsense", ""):
        with pytest.raises(Unauthenticated):
            persons.named(wrong, clock_ms())


def test_what_is_asked_about_is_there_and_a_purpose_is_no_slip(two: tuple[City, City]) -> None:
    helsinki, london = two
    agreed(helsinki, london)
    readings = office(helsinki).readings
    for purpose in ("https://example.com/zz", "PublicPolicyMaking", ""):
        for collection in ("plans", f"{HELSINKI}/collections/plans"):
            assert readings.simulate(Question("london", "index", collection, purpose=purpose))["allowed"]
    for collection in ("zz", f"{LONDON}/collections/plans", f"{HELSINKI}/collections/"):
        with pytest.raises(NotFound):
            readings.simulate(Question("london", "index", collection))
    with pytest.raises(Malformed, match="near it are PublicPolicyMaking"):
        readings.simulate(Question("london", "index", "plans", purpose="PublicPolicyMakin"))
    for bad in (
        {"purpose": "zz"},
        {"purpose": f"{DPV}zz"},
        {"collection": ""},
        {"lang": "zz"},
        {"collection": "a\u202eb"},
        {"action": "fly"},
        {"channel": "zz"},
    ):
        with pytest.raises(Malformed):
            readings.simulate(Question(**({"peer": "london", "action": "index", "collection": "plans"} | bad)))
    for say in (lambda: readings.templates("zz"), lambda: readings.template("restricted-data", "zz")):
        with pytest.raises(Malformed, match="not written in"):
            say()
    with pytest.raises(NotFound):
        office(helsinki).list(peer="nobody")
    assert office(helsinki).list(peer="london")["agreements"]


def ended_with(city: City, peer: str, count: int) -> None:
    """Write negotiations with a peer that ended, all newer than what there is."""
    at_ms = clock_ms() + 1_000
    sql = (
        "INSERT INTO negotiation (pid, role, peer, other_pid, other_url, state, offer, terms, created_at, changed_at)"
        " VALUES (?, 'provider', ?, ?, ?, 'TERMINATED', '{}', '', ?, ?)"
    )
    rows = [(f"zzzz{each:08}", peer, f"urn:{each}", peer, at_ms + each, at_ms) for each in range(count)]
    with city.node.db.write() as tx:
        tx.many(sql, rows)


def test_what_one_peer_ends_hides_nothing_of_another(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    part = f'{HELSINKI}/documents/50%_a!b"c'
    wish = plans(about={"title": "Plans", "partOf": part})
    ours, _ = proposed(helsinki, london, wish)
    gone, _ = proposed(helsinki, london)
    office(helsinki).act("revoke", gone, reason="Not now.")
    ended_with(helsinki, "https://noisy.example", 1_001)
    listed = office(helsinki).list(ended=True)["negotiations"]
    assert listed[0]["id"] == ours
    assert len(listed) == 1_001
    assert [each["id"] for each in office(helsinki).list()["negotiations"]] == [ours]
    with_london = office(helsinki).list(peer="london", ended=True)
    assert [each["id"] for each in with_london["negotiations"]] == [ours, gone]
    assert [(each["id"], each["parts"]) for each in with_london["documents"]] == [(part, [ours])]
    assert office(helsinki).show(ours[:8])["id"] == ours
    assert [each["id"] for each in office(helsinki).show(part)["parts"]] == [ours]
    for other in (part.upper(), part.replace("_", "x"), part.replace("%", "")):
        with pytest.raises(NotFound):
            office(helsinki).show(other)
    assert office(helsinki).show(iri)["approvals"], "those of the negotiation that it came from"
    office(helsinki).approve(ours, person="maija")
    assert office(helsinki).act("revoke", ours, reason="Enough.")["state"] == "ended"


@pytest.mark.parametrize("name", ["abcd\0", f"{HELSINKI}/agreements/\0", "abcd\u202e", "abcd\ud800", "a" * 5_000])
def test_what_cannot_be_seen_is_no_name(two: tuple[City, City], name: str) -> None:
    with pytest.raises(Malformed, match="Nothing has such a name"):
        office(two[0]).show(name)
    with pytest.raises(NotFound):
        office(two[0]).list(peer=name)
