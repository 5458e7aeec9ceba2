"""What a CKAN client asks for, turned into what this node's search can be asked: fields, values, dates, orders.

`q` is read as people type unless it names one of CKAN's fields; `fq` always as Solr's language (`solr`). A condition
that would be dropped silently gives wrong answers to a program, so whatever cannot be asked is refused with the fields
and forms that can. Pure: the clock comes in.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from node.catalog.search.query import Sort
from node.errors import Malformed
from node.vocab import lists
from node.web.ckan.solr import MAX_TEXT, AllOf, Clause, Not, OneOf, Range, Term, parse, refused, unsupported
from node.web.ckan.solr_time import moment

MAX_CALLED = 1_000


def theme_value(text: str) -> str:
    """Give the theme a group stands for: its EU code."""
    return lists.theme_of(text).removeprefix(lists.DATA_THEMES.base) or text.upper()


def format_value(text: str) -> str:
    """Give the EU code of a file type."""
    return lists.format_of(text).removeprefix(lists.FILE_TYPES.base) or text.upper()


def licence_value(text: str) -> str:
    """Give our table's code of a licence; CKAN's word for none is `notspecified`."""
    if text.lower() in ("", "none", "notspecified"):
        return "none"
    known = lists.LICENCES.by_code(text) or lists.LICENCES.by_iri(lists.licence_of(text))
    return known.code if known else ("other" if text.lower().startswith("other") else text.upper())


def _kind_value(text: str) -> str:
    return text.lower().replace("_", "-")


def _access_value(text: str) -> str:
    return text.removeprefix(lists.ACCESS_RIGHTS.base).upper() if text.lower() != "unknown" else "unknown"


def _lower(text: str) -> str:
    return text.strip().lower()


# CKAN's field (or ours) -> our facet, and how its values are spelt there.
FACETS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "organization": ("publisher", _lower),
    "owner_org": ("publisher", _lower),
    "publisher": ("publisher", _lower),
    "groups": ("theme", theme_value),
    "theme": ("theme", theme_value),
    "tags": ("keyword", _lower),
    "keyword": ("keyword", _lower),
    "res_format": ("format", format_value),
    "format": ("format", format_value),
    "license_id": ("licence", licence_value),
    "licence": ("licence", licence_value),
    "dataset_type": ("kind", _kind_value),
    "type": ("kind", _kind_value),
    "kind": ("kind", _kind_value),
    "access_rights": ("access", _access_value),
    "access": ("access", _access_value),
    "city": ("city", _lower),
    "collection": ("collection", _lower),
    "language": ("language", _lower),
    "use": ("use", _lower),
    "freshness": ("freshness", _lower),
    "quality": ("quality", _lower),
}
TEXTS = {"text": "", "": "", "title": "title", "notes": "description", "description": "description"}
_CALLED = frozenset({"id", "name"})
# The same for every package here: whoever asks for that value asks for nothing, whoever asks for another gets none.
_CONSTANT = {
    "state": "active",
    "private": "false",
    "capacity": "public",
    "entity_type": "package",
    "permission_labels": "public",
    "site_id": "*",
}
_ALWAYS = frozenset({*TEXTS, *_CALLED, *_CONSTANT, "metadata_modified", "dataset_type", "type", "kind", "city", "*"})
_ABSENT = {"licence": "none", "access": "unknown", "use": "unknown", "freshness": "unknown", "quality": "unknown"}
_SINGLE = frozenset({"city", "kind", "collection", "access", "freshness", "quality"})
FIELDS = tuple(sorted({*FACETS, *_CALLED, *_CONSTANT, "title", "notes", "text", "metadata_modified"}))
# Fields of CKAN's own index that are not asked here: in `q` they are no words either.
_FOREIGN = re.compile(
    r"(?:extras_\w*|vocab_\w*|res_(?:name|description|url|type)|author|maintainer|metadata_created|author_email|depends_on|"
    r"views_\w+|tracking_\w+|title_\w+|indexed_ts|index_id|data_dict|creator_user_id|maintainer_email|ckan_url|version|url|"
    r"license)\Z"
)
_NAMED = re.compile(r"(?:(?<=\s)|(?<=[+\-!(])|\A)([A-Za-z_*][\w.-]*):(?!//)(?=\S)")
_ORDERS: Mapping[str, tuple[Sort, bool]] = {  # our order, and whether its usual direction is descending
    "score": ("relevance", True),
    "relevance": ("relevance", True),
    "rank": ("relevance", True),
    "metadata_modified": ("changed", True),
    "title_string": ("title", False),
    "title": ("title", False),
    "name": ("title", False),
    "id": ("title", False),
    "quality": ("quality", True),
}
LISTED = frozenset({"id", "name"})  # orders of the lasting list


@dataclass(slots=True)
class Asked:
    """Everything that must hold. `called` are names or ids, of which one is enough; None where none is asked for.

    `strict` tells that words are conditions of a program, which must not be taken loosely.
    """

    texts: list[str] = field(default_factory=list)
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    since_ms: int = 0
    until_ms: int | None = None
    called: tuple[str, ...] | None = None
    nothing: bool = False
    strict: bool = False


def read(q: str, fqs: Sequence[str], *, now_ms: int) -> Asked:
    """Read a question of `package_search`.

    Raises:
        Malformed: It cannot be asked here; says what can.
    """
    asked = Asked()
    names = [match[1] for match in _NAMED.finditer(q)]
    if (
        any(name in FACETS or name in _CALLED or name in _CONSTANT or _FOREIGN.match(name) for name in names)
        or "{!" in q
    ):
        _Lowering(asked, "q", now_ms).take(parse(q, "q"))
    elif q.strip() not in ("", "*", "*:*"):
        asked.texts.append(_as_typed(q))
    for fq in fqs:
        _Lowering(asked, "fq", now_ms).take(parse(fq, "fq"))
    return asked


def _as_typed(q: str) -> str:
    """Give words of people as they are. Raises Malformed where they use what only Solr can."""
    # A phrase stands for one word, so that what follows its end is seen: "a b"~2.
    for word in re.sub(r'"[^"]*"', "phrase", q[:MAX_TEXT]).split():
        if what := unsupported(word.strip("()")):
            raise refused("q", what)
    return q


def order_of(text: str) -> tuple[str, Sort, bool]:
    """Read `sort`: CKAN's field that counts, our order, and whether that is to be turned about. Others break ties.

    Raises:
        Malformed: The order is not kept here.
    """
    found: list[tuple[str, str]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = part.partition(" ")
        if name not in _ORDERS or direction.strip().lower() not in ("", "asc", "desc"):
            raise Malformed(
                f"sort={part[:60]!r} is not possible.",
                fix=f"Sort by {', '.join(_ORDERS)}, each followed by asc or desc.",
            )
        found.append((name, direction.strip().lower()))
    if not found:
        return "", "relevance", False
    name, direction = found[0]
    order, downward = _ORDERS[name]
    return name, order, bool(direction) and (direction == "desc") is not downward


def listed(value: object, name: str) -> list[str]:
    """Read a list of words as clients send it: a JSON list, or one written as text, or words between commas.

    Raises:
        Malformed: It is something else.
    """
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            try:
                value = json.loads(text.replace("'", '"'))
            except ValueError:
                raise Malformed(f"{name}={text[:40]!r} is no list.", fix=f'Write {name}=["organization"].') from None
        else:
            value = [part.strip() for part in text.split(",")]
    if isinstance(value, list) and len(value) <= MAX_CALLED and all(isinstance(each, str) for each in value):
        return [each for each in value if each]
    raise Malformed(f"{name} is no list of words.", fix=f'Write {name}=["organization"].')


class _Lowering:
    """Adds the conditions of one query to a question."""

    def __init__(self, asked: Asked, name: str, now_ms: int) -> None:
        self._asked = asked
        self._name = name
        self._now_ms = now_ms

    def take(self, clause: Clause) -> None:
        """Let a clause hold as well."""
        match clause:
            case AllOf(clauses):
                for each in clauses:
                    self.take(each)
            case Range() if clause.start == clause.end == "*":
                self._exists(clause.field, wanted=True)
            case Range():
                self._range(clause)
            case Term(text="*", phrase=False):
                self._exists(clause.field, wanted=True)
            case Term():
                self._any_of((clause,))
            case OneOf(clauses):
                self._any_of(tuple(self._term(each) for each in clauses))
            case Not(inner):
                self._without(inner)

    def _refuse(self, what: str) -> Malformed:
        return Malformed(f"{self._name} cannot be asked here: {what}.", fix=f"Fields: {', '.join(FIELDS)}.")

    def _term(self, clause: Clause) -> Term:
        if isinstance(clause, Term) and clause.text != "*":
            return clause
        raise self._refuse("OR joins single values only")

    def _any_of(self, terms: tuple[Term, ...]) -> None:
        fields = {self._field_of(term) for term in terms}
        if len(fields) > 1 and fields != {"text"}:
            raise self._refuse("OR joins values of one field only")
        name = fields.pop()
        if name == "text":
            self._asked.texts.append(" OR ".join(_typed(term) for term in terms))
            self._asked.strict |= self._name == "fq" or bool(terms[0].field)
        elif name in _CALLED:
            self._called(tuple(term.text for term in terms))
        elif name in _CONSTANT:
            said = {term.text.lower() for term in terms}
            self._asked.nothing |= _CONSTANT[name] != "*" and _CONSTANT[name] not in said
        else:
            self._narrow(FACETS[name][0], self._values(terms))

    def _field_of(self, term: Term) -> str:
        """Give the field by which a term is handled: one of ours, `text` for words."""
        if term.field in TEXTS:
            return "text"
        if term.field in _CALLED or term.field in _CONSTANT or term.field in FACETS:
            return "id" if term.field in _CALLED else term.field
        if term.field == "metadata_modified":
            raise self._refuse("metadata_modified is asked by a range, [2026-01-01T00:00:00Z TO *]")
        raise self._refuse(f"there is no field {term.field!r}")

    def _values(self, terms: tuple[Term, ...]) -> tuple[str, ...]:
        if any(term.prefix for term in terms):
            raise self._refuse(f"{terms[0].field} takes whole values, without *")
        return tuple(dict.fromkeys(FACETS[term.field][1](term.text) for term in terms))

    def _narrow(self, facet: str, values: tuple[str, ...]) -> None:
        """Ask for one of these values besides what was asked for before."""
        filters, before = self._asked.filters, self._asked.filters.get(facet)
        if before is None:
            filters[facet] = values
        elif facet in _SINGLE or set(before) <= set(values):
            filters[facet] = tuple(value for value in before if value in values)
            self._asked.nothing |= not filters[facet]
        elif set(values) <= set(before):
            filters[facet] = values
        elif facet == "keyword" and len(values) == 1:
            self._asked.texts.append(_typed(Term("keyword", values[0], phrase=True)))
        else:
            raise self._refuse(f"two values of {facet} at once; one of several is asked by OR")

    def _called(self, names: tuple[str, ...]) -> None:
        before = self._asked.called
        self._asked.called = names if before is None else tuple(name for name in before if name in names)

    def _exists(self, name: str, *, wanted: bool) -> None:
        facet = FACETS.get(name, ("", _lower))[0]
        if name in _ALWAYS:
            self._asked.nothing |= not wanted
        elif facet in _ABSENT and wanted:
            self._exclude(facet, (_ABSENT[facet],))
        elif facet in _ABSENT:
            self._narrow(facet, (_ABSENT[facet],))
        else:
            raise self._refuse(f"whether {name!r} has any value")

    def _exclude(self, facet: str, values: tuple[str, ...]) -> None:
        self._asked.excluded[facet] = (*self._asked.excluded.get(facet, ()), *values)

    def _without(self, clause: Clause) -> None:
        match clause:
            case Range() if clause.start == clause.end == "*":
                self._exists(clause.field, wanted=False)
            case Term(text="*", phrase=False):
                self._exists(clause.field, wanted=False)
            case OneOf(clauses):
                for each in clauses:
                    self._without(self._term(each))
            case Term():
                self._without_term(clause)
            case AllOf(clauses) if not clauses:
                self._asked.nothing = True
            case _:
                raise self._refuse("NOT takes single values, or several joined by OR")

    def _without_term(self, term: Term) -> None:
        name = self._field_of(term)
        if name == "text":
            self._asked.texts.append(f"-{_typed(term)}")
        elif name in _CALLED:
            raise self._refuse("single packages cannot be left out")
        elif name in _CONSTANT:
            self._asked.nothing |= _CONSTANT[name] in ("*", term.text.lower())
        else:
            self._exclude(FACETS[name][0], self._values((term,)))

    def _range(self, asked: Range) -> None:
        if asked.field != "metadata_modified":
            raise self._refuse("only metadata_modified is asked by a range")
        start, end = moment(asked.start, self._now_ms), moment(asked.end, self._now_ms)
        if start is not None:
            self._asked.since_ms = max(self._asked.since_ms, start + (not asked.with_start))
        if end is not None:
            last = end - (not asked.with_end)
            before = self._asked.until_ms
            self._asked.until_ms = last if before is None else min(before, last)
            self._asked.nothing |= self._asked.until_ms < self._asked.since_ms


def _typed(term: Term) -> str:
    """Write a term as people type it in this node's search."""
    name = TEXTS.get(term.field, term.field)
    text = term.text.replace('"', " ")
    plain = not term.phrase and re.fullmatch(r"\w[\w'-]*", text) and text not in ("AND", "OR", "NOT")
    written = f"{text}*" if term.prefix and re.fullmatch(r"[\w'-]+", text) else text if plain else f'"{text}"'
    return f"{name}:{written}" if name else written
