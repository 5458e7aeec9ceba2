"""Would it be allowed? What one public agreement answers to one question, and the choices that a question is made of.

The rules are decided as every node decides them, of this agreement alone: what others between the same cities say is
not looked at, since they may not be for everyone. How often something was used is nobody's to see either, so that a
count is taken as not yet begun. Pure; the question comes from the query of the page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.federation.policy import terms, wording
from node.federation.policy.evaluate import Request, World, evaluate
from node.federation.policy.purposes import LABELS
from node.federation.policy.sentences import Section
from node.web.agreements.view import AgreementView
from node.web.wording.words import known

_ACTS = [name for name, one in terms.ACTIONS.items() if one.kinds & {terms.PERMISSION, terms.PROHIBITION}]
_FIELDS = ("act", "what", "purpose", "channel")
# What stops an answer before the rules are read: nothing is permitted then.
_STANDS = "in-force"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that may be chosen, how it is called, and whether it is."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no, and why: `why` is a key of the words; the clause by its number, its place on the page and its text."""

    allowed: bool
    why: str
    operand: str = ""
    number: str = ""
    spot: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """The form and, if something was asked, the answer."""

    choices: Mapping[str, Sequence[Choice]]
    answer: Answer | None


def trial_of(
    view: AgreementView, query: Mapping[str, str], now_ms: int, title_of: Callable[[str], str], *, state: str
) -> Trial:
    """Make the form for an agreement, and answer what the query asks.

    Args:
        view: The agreement.
        query: `act`, `what`, `purpose`, `channel`; what is not among the choices counts as not said.
        now_ms: The time of the decision.
        title_of: Names what is covered by its IRI.
        state: How the agreement stands, by whoever knows best.
    """
    offered = _offered(view, title_of)
    said = {name: query.get(name, "") if query.get(name, "") in offered[name] else "" for name in _FIELDS}
    choices = {
        name: [Choice(value, label, value == said[name]) for value, label in offered[name].items()] for name in _FIELDS
    }
    return Trial(choices, _answered(view, said, now_ms, state) if said["act"] else None)


def _offered(view: AgreementView, title_of: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """Give what may be chosen: value and label, in the language of the sentences."""
    language = view.language
    purposes = sorted(((iri, names[language]) for iri, names in LABELS.items()), key=lambda one: one[1].casefold())
    return {
        "act": {name: wording.said_in(wording.ACTIONS[name], language) for name in _ACTS},
        "what": {iri: title_of(iri) for iri in view.covers},
        "purpose": dict(purposes),
        "channel": {name: wording.said_in(wording.CHANNELS[name], language) for name in terms.CHANNELS},
    }


def _answered(view: AgreementView, said: Mapping[str, str], now_ms: int, state: str) -> Answer:
    if state != _STANDS:
        return Answer(allowed=False, why="agreement.no.state")
    text = view.text
    channel = terms.CHANNELS.get(said["channel"])
    asked: dict[str, Any] = {"purpose": said["purpose"], "channel": channel.iri if channel else ""}
    request = Request(
        said["act"], recipient=text.assignee, party=text.assignee, target=said["what"] or text.target, **asked
    )
    made = evaluate(text.policy, request, World(now_ms, agreed_at_ms=text.issued_ms))
    number, spot, sentence = _clause(view.sections, made.clause)
    key = "agreement.try.yes" if made.allowed else f"agreement.no.{made.code}"
    return Answer(made.allowed, key, _operand(made.operand), number, spot, sentence)


def _operand(name: str) -> str:
    """Give the key of the words for what was not said or does not hold; empty where there are none."""
    key = f"agreement.operand.{name}"
    return key if name and known(key) else ""


def _clause(sections: Sequence[Section], clause: str) -> tuple[str, str, str]:
    """Find the sentence that says a clause: its number, its place on the page, its text."""
    for section in sections:
        for one in section.sentences:
            if clause and clause in one.clauses:
                return one.number, spot_of(one.number), one.text
    return "", "", ""


def spot_of(number: str) -> str:
    """Name the place of a sentence on its page: the permanent address of a clause."""
    return "c" + number.replace(".", "-")
