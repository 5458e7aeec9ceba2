"""The desk's pages of sources: list, add and try out, change, read now, pause, give up.

A new source is paused and read once for show; only when somebody has looked at what came of it does the timetable take
it, or is it read and published at once where it is on no timetable. The web takes web addresses alone, never a path of
this machine. All acts go to the office of sources; a run that starts here is done by the worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.source_office import Standing, Wanted
from node.errors import Changed, Conflict
from node.records import is_collection_name, is_nodes_own
from node.web.addresses import is_mirror
from node.web.desk import source_kinds
from node.web.desk.frame import CLASH, Clerk, Desk
from node.web.desk.run_acts import act
from node.web.forms.forms import Form, fault
from node.web.pages import is_fragment
from node.web.ports.sources import SourceOffice
from node.web.wording.plain import public

# In minutes; whoever wants another rhythm writes it on the command line or sends it to the API.
RHYTHMS = (0, 60, 360, 720, 1_440, 10_080)
WAYS = ("dry", "now", "full")
_RUNS_SHOWN = 20
_USUAL = "open-data"  # the collection that a new source feeds if nobody chooses


def add(desk: Desk) -> None:
    """Add the pages, where something is harvested."""
    harvesting = desk.parts.site.harvesting
    if harvesting is None:
        return
    _add_lists(desk, harvesting.office)
    _add_forms(desk, harvesting.office)
    _add_change(desk, harvesting.office)
    _add_acts(desk, harvesting.office)
    _add_leaving(desk, harvesting.office)


def _add_lists(desk: Desk, office: SourceOffice) -> None:
    @desk.get("/sources")
    async def every(request: Request, clerk: Clerk) -> Response:
        listed = await desk.does(office.list)
        return desk.page(request, clerk, "sources.html", nav="sources", fragment="listed", sources=listed)

    @desk.get("/sources/{name}")
    async def one(request: Request, clerk: Clerk) -> Response:
        name = request.path_params["name"]
        source = await desk.does(lambda: office.show(name))
        runs = await desk.does(lambda: office.runs(name, limit=_RUNS_SHOWN))
        # An address may hold a key of the portal, which whoever only reads has no use for.
        location = source.wanted.location if clerk.may("run") else public(source.wanted.location)
        reply = desk.page(
            request,
            clerk,
            "source.html",
            nav="sources",
            fragment="standing",
            over=() if source.live or _is_due(source) else ("desk.source.resumed_now",),
            source=source,
            due=_is_due(source),
            runs=runs,
            kinds=source_kinds.said(office.kinds(), desk.parts.pages.visitor(request).language),
            location=location,
            threshold=_threshold(office, source.wanted),
        )
        if is_fragment(request) and not (source.live or _is_due(source)):
            reply.headers["hx-refresh"] = "true"  # it has been read: the whole page has more to say now
        return reply


def _add_forms(desk: Desk, office: SourceOffice) -> None:
    def blank() -> Wanted:
        names = _collections(desk)
        usual = _USUAL if _USUAL in names or not names else names[0]
        return Wanted("", "", usual, office.usual.every_min)

    @desk.get("/add-source", "run")
    async def new(request: Request, clerk: Clerk) -> Response:
        return _form_page(desk, office, request, clerk, _Sheet("", blank()))

    @desk.post("/add-source", "run", "source.add")
    async def create(request: Request, clerk: Clerk, form: Form) -> Response:
        sheet = _Sheet("", _wanted(form, blank()), form.text("name", most=63))
        form.told["target"] = sheet.typed
        faults, number = _faults(desk, office, sheet, blank()), 0

        def make() -> int:
            office.add(sheet.typed, sheet.wanted, paused=True)
            return office.start(sheet.typed, by=clerk.name, dry=True).id

        try:
            number = number if faults else await desk.does(make)
        except Conflict:
            faults = {"name": "desk.source.name_taken"}
        if faults:
            return _form_page(desk, office, request, clerk, replace(sheet, faults=faults))
        return desk.back(request, f"/desk/runs/{number}", "desk.source.added", source=sheet.typed)


def _add_change(desk: Desk, office: SourceOffice) -> None:
    @desk.get("/sources/{name}/change", "run")
    async def change(request: Request, clerk: Clerk) -> Response:
        name = request.path_params["name"]
        source = await desk.does(lambda: office.show(name))
        return _form_page(desk, office, request, clerk, _Sheet(name, source.wanted, mark=source.wanted.mark))

    @desk.post("/sources/{name}/change", "run", "source.change")
    async def save(request: Request, clerk: Clerk, form: Form) -> Response:
        name = request.path_params["name"]
        was = (await desk.does(lambda: office.show(name))).wanted
        sheet = _Sheet(name, _wanted(form, was), mark=form.text("mark", most=64))
        if faults := _faults(desk, office, sheet, was):
            return _form_page(desk, office, request, clerk, replace(sheet, faults=faults))
        try:
            await act(desk, lambda: office.edit(name, sheet.wanted, mark=sheet.mark))
        except Changed:
            stands = (await desk.does(lambda: office.show(name))).wanted
            return _form_page(desk, office, request, clerk, replace(sheet, mark=stands.mark, clash=stands))
        return desk.back(request, f"/desk/sources/{name}", "desk.source.changed")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What stands in the form: the source's name if it has one, what was typed, what is wrong by field.

    `mark` names the settings that its page showed (`stale`); `clash` are those that stand, where these are others.
    """

    name: str
    wanted: Wanted
    typed: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""
    clash: Wanted | None = None


