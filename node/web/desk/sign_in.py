"""Signing in and out: a name and a password, a code of a phone, the city's own sign-in, and links that set passwords.

The pages that are there before anybody is known, so they stand beside the frame: what they take is checked for coming
from our own pages, and every try is in the audit trail, under a name only if there is such an account; one that is
`done` there opened a session, and says by what. The cookie is
sent to the desk alone, is out of reach of scripts, and ends with the browser.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.errors import Conflict, Forbidden, Malformed, NodeError, NotFound, Refuted, TooManyRequests, Unauthenticated
from node.staff.signing_in import Step
from node.staff.trail import Telling
from node.web.desk.frame import SIGN_IN, Clerk, Desk, until_when
from node.web.forms.forms import Form, fault
from node.web.ports.staff import Provider
from node.web.wire import answer
from node.web.wire.problems import problem_of

T = TypeVar("T")
CITY = f"{SIGN_IN}/city"
MOST_PASSWORD = 300
_USE = "sign-in elsewhere"
_THEN = re.compile(r"/desk(?:[/?][!-\[\]-~]*)?\Z")
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)

Handler = Callable[[Request], Awaitable[Response]]


def add(desk: Desk) -> None:
    """Add the pages."""
    doors = Doors(desk)
    _open(desk, "GET", "/sign-in", doors.show)
    _open(desk, "POST", "/sign-in", doors.password)
    _open(desk, "POST", "/sign-in/code", doors.code)
    _open(desk, "POST", "/sign-in/phone", doors.phone)
    _open(desk, "GET", "/welcome/{secret}", doors.welcome)
    _open(desk, "POST", "/welcome/{secret}", doors.set_password)
    desk.post("/sign-out", "read", "session.end")(doors.leave)
    if desk.staff.provider:
        elsewhere = Elsewhere(desk, desk.staff.provider, doors)
        _open(desk, "GET", "/sign-in/city", elsewhere.begin)
        _open(desk, "GET", "/sign-in/city/back", elsewhere.end)


def _open(desk: Desk, method: str, path: str, handler: Handler) -> None:
    """Add a page that is there for whoever has not signed in."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except NodeError as error:
            return desk.refusal(request, None, problem_of(error))

    desk.router.add_api_route(f"/desk{path}", endpoint, methods=[method], response_class=Response)


