"""Findings as people read them: the property by its name, what to do in their language, no minted names.

The stored message is a sentence in English for machines and publishers alike. What most findings ask for, to add
something, is said in the reader's own language; the others keep the English sentence, marked as such.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from node.records import Finding
from node.web.wording import labels
from node.web.wording.graph import compact
from node.web.wording.words import words

_MINTED = re.compile(r"<?https?://[^\s<>\"']*/\.well-known/genid/[a-z0-9]+>?")
_TERM = re.compile(r" \([a-z-]+:[\w-]+\)")
_ADD = re.compile(r"Add (?:an?|the|at least) [^.]*\.(?: Seen at (\d+) ([\w ]+)\.)?\Z")

# What a message counts -> the word for it.
_NOUNS = {
    "distribution": "get.caption", "organisation": "findings.organisations", "place": "findings.areas",
    "checksum": "findings.checksums", "contact": "findings.contacts", "period": "findings.periods",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding: `text` is in `lang` if that is not the page's."""

    label: str
    term: str
    level: str
    text: str
    lang: str
    code: str


def told(message: str) -> str:
    """Give a message without the names we minted for parts that had none."""
    return _MINTED.sub("a part without a name", message)


def views(findings: Iterable[Finding], reader: str) -> list[FindingView]:
    """Turn findings for a reader, in their order."""
    return [_view(finding, reader) for finding in findings]


def _view(finding: Finding, reader: str) -> FindingView:
    label = labels.property_label(finding.path, reader)
    english = _TERM.sub("", told(finding.message))
    own = _in(reader, english) if label and reader != "en" else ""
    lang = "en" if reader != "en" and not own else ""
    term = compact(finding.path) if finding.path else ""
    return FindingView(label, term, finding.level, own or english, lang, finding.code)


def _in(reader: str, message: str) -> str:
    """Say in another language that something is to be added, and at how many places; nothing if it is not that."""
    asked = _ADD.match(message)
    if asked is None:
        return ""
    many, noun = asked.groups()
    known = _NOUNS.get((noun or "").removesuffix("s"), "findings.places")
    places = f" {words(reader, known)}: {many}." if many else ""
    return words(reader, "findings.add") + places
