"""An agreement in plain sentences, English, Finnish or Swedish, and the rules back from the sentences.

What a person approves is this text; what the node enforces are the rules; both come from one table (`wording`), and
`parse` of what `sentences` says gives the same rules again. A rule that has no words is refused and never shown as
something near it. Clause numbers: 1 what it covers, 2 what is allowed and not, 3 what must be done, 4 how it ends.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from node.errors import Malformed
from node.federation.policy import bases, quantities, terms, values, wording
from node.federation.policy.clauses import Grant, Owed, Parties, Tongue, shown
from node.federation.policy.model import Atomic, Constraint, Duty, Logical, Policy, Rule, leaves
from node.federation.policy.phrases import Exact, Form, Phrase, only
from node.federation.policy.reading import read_rules, rebased

__all__ = [
    "Parties",
    "Section",
    "Sentence",
    "Terms",
    "parse",
    "plain",
    "read_plain",
    "sections",
    "sentences",
]

_NUMBERED = re.compile(r"(\d{1,3}\.\d{1,3}) (.+)")
_ANY_ID = "urn:citynode:sentences"
# How every node decides (`evaluate`), said at the end of section 2.
_DECIDING = ("closed", "unknown", "kinds")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One numbered sentence. `clauses` are the IRIs of all that it says: rules, their constraints, duties.

    `clause` is a stable fragment for links (`p1`, `p1-d1`, `about-review`); `machine` the same in the profile's terms.
    """

    clause: str
    number: str
    text: str
    machine: str = ""
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its sentences."""

    number: str
    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """All that the sentences of an offer, a draft or an agreement say."""

    rules: Policy | Mapping[str, Any]
    about: Mapping[str, Any]
    parties: Parties
    target: str = ""


def sentences(
    rules: Policy | Mapping[str, Any], about: Mapping[str, Any], parties: Parties, lang: str, *, target: str = ""
) -> list[Sentence]:
    """Say everything, in order of the clause numbers.

    Raises:
        Malformed: A language that is not written, or a rule that has no words.
        TooLarge: Rules past the bounds of the profile.
    """
    return [one for section in sections(Terms(rules, about, parties, target), lang) for one in section.sentences]


def sections(said: Terms, lang: str) -> list[Section]:
    """Say everything, under its headings; a section without sentences is left out."""
    tongue = Tongue(lang, said.parties)
    policy = said.rules if isinstance(said.rules, Policy) else read_rules(said.rules, policy_id=_ANY_ID)
    groups = _grouped(policy)
    found = [
        ("1", _covers(tongue, said.about, said.target)),
        ("2", [*_grants(tongue, groups), *_deciding(tongue, policy)] if groups else []),
        ("3", _owed(tongue, policy, groups)),
        ("4", _ending(tongue, policy, said.about)),
    ]
    return [
        Section(number, tongue.said(wording.SECTIONS, number), tuple(_numbered(number, said)))
        for number, said in found
        if said
    ]


def plain(said: Terms, lang: str) -> str:
    """Write all sections as text, one sentence a line; `read_plain` finds the sentences again."""
    # In quotation marks, so that a title can never pass for a clause.
    opened, closed = wording.QUOTES.get(lang, ("", ""))
    lines = [f"{opened}{title}{closed}", ""] if (title := shown(said.about.get("title"))) else []
    for section in sections(said, lang):
        lines += [f"{section.number}. {section.title}", *(f"{one.number} {one.text}" for one in section.sentences), ""]
    return "\n".join(lines)


def read_plain(text: str) -> list[Sentence]:
    """Find the numbered sentences in a text as `plain` writes it; everything else is passed over."""
    found = (_NUMBERED.fullmatch(line.strip(" ")) for line in text.split("\n"))
    return [Sentence("", match[1], match[2]) for match in found if match is not None]


def parse(said: Iterable[Sentence], parties: Parties, lang: str, *, policy_id: str = _ANY_ID) -> Policy:
    """Read the rules back from sections 2 and 3; ids by position under `policy_id`.

    Raises:
        Malformed: A sentence there that no rule says, or that could mean two things; a duty for a clause that is none.
    """
    tongue = Tongue(lang, parties)
    fix = "Write it as the sentences of the profile are written, word for word."
    always = {tongue.said(wording.ABOUT, key) for key in _DECIDING}
    grants: dict[str, tuple[Grant, list[Duty]]] = {}
    obligations: list[Rule] = []
    for one in said:
        if one.number.startswith("2.") and one.text not in always:
            grants[one.number] = (only(tongue.grant, one.text, fix=fix), [])
        elif one.number.startswith("3."):
            owed = only(tongue.owed, one.text, fix=fix)
            if not owed.numbers:
                obligations.append(Rule("", terms.OBLIGATION, owed.action, owed.constraints))
            _give(owed, grants)
    rules = [
        Rule("", grant.kind, action, grant.constraints, tuple(duties))
        for grant, duties in grants.values()
        for action in grant.actions
    ]
    return rebased(Policy(policy_id, (*rules, *obligations)), policy_id)


def _give(owed: Owed, grants: Mapping[str, tuple[Grant, list[Duty]]]) -> None:
    for number in owed.numbers:
        if number not in grants or grants[number][0].kind != terms.PERMISSION:
            raise Malformed(f"A duty names clause {number}, which allows nothing.", fix="Name a clause that allows.")
        grants[number][1].append(Duty("", owed.action, owed.constraints))


# ------------------------------------------------------------- rules


@dataclass(slots=True)
class _Group:
    """Rules that one sentence says, with the number it gets."""

    grant: Grant
    duties: tuple[Duty, ...]
    rules: list[Rule]
    number: str
    fragment: str
    owed: set[int] = field(default_factory=set)


def _bare(constraint: Constraint) -> Constraint:
    if isinstance(constraint, Logical):
        return Logical("", constraint.kind, tuple(_bare(one) for one in constraint.parts))
    return replace(constraint, id="")


def _bare_duty(duty: Duty) -> Duty:
    return Duty("", duty.action, tuple(_bare(one) for one in duty.constraints))


def _grouped(policy: Policy) -> list[_Group]:
    """Join neighbours that differ in their action alone: permissions first, then prohibitions."""
    groups: list[_Group] = []
    for letter, rules in (("p", policy.permissions), ("n", policy.prohibitions)):
        for position, rule in enumerate(rules, 1):
            if rule.refinements or rule.target or rule.assignee:
                raise Malformed(
                    f"The rule {rule.id} narrows its target or its parties.", fix="The profile has no such."
                )
            constraints = tuple(_bare(one) for one in rule.constraints)
            duties = tuple(_bare_duty(one) for one in rule.duties)
            grant = Grant(rule.kind, (rule.action,), constraints)
            last = groups[-1] if groups else None
            if last and (last.grant.kind, last.grant.constraints, last.duties) == (rule.kind, constraints, duties):
                last.rules.append(rule)
                last.grant = replace(grant, actions=(*last.grant.actions, rule.action))
            else:
                groups.append(_Group(grant, duties, [rule], f"2.{len(groups) + 1}", f"{letter}{position}"))
    return groups


def _grants(tongue: Tongue, groups: Sequence[_Group]) -> list[Sentence]:
    said: list[Sentence] = []
    for group in groups:
        actions = ", ".join(group.grant.actions)
        machine = _machine(group.grant.kind, actions, group.grant.constraints)
        clauses = tuple(iri for rule in group.rules for iri in (rule.id, *_ids(rule.constraints)))
        said.append(Sentence(group.fragment, "", _words(tongue.grant, group.grant), machine, clauses))
    return said


def _deciding(tongue: Tongue, policy: Policy) -> list[Sentence]:
    """Say how the clauses above are decided by, as far as it matters for them."""
    lefts = {one.left for rule in policy.rules for one in leaves(rule.constraints)}
    matters = {"closed": True, "unknown": bool(lefts), "kinds": bool(lefts & {"purpose", "spatial"})}
    return [_beside(tongue, key) for key in _DECIDING if matters[key]]


def _words(form: Form[Any], value: Grant | Owed) -> str:
    """Say a clause, and prove it: what does not read back as itself is not shown."""
    text = form.say(value)
    if text is None or only(form, text, fix="Name the parties otherwise.") != value:
        raise Malformed(
            "A rule cannot be said in sentences.", fix="Use the terms of the profile " + terms.PROFILE + "."
        )
    return text


def _owed(tongue: Tongue, policy: Policy, groups: Sequence[_Group]) -> list[Sentence]:
    said = [_duty_sentence(tongue, duty, found) for duty, found in _shared_duties(groups)]
    for position, rule in enumerate(policy.obligations, 1):
        owed = Owed(rule.action, tuple(_bare(one) for one in rule.constraints))
        machine = _machine(rule.kind, rule.action, rule.constraints)
        clauses = (rule.id, *_ids(rule.constraints))
        said.append(Sentence(f"o{position}", "", _words(tongue.owed, owed), machine, clauses))
    return said


def _shared_duties(groups: Sequence[_Group]) -> list[tuple[Duty, list[tuple[_Group, int]]]]:
    """Say a duty once for all clauses that owe it, as long as each clause's duties keep their order."""
    shared: list[tuple[Duty, list[tuple[_Group, int]]]] = []
    for group in groups:
        after = 0
        for position, duty in enumerate(group.duties):
            at = next((at for at in range(after, len(shared)) if shared[at][0] == duty), len(shared))
            if at == len(shared):
                shared.append((duty, []))
            shared[at][1].append((group, position))
            after = at + 1
    return shared


