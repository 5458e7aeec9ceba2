"""Making drafts: from a template and its values, from a file, from another city's offer, or from what stands already.

Whatever it begins with ends in a target, rules and what stands beside them, read strictly once, so that a draft can be
shown, approved and proposed as it is. A template for both directions (the Digital Declaration) gives two drafts, the
parts of one document. Nothing is written here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol
from urllib.parse import unquote

from node.errors import Malformed, NotFound
from node.federation.agreement_desk.drafts import Draft
from node.federation.agreements.follower import term_of
from node.federation.agreements.text import checked_id, read_about
from node.federation.peers.store import Peer
from node.federation.policy import read_rules, write_rules
from node.federation.policy.clauses import checked_language
from node.federation.policy.quantities import instant_text
from node.federation.policy.templates import YEARS, Template, fill, templates
from node.federation.policy.values import time_ms, time_text

Json = Mapping[str, Any]
PROVIDER, CONSUMER = "provider", "consumer"
ROLES = (PROVIDER, CONSUMER)
# Templates for both directions at once.
MUTUAL = frozenset({"digital-declaration"})
BUNDLE = {"digital-declaration": "declaration"}
_ENDS = ("lt", "lteq")


class Book(Protocol):
    """The book of peers."""

    def get(self, name: str) -> Peer:
        """Give a peer. Raises NotFound."""


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wants an agreement to say. One of template, rules and offer says how it begins.

    Args:
        template: Name of a template, with `values` for its places.
        values: By the places' names.
        rules: Permissions, prohibitions, obligations, as they stand in our documents.
        about: What stands beside them.
        until: The last day of every permission, or the moment at which it ends.
        title, review, note: Instead of what is there.
        contacts: Role mailboxes and the like, instead of what is there.
        public: Whether both cities publish it; None leaves what is there.
        lang: The language of what a template writes itself.
    """

    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    rules: Json | None = None
    about: Json = field(default_factory=dict)
    until: str = ""
    title: str = ""
    review: str = ""
    note: str = ""
    contacts: Sequence[str] = ()
    public: bool | None = None
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class Wish:
    """A draft that somebody wants: with whom, in which role, of what. Names of collections, or IRIs.

    `theirs` are collections of the other city, for the direction in which it provides; `offer` is the IRI of an offer
    of theirs, asked for as it stands; `known` is an IRI that was found to be theirs, whatever address it has.
    """

    peer: str
    words: Words
    role: str = ""
    target: str = ""
    covers: Sequence[str] = ()
    theirs: Sequence[str] = ()
    replaces: str = ""
    offer: str = ""
    known: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a city has that agreements may cover: IRIs of its collections, the public ones among them.

    What a node alone writes (`records.is_nodes_own`) is no subject of an agreement, and not here.
    """

    all: Sequence[str]
    public: Sequence[str]


class Drafting:
    """Makes drafts. Pure but for the book and the lists it is given."""

    def __init__(
        self,
        *,
        base_url: str,
        peers: Book,
        ours: Callable[[], Held],
        theirs: Callable[[str], Sequence[str]],
        check: Callable[[str, Sequence[str]], object],
        mirrored: Callable[[str, str], bool],
        new_id: Callable[[], str],
    ) -> None:
        """Draft as the city at `base_url`.

        Args:
            base_url: Our own.
            peers: The book.
            ours: Lists our collections.
            theirs: Lists the public ones of a peer by name.
            check: Raises unless a target and what it covers are ours.
            mirrored: Tells whether a peer's mirror holds a record, by the peer's name and the record's IRI.
            new_id: Gives a fresh name.
        """
        self._base = base_url
        self._peers = peers
        self._ours = ours
        self._theirs = theirs
        self._check = check
        self._mirrored = mirrored
        self._new_id = new_id

    def choices(self, peer: str) -> tuple[Sequence[str], Sequence[str]]:
        """Give the IRIs of what a draft for a peer may cover: our collections, and the public ones of that city."""
        return self._ours().all, self._theirs(peer)

    def drafts(self, wish: Wish, now_ms: int) -> list[Draft]:
        """Make the drafts that a wish asks for: one, or two of a template for both directions.

        Raises:
            NotFound: There is no such peer, template or collection of ours.
            Malformed: A value, a rule or a name cannot be read.
        """
        peer = self._peers.get(wish.peer)
        template = template_named(wish.words.template) if wish.words.template else None
        both = template is not None and short(template.id) in MUTUAL and not wish.role and not wish.replaces
        document = f"{self._base}/declarations/{self._new_id()}" if both else ""
        about, rules = written(wish.words, template, now_ms)
        roles = ROLES if both else (wish.role or PROVIDER,)
        return [self._draft(wish, peer, role, (about, rules), document, now_ms) for role in roles]

    def _draft(self, wish: Wish, peer: Peer, role: str, said: tuple[Json, Json], document: str, now_ms: int) -> Draft:
        if role not in ROLES:
            raise Malformed(
                f"There is no role {role[:40]!r}.", fix="Say provider (we grant) or consumer (we ask)."
            ).on_page("desk.agr.fault.role", field="role")
        assigner = self._base if role == PROVIDER else peer.url
        covers = self._covers(wish, peer, role, said[0])
        target = self._target(wish, assigner, covers, wish.words.template)
        if role == PROVIDER:
            self._check(target, covers)
        else:
            self._check_theirs(wish, peer, target, covers)
        about = {**said[0], **({"partOf": document} if document else {})}
        about |= {"replaces": wish.replaces} if wish.replaces else {}
        about = {key: value for key, value in about.items() if key != "covers"}
        about |= {"covers": covers} if covers != [target] else {}
        return Draft(
            id=self._new_id(),
            peer=peer.name,
            role=role,
            target=target,
            covers=tuple(covers),
            about=read_about(about),
            rules=said[1],
            created_by=wish.by,
            created_at=now_ms,
            offer=wish.offer,
        )

    def _covers(self, wish: Wish, peer: Peer, role: str, about: Json) -> list[str]:
        """Give the IRIs of what is covered, in the order they were named."""
        if role == PROVIDER:
            held = self._ours()
            named = [iri_in(self._base, each) for each in wish.covers] or list(about.get("covers") or [])
            if not named and not wish.target:
                named = list(held.public)
            missing = [each for each in named if each.startswith(f"{self._base}/collections/") and each not in held.all]
            if missing:
                raise NotFound(
                    f"This city has no collection {missing[0]}.", fix="See: citynode collections list"
                ).on_page("no.agreement.collection", name=missing[0])
        else:
            named = [iri_in(peer.url, each) for each in wish.theirs] or list(about.get("covers") or [])
            if not named and not wish.target:
                named = list(self._theirs(peer.name))
        found = list(dict.fromkeys(named)) or ([self._whole(wish, peer, role)] if wish.target else [])
        if not found:
            raise Malformed(
                "The draft covers nothing.", fix="Name collections: --cover NAME, or --their NAME."
            ).on_page("no.agreement.covers")
        return found

    def _whole(self, wish: Wish, peer: Peer, role: str) -> str:
        return wish.target if wish.offer else iri_in(self._base if role == PROVIDER else peer.url, wish.target)

    def _check_theirs(self, wish: Wish, peer: Peer, target: str, covers: Sequence[str]) -> None:
        """Malformed unless everything is named as something of that city: it can grant nothing else.

        What it harvested keeps the address of a portal, and is that city's as far as its own journal says so.
        """
        for iri in (target, *covers):
            # What its own catalogue names is named by it, and other connectors have names without addresses.
            shown = bool(wish.offer) and iri == target
            checked_id(iri)
            if not (shown or iri == wish.known or _lies_below(iri, peer.url) or self._mirrored(peer.name, iri)):
                raise Malformed(
                    f"{iri[:200]} is nothing that we know of {peer.url}.",
                    fix="Name a collection or a record of that city, or mirror the collection it stands in first.",
                ).on_page("no.agreement.unknown", name=iri[:200], url=peer.url)

    @staticmethod
    def _target(wish: Wish, assigner: str, covers: Sequence[str], template: str) -> str:
        """Give what it is about: the one thing that is covered, or a bundle that stands for several."""
        if wish.target:
            return wish.target if wish.offer else iri_in(assigner, wish.target)
        name = template.partition("/")[0]
        if name in BUNDLE or len(covers) > 1:
            return f"{assigner}/collections/{BUNDLE.get(name, 'bundle')}"
        return covers[0]


def _lies_below(iri: str, base_url: str) -> bool:
    """Tell whether something is named by an address of a city's own."""
    steps = unquote(iri.removeprefix(base_url)).split("/")
    return iri.startswith(f"{base_url}/") and not (".." in steps or "." in steps) and bool(steps[-1])


