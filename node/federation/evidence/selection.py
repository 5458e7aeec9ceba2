"""What an export of evidence was made of: all there is, or that of a transfer, an agreement, a kind, some time.

It stands in the file, signed, so that whoever reads it knows what was asked for, and that by the exporter's word all of
it is there. No file can show what was left out of it. Pure: values and their spelling.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from node.errors import Malformed
from node.federation.evidence.statements import Statement
from node.federation.moved import StatementWish
from node.federation.signing.integrity import Json
from node.keys.public import moment, ms_of

_TEXTS = ("transfer", "agreement", "kind")
_TIMES = ("since", "until")
_COUNTS = ("part", "parts", "statements")
_MEMBERS = frozenset(("names", *_TEXTS, *_TIMES, *_COUNTS))
_MAX_NAMES = 1_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Statements by a wish, or these names alone: of statements by IRI, of transfers by our id.

    Of what one file does not hold it is one part of several, from 1; 0 of 0 is all of it.
    """

    wish: StatementWish = field(default_factory=StatementWish)
    names: Sequence[str] = ()
    part: int = 0
    parts: int = 0

    def has(self, found: Statement) -> bool:
        """Tell whether a statement belongs to it."""
        wish = self.wish
        called = all(getattr(wish, name) in ("", getattr(found, name)) for name in _TEXTS)
        in_time = wish.since_ms <= found.at_ms and (not wish.until_ms or found.at_ms <= wish.until_ms)
        named = not self.names or found.record in self.names or (found.transfer or "-") in self.names
        return called and in_time and named

    def document(self, statements: int) -> Json:
        """Give it as JSON values, with how many statements that are."""
        texts = {name: getattr(self.wish, name) for name in _TEXTS}
        times = {"since": _written(self.wish.since_ms), "until": _written(self.wish.until_ms)}
        counts = {"part": self.part, "parts": self.parts, "statements": statements}
        return {"names": list(self.names), **texts, **times, **counts}

    def __str__(self) -> str:
        """Give what is chosen in one line, the same in every language; empty if nothing is."""
        told = self.document(0)
        parts = [", ".join(self.names), *(f"{name} {told[name]}" for name in (*_TEXTS, *_TIMES) if told[name])]
        parts += [f"part {self.part} of {self.parts}"] if self.part else []
        return ", ".join(filter(None, parts))


def _written(at_ms: int) -> str:
    return moment(at_ms) if at_ms else ""


def read_selection(told: Any) -> tuple[Selection, int]:  # noqa: ANN401 - whatever a file has in its place
    """Read one, and how many statements it says to be. Raises Malformed."""
    if not isinstance(told, dict) or told.keys() != _MEMBERS or any(type(told[name]) is not int for name in _COUNTS):
        raise Malformed(f"The selection of the export has other members than {', '.join(sorted(_MEMBERS))}.")
    names = told["names"]
    if not isinstance(names, list) or len(names) > _MAX_NAMES:
        raise Malformed(f"The names of the selection are no list of at most {_MAX_NAMES}.")
    if not all(isinstance(each, str) for each in (*names, *(told[name] for name in (*_TEXTS, *_TIMES)))):
        raise Malformed("A member of the selection is no text.")
    since_ms, until_ms = (ms_of(told[name]) if told[name] else 0 for name in _TIMES)
    wish = StatementWish(told["transfer"], told["agreement"], told["kind"], since_ms, until_ms)
    if not (told["part"] == told["parts"] == 0 or 0 < told["part"] <= told["parts"]):
        raise Malformed("The selection of the export is a part of fewer.")
    return Selection(wish, tuple(names), told["part"], told["parts"]), told["statements"]
