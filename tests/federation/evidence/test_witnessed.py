"""Evidence among cities: witnesses cosign how much there is, and nobody else learns even that."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from node.federation.evidence.verify import verify
from node.federation.rights.rights import NoCollection
from node.records import EVIDENCE
from tests.federation.agreed import agree
from tests.federation.cities import HELSINKI, LONDON, City, cities
from tests.federation.history_rig import now_ms

pytestmark = pytest.mark.slow  # two whole nodes


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[tuple[City, City]]:
    folder = tmp_path_factory.mktemp("witnessed")
    with cities(folder, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        for one, other in ((helsinki, london), (london, helsinki)):
            one.meet(other, follow=())
            with one.node.db.write() as tx:
                tx.run("UPDATE peer SET state = 'active'")
        helsinki.begin("plans", 1, visibility="restricted")
        said = {"transfer": "p1", "why": "The agreement was revoked.", "dataset": helsinki.record(1)}
        said["agreement"] = agree(helsinki.node, london.node, "plans", EVIDENCE)
        with helsinki.node.db.write() as tx:
            evidence = helsinki.federation.moving.evidencing.evidence
            evidence.put(tx, "cut", "one", said, other=london.url, at_ms=now_ms())
        evidence.tend(now_ms())
        yield helsinki, london


def test_a_witness_cosigns_evidence_and_the_export_shows_it(pair: tuple[City, City]):
    helsinki, london = pair
    outcomes = helsinki.federation.watching.cosigning.run(now_ms())
    assert ("london", "cosigned", 1) in [
        (one.witness, one.state, one.size) for one in outcomes if one.collection == EVIDENCE
    ]
    body = helsinki.federation.moving.evidencing.desk.export(names=["p1"])
    pins = {city.url: city.federation.identity.fingerprint for city in pair}
    report = verify(body, trusted=pins, now_ms=now_ms() + 1_000)
    assert report.verdict == "proven", report.lines()
    told = "\n".join(each.sentence for each in report.findings if each.holds)
    assert f"{london.url.partition('://')[2]} has seen this state of the journal and cosigned it" in told


def test_the_witness_tells_nobody_how_much_evidence_there_is(pair: tuple[City, City]):
    helsinki, london = pair
    helsinki.federation.watching.cosigning.run(now_ms())
    origins = [str(row[0]) for row in london.sql("SELECT origin FROM witnessed")]
    hidden = [each for each in origins if each.endswith(f"/collections/{EVIDENCE}")]
    shown = [each for each in origins if each not in hidden]
    assert hidden
    assert shown
    for origin, status in ((hidden[0], 404), (shown[0], 200)):
        assert london.get(f"/witness/{sha256(origin.encode()).hexdigest()}/checkpoint").status == status


def test_no_agreement_opens_it(pair: tuple[City, City]):
    """The agreement of this test names it, signed by both: evidence stays shut all the same."""
    helsinki, london = pair
    headers = london.federation.token_source.headers(
        helsinki.url, "GET", f"{helsinki.url}/collections/{EVIDENCE}/checkpoint"
    )
    lowered = {name.lower(): value for name, value in headers.items()}
    assert helsinki.get(f"/collections/{EVIDENCE}/checkpoint", **lowered).status == 404
    plans = london.federation.token_source.headers(helsinki.url, "GET", f"{helsinki.url}/collections/plans/checkpoint")
    opened = helsinki.get("/collections/plans/checkpoint", **{name.lower(): value for name, value in plans.items()})
    assert opened.status == 200
    assert helsinki.federation.rights.readers(EVIDENCE) == frozenset()
    assert helsinki.federation.rights.readers("plans") == {"london"}
    assert NoCollection(EVIDENCE).visibility == "restricted"
