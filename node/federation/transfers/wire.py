"""Between the messages of the protocol and the steps of a transfer: what was said is read, what we say is written.

Each step has one message and one path below the other side's address. What is heard becomes one flat value, whatever
its type. What is kept of a message has no token in it: the properties of a data address are left out, so that a repeat
with a fresh token is the same message.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from node.errors import Malformed
from node.federation.dialogues import dialogues
from node.federation.dsp import transfers as messages
from node.federation.dsp.fields import own_id
from node.federation.moving import NS_RECEIPT
from node.federation.signing.integrity import jcs
from node.federation.transfer import Json, Kind, Step, Transfer

PATHS: Mapping[Kind, str] = {
    "request": "request",
    "start": "start",
    "suspend": "suspension",
    "complete": "completion",
    "terminate": "termination",
}


@dataclass(frozen=True, slots=True)
class Heard(dialogues.Heard):
    """A message of the other side; what it does not have is empty. `body` is its canonical JSON without tokens."""

    kind: Kind
    request: messages.TransferRequest | None = None
    address: Json = field(default_factory=dict, repr=False)
    receipt: str = ""


def read(said: Json, kinds: tuple[Kind, ...] = ()) -> Heard:
    """Read a message that may be one of these kinds, or of any.

    Raises:
        Malformed: It is none of them, or cannot be read.
    """
    found = messages.read(said)
    reader = _READERS.get(type(found))
    heard = reader(found, _basics(said)) if reader else None
    if heard is None or (kinds and heard.kind not in kinds):
        raise Malformed(f"{said.get('@type')} does not belong here.", fix="See the paths of the protocol's binding.")
    return heard


def kept(said: Json) -> str:
    """Give what is kept of a message: all but the properties of a data address, where tokens stand."""
    address = said.get("dataAddress")
    if isinstance(address, Mapping):
        said = {**said, "dataAddress": {name: each for name, each in address.items() if name != "endpointProperties"}}
    return jcs(said).decode()


def unsigned(body: str) -> str:
    """Give a kept message without the receipt that it carries."""
    said = json.loads(body)
    return jcs({name: each for name, each in said.items() if name != NS_RECEIPT}).decode()


def _basics(said: Json) -> dict[str, Any]:
    consumer, provider = messages.pids_of(said)
    return {"name": own_id(said), "body": kept(said), "consumer_pid": consumer, "provider_pid": provider}


def _request(found: messages.TransferRequest, basics: dict[str, Any]) -> Heard:
    return Heard("request", request=found, address=found.address, **(basics | {"provider_pid": ""}))


def _start(found: messages.TransferStart, basics: dict[str, Any]) -> Heard:
    return Heard("start", address=found.address, **basics)


def _suspension(found: messages.TransferSuspension, basics: dict[str, Any]) -> Heard:
    return Heard("suspend", code=found.code, reasons=found.reasons, **basics)


def _completion(found: messages.TransferCompletion, basics: dict[str, Any]) -> Heard:
    return Heard("complete", receipt=found.receipt, **basics)


def _termination(found: messages.TransferTermination, basics: dict[str, Any]) -> Heard:
    return Heard("terminate", code=found.code, reasons=found.reasons, **basics)


_READERS: Mapping[type, Callable[[Any, dict[str, Any]], Heard]] = {
    messages.TransferRequest: _request,
    messages.TransferStart: _start,
    messages.TransferSuspension: _suspension,
    messages.TransferCompletion: _completion,
    messages.TransferTermination: _termination,
}

# ---------------------------------------------------------------- saying


def requesting(transfer: Transfer, callback: str) -> dict[str, Any]:
    """Write the request that begins a transfer."""
    own = transfer.dataset, transfer.part, transfer.purpose, transfer.jkt
    asked = transfer.agreement, transfer.format
    return messages.TransferRequest(transfer.pid, *asked, callback, transfer.address, *own).document()


def telling(transfer: Transfer, step: Step) -> dict[str, Any]:
    """Write a step of ours; where a pull is handed out is put in when it goes."""
    pids = transfer.provider_pid, transfer.consumer_pid
    match step.kind:
        case "start":
            return messages.TransferStart(*pids).document()
        case "complete":
            return messages.TransferCompletion(*pids, step.receipt).document()
        case "suspend":
            return messages.TransferSuspension(*pids, step.code, step.reasons).document()
        case _:
            return messages.TransferTermination(*pids, step.code, step.reasons).document()


def with_address(body: str, where: Json) -> dict[str, Any]:
    """Give a written message with a data address in it."""
    said: dict[str, Any] = json.loads(body)
    return said | ({"dataAddress": dict(where)} if where else {})
