"""Laws of the life of a peer: its states, how it is proposed, contact, and what is followed."""

import json
from typing import get_args

import pytest

from node.db import Database
from node.errors import (
    BadSignature,
    Conflict,
    ForbiddenAddress,
    Malformed,
    NotFound,
    PeerUnreachable,
    Refused,
    Refuted,
    SourceUnreachable,
    TooManyRequests,
)
from node.federation.peers.peers import MAX_PEERS, proposed, read_invitation
from node.federation.peers.states import STATES, Act, State, after
from tests.federation.fake_peer import NOW_MS, FakePeer, Said
from tests.federation.peer_rig import OURS, Rig, rig
from tests.test_outbound import HOSTILE

DAY_MS = 86_400_000


# ---------------------------------------------------------------- states

ALLOWED: dict[Act, dict[State, State]] = {
    "approve": {
        "proposed": "approved", "approved": "approved", "active": "active", "paused": "paused", "blocked": "approved",
    },
    "exchange": {"approved": "active", "active": "active"},
    "pause": {"approved": "paused", "active": "paused", "paused": "paused"},
    "resume": {"approved": "approved", "active": "active", "paused": "approved"},
    "block": dict.fromkeys(get_args(State), "blocked"),
}  # fmt: skip


@pytest.mark.parametrize("act", get_args(Act))
@pytest.mark.parametrize("state", get_args(State))
def test_each_act_leads_where_the_table_says_and_nowhere_else(act: Act, state: State) -> None:
    wanted = ALLOWED[act].get(state)
    if wanted is None:
        with pytest.raises(Conflict, match=state):
            after(act, state, name="turku")
    else:
        assert after(act, state, name="turku") == wanted


def test_every_state_has_a_sentence_that_says_its_effect() -> None:
    assert set(STATES) == set(get_args(State))
    assert all(sentence.endswith(".") and len(sentence) > 40 for sentence in STATES.values())


def test_only_a_person_brings_a_blocked_peer_back() -> None:
    assert [act for act in get_args(Act) if act != "block" and "blocked" in ALLOWED[act]] == ["approve"]


# ---------------------------------------------------------------- proposing


def test_an_invitation_is_one_string_and_needs_its_fingerprint() -> None:
    fingerprint = "a" * 43
    assert read_invitation(f"https://x.example#{fingerprint}") == ("https://x.example", fingerprint)
    assert read_invitation("https://x.example", fingerprint) == ("https://x.example", fingerprint)
    for text, beside in (
        ("https://x.example", ""),
        ("https://x.example#short", ""),
        (f"https://x.example#{fingerprint}", "b" * 43),
        (f"https://x.example#{fingerprint}=", ""),
    ):
        with pytest.raises(Malformed):
            read_invitation(text, beside)


def test_a_peer_is_proposed_by_its_address_and_the_fingerprint_it_shows(city: Rig, helsinki: FakePeer) -> None:
    city.adds(helsinki)
    peer = city.peers.get("helsinki")
    assert (peer.state, peer.url, peer.title) == ("proposed", helsinki.url, "Helsinki")
    assert peer.fingerprint == helsinki.fingerprint
    assert peer.namespaces == ()
    assert city.peers.keys("helsinki", "checkpoint") == []
    assert not city.peers.due("helsinki", NOW_MS)
    assert city.peers.by_url(helsinki.url) == peer
    assert city.peers.by_url(helsinki.url + "/") is None


def test_another_fingerprint_than_the_one_that_was_told_is_refused(city: Rig, helsinki: FakePeer) -> None:
    right = helsinki.fingerprint
    almost = right[:-1] + ("A" if right[-1] != "A" else "B")
    for told in (almost, "a" * 43):
        with pytest.raises(Refuted, match=right):
            city.peers.add(helsinki.url, name="helsinki", at_ms=NOW_MS, fingerprint=told)
    assert city.peers.list() == []


def test_an_address_alone_is_proposed_and_pins_nothing_before_its_fingerprint_was_compared(
    city: Rig, helsinki: FakePeer
) -> None:
    city.peers.add(helsinki.url, name="helsinki", at_ms=NOW_MS, untold=True)
    assert city.peers.get("helsinki").fingerprint == ""
    review = city.peers.review("helsinki", NOW_MS)
    assert (review.is_untold, review.vouched) == (True, False), "what it shows vouches for nothing"
    assert "Nobody has told its fingerprint" in review.warnings[0]
    for typed in ("", "a" * 43, helsinki.fingerprint[:-1]):
        with pytest.raises(Conflict, match=helsinki.fingerprint):
            city.peers.approve("helsinki", by="ada", at_ms=NOW_MS, expect=review.digest, fingerprint=typed)
    assert city.peers.keys("helsinki", "checkpoint") == []
    city.peers.approve("helsinki", by="ada", at_ms=NOW_MS, expect=review.digest, fingerprint=helsinki.fingerprint)
    assert city.peers.get("helsinki").fingerprint == helsinki.fingerprint
    with pytest.raises(Malformed):
        city.peers.add("https://x.example", name="x", at_ms=NOW_MS)


