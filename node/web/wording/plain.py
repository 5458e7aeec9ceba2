"""Times and sentences as they go out to everybody.

A time for programs is ISO 8601 in UTC, to the second. A sentence that was stored for the city's own people may name
credentials in an address and folders of this machine; both are taken out first. Pure.
"""

import re
from datetime import UTC, datetime

_ADDRESS = re.compile(r"(https?://)(?:[^\s/@]*@)?([^\s?#]*)(?:[?#]\S*)?")
_FILE = re.compile(r"(?<![\w:/.])/(?:[\w.+@-]+/)+")


def public(text: str) -> str:
    """Take out of a sentence what is nobody's business: credentials and queries of addresses, folders of files."""
    return _FILE.sub("", _ADDRESS.sub(r"\1\2", text))


def iso(ms: int | None) -> str | None:
    """Write a time for programs; nothing for none."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else None
