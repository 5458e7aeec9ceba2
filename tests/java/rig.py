"""A whole node of ours that deals with connectors which are no cities: known by a header, spoken to with a header.

Built as for `citynode run`, with its real web app, catalogue, client and negotiations over a real database. Replaced in
memory are only the way in (who shows which header), the way out (which header we show), whom we know, and who decides.
None of it can be reached by a setting: it needs a program that holds the node in its hand, as this one does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from node.app import create_app
from node.assembly import Node, build, make_keys
from node.assembly.clock import clock_ms
from node.db import Database
from node.errors import Unauthenticated
from node.federation.dsp.catalogue import PATH
from node.federation.dsp.client import DspClient, below
from node.federation.dsp.messages import ContractNegotiation
from node.federation.dsp.transfers import TransferProcess
from node.federation.negotiation import Decider, Json
from node.federation.negotiations.negotiations import House, Negotiations
from node.federation.offers import OfferDraft, Published
from node.federation.rights.rights import YES, Rights, Verdict, Who
from node.federation.tokens.access import PUBLIC, Access, Caller
from node.federation.transfer import Decider as Mover
from node.federation.transfers.service import Hooks, Transfers
from node.federation.transfers.service import House as TransferHouse
from node.keys import PublicKey
from node.settings import Settings
from tests.java.harness import HOST, free_ports

COLLECTION = "plans"
# Where nothing is handed out, an address has to be one all the same.
HANDED = {
    "@type": "DataAddress",
    "endpointType": "https://w3id.org/idsa/v4.1/HTTP",
    "endpoint": "https://nowhere.invalid/data",
}


@dataclass(frozen=True)
class Stranger:
    """A connector: the participant it is, and its address. `messages` is where it takes them, if it does not tell."""

    participant: str
    url: str
    messages: str = ""


# What a rig says of the header Authorization: who shows it, and what we show at an address.
Reads = Callable[[str], str]
Writes = Callable[[str], str]


class Doorman(Access):
    """Takes the rig's headers for the tokens of peers."""

    def __init__(self, real: Access, reads: Reads) -> None:
        self._real, self._reads = real, reads

    def caller(self, credentials: Sequence[str], proofs: Sequence[str], *, method: str, path: str) -> Caller:
        if not credentials:
            return PUBLIC
        who = self._reads(credentials[0])
        if not who:
            raise Unauthenticated("The rig does not know this header.", challenge=self.challenge())
        return Caller("peer", "stranger", frozenset({"federation"}), who)

    def challenge(self, error: str = "", message: str = "", *, bound: bool = True) -> str:
        return self._real.challenge(error, message, bound=bound)


class Welcoming(Rights):
    """Welcomes whoever the doorman let in; decides about nothing else."""

    def __init__(self) -> None:
        """Need nothing."""

    def welcome(self, caller: Who) -> Verdict:
        return YES


@dataclass
class Headers:
    """Gives the header that we show, where a city would give a token."""

    writes: Writes

    def headers(self, peer_url: str, method: str, url: str, *_: object, **__: object) -> Mapping[str, str]:
        return {"Authorization": self.writes(url)}

    def again(self, peer_url: str, headers: Mapping[str, str]) -> bool:
        return False


@dataclass
class Known:
    """The other side, and the way to it: everything that negotiations ask about one."""

    stranger: Stranger
    client: DspClient

    def knows(self, peer: str) -> bool:
        return peer == self.stranger.participant

    def address(self, peer: str, callback: str) -> str:
        return below(self.stranger.url, callback)

    def keys(self, peer: str) -> Sequence[PublicKey]:
        return ()

    def endpoints(self, peer_url: str) -> str:
        return self.stranger.messages or self.client.endpoints(self.stranger.url)

    def send(self, peer_url: str, url: str, message: Json) -> ContractNegotiation | None:
        return self.client.send(self.stranger.url, url, message)

    def state(self, peer_url: str, url: str) -> ContractNegotiation:
        return self.client.state(self.stranger.url, url)

    def tell(self, peer_url: str, url: str, message: Json) -> TransferProcess | None:
        return self.client.tell(self.stranger.url, url, message)

    def standing(self, peer_url: str, url: str) -> TransferProcess:
        return self.client.standing(self.stranger.url, url)


