"""Laws of accounts at the desk: one's own, everybody's, what is asked again, and the trail that stays."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.errors import Malformed
from node.staff.export import events
from node.staff.sessions import FRESH_MS
from node.staff.tries import FREE
from node.web.desk import trail as trail_pages
from tests.web.desk.people_rig import OTHER, code_now, emptied, hidden, person, sign_in, staffed, with_phone
from tests.web.desk.rig import PASSWORD, Browser, at_desk, text_of
from tests.web.desk.sent import form_with
from tests.web.find_rig import Rig

pytestmark = pytest.mark.slow  # whole nodes, page by page: seconds together


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    made = staffed(tmp_path_factory.mktemp("people"), migrated)
    yield made
    made.close()


@pytest.fixture
def rig(house: Rig) -> Rig:
    return emptied(house)


@pytest.fixture
def admin(rig: Rig) -> Iterator[Browser]:
    with at_desk(rig, "admin", name="liisa") as made:
        made.get("/desk/people")
        yield made


@pytest.fixture
def maija(rig: Rig) -> Iterator[Browser]:
    person(rig)
    browser = Browser(rig)
    sign_in(browser)
    browser.get("/desk/account")
    yield browser
    browser.close()


def stale(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a quarter of an hour go by for sessions."""
    now = rig.node.staff.sessions._clock_ms
    monkeypatch.setattr(rig.node.staff.sessions, "_clock_ms", lambda: now() + FRESH_MS + 1_000)


def test_a_new_password_takes_the_old_one_and_ends_every_other_session(rig: Rig, maija: Browser) -> None:
    other = Browser(rig)
    sign_in(other)
    wrong = maija.press("/desk/account/password", {"now": OTHER, "password": OTHER, "again": OTHER})
    assert (wrong.status_code, "do not belong together" in text_of(wrong)) == (401, True)
    weak = maija.press("/desk/account/password", {"now": PASSWORD, "password": "a" * 20, "again": "a" * 20})
    assert (weak.status_code, "first that anybody tries" in text_of(weak)) == (400, True)
    before = maija._client.cookies["citynode-desk"]
    done = maija.press("/desk/account/password", {"now": PASSWORD, "password": OTHER, "again": OTHER})
    assert (done.status_code, "is changed" in text_of(done)) == (200, True)
    assert maija._client.cookies["citynode-desk"] != before
    assert [each.get("/desk/account").status_code for each in (maija, other)] == [200, 303]
    assert rig.node.staff.people.check("maija", OTHER)
    assert [each.outcome for each in rig.node.staff.trail.list(act="account.password")] == [
        "done",
        "refused",
        "refused",
    ]
    other.close()


def test_a_phone_is_kept_once_it_shows_a_code_and_is_no_longer_shown(rig: Rig, maija: Browser) -> None:
    page = maija.get("/desk/account/phone")
    draft = hidden(page, "draft")
    secret = rig.node.staff.seconds._drafted("maija", draft)
    wrong = {"draft": draft, "code": "000000", "now": PASSWORD}
    assert maija.press("/desk/account/phone", wrong).status_code == 401
    without = maija.press("/desk/account/phone", {"draft": draft, "code": code_now(rig, secret), "now": OTHER})
    assert without.status_code == 401, "whoever finds an open session puts no phone of theirs on it"
    assert not rig.node.staff.people.get("maija").has_totp
    done = maija.press("/desk/account/phone", {"draft": draft, "code": code_now(rig, secret), "now": PASSWORD})
    assert "They are shown this once." in text_of(done)
    assert rig.node.staff.people.get("maija").has_totp
    assert maija.get("/desk/account/phone").status_code == 403
    with rig.node.db.read() as tx:
        kept = tx.row("SELECT totp, recovery FROM staff WHERE name = 'maija'")
    assert kept is not None
    assert secret.hex() not in kept[0]
    assert not any(code in kept[1] for code in re.findall(r"[0-9a-z]{4}(?:-[0-9a-z]{4}){3}", done.text))


def test_a_draft_of_a_phone_is_good_for_its_own_account_alone(rig: Rig, maija: Browser) -> None:
    draft = rig.node.staff.seconds.begin("somebody-else").draft
    reply = maija.press("/desk/account/phone", {"draft": draft, "code": "123456", "now": PASSWORD})
    assert reply.status_code == 400


