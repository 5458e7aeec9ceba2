"""Forms of the portal that anybody may send without an account: read under bounds, and only from our own pages.

No cookie tells who sends, so another site could do nothing in a visitor's name; but it could let a visitor's browser
send in what it likes under the visitor's address. So a browser that says where a form comes from must name this node.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Forbidden, TooLarge, Unavailable
from node.web.forms.forms import MAX_BYTES, Form, fault, read_form
from node.web.pages import Visitor
from node.web.wire import answer
from node.web.wire.limits import Limits
from node.web.wire.problems import Problem
from node.web.wording.text import moment, number
from node.web.wording.words import words

FORM = "application/x-www-form-urlencoded"
TRAP = "leave_empty"


def is_form(request: Request) -> bool:
    """Tell whether a request brings what a page's form sends."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


def check_own(request: Request, base_url: str) -> None:
    """Refuse what a browser says another site sent. Raises Forbidden."""
    base = urlsplit(base_url)
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    if site not in ("", "same-origin", "none") or (origin and origin != f"{base.scheme}://{base.netloc}"):
        error = Forbidden("This was sent from another site's page.", fix="Use the form on this city's own page.")
        error.said = ("form.foreign", {})
        raise error


async def own_form(request: Request, base_url: str) -> Form:
    """Read a form of a page of ours.

    Raises:
        Forbidden: A browser says that it comes from elsewhere.
        Malformed: It is no form, or a field is filled in that only programs see.
        TooLarge: It is too long.
    """
    check_own(request, base_url)
    try:
        form = await read_form(request)
    except TooLarge as error:
        error.said = error.said if error.said[0] else ("form.large", {"most": MAX_BYTES // 1024})
        raise
    if form.typed(TRAP):
        said = "A field was filled in that only programs see."
        raise fault("form.trap", said)
    return form


def put_off(error: Unavailable, reader: str, now_ms: int) -> list[str]:
    """Say to a reader why a form is not taken now, when it will be, and that nothing of it is lost."""
    key, values = error.said
    shown = {name: number(value, reader) if isinstance(value, int) else value for name, value in values.items()}
    said = [words(reader, key or "form.busy", **shown)]
    if error.retry_after_s:
        said.append(words(reader, "form.again", time=moment(now_ms + error.retry_after_s * 1000, reader)))
    return [*said, words(reader, "form.kept")]


def sender_of(request: Request, limits: Limits | None) -> str:
    """Give the address that a form counts for."""
    client = request.client
    return limits.who(request.scope) if limits else (client.host if client else "")


def once(request: Request, body: bytes, visitor: Visitor, no: Problem | None = None) -> Response:
    """Answer with a page for this one reader, which nobody keeps; `no` is why it shows the form again."""
    document = answer.Document(
        body,
        "text/html; charset=utf-8",
        cache=answer.NOT_KEPT,
        status=no.status if no else 200,
        extra=(("content-language", visitor.language), *(no.headers if no else ())),
    )
    return answer.reply(request.headers, document)
