"""Forms of words that can be said and read back: the grammar under the sentences of an agreement.

A *form* turns a value into words (`say`) and words into values (`read`). Reading gives every way it could be meant,
with where it ended; `only` keeps what says the very same words again and accepts it if that is one value. So a form
need not be clever in reading to be safe: a text that could mean two things is refused, never guessed at.
Nothing here knows what an agreement is; `wording` holds the words, `sentences` puts them together.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from node.errors import Malformed

T = TypeVar("T")

_CODE = r"\\u\{(10[0-9a-f]{4}|[0-9a-f]{1,5})\}"
_TAGGED = re.compile(rf"<((?:[^\\<>]|{_CODE})*)>")
_ESCAPE = re.compile(_CODE)
_SLOT = re.compile(r"\{([A-Za-z_]+)\}")


class Form(Protocol[T]):
    """A way to say values of one kind."""

    def say(self, value: T) -> str | None:
        """Give the words, or nothing if this form cannot say the value."""
        ...

    def read(self, text: str, at: int) -> Iterator[tuple[T, int]]:
        """Give every value that `text` may say from `at` on, each with where its words end."""
        ...


@dataclass(frozen=True)
class Pattern(Generic[T]):
    """Values whose words follow a regular expression; `write` and `parse` may decline by giving nothing."""

    words: re.Pattern[str]
    write: Callable[[T], str | None]
    parse: Callable[[re.Match[str]], T | None]

    def say(self, value: T) -> str | None:
        """Give the words, if they read back as the same value."""
        text = self.write(value)
        found = self.words.fullmatch(text) if text is not None else None
        return text if found is not None and self.parse(found) == value else None

    def read(self, text: str, at: int) -> Iterator[tuple[T, int]]:
        """Give the longest match, if it says a value."""
        found = self.words.match(text, at)
        value = self.parse(found) if found is not None else None
        if found is not None and value is not None:
            yield value, found.end()


@dataclass(frozen=True)
class Named:
    """Values with a name in the language; the name stands in quotation marks, so that it cannot run into the text."""

    names: Mapping[str, str]
    values: Mapping[str, str]
    quotes: tuple[str, str]

    @classmethod
    def of(cls, names: Mapping[str, str], quotes: tuple[str, str]) -> "Named":
        """Keep the names that only one value has and that contain no quotation mark; the others are not used."""
        said = list(names.values())
        clean = {
            value: name
            for value, name in names.items()
            if name and said.count(name) == 1 and not set("".join(quotes)) & set(name) and name.isprintable()
        }
        return cls(clean, {name: value for value, name in clean.items()}, quotes)

    def say(self, value: str) -> str | None:
        """Give the name in quotation marks."""
        name = self.names.get(value)
        return None if name is None else f"{self.quotes[0]}{name}{self.quotes[1]}"

    def read(self, text: str, at: int) -> Iterator[tuple[str, int]]:
        """Give the value of the name that stands in quotation marks."""
        if text.startswith(self.quotes[0], at):
            end = text.find(self.quotes[1], at + 1)
            value = self.values.get(text[at + 1 : end]) if end > 0 else None
            if value is not None:
                yield value, end + len(self.quotes[1])


@dataclass(frozen=True)
class Tagged:
    """An exact text in angle brackets, after the name it is known by, if it has one: `Helsinki <https://…>`."""

    names: Mapping[str, str]

    def say(self, value: str) -> str | None:
        """Give the text in angle brackets; what could end it early or turn the line about is escaped."""
        exact = f"<{''.join(_escaped(one) for one in value)}>"
        name = self.names.get(value, "")
        return f"{name} {exact}" if name else exact

    def read(self, text: str, at: int) -> Iterator[tuple[str, int]]:
        """Give the text in angle brackets at `at`, or behind one of the names."""
        starts = [at] + [at + len(name) + 1 for name in set(self.names.values()) if text.startswith(f"{name} <", at)]
        for start in starts:
            found = _TAGGED.match(text, start)
            if found is not None:
                yield _ESCAPE.sub(lambda one: chr(int(one[1], 16)), found[1]), found.end()


def _escaped(one: str) -> str:
    return one if one.isprintable() and one not in "\\<>" else f"\\u{{{ord(one):x}}}"


@dataclass(frozen=True)
class First(Generic[T]):
    """The first of several forms that can say the value; read by any of them."""

    forms: Sequence[Form[T]]

    def say(self, value: T) -> str | None:
        """Give the words of the first form that has some."""
        return next((said for form in self.forms if (said := form.say(value)) is not None), None)

    def read(self, text: str, at: int) -> Iterator[tuple[T, int]]:
        """Give what any form reads."""
        for form in self.forms:
            yield from form.read(text, at)


@dataclass(frozen=True)
class Listed(Generic[T]):
    """One or more values: `A`, `A or B`, `A, B or C`."""

    form: Form[T]
    last: str

    def say(self, value: tuple[T, ...]) -> str | None:
        """Give the list; nothing for an empty one."""
        said = [words for one in value if (words := self.form.say(one)) is not None]
        if not said or len(said) != len(value):
            return None
        return said[0] if len(said) == 1 else ", ".join(said[:-1]) + self.last + said[-1]

    def read(self, text: str, at: int) -> Iterator[tuple[tuple[T, ...], int]]:
        """Give lists of every length that stand here; without recursion, since a stranger's list may be long."""
        begun: list[tuple[tuple[T, ...], int]] = [((one,), end) for one, end in self.form.read(text, at)]
        while begun:
            values, end = begun.pop()
            if len(values) == 1:
                yield values, end
            if text.startswith(self.last, end):
                yield from (((*values, one), to) for one, to in self.form.read(text, end + len(self.last)))
            if text.startswith(", ", end):
                begun.extend(((*values, one), to) for one, to in self.form.read(text, end + 2))