class Doors:
    """The pages of accounts of this desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request) -> Response:
        """Show the form; whoever is signed in goes on."""
        then = safe_then(request.query_params.get("then", ""))
        if await self._desk.clerk(request):
            return self._desk.back(request, then)
        leave = ""
        if request.query_params.get("left") == "city" and self._desk.staff.provider:
            leave = await self._desk.does(self._desk.staff.provider.leave)
        left = "left" in request.query_params
        return self._page(request, then=then, left=left, leave=leave)

    async def password(self, request: Request) -> Response:
        """Take a name and a password."""
        form = await self._desk.form(request, None)
        name, then = form.text("name", most=100).lower(), safe_then(form.text("then"))
        password, address = secret_of(form, "password"), self._desk.source(request)
        signing_in = self._desk.staff.signing_in
        try:
            # Who must wait is told so without a row in the trail: strangers would fill it as fast as they can ask.
            await self._desk.does(lambda: signing_in.may_try(name, address))
            step, token = await self.came(request, name, lambda: signing_in.password(name, password, address))
        except (Unauthenticated, TooManyRequests) as error:
            return self._page(request, then=then, name=name, flaw=error, status=problem_of(error).status)
        return await self.next(request, step, token, then)

    async def code(self, request: Request) -> Response:
        """Take a code of a phone, or a recovery code."""
        form = await self._desk.form(request, None)
        ticket, code, then = form.text("ticket"), form.text("code", most=60), safe_then(form.text("then"))
        address, signing_in = self._desk.source(request), self._desk.staff.signing_in
        try:
            await self._desk.does(lambda: signing_in.may_try_code(ticket, address))
            _, token = await self.came(
                request, signing_in.whose(ticket), lambda: signing_in.code(ticket, code, address)
            )
        except (Unauthenticated, TooManyRequests) as error:
            if isinstance(error, Unauthenticated) and error.error == "ticket":
                return self._page(request, then=then, flaw=error, status=401)
            return self._code_page(request, ticket, then, error)
        return self.enter(self._desk.back(request, then), token)

    async def phone(self, request: Request) -> Response:
        """Set up a phone for somebody who may not do without one."""
        form = await self._desk.form(request, None)
        ticket, draft, code = form.text("ticket"), form.text("draft"), form.text("code", most=60)
        address, then = self._desk.source(request), safe_then(form.text("then"))
        signing_in, codes = self._desk.staff.signing_in, list[str]()

        def confirmed() -> Step:
            step, made = signing_in.confirm(ticket, draft, code, address)
            codes.extend(made)
            return step

        try:
            await self._desk.does(lambda: signing_in.may_try_code(ticket, address))
            _, token = await self.came(request, signing_in.whose(ticket), confirmed)
        except (Unauthenticated, TooManyRequests) as error:
            if isinstance(error, Unauthenticated) and error.error == "ticket":
                return self._page(request, then=then, flaw=error, status=401)
            return await self._phone_page(request, ticket, then, draft=draft, flaw=error)
        reply = self._desk.page(request, None, "recovery.html", codes=codes, then=then, signing_in=True)
        return self.enter(reply, token)

    async def next(self, request: Request, step: Step, token: str, then: str) -> Response:
        """Show what is needed after the password, or let somebody in."""
        if step.needs == "code":
            return self._code_page(request, step.ticket, then)
        if step.needs == "phone":
            return await self._phone_page(request, step.ticket, then)
        return self.enter(self._desk.back(request, then), token)

    async def came(self, request: Request, name: str, work: Callable[[], Step]) -> tuple[Step, str]:
        """Do a step of a sign-in; the last one opens a session, whose token comes with it."""

        def doing(told: Telling) -> tuple[Step, str]:
            step = work()
            if step.needs != "nothing":
                told.outcome = f"needs {step.needs}"
                return step, ""
            told.detail["by"] = step.by
            return step, self.opened(request, step.name, source="local")

        return await self.tried(request, name, doing, act="session.begin")

    def opened(self, request: Request, name: str, *, source: str) -> str:
        """Open a session and end the one that this browser had."""
        if old := request.cookies.get(self._desk.cookie, ""):
            self._desk.staff.sessions.end(old)
        about = about_of(request.headers.get("user-agent", ""))
        return self._desk.staff.sessions.open(name, about=about, source=source)

    def enter(self, reply: Response, token: str) -> Response:
        """Give a browser the session that was opened for it."""
        set_cookie(self._desk, reply, token)
        return reply

    async def welcome(self, request: Request) -> Response:
        """Show the form that sets a password, to whoever has the link."""
        secret = request.path_params["secret"]
        try:
            name = await self._desk.does(lambda: self._desk.staff.links.name_of(secret))
        except NotFound:
            return self._desk.page(request, None, "welcome.html", status=404, name="", flaw=None)
        return self._desk.page(request, None, "welcome.html", name=name, flaw=None)

    async def set_password(self, request: Request) -> Response:
        """Set the password that a link is for; the link is used up."""
        form, staff, secret = await self._desk.form(request, None), self._desk.staff, request.path_params["secret"]
        name = ""
        try:
            name = await self._desk.does(lambda: staff.links.name_of(secret))
            password = twice(form)
            await self.tried(
                request, name, lambda _: staff.people.set_password(name, password, link=secret), act="account.password"
            )
        except NotFound:
            return self._desk.page(request, None, "welcome.html", status=404, name="", flaw=None)
        except Malformed as error:
            return self._desk.page(request, None, "welcome.html", status=400, name=name, flaw=error)
        address = self._desk.source(request)
        step, token = await self.came(request, name, lambda: staff.signing_in.password(name, password, address))
        return await self.next(request, step, token, "/desk")

    async def leave(self, request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG002 (a deed of the frame)
        """Sign out."""
        token = request.cookies.get(self._desk.cookie, "")

        def ended() -> str:
            found = self._desk.staff.sessions.find(token)
            self._desk.staff.sessions.end(token)
            return "city" if found and found.source == "oidc" else "desk"

        reply = self._desk.back(request, f"{SIGN_IN}?{urlencode({'left': await self._desk.does(ended)})}")
        reply.delete_cookie(
            self._desk.cookie, path=cookie_path(self._desk), secure=self._desk.is_safe, httponly=True, samesite="lax"
        )
        return reply

    async def tried(self, request: Request, name: str, work: Callable[[Telling], T], *, act: str) -> T:
        """Do a step with its place in the trail; a name that nobody has is not written down: it may be a password."""

        def doing() -> T:
            source = self._desk.source(request)
            with self._desk.staff.trail.act(who=self._known(name), way="desk", source=source, act=act) as told:
                return work(told)

        return await self._desk.does(doing)

    def _known(self, name: str) -> str:
        try:
            return self._desk.staff.people.get(name).name if name else ""
        except NotFound:
            return ""

    def _page(self, request: Request, *, then: str, status: int = 200, **more: object) -> Response:
        context: dict[str, Any] = {"name": "", "left": False, "leave": "", "flaw": None, **more}
        by_city = f"{CITY}?{urlencode({'then': then})}" if self._desk.staff.provider else ""
        reply = self._desk.page(request, None, "sign_in.html", status=status, then=then, by_city=by_city, **context)
        return until_when(reply, context["flaw"])

    def _code_page(self, request: Request, ticket: str, then: str, flaw: NodeError | None = None) -> Response:
        status = problem_of(flaw).status if flaw else 200
        context: dict[str, Any] = {"ticket": ticket, "then": then, "flaw": flaw}
        return until_when(self._desk.page(request, None, "sign_in_code.html", status=status, **context), flaw)

    async def _phone_page(
        self, request: Request, ticket: str, then: str, *, draft: str = "", flaw: NodeError | None = None
    ) -> Response:
        _, setting = await self._desk.does(lambda: self._desk.staff.signing_in.phone(ticket, draft=draft))
        status = problem_of(flaw).status if flaw else 200
        context: dict[str, Any] = {"setting": setting, "ticket": ticket, "then": then, "flaw": flaw}
        return until_when(self._desk.page(request, None, "sign_in_phone.html", status=status, **context), flaw)


class Elsewhere:
    """The pages of the city's own sign-in."""

    def __init__(self, desk: Desk, provider: Provider, doors: Doors) -> None:
        self._desk, self._provider, self._doors = desk, provider, doors
        self._cookie = f"{desk.cookie}-away"

    async def begin(self, request: Request) -> Response:
        """Send the browser there, with what it must bring back; a session that is open is proved anew."""
        then, clerk = safe_then(request.query_params.get("then", "")), await self._desk.clerk(request)
        begun = await self._desk.does(lambda: self._provider.begin(again=clerk is not None))
        kept = {**begun.kept, "then": then, "name": clerk.name if clerk else ""}
        sealed = self._desk.staff.sealer.seal(orjson.dumps(kept), use=_USE, about="browser")
        reply = RedirectResponse(begun.url, status_code=303, headers={"cache-control": answer.NOT_KEPT})
        reply.set_cookie(
            self._cookie,
            base64.urlsafe_b64encode(sealed).decode(),
            max_age=600,
            path=f"{self._desk.parts.pages.prefix}{CITY}",
            secure=self._desk.is_safe,
            httponly=True,
            samesite="lax",
        )
        return reply

    async def end(self, request: Request) -> Response:
        """Let in whoever comes back as somebody that it vouches for."""
        kept = self._opened(request.cookies.get(self._cookie, ""))
        asked = {name: value[:4_000] for name, value in request.query_params.items()}
        try:
            token = await self._desk.does(lambda: self._came(request, kept, asked))
            reply = self._doors.enter(self._desk.back(request, safe_then(kept.get("then", ""))), token)
        except (Unauthenticated, Forbidden, Conflict) as error:
            reply = self._desk.page(request, None, "sign_in_city.html", status=problem_of(error).status, flaw=error)
        # With `secure`, as it was given: a browser takes nothing else for a cookie of that name, and would keep it.
        reply.delete_cookie(
            self._cookie,
            path=f"{self._desk.parts.pages.prefix}{CITY}",
            secure=self._desk.is_safe,
            httponly=True,
            samesite="lax",
        )
        return reply

    def _came(self, request: Request, kept: Mapping[str, str], asked: Mapping[str, str]) -> str:
        """Open a session for whoever came back; in the trail under their account's name, or none who they said."""
        people, trail, source = self._desk.staff.people, self._desk.staff.trail, self._desk.source(request)
        try:
            person = self._provider.end(kept, asked)
            found = people.vouched(person.subject, name=person.name, shown=person.shown, roles=person.roles)
            if kept.get("name") and kept["name"] != found.name:
                raise Unauthenticated("Somebody else came back than went away.", error="name", fix="Sign in again.")
        except NodeError:
            with trail.act(who=kept.get("name", ""), way="desk", source=source, act="session.begin"):
                raise
        with trail.act(who=found.name, way="desk", source=source, act="session.begin") as told:
            told.detail["by"] = "city"
            return self._doors.opened(request, found.name, source="oidc")

    def _opened(self, cookie: str) -> dict[str, str]:
        """Give what the browser was sent away with; nothing if it brought nothing that is ours."""
        try:
            sealed = base64.urlsafe_b64decode(cookie.encode())
            return dict(orjson.loads(self._desk.staff.sealer.open(sealed, use=_USE, about="browser")))
        except (Refuted, binascii.Error, ValueError):
            return {}


