"""Laws of S3 stores, held against a real server that checks signatures: read exactly, written whole or not at all."""

import hashlib
import io
import os
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.errors import Malformed, NotFound, OriginChanged, SourceUnreachable, Unavailable
from node.federation.data.credentials import Keys
from node.federation.data.s3_sink import PIECE
from node.federation.data.sigv4 import EMPTY, Request, signed
from node.keys import Keyring
from tests.federation.data import s3_server
from tests.federation.data.rig import NOISE, Rig, alone
from tests.federation.data.s3_server import BUCKET, REGION, Store

pytestmark = pytest.mark.slow  # a server in a process of its own

BODY = bytes(range(256)) * 2_000
SMALL, ODD = "noise/2025.csv", "noise/a b+ä&<c>.csv"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with s3_server.running(tmp_path_factory.mktemp("s3")) as made:
        yield made


@pytest.fixture
def city(store: Store, migrated: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Rig]:
    with alone(migrated, keyring, tmp_path) as made:
        more = {"key_id": store.key_id, "region": REGION}
        made.office.set_credential("store", "s3", store.url, store.secret, more)
        yield made


@pytest.fixture
def housed(store: Store, migrated: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Rig]:
    """A city whose store has a host for each bucket: of the same server, which goes by the name in the request."""
    with alone(migrated, keyring, tmp_path, resolver=lambda host, port: ["127.0.0.1"]) as made:
        more = {"key_id": store.key_id, "region": REGION, "addressing": "virtual"}
        url = store.url.replace("127.0.0.1", "store.example")
        made.office.set_credential("hosts", "s3", url, store.secret, more)
        yield made


def test_a_signature_is_the_one_that_an_independent_implementation_makes() -> None:
    auth = pytest.importorskip("botocore.auth")
    awsrequest, credentials = pytest.importorskip("botocore.awsrequest"), pytest.importorskip("botocore.credentials")
    stores = [("https://s3.example:443", "", False), ("http://127.0.0.1:9000", "a/session==", False)]
    for endpoint, session, virtual in (*stores, ("https://s3.example:8443", "", True)):
        keys = Keys(endpoint, REGION, "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", session, virtual)
        for method, path, query, body in (
            ("GET", "/city/a b+ä&<c>.csv", {}, EMPTY),
            ("GET", "/city", {"list-type": "2", "prefix": "a/ä +", "continuation-token": "x=="}, EMPTY),
            ("PUT", "/city/k", {"partNumber": "1", "uploadId": "u~-._"}, hashlib.sha256(b"x").hexdigest()),
            ("POST", "/city/k", {"uploads": ""}, EMPTY),
        ):
            request = Request(method, path, query, body)
            ours = signed(request, keys, now_ms=1_700_000_000_000)
            theirs = awsrequest.AWSRequest(method=method, url=request.url(keys))
            for name in ours.keys() - {"Authorization"}:
                theirs.headers[name] = ours[name]
            theirs.context["timestamp"] = ours["x-amz-date"]
            signer = auth.S3SigV4Auth(credentials.Credentials(keys.key_id, keys.secret, session or None), "s3", REGION)
            canonical = signer.canonical_request(theirs)
            signature = signer.signature(signer.string_to_sign(theirs, canonical), theirs)
            assert ours["Authorization"].endswith(f"Signature={signature}"), (method, path)


def test_an_object_is_read_from_any_byte_on(city: Rig, store: Store) -> None:
    for key in (SMALL, ODD):
        store.client.put_object(Bucket=BUCKET, Key=key, Body=BODY, ContentType="text/csv")
        told = city.add(f"s3://{BUCKET}/{key}", credential="store")
        (part,) = [each for each in city.origins.parts(NOISE) if each.name == told.part]
        assert (part.size, part.media_type) == (len(BODY), "text/csv")
        assert part.digest == f"sha256:{hashlib.sha256(BODY).hexdigest()}"
        for start in (0, 65_537, len(BODY) - 1):
            assert city.read(told.part, start=start, etag=part.etag) == BODY[start:]
    store.client.put_object(Bucket=BUCKET, Key=SMALL, Body=BODY[::-1], ContentType="text/csv")
    (part,) = [each for each in city.origins.parts(NOISE) if each.name == "2025.csv"]
    with pytest.raises(OriginChanged):
        city.origins.open(NOISE, part.name, start=1, etag='"of another version"')
    assert city.read("2025.csv") == BODY[::-1]


