"""Whatever is absent, empty, doubled or of another type in the export of an agreement, it is proven no more."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.federation.agreement_desk.export import export_bundle
from node.federation.agreements.verifier import AgreementReport, verify_bundle
from node.federation.signing.integrity import jcs
from node.keys import DAY_MS
from tests.federation.bending import bent, places, spelt
from tests.federation.export_rig import Towns
from tests.federation.signing_rig import HELSINKI, LONDON, NOW, Pair

pytestmark = pytest.mark.slow  # hundreds of verifications

Said = dict[str, Any]
LATER = NOW + DAY_MS


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair.made(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, migrated: Path, pair: Pair) -> Iterator[Said]:
    towns = Towns.made(tmp_path_factory.mktemp("towns"), migrated, pair)
    iri = towns.agree(pair.signed())
    told: Said = json.loads(export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER))
    yield told
    towns.close()


def judged(told: Said, pair: Pair, *, pinned: bool = True) -> AgreementReport:
    pins = [ring.fingerprint for ring in pair.keyrings.values()] if pinned else []
    return verify_bundle(json.dumps(told).encode(), trusted=pins, now_ms=LATER)


def test_nothing_can_be_taken_out_but_keys_that_signed_nothing(whole: Said, pair: Pair):
    assert judged(whole, pair).verdict == "proven"
    proven = {
        f"{spelt(at)} {how}"
        for at in places(whole)
        for how, told in bent(whole, at)
        if judged(told, pair).verdict == "proven"
    }
    keys = {f"cities/{number}/keys" for number in (0, 1)}
    assert all(each.rpartition("/")[0] in keys or each in {f"{one} empty" for one in keys} for each in proven), proven
    assert all(each.endswith((" absent", " empty")) for each in proven)


def test_no_signature_is_called_one_that_was_not_checked(whole: Said, pair: Pair):
    for number in (0, 1):
        text = json.loads(whole["text"])
        value = text["proof"][number]["proofValue"]
        text["proof"][number]["proofValue"] = value[:-10] + "2" * 10
        for cities in ([], [0], [1], [0, 1]):
            told = copy.deepcopy(whole)
            told |= {"text": jcs(text).decode(), "cities": [told["cities"][each] for each in cities]}
            for pinned in (True, False):
                report = judged(told, pair, pinned=pinned)
                assert report.verdict != "proven"
                assert not report.signed
                assert not any(each.holds and " signed it as " in each.sentence for each in report.findings)


def test_a_city_is_to_be_compared_by_its_address_and_not_by_what_it_calls_itself(whole: Said, pair: Pair):
    report = judged(whole, pair, pinned=False)
    assert report.verdict == "proven"
    assert {city for city, _ in report.unpinned} == {HELSINKI, LONDON}
    assert not any(each.holds and "only those that this file names" in each.sentence for each in report.findings)