@dataclass
class Rig:
    """The node, what speaks for it, and the app to serve."""

    node: Node
    negotiations: Negotiations
    transfers: Transfers
    client: DspClient
    app: Any
    port: int

    @property
    def url(self) -> str:
        return self.node.settings.base_url

    @property
    def protocol_url(self) -> str:
        return self.url + PATH

    def collection(self, name: str = COLLECTION) -> str:
        return f"{self.url}/collections/{name}"

    def publish(self, name: str, rules: Json, about: Json) -> Published:
        """Open a collection and offer it to everyone, to be agreed to without a person."""
        self.node.create_collection(name, title=str(about["title"]), visibility="public", at_ms=clock_ms())
        draft = OfferDraft(self.collection(name), rules, about, name=name, automatic=True)
        return self.node.federation.agreeing.offers.publish(draft, by="the rig", at_ms=clock_ms())

    def offer(self, name: str = COLLECTION) -> Published:
        return self.node.federation.agreeing.offers.get(name)

    def deliver(self) -> int:
        """Do what the worker's rounds do for negotiations, transfers and what we bring."""
        self.node.federation.moving.pusher.look()
        return self.negotiations.deliver(clock_ms()) + self.transfers.deliver(clock_ms())


def _settings(folder: Path, port: int, more: Mapping[str, Any]) -> Settings:
    quick = {"rate_public_per_min": 0, "rate_feed_per_min": 0, "rate_token_per_min": 0}
    return Settings(**{"data": folder, "name": "Helsinki", "base_url": f"http://{HOST}:{port}", **quick, **more})


@contextmanager
def rig(
    folder: Path,
    *,
    stranger: Stranger,
    reads: Reads,
    writes: Writes,
    decider: Callable[[Node], Decider],
    mover: Callable[[Node], Mover] | None = None,
    bend: Callable[[House], House] = lambda house: house,
    port: int = 0,
    **settings: Any,
) -> Iterator[Rig]:
    """Build a node in an empty folder, and put the rig's parts in the place of the real ones.

    `bend` may change what negotiations know of this city; what it leaves is what a city has. `mover` decides transfers
    in the place of agreements, of which none is needed then; without it they are what a city's are.
    """
    port = port or free_ports(1)[0]
    folder.mkdir(exist_ok=True)
    made = _settings(folder, port, settings)
    db = Database(made.database)
    db.upgrade()
    db.close()
    make_keys(made)
    node = build(made)
    try:
        client = DspClient(node.outbound, Headers(writes), clock_ms=clock_ms)
        known = Known(stranger, client)
        real = node.federation.agreeing.dsp.negotiations
        negotiations = Negotiations(
            node.db,
            bend(real._house),
            parties=known,
            sender=known,
            decider=decider(node),
            signing=real._texts.signing,
            concluded=real._moves.concluded,
        )
        transfers = _transfers(node, known, mover(node) if mover else None)
        _put_in(node, negotiations, transfers, reads)
        yield Rig(node, negotiations, transfers, client, create_app(node), port)
    finally:
        node.close()


def _transfers(node: Node, known: Known, mover: Mover | None) -> Transfers:
    real = node.federation.moving.transfers
    house, hooks = real._house, real._moves.hooks
    if mover:
        house = TransferHouse(house.callback, house.clock_ms, house.chance)
        hooks = Hooks(address=lambda transfer: HANDED)
    decider = mover or real._decider
    return Transfers(node.db, house, parties=known, sender=known, decider=decider, hooks=hooks)


def _put_in(node: Node, negotiations: Negotiations, transfers: Transfers, reads: Reads) -> None:
    federation = node.federation
    agreeing, moving = federation.agreeing, federation.moving
    node.federation = replace(
        federation,
        access=Doorman(federation.access, reads),
        rights=Welcoming(),
        agreeing=replace(agreeing, dsp=replace(agreeing.dsp, negotiations=negotiations)),
        moving=replace(moving, transferring=replace(moving.transferring, transfers=transfers)),
    )
