"""The API of data origins for the city's own staff: what `citynode data origins` and `credentials` do, over HTTP.

Addresses alone, https and s3: files of this machine are named on its command line. JSON both ways, kept by nobody. A
secret can be written and is never given back, neither whole nor in part.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.federation.data.origin_office import Changes
from node.federation.moved import OriginTold, OriginWish
from node.web.doors.staff import Staff, flag_of, text_of
from node.web.parts import Parts
from node.web.ports.data_origins import OriginOffice
from node.web.ports.ports import Federation
from node.web.wording.plain import iso

_RESPONSES: dict[int | str, dict[str, Any]] = {400: {}, 401: {}, 403: {}, 404: {}, 409: {}, 502: {}}
Dataset = Annotated[str, Query(description="The record's IRI, or the last part of its address.", max_length=2_000)]
PartName = Annotated[str, Query(description="What the part is called.", max_length=200)]
Name = Annotated[str, Path(description="The credential's name.", max_length=63)]

# What a credential says beside kind, place and secret.
_MORE = ("user", "header", "key_id", "region", "session", "addressing")


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(
        prefix="/api/data", tags=["Staff: data"], responses=_RESPONSES, default_response_class=JSONResponse
    )
    staff, office = Staff(parts, federation), federation.moving.origin_parts.office
    _add_origins(made, staff, office)
    _add_credentials(made, staff, office)
    return made


def _add_origins(made: APIRouter, staff: Staff, office: OriginOffice) -> None:
    @made.get("/origins", summary="Where data of our datasets lie")
    async def all_of_them(request: Request, dataset: Dataset = "") -> Response:
        return await staff.does(request, lambda: {"origins": [_origin(each) for each in office.list(dataset)]})

    @made.post("/origins", summary="Register where data lie: `dataset`, `location`, `part`, `type`", status_code=201)
    async def add(request: Request) -> Response:
        reply = await staff.does_with(request, lambda said, by: _origin(office.add(_wish(said), by=by)))
        reply.status_code = 201
        return reply

    @made.patch("/origins", summary="Say something else of an origin, or of whom its dataset is about")
    async def change(request: Request) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001  (the trail says who)
            return _origin(office.change(*_named(said), _changes(said)))

        return await staff.does_with(request, act)

    @made.post("/origins/test", summary="Read an origin now")
    async def test(request: Request) -> Response:
        return await staff.does_with(request, lambda said, by: _origin(office.test(*_named(said))))  # noqa: ARG005

    @made.delete("/origins", summary="Forget an origin; the data stay where they are")
    async def remove(request: Request, dataset: Dataset, part: PartName = "") -> Response:
        def act() -> object:
            office.remove(dataset, part)
            return {"removed": part, "dataset": dataset}

        return await staff.does(request, act)


def _add_credentials(made: APIRouter, staff: Staff, office: OriginOffice) -> None:
    @made.get("/credentials", summary="What the places of our data are shown, without the secrets")
    async def all_of_them(request: Request) -> Response:
        return await staff.does(
            request,
            lambda: {
                "credentials": [
                    {"name": each.name, "kind": each.kind, "for": each.where, "at": iso(each.at_ms)}
                    for each in office.credentials()
                ]
            },
        )

    @made.put("/credentials/{name}", summary="Write a credential: `kind`, `for`, `secret`")
    async def write(request: Request, name: Name) -> Response:
        def act(said: Mapping[str, Any], by: str) -> object:  # noqa: ARG001
            more = {key: text_of(said, key, most=8_192) for key in _MORE}
            secret = text_of(said, "secret", needed=True, most=8_192)
            kind, where = text_of(said, "kind", needed=True, most=20), text_of(said, "for", needed=True)
            told = office.set_credential(name, kind, where, secret, more)
            return {"name": told.name, "kind": told.kind, "for": told.where, "at": iso(told.at_ms)}

        return await staff.does_with(request, act)

    @made.delete("/credentials/{name}", summary="Forget a credential that no origin needs")
    async def remove(request: Request, name: Name) -> Response:
        def act() -> object:
            office.remove_credential(name)
            return {"removed": name}

        return await staff.does(request, act)


def _wish(said: Mapping[str, Any]) -> OriginWish:
    return OriginWish(
        dataset=text_of(said, "dataset", needed=True),
        location=text_of(said, "location", needed=True),
        part=text_of(said, "part", most=200),
        media_type=text_of(said, "type", most=200),
        credential=text_of(said, "credential", most=63),
        is_personal=flag_of(said, "personal"),
        column=text_of(said, "subject_column", most=200),
        consent=text_of(said, "consent", most=63),
    )


def _named(said: Mapping[str, Any]) -> tuple[str, str]:
    return text_of(said, "dataset", needed=True), text_of(said, "part", most=200)


def _changes(said: Mapping[str, Any]) -> Changes:
    def given(name: str, most: int) -> str | None:
        return text_of(said, name, most=most) if name in said else None

    personal = flag_of(said, "personal") if "personal" in said else None
    return Changes(
        given("type", 200), given("credential", 63), personal, given("subject_column", 200), given("consent", 63)
    )


def _origin(told: OriginTold) -> dict[str, Any]:
    said = asdict(told)
    for ours, theirs in (("media_type", "type"), ("is_personal", "personal"), ("column", "subject_column")):
        said[theirs] = said.pop(ours)
    said["unfiltered"] = [
        {
            "city": each.peer,
            "agreement": each.agreement,
            **({"purpose": each.purpose} if each.purpose else {}),
            "since": iso(each.since_ms),
            "until": iso(each.until_ms),
        }
        for each in told.unfiltered
    ]
    said["trouble_at"] = iso(said.pop("trouble_ms")) if told.trouble else ""
    return said