@dataclass(frozen=True)
class Numbered(Generic[T]):
    """Values behind marks: `(a) A, (b) B and (c) C`; `marks` gives the mark of a number, from 1."""

    form: Form[T]
    marks: Callable[[int], str]
    between: str
    last: str

    def say(self, value: tuple[T, ...]) -> str | None:
        """Give the list; nothing for an empty one."""
        text = ""
        for number, one in enumerate(value, 1):
            words = self.form.say(one)
            if words is None:
                return None
            joint = "" if number == 1 else self.last if number == len(value) else self.between
            text += f"{joint}({self.marks(number)}) {words}"
        return text or None

    def read(self, text: str, at: int) -> Iterator[tuple[tuple[T, ...], int]]:
        """Give lists of every length that stand here."""
        begun: list[tuple[tuple[T, ...], int]] = [((), at)]
        while begun:
            values, end = begun.pop()
            if values:
                yield values, end
            for joint in {self.between, self.last} if values else {""}:
                start = f"{joint}({self.marks(len(values) + 1)}) "
                if text.startswith(start, end):
                    begun.extend(((*values, one), to) for one, to in self.form.read(text, end + len(start)))


@dataclass(frozen=True)
class Exact:
    """One fixed text, whose value is nothing."""

    words: str

    def say(self, value: object) -> str | None:  # noqa: ARG002 - there is one thing to say
        """Give the text."""
        return self.words

    def read(self, text: str, at: int) -> Iterator[tuple[object, int]]:
        """Give nothing, where the text stands."""
        if text.startswith(self.words, at):
            yield None, at + len(self.words)


@dataclass(frozen=True)
class Phrase:
    """Words with places in braces; each place is filled by a form of its own."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, words: str) -> "Phrase":
        """Split at the places: odd parts are their names."""
        return cls(tuple(_SLOT.split(words)))

    def say(self, forms: Mapping[str, Form[Any]], values: Mapping[str, Any]) -> str | None:
        """Put each value's words in its place; nothing if a form cannot say its value."""
        said: list[str] = []
        for number, part in enumerate(self.parts):
            words = forms[part].say(values.get(part)) if number % 2 else part
            if words is None:
                return None
            said.append(words)
        return "".join(said)

    def read(
        self, forms: Mapping[str, Form[Any]], text: str, at: int, part: int = 0
    ) -> Iterator[tuple[dict[str, Any], int]]:
        """Give every filling with which these words stand at `at`."""
        if part == len(self.parts):
            yield {}, at
        elif part % 2 == 0:
            if text.startswith(self.parts[part], at):
                yield from self.read(forms, text, at + len(self.parts[part]), part + 1)
        else:
            for value, end in forms[self.parts[part]].read(text, at):
                for rest, to in self.read(forms, text, end, part + 1):
                    yield {self.parts[part]: value} | rest, to


def only(form: Form[T], text: str, *, fix: str) -> T:
    """Read a whole text that can mean one thing alone.

    Raises:
        Malformed: Nothing that the form says is this text, or two different values are.
    """
    meant: list[T] = []
    for value, end in form.read(text, 0):
        if end == len(text) and value not in meant and form.say(value) == text:
            meant.append(value)
    if len(meant) != 1:
        why = "says nothing that a rule can say" if not meant else "could mean two things"
        raise Malformed(
            f"This sentence {why}: {text[:200]}",
            fix=fix,
        ).on_page("no.agreement.sentence", field="sentences", text=text[:200])
    return meant[0]
