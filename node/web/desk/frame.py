"""The frame of the desk: who asks, whether they may, whether the form is ours, what is written down, how a page looks.

An area registers what it shows with `Desk.get` and what it does with `Desk.post`; both are below `/desk`. A form is
taken only from our own pages: the browser's own word on where it comes from, and a token of the session that only our
pages know. Every act is in the audit trail before it begins. Whoever is not signed in is sent to sign in, and back.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import APIRouter
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.errors import Forbidden, NodeError, Refuted
from node.staff.rights import Right, holders, may
from node.staff.sessions import csrf_of
from node.staff.trail import Telling
from node.web.desk import form_again
from node.web.desk.ways import elsewhere_first, way_on
from node.web.forms.forms import Form, read_form
from node.web.forms.own import check_own
from node.web.pages import Visitor, is_fragment
from node.web.parts import Parts
from node.web.ports.staff import Staff
from node.web.wire import answer
from node.web.wire.front import Scope
from node.web.wire.problems import Problem, problem_of
from node.web.wording.words import known, title_said, words

T = TypeVar("T")
SIGN_IN = "/desk/sign-in"
_NOTE = "desk note"
# The status of a page that shows a form again, because what it would change was changed since its page was opened.
CLASH = 409
# The desk's menu, in its order: key of the area and where it begins.
MENU = (
    ("today", "/desk"),
    ("sources", "/desk/sources"),
    ("peers", "/desk/peers"),
    ("agreements", "/desk/agreements"),
    ("data", "/desk/data"),
    ("records", "/desk/records"),
    ("inbox", "/desk/inbox"),
    ("numbers", "/desk/numbers"),
    ("keys", "/desk/keys"),
    ("people", "/desk/people"),
    ("audit", "/desk/audit"),
)


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who is signed in. `session` names the session and opens nothing, `csrf` is for the forms of its pages alone."""

    name: str
    shown: str
    roles: frozenset[str]
    session: str
    csrf: str
    fresh: bool

    def may(self, right: Right) -> bool:
        """Tell whether this person has a right."""
        return may(self.roles, right)


Showing = Callable[[Request, Clerk], Awaitable[Response]]
Doing = Callable[[Request, Clerk, Form], Awaitable[Response]]
# Gives the page that asks somebody again who they are, or nothing if an act (by name) that needs a right may go on.
AskAgain = Callable[[Request, Clerk, Form, Right, str], Awaitable[Response | None]]


