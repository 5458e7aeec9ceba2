"""Consent over HTTP for the city's own staff: sources and withdrawals.

What `citynode consent` and `citynode data withdrawals` do, but for files, which are named on the command line alone.
No resident's key is ever taken in or given here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.federation.consent.store import PAGE
from node.federation.consent.withdrawals import Watched
from node.federation.moved import ConsentTold, WithdrawalTold
from node.web.doors.staff import Staff, text_of, texts_of
from node.web.parts import Parts
from node.web.ports.consent import ConsentOffice
from node.web.ports.ports import Federation
from node.web.wording.plain import iso

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}, 503: {}}
Name = Annotated[str, Path(description="The consent source's name.", max_length=63)]


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(default_response_class=JSONResponse)
    staff, office = Staff(parts, federation), federation.moving.consenting.office
    _add_sources(made, staff, office)
    _add_withdrawals(made, staff, office)
    return made


def _add_sources(made: APIRouter, staff: Staff, office: ConsentOffice) -> None:
    tagged: dict[str, Any] = {"responses": _RESPONSES, "tags": ["Staff: consent"]}

    @made.get("/api/consent/sources", summary="Who knows which residents agreed", **tagged)
    async def listed(request: Request) -> Response:
        return await staff.does(request, lambda: {"sources": [_source(each) for each in office.sources()]})

    @made.post("/api/consent/sources", summary="Add a consent service: `name`, `location`, `credential`", **tagged)
    async def add(request: Request) -> Response:
        def act(said: Mapping[str, Any], _: str) -> object:
            name, location = text_of(said, "name", needed=True, most=63), text_of(said, "location", needed=True)
            return _source(office.add(name, location, credential=text_of(said, "credential", most=63)))

        reply = await staff.does_with(request, act)
        reply.status_code = 201
        return reply

    @made.post("/api/consent/sources/{name}/check", summary="Ask a source now", **tagged)
    async def check(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: _source(office.check(name)))

    @made.delete("/api/consent/sources/{name}", summary="Forget a source that no dataset rests on", **tagged)
    async def remove(request: Request, name: Name) -> Response:
        def act() -> object:
            office.remove(name)
            return {"removed": name}

        return await staff.does(request, act)

    @made.post("/api/consent/watch", summary="Look now who has withdrawn: at all sources, or at `name`", **tagged)
    async def watch(request: Request) -> Response:
        return await staff.does_with(request, lambda said, _: _watched(office.watch(text_of(said, "name", most=63))))


def _add_withdrawals(made: APIRouter, staff: Staff, office: ConsentOffice) -> None:
    tagged: dict[str, Any] = {"responses": _RESPONSES, "tags": ["Staff: consent"]}

    @made.get("/api/data/withdrawals", summary="Withdrawals that were told and heard, the oldest first", **tagged)
    async def listed(
        request: Request,
        ended: Annotated[bool, Query(description="What is erased, instead.")] = False,  # noqa: FBT002
        untold: Annotated[  # noqa: FBT002
            bool, Query(description="What we answered and the other city has not taken, instead.")
        ] = False,
        peer: Annotated[str, Query(description="Only of this city, by its base URL.", max_length=500)] = "",
        after: Annotated[str, Query(description="`next` of the page before.", max_length=100)] = "",
        limit: Annotated[int, Query(description="At most this many.", ge=1, le=PAGE)] = PAGE,
    ) -> Response:
        def act() -> object:
            stage: Literal["untold", "erased", "open"] = "untold" if untold else "erased" if ended else "open"
            found = office.withdrawals(stage=stage, peer=peer, after=after, limit=limit)
            more = {"next": found[-1].cursor} if len(found) == limit else {}
            return {"withdrawals": [_withdrawal(each) for each in found], **more}

        return await staff.does(request, act)

    @made.post("/api/data/withdrawals/acknowledge", summary="Tell the cities that we know we must erase", **tagged)
    async def acknowledge(request: Request) -> Response:
        return await staff.does_with(request, lambda said, by: _answered(office.acknowledge, said, by))

    @made.post("/api/data/withdrawals/erased", summary="Tell the cities that the rows are erased", **tagged)
    async def erased(request: Request) -> Response:
        return await staff.does_with(request, lambda said, by: _answered(office.erased, said, by))

    @made.post(
        "/api/data/withdrawals/resend",
        summary="Send our answers again that the other cities have not taken: those of `ids`, or all",
        description="Gives those that did not wait to be sent anyway; saying it again changes nothing.",
        **tagged,
    )
    async def resend(request: Request) -> Response:
        def act(said: Mapping[str, Any], _: str) -> object:
            return {"withdrawals": [_withdrawal(each) for each in office.resend(*texts_of(said, "ids"))]}

        return await staff.does_with(request, act)


def _answered(answer: Callable[..., Sequence[WithdrawalTold]], said: Mapping[str, Any], by: str) -> object:
    """Answer those that `ids` names; without any, all that wait."""
    return {"withdrawals": [_withdrawal(each) for each in answer(*texts_of(said, "ids"), by=by)]}


def _source(each: ConsentTold) -> dict[str, object]:
    told: dict[str, object] = {"name": each.name, "kind": each.kind, "location": each.location}
    told |= {"checked_at": iso(each.checked_ms)} if each.checked_ms else {}
    return told | ({"trouble": each.trouble} if each.trouble else {})


def _watched(found: Watched) -> dict[str, object]:
    return {"told": found.told, "troubles": found.troubles, "unknown": found.unknown}


def _withdrawal(each: WithdrawalTold) -> dict[str, object]:
    told: dict[str, object] = {
        "id": each.name,
        "direction": each.direction,
        "peer": each.peer,
        "agreement": each.agreement,
        "dataset": each.dataset,
        "withdrawn_at": iso(each.withdrawn_ms),
        "at": iso(each.at_ms),
    }
    told |= {"purpose": each.purpose} if each.purpose else {}
    later = {"acknowledged_at": each.acknowledged_ms, "erased_at": each.erased_ms, "told_at": each.told_ms}
    return told | {name: iso(at_ms) for name, at_ms in later.items() if at_ms}
