"""Cities as a table, out and in: what a file would change is shown first, and exactly that is done or nothing.

A file may add, pause and block; it approves nobody and never lowers a block. The table travels through the page of the
preview and comes back with its plan, so nothing is kept between the two steps.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Changed, Conflict, ForbiddenAddress, Malformed, NodeError, TooLarge
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form, fault
from node.web.ports.peers import Json, Office
from node.web.wire import answer
from node.web.wire.problems import Problem, problem_of

MAX_TABLE_BYTES = 512 * 1024
_WRONG = (Malformed, TooLarge, Conflict, Changed, ForbiddenAddress)


def add(desk: Desk) -> None:
    """Put the pages on the desk of a node that knows other cities."""
    federation = desk.parts.site.federation
    if federation is None:
        return
    _add_out(desk, federation.office)
    _add_in(desk, federation.office)


def _add_out(desk: Desk, office: Office) -> None:
    @desk.get("/peers.csv")
    async def export(request: Request, clerk: Clerk) -> Response:  # noqa: ARG001  (whoever may read)
        table = await desk.does(office.export)
        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": 'attachment; filename="peers.csv"'}
        return Response(table.encode(), media_type="text/csv; charset=utf-8", headers=headers)


def _add_in(desk: Desk, office: Office) -> None:
    def page(
        request: Request, clerk: Clerk, plan: Json | None = None, table: str = "", wrong: Problem | None = None
    ) -> Response:
        status = wrong.status if wrong else 200
        return desk.page(
            request, clerk, "peer_import.html", nav="peers", status=status, plan=plan, table=table, wrong=wrong
        )

    def again(request: Request, clerk: Clerk, form: Form, error: NodeError) -> Response:
        """Show the table that was sent, with what is wrong beside it; a file is shown as what was read of it."""
        form.told["refused"] = error.code
        sent = form.file("file").decode("utf-8-sig", "replace") if error.said[0] != "desk.peers.no_csv" else ""
        typed = sent.strip() or form.typed("table")
        return page(request, clerk, table=typed, wrong=replace(problem_of(error), field="table"))

    @desk.get("/peer-table", "decide")
    async def choose(request: Request, clerk: Clerk) -> Response:
        return page(request, clerk)

    @desk.post("/peer-table", "decide", "peer.import_look", upload=MAX_TABLE_BYTES)
    async def look(request: Request, clerk: Clerk, form: Form) -> Response:
        try:
            table = _table(form)
            plan = await desk.does(lambda: office.plan(table.encode()))
        except _WRONG as error:
            return again(request, clerk, form, error)
        form.told["changes"] = sum(each["change"] != "keep" for each in plan["changes"])
        return page(request, clerk, plan, table)

    @desk.post("/peer-table/take", "decide", "peer.import", upload=MAX_TABLE_BYTES)
    async def take(request: Request, clerk: Clerk, form: Form) -> Response:
        plan = form.text("plan", needed=True, most=100)
        try:
            table = _table(form)
            done = await desk.does(lambda: office.take(table.encode(), plan=plan))
        except _WRONG as error:
            return again(request, clerk, form, error)
        form.told["changes"] = done["touched"]
        return desk.back(request, "/desk/peers", "desk.peers.note.imported", n=done["touched"])


def _table(form: Form) -> str:
    """Give the table of a form: a file, or what was pasted; with one spelling of line ends, so that a plan holds."""
    try:
        sent = form.file("file").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fault("desk.peers.no_csv", "The file is no CSV in UTF-8.") from error
    table = sent.replace("\r\n", "\n").strip() or form.text("table", most=MAX_TABLE_BYTES)
    if not table:
        raise fault("desk.peers.no_table", "There is no table.")
    return table
