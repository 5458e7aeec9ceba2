"""Lint: what a reader in another city will miss, and the few things that keep a text from being published at all.

Warnings never stop a publication; errors (links to private hosts, scripts, personal data, an adoption of itself) do.
Each says what to write, at the JSON pointer of the value. Reads the shelf for links to our own records, and nothing
else: time comes in as a day, and no link is fetched.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from node.catalog.author.texts import Leaf, Markdown, read
from node.catalog.names import is_good_link
from node.catalog.shelf import Held, Shelf
from node.records import KINDS, PLURALS
from node.vocab import contacts as persons
from node.vocab import personal
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import SUMMARY_CHARACTERS, Problem, is_missing, missing_words, pointer
from node.vocab.kinds.field import Field, KindTable, Said, in_sentence
from node.vocab.kinds.reading import links_in, said_in
from node.vocab.ntriples import split
from node.vocab.terms import DPV, FOAF, PROV, VCARD

LEAST_WORDS = 10
MOST_STEPS = 200
"""How many records a search for a circle of adoptions looks at."""
_FEW_WORDS = 5
_SCRIPT = re.compile(r"<\s*(?:script|iframe|object|embed|form|style)\b|\son\w+\s*=|javascript:", re.IGNORECASE)
_SHORT_FORM = re.compile(r"\b[A-ZÅÄÖ]{3,}\b")
# Short forms that any reader of a city's page knows.
_KNOWN_FORMS = frozenset({"BBC", "CSV", "COVID", "GPS", "PDF", "USA", "WWW", "FAQ"})
_ADOPTING = frozenset({"practice", "adoption"})
_MAILBOX = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# Who somebody is has one name in all languages.
_NAMED = frozenset({FOAF.Agent, VCARD.Organization, DPV.ThirdParty})


def date_of(day: int) -> str:
    """Write a day since the epoch."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def languages_of(texts: Sequence[Leaf]) -> list[str]:
    """List the languages of texts in their order, without the languages that translations were made from."""
    return list(dict.fromkeys(_base(tag) for tag in dict.fromkeys(leaf.language for leaf in texts) if tag))


def kept_in(what: str) -> str:
    """Say why something with personal data is not published for everyone."""
    return (
        f"It contains personal data ({what}), and what contains personal data is never in a collection that everyone"
        " may read. Publish it in a restricted collection, or publish data without it."
    )


def look(
    table: KindTable, said: Said, texts: Sequence[Leaf], *, today: str, base_url: str, is_public: bool
) -> Iterator[Problem]:
    """Look at the texts and values of a description that `check` found no error in.

    Args:
        table: Its kind.
        said: The description.
        texts: Its leaves.
        today: `YYYY-MM-DD`.
        base_url: Ours; private hosts may be linked only from a node on one.
        is_public: Whether everyone may read it: then nothing in it may tell who a person is.
    """
    yield from _wanted(table.fields, said, "", spoken_in(said))
    yield from _languages(table, said, texts)
    for leaf in texts:
        if leaf.field.form == "link":
            yield from _private(leaf.pointer, [leaf.text], base_url)
        elif leaf.language or leaf.field.form == "plain":
            yield from _text(leaf, base_url)
            yield from _traces(leaf, is_public=is_public)
    yield from _values(table, said, today)


def spoken_in(said: Said) -> str:
    """Give the language that a description is written in: that of the title's first text, English if there is none."""
    title = said.get("title")
    return _base(str(next(iter(title), ""))) or "en" if isinstance(title, Mapping) else "en"


def worded(table: KindTable, problem: Problem, language: str) -> Problem:
    """Say what is missing under the name that it has in a file of that language."""
    field = _field_of(table, problem.pointer) if problem.code == "missing" else None
    return replace(problem, message=missing_words(field, language)) if field else problem


def _field_of(table: KindTable, place: str) -> Field | None:
    """Find the field at a JSON pointer."""
    found: Field | None = None
    for step in place.split("/")[1:]:
        if found is None or not step.isdigit():
            found = (found or table).field(step)
            if found is None:
                return None
    return found


def right_in(said: Said, wrong: Sequence[Problem]) -> dict[str, Any]:
    """Give a description without the values that are wrong, so that the rest of it can be looked at.

    A list ends before the first value of it that is wrong as a whole: what is left keeps its place.
    """
    made: dict[str, Any] = _right(said, "", {each.pointer for each in wrong})
    return made


def _right(value: Any, at: str, wrong: AbstractSet[str]) -> Any:  # noqa: ANN401 (of any form)
    if isinstance(value, Mapping):
        inner = {key: pointer(at, key) for key in value}
        return {key: _right(value[key], place, wrong) for key, place in inner.items() if place not in wrong}
    if isinstance(value, list | tuple):
        end = next((number for number in range(len(value)) if pointer(at, number) in wrong), len(value))
        return [_right(each, pointer(at, number), wrong) for number, each in enumerate(value[:end])]
    return value


