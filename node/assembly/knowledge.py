"""Knowledge, put together: authoring, relations between records, submissions, and city models read from their files.

Only wiring: each part gets what it needs and knows none of the others beyond that. What is due is brought together here
from records, agreements and submissions, because no other part may know all three.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from node.assembly import modelling, previewing
from node.assembly.clock import clock_ms
from node.catalog.author.collections import CollectionOffice
from node.catalog.author.drafts import Drafts
from node.catalog.author.history import Histories
from node.catalog.author.office import Authoring, City
from node.catalog.corrections import City as Corrector
from node.catalog.corrections import Corrections
from node.catalog.relations import Relations
from node.catalog.shelf import Shelf
from node.catalog.sources import Sources
from node.catalog.submissions import Bounds, Submissions
from node.catalog.tasks import DAY_MS, Task, Tasks
from node.db import Database
from node.ends import last_ms
from node.journal import Follower
from node.journal.journal import Journals
from node.outbound import Outbound
from node.settings import Settings
from node.vocab.parse import Parser


@dataclass(slots=True)
class Knowledge:
    """Everything on practices, AI systems, models, challenges and reuses that commands, jobs and the web use."""

    authoring: Authoring
    submissions: Submissions
    relations: Relations
    tasks: Tasks
    models: modelling.Models
    previews: previewing.Previews
    corrections: Corrections
    drafts: Drafts
    histories: Histories
    collections: CollectionOffice


def build(
    settings: Settings,
    *,
    db: Database,
    journals: Journals,
    shelf: Shelf,
    outbound: Outbound,
    followers: Sequence[Follower] = (),
    reminders: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
    hidden: Callable[[], frozenset[str]] = frozenset,
) -> Knowledge:
    """Put knowledge together; opens nothing by itself.

    `reminders` gives those of agreements, as their office does; `hidden` the peers of which nothing is shown.
    """
    city = City(settings.name, settings.base_url, settings.languages)
    authoring = Authoring(journals, followers, shelf, city, clock_ms=clock_ms)
    submissions, relations = _submissions(settings, db, authoring, shelf), Relations(shelf)
    corrections, drafts = _corrections(settings, journals, shelf, followers), Drafts(db, authoring, clock_ms=clock_ms)
    others = (
        lambda: _of_agreements(reminders()),
        lambda: _of_submissions(submissions),
        corrections.tasks,
        drafts.tasks,
    )
    return Knowledge(
        authoring=authoring,
        submissions=submissions,
        relations=relations,
        tasks=Tasks(relations, shelf, others=others, language=settings.languages[0], hidden=hidden),
        models=modelling.build(settings, db=db, shelf=shelf, outbound=outbound, authoring=authoring),
        corrections=corrections,
        drafts=drafts,
        previews=previewing.build(settings, db=db, shelf=shelf, outbound=outbound),
        histories=Histories(journals),
        collections=CollectionOffice(partial(_create, settings, journals), authoring, shelf),
    )


def _create(settings: Settings, journals: Journals, name: str, title: str, visibility: str) -> None:
    iri, now_ms = f"{settings.base_url}/collections/{name}", clock_ms()
    with journals.db.write() as tx:
        journals.create(tx, name=name, iri=iri, title=title, visibility=visibility, at_ms=now_ms)
    journals.checkpoint(name, at_ms=now_ms)


def _corrections(settings: Settings, journals: Journals, shelf: Shelf, followers: Sequence[Follower]) -> Corrections:
    return Corrections(
        journals,
        followers,
        shelf,
        Sources(journals.db),
        city=Corrector(settings.name, settings.base_url, settings.languages[0]),
        parser=lambda: Parser(memory_bytes=settings.parser_memory_mib << 20),
        clock_ms=clock_ms,
    )


def _of_agreements(reminders: Sequence[Mapping[str, Any]]) -> Iterator[Task]:
    for each in reminders:
        at_ms = int(datetime.fromisoformat(each["at"]).timestamp() * 1000)
        day = (at_ms if each["what"] == "review" else last_ms(at_ms)) // DAY_MS
        yield Task("agreement", day, each["sentence"], each["agreement"])


def _of_submissions(submissions: Submissions) -> Iterator[Task]:
    for each in submissions.list():
        yield Task("submission", each.at_ms // DAY_MS, each.title, each.id)


def _submissions(settings: Settings, db: Database, authoring: Authoring, shelf: Shelf) -> Submissions:
    bounds = Bounds(per_day=settings.submissions_per_day, waiting=settings.submissions_waiting)
    return Submissions(
        db,
        authoring,
        shelf,
        base_url=settings.base_url,
        bounds=bounds,
        clock_ms=clock_ms,
        token=secrets.token_hex,
    )