def test_what_lies_below_a_beginning_are_parts_however_many_pages_they_fill(
    city: Rig, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.federation.data.s3._PAGE", 10)
    client = store.client
    for number in range(43):
        client.put_object(Bucket=BUCKET, Key=f"many/{number:04}.csv", Body=b"x" * (number % 7))
    client.put_object(Bucket=BUCKET, Key="many/with space.csv", Body=b"no part can be called so")
    client.put_object(Bucket=BUCKET, Key="many/folder/", Body=b"")
    told = city.add(f"s3://{BUCKET}/many/", part="all", credential="store")
    assert told.left_out == ("with space.csv",)
    parts = city.origins.parts(NOISE)
    assert [each.name for each in parts] == [f"all/{number:04}.csv" for number in range(43)]
    assert [each.size for each in parts] == [number % 7 for number in range(43)]
    assert city.read("all/0006.csv", etag=parts[6].etag) == b"x" * 6
    with pytest.raises(NotFound):
        city.origins.open(NOISE, "all/none.csv")


def test_objects_are_read_and_put_where_each_bucket_is_a_host(store: Store, housed: Rig) -> None:
    for key in (SMALL, ODD):
        store.client.put_object(Bucket=BUCKET, Key=key, Body=BODY, ContentType="text/csv")
    housed.add(f"s3://{BUCKET}/noise/", part="all", credential="hosts")
    assert [each.name for each in housed.origins.parts(NOISE)] == ["all/2025.csv"]
    assert housed.read("all/2025.csv", start=7) == BODY[7:]
    housed.add(f"s3://{BUCKET}/{ODD}", part="odd", credential="hosts")
    assert housed.read("odd") == BODY
    for size in (3, PIECE + 5):
        location, body = f"s3://{BUCKET}/put/by host {size}", os.urandom(size)
        housed.parts.sink.check(location, "hosts")
        assert housed.parts.sink.put(location, io.BytesIO(body), credential="hosts") == size
        assert store.body(f"put/by host {size}") == body


def test_a_bucket_that_can_be_no_host_is_refused_with_the_way_out(housed: Rig) -> None:
    for location in ("s3://city.data/x.csv", "s3://city.data/x/"):
        with pytest.raises(Malformed, match="has a dot"):
            housed.add(location, credential="hosts")
    with pytest.raises(Malformed, match="has a dot"):
        housed.parts.sink.check("s3://city.data/x.csv", "hosts")
    more = {"key_id": "k", "addressing": "virtual"}
    for where in ("https://10.0.0.5:9000", "https://[::1]:9000", "https://localhost"):
        with pytest.raises(Malformed, match="has no name below which"):
            housed.office.set_credential("other", "s3", where, "secret", more)
    with pytest.raises(Malformed, match="by path or virtual"):
        housed.office.set_credential("other", "s3", "https://s3.example", "secret", {**more, "addressing": "dns"})
    with pytest.raises(Malformed, match="has no addressing"):
        housed.office.set_credential("other", "bearer", "https://s3.example", "secret", {"addressing": "path"})


def test_what_a_store_refuses_is_said(city: Rig, store: Store) -> None:
    city.office.set_credential("wrong", "s3", store.url, "not-the-secret", {"key_id": store.key_id, "region": REGION})
    store.client.put_object(Bucket=BUCKET, Key=SMALL, Body=BODY)
    for location, name in (
        (f"s3://{BUCKET}/none.csv", "store"),
        (f"s3://{BUCKET}/{SMALL}", "wrong"),
        (f"s3://{BUCKET}/noise/", "wrong"),
        ("s3://nobody/x.csv", "store"),
        ("s3://nobody/x/", "store"),
    ):
        with pytest.raises((Unavailable, NotFound)):
            city.add(location, credential=name)
    for location in ("s3://", "s3://X/y", "s3://city/../x", "s3://ci..ty/x", f"s3://city/{'x' * 2000}"):
        with pytest.raises(Malformed):
            city.add(location, credential="store")
    assert city.office.list() == []


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 77])
def test_what_is_put_is_there_whole(city: Rig, store: Store, size: int) -> None:
    body = os.urandom(size)
    sink, location = city.parts.sink, f"s3://{BUCKET}/put/{size} ä.bin"
    sink.check(location)
    assert sink.put(location, io.BytesIO(body), media_type="text/csv") == size
    assert store.body(f"put/{size} ä.bin") == body
    told = store.client.head_object(Bucket=BUCKET, Key=f"put/{size} ä.bin")
    assert told["ContentType"] == "text/csv"
    assert store.uploads() == []


