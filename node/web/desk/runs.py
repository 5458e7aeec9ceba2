"""The desk's pages of runs: what runs now, what a run did, and the decision on what it held.

A run under way is shown anew every five seconds by its own address. What a run held is decided once, by somebody who
may decide; what to mend is written as a letter to whoever publishes the record. Everything can be taken away as CSV,
with cells that a spreadsheet would run made harmless, and as JSON.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from time import time
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from node.catalog.runs import Run, RunRow
from node.catalog.story import Difference
from node.errors import NotFound
from node.web.desk import run_views, source_kinds
from node.web.desk.frame import Clerk, Desk
from node.web.desk.run_acts import act
from node.web.forms.forms import MAX_FIELDS, Form, fault
from node.web.pages import is_fragment
from node.web.ports.sources import Harvesting, SourceOffice
from node.web.wire import answer
from node.web.wording.because import of_run
from node.web.wording.plain import public
from node.web.wording.sheets import csv_of

PAGE = 50
RUNS_SHOWN = 100
HELD_SHOWN = 5
# One form has no more fields than this; of more held records a person decides by publisher or as a whole.
HELD_CHOSEN = 1_000
_CHANGES_SHOWN = 3
_LETTERS_SHOWN = 20
# Notes of what is about to happen, which stand there no more once the run has ended.
_BEGUN = ("desk.run.asked", "desk.source.added", "desk.run.stopping", "desk.source.leaving")
LISTS = ("added", "changed", "withdrawn", "refused", "held", "unchanged", "note")


def add(desk: Desk) -> None:
    """Add the pages, where something is harvested."""
    harvesting = desk.parts.site.harvesting
    if harvesting is None:
        return
    _add_list(desk, harvesting.office)
    _add_exports(desk, harvesting)
    _add_run(desk, harvesting)
    _add_rows(desk, harvesting)
    _add_acts(desk, harvesting)


def _number(request: Request) -> int:
    given = request.path_params["number"]
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise NotFound("There is no such run.", fix="The runs are listed at /desk/runs.").on_page("no.run.none")
    return int(given)


def _add_list(desk: Desk, office: SourceOffice) -> None:
    @desk.get("/runs")
    async def every(request: Request, clerk: Clerk) -> Response:
        source = request.query_params.get("source", "")[:63]
        runs = await desk.does(lambda: office.runs(source, limit=RUNS_SHOWN))
        return desk.page(request, clerk, "runs.html", nav="sources", fragment="listed", runs=runs, source=source)


def _add_run(desk: Desk, harvesting: Harvesting) -> None:
    @desk.get("/runs/{number}")
    async def one(request: Request, clerk: Clerk) -> Response:
        number = _number(request)
        shown = await desk.does(lambda: _shown(desk, harvesting, harvesting.office.run(number), request))
        over = () if shown["run"].is_live else _BEGUN
        reply = desk.page(request, clerk, "run.html", nav="sources", fragment="stages", over=over, **shown)
        if is_fragment(request) and not shown["run"].is_live:
            reply.headers["hx-refresh"] = "true"  # it has ended: the whole page has more to say now
        return reply


def _shown(desk: Desk, harvesting: Harvesting, run: Run, request: Request) -> dict[str, Any]:
    """Give all that the page of a run shows; a script that only asks how far it is gets no more than that."""
    reader = desk.parts.pages.visitor(request).language
    shown: dict[str, Any] = {
        "run": run,
        "stages": run_views.stages(run, reader),
        "why_ended": of_run(run.reason, reader),
        "now_ms": int(time() * 1000),
    }
    if run.is_live:
        return shown | {
            "held": [],
            "letters": [],
            "changed": [],
            "samples": [],
            "findings": [],
            "likely": None,
            "source": None,
        }
    reports = harvesting.reports
    held = list(reports.rows(run, "held")) if run.counters.held else []
    owners = reports.owners(run)[:_LETTERS_SHOWN]
    return shown | {
        "held": held[:HELD_SHOWN],
        "likely": reports.likely(held),
        "letters": run_views.letters(owners, run, reader, desk.parts.site.city),
        "advice": lambda row: run_views.advice(row, reader),
        "changed": run_views.changed(reports.differences(run, limit=_CHANGES_SHOWN, language=reader), reader),
        "samples": run_views.samples(reports.samples(run), reader, desk.parts.site.languages) if run.dry else [],
        "findings": [(run_views.finding(said, reader), n) for said, n in reports.findings(run)],
        "source": _source(harvesting.office, run, reader),
    }


def _source(office: SourceOffice, run: Run, reader: str) -> dict[str, object] | None:
    """Give what the page needs of the run's source; nothing once it is forgotten."""
    try:
        source = office.show(run.source)
    except NotFound:
        return None
    wanted = source.wanted.threshold
    return {
        "standing": source,
        "location": public(source.wanted.location),
        "kind": source_kinds.said(office.kinds(), reader).get(source.wanted.kind, source.wanted.kind),
        "threshold": office.usual.threshold_percent if wanted is None else wanted,
        "decides": source.held is not None and source.held.id == run.id,
        "earlier": [each for each in office.runs(run.source, limit=RUNS_SHOWN) if each.id < run.id][:5],
    }