def test_doing_without_a_phone_takes_the_password_and_is_not_for_whoever_must_have_one(
    rig: Rig, maija: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, codes = with_phone(rig)
    assert maija.press("/desk/account/phone/remove", {"now": OTHER, "code": codes[0]}).status_code == 401
    assert maija.press("/desk/account/phone/remove", {"now": PASSWORD}).status_code == 401, "its code, too"
    monkeypatch.setattr(rig.node.staff.signing_in, "_demand", "everyone")
    assert maija.press("/desk/account/phone/remove", {"now": PASSWORD}).status_code == 403
    monkeypatch.setattr(rig.node.staff.signing_in, "_demand", "optional")
    assert maija.press("/desk/account/phone/remove", {"now": PASSWORD, "code": codes[0]}).status_code == 303
    assert not rig.node.staff.people.get("maija").has_totp
    assert maija.get("/desk/account").status_code == 303


def test_one_ends_ones_own_sessions_and_nobody_elses(rig: Rig, maija: Browser) -> None:
    person(rig, "paavo")
    other, paavo = Browser(rig), Browser(rig)
    sign_in(other)
    sign_in(paavo, "paavo")
    [theirs] = rig.node.staff.sessions.of("paavo")
    maija.press(f"/desk/account/sessions/{theirs.id}")
    assert paavo.get("/desk/account").status_code == 200
    reply = maija.after(maija.press("/desk/account/sessions"))
    assert "Sign-ins ended: 1" in text_of(reply)
    assert [each.get("/desk/account").status_code for each in (maija, other)] == [200, 303]
    other.close()
    paavo.close()


def test_an_account_is_made_with_a_link_that_is_shown_once(rig: Rig, admin: Browser) -> None:
    fields = {"name": "Paavo", "shown": "Street data team", "roles": ["editor", "steward"]}
    made = admin.press("/desk/people", fields)
    link = re.search(r">(http[^<]*/desk/welcome/[^<]*)<", made.text)
    assert (made.status_code, made.headers["cache-control"], bool(link)) == (200, "no-store", True)
    found = rig.node.staff.people.get("paavo")
    assert (found.shown, found.roles, found.state) == ("Street data team", {"editor", "steward"}, "invited")
    for path in ("/desk/people", "/desk/people/paavo", "/desk/audit"):
        assert "/desk/welcome/" not in admin.get(path).text
    [event] = rig.node.staff.trail.list(act="staff.add")
    assert (event.target, event.detail, event.outcome) == ("paavo", {"roles": "editor steward"}, "done")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"name": "liisa", "roles": "viewer"}, 409, "already"),
        ({"name": "Pää vo", "roles": "viewer"}, 400, "no name to sign in with"),
        ({"name": "paavo"}, 400, "Choose at least one role"),
        ({"name": "paavo", "roles": "king"}, 400, "Choose at least one role"),
    ],
    ids=["taken", "no-name", "no-role", "unknown-role"],
)
def test_what_cannot_be_made_is_said_beside_the_form_with_what_was_typed(
    admin: Browser, fields: dict[str, str | list[str]], status: int, said: str
) -> None:
    reply = admin.press("/desk/people", fields)
    assert (reply.status_code, said in text_of(reply)) == (status, True)
    assert f'value="{fields["name"]}"' in reply.text


def test_other_roles_end_the_sessions_and_somebody_must_be_left_to_rule(
    rig: Rig, admin: Browser, maija: Browser
) -> None:
    assert admin.press("/desk/people/maija/roles", {"roles": ["approver"]}).status_code == 303
    assert rig.node.staff.people.get("maija").roles == {"approver"}
    assert maija.get("/desk/account").status_code == 303
    for act, fields in (("roles", {"roles": "viewer"}), ("disable", {})):
        reply = admin.press(f"/desk/people/liisa/{act}", fields)
        assert (reply.status_code, "Nobody would be left" in text_of(reply)) == (409, True)


