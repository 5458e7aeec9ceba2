"""Under which agreement data may be had, and what is done where there is none.

An agreement in force that permits the use for the purpose wins: the one that was named, or else the newest of several
that the other city has not refused. Where there is none, an automatic offer may be taken, if this city's settings say
so of its template and the offer really says no more than that template can; or the other city is asked for access,
which begins a negotiation that persons of both sides approve. What is decided here is our own reading; the provider
decides for itself when the transfer is requested.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from node.errors import NodeError, NotAgreed, NotFound
from node.federation.agreement_desk.drafting import Wish, Words
from node.federation.agreements.bindings import CONSUMER, Bound
from node.federation.answers import NOTHING, Ask, Decision, refusal
from node.federation.policy.purposes import purpose_named
from node.federation.policy.terms import CHANNELS, DPV
from node.federation.pulls.finding import Found
from node.federation.pulls.ports import Agreements, Catalogues, Json
from node.federation.pulls.taking import AUTOMATIC, is_of, permits_use

ASKED_DAYS = 365
_OVER = frozenset({"revoked", "superseded", "expired"})
_LEAST = 4  # of an agreement's id, as elsewhere


class Decisions(Protocol):
    """Who reads agreements."""

    def granting(self, now_ms: int) -> Sequence[Bound]:
        """Give the agreements in force that grant something to us."""

    def decide(self, ask: Ask, now_ms: int) -> Decision:
        """Answer a question."""

    def alive(self, agreement: str, now_ms: int) -> Decision:
        """Tell whether an agreement is in force, and if not how it stands."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a pull goes under."""

    decisions: Decisions
    agreements: Agreements
    catalogues: Catalogues
    base_url: str
    auto_templates: Sequence[str] = ()

    # ---------------------------------------------------------------- what is in force

    def under(
        self, found: Found, purpose: str, now_ms: int, *, named: str = "", noes: Callable[[str], int] = lambda _: 0
    ) -> str:
        """Name the agreement under which a dataset may be had for a purpose.

        Args:
            found: The dataset.
            purpose: What for.
            now_ms: The moment.
            named: The agreement that it shall be.
            noes: Says how often the other city has refused this under an agreement: who refused least goes first.

        Raises:
            NotAgreed: There is none, or none that permits it; the message says what stands in the way.
        """
        about = [each for each in self.decisions.granting(now_ms) if _is_about(each, found)]
        newest = sorted(about, key=lambda each: (noes(each.iri), -each.agreement.agreed_at))
        if named and named not in (each.iri for each in newest):
            raise _not_that(named)
        refused = NOTHING
        for bound in newest:
            if named not in ("", bound.iri):
                continue
            decided = self.decisions.decide(self._ask(found, bound, purpose), now_ms)
            if decided.allowed:
                return bound.iri
            refused = refused if refused.clause and not decided.clause else decided
        if not newest:
            refused = self.decisions.decide(self._ask(found, None, purpose), now_ms)
        raise self._refusal(refused, newest, purpose)

    def _ask(self, found: Found, bound: Bound | None, purpose: str) -> Ask:
        collection = found.collection or next(
            (each for each in (bound.covers if bound else ()) if "/collections/" in each), ""
        )
        said = {"agreement": bound.iri, **({"purpose": purpose} if purpose else {})} if bound else {}
        return Ask(
            "use",
            collection,
            record=found.dataset,
            role=CONSUMER,
            peer=found.peer,
            recipient=self.base_url,
            channel=CHANNELS["transfer"].iri,
            details=(said,) if said else (),
            bound=bool(said),
        )

    @staticmethod
    def _refusal(refused: Decision, about: Sequence[Bound], purpose: str) -> NotAgreed:
        named = dict.fromkeys(each.removeprefix(DPV) for bound in about for each in bound.purposes[1:])
        advice = "Ask for access: citynode data request DATASET --purpose PURPOSE"
        if named and (refused.operand == "purpose" or not purpose):
            advice = f"It is for {', '.join(named)}: name one with --purpose, or ask for access for another."
        said = refusal(refused, advice)
        error = NotAgreed(
            said.message, agreement=said.agreement, clause=said.clause, operand=said.operand, fix=advice
        ).on_page("no.data.refused")
        if named and (refused.operand == "purpose" or not purpose):
            error.on_page("no.data.other_purpose", field="purpose", known=", ".join(named))
        if not refused.agreement:
            error = NotAgreed(
                "No agreement with that city covers this dataset.",
                fix=advice,
            ).on_page("no.data.unagreed")
        return error

    def called(self, found: Found, name: str, now_ms: int) -> str:
        """Give the agreement in force on a dataset by its IRI, or the beginning of what ends that. Raises NotAgreed."""
        known = [each.iri for each in self.decisions.granting(now_ms) if _is_about(each, found)]
        begun = [each for each in known if len(name) >= _LEAST and each.rpartition("/")[2].startswith(name)]
        if name in known or len(begun) == 1:
            return name if name in known else begun[0]
        raise _not_that(name)

    def over(self, agreement: str, now_ms: int) -> NotAgreed | None:
        """Say why nothing more comes under an agreement; None while it is in force, or may be again."""
        found = self.decisions.alive(agreement, now_ms)
        if found.code not in _OVER:
            return None
        error = NotAgreed(found.why, agreement=agreement, fix="Get it again under another agreement.")
        return error.on_page("no.data.unagreed")

    # ---------------------------------------------------------------- what may be agreed alone

    def taken(self, found: Found, purpose: str) -> str:
        """Take an automatic offer of the other city, if the settings let us; give the negotiation, or nothing.

        An offer does not say whether it is automatic: one that is not waits for persons there, and for nobody here.

        Raises:
            Unavailable: The other city's catalogue could not be read.
        """
        if not self.auto_templates:
            return ""
        for offer, about, rules in self._offers(found):
            if is_of(self.auto_templates, about, rules) and permits_use(rules, purpose):
                wish = Wish(found.peer, Words(), offer=offer, by=AUTOMATIC)
                return self._proposed(wish, AUTOMATIC)
        return ""

    def _offers(self, found: Found) -> list[tuple[str, Json, Json]]:
        """Give the offers of a dataset, or of its collection."""
        offered: list[tuple[str, Json, Json]] = []
        for target in dict.fromkeys((found.dataset, found.collection)):
            if not target:
                continue
            try:
                dataset = self.catalogues.dataset(found.url, target)
            except NotFound:
                continue
            offered += [(each.iri, each.about, each.rules) for each in dataset.offers]
        return offered

    # ---------------------------------------------------------------- asking for access

    def asked(self, found: Found, purpose: str, message: str, *, by: str, now_ms: int) -> str:
        """Ask the other city for access to a dataset for a purpose; give the negotiation.

        Nothing is agreed by it: the other city answers with its terms, and persons of ours approve them.
        """
        until = datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(days=ASKED_DAYS)
        limits: list[dict[str, Any]] = [
            {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": until.strftime("%Y-%m-%dT00:00:00Z")}
        ]
        limits += [{"leftOperand": "odrl:purpose", "operator": "eq", "rightOperand": purpose}] if purpose else []
        rules = {"permission": [{"action": "use", "constraint": limits}]}
        title = f"Access to {found.title or found.dataset}"[:300]
        words = Words(rules=rules, title=title, note=message)
        wish = Wish(
            found.peer,
            words,
            role=CONSUMER,
            target=found.dataset,
            theirs=(found.dataset,),
            known=found.dataset,
            by=by,
        )
        return self._proposed(wish, by)

    def _proposed(self, wish: Wish, by: str) -> str:
        draft = self.agreements.draft(wish)["drafts"][0]["id"]
        talk = self.agreements.propose(draft, by=by)
        return str(talk["id"])

    def is_over(self, negotiation: str) -> bool:
        """Tell whether nothing more comes of a negotiation: it is an agreement by now, or has ended without."""
        try:
            said = self.agreements.show(negotiation)
        except NodeError:
            return True
        return said.get("kind") != "negotiation" or said.get("protocol_state") in ("TERMINATED", "FINALIZED")


def purpose_of(text: str) -> str:
    """Give the IRI of a purpose by its name; empty for none. Raises Malformed."""
    return purpose_named(text) if text else ""


def _not_that(name: str) -> NotAgreed:
    return NotAgreed(
        f"No agreement {name[:200]} is in force that grants this city data and is about this dataset.",
        fix="See which are: citynode agreements list",
    ).on_page("no.data.unagreed")


def _is_about(bound: Bound, found: Found) -> bool:
    """Tell whether an agreement may be about a dataset; where its collection is not known, any with that city may."""
    if bound.agreement.peer != found.peer:
        return False
    covers = set(bound.covers)
    if found.dataset in covers or (found.collection and found.collection in covers):
        return True
    return not found.collection and bool(covers - bound.records)
