"""Laws of the reports of readers: a form without an account, a page that tells how it stands, and the desk's inbox."""

import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from node.catalog.problem_reports import KINDS
from node.errors import JournalBusy, Unavailable
from node.web.wording.text import moment
from node.web.wording.words import LANGUAGES, words
from tests.web.cities import PARKING
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.desk.sent import form_with
from tests.web.find_rig import LONDON, Rig
from tests.web.finding import VAULT, found_city
from tests.web.walk import Page

pytestmark = pytest.mark.slow

_numbers = itertools.count(1)
FORM = f"/report?iri={PARKING.record}"
KERBS = f"{LONDON}/datasets/kerbs"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("reports"), migrated) as made:
        yield made


@pytest.fixture
def reader(rig: Rig) -> Iterator[Browser]:
    browser = Browser(rig)
    yield browser
    browser.close()
    with rig.node.db.write() as tx:
        tx.run("DELETE FROM problem_report")
        tx.run("DELETE FROM outgoing")


def fields(**more: str) -> dict[str, str | list[str]]:
    return {"iri": PARKING.record, "kind": "old", "text": f"It is old {next(_numbers)}.", "leave_empty": "", **more}


def reported(reader: Browser, **more: str) -> str:
    reply = reader.press("/report", fields(**more))
    assert reply.status_code == 303, text_of(reply)
    return str(reply.headers["location"]).rpartition("/")[2].partition("?")[0]


def test_a_form_that_is_sent_twice_leads_to_one_page_and_without_its_key_it_says_where_to_look(reader: Browser) -> None:
    keys = [re.findall(r'name="key" value="([0-9a-f]{32})"', reader.get(FORM).text)[0] for _ in range(2)]
    assert keys[0] != keys[1]
    sent = fields(key=keys[0])
    first, second = (reader.press("/report", sent).headers["location"] for _ in range(2))
    assert first == second
    again = reader.press("/report", {name: value for name, value in sent.items() if name != "key"})
    assert again.status_code == 409
    assert "history of your browser" in text_of(again)


def test_a_reader_reports_from_the_records_page_and_follows_how_it_stands(reader: Browser) -> None:
    page = reader.get("/datasets/parking")
    link = re.search(r'href="(/report\?iri=[^"]+)"', page.text)
    assert link, "the page of a record leads to the form"
    form = reader.get(link.group(1))
    assert form.status_code == 200
    assert all(f'value="{kind}"' in form.text for kind in KINDS)
    assert "set-cookie" not in form.headers
    reply = reader.press("/report", fields(text="The fence is gone.", mailbox="ada@example.org"))
    told = reader.after(reply)
    assert told.headers["cache-control"] == "no-store"
    assert "received" in text_of(told)
    assert "The fence is gone." not in told.text
    assert "ada@example.org" not in told.text


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
@pytest.mark.parametrize(("field", "value"), [("text", ""), ("kind", "nonsense"), ("mailbox", "no mailbox")])
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    rig: Rig, reader: Browser, language: str, field: str, value: str
) -> None:
    reader.language = language
    reply = reader.press(
        "/report", fields(**({"text": "Kept <words>.", "mailbox": "ada@example.org"} | {field: value}))
    )
    assert reply.status_code == 400
    assert 'class="field flawed"' in reply.text
    assert f'<html lang="{language}">' in reply.text
    assert field == "text" or "Kept &lt;words&gt;." in reply.text
    assert field == "mailbox" or "ada@example.org" in reply.text
    assert rig.node.readers.reports.list() == []


def test_the_same_report_twice_says_that_it_is_known(reader: Browser) -> None:
    reported(reader, text="Twice.")
    again = reader.press("/report", fields(text="Twice."))
    assert (again.status_code, "not settled yet" in text_of(again)) == (409, True)


def test_a_form_of_another_site_and_a_filled_trap_are_refused(rig: Rig, reader: Browser) -> None:
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ):
        assert reader.press("/report", fields(), **headers).status_code == 403
    assert reader.press("/report", fields(leave_empty="https://spam.example")).status_code == 400
    assert rig.node.readers.reports.list() == []


