"""What CKAN's clients write in `q` and `fq`: the part of Solr's query language that they use, read into a tree.

Clauses of `field:value`, "phrases", beginnings*, (groups), [ranges TO ranges], with AND, OR, NOT, && || + - and !;
two clauses beside each other are an AND, as in CKAN. Everything else of Solr (local parameters, regular expressions,
fuzzy words, joins) is refused with a sentence that says what is possible. Bounded, pure: what a field means is for
`ckan_query`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from node.errors import Malformed

MAX_TEXT = 8_000
MAX_TOKENS = 500
MAX_DEPTH = 8
SUPPORTED = (
    "Write clauses like tags:parking, organization:(a OR b), -license_id:x, title:park* or"
    " metadata_modified:[2026-01-01T00:00:00Z TO *], joined by AND."
)


@dataclass(frozen=True, slots=True)
class Term:
    """One value asked for: `field` is empty for plain words; a `phrase` was quoted, a `prefix` ended in `*`."""

    field: str
    text: str
    phrase: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """`[start TO end]`; `*` is an open end, a bound in braces is not itself within."""

    field: str
    start: str
    end: str
    with_start: bool = True
    with_end: bool = True


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    clause: "Clause"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Clauses that must all hold; none of them is no condition."""

    clauses: tuple["Clause", ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """Clauses of which one is enough."""

    clauses: tuple["Clause", ...]


Clause = Term | Range | Not | AllOf | OneOf

_TOKEN = re.compile(
    r"""\s+
    | (?P<range>[\[{] \s* (?P<start>"[^"]*"|[^\s\]}]+) \s+ TO \s+ (?P<end>"[^"]*"|[^\s\]}]+) \s* [\]}])
    | (?P<phrase>"(?:[^"\\]|\\.)*")
    | (?P<join>AND(?=[\s()]|\Z)|OR(?=[\s()]|\Z)|NOT(?=[\s()]|\Z)|&&|\|\|)
    | (?P<open>\() | (?P<close>\))
    | (?P<sign>[+\-!](?=\S))
    | (?P<field>[A-Za-z_*][\w.-]*):(?!//)(?=\S)
    | (?P<boost>\^[0-9.]+)
    | (?P<word>(?:[^\s()"\[\]{}^\\]|\\.)+)
    """,
    re.VERBOSE,
)
_JOINS = {"&&": "AND", "||": "OR"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: str = ""
    end: str = ""


def parse(text: str, name: str) -> Clause:
    """Read a query; `name` is the parameter it came in, for messages. Nothing at all is no condition.

    Raises:
        Malformed: It is longer or deeper than this node reads, or uses what this node does not.

    >>> parse('+tags:"a b" -type:harvest', "fq")
    ... # doctest: +NORMALIZE_WHITESPACE
    AllOf(clauses=(Term(field='tags', text='a b', phrase=True, prefix=False),
                 Not(clause=Term(field='type', text='harvest', phrase=False, prefix=False))))
    """
    if len(text) > MAX_TEXT:
        raise Malformed(f"{name} has more than {MAX_TEXT} characters.", fix="Ask for less at once.")
    return _Reading(name, list(_tokens(text, name))).whole()


def refused(name: str, what: str) -> Malformed:
    """Say that something cannot be asked for here, and what can."""
    return Malformed(f"{name} cannot be read: {what}.", fix=SUPPORTED)


_FUZZY = re.compile(r"(?:\A|(?<=\w))~[\d.]*\Z")
_WILD = re.compile(r"(?<!\\)\*(?=\w)|(?<=\w)\?(?=\w)")
_REGEX = re.compile(r"/[^/\s]+/[a-z]?")


def unsupported(word: str) -> str:
    """Say what of Solr a bare word uses that is not asked here; "" if nothing. Addresses are words as they are.

    >>> unsupported("par?ing"), unsupported("park*"), unsupported("https://city.example/a?b=1"), unsupported("why?")
    ("'par?ing' has a wildcard that is not its end", '', '', '')
    """
    shown = repr(word[:40])
    if "://" in word:
        return ""
    if _FUZZY.search(word):
        return f"{shown} is a fuzzy word; words that are nearly right are found anyway"
    if _REGEX.fullmatch(word):
        return f"regular expressions such as {shown} are not supported"
    return f"{shown} has a wildcard that is not its end" if _WILD.search(word) else ""


def _tokens(text: str, name: str) -> Iterator[_Token]:
    if "{!" in text:
        raise refused(name, "local parameters ({!…}) are not supported")
    at, count = 0, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise refused(name, f"{text[at : at + 20]!r} is not supported, or a quote or bracket never closes")
        at = match.end()
        if not match.lastgroup or match.lastgroup == "boost":
            continue  # a boost changes the order of the found, never what is found
        count += 1
        if count > MAX_TOKENS:
            raise refused(name, f"it has more than {MAX_TOKENS} parts")
        yield _token(match)


def _token(match: re.Match[str]) -> _Token:
    if match["range"]:
        return _Token("range", match["range"], match["start"].strip('"'), match["end"].strip('"'))
    kind = next(kind for kind in ("phrase", "join", "open", "close", "sign", "field", "word") if match[kind])
    text = match[kind]
    if kind == "phrase":
        return _Token(kind, _unescaped(text[1:-1]))
    if kind == "join":
        return _Token(_JOINS.get(text, text), text)
    return _Token(kind, text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


class _Reading:
    """A recursive descent."""

    def __init__(self, name: str, tokens: list[_Token]) -> None:
        self._name = name
        self._tokens = tokens
        self._at = 0

    def whole(self) -> Clause:
        found = self._clauses("", 0)
        if self._at < len(self._tokens):
            raise refused(self._name, "a bracket closes that was never opened")
        return found

    def _next(self, *kinds: str) -> _Token | None:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token and token.kind in kinds:
            self._at += 1
            return token
        return None

    def _at_end(self) -> bool:
        return self._at == len(self._tokens) or self._tokens[self._at].kind == "close"

    def _clauses(self, field: str, depth: int) -> Clause:
        """Read clauses up to a closing bracket or the end: all of them joined by OR, or none."""
        if depth > MAX_DEPTH:
            raise refused(self._name, f"its brackets are more than {MAX_DEPTH} deep")
        made: list[Clause] = []
        joins: set[str] = set()
        while self._at < len(self._tokens) and self._tokens[self._at].kind != "close":
            join = self._next("AND", "OR")
            if join is None:
                made.append(self._clause(field, depth))
            elif not made or self._next("AND", "OR") or self._at_end():
                raise refused(self._name, f"{join.text} joins nothing")
            after = self._tokens[self._at].kind if self._at < len(self._tokens) else "close"
            if made and after != "close":
                joins.add("OR" if "OR" in (after, join.kind if join else "") else "AND")
        if len(joins) == 2:
            raise refused(self._name, "it joins clauses by both AND and OR; put what belongs together in brackets")
        if len(made) == 1:
            return made[0]
        return OneOf(tuple(made)) if joins == {"OR"} else AllOf(tuple(made))

    def _clause(self, field: str, depth: int) -> Clause:
        wanted = True
        while sign := self._next("sign", "NOT"):
            wanted = wanted if sign.text == "+" else not wanted
        found = self._value(field, depth)
        return found if wanted else Not(found)

    def _value(self, field: str, depth: int) -> Clause:
        if named := self._next("field"):
            if field:
                raise refused(self._name, f"{named.text}: stands within {field}:")
            return self._value_of(named.text, depth)
        return self._value_of(field, depth)

    def _value_of(self, field: str, depth: int) -> Clause:
        token = self._next("open", "range", "phrase", "word")
        if token is None:
            raise refused(self._name, f"no value follows {field + ':' if field else 'an operator'}")
        if token.kind == "open":
            found = self._clauses(field, depth + 1)
            if self._next("close") is None:
                raise refused(self._name, "a bracket never closes")
            return found
        if token.kind == "range":
            return Range(field, token.start, token.end, token.text[0] == "[", token.text[-1] == "]")
        if token.kind == "phrase":
            return Term(field, token.text, phrase=True)
        return self._word(field, token.text)

    def _word(self, field: str, text: str) -> Term:
        if what := unsupported(text):
            raise refused(self._name, what)
        if not field and re.fullmatch(r"[a-z_]+:", text):
            raise refused(self._name, f"no value follows {text}")
        if field and text.startswith("/"):
            raise refused(self._name, "regular expressions are not supported")
        if text == "*":
            return Term(field, "*")
        prefix = text.endswith("*") and not text.endswith("\\*")
        bare = _unescaped(text[:-1] if prefix else text)
        if field and re.search(r"(?<!\\)[*?]", text[:-1] if prefix else text):
            raise refused(self._name, f"{text[:40]!r} has a wildcard that is not its end")
        return Term(field, bare, prefix=prefix)
