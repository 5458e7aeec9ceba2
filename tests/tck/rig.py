"""Our node as the kit wants it: a header that it knows, a trigger for negotiations of ours, and a script per dataset.

The web app, the catalogue and its offers, the client and the negotiations are the real ones; see `tests.java.rig` for
what is put in their place. The trigger stands beside the app, on the same socket.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from node.federation.negotiation import Negotiation, Step
from tests.java.harness import HOST
from tests.java.rig import Rig, Stranger, rig
from tests.tck.kit import PARTICIPANT, TOKEN, dataset_of
from tests.tck.scripts import CONSUMER, PROVIDER, Scripted

TRIGGER = "/rig/negotiations"
RULES = {"permission": [{"action": "use"}]}
# The kit begins to listen for some answers only after it has seen the one before; it looks every 100 ms.
PAUSE_S = 0.3


@dataclass
class Paced:
    """Decides as the script does, and lets the kit get ready first."""

    scripted: Scripted | None = None

    def next(self, negotiation: Negotiation) -> Step | None:
        step = self.scripted.next(negotiation) if self.scripted else None
        if step:
            time.sleep(PAUSE_S)
        return step


@dataclass
class Triggered:
    """An app with the trigger beside it."""

    rig: Rig
    seen: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != TRIGGER:
            await self.rig.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        said = json.loads(body)
        offer = {"@id": said["offerId"], "target": said["datasetId"], **RULES}
        self.rig.negotiations.request(said["providerId"], offer, {})
        head = [(b"content-type", b"application/json"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"{}"})


@contextmanager
def kit_rig(folder: Path, kit_port: int) -> Iterator[tuple[Rig, Triggered]]:
    """Build the node, with a collection that everyone may have; what else the kit asks for is taken on trust."""
    kit = f"http://{HOST}:{kit_port}"
    paced = Paced()
    with rig(
        folder,
        stranger=Stranger(PARTICIPANT, kit, messages=kit),
        decider=lambda _: paced,
        bend=lambda house: replace(house, admits=lambda *_: None, suffices=lambda _: True),
        reads=lambda shown: PARTICIPANT if shown == TOKEN else "",
        writes=lambda _: TOKEN,
    ) as ours:

        def steps_of(negotiation: Negotiation) -> int:
            said = [each for each in ours.negotiations.messages(negotiation.pid) if each.direction == "out"]
            return len(said) - (negotiation.role == "consumer")

        scripts = {dataset_of(test): script for test, script in (PROVIDER | CONSUMER).items()}
        paced.scripted = Scripted(scripts, steps_of)
        ours.publish("plans", RULES, {"title": "Plans of the city"})
        yield ours, Triggered(ours)
