"""The worker's round by hand, for commands that look at the files of our datasets: models and insides.

Shared by the groups `models` and `previews`: what is due is done as the worker would do it, and told in one line or as
JSON. Opens no node; keeper and step are handed in.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from node.cli import say

_MOST = 10_000


class _Keeper(Protocol):
    def catch_up(self, stop: threading.Event) -> int: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """How many files were looked at now, and how many there are of each state."""

    done: int
    states: dict[str, int]


def look_now(keeper: _Keeper, step: Callable[[threading.Event], int], states: Callable[[], Sequence[str]]) -> Looked:
    """Do what is due, a file a step, until nothing is or 10,000 were done."""
    stop, done = threading.Event(), 0
    keeper.catch_up(stop)
    while done < _MOST and step(stop):
        done += 1
    return Looked(done, dict(Counter(states())))


def say_looked(looked: Looked, as_json: bool, *, did: str, none: str) -> None:
    """Print it; `none` is the sentence where no file is known at all."""
    if as_json:
        say.document({"done": looked.done, "states": looked.states})
        return
    said = ", ".join(f"{count} {state}" for state, count in sorted(looked.states.items()))
    say.line(f"{did} {looked.done} now. {f'Of all: {said}.' if said else none}")
