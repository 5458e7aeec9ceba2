"""Laws of the records at the desk: nothing written is lost, what is published is what was seen, nothing is final."""

import html
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.vocab.kinds import TABLES, example_of
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.desk.sent import Forms, form_with, forms_to
from tests.web.find_rig import Rig
from tests.web.finding import found_city

pytestmark = pytest.mark.slow  # a whole node

SNOW = "/desk/records/practice/snow"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("records"), migrated) as made:
        yield made


@pytest.fixture
def desk(rig: Rig) -> Iterator[Browser]:
    with at_desk(rig, "editor") as browser:
        yield browser
    with rig.node.db.write() as tx:
        tx.run("DELETE FROM record_draft")


def form_of(browser: Browser, path: str, fields_of: str = "/title/en") -> dict[str, list[str]]:
    return form_with(browser.get(path).text, fields_of)


def send(browser: Browser, path: str, fields: dict[str, list[str]], **more: str) -> str:
    reply = browser.press(path, {**fields, **more})
    return browser.after(reply).text if reply.status_code == 303 else reply.text


def as_read(rig: Rig, kind: str, slug: str) -> dict[str, str]:
    """What a form of a page says of the draft that it showed."""
    draft = rig.node.knowledge.drafts.get(kind, slug)
    return {"version": str(draft.version), "saved": str(draft.at_ms)}


def begin(rig: Rig, slug: str = "snow", kind: str = "practice") -> None:
    rig.node.knowledge.drafts.save(kind, slug, example_of(TABLES[kind]), who="maija")


def test_a_title_is_enough_to_begin_and_the_page_says_what_is_missing(rig: Rig, desk: Browser) -> None:
    desk.get("/desk/records")
    reply = desk.press("/desk/records", {"kind": "challenge", "title": "Where is the snow?"})
    assert reply.headers["location"].startswith("/desk/records/challenge/where-is-the-snow?")
    shown = text_of(desk.after(reply))
    assert "things before this can be published" in shown or "One thing before" in shown
    assert "What we look for" in shown


def begun_as(desk: Browser, kind: str, title: str) -> str:
    desk.get("/desk/records")
    reply = desk.press("/desk/records", {"kind": kind, "title": title})
    assert title in text_of(desk.after(reply))
    return reply.headers["location"].removeprefix(f"/desk/records/{kind}/").partition("?")[0]


def test_a_button_pressed_twice_begins_one_draft_and_a_title_used_again_another(rig: Rig, desk: Browser) -> None:
    twice = [begun_as(desk, "challenge", "Where is the ice?") for _ in range(2)]
    assert twice == ["where-is-the-ice"] * 2
    draft = rig.node.knowledge.drafts.get("challenge", "where-is-the-ice")
    said = {**draft.said, "plain_summary": {"en": "On the lake."}}
    rig.node.knowledge.drafts.save("challenge", draft.slug, said, who=draft.who, version=draft.version)
    assert begun_as(desk, "challenge", "Where is the ice?") == "where-is-the-ice-2"


@pytest.mark.parametrize(
    ("title", "slug"), [("Куда девается снег?", "kuda-devaetsya-sneg"), ("北京的树木", "practice-af9dae5a")]
)
def test_a_title_of_any_script_has_an_address_of_its_own(desk: Browser, title: str, slug: str) -> None:
    assert begun_as(desk, "practice", title) == slug


@pytest.mark.parametrize("title", ["!!!", "… – ?", "#"])
def test_a_title_without_a_word_is_sent_back_and_begins_nothing(rig: Rig, desk: Browser, title: str) -> None:
    desk.get("/desk/records")
    before = len(rig.node.knowledge.drafts.list())
    again = desk.press("/desk/records", {"kind": "practice", "title": title})
    assert again.status_code == 400
    assert f"{title}</textarea>" in again.text
    assert 'name="kind" value="practice"' in again.text
    assert "no letter or digit" in text_of(again)
    assert len(rig.node.knowledge.drafts.list()) == before


def test_collections_and_records_are_called_by_their_titles_with_their_names_beside_them(
    rig: Rig, desk: Browser
) -> None:
    begin(rig, "called")
    desk.get("/desk/records/practice/called")
    reply = desk.press("/desk/records/practice/called/publish", as_read(rig, "practice", "called"))
    title = example_of(TABLES["practice"])["title"]["en"]
    assert f"Published: {title}" in text_of(desk.after(reply))
    told = text_of(desk.get("/desk/records/practice/called/history"))
    assert "Published in Practices, entry" in told
    assert "/practices/called" in told
    edited = desk.get("/desk/records/practice/called").text
    assert "Practices (practices, " in edited


