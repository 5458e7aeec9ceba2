"""Every message of a transfer as a value: read strictly from plain JSON, and written as the schemas want it.

Beside the protocol's own members a request may name the dataset, the part, the purpose and the key that will pull, and
a completion or a standing may carry the receipt, all by full IRI so that no context is needed; other connectors ignore
them. A data address is kept as it came, within bounds: what it means is for whoever moves the bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from node.errors import Malformed, TooLarge
from node.federation.dsp.envelope import (
    PROTOCOL,
    Reasoned,
    Refusal,
    among,
    both,
    checked_callback,
    pids_of,
    read_by_type,
    written,
)
from node.federation.dsp.fields import (
    MAX_ADDRESS,
    Json,
    checked_type,
    identifier,
    objects,
    optional,
    pid,
    text,
)
from node.federation.moving import MAX_ANSWER, NS_DATASET, NS_JKT, NS_PART, NS_PURPOSE, NS_RECEIPT
from node.federation.signing.integrity import jcs

__all__ = [
    "HTTP_ENDPOINT",
    "DataAddress",
    "Message",
    "TransferCompletion",
    "TransferError",
    "TransferProcess",
    "TransferRequest",
    "TransferStart",
    "TransferSuspension",
    "TransferTermination",
    "pids_of",
    "property_of",
    "read",
]

STATES = ("REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED")
HTTP_ENDPOINT = "https://w3id.org/idsa/v4.1/HTTP"
MAX_VALUE = 8 * 1024
MAX_PROPERTIES = 50
MAX_DATA_ADDRESS = 32 * 1024

DataAddress = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What a consumer asks for; `address` only where the provider is to deliver. The last four are ours."""

    consumer_pid: str
    agreement: str
    format: str
    callback: str
    address: DataAddress = field(default_factory=dict)
    dataset: str = ""
    part: str = ""
    purpose: str = ""
    jkt: str = ""

    def document(self) -> dict[str, Any]:
        """Write it."""
        own = {NS_DATASET: self.dataset, NS_PART: self.part, NS_PURPOSE: self.purpose, NS_JKT: self.jkt}
        return written(
            "TransferRequestMessage",
            "",
            self.consumer_pid,
            agreementId=self.agreement,
            format=self.format,
            callbackAddress=self.callback,
            dataAddress=dict(self.address),
            **own,
        )

    @classmethod
    def read(cls, said: Json) -> "TransferRequest":
        """Read it. Raises Malformed."""
        checked_type(said, "TransferRequestMessage")
        callback = checked_callback(text(said, "callbackAddress", most=MAX_ADDRESS))
        own = (optional(said, name) for name in (NS_DATASET, NS_PART, NS_PURPOSE, NS_JKT))
        asked = identifier(said, "agreementId"), identifier(said, "format").removeprefix(PROTOCOL)
        return cls(pid(said, "consumerPid"), *asked, callback, _address(said), *own)


@dataclass(frozen=True, slots=True)
class TransferStart:
    """That a transfer starts, or starts again; of a pull the provider says where."""

    provider_pid: str
    consumer_pid: str
    address: DataAddress = field(default_factory=dict, repr=False)

    def document(self) -> dict[str, Any]:
        """Write it."""
        where = dict(self.address)
        return written("TransferStartMessage", self.provider_pid, self.consumer_pid, dataAddress=where)

    @classmethod
    def read(cls, said: Json) -> "TransferStart":
        """Read it. Raises Malformed."""
        checked_type(said, "TransferStartMessage")
        return cls(*both(said), _address(said))


@dataclass(frozen=True, slots=True)
class TransferSuspension(Reasoned):
    """That a transfer stands still, and why."""

    name: ClassVar[str] = "TransferSuspensionMessage"


@dataclass(frozen=True, slots=True)
class TransferTermination(Reasoned):
    """The end of a transfer before its completion, with what to do about it."""

    name: ClassVar[str] = "TransferTerminationMessage"


