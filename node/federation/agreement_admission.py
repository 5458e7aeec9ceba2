"""Which negotiations another city may begin with us as provider: about what it may know of, and nothing else.

That is what we offer to it, what it has or had an agreement on, and the Digital Declaration, whose bundle every city
has by the same name. Whoever asks for anything else hears that there is nothing, whether there is or not.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from node.federation.agreements import Agreements

DECLARATION = "declaration"


class Offers(Protocol):
    """What is asked of our offers."""

    def admit(self, peer_url: str, role: str, offer: Mapping[str, Any]) -> None:
        """Refuse a beginning. Raises NotFound, Malformed."""


class Admission:
    """Admits or refuses. Safe to share by threads."""

    def __init__(self, offers: Offers, agreements: Agreements, *, base_url: str) -> None:
        """Look in these."""
        self._offers = offers
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
        held = self._agreements.covering(target) if target else []
        return any(each.role == "provider" and each.text.assignee == peer_url for each in held)
