"""`/sparql` and `/sparql/restricted`: SPARQL 1.1 Protocol over the two triple stores, and a page to ask from.

The public one answers everybody from all open records. The other takes a token and is asked over the collections alone
that its caller may read as a whole: the dataset of the protocol outranks FROM in the query, and it is never empty, so
no query reaches further. Queries run beside the event loop in threads of their own, so that they never take the place
of documents; what is not an answer is a problem, never a part of one.
"""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.graph.asking import GRAPHS, RESULTS, Dataset, within
from node.catalog.graph.lexer import Question
from node.catalog.graph.places import QUEUE
from node.errors import Malformed, NodeError, NotAcceptable, NotAgreed, NotFound, Unauthenticated
from node.federation.rights.rights import Who
from node.vocab import serialise
from node.vocab.contexts import CONTEXT_PATH
from node.web.doors.door import PRIVATE, Door
from node.web.pages import accept_of
from node.web.parts import Parts
from node.web.ports.find import Asked as AskedStore
from node.web.ports.find import Finders
from node.web.sparql.request import Asked, asked_by
from node.web.sparql.sending import SLICE_BYTES, Budget, Sliced
from node.web.sparql.view import EXAMPLES, MOST_ROWS, description, table_of
from node.web.wire import answer, negotiate
from node.web.wire.answer import Document
from node.web.wire.limits import Limits
from node.web.wire.problems import problem_of
from node.web.wording.words import words

