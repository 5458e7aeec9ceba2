"""An export of evidence as tests of it begin with, what its city would sign instead, and what a report says."""

import json
from dataclasses import dataclass
from typing import Any

from node.federation.evidence import verify
from node.federation.evidence.proofs import Hand
from node.federation.evidence.report import Report
from node.federation.evidence.verify import written
from node.federation.signing.integrity import unsecured
from node.journal import note
from tests.federation.evidence.rig import LATER, Rig
from tests.federation.signing_rig import FEDERATION, HELSINKI, LONDON, NOW

Said = dict[str, Any]


@dataclass
class Made:
    """One export of London's that every attack begins with: a receipt, a difference, and what London alone says."""

    rig: Rig
    body: bytes

    @property
    def told(self) -> Said:
        told: Said = json.loads(self.body)
        return told

    @property
    def pins(self) -> dict[str, str]:
        return {url: ring.fingerprint for url, ring in self.rig.towns.pair.keyrings.items()}

    def judged(self, body: bytes | None = None, **pins: str) -> Report:
        return verify.verify(self.body if body is None else body, trusted=pins or self.pins, now_ms=LATER)

    def signed(self, told: Said, url: str = LONDON) -> bytes:
        """The file as a city that wants to deceive would sign it anew."""
        ring = self.rig.towns.pair.keyrings[url]
        return written(Hand(ring, url=url, federation=FEDERATION).sign(unsecured(told), LATER))


def cosign(rig: Rig) -> None:
    """Helsinki witnesses London's evidence."""
    with rig.london.town.db.read() as tx:
        text = rig.london.town.journals.newest_checkpoint(tx, "evidence")
    assert text
    ring = rig.towns.pair.keyrings[HELSINKI]
    line = note.cosign(
        "helsinki.example",
        ring.public_key("witness"),
        note.parse(text).text,
        at_s=(NOW + 63_000) // 1000,
        sign=lambda message: ring.sign("witness", message),
    ).line()
    rig.london.witnesses = [line]


def sentences(report: Report, *, holds: bool | None) -> str:
    return "\n".join(each.sentence for each in report.findings if each.holds is holds)


def leave_out(told: Said) -> None:
    """Leave the receipt out, and say that the rest was all that was asked for."""
    told["journal"]["entries"] = told["journal"]["entries"][1:]
    told["selection"]["statements"] -= 1


def keys_of(told: Said, url: str) -> list[Said]:
    keys: list[Said] = next(each["keys"] for each in told["cities"] if each["url"] == url)
    return keys