def test_what_is_to_be_mended_is_listed_to_the_last(rig: Rig, desk: Browser) -> None:
    said = example_of(TABLES["practice"]) | {"theme": [f"X{number}" for number in range(25)]}
    rig.node.knowledge.drafts.save("practice", "long", said, who="maija")
    page = desk.get("/desk/records/practice/long").text
    assert "<summary>5 more</summary>" in page
    assert all(f"X{number}" in page.partition("<form method")[2] for number in range(25))
    summary = page.partition('id="sum"')[2].partition("<form")[0]
    assert summary.count("<li>") == 25


@pytest.mark.parametrize("kind", [kind for kind in TABLES if kind != "city-model"])
def test_a_form_that_is_sent_as_it_came_changes_nothing(rig: Rig, desk: Browser, kind: str) -> None:
    begin(rig, "sample", kind)
    before = rig.node.knowledge.drafts.get(kind, "sample").said
    path = f"/desk/records/{kind}/sample"
    send(desk, path, form_of(desk, path), do="save")
    after = rig.node.knowledge.drafts.get(kind, "sample")
    assert after.said == before
    assert after.version == 2


def test_groups_come_and_go_without_a_script_and_keep_what_was_written(rig: Rig, desk: Browser) -> None:
    begin(rig)
    fields = form_of(desk, SNOW)
    fields["/title/en"] = ["Snow, written before the button"]
    send(desk, SNOW, fields, do="add:/evidence")
    fields = form_of(desk, SNOW)
    assert fields["/evidence?"] == ["2"]
    fields["/evidence/1/indicator/en"] = ["Litter on the shore"]
    fields["/evidence/1/value"] = ["3,400"]
    send(desk, SNOW, fields, do="save")
    said = rig.node.knowledge.drafts.get("practice", "snow").said
    assert said["title"]["en"] == "Snow, written before the button"
    assert said["evidence"][1] == {"indicator": {"en": "Litter on the shore"}, "value": "3400"}
    send(desk, SNOW, form_of(desk, SNOW), do="remove:/evidence/0")
    said = rig.node.knowledge.drafts.get("practice", "snow").said
    assert [each["indicator"]["en"] for each in said["evidence"]] == ["Litter on the shore"]


def test_another_language_keeps_the_texts_of_the_first(rig: Rig, desk: Browser) -> None:
    begin(rig)
    said = rig.node.knowledge.drafts.get("practice", "snow").said
    shown = send(desk, SNOW, form_of(desk, SNOW), do="text:sv")
    assert 'name="text" value="sv"' in shown
    fields = form_of(desk, SNOW + "?text=sv", "/title/sv")
    assert "/title/en" not in fields
    fields["/title/sv"] = ["Vart snön tar vägen"]
    send(desk, SNOW, fields, do="save")
    after = rig.node.knowledge.drafts.get("practice", "snow").said
    assert after["title"] == {**said["title"], "sv": "Vart snön tar vägen"}
    assert {name: value for name, value in after.items() if name != "title"} == {
        name: value for name, value in said.items() if name != "title"
    }


def test_who_saves_over_somebody_sees_both_and_loses_nothing(rig: Rig, desk: Browser) -> None:
    begin(rig)
    fields = form_of(desk, SNOW)
    said = rig.node.knowledge.drafts.get("practice", "snow").said
    rig.node.knowledge.drafts.save("practice", "snow", {**said, "title": {"en": "Theirs"}}, who="olli")
    reply = desk.press(SNOW, {**fields, "/title/en": "Mine", "do": "save"})
    assert reply.status_code == 409
    assert "Saved meanwhile by: olli" in text_of(reply)
    assert 'value="Mine"' in reply.text
    assert rig.node.knowledge.drafts.get("practice", "snow").said["title"] == {"en": "Theirs"}
    desk.after(desk.press(SNOW, {**form_with(reply.text, "/title/en"), "do": "save"}))
    assert rig.node.knowledge.drafts.get("practice", "snow").said["title"]["en"] == "Mine"


def test_lint_stands_beside_the_field_and_is_said_of_one_field_without_saving(rig: Rig, desk: Browser) -> None:
    begin(rig)
    fields = form_of(desk, SNOW)
    fields["/contact/email"] = ["maija.meri@hel.example"]
    fields["/evidence/0/value"] = ["many"]
    reply = desk.press(f"{SNOW}/lint?place=/evidence/0/value", fields, hx_request="true")
    assert reply.status_code == 200
    assert reply.text.count("<ul") == 1
    assert "Write a number" in text_of(reply)
    assert rig.node.knowledge.drafts.get("practice", "snow").version == 1
    shown = send(desk, SNOW, fields, do="save")
    assert 'href="#f-evidence-0-value"' in shown
    assert 'aria-invalid="true"' in shown
    with at_desk(rig, "editor", language="fi") as finn:
        assert "Kirjoita luku." in text_of(finn.get(SNOW))


