"""Accounts of the desk: who has one, what they may do, and links for those who have no password. For admins alone.

An account is never taken away, since the audit trail names it; it is disabled. A link is shown on one page, once. What
is done is done by the office of the staff, which the API and the command line ask alike.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Changed, Conflict, Malformed
from node.staff.rights import RIGHTS, ROLES, holders
from node.web.desk.frame import CLASH, Clerk, Desk
from node.web.forms.forms import Form
from node.web.wire.problems import problem_of


def add(desk: Desk) -> None:
    """Add the pages."""
    pages = PeoplePages(desk)
    desk.get("/people", "rule")(pages.all_of_them)
    desk.post("/people", "rule", "staff.add")(pages.make)
    desk.get("/people/{name}", "rule")(pages.one)
    desk.post("/people/{name}/roles", "rule", "staff.roles")(pages.grant)
    desk.post("/people/{name}/disable", "rule", "staff.disable")(pages.disable)
    desk.post("/people/{name}/enable", "rule", "staff.enable")(pages.enable)
    desk.post("/people/{name}/link", "rule", "staff.link")(pages.link)
    desk.post("/people/{name}/phone", "rule", "staff.phone")(pages.forget_phone)
    desk.post("/people/{name}/sessions", "rule", "staff.revoke")(pages.revoke)


class PeoplePages:
    """The pages of accounts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._office = desk.staff.office

    async def all_of_them(self, request: Request, clerk: Clerk) -> Response:
        """List everybody, with the form for one more."""
        return await self._list(request, clerk)

    async def make(self, request: Request, clerk: Clerk, form: Form) -> Response:
        """Make an account and show its link."""
        try:
            name, roles = form.text("name", most=100).lower(), form.many("roles")
            shown = form.text("shown", most=200)
            form.told["target"] = name
            made = await self._desk.does(lambda: self._office.add(name, roles=roles, shown=shown))
        except (Malformed, Conflict) as error:
            given = {"name": form.text("name"), "shown": form.text("shown"), "roles": form.many("roles")}
            return await self._list(request, clerk, flaw=error, given=given)
        form.told["roles"] = " ".join(roles)
        return self._linked(request, clerk, made, fresh=True)

    async def one(self, request: Request, clerk: Clerk) -> Response:
        """Show one account."""
        return await self._one(request, clerk)

    async def grant(self, request: Request, clerk: Clerk, form: Form) -> Response:
        """Give an account other roles."""
        name, roles = _name(request), form.many("roles")
        form.told["roles"] = " ".join(roles)
        try:
            mark = form.text("mark", most=64)
            await self._desk.does(lambda: self._office.grant(name, roles, mark=mark))
        except Changed:
            return await self._one(request, clerk, clash=roles)
        except (Malformed, Conflict) as error:
            return await self._one(request, clerk, flaw=error)
        return self._desk.back(request, _at(name), "staff.roles.changed", name=name)

    async def disable(self, request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG002 (a deed of the frame)
        """Let somebody in no more."""
        name = _name(request)
        try:
            await self._desk.does(lambda: self._office.disable(name))
        except Conflict as error:
            return await self._one(request, clerk, flaw=error)
        return self._desk.back(request, _at(name), "staff.disabled", name=name)

    async def enable(self, request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG002
        """Let somebody in again."""
        name = _name(request)
        await self._desk.does(lambda: self._office.enable(name))
        return self._desk.back(request, _at(name), "staff.enabled", name=name)

    async def link(self, request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG002
        """Make a link for somebody who has no password, or not any more."""
        name = _name(request)
        made = await self._desk.does(lambda: {**self._office.show(name), **self._office.link(name)})
        return self._linked(request, clerk, made, fresh=False)

    async def forget_phone(self, request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG002
        """Take away the phone of somebody who lost it."""
        name = _name(request)
        await self._desk.does(lambda: self._office.forget_phone(name))
        return self._desk.back(request, _at(name), "staff.phone.forgotten", name=name)

    async def revoke(self, request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG002
        """End one session of somebody, or all."""
        name, session = _name(request), form.text("session", most=60)
        told = await self._desk.does(lambda: self._office.revoke(name, session))
        return self._desk.back(request, _at(name), "staff.sessions.ended", count=told["ended"])

    def _linked(self, request: Request, clerk: Clerk, made: Mapping[str, object], *, fresh: bool) -> Response:
        ends_ms = int(datetime.fromisoformat(str(made["link_ends_at"])).timestamp() * 1000)
        return self._desk.page(
            request, clerk, "person_link.html", nav="people", made=made, ends_ms=ends_ms, fresh=fresh
        )

    async def _list(self, request: Request, clerk: Clerk, **more: object) -> Response:
        flaw, given = more.get("flaw"), more.get("given", {"name": "", "shown": "", "roles": ["viewer"]})
        status = problem_of(flaw).status if isinstance(flaw, Malformed | Conflict) else 200
        return self._desk.page(
            request,
            clerk,
            "people.html",
            nav="people",
            status=status,
            people=await self._desk.does(self._desk.staff.people.list),
            flaw=flaw,
            given=given,
            roles=ROLES,
            table=[(right, holders(right)) for right in RIGHTS],
            from_city=self._desk.staff.provider is not None,
        )

    async def _one(
        self,
        request: Request,
        clerk: Clerk,
        *,
        flaw: Malformed | Conflict | None = None,
        clash: Sequence[str] | None = None,
    ) -> Response:
        """Write the page of one; `clash` are the roles of a form whose page was old, to be chosen once more."""
        name, staff = _name(request), self._desk.staff
        return self._desk.page(
            request,
            clerk,
            "person.html",
            nav="people",
            status=problem_of(flaw).status if flaw else 200 if clash is None else CLASH,
            clash=clash,
            person=await self._desk.does(lambda: staff.people.get(name)),
            sessions=await self._desk.does(lambda: staff.sessions.of(name)),
            events=await self._desk.does(lambda: staff.trail.list(who=name, limit=10)),
            roles=ROLES,
            flaw=flaw,
        )


def _name(request: Request) -> str:
    return str(request.path_params["name"])[:100]


def _at(name: str) -> str:
    return f"/desk/people/{name}"