@pytest.mark.parametrize("iri", ["", "urn:nothing", VAULT.iri, "x" * 3_000, "\x00"])
def test_what_is_not_there_for_everybody_cannot_be_reported(rig: Rig, reader: Browser, iri: str) -> None:
    assert reader.press("/report", fields(iri=iri)).status_code in (400, 404)
    assert reader.send_query("/report", {"iri": [iri]}).status_code in (400, 404)
    assert rig.node.readers.reports.list() == []


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_an_address_that_reports_too_often_is_told_how_many_and_until_when_and_keeps_its_words(
    reader: Browser, language: str
) -> None:
    reader.language = language
    replies = [reader.press("/report", fields(text=f"Kept <{n}>.")) for n in range(6)]
    assert [each.status_code for each in replies] == [303] * 5 + [429]
    told = replies[-1]
    wait_s = int(told.headers["retry-after"])
    assert 3_000 < wait_s <= 3_600
    assert words(language, "report.enough_hour", most=5) in text_of(told)
    again = [moment(round(time.time() + wait_s + off) * 1000, language) for off in (-60, 0, 60)]
    assert any(words(language, "form.again", time=at) in text_of(told) for at in again)
    assert "Kept &lt;5&gt;." in told.text
    assert f'<html lang="{language}">' in told.text