@dataclass(frozen=True, slots=True)
class TransferCompletion:
    """That all was moved; `receipt` is JSON in a string, signed by whoever completes."""

    provider_pid: str
    consumer_pid: str
    receipt: str = ""

    def document(self) -> dict[str, Any]:
        """Write it."""
        return written("TransferCompletionMessage", self.provider_pid, self.consumer_pid, **{NS_RECEIPT: self.receipt})

    @classmethod
    def read(cls, said: Json) -> "TransferCompletion":
        """Read it. Raises Malformed."""
        checked_type(said, "TransferCompletionMessage")
        return cls(*both(said), _receipt(said))


@dataclass(frozen=True, slots=True)
class TransferProcess:
    """How a transfer stands; after a completion with the whole receipt, if there is one."""

    provider_pid: str
    consumer_pid: str
    state: str
    receipt: str = ""

    def document(self) -> dict[str, Any]:
        """Write it."""
        own = {NS_RECEIPT: self.receipt}
        return written("TransferProcess", self.provider_pid, self.consumer_pid, state=self.state, **own)

    @classmethod
    def read(cls, said: Json) -> "TransferProcess":
        """Read it. Raises Malformed."""
        checked_type(said, "TransferProcess")
        state = among(said, "state", STATES)
        return cls(*both(said), state, _receipt(said))


@dataclass(frozen=True, slots=True)
class TransferError(Refusal):
    """Why a message was refused. Nothing changed."""

    name: ClassVar[str] = "TransferError"


Message = (
    TransferRequest
    | TransferStart
    | TransferSuspension
    | TransferTermination
    | TransferCompletion
    | TransferProcess
    | TransferError
)
_READERS: Mapping[str, Callable[[Json], Message]] = {
    "TransferRequestMessage": TransferRequest.read,
    "TransferStartMessage": TransferStart.read,
    "TransferSuspensionMessage": TransferSuspension.read,
    "TransferTerminationMessage": TransferTermination.read,
    "TransferCompletionMessage": TransferCompletion.read,
    "TransferProcess": TransferProcess.read,
    "TransferError": TransferError.read,
}


def read(said: Json) -> Message:
    """Read a message of a transfer by its type. Raises Malformed."""
    return read_by_type(said, _READERS, "transfer")


def property_of(address: DataAddress, name: str) -> str:
    """Give a property of a data address by its name, bare or whole; empty if it has none."""
    found = {str(each["name"]).rpartition("/")[2]: str(each["value"]) for each in address.get("endpointProperties", ())}
    return found.get(name, "")


def _receipt(said: Json) -> str:
    """Give the receipt, whose lines may be several; whether it is one is not looked at here."""
    value = said.get(NS_RECEIPT, "")
    if not isinstance(value, str) or len(value) > MAX_ANSWER:
        raise Malformed(f"{NS_RECEIPT} is no text of at most {MAX_ANSWER} characters.")
    return value


def _address(said: Json) -> dict[str, Any]:
    """Read a data address, or nothing where there is none: its shape, and that it is not too much."""
    value = said.get("dataAddress")
    if value is None:
        return {}
    if not isinstance(value, Mapping) or value.get("@type") not in ("DataAddress", f"{PROTOCOL}DataAddress"):
        raise Malformed("dataAddress is no DataAddress.")
    found: dict[str, Any] = {"@type": "DataAddress", "endpointType": identifier(value, "endpointType")}
    properties = objects(value, "endpointProperties", _property, most=MAX_PROPERTIES)
    found |= {"endpointProperties": list(properties)} if properties else {}
    # EDC writes it among the properties, where of a delivery it is called the base URL.
    places = (value.get("endpoint"), property_of(found, "endpoint"), property_of(found, "baseUrl"))
    endpoint = next((each for each in places if each), None)
    if endpoint is not None:
        found["endpoint"] = text({"endpoint": endpoint}, "endpoint", most=MAX_ADDRESS)
    if len(jcs(found)) > MAX_DATA_ADDRESS:
        raise TooLarge(f"A data address may have {MAX_DATA_ADDRESS} bytes.")
    return found


def _property(said: Json) -> dict[str, str]:
    value = said.get("value")
    if isinstance(value, bool | int):
        value = str(value)
    return {
        "@type": "EndpointProperty",
        "name": text(said, "name"),
        "value": text({"value": value}, "value", most=MAX_VALUE),
    }
