"""Laws of submitting as a person does: a form made of the table, faults beside fields, a page that only one has."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.catalog.submission_rules import CITY_SAYS
from node.vocab.kinds import TABLES
from node.web.forms.forms import Form
from node.web.portal.submission_form import described_in, groups_of, wrong_in
from node.web.wording.words import LANGUAGES, words
from tests.web.cities import PARKING
from tests.web.desk.rig import Browser, text_of
from tests.web.find_rig import Rig
from tests.web.finding import found_city
from tests.web.walk import Page

pytestmark = pytest.mark.slow

_numbers = itertools.count(1)
REUSE = TABLES["reuse"]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("submitting"), migrated) as made:
        yield made


@pytest.fixture
def reader(rig: Rig) -> Iterator[Browser]:
    browser = Browser(rig)
    yield browser
    browser.close()
    with rig.node.db.write() as tx:
        tx.run("DELETE FROM submission")


def fields(**more: str | list[str]) -> dict[str, str | list[str]]:
    number = next(_numbers)
    named = {name.replace("__", "."): value for name, value in more.items()}
    return {
        "kind": "reuse",
        "language": "en",
        "title": f"Kerb finder {number}",
        "description": "It finds a place to stop.",
        "datasets": PARKING.record,
        "link": f"https://app.example.org/{number}",
        "maker.name": "Kerb Oy",
        "type": "app",
        "free": "yes",
        "theme": ["TRAN"],
        "email": "ada@app.example.org",
        "leave_empty": "",
        **named,
    }


def test_the_form_asks_everything_but_what_the_city_says(rig: Rig, reader: Browser) -> None:
    page = Page("http://x/", reader.get("/submissions/new").text)
    (form,) = (each for each in page.forms if each.method == "post")
    asked = {name.partition(".")[0] for name in form.fields}
    assert {field.name for field in REUSE.fields} - CITY_SAYS <= asked
    assert asked.isdisjoint(CITY_SAYS)
    assert form.action.endswith("/submissions")


def test_a_browser_that_comes_to_the_door_finds_the_form_and_a_program_its_description(reader: Browser) -> None:
    assert "<form" in reader.get("/submissions").text
    assert reader.get("/submissions", accept="application/json").json()["kinds"][0]["kind"] == "reuse"


def test_the_form_begins_with_the_record_one_comes_from(reader: Browser) -> None:
    assert PARKING.record in reader.get(f"/submissions/new?about={PARKING.record}").text
    assert "javascript:" not in reader.get("/submissions/new?about=javascript:alert(1)").text


def test_a_person_submits_and_reads_how_it_stands(rig: Rig, reader: Browser) -> None:
    told = reader.after(reader.press("/submissions", fields()))
    assert (told.headers["cache-control"], "waits to be looked at" in text_of(told)) == ("no-store", True)
    assert 'href="/reuses"' in told.text, "it is no dead end"
    (found,) = rig.node.knowledge.submissions.list()
    assert (found.said["free"], found.said["theme"], found.said["datasets"]) == (True, ["TRAN"], [PARKING.record])
    assert found.said["maker"] == {"name": {"en": "Kerb Oy"}}
    assert found.contact == "ada@app.example.org"


def test_the_page_of_a_submission_says_the_decision_and_nobody_else_finds_it(rig: Rig, reader: Browser) -> None:
    where = reader.press("/submissions", fields()).headers["location"]
    (found,) = rig.node.knowledge.submissions.list()
    rig.node.knowledge.submissions.refuse(found.id, reason="It shows <nothing>.")
    page = reader.get(where).text
    assert "It shows &lt;nothing&gt;." in page
    assert reader.get(where.partition("?")[0]).status_code == 404
    assert reader.get(where, accept="application/json").json()["state"] == "refused"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    rig: Rig, reader: Browser, language: str
) -> None:
    reader.language = language
    given = fields(title="", description="<b>bold</b>", maker__name="", type="nonsense", summary="Kept.")
    reply = reader.press("/submissions", given)
    assert reply.status_code == 400
    for name in ("title", "maker.name"):
        assert f'id="{name}-lint"' in reply.text, name
    assert "Kept." in reply.text
    assert "&lt;b&gt;bold" in reply.text
    assert "<b>bold" not in reply.text
    assert 'value="TRAN" checked' in reply.text
    assert rig.node.knowledge.submissions.list() == []


def test_a_mailbox_that_is_none_is_said_beside_it(reader: Browser) -> None:
    reply = reader.press("/submissions", fields(email="nobody"))
    assert (reply.status_code, 'id="email-lint"' in reply.text) == (400, True)


def test_the_same_twice_is_said_and_what_was_typed_stays(reader: Browser) -> None:
    given = fields()
    reader.press("/submissions", given)
    again = reader.press("/submissions", given)
    assert (again.status_code, str(given["title"]) in again.text) == (409, True)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_an_address_that_submits_too_often_is_told_until_when_and_keeps_what_it_wrote(
    rig: Rig, reader: Browser, language: str
) -> None:
    reader.language = language
    most = rig.node.knowledge.submissions.bounds.per_hour
    for _ in range(most):
        assert reader.press("/submissions", fields()).status_code == 303
    reply = reader.press("/submissions", fields(summary="Kept <words>."))
    assert (reply.status_code, "Kept &lt;words&gt;." in reply.text) == (429, True)
    assert words(language, "submit.enough_hour", most=most) in text_of(reply)
    assert words(language, "form.kept") in text_of(reply)
    assert int(reply.headers["retry-after"]) > 0


def test_what_is_too_long_or_in_no_language_is_said_on_the_form_and_nothing_is_lost(rig: Rig, reader: Browser) -> None:
    long = reader.press("/submissions", fields(description="x" * 60_000, summary="Kept."))
    assert (long.status_code, "Kept." in long.text, "x" * 60_000 in long.text) == (400, True, True)
    odd = reader.press("/submissions", fields(language="zz", summary="Kept."))
    assert (odd.status_code, "Kept." in odd.text) == (400, True)
    assert "Choose the language you write in." in text_of(odd)
    assert rig.node.knowledge.submissions.list() == []
    pasted = reader.press("/submissions", fields(description="Page one.\x0cPage two."))
    assert pasted.status_code == 303


def test_another_sites_page_submits_nothing_in_a_visitors_name(rig: Rig, reader: Browser) -> None:
    body = b'{"kind": "reuse", "described": {}}'
    given = {"content-type": "application/json", "origin": "https://evil.example", "accept": "application/json"}
    foreign = reader._runner.run(reader._client.post("/submissions", content=body, headers=given))
    assert foreign.status_code == 403
    program = reader._runner.run(
        reader._client.post("/submissions", content=body, headers={"content-type": "application/json"})
    )
    assert program.status_code == 400, "a program without an origin is heard, and told what is missing"


def test_only_our_own_page_sends_forms_here(rig: Rig, reader: Browser) -> None:
    assert reader.press("/submissions", fields(), origin="https://evil.example").status_code == 403
    assert reader.press("/submissions", fields(), sec_fetch_site="cross-site").status_code == 403
    assert reader.press("/submissions", fields(leave_empty="x")).status_code == 400
    assert rig.node.knowledge.submissions.list() == []


def test_every_field_is_labelled_in_every_language_and_read_back_as_it_was_written() -> None:
    for table in (REUSE,):
        for language in LANGUAGES:
            for group in groups_of(table, language):
                assert all(one.label and one.hint and one.look for one in group.asked), group
    sent = Form(
        {"title": ["A"], "keywords": ["one\r\ntwo\n\n"], "contact.name": ["Team"], "free": ["no"], "type": [""]}
    )
    assert described_in(REUSE, sent) == {
        "title": "A",
        "keywords": ["one", "two"],
        "contact": {"name": "Team"},
        "free": False,
    }


def test_faults_find_their_field_and_what_concerns_none_stands_above() -> None:
    places = [
        ("/described/title", "missing"),
        ("/described/maker/name/en", "too long"),
        ("/described/datasets/3", "bad"),
        ("/described", "too much"),
        ("/described/maker", "missing"),
    ]
    found = wrong_in(REUSE, places, ["missing", "too-long", "no-such-code", "too-much", "missing"])
    assert set(found) == {"title", "maker.name", "datasets", ""}
    assert (found["datasets"].key, found["datasets"].said) == ("submit.wrong.other", "bad")
