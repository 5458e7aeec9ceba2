"""A SPARQL request as the protocol writes it (SPARQL 1.1 Protocol, 2.1): by GET, by form, or as the body itself.

Strict where readers could disagree: one query and not two, UTF-8 and nothing else, no update in any form. Bounded in
bytes and in the number of parameters. Knows nothing of stores.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from node.catalog.graph.asking import Dataset
from node.errors import Malformed
from node.web.wire.bodies import body_of

FORM, DIRECT, UPDATE = "application/x-www-form-urlencoded", "application/sparql-query", "application/sparql-update"
MAX_PARAMETERS = 64
_UTF8 = ("utf-8", "utf8")
_ABSOLUTE = re.compile(r"""[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20<>"{}|^`\\\x7f]*\Z""")
_NO_UPDATE = "Nothing can be changed here."


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: `query` is None where there is none; `form` a name of a form, if one was named."""

    query: str | None
    dataset: Dataset
    form: str = ""


async def asked_by(request: Request, *, query_bytes: int) -> Asked:
    """Read a request.

    Raises:
        Malformed: It does not follow the protocol, or is an update.
        TooLarge: Its body is longer than any query may be.
    """
    pairs = _pairs(request.scope["query_string"])
    if request.method != "POST":
        return _asked(pairs, None)
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    kind, charset = kind.strip().lower(), _charset(parameters)
    if kind == UPDATE:
        raise Malformed(_NO_UPDATE, fix="Ask with a query.").on_page("no.sparql.change")
    if kind not in (FORM, DIRECT):
        raise Malformed(
            f"A body of type {kind[:80] or 'none'} is not taken here.", fix=f"Send {FORM} or {DIRECT}."
        ).on_page("no.sparql.body")
    if charset not in _UTF8:
        raise Malformed(f"A query in {charset[:40]} is not taken here.", fix="Send UTF-8.").on_page("no.sparql.body")
    # Every byte of a form may be written as three.
    body = await body_of(request, most=4 * query_bytes + 65_536 if kind == FORM else 4 * query_bytes)
    if kind == FORM:
        return _asked([*pairs, *_pairs(body)], None)
    return _asked(pairs, _utf8(body))


def _asked(pairs: list[tuple[str, str]], body: str | None) -> Asked:
    if any(name == "update" for name, _ in pairs):
        raise Malformed(_NO_UPDATE, fix="Ask with a query.").on_page("no.sparql.change")
    queries = [value for name, value in pairs if name == "query"] + ([] if body is None else [body])
    if len(queries) > 1:
        raise Malformed("There are two queries.", fix="Send one at a time.").on_page("no.sparql.two")
    dataset = Dataset(
        tuple(value for name, value in pairs if name == "default-graph-uri"),
        tuple(value for name, value in pairs if name == "named-graph-uri"),
    )
    _refuse_relative((*dataset.default, *dataset.named))
    form = next((value for name, value in pairs if name == "format"), "")
    # A mark of the order of bytes, as some editors write it, is no part of a query.
    return Asked(queries[0].removeprefix("\ufeff") if queries else None, dataset, form)


def _refuse_relative(graphs: tuple[str, ...]) -> None:
    for graph in graphs:
        if not _ABSOLUTE.match(graph):
            raise Malformed(
                f"{graph[:80]!r} is no name of a graph.",
                fix="Write an absolute IRI in default-graph-uri and named-graph-uri, such as https://….",
            ).on_page("no.sparql.graph", name=graph[:80])


def _pairs(written: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            _utf8(written), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS, separator="&"
        )
    except UnicodeDecodeError as error:
        raise Malformed("A parameter is not in UTF-8.", fix="Send UTF-8.").on_page("no.sparql.utf8") from error
    except ValueError as error:
        raise Malformed(
            f"More than {MAX_PARAMETERS} parameters.",
            fix="Send fewer.",
        ).on_page("no.sparql.parameters", most=MAX_PARAMETERS) from error


def _utf8(written: bytes) -> str:
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("The query is not in UTF-8.", fix="Send UTF-8.").on_page("no.sparql.utf8") from error


def _charset(parameters: str) -> str:
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return _UTF8[0]
