"""Why something ended, as it was kept: a sentence in English, said in the reader's language where it is one of ours.

Runs and transfers keep one sentence, for commands and programs. What has words here is said by them; what follows it,
and what a source or another city said, stays as it was kept, and whoever shows that marks it as English. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from node.federation.answers import REQUEST_ANEW, WORDS
from node.web.wording.words import words

# How a run's sentence begins -> the end of the key of the words.
OF_RUNS: Mapping[str, str] = {
    "The source has not changed since the last complete run.": "unchanged",
    "An error of ours ended it. What was published before it stays.": "ours",
    "Interrupted by hand. What was published before stays.": "by_hand",
    "The run took longer than its deadline.": "late",
    "Somebody cancelled it. What was published before stays.": "cancelled",
    "It was called off before it began.": "called_off",
    "The process that ran it is gone. Run it again: nothing was lost.": "gone",
    "The source could not be read, so nothing was withdrawn.": "unread",
    "The walk was not complete, so nothing was withdrawn for missing in it.": "not_whole",
}
# Those that end in what did not hold, which a transfer does not say.
_OPEN = frozenset({"not-satisfied", "unknown"})


@dataclass(frozen=True, slots=True)
class Because:
    """A sentence in the reader's language, and what is left of the kept one; either may be empty."""

    own: str
    kept: str


def of_run(reason: str, reader: str) -> Because:
    """Say why a run ended as it did."""
    found = next((begin for begin in OF_RUNS if reason.startswith(begin)), "") if reader != "en" else ""
    if not found:
        return Because("", reason)
    return Because(words(reader, f"run.because.{OF_RUNS[found]}"), reason.removeprefix(found).strip())


def of_transfer(reason: str, reader: str) -> Because:
    """Say why a transfer stopped."""
    code = next((code for code, said in WORDS.items() if reason == f"{said} {REQUEST_ANEW}"), "")
    if reader == "en" or not code:
        return Because("", reason)
    why = words(reader, f"desk.agr.no.{code}")
    return Because(f"{why.rstrip(':') + '.' if code in _OPEN else why} {words(reader, 'desk.data.anew')}", "")
