"""What every message of the protocol has, whatever it is about: its context, its type, two pids, and reasons.

Messages of negotiations and of transfers are built on these; members of their own they read with `fields`. Nothing here
knows what a message is about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from node.errors import Malformed
from node.federation.dsp.fields import DSP_CONTEXT, MAX_CODE, Json, checked_type, identifier, optional, pid, reasons

PROTOCOL = "https://w3id.org/dspace/2025/1/"
M = TypeVar("M")


def written(name: str, provider: str, consumer: str, **members: object) -> dict[str, Any]:
    """Write a message; what is empty is left out."""
    said = {"providerPid": provider, "consumerPid": consumer, **members}
    return {"@context": [DSP_CONTEXT], "@type": name} | {key: value for key, value in said.items() if value}


def both(said: Json) -> tuple[str, str]:
    """Give the provider's and the consumer's pid. Raises Malformed."""
    return pid(said, "providerPid"), pid(said, "consumerPid")


def pids_of(said: Json) -> tuple[str, str]:
    """Give the consumer's and the provider's pid as far as they can be read: an error has to name both."""
    return _pid(said, "consumerPid"), _pid(said, "providerPid")


def _pid(said: Json, name: str) -> str:
    try:
        return pid(said, name)
    except Malformed:
        return ""


def among(said: Json, name: str, known: tuple[str, ...]) -> str:
    """Read a word of the protocol, bare or with its prefix. Raises Malformed."""
    value = identifier(said, name).removeprefix("dspace:").removeprefix(PROTOCOL)
    if value not in known:
        raise Malformed(f"{name} is none of {', '.join(known)}.")
    return value


def checked_callback(callback: str) -> str:
    """Give back an address that paths can be put after. Raises Malformed."""
    if "?" in callback or "#" in callback:
        raise Malformed("callbackAddress has a query or a fragment.", fix="Name the address that paths are put after.")
    return callback


def read_by_type(said: Json, readers: Mapping[str, Callable[[Json], M]], about: str) -> M:
    """Read a message by its type; `about` is what such messages are about. Raises Malformed."""
    name = said.get("@type")
    reader = readers.get(name) if isinstance(name, str) else None
    if reader is None:
        raise Malformed(f"@type names no message of a {about}.", fix="See the Dataspace Protocol 2025-1.")
    return reader(said)


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A message that says why, by a code and in sentences. `name` is its type."""

    name: ClassVar[str]

    provider_pid: str
    consumer_pid: str
    code: str = ""
    reasons: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Write it."""
        return written(self.name, self.provider_pid, self.consumer_pid, code=self.code, reason=list(self.reasons))

    @classmethod
    def read(cls, said: Json) -> Self:
        """Read it. Raises Malformed."""
        checked_type(said, cls.name)
        return cls(*both(said), optional(said, "code", most=MAX_CODE), reasons(said))


@dataclass(frozen=True, slots=True)
class Refusal(Reasoned):
    """Why a message was refused. Nothing changed."""

    def document(self) -> dict[str, Any]:
        """Write it. Both pids are written even where one is not known: the schema wants them."""
        pids = {"providerPid": self.provider_pid, "consumerPid": self.consumer_pid}
        return written(self.name, "", "", code=self.code, reason=list(self.reasons)) | pids

    @classmethod
    def read(cls, said: Json) -> Self:
        """Read it; connectors leave pids out, so their absence is no fault. Raises Malformed."""
        checked_type(said, cls.name)
        consumer, provider = pids_of(said)
        return cls(provider, consumer, optional(said, "code", most=MAX_CODE), reasons(said))
