"""Laws of the desk's agreements: one lives through its pages alone, each act done by whoever has the right to it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from node.assembly.clock import clock_ms
from node.federation.consent import rules
from node.journal import catch_up
from node.staff.sessions import FRESH_MS
from node.web.wording.words import known
from tests.federation.agreed import agree
from tests.federation.cities import HELSINKI, LONDON, City, Wire, make
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.desk.sent import form_with, forms_to

pytestmark = pytest.mark.slow  # two whole nodes with their web applications
HERE = "/desk/agreements"
RESEARCH = "https://w3id.org/dpv#AcademicResearch"


@dataclass
class Towns:
    """Two cities that know each other, each with a desk."""

    helsinki: City
    london: City

    def settle(self) -> None:
        while sum(each.federation.agreeing.office.round(clock_ms()) for each in (self.helsinki, self.london)):
            pass


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Towns]:
    folder = tmp_path_factory.mktemp("desk")
    with Wire() as wire:
        made = [
            make(folder / name, wire, name, url, database=migrated, agreement_approvals=2, languages=["en", "fi", "sv"])
            for name, url in (("helsinki", HELSINKI), ("london", LONDON))
        ]
        for each in made:  # the app of the wire is the app of the desk: a node has one
            each.node.registry.__dict__["app of tests"] = wire.apps[each.url]
        helsinki, london = made
        helsinki.meet(london, follow=())
        london.meet(helsinki, follow=())
        helsinki.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=clock_ms())
        yield Towns(helsinki, london)
        for each in made:
            each.node.close()


def draft(desk: Browser, title: str, **fields: str) -> str:
    """Write a draft of open metadata for London through the form; give its name."""
    page = desk.get(f"{HERE}/new?template=open-metadata/1&peer=london")
    assert page.status_code == 200, text_of(page)[:500]
    sent = form_with(page.text, "sent") | {"ours": [f"{HELSINKI}/collections/plans"], "place-title": [title]}
    reply = desk.press(f"{HERE}/new", sent | {name: [value] for name, value in fields.items()})
    assert reply.status_code == 303, text_of(reply)[:800]
    return name_in(reply)


def name_in(reply: httpx.Response) -> str:
    """The name of the thing that an act leads to."""
    return str(httpx.URL(reply.headers["location"]).params["name"])


def at(name: str) -> str:
    return f"{HERE}?name={quote(name, safe='')}"


def digest_in(page: httpx.Response) -> str:
    found = re.search(r'name="terms" value="([^"]+)"', page.text)
    assert found is not None, text_of(page)[:1500]
    return found[1]


def approve(city: City, name: str, who: str) -> httpx.Response:
    with at_desk(city.node, "approver", name=who) as desk:
        page = desk.get(at(name))
        reply = desk.press(f"{HERE}/approve", {"name": name, "terms": digest_in(page)})
        return desk.after(reply)


def only_talk(city: City, title: str) -> str:
    talks = city.federation.agreeing.office.list()["negotiations"]
    (found,) = [each["id"] for each in talks if each["title"] == title]
    return str(found)


def test_an_agreement_lives_from_a_template_to_its_end_through_the_pages_of_two_desks(towns: Towns) -> None:
    helsinki, london = towns.helsinki, towns.london
    with at_desk(helsinki.node, "steward", name="sirpa") as desk:
        name = draft(desk, "Plans")
        page = desk.get(at(name))
        assert "The same in Finnish" in text_of(page)
        assert "Lontoo saa" in page.text or "London saa" in page.text, "the sentences stand there in three languages"
        said = desk.press(f"{HERE}/rewrite", form_with(page.text, "sentences") | {"title": ["Plans of Helsinki"]})
        assert "Plans of Helsinki" in text_of(desk.after(said))
        assert "proposed to the other city" in text_of(desk.after(desk.press(f"{HERE}/propose", {"name": name})))
    theirs = only_talk(london, "Plans of Helsinki")
    with at_desk(london.node, "steward", name="john") as desk:
        page = desk.get(at(theirs))
        sent = form_with(page.text, "sentences") | {"title": ["Plans, for a while"], "until": ["2090-12-31"]}
        assert "on its way" in text_of(desk.after(desk.press(f"{HERE}/counter", sent)))
        assert "What we changed" in text_of(desk.get(at(theirs)))
    towns.settle()
    assert "Another person must approve it, too" in text_of(approve(london, theirs, "grace"))
    assert "You have approved it." in text_of(approve(london, theirs, "henry"))
    ours = only_talk(helsinki, "Plans, for a while")
    with at_desk(helsinki.node, "approver", name="aino") as desk:
        told = text_of(desk.get(at(ours)))
        assert "What the other city changed" in told
        assert "removed:" in told
        assert "added:" in told
        assert "Needs a person" in text_of(desk.get(HERE))
        (need,) = [each for each in helsinki.node.today.look().urgent if each.what == "approval"]
        assert need.values["city"] == "London", "a city by its name, and not by what we call it"
        assert "What the other city changed" in text_of(desk.get(need.path)), "the way on leads to what waits"
    approve(helsinki, ours, "aino")
    approve(helsinki, ours, "pekka")
    towns.settle()
    (held,) = [e for e in helsinki.federation.agreeing.office.list()["agreements"] if "while" in e["title"]]
    assert held["state"] == "in-force"
    short = held["id"].rpartition("/")[2]
    london.pull(helsinki)
    helsinki.pull(london)
    with at_desk(helsinki.node, "approver", name="aino") as desk:
        assert "The agreement is proven" in text_of(desk.get(f"{HERE}/{short}/verify"))
        proof = desk.get(f"{HERE}/{short}/verify?lang=sv")
        assert 'lang="en"' not in proof.text.partition('class="stages"')[2].partition("</ol>")[0]
        assert "Nycklarna för London är fästa" in text_of(proof)
        rows = text_of(desk.get(f"{HERE}?lang=sv"))
        assert "Plans, for a while: Helsinki öppnar för London" in rows
        assert "Omfattar Plans" in rows, "by its title, and not by its name"
        assert json.loads(desk.get(f"{HERE}/{short}/export").content)["agreement"] == held["id"]
        desk.get(at(held["id"]))
        refused = desk.press(f"{HERE}/suspend", {"name": held["id"], "reason": ""})
        assert refused.status_code == 400
        assert "The other city is told why" in text_of(refused)
        for act, reason, state in (
            ("suspend", "A slip", "Suspended"),
            ("resume", "", "In force"),
            ("revoke", "Over", "Revoked"),
        ):
            done = desk.after(desk.press(f"{HERE}/{act}", {"name": held["id"], "reason": reason}))
            assert state in text_of(done), act
            if act == "suspend":
                towns.settle()
                london.pull(helsinki)
                with at_desk(london.node, "viewer", name="vera") as other:
                    today = other.get("/desk")
                    assert "Helsinki has suspended an agreement" in text_of(today)
                    assert other.get(at(held["id"])).status_code == 200
                    assert at(held["id"]) in unescape(today.text), "and the way on leads to it"
    towns.settle()
    london.pull(helsinki)
    assert london.federation.agreeing.office.show(held["id"])["state"] == "revoked"


def test_terms_that_changed_since_they_were_read_are_approved_by_nobody(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "steward", name="sirpa") as desk:
        name = draft(desk, "Changing")
        with at_desk(towns.helsinki.node, "approver", name="aino") as other:
            digest = digest_in(other.get(at(name)))
            desk.press(f"{HERE}/rewrite", form_with(desk.get(at(name)).text, "sentences") | {"title": ["Changed"]})
            reply = other.press(f"{HERE}/approve", {"name": name, "terms": digest})
            assert reply.status_code == 409
            assert "changed" in text_of(reply)
            assert other.press(f"{HERE}/approve", {"name": name}).status_code == 400, "what was read is named"
    assert towns.helsinki.federation.agreeing.office.show(name)["approvals"] == []


@pytest.mark.parametrize("act", ["propose", "counter"])
def test_approving_by_sending_takes_a_password_and_the_terms_that_were_read(
    towns: Towns, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = towns.helsinki.node.staff.sessions
    with at_desk(towns.helsinki.node, "steward", name="sirpa") as desk:
        name = draft(desk, f"To {act}")
        if act == "counter":
            desk.press(f"{HERE}/propose", {"name": name})
            towns.settle()
            theirs = only_talk(towns.london, f"To {act}")
            sessions = towns.london.node.staff.sessions
    city, name = (towns.london, theirs) if act == "counter" else (towns.helsinki, name)
    office = city.federation.agreeing.office
    with at_desk(city.node, "steward", "approver", name="both") as desk:
        sent = next(each for each in forms_to(desk.get(at(name)).text, f"/{act}")) | {"approve": ["yes"]}
        assert desk.press(f"{HERE}/{act}", {k: v for k, v in sent.items() if k != "terms"}).status_code == 400
        refused = desk.press(f"{HERE}/{act}", sent | {"terms": ["sha-256:" + "0" * 64]})
        assert refused.status_code == 409
        assert "changed" in text_of(refused)
        with monkeypatch.context() as later:
            now = sessions._clock_ms
            later.setattr(sessions, "_clock_ms", lambda: now() + FRESH_MS + 1)
            asked = text_of(desk.press(f"{HERE}/{act}", sent))
            assert "Is it you?" in asked
            assert {"propose": "proposed an agreement", "counter": "answered with other terms"}[act] in asked
            assert office.show(name)["approvals"] == []
        assert desk.press(f"{HERE}/{act}", sent | {"title": [f"Done {act}"]}).status_code == 303
    (given,) = office.show(name)["approvals"]
    assert given["person"] == "both"


def test_whoever_may_send_and_not_decide_approves_nothing_by_sending(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "steward", name="sirpa") as desk:
        name = draft(desk, "Not to be approved")
        (sent,) = forms_to(desk.get(at(name)).text, "/propose")
        assert desk.press(f"{HERE}/propose", sent | {"approve": ["yes"]}).status_code == 403
    assert towns.helsinki.federation.agreeing.office.show(name)["kind"] == "draft"


def test_one_person_is_one_yes_however_often_it_is_said(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "steward", name="sirpa") as desk:
        name = draft(desk, "Twice")
    approve(towns.helsinki, name, "aino")
    with at_desk(towns.helsinki.node, "approver", name="aino") as desk:
        page = desk.get(at(name))
        assert "Somebody else must, too" in text_of(page)
        terms = towns.helsinki.federation.agreeing.office.to_approve(name)["terms"]
        assert desk.press(f"{HERE}/approve", {"name": name, "terms": terms}).status_code == 409
    shown = towns.helsinki.federation.agreeing.office.show(name)
    assert ([each["person"] for each in shown["approvals"]], shown["approvals_missing"]) == (["aino"], 1)


ACTS = {
    "new": {"editor", "steward", "admin"},
    "amend": {"editor", "steward", "admin"},
    "ask": {"editor", "steward", "admin"},
    "rewrite": {"editor", "steward", "admin"},
    "drop": {"editor", "steward", "admin"},
    "propose": {"steward", "admin"},
    "counter": {"steward", "admin"},
    "approve": {"approver"},
    "sign": {"approver"},
    "suspend": {"approver"},
    "resume": {"approver"},
    "revoke": {"approver"},
    "offers": {"approver"},
    "offers/withdraw": {"approver"},
    "comment": {"viewer", "editor", "steward", "approver", "admin"},
    "settle": {"viewer", "editor", "steward", "approver", "admin"},
}


@pytest.mark.parametrize("role", ["viewer", "editor", "steward", "approver", "admin"])
def test_every_act_takes_its_right(towns: Towns, role: str) -> None:
    with at_desk(towns.helsinki.node, role, name=f"just-{role}") as desk:
        desk.get(HERE)
        for act, roles in ACTS.items():
            status = desk.press(f"{HERE}/{act}", {"name": "nothing-of-this-name"}).status_code
            assert (status == 403) == (role not in roles), (act, role, status)


def test_a_draft_that_cannot_be_comes_back_with_what_was_typed(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "editor", name="eeva") as desk:
        page = desk.get(f"{HERE}/new?template=restricted-data/1&peer=london")
        sent = form_with(page.text, "sent") | {"place-title": ["Half typed"], "place-ends": ["2001-01-01"]}
        reply = desk.press(f"{HERE}/new", sent)
        assert reply.status_code == 400
        assert "This was not done" in text_of(reply)
        assert 'value="Half typed"' in reply.text
        without = {key: value for key, value in sent.items() if key != "role"}
        assert "Say which city opens its records" in text_of(desk.press(f"{HERE}/new", without))
        for template, peer in (("none", "london"), ("open-metadata/1", "nobody")):
            assert desk.get(f"{HERE}/new?template={template}&peer={peer}").status_code == 404
    titles = [each["title"] for each in towns.helsinki.federation.agreeing.office.list()["drafts"]]
    assert "Half typed" not in titles


def test_no_statement_of_law_is_chosen_for_anybody_and_one_left_out_is_refused_beside_its_field(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "editor", name="eeva") as desk:
        for template, asked in (("restricted-data/1", 1), ("personal-data/1", 2)):
            page = desk.get(f"{HERE}/new?template={template}&peer=london")
            chosen = form_with(page.text, "sent")
            bases = {name: value for name, value in chosen.items() if name.endswith("_basis")}
            assert list(bases.values()) == [[""]] * asked, "nothing is selected before somebody chooses"
            sent = chosen | {"place-ends": ["2090-12-31"], "place-delete_after": ["30"], "place-title": ["Unsaid"]}
            reply = desk.press(f"{HERE}/new", sent)
            assert reply.status_code == 400
            for name in bases:
                assert f'id="{name}-lint"' in reply.text, "said beside the field"
                assert f'href="#{name}"' in reply.text, "and at the top, with the way to it"
            assert text_of(reply).count("Choose what is true.") == asked * 2
            assert "Tick at least one purpose." in text_of(reply)
            assert form_with(reply.text, "sent")["place-delete_after"] == ["30"]
        again = sent | {"place-purposes": [RESEARCH], "place-delete_after-unit": ["M"]}
        again |= {"place-legal_basis": ["Consent"], "place-transfer_basis": ["adequacy"]}
        made = desk.press(f"{HERE}/new", again | {"place-delete_after": ["a month"]})
        assert "Write a whole number, and choose days" in text_of(made)
        name = name_in(desk.press(f"{HERE}/new", again | {"place-delete_after": ["1"]}))
    assert (
        "31 January 2091" in towns.helsinki.federation.agreeing.office.readings.explain(name, "en")["parts"][0]["text"]
    )


@pytest.mark.parametrize(("language", "said"), [("fi", "Valitse se, mikä pitää"), ("sv", "Välj det som är sant")])
def test_what_is_left_out_is_said_in_the_readers_language(towns: Towns, language: str, said: str) -> None:
    with at_desk(towns.helsinki.node, "editor", name="eeva", language=language) as desk:
        page = desk.get(f"{HERE}/new?template=restricted-data/1&peer=london")
        reply = desk.press(f"{HERE}/new", form_with(page.text, "sent"))
        assert said in text_of(reply)
        assert "desk.agr." not in re.sub(r'(href|action|value)="[^"]*"', "", reply.text)
        assert "it has no value" not in reply.text


def test_a_template_for_both_directions_makes_one_document_that_is_proposed_as_one(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "steward", name="sirpa") as desk:
        page = desk.get(f"{HERE}/new?template=digital-declaration/1&peer=london")
        reply = desk.press(f"{HERE}/new", form_with(page.text, "sent") | {"place-title": ["Declaration"]})
        name = name_in(reply)
        assert "/declarations/" in name
        said = text_of(desk.after(reply))
        assert "In force only when both of its agreements are" in said
        assert "Helsinki → London" in said
        assert "London → Helsinki" in said
        assert "gone" in text_of(desk.after(desk.press(f"{HERE}/drop", {"name": name})))


def test_what_was_proposed_is_not_dropped_as_a_draft(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "steward", name="sirpa") as desk:
        name = draft(desk, "Sent")
        desk.press(f"{HERE}/propose", {"name": name})
        reply = desk.press(f"{HERE}/drop", {"name": name})
        assert reply.status_code == 400
        assert "approver" in text_of(reply)


def test_comments_are_for_our_own_people_and_stay_with_the_thing(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "steward", name="sirpa") as desk:
        name = draft(desk, "Talked about")
        reply = desk.press(f"{HERE}/comment", {"name": name, "said": "Ask legal.\nTwice <b>."})
        page = desk.after(reply)
        assert "Ask legal.\nTwice &lt;b&gt;." in page.text
        assert "one open comment" in text_of(desk.get(HERE))
        desk.press(f"{HERE}/propose", {"name": name})
        number = towns.helsinki.federation.agreeing.office.comments(name)[0]["id"]
        talk = only_talk(towns.helsinki, "Talked about")
        assert "Ask legal." in text_of(desk.get(at(talk))), "also under what the draft has become"
        assert "settled" in text_of(desk.after(desk.press(f"{HERE}/settle", {"name": talk, "id": str(number)})))
        assert desk.press(f"{HERE}/settle", {"name": talk, "id": "999999"}).status_code == 404
        assert desk.press(f"{HERE}/comment", {"name": talk, "said": ""}).status_code == 400
    towns.settle()
    theirs = only_talk(towns.london, "Talked about")
    assert towns.london.federation.agreeing.office.comments(theirs) == []
    with at_desk(towns.london.node, "viewer", name="vera") as desk:
        assert "Ask legal" not in desk.get(at(theirs)).text


def test_offers_are_published_asked_for_and_taken_back(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "approver", name="aino") as desk:
        desk.get(f"{HERE}/offers")
        fields = {"target": "plans", "template": "open-metadata/1", "title": "Take our plans", "peers": "london"}
        assert "published" in text_of(desk.after(desk.press(f"{HERE}/offers", fields)))
    with at_desk(towns.london.node, "editor", name="eve") as desk:
        page = desk.get(f"{HERE}/offers?of=helsinki")
        assert "Take our plans" in text_of(page)
        made = desk.press(f"{HERE}/ask", form_with(page.text, "offer"))
        assert towns.london.federation.agreeing.office.show(name_in(made))["role"] == "consumer"
    with at_desk(towns.helsinki.node, "approver", name="aino") as desk:
        page = desk.get(f"{HERE}/offers")
        assert "taken back" in text_of(desk.after(desk.press(f"{HERE}/offers/withdraw", form_with(page.text, "offer"))))
        assert "Take our plans" not in text_of(desk.get(f"{HERE}/offers"))


def test_what_is_to_be_reviewed_is_said_with_the_name_that_the_city_has(towns: Towns) -> None:
    review = (datetime.now(UTC) + timedelta(days=10)).strftime("%Y-%m-%d")
    agree(towns.helsinki.node, towns.london.node, "plans", title="Looked at again", review=review)
    with at_desk(towns.helsinki.node, "viewer", name="vera", language="fi") as desk:
        said = text_of(desk.get(HERE))
    assert "Sopimus on tarkistettava viimeistään" in said
    assert ": London" in said


def test_the_simulator_asks_all_agreements_in_force(towns: Towns) -> None:
    agree(towns.helsinki.node, towns.london.node, "plans", title="To be tried")
    with at_desk(towns.helsinki.node, "viewer", name="vera") as desk:
        said = desk.get(f"{HERE}/try?peer=london&action=index&collection=plans")
        assert "Yes." in text_of(said)
        assert "agreements%2F" in said.text  # whichever of those in force permits it
        assert "No clause permits it." in text_of(desk.get(f"{HERE}/try?peer=london&action=sell&collection=plans"))
        assert desk.get(f"{HERE}/try?peer=london&action=fly&collection=plans").status_code == 400
        assert desk.get(f"{HERE}/try?peer=nobody&action=read&collection=plans").status_code == 404


def test_the_simulator_asks_about_a_dataset_as_well(towns: Towns) -> None:
    agree(towns.helsinki.node, towns.london.node, "plans", title="To be tried")
    towns.helsinki.publish(towns.helsinki.put(7, "Plan of a square"), collection="plans")
    for follower in towns.helsinki.node.followers:
        catch_up(towns.helsinki.node.journals, follower)
    plan = towns.helsinki.record(7)
    with at_desk(towns.helsinki.node, "viewer", name="vera") as desk:
        query = f"{HERE}/try?peer=london&action=index&collection=open-data&record="
        said = text_of(desk.get(query + quote(plan, safe="")))
        assert "Yes." in said
        assert f"Plan of a square {plan}" in said
        assert "No record" in text_of(desk.get(query + "nothing-of-ours"))
        whole = desk.get(f"{HERE}/try?peer=london&action=use&collection=plans")
        assert ("about residents was not looked at" in text_of(whole)) == ("Yes." in text_of(whole))


def test_every_no_about_residents_has_words() -> None:
    codes = {each.code for each in vars(rules).values() if isinstance(each, rules.Verdict)}
    assert len(codes) == 7
    assert all(known(f"desk.agr.no.{code}") for code in codes)


def test_what_is_done_stands_in_the_trail_with_what_it_was_done_to(towns: Towns) -> None:
    with at_desk(towns.helsinki.node, "steward", name="tracy") as desk:
        name = draft(desk, "Written down")
        desk.press(f"{HERE}/comment", {"name": name, "said": "Nobody keeps this text in the trail"})
        desk.press(f"{HERE}/propose", {"name": name})
    found = [(each.act, each.target, each.outcome) for each in towns.helsinki.node.staff.trail.list(who="tracy")]
    assert found == [
        ("agreement.propose", name, "done"),
        ("agreement.comment", name, "done"),
        ("agreement.draft", "london", "done"),
    ]
    assert "Nobody keeps" not in str(towns.helsinki.node.staff.trail.list(who="tracy"))


@pytest.mark.parametrize(
    "name", ["none", "abcd", "%00", "x" * 700, "http://nowhere.example/agreements/1", "../..", "é"]
)
def test_a_thing_that_there_is_not_is_told_so(towns: Towns, name: str) -> None:
    with at_desk(towns.helsinki.node, "viewer", name="vera") as desk:
        for path in (f"{HERE}?name={quote(name)}", f"{HERE}/{quote(name, safe='')}/verify"):
            assert desk.get(path).status_code in (400, 404), path


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_every_page_is_in_the_readers_language(towns: Towns, language: str) -> None:
    with at_desk(towns.helsinki.node, "steward", "approver", name="lang", language=language) as desk:
        name = draft(desk, f"Title {language}")
        paths = [HERE, f"{HERE}?ended=true", at(name), f"{HERE}/new", f"{HERE}/offers", f"{HERE}/try"]
        for path in paths:
            page = desk.get(path)
            assert page.status_code == 200
            assert f'<html lang="{language}"' in page.text
            assert "desk.agr." not in re.sub(r'(href|action|value)="[^"]*"', "", page.text), path


def test_what_the_node_alone_writes_is_not_offered_to_be_opened(towns: Towns) -> None:
    node = towns.helsinki.node
    for name in ("evidence", "agreements"):
        if name not in {each.name for each in node.shelf.collections()}:
            node.create_collection(name, title="Its own", visibility="restricted", at_ms=clock_ms())
    with at_desk(node, "approver", "editor") as desk:
        for path in (f"{HERE}/new?template=open-metadata/1&peer=london", f"{HERE}/offers", f"{HERE}/try"):
            page = desk.get(path).text
            assert "plans" in page
            assert "collections/evidence" not in page
            assert 'value="evidence"' not in page
            assert "agreements-" not in page.replace("/desk/agreements-", "")
        form = desk.get(f"{HERE}/new?template=open-metadata/1&peer=london").text
        sent = form_with(form, "sent") | {"ours": [f"{HELSINKI}/collections/evidence"], "place-title": ["All"]}
        assert desk.press(f"{HERE}/new", sent).status_code == 404
