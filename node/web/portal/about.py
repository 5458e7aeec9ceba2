"""What a public office must say of itself: about this node, how accessible it is, and what it knows of its readers.

Three pages of plain text in the reader's language. What they promise is what the code does: a test holds privacy's
"no cookies, nothing from elsewhere" against every page, and the accessibility page names the gaps that are known.
"""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.web.parts import Parts, chosen_of
from node.web.wire import answer

# The address of each page is its name, and its words begin with it.
PAGES: Final = ("about", "accessibility", "privacy")


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(include_in_schema=False)
    for name in PAGES:
        _add(made, parts, name)
    return made


def _add(made: APIRouter, parts: Parts, name: str) -> None:
    @made.get(f"/{name}")
    async def page(request: Request) -> Response:
        chosen_of(request, ("text/html",))
        site = parts.site
        body = parts.pages.render(
            f"{name}.html",
            parts.pages.visitor(request),
            who=site.contact_name or site.city,
            mailbox=site.contact_mailbox,
            version=site.software,
        )
        return answer.reply(request.headers, parts.pages.document(body))
