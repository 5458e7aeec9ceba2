"""What the web needs of agreements: the desks, in JSON values, who hears notices, and what everyone may know.

The part of `ports` that belongs to `agreements_api`, to the desk's pages of agreements and to the public register.
Every method blocks, some for as long as a peer takes, so they are called beside the event loop; errors are those of the
tree.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, Protocol

from node.federation.agreement_desk.drafting import Wish, Words
from node.federation.agreement_desk.readings import Question
from node.federation.agreement_desk.register import Checked, Kept, Standing, Step
from node.federation.agreements.verifier import Finding

Json = Mapping[str, Any]


class Report(Protocol):
    """What a verification found."""

    @property
    def findings(self) -> Sequence[Finding]:
        """Give all of it, in its order."""

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

    def rewrite(self, name: str, words: Words, *, by: str = "") -> Json:
        """Let a draft say something else."""

    def propose(self, name: str, *, by: str = "", person: str = "", terms: str = "") -> Json:
        """Send drafts to the other city."""

    def counter(self, name: str, words: Words, *, by: str = "", person: str = "", terms: str = "") -> Json:
        """Answer with other terms."""

    def to_approve(self, name: str) -> Json:
        """Give the digest that names what a person would approve."""

    def approve(self, name: str, *, person: str, terms: str = "") -> Json:
        """Note a person's yes, and go on if that is enough."""

    def sign(self, name: str) -> Json:
        """Go on as far as approvals allow."""

    def act(self, act: Literal["suspend", "resume", "revoke"], name: str, *, reason: str = "", by: str = "") -> Json:
        """Suspend, resume or revoke."""

    def choices(self, peer: str) -> Json:
        """Give what a draft for a city may be about: `ours` and `theirs`, each with IRIs and titles."""

    def comments(self, name: str) -> Sequence[Json]:
        """Give what our own staff said about a thing."""

    def comment(self, name: str, said: str, *, by: str) -> Sequence[Json]:
        """Write a comment, which no other city sees."""

    def settle(self, name: str, number: int, *, settled: bool = True) -> Sequence[Json]:
        """Note that a comment is settled, or open again."""


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


class Register(Protocol):
    """What everyone may know of agreements that are public."""

    def check(self, signed: str) -> Checked:
        """Check the signatures of a text now, by the keys that are pinned here."""

    def export(self, signed: str, shown: Collection[str]) -> bytes:
        """Write the file by which anybody proves a public agreement. Raises NotFound, Malformed, Unavailable."""

    def standing(self, agreement: str) -> Standing | None:
        """Say how a public agreement of ours stands by both journals; None of any other."""

    def standings(self) -> Mapping[str, Standing]:
        """Say how every public agreement of ours stands, by its IRI."""

    def course(self, collection: str, record: str) -> Sequence[Step]:
        """Give what a public collection said of an agreement over time."""

    def kept(self, agreement: str) -> Sequence[Kept]:
        """Give the public collections that a public agreement opens, and what is refused of each."""


class Agreeing(Protocol):
    """The desks of agreements, and what everyone may know of those that are public."""

    @property
    def register(self) -> Register:
        """Give what everyone may know."""

    @property
    def office(self) -> AgreementOffice:
        """Give the desk of agreements."""

    @property
    def offer_office(self) -> OfferOffice:
        """Give the desk of offers."""

    @property
    def notices(self) -> AgreementNotices:
        """Give who hears notices."""
