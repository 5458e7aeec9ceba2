"""The worker works out digests by itself: nobody has to ask for what is registered or changes."""

# ruff: noqa: F811 - fixtures are named as what they give
import hashlib
import threading

import pytest

from node.federation.moved import OriginWish
from node.jobs import links
from node.jobs.worker import Worker
from tests.catalog.conftest import city, grown, lasting_parser  # noqa: F401 - fixtures
from tests.catalog.rig import City, datasets
from tests.portal_server import wait_until

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


def test_what_changes_after_it_was_registered_has_its_digest_soon(
    city: City, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_IDLE_S", 0.05)
    city.harvest(datasets(1))
    (held,) = city.held()
    moving, path = city.node.federation.moving, tmp_path_factory.mktemp("data") / "noise.csv"
    path.write_bytes(b"first")
    moving.origin_parts.office.add(OriginWish(held.iri, str(path)), by="test", files=True)
    path.write_bytes(b"then")
    assert moving.origins.parts(held.iri)[0].digest == ""
    stop = threading.Event()
    thread = threading.Thread(target=Worker(city.node, clock_ms=city.node.harvest._clock_ms).run, args=(stop,))
    thread.start()
    try:
        digest = f"sha256:{hashlib.sha256(b'then').hexdigest()}"
        wait_until(lambda: moving.origins.parts(held.iri)[0].digest == digest)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
