"""Two sides of a negotiation on databases of their own, with nothing but JSON between them.

What connects them can lose a message, or its answer, or refuse; either side can be built anew over its database, as
after a crash. The deciders are scripts of the test.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from node.db import Database, Tx
from node.errors import NodeError, PeerUnreachable
from node.federation.agreements.signing import Signing
from node.federation.dsp.messages import ContractNegotiation
from node.federation.negotiation import Kind, Negotiation, Role, Step
from node.federation.negotiations.negotiations import House, Negotiations
from node.keys import Keyring, PublicKey

HELSINKI = "https://helsinki.test"
LONDON = "https://london.test"
FEDERATION = "https://federation.test"
TARGET = f"{LONDON}/collections/plans"
RULES: dict[str, Any] = {"permission": [{"action": "use"}]}
OFFER: dict[str, Any] = {"@id": f"{LONDON}/offers/plans", "target": TARGET, **RULES}
OTHER: dict[str, Any] = {
    "@id": f"{HELSINKI}/offers/less",
    "target": TARGET,
    "permission": [
        {
            "action": "use",
            "constraint": [{"leftOperand": "dateTime", "operator": "lt", "rightOperand": "2099-01-01T00:00:00Z"}],
        }
    ],
}
ABOUT: dict[str, Any] = {"title": "Plans", "covers": [TARGET]}
Script = Callable[[Negotiation], Step | None]
# Which role a path belongs to, and what it takes: what the web's routes say.
PATHS: Mapping[str, tuple[Role | None, tuple[Kind, ...]]] = {
    "request": ("provider", ("request",)),
    "offers": ("consumer", ("offer",)),
    "agreement": ("consumer", ("agree",)),
    "agreement/verification": ("provider", ("verify",)),
    "events": (None, ("accept", "finalize")),
    "termination": (None, ("terminate",)),
}


@dataclass
class Clock:
    """A time that tests move."""

    now_ms: int = 1_750_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Scripted:
    """Decides by a function of the test."""

    script: Script = lambda _: None
    asked: int = 0

    def next(self, negotiation: Negotiation) -> Step | None:
        self.asked += 1
        return self.script(negotiation)


def by_state(**steps: Kind) -> Script:
    """Decide by the state alone: one kind of step for each."""
    return lambda held: Step(steps[held.state], code="no", reasons=("Ask again.",)) if held.state in steps else None


@dataclass
class Line:
    """What connects the sides. `lose` is asked before and after each message; what it names does not arrive."""

    sides: dict[str, "Side"] = field(default_factory=dict)
    lose: Callable[[str, str], str] = lambda _path, _who: ""  # "", "message", "answer", or "all"
    refuse: Callable[[str, str], NodeError | None] = lambda _path, _who: None
    said: list[tuple[str, str]] = field(default_factory=list)

    def of(self, caller: str) -> "Way":
        return Way(self, caller)


@dataclass
class Way:
    """One side's way to the others."""

    line: Line
    caller: str

    def endpoints(self, peer_url: str) -> str:
        return f"{peer_url}/dsp/2025-1"

    def send(self, peer_url: str, url: str, message: Mapping[str, Any]) -> ContractNegotiation | None:
        path = url.removeprefix(f"{peer_url}/dsp/2025-1/negotiations/")
        pid, _, step = ("", "", path) if path in ("request", "offers") else path.partition("/")
        self.line.said.append((self.caller, path if not pid else step))
        fate = self.line.lose(step, self.caller)
        if fate in ("message", "all"):
            raise PeerUnreachable("Nothing arrived.")
        if error := self.line.refuse(step, self.caller):
            raise error
        role, kinds = PATHS[step]
        found = self.line.sides[peer_url].negotiations.hear(
            self.caller, role, pid, json.loads(json.dumps(message)), *kinds
        )
        if fate == "answer":
            raise PeerUnreachable("The answer was lost.")
        return ContractNegotiation(found.provider_pid, found.consumer_pid, found.state)

    def state(self, peer_url: str, url: str) -> ContractNegotiation:
        self.line.said.append((self.caller, "state"))
        if self.line.lose("state", self.caller):
            raise PeerUnreachable("Nothing arrived.")
        found = self.line.sides[peer_url].negotiations.state(self.caller, None, url.rpartition("/")[2])
        return ContractNegotiation(found.provider_pid, found.consumer_pid, found.state)


@dataclass
class Known:
    """Parties of whom the keys are known; each is answered below its own base URL alone."""

    keyrings: Mapping[str, Keyring]
    strangers: set[str] = field(default_factory=set)

    def knows(self, peer: str) -> bool:
        return peer in (HELSINKI, LONDON) and peer not in self.strangers

    def address(self, peer: str, callback: str) -> str:
        from node.federation.dsp.client import below

        return below(peer, callback)

    def keys(self, peer: str) -> list[PublicKey]:
        return list(self.keyrings[peer].published()) if peer in self.keyrings else []


@dataclass
class Side:
    """One city: its database, its negotiations, and what it concluded."""

    url: str
    db: Database
    clock: Clock
    line: Line
    parties: Known
    signs: bool = True
    unsigned: bool = False
    decider: Scripted = field(default_factory=Scripted)
    concluded: list[str] = field(default_factory=list)
    wrap: Callable[[Way], Any] = lambda way: way
    numbers: Iterator[int] = field(default_factory=itertools.count)
    admits: Callable[..., None] = lambda *_: None
    about_of: Callable[..., Any] = lambda *_: {}
    crash: Callable[[], None] = lambda: None
    negotiations: Negotiations = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Build everything anew over what the database holds."""
        signing = Signing(self.parties.keyrings[self.url], url=self.url, federation=FEDERATION) if self.signs else None
        house = House(
            self.url,
            f"{self.url}/dsp/2025-1",
            self.clock,
            lambda: 0.0,
            about_of=lambda *said: self.about_of(*said),  # noqa: PLW0108 - tests set it later
            admits=lambda *said: self.admits(*said),  # noqa: PLW0108 - tests set it later
            suffices=lambda _: self.unsigned,
        )
        self.negotiations = Negotiations(
            self.db,
            house,
            parties=self.parties,
            sender=self.wrap(self.line.of(self.url)),
            decider=self.decider,
            signing=signing,
            concluded=self._conclude,
        )
        self.line.sides[self.url] = self

    def _conclude(self, tx: Tx, negotiation: Negotiation, at_ms: int) -> None:
        # In the transaction, as the pair journal would be written.
        tx.run("INSERT INTO reminded (agreement, what, at) VALUES (?, 'concluded', ?)", negotiation.agreement, at_ms)
        self.crash()

    def in_force(self) -> list[str]:
        """Agreements that were concluded."""
        return [row[0] for row in self.db.hot().rows("SELECT agreement FROM reminded WHERE what = 'concluded'")]

    def deliver(self) -> int:
        return self.negotiations.deliver(self.clock())

    def one(self) -> Negotiation:
        """The only negotiation there is."""
        (found,) = self.negotiations.list()
        return found

    def states(self) -> list[str]:
        return [each.state for each in self.negotiations.list()]


def talk(*sides: Side, turns: int = 12) -> None:
    """Let every side deliver until nobody has anything to say."""
    for _ in range(turns):
        if not sum(side.deliver() for side in sides):
            return
