"""What waits for a person of this city today, why, and how the week went: one look over everything that can stop.

Needs are facts and no sentences: the pages, the API and the command line say them from one catalogue of words. Each has
one way on. What other parts of the node know of (peers, agreements, reports from readers) is handed in as functions by
`assembly`, since no part may know all the others. Worked out anew at each look; reads only, and keeps nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from node.catalog.runs import Run
from node.catalog.source_office import SourceOffice, Standing
from node.catalog.tasks import DAY_MS, Task, Tasks

WEEK_DAYS = 7
# Of one sort so many are named one by one; of more the number.
_MOST_NAMED = 5
Values = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a person must look at: `what` names the sentences, `values` fill them, `path` is the way on.

    A value whose name ends in `_ms` is a time; `n` decides between one and many. Urgent is what has stopped something.
    """

    what: str
    path: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    urgent: bool = True
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing worth knowing of the last seven days, said the same way; without a path there is no more to see."""

    what: str
    values: Mapping[str, str | int]
    path: str = ""


@dataclass(frozen=True, slots=True)
class City:
    """How the exchange with one partner city stands."""

    name: str
    title: str
    stands: str  # level, behind, away, stale, at-odds, paused, proposed, blocked or quarantined
    at_ms: int


@dataclass(frozen=True, slots=True)
class Day:
    """One look."""

    now_ms: int
    urgent: tuple[Need, ...]
    soon: tuple[Need, ...]
    running: tuple[Run, ...]
    week: tuple[Fact, ...]
    cities: tuple[City, ...]
    sources: int


Needs = Callable[[int], Iterable[Need]]
Facts = Callable[[int], Iterable[Fact]]


class Today:
    """Looks. Safe to share by threads; blocks for some tens of milliseconds."""

    def __init__(
        self,
        office: SourceOffice,
        tasks: Tasks,
        *,
        needs: Sequence[Needs],
        facts: Sequence[Facts],
        cities: Callable[[int], Sequence[City]],
        clock_ms: Callable[[], int],
    ) -> None:
        """Ask these; `needs`, `facts` and `cities` are told the time, and answer for what stands outside of here."""
        self._office = office
        self._tasks = tasks
        self._needs = tuple(needs)
        self._facts = tuple(facts)
        self._cities = cities
        self._clock_ms = clock_ms

    def look(self) -> Day:
        """Look at everything, the longest waiting first."""
        now = self._clock_ms()
        sources = self._office.list()
        found = [need for source in sources for need in _of_source(source)]
        found += [] if sources else [Need("no-source", "/desk/sources", urgent=False)]
        found += [need for give in self._needs for need in give(now)]
        found += _of_tasks(self._tasks.due(now, days=WEEK_DAYS), now)
        found.sort(key=lambda need: (_RANK.get(need.what, len(_RANK)), need.at_ms))
        runs = self._office.runs(limit=200)
        return Day(
            now_ms=now,
            urgent=tuple(need for need in found if need.urgent),
            soon=tuple(need for need in found if not need.urgent),
            running=tuple(run for run in runs if run.is_live),
            week=(*_of_runs(runs, now), *(fact for give in self._facts for fact in give(now))),
            cities=tuple(self._cities(now)),
            sources=len(sources),
        )


# What comes first if several things wait: what lets nothing be written, what hides records, then what stops the
# exchange, then what has time.
_RANK = {
    what: n
    for n, what in enumerate(
        (
            "history",
            "held",
            "failed",
            "failed-new",
            "failed-idle",
            "failed-show",
            "silent",
            "quarantined",
            "at-odds",
            "approval",
        )
    )
}


def _of_source(source: Standing) -> Iterable[Need]:
    since_ms = source.good_ms or source.added_ms
    if source.held is not None:
        values: Values = {"n": source.held.counters.held, "source": source.name, "run": source.held.id}
        yield Need("held", f"/desk/runs/{source.held.id}", values, at_ms=source.held.ended_ms)
    newest = source.newest
    if newest is not None and newest.state == "failed" and source.live is None:
        values = {"source": source.name, "run": newest.id, "since_ms": since_ms}
        retried = "failed" if source.good_ms else "failed-new"
        yield Need(
            retried if source.next_ms else "failed-idle", f"/desk/runs/{newest.id}", values, at_ms=newest.ended_ms
        )
    elif newest is None and source.trial is not None and source.live is None and source.paused:
        yield _of_trial(source, source.trial)
    elif source.silent and source.live is None:
        values = {"source": source.name, "since_ms": since_ms}
        yield Need("silent", f"/desk/sources/{source.name}", values, at_ms=source.good_ms)


def _of_trial(source: Standing, trial: Run) -> Need:
    """Tell of a source that was only read for show: the timetable leaves it alone until somebody has looked."""
    values: Values = {"source": source.name, "run": trial.id}
    good = trial.state in ("succeeded", "partial")
    return Need("shown" if good else "failed-show", f"/desk/runs/{trial.id}", values, not good, trial.ended_ms)


# Where all of one sort are listed; agreements have their own desk, which tells more.
_WAYS = {
    "review": "/desk/records",
    "question": "/desk/records",
    "draft": "/desk/records",
    "correction": "/desk/corrections",
    "submission": "/desk/submissions",
}


def _of_tasks(tasks: Sequence[Task], now_ms: int) -> list[Need]:
    """Tell what is to be looked at again: a few of each sort by name, and how many more there are."""
    found = []
    for what, path in _WAYS.items():
        listed = [task for task in tasks if task.what == what]
        found += [_task(task, path, now_ms) for task in listed[:_MOST_NAMED]]
        if len(listed) > _MOST_NAMED:
            found.append(Need(f"{what}-more", path, {"n": len(listed) - _MOST_NAMED}, urgent=False))
    return found


def _task(task: Task, path: str, now_ms: int) -> Need:
    at_ms = task.day * DAY_MS
    path = f"{path}/{task.iri}" if task.what == "submission" else path
    values: Values = {"title": task.title, "due_ms": at_ms}
    late = task.what == "review" and at_ms + DAY_MS <= now_ms
    return Need("review-late" if late else task.what, path, values, urgent=False, at_ms=at_ms)


def _of_runs(runs: Sequence[Run], now_ms: int) -> Iterable[Fact]:
    """Tell what was read and published; a source that failed stands among the needs."""
    recent = [run for run in runs if not run.dry and run.ended_ms > now_ms - WEEK_DAYS * DAY_MS]
    if not recent:
        return
    good = [run for run in recent if run.state in ("succeeded", "partial")]
    values = {"n": len(good), "sources": len({run.source for run in good})}
    yield Fact("runs", values, "/desk/runs")
    for name in ("added", "changed", "withdrawn", "refused"):
        if number := sum(getattr(run.counters, name) for run in recent):
            yield Fact(name, {"n": number}, "/desk/runs")
