"""The desk's pages of this city's own collections: list, make, retitle, open to everyone or restrict.

Whoever may run sources makes a collection and gives it a title; who may read it is decided by an approver, since what
everyone has read cannot be taken back. Mirrors, and what the node fills by itself, are not listed.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.author.collections import MOST_TITLE
from node.errors import Conflict, Malformed, NodeError
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form, fault
from node.web.ports.knowledge import Collections
from node.web.wire.problems import Problem, problem_of

HERE = "/desk/collections"
_USUAL = {"name": "", "title": "", "access": "restricted"}


def add(desk: Desk) -> None:
    """Put the pages on the desk of a node that keeps records of its own."""
    knowledge = desk.parts.site.knowledge
    if knowledge is None:
        return
    _add_list(desk, knowledge.collections)
    _add_one(desk, knowledge.collections)
    _add_access(desk, knowledge.collections)


def _add_list(desk: Desk, office: Collections) -> None:
    async def page(
        request: Request, clerk: Clerk, typed: dict[str, str] = _USUAL, wrong: Problem | None = None
    ) -> Response:
        listed = await desk.does(office.list)
        return desk.page(
            request,
            clerk,
            "collections.html",
            nav="sources",
            status=wrong.status if wrong else 200,
            collections=listed,
            typed=typed,
            wrong=wrong,
            most=MOST_TITLE,
        )

    @desk.get("/collections")
    async def every(request: Request, clerk: Clerk) -> Response:
        return await page(request, clerk)

    @desk.post("/collections", "run", "collection.make")
    async def make(request: Request, clerk: Clerk, form: Form) -> Response:
        typed = {name: form.typed(name)[:MOST_TITLE] for name in _USUAL}
        form.told.update({"target": typed["name"][:63], "access": typed["access"][:20]})
        try:
            made = await desk.does(
                lambda: office.make(typed["name"], title=typed["title"], public=typed["access"] == "public")
            )
        except (Malformed, Conflict) as error:
            return await page(request, clerk, typed, problem_of(error))
        return desk.back(request, f"{HERE}/{made.name}", "desk.collections.note.made", title=made.title)


def _add_one(desk: Desk, office: Collections) -> None:
    @desk.get("/collections/{name}")
    async def one(request: Request, clerk: Clerk) -> Response:
        return await _one(desk, office, request, clerk)

    @desk.post("/collections/{name}/title", "run", "collection.title")
    async def rename(request: Request, clerk: Clerk, form: Form) -> Response:
        name, title = request.path_params["name"], form.typed("title")
        try:
            await desk.does(lambda: office.rename(name, title))
        except Malformed as error:
            return await _one(desk, office, request, clerk, title, error)
        return desk.back(request, f"{HERE}/{name}", "desk.collections.note.title")


def _add_access(desk: Desk, office: Collections) -> None:
    @desk.post("/collections/{name}/open", "decide", "collection.open")
    async def open_to_all(request: Request, clerk: Clerk, form: Form) -> Response:
        name = request.path_params["name"]
        try:
            if not form.ticked("sure"):
                raise fault("desk.collections.sure_first", "Nobody has said that everyone may read all of it.")
            await desk.does(lambda: office.open_to_all(name))
        except (Malformed, Conflict) as error:
            return await _one(desk, office, request, clerk, wrong=error)
        return desk.back(request, f"{HERE}/{name}", "desk.collections.note.open")

    @desk.post("/collections/{name}/restrict", "decide", "collection.restrict")
    async def restrict(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        name = request.path_params["name"]
        await desk.does(lambda: office.restrict(name))
        return desk.back(request, f"{HERE}/{name}", "desk.collections.note.restricted")


async def _one(
    desk: Desk, office: Collections, request: Request, clerk: Clerk, title: str = "", wrong: NodeError | None = None
) -> Response:
    """Write the page of one; after a form that was refused with what was typed and why."""
    found = await desk.does(lambda: office.show(request.path_params["name"]))
    problem = problem_of(wrong) if wrong else None
    return desk.page(
        request,
        clerk,
        "collection.html",
        nav="sources",
        status=problem.status if problem else 200,
        one=found,
        title=title or found.title,
        wrong=problem,
        most=MOST_TITLE,
    )