def test_what_breaks_while_it_is_put_leaves_nothing_and_what_was_there_stays(city: Rig, store: Store) -> None:
    key = "put/kept.bin"
    store.client.put_object(Bucket=BUCKET, Key=key, Body=b"as it was")

    class Breaking(io.BytesIO):
        def read(self, most: int | None = -1, /) -> bytes:
            if self.tell() >= PIECE:
                raise SourceUnreachable("The other city went away.")
            return super().read(most)

    with pytest.raises(SourceUnreachable):
        city.parts.sink.put(f"s3://{BUCKET}/{key}", Breaking(os.urandom(2 * PIECE)))
    assert store.uploads() == []
    assert store.body(key) == b"as it was"
    for location in (f"s3://{BUCKET}/folder/", f"s3://{BUCKET}", "https://f.example/x"):
        with pytest.raises(Malformed):
            city.parts.sink.put(location, io.BytesIO(b"x"))
    with pytest.raises(NotFound):
        city.parts.sink.put("s3://nobody/x", io.BytesIO(b"x"))


def test_memory_is_that_of_some_pieces_however_much_is_put(city: Rig, store: Store) -> None:
    class Endless:
        left = 12 * PIECE

        def read(self, most: int, /) -> bytes:
            most = min(most, self.left, 1 << 18)
            self.left -= most
            return b"x" * most

    tracemalloc.start()
    try:
        size = city.parts.sink.put(f"s3://{BUCKET}/put/large.bin", Endless())
        assert size == 12 * PIECE
        assert tracemalloc.get_traced_memory()[1] < 2 * PIECE
    finally:
        tracemalloc.stop()


def test_a_stop_ends_it_and_leaves_nothing(city: Rig, store: Store) -> None:
    stop = threading.Event()

    class Stopping(io.BytesIO):
        def read(self, most: int | None = -1, /) -> bytes:
            if self.tell() >= PIECE:
                stop.set()
            return super().read(most)

    with pytest.raises(Unavailable):
        city.parts.sink.put(f"s3://{BUCKET}/put/stopped.bin", Stopping(os.urandom(3 * PIECE)), stop=stop)
    assert store.uploads() == []
    assert "put/stopped.bin" not in store.names()


def test_a_store_at_a_private_address_is_not_asked(city: Rig, store: Store) -> None:
    store.client.put_object(Bucket=BUCKET, Key=SMALL, Body=BODY)
    told = city.add(f"s3://{BUCKET}/{SMALL}")
    assert told.credential == "store"  # the only one then, and the one that it stays with
    city.office.set_credential("inside", "s3", "http://10.0.0.8:9000", "word", {"key_id": "k"})
    with pytest.raises(SourceUnreachable, match=r"10\.0\.0\.8"):
        city.add(f"s3://{BUCKET}/x.csv", credential="inside")
    with pytest.raises(Malformed, match="Several"):
        city.parts.sink.put(f"s3://{BUCKET}/x", io.BytesIO(b"x"))
