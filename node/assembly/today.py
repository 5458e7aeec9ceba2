"""Today, put together: what the federation, agreements and readers have to tell a person, in the values of `today`.

Only wiring and the turning of one value into another: each part says itself what is wrong, and none of them knows that
it is told here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from node.assembly import data_desk as data_desks
from node.assembly.clock import clock_ms
from node.assembly.federation import Federation
from node.assembly.harvesting import Harvesting
from node.assembly.knowledge import Knowledge
from node.assembly.readers import Readers
from node.catalog.quality.book import QualityBook
from node.catalog.tasks import DAY_MS
from node.catalog.today import WEEK_DAYS, City, Fact, Need, Today
from node.catalog.usage import What
from node.federation.peers.health import PeerHealth
from node.keys import Keyring
from node.keys.public import PURPOSES

DEAD_AFTER = 7  # tries in a row
KEY_DAYS = 365  # a key that nobody stole is changed while nothing is wrong
_USES: tuple[What, ...] = ("search", "download")
_AT_PEERS = ("approved", "active", "paused")


def build(
    federation: Federation,
    knowledge: Knowledge,
    harvesting: Harvesting,
    *,
    quality: QualityBook,
    readers: Readers,
    keyring: Keyring,
) -> Today:
    """Put it together; opens nothing by itself."""
    tells = _Tells(federation, quality, readers, keyring)
    return Today(
        harvesting.office,
        knowledge.tasks,
        needs=(
            tells.of_history,
            tells.of_peers,
            tells.of_agreements,
            tells.of_data,
            tells.of_readers,
            tells.of_links,
            tells.of_keys,
        ),
        facts=(tells.of_exchange, tells.of_use),
        cities=lambda now_ms: [_city(peer) for peer in federation.health.all(now_ms)],
        clock_ms=clock_ms,
    )


@dataclass(frozen=True, slots=True)
class _Tells:
    """Asks each part and says what it answers. All are told the time; not all need it."""

    federation: Federation
    quality: QualityBook
    readers: Readers
    keyring: Keyring

    def of_history(self, _: int) -> Iterator[Need]:
        if self.federation.watching.recovery.held_back():
            yield Need("history", "/desk/peers")

    def of_peers(self, now_ms: int) -> Iterator[Need]:
        for peer in self.federation.health.all(now_ms):
            yield from _of_peer(peer)

    def of_agreements(self, now_ms: int) -> Iterator[Need]:
        office = self.federation.agreeing.office
        titles = {peer.name: peer.title for peer in self.federation.health.all(now_ms) if peer.title}
        for each in office.reminders():
            yield _reminded({**each, "peer": titles.get(each["peer"], each["peer"])})
        listed = office.list()
        for talk in listed["negotiations"]:
            if talk["waits_for"] == "us":
                yield Need("approval", _at(talk["id"]), {"city": titles.get(talk["peer"], talk["peer"])})
        for held in listed["agreements"]:
            if held["theirs"]["state"] == "suspended":
                yield Need("agreement-stopped", _at(held["id"]), {"city": titles.get(held["peer"], held["peer"])})

    def of_data(self, now_ms: int) -> Iterator[Need]:
        titles = {key: peer.title for peer in self.federation.health.all(now_ms) for key in (peer.name, peer.url)}
        desk = data_desks.build(self.federation.moving)
        yield from data_desks.DataNeeds(desk, lambda peer: titles.get(peer) or peer)(now_ms)

    def of_readers(self, now_ms: int) -> Iterator[Need]:  # noqa: ARG002 - what waits, waits at any time
        if waiting := self.readers.reports.waiting():
            yield Need("reports", "/desk/inbox", {"n": waiting}, urgent=False)

    def of_links(self, now_ms: int) -> Iterator[Need]:  # noqa: ARG002 - what is dead is known by how often it was tried
        if dead := self.quality.dead_links(DEAD_AFTER):
            yield Need("links", "/quality", {"n": dead}, urgent=False)

    def of_keys(self, now_ms: int) -> Iterator[Need]:
        since = [self.keyring.current(purpose).since_ms for purpose in PURPOSES]
        old = [each for each in since if each and now_ms - each > KEY_DAYS * DAY_MS]
        if old:
            yield Need("own-keys", "/desk/keys", {"n": len(old), "since_ms": min(old)}, urgent=False)

    def of_use(self, now_ms: int) -> Iterator[Fact]:
        since, uses = now_ms // DAY_MS - WEEK_DAYS + 1, self.readers.usage
        for what in _USES:
            if number := sum(day.count for day in uses.days(what, since=since)):
                yield Fact(what, {"n": number}, "/desk/numbers")

    def of_exchange(self, now_ms: int) -> Iterator[Fact]:
        every = self.federation.health.all(now_ms)
        peers = [peer for peer in every if _is_exchanged_with(peer)]
        level = [peer for peer in peers if _stands(peer) == "level"]
        if peers:
            yield Fact("level", {"n": len(level), "all": len(peers)}, "/desk/peers")


def _at(agreement: str) -> str:
    return f"/desk/agreements?name={quote(agreement, safe='')}"


def _of_peer(peer: PeerHealth) -> Iterator[Need]:
    values, path = {"city": peer.title or peer.name}, f"/desk/peers/{peer.name}"
    if peer.quarantine and peer.state != "blocked":
        yield Need("quarantined", path, values)
    elif peer.at_odds:
        yield Need("at-odds", path, {**values, "n": peer.failures, "since_ms": peer.last_out_at})
    elif peer.state == "proposed":
        yield Need("proposed", path, values, urgent=False)
    elif peer.state in ("approved", "active") and peer.stale:
        yield Need("stale", path, {**values, "since_ms": peer.last_out_at}, at_ms=peer.last_out_at)
    if peer.state in _AT_PEERS:
        for each in peer.warnings:
            what = "statement" if each.about == "statement" else "peer-key"
            # Who does not answer cannot renew its statement either.
            if what == "peer-key" or not (peer.stale or peer.at_odds):
                yield Need(
                    what, path, {**values, "n": each.days_left, "until_ms": each.at_ms}, urgent=not each.days_left
                )


def _reminded(each: Mapping[str, Any]) -> Need:
    at_ms = int(datetime.fromisoformat(each["at"]).timestamp() * 1000)
    # A review is due on a day; an end is the moment after the last one.
    until = "until_ms" if each["what"] == "review" else "until_end_ms"
    values = {"city": each["peer"], until: at_ms}
    return Need(
        f"agreement-{each['what']}", _at(each["agreement"]), values, urgent=each["what"] == "ended", at_ms=at_ms
    )


def _is_exchanged_with(peer: PeerHealth) -> bool:
    """Tell whether somebody wants a city to be in step: one that was paused is behind on purpose."""
    return peer.state in ("approved", "active") and bool(peer.follows)


def _city(peer: PeerHealth) -> City:
    return City(peer.name, peer.title or peer.name, _stands(peer), peer.last_out_at)


def _stands(peer: PeerHealth) -> str:
    if peer.quarantine and peer.state != "blocked":
        return "quarantined"
    if peer.state in ("proposed", "paused", "blocked"):
        return peer.state
    if peer.at_odds:
        return "at-odds"
    if peer.stale or peer.away:
        return "stale" if peer.stale else "away"
    return "behind" if peer.lag else "level"
