"""Which negotiations another city may begin with us as provider: about what it may know of, and nothing else.

That is what we offer to it, what it has or had an agreement on, a record that everyone may read or that stands in a
collection agreed on with it (whose data it may ask for), and the Digital Declaration, whose bundle every city has by
the same name. An offer of a collection tells of none of its records. Whoever asks for anything else hears that there is
nothing, whether there is or not.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from node.federation.agreements.agreements import Agreements

DECLARATION = "declaration"


class Offers(Protocol):
    """What is asked of our offers."""

    def admit(self, peer_url: str, role: str, offer: Mapping[str, Any]) -> None:
        """Refuse a beginning. Raises NotFound, Malformed."""


class Admission:
    """Admits or refuses. Safe to share by threads."""

    def __init__(
        self, offers: Offers, agreements: Agreements, *, base_url: str, homes: Callable[[str], Mapping[str, bool]]
    ) -> None:
        """Look in these; `homes` gives the collections a record of ours stands in, and whether each is public."""
        self._offers, self._homes = offers, homes
        self._agreements = agreements
        self._declaration = f"{base_url}/collections/{DECLARATION}"

    def admit(self, peer_url: str, role: str, offer: Mapping[str, Any]) -> None:
        """Refuse what may not begin.

        Raises:
            NotFound: Nothing of that kind is offered to this peer.
            Malformed: The offer is of another target.
        """
        target = str(offer.get("target", ""))
        if target == self._declaration or self._knows(peer_url, target):
            return
        self._offers.admit(peer_url, role, offer)

    def _knows(self, peer_url: str, target: str) -> bool:
        homes = self._homes(target) if target else {}
        return any(homes.values()) or any(self._agreed(peer_url, each) for each in (target, *homes))

    def _agreed(self, peer_url: str, target: str) -> bool:
        held = self._agreements.covering(target) if target else []
        return any(each.role == "provider" and each.text.assignee == peer_url for each in held)
