"""Quality, shown: an overview, a page for each collection with what to mend, and a document beside each record.

HTML for people, JSON, and DQV in every RDF form. A record is measured when it is asked for; collections are summed up
beforehand. Who may not read a whole collection is not told what it is worth: a mean would give away what it is a mean
of. `docs/quality.md` says the same rule in words.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.quality import dqv
from node.catalog.quality.book import Failing as FailingLink
from node.catalog.quality.book import Judged
from node.catalog.quality.metrics import MAX_POINTS, PLACES
from node.catalog.quality.store import DAY_MS, Scored
from node.catalog.quality.summary import Summary
from node.errors import Malformed, NotFound
from node.records import PLURALS
from node.vocab import ntriples, serialise
from node.vocab.contexts import CONTEXT_PATH
from node.vocab.ntriples import Triple
from node.web.addresses import At, is_mirror
from node.web.doors.door import Door
from node.web.doors.seen import Seen, seen_by
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, json_document
from node.web.ports.find import Quality
from node.web.ports.ports import CollectionInfo, Held
from node.web.reading import Reading, held_by
from node.web.records.quality_view import (
    days_told,
    dimensions_of,
    failing_told,
    fixes_of,
    groups_of,
    record_told,
    shares_told,
    summary_told,
    work_of,
)
from node.web.records.records import FORM_LABELS, PROFILE, Iri, Plural, Slug, title_of
from node.web.wire import answer, negotiate
from node.web.wire.answer import Document, link
from node.web.wire.parameters import check_known
from node.web.wording.text import NOTHING, Said

PAGE = 50
LINKS_SHOWN = 100
_MOST_KEY = 2**63 - 1
DAYS_SHOWN = 30
_JSON = "application/json"
_OFFERED = (_JSON, "html", *negotiate.RDF_FORMS)
_FORMS: dict[str, dict[str, str]] = {negotiate.FORMS.get(form, form): {} for form in _OFFERED}
_SUFFIXES = ("json", *negotiate.FORMS)

Name = Annotated[str, Path(description="The collection's name, with or without `.json .ttl .jsonld .rdf .nt .html`.")]
PeerName = Annotated[str, Path(description="The peer's name on this node.")]
Failing = Annotated[str, Query(description="A metric: which records fail it.")]
After = Annotated[str, Query(description="Where the page before ended.")]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for: by whom, in which form, at which address without suffix."""

    seen: Seen
    visitor: Visitor
    form: str
    address: str


