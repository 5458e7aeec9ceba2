"""Members of a stranger's JSON object, read one by one: each is of its type and under its bound, or Malformed names it.

What the protocol does not know is left alone: connectors add members of their own, and the specification lets them.
A body is read whole and strictly before any member of it is looked at.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from node.errors import Malformed
from node.federation.agreements.text import holds_unseen
from node.federation.policy.terms import DSP_CONTEXT
from node.federation.signing.integrity import strict_json

__all__ = [
    "DSP_CONTEXT",
    "MAX_BYTES",
    "checked_type",
    "identifier",
    "object_of",
    "objects",
    "one_of",
    "optional",
    "own_id",
    "pid",
    "reasons",
    "text",
]

MAX_BYTES = 256 * 1024
MAX_ID = 500
MAX_ADDRESS = 2_000
MAX_CODE = 200
MAX_CONTEXTS = 20
MAX_REASONS = 20
MAX_REASON = 1_000

Json = Mapping[str, Any]
T = TypeVar("T")


def object_of(body: bytes, *, most: int = MAX_BYTES) -> Json:
    """Read the body of a message strictly, as one JSON object of at most so many bytes. Raises Malformed, TooLarge."""
    return strict_json(body, max_bytes=most)


def checked_type(said: Json, name: str) -> None:
    """See that a message names the protocol's context and is of this type. Raises Malformed."""
    contexts = said.get("@context")
    if not isinstance(contexts, list) or len(contexts) > MAX_CONTEXTS or not all(isinstance(c, str) for c in contexts):
        raise Malformed(f"@context is no list of at most {MAX_CONTEXTS} addresses.", fix=f"Name {DSP_CONTEXT} in it.")
    if DSP_CONTEXT not in contexts:
        raise Malformed("@context does not name the Dataspace Protocol 2025-1.", fix=f"Name {DSP_CONTEXT} in it.")
    if said.get("@type") != name:
        raise Malformed(f"@type is {_shown(said.get('@type'))} where {name} is wanted.")


def text(said: Json, name: str, *, most: int = MAX_ID) -> str:
    """Give a text that must be there, all of which can be seen. Raises Malformed."""
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise Malformed(f"{name} is missing or no text of 1 to {most} characters.")
    if holds_unseen(value):
        raise Malformed(f"{name} holds control characters, or such as turn the direction of writing.")
    return value


def identifier(said: Json, name: str) -> str:
    """Give an identifier: an opaque text that may be written `{"@id": …}` too. Raises Malformed."""
    value = said.get(name)
    if isinstance(value, Mapping) and isinstance(value.get("@id"), str):
        return text({name: value["@id"]}, name)
    return text(said, name)


def own_id(said: Json) -> str:
    """Give the id that a message bears itself, empty if it bears none. Raises Malformed."""
    name = said.get("@id", "")
    if not isinstance(name, str) or len(name) > MAX_ID or holds_unseen(name) or ".." in name.split("/"):
        raise Malformed("The message's @id is no plain text of a usual length.", fix="Take a UUID.")
    return name


def pid(said: Json, name: str) -> str:
    """Give the id of a negotiation or a transfer, which is one step of the paths of its messages. Raises Malformed."""
    value = identifier(said, name)
    if value in (".", "..") or "/" in value or "\\" in value or " " in value:
        raise Malformed(f"{name} cannot be one step of a path.", fix="Take a UUID.")
    return value


def optional(said: Json, name: str, *, most: int = MAX_ID) -> str:
    """Give a text, or nothing where there is none. Raises Malformed if something else stands there."""
    return text(said, name, most=most) if said.get(name) is not None else ""


def one_of(said: Json, first: str, second: str) -> tuple[str, str]:
    """Give two texts of which exactly one must be there. Raises Malformed."""
    if (said.get(first) is None) == (said.get(second) is None):
        raise Malformed(f"Exactly one of {first} and {second} must be there.")
    return optional(said, first, most=MAX_ADDRESS), optional(said, second, most=MAX_ADDRESS)


def objects(said: Json, name: str, read: Callable[[Json], T], *, most: int) -> tuple[T, ...]:
    """Read a list of objects; a missing one is empty, and one object may stand for a list of it. Raises Malformed."""
    value = said.get(name)
    listed: Sequence[Any] = [] if value is None else value if isinstance(value, list) else [value]
    if len(listed) > most or not all(isinstance(each, Mapping) for each in listed):
        raise Malformed(f"{name} is no list of at most {most} objects.")
    return tuple(read(each) for each in listed)


def reasons(said: Json) -> tuple[str, ...]:
    """Give the reasons of an error or a termination as plain texts: what is written otherwise is shown as JSON."""
    value = said.get("reason")
    listed = [] if value is None else value if isinstance(value, list) else [value]
    return tuple(_reason(each) for each in listed[:MAX_REASONS])


def _reason(value: object) -> str:
    if isinstance(value, Mapping) and isinstance(value.get("@value"), str):
        value = value["@value"]
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else " " for c in said[:MAX_REASON]).strip()


def _shown(value: object) -> str:
    return repr(value[:80]) if isinstance(value, str) else "no text"
