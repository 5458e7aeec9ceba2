"""The web put together: routers, problems, metrics and the quick way, in the order a request meets them.

The only module of the web that knows all the others; it takes a `Site` and reads no setting. Errors become problems
here and nowhere else.
"""

from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.search.reader import MAX_TEXT, MAX_WORDS
from node.errors import NodeError
from node.web import (
    agreements_api,
    answer,
    authoring_api,
    catalog,
    cities,
    ckan,
    dcat_us,
    dsp,
    feed,
    identity,
    kinds,
    ldes,
    licences,
    negotiate,
    notices,
    ns,
    oauth,
    ogc,
    opensearch,
    operators,
    peers_api,
    portal,
    quality,
    records,
    relations,
    search,
    sets,
    sparql,
    stac,
    submissions,
    tasks_api,
    witness,
)
from node.web.answer import Document
from node.web.edge import MAX_ADDRESS, Edge, Marks, MemoryMarks, Methods
from node.web.front import Front, Keeper, Receive, Scope, Send
from node.web.limits import Gate, Limits
from node.web.pages import Pages, accept_of
from node.web.parts import Parts
from node.web.ports import Site
from node.web.problems import Problem, internal, problem_of
from node.web.reading import Reading
from node.web.words import words

_SHORT_PATH = 300


class Problems:
    """Says every "no", to machines and to people."""

    def __init__(self, parts: Parts, methods: Methods) -> None:
        self._parts = parts
        self._methods = methods

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
            known = self._methods.at(request.scope["path"])
            said = " or ".join(name for name in known if name != "OPTIONS")
            problem = Problem("method-not-allowed", 405, f"{request.method} is not possible here.", f"Use {said}.")
            reply = self.reply(request, problem)
            reply.headers["allow"] = ", ".join(known)
            return reply
        to_programs = request.scope["path"].startswith("/api/")
        fix = "The reference is at /docs." if to_programs else "The catalogue is at /catalog."
        return self.reply(request, Problem("not-found", 404, "There is nothing at this address.", fix))

    async def invalid(self, request: Request, error: Exception) -> Response:
        """Answer parameters that the framework could not read."""
        named = error.errors()[0]["loc"][-1] if isinstance(error, RequestValidationError) and error.errors() else ""
        return self.reply(
            request, Problem("malformed", 400, f"The parameter {str(named)[:40]!r} cannot be read.", "See /docs.")
        )

    async def too_long(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an address past the bound, by an address without what made it too long: a page links to itself."""
        language = Request(scope).query_params.get("lang", "")[:20]
        path = scope["path"] if len(scope["path"]) <= _SHORT_PATH else "/"
        request = Request({**scope, "path": path, "query_string": urlencode({"lang": language}).encode()})
        problem = Problem(
            "address-too-long",
            414,
            f"An address may have {MAX_ADDRESS:,} characters, percent-encoded, path and query together.",
            f"Ask for less at once: of q the first {MAX_TEXT:,} characters are read, {MAX_WORDS} words of them.",
        )
        await self.reply(request, problem)(scope, receive, send)

    async def broken(self, request: Request, error: Exception) -> Response:  # noqa: ARG002
        """Answer a fault of ours; the framework writes it down after us."""
        return self.reply(request, internal())


def build(site: Site) -> Front:
    """Put the web together over a site."""
    reading = Reading(site.shelf, site.federation.view.hidden) if site.federation else Reading(site.shelf)
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
    gate = Gate(Limits(site.rates), site.base_url) if site.rates else None
    # Taken over as they are: included, each route would be analysed anew at the first request of its router.
    app.router.routes.extend(route for router in _routers(parts, gate) for route in router.routes)
    portal.add_reference(app, parts)
    methods = Methods(app.routes)
    said = Problems(parts, methods)
    _handle(app, said)
    edge = Edge(app, Marks(site.registry), methods, too_long=said.too_long, gate=gate)
    front = Front(edge, parts.keeper, pages.languages, prefix=urlsplit(site.base_url).path, gate=gate)
    site.registry.register(MemoryMarks(front, gate))
    operators.register(site.registry, parts)
    return front


def _routers(parts: Parts, gate: Gate | None) -> list[APIRouter]:
    """Make every router, in the order in which their addresses are tried."""
    made = [each.router(parts) for each in (portal, records, relations, feed, ldes, catalog, operators, ogc)]
    made += [each.router(parts) for each in (opensearch, licences, sets, ns)]
    if parts.site.finding:
        made.append(search.router(parts, parts.site.finding))
        made.append(quality.router(parts, parts.site.finding.quality))
        made += [each.router(parts, parts.site.finding) for each in (ckan, dcat_us, stac, kinds)]
        made.append(sparql.router(parts, parts.site.finding, gate.limits if gate else None))
    if parts.site.federation:
        with_peers = (identity, notices, cities, peers_api, agreements_api, dsp)
        made += [each.router(parts, parts.site.federation) for each in with_peers]
        made.append(oauth.router(parts, parts.site.federation, gate.limits if gate else None))
        made.append(witness.router(parts, parts.site.federation.watching))
        if parts.site.knowledge:
            made.append(tasks_api.router(parts, parts.site.federation, parts.site.knowledge))
            made.append(authoring_api.router(parts, parts.site.federation, parts.site.knowledge.authoring))
            queue = parts.site.knowledge.submissions
            made.append(submissions.router(parts, parts.site.federation, queue, gate.limits if gate else None))
    return [*made, catalog.router_of_mirrors(parts)]


def _handle(app: FastAPI, said: Problems) -> None:
    app.add_exception_handler(NodeError, said.node_error)
    app.add_exception_handler(HTTPException, said.http_error)
    app.add_exception_handler(RequestValidationError, said.invalid)
    app.add_exception_handler(Exception, said.broken)
