"""Looks at the files of datasets that may be city models, and keeps a record of what each says of itself.

One file at a time, and only when it is due: fetched under its ETag and within bounds, read in the child process,
published through the office like anything this city writes. What is due stands in the database (`inspections`), so a
worker may die at any moment. A file that cannot be fetched keeps its record; one that its dataset names no more loses
it, as does one of a dataset about residents (`withholder`). Touches: the way out (`fetching`), the office, and
`inspection` through its owner.
"""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace

import orjson

from node.catalog.author.office import Authoring, Written
from node.catalog.fetched_files import AFTER_NO_MS, EVERY_MS, wait_ms
from node.catalog.models import inspections
from node.catalog.models.candidates import candidates_in
from node.catalog.models.facts import ModelFacts, facts_from_json, facts_to_json
from node.catalog.models.fetching import Fetching
from node.catalog.models.inspections import Inspection, Inspections
from node.catalog.models.telling import NO_LANGUAGE, Dataset, said_of
from node.catalog.models.withholder import KIND, Withholder
from node.catalog.shelf import Held, Shelf
from node.db import Database
from node.errors import NodeError, Refused, Stopped, Unavailable


class Inspector:
    """Does what the list says. One at a time per database: whoever calls it in the background holds a lease."""

    def __init__(
        self,
        db: Database,
        shelf: Shelf,
        files: Fetching,
        authoring: Authoring,
        withholder: Withholder,
        *,
        clock_ms: Callable[[], int],
    ) -> None:
        """Look at nothing yet."""
        self._withholder = withholder
        self._db = db
        self._shelf = shelf
        self._files = files
        self._authoring = authoring
        self._clock_ms = clock_ms
        self._inspections = Inspections(db.hot())

    def round(self, stop: threading.Event) -> int:
        """Do the one thing that is due first; give 1, or 0 if nothing is."""
        self._withholder.round(stop)
        due = self._inspections.next(self._clock_ms())
        if due is None or stop.is_set():
            return 0
        try:
            self._do(due, stop)
        except Stopped:
            return 0
        return 1

    def _do(self, due: Inspection, stop: threading.Event) -> None:
        if due.state == "gone":
            self._take_back(due)
            return
        facts = _kept(due)
        after = self._told(due, facts) if due.state == "again" and facts else self._looked(due, facts, stop)
        with self._db.write() as tx:
            inspections.save(tx, due, after)

    def _take_back(self, due: Inspection) -> None:
        # Not there: it never came so far, or a person was first. In a way: nothing that trying again would mend.
        with contextlib.suppress(Refused):
            self._authoring.withdraw(KIND, due.slug)
        with self._db.write() as tx:
            inspections.forget(tx, due)

    def _looked(self, due: Inspection, before: ModelFacts | None, stop: threading.Event) -> Inspection:
        """Fetch and read a file, and write its record; `before` is what was read of it last."""
        now_ms = self._clock_ms()
        try:
            fetched = self._files.read(due.url, etag=due.etag if before else "", stop=stop)
        except Stopped:
            raise
        except Unavailable as error:
            waited_ms = due.next_ms - due.checked_ms if due.state == "failed" else 0
            return _noted(due, "failed", str(error), now_ms, now_ms + wait_ms(waited_ms))
        except NodeError as error:
            return _noted(due, "refused", str(error), now_ms, now_ms + AFTER_NO_MS)
        facts = fetched.facts or before
        assert facts is not None  # noqa: S101  (it was asked under a condition only if something was read before)
        kept = replace(due, etag=fetched.etag, facts=orjson.dumps(facts_to_json(facts)).decode(), checked_ms=now_ms)
        return self._told(replace(kept, next_ms=now_ms + EVERY_MS), facts)

    def _told(self, due: Inspection, facts: ModelFacts) -> Inspection:
        """Write the record of a file anew from its facts and its dataset; the same again writes nothing."""
        held = self._shelf.some([(due.collection, due.dataset)])[0]
        if held is None or self._withholder.is_shut(due.dataset, due.url):
            return due  # the list will say so soon
        try:
            wrong = self._publish(due, facts, held)
        except Refused as error:
            wrong = str(error)
        return replace(due, state="refused" if wrong else "read", detail=wrong)

    def _publish(self, due: Inspection, facts: ModelFacts, held: Held) -> str:
        """Give what keeps the record from being published; empty if it stands."""
        payload = self._shelf.payload(held)
        said = said_of(
            facts,
            dataset=Dataset(held.iri, held.slug, payload),
            language=self._authoring.city.languages[0],
            file=due.url,
            title=_title(held, payload, due.url),
        )
        outcome = self._authoring.publish(KIND, [Written(due.slug, said)])
        problems = [problem for _, each in outcome.refused for problem in each if problem.level == "error"]
        return problems[0].message if problems else ""


def _kept(due: Inspection) -> ModelFacts | None:
    """Give what was read last; None if nothing was, or by a release that this one does not follow."""
    try:
        return facts_from_json(orjson.loads(due.facts)) if due.facts else None
    except (TypeError, ValueError):
        return None


def _noted(due: Inspection, state: inspections.State, detail: str, at_ms: int, next_ms: int) -> Inspection:
    return replace(due, state=state, detail=detail, checked_ms=at_ms, next_ms=next_ms)


def _title(held: Held, payload: bytes, url: str) -> dict[str, str]:
    """Give the file's own title where its dataset has several models; one is called like its dataset."""
    files = candidates_in(held.iri, payload)
    if len(files) < 2:
        return {}
    own = next((each.title for each in files if each.url == url), {})
    return dict(own) or {NO_LANGUAGE: url.rstrip("/").rpartition("/")[2]}
