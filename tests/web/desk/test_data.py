"""Laws of the desk's pages of data: what moved is told, acts take rights and words, and no secret is on a page."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from node.assembly.clock import clock_ms
from node.catalog.today import Need
from node.federation.consent.store import ConsentStore, Withdrawal
from node.federation.data.origin_office import Changes
from node.federation.moved import OriginWish
from node.federation.pulls.store import PullStore, Wanted
from node.federation.transfer import Transfer
from node.federation.transfers.moves import new
from node.federation.transfers.store import TransferStore
from tests.web.cities import PARKING
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.desk.sent import forms_to
from tests.web.find_rig import LONDON, Rig
from tests.web.finding import found_city

pytestmark = pytest.mark.slow
HERE, DATASET = "/desk/data", PARKING.record
AGREEMENT, SECRET = "https://london.example/agreements/1", "bearer-zanzibar"
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("data"), migrated) as made:
        yield made


@pytest.fixture
def clean(rig: Rig) -> Iterator[Rig]:
    yield rig
    with rig.node.db.write() as tx:
        for table in ("transfer", "pull", "withdrawal", "outgoing", "consent_source", "data_origin", "data_personal"):
            tx.run(f"DELETE FROM {table}")  # noqa: S608 (names of ours)


def transfer(rig: Rig, pid: str, state: str = "STARTED", **more: object) -> Transfer:
    said = {"pid": pid, "other_pid": f"other-{pid}", "state": state, "dataset": DATASET, "agreement": AGREEMENT}
    secret = {"endpointProperties": [{"name": "authorization", "value": SECRET}]}
    made = new("provider", LONDON, clock_ms(), other_url=LONDON, address=secret, **(said | more))
    with rig.node.db.write() as tx:
        TransferStore(rig.node.db).insert(tx, made)
    return made


def withdrawal(rig: Rig, name: str, direction: str = "in", *, at_ms: int = 0) -> None:
    said = ("https://london.example", AGREEMENT, DATASET, "", "ab" * 16, "cd" * 32, 5, at_ms or clock_ms())
    with rig.node.db.write() as tx:
        ConsentStore(rig.node.db).put(tx, Withdrawal(name, direction, *said))  # type: ignore[arg-type]


def needs(rig: Rig) -> dict[str, Need]:
    look = rig.node.today.look()
    return {each.what: each for each in (*look.urgent, *look.soon)}


def test_what_moves_is_told_with_titles_cities_and_no_secret(clean: Rig) -> None:
    transfer(clean, "one", clause="permission/3", purpose="https://w3id.org/dpv#PublicPolicyMaking")
    with at_desk(clean, "viewer") as desk:
        listed = desk.get(HERE)
        assert "Kerbside parking areas" in text_of(listed)
        assert "we give london" in text_of(listed)
        page = desk.get(f"{HERE}/transfers/one")
        assert page.status_code == 200
        told = text_of(page)
        for word in ("Public Policy Making", "permission/3", "other-one", "open"):
            assert word in told, word
        assert SECRET not in page.text
        assert not forms_to(page.text, "/terminate"), "who only looks is offered no act"
        assert desk.get(f"{HERE}/transfers/none").status_code == 404


def test_a_transfer_is_paused_and_ended_with_a_reason_by_whoever_may_run(clean: Rig) -> None:
    transfer(clean, "two")
    store = TransferStore(clean.node.db)
    with at_desk(clean, "viewer") as desk:
        desk.get(f"{HERE}/transfers/two")
        assert desk.press(f"{HERE}/transfers/two/suspend", {"reason": "A slip"}).status_code == 403
    with at_desk(clean, "steward", name="sirpa") as desk:
        desk.get(f"{HERE}/transfers/two")
        done = desk.after(desk.press(f"{HERE}/transfers/two/suspend", {"reason": "A slip"}))
        assert "It is paused" in text_of(done)
        assert store.get("two").sending == ("suspend",)
        assert not store.get("two").streams, "our own word counts at once"
        desk.get(f"{HERE}/transfers/two")
        empty = desk.press(f"{HERE}/transfers/two/terminate", {"reason": " "})
        assert empty.status_code == 400
        assert "write a reason" in text_of(empty)
        assert "It has ended" in text_of(desk.after(desk.press(f"{HERE}/transfers/two/terminate", {"reason": "Over"})))
        assert "terminate" in store.get("two").sending
        again = desk.press(f"{HERE}/transfers/two/resume", {})
        assert again.status_code == 409
        assert "This was not done" in text_of(again)


def test_a_pull_is_shown_while_it_comes_and_ended_at_the_desk(clean: Rig) -> None:
    store = PullStore(clean.node.db)
    pull = store.add(Wanted(DATASET, peer="london", target="s3://b/k", by="maija"), state="waiting", now_ms=clock_ms())
    with clean.node.db.write() as tx:
        tx.run("UPDATE pull SET state = 'running', got = 500, total = 2000 WHERE id = ?", pull.id)
    with at_desk(clean, "steward", name="sirpa") as desk:
        page = desk.get(f"{HERE}/pulls/{pull.id}")
        assert 'max="2000" value="500"' in page.text
        assert "hx-trigger" in page.text
        part = desk.get(f"{HERE}/pulls/{pull.id}", hx_request="true")
        assert "<html" not in part.text
        assert "hx-refresh" not in part.headers
        done = desk.after(desk.press(f"{HERE}/pulls/{pull.id}/cancel"))
        assert "cancelled" in text_of(done)
        assert store.get(pull.id).state == "cancelled"
        assert desk.get(f"{HERE}/pulls/{pull.id}", hx_request="true").headers["hx-refresh"] == "true"
        assert [desk.get(f"{HERE}/pulls/{name}").status_code for name in ("99", "x", "9" * 30)] == [404] * 3


def test_what_the_other_city_paused_is_not_begun_again_here(clean: Rig) -> None:
    transfer(clean, "theirs", "SUSPENDED", paused_by="them")
    with at_desk(clean, "steward", name="sirpa") as desk:
        desk.get(f"{HERE}/transfers/theirs")
        assert desk.press(f"{HERE}/transfers/theirs/resume", {}).status_code == 409
    assert not TransferStore(clean.node.db).get("theirs").sending


def test_data_that_did_not_arrive_are_told_once_until_they_come(clean: Rig) -> None:
    def pull(state: str, by: str = "maija", *, part: str = "", took_ms: int = 0) -> None:
        store, at_ms = PullStore(clean.node.db), clock_ms() - 3_600_000
        made = store.add(Wanted(DATASET, part=part, peer="london", by=by), state="waiting", now_ms=at_ms)
        with clean.node.db.write() as tx:
            tx.run("UPDATE pull SET state = ?, changed_at = ? WHERE id = ?", state, at_ms + took_ms, made.id)

    def told() -> int:
        look = clean.node.today.look()
        return sum(each.what == "pull-failed" for each in (*look.urgent, *look.soon))

    pull("failed", "command line", part="none.csv")
    assert told() == 0, "whoever ran the command was told there"
    pull("failed")
    pull("failed")
    assert told() == 1
    pull("done", part="a.csv")
    assert told() == 1, "a part is not all of it"
    pull("done")
    pull("failed", "command line")
    assert told() == 0, "it came, and what failed since was told"
    pull("failed", "command line", took_ms=3_000_000)
    assert told() == 1, "nobody sat there so long"


def test_where_no_city_can_be_asked_for_data_it_is_said_and_what_was_typed_stays(clean: Rig) -> None:
    with at_desk(clean, "steward", name="sirpa") as desk:
        desk.get(f"{HERE}/get?dataset=nothing-of-that-name")
        sent = {"dataset": "nothing-of-that-name", "message": "Please & thanks"}
        refused = desk.press(f"{HERE}/get", sent)
        assert refused.status_code == 502
        assert 'value="nothing-of-that-name"' in refused.text
        assert "Please &amp; thanks" in refused.text
    assert PullStore(clean.node.db).list(ended=True) == []


def test_a_path_of_this_machine_is_no_origin_at_the_desk(clean: Rig, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n")
    with at_desk(clean, "steward", name="sirpa") as desk:
        for location in (str(file), f"file://{file}", "../node.db"):
            desk.get(f"{HERE}/origins")
            refused = desk.press(f"{HERE}/origins", {"dataset": DATASET, "location": location})
            assert refused.status_code == 400, location
    assert clean.node.federation.moving.origin_parts.office.list() == []


def test_an_open_page_tells_at_once_that_its_data_are_to_be_had_and_that_they_are_not(
    clean: Rig, tmp_path: Path
) -> None:
    file = tmp_path / "trees.csv"
    file.write_text("a,b\n1,2\n")
    office, ask = clean.node.federation.moving.origin_parts.office, f"/request-access?iri={quote(DATASET, safe='/')}"
    for _ in range(2):
        assert ask not in clean.page("/datasets/parking")
        office.add(OriginWish(DATASET, str(file)), by="test", files=True)
        assert ask in clean.page("/datasets/parking")
        assert ask in clean.page("/datasets/parking"), "also out of memory"
        office.remove(DATASET, "trees.csv")


def test_an_origin_is_tried_and_forgotten_and_its_trouble_waits_on_today(clean: Rig, tmp_path: Path) -> None:
    file = tmp_path / "trees.csv"
    file.write_text("a,b\n1,2\n")
    office = clean.node.federation.moving.origin_parts.office
    office.add(OriginWish(DATASET, str(file), is_personal=True, column="a"), by="test", files=True)
    assert f"/request-access?iri={quote(DATASET, safe='/')}" in clean.page("/datasets/parking"), "the portal says so"
    file.unlink()
    with at_desk(clean, "steward", name="sirpa") as desk:
        desk.get(f"{HERE}/origins")
        tried = desk.after(desk.press(f"{HERE}/origins/test", {"dataset": DATASET, "part": "trees.csv"}))
        assert "could not be read" in text_of(tried)
        assert needs(clean)["origin-trouble"].path == f"{HERE}/origins"
        gone = desk.after(desk.press(f"{HERE}/origins/remove", {"dataset": DATASET, "part": "trees.csv"}))
        assert "forgotten" in text_of(gone)
    assert "origin-trouble" not in needs(clean)
    assert office.list() == []


def test_a_consent_source_that_does_not_answer_is_seen_and_asked_again(clean: Rig, tmp_path: Path) -> None:
    file = tmp_path / "consent.csv"
    head = "pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties,dataset,valid_until\n"
    file.write_text(head)
    clean.node.federation.moving.consenting.office.add("office", str(file), files=True)
    with at_desk(clean, "steward", name="sirpa") as desk:
        assert "answers" in text_of(desk.get(f"{HERE}/origins"))
        assert str(file) not in desk.get(f"{HERE}/origins").text
        file.unlink()
        asked = desk.after(desk.press(f"{HERE}/consent/check", {"name": "office"}))
        assert "cannot say who agreed" in text_of(asked)
        assert needs(clean)["consent-trouble"].values["name"] == "office"
        assert desk.press(f"{HERE}/consent/check", {"name": "none"}).status_code == 404


def test_who_got_all_rows_before_a_dataset_was_marked_stands_beside_it(clean: Rig, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("who,x\nr-1,1\n")
    office = clean.node.federation.moving.origin_parts.office
    office.add(OriginWish(DATASET, str(file), "people.csv"), by="ada", files=True)
    transfer(clean, "early", "COMPLETED", started_at=1_795_000_000_000)
    with at_desk(clean, "viewer") as desk:
        assert "with all its rows" not in text_of(desk.get(f"{HERE}/origins"))
        office.change(DATASET, "", Changes(is_personal=True))
        told = text_of(desk.get(f"{HERE}/origins"))
    assert "Before it was marked as being about residents, these cities got it with all its rows" in told
    assert "london" in told.lower()
    assert "The mark takes nothing back" in told


def test_a_withdrawal_waits_until_somebody_who_may_decide_says_it_is_erased(clean: Rig) -> None:
    withdrawal(clean, "12345678-aaaa")
    assert needs(clean)["withdrawal"].values["n"] == 1
    with at_desk(clean, "steward", name="sirpa") as desk:
        page = desk.get(f"{HERE}/withdrawals")
        assert "waits for us" in text_of(page)
        assert not forms_to(page.text, "/erased")
        assert desk.press(f"{HERE}/withdrawals/12345678-aaaa/erased").status_code == 403
    with at_desk(clean, "approver", name="aino") as desk:
        desk.get(f"{HERE}/withdrawals")
        done = desk.after(desk.press(f"{HERE}/withdrawals/12345678-aaaa/acknowledge"))
        assert "acknowledged, not yet erased" in text_of(done)
        assert "withdrawal" in needs(clean)
        desk.after(desk.press(f"{HERE}/withdrawals/12345678-aaaa/erased"))
        assert "withdrawal" not in needs(clean)
        kinds = {each.kind for each in clean.node.federation.moving.evidencing.desk.statements()}
        assert {"acknowledgement", "erasure"} <= kinds
        assert desk.press(f"{HERE}/withdrawals/12345678/erased").status_code == 404, "a beginning names nobody here"


def test_another_city_that_does_not_answer_a_withdrawal_waits_for_us_after_a_day(clean: Rig) -> None:
    withdrawal(clean, "new", "out")
    assert "withdrawal-out" not in needs(clean)
    withdrawal(clean, "old", "out", at_ms=clock_ms() - 2 * DAY_MS)
    assert needs(clean)["withdrawal-out"].values["n"] == 1
    with at_desk(clean, "approver", name="aino") as desk:
        page = desk.get(f"{HERE}/withdrawals")
        assert not forms_to(page.text, "/erased"), "what another city owes is not ours to say"
        assert desk.press(f"{HERE}/withdrawals/old/erased").status_code == 404


def test_an_answer_that_was_not_taken_is_on_today_and_is_sent_again_by_whoever_may_run(clean: Rig) -> None:
    withdrawal(clean, "12345678-eeee")
    with at_desk(clean, "approver", name="aino") as desk:
        desk.get(f"{HERE}/withdrawals")
        assert desk.press(f"{HERE}/withdrawals/12345678-eeee/resend").status_code == 403
        desk.after(desk.press(f"{HERE}/withdrawals/12345678-eeee/erased"))
    assert "withdrawal-untold" not in needs(clean), "it was said a moment ago"
    with clean.node.db.write() as tx:
        tx.run("UPDATE withdrawal SET acknowledged_at = 5, erased_at = 6 WHERE id = '12345678-eeee'")
        tx.run("UPDATE outgoing SET done_at = 7, error = 'no' WHERE kind = 'withdrawal'")
    need = needs(clean)["withdrawal-untold"]
    assert (need.values["n"], need.at_ms) == (1, 6)
    with at_desk(clean, "steward", name="sirpa") as desk:
        assert "has not taken our answer to a withdrawal" in text_of(desk.get("/desk"))
        page = desk.get(need.path)
        assert "The other city has not taken our answer yet." in text_of(page)
        path = f"{HERE}/withdrawals/12345678-eeee/resend"
        assert len(forms_to(page.text, path)) == 1
        for times in (1, 1):
            done = desk.after(desk.press(path))
            assert "sent again as soon as" in text_of(done)
            sql = "SELECT count(*) FROM outgoing WHERE kind = 'withdrawal' AND done_at = 0"
            assert clean.node.db.hot().row(sql)[0] == times
        assert desk.press(f"{HERE}/withdrawals/none/resend").status_code == 404
        withdrawal(clean, "12345679-ffff")
        assert desk.press(f"{HERE}/withdrawals/12345679-ffff/resend").status_code == 409
    with at_desk(clean, "viewer") as desk:
        assert not forms_to(desk.get(need.path).text, "/resend")


def test_evidence_is_checked_live_and_leaves_as_one_file(clean: Rig) -> None:
    evidence = clean.node.federation.moving.evidencing.evidence
    transfer(clean, "cut-one", "TERMINATED")
    with clean.node.db.write() as tx:
        stated = evidence.cut(tx, TransferStore(clean.node.db).get("cut-one"), why="A slip", now_ms=clock_ms())
        alone = evidence.put(tx, "cut", "alone", {"why": "Ours", "dataset": DATASET}, other=LONDON, at_ms=clock_ms())
    with at_desk(clean, "viewer") as desk:
        assert "What ran was stopped before all of it had moved." in text_of(desk.get(f"{HERE}/evidence"))
        page = desk.get(f"{HERE}/evidence?name={quote(stated.record, safe='')}")
        assert "Checked just now: nothing is wrong, and something that would prove it is missing" in text_of(page)
        assert f"The agreement {AGREEMENT} is not in the file" in text_of(page)
        page = desk.get(f"{HERE}/evidence?name={quote(alone.record, safe='')}")
        assert "Checked just now: it holds" in text_of(page)
        bundle = desk.get(f"{HERE}/evidence/cut-one/export")
        assert json.loads(bundle.content)["by"] == clean.node.settings.base_url
        assert "attachment" in bundle.headers["content-disposition"]
        assert [desk.get(f"{HERE}/evidence{path}").status_code for path in ("?name=x", "/none/export")] == [404, 404]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "says that a resident took back consent to data of Kerbside parking areas that went from london to"),
        ("fi", "kertoo, että asukas perui"),
        ("sv", "säger att en invånare"),
    ],
)
def test_what_evidence_says_of_a_withdrawal_is_in_the_readers_language(clean: Rig, language: str, said: str) -> None:
    evidence = clean.node.federation.moving.evidencing.evidence
    purpose = "https://w3id.org/dpv#PublicPolicyMaking"
    about = {
        "provider": LONDON, "agreement": AGREEMENT, "dataset": DATASET, "purpose": purpose, "key": "cd" * 32,
        "withdrawnAt": "2026-11-22T10:00:00.000Z",
    }  # fmt: skip
    with clean.node.db.write() as tx:
        stated = evidence.put(tx, "withdrawal", f"in {language}", about, other=LONDON, at_ms=clock_ms())
    name = stated.record.rpartition("/")[2]
    with at_desk(clean, "viewer", name=f"auditor-{language}", language=language) as desk:
        page = desk.get(f"{HERE}/evidence?name={quote(stated.record, safe='')}")
        assert said in text_of(page)
        assert "dpv#" not in text_of(page).split("{")[0], "a purpose is called as the reader calls it"
        assert len(json.loads(desk.get(f"{HERE}/evidence/{name}/export").content)["journal"]["entries"]) == 1


def test_withdrawals_are_listed_page_by_page_and_city_by_city(clean: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.web.desk.withdrawals._LISTED", 2)
    for number in range(3):
        withdrawal(clean, f"1234567{number}-cccc", at_ms=1_000 + number)
    need = needs(clean)["withdrawal"]
    assert (need.values["n"], need.at_ms) == (3, 1_000)
    with at_desk(clean, "viewer") as desk:
        first = desk.get(need.path)
        assert "12345671-ccc" in text_of(first)
        assert "12345672-ccc" not in text_of(first)
        (way,) = [one.split('"')[0] for one in first.text.split('rel="next" href="')[1:]]
        second = text_of(desk.get(way.replace("&amp;", "&").partition("#")[0]))
        assert "12345672-ccc" in second
        assert "12345671-ccc" not in second
        other = desk.get(f"{HERE}/withdrawals?city=https://ghent.example")
        assert "12345672-ccc" not in text_of(other)
        bar = "<span>Testville</span> <small>desk</small>"
        assert bar in first.text, "the frame says whose desk it is"
        assert bar in other.text
        assert desk.get(f"{HERE}/withdrawals?heard=x").status_code == 400


def test_what_was_asked_for_long_ago_and_has_not_begun_is_said_on_today(clean: Rig) -> None:
    transfer(clean, "late", "REQUESTED", created_at=clock_ms() - 2 * DAY_MS)
    assert needs(clean)["transfer-stuck"].path == f"{HERE}/transfers/late"


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_every_page_is_in_the_readers_language(clean: Rig, language: str) -> None:
    transfer(clean, "spoken")
    withdrawal(clean, "12345678-bbbb")
    paths = ("", "/get", "/origins", "/withdrawals", "/evidence", "/transfers/spoken")
    with at_desk(clean, "steward", name=f"reader-{language}", language=language) as desk:
        assert all(f'<html lang="{language}">' in page(desk, path) for path in paths)


def page(desk: Browser, path: str) -> str:
    reply = desk.get(HERE + path)
    assert reply.status_code == 200, (path, text_of(reply)[:300])
    return reply.text


def test_data_of_another_city_are_asked_for_there(clean: Rig) -> None:
    said = clean.page(f"/request-access?iri={LONDON}/datasets/kerbs")
    assert f"citynode data request {LONDON}/datasets/kerbs" in said
    assert f"{LONDON}/dsp/2025-1" in said
    assert f'href="{LONDON}/datasets/kerbs"' in said
    assert "mailto:" not in said
