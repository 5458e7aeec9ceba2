"""Documents of single records: by address, by suffix, by IRI, with their proof and findings.

A document holds exactly the payload's triples (formats.md 5); everything else about it goes in headers or in
documents beside it. What is built here is kept by `front`, which answers the same request the next time.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.quality.assess import MEASURED
from node.catalog.quality.metrics import MAX_POINTS
from node.errors import NotFound
from node.federation.policy.templates import agreement_title
from node.journal import note
from node.records import PLURALS
from node.vocab import ntriples, serialise
from node.vocab.contexts import CONTEXT_PATH
from node.vocab.ntriples import Triple
from node.vocab.terms import DCT
from node.web.addresses import At, is_mirror
from node.web.agreements.named import linked
from node.web.agreements.page import told_of
from node.web.doors.door import ANYBODY, Door
from node.web.doors.seen import Seen, seen_by
from node.web.pages import Twin, Visitor
from node.web.parts import Parts, chosen_of, form_for, json_document, split_suffix
from node.web.ports.ports import Checkpoint, Held
from node.web.reading import Reading, held_by
from node.web.records.citing import REFERENCES, reference, snippets
from node.web.records.corrected import corrected_in
from node.web.records.inside import files_of, forms_seen, insides
from node.web.records.knowledge_view import knowledge_of
from node.web.records.quality_view import fixes_of
from node.web.records.related import Related
from node.web.records.schema_org import block
from node.web.records.seal import cosigners_of
from node.web.records.sets import sets_of
from node.web.records.touching import Touching, forms_in
from node.web.records.view import File, RecordView, extent_in, look, title_in, told_of_files
from node.web.wire import answer, negotiate
from node.web.wire.answer import Document, link
from node.web.wording import findings, places
from node.web.wording.graph import Described
from node.web.wording.text import Said
from node.web.wording.words import title_said

PROFILE = "http://data.europa.eu/r5r/"
FORM_LABELS = {"ttl": "Turtle", "jsonld": "JSON-LD", "rdf": "RDF/XML", "nt": "N-Triples"}
# Above this a payload takes longer to write than the event loop should wait.
INLINE_BYTES = 128 * 1024
# What may have data under an agreement.
ASKED_FOR = frozenset({"dataset", "dataset-series", "data-service", "city-model"})
FIXES_SHOWN = 3


class PluralConvertor(StringConvertor):
    """Matches the plurals of `records.KINDS` and nothing else, so that other addresses go to other routers."""

    regex = "|".join(sorted(PLURALS, key=len, reverse=True))


register_url_convertor("plural", PluralConvertor())

Plural = Annotated[str, Path(description="The plural of a kind.", json_schema_extra={"enum": sorted(PLURALS)})]
Name = Annotated[str, Path(description="The record's slug, with or without `.ttl .jsonld .rdf .nt .html`.")]
Slug = Annotated[str, Path(description="The record's slug.")]
Iri = Annotated[str, Query(description="The record's IRI, percent-encoded.")]
_KINDS = ("application/json", "text/html")
_FORMS_DOC: dict[str, dict[str, str]] = {kind: {} for kind in negotiate.FORMS.values()}


class RecordDocuments:
    """Builds the documents."""

    def __init__(self, parts: Parts, related: Related, shown: Parts) -> None:
        """Build what `parts` let the caller see; `shown` is what everybody sees, of which sets are told."""
        self._parts = parts
        self._related = related
        self._shown = shown
        self._base = parts.site.base_url
        self.context_url = self._base + CONTEXT_PATH

    def links(self, held: Held) -> str:
        """Write the Link header: what this is, where its other forms, proof and findings are (RFC 8288)."""
        at = At(self._base, held)
        return ", ".join(
            [
                link(at.canonical(self._parts.reading.collection(held.collection)), "canonical"),
                link(held.iri, "describes"),
                *(link(at.form(suffix), "alternate", type=kind) for suffix, kind in negotiate.FORMS.items()),
                link(at.beside("proof"), "describedby", type="application/json", title="proof"),
                link(at.beside("findings"), "describedby", type="application/json", title="findings"),
                *(
                    [link(at.beside("quality"), "describedby", type="text/turtle", title="quality")]
                    if self._parts.site.finding and held.kind in MEASURED
                    else []
                ),
                link(f"{self._base}/collections/{held.collection}", "collection"),
                link(PROFILE, "profile"),
            ]
        )

    def rdf(self, held: Held, form: str, *, by_suffix: bool, body: bytes) -> Document:
        """Wrap the bytes of an RDF form; the ETag is the digest's and the serialiser's."""
        kind = negotiate.FORMS[form]
        return Document(
            body=body,
            media_type=kind if form in ("jsonld", "rdf", "nt") else f"{kind}; charset=utf-8",
            tag=f"{held.digest[7:39]}-{serialise.VERSIONS[form]}",  # type: ignore[index]
            changed_ms=held.at_ms,
            vary=answer.VARY_SUFFIX if by_suffix else answer.VARY,
            links=self.links(held),
            location="" if by_suffix else At(self._base, held).form(form),
        )

    def body(self, held: Held, form: str) -> bytes:
        """Write the payload in a form. Raises NotAcceptable where RDF/XML cannot hold it."""
        payload = self._parts.reading.payload(held)
        return serialise.document(payload, form, context_url=self.context_url)  # type: ignore[arg-type]

    def page(self, held: Held, visitor: Visitor) -> bytes:
        """Render the page."""
        if held.kind == "agreement" and (agreement := self._agreement(held, visitor)):
            return agreement
        reading, site, pages = self._parts.reading, self._parts.site, self._parts.pages
        payload = reading.payload(held)
        triples = ntriples.triples_of(payload)
        said = Described(triples, held.iri, visitor.language, pages.languages)
        touching = self._touching(held, visitor)
        knowledge = knowledge_of(self._parts, held, payload, touching, visitor.language)
        groups = touching.into(held)
        view = told_of_files(look(said), forms_in(groups))
        info, at = reading.collection(held.collection), At(self._base, held)
        mirror = self._parts.mirror(held.collection)
        return pages.render(
            "knowledge.html" if knowledge else "record.html",
            visitor,
            nav="knowledge" if knowledge else "data",
            twins=[Twin(label, at.form(suffix)) for suffix, label in FORM_LABELS.items()],
            held=held,
            view=knowledge.over(view) if knowledge else view,
            knowledge=knowledge,
            corrected=corrected_in(self._parts, held.iri, payload, visitor.language),
            touching=groups,
            at=at,
            canonical=at.canonical(info),
            way_to=self._way_to(held),
            obtain=under_agreement(self._parts, held, said),
            reportable=site.readers is not None and held.collection in self._shown.reading.collections(),
            **self._files(held, view, said),
            mirror=mirror,
            origin=mirror.city if mirror else site.city,
            info=info,
            comparable=sets_of(self._shown, held, visitor),
            doubles=self._related.of(held, visitor.language),
            findings=findings.views(reading.findings(held), visitor.language),
            **self._quality(held, triples, visitor),
            **self._seal(held),
            forms=[(kind, at.form(suffix)) for suffix, kind in negotiate.FORMS.items() if suffix != "html"],
            schema_org=block(
                said,
                kind=held.kind,
                page=at.page,
                catalogue=f"{self._base}/collections/{info.name}",
                city=title_said(info.title, visitor.language),
            ),
        )

    def _seal(self, held: Held) -> dict[str, Any]:
        """Give the newest checkpoint of the record's journal, and who has seen one that covers the record."""
        checkpoint = self._parts.site.proofs.checkpoint(held.collection)
        return {
            "checkpoint": checkpoint,
            "cosigners": cosigners_of(self._parts, held.collection, checkpoint, covering=held.seq),
        }

    def _way_to(self, held: Held) -> Callable[[File], str]:
        """Give what tells where a file is got: by the counted way, where everybody may see the record."""
        shown, at = held.collection in self._shown.reading.collections(), At(self._parts.pages.prefix, held)
        counts = shown and self._parts.site.readers is not None
        return lambda file: at.file(file.number) if counts and file.href.startswith("http") else file.href

    def _files(self, held: Held, view: RecordView, said: Described) -> dict[str, Any]:
        """Look into the files: rows, shapes and pictures, lines of code that read them, and where the record lies."""
        knowledge, at = self._parts.site.knowledge, At(self._base, held)
        # Only a record that everybody may see is looked into, so what is shown of it is for everybody too.
        ours = knowledge is not None and held.collection in {info.name for info in self._shown.reading.own()}
        extent = extent_in(said)
        kept = knowledge.previews.looks if ours and knowledge else None
        looks, files = kept.of(held.collection, held.iri) if kept else (), view.files
        if kept and not files:
            # The record of a city model is about one file, which its dataset names.
            files = files_of(said)
            looks = [look for file in files for look in kept.at(file.href)]
        return {
            "insides": insides(looks, files, self._parts.pages.prefix, said.reader),
            "snippets": snippets(view.files, forms_seen(looks), page=at.page) if view.files else [],
            "extent": extent,
            "edges": places.edges_of(extent) if extent else "",
        }

    def _touching(self, held: Held, visitor: Visitor) -> Touching:
        """Tell of a record that is for everyone only what is for everyone: caches keep its page."""
        public = held.collection in self._shown.reading.collections()
        return Touching(self._shown if public else self._parts, visitor.language)

    def _quality(self, held: Held, triples: list[Triple], visitor: Visitor) -> dict[str, Any]:
        """Measure the record, if it is of a kind that is measured, and say what to mend first."""
        finding = self._parts.site.finding
        judged = finding.quality.judge(held.kind, held.iri, triples) if finding else None
        fixes = fixes_of(judged, visitor.language) if judged else []
        tried = {link.url: one for link, one in judged.links if one and one.checked_ms} if judged else {}
        return {
            "quality": judged.assessment if judged else None,
            "most": MAX_POINTS,
            "fixes": fixes[:FIXES_SHOWN],
            "tried": tried,
        }

    def _agreement(self, held: Held, visitor: Visitor) -> bytes:
        """Render the page of an agreement; nothing for one that cannot be read."""
        told = told_of(self._parts, held, visitor, time.time_ns() // 1_000_000)
        if told is None:
            return b""
        info, at = self._parts.reading.collection(held.collection), At(self._base, held)
        return self._parts.pages.render(
            "agreement.html",
            visitor,
            nav="agreements",
            twins=[Twin(label, at.form(suffix)) for suffix, label in FORM_LABELS.items()],
            told=told,
            agreement_title=agreement_title,
            clause=lambda said, link: linked(said, told.places, link),
            held=held,
            at=at,
            info=info,
            canonical=at.canonical(info),
            mirror=self._parts.mirror(held.collection),
            **self._seal(held),
            forms=[(kind, at.form(suffix)) for suffix, kind in negotiate.FORMS.items() if suffix != "html"],
            asked_iri=dict(visitor.query).get("iri", ""),
            chosen_language=visitor.chosen,
        )

    async def document(self, held: Held, form: str, *, by_suffix: bool, visitor: Visitor) -> Document:
        """Build the document in a form."""
        parts = self._parts
        if form == "html":
            body = await parts.thread(lambda: self.page(held, visitor))
            location = "" if by_suffix else At(self._base, held).form("html")
            return parts.pages.document(body, links=self.links(held), location=location)
        large = len(parts.reading.payload(held)) > INLINE_BYTES
        body = await parts.thread(lambda: self.body(held, form)) if large else self.body(held, form)
        return self.rdf(held, form, by_suffix=by_suffix, body=body)


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Records"])
    _add_documents(made, parts)
    _add_evidence(made, parts)
    _add_references(made, parts)
    return made


def _add_documents(made: APIRouter, parts: Parts) -> None:
    """Records themselves, by address and by IRI."""
    door = Door(parts)

    @made.get(
        "/{plural:plural}/{name}",
        summary="A record",
        description="The description of one record, exactly as its journal holds it, in the form asked for.",
        responses={200: {"content": _FORMS_DOC}, 304: {}, 404: {}, 406: {}, 410: {}},
        response_class=Response,
    )
    async def record(request: Request, plural: Plural, name: Name) -> Response:
        slug, suffix = split_suffix(name)
        version = parts.reading.version()
        seen = await seen_by(door, parts, request)
        held = await seen.found(lambda reading: reading.record(PLURALS[plural], slug))
        form = form_for(request, suffix, At(parts.site.base_url, held).form)
        document = await _document(parts, seen, request, held, form, by_suffix=bool(suffix))
        gzipped = negotiate.wants_gzip(request.headers.get("accept-encoding", ""))
        encoded = answer.encode(document, gzipped=gzipped)
        # An agreement's page says whether it holds now, and a term ends without a commit.
        timed = held.kind == "agreement" and form == "html"
        if not request.scope["query_string"] and not timed and not seen.is_restricted(held.collection):
            still = None if form == "html" else lambda: parts.reading.still(held)
            parts.keep(request, encoded, still=still, version=version)
        return await seen.handed(request, answer.response(request.headers, encoded), held.collection, held.iri)

    @made.get(
        "/records",
        summary="A record by its IRI",
        description="Any record held here, own or mirrored, by the IRI its source gave it.",
        responses={200: {"content": _FORMS_DOC}, 400: {}, 404: {}, 406: {}, 410: {}},
        response_class=Response,
    )
    async def by_iri(request: Request, iri: Iri = "") -> Response:
        seen = await seen_by(door, parts, request)
        held = await seen.found(lambda reading: held_by(reading, iri))
        _, suffix = split_suffix(request.scope["path"])
        form = form_for(request, suffix, At(parts.site.base_url, held).form)
        document = await _document(parts, seen, request, held, form, by_suffix=bool(suffix))
        return await seen.handed(request, answer.reply(request.headers, document), held.collection, held.iri)

    for suffix in negotiate.FORMS:
        made.get(f"/records.{suffix}", include_in_schema=False, response_class=Response)(by_iri)


async def _document(parts: Parts, seen: Seen, request: Request, held: Held, form: str, *, by_suffix: bool) -> Document:
    """Build a record's document for whom it is asked."""
    visitor = seen.parts.pages.visitor(request)
    caller = seen.caller if seen.caller is not None and seen.is_restricted(held.collection) else ANYBODY
    documents = RecordDocuments(seen.parts, Related(seen.parts, caller), parts)
    document = await documents.document(held, form, by_suffix=by_suffix, visitor=visitor)
    return seen.sealed(document, held.collection)


def _add_evidence(made: APIRouter, parts: Parts) -> None:
    """What stands beside a record: its proof and its findings; `.json` for who cannot say Accept."""
    both: dict[int | str, dict[str, object]] = {
        200: {"content": {kind: {} for kind in _KINDS}},
        404: {},
        406: {},
        410: {},
    }
    said = "Opening and entry, the inclusion path to the tree's root, and the signed checkpoint (C2SP note)."
    for name, summary, description, give in (
        ("proof", "What proves a record", said, _proof),
        ("findings", "What was found wrong with a record", "", _found_wrong),
    ):
        for ending, shown in (("", True), (".json", False)):
            beside = made.get(
                f"/{{plural:plural}}/{{slug}}/{name}{ending}", summary=summary, description=description,
                response_class=Response, responses=both, include_in_schema=shown,
            )  # fmt: skip
            beside(_of_own(parts, give))
            beside = made.get(
                f"/records/{name}{ending}", summary=f"{summary}, by its IRI", description=description,
                response_class=Response, responses=both, include_in_schema=shown,
            )  # fmt: skip
            beside(_of_any(parts, give))


def _add_references(made: APIRouter, parts: Parts) -> None:
    """The record as a reference for whoever cites it."""
    for form, (media_type, name) in REFERENCES.items():
        give = partial(_reference, form)
        for path, found in ((f"/{{plural:plural}}/{{slug}}/cite.{form}", _of_own), (f"/records/cite.{form}", _of_any)):
            by = ", by its IRI" if found is _of_any else ""
            route = made.get(
                path,
                summary=f"A record as a reference in {name}{by}",
                responses={200: {"content": {media_type.partition(";")[0]: {}}}, 404: {}, 410: {}},
                response_class=Response,
            )
            route(found(parts, give))


async def _reference(form: str, parts: Parts, request: Request, held: Held) -> Document:
    visitor = parts.pages.visitor(request)
    triples = ntriples.triples_of(parts.reading.payload(held))
    said = Described(triples, held.iri, visitor.language, parts.pages.languages)
    view, at = look(said), At(parts.site.base_url, held)
    mirror = parts.mirror(held.collection)
    told = reference(
        form,
        view,
        slug=held.slug or held.kind,
        page=at.canonical(parts.reading.collection(held.collection)),
        publisher=view.publisher.text or (mirror.city if mirror else parts.site.city),
        date=said.value(held.iri, DCT.modified, DCT.issued),
    ).encode()
    return Document(told, REFERENCES[form][0], tag=f"{sha256(told).hexdigest()[:32]}-{form}")


def _as_json(request: Request) -> bool:
    return request.scope["path"].endswith(".json") or chosen_of(request, _KINDS) == "application/json"


def _evidence_page(parts: Parts, request: Request, template: str, held: Held, **context: Any) -> Document:  # noqa: ANN401
    visitor = parts.pages.visitor(request)
    at = At(parts.site.base_url, held)
    what = request.scope["path"].rpartition("/")[2]
    twins = [Twin("JSON", at.beside(f"{what}.json"))]
    mirror = parts.mirror(held.collection)
    context |= {"title": title_of(parts, held, visitor), "origin": mirror.city if mirror else parts.site.city}
    body = parts.pages.render(template, visitor, nav="data", twins=twins, held=held, at=at, **context)
    return parts.pages.document(body)


async def _proof(parts: Parts, request: Request, held: Held) -> Document:
    found = await parts.thread(lambda: parts.site.proofs.proof(held))
    if found is None:
        raise NotFound("No checkpoint covers this record yet.", fix="The next one will; try again in a minute.")
    if _as_json(request):
        return json_document({"record": held.iri, "collection": held.collection, "digest": held.digest, **found})
    info, checkpoint = parts.reading.collection(held.collection), parts.site.proofs.checkpoint(held.collection)
    seen = await parts.thread(lambda: cosigners_of(parts, info.name, checkpoint, covering=held.seq))
    witnesses = await parts.thread(lambda: _witnesses(parts, checkpoint, info.name))
    unknown = [name for name in witnesses if name not in {each.name for each in seen}]
    more = {"mirrored": is_mirror(info.name), "witnesses": unknown, "cosigners": seen}
    return _evidence_page(parts, request, "proof.html", held, proof=found, info=info, checkpoint=checkpoint, **more)


async def _found_wrong(parts: Parts, request: Request, held: Held) -> Document:
    found = parts.reading.findings(held)
    if not _as_json(request):
        language = parts.pages.visitor(request).language
        return _evidence_page(parts, request, "findings.html", held, findings=findings.views(found, language))
    listed = [
        {"code": one.code, "level": one.level, "path": one.path, "message": findings.told(one.message)} for one in found
    ]
    return json_document({"record": held.iri, "digest": held.digest, "findings": listed})


Give = Callable[[Parts, Request, Held], Awaitable[Document]]


def _of_own(parts: Parts, give: Give) -> Callable[[Request, str, str], Awaitable[Response]]:
    door = Door(parts)

    async def found(request: Request, plural: Plural, slug: Slug) -> Response:
        return await _beside(door, parts, request, give, lambda reading: reading.record(PLURALS[plural], slug))

    return found


def _of_any(parts: Parts, give: Give) -> Callable[[Request, str], Awaitable[Response]]:
    door = Door(parts)

    async def found(request: Request, iri: Iri = "") -> Response:
        return await _beside(door, parts, request, give, lambda reading: held_by(reading, iri))

    return found


async def _beside(door: Door, parts: Parts, request: Request, give: Give, find: Callable[[Reading], Held]) -> Response:
    seen = await seen_by(door, parts, request)
    held = await seen.found(find)
    document = await give(seen.parts, request, held)
    return answer.reply(request.headers, seen.sealed(document, held.collection))


def under_agreement(parts: Parts, held: Held, said: Described) -> bool:
    """Tell whether its data are to be had under an agreement: we hand them out so, or its city says so."""
    desk = parts.site.data_desk
    ours = desk is not None and not is_mirror(held.collection) and desk.has_data(held.iri)
    rights = said.value(held.iri, DCT.accessRights) if held.kind in ASKED_FOR else ""
    return ours or rights.endswith("/RESTRICTED")


def title_of(parts: Parts, held: Held, visitor: Visitor) -> Said:
    """Give a record's title for a reader."""
    triples = ntriples.triples_of(parts.reading.payload(held))
    return title_in(Described(triples, held.iri, visitor.language, parts.pages.languages))


def witnesses_of(text: str) -> list[str]:
    """Name who cosigned a checkpoint beside its own city, by the names in its signature lines."""
    own = text.partition("\n")[0]
    return sorted({line.name for line in note.parse(text).signatures} - {own})


def _witnesses(parts: Parts, checkpoint: Checkpoint | None, collection: str) -> list[str]:
    # The proof has the note as its city signed it; the feed's stands with what witnesses added.
    return witnesses_of(parts.site.feed.note(collection, checkpoint.size)) if checkpoint else []
