"""One harvest run in progress: what it holds in memory, and what it makes of it for the journal and for people.

Values and small pure functions; `harvest.py` says in which order they happen and writes. A run's counts and ranges
tell of committed transactions only: `all_or_none` takes them back when one fails.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from node.catalog import names as naming
from node.catalog.correction_store import Correction
from node.catalog.desk import Limits, RunDesk
from node.catalog.portals.base import Named
from node.catalog.runs import Run, RunRow
from node.catalog.sources import Source
from node.journal import Draft
from node.records import Finding, Record

SAMPLES = 5
FINDINGS_JOINED_BY = " · "
SAMPLE_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class Policy:
    """What a node decides about harvesting."""

    base_url: str
    language: str
    run_deadline_ms: int
    threshold_percent: int
    parser_bytes: int
    limits: Limits
    city: str = ""


@dataclass(slots=True)
class Change:
    """A record that differs from what is held: in its payload, its names or its findings (then `unchanged`).

    One that this city corrects has the correction, and as `source` the record as its source has it.
    """

    record: Record
    key: str
    title: str
    owner: str
    change: str
    known: naming.Known | None
    source: Record | None = None
    correction: Correction | None = None


@dataclass(slots=True)
class Work:
    """One run in progress."""

    run: Run
    source: Source
    desk: RunDesk
    policy: Policy
    # What is held of the source; there once the source is read.
    names: naming.Names = field(init=False)
    published: Mapping[int, str] = field(default_factory=dict)
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    finding_sets: Mapping[int, bytes] = field(default_factory=dict)
    settled: Mapping[str, Named] = field(default_factory=dict)
    is_public: bool = True
    full: bool = True
    refused: list[RunRow] = field(default_factory=list)
    waiting: list[Change] = field(default_factory=list)
    waiting_bytes: int = 0
    private: set[str] = field(default_factory=set)  # source keys of what may not be public, still to be withdrawn
    closed: set[str] = field(default_factory=set)  # those that were
    again: bool = False
    sampled: int = 0


@contextmanager
def all_or_none(run: Run) -> Iterator[None]:
    """Take a run's counts and ranges back if the transaction that they tell of fails."""
    counters, ranges = replace(run.counters), list(run.ranges)
    try:
        yield
    except BaseException:
        run.counters, run.ranges = counters, ranges
        raise


def count(run: Run, batch: Sequence[Change]) -> None:
    """Add a batch to a run's counts."""
    for change in batch:
        setattr(run.counters, change.change, getattr(run.counters, change.change) + 1)


def draft(change: Change) -> Draft:
    """Write a record for the journal."""
    record = change.record
    return Draft(record.iri, record.slug, record.kind, "put", record.payload)


def farewell(name: naming.Known) -> Draft:
    """Write a withdrawal for the journal."""
    return Draft(name.iri, name.slug, name.kind, "withdraw", None)


def departures(work: Work, batch: Sequence[Change]) -> list[Draft]:
    """Withdraw the old IRIs of records that have new ones, unless another record of the source bears them now."""
    moved = [c.known for c in batch if c.known and c.known.live and c.known.iri != c.record.iri]
    moved += [name for c in batch if (name := work.names.orphans.get(c.key)) and name.live and name.iri != c.record.iri]
    if not moved:
        return []
    borne = {named.iri for named in work.settled.values()}
    leaving = [name for name in moved if name.iri not in borne]
    work.run.counters.withdrawn += len(leaving)
    return list(map(farewell, leaving))


def newcomers(work: Work, batch: Sequence[Change]) -> list[naming.Known]:
    """Give the earlier names of records that are new to the collection but live: they lived in another one."""
    earlier = [c.known or work.names.orphans.get(c.key) for c in batch if c.change == "added"]
    return [name for name in earlier if name and name.live]


def gone_row(change: str, name: naming.Known, code: str, message: str = "The source no longer has it.") -> RunRow:
    """Tell of a withdrawal that is held, or would happen."""
    return RunRow(change, name.key, name.iri, name.slug, "", code, message)  # type: ignore[arg-type]


def dry_row(change: Change) -> RunRow:
    """Tell of a record that would be published, with its findings."""
    message = FINDINGS_JOINED_BY.join(_one_line(finding) for finding in change.record.findings)
    row = RunRow("unchanged", change.key, change.record.iri, change.title, change.owner, "", message)
    return replace(row, change=change.change)  # type: ignore[arg-type]


def samples(work: Work, batch: Sequence[Change]) -> list[RunRow]:
    """Give the first records of a dry run as they would be published; those that are too long to keep are left out."""
    left = SAMPLES - work.sampled
    short = [c.record for c in batch if len(c.record.payload) <= SAMPLE_BYTES][:left] if left else []
    work.sampled += len(short)
    by_iri = {c.record.iri: c for c in batch}
    return [
        RunRow("sample", by_iri[r.iri].key, r.iri, by_iri[r.iri].title, r.slug, r.kind, r.payload.decode())
        for r in short
    ]


def _one_line(finding: Finding) -> str:
    return f"{finding.level}: {finding.message}"
