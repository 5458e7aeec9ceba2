"""Laws of the desk's frame: who is let in, whose forms are taken, what stands in the trail, what no cache keeps."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from node.errors import Conflict
from node.staff.rights import RIGHTS, ROLES, Right, holders, may
from node.staff.trail import Event
from node.web.desk import areas
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.find_rig import Rig, empty


def _probe(desk: Desk) -> None:
    """An area of the tests: one thing to see and one act for each right, and one that ends badly."""

    @desk.get("/probe")
    async def see(request: Request, clerk: Clerk) -> Response:
        return desk.page(request, clerk, "problem.html", problem=_Nothing())

    for right in RIGHTS:
        _act(desk, right)

    @desk.post("/probe/clash", "read", "probe.clash")
    async def clash(request: Request, clerk: Clerk, form: Form) -> Response:
        raise Conflict("It is taken.", fix="Take another.")

    @desk.get("/probe-head")
    async def head(request: Request, clerk: Clerk) -> Response:
        with pytest.raises(TypeError, match="city"):
            desk.page(request, clerk, "problem.html", problem=_Nothing(), city="Evil")
        return desk.page(request, clerk, "problem.html", problem=_Nothing())

    @desk.post("/probe-note", "read", "probe.note")
    async def note(request: Request, clerk: Clerk, form: Form) -> Response:
        form.text("said", most=5)
        return desk.back(request, "/desk/probe")


class _Nothing:
    code, status, detail, fix, said = "not-found", 404, "", "", ("", {})


def _act(desk: Desk, right: Right) -> None:
    @desk.post(f"/probe/{right}/{{what}}", right, f"probe.{right}")
    async def do(request: Request, clerk: Clerk, form: Form) -> Response:
        form.told["count"] = form.number("count", least=1, most=9)
        return desk.back(request, "/desk/probe#end", "catalog.none")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(areas, "AREAS", (_probe,))
        made = empty(tmp_path_factory.mktemp("frame"), migrated)
    yield made
    made.close()


@pytest.fixture
def browser(rig: Rig) -> Iterator[Browser]:
    """Somebody new, so that no test meets what another did to its account."""
    name = f"maija-{len(rig.node.staff.people.list())}"
    with at_desk(rig, "steward", name=name) as made:
        yield made


def _newest(rig: Rig) -> Event | None:
    return next(iter(rig.node.staff.trail.list(limit=1)), None)


def test_no_page_says_in_the_frames_name_whose_desk_it_is(rig: Rig, browser: Browser) -> None:
    assert "<span>Testville</span> <small>desk</small>" in browser.get("/desk/probe-head").text


@pytest.mark.parametrize(("language", "label"), [("en", "Comment"), ("fi", "Kommentti"), ("sv", "Kommentar")])
def test_a_form_with_one_field_too_long_is_kept_and_the_field_named_in_words(
    browser: Browser, language: str, label: str
) -> None:
    browser.language = language
    browser.get("/desk/probe")
    again = browser.press(
        "/desk/probe-note?iri=https://a.example/1&lang=" + language, {"said": "far too long", "of": ['"a"', "b"]}
    )
    assert again.status_code == 400
    assert f'<label for="again">{label}</label>' in again.text
    assert 'aria-describedby="again-flaw" aria-invalid="true">\nfar too long</textarea>' in again.text
    kept = [
        'name="of" value="&#34;a&#34;"',
        'name="of" value="b"',
        'action="/desk/probe-note?iri=https%3A%2F%2Fa.example%2F1&amp;lang=',
    ]
    assert all(each in again.text for each in kept)
    assert again.text.count('name="token"') == again.text.count("<form method")
    assert "said" not in text_of(again)


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back(rig: Rig, browser: Browser) -> None:
    stranger = Browser(rig)
    reply = stranger.get("/desk/probe?x=1")
    assert (reply.status_code, reply.headers["location"]) == (303, "/desk/sign-in?then=%2Fdesk%2Fprobe%3Fx%3D1")
    part = stranger.get("/desk/probe", hx_request="true")
    assert part.status_code == 401
    assert part.headers["hx-redirect"].startswith("/desk/sign-in?then=")
    before = _newest(rig)
    assert stranger.press("/desk/probe/read/x", {"count": "1"}).status_code == 303
    assert _newest(rig) == before
    stranger.close()


def test_nothing_of_the_desk_is_kept_or_read_elsewhere(browser: Browser) -> None:
    reply = browser.get("/desk/probe")
    assert reply.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in reply.headers
    assert reply.headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("role", ROLES)
def test_a_right_is_held_by_its_roles_alone(rig: Rig, role: str, right: Right) -> None:
    with at_desk(rig, role, name=role) as browser:
        browser.get("/desk/probe")
        reply = browser.press(f"/desk/probe/{right}/it", {"count": "3"})
        assert reply.status_code == (303 if may([role], right) else 403)
        event = _newest(rig)
        assert event is not None
        assert (event.who, event.way, event.act, event.target) == (role, "desk", f"probe.{right}", "it")
        assert event.outcome == ("done" if role in holders(right) else "refused forbidden")
        assert event.detail == ({"count": 3} if role in holders(right) else {})


def test_a_form_from_elsewhere_is_refused_unread(rig: Rig, browser: Browser) -> None:
    browser.get("/desk/probe")
    before = _newest(rig)
    for wrong in (
        {"origin": "https://evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ):
        assert browser.press("/desk/probe/read/it", {"count": "1"}, **wrong).status_code == 403
    browser.token = "0" * 64
    assert browser.press("/desk/probe/read/it", {"count": "1"}).status_code == 403
    assert browser.press("/desk/probe/read/it", content_type="application/json").status_code == 400
    assert _newest(rig) == before


def test_an_act_that_is_refused_says_so_in_the_desks_frame_and_in_the_trail(rig: Rig, browser: Browser) -> None:
    browser.get("/desk/probe")
    reply = browser.press("/desk/probe/clash")
    assert reply.status_code == 409
    assert "It is taken. Take another." in text_of(reply)
    assert rig.node.staff.trail.list()[0].outcome == "refused conflict"


def test_a_wrong_field_is_named_in_the_readers_language(rig: Rig) -> None:
    with at_desk(rig, "steward", name="suomi", language="fi") as browser:
        browser.get("/desk/probe")
        reply = browser.press("/desk/probe/read/it", {"count": "ten"})
        assert reply.status_code == 400
        assert "Kirjoita kokonaisluku väliltä 1–9." in text_of(reply)


def test_a_note_of_an_act_stands_on_the_next_page_and_cannot_be_forged(browser: Browser) -> None:
    browser.get("/desk/probe")
    reply = browser.press("/desk/probe/read/it", {"count": "3"})
    assert reply.headers["location"].endswith("#end")
    assert "The catalogue is empty" in text_of(browser.after(reply)) or 'role="status"' in browser.after(reply).text
    sealed = httpx.URL(reply.headers["location"]).params["note"]
    assert "catalog.none" not in reply.headers["location"], "nobody who carries addresses reads it"
    for forged in (sealed[:-4] + "AAAA", "said=catalog.title", "é", ""):
        assert 'role="status"' not in browser.get(f"/desk/probe?{urlencode({'note': forged})}").text


@pytest.mark.parametrize("end", ["sign out", "revoke", "disable", "roles"])
def test_a_session_ends_at_once_whoever_ends_it(rig: Rig, browser: Browser, end: str) -> None:
    assert browser.get("/desk/probe").status_code == 200
    staff, name = rig.node.staff, browser.name
    if end == "sign out":
        staff.sessions.end(browser._client.cookies["citynode-desk"])
    elif end == "revoke":
        assert staff.sessions.revoke(name, staff.sessions.of(name)[0].id) == 1
    elif end == "disable":
        staff.people.disable(name)
    else:
        staff.people.grant(name, ["viewer"])
    assert browser.get("/desk/probe").status_code == 303


def test_what_was_begun_and_never_ended_stands_without_an_end(rig: Rig) -> None:
    trail = rig.node.staff.trail
    trail.begin(who="maija", way="desk", source="192.0.2.1", act="run.start", target="hri")
    assert [(event.act, event.outcome) for event in trail.list(limit=1)] == [("run.start", "")]


def test_a_script_that_asks_for_a_part_is_refused_in_a_part(rig: Rig, browser: Browser) -> None:
    browser.get("/desk/probe")
    part = browser.press("/desk/probe/clash", hx_request="true")
    assert part.status_code == 409
    assert "<html" not in part.text
    assert "<h2>" in part.text
    missing = rig.client.get("/nowhere", headers={"accept": "text/html", "hx-request": "true"})
    assert missing.status_code == 404
    assert "<html" not in missing.text
    assert 'class="blank' in missing.text
