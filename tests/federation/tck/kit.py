"""The other side of the conformance tests: a kit that speaks the protocol to a whole node, word by word as told.

The node is a city as any other, asked through its real web app and with real tokens; the kit is a second city as far as
tokens go, and a script in everything that it says. Only who decides is the test's, put into the node in memory: no
setting reaches it. Which steps our side takes in which test is in `tests.tck.scripts`, for the real kit too.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from node.assembly.clock import clock_ms
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.negotiation import Kind, Negotiation
from node.federation.negotiations.negotiations import House, Negotiations
from node.federation.negotiations.parties import PeerParties
from node.federation.offers import OfferDraft
from node.federation.policy.values import time_text
from node.federation.transfer import Transfer
from node.federation.transfers.service import Hooks, Transfers
from node.federation.transfers.service import House as TransferHouse
from node.outbound import Reply
from tests.federation.cities import GHENT, HELSINKI, City, Request, cities
from tests.tck.kit import agreement_of, dataset_of, offer_of
from tests.tck.scripts import CONSUMER, CONSUMES, PROVIDER, PROVIDES, Moving, Scripted

BASE = "/dsp/2025-1"
RULES = {"permission": [{"action": "use"}]}
OFFERED = "plans"
STANDINGS = {"negotiations": "ContractNegotiation", "transfers": "TransferProcess"}
_PATHS: dict[Kind, str] = {
    "request": "request",
    "offer": "offers",
    "accept": "events",
    "agree": "agreement",
    "verify": "agreement/verification",
    "finalize": "events",
    "terminate": "termination",
}
_NAMES: dict[Kind, str] = {
    "request": "ContractRequestMessage",
    "offer": "ContractOfferMessage",
    "accept": "ContractNegotiationEventMessage",
    "agree": "ContractAgreementMessage",
    "verify": "ContractAgreementVerificationMessage",
    "finalize": "ContractNegotiationEventMessage",
    "terminate": "ContractNegotiationTerminationMessage",
}
_EVENTS: dict[Kind, str] = {"accept": "ACCEPTED", "finalize": "FINALIZED"}


def kind_of(said: dict[str, Any]) -> Kind:
    """Tell which step a message is."""
    found = {name: kind for kind, name in _NAMES.items() if kind not in _EVENTS}.get(said["@type"])
    return found or next(kind for kind, event in _EVENTS.items() if event == said["eventType"])


@dataclass
class Endpoints:
    """The kit's app: takes every message of the protocol and keeps it; all else is answered by the city it is."""

    real: Any
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        subject, _, path = scope["path"].removeprefix(f"{BASE}/").partition("/")
        if not scope["path"].startswith(BASE) or subject not in STANDINGS:
            await self.real(scope, receive, send)
            return
        status, answer = self._answered(scope["method"], subject, path, (await receive())["body"])
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answered(self, method: str, subject: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if method != "POST":
            return 404, {}
        said = json.loads(body)
        self.heard.append((path, said))
        if path != "request":
            return 200, {}
        pids = {"consumerPid": said["consumerPid"], "providerPid": f"kit-{said['consumerPid']}"}
        return 201, {"@context": [DSP_CONTEXT], "@type": STANDINGS[subject], **pids, "state": "REQUESTED"}


@dataclass
class Kit:
    """Speaks to the node under test as another city."""

    node: City
    own: City
    endpoints: Endpoints
    negotiations: Negotiations
    transfers: Transfers
    offer: str

    def ask(self, method: str, path: str, said: dict[str, Any] | None = None, *, token: bool = True) -> Reply:
        """Ask the node under test, with a token unless told otherwise."""
        url = self.node.url + path
        headers = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
        if token:
            headers |= self.own.federation.token_source.headers(self.node.url, method, url)
        body = json.dumps(said).encode() if said is not None else b""
        return self.node.wire.call(Request(self.own.name, method, url, headers, body))

    def talk(self, test: str) -> "Talk":
        """Begin to tell one test."""
        self.endpoints.heard.clear()
        return Talk(self, test)


@dataclass
class Talk:
    """One test as it goes: both pids, and how much of what the node said was expected so far."""

    kit: Kit
    test: str
    consumer: str = ""
    provider: str = ""
    expected: int = 0

    @property
    def kit_asks(self) -> bool:
        """Tell whether the kit is the consumer."""
        return self.test.startswith("CN:")

    def tell(self, dialogue: str) -> None:
        """Go through a dialogue: `offer` is said, `<offer` is expected, `!offer` is refused, `=STATE` is looked at."""
        if not self.kit_asks:
            offer = {"@id": offer_of(self.test), "target": dataset_of(self.test), **RULES}
            self.consumer = self.kit.negotiations.request(self.kit.own.url, offer, {}).pid
        for word in dialogue.split():
            mark, rest = (word[0], word[1:]) if word[0] in "<!=" else ("", word)
            {"": self.say, "<": self.expect, "!": self.refused, "=": self.look}[mark](rest)
        self.deliver()
        assert len(self.kit.endpoints.heard) == self.expected, "the node said more than it should"

    def deliver(self) -> None:
        self.kit.negotiations.deliver(clock_ms())

    def say(self, word: str) -> None:
        """Say something that is taken."""
        first = not self.provider
        reply = self._sent(word)
        assert reply.status == (201 if first else 200), reply.body
        answer = json.loads(reply.body)
        if first:
            assert (answer["@type"], answer["state"]) == ("ContractNegotiation", "REQUESTED")
            self.provider = answer["providerPid"]

    def refused(self, word: str) -> None:
        """Say something that does not fit."""
        reply = self._sent(word)
        assert reply.status == 400, reply.body
        answer = json.loads(reply.body)
        assert answer["@type"] == "ContractNegotiationError"
        assert (answer["consumerPid"], answer["providerPid"]) == (self.consumer, self.provider)
        assert answer["reason"]

    def expect(self, word: str) -> None:
        """See that the node says the next thing."""
        self.deliver()
        assert len(self.kit.endpoints.heard) > self.expected, f"the node did not say {word}"
        path, said = self.kit.endpoints.heard[self.expected]
        self.expected += 1
        assert kind_of(said) == word
        assert said["@context"] == [DSP_CONTEXT]
        if word == "request" and not self.provider:
            self.provider = f"kit-{said['consumerPid']}"
            assert said["callbackAddress"] == f"{self.kit.node.url}{BASE}"
            return
        pid = self.consumer if self.kit_asks else self.provider
        assert path == f"{pid}/{_PATHS[kind_of(said)]}"
        assert (said["consumerPid"], said["providerPid"]) == (self.consumer, self.provider)

    def look(self, state: str) -> None:
        """Ask the node how it stands."""
        self.deliver()
        reply = self.kit.ask("GET", f"{BASE}/negotiations/{self.provider if self.kit_asks else self.consumer}")
        answer = json.loads(reply.body)
        assert (reply.status, answer["state"]) == (200, state)
        assert (answer["consumerPid"], answer["providerPid"]) == (self.consumer, self.provider)

    def _sent(self, word: str) -> Reply:
        kind: Kind = word  # type: ignore[assignment]
        first = not self.provider
        if first:
            self.consumer = str(uuid4())
        pid = self.provider if self.kit_asks else self.consumer
        path = _PATHS[kind] if first else f"{pid}/{_PATHS[kind]}"
        return self.kit.ask("POST", f"{BASE}/negotiations/{path}", self._message(kind))

    def _message(self, kind: Kind) -> dict[str, Any]:
        said: dict[str, Any] = {"@context": [DSP_CONTEXT], "@id": str(uuid4()), "@type": _NAMES[kind]}
        said["consumerPid"] = self.consumer
        said |= {"providerPid": self.provider} if self.provider else {}
        policy = {"@id": offer_of(self.test), "target": dataset_of(self.test)}
        # The kit writes an empty list of constraints, and names the parties of an offer.
        policy |= {"permission": [{"action": "use", "constraint": []}]}
        parties = {"assigner": self.kit.own.url, "assignee": self.kit.node.url}
        if kind in ("request", "offer"):
            said["offer"] = {"@type": "Offer", **policy, **(parties if self.provider else {})}
        if not self.provider:
            said["callbackAddress"] = f"{self.kit.own.url}{BASE}/"
        if kind in _EVENTS:
            said["eventType"] = _EVENTS[kind]
        if kind == "agree":
            moment = {"@id": str(uuid4()), "timestamp": time_text(clock_ms())}
            said["agreement"] = {"@type": "Agreement", **policy, **parties, **moment}
        if kind == "terminate":
            said |= {"code": "1", "reason": []}
        return said


@contextmanager
def kit(folder: Path, database: Path) -> Iterator[Kit]:
    """Put a node and a kit up."""
    with cities(folder, database, helsinki=HELSINKI, kit=GHENT) as (node, own):
        negotiations, transfers = _scripted(node), _moving(node)  # before the node's app is asked, which is made then
        node.meet(own, follow=())
        own.meet(node, follow=())
        with node.node.db.write() as tx:  # the kit publishes no key for messages: it signs none
            tx.run("DELETE FROM peer_key WHERE purpose = 'message'")
        endpoints = Endpoints(node.wire.apps[own.url])
        node.wire.apps[own.url] = endpoints
        offers = node.federation.agreeing.offers
        node.node.create_collection(OFFERED, title="Plans", visibility="restricted", at_ms=clock_ms())
        draft = OfferDraft(f"{node.url}/collections/{OFFERED}", RULES, {"title": "Plans"}, name=OFFERED, peers=("kit",))
        offers.publish(draft, by="a person", at_ms=clock_ms())
        yield Kit(node, own, endpoints, negotiations, transfers, f"{node.url}/collections/{OFFERED}")


def _scripted(node: City) -> Negotiations:
    """Let the scripts decide for the node."""
    agreeing = node.federation.agreeing

    def steps_of(negotiation: Negotiation) -> int:
        said = [each for each in made.messages(negotiation.pid) if each.direction == "out"]
        return len(said) - (negotiation.role == "consumer")

    scripts = {dataset_of(test): script for test, script in (PROVIDER | CONSUMER).items()}
    made = Negotiations(
        node.node.db,
        House(node.url, node.url + BASE, clock_ms, lambda: 0.0, suffices=lambda _: True),
        parties=PeerParties(node.federation.peers),
        sender=agreeing.dsp.client,
        decider=Scripted(scripts, steps_of),
    )
    dsp = replace(agreeing.dsp, negotiations=made)
    node.node.federation = replace(node.federation, agreeing=replace(agreeing, dsp=dsp))
    return made


def _moving(node: City) -> Transfers:
    """Let the scripts decide about transfers for the node; no agreement is looked for."""
    moving = node.federation.moving

    def moves_of(transfer: Transfer) -> int:
        said = [each for each in made.messages(transfer.pid) if each.direction == "out"]
        return len(said) - (transfer.role == "consumer")

    scripts = {agreement_of(test): script for test, script in (PROVIDES | CONSUMES).items()}
    made = Transfers(
        node.node.db,
        TransferHouse(node.url + BASE, clock_ms, lambda: 0.0),
        parties=PeerParties(node.federation.peers),
        sender=node.federation.agreeing.dsp.client,
        decider=Moving(scripts, moves_of),
        hooks=Hooks(),
    )
    moving = replace(moving, transferring=replace(moving.transferring, transfers=made))
    node.node.federation = replace(node.federation, moving=moving)
    return made
