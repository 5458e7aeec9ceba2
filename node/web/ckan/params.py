"""The parameters of one CKAN action, as clients send them: text in an address, JSON values in a body, old forms too.

A parameter that cannot be read is `Wrong`, which CKAN calls a validation error and says by field. Values only; bounded
by whoever read the request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.web.ckan.query import listed

_YES, _NO = ("true", "yes", "on", "1", "t"), ("false", "no", "off", "0", "f", "", "none")
_MOST = 10**9


class Wrong(Exception):  # noqa: N818 - CKAN's own word for it follows
    """Parameters that are none: messages by field, as CKAN's `Validation Error` gives them."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Keep the messages."""
        super().__init__(str(fields))
        self.fields = {name: list(messages) for name, messages in fields.items()}


@dataclass(frozen=True, slots=True)
class Params:
    """What came with a call, by name."""

    given: Mapping[str, object] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Give a text; of several the last. Numbers and truth values are taken as they are written."""
        value = self.given.get(name)
        if isinstance(value, list):
            value = value[-1] if value else ""
        if value is None:
            return ""
        if not isinstance(value, (str, int, float)):
            raise Wrong({name: ["Must be a text"]})
        return str(value)

    def texts(self, name: str) -> list[str]:
        """Give every text of that name."""
        value = self.given.get(name)
        values = value if isinstance(value, list) else [] if value is None else [value]
        found = [each for each in values if isinstance(each, str)]
        if len(found) != len(values):
            raise Wrong({name: ["Must be a text"]})
        return found

    def words(self, name: str) -> list[str]:
        """Give a list of words, however it was sent. Raises Malformed."""
        value = self.given.get(name)
        if value is None or value == "":
            return []
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
            value = value[0]
        return listed(value, name)

    def needed(self, *names: str) -> str:
        """Give the first of several that is there. Raises Wrong."""
        for name in names:
            if found := self.text(name).strip():
                return found
        raise Wrong({names[0]: ["Missing value"]})

    def number(self, name: str, default: int, *, least: int = 0, most: int = _MOST) -> int:
        """Give a whole number; what is past the most is the most, as CKAN has it. Raises Wrong."""
        said = self.text(name).strip()
        if not said:
            return default
        try:
            value = int(said) if len(said) < 12 else None
        except ValueError:
            value = None
        if value is None:
            raise Wrong({name: ["Invalid integer"]})
        if value < least:
            raise Wrong({name: [f"Must be a number from {least}" if least else "Must be a natural number"]})
        return min(value, most)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a truth value. Raises Wrong."""
        said = self.text(name).strip().lower()
        if name not in self.given or not said:
            return default
        if said in _YES or said in _NO:
            return said in _YES
        raise Wrong({name: ["Must be true or false"]})