class QualityDocuments:
    """Builds the documents for one caller."""

    def __init__(self, asked: _Asked, quality: Quality) -> None:
        self._asked = asked
        self._parts = asked.seen.parts
        self._quality = quality

    # ------------------------------------------------------------ all collections

    def overview(self) -> Document:
        """Give the sums of all collections that the caller may read as a whole, and what the metrics are."""
        infos = [info for info in self._parts.reading.collections().values() if _is_whole(self._asked.seen, info)]
        sums = [(info, self._quality.summary(info.name)) for info in infos]
        found = [(info, summary) for info, summary in sums if summary.records]
        if self._asked.form == _JSON:
            told = [self._collection_told(info, summary) for info, summary in found]
            return json_document({"max": MAX_POINTS, "links_tried": self._quality.checks_links, "collections": told})
        if self._asked.form != "html":
            base = self._parts.site.base_url
            said = dqv.vocabulary()
            for info, summary in found:
                said += _measured(f"{base}/quality/{info.name}", info, summary)
            return self._rdf(said)
        return self._page(
            "quality.html",
            found=[(info, self._parts.mirror(info.name), summary) for info, summary in found],
            tried=self._quality.checks_links,
        )

    def _collection_told(self, info: CollectionInfo, summary: Summary) -> dict[str, Any]:
        base, mirror = self._parts.site.base_url, self._parts.mirror(info.name)
        return {
            "name": info.name,
            "iri": info.iri,
            "title": info.title,
            "city": mirror.city if mirror else self._parts.site.city,
            "page": f"{base}/quality/{info.name}",
        } | summary_told(summary)

    # ------------------------------------------------------------ one collection

    def collection(self, name: str) -> Document:
        """Give what a collection is worth, what to mend, which links fail, and how it was. Raises NotFound."""
        info = _whole(self._asked.seen, name)
        summary = self._quality.summary(name)
        if self._asked.form not in (_JSON, "html"):
            return self._rdf(_measured(self._asked.address, info, summary))
        failing = self._quality.failing(name, limit=LINKS_SHOWN)
        trend = self._trends(name)
        if self._asked.form == _JSON:
            told = self._collection_told(info, summary)
            told |= {"metrics": shares_told(summary, self._asked.visitor.language), "links": failing_told(failing)}
            return json_document(told | {"days": {subject: days_told(days) for subject, days in trend}})
        return self._page(
            "quality_collection.html",
            info=info,
            mirror=self._parts.mirror(name),
            summary=summary,
            dimensions=dimensions_of(summary),
            work=work_of(summary, self._asked.visitor.language),
            failing=[self._named(one) for one in failing],
            trend=[(subject, [(day * DAY_MS, of) for day, of in reversed(days)]) for subject, days in trend],
            tried=self._quality.checks_links,
        )

    def _named(self, one: FailingLink) -> tuple[FailingLink, Held | None, Said]:
        """Give a link that fails with the record that has it, and what that is called."""
        held = self._parts.reading.find_iri(one.record)
        return one, held, title_of(self._parts, held, self._asked.visitor) if held else NOTHING

    def _trends(self, name: str) -> list[tuple[str, Sequence[tuple[int, Summary]]]]:
        """Give the last days of a collection, and of the sources that feed it."""
        sources = [] if is_mirror(name) else self._quality.sources(name)
        subjects = [f"collection:{name}", *(f"source:{source}" for source in sources)]
        found = [(subject, self._quality.days(subject)[-DAYS_SHOWN:]) for subject in subjects]
        return [(subject, days) for subject, days in found if days]

    def failing(self, name: str, metric: str, after: str) -> Document:
        """List the records of a collection that fail a metric. Raises NotFound, Malformed."""
        info = _whole(self._asked.seen, name)
        scored = self._quality.records(name, failing=metric, after=_key(after), limit=PAGE + 1)
        shown, more = scored[:PAGE], len(scored) > PAGE
        turn = f"?failing={metric}&after={shown[-1].record_key}" if more else ""
        rows = [(one, held) for one in shown if (held := self._parts.reading.find_iri(one.iri)) is not None]
        if self._asked.form == _JSON:
            told = [_scored_told(At(self._parts.site.base_url, held).page, one) for one, held in rows]
            following = self._asked.address + turn if turn else None
            return json_document({"collection": name, "metric": metric, "records": told, "next": following})
        titles = [(held, title_of(self._parts, held, self._asked.visitor), one) for one, held in rows]
        return self._page("quality_failing.html", info=info, metric=metric, rows=titles, turn=turn)

    # ------------------------------------------------------------ one record

    def record(self, held: Held) -> Document:
        """Give what was measured of a record. Raises NotFound if it is of a kind that is not measured."""
        judged = judged_of(self._quality, self._parts.reading, held)
        if judged is None:
            raise NotFound(
                "Only datasets are measured.", fix="What was found of the record is at its findings."
            ).on_page("no.quality.kind")
        reader = self._asked.visitor.language
        if self._asked.form == _JSON:
            told = {"record": held.iri, "collection": held.collection, "digest": held.digest}
            return json_document(told | record_told(judged, reader))
        if self._asked.form != "html":
            at_ms = max(held.at_ms, judged.measured_ms)
            return self._rdf(dqv.of_record(self._asked.address, held.iri, judged.assessment, at_ms=at_ms))
        return self._page(
            "quality_record.html",
            held=held,
            title=title_of(self._parts, held, self._asked.visitor),
            judged=judged,
            found=judged.assessment,
            groups=groups_of(judged.assessment),
            fixes=fixes_of(judged, reader),
            at=At(self._parts.site.base_url, held),
            tried=self._quality.checks_links,
        )

    # ------------------------------------------------------------ forms

    def _page(self, template: str, **context: Any) -> Document:  # noqa: ANN401
        pages, address = self._parts.pages, self._asked.address
        path, _, query = address.partition("?")
        tail = f"?{query}" if query else ""
        twins = [Twin("JSON", f"{path}.json{tail}")]
        twins += [Twin(label, f"{path}.{form}{tail}") for form, label in FORM_LABELS.items()]
        body = pages.render(
            template, self._asked.visitor, nav="data", twins=twins, canonical=address, most=MAX_POINTS, **context
        )
        return pages.document(body)

    def _rdf(self, said: list[Triple]) -> Document:
        form = self._asked.form
        context = self._parts.site.base_url + CONTEXT_PATH
        body = serialise.page([], said, form, context_url=context).body  # type: ignore[arg-type]
        kind = negotiate.FORMS[form]
        return Document(
            body=body,
            media_type=f"{kind}; charset=utf-8" if form == "ttl" else kind,
            tag=f"{hashlib.sha256(body).hexdigest()[:32]}-{serialise.VERSIONS[form]}",  # type: ignore[index]
            links=", ".join([link(self._asked.address, "canonical"), link(PROFILE, "profile")]),
            cache=answer.REVALIDATE,
        )


