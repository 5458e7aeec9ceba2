"""Sources and runs, put together: the harvest, the desk where people ask for runs, the reading of what runs did.

Only wiring: each part gets what it needs and knows none of the others beyond that. The desk harvests nothing unless the
worker or a command asks it to; the web only writes down what is wanted.
"""

from dataclasses import dataclass

from node.assembly.clock import clock_ms
from node.catalog.desk import Limits
from node.catalog.harvest import Harvest
from node.catalog.run_report import RunReports
from node.catalog.runs import Runs
from node.catalog.shelf import Shelf
from node.catalog.source_office import SourceOffice, Usual
from node.catalog.sources import Sources
from node.catalog.story import Stories
from node.catalog.withdrawals import Withdrawals
from node.catalog.work import Policy
from node.db import Database
from node.journal.journal import Journals
from node.outbound import Outbound
from node.settings import Settings


@dataclass(frozen=True, slots=True)
class Harvesting:
    """What commands, the worker and the web use of sources and runs."""

    sources: Sources
    runs: Runs
    stories: Stories
    harvest: Harvest
    office: SourceOffice
    reports: RunReports


def build(settings: Settings, *, db: Database, journals: Journals, shelf: Shelf, outbound: Outbound) -> Harvesting:
    """Put them together; opens nothing by itself."""
    sources, runs = Sources(db), Runs(db)
    stories, policy = Stories(journals, runs), _policy(settings)
    harvest = Harvest(
        db=db,
        journals=journals,
        sources=sources,
        runs=runs,
        outbound=outbound,
        policy=policy,
        workspace=settings.data / "work",
        clock_ms=clock_ms,
    )
    office = SourceOffice(
        db,
        sources,
        runs,
        harvest,
        Withdrawals(harvest, runs, sources, clock_ms=clock_ms),
        usual=Usual(policy.threshold_percent, settings.harvest_every_min, policy.run_deadline_ms),
        clock_ms=clock_ms,
    )
    reports = RunReports(runs, stories, shelf, language=settings.languages[0])
    return Harvesting(sources, runs, stories, harvest, office, reports)


def _policy(settings: Settings) -> Policy:
    return Policy(
        base_url=settings.base_url,
        language=settings.languages[0],
        run_deadline_ms=settings.run_deadline_s * 1000,
        threshold_percent=settings.withdraw_threshold_percent,
        parser_bytes=settings.parser_memory_mib << 20,
        limits=Limits(settings.max_document_bytes, float(settings.fetch_deadline_s)),
        city=settings.name,
    )
