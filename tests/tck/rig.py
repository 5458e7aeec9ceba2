"""Our node as the kit wants it: a header that it knows, triggers for what we begin, and a script per dataset.

The web app, the catalogue and its offers, the client, the negotiations and the transfers are the real ones; see
`tests.java.rig` for what is put in their place. The triggers stand beside the app, on the same socket.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from node.federation.negotiation import Negotiation
from node.federation.transfer import Transfer
from tests.java.harness import HOST
from tests.java.rig import Rig, Stranger, rig
from tests.tck.kit import PARTICIPANT, TOKEN, agreement_of, dataset_of
from tests.tck.scripts import CONSUMER, CONSUMES, PROVIDER, PROVIDES, Moving, Scripted

TRIGGERS = "/rig"
RULES = {"permission": [{"action": "use"}]}
# The kit begins to listen for some answers only after it has seen the one before; it looks every 100 ms.
PAUSE_S = 0.3


@dataclass
class Paced:
    """Decides as the scripts do, and lets the kit get ready first."""

    scripted: Scripted | None = None
    moving: Moving | None = None

    def next(self, subject: Negotiation | Transfer, now_ms: int = 0) -> Any:
        if isinstance(subject, Transfer):
            step: Any = self.moving.next(subject, now_ms) if self.moving else None
        else:
            step = self.scripted.next(subject) if self.scripted else None
        if step:
            time.sleep(PAUSE_S)
        return step


@dataclass
class Triggered:
    """An app with the triggers beside it."""

    rig: Rig
    seen: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{TRIGGERS}/"):
            await self.rig.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self._begin(json.loads(body))
        head = [(b"content-type", b"application/json"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"{}"})

    def _begin(self, said: Any) -> None:
        if "agreementId" in said:
            self.rig.transfers.request(said["providerId"], said["agreementId"], format=said["format"])
            return
        offer = {"@id": said["offerId"], "target": said["datasetId"], **RULES}
        self.rig.negotiations.request(said["providerId"], offer, {})


@contextmanager
def kit_rig(folder: Path, kit_port: int) -> Iterator[tuple[Rig, Triggered]]:
    """Build the node, with a collection that everyone may have; what else the kit asks for is taken on trust."""
    kit = f"http://{HOST}:{kit_port}"
    paced = Paced()
    with rig(
        folder,
        stranger=Stranger(PARTICIPANT, kit, messages=kit),
        decider=lambda _: paced,
        mover=lambda _: paced,
        bend=lambda house: replace(house, admits=lambda *_: None, suffices=lambda _: True),
        reads=lambda shown: PARTICIPANT if shown == TOKEN else "",
        writes=lambda _: TOKEN,
    ) as ours:

        def steps_of(negotiation: Negotiation) -> int:
            said = [each for each in ours.negotiations.messages(negotiation.pid) if each.direction == "out"]
            return len(said) - (negotiation.role == "consumer")

        def moves_of(transfer: Transfer) -> int:
            said = [each for each in ours.transfers.messages(transfer.pid) if each.direction == "out"]
            return len(said) - (transfer.role == "consumer")

        scripts = {dataset_of(test): script for test, script in (PROVIDER | CONSUMER).items()}
        paced.scripted = Scripted(scripts, steps_of)
        moves = {agreement_of(test): script for test, script in (PROVIDES | CONSUMES).items()}
        paced.moving = Moving(moves, moves_of)
        ours.publish("plans", RULES, {"title": "Plans of the city"})
        yield ours, Triggered(ours)
