"""Rates: who asks too often is told when to come back, and nobody else notices."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import TooManyRequests
from node.keys import Keyring
from node.web.wire.limits import Buckets, Gate, Limits, door_of, net_of
from tests.federation.oauth_rig import HELSINKI, LONDON, Door, Town, know, made_node

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


class Rates:
    """Rates of a test."""

    def __init__(self, per_min: int = 60, *, processes: int = 1, trusted: tuple[str, ...] = ()) -> None:
        self.public_per_min = self.feed_per_min = self.token_per_min = per_min
        self.processes = processes
        self.trusted_proxies = trusted


def scope(path: str = "/", address: str = "203.0.113.7", *forwarded: str, method: str = "GET") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return {"type": "http", "method": method, "path": path, "client": (address, 1), "headers": headers}


# ---------------------------------------------------------------- buckets


def test_a_minutes_worth_may_be_taken_at_once_and_comes_back_evenly() -> None:
    buckets = Buckets(60, 1)
    assert [buckets.take("a", 0) for _ in range(60)] == [0.0] * 60
    assert buckets.take("a", 0) == 1.0
    assert buckets.take("a", 0.5) == 0.5
    assert buckets.take("a", 1.0) == 0.0
    assert buckets.take("b", 1.0) == 0.0, "another's bucket is another"
    assert [buckets.take("a", 1_000) for _ in range(61)].count(0.0) == 60


def test_processes_share_the_rate() -> None:
    buckets = Buckets(60, 4)
    assert [buckets.take("a", 0) for _ in range(16)].count(0.0) == 15


def test_asking_again_and_again_does_not_put_off_the_day() -> None:
    buckets = Buckets(60, 1)
    for _ in range(60):
        buckets.take("a", 0)
    for tenth in range(1, 10):
        assert buckets.take("a", tenth / 10) > 0
    assert buckets.take("a", 1.001) == 0


@given(st.lists(st.floats(0, 5), max_size=300), st.integers(1, 600))
def test_no_more_is_given_than_a_minutes_worth_and_what_came_back(waits: list[float], per_min: int) -> None:
    buckets, now, taken = Buckets(per_min, 1), 0.0, 0
    for wait in waits:
        now += wait
        taken += buckets.take("a", now) == 0
    assert taken <= max(1, per_min) * (1 + now / 60) + 1e-6


def test_buckets_are_bounded_and_a_busy_one_is_not_forgotten() -> None:
    buckets = Buckets(60, 1, most=100)
    for _ in range(60):
        buckets.take("busy", 0)
    for number in range(1_000):
        buckets.take(f"other {number}", 0)
        if number % 50 == 0:
            assert buckets.take("busy", 0) > 0
    assert len(buckets) <= 200


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_an_address_counts_as_its_household(address: str, counts_as: str) -> None:
    assert net_of(address) == counts_as


TRUSTED = ("10.0.0.0/8", "2001:db8:ff::/48")


@pytest.mark.parametrize(
    ("address", "forwarded", "who"),
    [
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),  # nobody that is trusted says so
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("::ffff:10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),  # what stands before it may be made up
        ("10.0.0.1", ("6.6.6.6", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("198.51.100.1, 10.0.0.2",), "198.51.100.1"),  # two proxies of ours
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:db8:1:2::3]:443",), "2001:db8:1:2::/64"),
        ("10.0.0.1", ("unknown",), "10.0.0.1"),
        ("10.0.0.1", ("6.6.6.6, x, 10.0.0.2",), "10.0.0.2"),
        ("2001:db8:ff::1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", (", ".join(["10.0.0.9"] * 5_000),), "10.0.0.9"),
    ],
)
def test_a_header_is_believed_as_far_as_proxies_of_ours_wrote_it(
    address: str, forwarded: tuple[str, ...], who: str
) -> None:
    assert Limits(Rates(trusted=TRUSTED)).who(scope("/", address, *forwarded)) == who


def test_a_connection_without_an_address_is_one_caller() -> None:
    assert Limits(Rates()).who(scope() | {"client": None}) == ""


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/", "public"),
        ("/datasets/parking.ttl", "public"),
        ("/catalog", "public"),
        ("/federation", "public"),
        ("/collections/open-data", "public"),
        ("/collections/oslo/open-data", "public"),
        ("/collections/open-data/entries", "feed"),
        ("/collections/oslo/open-data/entries", "feed"),
        ("/collections/open-data/tile/0/000", "feed"),
        ("/collections/open-data/snapshot", "feed"),
        ("/collections/open-data/checkpoint", "feed"),
        ("/checkpoints", "feed"),
        ("/federation/notify", "feed"),
        ("/witness/add-checkpoint", "feed"),
        ("/oauth/token", "token"),
        ("/oauth/introspect", "token"),
        ("/healthz", None),
        ("/readyz", None),
        ("/metrics", None),
    ],
)
def test_every_address_falls_under_one_rate(path: str, door: str | None) -> None:
    assert door_of(path) == door


# ---------------------------------------------------------------- the gate


def test_a_rate_of_nothing_is_no_limit() -> None:
    limits = Limits(Rates(0))
    assert all(
        limits.refused(scope(path)) is None for path in ("/", "/checkpoints", "/oauth/token") for _ in range(500)
    )
    assert limits.told(scope("/checkpoints")) == []
    for _ in range(500):
        limits.admit("helsinki")


def test_a_client_that_has_proved_its_name_is_counted_by_it() -> None:
    limits = Limits(Rates(3), clock=Clock())
    for _ in range(3):
        limits.admit("helsinki")
    with pytest.raises(TooManyRequests) as refused:
        limits.admit("helsinki")
    assert refused.value.retry_after_s == 20
    limits.admit("oslo")


def test_a_proxy_that_hides_its_visitors_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate(Limits(Rates(1), clock=Clock()), LONDON)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    for _ in range(3):
        asked = scope("/", "127.0.0.1", "198.51.100.1", method="HEAD")
        refusal = gate.refused(asked)
        if refusal:
            asyncio.run(gate.turn_away(refusal, asked, send))
    assert gate.turned_away == {"public": 2}
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"] * 2
    assert sent[1]["body"] == b""
    assert gate._warned


# ---------------------------------------------------------------- over the real app


@pytest.fixture
def london(migrated: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Door]:
    rates = {"rate_public_per_min": 8, "rate_feed_per_min": 4, "rate_token_per_min": 3}
    with Door.to(made_node(tmp_path, migrated, keyring, **rates)) as door:
        yield door


def test_who_asks_too_often_hears_when_to_come_back(london: Door) -> None:
    for number in range(4):
        reply = london.ask("GET", "/checkpoints")
        assert reply.status_code == 200
        assert reply.headers["ratelimit-policy"] == '"feed";q=4;w=60'
        assert reply.headers["ratelimit"].startswith(f'"feed";r={3 - number};t=')
    reply = london.ask("GET", "/checkpoints")
    assert reply.status_code == 429
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == f"{LONDON}/problems/too-many-requests"
    assert 1 <= int(reply.headers["retry-after"]) <= 15
    assert reply.headers["ratelimit"].startswith('"feed";r=0;t=')
    assert reply.headers["cache-control"] == "no-store"
    assert london.ask("GET", "/checkpoints", address="198.51.100.9").status_code == 200
    assert london.ask("GET", "/catalog").status_code == 200, "another door, another rate"
    assert london.ask("GET", "/metrics").text.count('citynode_http_turned_away_total{rate="feed"} 1.0') == 1


def test_pages_from_memory_are_counted_like_any_other(london: Door) -> None:
    statuses = [london.ask("GET", "/").status_code for _ in range(10)]
    assert statuses == [200] * 8 + [429] * 2


def test_health_is_never_refused(london: Door) -> None:
    for _ in range(10):
        london.ask("GET", "/")
    assert {london.ask("GET", path).status_code for path in ("/healthz", "/readyz", "/metrics")} == {200}


def test_tokens_are_limited_before_any_signature_is_looked_at(
    london: Door, their_keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(HELSINKI, their_keyring)
    know(london.node, town, "helsinki")
    looked: list[str] = []
    clients = type(london.node.federation.tokens.server.clients)
    recognise = clients.recognise

    def watched(self: Any, assertion: str, **more: Any) -> Any:
        looked.append(assertion)
        return recognise(self, assertion, **more)

    monkeypatch.setattr(clients, "recognise", watched)
    statuses = [london.post(town.form(client_assertion="a.b.c"), town.proof()).status_code for _ in range(6)]
    assert (statuses, len(looked)) == ([401] * 3 + [429] * 3, 3)
    assert london.post(town.form(), town.proof(), address="198.51.100.9").status_code == 200


def test_one_client_at_many_addresses_is_one_client(london: Door, their_keyring: Keyring) -> None:
    town = Town(HELSINKI, their_keyring)
    know(london.node, town, "helsinki")
    replies = [london.post(town.form(), town.proof(), address=f"198.51.100.{n}") for n in range(5)]
    assert [reply.status_code for reply in replies] == [200] * 3 + [429] * 2
    assert replies[-1].headers["content-type"] == "application/problem+json"
    assert int(replies[-1].headers["retry-after"]) <= 20


@pytest.mark.parametrize("shown", ["Bearer cn_000000000000_" + "A" * 43, "DPoP a.b.c", "Bearer x", "Nothing"])
def test_guessing_tokens_ends_before_the_next_one_is_looked_at(london: Door, shown: str) -> None:
    path = "/collections/secret/checkpoint"
    statuses = [london.ask("GET", path, headers=[("authorization", shown)]).status_code for _ in range(4)]
    assert statuses == [401] * 3 + [429]
    assert london.ask("GET", "/catalog").status_code == 200, "who shows nothing guesses nothing"
    assert london.ask("GET", path, headers=[("authorization", shown)], address="198.51.100.9").status_code == 401


@pytest.fixture(scope="session")
def their_keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("their-keyring"))
