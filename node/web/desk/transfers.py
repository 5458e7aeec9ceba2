"""The desk's pages of what moves: transfers with both ends' story, what we pull with its progress, asking for data.

What runs is shown anew every two seconds by the same address. Getting data asks the worker, which finds the agreement,
pulls and verifies; where no agreement permits it, the same form asks the other city for one, which people of both
approve as any other.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.errors import NodeError, NotAgreed, NotFound
from node.federation.moved import PullWish, TransferTold
from node.web.desk import data_shown as shown
from node.web.desk.agreements_frame import where
from node.web.desk.data_frame import HERE, DataPages, at
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form, fault
from node.web.pages import is_fragment
from node.web.ports.moved import Act
from node.web.wire.problems import Problem, problem_of
from node.web.wording.because import Because, of_transfer

_ACTS: tuple[Act, ...] = ("suspend", "resume", "terminate")
_FIELDS = ("dataset", "purpose", "part", "peer", "message")


def add(desk: Desk) -> None:
    """Put the pages on the desk of a node that moves data."""
    office = desk.parts.site.data_desk
    if office is None:
        return
    pages = DataPages(desk, office)
    _add_lists(desk, pages)
    _add_stories(desk, pages)
    _add_transfer_acts(desk, pages)
    _add_getting(desk, pages)
    _add_pull_acts(desk, pages)


def _add_lists(desk: Desk, pages: DataPages) -> None:
    @desk.get("/data")
    async def moving(request: Request, clerk: Clerk) -> Response:
        ended = request.query_params.get("ended", "") == "true"
        transfers = await desk.does(lambda: pages.office.transfers(ended=ended))
        pulls = await desk.does(lambda: pages.office.pulls(ended=ended))
        live = any(map(shown.is_live, pulls)) or any(each.state == "STARTED" for each in transfers)
        return pages.page(
            request,
            clerk,
            "data.html",
            tab="moving",
            fragment="listed",
            transfers=transfers,
            pulls=pulls,
            ended=ended,
            live=live,
        )


def _add_stories(desk: Desk, pages: DataPages) -> None:
    @desk.get("/data/transfers/{pid}")
    async def transfer(request: Request, clerk: Clerk) -> Response:
        return await _story(desk, pages, request, clerk)

    @desk.get("/data/pulls/{number}")
    async def pull(request: Request, clerk: Clerk) -> Response:
        number = _number(request)
        told = await desk.does(lambda: pages.office.pull(number))
        reply = pages.page(request, clerk, "data_pull.html", tab="moving", fragment="standing", pull=told)
        if is_fragment(request) and not shown.is_live(told):
            reply.headers["hx-refresh"] = "true"  # it has ended: the whole page has more to say now
        return reply


async def _story(
    desk: Desk, pages: DataPages, request: Request, clerk: Clerk, wrong: Problem | None = None, typed: str = ""
) -> Response:
    """Write the page of a transfer; after an act that was refused with why, and the reason that was typed."""
    pid = str(request.path_params["pid"])[:200]
    told = await desk.does(lambda: pages.office.transfer(pid))
    statements = await desk.does(lambda: pages.office.statements(transfer=told.pid))
    return pages.page(
        request,
        clerk,
        "data_transfer.html",
        tab="moving",
        fragment="standing",
        status=wrong.status if wrong else 200,
        transfer=told,
        statements=statements,
        course=shown.course(told, statements),
        why_stopped=_why(told, desk.parts.pages.visitor(request).language),
        wrong=wrong,
        typed=typed,
        where=where,
    )


def _why(told: TransferTold, reader: str) -> list[Because]:
    """Say why a transfer stopped; what a person wrote stands as it was written, in whichever language."""
    return [Because(each, "") if told.by_hand else of_transfer(each, reader) for each in told.reasons]


def _add_transfer_acts(desk: Desk, pages: DataPages) -> None:
    def put(act: Act) -> None:
        @desk.post(f"/data/transfers/{{pid}}/{act}", "run", f"transfer.{act}")
        async def done(request: Request, clerk: Clerk, form: Form) -> Response:
            pid = str(request.path_params["pid"])[:200]
            reason = form.text("reason", most=500)
            try:
                if act == "terminate" and not reason:
                    raise fault("desk.data.why_needed", "The other city is told why a transfer ends.")
                await desk.does(lambda: pages.office.act(act, pid, reason=reason, by=clerk.name))
            except NotFound:
                raise
            except NodeError as error:
                return await _story(desk, pages, request, clerk, problem_of(error), reason)
            return desk.back(request, f"{HERE}/transfers/{pid}", f"desk.data.note.{act}")

    for each in _ACTS:
        put(each)


def _add_getting(desk: Desk, pages: DataPages) -> None:
    @desk.get("/data/get", "run")
    async def form_page(request: Request, clerk: Clerk) -> Response:
        typed = {name: request.query_params.get(name, "")[:2_000] for name in _FIELDS}
        return await _getting(desk, pages, request, clerk, typed)

    @desk.post("/data/get", "run", "data.get")
    async def get(request: Request, clerk: Clerk, form: Form) -> Response:
        wish, typed = _wished(form)
        try:
            pull = await desk.does(lambda: pages.office.get(wish, by=clerk.name))
        except NodeError as error:
            missing = isinstance(error, NotAgreed)
            return await _getting(desk, pages, request, clerk, typed, problem_of(error), missing=missing)
        form.told["target"] = wish.dataset[:200]
        return desk.back(request, f"{HERE}/pulls/{pull.number}", "desk.data.note.get")

    @desk.post("/data/ask", "run", "data.ask")
    async def ask(request: Request, clerk: Clerk, form: Form) -> Response:
        wish, typed = _wished(form)
        try:
            message = form.text("message", most=2_000)
            draft = await desk.does(lambda: pages.office.ask_access(wish, message=message, by=clerk.name))
        except NodeError as error:
            return await _getting(desk, pages, request, clerk, typed, problem_of(error), missing=True)
        form.told["target"] = draft[:200]
        return desk.back(request, where(draft), "desk.data.note.ask")


def _wished(form: Form) -> tuple[PullWish, dict[str, str]]:
    typed = {name: form.typed(name)[:2_000] for name in _FIELDS}
    wish = PullWish(
        form.text("dataset"), form.text("purpose", most=200), form.text("part", most=200), form.text("peer", most=63)
    )
    return wish, typed


async def _getting(
    desk: Desk,
    pages: DataPages,
    request: Request,
    clerk: Clerk,
    typed: dict[str, str],
    wrong: Problem | None = None,
    *,
    missing: bool = False,
) -> Response:
    """Write the form that gets data; where an agreement is missing it also asks for one."""
    federation = desk.parts.site.federation
    listed = await desk.does(federation.office.list) if federation else ()
    return pages.page(
        request,
        clerk,
        "data_get.html",
        tab="moving",
        status=wrong.status if wrong else 200,
        typed=typed,
        wrong=wrong,
        missing=missing,
        purposes=pages.purposes(request),
        peers=[each for each in listed if each["state"] in ("approved", "active")],
    )


def _add_pull_acts(desk: Desk, pages: DataPages) -> None:
    @desk.post("/data/pulls/{number}/resume", "run", "pull.resume")
    async def resume(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        number = _number(request)
        await desk.does(lambda: pages.office.resume_pull(number))
        return desk.back(request, at(f"pulls/{number}"), "desk.data.note.resumed")

    @desk.post("/data/pulls/{number}/cancel", "run", "pull.cancel")
    async def cancel(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        number = _number(request)
        await desk.does(lambda: pages.office.cancel_pull(number))
        return desk.back(request, at(f"pulls/{number}"), "desk.data.note.cancelled")


def _number(request: Request) -> int:
    given = str(request.path_params["number"])
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise NotFound("There is no such pull.", fix="Look at what moves: /desk/data.").on_page("no.pull")
    return int(given)