def test_an_old_page_gives_back_no_role_that_somebody_took_away_meanwhile(
    rig: Rig, admin: Browser, maija: Browser
) -> None:
    rig.node.staff.people.grant("maija", ["editor", "approver"])
    old = form_with(admin.get("/desk/people/maija").text, "roles")
    assert old["roles"] == ["editor", "approver"]
    rig.node.staff.people.grant("maija", ["editor"])
    refused = admin.press("/desk/people/maija/roles", old | {"roles": ["editor", "approver", "steward"]})
    assert refused.status_code == 409
    assert "Somebody has changed this since you opened the page" in text_of(refused)
    assert "The roles are now: Editor" in text_of(refused)
    assert rig.node.staff.people.get("maija").roles == {"editor"}
    again = form_with(refused.text, "roles")
    assert again["roles"] == ["editor", "steward", "approver"], "what was chosen is kept"
    assert again["mark"] != old["mark"]
    assert admin.press("/desk/people/maija/roles", again).status_code == 303
    assert rig.node.staff.people.get("maija").roles == {"editor", "steward", "approver"}
    assert admin.press("/desk/people/maija/roles", again).status_code == 303, "sent twice is no clash"


def test_a_disabled_account_is_out_at_once_and_can_come_back(rig: Rig, admin: Browser, maija: Browser) -> None:
    assert admin.press("/desk/people/maija/disable").status_code == 303
    assert maija.get("/desk/account").status_code == 303
    assert sign_in(maija).status_code == 401
    assert "disabled" in text_of(admin.get("/desk/people/maija"))
    admin.press("/desk/people/maija/enable")
    assert sign_in(maija).status_code == 303


def test_a_lost_phone_is_taken_away_and_a_link_forgives_wrong_guesses(rig: Rig, admin: Browser, maija: Browser) -> None:
    with_phone(rig)
    admin.press("/desk/people/maija/phone")
    assert not rig.node.staff.people.get("maija").has_totp
    for _ in range(6):
        last = sign_in(maija, password=OTHER)
    assert last.status_code == 429
    assert "/desk/welcome/" in admin.press("/desk/people/maija/link").text
    assert sign_in(maija).status_code == 303
    assert admin.press("/desk/people/maija/sessions", {"session": ""}).status_code == 303
    assert rig.node.staff.sessions.of("maija") == []


@pytest.mark.parametrize("between", ["nothing", "a right password"])
def test_codes_of_who_is_signed_in_are_counted_whatever_passwords_they_have_right(
    rig: Rig, maija: Browser, between: str
) -> None:
    with_phone(rig)
    guesses = []
    for number in range(FREE + 1):
        if between != "nothing":
            fields = {"now": PASSWORD, "password": "short", "again": "short"}
            assert maija.press("/desk/account/password", fields).status_code == 400
        reply = maija.press("/desk/account/phone/remove", {"now": PASSWORD, "code": f"{number:06}"})
        guesses.append(reply.status_code)
    assert guesses == [401] * FREE + [429]


@pytest.mark.parametrize("path", ["/desk/people", "/desk/people/liisa", "/desk/audit", "/desk/audit.csv"])
@pytest.mark.parametrize("role", ["viewer", "editor", "steward", "approver"])
def test_people_and_the_trail_are_for_admins(rig: Rig, role: str, path: str) -> None:
    with at_desk(rig, role) as browser:
        assert browser.get(path).status_code == 403
        assert browser.press("/desk/people", {"name": "x", "roles": "admin"}).status_code == 403


def test_after_a_quarter_of_an_hour_an_act_that_rules_asks_again_and_is_done_as_it_was_sent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(rig, "liisa", "admin")
    admin = Browser(rig)
    sign_in(admin, "liisa")
    admin.get("/desk/people")
    stale(rig, monkeypatch)
    asked = admin.press("/desk/people", {"name": "paavo", "shown": 'P "x" <b>', "roles": ["editor", "viewer"]})
    assert (asked.status_code, "Is it you?" in text_of(asked)) == (200, True)
    assert "What will be done, as the audit trail writes it: made an account paavo" in text_of(asked), "which act"
    assert [one.name for one in rig.node.staff.people.list()] == ["liisa"]
    sent = re.findall(r'<input type="hidden" name="(name|shown|roles)" value="([^"]*)">', asked.text)
    assert sent == [("name", "paavo"), ("shown", "P &#34;x&#34; &lt;b&gt;"), ("roles", "editor"), ("roles", "viewer")]
    fields = {"name": "paavo", "roles": ["editor", "viewer"]}
    wrong = admin.press("/desk/people", {**fields, "proof-password": OTHER})
    assert (wrong.status_code, "paavo" in wrong.text, OTHER in wrong.text) == (401, True, False)
    assert "/desk/welcome/" in admin.press("/desk/people", {**fields, "proof-password": PASSWORD}).text
    # Shown once, good for the next quarter of an hour.
    assert "/desk/welcome/" in admin.press("/desk/people", {"name": "pekka", "roles": "viewer"}).text
    proofs = rig.node.staff.trail.list(act="session.prove")
    assert [(each.who, each.outcome) for each in proofs] == [("liisa", "done"), ("liisa", "refused unauthenticated")]
    admin.close()