def _add_rows(desk: Desk, harvesting: Harvesting) -> None:
    office, reports = harvesting.office, harvesting.reports

    @desk.get("/runs/{number}/{change}")
    async def rows(request: Request, clerk: Clerk) -> Response:
        number, change = _number(request), request.path_params["change"]
        if change not in LISTS:
            raise NotFound("A run has no such list.", fix=f"It has {', '.join(LISTS)}.").on_page("no.run.list")
        run = await desk.does(lambda: office.run(number))
        if change == "held" and run.counters.held and clerk.may("decide"):
            held = await desk.does(lambda: reports.rows(run, "held"))
            return _choosing(desk, request, clerk, run, held)
        page = _page(request.query_params.get("page", ""))
        start, reader = (page - 1) * PAGE, desk.parts.pages.visitor(request).language
        found = await desk.does(lambda: reports.rows(run, change, offset=start, limit=PAGE + 1, language=reader))
        differing: Sequence[Difference] = ()
        if change == "changed":
            differing = await desk.does(lambda: reports.differences(run, offset=start, limit=PAGE, language=reader))
        return desk.page(
            request,
            clerk,
            "run_rows.html",
            nav="sources",
            run=run,
            change=change,
            rows=found[:PAGE],
            changed=run_views.changed(differing, reader),
            advice=lambda row: run_views.advice(row, reader),
            found_in=lambda row: run_views.found_in(row, reader),
            page=page,
            more=len(found) > PAGE,
        )


def _choosing(desk: Desk, request: Request, clerk: Clerk, run: Run, held: Sequence[RunRow]) -> Response:
    """Show what is held so that a person can choose from it, record by record or by publisher."""
    listed = list(enumerate(held))[:HELD_CHOSEN]
    owners = Counter(row.owner for row in held).most_common(100)
    return desk.page(
        request,
        clerk,
        "run_held.html",
        nav="sources",
        run=run,
        held=listed,
        owners=owners if len(owners) > 1 else [],
        total=len(held),
    )


def _page(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and 0 < len(given) < 7 and int(given) else 1


def _add_exports(desk: Desk, harvesting: Harvesting) -> None:
    columns = ("change", "title", "owner", "iri", "source_key", "code", "message")

    @desk.get("/runs/{number}/rows.csv")
    async def as_csv(request: Request, clerk: Clerk) -> Response:  # noqa: ARG001
        number = _number(request)
        rows = await desk.does(lambda: harvesting.reports.everything(harvesting.office.run(number)))
        body = csv_of(columns, ([getattr(row, name) for name in columns] for row in rows))
        return _file(body, "text/csv; charset=utf-8", f"run-{number}.csv")

    @desk.get("/runs/{number}/rows.json")
    async def as_json(request: Request, clerk: Clerk) -> Response:  # noqa: ARG001
        number = _number(request)
        rows = await desk.does(lambda: harvesting.reports.everything(harvesting.office.run(number)))
        body = orjson.dumps({"run": number, "rows": [asdict(row) for row in rows]}, option=orjson.OPT_INDENT_2)
        return _file(body, "application/json", f"run-{number}.json")


def _file(body: bytes, media_type: str, name: str) -> Response:
    headers = {"cache-control": answer.NOT_KEPT, "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=media_type, headers=headers)


def _add_acts(desk: Desk, harvesting: Harvesting) -> None:
    office = harvesting.office

    @desk.post("/runs/{number}/stop", "run", "run.stop")
    async def stop(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        number = _number(request)
        await act(desk, lambda: office.stop(number), clash="desk.run.ended_before")
        return desk.back(request, f"/desk/runs/{number}", "desk.run.stopping")

    @desk.post("/runs/{number}/decide", "decide", "run.decide")
    async def decide(request: Request, clerk: Clerk, form: Form) -> Response:
        number, what, word = _number(request), form.text("d", most=20), form.text("why", most=500)
        if what not in ("keep", "all", "chosen", "others"):
            raise fault("desk.run.choose", "Nothing was chosen.")
        chosen = (form.many("row", most=MAX_FIELDS), form.many("owner", most=200))

        def decided() -> Run:
            if what == "keep":
                return office.keep(number, by=clerk.name, word=word)
            keys = None if what == "all" else _keys(harvesting, number, what, chosen)
            return office.approve(number, keys, by=clerk.name, word=word)

        run = await act(desk, decided, clash="desk.run.decided_before")
        gone, kept = (run.decision.withdrawn, run.decision.kept) if run.decision else (0, 0)
        form.told.update({"choice": what, "withdrawn": gone, "kept": kept})
        return desk.back(request, f"/desk/runs/{number}", "desk.run.decided", withdrawn=gone, kept=kept)


def _keys(harvesting: Harvesting, number: int, what: str, chosen: tuple[list[str], list[str]]) -> set[str]:
    """Find the source keys of the rows and publishers that were chosen; `others` means all but the likely fault."""
    held = harvesting.reports.rows(harvesting.office.run(number), "held")
    if what == "others":
        likely = harvesting.reports.likely(held)
        return {row.source_key for row in held if likely is None or row.owner != likely.owner}
    rows, owners = set(chosen[0]), set(chosen[1])
    # A publisher that is not named has an empty name, which no field can send.
    owners = {"" if owner == "-" else owner for owner in owners}
    found = {row.source_key for n, row in enumerate(held) if str(n) in rows or row.owner in owners}
    if not found:
        raise fault("desk.run.choose", "Nothing was chosen.")
    return found
