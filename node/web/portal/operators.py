"""For those who run the node and those who crawl it: health, readiness, metrics, harvest runs, sitemaps.

Runs are shown to everyone, so that publishers see why their dataset was refused; addresses of sources, which may hold
keys, and paths of files are taken out of every text first.
"""

import hashlib
from collections.abc import Iterator
from html import escape
from typing import Annotated

from fastapi import APIRouter, Path
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.errors import NotFound
from node.web.addresses import At
from node.web.pages import Twin, ways_in
from node.web.parts import Parts, chosen_of, json_document
from node.web.ports.ports import Held, Run, RunRow
from node.web.records.records import title_of
from node.web.wire import answer
from node.web.wire.answer import Document
from node.web.wire.parameters import check_known
from node.web.wording.because import of_run
from node.web.wording.findings import told
from node.web.wording.plain import iso, public

RUNS_SHOWN = 50
ROWS_SHOWN = 200
EARLIER_SHOWN = 5
# A sitemap may hold 50,000 addresses; the first one also has the pages that are no records.
SITEMAP_MOST = 45_000
_COUNTS = ("added", "changed", "unchanged", "withdrawn", "refused", "held")
_ROW_GROUPS = ("held", "refused", "finding", "note")
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NS = "http://www.sitemaps.org/schemas/sitemap/0.9"


def _run_json(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "source": run.source,
        "state": run.state,
        "dry": run.dry,
        "stage": run.stage,
        "started_at": iso(run.started_at),
        "heartbeat_at": iso(run.heartbeat_at),
        "ended_at": iso(run.ended_at),
        "counters": {key: value for key, value in run.counters.items() if isinstance(value, int)},
        "reason": public(run.reason),
    }


def _row_json(row: RunRow) -> dict[str, str]:
    return {
        "change": row.change,
        "title": public(told(row.title)),
        "iri": row.iri,
        "owner": row.owner,
        "code": row.code,
        "message": public(told(row.message)),
    }