def _faults(desk: Desk, office: SourceOffice, sheet: _Sheet, was: Wanted) -> dict[str, str]:
    """Say what is wrong, by the name of the field, as a key of the words."""
    found, location = {}, sheet.wanted.location
    if not sheet.name and not is_collection_name(sheet.typed):
        found["name"] = "desk.source.name_wrong"
    if not location.startswith(("http://", "https://")) and location != was.location:
        found["location"] = "desk.source.location_wrong"
    if sheet.wanted.kind not in office.kinds():
        found["kind"] = "desk.source.kind_wrong"
    fed = sheet.wanted.collection
    if fed not in (was.collection, *_collections(desk)) or is_nodes_own(fed):
        found["collection"] = "desk.source.collection_wrong"
    percent = sheet.wanted.threshold
    if percent is not None and not 0 <= percent <= 100:
        found["threshold"] = "desk.source.percent"
    return found


def _form_page(desk: Desk, office: SourceOffice, request: Request, clerk: Clerk, sheet: _Sheet) -> Response:
    return desk.page(
        request,
        clerk,
        "source_form.html",
        nav="sources",
        status=400 if sheet.faults else CLASH if sheet.clash else 200,
        mark=sheet.mark,
        clash=sheet.clash,
        name=sheet.name,
        typed=sheet.typed,
        wanted=sheet.wanted,
        faults=sheet.faults,
        kinds=source_kinds.said(office.kinds(), desk.parts.pages.visitor(request).language),
        collections=_collections(desk) or [sheet.wanted.collection],
        rhythms=sorted({*RHYTHMS, sheet.wanted.every_min}),
        threshold=office.usual.threshold_percent,
    )


def _collections(desk: Desk) -> list[str]:
    """Name our own collections that sources may feed: not those that the node alone writes."""
    own = [info.name for info in desk.parts.site.shelf.collections() if not is_mirror(info.name)]
    return [name for name in own if not is_nodes_own(name)]


def _wanted(form: Form, was: Wanted) -> Wanted:
    percent = form.text("threshold", most=10)
    known = percent.isascii() and percent.isdigit()
    return Wanted(
        kind=form.text("kind", most=50),
        location=form.text("location"),
        collection=form.text("collection", most=63) or was.collection,
        every_min=form.number("every_min", most=525_600),
        keep_contacts=form.ticked("keep_contacts"),
        # What is no number at all is as wrong as one out of bounds, and is said the same way.
        threshold=None if not percent else int(percent) if known else -1,
    )


def _is_due(source: Standing) -> bool:
    """Tell whether the timetable has a source that was never read: the worker takes it within the minute."""
    return source.newest is None and source.live is None and source.next_ms > 0


def _threshold(office: SourceOffice, wanted: Wanted) -> int:
    return office.usual.threshold_percent if wanted.threshold is None else wanted.threshold


def _add_acts(desk: Desk, office: SourceOffice) -> None:
    @desk.post("/sources/{name}/run", "run", "run.start")
    async def start(request: Request, clerk: Clerk, form: Form) -> Response:
        name, how = request.path_params["name"], form.text("how", most=10)
        if how not in WAYS:
            raise fault("no.source.how", f"There is no way {how!r} to read a source.")
        run = await act(desk, lambda: office.start(name, by=clerk.name, dry=how == "dry", full=how == "full"))
        form.told["run"] = run.id
        return desk.back(request, f"/desk/runs/{run.id}", "desk.run.asked")

    @desk.post("/sources/{name}/pause", "run", "source.pause")
    async def pause(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        name = request.path_params["name"]
        await desk.does(lambda: office.pause(name))
        return desk.back(request, f"/desk/sources/{name}", "desk.source.paused")

    @desk.post("/sources/{name}/resume", "run", "source.resume")
    async def resume(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        name = request.path_params["name"]
        source = await desk.does(lambda: office.resume(name))
        said = "desk.source.resumed_now" if _is_due(source) else "desk.source.resumed"
        return desk.back(request, f"/desk/sources/{name}", said)

    @desk.post("/sources/{name}/publish", "run", "run.start")
    async def publish(request: Request, clerk: Clerk, form: Form) -> Response:
        """Read and publish what was read for show: now, since no timetable will, and with no pause left behind."""
        name = request.path_params["name"]

        def begin() -> int:
            number = office.start(name, by=clerk.name).id
            office.resume(name)
            return number

        number = await act(desk, begin)
        form.told["run"] = number
        return desk.back(request, f"/desk/runs/{number}", "desk.run.asked")


def _add_leaving(desk: Desk, office: SourceOffice) -> None:
    async def page(request: Request, clerk: Clerk, typed: str = "", wrong: str = "") -> Response:
        name = request.path_params["name"]
        source = await desk.does(lambda: office.show(name))
        return desk.page(
            request,
            clerk,
            "source_leave.html",
            nav="sources",
            status=400 if wrong else 200,
            source=source,
            typed=typed,
            wrong=wrong,
        )

    @desk.get("/sources/{name}/leave", "run")
    async def ask(request: Request, clerk: Clerk) -> Response:
        return await page(request, clerk)

    @desk.post("/sources/{name}/forget", "run", "source.forget")
    async def forget(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        name = request.path_params["name"]
        await act(desk, lambda: office.forget(name))
        return desk.back(request, "/desk/sources", "desk.source.forgotten", source=name)

    @desk.post("/sources/{name}/withdraw", "decide", "source.withdraw")
    async def withdraw(request: Request, clerk: Clerk, form: Form) -> Response:
        name = request.path_params["name"]
        typed = form.typed("name")
        if typed != name:
            return await page(request, clerk, typed, "desk.source.retype")
        run = await act(desk, lambda: office.give_up(name, by=clerk.name))
        return desk.back(request, f"/desk/runs/{run.id}", "desk.source.leaving", source=name)
