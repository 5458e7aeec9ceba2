"""What a peer's "no" is to us: the errors that its answers become, with its words in printable letters.

By status alone, for its words say how it sees us and never what is true of it. Bounded, since a stranger wrote it.
Knows an answer and nothing else: no address book, no store.
"""

import http
from email.utils import parsedate_to_datetime

import orjson

from node.errors import (
    Forbidden,
    NodeError,
    NotFound,
    PeerUnreachable,
    Refused,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
)
from node.outbound import Reply

_LONGEST_WAIT_S = 6 * 3_600
_BY_STATUS: dict[int, type[NodeError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    410: NotFound,
    413: TooLarge,
}


def refusal_of(url: str, reply: Reply, words: str) -> NodeError:
    """Turn a peer's "no" into ours. By status alone: its words say how it sees us, never what is true of it."""
    return _refusal_of(url, reply, words).on_page("no.deep.peer", status=reply.status)


def _refusal_of(url: str, reply: Reply, words: str) -> NodeError:
    said = f"{url} answered {reply.status}{words}"
    wait = _wait_s(reply)
    if reply.status == http.HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequests(said, retry_after_s=wait or 1, fix="It is asked more slowly.")
    if reply.status in _BY_STATUS:
        return _BY_STATUS[reply.status](said)
    if http.HTTPStatus.BAD_REQUEST <= reply.status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refused(said)
    fix = "Its address may have changed." if reply.status < http.HTTPStatus.BAD_REQUEST else "Try again later."
    return PeerUnreachable(said, retry_after_s=wait, fix=fix)


def words_of(reply: Reply) -> str:
    """Give the code and the detail of a problem document, bounded and printable."""
    if reply.media_type not in ("application/problem+json", "application/json"):
        return "."
    try:
        said = orjson.loads(reply.body)
    except ValueError:
        return "."
    if not isinstance(said, dict):
        return "."
    # OAuth says `error`, RFC 9457 ends its type with the code.
    code = said.get("error") or str(said.get("type", "")).rpartition("/")[2]
    detail = said.get("error_description") or said.get("detail") or ""
    return f" ({printable(str(code), 60)}): {printable(str(detail), 300) or 'no reason given.'}"


def _wait_s(reply: Reply) -> int:
    said = reply.headers.get("retry-after", "").strip()[:40]
    if said.isascii() and said.isdigit():
        return min(int(said), _LONGEST_WAIT_S)
    try:
        # Their clock against their clock: ours may differ.
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(reply.headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return 0
    return int(max(0.0, min(wait.total_seconds(), _LONGEST_WAIT_S)))


def printable(text: str, most: int) -> str:
    """Cut what a stranger said to one line."""
    return "".join(c if c.isprintable() else " " for c in text[:most]).strip()
