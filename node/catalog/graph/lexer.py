"""Reads a SPARQL query as far as it must be understood before an engine sees it: its form, its dataset, what it hides.

No parser: the engine is one. Only the words of the language are told apart from strings, IRIs, comments, variables and
names, so that SERVICE is refused wherever an engine could take it for the keyword (engines differ, and some read
`trueSERVICE<…>` or `SERVICE:x` as such) and nowhere else. Where two readers could disagree about where a string or an
IRI ends, the query is refused and told how to write it. Pure; time grows with the length alone.
"""

import re
from dataclasses import dataclass
from typing import Literal

from node.errors import Malformed, TooLarge

Form = Literal["select", "ask", "construct", "describe"]
FORMS: dict[str, Form] = {"select": "select", "ask": "ask", "construct": "construct", "describe": "describe"}
UPDATES = frozenset(
    {"insert", "delete", "load", "clear", "drop", "create", "copy", "move", "add", "with", "using"}
)  # SPARQL 1.1 Update, 3
# Deeper or longer ones overflow the stack of engines, or take them seconds to read.
MAX_DEPTH = 100
MAX_TOKENS = 10_000

_WORD = r"[^\W\d_](?:[\w.\-·]*[\w\-·])?"
_LOCAL = r"(?:[\w.:\-·]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%])*"
_ESCAPED = r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
_TOKENS = re.compile(
    "|".join(
        (
            r"(?P<space>[\x00-\x20]+)",
            r"(?P<comment>#[^\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]*)",
            r'(?P<long>"""(?:[^"\\]|\\.|"(?!""))*"""|' + r"'''(?:[^'\\]|\\.|'(?!''))*''')",
            r'(?P<string>"(?:[^"\\\r\n]|\\.)*"|' + r"'(?:[^'\\\r\n]|\\.)*')",
            rf'(?P<iri><(?:[^\x00-\x20<>"{{}}|^`\\]|{_ESCAPED})*>)',
            r"(?P<variable>[?$]\w+)",
            rf"(?P<blank>_:{_LOCAL})",
            r"(?P<tag>@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?)",
            rf"(?P<name>(?:{_WORD})?:{_LOCAL})",
            r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)",
            rf"(?P<word>{_WORD})",
            r"(?P<open>[({\[])",
            r"(?P<close>[)}\]])",
            r"(?P<sign>[^\w\s\"'#\\])",
        )
    ),
    re.DOTALL,
)
_ESCAPE = re.compile(_ESCAPED)
# A name or word that begins so may be cut into a keyword and the rest by a reader that does not look for its end.
_GLUED = re.compile(r"(?:true|false|a)*service", re.IGNORECASE)
_IRI_BEGUN = re.compile(r"\w+:")
_DOTTED = re.compile(r"\.service\.*\Z", re.IGNORECASE)