def set_cookie(desk: Desk, reply: Response, token: str) -> None:
    """Give a browser the token of its session."""
    # Lax, so that a link in a mail leads somewhere; what changes anything is a POST with a token of the page.
    reply.set_cookie(desk.cookie, token, path=cookie_path(desk), secure=desk.is_safe, httponly=True, samesite="lax")


def cookie_path(desk: Desk) -> str:
    """Say below which path the cookie is sent: public pages never see it."""
    return f"{desk.parts.pages.prefix}/desk"


def safe_then(then: str) -> str:
    """Give where to go afterwards: a page of this desk, whatever was asked."""
    return (
        then
        if _THEN.match(then) and len(then) <= 1_000 and not then.startswith((SIGN_IN, "/desk/welcome"))
        else "/desk"
    )


def secret_of(form: Form, name: str) -> str:
    """Give a password as it was typed, blanks at its ends too. Raises Malformed."""
    value = form.fields[name][0] if name in form.fields else ""
    if len(value) > MOST_PASSWORD:
        raise fault("desk.form.long", f"The field {name} is too long.", name=name, most=MOST_PASSWORD)
    return value


def twice(form: Form) -> str:
    """Give a new password that was typed twice alike. Raises Malformed."""
    password = secret_of(form, "password")
    if password != secret_of(form, "again"):
        raise fault("staff.no.twice", "The two passwords are not alike.")
    return password


def about_of(agent: str) -> str:
    """Name a browser and a system, so that people tell their own sessions apart; no versions."""
    browser = next((said for mark, said in _BROWSERS if mark in agent), "")
    system = next((said for mark, said in _SYSTEMS if mark in agent), "")
    return ", ".join(part for part in (browser, system) if part)
