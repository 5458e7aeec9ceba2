"""When a peer that failed is asked again: waits that double, with full jitter, and a circuit that opens after five.

Pure: the counts and times live in the table `peer`, whose owner stores what comes out of here. *closed*: ask when due.
*open*: too many failures in a row, nobody asks before `open_until`. *half-open*: that time has come, and the next
attempt decides: an answer closes the circuit, a failure opens it for longer. Jitter is full (anything from the floor
to the doubled wait), so that a hundred cities that lost one peer together do not come back together.
"""

from dataclasses import dataclass
from typing import Literal

from node.errors import NodeError, SourceUnreachable, TooManyRequests, Unavailable

State = Literal["closed", "open", "half-open"]
OPENS_AFTER = 5
FIRST_MS = 2_000
LONGEST_MS = 1_800_000
LEAST_MS = 250
# A stranger may ask to be left alone, but not for ever.
LONGEST_ASKED_MS = 6 * 3_600_000
_OF_THE_PEER = (SourceUnreachable, TooManyRequests)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How patience grows. The longest wait is a bound on everything but what the peer itself asked for."""

    first_ms: int = FIRST_MS
    longest_ms: int = LONGEST_MS
    opens_after: int = OPENS_AFTER

    def wait_ms(self, failures: int, chance: float, *, asked_ms: int = 0) -> int:
        """Say how long to leave a peer alone.

        Args:
            failures: In a row, this one counted; 0 gives 0.
            chance: From 0 up to 1, fresh for each call.
            asked_ms: What the peer's Retry-After says; honoured to six hours, with up to 15 % on top.
        """
        if failures <= 0:
            return 0
        asked = int(min(max(asked_ms, 0), LONGEST_ASKED_MS) * (1 + 0.15 * chance))
        # Before the shift, so that a count of a million costs nothing.
        most = self.longest_ms if failures > 40 else min(self.longest_ms, self.first_ms << (failures - 1))
        least = min(LEAST_MS, most)
        if failures >= self.opens_after:
            # An open circuit is worth something only if it stays open: half the wait is certain.
            least = most // 2
        return max(asked, least + int((most - least) * chance))

    def state(self, failures: int, open_until_ms: int, now_ms: int) -> State:
        """Name the state of the circuit."""
        if failures < self.opens_after:
            return "closed"
        return "open" if now_ms < open_until_ms else "half-open"


def asked_ms(error: NodeError) -> int:
    """Give how long an error asks us to wait; 0 if it does not."""
    seconds = getattr(error, "retry_after_s", 0)
    return max(0, int(seconds * 1000)) if isinstance(seconds, (int, float)) else 0


def is_the_peers(error: NodeError) -> bool:
    """Tell whether an error says something about the peer: our own database being busy does not."""
    return not isinstance(error, Unavailable) or isinstance(error, _OF_THE_PEER)