def test_what_is_previewed_is_what_is_published(rig: Rig, desk: Browser) -> None:
    begin(rig)
    shown = desk.get(f"{SNOW}/preview")
    assert "Four inland yards melt the snow" in text_of(shown)
    assert rig.node.knowledge.authoring.find("practice", "snow") is None
    desk.after(desk.press(f"{SNOW}/publish", as_read(rig, "practice", "snow")))
    assert rig.node.knowledge.authoring.find("practice", "snow") is not None
    assert rig.node.knowledge.drafts.find("practice", "snow") is None
    public = desk.get("/practices/snow")
    assert "Four inland yards melt the snow" in text_of(public)


def test_publishing_again_says_that_it_is_published_with_the_way_there(rig: Rig, desk: Browser) -> None:
    begin(rig, "again")
    path = "/desk/records/practice/again"
    read, edited = as_read(rig, "practice", "again"), form_of(desk, path) | {"editing": ["1"]}
    first = desk.after(desk.press(f"{path}/publish", read))
    assert '<a href="/practices/again">' in first.text
    for sent in (read, edited):
        again = desk.press(f"{path}/publish", sent)
        assert again.status_code == 303, text_of(again)[:300]
        shown = desk.after(again)
        assert "is published, and there is no newer draft of it" in text_of(shown)
        assert '<a href="/practices/again">' in shown.text
    changed = desk.press(f"{path}/publish", edited | {"/title/en": ["Changed since"]})
    assert changed.status_code == 409, "what is not published is not lost"
    assert "Changed since" in changed.text
    assert desk.press("/desk/records/practice/never-was/publish", read).status_code == 404


def test_what_has_an_error_is_saved_and_not_published(rig: Rig, desk: Browser) -> None:
    rig.node.knowledge.drafts.save("challenge", "bare", {"title": {"en": "Bare"}}, who="maija")
    path = "/desk/records/challenge/bare"
    fields = form_of(desk, path)
    fields["/title/en"] = ["Still bare"]
    shown = send(desk, f"{path}/publish", fields)
    assert "not published" in shown
    assert rig.node.knowledge.drafts.get("challenge", "bare").said["title"] == {"en": "Still bare"}
    assert rig.node.knowledge.authoring.find("challenge", "bare") is None


def test_history_tells_sentences_and_an_older_version_is_a_draft_again(rig: Rig, desk: Browser) -> None:
    begin(rig, "told")
    drafts = rig.node.knowledge.drafts
    drafts.publish("practice", "told")
    said = dict(drafts.open("practice", "told").said)
    drafts.save("practice", "told", {**said, "approach": {"en": "Five yards melt it now."}}, who="maija")
    drafts.publish("practice", "told")
    page = desk.get("/desk/records/practice/told/history")
    assert "<ins>" in page.text
    assert "<del>" in page.text
    assert "Five yards melt it now." in text_of(page)
    (fields,) = forms_to(page.text, "/restore")  # the newest version needs no taking up
    drafts.save("practice", "told", {**said, "title": {"en": "Of a colleague"}}, who="eero")
    assert desk.press("/desk/records/practice/told/restore", {**fields}).status_code == 412
    assert drafts.get("practice", "told").said["title"] == {"en": "Of a colleague"}
    drafts.discard("practice", "told")
    desk.after(desk.press("/desk/records/practice/told/restore", {**fields}))
    assert "Four inland yards" in drafts.get("practice", "told").said["approach"]["en"]


def test_withdrawing_takes_a_reason_and_leaves_the_text_to_restore(rig: Rig, desk: Browser) -> None:
    begin(rig, "gone")
    rig.node.knowledge.drafts.publish("practice", "gone")
    path = "/desk/records/practice/gone"
    desk.get(f"{path}/history")
    assert desk.press(f"{path}/withdraw", {"reason": " "}).status_code == 400
    desk.after(desk.press(f"{path}/withdraw", {"reason": "It was never true"}))
    assert desk.get("/practices/gone").status_code == 410
    assert "It was never true" in text_of(desk.get(path))
    assert f'href="{path}"' in desk.get("/desk/records?state=withdrawn").text
    desk.after(desk.press(f"{path}/publish", as_read(rig, "practice", "gone")))
    assert desk.get("/practices/gone").status_code == 200


def test_words_in_place_of_an_address_offer_the_records_that_have_them(rig: Rig, desk: Browser) -> None:
    begin(rig)
    fields = form_of(desk, SNOW)
    fields["/uses"] = ["street trees"]
    shown = send(desk, SNOW, fields, do="save")
    taken = re.search(r'name="do" value="(take:/uses [^"]+)"', shown)
    assert taken is not None, "the records that the words may mean are offered"
    do = html.unescape(taken.group(1))
    send(desk, SNOW, form_of(desk, SNOW), do=do)
    assert rig.node.knowledge.drafts.get("practice", "snow").said["uses"] == [do.partition(" ")[2]]


