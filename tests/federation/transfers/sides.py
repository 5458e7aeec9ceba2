"""Two sides of transfers on databases of their own, with nothing but JSON between them.

What connects them can lose a message, or its answer, or refuse; either side can be built anew over its database, as
after a crash. The deciders are scripts of the test, receipts are plain words.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from node.db import Database, Tx
from node.errors import NodeError, PeerUnreachable
from node.federation.dsp.client import below
from node.federation.dsp.transfers import TransferProcess
from node.federation.transfer import Json, Kind, Step, Transfer
from node.federation.transfers.service import Hooks, House, Transfers
from node.federation.transfers.wire import PATHS

HELSINKI = "https://helsinki.test"
LONDON = "https://london.test"
AGREEMENT = f"{LONDON}/agreements/1"
DATASET = f"{LONDON}/datasets/noise"
KINDS: Mapping[str, Kind] = {path: kind for kind, path in PATHS.items()}
Script = Callable[[Transfer], Step | None]


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

    def next(self, transfer: Transfer, now_ms: int) -> Step | None:
        return self.script(transfer)


def starts(transfer: Transfer) -> Step | None:
    """Start whatever is requested."""
    return Step("start") if transfer.state == "REQUESTED" and transfer.role == "provider" else None


@dataclass
class Line:
    """What connects the sides. `lose` is asked before and after each message; what it names does not arrive."""

    sides: dict[str, "Side"] = field(default_factory=dict)
    lose: Callable[[str, str], str] = lambda _path, _who: ""  # "", "message" or "answer"
    refuse: Callable[[str, str], NodeError | None] = lambda _path, _who: None
    meanwhile: Callable[[str, str], None] = lambda _path, _who: None  # after it arrived, before its answer does
    said: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)


@dataclass
class Way:
    """One side's way to the others, and whom it knows."""

    line: Line
    caller: str

    def endpoints(self, peer_url: str) -> str:
        return f"{peer_url}/dsp/2025-1"

    def tell(self, peer_url: str, url: str, message: Json) -> TransferProcess | None:
        path = url.removeprefix(f"{peer_url}/dsp/2025-1/transfers/")
        pid, _, step = ("", "", path) if path == "request" else path.partition("/")
        self.line.said.append((self.caller, step))
        self.line.bodies.append(message)
        fate = self.line.lose(step, self.caller)
        if fate == "message":
            raise PeerUnreachable("Nothing arrived.")
        if error := self.line.refuse(step, self.caller):
            raise error
        role: Any = "provider" if step == "request" else None
        found = self.line.sides[peer_url].transfers.hear(
            self.caller, role, pid, json.loads(json.dumps(message)), KINDS[step]
        )
        self.line.meanwhile(step, self.caller)
        if fate == "answer":
            raise PeerUnreachable("The answer was lost.")
        return _told(found)

    def standing(self, peer_url: str, url: str) -> TransferProcess:
        self.line.said.append((self.caller, "state"))
        if self.line.lose("state", self.caller):
            raise PeerUnreachable("Nothing arrived.")
        return _told(self.line.sides[peer_url].transfers.state(self.caller, None, url.rpartition("/")[2]))

    def knows(self, peer: str) -> bool:
        return peer in (HELSINKI, LONDON)

    def address(self, peer: str, callback: str) -> str:
        return below(peer, callback)


def _told(found: Transfer) -> TransferProcess:
    receipt = found.receipt if found.state == "COMPLETED" else ""
    return TransferProcess(found.provider_pid, found.consumer_pid, found.state, receipt)


@dataclass
class Side:
    """One city: its database, its transfers, and what was asked of its hooks."""

    url: str
    db: Database
    clock: Clock
    line: Line
    decider: Scripted = field(default_factory=Scripted)
    spent: list[str] = field(default_factory=list)
    stopped: list[tuple[str, str]] = field(default_factory=list)
    spend: Callable[[Transfer], str] = lambda _: "clause-1"
    resumes: Callable[[Transfer], None] = lambda _: None
    admits: Callable[[Transfer], Transfer] = lambda asked: asked
    stands: dict[str, str] = field(default_factory=dict)
    concludes: Callable[[Transfer, str], str] = lambda _, receipt: f"{receipt}, countersigned" if receipt else ""
    tokens: int = 0
    transfers: Transfers = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Build everything anew over what the database holds."""
        way = Way(self.line, self.url)
        house = House(
            f"{self.url}/dsp/2025-1",
            self.clock,
            lambda: 0.0,
            admits=lambda asked, _: self.admits(asked),
            stands=lambda agreement, _: self.stands.get(agreement, ""),
        )
        hooks = Hooks(
            spend=self._spend,
            resumes=lambda transfer, _: self.resumes(transfer),
            address=self._address,
            concluded=lambda _, transfer, receipt: self.concludes(transfer, receipt),
            stopped=lambda _, transfer: self.stopped.append((transfer.pid, transfer.state)),
        )
        self.transfers = Transfers(self.db, house, parties=way, sender=way, decider=self.decider, hooks=hooks)
        self.line.sides[self.url] = self

    def _spend(self, tx: Tx, transfer: Transfer, at_ms: int) -> str:
        clause = self.spend(transfer)
        # In the transaction, as the count of a use would be.
        tx.run("INSERT INTO reminded (agreement, what, at) VALUES (?, ?, ?)", transfer.pid, "used", at_ms)
        return clause

    def _address(self, transfer: Transfer) -> Json:
        self.tokens += 1
        properties = [{"@type": "EndpointProperty", "name": "authorization", "value": f"token-{self.tokens}"}]
        where = f"{self.url}/data/{transfer.pid}"
        kind = "https://w3id.org/idsa/v4.1/HTTP"
        return {"@type": "DataAddress", "endpointType": kind, "endpoint": where, "endpointProperties": properties}

    def used(self) -> list[str]:
        """Transfers that were counted as a use."""
        return [row[0] for row in self.db.hot().rows("SELECT agreement FROM reminded WHERE what = 'used'")]

    def deliver(self) -> int:
        return self.transfers.deliver(self.clock())

    def one(self) -> Transfer:
        """The only transfer there is."""
        (found,) = self.transfers.list()
        return found

    def kinds(self) -> list[str]:
        """What was said in it, as this side has it."""
        return [f"{each.direction} {each.kind}" for each in self.transfers.messages(self.one().pid)]


def talk(*sides: Side, turns: int = 12) -> None:
    """Let every side deliver until nobody has anything to say."""
    for _ in range(turns):
        if not sum(side.deliver() for side in sides):
            return
