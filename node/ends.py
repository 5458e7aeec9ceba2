"""An end that is a midnight closes the day before: which day a person is told of an end that does not count itself.

Clauses say "until the end of 23 November" and hold the moment at which the 24th begins. Whoever reads a day reads the
last one on which something holds, or by whose end something is to be done; programs read the moment. Imports nothing of
the node.
"""

from datetime import UTC, datetime

DAY_MS = 86_400_000


def closes_a_day(end_ms: int) -> bool:
    """Tell whether an end is a midnight in UTC, so that a day alone says it."""
    return end_ms > 0 and end_ms % DAY_MS == 0


def last_ms(end_ms: int) -> int:
    """Give a moment of the day that a person is told: of a midnight the day that it closes."""
    return end_ms - 1 if closes_a_day(end_ms) else end_ms


def last_day(end_ms: int) -> str:
    """Say an end for lines and logs: `2026-11-23 (included)`, or the time where it is no midnight."""
    at = datetime.fromtimestamp(last_ms(end_ms) // 1000, UTC)
    return f"{at:%Y-%m-%d} (included)" if closes_a_day(end_ms) else f"{at:%Y-%m-%d %H:%M:%SZ}"