@pytest.mark.parametrize(("file", "kept"), [(b"", True), (b"name,url\nhki,x\n", True), (b"\xff\xfe", False)])
def test_a_file_that_is_text_need_not_be_chosen_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, file: bytes, kept: bool
) -> None:
    person(rig, "aino", "admin", "approver")
    admin = Browser(rig)
    sign_in(admin, "aino")
    admin.get("/desk/people")
    stale(rig, monkeypatch)
    asked = admin.press_file("/desk/peer-table", {"table": "a,b"}, file)
    assert "Is it you?" in text_of(asked)
    assert ("go back to the page" not in text_of(asked)) is kept
    assert ('name="table" value="a,b"' in asked.text) is kept
    assert ('name="file" value="name,url' in asked.text) is (kept and bool(file))
    if kept:
        assert ('enctype="multipart/form-data"' in asked.text) is bool(file)
        fields = {"table": "a,b", "proof-password": PASSWORD} | ({"file": file.decode()} if file else {})
        done = admin.press("/desk/peer-table", fields)
        assert (done.status_code, (file.decode().strip() or "a,b") in done.text) == (400, True)
    admin.close()


@pytest.mark.parametrize("path", ["/desk/agreements/offers", "/desk/agreements/try"])
def test_where_there_is_no_city_to_agree_with_one_way_leads_to_add_one(rig: Rig, path: str) -> None:
    with at_desk(rig, "editor", name="eeva") as desk:
        page = desk.get(path)
        assert "There is no city to agree with yet" in text_of(page)
        assert '<a href="/desk/peers">' in page.text.partition("<main")[2]


