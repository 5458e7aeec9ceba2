"""The audit trail at the desk: who did what, to what, when and from where, narrowed by three questions. For admins.

What is shown can be had as a file, for spreadsheets and for programs; that somebody took it stands in the trail too.
Days are those of UTC, as the times in the files are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Malformed
from node.staff.export import MOST, as_csv, as_json, day_ms, events
from node.staff.trail import Event
from node.web.desk.frame import Clerk, Desk
from node.web.forms.forms import fault
from node.web.parts import number_in
from node.web.wire import answer

PAGE = 50
_MOST = 100
_FIELDS = ("who", "act", "from", "to")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the trail somebody asks for, as they wrote it."""

    who: str = ""
    act: str = ""
    since: str = ""
    until: str = ""

    @property
    def query(self) -> str:
        """Give it as the query of an address."""
        said = {"who": self.who, "act": self.act, "from": self.since, "to": self.until}
        return urlencode({name: value for name, value in said.items() if value})

    def since_ms(self) -> int:
        """Give the first moment. Raises Malformed."""
        return _day("from", self.since, 0) if self.since else 0

    def until_ms(self) -> int:
        """Give the first moment after the last day. Raises Malformed."""
        return _day("to", self.until, 1) if self.until else 0


def add(desk: Desk) -> None:
    """Add the pages."""
    pages = TrailPages(desk)
    desk.get("/audit", "rule")(pages.show)
    desk.get("/audit.csv", "rule")(pages.csv)
    desk.get("/audit.json", "rule")(pages.json)


class TrailPages:
    """The pages of the trail."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._trail = desk.staff.trail

    async def show(self, request: Request, clerk: Clerk) -> Response:
        """Show a page of it."""
        asked = asked_of(request)
        found: tuple[Event, ...] = ()
        flaw: Malformed | None = None
        try:
            before = request.query_params.get("before", "")
            found = await self._found(asked, number_in("before", before, most=2**53) if before else 0)
        except Malformed as error:
            flaw = error
        more = f"{asked.query}&before={found[PAGE - 1].id}".lstrip("&") if len(found) > PAGE else ""
        return self._desk.page(
            request,
            clerk,
            "audit.html",
            nav="audit",
            status=400 if flaw else 200,
            fragment="acts",
            asked=asked,
            events=found[:PAGE],
            more=more,
            flaw=flaw,
            language_chosen=self._desk.parts.pages.visitor(request).chosen,
        )

    async def csv(self, request: Request, clerk: Clerk) -> Response:
        """Give it as a table."""
        return await self._file(request, clerk, as_csv, "text/csv; charset=utf-8", "audit.csv")

    async def json(self, request: Request, clerk: Clerk) -> Response:
        """Give it as JSON lines."""
        return await self._file(request, clerk, as_json, "application/x-ndjson", "audit.ndjson")

    async def _found(self, asked: Asked, before: int) -> tuple[Event, ...]:
        since, until = asked.since_ms(), asked.until_ms()

        def listed() -> tuple[Event, ...]:
            found = self._trail.list(
                who=asked.who, act=asked.act, since_ms=since, until_ms=until, before=before, limit=PAGE + 1
            )
            return tuple(found)

        return await self._desk.does(listed)

    async def _file(
        self, request: Request, clerk: Clerk, form: Callable[[Iterator[Event]], Iterator[str]], kind: str, name: str
    ) -> Response:
        asked, source = asked_of(request), self._desk.source(request)
        since, until = asked.since_ms(), asked.until_ms()

        def written() -> bytes:
            with self._trail.act(who=clerk.name, way="desk", source=source, act="audit.export", target=name):
                found = events(self._trail, who=asked.who, act=asked.act, since_ms=since, until_ms=until, most=MOST)
                return "".join(form(found)).encode()

        headers = {"cache-control": answer.NOT_KEPT, "content-disposition": f'attachment; filename="{name}"'}
        return Response(await self._desk.does(written), media_type=kind, headers=headers)


def asked_of(request: Request) -> Asked:
    """Read what was asked for; everything may be left out."""
    given = request.query_params
    said = ("".join(each for each in given.get(name, "")[:_MOST] if each.isprintable()) for name in _FIELDS)
    return Asked(*(each.strip() for each in said))


def _day(name: str, day: str, after: int) -> int:
    try:
        return day_ms(day, after=after)
    except (ValueError, OverflowError) as error:
        raise fault("staff.no.day", f"{day[:20]!r} is no day.", name=name, day=day[:20]) from error
