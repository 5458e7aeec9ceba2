"""What somebody saw when they changed it, by a mark: so that an old page undoes nothing in silence.

A page that shows a thing to be changed sends its mark back with the form. Whoever writes compares it with the mark of
what stands, in the transaction that writes, unless nothing would change. No mark means that nobody looked first, as
commands do: nothing is asked. Pure.
"""

import hashlib
import json

from node.errors import Changed


def mark_of(*facts: object) -> str:
    """Name a state by the facts of it that a page shows: what JSON can write, and sets."""
    said = json.dumps(facts, ensure_ascii=True, default=sorted)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def check_mark(shown: str, *facts: object) -> None:
    """Make sure that what stands is what was shown. Raises Changed."""
    if shown and shown != mark_of(*facts):
        raise Changed(
            "Somebody has changed this since it was read; nothing was done.", fix="Read it again, then change it."
        ).on_page("no.stale")
