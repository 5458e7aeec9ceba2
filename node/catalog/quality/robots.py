"""What an origin asks of robots: `robots.txt` read as RFC 9309 says, bounded, and nothing fetched here.

The group that names us counts, else the one for everybody; of the rules that match a path the longest wins, and an
allowance wins over an equally long refusal. `Crawl-delay` is no part of the standard, but who writes it means it.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit

PRODUCT = "citynode"
MAX_BYTES = 500 * 1024  # what the standard asks a reader to take at least
_MAX_RULES = 2_000
_MAX_PATTERN = 500
_MAX_DELAY_S = 600.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: whether what begins so may be asked for."""

    pattern: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one origin for us; without rules everything may be asked for."""

    rules: tuple[Rule, ...] = ()
    delay_s: float = 0.0

    def allows(self, url: str) -> bool:
        """Tell whether an address may be asked for."""
        parts = urlsplit(url)
        path = _plain((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        if path == "/robots.txt":
            return True
        found = [rule for rule in self.rules if _matches(rule.pattern, path)]
        return max(((len(rule.pattern), rule.allowed) for rule in found), default=(0, True))[1]


EVERYTHING = Robots()


@dataclass(slots=True)
class _Group:
    agents: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    delay_s: float = 0.0


def read(body: bytes) -> Robots:
    """Read a file; what makes no sense in it is passed over."""
    if len(body) >= MAX_BYTES:
        body = body[: body.rfind(b"\n", 0, MAX_BYTES) + 1]  # half a line would forbid more than was meant
    groups = _groups(body.decode("utf-8", "replace").removeprefix("\ufeff"))
    ours = [group for group in groups if PRODUCT in group.agents] or [group for group in groups if "*" in group.agents]
    rules = [rule for group in ours for rule in group.rules]
    return Robots(tuple(rules[:_MAX_RULES]), max((group.delay_s for group in ours), default=0.0))


def _groups(text: str) -> list[_Group]:
    groups: list[_Group] = []
    heading = False
    for line in text.splitlines():
        name, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        name = name.lower()
        if name == "user-agent":
            if not heading:
                groups.append(_Group())
            groups[-1].agents.append(value.lower().partition("/")[0])
            heading = True
        elif name in ("allow", "disallow", "crawl-delay") and groups:
            heading = False
            _add(groups[-1], name, value)
    return groups


def _add(group: _Group, name: str, value: str) -> None:
    if name == "crawl-delay":
        group.delay_s = min(float(value), _MAX_DELAY_S) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value) else 0.0
    elif value[:1] in ("/", "*") and len(value) <= _MAX_PATTERN:
        group.rules.append(Rule(_plain(value), allowed=name == "allow"))


def _plain(path: str) -> str:
    """Write a path one way: escapes that need none undone, one character per byte."""
    return unquote_to_bytes(path).decode("latin-1")


def _matches(pattern: str, path: str) -> bool:
    """Match from the beginning: `*` is anything, a `$` at the end the end. One walk, so no pattern can cost much."""
    ended = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at, last = len(first), others.pop() if ended and others else ""
    for piece in others:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if not ended:
        return True
    return path.endswith(last) and len(path) - len(last) >= at if "*" in pattern else len(path) == at
