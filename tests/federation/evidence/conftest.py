"""One export of evidence for each file of tests about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.federation.evidence.bundle_rig import Made, cosign
from tests.federation.evidence.rig import Rig, moved
from tests.federation.signing_rig import HELSINKI, NOW, Pair


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Made]:
    pair = Pair.made(tmp_path_factory.mktemp("pair"))
    rig = Rig.made(tmp_path_factory.mktemp("towns"), migrated, pair)
    half, answer = rig.pulled([moved()])
    rig.filed(half, answer)
    other = rig.london.evidence.half(rig.london.transfer(rig.agreement), [moved("x.csv")], now_ms=NOW + 50_000)
    with rig.london.writing() as tx:
        transfer = rig.london.transfer(rig.agreement)
        rig.london.evidence.cut(tx, transfer, why="The agreement was revoked.", now_ms=NOW + 60_000)
        said = {"receipt": other, "differences": [{"member": "x", "ours": "1", "theirs": "2"}], "transfer": "p2"}
        rig.london.evidence.put(tx, "difference", "p2", said, other=HELSINKI, at_ms=NOW + 61_000)
    rig.london.evidence.sign(NOW + 62_000)
    cosign(rig)
    yield Made(rig, rig.london.desk.export())
    rig.close()
