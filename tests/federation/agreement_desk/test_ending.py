"""Agreements and negotiations that end: by either city, at once, by a notice that waits, and never twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from node.assembly.clock import clock_ms
from node.errors import Conflict, Malformed, NotFound
from tests.federation.agreement_desk.rig import agreed, office, plans, proposed, settle
from tests.federation.cities import HELSINKI, LONDON, City

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("act", "state"), [("suspend", "suspended"), ("revoke", "revoked")])
def test_either_city_ends_it_at_once_and_the_other_is_told(two: tuple[City, City], act: str, state: str) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    shown = office(london).act(act, iri, reason="The purpose is over.")
    assert (shown["state"], shown["notice"]["sentence"]) == (state, "delivered")
    assert office(helsinki).show(iri)["state"] == "in-force"  # nothing of a notice is believed …
    assert helsinki.sql("SELECT peer FROM nudge") == [("london",)]
    helsinki.pull(london)  # … but the journal that it points to
    told = office(helsinki).show(iri)
    assert (told["state"], told["reason"]) == (state, "The purpose is over.")
    assert helsinki.federation.agreeing.agreements.in_force(clock_ms()) == []


def test_a_suspension_ends_by_whoever_made_it(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    office(helsinki).act("suspend", iri, reason="A pause.")
    london.pull(helsinki)
    with pytest.raises(Conflict, match="helsinki suspended it; only helsinki can resume it"):
        office(london).act("resume", iri)
    assert office(helsinki).act("resume", iri)["state"] == "in-force"
    london.pull(helsinki)
    assert office(london).show(iri)["state"] == "in-force"


def test_a_notice_waits_until_the_other_city_is_back(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    helsinki.wire.down.add(LONDON)
    shown = office(helsinki).act("revoke", iri, reason="Over.")
    assert shown["state"] == "revoked"
    assert "not delivered yet" in shown["notice"]["sentence"]
    helsinki.wire.down.clear()
    office(helsinki).round(clock_ms() + 3_600_000)
    assert office(helsinki).show(iri)["notice"]["sentence"] == "delivered"
    office(helsinki).tend(clock_ms() + 3_600_000)
    assert office(helsinki).show(iri)["notice"]
    office(helsinki).tend(clock_ms() + 31 * 86_400_000)
    assert office(helsinki).show(iri)["notice"] is None


def test_what_is_over_stays_over(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    office(helsinki).act("revoke", iri, reason="Over.")
    assert office(helsinki).act("revoke", iri, reason="Again.")["reason"] == "Over."
    for act in ("suspend", "resume"):
        with pytest.raises(Conflict):
            office(helsinki).act(act, iri, reason="No.")


def test_approving_and_ending_at_once_ends_or_agrees_and_never_both(two: tuple[City, City]) -> None:
    helsinki, london = two
    _, theirs = proposed(helsinki, london)
    acts = [
        lambda: office(london).approve(theirs, person="john"),
        lambda: office(london).approve(theirs, person="ann"),
        lambda: office(london).act("revoke", theirs, reason="No."),
    ]
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(act) for act in acts]:
            assert isinstance(done.exception(), Conflict | NotFound | None)
    for each in office(helsinki).list()["negotiations"]:
        office(helsinki).approve(each["id"], person="maija")
    settle(helsinki, london)
    ended = [each["state"] for each in office(london).list(ended=True)["negotiations"]]
    agreements = [office(city).list(ended=True)["agreements"] for city in two]
    assert len(ended) + len(agreements[1]) == 1
    assert len(agreements[0]) == len(agreements[1])


def test_an_ended_negotiation_is_approved_by_nobody(two: tuple[City, City]) -> None:
    helsinki, london = two
    ours, theirs = proposed(helsinki, london)
    office(helsinki).act("revoke", ours, reason="We meant something else.")
    with pytest.raises(Conflict):
        office(helsinki).approve(ours, person="maija")
    settle(helsinki, london)
    with pytest.raises(Conflict):
        office(london).approve(theirs, person="john")
    assert office(london).show(theirs)["reason"].startswith("We meant something else.")
    assert office(london).list()["agreements"] == []


@pytest.mark.parametrize("reason", ["", "  ", "Two\nlines.", "x" * 1_001])
def test_the_reason_of_an_end_is_one_short_line(two: tuple[City, City], reason: str) -> None:
    helsinki, london = two
    ours, _ = proposed(helsinki, london)
    with pytest.raises(Malformed):
        office(helsinki).act("revoke", ours, reason=reason)
    assert office(helsinki).show(ours)["state"] == "offered"


def test_what_cannot_be_superseded_now_stops_no_reminder(
    two: tuple[City, City], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, tended = office(two[0])._desk, list[int]()

    def refuse(_: int) -> None:
        raise Conflict("Not now.")

    monkeypatch.setattr(desk.acts, "supersede", refuse)
    monkeypatch.setattr(desk.talks.outbox, "forget", tended.append)
    monkeypatch.setattr(desk.reminders, "tell", tended.append)
    office(two[0]).tend(1)
    assert tended == [1, 1]


def ended_with(city: City, peer: str, count: int) -> None:
    """Write negotiations with a peer that ended, all newer than what there is."""
    at_ms = clock_ms() + 1_000
    sql = (
        "INSERT INTO negotiation (pid, role, peer, other_pid, other_url, state, offer, terms, created_at, changed_at)"
        " VALUES (?, 'provider', ?, ?, ?, 'TERMINATED', '{}', '', ?, ?)"
    )
    rows = [(f"zzzz{each:08}", peer, f"urn:{each}", peer, at_ms + each, at_ms) for each in range(count)]
    with city.node.db.write() as tx:
        tx.many(sql, rows)


def test_what_one_peer_ends_hides_nothing_of_another(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    part = f'{HELSINKI}/documents/50%_a!b"c'
    wish = plans(about={"title": "Plans", "partOf": part})
    ours, _ = proposed(helsinki, london, wish)
    gone, _ = proposed(helsinki, london)
    office(helsinki).act("revoke", gone, reason="Not now.")
    ended_with(helsinki, "https://noisy.example", 1_001)
    listed = office(helsinki).list(ended=True)["negotiations"]
    assert listed[0]["id"] == ours
    assert len(listed) == 1_001
    assert [each["id"] for each in office(helsinki).list()["negotiations"]] == [ours]
    with_london = office(helsinki).list(peer="london", ended=True)
    assert [each["id"] for each in with_london["negotiations"]] == [ours, gone]
    assert [(each["id"], each["parts"]) for each in with_london["documents"]] == [(part, [ours])]
    assert office(helsinki).show(ours[:8])["id"] == ours
    assert [each["id"] for each in office(helsinki).show(part)["parts"]] == [ours]
    for other in (part.upper(), part.replace("_", "x"), part.replace("%", "")):
        with pytest.raises(NotFound):
            office(helsinki).show(other)
    assert office(helsinki).show(iri)["approvals"], "those of the negotiation that it came from"
    office(helsinki).approve(ours, person="maija")
    assert office(helsinki).act("revoke", ours, reason="Enough.")["state"] == "ended"