def touches(place: str, wrong: Sequence[Problem]) -> bool:
    """Tell whether something at a place may be said only because a value there, within it or around it is wrong."""
    return any(f"{each.pointer}/".startswith(f"{place}/") or place.startswith(f"{each.pointer}/") for each in wrong)


def _wanted(fields: Sequence[Field], said: Mapping[str, Any], at: str, language: str) -> Iterator[Problem]:
    """Name what should be there and is not."""
    for field in fields:
        if field.need != "should" and field.form != "group":
            continue
        value, place = said.get(field.name), pointer(at, field.name)
        if value is None or is_missing(value):
            if field.need == "should":
                yield _warning(place, "recommended", missing_words(field, language))
        elif field.form == "group":
            groups: Sequence[Mapping[str, Any]] = value if field.many else [value]
            for number, each in enumerate(groups):
                yield from _wanted(field.fields, each, pointer(place, number) if field.many else place, language)
            yield from _numbers(field, groups, place)


def _numbers(field: Field, groups: Sequence[Mapping[str, Any]], at: str) -> Iterator[Problem]:
    """Name results that nobody can compare: a field for numbers, and not one of them has any."""
    measured = [each for each in field.fields if each.form == "number"]
    if field.many and measured and not any(each.name in group for each in measured for group in groups):
        message = (
            f"{field.label['en']}: no number says how much. Give {in_sentence(measured[0].label['en'])}, unit, source."
        )
        yield _warning(at, "no-numbers", message)


def _languages(table: KindTable, said: Said, texts: Sequence[Leaf]) -> Iterator[Problem]:
    spoken = languages_of(texts)
    if len(spoken) == 1 and spoken != ["en"]:
        message = f"All of it is in {spoken[0]}. Most readers elsewhere know English: give at least title and summary."
        yield _warning("/title", "one-language", message)
    title = said.get("title")
    titled = {_base(tag) for tag in title} if isinstance(title, Mapping) else set()
    for field in table.fields:
        value = said.get(field.name)
        if not field.by_language or field.many or field.need == "may" or not isinstance(value, Mapping):
            continue
        missing = sorted(titled - {_base(tag) for tag in value})
        if missing:
            yield _warning(f"/{field.name}", "untranslated", _untranslated([field], missing))
    for field in table.fields:
        if field.form == "group" and not is_missing(said.get(field.name)):
            yield from _within(field, said[field.name], f"/{field.name}", titled)


def _within(field: Field, value: Any, at: str, titled: AbstractSet[str]) -> Iterator[Problem]:  # noqa: ANN401 (a group or several)
    """Name the texts of groups that stand in fewer languages than the title."""
    groups = [(pointer(at, number), each) for number, each in enumerate(value)] if field.many else [(at, value)]
    for place, group in groups:
        texts = [] if field.cls in _NAMED else [each for each in field.fields if each.by_language and not each.many]
        lacking = {
            each.name: titled - {_base(tag) for tag in group[each.name]}
            for each in texts
            if each.need != "may" and isinstance(group.get(each.name), Mapping)
        }
        missing = sorted(set().union(*lacking.values()))
        if missing:
            yield _warning(
                place, "untranslated", _untranslated([each for each in texts if lacking.get(each.name)], missing)
            )
        for each in field.fields:
            if each.form == "group" and not is_missing(group.get(each.name)):
                yield from _within(each, group[each.name], pointer(place, each.name), titled)


def _untranslated(fields: Sequence[Field], languages: Sequence[str]) -> str:
    names = ", ".join(each.label["en"] for each in fields)
    return f"Not in {', '.join(languages)}, in which there is a title: {names}."


def _text(leaf: Leaf, base_url: str) -> Iterator[Problem]:
    if leaf.field.name == "summary":
        yield from _summary(leaf)
    markdown = read(leaf.text)
    yield from _html(leaf, markdown)
    yield from _private(leaf.pointer, markdown.links, base_url)
    if leaf.field.form != "markdown":
        return
    for address in markdown.links:
        if not urlsplit_or_none(address):
            message = f"The link “{address[:80]}” leads nowhere from another city: write the whole address."
            yield _warning(leaf.pointer, "relative-link", message)
    for address in markdown.silent:
        message = f"The picture “{address[:80]}” says nothing to who cannot see it: write ![what it shows](…)."
        yield _warning(leaf.pointer, "no-alternative", message)
    yield from _length(leaf, markdown)


