"""Puts RDF/XML back into stripes by leaving out the text that stands where none may; runs in the child process only.

RDF/XML alternates between elements that are things and elements that are properties. Text beside child elements, or
beside a link, makes a parser give up the whole document for one careless record. The copy made here lacks that text
and is told in the findings; everything else is written as it was read. Documents with a document type never come here.
"""

from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat  # declarations, the only danger of expat, were refused before
from xml.sax.saxutils import escape, quoteattr

from node.vocab.notes import Notes

_THINGS, _THING, _PROPERTY, _LINK, _LITERAL = range(5)


def without_stray_text(path: Path, to: Path, notes: Notes) -> Path:
    """Write the copy and give its path.

    Raises:
        SyntaxError: It is not even well-formed.
    """
    with path.open("rb") as file, to.open("wb") as out:
        parser = expat.ParserCreate()
        copy = _Copy(out, parser, notes)
        parser.buffer_text = True
        parser.StartElementHandler = copy.start
        parser.EndElementHandler = copy.end
        parser.CharacterDataHandler = copy.text
        try:
            parser.ParseFile(file)
        except expat.ExpatError as error:
            raise SyntaxError(expat.ErrorString(error.code)) from error
    return to


class _Copy:
    """What is being written, and in which stripe."""

    def __init__(self, out: BinaryIO, parser: expat.XMLParserType, notes: Notes) -> None:
        self._out = out
        self._parser = parser
        self._notes = notes
        self._open: list[int] = []
        self._held = ""  # text of a property, until it is known whether it stands alone

    def start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._open[-1] if self._open else None
        self._release(alone=parent == _LITERAL)
        self._open.append(_stripe_of(parent, name, attributes))
        written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        self._write(f"<{name}{written}>")

    def end(self, name: str) -> None:
        self._release(alone=self._open.pop() in (_PROPERTY, _LITERAL))
        if self._open and self._open[-1] == _PROPERTY:
            self._open[-1] = _LINK  # it has a child now, so no text behind the child is its value
        self._write(f"</{name}>")

    def text(self, text: str) -> None:
        self._held += text

    def _release(self, *, alone: bool) -> None:
        """Write the text held back if it stands where text may; else only its line feeds: lines keep their numbers."""
        text, self._held = self._held, ""
        if alone or not text.strip():
            self._write(escape(text, {"\r": "&#13;"}))
            return
        # Not quoted: it may be somebody's name or address.
        line = self._parser.CurrentLineNumber
        self._notes.note("text-dropped", "", f"Up to line {line} stands text where RDF/XML has none; it was left out")
        self._write("\n" * text.count("\n"))

    def _write(self, text: str) -> None:
        self._out.write(text.encode())


def _stripe_of(parent: int | None, name: str, attributes: dict[str, str]) -> int:
    if parent is None:
        return _THINGS if name.rpartition(":")[2] == "RDF" else _THING
    if parent == _LITERAL:
        return _LITERAL
    if parent in (_THINGS, _PROPERTY, _LINK):
        return _THING
    kinds = {key.rpartition(":")[2]: value for key, value in attributes.items()}
    if "parseType" in kinds:
        return {"Literal": _LITERAL, "Resource": _THING}.get(kinds["parseType"], _LINK)
    return _LINK if "resource" in kinds or "nodeID" in kinds else _PROPERTY
