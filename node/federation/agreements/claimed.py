"""What a caller's token says, read for a question: which agreements it names, for what purposes, and narrowed to what.

A token is a party's own word, which can only take away: what it names under one agreement grants nothing under another,
and no way of narrowing it takes a prohibition away. The purposes that it names bind the caller wherever they stand.
"""

from collections.abc import Sequence

from node.federation.agreements.bindings import CONSUMER, PROVIDER, Bound
from node.federation.answers import NOT_IN_TOKEN, OTHER_DIGEST, Ask, Details

_NO_PURPOSE = ("",)


def by_program(bound: Bound, action: str, purpose: str, recipient: str) -> Ask:
    """Ask what a program under an agreement may do with the first of the things it covers."""
    asset = bound.covers[0]
    single = asset in bound.records
    return Ask(
        action,
        "" if single else asset,
        record=asset if single else "",
        role=PROVIDER if bound.agreement.role == PROVIDER else CONSUMER,
        recipient=recipient,
        details=[{"agreement": bound.iri, "purpose": purpose}],
        bound=True,
        named=bound.agreement.role == CONSUMER,
    )


def is_named(bound: Bound, ask: Ask) -> bool:
    """Tell whether the token names an agreement."""
    return any(detail["agreement"] == bound.iri for detail in ask.details)


def purposes_in(details: Details) -> Sequence[str]:
    """Give the purposes that a token names under any agreement; if it names none at all, that is not known."""
    if not details:
        return _NO_PURPOSE
    return tuple(dict.fromkeys(str(each["purpose"]) for each in details if each.get("purpose"))) or _NO_PURPOSE


def claimed(bound: Bound, ask: Ask) -> tuple[Sequence[str], str]:
    """Give the purposes that the token names under this agreement, none if it names none; or why it does not count."""
    purposes: list[str] = []
    named = False
    for detail in ask.details:
        if detail["agreement"] != bound.agreement.iri:
            continue
        named = True
        if detail.get("digest", bound.agreement.digest) != bound.agreement.digest:
            return (), OTHER_DIGEST
        actions, datasets = detail.get("actions"), detail.get("datasets")
        if actions is not None and ask.action not in actions:
            continue
        if datasets is None or ask.collection in datasets or ask.record in datasets:
            purposes.append(str(detail.get("purpose", "")))
    if named and not purposes:
        return (), NOT_IN_TOKEN
    return purposes or _NO_PURPOSE, ""