@pytest.mark.parametrize("error", [Unavailable("Shut."), JournalBusy("Busy.")])
def test_a_node_that_takes_no_report_now_keeps_what_was_typed(
    rig: Rig, reader: Browser, monkeypatch: pytest.MonkeyPatch, error: Unavailable
) -> None:
    def shut(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr(type(rig.node.readers.reports), "report", shut)
    reply = reader.press("/report", fields(text="Kept."))
    assert (reply.status_code, "Kept." in reply.text, "Nothing was sent" in text_of(reply)) == (503, True, True)


def test_what_is_too_long_is_said_beside_the_field_and_stays(rig: Rig, reader: Browser) -> None:
    reply = reader.press("/report", fields(text="x" * 30_000))
    assert (reply.status_code, "x" * 30_000 in reply.text) == (400, True)
    assert "You wrote 30,000 characters; at most 4,000" in text_of(reply)
    assert rig.node.readers.reports.list() == []


def test_signs_that_come_with_pasted_text_are_no_reason_to_refuse_it(rig: Rig, reader: Browser) -> None:
    name = reported(reader, text="Page one.\x0cPage two.\x00\x1b")
    assert rig.node.readers.reports.show(name).said == "Page one.\nPage two."


def test_staff_reads_what_the_record_is_called_in_the_citys_language(rig: Rig, reader: Browser) -> None:
    titles = []
    for language in ("en", "fi", "sv"):
        reader.language = language
        titles.append(rig.node.readers.reports.show(reported(reader, iri=PARKING.record)).title)
    assert len(set(titles)) == 1, "whatever the reader's language was"


def test_a_form_that_drips_is_told_that_the_line_is_slow(reader: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> bytes:
        raise TimeoutError

    monkeypatch.setattr("node.web.wire.bodies._read", never)
    reply = reader.press("/report", fields())
    assert (reply.status_code, "did not arrive within 15 seconds" in text_of(reply)) == (413, True)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_what_is_no_form_of_ours_is_refused_in_the_readers_language_and_in_words_that_fit(
    reader: Browser, language: str
) -> None:
    reader.language = language
    foreign = reader.press("/report", fields(), origin="null")
    assert (foreign.status_code, words(language, "form.foreign") in text_of(foreign)) == (403, True)
    assert words(language, "form.foreign.title") in text_of(foreign)
    assert words(language, "why.forbidden") not in text_of(foreign)
    for key, status, given, headers in (
        ("form.none", 400, {}, {"content_type": "text/plain"}),
        ("form.none", 400, {}, {"content_type": "application/json"}),
        ("form.large", 413, {"text": "x" * 300_000}, {}),
        ("refuse.iri", 400, {"iri": ""}, {}),
    ):
        reply = reader.press("/report", fields(**given), **headers)
        assert (reply.status_code, words(language, key, most=256) in text_of(reply)) == (status, True), key
        assert words(language, "why.malformed") not in text_of(reply)
    bare = reader.get("/report")
    assert (bare.status_code, words(language, "refuse.iri") in text_of(bare)) == (400, True)
    for path in (f"/reports/{'a' * 100}", f"/get/datasets/x/{'1' * 30}"):
        reply = reader.get(path)
        assert (reply.status_code, words(language, "refuse.path") in text_of(reply)) == (400, True), path
        assert 'lang="en"' not in reply.text.partition("<main")[2].partition("</main")[0] or language == "en"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_what_cannot_be_done_at_an_address_is_said_with_what_can(reader: Browser, language: str) -> None:
    given = {"accept": "text/html", "accept-language": language}
    reply = reader._runner.run(reader._client.put("/report", headers=given))
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    assert words(language, "refuse.method", method="PUT", known="GET, HEAD, POST") in text_of(reply)


def test_programs_get_json(reader: Browser) -> None:
    made = reader.press("/report", fields(), accept="application/json")
    told = made.json()
    assert (made.status_code, told["state"], made.headers["location"]) == (201, "received", told["status"])
    stands = reader.get(f"/reports/{told['id']}", accept="application/json").json()
    assert (stands["record"], stands["state"], "text" in stands) == (PARKING.record, "received", False)
    assert reader.get(f"/reports/{told['id']}.json").json() == stands
    assert reader.press("/report", fields(text=""), accept="application/json").json()["errors"]


def test_a_report_of_another_citys_record_says_whose_it_is(rig: Rig, reader: Browser) -> None:
    assert "E-mail stays here" in text_of(reader.get(f"/report?iri={KERBS}")).replace("e-mail", "E-mail")
    name = reported(reader, iri=KERBS)
    found = rig.node.readers.reports.show(name)
    assert (found.way, found.peer) == ("sent", LONDON)
    page = text_of(reader.get(f"/reports/{name}"))
    assert "Sent on to its city" in page
    assert "still to come" in page


def test_no_report_is_found_by_guessing(reader: Browser) -> None:
    name = reported(reader)
    for guess in (name[:8], "0" * 16, "%", f"{name}0"):
        assert reader.get(f"/reports/{guess}").status_code == 404


def test_a_report_of_a_record_that_is_gone_names_it_no_more(rig: Rig, reader: Browser) -> None:
    name = reported(reader)
    with rig.node.db.write() as tx:
        tx.run("UPDATE problem_report SET iri = ? WHERE id = ?", VAULT.iri, name)
    page = reader.get(f"/reports/{name}").text
    assert "not shown here any more" in page
    assert "Parking under the bank" not in page


# ---------------------------------------------------------------- the desk


def test_staff_reads_answers_sorts_and_settles_in_the_inbox(rig: Rig, reader: Browser) -> None:
    name = reported(reader, text="The fence is gone.", mailbox="ada@example.org")
    with at_desk(rig, "editor", name="eeva") as desk:
        assert "The fence is gone." in text_of(desk.get("/desk/inbox"))
        page = desk.get(f"/desk/inbox/{name}")
        assert "ada@example.org" in page.text
        desk.after(desk.press(f"/desk/inbox/{name}/sort", {"kind": "wrong"}))
        noted = desk.after(desk.press(f"/desk/inbox/{name}/answer", {"text": "We look."}))
        assert "Readers now see" in text_of(noted)
        assert "We look." in reader.get(f"/reports/{name}").text
        given = {"outcome": "mended", "reason": "A new fence.", "publish": "yes"}
        done = desk.after(desk.press(f"/desk/inbox/{name}/close", given))
        assert "A new fence." in done.text
        assert "ada@example.org" not in done.text
        assert name not in desk.get("/desk/inbox").text
        assert name in desk.get("/desk/inbox?show=settled").text
    told = text_of(reader.get(f"/reports/{name}"))
    assert "The fence is gone." in told
    assert "A new fence." in told
    acts = [(one.who, one.act, one.target, one.outcome) for one in rig.node.staff.trail.list(who="eeva")]
    assert acts == [("eeva", f"report.{act}", name, "done") for act in ("close", "answer", "sort")]


def test_an_answer_does_not_take_the_place_of_one_that_nobody_saw(rig: Rig, reader: Browser) -> None:
    name, reports = reported(reader), rig.node.readers.reports
    with at_desk(rig, "editor", name="eeva") as desk:
        page = desk.get(f"/desk/inbox/{name}").text
        old, settling = form_with(page, "text"), form_with(page, "reason")
        reports.answer(name, "Theirs.")
        refused = desk.press(f"/desk/inbox/{name}/answer", old | {"text": ["Mine."]})
        assert refused.status_code == 409
        assert "The answer above is new." in text_of(refused)
        assert (reports.show(name).reason, "Theirs." in refused.text) == ("Theirs.", True)
        again = form_with(refused.text, "text")
        assert again["text"] == ["Mine."]
        settling |= {"outcome": ["declined"], "reason": ["No."], "publish": ["yes"]}
        unsettled = desk.press(f"/desk/inbox/{name}/close", settling)
        assert (unsettled.status_code, reports.show(name).state) == (409, "looking")
        kept = form_with(unsettled.text, "reason")
        assert (kept["outcome"], kept["reason"], kept["publish"]) == (["declined"], ["No."], ["yes"])
        desk.after(desk.press(f"/desk/inbox/{name}/answer", again))
        assert reports.show(name).reason == "Mine."
        assert desk.press(f"/desk/inbox/{name}/answer", again).status_code == 303, "sent twice is no clash"


def test_a_viewer_reads_the_inbox_and_settles_nothing(rig: Rig, reader: Browser) -> None:
    name = reported(reader)
    with at_desk(rig, "viewer", name="ville") as desk:
        assert '<form method="post" action="/desk/inbox' not in desk.get(f"/desk/inbox/{name}").text
        given = {"outcome": "mended", "reason": "No."}
        assert desk.press(f"/desk/inbox/{name}/close", given).status_code == 403
    assert rig.node.readers.reports.show(name).state == "received"


def test_another_citys_report_is_shown_without_a_decision(rig: Rig, reader: Browser) -> None:
    name = reported(reader, iri=KERBS)
    with at_desk(rig, "steward", name="sirpa") as desk:
        page = desk.get(f"/desk/inbox/{name}")
        assert "that city’s to settle" in page.text
        assert f"/desk/inbox/{name}/close" not in page.text
        given = {"outcome": "mended", "reason": "Ours?"}
        assert desk.press(f"/desk/inbox/{name}/close", given).status_code == 409


def test_an_empty_inbox_says_so(rig: Rig, reader: Browser) -> None:
    with at_desk(rig, "viewer", name="ville") as desk:
        assert "No report waits" in text_of(desk.get("/desk/inbox"))
        assert "Nothing was settled yet" in text_of(desk.get("/desk/inbox?show=settled"))
        assert desk.get("/desk/inbox/ffff").status_code == 404


def test_no_form_about_a_report_breaks_the_node(rig: Rig, reader: Browser) -> None:
    name = reported(reader)
    with at_desk(rig, "editor", name="eeva") as desk:
        page = desk.get(f"/desk/inbox/{name}")
        forms = [form for form in Page(desk.base, page.text).forms if "/desk/inbox/" in form.action]
        assert len(forms) == 3
        for form in forms:
            path = form.action.removeprefix(desk.base)
            for hostile in ("", "\x00", "a" * 5_000, "<script>", "\ud7ff\u202e", "{{ 7*7 }}", "mended\n"):
                for field in form.fields.keys() - {"token"}:
                    given = {key: value for key, value in form.fields.items() if key != "token"} | {field: [hostile]}
                    status = desk.press(path, given).status_code
                    assert status in (303, 400, 409), (path, field, hostile, status)
            assert desk.press(path, {"\u2603": ["x"] * 50}).status_code in (303, 400, 409)
        assert desk.get(f"/desk/inbox/{name}").status_code == 200


# ---------------------------------------------------------------- the staff's API


def test_the_api_does_what_the_desk_does(rig: Rig, reader: Browser) -> None:
    name, staff = reported(reader), rig.bearer(f"ada-{next(_numbers)}", staff=True)

    def post(act: str, body: str) -> httpx.Response:
        given = {"content_type": "application/json", "authorization": staff["authorization"]}
        return reader._runner.run(
            reader._client.post(
                f"/api/reports/{name}/{act}",
                content=body.encode(),
                headers={key.replace("_", "-"): value for key, value in given.items()},
            )
        )

    listed = reader.get("/api/reports", accept="application/json", **staff).json()["reports"]
    assert [each["id"] for each in listed] == [name]
    assert post("sort", '{"kind": "link"}').json()["kind"] == "link"
    assert post("answer", '{"text": "We look."}').json()["state"] == "looking"
    assert post("close", '{"outcome": "mended"}').status_code == 400
    assert post("close", '{"outcome": "mended", "reason": "Done."}').json()["state"] == "mended"
    settled = reader.get("/api/reports?settled=true", accept="application/json", **staff).json()["reports"]
    assert (settled[0]["answer"], "text" in settled[0]) == ("Done.", False)
    assert reader.get(f"/api/reports/{name[:8]}", accept="application/json", **staff).json()["id"] == name
    assert reader.get("/api/reports", accept="application/json").status_code == 401