def _duty_sentence(tongue: Tongue, duty: Duty, found: Sequence[tuple[_Group, int]]) -> Sentence:
    owed = Owed(duty.action, duty.constraints, tuple(group.number for group, _ in found))
    group, position = found[0]
    own = [rule.duties[position] for group, position in found for rule in group.rules]
    clauses = tuple(iri for one in own for iri in (one.id, *_ids(one.constraints)))
    fragment = f"{group.fragment}-d{position + 1}"
    return Sentence(fragment, "", _words(tongue.owed, owed), _machine("duty", duty.action, duty.constraints), clauses)


def _ids(constraints: Sequence[Constraint]) -> Iterator[str]:
    for one in constraints:
        yield one.id
        if isinstance(one, Logical):
            yield from _ids(one.parts)


def _machine(kind: str, action: str, constraints: Sequence[Constraint]) -> str:
    return " · ".join((f"{kind}: {action}", *(_in_terms(one) for one in constraints)))


def _in_terms(constraint: Constraint) -> str:
    if isinstance(constraint, Logical):
        return f"{constraint.kind}({'; '.join(_in_terms(one) for one in constraint.parts)})"
    right = ", ".join(one.replace(terms.DPV, "dpv:", 1) for one in constraint.right)
    return f"{constraint.left} {constraint.operator} {right}"