def test_looking_and_writing_are_not_asked_again(rig: Rig, maija: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    stale(rig, monkeypatch)
    assert maija.get("/desk/account").status_code == 200
    assert maija.press("/desk/account/sessions").status_code == 303


def test_with_a_phone_the_code_is_asked_again_too(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    person(rig, "liisa", "admin")
    secret, _ = with_phone(rig, "liisa")
    with at_desk(rig, "admin", name="liisa") as admin:
        admin.get("/desk/people")
        stale(rig, monkeypatch)
        fields = {"name": "paavo", "roles": "viewer", "proof-password": PASSWORD}
        assert admin.press("/desk/people", fields).status_code == 401
        done = admin.press("/desk/people", {**fields, "proof-code": code_now(rig, secret)})
        assert "/desk/welcome/" in done.text


def test_strangers_who_guess_at_a_name_keep_nobody_from_proving_who_they_are(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(rig, "liisa", "admin")
    admin, stranger = Browser(rig), Browser(rig)
    sign_in(admin, "liisa")
    admin.get("/desk/people")
    stale(rig, monkeypatch)
    assert [sign_in(stranger, "liisa", OTHER).status_code for _ in range(FREE + 1)] == [401] * FREE + [429]
    fields = {"name": "paavo", "roles": "viewer"}
    assert "/desk/welcome/" in admin.press("/desk/people", {**fields, "proof-password": PASSWORD}).text
    stale(rig, monkeypatch)
    codes = [admin.press("/desk/people", {**fields, "proof-password": OTHER}) for _ in range(FREE + 1)]
    assert [each.status_code for each in codes] == [401] * FREE + [429], "whoever sits at it has as many tries"
    assert "retry-after" in codes[-1].headers
    admin.close()
    stranger.close()


def test_a_page_that_was_refused_stands_in_the_trail(rig: Rig) -> None:
    with at_desk(rig, "steward", name="sirpa") as browser:
        assert browser.get("/desk/audit").status_code == 403
    (found,) = rig.node.staff.trail.list(who="sirpa")
    assert (found.act, found.target, found.outcome) == ("page.open", "/desk/audit", "refused forbidden")


def test_a_trail_too_long_for_one_file_is_refused_and_not_cut(
    rig: Rig, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_pages, "MOST", 3)
    for _ in range(4):
        with rig.node.staff.trail.act(who="maija", way="desk", source="", act="run.start"):
            pass
    reply = admin.get("/desk/audit.csv")
    assert reply.status_code == 413
    assert "too many for one file" in text_of(reply)
    assert len(list(events(rig.node.staff.trail))) > 3, "who writes them out as they come has all of them"


@pytest.mark.parametrize(
    "password",
    ["adminadminadmin", "iloveyouiloveyou", "passwordpassword1", "qwertyuiop123", "P@ssw0rd1234", "maija-maija-2026"],
)
def test_what_everybody_tries_is_no_password(rig: Rig, password: str) -> None:
    person(rig)
    with pytest.raises(Malformed, match="one of the first"):
        rig.node.staff.people.set_password("maija", password)


def test_the_trail_is_narrowed_by_who_what_and_when(rig: Rig, admin: Browser) -> None:
    trail = rig.node.staff.trail
    for who, act in (("maija", "run.start"), ("maija", "record.publish"), ("paavo", "run.start")):
        with trail.act(who=who, way="desk", source="192.0.2.7", act=act, target="hri"):
            pass
    rows = admin.get("/desk/audit?who=maija&act=run").text.count("<tr><td>")
    assert rows == 1
    assert '<code class="small quiet">run.start</code>' in admin.get("/desk/audit?who=maija").text, "what to ask for"
    assert admin.get("/desk/audit").text.count("<tr><td>") == 3
    assert "Nothing of the kind was done" in text_of(admin.get("/desk/audit?to=2001-01-01"))
    part = admin.get("/desk/audit?who=paavo", hx_request="true")
    assert ("<html" in part.text, part.text.count("<tr><td>")) == (False, 1)
    for wrong in ("from=yesterday", "to=2026-13-45", "before=x", "from=9999-99-99"):
        reply = admin.get(f"/desk/audit?{wrong}")
        assert (reply.status_code, 'role="alert"' in reply.text) == (400, True), wrong


def test_a_long_trail_is_turned_page_by_page(rig: Rig, admin: Browser) -> None:
    rows = [(1_000 + n, "maija", "desk", "", f"act.{n}", "", "", "done") for n in range(120)]
    with rig.node.db.write() as tx:
        tx.many("INSERT INTO audit (at,who,way,source,act,target,detail,outcome) VALUES (?,?,?,?,?,?,?,?)", rows)
    seen, path = [], "/desk/audit?who=maija"
    while path:
        page = admin.get(path).text
        seen += re.findall(r"<td>act\.(\d+)</td>", page)
        older = re.search(r'<a href="([^"]*before=[^"]*)">', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert [int(each) for each in seen] == list(range(119, -1, -1))


def test_the_trail_as_a_table_runs_nothing_and_taking_it_is_written_down(rig: Rig, admin: Browser) -> None:
    evil = '=HYPERLINK("http://evil.example","x")'
    for who in (evil, "+1", "@x", " -2", "\uff1dx", "fine, really"):
        with rig.node.staff.trail.act(who=who, way="desk", source="", act="x", target='say "hi"'):
            pass
    reply = admin.get("/desk/audit.csv")
    assert reply.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    names = [row["who"] for row in rows if row["act"] == "x"]
    assert names == ["fine, really", "'\uff1dx", "' -2", "'@x", "'+1", "'" + evil]
    lines = [json.loads(line) for line in admin.get("/desk/audit.json?act=x").text.splitlines()]
    assert lines[-1]["who"] == evil
    exports = rig.node.staff.trail.list(act="audit.export")
    assert [(each.who, each.target, each.outcome) for each in exports] == [
        ("liisa", "audit.ndjson", "done"),
        ("liisa", "audit.csv", "done"),
    ]


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_pages_of_people_are_in_the_readers_language(rig: Rig, language: str) -> None:
    with at_desk(rig, "admin", name="liisa", language=language) as browser:
        for path in ("/desk/people", "/desk/people/liisa", "/desk/account", "/desk/account/phone", "/desk/audit"):
            reply = browser.get(path)
            assert (reply.status_code, f'<html lang="{language}">' in reply.text) == (200, True), path
