"""The states of a peer: what each one means, and which act leads from which to which.

Pure. The sentences are shown wherever a state is: command line, API, pages (which translate them by state). Quarantine
is no state but lies over one: it stops everything until a person approves the peer again, and the state is kept.
"""

from typing import Literal

from node.errors import Conflict

State = Literal["proposed", "approved", "active", "paused", "blocked"]
Act = Literal["approve", "exchange", "pause", "resume", "block"]

STATES: dict[State, str] = {
    "proposed": "Known by its address and fingerprint; nothing is exchanged until a person approves it.",
    "approved": "Its keys are pinned; it becomes active with the first exchange that succeeds.",
    "active": "What we follow of it is mirrored here, and it may read what is public, and what an agreement permits.",
    "paused": "Nothing is exchanged either way until it is resumed; what is held of it stays and is shown.",
    "blocked": "Nothing is exchanged either way and what is held of it is hidden; only a new approval ends that.",
}
QUARANTINED = "Held apart: nothing is exchanged either way until a person has seen the evidence and approves it again."
EXCHANGING: tuple[State, ...] = ("approved", "active")
# Cities whose namespaces are theirs alone; a paused city is still the one that describes its own.
TRUSTED: tuple[State, ...] = ("approved", "active", "paused")

_NEXT: dict[Act, dict[State, State]] = {
    "approve": {
        "proposed": "approved",
        "approved": "approved",
        "active": "active",
        "paused": "paused",
        "blocked": "approved",
    },
    "exchange": {"approved": "active", "active": "active"},
    "pause": {"approved": "paused", "active": "paused", "paused": "paused"},
    "resume": {"approved": "approved", "active": "active", "paused": "approved"},
    "block": dict.fromkeys(STATES, "blocked"),
}
_FIX: dict[Act, str] = {
    "approve": "",
    "exchange": "Approve it first: citynode peers approve {name}",
    "pause": "Only a peer that was approved can be paused; to keep one out: citynode peers block {name}",
    "resume": "Only a paused peer can be resumed; otherwise: citynode peers approve {name}",
    "block": "",
}


def after(act: Act, state: State, *, name: str) -> State:
    """Give the state that an act leads to.

    Raises:
        Conflict: It cannot be done in this state.
    """
    found = _NEXT[act].get(state)
    if found is None:
        raise Conflict(
            f"The peer {name} is {state}. {STATES[state]}",
            fix=_FIX[act].format(name=name),
        ).on_page(f"no.peer.{act}", name=name)
    return found


def sentence(state: State, *, quarantine: str = "") -> str:
    """Say what a peer's state means; a quarantine outweighs all but a block, which somebody chose who had seen it."""
    if quarantine and state == "blocked":
        return f"{STATES[state]} {quarantine}"
    return f"{QUARANTINED} {quarantine}".strip() if quarantine else STATES[state]
