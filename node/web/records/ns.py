"""Our vocabulary at `/ns`, for people and machines: the place that `https://w3id.org/citynode/ns#` leads to.

Every node serves the same terms, so whoever meets one of them anywhere can read what it means, and a fragment of the
IRI is an anchor of the page. The terms are `node.vocab.ns`; nothing of any record is read here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.vocab import ns, serialise
from node.vocab.contexts import CONTEXT_PATH
from node.vocab.kinds import TABLES
from node.vocab.kinds.field import Codes, Words
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, form_for, split_suffix
from node.web.records.records import FORM_LABELS
from node.web.wire import answer, negotiate
from node.web.wire.answer import Document, link
from node.web.wording.text import in_language

PATH = "/ns"
_KEPT = "public, max-age=3600"


@dataclass(frozen=True, slots=True)
class _Row:
    """A term as the page shows it; `kinds` are what the records that have it are called."""

    name: str
    label: str
    about: str
    reason: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _List:
    """A closed list as the page shows it: each code with its anchor (or the IRI of another's), name and label."""

    name: str
    label: str
    codes: tuple[tuple[str, str, str, str], ...]


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Catalogue"], default_response_class=Response)
    base = parts.site.base_url
    forms: dict[int | str, dict[str, object]] = {
        200: {"content": {kind: {} for kind in negotiate.FORMS.values()}},
        406: {},
    }

    @made.get(PATH, summary="Our vocabulary", responses=forms)
    async def vocabulary(request: Request) -> Response:
        _, suffix = split_suffix(request.scope["path"])
        form = form_for(request, suffix, base + PATH)
        visitor = parts.pages.visitor(request)
        if form == "html":
            return answer.reply(request.headers, await parts.thread(lambda: _page(parts, visitor)))
        return answer.reply(request.headers, await parts.thread(lambda: _document(base, form)))

    for suffix in negotiate.FORMS:
        made.get(f"{PATH}.{suffix}", include_in_schema=False)(vocabulary)
    return made


def _links(base: str) -> str:
    told = [link(ns.ONTOLOGY, "canonical"), link(f"{base}/shapes/kinds.ttl", "describedby", type="text/turtle")]
    told += [link(f"{base}{PATH}.{form}", "alternate", type=kind) for form, kind in negotiate.FORMS.items()]
    return ", ".join(told)


@lru_cache(maxsize=8)
def _document(base: str, form: str) -> Document:
    body = serialise.document(ns.payload(), form, context_url=base + CONTEXT_PATH)  # type: ignore[arg-type]
    kind = negotiate.FORMS[form]
    return Document(
        body,
        f"{kind}; charset=utf-8" if form == "ttl" else kind,
        tag=f"{hashlib.sha256(body).hexdigest()[:32]}-{serialise.VERSIONS[form]}",  # type: ignore[index]
        cache=_KEPT,
        links=_links(base),
        location=f"{base}{PATH}.{form}",
    )


def _page(parts: Parts, visitor: Visitor) -> Document:
    base, reader = parts.site.base_url, visitor.language
    body = parts.pages.render(
        "ns.html",
        visitor,
        in_english=in_language("en", reader),
        twins=[Twin(label, f"{base}{PATH}.{suffix}") for suffix, label in FORM_LABELS.items()],
        iri=ns.ONTOLOGY,
        sorts=_rows(reader),
        lists=[_list(codes, reader) for codes in ns.lists()],
    )
    return parts.pages.document(body, cache=_KEPT, links=_links(base))


def _rows(reader: str) -> Mapping[str, Sequence[_Row]]:
    found: dict[str, list[_Row]] = {"class": [], "property": [], "individual": []}
    for term in ns.terms():
        kinds = tuple(_said(TABLES[kind].title, reader) for kind in term.kinds)
        row = _Row(term.name, _said(term.label, reader), _said(term.definition, reader), term.reason, kinds)
        found[term.sort].append(row)
    return found


def _list(codes: Codes, reader: str) -> _List:
    rows = ((each.code, each.iri, f"{codes.name}-{each.code}", _said(each.label, reader)) for each in codes.codes)
    return _List(codes.name, _said(codes.label, reader), tuple(rows))


def _said(words: Words, reader: str) -> str:
    return words.get(reader) or words["en"]
