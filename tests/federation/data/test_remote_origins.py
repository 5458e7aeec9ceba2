"""Laws of origins on web servers: what they say is held against what they send, and secrets go to one place alone."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from node.errors import (
    Conflict,
    ForbiddenAddress,
    Malformed,
    NotFound,
    OriginChanged,
    Refuted,
    SourceUnreachable,
    Stopped,
    TooLarge,
    Unavailable,
)
from node.federation.data.origin_office import Changes
from node.federation.data.places import Registered
from node.federation.moving import MAX_PARTS
from node.keys import Keyring
from tests.federation.data.rig import NOISE, Rig, alone
from tests.test_outbound import Server, answer
from tests.test_outbound_stream import ranged

BODY = bytes(range(256)) * 2_000
CSV = {"Content_Type": "text/csv", "ETag": '"one"'}
LONG_AGO = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.fixture
def city(migrated: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Rig]:
    with alone(migrated, keyring, tmp_path) as made:
        yield made


class Later:
    """A handler that a test changes while the server runs."""

    def __init__(self, handle: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.handle = handle

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        self.handle(request)


@contextlib.contextmanager
def origin(city: Rig, handle: Any, **more: Any) -> Iterator[tuple[Server, Later]]:
    later = Later(handle)
    with Server(later) as server:
        city.add(server.url + "/noise.csv", **more)
        yield server, later


def drained(source: Any, got: bytearray) -> None:
    """Read to the end, keeping what came before it broke."""
    while piece := source.read(100_000):
        got += piece


def test_a_file_on_a_server_is_read_from_any_byte_on_and_its_digest_known(city: Rig) -> None:
    with origin(city, ranged(BODY)) as (server, _):
        (part,) = city.origins.parts(NOISE)
        assert (part.name, part.size, part.media_type) == ("noise.csv", len(BODY), "text/csv")
        assert part.digest == f"sha256:{hashlib.sha256(BODY).hexdigest()}"
        for start in (0, 1, 65_536, len(BODY) - 1):
            assert city.read(start=start, etag=part.etag, piece=10_001) == BODY[start:]
        asked = len(server.requests)
        for _ in range(5):
            city.origins.parts(NOISE)
        assert len(server.requests) <= asked + 1  # its list is good for seconds


def test_what_is_known_is_told_without_asking_the_server(city: Rig) -> None:
    with origin(city, ranged(BODY)) as (server, _):
        (part,) = city.origins.parts(NOISE)
        asked = len(server.requests)
        (known,) = city.origins.known(NOISE)
        assert (known.name, known.size, known.digest, known.etag) == (part.name, part.size, part.digest, part.etag)
        assert len(server.requests) == asked


def test_a_server_without_ranges_is_read_from_the_beginning_and_the_rest_is_exact(city: Rig) -> None:
    with origin(city, answer(BODY, **CSV)):
        assert city.read(start=100_001) == BODY[100_001:]


def test_another_version_is_told_before_its_first_byte(city: Rig) -> None:
    with origin(city, ranged(BODY)) as (_, later):
        (part,) = city.origins.parts(NOISE)
        later.handle = ranged(BODY[::-1], etag='"two"')
        with pytest.raises(OriginChanged):
            city.origins.open(NOISE, "noise.csv", start=10, etag=part.etag)


def test_a_version_that_changes_while_it_is_read_is_never_given_to_its_end(city: Rig) -> None:
    with origin(city, ranged(BODY)) as (_, later), city.origins.open(NOISE, "noise.csv") as source:
        got = bytearray(source.read(1_000))
        later.handle = ranged(BODY[::-1], etag='"two"')
        with pytest.raises(OriginChanged):
            drained(source, got)
        assert len(got) < len(BODY)
        later.handle = answer(b"", status=404)
        with pytest.raises(SourceUnreachable):
            city.origins.open(NOISE, "noise.csv")


@pytest.mark.parametrize("length", [len(BODY) + 5, len(BODY) * 10])
def test_a_server_that_lies_about_its_length_is_not_believed(city: Rig, length: int) -> None:
    with origin(city, ranged(BODY)) as (_, later):
        later.handle = answer(BODY, Content_Length=str(length), **CSV)
        with city.origins.open(NOISE, "noise.csv") as source, pytest.raises(Unavailable):
            drained(source, bytearray())


def test_a_server_that_sends_less_of_a_range_than_there_is_is_not_taken_for_the_rest(city: Rig) -> None:
    def stingy(request: BaseHTTPRequestHandler) -> None:
        request.send_response(206)
        told = {"ETag": '"one"', "Content-Range": f"bytes 10-99/{len(BODY)}", "Content-Length": "90"}
        for name, value in told.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(BODY[10:100])

    with origin(city, ranged(BODY)) as (_, later):
        later.handle = stingy
        with city.origins.open(NOISE, "noise.csv", start=10) as source, pytest.raises(OriginChanged) as told:
            drained(source, bytearray())
        assert "length" in str(told.value.__cause__)


def test_a_server_that_sends_a_page_instead_of_the_data_is_refused(city: Rig) -> None:
    with origin(city, answer(BODY, **CSV)) as (_, later):
        later.handle = answer(b"<html>sign in", **{**CSV, "Content_Type": "text/html; charset=utf-8"})
        with pytest.raises(SourceUnreachable, match="text/html"):
            city.office.parts(NOISE, "noise.csv")
        later.handle = answer(BODY, **{**CSV, "Content_Type": "application/octet-stream"})
        assert city.read() == BODY
        later.handle = answer(BODY, status=401)
        assert "refuses us" in city.office.test(NOISE, "noise.csv").trouble
    with Server(answer(b"<html>", **{**CSV, "Content_Type": "text/html"})) as server:
        with pytest.raises(Malformed, match="web page"):
            city.add(server.url + "/page")
        city.add(server.url + "/page", media_type="text/html")


def test_a_server_that_tells_no_versions_is_read_whole_or_not_at_all(city: Rig) -> None:
    with origin(city, answer(BODY, Content_Type="text/csv")):
        (part,) = city.origins.parts(NOISE)
        assert part.digest == ""
        assert city.read() == city.read(etag=part.etag) == BODY
        with pytest.raises(OriginChanged):
            city.origins.open(NOISE, "noise.csv", start=5, etag=part.etag)
        assert city.parts.digests.round(threading.Event()) == 1
        assert city.office.list()[0].trouble == ""
    city.publish("promised", files={"https://f.example/x.csv": "md5:" + "0" * 32})
    with Server(answer(BODY, Content_Type="text/csv")) as server, pytest.raises(Refuted, match="versions"):
        city.add(server.url + "/x.csv", dataset="promised")


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_a_time_of_change_stands_for_a_version_once_it_is_past(city: Rig, etag: str) -> None:
    told = {"Content_Type": "text/csv", "Last_Modified": LONG_AGO, **({"ETag": etag} if etag else {})}
    with origin(city, answer(BODY, **told)) as (_, later):
        (part,) = city.origins.parts(NOISE)
        assert part.digest
        assert part.modified_ms == 1_445_412_480_000
        assert city.read(start=7, etag=part.etag) == BODY[7:]
        later.handle = answer(BODY, **{**told, "Last_Modified": "Thu, 22 Oct 2015 07:28:00 GMT"})
        with pytest.raises(OriginChanged):
            city.origins.open(NOISE, "noise.csv", start=7, etag=part.etag)


def test_redirects_lead_nowhere_else_and_private_hosts_are_not_asked(city: Rig) -> None:
    with Server(answer(b"private", **CSV)) as private, Server(answer(b"", status=302, Location=private.url)) as server:
        with pytest.raises(SourceUnreachable, match="another origin"):
            city.add(server.url + "/noise.csv")
        assert private.requests == []
    for url in ("http://10.0.0.8/x.csv", "http://169.254.169.254/latest", "https://user:word@f.example/x", "ftp://f/x"):
        with pytest.raises((ForbiddenAddress, SourceUnreachable)):
            city.add(url)
    assert city.office.list() == []


def test_a_read_that_hangs_ends_when_it_is_let_go_of(city: Rig) -> None:
    done = threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        for name, value in (("ETag", '"one"'), ("Content-Type", "text/csv"), ("Content-Length", str(len(BODY)))):
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(BODY[:100_000])
        request.wfile.flush()
        done.wait(10)
        request.close_connection = True

    with origin(city, ranged(BODY)) as (_, later):
        later.handle = slow
        source = city.origins.open(NOISE, "noise.csv")
        ended: list[type[BaseException]] = []

        def read() -> None:
            try:
                while source.read(1 << 16):
                    pass
            except Stopped as error:
                ended.append(type(error))

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(0.05)
        began = time.monotonic()
        source.close()
        reader.join(5)
        done.set()
        assert ended == [Stopped]
        assert time.monotonic() - began < 1


# ---------------------------------------------------------------- credentials


def test_a_credential_is_shown_to_its_place_and_to_nobody_of_ours_again(city: Rig) -> None:
    secret = "s3cr3t-w0rd"  # noqa: S105
    with Server(ranged(BODY)) as server:
        city.office.set_credential("token", "bearer", server.url + "/any", secret)
        city.office.set_credential("pair", "basic", server.url, secret, {"user": "helsinki"})
        city.office.set_credential("key", "header", server.url, secret, {"header": "X-API-Key"})
        for name in ("token", "pair", "key"):
            city.add(server.url + f"/{name}.csv", credential=name)
        shown = dict(server.requests)
        assert shown["/token.csv"]["authorization"] == f"Bearer {secret}"
        assert shown["/pair.csv"]["authorization"] == "Basic aGVsc2lua2k6czNjcjN0LXcwcmQ="
        assert shown["/key.csv"]["x-api-key"] == secret
        assert secret not in repr((city.office.credentials(), city.office.list(), city.parts.credentials))
        with city.journals.db.read() as tx:
            kept = repr(tx.rows("SELECT * FROM data_credential")) + repr(tx.rows("SELECT * FROM data_origin"))
        assert secret not in kept
        with pytest.raises(Conflict):
            city.office.remove_credential("token")
        city.office.remove(NOISE, "token.csv")
        city.office.remove_credential("token")
        assert [each.name for each in city.office.credentials()] == ["key", "pair"]


def test_a_credential_is_not_sent_to_another_place(city: Rig) -> None:
    with Server(ranged(BODY)) as server, Server(ranged(BODY)) as other:
        city.office.set_credential("token", "bearer", server.url, "word")
        with pytest.raises(Malformed):
            city.add(other.url + "/noise.csv", credential="token")
        city.add(other.url + "/noise.csv")
        with pytest.raises(Malformed):
            city.office.change(NOISE, "noise.csv", Changes(credential="token"))
        assert all("authorization" not in headers for _, headers in other.requests)
        with pytest.raises(NotFound):
            city.add(server.url + "/noise.csv", part="b", credential="none")


UNFIT = [
    ("none", "https://f.example", "word", {}),
    ("bearer", "f.example", "word", {}),
    ("bearer", "ftp://f.example", "word", {}),
    ("bearer", "https://f.example", "two\nlines", {}),
    ("bearer", "https://f.example", "", {}),
    ("bearer", "https://f.example", "x" * 9_000, {}),
    ("bearer", "https://f.example", "word", {"user": "somebody"}),
    ("basic", "https://f.example", "word", {}),
    ("basic", "https://f.example", "word", {"user": "a:b"}),
    ("header", "https://f.example", "word", {"header": "Host"}),
    ("header", "https://f.example", "word", {"header": "X Y"}),
    ("s3", "https://f.example", "word", {}),
    ("s3", "https://f.example", "word", {"key_id": "a\nb"}),
]


def test_a_credential_that_no_server_could_be_shown_is_refused(city: Rig) -> None:
    for kind, where, secret, more in UNFIT:
        with pytest.raises(Malformed):
            city.office.set_credential("name", kind, where, secret, more)
    assert city.office.credentials() == []


def test_a_sealed_credential_cannot_be_put_in_place_of_another(city: Rig) -> None:
    for name, where in (("one", "https://one.example"), ("two", "https://two.example")):
        city.office.set_credential(name, "bearer", where, f"word-{name}")
    with city.journals.db.write() as tx:
        sealed = tx.row("SELECT sealed FROM data_credential WHERE name = 'one'")
        assert sealed
        tx.run("UPDATE data_credential SET sealed = ? WHERE name = 'two'", sealed[0])
    with pytest.raises(Refuted):
        city.parts.credentials.headers("two", "https://one.example/x")


def test_an_address_is_told_without_its_query(city: Rig) -> None:
    with Server(ranged(BODY)) as server:
        told = city.add(server.url + "/noise.csv?sig=s3cr3t")
        assert "s3cr3t" not in repr((told, city.office.list()))
        assert server.requests[0][0] == "/noise.csv?sig=s3cr3t"
        city.office.remove(NOISE, told.part)
    with pytest.raises(Unavailable) as away:
        city.add(server.url + "/noise.csv?sig=s3cr3t")
    assert "s3cr3t" not in str(away.value)


# ---------------------------------------------------------------- lists of stores


def listing(first: int, beyond: int, *, truncated: bool, more: str = "") -> str:
    contents = "".join(
        f"<Contents><Key>p/k{n}.csv</Key><Size>3</Size><ETag>&quot;e{n}&quot;</ETag></Contents>"
        for n in range(first, beyond)
    )
    return f"<ListBucketResult><IsTruncated>{str(truncated).lower()}</IsTruncated>{more}{contents}</ListBucketResult>"


def by_hundreds(path: str, most: int = 500) -> str:
    begins = int(path.partition("continuation-token=")[2].partition("&")[0] or "0")
    ends = begins + 100
    more = f"<NextContinuationToken>{ends}</NextContinuationToken>" if ends < most else ""
    return listing(begins, min(ends, most), truncated=bool(more), more=more)


@contextlib.contextmanager
def store(city: Rig, page: Callable[[str], str]) -> Iterator[Callable[[], list[Any]]]:
    """A store that answers its list so; gives what asks for the parts below `s3://city/p/`."""
    with Server(lambda request: answer(page(request.path).encode())(request)) as server:
        city.office.set_credential("store", "s3", server.url, "secret", {"key_id": "k"})
        place, folder = city.office._places["s3"], Registered(NOISE, "", "s3", "s3://city/p/", credential="store")
        yield lambda: list(place.parts(folder))


def test_a_list_is_read_to_its_end_however_little_stands_on_a_page(city: Rig) -> None:
    with store(city, by_hundreds) as parts:
        assert len(parts()) == 500


def test_what_is_more_than_a_dataset_has_is_said_and_not_cut(city: Rig) -> None:
    with store(city, lambda path: by_hundreds(path, MAX_PARTS + 1)) as parts, pytest.raises(TooLarge):
        parts()


CUT_LISTS: dict[str, Callable[[str], str]] = {
    "of a store that speaks the first form alone": lambda _: listing(
        0, 10, truncated=True, more="<NextMarker>p/k9.csv</NextMarker>"
    ),
    "of one that says nothing of the rest": lambda _: listing(0, 10, truncated=True),
    "of one that leads round in circles": lambda _: listing(
        0, 1, truncated=True, more="<NextContinuationToken>x</NextContinuationToken>"
    ),
    "that is empty": lambda _: "",
    "that is a page": lambda _: "<html>Sign in</html>",
}


@pytest.mark.parametrize("case", CUT_LISTS)
def test_a_list_without_its_end_is_no_dataset(city: Rig, case: str) -> None:
    with store(city, CUT_LISTS[case]) as parts, pytest.raises(SourceUnreachable):
        parts()
