"""What the readers of strangers' documents say of what they mended: counted, so that a million faults stay short.

Used in the child process only. One finding per code and property, with its first case as the example and the number
of the others; past a bound further properties are only counted.
"""

from dataclasses import dataclass, field

from node.records import Finding

_MAX_FINDINGS = 100


@dataclass(slots=True)
class Report:
    """What a reader gives back."""

    triples: int = 0
    records: int = 0
    findings: list[Finding] = field(default_factory=list)
    incomplete: str = ""


class Notes:
    """Findings being counted."""

    def __init__(self) -> None:
        """Begin with none."""
        self._seen: dict[tuple[str, str], tuple[int, str]] = {}

    def note(self, code: str, path: str, message: str) -> None:
        """Count one case; the message of the first is kept, without its full stop."""
        key = (code, path)
        if key not in self._seen and len(self._seen) >= _MAX_FINDINGS:
            key = (code, "")
        count, first = self._seen.get(key, (0, message))
        self._seen[key] = (count + 1, first)

    def findings(self) -> list[Finding]:
        """Give the findings, in the order in which they were first met."""
        return [
            Finding(code, "repaired", path, f"{first}{f' (and {count - 1} more)' if count > 1 else ''}.")
            for (code, path), (count, first) in self._seen.items()
        ]


def shorten(value: str, limit: int = 120) -> str:
    """Cut a stranger's value for a message: one line, printable, at most `limit` characters."""
    cut = value[:limit] + ("…" if len(value) > limit else "")
    return "".join(c if c.isprintable() else "\ufffd" for c in cut)