def judged_of(quality: Quality, reading: Reading, held: Held) -> Judged | None:
    """Measure a record that the caller may see; None if it is of a kind that is not measured."""
    return quality.judge(held.kind, held.iri, ntriples.triples_of(reading.payload(held)))


def _measured(document: str, info: CollectionInfo, summary: Summary) -> list[Triple]:
    return dqv.of_collection(document, info.iri, summary, at_ms=info.updated_at_ms)


def _is_whole(seen: Seen, info: CollectionInfo) -> bool:
    """Tell whether the caller may read every record of a collection."""
    if seen.wider is None or not seen.is_restricted(info.name):
        return True
    verdict = seen.wider.verdict(info)
    return bool(verdict) and verdict.only is None


def _whole(seen: Seen, name: str) -> CollectionInfo:
    info = seen.parts.reading.collection(name)
    if not _is_whole(seen, info):
        raise NotFound(
            "What this collection is worth is told to those who may read all of it.",
            fix="The quality of a record that you may read is at its own address.",
        ).on_page("no.quality.part")
    return info


def _key(after: str) -> int | None:
    if not after:
        return None
    digits = after.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= _MOST_KEY):
        raise Malformed(
            "after is no place in this list.",
            fix="Follow the link to the next page.",
        ).on_page("no.page.cursor")
    return int(after)


def _scored_told(page: str, one: Scored) -> dict[str, Any]:
    return {"iri": one.iri, "page": page, "points": one.points, "max_known": one.max_known}


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    return (stem, suffix) if dot and suffix in _SUFFIXES else (name, "")


def _form(request: Request, suffix: str) -> str:
    """Choose the form by suffix, else by Accept. Raises NotAcceptable."""
    if suffix:
        return _JSON if suffix == "json" else suffix
    chosen = chosen_of(request, tuple(_FORMS))
    return next(form for form in _OFFERED if negotiate.FORMS.get(form, form) == chosen)


def router(parts: Parts, quality: Quality) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Quality"], default_response_class=Response)
    _add_sums(made, parts, quality)
    _add_records(made, parts, quality)
    return made


