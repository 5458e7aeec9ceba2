"""Licences together, for people and programs: may I combine them, what must I do, and why.

`/licences` shows what each licence of our table asks, all pairs, and the answer for the ones that are asked about. The
answers are `node.vocab.licence_rules`; nothing of any record is read here.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from node.errors import Malformed
from node.vocab import licence_rules as rules
from node.vocab.lists import LICENCES
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, json_document
from node.web.wire import answer
from node.web.wire.answer import Document
from node.web.wire.parameters import check_known

_KINDS = ("text/html", "application/json")
_KEPT = "public, max-age=3600"
MAX_NAMED = 2_000

Licences = Annotated[
    list[str], Query(alias="licence", description="A licence's code or IRI; repeatable. Empty: a part without licence.")
]


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Finding"], default_response_class=Response)

    async def licences(request: Request, licence: Licences = []) -> Response:  # noqa: B006 (FastAPI reads it anew)
        check_known(request.query_params, "licence", "lang")
        asked = _checked(licence)
        visitor = parts.pages.visitor(request)
        combination = rules.combine(asked) if asked else None
        as_json = request.scope["path"].endswith(".json") or chosen_of(request, _KINDS) == "application/json"
        document = _json(visitor, combination) if as_json else _page(parts, visitor, asked, combination)
        return answer.reply(request.headers, document)

    made.get(
        "/licences",
        summary="Licences together",
        description="What each licence asks; with `licence=` (repeatable), whether those may be combined, and why.",
        responses={200: {"content": {kind: {} for kind in _KINDS}}, 400: {}, 406: {}},
    )(licences)
    made.get("/licences.json", include_in_schema=False)(licences)
    return made


def _checked(named: Sequence[str]) -> list[str]:
    if any(len(each) > MAX_NAMED for each in named) or len(named) > rules.MOST:
        raise Malformed(
            f"At most {rules.MOST} licences can be asked about.", fix="Name them by code or IRI: /licences lists them."
        ).on_page("no.licence.many", most=rules.MOST)
    return list(named)


def _json(visitor: Visitor, combination: rules.Combination | None) -> Document:
    language = visitor.language
    said: dict[str, object] = {} if combination is None else {"combination": told(combination, language)}
    said["licences"] = [licence_told(code, language) for code in rules.main_codes()]
    said["pairs"] = [
        {"a": one, "b": other, "may": found.may, "commercial": found.commercial}
        for one, row in _matrix()
        for other, found in row
        if one <= other
    ]
    return json_document(said, cache=_KEPT)


def _page(parts: Parts, visitor: Visitor, asked: Sequence[str], combination: rules.Combination | None) -> Document:
    codes = rules.main_codes()
    base = parts.site.base_url
    body = parts.pages.render(
        "licences.html",
        visitor,
        nav="sets",
        twins=[Twin("JSON", f"{base}/licences.json")],
        codes=codes,
        chosen=frozenset(map(rules.code_of, asked)),
        matrix=_matrix(),
        doubts=[may for may in ("ask", "no") if any(found.may == may for _, row in _matrix() for _, found in row)],
        licences=[licence_told(code, visitor.language) for code in codes],
        combination=told(combination, visitor.language) if combination else None,
        short=rules.short_of,
        language_chosen=visitor.chosen,
    )
    return parts.pages.document(body, cache=_KEPT)


@lru_cache(maxsize=1)
def _matrix() -> list[tuple[str, list[tuple[str, rules.Combination]]]]:
    codes = rules.main_codes()
    return [(one, [(other, rules.combine((one, other))) for other in codes]) for one in codes]


def licence_told(code: str, language: str) -> Mapping[str, object]:
    """Say what one licence asks."""
    concept, rule = LICENCES.by_code(code), rules.rule_of(code)
    alone = rules.combine((code,))
    return {
        "code": code,
        "iri": concept.iri if concept else None,
        "short": rules.short_of(code),
        "name": concept.label(language) if concept else rules.short_of(code),
        # A licence that nobody translated is called in English.
        "name_language": "" if concept is None else language if language in concept.labels else "en",
        "commercial": alone.commercial,
        "duties": [{"code": due.code, "text": due.sentence(language)} for due in alone.duties],
        "accepts": list(rule.accepts) if rule else [],
        "sources": list(rule.sources) if rule else [],
    }


def told(found: rules.Combination, language: str) -> Mapping[str, object]:
    """Say a combination: the answer, what the result needs, what must be done, and why."""
    return {
        "licences": [_named(code) for code in found.licences],
        "may": found.may,
        "text": found.sentence(language),
        "commercial": found.commercial,
        "result": [_named(code) for code in found.result],
        "duties": [
            {
                "code": due.code,
                "text": due.sentence(language),
                "licences": [rules.short_of(each) for each in due.licences],
            }
            for due in found.duties
        ],
        "reasons": [
            {"code": reason.code, "text": reason.sentence(language), "sources": list(reason.sources)}
            for reason in found.reasons
        ],
        "apart": found.apart,
        "apart_text": rules.said("apart", language) if found.apart else "",
    }


def _named(code: str) -> Mapping[str, object]:
    concept = LICENCES.by_code(code)
    return {"code": code if concept else None, "iri": concept.iri if concept else None, "name": rules.short_of(code)}
