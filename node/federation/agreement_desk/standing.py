"""What stands open for a person's yes, and the digest that names exactly what they read.

Two persons may look at the same terms while a third changes them: whoever says yes says it to a digest, and another one
that stands by then refuses it. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from node.errors import Conflict
from node.federation.agreement_desk.drafting import Words
from node.federation.agreement_desk.finder import Found


def to_approve(found: Found) -> list[tuple[str, str]]:
    """Name what can be approved, and the digest of its terms."""
    talks = [(each.pid, each.terms) for each in found.negotiations if not each.is_final]
    return [*talks, *((each.id, each.terms) for each in found.drafts)]


def digest_of(waiting: Sequence[tuple[str, str]]) -> str:
    """Name exactly what was read: the digest of terms, or those of several joined by `+`."""
    return "+".join(digest for _, digest in waiting)


def check_read(waiting: Sequence[tuple[str, str]], terms: str) -> None:
    """Raise Conflict if what a person read, by its digest, is not what stands; nothing to compare passes."""
    if terms and terms != digest_of(waiting):
        raise Conflict(
            "The terms have changed since they were read.",
            fix="Read them again, then approve them.",
        ).on_page("no.agreement.changed")


def with_words(rules: Mapping[str, Any], about: Mapping[str, Any], words: Words) -> Words:
    """Give the words that stand, with what is said anew."""
    rules = rules if words.rules is None else words.rules
    return replace(words, rules=rules, about={**about, **words.about})
