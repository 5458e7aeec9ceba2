"""Submissions at the desk: what strangers sent, read as it would be published, and a yes or a no with a reason.

Accepting publishes it in the collection of its kind; both answers forget who sent it, so the mail address is shown
until then and once more with the yes. The queue decides; here it is shown.
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node.catalog.submissions import Shown
from node.records import KINDS
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import is_link
from node.vocab.kinds.reading import links_in
from node.web.desk.frame import Clerk, Desk
from node.web.desk.lint_said import told
from node.web.forms.forms import Form
from node.web.ports.knowledge import Knowers
from node.web.records.knowledge_values import Values
from node.web.records.knowledge_view import view_of
from node.web.records.touching import Touching, said_in_words

MOST = 200


def add(desk: Desk) -> None:
    """Add the queue and its two answers."""
    knowledge = desk.parts.site.knowledge
    if knowledge is None:
        return
    _add_queue(desk, knowledge)
    _add_answers(desk, knowledge)


def _add_queue(desk: Desk, knowledge: Knowers) -> None:
    @desk.get("/submissions", "read")
    async def queue(request: Request, clerk: Clerk) -> Response:
        reader = desk.parts.pages.visitor(request).language
        decided = request.query_params.get("decided") == "1"
        rows: Sequence[Shown] = await desk.does(lambda: knowledge.submissions.list(waiting=not decided, limit=MOST))
        return desk.page(
            request,
            clerk,
            "submissions.html",
            nav="inbox",
            rows=rows,
            decided=decided,
            kind_said={kind: said_in_words(table.title, reader) for kind, table in TABLES.items()},
        )

    @desk.get("/submissions/{name}", "read")
    async def one(request: Request, clerk: Clerk) -> Response:
        reader, name = desk.parts.pages.visitor(request).language, request.path_params["name"]
        context = await desk.does(lambda: _shown(desk, knowledge, name, reader))
        return desk.page(request, clerk, "submission.html", nav="inbox", **context)


def _shown(desk: Desk, knowledge: Knowers, name: str, reader: str) -> dict[str, Any]:
    found = knowledge.submissions.show(name)
    table = TABLES[found.kind]
    said = knowledge.authoring.as_published(found.kind, found.id, found.said) if found.said else {}
    targets = Touching(desk.parts, reader).targets([iri for _, iri in links_in(table, said) if is_link(iri)])
    return {
        "found": found,
        "knowledge": view_of(table, said, Values(reader, desk.parts.pages.languages, targets)) if said else None,
        "warnings": told(table, found.warnings, reader),
        "kind_said": said_in_words(table.title, reader),
        "path": f"/{KINDS[found.kind]}/{found.record}" if found.record else "",
    }


def _add_answers(desk: Desk, knowledge: Knowers) -> None:
    @desk.post("/submissions/{name}/accept", "write", "submission.accept")
    async def accept(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (rights are the frame's)
        name, slug = request.path_params["name"], form.text("slug", most=80)
        done = await desk.does(lambda: knowledge.submissions.accept(name, slug=slug))
        form.told["record"] = done.record
        key = "desk.submissions.accepted_mail" if done.contact else "desk.submissions.accepted"
        return desk.back(request, "/desk/submissions", key, title=done.title[:200], mail=done.contact)

    @desk.post("/submissions/{name}/refuse", "write", "submission.refuse")
    async def refuse(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (rights are the frame's)
        name, reason = request.path_params["name"], form.text("reason", most=1_000, needed=True)
        done = await desk.does(lambda: knowledge.submissions.refuse(name, reason=reason))
        return desk.back(request, "/desk/submissions", "desk.submissions.refused", title=done.title[:200])
