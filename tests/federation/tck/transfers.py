"""The kit's words about transfers: told to a whole node as `kit.Talk` tells negotiations, by the same marks."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from node.assembly.clock import clock_ms
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.transfer import Kind
from node.federation.transfers.service import Transfers
from node.federation.transfers.wire import PATHS
from node.outbound import Reply
from tests.federation.tck.kit import BASE, Kit
from tests.tck.kit import agreement_of

NAMES: dict[Kind, str] = {
    "request": "TransferRequestMessage",
    "start": "TransferStartMessage",
    "suspend": "TransferSuspensionMessage",
    "complete": "TransferCompletionMessage",
    "terminate": "TransferTerminationMessage",
}


@dataclass
class TransferTalk:
    """One test as it goes: both pids, and how much of what the node said was expected so far."""

    kit: Kit
    test: str
    consumer: str = ""
    provider: str = ""
    expected: int = 0

    @property
    def kit_asks(self) -> bool:
        """Tell whether the kit is the consumer."""
        return self.test.startswith("TP:")

    @property
    def transfers(self) -> Transfers:
        """The node's."""
        return self.kit.transfers

    def tell(self, dialogue: str) -> None:
        """Go through a dialogue: `start` is said, `<start` is expected, `!start` is refused, `=STATE` is looked at."""
        self.kit.endpoints.heard.clear()
        if not self.kit_asks:
            self.consumer = self.transfers.request(self.kit.own.url, agreement_of(self.test)).pid
        for word in dialogue.split():
            mark, rest = (word[0], word[1:]) if word[0] in "<!=" else ("", word)
            {"": self.say, "<": self.expect, "!": self.refused, "=": self.look}[mark](rest)
        self.deliver()
        assert len(self.kit.endpoints.heard) == self.expected, "the node said more than it should"

    def deliver(self) -> None:
        self.transfers.deliver(clock_ms())

    def say(self, word: str) -> None:
        """Say something that is taken."""
        first = not self.provider
        reply = self._sent(word)
        assert reply.status == (201 if first else 200), reply.body
        answer = json.loads(reply.body)
        if first:
            assert (answer["@type"], answer["state"]) == ("TransferProcess", "REQUESTED")
            self.provider = answer["providerPid"]

    def refused(self, word: str) -> None:
        """Say something that does not fit."""
        reply = self._sent(word)
        assert reply.status == 400, reply.body
        answer = json.loads(reply.body)
        assert answer["@type"] == "TransferError"
        assert (answer["consumerPid"], answer["providerPid"]) == (self.consumer, self.provider)
        assert answer["reason"]

    def expect(self, word: str) -> None:
        """See that the node says the next thing."""
        self.deliver()
        assert len(self.kit.endpoints.heard) > self.expected, f"the node did not say {word}"
        path, said = self.kit.endpoints.heard[self.expected]
        self.expected += 1
        kind: Kind = word  # type: ignore[assignment]
        assert said["@type"] == NAMES[kind]
        assert said["@context"] == [DSP_CONTEXT]
        if word == "request":
            self.provider = f"kit-{said['consumerPid']}"
            assert said["callbackAddress"] == f"{self.kit.node.url}{BASE}"
            assert (said["agreementId"], said["format"]) == (agreement_of(self.test), "HttpData-PULL")
            return
        pid = self.consumer if self.kit_asks else self.provider
        assert path == f"{pid}/{PATHS[kind]}"
        assert (said["consumerPid"], said["providerPid"]) == (self.consumer, self.provider)

    def look(self, state: str) -> None:
        """Ask the node how it stands."""
        self.deliver()
        reply = self.kit.ask("GET", f"{BASE}/transfers/{self.provider if self.kit_asks else self.consumer}")
        answer = json.loads(reply.body)
        assert (reply.status, answer["@type"], answer["state"]) == (200, "TransferProcess", state)
        assert (answer["consumerPid"], answer["providerPid"]) == (self.consumer, self.provider)

    def _sent(self, word: str) -> Reply:
        kind: Kind = word  # type: ignore[assignment]
        first = not self.provider
        if first:
            self.consumer = str(uuid4())
        pid = self.provider if self.kit_asks else self.consumer
        path = PATHS[kind] if first else f"{pid}/{PATHS[kind]}"
        return self.kit.ask("POST", f"{BASE}/transfers/{path}", self._message(kind))

    def _message(self, kind: Kind) -> dict[str, Any]:
        said: dict[str, Any] = {"@context": [DSP_CONTEXT], "@id": str(uuid4()), "@type": NAMES[kind]}
        said["consumerPid"] = self.consumer
        said |= {"providerPid": self.provider} if self.provider else {}
        if not self.provider:
            said |= {"agreementId": agreement_of(self.test), "format": "HttpData-PULL"}
            said["callbackAddress"] = f"{self.kit.own.url}{BASE}/"
        if kind in ("suspend", "terminate"):
            said |= {"code": "1", "reason": []}
        return said
