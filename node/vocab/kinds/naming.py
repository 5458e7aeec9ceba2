"""What the address of something that is written here ends in: made of its title, in whatever script that is written.

Greek and Cyrillic are spelt in Latin letters, about as on road signs (`vocab/data/latin-letters.tsv`). Of a script
where that would be a guess a mark is left instead: the title's digest, always the same. Only what is begun gets its
address here; a record keeps its own for ever, so that a letter may be spelt better later.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path

from node.records import slug_of

_FILE = Path(__file__).parent.parent / "data" / "latin-letters.tsv"
_WORD = re.compile(r"[^\W_]+")
_MARK = 8
_BEFORE_A_MARK = 40
_MOST = 80


def name_for(title: str, kind: str) -> str:
    """Make the end of an address: the title's words, else its mark after what can be read of it, or after its kind."""
    return readable(title) or _marked(title, kind)


def readable(title: str) -> str:
    """Make it of the title's words alone; empty if most of its letters would be lost."""
    latin = _latin(title)
    kept = sum(each.isascii() and each.isalpha() for each in latin)
    lost = sum(each.isalnum() and not each.isascii() for each in latin)
    return slug_of(latin) if kept >= lost else ""


def name_of_key(key: str, kind: str) -> str:
    """Make it of what a record is known by elsewhere, no word of which is lost: others would have the rest."""
    if _is_whole(key):
        return slug_of(key)
    return slug_of(_latin(key)) if _is_whole(_latin(key)) else _marked(key, kind)


def free(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """Give the name itself, or with the first number after it that nobody has."""
    numbered = (f"{wanted[: _MOST - len(str(number)) - 1].rstrip('-')}-{number}" for number in count(2))
    return wanted if not is_taken(wanted) else next(each for each in numbered if not is_taken(each))


@cache
def _letters() -> Mapping[str, str]:
    lines = [line for line in _FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = (line.partition("\t") for line in lines[1:])
    return {letter: latin for letter, _, latin in rows}


def _latin(title: str) -> str:
    text = unicodedata.normalize("NFC", title).casefold()
    # Letters that bear a mark of their own, as й does, would be others without it.
    for letter, latin in _letters().items():
        if unicodedata.normalize("NFKD", letter) != letter:
            text = text.replace(letter, latin)
    text = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    for letter, latin in _letters().items():
        text = text.replace(letter, latin)
    return text


def _is_whole(text: str) -> bool:
    return all(slug_of(word) for word in _WORD.findall(text))


def _marked(title: str, kind: str) -> str:
    same = " ".join(unicodedata.normalize("NFC", title).casefold().split())
    mark = sha256(same.encode("utf-8", "surrogatepass")).hexdigest()[:_MARK]
    return f"{slug_of(_latin(title))[:_BEFORE_A_MARK].strip('-') or kind}-{mark}"
