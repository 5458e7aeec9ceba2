"""The table of `node.vocab.rules` compiled to direct checks: what a record lacks, said while it is harvested.

A SHACL engine does some 300 records a second, this some ten thousands, and a test holds the two to the same answer
(`tests/conformance/test_shapes_oracle.py`). Terms are read as the N-Triples text they are: what a value must be shows
in its first and last character or in one pattern. Findings refuse nothing; the caller keeps them beside the record.
Pure: no I/O, no clock, no RDF library.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from node.records import Finding, Level
from node.vocab.ntriples import XSD, Triple
from node.vocab.rules import DISTRIBUTION, HVD_DISTRIBUTION, HVD_LEGISLATION, HVD_SHAPES, SHAPES, Rule, Shape, Values
from node.vocab.terms import DCAT, DCATAP, PREFIXES, RDF

Properties = dict[str, list[str]]

_TYPE = f"<{RDF.type}>"
_LEGISLATION = f"<{DCATAP.applicableLegislation}>"
_HVD = f"<{HVD_LEGISLATION}>"
_HAS_DISTRIBUTION = f"<{DCAT.distribution}>"
_CLASS_OF_KIND = {
    "dataset": f"<{DCAT.Dataset}>",
    "dataset-series": f"<{DCAT.DatasetSeries}>",
    "data-service": f"<{DCAT.DataService}>",
}

_ZONE = r"(?:Z|[+-]\d\d:\d\d)?"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DATE = rf"-?\d{{4,}}-{_MONTH}-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?)"
_DURATION = r"-?P(?=[\dT])(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
LEXICAL: dict[Values, dict[str, str]] = {
    "moment": {
        "date": _DATE + _ZONE,
        "dateTime": f"{_DATE}T{_TIME}{_ZONE}",
        "gYear": rf"-?\d{{4,}}{_ZONE}",
        "gYearMonth": rf"-?\d{{4,}}-{_MONTH}{_ZONE}",
    },
    "size": {"nonNegativeInteger": r"\+?\d+|-0+"},
    "decimal": {"decimal": r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"},
    "duration": {"duration": _DURATION},
    "hex": {"hexBinary": "(?:[0-9A-Fa-f]{2})*"},
}
"""What a value may be: datatype (a local name of XSD) -> pattern of its lexical form."""

_EXAMPLES: dict[Values, str] = {
    "moment": "a date, such as 2024-05-31 with the datatype xsd:date",
    "size": "a whole number with the datatype xsd:nonNegativeInteger",
    "decimal": "a number, such as 2.5 with the datatype xsd:decimal",
    "duration": "a duration, such as P1D with the datatype xsd:duration",
    "hex": "hexadecimal digits with the datatype xsd:hexBinary",
}


def _is_iri(term: str) -> bool:
    return term[0] == "<"


def _is_literal(term: str) -> bool:
    return term[0] == '"'


def _is_tagged(term: str) -> bool:
    return term[0] == '"' and term[-1] != '"' and term[-1] != ">"


def _typed(values: Values) -> Callable[[str], object]:
    forms = "|".join(f'"(?:{form})"\\^\\^<{re.escape(XSD + name)}>' for name, form in LEXICAL[values].items())
    return re.compile(f"(?:{forms})\\Z", re.ASCII).match


_FITS: dict[Values, Callable[[str], object]] = {
    "iri": _is_iri,
    "literal": _is_literal,
    "text": _is_tagged,
    **{values: _typed(values) for values in LEXICAL},
}


class _Wanted(NamedTuple):
    """A property that is asked for, and what its absence is."""

    predicate: str
    problem: "_Problem"


class _Valued(NamedTuple):
    """What the values of a property must be.

    `good` says that nothing at all is wrong with a value, `fits` that it is of the right sort; they differ where the
    rule has a table, whose IRIs start with one of `beginnings`.
    """

    good: Callable[[str], object]
    fits: Callable[[str], object]
    problem: "_Problem"
    several: "_Problem | None"
    beginnings: tuple[str, ...]
    off_table: "_Problem"


# Compared by identity: a problem is made once, at import, and then only counted.
@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """One way to fail one rule; `noun` is what its class is called in the singular and the plural."""

    finding: Finding
    noun: tuple[str, str]

    def at(self, subjects: Sequence[str], record: str) -> Finding:
        """Say where, unless it is the record itself.

        How many and of what, never which: so that many records share one set of findings, which is kept once.
        """
        others = sum(1 for subject in subjects if subject != record)
        if not others:
            return self.finding
        at = f"{self.finding.message} Seen at {others} {self.noun[others > 1]}."
        return Finding(self.finding.code, self.finding.level, self.finding.path, at)


_Found = dict[_Problem, list[str]]


def shortened(iri: str) -> str:
    """Write a property as people know it, `dct:title`."""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def problem_of_absence(rule: Rule) -> tuple[str, str]:
    """Give the code and the sentence for a property that is asked for and not there."""
    code = f"{rule.stem}-{'missing' if rule.need == 'mandatory' else 'recommended'}"
    return code, f"Add {rule.noun} ({shortened(rule.path)}){rule.tail}."


def problem_of_value(rule: Rule) -> tuple[str, str]:
    """Give the code and the sentence for a value of the wrong sort."""
    name = f"{rule.name} ({shortened(rule.path)})"
    match rule.values:
        case "iri":
            return "not-an-iri", f"Write the {name} as an IRI, not as text."
        case "text":
            return "language-tag-missing", f"Give every {name} a language tag, such as @en."
        case "literal":
            return "not-a-literal", f"Write the {name} as text, not as an IRI."
        case _:
            return "datatype-wrong", f"Write the {name} as {_EXAMPLES[rule.values]}."


def problem_of_number(rule: Rule) -> tuple[str, str]:
    """Give the code and the sentence for several values where one is allowed."""
    return "more-than-one", f"Keep one {rule.name} ({shortened(rule.path)}) only."


def problem_of_table(rule: Rule) -> tuple[str, str]:
    """Give the code and the sentence for a value from outside the table."""
    return "not-from-table", f"Choose the {rule.name} ({shortened(rule.path)}) from {rule.table[0]}."


def _problem(shape: Shape, rule: Rule, said: tuple[str, str], level: Level) -> _Problem:
    return _Problem(Finding(said[0], level, rule.path, said[1]), shape.noun)


class _Checks:
    """One shape, compiled."""

    def __init__(self, shape: Shape) -> None:
        self.wanted = [
            _Wanted(f"<{rule.path}>", _problem(shape, rule, problem_of_absence(rule), rule.need))
            for rule in shape.rules
            if rule.need
        ]
        self.valued = {f"<{rule.path}>": _valued(shape, rule) for rule in shape.rules if rule.values}

    def run(self, subject: str, properties: Properties, found: _Found) -> None:
        """Add what is wrong with one subject to `found`."""
        for predicate, problem in self.wanted:
            if predicate not in properties:
                found.setdefault(problem, []).append(subject)
        for predicate, terms in properties.items():
            valued = self.valued.get(predicate)
            if valued is None or (len(terms) == 1 and valued.good(terms[0])):
                continue
            for problem in _wrong(valued, terms):
                found.setdefault(problem, []).append(subject)


def _valued(shape: Shape, rule: Rule) -> _Valued:
    number = None if rule.several else _problem(shape, rule, problem_of_number(rule), "mandatory")
    beginnings = tuple(f"<{beginning}" for beginning in rule.table)
    off_table = _problem(shape, rule, problem_of_table(rule) if rule.table else ("", ""), "recommended")
    value = _problem(shape, rule, problem_of_value(rule), "mandatory")
    fits = _FITS[rule.values]
    return _Valued(_starting(beginnings) if beginnings else fits, fits, value, number, beginnings, off_table)


def _starting(beginnings: tuple[str, ...]) -> Callable[[str], object]:
    return lambda term: term.startswith(beginnings)


def _wrong(valued: _Valued, terms: list[str]) -> list[_Problem]:
    wrong: list[_Problem] = []
    if all(map(valued.good, terms)) and not valued.several:
        return wrong
    if len(terms) > 1 and valued.several:
        wrong.append(valued.several)
    if not all(map(valued.fits, terms)):
        wrong.append(valued.problem)
    if valued.beginnings and any(_is_iri(term) and not term.startswith(valued.beginnings) for term in terms):
        wrong.append(valued.off_table)
    return wrong


_CHECKS = [(frozenset(f"<{name}>" for name in shape.classes), _Checks(shape)) for shape in SHAPES]
_HVD_CHECKS = [(frozenset(f"<{name}>" for name in shape.classes), _Checks(shape)) for shape in HVD_SHAPES]
_HVD_DISTRIBUTION_CHECKS = _Checks(HVD_DISTRIBUTION)
_DISTRIBUTION_CLASS = f"<{DISTRIBUTION.classes[0]}>"
_DATASET_CLASS = _CLASS_OF_KIND["dataset"]


_KNOWN_CLASSES = frozenset(name for classes, _ in _CHECKS for name in classes)


@lru_cache(maxsize=1024)
def _checks_for(types: tuple[str, ...]) -> list[_Checks]:
    return [checks for classes, checks in _CHECKS if not classes.isdisjoint(types)]


def findings(kind: str, iri: str, triples: list[Triple]) -> list[Finding]:
    """Check a record and everything described with it.

    A finding stands once, however many subjects have it; the message says where if it is not the record itself.

    Args:
        kind: The record's kind; it is checked as a thing of that class even if the source forgot to say so.
        iri: The record's IRI.
        triples: The payload's triples, without blank nodes; in any order.

    Returns:
        Mandatory ones first, then recommended ones, each by code and path; empty if nothing is amiss.
    """
    problems = _problems(kind, iri, subjects_of(triples))
    said = {problem.at(at, f"<{iri}>") for problem, at in problems.items()}
    return sorted(said, key=lambda one: (one.level, one.code, one.path, one.message))


def complies(kind: str, iri: str, subjects: dict[str, Properties]) -> bool:
    """Tell whether nothing mandatory is amiss, of triples that are grouped already (`subjects_of`)."""
    return not any(problem.finding.level == "mandatory" for problem in _problems(kind, iri, subjects))


def subjects_of(triples: Iterable[Triple]) -> dict[str, Properties]:
    """Group triples by subject and property, in the order in which they come."""
    subjects: dict[str, Properties] = {}
    for subject, predicate, term in triples:
        properties = subjects.get(subject)
        if properties is None:
            properties = subjects[subject] = {}
        if predicate in properties:
            properties[predicate].append(term)
        else:
            properties[predicate] = [term]
    return subjects


def _problems(kind: str, iri: str, subjects: dict[str, Properties]) -> _Found:
    own_class = _CLASS_OF_KIND.get(kind)
    if own_class:
        _say_class(subjects.setdefault(f"<{iri}>", {}), own_class)
    found: _Found = {}
    for subject, properties in subjects.items():
        types = properties.get(_TYPE)
        if types:
            for checks in _checks_for(tuple([name for name in types if name in _KNOWN_CLASSES])):
                checks.run(subject, properties, found)
    for subject, checks in _high_value(subjects):
        checks.run(subject, subjects[subject], found)
    return found


def _say_class(properties: Properties, name: str) -> None:
    types = properties.setdefault(_TYPE, [])
    if name not in types:
        types.append(name)


def _high_value(subjects: dict[str, Properties]) -> Iterator[tuple[str, _Checks]]:
    """Find what is high-value data by its legislation, and the distributions of such datasets."""
    high = [subject for subject, properties in subjects.items() if _HVD in properties.get(_LEGISLATION, ())]
    distributions: set[str] = set()
    for subject in high:
        properties = subjects[subject]
        types = properties.get(_TYPE, [])
        yield from ((subject, checks) for classes, checks in _HVD_CHECKS if not classes.isdisjoint(types))
        if _DATASET_CLASS in types:
            distributions.update(properties.get(_HAS_DISTRIBUTION, ()))
    for subject in sorted(distributions):
        if _DISTRIBUTION_CLASS in subjects.get(subject, {}).get(_TYPE, ()):
            yield subject, _HVD_DISTRIBUTION_CHECKS
