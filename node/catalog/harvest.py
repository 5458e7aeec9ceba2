"""Harvest: one run of one source, from its portal's bytes to entries in our journal, honest about every step.

Stages: reach and read (the adapter) · check (translate, compare) · publish (batches of one transaction each: entries,
shelf, names, findings and the run's counts together) · withdraw. Nothing is withdrawn after an incomplete walk, and
beyond a threshold withdrawals are held for a person. A record that is refused keeps its earlier published state.
Whatever happens, a batch is either wholly there or not at all, so a run can be killed at any moment and run again.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from node.catalog import corrected, correction_store, homes
from node.catalog import names as naming
from node.catalog.desk import Conditions, OnProgress, RunDesk, clear_leftovers
from node.catalog.portals.base import Description, Head, Refusal, SourceInfo, SourceUnchanged, Walk
from node.catalog.runs import Run, RunRow, Runs, State
from node.catalog.shelf import Shelf, ShelfFollower, finding_set, save_findings
from node.catalog.sources import Source, Sources, Validators, portal_of
from node.catalog.watch import Watch, rare_collections
from node.catalog.work import (
    Change,
    Policy,
    Work,
    all_or_none,
    count,
    departures,
    draft,
    dry_row,
    farewell,
    gone_row,
    newcomers,
    samples,
)
from node.db import Database, Tx
from node.errors import Conflict, Malformed, NodeError, NotFound, Refused, Unavailable, needs_room
from node.journal import Draft, catch_up_in, key_of
from node.journal.journal import Journals
from node.outbound import Outbound
from node.records import is_collection_name, is_nodes_own
from node.vocab import personal, translate
from node.vocab.parse import Parser

BATCH = 500
BATCH_BYTES = 16 << 20
_CANON_S = 10.0
NOT_PUBLIC = "not-public"
SLUG_TAKEN = "slug-taken"
# What may be otherwise at the next run although the source is the same, so the source must be read again.
_MAY_PASS = {naming.ELSEWHERE, SLUG_TAKEN, personal.REFUSED}
# What stands for these is not only left out: an earlier state of it is withdrawn at once.
_GONE = {NOT_PUBLIC, personal.REFUSED}

_PERSONAL = (
    "It contains personal data ({}), and its collection is open to everyone. Leave it out of the source, or harvest it"
    " into a restricted collection."
)


class Harvest:
    """Runs sources. One run of a source at a time; several sources may run side by side."""

    def __init__(
        self,
        *,
        db: Database,
        journals: Journals,
        sources: Sources,
        runs: Runs,
        outbound: Outbound,
        policy: Policy,
        workspace: Path,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take the parts; `workspace` holds a folder per run while it lasts."""
        self._db = db
        self._journals = journals
        self._sources = sources
        self._runs = runs
        self._outbound = outbound
        self._policy = policy
        self._workspace = workspace
        self._clock_ms = clock_ms
        self._shelf = Shelf(journals)
        self._follower = ShelfFollower()

    def run(
        self,
        name: str,
        *,
        trigger: str,
        dry_run: bool = False,
        full: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Run:
        """Run a source to its end and give the ended run; errors of the source end up in the run, not here.

        Args:
            name: The source.
            trigger: Who asked: `timetable`, or a person.
            dry_run: Read and check everything, publish nothing; the run's rows say what would happen.
            full: Read everything even if the source says it is unchanged.
            on_progress: Hears of counts.

        Raises:
            NotFound: No such source.
            AlreadyRunning: A run of it is under way.
        """
        source = self._sources.get(name)
        now = self._clock_ms()
        run = self._runs.start(
            name, dry=dry_run, trigger=trigger, now_ms=now, deadline_ms=now + self._policy.run_deadline_ms
        )
        return self._run(source, run, full=full, on_progress=on_progress)

    def run_asked(self, run_id: int) -> Run:
        """Take a run that somebody asked for (`Runs.ask`) and do it to its end, like `run`.

        Raises:
            NotFound: No such run.
            Conflict: It waits no more.
        """
        now = self._clock_ms()
        run = self._runs.take(run_id, now_ms=now, deadline_ms=now + self._policy.run_deadline_ms)
        try:
            source = self._sources.get(run.source)
        except NotFound as error:
            run.code = error.code
            self._runs.finish(run, "failed", str(error), now_ms=self._clock_ms())
            return run
        return self._run(source, run, full=run.order == "full", on_progress=None)

    def _run(self, source: Source, run: Run, *, full: bool, on_progress: OnProgress | None) -> Run:
        run.collection = source.collection
        clear_leftovers(self._workspace, self._is_live)
        folder = self._workspace / f"run-{run.id}"
        watch = Watch(self._runs, run, self._clock_ms, on_progress)
        try:
            with rare_collections(), watch, Parser(memory_bytes=self._policy.parser_bytes, stop=watch.stop) as parser:
                state, reason = self._guarded(source, run, watch, parser, folder, full=full)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._runs.finish(run, state, reason, now_ms=self._clock_ms())
        return run

    def _is_live(self, run_id: str) -> bool:
        try:
            return self._runs.get(int(run_id)).state in ("queued", "running")
        except (NotFound, ValueError):
            return False

    def _guarded(
        self, source: Source, run: Run, watch: Watch, parser: Parser, folder: Path, *, full: bool
    ) -> tuple[State, str]:
        """Walk, and turn every ending into a state and a reason."""
        work: Work | None = None
        try:
            with needs_room():
                folder.mkdir(parents=True, exist_ok=True)
                work = self._prepare(source, run, watch, parser, folder, full=full)
                return self._walk(work)
        except SourceUnchanged:
            with self._db.read() as tx:
                run.counters.unchanged = run.counters.total = naming.count_live(tx, source.name)
            return "succeeded", "The source has not changed since the last complete run."
        except Malformed as error:
            run.code = error.code
            self._salvage(work)
            return watch.why or ("partial", f"The source could not be read, so nothing was withdrawn. {error}")
        except (Refused, Unavailable) as error:
            run.code = error.code
            self._salvage(work)
            return watch.why or ("failed", str(error))
        except BaseException as error:
            # Whatever else it was (a bug, Ctrl-C): the run must not stay "running".
            ours: tuple[State, str] = ("failed", "An error of ours ended it. What was published before it stays.")
            by_hand: tuple[State, str] = ("cancelled", "Interrupted by hand. What was published before stays.")
            why = by_hand if isinstance(error, KeyboardInterrupt) else ours
            self._salvage(work)
            self._runs.finish(run, *why, now_ms=self._clock_ms())
            raise

    def _salvage(self, work: Work | None) -> None:
        """Keep what a run that broke off had found, and sign what it had published."""
        if work is not None:
            for end in (self._close_off, self._tell):
                with suppress(NodeError):
                    end(work)

    def _prepare(self, source: Source, run: Run, watch: Watch, parser: Parser, folder: Path, *, full: bool) -> Work:
        if is_nodes_own(source.collection):  # an older program let it be chosen
            raise homes.nodes_own(source.collection)
        recipe = self._recipe(source)
        last = Conditions()
        if source.recipe == recipe and not full and not run.dry:
            last = Conditions(source.etag, source.last_modified, source.body_sha256)
        info = SourceInfo(
            source.name,
            source.kind,
            source.location,
            self._policy.base_url,
            self._policy.language,
            source.keep_contacts,
        )
        desk = RunDesk(info, self._outbound, parser, folder, self._policy.limits, watch.stop, watch.heard, last)
        return Work(run, source, desk, self._policy)

    def _recall(self, work: Work) -> None:
        """Load what is held of the source; not before it is known to have changed, since that takes longer to load."""
        with self._db.read() as tx:
            work.names = naming.Names(tx, work.source.name, base_url=self._policy.base_url)
            work.is_public = self._journals.get(tx, work.source.collection).visibility == "public"
            work.corrections = correction_store.of_collection(tx, work.source.collection)
        work.published = self._shelf.digests(work.source.collection)
        work.finding_sets = self._shelf.finding_sets(work.source.collection)

    def _recipe(self, source: Source) -> str:
        portal = portal_of(source.kind)
        parts = (
            source.kind,
            portal.version,
            translate.VERSION,
            personal.VERSION,
            source.keep_contacts,
            source.location,
        )
        return "|".join(map(str, (*parts, source.collection, self._policy.base_url, self._policy.language)))

    def _walk(self, work: Work) -> tuple[State, str]:
        walk = portal_of(work.source.kind).open(work.desk)
        work.desk.stop_if_unchanged()
        self._recall(work)
        work.full = getattr(walk, "full", True)
        work.settled, refused = work.names.settle(_counted(walk.heads(), work.desk))
        work.run.counters.total = len(work.settled)
        for refusal in refused:
            self._refuse(work, refusal)
        if work.full and not work.settled and not refused and not work.desk.gaps:
            work.desk.incomplete("The source holds no record.")
        for change in self._changes(work, walk):
            work.waiting.append(change)
            work.waiting_bytes += len(change.record.payload)
            if len(work.waiting) >= BATCH or work.waiting_bytes > BATCH_BYTES:
                self._publish(work)
        self._publish(work)
        self._close_off(work)
        self._withdraw(work)
        self._close(work)
        return self._verdict(work)

    def _changes(self, work: Work, walk: Walk) -> Iterator[Change]:
        """Translate every description; yield those that differ from what is published."""
        for described in walk.describe(work.settled):
            counters = work.run.counters
            counters.read += 1
            work.desk.heed()
            if counters.read % 50 == 0:
                work.desk.progress("check", counters.read, counters.total)
            if isinstance(described, Refusal):
                self._refuse(work, described)
                continue
            try:
                change = self._compare(work, described)
            except Refused as error:
                self._refuse(work, Refusal(described.key, described.title, error.code, str(error), described.owner))
                continue
            if isinstance(change, Refusal):
                self._refuse(work, change)
            elif change:
                yield change

    def _compare(self, work: Work, described: Description) -> Change | Refusal | None:
        """Translate one description; None if all of it is held already."""
        rules = translate.Rules(work.policy.base_url, work.source.keep_contacts)
        record = translate.record_of(
            described.iri,
            described.kind,
            described.slug,
            described.triples,
            rules=rules,
            relabel=lambda lines: work.desk.parser.canonicalize(lines, _CANON_S),
            findings=described.findings,
        )
        what = personal.contains(record.kind, record.payload) if work.is_public else ""
        if what:
            return Refusal(described.key, described.title, personal.REFUSED, _PERSONAL.format(what), described.owner)
        source, (record, correction) = record, corrected.with_correction(work, record)
        if record.findings:
            work.run.counters.with_findings += 1
        key = key_of(record.iri)
        before = work.published.get(key)
        change = "added" if before is None else "unchanged" if before == record.digest else "changed"
        known = work.names.known.get(described.key)
        if change == "unchanged" and not work.run.dry:
            named = known is not None and known.live and known.iri == record.iri
            same = named and work.finding_sets.get(key) == finding_set(record.findings)
            if same and not corrected.is_news(work, record, correction):
                work.run.counters.unchanged += 1
                return None
        theirs = source if correction else None
        return Change(record, described.key, described.title, described.owner, change, known, theirs, correction)

    def _refuse(self, work: Work, refusal: Refusal) -> None:
        if refusal.code in _GONE:
            work.private.add(refusal.key)
        if refusal.code != NOT_PUBLIC:
            work.run.counters.refused += 1
            work.again = work.again or refusal.code in _MAY_PASS
        known = work.names.known.get(refusal.key)
        iri = known.iri if known else ""
        work.refused.append(
            RunRow("refused", refusal.key, iri, refusal.title, refusal.owner, refusal.code, refusal.message)
        )
        if len(work.refused) >= BATCH:
            self._keep_rows(work)

    def _keep_rows(self, work: Work) -> None:
        rows, work.refused = work.refused, []
        with self._db.write() as tx:
            self._runs.add_rows(tx, work.run.id, rows)

    def _publish(self, work: Work) -> None:
        """Write one batch: entries, shelf, names, findings and the run's counts in one transaction."""
        batch, work.waiting, work.waiting_bytes = work.waiting, [], 0
        if not batch:
            return
        work.desk.progress("publish", work.run.counters.read, work.run.counters.total)
        if work.run.dry:
            count(work.run, batch)
            self._note_rows(work, [*samples(work, batch), *map(dry_row, batch)])
            return
        with all_or_none(work.run), self._db.write() as tx:
            tx.lock("names")
            self._check_still(tx, work)
            batch = corrected.settled(tx, work, batch)
            naming.take_over(tx, [work.names.orphans[c.key] for c in batch if c.key in work.names.orphans])
            batch, late = self._without_clashes(tx, work, batch)
            self._append(tx, work.run, work.source.collection, [*departures(work, batch), *map(draft, batch)])
            self._leave_others(tx, work.run, work.source, newcomers(work, batch))
            self._save_names(tx, work, batch)
            collection = self._journals.get(tx, work.source.collection).id
            save_findings(tx, collection, {c.record.iri: c.record.findings for c in batch})
            # If this run ends early and the source goes back to what it was, that must not pass for unchanged.
            self._sources.forget_validators(tx, work.source.name)
            count(work.run, batch)
            self._runs.save_progress(tx, work.run)
        for refusal in late:
            self._refuse(work, refusal)

    def _check_still(self, tx: Tx, work: Work) -> None:
        """End the run if its collection was opened since records were checked for what nobody else may read."""
        tx.lock(f"journal/{work.source.collection}")
        if not work.is_public and self._journals.get(tx, work.source.collection).visibility == "public":
            raise Conflict(f"The collection {work.source.collection} was opened to everyone.", fix="Run it again.")

    def _without_clashes(self, tx: Tx, work: Work, batch: list[Change]) -> tuple[list[Change], list[Refusal]]:
        """Leave out new records whose slug a run beside this one gave away since ours were settled."""
        new = {c.key: work.settled[c.key] for c in batch if c.known is None or c.known.kind != c.record.kind}
        taken = naming.clashes(tx, work.source.name, new)
        message = "Another source took its name in the same moment. Run it again."
        late = [Refusal(c.key, c.title, SLUG_TAKEN, message, c.owner) for c in batch if c.key in taken]
        return [c for c in batch if c.key not in taken], late

    def _save_names(self, tx: Tx, work: Work, batch: Sequence[Change]) -> None:
        for change in batch:
            if change.known and change.known.kind != change.record.kind:
                naming.leave_kind(tx, change.known, change.record.kind)
        naming.save(tx, work.source.name, {c.key: work.settled[c.key] for c in batch}, live=True)

    def _append(self, tx: Tx, run: Run, name: str, drafts: Sequence[Draft]) -> None:
        """Append drafts to a collection, let the shelf follow, remember the range."""
        entries = self._journals.append(tx, name, drafts, at_ms=self._clock_ms())
        if entries:
            catch_up_in(tx, self._journals, self._follower, name)
            run.ranges.append((name, entries[0].seq, entries[-1].seq))

    def _leave_others(self, tx: Tx, run: Run, source: Source, names: Sequence[naming.Known]) -> None:
        """Withdraw records from other collections of ours, where the source published before it was added anew."""
        for collection in self._journals.collections(tx) if names else ():
            if collection.name != source.collection and is_collection_name(collection.name):
                self._append(tx, run, collection.name, list(map(farewell, names)))

    def live_names(self, source: str) -> dict[str, naming.Known]:
        """Give the names of a source whose records are published, by source key."""
        with self._db.read() as tx:
            known = naming.Names(tx, source, base_url=self._policy.base_url).known
        return {key: name for key, name in known.items() if name.live}

    def _close_off(self, work: Work) -> None:
        """Withdraw what the walk saw and may not be public any more: at once, however many, and whatever it missed."""
        names, work.private = [each for key in sorted(work.private) for each in work.names.bearers(key)], set()
        if names and work.run.dry:
            work.run.counters.withdrawn += len(names)
            self._note_rows(work, [gone_row("withdrawn", name, "gone", "It may not be public.") for name in names])
        elif names:
            self._take_down(work, names)
        work.closed |= {name.key for name in names}

    def _withdraw(self, work: Work) -> None:
        """Withdraw what a complete walk no longer saw, or hold it when it is too much at once."""
        work.desk.on_progress("withdraw", 0, None)
        if work.desk.gaps or not work.full:
            return
        # Refused records keep their published state; those that may not be public are gone already.
        seen = set(work.settled) | {row.source_key for row in self._all_refused(work)}
        live = [name for name in work.names.known.values() if name.live and name.key not in work.closed]
        gone = [name for name in live if name.key not in seen]
        percent = work.source.threshold_percent
        if gone and len(gone) * 100 > (self._policy.threshold_percent if percent is None else percent) * len(live):
            self._hold(work, gone)
        elif gone:
            if work.run.dry:
                work.run.counters.withdrawn += len(gone)
                self._note_rows(work, [gone_row("withdrawn", name, "gone") for name in gone])
            else:
                self._take_down(work, gone)

    def _all_refused(self, work: Work) -> list[RunRow]:
        return [*work.refused, *self._runs.rows(work.run.id, "refused", limit=1_000_000)]

    def _hold(self, work: Work, gone: Sequence[naming.Known]) -> None:
        work.run.counters.held, work.again = len(gone), True
        self._note_rows(work, [gone_row("held", name, "held") for name in gone])

    def _note_rows(self, work: Work, rows: list[RunRow]) -> None:
        with self._db.write() as tx:
            self._runs.add_rows(tx, work.run.id, rows)

    def _take_down(self, work: Work, gone: Sequence[naming.Known]) -> None:
        for start in range(0, len(gone), BATCH):
            part = gone[start : start + BATCH]
            self.bury(work.run, work.source, part)

    def bury(self, run: Run, source: Source, part: Sequence[naming.Known]) -> None:
        """Withdraw records of a source in one transaction, with the run's counts; at most `BATCH` of them."""
        with all_or_none(run), self._db.write() as tx:
            self._append(tx, run, source.collection, list(map(farewell, part)))
            self._leave_others(tx, run, source, part)
            naming.bury(tx, part)
            run.counters.withdrawn += len(part)
            self._runs.save_progress(tx, run)

    def sign(self, run: Run, source: Source) -> None:
        """Sign the journals that a run wrote to."""
        for name in sorted({source.collection, *(name for name, _, _ in run.ranges)}):
            self._journals.checkpoint(name, at_ms=self._clock_ms())

    def _tell(self, work: Work) -> None:
        """Keep the last rows and notes, and sign what was written."""
        if work.refused:
            self._keep_rows(work)
        work.run.notes = [finding.message for finding in work.desk.findings] + work.desk.gaps
        if not work.run.dry:
            self.sign(work.run, work.source)

    def _close(self, work: Work) -> None:
        """Tell, and remember how to ask next time if there was nothing that another look could mend."""
        self._tell(work)
        if work.run.dry or work.desk.gaps or not work.full:
            return
        now, recipe = work.desk.now, self._recipe(work.source)
        validators = Validators(now.etag, now.last_modified, now.body_sha256, recipe)
        self._sources.remember(work.source.name, Validators("", "", "", "") if work.again else validators)

    def _verdict(self, work: Work) -> tuple[State, str]:
        counters, run = work.run.counters, work.run
        if work.desk.gaps:
            return (
                "partial",
                f"The walk was not complete, so nothing was withdrawn for missing in it. {work.desk.gaps[0]}",
            )
        if counters.held:
            approve = f"Look at them (citynode harvest show {run.id}), then: citynode harvest approve {run.id}"
            return "partial", f"{counters.held} withdrawals are held: more at once than the threshold allows. {approve}"
        if counters.refused:
            return "partial", f"{counters.refused} records were refused; each row says what to mend."
        return "succeeded", ""


def _counted(heads: Iterator[Head | Refusal], desk: RunDesk) -> Iterator[Head | Refusal]:
    """Count heads as they are read, so that a stop is heard here too."""
    for number, head in enumerate(heads, 1):
        if number % 500 == 0:
            desk.progress("read", number, None)
        yield head
