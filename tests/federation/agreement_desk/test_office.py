"""The whole life of agreements between two whole nodes in one process: drafted, countered, approved, signed, ended."""

import threading
from dataclasses import replace

import pytest

from node.errors import Conflict, Malformed, NodeError, NotFound
from node.federation.agreement_desk.drafting import Wish, Words
from node.federation.agreement_desk.office import AgreementOffice
from node.federation.agreements.agreements import pair_collection
from tests.federation.agreement_desk.rig import RULES, agreed, office, plans, proposed, settle, until
from tests.federation.cities import HELSINKI, LONDON, City

pytestmark = pytest.mark.slow

FEWER = {"permission": [{"action": "odrl:index"}]}


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
