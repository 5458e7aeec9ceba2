"""The web put together: routers, problems, metrics and the quick way, in the order a request meets them.

The only module of the web that knows all the others; it takes a `Site` and reads no setting. Errors become problems
here and nowhere else.
"""

from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NodeError
from node.web import answer, catalog, negotiate, operators, portal, records
from node.web.answer import Document
from node.web.edge import MAX_ADDRESS, Edge, Marks, MemoryMarks
from node.web.front import Front, Keeper
from node.web.pages import Pages, accept_of
from node.web.parts import Parts
from node.web.ports import Site
from node.web.problems import Problem, internal, problem_of
from node.web.reading import Reading
from node.web.words import words


class Problems:
    """Says every "no", to machines and to people."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def reply(self, request: Request, problem: Problem) -> Response:
        """Write the problem in the form that suits the caller."""
        pages = self._parts.pages
        visitor = pages.visitor(request)
        language = visitor.language
        if negotiate.wants_page(accept_of(request)):
            body = pages.render(
                "problem.html", visitor, problem=problem, request_id=request.scope["state"].get("request_id", "")
            )
            kind = "text/html; charset=utf-8"
        else:
            # What is said to machines is one language throughout: the detail's.
            language, title = "en", words("en", f"problem.{problem.code}")
            body = problem.document(base_url=self._parts.site.base_url, instance=request.url.path, title=title)
            kind = "application/problem+json"
        document = Document(
            body,
            kind,
            cache=answer.NOT_KEPT,
            status=problem.status,
            extra=(*problem.headers, ("content-language", language)),
        )
        return answer.reply(request.headers, document)

    async def node_error(self, request: Request, error: Exception) -> Response:
        """Answer an error of our tree."""
        return self.reply(request, problem_of(error) if isinstance(error, NodeError) else internal())

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Answer what the framework refuses: unknown addresses and methods."""
        if isinstance(error, HTTPException) and error.status_code == 405:
            return self.reply(
                request,
                Problem("method-not-allowed", 405, f"{request.method} is not possible here.", "Use GET or HEAD."),
            )
        return self.reply(
            request, Problem("not-found", 404, "There is nothing at this address.", "The catalogue is at /catalog.")
        )

    async def invalid(self, request: Request, error: Exception) -> Response:
        """Answer parameters that the framework could not read."""
        named = error.errors()[0]["loc"][-1] if isinstance(error, RequestValidationError) and error.errors() else ""
        return self.reply(
            request, Problem("malformed", 400, f"The parameter {str(named)[:40]!r} cannot be read.", "See /docs.")
        )

    async def broken(self, request: Request, error: Exception) -> Response:  # noqa: ARG002
        """Answer a fault of ours; the framework writes it down after us."""
        return self.reply(request, internal())


def build(site: Site) -> Front:
    """Put the web together over a site."""
    reading = Reading(site.shelf)
    pages = Pages(site)
    parts = Parts(site, reading, pages, Keeper(reading))
    app = FastAPI(
        title=f"{site.city} city node",
        version=site.software,
        summary="An open catalogue as linked data; everything can be read without a key.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.servers = [{"url": site.base_url}]
    for router in (portal, records, catalog, operators):
        app.include_router(router.router(parts))
    portal.add_reference(app, parts)
    _handle(app, Problems(parts))
    edge = Edge(app, Marks(site.registry), too_long=_too_long(site))
    front = Front(edge, parts.keeper, pages.languages, prefix=urlsplit(site.base_url).path)
    site.registry.register(MemoryMarks(front))
    operators.register(site.registry, parts)
    return front


def _too_long(site: Site) -> bytes:
    problem = Problem(
        "address-too-long", 414, f"An address may have {MAX_ADDRESS} characters.", "Ask for less at once."
    )
    return problem.document(base_url=site.base_url, instance="", title=words("en", "problem.address-too-long"))


def _handle(app: FastAPI, said: Problems) -> None:
    app.add_exception_handler(NodeError, said.node_error)
    app.add_exception_handler(HTTPException, said.http_error)
    app.add_exception_handler(RequestValidationError, said.invalid)
    app.add_exception_handler(Exception, said.broken)