def _length(leaf: Leaf, markdown: Markdown) -> Iterator[Problem]:
    name = leaf.field.label["en"]
    if markdown.links and markdown.words < _FEW_WORDS:
        message = f"{name} holds links alone, and links die: say in words what stands there."
        yield _warning(leaf.pointer, "links-only", message)
    elif leaf.field.need != "may" and markdown.words < LEAST_WORDS and leaf.pointer.count("/") == 2:
        message = f"{name} has {markdown.words} words; from {LEAST_WORDS} on somebody elsewhere can follow."
        yield _warning(leaf.pointer, "short-text", message)


def _summary(leaf: Leaf) -> Iterator[Problem]:
    if len(leaf.text) > SUMMARY_CHARACTERS:
        message = f"The summary has {len(leaf.text)} characters; lists of other cities show {SUMMARY_CHARACTERS}."
        yield _warning(leaf.pointer, "long-summary", message)
    odd = sorted(set(_SHORT_FORM.findall(leaf.text)) - _KNOWN_FORMS)
    if odd:
        message = f"Readers elsewhere may not know {', '.join(odd[:5])}: write it out."
        yield _warning(leaf.pointer, "short-form", message)


def _html(leaf: Leaf, markdown: Markdown) -> Iterator[Problem]:
    found = next((each for each in (*markdown.html, *markdown.links) if _SCRIPT.search(each)), None)
    if found is not None:
        message = f"“{_cut(found)}” is script and never shown: take it out."
        yield Problem(leaf.pointer, "script", message)
    elif markdown.html:
        message = f"“{_cut(markdown.html[0])}” is HTML, and shown as text: write it as Markdown."
        yield _warning(leaf.pointer, "html", message)


def _private(at: str, addresses: Sequence[str], base_url: str) -> Iterator[Problem]:
    for address in addresses:
        if address.lower().startswith(("//", "http:", "https:")) and not is_good_link(address, base_url):
            message = f"“{_cut(address)}” cannot be reached from another city: link a public address."
            yield Problem(at, "private-link", message)


def urlsplit_or_none(address: str) -> str:
    """Give the scheme of an address; empty where it has none or is none."""
    try:
        return urlsplit(address).scheme
    except ValueError:
        return ""


def _traces(leaf: Leaf, *, is_public: bool) -> Iterator[Problem]:
    """Name what in a text is one person's; never repeat it."""
    for trace in personal.numbers_in(leaf.text):
        message = f"It looks like {trace.what} at character {trace.at + 1}: take it out."
        yield Problem(leaf.pointer, personal.REFUSED, message, "error" if is_public else "warning")
    for trace in personal.mobiles_in(leaf.text):
        message = f"It looks like {trace.what} at character {trace.at + 1}: name an office's number or mailbox."
        yield _warning(leaf.pointer, "personal-number", message)
    for found in _MAILBOX.finditer(leaf.text) if "@" in leaf.text else ():
        if persons.is_personal_mailbox(found.group()):
            message = f"It looks like a person's mailbox at character {found.start() + 1}: name an office's."
            yield _warning(leaf.pointer, "personal-mailbox", message)


def _values(table: KindTable, said: Said, today: str) -> Iterator[Problem]:
    review = said.get("review")
    if isinstance(review, str) and table.field("review") and review < today[: len(review)]:
        yield _warning("/review", "review-due", f"The review was due {review}: look at it again, and set the next one.")
    for name in ("issued", "modified"):
        value = said.get(name)
        if isinstance(value, str) and value > today[: len(value)]:
            yield _warning(f"/{name}", "in-the-future", f"{value} is yet to come.")
    closes = said.get("closes")
    if isinstance(closes, str) and said.get("status") == "open" and closes < today[: len(closes)]:
        yield _warning("/closes", "closed", f"It is open and was to close {closes}: say how it stands, or another day.")
    yield from _words(table, said)


def _words(table: KindTable, said: Said) -> Iterator[Problem]:
    """Name a list that was written as one text."""
    for field in table.fields:
        values = said.get(field.name)
        if field.form != "text" or not field.many or not isinstance(values, list | tuple) or len(values) != 1:
            continue
        for text in values[0].values() if isinstance(values[0], Mapping) else ():
            if isinstance(text, str) and "," in text:
                message = f"“{_cut(text)}” is one of {in_sentence(field.label['en'])}: write several as [one, another]."
                yield _warning(pointer(f"/{field.name}", 0), "one-of-many", message)


def contacts(iri: str, payload: bytes) -> Iterator[Problem]:
    """Name a contact that is a person: people change their work, and their names are personal data."""
    begin = f"<{iri}#contact"
    about = [split(line) for line in payload.decode().split("\n") if begin in line]
    if persons.reduce(f"<{iri}>", about)[1]:
        message = "The contact seems to be a person: name a team and its mailbox, which outlast people."
        yield _warning("/contact", "personal-contact", message)


