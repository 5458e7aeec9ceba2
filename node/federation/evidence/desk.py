"""What people do with evidence: look at it, check one statement now, export a bundle, erase one for good.

Commands, the staff's API and the desk's pages ask here. Checking is no short cut: it writes the export that a court
would get and verifies that, under the fingerprints that were pinned for the cities.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from node.errors import NotFound, TooLarge
from node.federation.evidence import bundle
from node.federation.evidence.office import Evidence
from node.federation.evidence.report import Report
from node.federation.evidence.selection import Selection
from node.federation.evidence.statements import Statement
from node.federation.evidence.store import EVERYTHING
from node.federation.evidence.verify import MAX_STATEMENTS, verify
from node.federation.moved import Checked, Found, StatementTold, StatementWish

MAX_NAME = 600


@dataclass(frozen=True, slots=True)
class EvidenceDesk:
    """The desk of evidence. `pins` gives the fingerprints of the cities that are known here, by base URL."""

    evidence: Evidence
    sources: bundle.Sources
    pins: Callable[[], Mapping[str, str]]
    clock_ms: Callable[[], int]

    def statements(self, wish: StatementWish = EVERYTHING, *, limit: int = 100) -> Sequence[StatementTold]:
        """List what is stated, the newest first. Raises NotFound, Conflict for a name of none or of several."""
        return [_told(each) for each in self.evidence.store.list(self._meant(wish), limit=limit)]

    def _meant(self, wish: StatementWish) -> StatementWish:
        """Give a wish with whole names in the place of beginnings; what names nothing stays, and so finds nothing."""
        store = self.evidence.store
        transfer = store.transfer_named(wish.transfer) if wish.transfer else ""
        agreement = store.agreement_named(wish.agreement) if wish.agreement else ""
        return replace(wish, transfer=transfer or wish.transfer, agreement=agreement or wish.agreement)

    def statement(self, record: str) -> StatementTold:
        """Tell of one. Raises NotFound, Conflict."""
        return _told(self.named(record))

    def named(self, name: str) -> Statement:
        """Find a statement by its IRI, the last part of that, or our id of a transfer, of which it is the newest.

        Of the last part and of the id the beginning is enough, where it is the only one that begins so.

        Raises:
            NotFound: There is none.
            Conflict: Several begin so.
        """
        name, store = name[:MAX_NAME], self.evidence.store
        transfer = store.transfer_named(name) if name and "/" not in name else ""
        if transfer:
            return store.list(StatementWish(transfer=transfer), limit=1)[0]
        record = store.record_named(name) if name else ""
        return store.get(record or (name if "/" in name else self.evidence.record(name)))

    def report(self, found: Statement) -> Report:
        """Verify the export of one statement, under the pinned fingerprints. Raises NotFound."""
        now_ms = self.clock_ms()
        body = bundle.export(self.sources, [found], now_ms=now_ms)
        known = self.pins()
        named = {url: known[url] for url in bundle.cities_in(body) if url in known}
        return verify(body, trusted=named, now_ms=now_ms)

    def check(self, record: str) -> Checked:
        """Check a statement now: signatures, journal, checkpoint. Raises NotFound."""
        report = self.report(self.named(record))
        told = (Found(each.holds, each.sentence, each.code, each.values) for each in report.findings)
        return Checked(report.verdict == "proven", tuple(told), is_open=report.verdict == "incomplete")

    def export(self, wish: StatementWish = EVERYTHING, *, names: Sequence[str] = (), part: int = 0) -> bytes:
        """Write a bundle that anybody can verify without a node: everything that is asked for, or nothing.

        Args:
            wish: Which statements; all there are if it is empty.
            names: These alone instead: statements, or transfers with all that is stated of them.
            part: Which thousand of them, from 1; 0 for all.

        Raises:
            NotFound: There is nothing of that.
            Conflict: A name is the beginning of several.
            TooLarge: There is more than one file holds.
        """
        if names:
            groups = [self._all_named(name, MAX_STATEMENTS + 1) for name in names]
            found = {each.record: each for _, group in groups for each in group}
            chosen, statements = Selection(names=[whole for whole, _ in groups]), list(found.values())
        else:
            chosen, statements = self._part(wish, part)
        return bundle.export(self.sources, statements, now_ms=self.clock_ms(), chosen=chosen)

    def _all_named(self, name: str, most: int) -> tuple[str, Sequence[Statement]]:
        """Give the whole name of what is called so, and the statements that it names."""
        transfer = self.evidence.store.transfer_named(name) if "/" not in name else ""
        if transfer:
            return transfer, self.evidence.store.list(StatementWish(transfer=transfer), limit=most)
        found = self.named(name)
        return found.record, [found]

    def _part(self, wish: StatementWish, part: int) -> tuple[Selection, list[Statement]]:
        """Give all there is of a wish, or the nth part of it, the oldest first; several parts have to be asked for.

        Many statements can be of one moment: moments alone would not part them.
        """
        store, wish = self.evidence.store, self._meant(wish)
        count = store.count(wish)
        parts = -(-count // MAX_STATEMENTS)
        if parts > 1 and not part:
            raise TooLarge(
                f"There are {count} statements of that, and one file holds {MAX_STATEMENTS}.",
                fix=f"Export them in {parts} files: --part 1 to --part {parts}; or fewer, with --since and --until.",
            )
        if part > parts > 0:
            raise NotFound(f"There are {parts} parts of that.", fix="Name one of them.")
        found = store.oldest(wish, after=max(0, part - 1) * MAX_STATEMENTS, limit=MAX_STATEMENTS)
        return Selection(wish, part=part, parts=parts if part else 0), list(found)

    def erase(self, name: str) -> int:
        """Destroy a statement, named whole, for good; give how many entries held it. Raises NotFound."""
        record = name if "/" in name else self.evidence.record(name)
        return self.evidence.erase(self.evidence.store.get(record[:MAX_NAME]).record, now_ms=self.clock_ms())


def _told(found: Statement) -> StatementTold:
    return StatementTold(
        record=found.record,
        kind=found.kind,
        transfer=found.transfer,
        agreement=found.agreement,
        peer=found.other,
        dataset=found.dataset,
        at_ms=found.at_ms,
        document=found.document,
    )
