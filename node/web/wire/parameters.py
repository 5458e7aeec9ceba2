"""Which parameters an address may have, and how numbers in them are written: shared by all doors that read addresses.

A parameter that would be dropped silently gives a wrong answer to whoever wrote it, so an unknown one is refused with
the known ones; what advertisers and scripts hang on to addresses says nothing. Numbers are those of people and of
JavaScript, not of Python. Pure.
"""

import re
from collections.abc import Iterable

from node.errors import Malformed

_ADDED = re.compile(r"(?:utm|mtm|pk|_ga)_?\w*|fbclid|gclid|msclkid|_")
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,9}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][-+]?[0-9]{1,2})?")


def is_added(name: str) -> bool:
    """Tell whether a parameter was hung on to the address by a tracker or a script and says nothing."""
    return _ADDED.fullmatch(name) is not None


def check_known(names: Iterable[str], *known: str) -> None:
    """Refuse a parameter that is none of these. Raises Malformed."""
    unknown = next((name for name in names if name not in known and not is_added(name)), None)
    if unknown is not None:
        named = ", ".join(known)
        raise Malformed(
            f"There is no parameter {unknown[:40]!r} here.",
            fix=f"The parameters are: {named}.",
        ).on_page("refuse.unknown", name=unknown[:40], known=named)


def numbers_in(text: str) -> list[float]:
    """Read numbers between commas; none at all where one of them is no number.

    >>> numbers_in("24.8, -60,1e-7"), numbers_in("1_0,2"), numbers_in("nan")
    ([24.8, -60.0, 1e-07], [], [])
    """
    parts = [part.strip() for part in text.split(",")]
    return [float(part) for part in parts] if all(map(_NUMBER.fullmatch, parts)) else []