class Known:
    """What is known here of other records; asks about each once, so it lives no longer than one publication.

    `coming` are the descriptions that are published together, by address: they count instead of what is held.
    `restricted` are the collections that not everyone may read, by name.
    """

    def __init__(
        self,
        shelf: Shelf,
        base_url: str,
        coming: Mapping[str, Callable[[], Said]] | None = None,
        restricted: AbstractSet[str] = frozenset(),
    ) -> None:
        self.shelf = shelf
        self.base_url = base_url
        self.coming = coming or {}
        self.restricted = restricted
        self._held: dict[str, Held | None] = {}
        self._origins: dict[str, list[tuple[str, str]]] = {}

    def by_iri(self, iri: str) -> Held | None:
        """Find a record, ours or mirrored."""
        if iri not in self._held:
            self._held[iri] = self.shelf.by_iri(iri) or self._at(iri)
        return self._held[iri]

    def _at(self, address: str) -> Held | None:
        """Find a record of ours by the address of its page: what a source describes keeps the IRI that it has there."""
        plural, _, slug = address.removeprefix(f"{self.base_url}/").partition("/")
        ours = address.startswith(f"{self.base_url}/") and plural in PLURALS
        return self.shelf.record(PLURALS[plural], slug) if ours else None

    def origins(self, table: KindTable, iri: str) -> list[tuple[str, str]]:
        """Give the links by which a record follows from others; `table` is of what is coming."""
        if iri not in self._origins:
            held, coming = self.by_iri(iri), self.coming.get(iri)
            kind = TABLES.get(held.kind) if held and held.kind in _ADOPTING else None
            if coming is not None:
                self._origins[iri] = _adopted(table, coming())
            else:
                self._origins[iri] = (
                    _adopted(kind, said_in(kind, held.iri, self.shelf.payload(held))) if held and kind else []
                )
        return self._origins[iri]


def links(table: KindTable, iri: str, said: Said, known: Known, *, is_public: bool) -> Iterator[Problem]:
    """Look where links to records lead: to nothing here or for everyone, to a record of another kind, in a circle.

    What is found is for our own staff, who see every record: it tells that there is one in a restricted collection.
    """
    for name, target in links_in(table, said):
        field = _field_at(table, name)
        place = f"/{name.partition('.')[0]}"
        if target == iri:
            yield Problem(place, "circle", "It points to itself: name the record that it is about.")
            continue
        held = known.by_iri(target)
        if held is None and target not in known.coming and target.startswith(f"{known.base_url}/"):
            yield _warning(place, "unknown-record", f"There is no record {target} here (yet).")
        elif held is not None and held.kind in KINDS and held.kind not in field.to:
            wanted = " or ".join(field.to)
            yield _warning(place, "other-kind", f"{target} is a {held.kind}; {field.label['en']} points to a {wanted}.")
        if is_public and held is not None and held.collection in known.restricted and target not in known.coming:
            message = f"{target} is not for everyone: readers get its address and nothing behind it. Leave it out?"
            yield _warning(place, "restricted-record", message)
    if table.kind in _ADOPTING:
        yield from _circles(table, iri, said, known)


def _field_at(table: KindTable, name: str) -> Field:
    fields: Sequence[Field] = table.fields
    found = None
    for part in name.split("."):
        found = next(each for each in fields if each.name == part)
        fields = found.fields
    assert found is not None  # noqa: S101  (links_in names fields of the table)
    return found


def _circles(table: KindTable, iri: str, said: Said, known: Known) -> Iterator[Problem]:
    """Follow adoptions from record to record, as far as they are held here, until one leads back."""
    for start, first in _adopted(table, said):
        seen, waiting = {first}, [(first, first)]
        while waiting and len(seen) < MOST_STEPS:
            record, path = waiting.pop()
            for _, target in known.origins(table, record):
                if target == iri:
                    message = f"Adoptions lead back to this one: {path} → {iri}. Take one of them out."
                    yield Problem(f"/{start}", "circle", message)
                    return
                if target not in seen:
                    seen.add(target)
                    waiting.append((target, f"{path} → {target}"))


def _adopted(table: KindTable, said: Said) -> list[tuple[str, str]]:
    """Give the links by which a record follows from another."""
    return [
        (name, target) for name, target in links_in(table, said) if _field_at(table, name).term == PROV.wasDerivedFrom
    ]


def _base(tag: str) -> str:
    return tag.partition("-")[0]


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _warning(at: str, code: str, message: str) -> Problem:
    return Problem(at, code, message, "warning")