def _add_sums(made: APIRouter, parts: Parts, quality: Quality) -> None:
    """The overview, and collections."""
    base, door = parts.site.base_url, Door(parts)
    answers: dict[int | str, dict[str, object]] = {200: {"content": _FORMS}, 404: {}, 406: {}}

    @made.get("/quality", summary="How well collections are described", responses=answers)
    async def overview(request: Request) -> Response:
        check_known(request.query_params, "lang")
        _, suffix = _split(request.scope["path"])
        asked = await _asked(parts, door, request, f"{base}/quality", suffix)
        names = asked.seen.parts.reading.collections()
        return await _reply(request, asked, lambda: QualityDocuments(asked, quality).overview(), *names)

    for suffix in _SUFFIXES:
        made.get(f"/quality.{suffix}", include_in_schema=False)(overview)

    async def one(request: Request, name: str, failing: str, after: str) -> Response:
        check_known(request.query_params, "failing", "after", "lang")
        if after and not failing:
            raise Malformed(
                "after goes on in a list of what fails.", fix="Name the metric: ?failing=…&after=…."
            ).on_page("no.quality.after")
        bare, suffix = _split(name)
        asked = await _asked(parts, door, request, f"{base}/quality/{bare}", suffix)
        if not failing:
            return await _reply(request, asked, lambda: QualityDocuments(asked, quality).collection(bare), bare)
        if failing not in PLACES:
            raise Malformed(
                f"There is no metric {failing[:40]!r}.",
                fix=f"There are {', '.join(PLACES)}.",
            ).on_page("no.quality.metric", name=failing[:40], known=", ".join(PLACES))
        if asked.form not in (_JSON, "html"):
            raise Malformed(
                "A list of records is there as JSON and as a page.", fix="Ask for /quality/NAME.json."
            ).on_page("no.quality.form")
        return await _reply(
            request, asked, lambda: QualityDocuments(asked, quality).failing(bare, failing, after), bare
        )

    said = "Points, what to mend, links that fail, the last days; with `failing`, the records that fail a metric."

    @made.get("/quality/{name}", summary="How well a collection is described", description=said, responses=answers)
    async def own(request: Request, name: Name, failing: Failing = "", after: After = "") -> Response:
        return await one(request, name, failing, after)

    @made.get("/quality/{peer}/{name}", summary="The same of a mirrored collection", responses=answers)
    async def mirrored(
        request: Request, peer: PeerName, name: Name, failing: Failing = "", after: After = ""
    ) -> Response:
        return await one(request, f"{peer}/{name}", failing, after)


def _add_records(made: APIRouter, parts: Parts, quality: Quality) -> None:
    """What stands beside a record, by its address and by its IRI."""
    door = Door(parts)
    answers: dict[int | str, dict[str, object]] = {200: {"content": _FORMS}, 404: {}, 406: {}, 410: {}}

    async def beside(request: Request, find: Callable[[Reading], Held]) -> Response:
        seen = await seen_by(door, parts, request)
        held = await seen.found(find)
        _, suffix = _split(request.scope["path"])
        address = At(parts.site.base_url, held).beside("quality")
        asked = _Asked(seen, parts.pages.visitor(request), _form(request, suffix), address)
        return await _reply(request, asked, lambda: QualityDocuments(asked, quality).record(held), held.collection)

    async def own(request: Request, plural: Plural, slug: Slug) -> Response:
        check_known(request.query_params, "lang")
        return await beside(request, lambda reading: reading.record(PLURALS[plural], slug))

    async def by_iri(request: Request, iri: Iri = "") -> Response:
        check_known(request.query_params, "iri", "lang")
        return await beside(request, lambda reading: held_by(reading, iri))

    said = "Each of 23 metrics with its points, what to mend, and what is known of the links; DQV in RDF."
    for tail in ("", *(f".{suffix}" for suffix in _SUFFIXES)):
        shown = not tail
        made.get(
            f"/{{plural:plural}}/{{slug}}/quality{tail}", summary="How well a record is described", description=said,
            responses=answers, include_in_schema=shown,
        )(own)  # fmt: skip
        made.get(
            f"/records/quality{tail}", summary="How well a record is described, by its IRI", description=said,
            responses=answers | {400: {}}, include_in_schema=shown,
        )(by_iri)  # fmt: skip


async def _asked(parts: Parts, door: Door, request: Request, address: str, suffix: str) -> _Asked:
    form = _form(request, suffix)
    return _Asked(await seen_by(door, parts, request), parts.pages.visitor(request), form, address)


async def _reply(request: Request, asked: _Asked, make: Callable[[], Document], *names: str) -> Response:
    document = await asked.seen.parts.thread(make)
    return answer.reply(request.headers, asked.seen.sealed(document, *names))
