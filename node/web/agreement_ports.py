"""What the staff's API of agreements needs from the rest of the node: the desks, in JSON values, and who hears notices.

The part of `ports` that belongs to `agreements_api`. Every method blocks, some for as long as a peer takes, so they
are called beside the event loop; errors are those of the tree.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from node.federation.agreement_drafting import Wish, Words
from node.federation.agreement_readings import Question

Json = Mapping[str, Any]


class Report(Protocol):
    """What a verification found."""

    def document(self) -> Json:
        """Give it in JSON values."""


class Readings(Protocol):
    """What can be read about agreements besides how they stand."""

    def templates(self, lang: str = "en") -> Sequence[Json]:
        """List the templates."""

    def template(self, name: str, lang: str = "en") -> Json:
        """Give one template with its places."""

    def explain(self, name: str, lang: str) -> Json:
        """Say it in sentences."""

    def words_of(self, text: str, name: str, lang: str) -> Json:
        """Read rules back from sentences."""

    def diff(self, name: str, other: str = "", *, lang: str) -> Json:
        """Say what changed, as sentences."""

    def simulate(self, ask: Question) -> Json:
        """Say what a peer would be allowed, and which clause says so."""

    def export(self, name: str) -> bytes:
        """Write everything that proves an agreement."""

    def verify(self, name: str) -> Report:
        """Prove an agreement as this node holds it."""


class AgreementOffice(Protocol):
    """What the city's staff does with agreements."""

    @property
    def readings(self) -> Readings:
        """Give what can be read."""

    def list(self, *, peer: str = "", ended: bool = False) -> Json:
        """Give drafts, negotiations, agreements and reminders."""

    def show(self, name: str) -> Json:
        """Give all that is known of one thing."""

    def draft(self, wish: Wish) -> Json:
        """Write drafts."""

    def propose(self, name: str, *, by: str = "", person: str = "") -> Json:
        """Send drafts to the other city."""

    def counter(self, name: str, words: Words, *, by: str = "", person: str = "") -> Json:
        """Answer with other terms."""

    def to_approve(self, name: str) -> Json:
        """Give the digest that names what a person would approve."""

    def approve(self, name: str, *, person: str, terms: str = "") -> Json:
        """Note a person's yes, and go on if that is enough."""

    def sign(self, name: str) -> Json:
        """Go on as far as approvals allow."""

    def act(self, act: Literal["suspend", "resume", "revoke"], name: str, *, reason: str = "", by: str = "") -> Json:
        """Suspend, resume or revoke."""


class OfferOffice(Protocol):
    """What the city's staff does with offers."""

    def list(self, *, withdrawn: bool = False) -> Sequence[Json]:
        """Give our offers."""

    def of_peer(self, peer: str) -> Sequence[Json]:
        """Give what a peer offers us."""

    def publish(
        self,
        target: str,
        words: Words,
        *,
        name: str = "",
        peers: Sequence[str] = (),
        covers: Sequence[str] = (),
        automatic: bool = False,
        by: str = "",
    ) -> Json:
        """Publish an offer."""

    def withdraw(self, iri: str) -> Json:
        """Take an offer back."""


class Prodder(Protocol):
    """Who remembers that a peer has news."""

    def prod(self, peer: str, iri: str, now_ms: int) -> bool:
        """Remember it."""


class AgreementNotices(Protocol):
    """Who hears that a peer stands otherwise to an agreement."""

    def hear(self, peer: str, body: bytes, now_ms: int, prodder: Prodder) -> bool:
        """Take a notice. Raises Malformed, TooLarge."""


class Agreeing(Protocol):
    """The desks of agreements."""

    @property
    def office(self) -> AgreementOffice:
        """Give the desk of agreements."""

    @property
    def offer_office(self) -> OfferOffice:
        """Give the desk of offers."""

    @property
    def notices(self) -> AgreementNotices:
        """Give who hears notices."""
