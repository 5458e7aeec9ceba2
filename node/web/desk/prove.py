"""Asking again who somebody is before an act that decides or rules, if they did not show it for a quarter of an hour.

What was sent comes along in the page that asks, so that one password later the act is done as it was meant. A session
left open on somebody's desk can look and write drafts, and neither approve an agreement nor make an account.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.errors import TooManyRequests, Unauthenticated
from node.staff.rights import Right
from node.web.desk.frame import Clerk, Desk, until_when
from node.web.desk.sign_in import CITY, secret_of
from node.web.forms.forms import Form
from node.web.wire.problems import problem_of

ASKED: frozenset[Right] = frozenset({"decide", "rule"})
_PASSWORD, _CODE = "proof-password", "proof-code"
# Ours, and what nobody should find in the text of a page.
_LEFT_OUT = frozenset({"token", _PASSWORD, _CODE})


def add(desk: Desk) -> None:
    """Let the frame ask."""
    staff = desk.staff

    async def ask(request: Request, clerk: Clerk, form: Form, right: Right, act: str) -> Response | None:
        """Give the page that asks, or None if the act may go on."""
        if right not in ASKED or clerk.fresh or not clerk.may(right):
            return None
        if _PASSWORD not in form.fields:
            return await page(request, clerk, form, act)
        password, code, token = secret_of(form, _PASSWORD), form.text(_CODE, most=60), request.cookies[desk.cookie]

        def proven() -> None:
            source = desk.source(request)
            with staff.trail.act(who=clerk.name, way="desk", source=source, act="session.prove") as told:
                told.detail["by"] = staff.signing_in.prove(clerk.name, password, code, source)
                staff.sessions.prove(token)

        try:
            await desk.does(proven)
        except (Unauthenticated, TooManyRequests) as error:
            return await page(request, clerk, form, act, error)
        return None

    async def page(
        request: Request, clerk: Clerk, form: Form, act: str, flaw: Unauthenticated | TooManyRequests | None = None
    ) -> Response:
        person = await desk.does(lambda: staff.people.get(clerk.name))
        fields = [(name, value) for name, values in form.fields.items() for value in values if name not in _LEFT_OUT]
        files = _kept(form)
        reply = desk.page(
            request,
            clerk,
            "prove.html",
            status=problem_of(flaw).status if flaw else 200,
            person=person,
            act=act,
            target=(" ".join(map(str, request.path_params.values())) or form.typed("name"))[:200],
            fields=[*fields, *files] if files is not None else [],
            lost=files is None,
            parts=bool(form.files),
            address=request.scope["path"],
            by_city=CITY,
            flaw=flaw,
        )
        return until_when(reply, flaw)

    desk.ask_again = ask


def _kept(form: Form) -> list[tuple[str, str]] | None:
    """Give the files of a form as texts: a browser sends no file twice. Nothing if one of them is no text."""
    try:
        return [(name, data.decode()) for name, data in form.files.items() if data]
    except UnicodeDecodeError:
        return None
