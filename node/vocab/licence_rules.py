"""May these licences be combined, what must then be done, and why: answered from tables with their sources.

The question is about *merging* data and publishing the result. Each licence's duties and the licences it accepts for
the result stand in `data/licence-rule.tsv`, what is known of pairs in `licence-pair.tsv`, the sentences in
`licence-words.tsv`. What no table says is "ask", never "yes". No legal advice. Pure but for reading these tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Literal

from node.errors import Malformed, Misconfigured
from node.vocab.lists import LICENCES
from node.vocab.tables import LABEL_LANGUAGES, Concept

Answer = Literal["yes", "no", "ask"]
MOST = 50  # licences in one question: a set has no more records
MAX_NAME = 100
_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Rule:
    """One licence as we read it: `accepts` is empty unless it is share-alike; `sources` say so, its own text first."""

    code: str
    duties: tuple[str, ...]
    accepts: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the answer is what it is: a code of the words, the licences it is about, and who says so."""

    code: str
    about: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def sentence(self, language: str) -> str:
        """Say it in a language; in English if we have no other words."""
        a, b = (*map(short_of, self.about[:1]), ""), ", ".join(map(short_of, self.about[1:]))
        return said(f"why.{self.code}", language).replace("{a}", a[0]).replace("{b}", b)


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that must be done, and for the sake of which licences."""

    code: str
    licences: tuple[str, ...]

    def sentence(self, language: str) -> str:
        """Say it in a language; in English if we have no other words."""
        return said(f"duty.{self.code}", language)


@dataclass(frozen=True, slots=True)
class Combination:
    """The answer. Of `result` the merged data must have one, empty for a free choice or for a "no".

    `apart` tells that the parts may still be used side by side, each under its own licence.
    """

    licences: tuple[str, ...]
    may: Answer
    commercial: Answer
    result: tuple[str, ...]
    duties: tuple[Due, ...]
    reasons: tuple[Reason, ...]
    apart: bool

    def sentence(self, language: str) -> str:
        """Give the answer in a few words of a language."""
        return said(f"verdict.{self.may}", language)


def rule_of(code: str) -> Rule | None:
    """Give what a licence of our table asks; None if nobody has read it for this."""
    return _rules()[0].get(_same(code))


def main_codes() -> tuple[str, ...]:
    """Give the licences that the matrix shows, in its order."""
    return _rules()[2]


def code_of(licence: str) -> str:
    """Give the code of a licence by its code or IRI; what our table does not know stays as it is, cut to 100."""
    found = LICENCES.by_code(licence) or LICENCES.by_iri(licence)
    return found.code if found else licence[:MAX_NAME]


def short_of(code: str) -> str:
    """Give what one writes on a label: `CC BY 4.0`."""
    concept = LICENCES.by_code(code)
    return (concept.facts["short"] or concept.label("en")) if concept else code


def combine(licences: Sequence[str]) -> Combination:
    """Say whether data under these licences may be merged and published, also commercially.

    Args:
        licences: Codes or IRIs, one for each part, in any order and as often as they come; "" for a part without
            licence. One part is not merged with anything: it is told what may be done with it alone.

    Raises:
        Malformed: None, or more than 50 different ones.
    """
    codes = tuple(dict.fromkeys(map(code_of, licences)))
    if not 0 < len(codes) <= MOST:
        raise Malformed(f"{len(codes)} licences cannot be combined.", fix=f"Name 1 to {MOST} of them.")
    gaps = [reason for code in codes for reason in _gap(code)]
    rules = [rule for code in codes if (rule := rule_of(code))]
    no, result = _against(rules) if len(licences) > 1 else ([], ())
    pairs = [found for one, other in combinations(rules, 2) if (found := _pair(one.code, other.code))]
    doubts = [reason for answer, reason in pairs if answer == "ask"]
    may: Answer = "no" if no else "ask" if gaps or doubts else "yes"
    good = [] if may != "yes" else _in_favour(rules, result, [reason for _, reason in pairs])
    return Combination(
        licences=codes,
        may=may,
        commercial=_commercial(codes, rules),
        result=result,
        duties=_duties(rules),
        reasons=(*no, *gaps, *doubts, *good),
        apart=may != "yes" and "" not in codes and not any(reason.code == "unknown" for reason in gaps),
    )


def _gap(code: str) -> Iterator[Reason]:
    if not code:
        yield Reason("none")
    elif LICENCES.by_code(code) is None:
        yield Reason("unknown", (code,))
    elif rule_of(code) is None:
        yield Reason("unread", (code,))


def _against(rules: Sequence[Rule]) -> tuple[list[Reason], tuple[str, ...]]:
    """Find what forbids to publish the result, and else the licences of which it must have one."""
    found = [Reason("no-changes", (rule.code,), rule.sources) for rule in rules if "no-changes" in rule.duties]
    alike = [rule for rule in rules if rule.accepts]
    for one, other in combinations(alike, 2):
        if not set(one.accepts) & set(other.accepts):
            found.append(Reason("share-alike", (one.code, other.code), (*one.sources, *other.sources)))
    # A licence for the result that allows commerce cannot carry data that does not.
    for closed in [rule for rule in rules if "non-commercial" in rule.duties and not rule.accepts]:
        found += [
            Reason("commercial", (closed.code, rule.code), (*closed.sources, *rule.sources))
            for rule in alike
            if all(_allows_commerce(code) for code in rule.accepts)
        ]
    shared = set(alike[0].accepts).intersection(*(rule.accepts for rule in alike[1:])) if alike else set()
    if alike and not shared and not found:
        found.append(Reason("share-alike", tuple(rule.code for rule in alike)))
    return found, (() if found else tuple(code for code in (alike[0].accepts if alike else ()) if code in shared))


def _allows_commerce(code: str) -> bool:
    rule = rule_of(code)
    return rule is not None and "non-commercial" not in rule.duties


def _pair(one: str, other: str) -> tuple[Answer, Reason] | None:
    table = _pairs()
    if (one, other) in table:
        answer, why, source = table[one, other]
        return answer, Reason(why, (one, other), (source,))
    if (other, one) in table:
        answer, why, source = table[other, one]
        return answer, Reason(why, (other, one), (source,))
    return None


def _in_favour(rules: Sequence[Rule], result: tuple[str, ...], known: Sequence[Reason]) -> list[Reason]:
    alike = [rule for rule in rules if rule.accepts]
    if alike and result:
        strictest = min(alike, key=lambda rule: len(rule.accepts))
        return [*known, Reason("result", (strictest.code, *result), strictest.sources)]
    asking = [rule for rule in rules if rule.duties]
    return [*known, Reason("attribution" if asking else "free")]


def _commercial(codes: Sequence[str], rules: Sequence[Rule]) -> Answer:
    concepts: list[Concept | None] = [LICENCES.by_code(code) for code in codes]
    if any(concept and concept.facts["commercial"] == "n" for concept in concepts):
        return "no"
    sure = all(concept and concept.facts["commercial"] == "y" for concept in concepts)
    return "yes" if sure and len(rules) == len(codes) else "ask"


def _duties(rules: Sequence[Rule]) -> tuple[Due, ...]:
    asked: dict[str, list[str]] = {}
    for rule in rules:
        for duty in rule.duties:
            asked.setdefault(duty, []).append(rule.code)
    order = list(_words())
    return tuple(
        Due(code, tuple(licences))
        for code, licences in sorted(asked.items(), key=lambda i: order.index("duty." + i[0]))
    )


def said(code: str, language: str) -> str:
    """Give a sentence of ours in a language (a tag's first part decides), else in English."""
    row = _words()[code]
    return row.get(language[:2].lower()) or row["en"]


def _same(code: str) -> str:
    return _rules()[1].get(code, code)


def _rows(name: str, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    lines = [line for line in (_DATA / name).read_text("utf-8").split("\n") if line and not line.startswith("#")]
    if not lines or tuple(lines[0].split("\t")) != columns:
        raise Misconfigured(f"{name} is no table of ours.", fix="Install the node again.")
    return (dict(zip(columns, line.split("\t"), strict=True)) for line in lines[1:])


def _parted(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("|")) if cell else ()


@lru_cache(maxsize=1)
def _rules() -> tuple[Mapping[str, Rule], Mapping[str, str], tuple[str, ...]]:
    """Read the rules by code, the other names of licences, and which ones the matrix shows."""
    rules: dict[str, Rule] = {}
    same: dict[str, str] = {}
    main: list[str] = []
    for row in _rows("licence-rule.tsv", ("code", "same_as", "main", "duties", "accepts", "source")):
        if row["same_as"]:
            same[row["code"]] = row["same_as"]
            continue
        code = row["code"]
        rules[code] = Rule(code, _parted(row["duties"]), _parted(row["accepts"]), _parted(row["source"]))
        main += [code] if row["main"] else []
    return rules, same, tuple(main)


@lru_cache(maxsize=1)
def _pairs() -> Mapping[tuple[str, str], tuple[Answer, str, str]]:
    answers: Mapping[str, Answer] = {"yes": "yes", "no": "no", "ask": "ask"}
    return {
        (one, other): (answers[row["verdict"]], row["why"], row["source"])
        for row in _rows("licence-pair.tsv", ("a", "b", "verdict", "why", "source"))
        for one in _parted(row["a"])
        for other in _parted(row["b"])
    }


@lru_cache(maxsize=1)
def _words() -> Mapping[str, Mapping[str, str]]:
    rows = _rows("licence-words.tsv", ("code", *LABEL_LANGUAGES))
    return {row["code"]: {language: row[language] for language in LABEL_LANGUAGES} for row in rows}
