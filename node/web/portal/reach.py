"""How well a city could be reached, as thirty bars and one sentence that says the same.

Pure: how each day went in, heights and the key of a sentence out. Days on which nobody asked have a line on the ground
in place of a bar, so that the others stand where they belong, and are not counted as good or bad: the sentence then
speaks of the days that were asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_STEP = 8
# Top and height of a bar, and what the sheet calls it.
_UNASKED = (28, 2, "unasked")
_LOOKS = {"full": (2, 28, ""), "part": (14, 16, "part"), "away": (26, 4, "none")}


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: where its bar stands in a drawing of 30 by 8 units, and its class."""

    x: int
    y: int
    height: int
    style: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The bars, and the sentence: a key of `cities.po` with its numbers."""

    bars: tuple[Bar, ...]
    key: str
    away: int
    part: int
    asked: int
    days: int

    @property
    def width(self) -> int:
        """Give the width of the drawing."""
        return self.days * _STEP - 2


def reach_of(said: Sequence[str]) -> Reach:
    """Read how each day went (full, part, away, unknown), oldest first."""
    known = [each for each in said if each in _LOOKS]
    bars = tuple(Bar(at * _STEP, *_LOOKS.get(each, _UNASKED)) for at, each in enumerate(said)) if known else ()
    tail = _tail(known)
    away, part = tail or known.count("away"), known.count("part")
    return Reach(bars, _key(known, tail=tail), away, part, len(known), len(said))


def _key(known: Sequence[str], *, tail: int) -> str:
    """Name the sentence: what is wrong now comes before what was, and away before slow."""
    away, part = known.count("away"), known.count("part")
    if not known:
        return "reach.unasked"
    if tail:
        return "reach.away_one" if tail == 1 else "reach.away"
    if away:
        return "reach.was_away_one" if away == 1 else "reach.was_away"
    if part:
        return "reach.part_one" if part == 1 else "reach.part"
    return "reach.always" if len(known) > 1 else "reach.today"


def _tail(known: Sequence[str]) -> int:
    """Count the days of which the city has been away until now."""
    return next((at for at, each in enumerate(reversed(known)) if each != "away"), len(known))