def test_a_fingerprint_that_was_told_is_compared_even_where_none_is_asked_for(city: Rig, helsinki: FakePeer) -> None:
    with pytest.raises(Refuted):
        city.peers.add(f"{helsinki.url}#{'a' * 43}", name="helsinki", at_ms=NOW_MS, untold=True)
    assert city.peers.list() == []


def test_whoever_read_out_the_fingerprint_is_kept_with_what_was_compared(city: Rig, helsinki: FakePeer) -> None:
    office = city.office
    office.add(helsinki.url, name="helsinki", untold=True)
    review = str(office.review("helsinki")["review"])
    office.approve("helsinki", by="ada", review=review, fingerprint=helsinki.fingerprint, told_by="registry office")
    [found] = city.peers.evidence("helsinki")
    assert (found.kind, found.summary) == ("compared", "ada compared the fingerprint with registry office.")
    assert json.loads(found.body)["statement"] == city.peers.get("helsinki").statement


def test_a_city_whose_fingerprint_was_read_out_differently_is_kept_out_with_the_evidence(
    city: Rig, helsinki: FakePeer
) -> None:
    city.office.add(helsinki.url, name="helsinki", untold=True)
    done = city.office.differs("helsinki", by="ada", told_by="registry office")
    assert done["state"] == "blocked"
    [found] = city.peers.evidence("helsinki")
    assert (found.kind, "it is another one" in found.summary) == ("other-fingerprint", True)


def test_the_staffs_note_takes_the_place_of_the_one_before_and_is_bounded(city: Rig, helsinki: FakePeer) -> None:
    city.adds(helsinki)
    assert city.office.annotate("helsinki", "Ask the registry.")["note"] == "Ask the registry."
    assert city.office.annotate("helsinki", "")["note"] == ""
    with pytest.raises(Malformed):
        city.office.annotate("helsinki", "x" * 1_001)
    with pytest.raises(NotFound):
        city.office.annotate("nobody", "x")


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_never_proposed(url: str, db: Database) -> None:
    city = rig(db, loopback_allowed=False, resolver=lambda host, port: ["127.0.0.1"])
    with pytest.raises((ForbiddenAddress, Malformed)):
        city.peers.add(url, name="x", at_ms=NOW_MS, fingerprint="a" * 43)
    with pytest.raises((ForbiddenAddress, Malformed)):
        city.peers.add(url.replace("http://", "https://"), name="x", at_ms=NOW_MS, fingerprint="a" * 43)
    assert city.peers.list() == []


def test_http_is_for_this_machine_alone_and_an_address_has_one_spelling(city: Rig, helsinki: FakePeer) -> None:
    with pytest.raises(Malformed, match="https"):
        city.peers.add("http://peer.example", name="x", at_ms=NOW_MS, fingerprint="a" * 43)
    city.peers.add(helsinki.url.replace("http", "HTTP") + "/", name="a", at_ms=NOW_MS, fingerprint=helsinki.fingerprint)
    assert city.peers.get("a").url == helsinki.url


def test_a_redirect_leads_nowhere(city: Rig, helsinki: FakePeer) -> None:
    path = "/.well-known/openid-federation"
    helsinki.says[path] = Said(b"", 302, {"Location": f"{helsinki.url}/elsewhere"})
    with pytest.raises(PeerUnreachable, match="302"):
        city.adds(helsinki)
    assert len(helsinki.requests) == 1


def test_ourselves_a_taken_name_and_a_taken_address_are_refused(city: Rig, helsinki: FakePeer) -> None:
    with pytest.raises(Conflict, match="itself"):
        city.peers.add(OURS + "/", name="us", at_ms=NOW_MS, fingerprint="a" * 43)
    city.adds(helsinki)
    seen = len(helsinki.requests)
    with pytest.raises(Conflict):
        city.adds(helsinki, "again")
    with pytest.raises(Conflict):
        city.peers.add("http://127.0.0.1:1", name="helsinki", at_ms=NOW_MS, fingerprint="a" * 43)
    with pytest.raises(Malformed):
        city.adds(helsinki, "Hel/sinki")
    assert len(helsinki.requests) == seen


def test_there_is_an_end_to_how_many_peers_are_taken(city: Rig) -> None:
    with city.db.write() as tx:
        for n in range(MAX_PEERS):
            city.peers.insert(tx, proposed(f"p{n}", f"https://p{n}.example", "a" * 43, at_ms=NOW_MS))
        with pytest.raises(Conflict, match=str(MAX_PEERS)):
            city.peers.insert(tx, proposed("one-more", "https://one.example", "a" * 43, at_ms=NOW_MS))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"sub": "https://other.example"},
        {"exp": NOW_MS // 1000 - 3_600},
        {"iat": NOW_MS // 1000 + 600},
        {"jwks": {"keys": []}},
        {"metadata": {}},
    ],
    ids=["iss", "sub", "expired", "future", "keyless", "no-node"],
)
def test_a_statement_that_does_not_hold_proposes_nobody(
    changes: dict[str, object], city: Rig, helsinki: FakePeer
) -> None:
    helsinki.publish(helsinki.statement(now_ms=NOW_MS, **changes))
    with pytest.raises(Refused):
        city.adds(helsinki)
    assert city.peers.list() == []


