"""The report of a verification: every finding, what is doubted, and the verdict that follows; to people and programs.

Refuted if anything does not hold; incomplete, and so not proven, if something that would prove it is not there: a key,
an agreement, an enclosed receipt. What is no export of evidence at all is no evidence that was refuted: that is wrong
use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from node.federation.evidence.found import Finding, finding
from node.federation.evidence.statements import Statement
from node.federation.signing.integrity import Json

Verdict = Literal["proven", "refuted", "no bundle", "incomplete"]
EXIT: Mapping[Verdict, int] = {"proven": 0, "refuted": 1, "no bundle": 2, "incomplete": 3}


@dataclass(slots=True)
class Report:
    """What was found. `holds` None is said of what the file cannot tell; `doubts` are why it is not proven."""

    by: str = ""
    is_bundle: bool = True
    statements: list[Statement] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unpinned: list[tuple[str, str]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def doubt(self, code: str, *, sentence: str = "", **values: str) -> None:
        """Say that something is not proven, and so the whole is not; a sentence where there is no code."""
        doubted = finding(code, values, holds=None) if code else Finding(None, sentence)
        if doubted.sentence not in self.doubts:
            self.doubts.append(doubted.sentence)
            self.findings.append(doubted)

    def say(self, code: str, *, holds: bool | None = True, **values: str) -> None:
        """Say that something holds, does not, or cannot be told."""
        self.findings.append(finding(code, values, holds=holds))

    def add(self, sentence: str, *, holds: bool | None) -> None:
        """Say it in words of its own, which have no translation."""
        self.findings.append(Finding(holds, sentence))

    @property
    def verdict(self) -> Verdict:
        """Give the verdict."""
        if not self.is_bundle:
            return "no bundle"
        if any(each.holds is False for each in self.findings):
            return "refuted"
        if self.doubts:
            return "incomplete"
        return "proven" if self.statements else "refuted"

    @property
    def exit_code(self) -> int:
        """Give the exit code: 0 proven, 1 refuted, 2 no export of evidence, 3 incomplete."""
        return EXIT[self.verdict]

    @property
    def reason(self) -> str:
        """Give the first sentence that does not hold, else the first doubt; empty if there is neither."""
        wrong = (each.sentence for each in self.findings if each.holds is False)
        return next(chain(wrong, self.doubts), "")

    def document(self) -> Json:
        """Give it as JSON values."""
        found = [{"holds": each.holds, "sentence": each.sentence} for each in self.findings]
        told = [{"record": each.record, "kind": each.kind, "statement": each.document} for each in self.statements]
        return {
            "by": self.by,
            "verdict": self.verdict,
            "reason": self.reason,
            "findings": found,
            "unpinned": [{"city": city, "fingerprint": fingerprint} for city, fingerprint in self.unpinned],
            "statements": told,
        }

    def lines(self) -> list[str]:
        """Say it to people: a sentence a line, and the verdict last."""
        marks = {True: "holds", False: "DOES NOT HOLD", None: "not known"}
        if not self.is_bundle:
            return [self._last()]
        return [*(f"{marks[each.holds]}: {each.sentence}" for each in self.findings), self._last()]

    def _last(self) -> str:
        if self.verdict in ("refuted", "no bundle"):
            return f"{self.verdict}: {self.reason or 'there is no statement in it.'}"
        if self.verdict == "incomplete":
            return f"not proven: {self.reason}"
        told = f"proven: {len(self.statements)} statement{'s' if len(self.statements) > 1 else ''} of {self.by}"
        if not self.unpinned:
            return told
        which = ", ".join(f"{city}={fingerprint}" for city, fingerprint in self.unpinned)
        return f"{told}, if these are the cities' fingerprints: {which}. Compare them by another way, or give --key."
