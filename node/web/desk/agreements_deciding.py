"""What persons decide about agreements on the desk: approving what they read, going on, suspending, resuming, ending.

Who approves is who is signed in, and what is approved is named by the digest that the page showed, so that terms which
changed meanwhile are not approved by anybody. How many persons it takes is a setting; one person's second yes is the
same yes.
"""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from node.errors import NodeError
from node.web.desk.agreements_frame import Agreements, where
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import Form
from node.web.wire.problems import problem_of


def add(desk: Desk, pages: Agreements) -> None:
    """Put these acts on the desk."""
    _add_approval(desk, pages)
    _add_standing(desk, pages)


def _add_approval(desk: Desk, pages: Agreements) -> None:
    @desk.post("/agreements/approve", "decide", "agreement.approve")
    async def approve(request: Request, clerk: Clerk, form: Form) -> Response:
        name, terms = pages.named(form), form.text("terms", most=1_000, needed=True)
        form.told["terms"] = terms[:200]
        done = await desk.does(lambda: pages.office.approve(name, person=clerk.name, terms=terms))
        parts = done.get("parts") or [done]
        missing = max((int(each.get("approvals_missing", 0) or 0) for each in parts), default=0)
        key = "desk.agr.note.approved_more" if missing else "desk.agr.note.approved"
        return desk.back(request, where(name), key)

    @desk.post("/agreements/sign", "decide", "agreement.sign")
    async def sign(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001 (the trail says who)
        name = pages.named(form)
        await desk.does(lambda: pages.office.sign(name))
        return desk.back(request, where(name), "desk.agr.note.went_on")


def _add_standing(desk: Desk, pages: Agreements) -> None:
    def add_act(act: Literal["suspend", "resume", "revoke"]) -> None:
        @desk.post(f"/agreements/{act}", "decide", f"agreement.{act}")
        async def does(request: Request, clerk: Clerk, form: Form) -> Response:
            name, reason = pages.named(form), form.text("reason", most=1_000)
            try:
                await desk.does(lambda: pages.office.act(act, name, reason=reason, by=clerk.name))
            except NodeError as error:
                form.told["refused"] = error.code
                return await pages.one(request, clerk, name, wrong=problem_of(error), typed={act: reason})
            return desk.back(request, where(name), f"desk.agr.note.{act}")

    add_act("suspend")
    add_act("resume")
    add_act("revoke")
