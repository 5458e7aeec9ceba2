"""JSON with one thing in it absent, empty, doubled or of another type: every place of it, in every such way."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

Place = tuple[str | int, ...]
HOWS = ("absent", "empty", "doubled", "other")


def places(value: object, at: Place = ()) -> Iterator[Place]:
    """Every member and every element, however deep."""
    if at:
        yield at
    inside: Mapping[Any, Any] = {}
    if isinstance(value, list):
        inside = dict(enumerate(value))
    elif isinstance(value, dict):
        inside = value
    for name, each in inside.items():
        yield from places(each, (*at, name))


def bent(told: Any, at: Place) -> Iterator[tuple[str, Any]]:
    """What is told with one place in it bent, in each way that makes a difference."""
    for how in HOWS:
        found = _bent(told, at, how)
        if found != told:
            yield how, found


def spelt(at: Place) -> str:
    return "/".join(map(str, at))


def _bent(told: Any, at: Place, how: str) -> Any:
    found = copy.deepcopy(told)
    inside: Any = found
    for step in at[:-1]:
        inside = inside[step]
    last: Any = at[-1]
    old = inside[last]
    if how == "absent":
        del inside[last]
    elif how == "empty":
        inside[last] = type(old)() if old is not None else ""
    elif how == "doubled":
        inside[last] = old * 2 if isinstance(old, str | list) else [old, old]
    else:
        inside[last] = [old] if isinstance(old, dict) else {"x": old}
    return found