class ShelfMarks(Collector):
    """Gauges read when asked: records and journal sizes of the public collections, the program's version."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """Read them."""
        records = GaugeMetricFamily("citynode_records", "Live records.", labels=("collection",))
        entries = GaugeMetricFamily("citynode_journal_entries", "Entries of the journal.", labels=("collection",))
        for info in self._parts.reading.collections().values():
            records.add_metric((info.name,), self._parts.reading.count(info.name))
            entries.add_metric((info.name,), info.size)
        yield records
        yield entries
        yield GaugeMetricFamily("citynode_kept_replies", "Replies kept in memory.", value=len(self._parts.keeper))
        yield InfoMetricFamily("citynode", "The program.", value={"version": self._parts.site.software})


def register(registry: CollectorRegistry, parts: Parts) -> None:
    """Add the gauges of the shelf."""
    registry.register(ShelfMarks(parts))


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Operators"])

    @made.get("/healthz", summary="Is the process alive")
    async def health() -> Response:
        return JSONResponse({"status": "ok"}, headers={"cache-control": answer.NOT_KEPT})

    @made.get("/readyz", summary="Can it serve", responses={503: {}})
    async def ready() -> Response:
        probes = await parts.thread(parts.site.ready)
        fine = all(probe.ok for probe in probes)
        told = {
            "status": "ready" if fine else "not ready",
            "checks": [{"name": probe.name, "ok": probe.ok, "detail": public(probe.detail)} for probe in probes],
        }
        return JSONResponse(told, status_code=200 if fine else 503, headers={"cache-control": answer.NOT_KEPT})

    @made.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def metrics() -> Response:
        if not parts.site.metrics:
            raise NotFound("This node keeps its metrics to itself.", fix="Its operator can turn them on.")
        body = await parts.thread(lambda: generate_latest(parts.site.registry))
        return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"cache-control": answer.NOT_KEPT})

    _add_runs(made, parts)
    _add_sitemaps(made, parts)
    return made


def _add_runs(made: APIRouter, parts: Parts) -> None:
    kinds = ("application/json", "text/html")

    def as_json(request: Request) -> bool:
        return request.scope["path"].endswith(".json") or chosen_of(request, kinds) == "application/json"

    @made.get("/runs.json", include_in_schema=False)
    @made.get("/runs", summary="Harvest runs, newest first", response_class=Response)
    async def runs(request: Request) -> Response:
        check_known(request.query_params, "lang")
        found = parts.site.runs.recent(RUNS_SHOWN)
        if as_json(request):
            return answer.reply(request.headers, json_document({"runs": [_run_json(run) for run in found]}))
        visitor = parts.pages.visitor(request)
        twins = [Twin("JSON", f"{parts.site.base_url}/runs.json")]
        body = parts.pages.render("runs.html", visitor, nav="runs", runs=found, counts=_COUNTS, twins=twins)
        return answer.reply(request.headers, parts.pages.document(body))

    # The lower decorator is registered first: `2.json` would be a number to the other route.
    @made.get("/runs/{number}", summary="One harvest run", responses={404: {}}, response_class=Response)
    @made.get("/runs/{number}.json", include_in_schema=False)
    async def run(request: Request, number: Annotated[str, Path(description="The run's number.")]) -> Response:
        wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0
        found = parts.site.runs.get(wanted) if wanted else None
        if found is None:
            raise NotFound("There is no such run.", fix="The runs are listed at /runs.").on_page("no.run.none")
        rows = [_row_json(row) for row in parts.site.runs.rows(wanted, limit=ROWS_SHOWN)]
        whole = _run_json(found)
        if as_json(request):
            return answer.reply(request.headers, json_document(whole | {"rows": rows}))
        visitor = parts.pages.visitor(request)
        groups = [(name, [row for row in rows if row["change"] == name]) for name in _ROW_GROUPS]
        body = parts.pages.render(
            "run.html",
            visitor,
            nav="runs",
            run=found,
            reason=whole["reason"],
            why_ended=of_run(str(whole["reason"]), visitor.language),
            groups=[(name, listed) for name, listed in groups if listed],
            record_of=lambda iri: parts.reading.find_iri(iri) if iri else None,
            title_of=lambda held: title_of(parts, held, visitor),
            earlier=[run for run in parts.site.runs.recent(RUNS_SHOWN) if run.id < found.id][:EARLIER_SHOWN],
            counts=_COUNTS,
            twins=[Twin("JSON", f"{parts.site.base_url}/runs/{found.id}.json")],
        )
        return answer.reply(request.headers, parts.pages.document(body))


def _add_sitemaps(made: APIRouter, parts: Parts) -> None:
    base = parts.site.base_url

    @made.get("/robots.txt", include_in_schema=False)
    async def robots(request: Request) -> Response:
        shut = "".join(f"Disallow: {path}\n" for path in ("/records", "/get", "/report", "/desk"))
        body = f"User-agent: *\nAllow: /\n{shut}\nSitemap: {base}/sitemap.xml\n".encode()
        return answer.reply(request.headers, Document(body, "text/plain; charset=utf-8", tag=_tag(body)))

    @made.get("/sitemap.xml", summary="All pages for search engines", response_class=Response)
    async def sitemap(request: Request) -> Response:
        body = await parts.thread(lambda: _sitemap(parts))
        return answer.reply(request.headers, Document(body, "application/xml; charset=utf-8", tag=_tag(body)))

    @made.get("/sitemaps/{number}.xml", include_in_schema=False)
    async def part(request: Request, number: str) -> Response:
        wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
        if not 1 <= wanted <= _sitemap_parts(parts):
            raise NotFound("There is no such sitemap.", fix="They are listed at /sitemap.xml.")
        body = await parts.thread(lambda: _sitemap_part(parts, (wanted - 1) * SITEMAP_MOST))
        return answer.reply(request.headers, Document(body, "application/xml; charset=utf-8", tag=_tag(body)))


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def _sitemap_parts(parts: Parts) -> int:
    total = sum(parts.reading.count(info.name) for info in parts.reading.own())
    return -(-total // SITEMAP_MOST)


def _sitemap(parts: Parts) -> bytes:
    """Give the one sitemap, or the list of its parts if there are more pages than one may hold."""
    many = _sitemap_parts(parts)
    if many <= 1:
        return _sitemap_part(parts, 0)
    base = escape(parts.site.base_url)
    told = "".join(f"<sitemap><loc>{base}/sitemaps/{number}.xml</loc></sitemap>\n" for number in range(1, many + 1))
    return f'{_XML}<sitemapindex xmlns="{_NS}">\n{told}</sitemapindex>\n'.encode()


def _sitemap_url(base: str, held: Held) -> str:
    return f"<url><loc>{escape(At(base, held).page)}</loc><lastmod>{iso(held.at_ms)}</lastmod></url>\n"


def _own_pages(parts: Parts) -> list[str]:
    base = parts.site.base_url
    cities = ["/federation"] if parts.site.federation else []
    ways = [path for _, path in ways_in(parts.site)]
    own = ["/", "/catalog", *cities, *ways, *(f"/collections/{info.name}" for info in parts.reading.own())]
    return [f"<url><loc>{escape(base + path)}</loc></url>\n" for path in own]


def _sitemap_part(parts: Parts, skip: int) -> bytes:
    urls, left = ([], SITEMAP_MOST) if skip else (_own_pages(parts), SITEMAP_MOST)
    for name in [info.name for info in parts.reading.own()]:
        count = parts.reading.count(name)
        while skip < count and left > 0:
            helds = parts.reading.page(name, offset=skip, limit=min(left, 10_000))
            urls += [_sitemap_url(parts.site.base_url, held) for held in helds]
            skip, left = skip + len(helds), left - len(helds)
            if not helds:
                break
        skip = max(0, skip - count)
    return f'{_XML}<urlset xmlns="{_NS}">\n{"".join(urls)}</urlset>\n'.encode()
