"""Evidence under an agreement that another connector did not sign: not proven, plainly said, and never refuted for it.

A connector that is no node of ours has no statement and no keys in our book, and its side of the agreement bears no
signature. What our city signed still holds; that the other agreed, the file does not prove.
"""

import json
from pathlib import Path

import pytest

from node.federation.evidence import verify
from node.federation.evidence.report import Report
from node.federation.signing.integrity import jcs
from node.keys import DAY_MS
from tests.federation.evidence.rig import LATER, Side
from tests.federation.export_rig import Towns
from tests.federation.signing_rig import HELSINKI, LONDON, NOW, Pair, text_of

NOT_SIGNED = f"The agreement {text_of().iri} bears no signature of "


def judged(folder: Path, migrated: Path, pair: Pair, signed: str, *, is_known: bool, at_ms: int = LATER) -> Report:
    """Verify what Helsinki exports of a transfer to London under such an agreement."""
    towns = Towns.made(folder, migrated, pair)
    try:
        iri = towns.agree(signed)
        if not is_known:
            with towns.helsinki.db.write() as tx:
                tx.run("UPDATE peer SET statement = '', fingerprint = ''")
                tx.run("DELETE FROM peer_key")
        side = Side(towns.helsinki)
        with side.writing() as tx:
            side.evidence.cut(tx, side.transfer(iri), why="Revoked.", now_ms=NOW + 60_000)
        side.evidence.sign(NOW + 62_000)
        body = side.desk.export()
    finally:
        towns.close()
    return verify.verify(body, trusted={HELSINKI: pair.keyrings[HELSINKI].fingerprint}, now_ms=at_ms)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair.made(tmp_path / "pair")


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("is_signed_here", [False, True])
def test_an_agreement_without_the_other_signature_is_not_proven_and_that_is_said(
    tmp_path: Path, migrated: Path, pair: Pair, *, is_known: bool, is_signed_here: bool
):
    text = text_of()
    signed = pair.signing(HELSINKI).sign_as_assigner(text, NOW) if is_signed_here else text.signed
    report = judged(tmp_path, migrated, pair, signed, is_known=is_known, at_ms=NOW + 90 * DAY_MS)
    told = "\n".join(report.lines())
    assert (report.verdict, report.exit_code) == ("incomplete", 3), told
    assert f"{NOT_SIGNED}{LONDON}: " in told
    assert report.reason.startswith(NOT_SIGNED)
    assert report.lines()[-1].startswith(f"not proven: {NOT_SIGNED}")
    assert "is signed by both cities" not in told
    assert [each.kind for each in report.statements] == ["cut"]
    assert f"The file is whole: it was signed by {HELSINKI}" in told


def test_a_signature_that_is_there_and_wrong_is_refuted(tmp_path: Path, migrated: Path, pair: Pair):
    bent = json.loads(pair.signing(HELSINKI).sign_as_assigner(text_of(), NOW))
    del bent["prohibition"]
    report = judged(tmp_path, migrated, pair, jcs(bent).decode(), is_known=False)
    assert (report.verdict, report.exit_code) == ("refuted", 1), report.lines()
    assert "The assigner's signature is not over this text." in report.reason


def test_an_agreement_that_both_signed_is_still_proven(tmp_path: Path, migrated: Path, pair: Pair):
    report = judged(tmp_path, migrated, pair, pair.signed(), is_known=True)
    assert report.verdict == "proven", report.lines()