def test_asking_for_a_review_is_something_to_do(rig: Rig, desk: Browser) -> None:
    begin(rig)
    desk.get(f"{SNOW}/preview")
    desk.after(desk.press(f"{SNOW}/ask", {"note": "Are the numbers right?"}))
    due = rig.node.knowledge.tasks.due(rig.node.knowledge.drafts.get("practice", "snow").at_ms)
    assert [each.what for each in due if each.kind == "practice"] == ["draft"]
    assert "Are the numbers right?" in text_of(desk.get(SNOW))
    (fields,) = forms_to(desk.get(SNOW).text, "/discard")
    drafts = rig.node.knowledge.drafts
    drafts.save("practice", "snow", {"title": {"en": "Newer"}}, who="eero")
    assert desk.press(f"{SNOW}/discard", fields).status_code == 412
    assert drafts.get("practice", "snow").said == {"title": {"en": "Newer"}}, "nobody throws away what they never saw"
    assert desk.press(f"{SNOW}/discard").status_code == 400, "what was read is named"
    desk.after(desk.press(f"{SNOW}/discard", forms_to(desk.get(SNOW).text, "/discard")[0]))
    assert drafts.find("practice", "snow") is None


def test_a_page_of_a_draft_that_was_thrown_away_does_not_save_over_the_next_one(rig: Rig, desk: Browser) -> None:
    begin(rig)
    drafts = rig.node.knowledge.drafts
    stale, number = form_of(desk, SNOW), drafts.get("practice", "snow").version
    drafts.discard("practice", "snow")
    for _ in range(number):
        time.sleep(0.002)
        drafts.save("practice", "snow", {"title": {"en": "Begun anew"}}, who="eero")
    assert desk.press(SNOW, {**stale, "do": "save"}).status_code == 409
    assert drafts.get("practice", "snow").said == {"title": {"en": "Begun anew"}}
    drafts.discard("practice", "snow")


def test_a_viewer_reads_and_does_not_write(rig: Rig) -> None:
    begin(rig)
    with at_desk(rig, "viewer", name="eero") as viewer:
        assert viewer.get("/desk/records").status_code == 200
        assert viewer.get(SNOW).status_code == 403
        assert viewer.press(SNOW, {"do": "save"}).status_code == 403
        assert viewer.press(f"{SNOW}/publish", {"version": "1"}).status_code == 403


def test_kinds_that_are_not_written_here_are_nowhere(desk: Browser) -> None:
    for kind in ("dataset", "agreement", "nothing"):
        assert desk.get(f"/desk/records/{kind}/x").status_code == 404


def test_the_list_finds_by_words_kind_and_state(rig: Rig, desk: Browser) -> None:
    begin(rig)
    assert "An example" in text_of(desk.get("/desk/records?kind=practice&state=draft"))
    assert "Street trees" in text_of(desk.get("/desk/records?q=trees"))
    assert "No record fits" in text_of(desk.get("/desk/records?q=nosuchword"))
    part = desk.get("/desk/records?kind=practice", hx_request="true").text
    assert part.lstrip().startswith('<div id="rows"')


def test_every_way_out_of_the_pages_keeps_the_language_that_was_chosen(rig: Rig, desk: Browser) -> None:
    begin(rig)
    for path in (SNOW, f"{SNOW}/preview"):
        page = desk.get(f"{path}?lang=fi")
        for action, _ in Forms(page.text).found:
            assert action.endswith(("?lang=fi", "/sign-out?lang=fi")), action
        assert "lang=fi/" not in page.text
    assert 'hx-post="/desk/records/practice/snow/lint?place=/title/en&amp;lang=fi"' in desk.get(f"{SNOW}?lang=fi").text
    reply = desk.press(f"{SNOW}/publish?lang=fi", as_read(rig, "practice", "snow"))
    assert "Julkaistu" in text_of(desk.after(reply))


def test_the_journals_that_the_node_alone_writes_are_not_offered_and_refused(rig: Rig, desk: Browser) -> None:
    rig.node.create_collection("evidence", title="Evidence", visibility="restricted", at_ms=1)
    begin(rig, "stowaway")
    path = "/desk/records/practice/stowaway"
    page = desk.get(path).text
    assert '<option value="plans"' in page
    assert '<option value="evidence"' not in page
    fields = form_of(desk, path) | {"collection": ["evidence"], "editing": ["1"]}
    refused = desk.after(desk.press(f"{path}/publish", fields))
    assert "evidence is written by the node alone" in text_of(refused)
    assert rig.node.knowledge.authoring.find("practice", "stowaway") is None
    assert rig.node.shelf.count("evidence") == 0
