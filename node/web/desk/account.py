"""One's own account at the desk: the password, the phone, where one is signed in, and what one may do.

Everything here is about whoever is signed in and takes no name; what lets somebody in or keeps them out takes the
password again.
Whoever signs in with the city's own sign-in has no password here, and finds only the sessions.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Forbidden, Malformed, NodeError, TooManyRequests, Unauthenticated
from node.staff.rights import RIGHTS, may
from node.web.desk.frame import Clerk, Desk, until_when
from node.web.desk.sign_in import about_of, secret_of, set_cookie, twice
from node.web.forms.forms import Form
from node.web.wire.problems import problem_of

_WRONG = (Malformed, Unauthenticated, TooManyRequests)


def add(desk: Desk) -> None:
    """Add the pages."""
    pages = Account(desk)
    desk.get("/account")(pages.show)
    desk.post("/account/password", "read", "account.password")(pages.change_password)
    desk.get("/account/phone")(pages.phone)
    desk.post("/account/phone", "read", "account.phone")(pages.confirm_phone)
    desk.post("/account/phone/remove", "read", "account.phone.remove")(pages.remove_phone)
    desk.post("/account/sessions", "read", "account.sessions.end")(pages.end_others)
    desk.post("/account/sessions/{session}", "read", "account.session.end")(pages.end_one)


class Account:
    """The pages of one's own account."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request, clerk: Clerk) -> Response:
        """Show the account."""
        return await self._page(request, clerk)

    async def change_password(self, request: Request, clerk: Clerk, form: Form) -> Response:
        """Change the password; every other session ends, this one goes on under a new token."""
        staff, address = self._desk.staff, self._desk.source(request)
        about = about_of(request.headers.get("user-agent", ""))

        def changed(now: str, new: str) -> str:
            staff.signing_in.check(clerk.name, now, address)
            staff.people.set_password(clerk.name, new)
            return staff.sessions.open(clerk.name, about=about)

        try:
            now, new = secret_of(form, "now"), twice(form)
            token = await self._desk.does(lambda: changed(now, new))
        except _WRONG as error:
            return await self._page(request, clerk, flaw=error, at="password")
        reply = self._desk.page(request, None, "password_changed.html")
        set_cookie(self._desk, reply, token)
        return reply

    async def phone(self, request: Request, clerk: Clerk) -> Response:
        """Show what sets a phone up."""
        await self._may_have_phone(clerk)
        setting = await self._desk.does(lambda: self._desk.staff.seconds.begin(clerk.name))
        return self._desk.page(request, clerk, "phone.html", nav="account", setting=setting, flaw=None)

    async def confirm_phone(self, request: Request, clerk: Clerk, form: Form) -> Response:
        """Keep the phone once it shows a code; shows the recovery codes this once."""
        await self._may_have_phone(clerk)
        draft, code, password = form.text("draft"), form.text("code", most=60), secret_of(form, "now")
        seconds, address = self._desk.staff.seconds, self._desk.source(request)

        def confirmed() -> Sequence[str]:
            # A phone of somebody who found an open session would keep its owner out.
            self._desk.staff.signing_in.check(clerk.name, password, address)
            return seconds.confirm(clerk.name, draft, code)

        try:
            codes = await self._desk.does(confirmed)
        except (Unauthenticated, TooManyRequests) as error:
            setting = await self._desk.does(lambda: seconds.begin(clerk.name, draft=draft))
            reply = self._desk.page(
                request,
                clerk,
                "phone.html",
                nav="account",
                status=problem_of(error).status,
                setting=setting,
                flaw=error,
            )
            return until_when(reply, error)
        return self._desk.page(
            request, clerk, "recovery.html", nav="account", codes=codes, then="/desk/account", signing_in=False
        )

    async def remove_phone(self, request: Request, clerk: Clerk, form: Form) -> Response:
        """Do without a phone from now on; every session ends, this one too."""
        staff, address = self._desk.staff, self._desk.source(request)

        def removed(password: str, code: str) -> None:
            if staff.signing_in.needs_phone(staff.people.get(clerk.name)):
                raise Forbidden(
                    "At this desk your account may not do without a phone.", fix="Ask an administrator."
                ).on_page("no.staff.phone_needed")
            staff.signing_in.prove(clerk.name, password, code, address)
            staff.seconds.remove(clerk.name)

        try:
            password, code = secret_of(form, "now"), form.text("code", most=60)
            await self._desk.does(lambda: removed(password, code))
        except _WRONG as error:
            return await self._page(request, clerk, flaw=error, at="phone")
        return self._desk.back(request, "/desk/sign-in")

    async def end_one(self, request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG002 (a deed of the frame)
        """End one of one's own sessions."""
        wanted = request.path_params["session"]
        await self._desk.does(lambda: self._desk.staff.sessions.revoke(clerk.name, wanted))
        return self._desk.back(request, "/desk/account#sessions", "staff.session.ended")

    async def end_others(self, request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG002
        """End every other session of one's own."""
        sessions = self._desk.staff.sessions

        def ended() -> int:
            others = [each.id for each in sessions.of(clerk.name) if each.id != clerk.session]
            return sum(sessions.revoke(clerk.name, each) for each in others)

        count = await self._desk.does(ended)
        return self._desk.back(request, "/desk/account#sessions", "staff.sessions.ended", count=count)

    async def _may_have_phone(self, clerk: Clerk) -> None:
        person = await self._desk.does(lambda: self._desk.staff.people.get(clerk.name))
        if person.has_totp or person.from_city:
            raise Forbidden(
                "This account takes no other phone now.",
                fix="Take the one it has away first.",
            ).on_page("no.staff.phone_more")

    async def _page(self, request: Request, clerk: Clerk, *, flaw: NodeError | None = None, at: str = "") -> Response:
        staff = self._desk.staff
        person = await self._desk.does(lambda: staff.people.get(clerk.name))
        reply = self._desk.page(
            request,
            clerk,
            "account.html",
            nav="account",
            status=problem_of(flaw).status if flaw else 200,
            person=person,
            left=await self._desk.does(lambda: staff.seconds.left(clerk.name)) if person.has_totp else 0,
            needed=staff.signing_in.needs_phone(person),
            sessions=await self._desk.does(lambda: staff.sessions.of(clerk.name)),
            rights=[right for right in RIGHTS if may(person.roles, right)],
            flaw=flaw,
            at=at,
        )
        return until_when(reply, flaw)
