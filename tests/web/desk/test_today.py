"""Laws of what the look at today says of peers, agreements, keys and use: what stops something, and nothing twice."""

# ruff: noqa: F811 - fixtures are named as what they give
from dataclasses import replace

import pytest

from node.assembly.today import DEAD_AFTER, KEY_DAYS, _is_exchanged_with, _of_peer, _reminded, _stands, _Tells
from node.catalog.tasks import DAY_MS
from node.federation.peers.health import Expiry, FollowHealth, PeerHealth
from node.journal import behind
from node.web.desk.agreements_frame import where
from tests.catalog.conftest import city, grown, lasting_parser  # noqa: F401 - fixtures
from tests.catalog.rig import City

NOW = 1_800_000_000_000
LONDON = PeerHealth(
    name="london",
    url="https://london.example",
    title="London",
    state="active",
    sentence="",
    quarantine="",
    last_out_at=NOW,
    last_in_at=NOW,
    silent_ms=0,
    stale=False,
    away=False,
    failures=0,
    circuit="closed",
    next_attempt_at=0,
    last_error_code="",
    last_error="",
    last_error_at=0,
    statement_expires_at=NOW + DAY_MS,
    warnings=(),
    follows=(),
)
STATEMENT = Expiry("statement", "The statement of london", NOW - 1, 0, 3)
KEY = Expiry("entity", "The last entity key of london", NOW + 3 * DAY_MS, 3, 3)


def whats(peer: PeerHealth) -> list[str]:
    return [need.what for need in _of_peer(peer)]


@pytest.mark.parametrize(
    ("peer", "needs", "stands"),
    [
        (LONDON, [], "level"),
        (replace(LONDON, state="proposed"), ["proposed"], "proposed"),
        (replace(LONDON, quarantine="Two histories."), ["quarantined"], "quarantined"),
        (replace(LONDON, stale=True), ["stale"], "stale"),
        (replace(LONDON, away=True), [], "away"),
        (replace(LONDON, quarantine="Two histories.", state="blocked"), [], "blocked"),
        (replace(LONDON, away=True, failures=7, last_error_code="broken-history"), ["at-odds"], "at-odds"),
        (replace(LONDON, stale=True, failures=9, last_error_code="malformed"), ["at-odds"], "at-odds"),
        (replace(LONDON, away=True, failures=2, last_error_code="broken-history"), [], "away"),
        (replace(LONDON, stale=True, failures=9, last_error_code="peer-unreachable"), ["stale"], "stale"),
        (replace(LONDON, state="paused", failures=7, last_error_code="broken-history"), [], "paused"),
        (replace(LONDON, failures=7, last_error_code="not-agreed", away=True), [], "away"),
        (replace(LONDON, state="paused", stale=True), [], "paused"),
        (replace(LONDON, state="blocked", stale=True), [], "blocked"),
        (replace(LONDON, warnings=(STATEMENT,)), ["statement"], "level"),
        (replace(LONDON, warnings=(KEY,)), ["peer-key"], "level"),
        # Who does not answer cannot renew its statement either: that is one thing to do, not two.
        (replace(LONDON, stale=True, warnings=(STATEMENT, KEY)), ["stale", "peer-key"], "stale"),
        (replace(LONDON, state="proposed", warnings=(STATEMENT,)), ["proposed"], "proposed"),
    ],
)
def test_a_peer_needs_somebody_only_for_what_has_stopped_or_will(
    peer: PeerHealth, needs: list[str], stands: str
) -> None:
    assert whats(peer) == needs
    assert _stands(peer) == stands
    assert all(need.path == "/desk/peers/london" for need in _of_peer(peer))


def test_what_has_run_out_is_urgent_and_what_will_is_not() -> None:
    assert [need.urgent for need in _of_peer(replace(LONDON, warnings=(KEY,)))] == [False]
    gone = replace(KEY, days_left=0)
    assert [need.urgent for need in _of_peer(replace(LONDON, warnings=(gone,)))] == [True]


def test_a_reminder_leads_to_its_agreement_and_an_ended_one_is_urgent() -> None:
    iri = "https://a.example/agreements/1?x=y&z"
    said = {"agreement": iri, "peer": "london", "at": "2026-12-01T00:00:00+00:00", "what": "ended", "sentence": ""}
    need = _reminded(said)
    assert (need.what, need.urgent) == ("agreement-ended", True)
    assert need.path == where(iri), "the page of the desk itself"
    assert not _reminded({**said, "what": "review"}).urgent


def test_a_city_that_is_paused_is_not_counted_as_out_of_step() -> None:
    followed = replace(
        LONDON,
        follows=(FollowHealth("open-data", "london/open-data", "x", (), 1, 1, 0, 0, False, False, "", "", True),),
    )
    assert _is_exchanged_with(followed)
    assert not _is_exchanged_with(replace(followed, state="paused"))
    assert not _is_exchanged_with(LONDON), "nothing is mirrored"


@pytest.mark.slow
def test_a_node_that_is_behind_what_it_signed_tells_so_first(city: City) -> None:
    node, now = city.node, city.node.harvest._clock_ms()
    tells = _Tells(node.federation, node.finding.quality, node.readers, node.keyring)
    assert list(tells.of_history(now)) == []
    with node.db.write() as tx:
        behind.mark_restored(tx, now)
    assert [need.what for need in tells.of_history(now)] == ["history"]
    assert node.today.look().urgent[0].what == "history"


@pytest.mark.slow
def test_keys_dead_links_and_use_are_told_when_there_is_something_to_tell(city: City) -> None:
    node, now = city.node, city.node.harvest._clock_ms()
    tells = _Tells(node.federation, node.finding.quality, node.readers, node.keyring)
    assert list(tells.of_keys(now)) == []
    (keys,) = tells.of_keys(now + (KEY_DAYS + 1) * DAY_MS)
    assert int(keys.values["n"]) >= 4
    assert list(tells.of_links(now)) == []
    with node.db.write() as tx:
        collection = node.journals.get(tx, "open-data").id
        for key, fails in ((1, DEAD_AFTER), (2, DEAD_AFTER - 1)):
            tx.run(
                "INSERT INTO link (url_key, url, host, state, fails) VALUES (?, ?, 'h', 'failed', ?)",
                *(key, f"https://x.example/{key}", fails),
            )
            tx.run(
                "INSERT INTO link_of (collection_id, record_key, url_key, role) VALUES (?, 1, ?, 'd')", collection, key
            )
    assert [need.values["n"] for need in tells.of_links(now)] == [1]
    assert list(tells.of_use(now)) == []
    node.readers.usage.count("search", "found")
    node.readers.usage.flush()
    assert [(fact.what, fact.values["n"]) for fact in tells.of_use(now)] == [("search", 1)]
    assert list(tells.of_exchange(now)) == []
    assert list(tells.of_readers(now)) == []
    assert list(tells.of_agreements(now)) == []
