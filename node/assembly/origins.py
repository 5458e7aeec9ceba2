"""Where our own data lie, put together: places by kind of origin, digests, credentials, the desk, and the sink to S3.

Only wiring, and the one place that says which kind of origin is read by what. Opens nothing: files are looked at and
servers asked when somebody wants a part. Stands before transfers, which ask it what there is to move.
"""

import time
from dataclasses import dataclass
from uuid import uuid4

from node.assembly.clock import clock_ms
from node.assembly.ground import Ground
from node.catalog.offered import Offered
from node.federation.consent.columns import columns_of
from node.federation.consent.store import ConsentStore
from node.federation.consent.unfiltered import Unfiltered
from node.federation.data.credentials import Credentials
from node.federation.data.digests import Digests
from node.federation.data.files import FilePlace
from node.federation.data.https import HttpsPlace
from node.federation.data.origin_office import OriginOffice
from node.federation.data.origin_store import OriginStore
from node.federation.data.origins import DataOrigins
from node.federation.data.places import Place
from node.federation.data.remote import Remote
from node.federation.data.s3 import S3Place
from node.federation.data.s3_sink import S3Sink
from node.federation.data.subjects import Subjects
from node.keys.sealing import Sealer
from node.outbound import origin_of


@dataclass(frozen=True, slots=True)
class OriginParts:
    """The parts. `origins` is what doors and pushes read through, `office` what commands, API and pages use."""

    origins: DataOrigins
    office: OriginOffice
    digests: Digests
    credentials: Credentials
    sink: S3Sink


def build(ground: Ground, unfiltered: Unfiltered) -> OriginParts:
    """Put it together."""
    settings, db, outbound = ground.settings, ground.db, ground.outbound
    credentials = Credentials(
        db,
        Sealer(settings.data / "keys", settings.key_passphrase.get_secret_value()),
        origin_of=origin_of,
        allow_http=settings.on_loopback or settings.allow_http_peers,
        clock_ms=clock_ms,
    )
    remote = Remote(outbound, new_id=lambda: uuid4().hex)
    files = FilePlace(forbidden=settings.data)
    places: dict[str, Place] = {
        "file": files,
        "folder": files,
        "https": HttpsPlace(remote, credentials),
        "s3": S3Place(outbound, remote, credentials, clock_ms=clock_ms),
    }
    store, held = OriginStore(db), Offered(db, ground.journals)
    subjects = Subjects(places, columns_of, ConsentStore(db).source)
    digests = Digests(store, places, held, subjects, clock_ms=clock_ms)
    office = OriginOffice(
        store,
        places,
        digests,
        credentials,
        files=files,
        subjects=subjects,
        outbound=outbound,
        holdings=held,
        unfiltered=unfiltered.of,
        base_url=settings.base_url,
        clock_ms=clock_ms,
    )
    origins = DataOrigins(store, places, held, files=files, monotonic=time.monotonic)
    return OriginParts(origins, office, digests, credentials, S3Sink(outbound, credentials, clock_ms=clock_ms))