_NO_SERVICE = "SERVICE is not taken here: this node asks no other endpoint for you."
_ASK_THERE = "Ask that endpoint yourself, or write such a name in full, as <IRI>, if it is only a prefix."


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of a query: its form, and whether it names its own dataset (FROM, FROM NAMED)."""

    form: Form
    has_dataset: bool


def read(query: str, *, max_bytes: int = 65_536) -> Question:
    """Look through a query.

    Args:
        query: SPARQL 1.1 Query.
        max_bytes: The longest that is taken, in UTF-8.

    Raises:
        TooLarge: It is longer, deeper or of more parts than is taken.
        Malformed: It is no query, asks for SERVICE, is an update, or readers could disagree about it.
    """
    if len(query.encode("utf-8", "replace")) > max_bytes:
        raise TooLarge(
            f"A query may have {max_bytes} bytes here.",
            fix="Ask in several queries.",
        ).on_page("no.sparql.long", most=max_bytes)
    _refuse_escapes(query)
    reader = _Reader(query)
    reader.run()
    if reader.form is None:
        raise Malformed(
            "This is no SPARQL query.",
            fix="Begin with SELECT, ASK, CONSTRUCT or DESCRIBE.",
        ).on_page("no.sparql.begin")
    return Question(reader.form, reader.has_dataset)


def _refuse_escapes(query: str) -> None:
    r"""Refuse `\u0022` and the like: some read them before they look for the ends of strings, some after."""
    for match in _ESCAPE.finditer(query):
        digits = match.group()[2:]
        number = int(digits, base=16)
        if 0xD800 <= number <= 0xDFFF or number > 0x10FFFF or (number < 0x80 and not chr(number).isalnum()):
            raise Malformed(
                f"The escape {match.group()} is not taken here.", fix=r"Write the character itself, or \" \\ \n \t."
            ).on_page("no.sparql.escape", text=match.group())


class _Reader:
    """One pass over the tokens."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._depth = 0
        self.form: Form | None = None
        self.has_dataset = False

    def run(self) -> None:
        at, count = 0, 0
        while at < len(self._query):
            match = _TOKENS.match(self._query, at)
            if match is None:
                raise self._unreadable(at)
            at, kind = match.end(), match.lastgroup or ""
            if kind == "comment" and self._query[at : at + 1] not in ("", "\r", "\n"):
                raise Malformed(
                    f"A comment holds {self._query[at]!r}, at which some readers end it.", fix="Leave that sign out."
                ).on_page("no.sparql.comment")
            if kind in ("space", "comment"):
                continue
            count += 1
            if count > MAX_TOKENS:
                raise TooLarge(
                    f"A query may have {MAX_TOKENS} words and signs here.", fix="Ask in several queries."
                ).on_page("no.sparql.words", most=MAX_TOKENS)
            self._take(kind, match.group(), at)
        if self._depth:
            raise Malformed("A bracket is not closed.", fix="Close every (, [ and {.").on_page("no.sparql.open")

    def _take(self, kind: str, text: str, end: int) -> None:
        if kind == "word":
            self._word(text)
        elif kind in ("name", "blank"):
            self._name(text)
        elif kind == "long" and self._query[end : end + 1] == text[-1]:
            raise Malformed(
                "A long string ends in four quotes.",
                fix='Write the last one of its text as \\".',
            ).on_page("no.sparql.quotes")
        elif text == "<" and _IRI_BEGUN.match(self._query, end):
            # Whoever reads this as an IRI with a space in it would see what we take for a comment behind its #.
            raise Malformed(
                "An IRI holds what none may hold.", fix="Encode it; put a space behind a < that compares."
            ).on_page("no.sparql.iri")
        elif kind in ("open", "close"):
            self._bracket(kind)

    def _word(self, text: str) -> None:
        word = text.lower()
        if "service" in word:
            raise Malformed(_NO_SERVICE, fix=_ASK_THERE).on_page("no.sparql.service")
        if self.form is None:
            self._beginning(word)
        elif word == "from":
            self.has_dataset = True

    def _beginning(self, word: str) -> None:
        """Read the first words: declarations, then the form."""
        if word in ("base", "prefix", "version"):
            return
        if word in UPDATES:
            raise Malformed(
                "Nothing can be changed here.",
                fix="Ask with SELECT, ASK, CONSTRUCT or DESCRIBE.",
            ).on_page("no.sparql.change")
        if word not in FORMS:
            raise Malformed(
                f"A query cannot begin with {word[:40]!r}.", fix="Begin with SELECT, ASK, CONSTRUCT or DESCRIBE."
            ).on_page("no.sparql.begin")
        self.form = FORMS[word]

    def _name(self, text: str) -> None:
        """Let names have the word in them, but not where a keyword could be cut off before or after it."""
        prefix, _, local = text.partition(":")
        if _GLUED.match(prefix) or _DOTTED.search(local):
            raise Malformed(_NO_SERVICE, fix=_ASK_THERE).on_page("no.sparql.service")

    def _bracket(self, kind: str) -> None:
        self._depth += 1 if kind == "open" else -1
        if self._depth > MAX_DEPTH:
            raise TooLarge(
                f"Brackets may stand {MAX_DEPTH} deep here.",
                fix="Nest less.",
            ).on_page("no.sparql.deep", most=MAX_DEPTH)
        if self._depth < 0:
            raise Malformed(
                "A bracket is closed that was not opened.", fix="Open every (, [ and { that is closed."
            ).on_page("no.sparql.closed")

    def _unreadable(self, at: int) -> Malformed:
        line = self._query.count("\n", 0, at) + 1
        if self._query[at] in "\"'":
            return Malformed(
                f"A string in line {line} is not closed.", fix='A string of several lines has """.'
            ).on_page("no.sparql.string", line=line)
        if self._query[at] == "\\":
            return Malformed(
                f"A backslash in line {line} stands outside a string.", fix="Write the character itself."
            ).on_page("no.sparql.backslash", line=line)
        return Malformed(
            f"Line {line} cannot be read at {self._query[at : at + 20]!r}.", fix="See the SPARQL 1.1 grammar."
        ).on_page("no.sparql.line", line=line, text=self._query[at : at + 20])