def test_a_statement_with_a_changed_byte_proposes_nobody(city: Rig, helsinki: FakePeer) -> None:
    said = helsinki.statement(now_ms=NOW_MS)
    head, claims, signature = said.split(".")
    helsinki.publish(f"{head}.{claims}.{signature[:-4]}AAAA")
    with pytest.raises(BadSignature):
        city.adds(helsinki)


# ---------------------------------------------------------------- contact


def test_failures_make_the_waits_longer_and_an_answer_ends_them(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    waits = []
    for _ in range(6):
        city.peers.failed("helsinki", SourceUnreachable("away"), NOW_MS)
        waits.append(city.peers.get("helsinki").open_until - NOW_MS)
    assert waits == sorted(waits)
    assert waits[0] > 0
    assert not city.peers.due("helsinki", NOW_MS + waits[-1] - 1)
    assert city.peers.due("helsinki", NOW_MS + waits[-1])
    assert city.peers.get("helsinki").last_error_code == "source-unreachable"
    city.peers.answered("helsinki", NOW_MS)
    assert city.peers.due("helsinki", NOW_MS)


def test_a_peer_that_asks_to_wait_is_left_alone_that_long(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    city.peers.failed("helsinki", TooManyRequests("slower", retry_after_s=120), NOW_MS)
    assert city.peers.get("helsinki").open_until >= NOW_MS + 120_000


def test_hearing_from_a_peer_is_written_at_most_every_ten_seconds(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    for ms in (0, 3_000, 9_000):
        city.peers.heard("helsinki", NOW_MS + ms)
    assert city.peers.get("helsinki").last_in_at == NOW_MS
    city.peers.heard("helsinki", NOW_MS + 10_000)
    assert city.peers.get("helsinki").last_in_at == NOW_MS + 10_000


@pytest.mark.parametrize("act", ["pause", "block"])
def test_a_paused_or_blocked_peer_is_never_due(act: str, city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    getattr(city.peers, act)("helsinki")
    assert not city.peers.due("helsinki", NOW_MS + DAY_MS)
    city.peers.answered("helsinki", NOW_MS)
    assert city.peers.get("helsinki").state == {"pause": "paused", "block": "blocked"}[act]


# ---------------------------------------------------------------- following


def test_collections_are_followed_by_name_or_all(city: Rig, helsinki: FakePeer) -> None:
    helsinki.collections.append({"name": "plans", "iri": f"{helsinki.url}/collections/plans", "title": "Plans"})
    helsinki.publish()
    city.approves(helsinki)
    theme = "http://publications.europa.eu/resource/authority/data-theme/TRAN"
    (one,) = city.peers.follow("helsinki", ["plans"], at_ms=NOW_MS, themes=[theme, theme])
    assert (one.local, one.iri, one.themes) == ("helsinki/plans", f"{helsinki.url}/collections/plans", (theme,))
    found = city.peers.follow("helsinki", [], at_ms=NOW_MS)
    assert [each.local for each in found] == ["helsinki/open-data", "helsinki/plans"]
    assert [each.themes for each in city.peers.follows("helsinki")] == [(), ()]
    with city.db.write() as tx:
        city.peers.change_follow(tx, "helsinki", "plans", known_size=7, etag='"x"', known_note="note")
    assert city.peers.followed("helsinki", "plans").known_size == 7
    city.peers.unfollow("helsinki", "plans")
    assert [each.local for each in city.peers.follows()] == ["helsinki/open-data"]
    with pytest.raises(NotFound):
        city.peers.unfollow("helsinki", "plans")


def test_what_an_agreement_opens_is_followed_without_a_doubt(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    city.opened = [f"{helsinki.url}/collections/plans"]
    said = city.office.follow("helsinki", ["plans", "surveys"], all_of_them=False)
    (doubt,) = said["warnings"]  # type: ignore[misc]
    assert "surveys is not among them" in doubt
    assert "plans is not" not in doubt


def test_only_what_a_person_approved_is_followed(city: Rig, helsinki: FakePeer) -> None:
    city.adds(helsinki)
    with pytest.raises(Conflict, match="proposed"):
        city.peers.follow("helsinki", ["open-data"], at_ms=NOW_MS)
    city.peers.approve("helsinki", by="ada", at_ms=NOW_MS)
    for wrong in (["espoo/open-data"], ["../x"], [""]):
        with pytest.raises(Malformed):
            city.peers.follow("helsinki", wrong, at_ms=NOW_MS)
    with pytest.raises(Malformed, match="theme"):
        city.peers.follow("helsinki", ["open-data"], at_ms=NOW_MS, themes=["transport"])
