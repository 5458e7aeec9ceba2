"""The two doors at which other cities speak of problem reports.

A peer passes on what its readers say of our records, and hears how that stands; it may speak of what everybody may see
of ours, and of reports that we passed on to it, of nothing else.
"""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.problem_reports import KINDS, About, Words
from node.errors import Malformed, NotFound
from node.federation.report_post import MAX_BODY_BYTES, read_report, read_standing
from node.web.addresses import is_mirror
from node.web.doors.door import Door, body_of
from node.web.pages import Visitor
from node.web.parts import Parts
from node.web.ports.readers import Reports
from node.web.records.records import title_of

_HEARD: dict[int | str, dict[str, object]] = {
    202: {"description": "Heard"},
    400: {},
    401: {},
    403: {},
    404: {},
    429: {},
}


def router(parts: Parts, reports: Reports) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Feed"], default_response_class=Response)
    door = Door(parts)

    @made.post(
        "/federation/reports",
        summary="Pass on what a reader says is wrong with a record of this city",
        description='A peer says `{"id", "record", "kind", "text", "language"}`; saying it again changes nothing.',
        status_code=202,
        responses=_HEARD,
    )
    async def heard(request: Request) -> Response:
        caller = await door.peer(request)
        said = read_report(await body_of(request, most=MAX_BODY_BYTES))
        await parts.thread(lambda: _hear(parts, reports, caller.url, said))
        return Response(status_code=202, headers={"cache-control": "no-store"})

    @made.post(
        "/federation/reports/standing",
        summary="Tell how a report stands that this city passed on",
        description='A peer says `{"id", "state", "reason", "report"}`; `id` is ours, `report` what it calls it.',
        status_code=202,
        responses=_HEARD,
    )
    async def stands(request: Request) -> Response:
        caller = await door.peer(request)
        said = read_standing(await body_of(request, most=MAX_BODY_BYTES))

        def hear() -> None:
            theirs = said["report"] if said["report"].isascii() and said["report"].isalnum() else ""
            reports.hear_standing(caller.url, said["id"], state=said["state"], reason=said["reason"], theirs=theirs)

        await parts.thread(hear)
        return Response(status_code=202, headers={"cache-control": "no-store"})

    return made


def _hear(parts: Parts, reports: Reports, peer: str, said: Mapping[str, str]) -> None:
    held = parts.reading.find_iri(said["record"])
    if held is None or is_mirror(held.collection):
        raise NotFound("There is no such record of this city.", fix="Tell the city whose record it is.")
    if not peer:
        raise Malformed("This city does not know the address of yours.")
    # A sort of problem that only a newer node knows is still a problem.
    kind = said["kind"] if said["kind"] in KINDS else "other"
    reader = Visitor(parts.site.languages[0], chosen=False, path="", query=())
    about = About(held.iri, title_of(parts, held, reader).text)
    reports.hear(peer, said["id"], about, Words(kind, said["text"], said["language"]))
