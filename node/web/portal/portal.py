"""For people: the front page, the reference of the API, what each problem means, and the sheet they are drawn with.

The reference is written from the same OpenAPI document that programs read, on our own pages: no request leaves the
node, as viewers of OpenAPI from elsewhere would.
"""

import hashlib
import time
from typing import Any

from fastapi import APIRouter, FastAPI
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NotFound
from node.web.pages import STATIC_TYPES, Twin
from node.web.parts import Parts, chosen_of, json_document
from node.web.portal.home import Home
from node.web.records.seal import cosigners_of
from node.web.wire import answer, problems
from node.web.wire.answer import Document
from node.web.wording.words import words


def _seals(parts: Parts) -> dict[str, Any]:
    """Give the newest checkpoints of what this city publishes, who has seen each, and who has seen them all."""
    signed = [
        (info, found, cosigners_of(parts, info.name, found))
        for info in parts.reading.own()
        if (found := parts.site.proofs.checkpoint(info.name))
    ]
    # Who has seen one collection alone has not seen them all.
    everywhere = set.intersection(*({each.name for each in seen} for _, _, seen in signed)) if signed else set()
    # The oldest first: up to then, all of them are verified.
    signed.sort(key=lambda one: one[1].signed_at_ms)
    return {
        "checkpoints": signed,
        "seen_all": [each for each in signed[0][2] if each.name in everywhere] if signed else [],
    }


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(include_in_schema=False)
    front_page = Home(parts)

    @made.get("/")
    async def home(request: Request) -> Response:
        chosen_of(request, ("text/html",))
        visitor = parts.pages.visitor(request)

        base = parts.site.base_url
        twins = [Twin("Turtle", f"{base}/catalog.ttl"), Twin("JSON-LD", f"{base}/catalog.jsonld")]

        def render() -> bytes:
            front = front_page.front(visitor, time.time_ns() // 1_000_000)
            return parts.pages.render(
                "home.html",
                visitor,
                front=front,
                **_seals(parts),
                twins=twins,
            )

        return answer.reply(request.headers, parts.pages.document(await parts.thread(render)))

    @made.get("/static/{name:path}")
    async def static(request: Request, name: str) -> Response:
        if name not in parts.pages.static:
            raise NotFound("There is no such file.", fix="Look at the page that sent you here again.")
        if name == "theme.css":  # other cities may choose another colour any day
            body = await parts.thread(parts.pages.theme)
            tag = hashlib.sha256(body).hexdigest()[:32]
            document = Document(body, STATIC_TYPES[".css"], tag=tag, cache=answer.REVALIDATE, vary=answer.VARY_SUFFIX)
            return answer.reply(request.headers, document)
        versioned = request.query_params.get("v") == parts.pages.static_version
        document = Document(
            parts.pages.static[name],
            STATIC_TYPES[name[name.rindex(".") :]],
            tag=f"{parts.pages.static_version}-{name}",
            cache=answer.IMMUTABLE if versioned else answer.REVALIDATE,
            vary=answer.VARY_SUFFIX,
        )
        return answer.reply(request.headers, document)

    @made.get("/problems/{code}")
    async def problem(request: Request, code: str) -> Response:
        if code not in problems.CODES:
            raise NotFound("There is no problem of that name.", fix="The code stands at the end of a problem's type.")
        status, visitor = problems.CODES[code], parts.pages.visitor(request)
        if chosen_of(request, ("text/html", "application/json")) == "application/json":
            told = {"code": code, "status": status, "title": words(visitor.language, f"problem.{code}")}
            return answer.reply(request.headers, json_document(told))
        body = parts.pages.render("problem_type.html", visitor, code=code, status=status)
        return answer.reply(request.headers, parts.pages.document(body))

    return made


def add_reference(app: FastAPI, parts: Parts) -> None:
    """Serve the OpenAPI document and the page made from it."""
    describe(app)

    async def openapi(request: Request) -> Response:
        return answer.reply(request.headers, json_document(app.openapi()))

    async def docs(request: Request) -> Response:
        chosen_of(request, ("text/html",))
        visitor = parts.pages.visitor(request)
        body = parts.pages.render(
            "docs.html",
            visitor,
            nav="api",
            groups=operations(app.openapi()),
            ticks=ticks,
            twins=[Twin("OpenAPI", f"{parts.site.base_url}/openapi.json")],
        )
        return answer.reply(request.headers, parts.pages.document(body))

    app.add_route("/openapi.json", openapi, include_in_schema=False)
    app.add_route("/docs", docs, include_in_schema=False)


def ticks(text: str) -> Markup:
    """Set what stands between backticks as code; everything is escaped."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def describe(app: FastAPI) -> None:
    """Make the OpenAPI document say what is true here: problems are RFC 9457, and none is a 422 of the framework."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            for methods in schema["paths"].values():
                for operation in methods.values():
                    operation["responses"] = {
                        status: reply if status < "400" else reply | {"content": {"application/problem+json": {}}}
                        for status, reply in operation["responses"].items()
                        if status != "422"
                    }
            schema.pop("components", None)
        return app.openapi_schema or made()

    app.openapi = openapi  # type: ignore[method-assign]


def operations(schema: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Group the operations of an OpenAPI document by tag, in the document's order."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            told = {
                "path": path,
                "method": method.upper(),
                "summary": operation.get("summary", ""),
                "description": operation.get("description", ""),
                "parameters": operation.get("parameters", []),
                "types": sorted(operation["responses"].get("200", {}).get("content", {})),
                "statuses": sorted(operation["responses"]),
            }
            groups.setdefault(operation.get("tags", ["Other"])[0], []).append(told)
    return list(groups.items())
