"""Five cities, all mirroring all, under changes, kills, cuts and corruptions: they end level, whole and proven."""

import os
import sys
from pathlib import Path

import pytest

from node.testing import Chaos, Cluster

SECONDS = float(os.environ.get("CITYNODE_TEST_CHAOS_S", "120"))
SEED = int(os.environ.get("CITYNODE_TEST_CHAOS_SEED", "1"))


def test_five_cities_converge_after_chaos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Cluster(tmp_path, 5, seed=SEED) as five:
        five.sow(40)
        five.start()
        five.introduce_all()
        five.until_level(120)
        tally = Chaos(five, seed=SEED, seconds=SECONDS).run()
    with capsys.disabled():
        sys.stdout.write(f"\n{tally}\n")
    for harm in ("changed", "withdrawn", "bodies cut", "bytes corrupted", "harvests acknowledged"):
        assert tally.counts[harm] > 0, f"a run without any {harm} shows nothing"
    assert sum(count for what, count in tally.counts.items() if what.startswith("kills")) > 0
