"""The API of sources and runs for the city's own staff: what `citynode sources` and `citynode harvest` do, over HTTP.

JSON both ways, kept by nobody. A run is asked for here and done by the worker, so the answer to a start is a run that
waits; how it goes is asked again. Files of this machine are named on the command line alone.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.catalog.runs import Run
from node.catalog.source_office import Standing, Wanted
from node.errors import Malformed
from node.web.doors.staff import Staff, flag_of, text_of, texts_of
from node.web.parts import Parts
from node.web.ports.ports import Federation
from node.web.ports.sources import Harvesting, Today
from node.web.wording import needs
from node.web.wording.plain import iso

MOST_RUNS = 200
_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}}
Name = Annotated[str, Path(description="The source's name here.", max_length=63)]
Number = Annotated[int, Path(description="The run's number.", ge=1, lt=2**53)]


def router(parts: Parts, federation: Federation, harvesting: Harvesting, today: Today | None) -> APIRouter:
    """Make the router."""
    made = APIRouter(prefix="/api", tags=["Staff: sources"], responses=_RESPONSES, default_response_class=JSONResponse)
    staff = Staff(parts, federation)
    _add_sources(made, staff, harvesting)
    _add_acts(made, staff, harvesting)
    _add_runs(made, staff, harvesting)
    _add_decisions(made, staff, harvesting)
    if today is not None:
        _add_today(made, staff, today)
    return made


def _add_sources(made: APIRouter, staff: Staff, harvesting: Harvesting) -> None:
    office = harvesting.office

    @made.get("/sources", summary="Every source and how it stands")
    async def all_of_them(request: Request) -> Response:
        return await staff.does(request, lambda: {"sources": [source_json(each) for each in office.list()]})

    @made.get("/sources/{name}", summary="One source and how it stands")
    async def one(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: source_json(office.show(name)))

    @made.post("/sources", summary="Add a source; `paused` keeps it out of the timetable", status_code=201)
    async def add(request: Request) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001  (the trail says who)
            name = text_of(said, "name", needed=True, most=63)
            return source_json(office.add(name, _wanted(said), paused=flag_of(said, "paused")))

        reply = await staff.does_with(request, act)
        reply.status_code = 201
        return reply

    @made.put("/sources/{name}", summary="Change a source")
    async def edit(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001
            return source_json(office.edit(name, _wanted(said, office.show(name).wanted)))

        return await staff.does_with(request, act)

    @made.delete("/sources/{name}", summary="Forget a source; what it published stays")
    async def forget(request: Request, name: Name) -> Response:
        def act() -> object:
            office.forget(name)
            return {"forgotten": name}

        return await staff.does(request, act)


def _add_acts(made: APIRouter, staff: Staff, harvesting: Harvesting) -> None:
    office = harvesting.office

    @made.post("/sources/{name}/pause", summary="Leave a source out of the timetable")
    async def pause(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: source_json(office.pause(name)))

    @made.post("/sources/{name}/resume", summary="Let the timetable read a source again")
    async def resume(request: Request, name: Name) -> Response:
        return await staff.does(request, lambda: source_json(office.resume(name)))

    @made.post("/sources/{name}/withdraw", summary="Withdraw all its records, then forget the source", status_code=202)
    async def give_up(request: Request, name: Name) -> Response:
        return await _started(request, lambda said, by: run_json(office.give_up(name, by=by)))  # noqa: ARG005

    @made.post("/sources/{name}/runs", summary="Ask for a run: `dry`, `full`", status_code=202)
    async def start(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            return run_json(office.start(name, by=by, dry=flag_of(said, "dry"), full=flag_of(said, "full")))

        return await _started(request, act)

    async def _started(request: Request, act: Any) -> Response:  # noqa: ANN401 - as `does_with` takes it
        reply = await staff.does_with(request, act)
        reply.status_code = 202
        return reply


def _add_runs(made: APIRouter, staff: Staff, harvesting: Harvesting) -> None:
    office, reports = harvesting.office, harvesting.reports

    @made.get("/runs", summary="Runs, newest first")
    async def runs(
        request: Request,
        source: Annotated[str, Query(description="Of this source alone.", max_length=63)] = "",
        limit: Annotated[int, Query(ge=1, le=MOST_RUNS)] = 50,
    ) -> Response:
        return await staff.does(
            request, lambda: {"runs": [run_json(each) for each in office.runs(source, limit=limit)]}
        )

    @made.get("/runs/{number}", summary="One run")
    async def one(request: Request, number: Number) -> Response:
        return await staff.does(request, lambda: run_json(office.run(number)))

    @made.get("/runs/{number}/rows", summary="Every record that a run touched, held or refused")
    async def rows(request: Request, number: Number) -> Response:
        return await staff.does(
            request, lambda: {"rows": [asdict(row) for row in reports.everything(office.run(number))]}
        )

    @made.post("/runs/{number}/stop", summary="Ask a run to stop; what it published stays")
    async def stop(request: Request, number: Number) -> Response:
        return await staff.does(request, lambda: run_json(office.stop(number)))


def _add_decisions(made: APIRouter, staff: Staff, harvesting: Harvesting) -> None:
    office = harvesting.office

    @made.post("/runs/{number}/approve", summary="Withdraw what a run held: all, or the source keys in `keys`")
    async def approve(request: Request, number: Number) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            keys = texts_of(said, "keys") if "keys" in said else None
            return run_json(office.approve(number, keys, by=by, word=text_of(said, "word", most=500)))

        return await staff.does_with(request, act)

    @made.post("/runs/{number}/keep", summary="Withdraw nothing of what a run held")
    async def keep(request: Request, number: Number) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:
            return run_json(office.keep(number, by=by, word=text_of(said, "word", most=500)))

        return await staff.does_with(request, act)


def _add_today(made: APIRouter, staff: Staff, today: Today) -> None:
    @made.get("/today", summary="What waits for a person, why, and how the week went")
    async def look(request: Request) -> Response:
        return await staff.does(request, lambda: today_json(today))


def today_json(today: Today) -> dict[str, object]:
    """Say a look in JSON values; its sentences are English, as everything for machines."""
    day = today.look()
    return {
        "at": iso(day.now_ms),
        "needs": [{**asdict(needs.told(need, "en")), "values": dict(need.values)} for need in (*day.urgent, *day.soon)],
        "running": [run_json(run) for run in day.running],
        "week": [needs.fact(one, "en") for one in day.week],
        "cities": [{**asdict(city), "at_ms": None, "at": iso(city.at_ms)} for city in day.cities],
    }


def source_json(source: Standing) -> dict[str, object]:
    """Say a source in JSON values."""
    return {
        "name": source.name,
        **asdict(source.wanted),
        "paused": source.paused,
        "records": source.records,
        "added_at": iso(source.added_ms),
        "last_good_at": iso(source.good_ms),
        "next_at": iso(source.next_ms),
        "silent": source.silent,
        "live": source.live and source.live.id,
        "newest": source.newest and source.newest.id,
        "held": source.held and source.held.id,
    }


def run_json(run: Run) -> dict[str, object]:
    """Say a run in JSON values."""
    return {
        "id": run.id,
        "source": run.source,
        "state": run.state,
        "order": run.order,
        "dry": run.dry,
        "stage": run.stage if run.is_live else "",
        "by": run.trigger,
        "started_at": iso(run.started_ms),
        "heartbeat_at": iso(run.heartbeat_ms),
        "ended_at": iso(run.ended_ms),
        "counters": asdict(run.counters),
        "reason": run.reason,
        "code": run.code,
        "notes": run.notes,
        "steps": [asdict(each) for each in run.steps],
        "decision": run.decision and asdict(run.decision),
    }


def _wanted(said: Mapping[str, Any], was: Wanted | None = None) -> Wanted:
    """Read how a source is to be; what a change does not name stays as it is."""
    base = was or Wanted(text_of(said, "kind", needed=True, most=50), text_of(said, "location", needed=True))
    return Wanted(
        kind=text_of(said, "kind", most=50) or base.kind,
        location=text_of(said, "location") or base.location,
        collection=text_of(said, "collection", most=63) or base.collection,
        every_min=_whole(said, "every_min", base.every_min) or 0,
        keep_contacts=flag_of(said, "keep_contacts") if "keep_contacts" in said else base.keep_contacts,
        threshold=_whole(said, "threshold", base.threshold),
    )


def _whole(said: Mapping[str, Any], name: str, otherwise: int | None) -> int | None:
    value = said.get(name, otherwise)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**9):
        raise Malformed(f"The member {name!r} is no whole number.")
    return value
