"""Two descriptions of one thing made one: its versions in several languages, as registers keep them apart.

What the first says stays; the second adds languages and what the first does not say. Nothing is compared or judged:
whoever calls knows that the two are of one thing. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from node.vocab.kinds.checking import is_missing
from node.vocab.kinds.field import Field, Said


def merged(fields: Sequence[Field], first: Said, second: Said) -> dict[str, Any]:
    """Add to the first description what only the second says; things of a group are matched by their order."""
    made = dict(first)
    for field in fields:
        one, other = first.get(field.name), second.get(field.name)
        if is_missing(one):
            if not is_missing(other):
                made[field.name] = other
        elif not is_missing(other):
            made[field.name] = _both(field, one, other)
    return made


def _both(field: Field, one: Any, other: Any) -> Any:  # noqa: ANN401 (a value of any form)
    if field.form == "group" or field.by_language:
        if not field.many:
            return _joined(field, one, other)
        if len(one) == len(other):
            return [_joined(field, *pair) for pair in zip(one, other, strict=True)]
    if field.many and field.form != "group":
        return [*one, *(each for each in other if each not in one)]
    return one


def _joined(field: Field, one: Any, other: Any) -> Any:  # noqa: ANN401 (as above)
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return one
    return merged(field.fields, one, other) if field.form == "group" else {**other, **one}
