"""Laws of signing in: what it takes, what is said of it, how often one may guess, and what ends it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.errors import Unauthenticated
from node.staff import totp
from node.staff.links import LASTS_MS
from node.staff.tries import FREE
from node.web.desk.sign_in import about_of, safe_then
from tests.web.desk.people_rig import OTHER, code_now, emptied, hidden, person, sign_in, staffed, with_phone
from tests.web.desk.rig import PASSWORD, Browser, at_desk, text_of
from tests.web.find_rig import Rig

pytestmark = pytest.mark.slow  # whole nodes, page by page: seconds together


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    made = staffed(tmp_path_factory.mktemp("sign-in"), migrated)
    yield made
    made.close()


@pytest.fixture
def rig(house: Rig) -> Rig:
    return emptied(house)


@pytest.fixture
def browser(rig: Rig) -> Iterator[Browser]:
    made = Browser(rig)
    yield made
    made.close()


def outcomes(rig: Rig) -> list[tuple[str, str, str]]:
    return [(each.who, each.act, each.outcome) for each in reversed(rig.node.staff.trail.list())]


def test_a_name_and_its_password_let_in_and_the_cookie_goes_to_the_desk_alone(rig: Rig, browser: Browser) -> None:
    person(rig)
    reply = sign_in(browser)
    assert (reply.status_code, reply.headers["location"]) == (303, "/desk/account")
    cookie = reply.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "Path=/desk", "SameSite=lax"))
    assert "Max-Age" not in cookie
    assert "maija of the data team" in text_of(browser.after(reply))
    assert outcomes(rig) == [("maija", "session.begin", "done")]
    assert rig.node.staff.trail.list()[0].detail == {"by": "password"}


def test_only_whoever_came_in_reads_as_signed_in_and_it_says_by_what(rig: Rig, browser: Browser) -> None:
    person(rig)
    secret, codes = with_phone(rig)
    ticket = hidden(sign_in(browser), "ticket")
    assert outcomes(rig) == [("maija", "session.begin", "needs code")], "who stops here was never at the desk"
    assert rig.node.staff.sessions.of("maija") == []
    browser.press("/desk/sign-in/code", {"ticket": ticket, "code": code_now(rig, secret)})
    again = hidden(sign_in(browser), "ticket")
    browser.press("/desk/sign-in/code", {"ticket": again, "code": codes[0]})
    done = [each.detail for each in reversed(rig.node.staff.trail.list()) if each.outcome == "done"]
    assert done == [{"by": "phone"}, {"by": "recovery code"}]


def test_whatever_is_wrong_the_same_is_said(rig: Rig, browser: Browser) -> None:
    person(rig)
    person(rig, "invited", password="")
    person(rig, "gone")
    rig.node.staff.people.add("liisa", roles=["admin"])
    rig.node.staff.people.disable("gone")
    tries = [("maija", OTHER), ("nobody", PASSWORD), ("invited", ""), ("invited", PASSWORD), ("gone", PASSWORD)]
    replies = [sign_in(browser, name, password) for name, password in tries]
    assert {reply.status_code for reply in replies} == {401}
    assert len({re.sub(r'value="[^"]*"', "", reply.text) for reply in replies}) == 1
    # What was typed as a name may be a password: only names of accounts are written down.
    assert [who for who, _, _ in outcomes(rig)] == ["maija", "", "invited", "invited", "gone"]
    assert {outcome for _, _, outcome in outcomes(rig)} == {"refused unauthenticated"}


@pytest.mark.parametrize("name", ["maija", "nobody"])
def test_guesses_are_counted_for_names_that_are_there_and_for_others(rig: Rig, browser: Browser, name: str) -> None:
    person(rig)
    replies = [sign_in(browser, name, OTHER).status_code for _ in range(FREE + 1)]
    assert replies == [401] * FREE + [429]
    locked = sign_in(browser, name, PASSWORD)
    assert locked.status_code == 429
    assert "Wait 30 seconds." in text_of(locked) or "Wait 29 seconds." in text_of(locked)


def test_a_lock_ends_by_itself_and_a_right_password_takes_the_count_back(
    rig: Rig, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(rig)
    tries = rig.node.staff.signing_in._proofs.passwords
    now, later = tries._clock_ms, [0]
    monkeypatch.setattr(tries, "_clock_ms", lambda: now() + later[0])
    for _ in range(FREE):
        sign_in(browser, password=OTHER)
    assert sign_in(browser).status_code == 429
    later[0] = 31_000
    assert sign_in(browser).status_code == 303
    browser._client.cookies.clear()
    assert sign_in(browser, password=OTHER).status_code == 401


def test_one_address_cannot_try_many_names(rig: Rig, browser: Browser) -> None:
    codes = [sign_in(browser, f"name-{number}", OTHER).status_code for number in range(42)]
    assert codes == [401] * 40 + [429] * 2


def test_after_the_password_a_phone_is_asked_for_and_its_code_is_taken_once(rig: Rig, browser: Browser) -> None:
    person(rig)
    secret, _ = with_phone(rig)
    asked = sign_in(browser)
    assert (asked.status_code, "set-cookie" in asked.headers) == (200, False)
    fields = {"ticket": hidden(asked, "ticket"), "then": "/desk/account", "code": code_now(rig, secret)}
    wrong = browser.press("/desk/sign-in/code", fields | {"code": "000000"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    assert browser.press("/desk/sign-in/code", fields).status_code == 303
    anew = fields | {"ticket": hidden(sign_in(browser), "ticket")}
    again = browser.press("/desk/sign-in/code", anew)
    assert again.status_code == 401
    assert "each is taken once" in text_of(again)


def test_a_ticket_is_good_for_one_sign_in(rig: Rig, browser: Browser) -> None:
    person(rig)
    _, codes = with_phone(rig)
    ticket = hidden(sign_in(browser), "ticket")
    assert browser.press("/desk/sign-in/code", {"ticket": ticket, "code": codes[0]}).status_code == 303
    reply = browser.press("/desk/sign-in/code", {"ticket": ticket, "code": codes[1]})
    assert (reply.status_code, "set-cookie" in reply.headers) == (401, False)
    assert "too old" in text_of(reply)
    assert rig.node.staff.seconds.left("maija") == len(codes) - 1, "and no other code is used up"


@pytest.mark.parametrize("end", ["password", "disabled", "disabled for a while", "another phone"])
def test_a_ticket_ends_with_what_it_was_given_for(rig: Rig, browser: Browser, end: str) -> None:
    person(rig)
    _, codes = with_phone(rig)
    ticket, people = hidden(sign_in(browser), "ticket"), rig.node.staff.people
    if end == "password":
        people.set_password("maija", OTHER)
    elif end == "another phone":
        rig.node.staff.seconds.remove("maija")
        _, codes = with_phone(rig)
    else:
        people.disable("maija")
    reply = browser.press("/desk/sign-in/code", {"ticket": ticket, "code": codes[0]})
    assert (reply.status_code, "set-cookie" in reply.headers) == (401, False)
    assert rig.node.staff.sessions.of("maija") == []
    assert rig.node.staff.seconds.left("maija") == len(codes)
    if end == "disabled for a while":
        people.enable("maija")
        assert rig.node.staff.sessions.of("maija") == [], "what was refused does not come back"


@pytest.mark.parametrize("state", ["invited", "disabled"])
def test_no_session_is_opened_for_an_account_that_is_not_active(rig: Rig, state: str) -> None:
    person(rig, "maija", password="" if state == "invited" else PASSWORD)
    if state == "disabled":
        rig.node.staff.people.disable("maija")
    with pytest.raises(Unauthenticated):
        rig.node.staff.sessions.open("maija")


def test_who_must_wait_hears_how_long_and_fills_no_trail(rig: Rig, browser: Browser) -> None:
    person(rig)
    for _ in range(FREE):
        sign_in(browser, password=OTHER)
    before = len(outcomes(rig))
    replies = [sign_in(browser, password=OTHER) for _ in range(4)]
    assert [each.status_code for each in replies] == [429] * 4
    assert all(0 < int(each.headers["retry-after"]) <= 30 for each in replies)
    assert len(outcomes(rig)) == before == FREE


def test_a_recovery_code_stands_in_for_the_phone_once(rig: Rig, browser: Browser) -> None:
    person(rig)
    _, codes = with_phone(rig)
    ticket = hidden(sign_in(browser), "ticket")
    fields = {"ticket": ticket, "then": "/desk/account", "code": codes[3].upper().replace("-", " ")}
    assert browser.press("/desk/sign-in/code", fields).status_code == 303
    assert browser.press("/desk/sign-in/code", fields).status_code == 401
    assert rig.node.staff.seconds.left("maija") == totp.RECOVERY_CODES - 1


def test_a_ticket_is_no_way_around_the_password_of_another(rig: Rig, browser: Browser) -> None:
    person(rig)
    person(rig, "paavo")
    with_phone(rig)
    secret, _ = with_phone(rig, "paavo")
    ticket = hidden(sign_in(browser), "ticket")
    reply = browser.press("/desk/sign-in/code", {"ticket": ticket, "code": code_now(rig, secret)})
    assert reply.status_code == 401
    for forged in ("", "AAAA", ticket[:-6] + "AAAAAA", "é" * 40):
        assert browser.press("/desk/sign-in/code", {"ticket": forged, "code": "123456"}).status_code == 401


def test_codes_are_counted_as_passwords_are(rig: Rig, browser: Browser) -> None:
    person(rig)
    secret, _ = with_phone(rig)
    fields = {"ticket": hidden(sign_in(browser), "ticket"), "code": "000000"}
    codes = [browser.press("/desk/sign-in/code", fields).status_code for _ in range(FREE + 1)]
    assert codes == [401] * FREE + [429]
    assert browser.press("/desk/sign-in/code", fields | {"code": code_now(rig, secret)}).status_code == 429


def test_whoever_must_have_a_phone_sets_it_up_before_the_desk_opens(
    rig: Rig, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(rig, "liisa", "admin")
    monkeypatch.setattr(rig.node.staff.signing_in, "_demand", "deciders")
    asked = sign_in(browser, "liisa", then="/desk/people")
    assert "set-cookie" not in asked.headers
    assert "<svg" in asked.text
    ticket, draft = hidden(asked, "ticket"), hidden(asked, "draft")
    secret = rig.node.staff.seconds._drafted("liisa", draft)
    fields = {"ticket": ticket, "draft": draft, "then": "/desk/people"}
    wrong = browser.press("/desk/sign-in/phone", {**fields, "code": "000000"})
    assert (wrong.status_code, hidden(wrong, "draft")) == (401, draft)
    assert outcomes(rig)[0] == ("liisa", "session.begin", "needs phone")
    done = browser.press("/desk/sign-in/phone", {**fields, "code": code_now(rig, secret)})
    assert rig.node.staff.trail.list()[0].detail == {"by": "new phone"}
    assert (done.status_code, "set-cookie" in done.headers) == (200, True)
    assert len(re.findall(r"<li>[0-9a-z]{4}(?:-[0-9a-z]{4}){3}</li>", done.text)) == totp.RECOVERY_CODES
    assert browser.get("/desk/people").status_code == 200
    # The ticket is no way to another phone.
    assert browser.press("/desk/sign-in/phone", {**fields, "code": code_now(rig, secret, 1)}).status_code == 401


def test_a_link_sets_one_password_and_signs_in(rig: Rig, browser: Browser) -> None:
    link = str(rig.node.staff.office.add("paavo", roles=["editor"])["link"])
    path = link.removeprefix(browser.base)
    assert "paavo" in text_of(browser.get(path))
    for bad, said in (("short", "12 to 256"), ("paavo-paavo1", "first that anybody tries")):
        reply = browser.press(path, {"password": bad, "again": bad})
        assert (reply.status_code, said in text_of(reply)) == (400, True)
    unlike = browser.press(path, {"password": OTHER, "again": PASSWORD})
    assert (unlike.status_code, "not alike" in text_of(unlike)) == (400, True)
    done = browser.press(path, {"password": OTHER, "again": OTHER})
    assert (done.status_code, done.headers["location"]) == (303, "/desk")
    assert browser.get("/desk/account").status_code == 200
    for reply in (browser.get(path), browser.press(path, {"password": PASSWORD, "again": PASSWORD})):
        assert (reply.status_code, "used up or too old" in text_of(reply)) == (404, True)
    assert rig.node.staff.people.check("paavo", OTHER) is not None


def test_a_link_ends_after_two_days_with_a_newer_one_and_with_the_account(rig: Rig, browser: Browser) -> None:
    staff = rig.node.staff
    first = str(staff.office.add("paavo", roles=["editor"])["link"]).removeprefix(browser.base)
    second = str(staff.office.link("paavo")["link"]).removeprefix(browser.base)
    assert [browser.get(each).status_code for each in (first, second)] == [404, 200]
    now = staff.links._clock_ms
    staff.links._clock_ms = lambda: now() + LASTS_MS
    assert browser.get(second).status_code == 404
    staff.links._clock_ms = now
    staff.people.disable("paavo")
    assert browser.get(second).status_code == 404


def test_signing_out_ends_the_session_and_takes_the_cookie_away(rig: Rig, browser: Browser) -> None:
    person(rig)
    browser.after(sign_in(browser))
    reply = browser.press("/desk/sign-out")
    assert reply.headers["location"] == "/desk/sign-in?left=desk"
    assert 'citynode-desk=""' in reply.headers["set-cookie"]
    assert rig.node.staff.sessions.of("maija") == []
    assert "You are signed out." in text_of(browser.after(reply))


def test_signing_in_again_ends_the_session_that_the_browser_had(rig: Rig) -> None:
    person(rig, "paavo")
    with at_desk(rig, "editor", name="maija") as browser:
        sign_in(browser, "paavo")
        assert [len(rig.node.staff.sessions.of(name)) for name in ("maija", "paavo")] == [0, 1]


def test_a_form_of_another_site_signs_nobody_in(rig: Rig, browser: Browser) -> None:
    person(rig)
    browser.get("/desk/sign-in")
    fields = {"name": "maija", "password": PASSWORD}
    for wrong in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}):
        reply = browser.press("/desk/sign-in", fields, **wrong)
        assert (reply.status_code, "set-cookie" in reply.headers) == (403, False)


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/catalog",
        "/deskevil",
        "/desk/../x\n",
        "/desk/sign-in",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(then: str) -> None:
    assert safe_then(then) == "/desk"


@pytest.mark.parametrize("then", ["/desk", "/desk/runs/413?lang=fi", "/desk?x=1", "/desk/records/practices"])
def test_everybody_goes_where_they_wanted(then: str) -> None:
    assert safe_then(then) == then


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_the_pages_before_the_desk_are_in_the_readers_language(rig: Rig, language: str) -> None:
    browser = Browser(rig, language=language)
    for path in ("/desk/sign-in", "/desk/sign-in?left=desk", "/desk/welcome/" + "x" * 43):
        reply = browser.get(path)
        assert f'<html lang="{language}">' in reply.text
        assert reply.headers["cache-control"] == "no-store"
    browser.close()


def test_a_browser_is_named_without_its_version() -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/156.0 Safari/537.36 Edg/156.0"
    assert about_of(agent) == "Edge, Windows"
    assert about_of("curl/8") == ""
