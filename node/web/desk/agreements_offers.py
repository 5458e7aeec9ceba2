"""Offers on the desk, ours and those that another city shows us; and what a city would be allowed, by all agreements.

An offer that is automatic is agreed to without a person when a named city asks for it as it stands, so that publishing
one is an approver's. Reading another city's offers asks that city.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node.errors import NodeError
from node.federation.agreement_desk.drafting import Words
from node.federation.agreement_desk.readings import Question
from node.federation.policy import terms, wording
from node.federation.policy.purposes import LABELS
from node.web.desk.agreements_frame import Agreements
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form
from node.web.wire.problems import problem_of

Json = Mapping[str, Any]
_ACTS = [name for name, one in terms.ACTIONS.items() if one.kinds & {terms.PERMISSION, terms.PROHIBITION}]
_FIELDS = ("peer", "action", "collection", "record", "purpose", "channel")


def add(desk: Desk, pages: Agreements) -> None:
    """Put these pages and acts on the desk."""
    _add_offers(desk, pages)
    _add_trial(desk, pages)


def _add_offers(desk: Desk, pages: Agreements) -> None:
    @desk.get("/agreements/offers")
    async def offers(request: Request, clerk: Clerk) -> Response:
        peer, language = request.query_params.get("of", "")[:63], pages.language(request)
        ours = await desk.does(pages.offers.list)
        theirs: Sequence[Json] = ()
        trouble = None
        if peer:
            try:
                theirs = await desk.does(lambda: pages.offers.of_peer(peer))
            except NodeError as error:
                trouble = problem_of(error)
        peers = await desk.does(pages.peers)
        templates = await desk.does(lambda: pages.office.readings.templates(language))
        return pages.page(
            request,
            clerk,
            "agreement_offers.html",
            ours=ours,
            theirs=theirs,
            trouble=trouble,
            peer=peer,
            peers=peers,
            # An offer is made in one form, so of templates that need nothing filled in.
            templates=[each for each in templates if not any(place["needed"] for place in each["places"])],
            own=await desk.does(pages.own),
        )

    @desk.post("/agreements/offers", "decide", "offer.publish")
    async def publish(request: Request, clerk: Clerk, form: Form) -> Response:
        target, template = form.text("target", needed=True), form.text("template", most=100, needed=True)
        form.told.update({"target": target[:200], "automatic": form.ticked("automatic")})
        words = Words(
            template=template,
            title=form.text("title", most=200),
            until=form.text("until", most=40),
            lang=pages.language(request),
        )
        peers, automatic = form.many("peers"), form.ticked("automatic")
        await desk.does(lambda: pages.offers.publish(target, words, peers=peers, automatic=automatic, by=clerk.name))
        return desk.back(request, "/desk/agreements/offers", "desk.agr.note.offered")

    @desk.post("/agreements/offers/withdraw", "decide", "offer.withdraw")
    async def withdraw(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        offer = form.text("offer", needed=True)
        form.told["target"] = offer[:200]
        await desk.does(lambda: pages.offers.withdraw(offer))
        return desk.back(request, "/desk/agreements/offers", "desk.agr.note.withdrawn")


def _add_trial(desk: Desk, pages: Agreements) -> None:
    @desk.get("/agreements/try")
    async def trial(request: Request, clerk: Clerk) -> Response:
        language = pages.language(request)
        asked = {name: request.query_params.get(name, "")[:600] for name in _FIELDS}
        peers = await desk.does(pages.peers)
        found, trouble = None, None
        if asked["peer"] and asked["action"]:
            try:
                found = await desk.does(lambda: pages.office.readings.simulate(_question(asked, language)))
            except NodeError as error:
                trouble = problem_of(error)
        return pages.page(
            request,
            clerk,
            "agreement_try.html",
            status=trouble.status if trouble else 200,
            asked=asked,
            found=found,
            trouble=trouble,
            peers=peers,
            own=await desk.does(pages.own),
            offered=await desk.does(lambda: pages.offered_data(request)),
            **_choices(language),
        )


def _choices(language: str) -> dict[str, list[tuple[str, str]]]:
    purposes = sorted(((iri, names[language]) for iri, names in LABELS.items()), key=lambda one: one[1].casefold())
    return {
        "acts": [(name, wording.said_in(wording.ACTIONS[name], language)) for name in _ACTS],
        "purposes": purposes,
        "channels": [(name, wording.said_in(wording.CHANNELS[name], language)) for name in terms.CHANNELS],
    }


def _question(asked: Mapping[str, str], language: str) -> Question:
    return Question(
        asked["peer"],
        asked["action"],
        # One is asked about: a dataset in whatever collections it stands.
        "" if asked["record"].strip() else asked["collection"],
        asked["record"].strip(),
        purpose=asked["purpose"],
        channel=asked["channel"],
        lang=language,
    )
