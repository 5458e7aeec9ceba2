"""Laws of the city's own sign-in at the desk: who gets which account, and whose browser comes back."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from node.staff.sessions import FRESH_MS
from tests.staff.provider import CLIENT, ISSUER, WANTED, City
from tests.web.desk.people_rig import emptied, person, sign_in, staffed
from tests.web.desk.rig import Browser, text_of
from tests.web.find_rig import Rig

pytestmark = pytest.mark.slow  # whole nodes, page by page: seconds together
BEGIN, BACK = "/desk/sign-in/city", "/desk/sign-in/city/back"


SETTINGS = {
    "oidc_issuer": ISSUER,
    "oidc_client_id": CLIENT,
    "oidc_client_secret": WANTED.client_secret,
    "oidc_roles": ("data-stewards=steward", "data-leads=admin"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    made = staffed(tmp_path_factory.mktemp("city"), migrated, **SETTINGS)
    yield made
    made.close()


@pytest.fixture
def behind_https(tmp_path: Path, migrated: Path) -> Iterator[Rig]:
    made = staffed(tmp_path, migrated, base_url="https://bee.example", **SETTINGS)
    yield made
    made.close()


def provided(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> City:
    """Put a provider at the end of a node's way out; it says what is so now."""
    provider = rig.node.staff.provider
    assert provider is not None
    made = City(now_ms=provider._clock_ms(), back=f"{rig.node.settings.base_url}{BACK}")
    monkeypatch.setattr(provider._door, "_ask", made.ask)
    monkeypatch.setattr(provider, "_known", None)
    return made


@pytest.fixture
def city(house: Rig, monkeypatch: pytest.MonkeyPatch) -> City:
    return provided(house, monkeypatch)


@pytest.fixture
def rig(house: Rig) -> Rig:
    return emptied(house)


@pytest.fixture
def browser(rig: Rig) -> Iterator[Browser]:
    made = Browser(rig)
    yield made
    made.close()


def goes(browser: Browser, city: City, then: str = "/desk/account") -> httpx.Response:
    """Go to the provider, say yes there, and come back."""
    away = browser.get(f"{BEGIN}?then={then}")
    assert away.status_code == 303
    return browser.get(f"{BACK}?{httpx.QueryParams(city.browse(away.headers['location']))}")


def test_somebody_of_a_group_gets_an_account_with_its_roles(rig: Rig, browser: Browser, city: City) -> None:
    assert BEGIN in browser.get("/desk/sign-in").text
    city.user["preferred_username"] = "Maija.Meikäläinen@city.example"
    reply = goes(browser, city)
    assert (reply.status_code, reply.headers["location"]) == (303, "/desk/account")
    page = text_of(browser.after(reply))
    assert "Maija M" in page
    assert "come from the city’s own sign-in" in page
    [made] = rig.node.staff.people.list()
    assert (made.name, made.shown, made.roles, made.from_city) == (
        "maija.meikalainen",
        "Maija M",
        {"steward"},
        True,
    )
    [event] = rig.node.staff.trail.list()
    assert (event.who, event.act, event.outcome) == ("maija.meikalainen", "session.begin", "done")
    assert event.detail == {"by": "city"}


def test_the_same_person_has_one_account_whatever_they_are_called(rig: Rig, browser: Browser, city: City) -> None:
    goes(browser, city)
    other = Browser(rig)
    city.user |= {"preferred_username": "renamed", "name": "Another name", "groups": ["data-leads"]}
    goes(other, city)
    [one] = rig.node.staff.people.list()
    assert (one.name, one.shown, one.roles) == ("u-17", "Another name", {"admin"})
    # Other roles than before end the sessions that had them.
    assert [each.get("/desk/account").status_code for each in (browser, other)] == [303, 200]
    other.close()


def test_nobody_takes_over_an_account_by_being_called_like_it(rig: Rig, browser: Browser, city: City) -> None:
    person(rig, "liisa", "admin")
    city.user["preferred_username"] = "liisa"
    goes(browser, city)
    assert {one.name: one.roles for one in rig.node.staff.people.list()} == {"liisa": {"admin"}, "liisa-2": {"steward"}}


def test_no_role_and_a_disabled_account_are_no_entry(rig: Rig, browser: Browser, city: City) -> None:
    city.user["groups"] = ["choir"]
    refused = goes(browser, city)
    assert (refused.status_code, "None of your groups" in text_of(refused)) == (403, True)
    assert rig.node.staff.people.list() == []
    city.user["groups"] = ["data-stewards"]
    goes(browser, city)
    rig.node.staff.people.disable("u-17")
    closed = goes(browser, city)
    assert (closed.status_code, "is disabled" in text_of(closed)) == (409, True)
    assert browser.get("/desk/account").status_code == 303
    assert [each.outcome for each in rig.node.staff.trail.list()] == ["refused conflict", "done", "refused forbidden"]


