"""Laws of the desk's pages on cities: five steps to add one, nothing pinned uncompared, every stop said beforehand."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.keys import Keyring
from node.web.wording.words import LANGUAGES, words
from tests.federation.fake_peer import FakePeer
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.desk.sent import form_with
from tests.web.find_rig import Rig, empty

pytestmark = pytest.mark.slow  # whole nodes and a peer's server: seconds, not milliseconds

ALL_ROLES = ("steward", "approver")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    made = empty(tmp_path_factory.mktemp("desk"), migrated)
    yield made
    made.close()


@pytest.fixture
def ghent(tmp_path: Path, rig: Rig) -> Iterator[FakePeer]:
    with FakePeer(tmp_path / "ghent", name="Ghent") as running:
        running.publish(now_ms=now_ms())
        running.shows({"collection": f"{running.url}/collections/open-data", "name": "open-data", "size": 1})
        yield running
    with rig.node.db.write() as tx:
        for table in ("peer", "peer_key", "evidence", "follow", "audit"):
            tx.run(f"DELETE FROM {table}")  # noqa: S608 (our own names)


@pytest.fixture
def desk(rig: Rig) -> Iterator[Browser]:
    with at_desk(rig, *ALL_ROLES) as browser:
        browser.get("/desk/peers")
        yield browser


def office(rig: Rig) -> Any:
    return rig.node.federation.office


def approved(rig: Rig, ghent: FakePeer) -> None:
    office(rig).add(f"{ghent.url}#{ghent.fingerprint}", name="ghent")
    office(rig).approve("ghent", by="ada", review=office(rig).review("ghent")["review"])


def field_of(reply: Any, name: str) -> str:
    return str(reply.text.partition(f'name="{name}" value="')[2].partition('"')[0])


def acts(rig: Rig) -> list[tuple[str, str, str]]:
    return [(each.act, each.target, each.outcome) for each in reversed(rig.node.staff.trail.list())]


# ---------------------------------------------------------------- adding


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_city_is_added_in_five_steps_that_can_be_left_after_each(rig: Rig, ghent: FakePeer, language: str) -> None:
    with at_desk(rig, *ALL_ROLES, language=language) as desk:
        desk.get("/desk/new-peer")
        page = desk.after(desk.press("/desk/new-peer", {"invite": ghent.url, "name": "ghent", "note": "By fair."}))
        assert words(language, "desk.peers.step_of", n=3) in page.text
        assert ghent.fingerprint[:4] in page.text
        assert office(rig).show("ghent")["state"] == "proposed"
        page = desk.get("/desk/peers/ghent")
        told = {name: field_of(page, name) for name in ("review", "fingerprint")}
        page = desk.after(
            desk.press("/desk/peers/ghent/approve", told | {"compared": "same", "told_by": "registry office"})
        )
        assert words(language, "desk.peers.step_of", n=4) in page.text
        assert office(rig).show("ghent")["evidence"][0]["summary"].endswith("with registry office.")
        page = desk.after(desk.press("/desk/peers/ghent/follow", {"how": "some", "collection": "open-data"}))
        assert words(language, "desk.peers.mirrored") in page.text
        assert [each["collection"] for each in office(rig).show("ghent")["follows"]] == ["open-data"]
    assert acts(rig) == [
        ("peer.add", "ghent", "done"),
        ("peer.approve", "ghent", "done"),
        ("peer.follow", "ghent", "done"),
    ]


def test_an_invitation_is_compared_at_once_and_a_false_one_stays_on_its_form(
    rig: Rig, ghent: FakePeer, desk: Browser
) -> None:
    false = desk.press("/desk/new-peer", {"invite": f"{ghent.url}#{'a' * 43}", "name": "ghent", "note": ""})
    assert false.status_code == 422
    assert words("en", "desk.peers.wrong.refuted") in false.text
    assert f'value="{ghent.url}#' in false.text, "what was typed is not lost"
    assert office(rig).list() == []
    done = desk.press("/desk/new-peer", {"invite": f"{ghent.url}#{ghent.fingerprint}", "name": "ghent", "note": ""})
    page = desk.after(done)
    assert words("en", "desk.peers.as_told") in page.text
    assert 'value="vouched"' in page.text
    vouched = {"review": field_of(page, "review"), "compared": "vouched"}
    desk.after(desk.press("/desk/peers/ghent/approve", vouched))
    assert office(rig).show("ghent")["state"] == "approved"


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"invite": "http://127.0.0.1:1", "name": "x"}, "desk.peers.wrong.peer-unreachable"),
        ({"invite": "ftp://x.example", "name": "x"}, "desk.peers.wrong.malformed"),
        ({"invite": "https://x.example#short", "name": "x"}, "desk.peers.wrong.malformed"),
        ({"invite": "http://127.0.0.1:8001", "name": "x"}, "desk.peers.wrong.conflict"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_beside_it(
    ghent: FakePeer, desk: Browser, said: dict[str, str], key: str
) -> None:
    reply = desk.press("/desk/new-peer", said | {"note": ""})
    assert 400 <= reply.status_code < 600
    assert words("en", key) in reply.text


def test_nothing_is_pinned_before_somebody_said_that_the_key_is_the_same(
    rig: Rig, ghent: FakePeer, desk: Browser
) -> None:
    office(rig).add(ghent.url, name="ghent", untold=True)
    page = desk.get("/desk/peers/ghent")
    told = {name: field_of(page, name) for name in ("review", "fingerprint")}
    for compared in ("", "vouched"):
        reply = desk.press("/desk/peers/ghent/approve", told | {"compared": compared})
        assert 400 <= reply.status_code < 500
    assert (
        desk.press("/desk/peers/ghent/approve", {"review": "0" * 64, "compared": "same", "told_by": "x"}).status_code
        == 409
    )
    assert office(rig).show("ghent")["state"] == "proposed"


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_says_nothing_of_the_key_gets_the_form_back_with_what_was_typed(
    rig: Rig, ghent: FakePeer, language: str
) -> None:
    office(rig).add(ghent.url, name="ghent", untold=True)
    with at_desk(rig, *ALL_ROLES, language=language) as desk:
        page = desk.get("/desk/peers/ghent")
        told = {name: field_of(page, name) for name in ("review", "fingerprint")} | {"told_by": "registry <office>"}
        again = desk.press("/desk/peers/ghent/approve", told)
        assert again.status_code == 400
        assert 'id="compared-lint"' in again.text, "beside the question"
        assert words(language, "desk.peers.compare_first") in again.text
        assert 'value="registry &lt;office&gt;"' in again.text, "what was typed is not lost"
        assert words(language, "desk.peers.step_of", n=3) in again.text
        nobody = desk.press("/desk/peers/ghent/approve", told | {"compared": "same", "told_by": " "})
        assert (nobody.status_code, words(language, "desk.peers.told_by_first") in nobody.text) == (400, True)
        assert 'id="told_by-lint"' in nobody.text
        assert 'value="same" required checked' in nobody.text, "what was chosen is not lost"
        desk.after(desk.press("/desk/peers/ghent/approve", told | {"compared": "same"}))
        later = desk.get("/desk/peers/ghent/review")
        assert 'name="compared" value="vouched"' in later.text
        assert desk.press("/desk/peers/ghent/approve", {"told_by": "x"}).status_code == 400
    assert office(rig).show("ghent")["state"] == "approved"
    assert acts(rig)[0] == ("peer.approve", "ghent", "refused")


def test_another_key_than_was_read_out_ends_in_a_block_with_evidence(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    office(rig).add(ghent.url, name="ghent", untold=True)
    desk.get("/desk/peers/ghent")
    page = desk.after(desk.press("/desk/peers/ghent/approve", {"compared": "different", "told_by": "registry"}))
    assert words("en", "desk.peers.note.differs") in text_of(page)
    shown = office(rig).show("ghent")
    assert (shown["state"], shown["evidence"][0]["kind"]) == ("blocked", "other-fingerprint")


def test_the_test_names_each_step_and_where_it_stops(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    office(rig).add(ghent.url, name="ghent", untold=True)
    desk.get("/desk/peers/ghent")
    page = desk.press("/desk/peers/ghent/test", {})
    assert page.status_code == 200
    for step in ("dns", "tls", "identity", "keys", "token", "feed"):
        assert words("en", f"desk.peers.step.{step}") in page.text
    assert words("en", "desk.peers.walk_failed", step=words("en", "desk.peers.step.token")) in text_of(page)
    assert words("en", "desk.peers.missing.keys") in text_of(page), "in words that no engineer is needed for"
    assert acts(rig) == [("peer.test", "ghent", "done")]
    assert desk.after(desk.get("/desk/peers/ghent/test?lang=fi")).status_code == 200, "in another language, untested"
    assert len(acts(rig)) == 1


def test_a_new_city_that_does_not_answer_is_still_shown(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    office(rig).add(ghent.url, name="ghent", untold=True)
    ghent.says.clear()
    page = desk.get("/desk/peers/ghent")
    assert page.status_code == 200
    assert words("en", "desk.peers.step_of", n=2) in page.text
    assert 'name="compared"' not in page.text


def test_a_city_that_does_not_answer_can_not_be_approved_again_and_the_page_says_why(
    rig: Rig, ghent: FakePeer, desk: Browser
) -> None:
    approved(rig, ghent)
    ghent.says.clear()
    page = desk.get("/desk/peers/ghent/review")
    assert page.status_code == 200
    assert words("en", "desk.peers.test") in page.text
    assert 'name="compared"' not in page.text


# ---------------------------------------------------------------- living together


def test_what_is_mirrored_of_a_city_can_be_changed_and_ended(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    approved(rig, ghent)
    theme = "http://publications.europa.eu/resource/authority/data-theme/TRAN"
    again = desk.press("/desk/peers/ghent/follow", {"how": "some", "theme": theme})
    assert again.status_code == 400
    assert 'id="how-lint"' in again.text, "beside the question"
    assert f'value="{theme}" checked' in again.text, "what was chosen is not lost"
    odd = desk.press("/desk/peers/ghent/follow", {"how": "some", "other": "Not-A-Name"})
    assert odd.status_code == 400
    assert 'value="Not-A-Name"' in odd.text
    page = desk.after(desk.press("/desk/peers/ghent/follow", {"how": "all", "theme": theme}))
    assert words("en", "desk.peers.follows_all") in page.text
    assert office(rig).show("ghent")["follows"][0]["themes"] == [theme]
    assert "Transport" in text_of(page)
    page = desk.after(desk.press("/desk/peers/ghent/follow", {"how": "some", "other": "open-data secret-plans"}))
    assert words("en", "desk.peers.note.follows_unseen", n=2) in page.text
    page = desk.after(desk.press("/desk/peers/ghent/unfollow", {"collection": "secret-plans"}))
    assert [each["collection"] for each in office(rig).show("ghent")["follows"]] == ["open-data"]
    assert desk.press("/desk/peers/ghent/unfollow", {"collection": "secret-plans"}).status_code == 404


def test_a_pause_is_ended_and_a_block_takes_a_new_approval(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    approved(rig, ghent)
    office(rig).follow("ghent", [], all_of_them=True)
    page = desk.get("/desk/peers/ghent")
    assert words("en", "desk.peers.effect.paused") in page.text
    assert words("en", "desk.peers.hides", n=0) in page.text, "what a block hides is said before it is made"
    desk.after(desk.press("/desk/peers/ghent/pause", {}))
    page = desk.after(desk.press("/desk/peers/ghent/resume", {}))
    assert words("en", "desk.peers.state.approved") in text_of(page), "nothing was ever exchanged"
    with rig.node.db.write() as tx:
        tx.run("UPDATE peer SET last_out_at = approved_at")
    page = desk.get("/desk/peers/ghent")
    assert words("en", "desk.peers.state.resumed") in text_of(page)
    assert words("en", "desk.peers.effect.resumed") in text_of(page)
    assert words("en", "desk.peers.state.approved") not in text_of(page), "it was exchanged before the pause"
    assert office(rig).show("ghent")["state"] == "approved"
    page = desk.after(desk.press("/desk/peers/ghent/block", {}))
    assert words("en", "desk.peers.blocked_now") in page.text
    page = desk.get("/desk/peers/ghent/review")
    assert words("en", "desk.peers.vouched") in page.text
    again = {"review": field_of(page, "review"), "compared": "vouched"}
    desk.after(desk.press("/desk/peers/ghent/approve", again))
    assert office(rig).show("ghent")["state"] == "approved"


def test_a_city_that_was_held_apart_shows_its_evidence_and_comes_back_by_its_new_key_alone(
    rig: Rig, ghent: FakePeer, desk: Browser, tmp_path: Path
) -> None:
    approved(rig, ghent)
    ghent.becomes(Keyring.create(tmp_path / "new"), now_ms=now_ms())
    rig.node.federation.peers.quarantine("ghent", "key-changed", "Other keys <b>", "{}", now_ms())
    assert words("en", "desk.peers.waiting_one") in desk.get("/desk/peers").text
    page = desk.get("/desk/peers/ghent")
    assert words("en", "desk.peers.quarantine_do") in page.text
    assert "Other keys &lt;b&gt;" in page.text
    page = desk.get("/desk/peers/ghent/review")
    told = {name: field_of(page, name) for name in ("review", "fingerprint")}
    assert told["fingerprint"] == ghent.fingerprint
    assert desk.press("/desk/peers/ghent/approve", {**told, "compared": "vouched"}).status_code == 422
    desk.after(desk.press("/desk/peers/ghent/approve", {**told, "compared": "same", "told_by": "registry"}))
    assert office(rig).show("ghent")["quarantine"] == ""


def test_what_both_sides_refuse_is_on_the_page(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    approved(rig, ghent)
    office(rig).follow("ghent", [], all_of_them=True)
    with rig.node.db.write() as tx:
        [own] = tx.rows("SELECT id FROM collection WHERE name = 'open-data'")
        tx.run("DELETE FROM refusal_heard")
        tx.run(
            "INSERT INTO refusal_heard (collection_id, seq, peer, code, at) VALUES (?, 2, 'ghent', 'too-large', 1)",
            own[0],
        )
    said = text_of(desk.get("/desk/peers/ghent"))
    assert "too-large" in said
    assert words("en", "desk.peers.refused_one") in said
    assert words("en", "desk.peers.refused_none") in said


def test_an_old_page_brings_back_nothing_that_somebody_ended_meanwhile(
    rig: Rig, ghent: FakePeer, desk: Browser
) -> None:
    approved(rig, ghent)
    office(rig).follow("ghent", ["open-data", "plans"], all_of_them=False)
    old = form_with(desk.get("/desk/peers/ghent").text, "how") | {"other": ["plans"]}
    office(rig).unfollow("ghent", "plans")
    refused = desk.press("/desk/peers/ghent/follow", old)
    assert refused.status_code == 409
    assert "Mirrored are now: open-data. Nothing was changed." in text_of(refused)
    assert [each["collection"] for each in office(rig).show("ghent")["follows"]] == ["open-data"]
    again = form_with(refused.text, "how")
    assert again["other"] == ["plans"], "what was typed is kept"
    desk.after(desk.press("/desk/peers/ghent/follow", again))
    assert desk.press("/desk/peers/ghent/follow", again).status_code == 303, "sent twice is no clash"
    assert len(office(rig).show("ghent")["follows"]) == 2


def test_a_note_does_not_take_the_place_of_one_that_nobody_saw(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    approved(rig, ghent)
    old = form_with(desk.get("/desk/peers/ghent?whole=yes").text, "note") | {"note": ["Mine."]}
    office(rig).annotate("ghent", "Theirs.")
    refused = desk.press("/desk/peers/ghent/note", old)
    assert refused.status_code == 409
    assert "Theirs." in text_of(refused)
    assert office(rig).show("ghent")["note"] == "Theirs."
    again = form_with(refused.text, "note")
    assert again["note"] == ["Mine."]
    desk.after(desk.press("/desk/peers/ghent/note", again))
    assert office(rig).show("ghent")["note"] == "Mine."
    assert desk.press("/desk/peers/ghent/note", again).status_code == 303, "sent twice is no clash"


def test_the_note_for_colleagues_is_kept_and_shown_as_it_was_written(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    approved(rig, ghent)
    office(rig).follow("ghent", [], all_of_them=True)
    note = 'Ask <script>alert("x")</script>\nand & so on'
    page = desk.after(desk.press("/desk/peers/ghent/note", {"note": note}))
    assert "<script>alert" not in page.text
    assert office(rig).show("ghent")["note"] == note


@pytest.mark.parametrize(
    ("role", "path", "allowed"),
    [
        ("viewer", "/desk/peers/ghent/pause", False),
        ("editor", "/desk/peers/ghent/follow", False),
        ("steward", "/desk/peers/ghent/pause", True),
        ("steward", "/desk/peers/ghent/block", False),
        ("steward", "/desk/peers/ghent/approve", False),
        ("steward", "/desk/peer-table/take", False),
        ("approver", "/desk/peers/ghent/block", True),
        ("approver", "/desk/peers/ghent/pause", False),
        ("approver", "/desk/new-peer", False),
        ("admin", "/desk/peers/ghent/block", False),
    ],
)
def test_a_role_does_its_own_acts_and_no_others(rig: Rig, ghent: FakePeer, role: str, path: str, allowed: bool) -> None:
    approved(rig, ghent)
    with at_desk(rig, role, name=role) as browser:
        page = browser.get("/desk/peers/ghent?whole=yes")
        reply = browser.press(path, {})
        assert (reply.status_code == 303) == allowed
        assert (f'action="{path}"' in page.text) == allowed, "a button that is not allowed is not there"
        assert reply.status_code in (303, 403)


@pytest.mark.parametrize("path", ["/desk/peers/nobody", "/desk/peers/nobody/review", "/desk/peers/%3Cb%3E"])
def test_a_city_that_is_not_there_is_not_found(ghent: FakePeer, desk: Browser, path: str) -> None:
    assert desk.get(path).status_code == 404


# ---------------------------------------------------------------- tables

HEAD = "name,url,fingerprint,state,title,note"


def test_a_table_is_shown_first_and_exactly_that_is_done(rig: Rig, ghent: FakePeer, desk: Browser) -> None:
    approved(rig, ghent)
    turku = f"turku,https://turku.example,{'a' * 43},active,,=1"
    table = f"{HEAD}\r\n{turku}\r\nghent,{ghent.url},{ghent.fingerprint},blocked,,"
    looked = desk.press("/desk/peer-table", {"table": table})
    said = text_of(looked)
    assert looked.status_code == 200
    assert words("en", "desk.peers.would", n=2) in said
    assert [each["name"] for each in office(rig).list()] == ["ghent"]
    plan = field_of(looked, "plan")
    assert (
        desk.press("/desk/peer-table/take", {"table": f"{table}\r\nx,https://x.example,,,,", "plan": plan}).status_code
        == 409
    )
    desk.after(desk.press("/desk/peer-table/take", {"table": table, "plan": plan}))
    states = {each["name"]: each["state"] for each in office(rig).list()}
    assert states == {"ghent": "blocked", "turku": "proposed"}, "a table approves nobody"
    out = desk.get("/desk/peers.csv")
    assert out.headers["content-disposition"] == 'attachment; filename="peers.csv"'
    assert out.text.splitlines()[2].endswith(",'=1")
    back = desk.press("/desk/peer-table", {"table": out.text.replace("blocked", "active")})
    assert words("en", "desk.peers.would_none") in text_of(back), "a table never lowers a block"


@pytest.mark.parametrize("table", ["", "x", f"{HEAD}\nx,y", f"{HEAD}\nA,https://x.example,{'a' * 43},,,"])
def test_what_is_no_table_of_cities_is_refused(rig: Rig, ghent: FakePeer, desk: Browser, table: str) -> None:
    again = desk.press("/desk/peer-table", {"table": table})
    assert again.status_code == 400
    assert f'aria-describedby="table-flaw" aria-invalid="true">\n{table}</textarea>' in again.text
    assert 'id="table-flaw"' in again.text
    assert office(rig).list() == []
