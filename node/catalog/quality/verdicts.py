"""What an answer means for a link: it works, it does not, or we cannot tell; and when it is tried again.

A link is failed when its server says so, or after three tries in a row that brought nothing. Who is asked for a name
(401, 403), is told to come later (429, 503) or is asked by `robots.txt` to stay away does not know whether the data is
there: that is unknown, never failed. Pure: time and chance come in as arguments.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from node.catalog.quality.links import Due, Outcome, State

# Why a link is not ok, as a word: those of `Looked.trouble`, and what its server said.
Detail = Literal[
    "", "no-address", "unreachable", "tls", "late", "broken", "redirects",
    "gone", "refused", "server-error", "guarded", "busy", "robots", "port",
]  # fmt: skip
DETAILS: tuple[Detail, ...] = tuple(detail for detail in get_args(Detail) if detail)
TRIES = 3
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
GAP_MS = 5_000  # between two links of one origin
_LONGEST_GAP_MS = 300_000
_BUSY_MS = HOUR_MS
# Nobody can be reached behind these, whatever the address: the whole origin waits, and not each of its links.
OF_HOST: frozenset[Detail] = frozenset({"no-address", "unreachable", "tls"})
_GUARDED = frozenset({401, 403, 407, 451})
_BUSY = frozenset({429, 503})
_GONE = frozenset({404, 410})
_NOT_SATISFIABLE = 416  # of the one byte that was asked for: the file is there, and empty
_TOTAL = re.compile(r"bytes (?:\d+-\d+|\*)/(\d{1,18})\Z")


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of trying a link: the last answer's status, why it is not ok, what its server says of the file.

    `wait_ms` is how long its server asked to be left alone.
    """

    status: int = 0
    detail: Detail = ""
    size: int | None = None
    media_type: str = ""
    wait_ms: int = 0


def detail_of(status: int) -> Detail:
    """Say what a status means for a link; empty if it answers."""
    if 200 <= status < 300 or status == _NOT_SATISFIABLE:
        return ""
    if status in _GUARDED:
        return "guarded"
    if status in _BUSY:
        return "busy"
    if status in _GONE:
        return "gone"
    if 400 <= status < 500:
        return "refused"
    return "server-error" if status >= 500 else "broken"


def outcome_of(due: Due, answered: Answered, *, now_ms: int, every_ms: int, chance: float) -> Outcome:
    """Decide what is kept of a link, and when it is tried again.

    Args:
        due: The link and what was known of it.
        answered: What came of trying it.
        now_ms: When that was.
        every_ms: How often a link that gives no trouble is tried.
        chance: From 0 up to 1; spreads the tries of links that were found together.
    """
    state, fails, wait_ms = _decided(due, answered, every_ms, chance)
    ok = state == "ok"
    return Outcome(
        url=due.url,
        state=state,
        status=answered.status,
        detail=answered.detail,
        at_ms=now_ms,
        next_ms=now_ms + wait_ms,
        fails=fails,
        size=answered.size if ok else None,
        media_type=answered.media_type if ok else "",
    )


def _decided(due: Due, answered: Answered, every_ms: int, chance: float) -> tuple[State, int, int]:
    """Give the state, the tries in a row that failed, and how long to wait."""
    spread_ms = int(every_ms * (0.8 + 0.4 * chance))
    match answered.detail:
        case "":
            return "ok", 0, spread_ms
        case "guarded" | "robots" | "port":
            return "unknown", 0, spread_ms
        case "busy":
            return due.state, due.fails, max(answered.wait_ms, _BUSY_MS)
        case "gone" | "refused":
            return "failed", due.fails + 1, min(every_ms, DAY_MS << min(due.fails, 10))
        case _:
            fails = due.fails + 1
            return "failed" if fails >= TRIES else due.state, fails, min(every_ms, HOUR_MS << min(2 * due.fails, 20))


def host_wait_ms(fails: int) -> int:
    """Say how long an origin is left alone that could not be reached so often in a row: 1 h, 4 h, 16 h, 1 day."""
    return min(DAY_MS, HOUR_MS << min(2 * (fails - 1), 20))


def gap_ms(delay_s: float) -> int:
    """Say how long an origin is left alone after one of its links was tried; `delay_s` is what it asks for."""
    return max(GAP_MS, min(int(delay_s * 1000), _LONGEST_GAP_MS))


def wait_of(retry_after: str) -> int:
    """Read Retry-After in seconds, at most a day; anything else is an hour."""
    return min(int(retry_after) * 1000, DAY_MS) if re.fullmatch(r"[0-9]{1,9}", retry_after) else _BUSY_MS


def size_of(content_length: str, content_range: str, *, ranged: bool) -> int | None:
    """Read how long a file is from the headers of an answer, whole or of a part; None if they do not say."""
    if ranged:
        total = _TOTAL.match(content_range)
        return int(total[1]) if total else None
    return int(content_length) if re.fullmatch(r"[0-9]{1,18}", content_length) else None