def test_an_answer_is_worth_nothing_in_another_browser(rig: Rig, browser: Browser, city: City) -> None:
    victim = Browser(rig)
    away = browser.get(BEGIN)
    answer = httpx.QueryParams(city.browse(away.headers["location"]))
    for begins in (False, True):
        if begins:
            victim.get(BEGIN)
        reply = victim.get(f"{BACK}?{answer}")
        assert (reply.status_code, "citynode-desk=" in reply.headers.get("set-cookie", "")) == (401, False)
    assert "begun in another browser" in text_of(reply)
    victim.close()


def test_what_a_browser_keeps_meanwhile_is_sealed_and_goes_nowhere_else(browser: Browser, city: City) -> None:
    reply = browser.get(BEGIN)
    cookie = reply.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", f"Path={BEGIN}", "SameSite=lax", "Max-Age=600"))
    asked = city.browse(reply.headers["location"])
    assert asked["state"] not in cookie
    browser._client.cookies.set("citynode-desk-away", "A" * 200, path=BEGIN)
    assert browser.get(f"{BACK}?state=x&code=y").status_code == 401


def test_behind_https_what_a_browser_kept_is_taken_away_again(
    behind_https: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, browser = provided(behind_https, monkeypatch), Browser(behind_https)
    away = browser.get(BEGIN)
    back = [
        browser.get(f"{BACK}?{httpx.QueryParams(city.browse(away.headers['location']))}"),
        browser.get(f"{BACK}?error=access_denied"),
    ]
    browser.get("/desk/account")
    given = [each for reply in (away, *back, browser.press("/desk/sign-out")) for each in set_cookies(reply)]
    browser.close()
    ended = [each.partition("=")[0] for each in given if "Max-Age=0" in each]
    assert ended == [*["__Secure-citynode-desk-away"] * 2, "__Secure-citynode-desk"]
    # A browser takes a cookie of such a name with Secure alone, also to forget it.
    assert all("Secure" in each.split("; ") for each in given), given


def set_cookies(reply: httpx.Response) -> list[str]:
    return reply.headers.get_list("set-cookie")


def test_a_person_of_the_city_has_no_password_and_no_link_here(rig: Rig, browser: Browser, city: City) -> None:
    browser.after(goes(browser, city))
    assert 'name="now"' not in browser.get("/desk/account").text
    assert browser.get("/desk/account/phone").status_code == 403
    assert sign_in(browser, "u-17", "").status_code == 401
    city.user = {"sub": "u-1", "name": "Liisa", "groups": ["data-leads"]}
    browser._client.cookies.clear()
    goes(browser, city)
    browser.get("/desk/people/u-17")
    for act, fields in (("link", {}), ("roles", {"roles": "admin"})):
        assert browser.press(f"/desk/people/u-17/{act}", fields).status_code == 409


def test_somebody_of_the_city_shows_there_again_who_they_are(
    rig: Rig, browser: Browser, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.user["groups"] = ["data-leads"]
    browser.after(goes(browser, city))
    browser.get("/desk/people")
    now = rig.node.staff.sessions._clock_ms
    monkeypatch.setattr(rig.node.staff.sessions, "_clock_ms", lambda: now() + FRESH_MS + 1_000)
    asked = browser.press("/desk/people", {"name": "paavo", "roles": "viewer"})
    assert (asked.status_code, BEGIN in asked.text, "proof-password" in asked.text) == (200, True, False)
    away = browser.get(BEGIN)
    assert "prompt=login" in urlsplit(away.headers["location"]).query
    answer = httpx.QueryParams(city.browse(away.headers["location"]))
    assert browser.get(f"{BACK}?{answer}").status_code == 303
    browser.get("/desk/people")
    assert "/desk/welcome/" in browser.press("/desk/people", {"name": "paavo", "roles": "viewer"}).text


def test_somebody_else_cannot_show_it_for_them(rig: Rig, browser: Browser, city: City) -> None:
    goes(browser, city)
    away = browser.get(BEGIN)
    city.user = {"sub": "u-1", "name": "Liisa", "groups": ["data-leads"]}
    reply = browser.get(f"{BACK}?{httpx.QueryParams(city.browse(away.headers['location']))}")
    assert reply.status_code == 401
    assert rig.node.staff.sessions.of("u-1") == []


def test_signing_out_leads_on_to_signing_out_there(browser: Browser, city: City) -> None:
    browser.after(goes(browser, city))
    left = browser.after(browser.press("/desk/sign-out"))
    assert f"{ISSUER}/leave?client_id={CLIENT}" in left.text


def test_a_provider_that_is_away_leaves_the_desk_its_own_accounts(rig: Rig, browser: Browser, city: City) -> None:
    city.away = True
    assert browser.get(BEGIN).status_code == 503
    person(rig)
    assert sign_in(browser).status_code == 303
