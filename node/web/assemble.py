"""The web put together: routers, problems, metrics and the quick way, in the order a request meets them.

The only module of the web that knows all the others; it takes a `Site` and reads no setting. Errors become problems
here and nowhere else.
"""

import time
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.search.reader import MAX_TEXT, MAX_WORDS
from node.errors import NodeError
from node.web.agreements import register as agreements
from node.web.api import agreements as agreements_api
from node.web.api import authoring as authoring_api
from node.web.api import collections as collections_api
from node.web.api import consent as consent_api
from node.web.api import data_origins as data_origins_api
from node.web.api import deletions as deletions_api
from node.web.api import drafts as drafts_api
from node.web.api import evidence as evidence_api
from node.web.api import keys as keys_api
from node.web.api import peers as peers_api
from node.web.api import pulls as pulls_api
from node.web.api import reports as reports_api
from node.web.api import sources as sources_api
from node.web.api import staff as staff_api
from node.web.api import tasks as tasks_api
from node.web.api import transfers as transfers_api
from node.web.ckan import ckan, dcat_us
from node.web.data import data, incoming
from node.web.desk import areas
from node.web.dsp import dsp
from node.web.dsp import transfers as dsp_transfers
from node.web.exchange import deletions, feed, identity, ldes, notices, oauth, reports, withdrawals, witness
from node.web.ogc import ogc, stac
from node.web.pages import Pages, accept_of, is_fragment
from node.web.parts import Parts, connected
from node.web.portal import about, cities, numbers, operators, portal, reader_reports, submissions
from node.web.ports.ports import Site
from node.web.ports.readers import Readers
from node.web.reading import Reading
from node.web.records import catalog, downloads, licences, ns, obtaining, previews, quality, records, relations, sets
from node.web.search import kinds, opensearch, search
from node.web.sparql import sparql
from node.web.wire import answer, negotiate
from node.web.wire.answer import Document
from node.web.wire.edge import MAX_ADDRESS, Edge, Marks, MemoryMarks, Methods
from node.web.wire.front import Front, Keeper, Receive, Scope, Send
from node.web.wire.limits import Gate, Limits
from node.web.wire.problems import Problem, internal, problem_of
from node.web.wording.words import words

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
            part = is_fragment(request)
            named = request.scope["state"].get("request_id", "")
            again_ms = time.time_ns() // 1_000_000 + problem.retry_after_s * 1000 if problem.status == 429 else 0
            told = {"problem": problem, "request_id": named, "part": part, "again_ms": again_ms}
            body = pages.render("problem.html", visitor, fragment="main" if part else "", **told)
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
            names, method = [name for name in known if name != "OPTIONS"], request.method[:20]
            told = f"{method} is not possible here.", f"Use {' or '.join(names)}."
            said = ("refuse.method", {"method": method, "known": ", ".join(names)})
            problem = Problem("method-not-allowed", 405, *told, said=said)
            reply = self.reply(request, problem)
            reply.headers["allow"] = ", ".join(known)
            return reply
        to_programs = request.scope["path"].startswith("/api/")
        fix = "The reference is at /docs." if to_programs else "The catalogue is at /catalog."
        return self.reply(request, Problem("not-found", 404, "There is nothing at this address.", fix))

    async def invalid(self, request: Request, error: Exception) -> Response:
        """Answer parameters that the framework could not read."""
        place = error.errors()[0]["loc"] if isinstance(error, RequestValidationError) and error.errors() else ("", "")
        named = str(place[-1])[:40]
        # What a part of a path is called is known to programs only.
        said: tuple[str, dict[str, object]] = ("refuse.value", {"name": named})
        said = ("refuse.path", {}) if place[0] == "path" else said
        problem = Problem("malformed", 400, f"The parameter {named!r} cannot be read.", "See /docs.", said=said)
        return self.reply(request, problem)

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
    gate = Gate(Limits(site.rates), site.base_url) if site.rates else None
    parts = Parts(site, reading, pages, Keeper(reading), gate.limits.who if gate else connected)
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
    made = []
    if parts.site.federation:  # first: of a few bytes, to try all other addresses before would be most of the cost
        made.append(data.router(parts, parts.site.federation.moving.door, gate.limits.is_proxied if gate else _never))
    made += [each.router(parts) for each in (portal, about, records, relations, feed, ldes, catalog, operators, ogc)]
    made += [each.router(parts) for each in (opensearch, licences, sets, ns, agreements, obtaining)]
    if parts.site.finding:
        made.append(search.router(parts, parts.site.finding))
        made.append(quality.router(parts, parts.site.finding.quality))
        made += [each.router(parts, parts.site.finding) for each in (ckan, dcat_us, stac, kinds)]
        made.append(sparql.router(parts, parts.site.finding, gate.limits if gate else None))
    if parts.site.federation:
        with_peers = (identity, notices, withdrawals, deletions, cities, dsp, dsp_transfers, incoming)
        with_staff = (peers_api, keys_api, agreements_api, data_origins_api, transfers_api, pulls_api)
        of_data = (consent_api, evidence_api, deletions_api)
        made += [each.router(parts, parts.site.federation) for each in (*with_peers, *with_staff, *of_data)]
        if parts.site.staff:
            made.append(staff_api.router(parts, parts.site.federation, parts.site.staff))
        made.append(oauth.router(parts, parts.site.federation, gate.limits if gate else None))
        made.append(witness.router(parts, parts.site.federation.watching))
        if parts.site.harvesting:
            made.append(sources_api.router(parts, parts.site.federation, parts.site.harvesting, parts.site.today))
        if parts.site.knowledge:
            made.append(tasks_api.router(parts, parts.site.federation, parts.site.knowledge))
            made.append(drafts_api.router(parts, parts.site.federation, parts.site.knowledge))
            made.append(collections_api.router(parts, parts.site.federation, parts.site.knowledge))
            made.append(authoring_api.router(parts, parts.site.federation, parts.site.knowledge.authoring))
            queue = parts.site.knowledge.submissions
            made.append(submissions.router(parts, parts.site.federation, queue, gate.limits if gate else None))
    if parts.site.readers:
        made += _of_readers(parts, parts.site.readers, gate.limits if gate else None)
    if parts.site.staff:
        made.append(areas.router(parts, parts.site.staff, parts.address_of))
    if parts.site.knowledge:
        made.append(previews.router(parts, parts.site.knowledge.previews))
    return [*made, catalog.router_of_mirrors(parts)]


def _never(_scope: Scope) -> bool:
    return False


def _of_readers(parts: Parts, readers: Readers, limits: Limits | None) -> list[APIRouter]:
    """Make the routers of what readers report and use."""
    made = [downloads.router(parts), reader_reports.router(parts, readers.reports, limits)]
    made.append(numbers.router(parts, readers.numbers))
    if parts.site.federation:
        made.append(reports.router(parts, readers.reports))
        made.append(reports_api.router(parts, parts.site.federation, readers.reports))
    return made


def _handle(app: FastAPI, said: Problems) -> None:
    app.add_exception_handler(NodeError, said.node_error)
    app.add_exception_handler(HTTPException, said.http_error)
    app.add_exception_handler(RequestValidationError, said.invalid)
    app.add_exception_handler(Exception, said.broken)
