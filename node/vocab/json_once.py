"""Keys that stand twice in one object of JSON: parsers keep the last of them and say nothing, and a value is lost.

Looks at text that a parser has found well-formed already, and keeps none of it. Pure; may be used by whoever reads
JSON that people write.
"""

import json
from collections import Counter
from typing import Any

from node.errors import Malformed


class _TwiceError(Exception):
    """Carries the key out of the parser."""


def refuse_twice(text: str, *, file: str = "") -> None:
    """Refuse a document in which a key stands twice in one object.

    Args:
        text: Well-formed JSON.
        file: What begins the message, such as `a.json: `.

    Raises:
        Malformed: A key does, which is named; or it is nested too deep to tell.
    """
    try:
        _DECODER.decode(text)
    except _TwiceError as error:
        raise Malformed(f"{file}The key “{error}” stands twice in one object.", fix="Keep one of them.") from None
    except RecursionError as error:
        raise Malformed(f"{file}It is nested too deep.") from error


def _once(pairs: list[tuple[str, Any]]) -> None:
    keys = {key for key, _ in pairs}
    if len(keys) < len(pairs):
        raise _TwiceError(next(key for key, number in Counter(key for key, _ in pairs).items() if number > 1)[:60])


# Numbers stay text: one with thousands of digits is no reason to stop.
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str)