class Desk:
    """Where areas put their pages and acts."""

    def __init__(self, parts: Parts, staff: Staff, address_of: Callable[[Scope], str]) -> None:
        """Make the frame; `address_of` tells where a request came from, proxies of ours seen through."""
        self.parts = parts
        self.staff = staff
        self._address_of = address_of
        self.ask_again: AskAgain | None = None
        self.router = APIRouter(include_in_schema=False)
        self._menu = [each for each in MENU if each[0] != "data" or parts.site.data_desk is not None]
        self.is_safe = urlsplit(parts.site.base_url).scheme == "https"
        self.cookie = "__Secure-citynode-desk" if self.is_safe else "citynode-desk"

    def get(self, path: str, right: Right = "read") -> Callable[[Showing], Showing]:
        """Show something at a path below `/desk` to whoever has the right."""

        def add(showing: Showing) -> Showing:
            async def endpoint(request: Request) -> Response:
                clerk = await self.clerk(request)
                if clerk is None:
                    return self._send_to_sign_in(request)
                try:
                    if not clerk.may(right):
                        await self._note_refusal(request, clerk)
                    self.let(clerk, right)
                    return await showing(request, clerk)
                except NodeError as error:
                    return self.refusal(request, clerk, problem_of(error))

            self.router.add_api_route(f"/desk{path}", endpoint, methods=["GET"], response_class=Response)
            return showing

        return add

    def post(
        self, path: str, right: Right, act: str, *, upload: int = 0, deciding: str = ""
    ) -> Callable[[Doing], Doing]:
        """Do something at a path below `/desk` for whoever has the right; `act` is its name in the audit trail.

        A form that ticks the field `deciding` decides as well: it takes that right too, and somebody who proves it.
        """

        def add(doing: Doing) -> Doing:
            async def endpoint(request: Request) -> Response:
                clerk = await self.clerk(request)
                if clerk is None:
                    return self._send_to_sign_in(request)
                form: Form | None = None
                try:
                    form = await self.form(request, clerk, upload=upload)
                    decides = bool(deciding) and form.ticked(deciding)
                    rights: tuple[Right, ...] = (right, "decide") if decides else (right,)
                    asked = await self._asked(request, clerk, form, (rights, act))
                    return asked or await self._done(request, clerk, form, (rights, act, doing))
                except NodeError as error:
                    return self._not_taken(request, clerk, form, problem_of(error))

            self.router.add_api_route(f"/desk{path}", endpoint, methods=["POST"], response_class=Response)
            return doing

        return add

    async def _asked(
        self, request: Request, clerk: Clerk, form: Form, what: tuple[tuple[Right, ...], str]
    ) -> Response | None:
        """Give the page that asks who it is, if one of these rights takes that and all of them are there."""
        rights, act = what
        if self.ask_again is None or not all(clerk.may(each) for each in rights):
            return None
        return await self.ask_again(request, clerk, form, rights[-1], act)

    async def _done(
        self, request: Request, clerk: Clerk, form: Form, what: tuple[tuple[Right, ...], str, Doing]
    ) -> Response:
        """Do an act with its begin and end in the trail; one that is not permitted stands there as refused."""
        rights, act, doing = what
        target = " ".join(str(value) for value in request.path_params.values())
        trail, source, outcome = self.staff.trail, self.source(request), "failed"
        number = await self.does(lambda: trail.begin(who=clerk.name, way="desk", source=source, act=act, target=target))
        try:
            for right in rights:
                self.let(clerk, right)
            reply = await doing(request, clerk, form)
            # A page that shows its form again, with what is wrong beside the field, did nothing.
            outcome = "done" if reply.status_code < 400 else "refused"
        except NodeError as error:
            outcome = f"refused {error.code}"
            raise
        finally:
            told = Telling(str(form.told.pop("target", "")), form.told)
            await self.does(lambda: trail.end(number, outcome, told))
        return reply

    async def _note_refusal(self, request: Request, clerk: Clerk) -> None:
        """Write down that somebody asked for a page that their account may not see."""
        trail, source, path = self.staff.trail, self.source(request), str(request.scope["path"])

        def noted() -> None:
            number = trail.begin(who=clerk.name, way="desk", source=source, act="page.open", target=path)
            trail.end(number, f"refused {Forbidden.code}")

        await self.does(noted)

    def let(self, clerk: Clerk, right: Right) -> None:
        """Let somebody do what needs a right. Raises Forbidden."""
        if not clerk.may(right):
            raise Forbidden(
                f"Your account may not do this; it takes a role of {' or '.join(holders(right))}.",
                fix="Ask an admin of this desk.",
            ).on_page(f"no.right.{right}")

    async def clerk(self, request: Request) -> Clerk | None:
        """Tell who is signed in, if anybody."""
        token = request.cookies.get(self.cookie, "")
        if not token:
            return None

        def look() -> Clerk | None:
            found = self.staff.sessions.find(token)
            if found is None:
                return None
            fresh = self.staff.sessions.is_fresh(found)
            return Clerk(found.name, found.shown, found.roles, found.id, csrf_of(token), fresh)

        return await self.does(look)

    async def form(self, request: Request, clerk: Clerk | None, *, upload: int = 0) -> Form:
        """Read a form of our own pages; of somebody signed in, with the token of that session.

        Raises:
            Forbidden: It comes from elsewhere, or from a page of an earlier session.
            Malformed: It is no form.
            TooLarge: It is too long.
        """
        check_own(request, self.parts.site.base_url)
        form = await read_form(request, upload=upload)
        if clerk and not hmac.compare_digest(form.text("token", most=200).encode(), clerk.csrf.encode()):
            raise Forbidden(
                "This form is of another session.", fix="Open its page again, and send it from there."
            ).on_page("no.form.session")
        return form

    def source(self, request: Request) -> str:
        """Give the address that a request came from."""
        return self._address_of(request.scope)

    async def does(self, work: Callable[[], T]) -> T:
        """Do something that blocks beside the event loop."""
        return await self.parts.thread(work)

    def page(
        self,
        request: Request,
        clerk: Clerk | None,
        template: str,
        *,
        nav: str = "",
        status: int = 200,
        fragment: str = "",
        over: Collection[str] = (),
        **context: Any,  # noqa: ANN401 - whatever the template names
    ) -> Response:
        """Write a page of the desk; to a script that asks for less, the block that `fragment` names.

        `over` are notes of acts, by their keys, that what the page shows has overtaken: they stand there no more.
        """
        visitor = self.parts.pages.visitor(request)
        part = fragment if fragment and is_fragment(request) else ""
        body = self.parts.pages.render(
            f"desk/{template}",
            visitor,
            nav=nav,
            fragment=part,
            clerk=clerk,
            token=lambda: _token(clerk),
            may=lambda right: clerk is not None and clerk.may(right),
            menu=self._menu,
            note=self._note(request, clerk, visitor, over),
            act_said=lambda act: act_said(visitor.language, act),
            way_on=way_on,
            home_called=self._home_called(visitor.language),
            label_of=lambda name: form_again.label_of(name, visitor.language),
            elsewhere_first=elsewhere_first,
            again=request.method != "POST",
            **context,
        )
        return Response(
            body,
            status_code=status,
            media_type="text/html; charset=utf-8",
            headers={"cache-control": answer.NOT_KEPT, "content-language": visitor.language, "vary": "HX-Request"},
        )

    def _home_called(self, reader: str) -> Callable[[str], str]:
        """Give what calls a collection of ours by its title; empty for one that is not there; asks once for a page."""

        @cache
        def known() -> dict[str, str]:
            return {each.name: each.title for each in self.parts.site.shelf.collections()}

        return lambda name: title_said(known().get(name, ""), reader)

    def back(self, request: Request, path: str, said: str = "", **values: object) -> Response:
        """Send the browser to a page of the desk; `said` is the key of a note that stands there once."""
        visitor = self.parts.pages.visitor(request)
        address, mark, anchor = path.partition("#")
        query = parse_qsl(urlsplit(address).query)
        if visitor.chosen:
            query.append(("lang", visitor.language))
        if said:
            token = request.cookies.get(self.cookie, "")
            told = urlencode([("said", said), *sorted((name, str(value)) for name, value in values.items())])
            # Sealed: it may hold a title or a mail address, which are not for the logs of whoever carries addresses.
            sealed = self.staff.sealer.seal(told.encode(), use=_NOTE, about=csrf_of(token))
            query.append(("note", urlsafe_b64encode(sealed).decode()))
        where = f"{self.parts.pages.prefix}{urlsplit(address).path}{'?' + urlencode(query) if query else ''}"
        return RedirectResponse(where + mark + anchor, status_code=303, headers={"cache-control": answer.NOT_KEPT})

    def _note(self, request: Request, clerk: Clerk | None, visitor: Visitor, over: Collection[str]) -> str:
        """Give the note that an act of this session left for this page; with `at`, its name leads there."""
        sealed = request.query_params.get("note", "")
        if not sealed or clerk is None:
            return ""
        try:
            told = self.staff.sealer.open(urlsafe_b64decode(sealed.encode()), use=_NOTE, about=clerk.csrf).decode()
        except (Refuted, binascii.Error, ValueError):
            return ""
        values = dict(parse_qsl(told, keep_blank_values=True))
        said, at = values.pop("said"), values.pop("at", "")
        if said in over:
            return ""
        if not at:
            return words(visitor.language, said, **values)
        where = f"{self.parts.pages.prefix}{at}{f'?lang={visitor.language}' if visitor.chosen else ''}"
        named = Markup('<a href="{}">{}</a>').format(where, values.pop("name"))
        return Markup(escape(words(visitor.language, said))).format(name=named, **values)  # noqa: S704 (escaped just here)

    def refusal(self, request: Request, clerk: Clerk | None, problem: Problem) -> Response:
        """Say "no" in the desk's own frame."""
        part = is_fragment(request)
        reply = self.page(
            request, clerk, "problem.html", status=problem.status, fragment="main", problem=problem, part=part
        )
        if problem.retry_after_s:
            reply.headers["retry-after"] = str(problem.retry_after_s)
        return reply

    def _not_taken(self, request: Request, clerk: Clerk, form: Form | None, problem: Problem) -> Response:
        """Show the one field that is wrong, with all else that was sent kept; where that cannot be, only say "no"."""
        again = form_again.fields_of(form, problem) if form and not is_fragment(request) else None
        if again is None:
            return self.refusal(request, clerk, problem)
        visitor = self.parts.pages.visitor(request)
        address = visitor.path + (f"?{urlencode(visitor.query)}" if visitor.query else "")
        template, status = "form_again.html", problem.status
        return self.page(request, clerk, template, status=status, problem=problem, flawed=again, address=address)

    def _send_to_sign_in(self, request: Request) -> Response:
        asked = request.scope["path"] if request.method == "GET" else "/desk"
        query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
        where = f"{self.parts.pages.prefix}{SIGN_IN}?then={quote(asked + query, safe='')}"
        headers = {"cache-control": answer.NOT_KEPT}
        if is_fragment(request):
            return Response(status_code=401, headers={**headers, "hx-redirect": where})
        return RedirectResponse(where, status_code=303, headers=headers)


def until_when(reply: Response, flaw: NodeError | None) -> Response:
    """Say in a reply to somebody who must wait how long."""
    if flaw is not None and (wait := problem_of(flaw).retry_after_s):
        reply.headers["retry-after"] = str(wait)
    return reply


def act_said(language: str, act: str) -> str:
    """Say an act in words; one without words by its name."""
    return words(language, f"act.{act}") if known(f"act.{act}") else act


def _token(clerk: Clerk | None) -> Markup:
    return Markup('<input type="hidden" name="token" value="{}">').format(clerk.csrf if clerk else "")
