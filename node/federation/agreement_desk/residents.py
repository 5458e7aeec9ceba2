"""What the simulator adds where a record may be about residents: the same "no" that its transfer would hear.

The judgement is asked of whoever stands before transfers; this room knows no consent.
Pure: agreements, records and purposes by IRI in, plain values out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

Json = Mapping[str, Any]
UNLOOKED = (
    "Whether a record in it is about residents was not looked at, which transfers ask as well: name a record to know."
)


class Residents(Protocol):
    """What is said of data about persons: `code` is empty where nothing stands in the way."""

    @property
    def code(self) -> str:
        """Give the code of what is missing."""

    @property
    def message(self) -> str:
        """Say it in one sentence."""


# Of an agreement, a record of ours and a purpose, all by IRI: what a transfer would hear.
AboutResidents = Callable[[str, str, str], Residents]


def moving(about: AboutResidents, record: str, purpose: str, considered: Sequence[Json]) -> Json:
    """Say what the transfer of a record would hear: a "no" only if each agreement that permits it is refused."""
    heard: list[Json] = []
    for each in considered:
        no = about(each["agreement"], record, purpose) if each["allowed"] else None
        heard.append(
            {**each, "allowed": False, "code": no.code, "why": no.message, "operand": no.code}
            if no and no.code
            else each
        )
    asked = [now for now, before in zip(heard, considered, strict=True) if before["allowed"]]
    best = next((each for each in asked if each["allowed"]), asked[0] if asked else {})
    return {"considered": heard, **{key: value for key, value in best.items() if key != "state"}}
