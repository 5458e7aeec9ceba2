"""Agreements between test cities without a negotiation: signed by both as the wire would have it, in both journals.

`agree` puts one in force; `change` lets one of the two suspend, resume or revoke it. Whoever tests the way there uses
the Dataspace Protocol; whoever tests what follows from an agreement uses this.
"""

import time
import uuid
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from node.federation.agreements.agreements import pair_collection
from node.federation.agreements.signing import Signing
from node.federation.agreements.text import compose, read_text

RESEARCH = "https://w3id.org/dpv#AcademicResearch"
SERVICES = "https://w3id.org/dpv#ImprovePublicServices"
MARKETING = "https://w3id.org/dpv#Marketing"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def atom(left: str, operator: str, right: str | list[str]) -> dict[str, Any]:
    """A constraint, with its operand in the spelling of our documents."""
    return {"leftOperand": f"odrl:{left}", "operator": operator, "rightOperand": right}


def permits(*actions: str, constraint: Sequence[dict[str, Any]] = (), duty: Sequence[dict[str, Any]] = ()) -> Any:
    """Permissions of these actions, all under the same conditions."""
    more: dict[str, Any] = {**({"constraint": list(constraint)} if constraint else {})}
    more |= {"duty": list(duty)} if duty else {}
    return {"permission": [{"action": a if a == "use" else f"odrl:{a}", **more} for a in actions]}


def signed(
    provider: Any, consumer: Any, covers: Sequence[str], rules: Any = None, *, at_ms: int = 0, **about: Any
) -> str:
    """The signed text of an agreement between two nodes."""
    at_ms = at_ms or now_ms()
    urls = [node.settings.base_url for node in (provider, consumer)]
    target = covers[0] if len(covers) == 1 else f"{urls[0]}/collections/declaration"
    text = compose(
        f"{urls[0]}/agreements/{uuid.uuid4()}",
        target,
        urls[0],
        urls[1],
        at_ms,
        {"title": "Between two cities", "covers": list(covers), **about},
        rules or permits("index", "read"),
    )
    hands = [
        Signing(node.keyring, url=url, federation=node.settings.federation)
        for node, url in zip((provider, consumer), urls, strict=True)
    ]
    return hands[1].countersign(hands[0].sign_as_assigner(text, at_ms), at_ms)[0]


def conclude(node: Any, text: str, *, at_ms: int = 0) -> None:
    """Let a node take an agreement in, as it does when a negotiation is finalized."""
    pairs, at_ms = node.federation.agreeing.pairs, at_ms or now_ms()
    with node.db.write() as tx:
        pairs.concluded(tx, SimpleNamespace(signed=text, message="", pid="none"), at_ms)
    pairs.sign(at_ms)


def agree(
    provider: Any,
    consumer: Any,
    *collections: str,
    rules: Any = None,
    records: Sequence[str] = (),
    at_ms: int = 0,
    **about: Any,
) -> str:
    """Put an agreement in force on collections of the provider (by name), or on single records; give its IRI."""
    base = provider.settings.base_url
    covers = [*(f"{base}/collections/{name}" for name in collections), *records]
    text = signed(provider, consumer, covers, rules, at_ms=at_ms, **about)
    for node in (provider, consumer):
        conclude(node, text, at_ms=at_ms)
    return read_text(text).iri


def change(node: Any, iri: str, state: str, *, reason: str = "", at_ms: int = 0) -> None:
    """Let one party say how it stands to an agreement from now on, in its own journal alone."""
    pairs, at_ms = node.federation.agreeing.pairs, at_ms or now_ms()
    with node.db.write() as tx:
        pairs.change(tx, iri, state, reason, at_ms)
    pairs.sign(at_ms)


def pair_of(node: Any, other: Any) -> str:
    """The name of a node's journal of its agreements with another."""
    return pair_collection(other.settings.base_url)


def peer(node: Any, name: str, url: str, state: str = "active") -> None:
    """Write a peer into the book, without asking it anything."""
    with node.db.write() as tx:
        tx.run(
            "INSERT INTO peer (name, url, fingerprint, state, added_at, approved_at) VALUES (?, ?, 'f', ?, 1, 1)",
            *(name, url, state),
        )


def stand_in(node: Any, url: str) -> Any:
    """A city that has no node here: it signs with the keys of the other, which nobody checks after the fact."""
    settings = SimpleNamespace(base_url=url, federation=node.settings.federation)
    return SimpleNamespace(settings=settings, keyring=node.keyring)


def agree_alone(
    node: Any,
    url: str,
    *collections: str,
    rules: Any = None,
    records: Sequence[str] = (),
    mirror: bool = False,
    **about: Any,
) -> str:
    """Put an agreement with a city that has no node here in force at one node; `mirror`: the other one grants."""
    other = stand_in(node, url)
    provider, consumer = (other, node) if mirror else (node, other)
    base = provider.settings.base_url
    text = signed(
        provider, consumer, [*(f"{base}/collections/{name}" for name in collections), *records], rules, **about
    )
    conclude(node, text)
    return read_text(text).iri