# ------------------------------------------------------------- beside the rules


def _numbered(number: str, said: Sequence[Sentence]) -> Iterator[Sentence]:
    return (replace(one, number=f"{number}.{position}") for position, one in enumerate(said, 1))


def _beside(tongue: Tongue, key: str, values: Mapping[str, object] | None = None, **forms: Form[Any]) -> Sentence:
    """Say a row of what stands beside the rules."""
    phrase = Phrase.of(tongue.said(wording.ABOUT, key))
    return Sentence(f"about-{key}", "", phrase.say({**tongue.exact(), **forms}, values or {}) or "")


def _exactly(tongue: Tongue, key: str, **texts: str) -> Sentence:
    return _beside(tongue, key, {}, **{place: Exact(text) for place, text in texts.items()})


def _covers(tongue: Tongue, about: Mapping[str, Any], target: str) -> list[Sentence]:
    iris = tuple(str(one) for one in about.get("covers") or ()) or ((target,) if target else ())
    said: list[Sentence] = []
    if iris:
        said.append(_beside(tongue, "covers", {"iris": iris}, iris=tongue.listed(tongue.iri, "and")))
    said += [
        _beside(tongue, key, {"iri": str(about[key])}, iri=tongue.iri)
        for key in ("partOf", "replaces")
        if about.get(key)
    ]
    said += _bases(tongue, about)
    if about.get("note"):
        said.append(_exactly(tongue, "note", text=shown(about["note"])))
    said.append(_beside(tongue, "public" if about.get("public") else "private"))
    if about.get("template"):
        said.append(_exactly(tongue, "template", text=shown(about["template"])))
    return said


def _bases(tongue: Tongue, about: Mapping[str, Any]) -> list[Sentence]:
    """Say why data about persons may be handled, and sent where they are sent."""
    tables = (("legalBasis", bases.LEGAL), ("transferBasis", bases.TRANSFER))
    return [
        _exactly(tongue, key, text=table[about[key]].labels.get(tongue.lang) or table[about[key]].labels["en"])
        for key, table in tables
        if about.get(key) in table
    ]


def _ending(tongue: Tongue, policy: Policy, about: Mapping[str, Any]) -> list[Sentence]:
    said = [*_term(tongue, policy), _beside(tongue, "revoke")]
    if about.get("review"):
        said.append(_exactly(tongue, "review", day=_day(shown(about["review"]), tongue.lang)))
    if contacts := [shown(one) for one in about.get("contacts") or ()]:
        said.append(_exactly(tongue, "contacts", texts="; ".join(contacts)))
    return [*said, _beside(tongue, "utc")]


def _day(text: str, lang: str) -> str:
    return quantities.plain_day_form(lang).say(text) or text


def _term(tongue: Tongue, policy: Policy) -> list[Sentence]:
    """Say when the last permission ends, if each has an end; nothing where a length of time limits one."""
    ends = [_end_of(rule.constraints) for rule in policy.permissions]
    endless = [rule for rule, end in zip(policy.permissions, ends, strict=True) if end is None]
    if endless:
        lasting = not any(one.left == "elapsedTime" for rule in endless for one in leaves(rule.constraints))
        return [_beside(tongue, "endless")] if lasting else []
    if not ends:
        return []
    last = max(end for end in ends if end is not None)
    text = quantities.instant_text(last)
    day = quantities.day_form(tongue.lang, earlier=1).say(text)
    if day is not None and last % 1000 == 0:
        return [_exactly(tongue, "ends", day=day)]
    return [_exactly(tongue, "ends_at", instant=quantities.instant_form(tongue.lang).say(text) or text)]


def _end_of(constraints: Sequence[Constraint]) -> int | None:
    """Give the moment from which these can no longer all hold, if a time says so; what is joined by or says nothing."""
    ends: list[int] = []
    for one in constraints:
        if isinstance(one, Logical):
            inner = _end_of(one.parts) if one.kind == "and" else None
        else:
            inner = values.time_ms(one.right[0]) if _is_end(one) else None
        ends += [inner] if inner is not None else []
    return min(ends) if ends else None


def _is_end(constraint: Atomic) -> bool:
    return constraint.left == "dateTime" and constraint.operator in ("lt", "lteq")
