"""Findings as people read them: the property by its name, what to do in their language, no minted names.

The stored message is a sentence in English for machines and publishers alike. What most findings ask for, to add
something or to write it otherwise, is said in the reader's own language; the others keep the English sentence, marked
as such. A message is told by its words, since a rehearsal keeps those alone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from node.records import Finding
from node.vocab import lists
from node.web.wording import labels
from node.web.wording.graph import compact
from node.web.wording.words import words

_MINTED = re.compile(r"<?https?://[^\s<>\"']*/\.well-known/genid/[a-z0-9]+>?")
_TERM = re.compile(r" \([a-z-]+:[\w-]+\)")
_COUNTED = re.compile(r" Seen at (\d+) ([\w ]+)\.\Z")
# End of the key of the words -> what the message looks like, and what of it stands in the words.
_SAID = {
    "add.availability": re.compile(r"Add a planned availability\b[^.]*\."),
    "add": re.compile(r"Add (?:an?|the|at least) [^.]*\."),
    "said.format-unknown": re.compile(r"(['\"])(?P<value>.+)\1 is no format of the EU's list\. Write one, as CSV\."),
    "said.format-from-address": re.compile(
        r"The format was told from the file's ending \.(?P<value>\w+)\. Name it at the source\."
    ),
    "said.not-from-table": re.compile(r"Choose the [^:]+ from (?P<value>https?://\S+)\."),
    "said.not-an-iri": re.compile(r"Write the .+ as an IRI, not as text\."),
    "said.not-a-literal": re.compile(r"Write the .+ as text, not as an IRI\."),
    "said.language-tag-missing": re.compile(r"Give every .+ a language tag, such as @en\."),
    "said.datatype-wrong": re.compile(r"Write the .+ with the datatype (?P<value>[a-z]+:\w+)\."),
    "said.more-than-one": re.compile(r"Keep one .+ only\."),
}

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
    counted = _COUNTED.search(finding.message)
    bare = _TERM.sub("", told(finding.message[: counted.start()] if counted else finding.message))
    own = _in(reader, bare) if label and reader != "en" else ""
    lang = "en" if reader != "en" and not own else ""
    text = (own or bare) + (_places(reader if own else "en", *counted.groups()) if counted else "")
    term = compact(finding.path) if finding.path else ""
    return FindingView(label, term, finding.level, text, lang, finding.code)


def _in(reader: str, message: str) -> str:
    """Say in another language what is to be done; nothing where there are no words for it."""
    found = next(((key, match) for key, look in _SAID.items() if (match := look.fullmatch(message))), None)
    if not found:
        return ""
    return words(reader, f"findings.{found[0]}", availabilities=_availabilities(reader), **found[1].groupdict())


@cache
def _availabilities(reader: str) -> str:
    """List what a planned availability may be: how the reader calls it, and what to write."""
    return ", ".join(f"{each.label(reader)} ({each.code})" for each in lists.AVAILABILITIES)


def _places(reader: str, many: str, noun: str) -> str:
    return f" {words(reader, _NOUNS.get(noun.removesuffix('s'), 'findings.places'))}: {many}."
