"""Which bytes a request asks for, and whether it holds those of the part as it stands: RFC 9110, 13 and 14.

Pure. One stretch of bytes is given, and the whole where a condition says that the caller's are of another version.
Several stretches are refused instead of half understood: they cost the origin much and a reader nothing to ask for in
turn.
"""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from node.errors import Changed, WrongRange
from node.federation.moving import Part

# A last byte far beyond the end is taken for the end (14.1.2); more digits than these Python reads for nobody.
_ONE = re.compile(r"(\d{0,4000})-(\d{0,4000})", re.ASCII)
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_FIX = "Ask for one stretch: Range: bytes=FIRST-LAST"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes from `begins` to before `ends`."""

    begins: int
    ends: int


def asked(header: str, size: int) -> Stretch | None:
    """Read a Range header; None where it asks in units that nobody here knows.

    Raises:
        WrongRange: It asks for several stretches, for none that there is, or in a way that cannot be read.
    """
    unit, mark, spec = header.partition("=")
    if not mark or unit.strip().lower() != "bytes":
        return None
    if "," in spec:
        raise WrongRange("One stretch of bytes is given at a time.", size=size, fix=_FIX)
    found = _ONE.fullmatch(spec.strip())
    if found is None or not (found[1] or found[2]):
        raise WrongRange("This Range cannot be read.", size=size, fix=_FIX)
    first, last = found[1], found[2]
    if not first:  # the last so many
        begins, ends = max(0, size - int(last)), size
    else:
        begins, ends = int(first), min(size, int(last) + 1) if last else size
    if begins >= ends:
        raise WrongRange(f"There are {size} bytes, and these are none of them.", size=size, fix=_FIX)
    return Stretch(begins, ends)


def is_same(if_range: str, part: Part) -> bool:
    """Tell whether a stretch may be given: what the caller has is of this version; strong tags alone (13.1.5)."""
    if not if_range or if_range == part.etag:
        return True
    return not if_range.startswith(('"', "W/")) and _ms(if_range) == part.modified_ms // 1000 * 1000


def has_it(if_none_match: str, part: Part) -> bool:
    """Tell whether the caller has this version already."""
    return if_none_match.strip() == "*" or any(tag == part.etag for _, tag in _TAG.findall(if_none_match))


def check_match(if_match: str, part: Part) -> None:
    """Raise Changed where the caller wants another version than there is."""
    tags = [tag for weak, tag in _TAG.findall(if_match) if not weak]
    if if_match and if_match.strip() != "*" and part.etag not in tags:
        raise Changed(f"{part.name} is another version by now.", fix="Look at the manifest, and begin again.")


def _ms(date: str) -> int:
    try:
        return round(parsedate_to_datetime(date).timestamp()) * 1000
    except (ValueError, OverflowError):
        return -1
