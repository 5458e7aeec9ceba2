"""What the kinds of sources are called at the desk: in the reader's language where we have words, else as adapters say.

Names of formats and programs stay as they are in every language; only what stands around them is said anew. An adapter
that somebody else brought is called what it calls itself.
"""

from collections.abc import Mapping

from node.web.wording.words import known, words


def said(kinds: Mapping[str, str], reader: str) -> dict[str, str]:
    """Give what each kind is called, by its code."""
    return {
        kind: words(reader, f"desk.kind.{kind}") if known(f"desk.kind.{kind}") else title
        for kind, title in kinds.items()
    }
