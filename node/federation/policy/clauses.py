"""Clauses as grammar: the table of words (`wording`) made into forms that say rules and read them back.

A *clause* here is what one sentence says: rules that differ in their action alone share one, so do permissions that
owe the same duty. Ids play no part (they follow from position); parties stand by their names. A language and two names
make one `Tongue`; it holds no text of a stranger but those names.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from node.errors import Malformed
from node.federation.policy import places, purposes, quantities, terms, wording
from node.federation.policy.model import Atomic, Constraint, Logical
from node.federation.policy.phrases import Exact, First, Form, Listed, Named, Numbered, Phrase, Tagged
from node.federation.policy.wording import Said, said_in

Row: TypeAlias = tuple[str, Said]
Table: TypeAlias = Mapping[tuple[str, str], tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Parties:
    """Who the sentences speak of. An offer has no assignee yet: leave it empty.

    `names` are names by which readers know IRIs (a city's, a collection's, a place's); the IRI is shown beside them.
    """

    assigner: str
    assignee: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions or prohibitions of one sentence: they differ in their actions alone."""

    kind: str
    actions: tuple[str, ...]
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Owed:
    """A duty, with the numbers of the clauses whose permissions depend on it; an obligation depends on nothing."""

    action: str
    constraints: tuple[Constraint, ...]
    numbers: tuple[str, ...] = ()


def shown(text: object) -> str:
    """Give a stranger's text without what would break the line or turn its order about (line ends, bidi controls)."""
    return "".join(one if one.isprintable() else " " for one in str(text or ""))


_NO_BRACKETS = str.maketrans("<>", "  ")


def _bare(name: str) -> str:
    """Give a name without the brackets that would make it look like an IRI."""
    return " ".join(shown(name).translate(_NO_BRACKETS).split())


def checked_language(lang: str) -> str:
    """Give a language back. Raises Malformed for one that agreements are not written in."""
    if lang not in wording.LANGUAGES:
        languages = ", ".join(wording.LANGUAGES)
        raise Malformed(f'Agreements are not written in "{lang[:40]}".', fix=f"Ask for one of {languages}.")
    return lang


class Tongue:
    """Every form of one language, with the names of two parties in their places."""

    def __init__(self, lang: str, parties: Parties) -> None:
        """Put the forms together; raises Malformed for a language that the table does not have."""
        self.lang = checked_language(lang)
        other = said_in(wording.OTHER_CITY, lang)
        assignee = shown(parties.assignee)
        self.names = {
            "assigner": shown(parties.assigner),
            "assignee": assignee or other,
            "Assignee": assignee or other[0].upper() + other[1:],
        }
        self.iri: Form[str] = Tagged({iri: _bare(name) for iri, name in parties.names.items()})
        self.conditions = _Conditions(self, wording.CONSTRAINTS, level=1)
        self.deadlines = _Conditions(self, wording.DEADLINES, level=1)
        self.grant: Form[Grant] = First([_Grants(self, kind) for kind in (terms.PERMISSION, terms.PROHIBITION)])
        self.owed: Form[Owed] = First([_Duties(self), _Obligations(self)])

    def said(self, table: Mapping[str, Said], key: str) -> str:
        """Give a row's words."""
        return said_in(table[key], self.lang)

    def listed(self, form: Form[str], joint: str) -> Listed[str]:
        """Make `A, B or C` of a form; `joint` is "and" or "or"."""
        return Listed(form, self.said(wording.JOINTS, joint))

    def exact(self) -> dict[str, Form[Any]]:
        """Give the forms for the places of names."""
        return {place: Exact(name) for place, name in self.names.items()}

    def value(self, kind: str, operand: terms.Operand) -> Form[str]:
        """Say one right operand: by its name or in words, otherwise exactly as it stands."""
        if kind in ("day", "last"):
            return quantities.day_form(self.lang, earlier=int(kind == "last"))
        return First([*_spoken(operand.values, self.lang), self.iri])


@lru_cache
def _spoken(values: str, lang: str) -> tuple[Form[str], ...]:
    quotes = wording.QUOTES[lang]
    for kind, labels in (("purpose", purposes.LABELS), ("place", places.LABELS)):
        if values == kind:
            return (Named.of({iri: said[lang] for iri, said in labels.items()}, quotes),)
    if values == "channel":
        channels = {one.iri: said_in(wording.CHANNELS[one.name], lang) for one in terms.CHANNELS.values()}
        return (Named.of(channels, quotes),)
    form = {"time": "instant", "duration": "duration", "number": "count", "bytes": "bytes"}.get(values)
    return (quantities.FORMS[form](lang),) if form else ()


def letters(number: int) -> str:
    """Mark parts of a clause: a to z, then aa, bb."""
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def romans(number: int) -> str:
    """Mark parts of parts: i, ii, iii, iv."""
    text = ""
    for worth, letter in ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv")):
        text, number = text + letter * (number // worth), number % worth
    return text + "i" * number


_MARKS: Mapping[int, Callable[[int], str]] = {1: str, 2: letters, 3: romans, 4: lambda number: letters(number).upper()}


class _Conditions:
    """One constraint, in the words of a table; what is joined stands in a list with the next level's marks."""

    def __init__(self, tongue: Tongue, table: Table, *, level: int) -> None:
        self.atomic: dict[tuple[str, str], list[tuple[Phrase, Form[Any]]]] = {}
        for (left, operator), rows in table.items():
            operand = terms.OPERANDS[left]
            many = terms.OPERATORS[operator].many
            for kind, said in rows:
                one = tongue.value(kind, operand)
                form: Form[Any] = tongue.listed(one, "or") if many else _Single(one)
                self.atomic.setdefault((left, operator), []).append((Phrase.of(said_in(said, tongue.lang)), form))
        self.logical: dict[str, Phrase] = {}
        if level <= terms.MAX_DEPTH and table is wording.CONSTRAINTS:
            self.logical = {kind: Phrase.of(tongue.said(wording.LOGIC, kind)) for kind in wording.LOGIC}
            inner = _Conditions(tongue, table, level=level + 1)
            self.parts: Form[Any] = Numbered(inner, _MARKS[level + 1], "; ", "; ")

    def say(self, value: Constraint) -> str | None:
        """Say a constraint; nothing for one that the table has no words for."""
        if isinstance(value, Logical):
            phrase = self.logical.get(value.kind)
            return phrase.say({"parts": self.parts}, {"parts": value.parts}) if phrase else None
        rows = self.atomic.get((value.left, value.operator), [])
        said = (phrase.say({"v": form}, {"v": value.right}) for phrase, form in rows)
        return next((words for words in said if words is not None), None)

    def read(self, text: str, at: int) -> Iterator[tuple[Constraint, int]]:
        """Give every constraint that may stand here, without ids."""
        for (left, operator), rows in self.atomic.items():
            for phrase, form in rows:
                for found, end in phrase.read({"v": form}, text, at):
                    yield Atomic("", left, operator, found["v"]), end
        for kind, phrase in self.logical.items():
            for found, end in phrase.read({"parts": self.parts}, text, at):
                yield Logical("", kind, found["parts"]), end


@dataclass(frozen=True)
class _Single:
    """A right operand of one value."""

    form: Form[str]

    def say(self, value: tuple[str, ...]) -> str | None:
        """Say the value, if it is one."""
        return self.form.say(value[0]) if len(value) == 1 else None

    def read(self, text: str, at: int) -> Iterator[tuple[tuple[str, ...], int]]:
        """Give the value alone."""
        yield from (((one,), end) for one, end in self.form.read(text, at))


class _When:
    """All constraints of a rule with what joins them to it: nothing, one or two in line, otherwise a numbered list."""

    def __init__(self, tongue: Tongue, joint: str, *, one: _Conditions, all_of: str) -> None:
        self.joint = Phrase.of(tongue.said(wording.WHEN, joint))
        self.line: Form[Any] = Listed(one, tongue.said(wording.JOINTS, "and"))
        self.list: Phrase = Phrase.of(tongue.said(wording.JOINTS, all_of))
        self.parts: Form[Any] = Numbered(one, str, "; ", "; ")

    def say(self, value: tuple[Constraint, ...]) -> str | None:
        """Say the constraints, in order."""
        if not value:
            return ""
        short = len(value) == 1 or (len(value) == 2 and all(isinstance(one, Atomic) for one in value))
        how: Form[Any] = self.line if short else _In(self.list, "parts", self.parts)
        return self.joint.say({"how": how}, {"how": value})

    def read(self, text: str, at: int) -> Iterator[tuple[tuple[Constraint, ...], int]]:
        """Give the constraints that may stand here; none is one way to read it."""
        yield (), at
        for how in (self.line, _In(self.list, "parts", self.parts)):
            for found, end in self.joint.read({"how": how}, text, at):
                yield found["how"], end


@dataclass(frozen=True)
class _In:
    """A form inside a phrase that has one place."""

    phrase: Phrase
    place: str
    form: Form[Any]

    def say(self, value: object) -> str | None:
        """Say the phrase around the value."""
        return self.phrase.say({self.place: self.form}, {self.place: value})

    def read(self, text: str, at: int) -> Iterator[tuple[object, int]]:
        """Give what stands in the place."""
        yield from ((found[self.place], end) for found, end in self.phrase.read({self.place: self.form}, text, at))


class _Grants:
    """Permissions or prohibitions: `London may (a) …, (b) … and (c) …, and each of these only …`."""

    def __init__(self, tongue: Tongue, kind: str) -> None:
        self.kind = kind
        self.phrase = Phrase.of(tongue.said(wording.CLAUSES, kind))
        act = _act_form(tongue, kind)
        joint = tongue.said(wording.JOINTS, "and" if kind == terms.PERMISSION else "or")
        several = Numbered(act, letters, ", ", joint)
        self.forms: dict[bool, dict[str, Form[Any]]] = {}
        for each, acts in ((False, _Single(act)), (True, several)):
            when = _When(tongue, kind + ":each" * each, one=tongue.conditions, all_of="all")
            self.forms[each] = {**tongue.exact(), "acts": acts, "when": when}

    def say(self, value: Grant) -> str | None:
        """Say a grant of this kind."""
        if value.kind != self.kind:
            return None
        forms = self.forms[len(value.actions) > 1]
        return self.phrase.say(forms, {"acts": value.actions, "when": value.constraints})

    def read(self, text: str, at: int) -> Iterator[tuple[Grant, int]]:
        """Give the grants that may stand here."""
        for forms in self.forms.values():
            for found, end in self.phrase.read(forms, text, at):
                yield Grant(self.kind, found["acts"], found["when"]), end


def _act_form(tongue: Tongue, kind: str) -> Form[str]:
    """Say an action; a prohibition has words of its own where it reaches further."""
    rows = wording.ACTIONS
    names = [action.name for action in terms.ACTIONS.values() if kind in action.kinds]
    far = {name: f"not:{name}" if kind == terms.PROHIBITION and f"not:{name}" in rows else name for name in names}
    return _Verbs({name: tongue.said(rows, key) for name, key in far.items()})


def _duty_form(tongue: Tongue, *, due: bool) -> Form[str]:
    """Say a duty; one that has a deadline may have words of its own."""
    rows = wording.DUTIES
    keys = {name: f"{name}:by" if due and f"{name}:by" in rows else name for name in rows if ":" not in name}
    return _Verbs({name: _filled(tongue.said(rows, key), tongue.names) for name, key in keys.items()})


@dataclass(frozen=True)
class _Verbs:
    """Actions by their words."""

    words: Mapping[str, str]

    def say(self, value: str) -> str | None:
        """Give an action's words."""
        return self.words.get(value)

    def read(self, text: str, at: int) -> Iterator[tuple[str, int]]:
        """Give every action whose words stand here."""
        yield from ((name, at + len(words)) for name, words in self.words.items() if text.startswith(words, at))


class _Duties:
    """What is owed for permissions: `For what is allowed in 2.1 and 2.3, London must …`."""

    def __init__(self, tongue: Tongue, clause: str = "duty") -> None:
        self.phrase = Phrase.of(tongue.said(wording.CLAUSES, clause))
        when = _When(tongue, "obligation", one=tongue.deadlines, all_of="deadline")
        own: dict[str, Form[Any]] = {"when": when, "clauses": tongue.listed(quantities.CLAUSE_NUMBERS, "and")}
        self.forms = {due: {**tongue.exact(), **own, "duty": _duty_form(tongue, due=due)} for due in (False, True)}

    def say(self, value: Owed) -> str | None:
        """Say a duty, if it belongs to permissions."""
        return self._said(value) if value.numbers else None

    def _said(self, value: Owed) -> str | None:
        said = {"duty": value.action, "when": value.constraints, "clauses": value.numbers}
        return self.phrase.say(self.forms[bool(value.constraints)], said)

    def read(self, text: str, at: int) -> Iterator[tuple[Owed, int]]:
        """Give the duties that may stand here."""
        for forms in self.forms.values():
            for found, end in self.phrase.read(forms, text, at):
                yield Owed(found["duty"], found["when"], found.get("clauses", ())), end


class _Obligations(_Duties):
    """What is owed in any case: `London must …`."""

    def __init__(self, tongue: Tongue) -> None:
        super().__init__(tongue, "obligation")

    def say(self, value: Owed) -> str | None:
        """Say what belongs to no permission."""
        return None if value.numbers else self._said(value)


def _filled(words: str, names: Mapping[str, str]) -> str:
    """Put names in their places, once: a name that looks like a place stays as it is."""
    return Phrase.of(words).say({place: Exact(name) for place, name in names.items()}, {}) or ""
