"""What people do with evidence: look at it, check one statement now, export a bundle, erase one for good.

Commands, the staff's API and the desk's pages ask here. Checking is no short cut: it writes the export that a court
would get and verifies that, under the fingerprints that were pinned for the cities.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from node.errors import NotFound
from node.federation.evidence import bundle
from node.federation.evidence.office import Evidence
from node.federation.evidence.statements import Statement
from node.federation.evidence.verify import MAX_STATEMENTS, Report, verify
from node.federation.moved import Checked, StatementTold

MAX_NAME = 600


@dataclass(frozen=True, slots=True)
class EvidenceDesk:
    """The desk of evidence. `pins` gives the fingerprints of the cities that are known here, by base URL."""

    evidence: Evidence
    sources: bundle.Sources
    pins: Callable[[], Mapping[str, str]]
    clock_ms: Callable[[], int]

    def statements(
        self, *, transfer: str = "", agreement: str = "", since_ms: int = 0, limit: int = 100
    ) -> Sequence[StatementTold]:
        """List what is stated, the newest first: of a transfer (our id), of an agreement, from a moment on."""
        found = self.evidence.store.list(transfer=transfer, agreement=agreement, since_ms=since_ms, limit=limit)
        return [_told(each) for each in found]

    def statement(self, record: str) -> StatementTold:
        """Tell of one. Raises NotFound."""
        return _told(self.named(record))

    def named(self, name: str) -> Statement:
        """Find a statement by its IRI, the last part of that, or our id of a transfer, of which it is the newest.

        Raises:
            NotFound: There is none.
        """
        name = name[:MAX_NAME]
        if "/" in name:
            return self.evidence.store.get(name)
        found = self.evidence.store.list(transfer=name, limit=1) if name else ()
        return found[0] if found else self.evidence.store.get(self.evidence.record(name))

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
        return Checked(report.verdict == "proven", tuple((each.holds, each.sentence) for each in report.findings))

    def export(self, *, transfer: str = "", agreement: str = "", since_ms: int = 0) -> bytes:
        """Write a bundle that anybody can verify without a node; all there is if nothing is named.

        Raises:
            NotFound: There is nothing of that.
            TooLarge: There is more than one file holds.
        """
        most = MAX_STATEMENTS + 1
        found = self.evidence.store.list(transfer=transfer, agreement=agreement, since_ms=since_ms, limit=most)
        if not found:
            raise NotFound("There is no such evidence.", fix="List it: citynode evidence list")
        return bundle.export(self.sources, found, now_ms=self.clock_ms())

    def erase(self, name: str) -> int:
        """Destroy a statement for good; give how many entries held it. Raises NotFound."""
        return self.evidence.erase(self.named(name).record, now_ms=self.clock_ms())


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
