"""The API of agreements for the city's own staff: what `citynode agreements` and `citynode offers` do, over HTTP.

Who approves is who shows the token: a member of staff, and nobody for another. Approving takes two requests, since the
digest of what was read goes along. Things are named in the query or the body, by an IRI or the beginning of an id.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from node.errors import Malformed
from node.federation.agreement_desk.drafting import Wish, Words
from node.federation.agreement_desk.readings import Question
from node.web.doors.staff import Staff, flag_of, text_of, texts_of
from node.web.parts import Parts
from node.web.ports.agreements import Agreeing
from node.web.ports.ports import Federation
from node.web.wire import answer

_WORDS = {"template", "values", "rules", "about", "sentences", "lang", "title", "until", "review", "contacts", "public"}
_WISHED = _WORDS | {"peer", "role", "target", "covers", "theirs", "replaces", "offer"}
_YES = {"": False, "false": False, "true": True}
_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}

Said = Mapping[str, Any]
Name = Annotated[str, Query(description="An IRI, or the beginning of an id.")]
Lang = Annotated[str, Query(description="en, fi or sv.")]
Peer = Annotated[str, Query(description="The peer's name here.")]
Yes = Annotated[str, Query(description="`true` for yes.")]


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(prefix="/api", tags=["Staff: agreements"], responses=_RESPONSES)
    staff, desks = Staff(parts, federation), federation.agreeing
    _add_reading(made, staff, desks)
    _add_comments(made, staff, desks)
    _add_words(made, staff, desks)
    _add_beginnings(made, staff, desks)
    _add_acts(made, staff, desks)
    _add_offers(made, staff, desks)
    return made


def _add_reading(made: APIRouter, staff: Staff, desks: Agreeing) -> None:
    office = desks.office

    @made.get("/agreements", summary="Drafts, negotiations, agreements and reminders")
    async def all_of_them(request: Request, peer: Peer = "", ended: Yes = "") -> Response:
        return await staff.does(request, lambda: office.list(peer=peer, ended=_yes("ended", ended)))

    @made.get("/agreements/one", summary="How one thing stands")
    async def one(request: Request, name: Name = "") -> Response:
        return await staff.does(request, lambda: office.show(name))

    @made.get("/agreements/to-approve", summary="The digest that names what a person would approve")
    async def to_approve(request: Request, name: Name = "") -> Response:
        return await staff.does(request, lambda: office.to_approve(name))

    @made.get("/agreements/export", summary="Everything that proves an agreement", response_class=Response)
    async def export(request: Request, name: Name = "") -> Response:
        await staff.enter(request)
        body = await staff.beside(lambda: office.readings.export(name))
        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": 'attachment; filename="agreement.json"'}
        return Response(body, media_type="application/json", headers=headers)

    @made.get("/agreements/verify", summary="Prove an agreement as this node holds it")
    async def verify(request: Request, name: Name = "") -> Response:
        return await staff.does(request, lambda: dict(office.readings.verify(name).document()))


def _add_comments(made: APIRouter, staff: Staff, desks: Agreeing) -> None:
    office = desks.office

    @made.get("/agreements/choices", summary="What a draft for a city may be about: our collections, and theirs")
    async def choices(request: Request, peer: Peer = "") -> Response:
        return await staff.does(request, lambda: office.choices(peer))

    @made.get("/agreements/comments", summary="What our own staff said about one thing")
    async def comments(request: Request, name: Name = "") -> Response:
        return await staff.does(request, lambda: {"comments": list(office.comments(name))})

    @made.post("/agreements/comments", summary="Comment on one thing; no other city sees it", status_code=201)
    async def comment(request: Request) -> Response:
        def act(said: Said, by: str) -> object:
            text = said.get("said")
            if not isinstance(text, str):
                raise Malformed("The member 'said' is no text.")
            return {"comments": list(office.comment(_named(said), text, by=by))}

        return await _made(staff, request, act)

    @made.post("/agreements/comments/settle", summary="Note that a comment is settled, or open again")
    async def settle(request: Request) -> Response:
        def act(said: Said, _: str) -> object:
            number = said.get("id")
            if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 1 << 53:
                raise Malformed("The member 'id' is no number of a comment.")
            return {"comments": list(office.settle(_named(said), number, settled=not flag_of(said, "open")))}

        return await staff.does_with(request, act)


def _add_words(made: APIRouter, staff: Staff, desks: Agreeing) -> None:
    readings = desks.office.readings

    @made.get("/agreements/templates", summary="The templates")
    async def templates(request: Request, lang: Lang = "en") -> Response:
        return await staff.does(request, lambda: {"templates": list(readings.templates(lang))})

    @made.get("/agreements/template", summary="One template with the places to fill in")
    async def template(request: Request, name: Name = "", lang: Lang = "en") -> Response:
        return await staff.does(request, lambda: readings.template(name, lang))

    @made.get("/agreements/explain", summary="What it says, in plain sentences")
    async def explain(request: Request, name: Name = "", lang: Lang = "en") -> Response:
        return await staff.does(request, lambda: readings.explain(name, lang))

    @made.get("/agreements/diff", summary="What changed, in plain sentences")
    async def diff(
        request: Request,
        name: Name = "",
        other: Annotated[str, Query(description="What to compare it with.")] = "",
        lang: Lang = "en",
    ) -> Response:
        return await staff.does(request, lambda: readings.diff(name, other, lang=lang))

    @made.post("/agreements/simulate", summary="What a peer would be allowed, and which clause says so")
    async def simulate(request: Request) -> Response:
        return await staff.does_with(request, lambda said, _: readings.simulate(_question(said)))


def _add_beginnings(made: APIRouter, staff: Staff, desks: Agreeing) -> None:
    office = desks.office

    @made.post("/agreements/drafts", summary="Write a draft, or two of a template for both directions")
    async def draft(request: Request) -> Response:
        return await _made(staff, request, lambda said, by: office.draft(_wish(office.readings.words_of, said, by)))

    @made.post("/agreements/rewrite", summary="Let a draft say something else")
    async def rewrite(request: Request) -> Response:
        def act(said: Said, by: str) -> object:
            name = _named(said)
            return office.rewrite(name, _words(office.readings.words_of, said, name), by=by)

        return await staff.does_with(request, act)

    @made.post("/agreements/propose", summary="Send a draft to the other city")
    async def propose(request: Request) -> Response:
        def act(said: Said, by: str) -> object:
            person, terms = _approval(said, by)
            return office.propose(_named(said), by=by, person=person, terms=terms)

        return await staff.does_with(request, act)

    @made.post("/agreements/counter", summary="Answer with other terms")
    async def counter(request: Request) -> Response:
        def act(said: Said, by: str) -> object:
            name, (person, terms) = _named(said), _approval(said, by)
            words = _words(office.readings.words_of, said, name)
            return office.counter(name, words, by=by, person=person, terms=terms)

        return await staff.does_with(request, act)


def _approval(said: Said, by: str) -> tuple[str, str]:
    """Give who approves by what is sent, if anybody does, and the digest of the terms that they read."""
    person = by if flag_of(said, "approve") else ""
    return person, text_of(said, "terms", needed=bool(person), most=1_000)


def _add_acts(made: APIRouter, staff: Staff, desks: Agreeing) -> None:
    office = desks.office

    @made.post("/agreements/approve", summary="Approve the terms that were read, as the holder of the token")
    async def approve(request: Request) -> Response:
        def act(said: Said, by: str) -> object:
            return office.approve(_named(said), person=by, terms=text_of(said, "terms", needed=True, most=1_000))

        return await staff.does_with(request, act)

    @made.post("/agreements/sign", summary="Go on as far as approvals allow")
    async def sign(request: Request) -> Response:
        return await staff.does_with(request, lambda said, _: office.sign(_named(said)))

    def add(act: Literal["suspend", "resume", "revoke"], summary: str) -> None:
        @made.post(f"/agreements/{act}", summary=summary, name=f"agreement_{act}")
        async def does(request: Request) -> Response:
            def does_it(said: Said, by: str) -> object:
                return office.act(act, _named(said), reason=text_of(said, "reason", most=1_000), by=by)

            return await staff.does_with(request, does_it)

    add("suspend", "Let an agreement permit nothing until it is resumed")
    add("resume", "End a suspension of ours")
    add("revoke", "End an agreement for good, end a negotiation, drop a draft")


def _add_offers(made: APIRouter, staff: Staff, desks: Agreeing) -> None:
    office = desks.offer_office

    @made.get("/offers", summary="Our offers, or what a peer offers us")
    async def offers(request: Request, of: Peer = "", withdrawn: Yes = "") -> Response:
        def found() -> object:
            return {"offers": list(office.of_peer(of) if of else office.list(withdrawn=_yes("withdrawn", withdrawn)))}

        return await staff.does(request, found)

    @made.post("/offers", summary="Publish an offer", status_code=201)
    async def publish(request: Request) -> Response:
        def act(said: Said, by: str) -> object:
            return office.publish(
                text_of(said, "target", needed=True),
                _words(desks.office.readings.words_of, said, ""),
                name=text_of(said, "name", most=63),
                peers=texts_of(said, "peers"),
                covers=texts_of(said, "covers"),
                automatic=flag_of(said, "automatic"),
                by=by,
            )

        return await _made(staff, request, act)

    @made.post("/offers/withdraw", summary="Take an offer back")
    async def withdraw(request: Request) -> Response:
        return await staff.does_with(request, lambda said, _: office.withdraw(text_of(said, "offer", needed=True)))


# ---------------------------------------------------------------- reading bodies


async def _made(staff: Staff, request: Request, act: Callable[[Said, str], object]) -> Response:
    reply = await staff.does_with(request, act)
    reply.status_code = 201
    return reply


def _yes(name: str, value: str) -> bool:
    if value not in _YES:
        raise Malformed(f"{name} is true or false.")
    return _YES[value]


def _named(said: Said) -> str:
    return text_of(said, "name", needed=True, most=600)


def _wish(words_of: Callable[[str, str, str], Said], said: Said, by: str) -> Wish:
    odd = sorted(said.keys() - _WISHED)
    if odd:
        raise Malformed(f"A draft has no member {odd[0][:80]!r}.", fix=f"It has: {', '.join(sorted(_WISHED))}.")
    if not (said.get("peer") or said.get("replaces")):
        raise Malformed("A draft is for a city.", fix="Name it in the member peer.")
    return Wish(
        peer=text_of(said, "peer", most=63),
        words=_words(words_of, said, text_of(said, "replaces", most=600)),
        role=text_of(said, "role", most=20),
        target=text_of(said, "target"),
        covers=texts_of(said, "covers"),
        theirs=texts_of(said, "theirs"),
        replaces=text_of(said, "replaces", most=600),
        offer=text_of(said, "offer"),
        by=by,
    )


def _words(words_of: Callable[[str, str, str], Said], said: Said, standing: str) -> Words:
    values, rules, about = _object(said, "values"), said.get("rules"), _object(said, "about")
    if not all(isinstance(each, str) and len(each) <= 20_000 for each in values.values()):
        raise Malformed("The member 'values' names texts.")
    sentences = said.get("sentences", "")
    if not isinstance(sentences, str):
        raise Malformed("The member 'sentences' is no text.")
    if sentences:
        rules = words_of(sentences, standing, text_of(said, "lang", most=10) or "en")
    if rules is not None and not isinstance(rules, Mapping):
        raise Malformed("The member 'rules' is no JSON object.")
    public = None if said.get("public") is None else flag_of(said, "public")
    texts = {name: text_of(said, name) for name in ("template", "until", "title", "review")}
    contacts = texts_of(said, "contacts")
    texts["lang"] = text_of(said, "lang", most=10) or "en"
    return Words(values=values, rules=rules, about=about, contacts=contacts, public=public, **texts)


def _object(said: Said, name: str) -> Said:
    value = said.get(name, {})
    if not isinstance(value, dict):
        raise Malformed(f"The member {name!r} is no JSON object.")
    return value


def _question(said: Said) -> Question:
    texts = ("collection", "record", "purpose", "recipient", "channel")
    return Question(
        peer=text_of(said, "peer", needed=True, most=63),
        action=text_of(said, "action", needed=True, most=40),
        lang=text_of(said, "lang", most=10) or "en",
        report=flag_of(said, "report"),
        **{name: text_of(said, name) for name in texts},
    )
