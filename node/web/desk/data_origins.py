"""The desk's page of data origins and consent sources: where the bytes lie, whether they can be read, who knows.

The desk takes https and s3 addresses; files and folders of this machine are for the command line, so that no browser
can ask the node to hand out what lies on its disk. Credentials are chosen by name and never shown or typed here.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Malformed, NodeError, NotFound
from node.federation.moved import OriginTold, OriginWish
from node.web.desk.data_frame import DataPages, at
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form
from node.web.wire.problems import Problem, problem_of

_FIELDS = ("dataset", "location", "part", "media_type", "credential", "personal", "column", "consent")
_SHOWN = 20
_WAYS = ("https://", "http://", "s3://")


def add(desk: Desk) -> None:
    """Put the page on the desk of a node that moves data."""
    office = desk.parts.site.data_desk
    if office is None:
        return
    pages = DataPages(desk, office)
    _add_page(desk, pages)
    _add_acts(desk, pages)


def _add_page(desk: Desk, pages: DataPages) -> None:
    @desk.get("/data/origins")
    async def origins(request: Request, clerk: Clerk) -> Response:
        typed = {"dataset": request.query_params.get("dataset", "")[:2_000]}
        return await _page(desk, pages, request, clerk, typed)


async def _page(
    desk: Desk, pages: DataPages, request: Request, clerk: Clerk, typed: dict[str, str], wrong: Problem | None = None
) -> Response:
    office = pages.office
    listed = await desk.does(office.origins)
    sources = await desk.does(office.consent_sources)
    return pages.page(
        request,
        clerk,
        "data_origins.html",
        tab="origins",
        status=wrong.status if wrong else 200,
        origins=listed,
        sources=sources,
        credentials=await desk.does(office.credentials),
        typed={name: typed.get(name, "") for name in _FIELDS},
        wrong=wrong,
    )


def _add_acts(desk: Desk, pages: DataPages) -> None:
    office = pages.office

    @desk.post("/data/origins", "run", "origin.add")
    async def create(request: Request, clerk: Clerk, form: Form) -> Response:
        typed = {name: form.typed(name)[:2_000] for name in _FIELDS}
        try:
            wish = _wished(form)
            told = await desk.does(lambda: office.add_origin(wish, by=clerk.name))
        except NodeError as error:
            return await _page(desk, pages, request, clerk, typed, problem_of(error))
        form.told["target"] = wish.dataset[:200]
        return _back(desk, request, told, "desk.data.note.origin")

    @desk.post("/data/origins/test", "run", "origin.test")
    async def test(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        dataset, part = _named(form)
        told = await desk.does(lambda: office.test_origin(dataset, part))
        key = "desk.data.note.trouble" if told.trouble else "desk.data.note.reads"
        return _back(desk, request, told, key)

    @desk.post("/data/origins/remove", "run", "origin.remove")
    async def remove(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        dataset, part = _named(form)
        await desk.does(lambda: office.remove_origin(dataset, part))
        return desk.back(request, at("origins"), "desk.data.note.removed")

    @desk.post("/data/consent/check", "run", "consent.check")
    async def check(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        name = form.text("name", most=63, needed=True)
        form.told["target"] = name
        if name not in {each.name for each in await desk.does(office.consent_sources)}:
            raise NotFound(
                "There is no such consent source.",
                fix="Look at /desk/data/origins.",
            ).on_page("no.consent", name=name)
        told = await desk.does(lambda: office.check_consent(name))
        key = "desk.data.note.silent" if told.trouble else "desk.data.note.answers"
        return desk.back(request, at("origins") + "#consent", key)


def _back(desk: Desk, request: Request, told: OriginTold, key: str) -> Response:
    """Go back to the list with a note: what became of it, or first of all which files nobody will get."""
    if told.left_out and not told.trouble:
        names = ", ".join(told.left_out[:_SHOWN]) + (" …" if len(told.left_out) > _SHOWN else "")
        return desk.back(request, at("origins"), "desk.data.note.left_out", names=names[:1_000])
    return desk.back(request, at("origins"), key)


def _named(form: Form) -> tuple[str, str]:
    dataset, part = form.text("dataset", needed=True), form.text("part", most=200)
    form.told.update({"target": dataset[:200], "part": part})
    return dataset, part


def _wished(form: Form) -> OriginWish:
    location = form.text("location", needed=True)
    if not location.startswith(_WAYS):
        said = "The desk takes https and s3 addresses; files are added by command."
        raise Malformed(said, fix="Change it and send the form again.").on_page(
            "desk.data.origin.web_only", field="location"
        )
    return OriginWish(
        form.text("dataset", needed=True),
        location,
        part=form.text("part", most=200),
        media_type=form.text("media_type", most=100),
        credential=form.text("credential", most=63),
        is_personal=form.ticked("personal"),
        column=form.text("column", most=200),
        consent=form.text("consent", most=63),
    )
