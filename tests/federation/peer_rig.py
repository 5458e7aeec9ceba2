"""A city with its book of peers, its client and fake tokens, over a real database and a real door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from node.db import Database
from node.federation.client import PeerClient
from node.federation.peers.days import PeerDays
from node.federation.peers.health import Health
from node.federation.peers.office import PeerOffice
from node.federation.peers.peer_test import PeerTest
from node.federation.peers.peers import Peers, invitation
from node.outbound import Outbound
from tests.federation.fake_peer import NOW_MS, FakePeer

OURS = "http://127.0.0.1:8001"


@dataclass
class FakeTokens:
    """Gives out numbered tokens, or raises what a test wants."""

    given: list[str] = field(default_factory=list)
    refuses: Exception | None = None
    forgotten: int = 0

    def headers(self, peer_url: str, method: str, url: str, **_: object) -> Mapping[str, str]:
        if self.refuses is not None:
            raise self.refuses
        self.given.append(f"{method} {url}")
        return {"Authorization": f"DPoP token-{self.forgotten}", "DPoP": "proof"}

    def again(self, peer_url: str, answer: Mapping[str, str]) -> bool:
        self.forgotten += 1
        return "invalid_token" in answer.get("www-authenticate", "")


@dataclass
class Rig:
    """Everything of one city that knows peers."""

    db: Database
    peers: Peers
    client: PeerClient
    tokens: FakeTokens
    outbound: Outbound
    health: Health
    office: PeerOffice
    held: dict[str, int]
    now_ms: int = NOW_MS
    opened: Sequence[str] = ()  # IRIs of collections that an agreement lets us mirror

    def adds(self, peer: FakePeer, name: str = "helsinki") -> None:
        self.peers.add(invitation(peer.url, peer.fingerprint), name=name, at_ms=self.now_ms)

    def approves(self, peer: FakePeer, name: str = "helsinki") -> None:
        self.adds(peer, name)
        self.peers.approve(name, by="ada", at_ms=self.now_ms)

    def later(self, ms: int) -> int:
        self.now_ms += ms
        return self.now_ms


def rig(db: Database, **door: object) -> Rig:
    """Make a city."""
    settings: dict[str, object] = {"loopback_allowed": True, "private_origins": frozenset(), "user_agent": "citynode/t"}
    outbound = Outbound(**(settings | door))  # type: ignore[arg-type]
    tokens = FakeTokens()
    client = PeerClient(outbound, tokens)
    held: dict[str, int] = {}

    def count(prefix: str, *, except_of: str) -> int:
        return held.get(prefix, 0)

    peers = Peers(
        db,
        base_url=OURS,
        namespaces=["https://data.city.example/"],
        statements=client,
        held=count,
        chance=lambda: 0.5,
    )
    health = Health(db, peers, poll_ms=300_000)
    made: list[Rig] = []
    office = PeerOffice(
        peers,
        health,
        PeerTest(peers, outbound, client, deadline_s=2),
        fingerprint=lambda: "f" * 43,
        clock_ms=lambda: made[0].now_ms,
        opened=lambda url, iri: iri in made[0].opened,
        days=PeerDays(db),
    )
    made.append(Rig(db, peers, client, tokens, outbound, health, office, held))
    return made[0]


def other_keys(folder: Path) -> FakePeer:
    """Make a city whose keys a thief could use."""
    return FakePeer(folder, name="Mallory")