def written(words: Words, template: Template | None, now_ms: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write rules and what stands beside them as somebody wants them to be.

    Raises:
        Malformed: There are none, they cannot be read, or they would have ended already.
    """
    checked_language(words.lang)
    if template is not None:
        about, rules = fill(template, words.values, lang=words.lang)
        about = {**about, **words.about}
    elif words.rules is not None:
        about, rules = dict(words.about), dict(words.rules)
    else:
        raise Malformed(
            "The draft says nothing.",
            fix="Name a template: citynode agreements templates",
        ).on_page("no.agreement.template")
    mine: dict[str, Any] = {"title": words.title, "review": words.review, "note": words.note}
    mine["contacts"] = list(words.contacts)
    about = {**about, **{key: value for key, value in mine.items() if value}}
    if words.public is not None:
        about["public"] = words.public
    if words.until and template is not None and words.values.get("ends", words.until) != words.until:
        raise Malformed(
            f"Two ends are given: {words.values['ends'][:40]} and {words.until[:40]}.", fix="Give one of them."
        ).on_page("no.agreement.ends", field="until", first=words.values["ends"][:40], second=words.until[:40])
    rules = ending(rules, words.until, now_ms) if words.until else dict(rules)
    rules = write_rules(read_rules(rules, policy_id="urn:draft"))
    try:
        check_ahead(rules, now_ms)
    except Malformed as error:
        if words.values.get("ends"):
            error.places, error.place_codes = (("/values/ends", error.message),), ("past",)
        raise
    said = read_about(about)
    if words.review or words.values.get("review"):  # one that stands from before stays
        _check_review(str(said.get("review", "")), now_ms)
    return said, rules


def _check_review(day: str, now_ms: int) -> None:
    """Refuse a day of review that is past. Raises Malformed."""
    if day and day < time_text(now_ms)[:10]:
        raise Malformed(f"review: {day} is past.", fix="Give a day to come, or none.").on_page(
            "no.agreement.review_past", field="review", day=day
        )


def check_ahead(rules: Json, now_ms: int) -> None:
    """Refuse terms that permit nothing any more. Raises Malformed with the last day."""
    _, ends_ms = term_of(read_rules(rules, policy_id="urn:draft"))
    if 0 < ends_ms <= now_ms:
        raise Malformed(
            f"ends: {time_text(ends_ms - 1)[:10]} is past.", fix="Give a last day to come: ends, or --until DATE."
        ).on_page("no.agreement.past", field="until", day=time_text(ends_ms - 1)[:10])


def ending(rules: Json, until: str, now_ms: int) -> dict[str, Any]:
    """Let every permission end at a moment to come, or with a day, in place of the ends it has. Raises Malformed."""
    moment = until if "T" in until else _after(until)
    end_ms = time_ms(moment)
    if end_ms is None:
        raise Malformed(
            f"{until[:40]!r} is no moment.",
            fix="Write YYYY-MM-DD, or a moment with its zone.",
        ).on_page("no.agreement.day", field="until", day=until[:40])
    if end_ms <= now_ms:
        raise Malformed(
            f"{until[:40]} is over: nothing would be permitted.",
            fix="Give a day to come.",
        ).on_page("no.agreement.past", field="until", day=until[:40])
    end = {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": moment}
    ended = []
    for rule in _without_ids(write_rules(read_rules(rules, policy_id="urn:draft")).get("permission", [])):
        before = [time_ms(each["rightOperand"]) or 0 for each in rule.get("constraint", []) if _is_end(each)]
        kept = [each for each in rule.get("constraint", []) if not _is_end(each)]
        duties = [_moved(each, min(before, default=0), end_ms) for each in rule.get("duty", [])]
        ended.append({**rule, "constraint": [*kept, end], **({"duty": duties} if duties else {})})
    return {**rules, "permission": ended}


def _moved(duty: Json, old_ms: int, new_ms: int) -> Json:
    """Let what is to be done after the end be due as long after the new one: a duty in the past ends a permission."""
    if not old_ms:
        return duty
    moved = []
    for each in duty.get("constraint", []):
        due_ms = (time_ms(each["rightOperand"]) or 0) if _is_end(each) else 0
        later = {"rightOperand": instant_text(due_ms + new_ms - old_ms)} if due_ms >= old_ms else {}
        moved.append({**each, **later})
    return {**duty, **({"constraint": moved} if moved else {})}


def _after(day: str) -> str:
    """Give the moment at which a day is over."""
    try:
        read = date.fromisoformat(day)
    except ValueError as error:
        raise Malformed(
            f"{day[:40]!r} is no day.",
            fix="Write YYYY-MM-DD.",
        ).on_page("no.agreement.day", field="until", day=day[:40]) from error
    if read.year < YEARS[0] or read == date.max:
        raise Malformed(
            f"{day} is outside the years {YEARS[0]} to {YEARS[1]}.",
            fix="Give a day of these years.",
        ).on_page("no.agreement.years", field="until", day=day)
    return f"{(read + timedelta(days=1)).isoformat()}T00:00:00Z"


def _is_end(constraint: Json) -> bool:
    return constraint.get("leftOperand") == "odrl:dateTime" and constraint.get("operator") in _ENDS


def _without_ids(value: Any) -> Any:  # noqa: ANN401 (whatever JSON says)
    """Leave out the names of clauses: one that was put in anew would have that of another."""
    if isinstance(value, dict):
        return {key: _without_ids(each) for key, each in value.items() if key != "@id"}
    return [_without_ids(each) for each in value] if isinstance(value, list) else value


def iri_in(base_url: str, name: str) -> str:
    """Give the IRI of a city's collection by its name; an IRI is given back."""
    return name if "/" in name else f"{base_url}/collections/{name}"


def short(template: str) -> str:
    """Give the name of a template without its version."""
    return template.partition("/")[0]


def template_named(name: str) -> Template:
    """Find a template by its id, or the newest of a name. Raises NotFound."""
    found = [each for each in templates() if name in (each.id, short(each.id))]
    if not found:
        raise NotFound(
            f"There is no template {name[:80]!r}.",
            fix="List them: citynode agreements templates",
        ).on_page("no.agreement.template", field="template")
    return max(found, key=lambda each: int(each.id.rpartition("/")[2]))
