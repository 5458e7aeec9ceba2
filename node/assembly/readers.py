"""What readers do, put together: problems they report, how the catalogue is used, and the numbers made of it.

Only wiring. Reports travel by the federation's outbox, and exchange with other cities is told to the numbers from here,
because the two wings do not know each other.
"""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from node.assembly.clock import clock_ms
from node.assembly.federation import Federation
from node.catalog.numbers import Exchange, Numbers
from node.catalog.problem_reports import Bounds, ProblemReports
from node.catalog.search.search import Search
from node.catalog.usage import Usage
from node.db import Database
from node.federation.dialogues.outgoing import Outbox
from node.federation.peers.days import PeerDays
from node.federation.peers.health import PeerHealth
from node.federation.report_post import ReportPost
from node.records import slug_of
from node.settings import Settings


@dataclass(slots=True)
class Readers:
    """The parts that commands, jobs and the web use."""

    reports: ProblemReports
    usage: Usage
    numbers: Numbers


def build(settings: Settings, *, db: Database, federation: Federation, search: Search) -> Readers:
    """Put it together; opens nothing by itself."""
    usage = Usage(db, clock_ms=clock_ms)

    def knows(url: str) -> bool:
        found = federation.peers.by_url(url)
        return found is not None and found.exchanges

    reports = ProblemReports(
        db,
        ReportPost(Outbox(db, chance=random.random), federation.client, knows),
        base_url=settings.base_url,
        bounds=Bounds(per_day=settings.reports_per_day, waiting=settings.reports_waiting),
        clock_ms=clock_ms,
        token=secrets.token_hex,
    )
    numbers = Numbers(
        search,
        usage,
        city=slug_of(settings.name),
        exchange=lambda now_ms: _exchange(federation, db, now_ms),
        clock_ms=clock_ms,
    )
    return Readers(reports, usage, numbers)


def _exchange(federation: Federation, db: Database, now_ms: int) -> Sequence[Exchange]:
    """Tell what is exchanged with every city that anything is, or was, exchanged with."""
    there, days = federation.refusals.by_peer(), PeerDays(db).all(now_ms)
    return [
        Exchange(
            name=one.name,
            city=one.title or one.name,
            state="quarantined" if one.quarantine else one.state,
            collections=len(one.follows),
            entries=sum(each.held_size for each in one.follows),
            behind=one.lag,
            refused_here=len(federation.exchanging.reports.refused(one.name)),
            refused_there=there.get(one.name, 0),
            answered_ms=one.last_out_at,
            asked_ms=one.last_in_at,
            away_days=sum(each.reach == "away" for each in days.get(one.name, ())),
        )
        for one in _met(federation.health.all(now_ms))
    ]


def _met(peers: Sequence[PeerHealth]) -> Sequence[PeerHealth]:
    return [one for one in peers if one.state not in ("proposed", "blocked")]