T = TypeVar("T")
PATH, RESTRICTED_PATH = "/sparql", "/sparql/restricted"
PUBLIC, RESTRICTED = "public", "restricted"
UNSENT = 4  # so many answers of the largest size may stand unsent in one process
LABELS = {
    "json": "JSON", "xml": "XML", "csv": "CSV", "tsv": "TSV", "ttl": "Turtle", "nt": "N-Triples", "rdf": "RDF/XML",
    "jsonld": "JSON-LD",
}  # fmt: skip
# What clients also say when they mean one of our forms.
_ALSO = {
    "json": ("application/json",),
    "xml": ("application/xml", "text/xml"),
    "ttl": ("application/x-turtle",),
    "rdf": ("application/xml", "text/xml"),
    "nt": ("text/plain",),
    "jsonld": ("application/json",),
}
_TEXT = ("text/csv", "text/tab-separated-values", "text/turtle")
# The longest address that the edge lets through, with room for the host and other parameters.
_LINKED = 3_000
_FORMS_DOC: dict[str, dict[str, str]] = {kind: {} for kind in (*RESULTS.values(), *GRAPHS.values(), "text/html")}
_SAID = (
    "SPARQL 1.1 Query by GET or POST. Without a query the endpoint describes itself. At most 16 graphs in the dataset;"
    " SERVICE and updates are refused."
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and over what: `store` by name, the caller's graphs (None for all of them).

    `who` is whose turn it is: an address, or the name of a caller.
    """

    store: str
    path: str
    who: str
    graphs: tuple[str, ...] | None = None
    refused: tuple[tuple[str, NotAgreed], ...] = ()

    def dataset(self, asked: Dataset) -> Dataset:
        """Give the dataset the store is asked over. Raises NotAgreed to a party that names what is refused to it."""
        if self.graphs is None:
            return asked
        for graph, refusal in self.refused:
            if graph in (*asked.default, *asked.named):
                raise refusal
        return within(self.graphs, asked)

    def sealed(self, document: Document) -> Document:
        """Let nobody keep what is not for everyone."""
        if self.graphs is None:
            return document
        return replace(document, cache=PRIVATE, vary=f"Authorization, {document.vary}")


class Desk:
    """Answers queries."""

    def __init__(self, parts: Parts, finding: Finders, limits: Limits | None) -> None:
        self._parts, self._sparql, self._limits = parts, finding.sparql, limits
        self._door = Door(parts)
        self._base = parts.site.base_url
        bounds = self._sparql.bounds
        # As many as may run and wait, and some that say "no" to the others.
        self._threads = {
            name: ThreadPoolExecutor(bounds.at_once + QUEUE + 2, thread_name_prefix=f"sparql-{name}")
            for name in (PUBLIC, RESTRICTED)
        }
        self._packing = ThreadPoolExecutor(2, thread_name_prefix="sparql-packing")
        self._unsent = Budget(UNSENT * bounds.result_bytes)

    async def public(self, request: Request) -> Response:
        """Answer everybody. A token that is shown must hold, and makes no difference."""
        self._offered()
        await self._door.caller(request)
        client = request.client.host if request.client else ""
        who = self._limits.who(request.scope) if self._limits else client
        return await self._answer(request, Asker(PUBLIC, PATH, who))

    async def restricted(self, request: Request) -> Response:
        """Answer who shows a token."""
        self._offered()
        caller = await self._door.caller(request)
        if caller.kind == "public":
            federation = self._parts.site.federation
            raise Unauthenticated(
                "This endpoint takes a token.",
                challenge=federation.access.challenge() if federation else "",
                fix=f"What is open to everybody is at {PATH}.",
            ).on_page("no.sparql.token")
        return await self._answer(request, await self._parts.thread(lambda: self._asker(caller)))

    def _offered(self) -> None:
        if not self._sparql.offered:
            raise NotFound("This node answers no SPARQL.", fix="Search instead: /search.").on_page("no.sparql.off")

    def _asker(self, caller: Who) -> Asker:
        """Find the collections that a caller may read as a whole: of single records a graph of all knows nothing.

        Where each use counts there is no query either: looking through it would use it up.
        """
        federation, graphs, refused = self._parts.site.federation, [], []
        self._parts.reading.collections()  # `known` gives what it read
        for info in self._parts.reading.known().values():
            if info.visibility == "public" or federation is None:
                continue
            verdict = federation.rights.may(caller, "read", info, way="sparql")
            counted = caller.kind != "staff" and (verdict.counts or verdict.counted)
            if verdict and verdict.only is None and not counted:
                graphs.append(info.iri)
            elif verdict.refused:
                refused.append((info.iri, verdict.refused))
        who = f"{caller.kind} {caller.name}"
        return Asker(RESTRICTED, RESTRICTED_PATH, who, tuple(graphs), tuple(refused))

    async def _answer(self, request: Request, asker: Asker) -> Response:
        asked = await asked_by(request, query_bytes=self._sparql.bounds.query_bytes)
        if asked.query is None:
            if request.method == "POST":
                raise Malformed(
                    "There is no query.",
                    fix="Send it as query=, or as the body.",
                ).on_page("no.sparql.none")
            return answer.reply(request.headers, asker.sealed(self._described(request, asker)))
        if asked.form == "html" or (not asked.form and negotiate.wants_page(accept_of(request))):
            return await self._page(request, asker, asked)
        document = await self._beside(asker, lambda: self._document(asker, asked, accept_of(request)))
        return await self._sent(request, asker, document)

    def _document(self, asker: Asker, asked: Asked, accept: str) -> Document:
        """Ask, and wrap the answer; blocks."""
        question = self._sparql.read(asked.query or "")
        form = _form(question.form, asked.form, accept)
        kind = (RESULTS | GRAPHS)[form]
        found = self._ask(asker, asked, question, kind)
        return asker.sealed(
            Document(
                found.body,
                f"{kind}; charset=utf-8" if kind in _TEXT else kind,
                tag=hashlib.sha256(found.body).hexdigest()[:32] + f"-{form}",
                cache=answer.REVALIDATE,
            )
        )

    def _ask(self, asker: Asker, asked: Asked, question: Question, media_type: str) -> AskedStore:
        dataset = asker.dataset(asked.dataset)
        query = asked.query or ""
        return self._sparql.ask(asker.store, query, question, dataset, media_type=media_type, who=asker.who)

    async def _page(self, request: Request, asker: Asker, asked: Asked) -> Response:
        """Show query and answer, or what is wrong with it, on one page."""
        visitor = self._parts.pages.visitor(request)
        headers: tuple[tuple[str, str], ...] = ()
        try:
            shown = await self._beside(asker, lambda: self._shown(asker, asked))
            status = 200
        except NodeError as error:
            problem = problem_of(error)
            title = words(visitor.language, f"problem.{problem.code}")
            shown, status, headers = {"wrong": problem, "wrong_title": title}, problem.status, problem.headers
        body = await self._parts.thread(
            lambda: self._parts.pages.render(
                "sparql.html", visitor, nav="api", page=self._frame(asker, asked.query or "") | shown
            )
        )
        document = replace(self._parts.pages.document(body, status=status), extra=headers)
        return await self._sent(request, asker, asker.sealed(document))

    def _shown(self, asker: Asker, asked: Asked) -> dict[str, object]:
        question = self._sparql.read(asked.query or "")
        rows = question.form in ("select", "ask")
        found = self._ask(asker, asked, question, RESULTS["json"] if rows else GRAPHS["ttl"])
        forms = [(name, LABELS[name]) for name in (RESULTS if rows else GRAPHS)]
        if rows:
            return {"table": table_of(found.body), "forms": forms}
        lines = found.body.decode("utf-8", "replace").split("\n")
        return {"graph": "\n".join(lines[:MOST_ROWS]), "lines": len(lines), "forms": forms}

    def _frame(self, asker: Asker, query: str) -> dict[str, object]:
        bounds = self._sparql.bounds
        return {
            "path": asker.path,
            "query": query,
            "linked": len(query.encode()) <= _LINKED,
            "examples": EXAMPLES,
            "seconds": f"{bounds.timeout_s:g}",
            "query_bytes": bounds.query_bytes,
            "most": MOST_ROWS,
            "table": None,
            "graph": "",
            "lines": 0,
            "forms": (),
            "wrong": None,
            "wrong_title": "",
        }

    def _described(self, request: Request, asker: Asker) -> Document:
        """Give the page for browsers, the service description for everybody else."""
        form = negotiate.form(accept_of(request), tuple(negotiate.FORMS))
        if not form:
            raise _no_form(tuple(negotiate.FORMS.values()))
        if form == "html":
            visitor = self._parts.pages.visitor(request)
            body = self._parts.pages.render("sparql.html", visitor, nav="api", page=self._frame(asker, ""))
            return self._parts.pages.document(body)
        body = serialise.document(description(self._base), form, context_url=self._base + CONTEXT_PATH)  # type: ignore[arg-type]
        kind = negotiate.FORMS[form]
        tag = f"{hashlib.sha256(body).hexdigest()[:32]}-{form}"
        return Document(body, f"{kind}; charset=utf-8" if kind in _TEXT else kind, tag=tag, cache=answer.REVALIDATE)

    async def _sent(self, request: Request, asker: Asker, document: Document) -> Response:
        """Pack a large answer beside the event loop, and send it as fast as it is read."""
        gzipped = negotiate.wants_gzip(request.headers.get("accept-encoding", ""))
        if len(document.body) <= SLICE_BYTES:
            return answer.response(request.headers, answer.encode(document, gzipped=gzipped))
        claim = self._unsent.claim(asker.who, len(document.body))
        try:
            loop = asyncio.get_running_loop()
            encoded = await loop.run_in_executor(self._packing, lambda: answer.encode(document, gzipped=gzipped))
            reply = answer.response(request.headers, encoded)
        except BaseException:
            claim.shrink(0)
            raise
        claim.shrink(len(reply.body))
        return Sliced(reply, claim)

    async def _beside(self, asker: Asker, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads[asker.store], work)


def _form(kind: str, named: str, accept: str) -> str:
    """Choose the form of an answer. Raises Malformed for a name that is none, NotAcceptable where none will do."""
    forms = RESULTS if kind in ("select", "ask") else GRAPHS
    if named:
        if named not in forms:
            raise Malformed(
                f"format={named[:40]!r} is no form of this answer.", fix=f"Write one of {', '.join(forms)}."
            ).on_page("no.sparql.form", name=named[:40], known=", ".join(forms))
        return named
    meant = {kind: name for name, kind in forms.items()}
    for name in forms:
        for also in _ALSO.get(name, ()):
            meant.setdefault(also, name)
    chosen = negotiate.form(accept, tuple(meant))
    if not chosen:
        raise _no_form(tuple(forms.values()))
    return meant[chosen]


def _no_form(kinds: tuple[str, ...]) -> NotAcceptable:
    return NotAcceptable(
        f"This exists as {', '.join(kinds)}, and none of these was asked for.",
        available=dict.fromkeys(kinds, PATH),
        fix="Ask for one of these in Accept, or with format=.",
    ).on_page("no.form.kind")


def router(parts: Parts, finding: Finders, limits: Limits | None) -> APIRouter:
    """Make the router; `limits` says which address a request counts for."""
    made = APIRouter(tags=["SPARQL"], default_response_class=Response)
    desk = Desk(parts, finding, limits)
    responses: dict[int | str, dict[str, object]] = {
        200: {"content": _FORMS_DOC}, 400: {}, 406: {}, 413: {}, 429: {}, 503: {},
    }  # fmt: skip
    for path, summary, answers in (
        (PATH, "Query the open records", desk.public),
        (RESTRICTED_PATH, "Query what you may read", desk.restricted),
    ):
        for method, called in (("GET", "by address"), ("POST", "by body")):
            made.add_api_route(
                path,
                answers,
                methods=[method],
                summary=f"{summary}, {called}",
                description=_SAID,
                responses=responses if path == PATH else {**responses, 401: {}},
                response_class=Response,
                operation_id=f"{path[1:].replace('/', '_')}_{method.lower()}",
            )
    return made
