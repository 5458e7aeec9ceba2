"""Drafting agreements on the desk: a template and a city, the places filled in, the draft read, changed and proposed.

A form that cannot be a draft comes back with what was typed and, beside each field, what is wrong with it; what is a
statement of law is never chosen beforehand. Nobody outside sees a draft before it is proposed; proposing it says so to
the other city at once. Countering answers what they proposed with other sentences, and goes out as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Malformed, NodeError
from node.federation.agreement_desk.drafting import MUTUAL, Wish, Words, short
from node.federation.agreements.text import MOST_CONTACTS, MOST_SIGNS
from node.federation.policy.purposes import LABELS
from node.federation.policy.templates import MAX_TEXT
from node.federation.policy.terms import MAX_ID, MAX_RIGHT
from node.web.desk.agreements_frame import Agreements, where
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form, fault
from node.web.wire.problems import Problem, problem_of

Json = Mapping[str, Any]
_MOST_SENTENCES = 20_000
# Places that the form asks for in another way than the others, or that the node fills in by itself.
_APART = frozenset({"covers", "declaration"})
# Places of what stands beside the rules, and who opens: an error of one of them is said by its own sentence.
_BESIDE = frozenset({"title", "note", "review", "contacts", "role"})
SAID = "said"
# Of a length of time: days, weeks, months, years, as ISO 8601 abbreviates them.
UNITS = ("D", "W", "M", "Y")


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into the form of a draft, by field; lists where several may be chosen.

    `faults` has a word for what is wrong with a place, by its name.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str, otherwise: str = "") -> str:
        """Give what was typed, or what the form begins with."""
        return self.texts.get(name, otherwise)

    def has(self, name: str, value: str) -> bool:
        """Tell whether one of several was chosen."""
        return value in self.lists.get(name, ())


def add(desk: Desk, pages: Agreements) -> None:
    """Put these pages and acts on the desk."""
    _add_beginning(desk, pages)
    _add_changing(desk, pages)
    _add_sending(desk, pages)


def _add_beginning(desk: Desk, pages: Agreements) -> None:
    @desk.get("/agreements/new", "write")
    async def new(request: Request, clerk: Clerk) -> Response:
        asked, language = request.query_params, pages.language(request)
        template, peer = asked.get("template", "")[:100], asked.get("peer", "")[:63]
        if template and peer:
            return await _form(desk, pages, request, clerk, (template, peer), Typed(), None)
        found = await desk.does(lambda: (pages.office.readings.templates(language), pages.peers()))
        listed, peers = found
        return pages.page(
            request, clerk, "agreement_new.html", templates=listed, peers=peers, chosen=template, peer=peer
        )

    @desk.post("/agreements/new", "write", "agreement.draft")
    async def draft(request: Request, clerk: Clerk, form: Form) -> Response:
        template, peer = form.text("template", most=100, needed=True), form.text("peer", most=63, needed=True)
        form.told.update({"target": peer, "template": template})
        typed = _typed(form)
        try:
            shown = await desk.does(lambda: pages.office.readings.template(template, pages.language(request)))
            wish = _wish(shown, peer, typed, clerk.name, pages.language(request))
            made = await desk.does(lambda: pages.office.draft(wish))
        except NodeError as error:
            form.told["refused"] = error.code
            typed, wrong = replace(typed, faults=_faults(error)), problem_of(error)
            return await _form(desk, pages, request, clerk, (template, peer), typed, wrong)
        return desk.back(request, where(made["document"] or made["drafts"][0]["id"]), "desk.agr.note.drafted")

    @desk.post("/agreements/amend", "write", "agreement.draft")
    async def amend(request: Request, clerk: Clerk, form: Form) -> Response:
        name = pages.named(form)
        wish = Wish(
            "", Words(lang=pages.language(request), until=form.text("until", most=40)), replaces=name, by=clerk.name
        )
        made = await desk.does(lambda: pages.office.draft(wish))
        return desk.back(request, where(made["drafts"][0]["id"]), "desk.agr.note.drafted")

    @desk.post("/agreements/ask", "write", "agreement.draft")
    async def ask(request: Request, clerk: Clerk, form: Form) -> Response:
        peer, offer = form.text("peer", most=63, needed=True), form.text("offer", needed=True)
        form.told.update({"target": peer, "offer": offer[:200]})
        wish = Wish(peer, Words(lang=pages.language(request)), offer=offer, by=clerk.name)
        made = await desk.does(lambda: pages.office.draft(wish))
        return desk.back(request, where(made["drafts"][0]["id"]), "desk.agr.note.drafted")


async def _form(
    desk: Desk,
    pages: Agreements,
    request: Request,
    clerk: Clerk,
    of: tuple[str, str],
    typed: Typed,
    wrong: Problem | None,
) -> Response:
    """Write the form of a draft, with what was typed and what is wrong with it."""
    (template, peer), language = of, pages.language(request)
    shown = await desk.does(lambda: pages.office.readings.template(template, language))
    choices = await desk.does(lambda: pages.office.choices(peer))
    purposes = sorted(((iri, names[language]) for iri, names in LABELS.items()), key=lambda one: one[1].casefold())
    return pages.page(
        request,
        clerk,
        "agreement_draft.html",
        status=wrong.status if wrong else 200,
        model=shown,
        mutual=short(str(shown["id"])) in MUTUAL,
        places=[each for each in shown["places"] if each["name"] not in _APART],
        peer=peer,
        choices=choices,
        purposes=purposes,
        units=UNITS,
        most=_most,
        typed=typed,
        wrong=wrong,
    )


def _typed(form: Form) -> Typed:
    places = [name for name in form.fields if name.startswith("place-")]
    texts = {name: form.typed(name) for name in (*places, "role", "sent") if name in form.fields}
    lists = {name: tuple(form.chosen(name)) for name in (*places, "ours", "theirs") if name in form.fields}
    return Typed(texts, lists)


def _wish(template: Json, peer: str, typed: Typed, by: str, language: str) -> Wish:
    """Say what was typed as a wish: values by place, and what is covered on either side."""
    values = {each["name"]: _value(each, typed) for each in template["places"] if each["name"] not in _APART}
    role = typed.text("role")
    mutual = short(str(template["id"])) in MUTUAL
    if not mutual and role not in ("provider", "consumer"):
        unsaid = fault("desk.agr.fault.role", "Nobody has said which city opens its records.")
        unsaid.places, unsaid.place_codes = (("/role", unsaid.message),), ("role",)
        raise unsaid
    ours = typed.lists.get("ours", ()) if mutual or role == "provider" else ()
    theirs = typed.lists.get("theirs", ()) if mutual or role == "consumer" else ()
    words = Words(template=str(template["id"]), values={k: v for k, v in values.items() if v}, lang=language)
    return Wish(peer, words, role="" if mutual else role, covers=ours, theirs=theirs, by=by)


def _faults(error: NodeError) -> dict[str, str]:
    """Say what is wrong by the name of a place, the first thing of each; empty where it is with no place.

    A place that an error is about as a whole has `SAID`: the sentence of the error is what is wrong there.
    """
    if not isinstance(error, Malformed):
        return {}
    if not error.places and error.field in _BESIDE:
        return {error.field: SAID}
    named = [pointer.rpartition("/")[2] for pointer, _ in error.places]
    return dict(reversed(list(zip(named, error.place_codes, strict=True))))


def _value(place: Json, typed: Typed) -> str:
    name = f"place-{place['name']}"
    if place["kind"] == "flag":
        return "yes" if typed.text(name) else "no"
    if place["kind"] == "purposes":
        return ", ".join(typed.lists.get(name, ()))
    if place["kind"] == "duration":
        return _length(typed.text(name), typed.text(f"{name}-unit"))
    return ", ".join(typed.text(name).split("\n")) if place["kind"] in ("texts", "iris") else typed.text(name)


def _most(place: Json) -> int:
    """Give the most characters that fit into the field of a place, for the browser to say."""
    name, several = str(place["name"]), place["kind"] in ("texts", "iris")
    if several:
        return MOST_CONTACTS * MAX_ID if name == "contacts" else MAX_RIGHT * MAX_ID
    return MOST_SIGNS.get(name, MAX_ID if place["kind"] == "iri" else MAX_TEXT)


def _length(number: str, unit: str) -> str:
    """Write a length of time as ISO 8601 does; what is no number is left for whoever reads values."""
    return f"P{int(number)}{unit}" if number.isascii() and number.isdigit() and unit in UNITS else number


def _add_changing(desk: Desk, pages: Agreements) -> None:
    async def words(request: Request, form: Form, name: str) -> Words:
        """Read what a form says anew: sentences only where they were changed, so that nothing is read back in vain."""
        language = pages.language(request)
        said, before = form.text("sentences", most=_MOST_SENTENCES), form.text("before", most=_MOST_SENTENCES)
        rules = None
        if said and said != before:
            rules = await desk.does(lambda: pages.office.readings.words_of(said, name, language))
        return Words(
            rules=rules,
            note=form.text("note"),
            title=form.text("title", most=200),
            until=form.text("until", most=40),
            review=form.text("review", most=40),
            lang=language,
        )

    @desk.post("/agreements/rewrite", "write", "agreement.rewrite")
    async def rewrite(request: Request, clerk: Clerk, form: Form) -> Response:
        name = pages.named(form)
        try:
            anew = await words(request, form, name)
            await desk.does(lambda: pages.office.rewrite(name, anew, by=clerk.name))
        except NodeError as error:
            form.told["refused"] = error.code
            return await pages.one(request, clerk, name, wrong=problem_of(error), typed=_texts(form))
        return desk.back(request, where(name), "desk.agr.note.rewritten")

    @desk.post("/agreements/counter", "run", "agreement.counter", deciding="approve")
    async def counter(request: Request, clerk: Clerk, form: Form) -> Response:
        name = pages.named(form)
        person, terms = _approval(clerk, form)
        try:
            anew = await words(request, form, name)
            await desk.does(lambda: pages.office.counter(name, anew, by=clerk.name, person=person, terms=terms))
        except NodeError as error:
            form.told["refused"] = error.code
            return await pages.one(request, clerk, name, wrong=problem_of(error), typed=_texts(form))
        return desk.back(request, where(name), "desk.agr.note.countered")


def _approval(clerk: Clerk, form: Form) -> tuple[str, str]:
    """Give who approves by what is sent, if anybody does, and the digest of the terms that the page showed them."""
    person = clerk.name if form.ticked("approve") else ""
    form.told["approved"] = bool(person)
    terms = form.text("terms", most=1_000, needed=bool(person))
    if person:
        form.told["terms"] = terms[:200]
    return person, terms


def _texts(form: Form) -> dict[str, str]:
    names = ("title", "until", "review", "note", "sentences")
    return {name: form.text(name, most=_MOST_SENTENCES) for name in names if name in form.fields}


def _add_sending(desk: Desk, pages: Agreements) -> None:
    @desk.post("/agreements/propose", "run", "agreement.propose", deciding="approve")
    async def propose(request: Request, clerk: Clerk, form: Form) -> Response:
        name = pages.named(form)
        person, terms = _approval(clerk, form)
        await desk.does(lambda: pages.office.propose(name, by=clerk.name, person=person, terms=terms))
        return desk.back(request, where(name), "desk.agr.note.proposed")

    @desk.post("/agreements/drop", "write", "agreement.drop")
    async def drop(request: Request, clerk: Clerk, form: Form) -> Response:
        name = pages.named(form)
        kinds = await desk.does(lambda: _kinds(pages.office.show(name)))
        if kinds != {"draft"}:  # ending what the other city knows of is an approver's
            raise fault("desk.agr.fault.proposed", "It is no draft any more.")
        await desk.does(lambda: pages.office.act("revoke", name, by=clerk.name))
        return desk.back(request, "/desk/agreements", "desk.agr.note.dropped")


def _kinds(thing: Json) -> set[str]:
    return {str(each["kind"]) for each in thing.get("parts") or [thing]}
