"""Laws of what goes wrong at an origin: other cities hear that it does and never where, and it holds up no other."""

import http.server
import logging
import os
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from node.errors import Malformed, NodeError, NotFound, OriginChanged, SourceUnreachable, Stopped
from node.federation.data.digests import LOOK_LOCAL_MS
from node.federation.data.origin_office import Changes
from node.federation.data.places import time_of
from node.federation.data.remote import modified_of
from node.keys import Keyring
from tests.federation.data.rig import BASE, NOISE, Rig, alone
from tests.federation.data.test_remote_origins import Later
from tests.test_outbound import Server, answer
from tests.test_outbound_stream import ranged

BODY = bytes(range(256)) * 2_000
CSV = {"Content_Type": "text/csv", "ETag": '"one"'}
LONG_NAME = b"subject," + b"x" * 200_000 + b"\nr-1,2\n"


@pytest.fixture
def city(migrated: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Rig]:
    with alone(migrated, keyring, tmp_path) as made:
        yield made


def heard(city: Rig, does: Callable[[], object]) -> NodeError:
    """Give what others hear of it, having seen that no place is in it."""
    with pytest.raises(NodeError) as told:
        does()
    said = repr((str(told.value), told.value.said, told.value.field))
    for secret in ("s3cr3t", "127.0.0.1", "localhost", "bucket", str(city.folder), "No such file"):
        assert secret not in said.replace(BASE, "")
    return told.value


# ---------------------------------------------------------------- what others hear


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


@pytest.mark.parametrize("becomes", [Path.unlink, fifo, folder, link])
def test_of_a_file_that_is_none_any_more_others_hear_no_path_and_that_it_may_come_back(
    city: Rig, becomes: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    city.add(city.file("whole.csv"))
    path = city.file()
    city.add(path)
    becomes(path)
    for does in (lambda: city.origins.parts(NOISE), city.read, lambda: city.origins.path(NOISE, "noise.csv")):
        assert type(heard(city, does)) is SourceUnreachable
    # The city's own people find the path in the log, and where they look at their origins.
    assert str(path) in caplog.text
    assert str(path) in city.office.test(NOISE, "noise.csv").trouble
    assert str(path) in city.office.list()[0].trouble
    # What lies beside it can be had by its name, and the list is refused as long as it could not be whole.
    assert city.read("whole.csv")
    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    city.file()
    assert [each.name for each in city.origins.parts(NOISE)] == ["noise.csv", "whole.csv"]


def test_of_a_file_that_changes_while_it_is_read_others_hear_no_path(city: Rig) -> None:
    path = city.file(body=BODY)
    city.add(path)
    with city.origins.open(NOISE, "noise.csv") as source:
        source.read(10)
        path.write_bytes(BODY + b"x")
        assert type(heard(city, lambda: source.read(10))) is OriginChanged
    with city.origins.open(NOISE, "noise.csv") as source:
        source.close()
        with pytest.raises(Stopped):
            source.read(10)


ANSWERS: dict[str, Any] = {
    "a page": answer(b"<html>sign in", **{**CSV, "Content_Type": "text/html"}),
    "nothing": answer(b"", status=404),
    "a refusal": answer(b"", status=401),
    "a fault": answer(b"", status=500),
    "no range": answer(b"", status=416),
    "another place": answer(b"", status=302, Location="https://elsewhere.example/?sig=s3cr3t"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_of_what_a_server_answers_others_hear_neither_its_address_nor_its_query(city: Rig, case: str) -> None:
    later = Later(answer(BODY, **CSV))
    with Server(later) as server:
        city.add(server.url + "/in/noise.csv?sig=s3cr3t")
        later.handle = ANSWERS[case]
        for does in (lambda: city.origins.parts(NOISE), city.read):
            assert type(heard(city, does)) in (SourceUnreachable, OriginChanged)
        trouble = city.office.test(NOISE, "noise.csv").trouble
        assert server.url in trouble
        assert "s3cr3t" not in trouble + str(city.office.list())
    assert type(heard(city, lambda: city.origins.parts(NOISE))) is SourceUnreachable


def test_of_a_server_that_breaks_off_others_hear_nothing_of_it(city: Rig) -> None:
    later = Later(ranged(BODY))
    with Server(later) as server:
        city.add(server.url + "/in/noise.csv")
        later.handle = answer(BODY[:1_000], Content_Length=str(len(BODY)), **CSV)
        with city.origins.open(NOISE, "noise.csv") as source:
            heard(city, lambda: b"".join(iter(lambda: source.read(100_000), b"")))


def test_a_fault_that_nobody_thought_of_is_the_origins_own(
    city: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    city.add(city.file())

    def breaks(*_: object, **__: object) -> None:
        raise ValueError(f"of {city.folder}")

    monkeypatch.setattr(city.office._files, "parts", breaks)
    assert type(heard(city, lambda: city.origins.parts(NOISE))) is SourceUnreachable
    assert f"ValueError: of {city.folder}" in caplog.text


def test_a_part_that_a_folder_has_not_is_none(city: Rig) -> None:
    city.add(city.file("folder/a.csv").parent)
    assert type(heard(city, lambda: city.read("b.csv"))) is NotFound


# ---------------------------------------------------------------- what holds up no other


def two_origins(city: Rig) -> tuple[Path, Path, str]:
    """Two datasets with a file each, of which the first stands before the second; the second's IRI."""
    first, second = city.publish("aaa"), city.publish("zzz")
    city.consents()
    files = [city.file(f"{iri[-3:]}.csv", b"subject,a\nr-1,2\n") for iri in (first, second)]
    for iri, file in zip((first, second), files, strict=True):
        city.add(file, "p.csv", dataset=iri)
    city.office.change(first, "p.csv", Changes(is_personal=True, column="subject", consent="register"))
    files[1].write_bytes(b"subject,a\nr-1,3\n")
    return files[0], files[1], second


def is_read(city: Rig, dataset: str) -> bool:
    (part,) = city.origins.parts(dataset)
    return bool(part.digest)


def test_an_origin_whose_look_breaks_holds_up_none_behind_it_and_is_shown(
    city: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, _, second = two_origins(city)
    looks, parts = [], city.office._files.parts

    def breaks(origin: Any) -> Any:
        looks.append(origin.dataset[-3:])
        if origin.dataset.endswith("aaa"):
            raise ZeroDivisionError("by nought")
        return parts(origin)

    monkeypatch.setattr(city.office._files, "parts", breaks)
    stop = threading.Event()
    with caplog.at_level(logging.WARNING):
        assert [city.parts.digests.round(stop) for _ in range(3)] == [1, 1, 0]
    assert looks == ["aaa", "zzz"], "it is left alone for a while, like any other"
    assert is_read(city, second)
    assert "ZeroDivisionError" in city.office.list(f"{BASE}/datasets/aaa")[0].trouble
    assert "ZeroDivisionError: by nought" in caplog.text


def test_a_head_that_cannot_be_read_is_trouble_of_its_origin_alone(city: Rig) -> None:
    file, _, second = two_origins(city)
    file.write_bytes(LONG_NAME)
    assert [city.parts.digests.round(threading.Event()) for _ in range(3)] == [1, 1, 0]
    assert is_read(city, second)
    aaa = f"{BASE}/datasets/aaa"
    assert "head of p.csv cannot be read" in city.office.list(aaa)[0].trouble
    assert "head of p.csv cannot be read" in city.office.test(aaa, "p.csv", whole=True).trouble
    with pytest.raises(Malformed, match=r"head of p\.csv cannot be read"):
        city.office.change(aaa, "p.csv", Changes(is_personal=True, column="subject", consent="register"))


def test_a_part_whose_head_cannot_be_read_holds_up_none_in_its_folder(city: Rig) -> None:
    city.consents()
    place = city.file("folder/a.csv", b"subject\nr-1\n").parent
    city.file("folder/b.csv", b"subject\nr-1\n")
    city.add(place, part="", is_personal=True, column="subject", consent="register")
    city.file("folder/a.csv", LONG_NAME)
    city.file("folder/b.csv", b"subject\nr-2\n")
    assert "a.csv" in city.office.test(NOISE, "", whole=True).trouble
    assert [bool(each.digest) for each in city.origins.parts(NOISE)] == [True, True]


def test_two_slow_origins_do_not_take_turns_before_a_third(city: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        city.add(city.file(f"{name}.csv"), dataset=city.publish(name))
    now, looked, parts = [10_000_000], list[str](), city.office._files.parts

    def slow(origin: Any) -> Any:
        looked.append(origin.name[0])
        now[0] += 2 * LOOK_LOCAL_MS
        return parts(origin)

    monkeypatch.setattr(city.office._files, "parts", slow)
    monkeypatch.setattr(city.parts.digests, "_clock_ms", lambda: now[0])
    for _ in range(6):
        city.parts.digests.round(threading.Event())
    assert looked == ["a", "b", "c"] * 2


@pytest.mark.parametrize("size", ["²", "１０", "-1", "", "9" * 16, "1" * 5_000])
def test_a_size_that_no_file_has_is_a_refusal_and_holds_up_nobody(city: Rig, size: str) -> None:
    def told(request: http.server.BaseHTTPRequestHandler) -> None:
        contents = f"<Contents><Key>pre/a.csv</Key><Size>{sizes[-1]}</Size><ETag>x</ETag></Contents>"
        listed = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        answer(listed.encode() if "list-type" in request.path else b"a,b\n", ETag='"x"')(request)

    sizes = ["4"]
    with Server(told) as server:
        city.office.set_credential("store", "s3", server.url, "secret", {"key_id": "k"})
        city.add("s3://bucket/pre/", credential="store")
        sizes.append(size)
        assert "gives a.csv no size" in city.office.test(NOISE, "", whole=True).trouble
        city.parts.origins._lists.clear()
        assert type(heard(city, lambda: city.origins.parts(NOISE))) is SourceUnreachable
        with pytest.raises(SourceUnreachable, match="no size"):
            city.office.parts(NOISE)
        assert city.parts.digests.round(threading.Event()) == 1


@pytest.mark.parametrize(
    "time", ["Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 1001 00:00:00 GMT", "9999-12-31T23:59:59-23:59"]
)
def test_a_time_that_no_header_can_say_is_none(city: Rig, time: str) -> None:
    assert modified_of(time) == 0
    with Server(answer(BODY, **CSV, Last_Modified=time)) as server:
        city.add(server.url + "/noise.csv")
        (part,) = city.origins.parts(NOISE)
    assert formatdate(part.modified_ms / 1000, usegmt=True) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert time_of(253_402_300_800_000) == time_of(-1) == 0
    assert modified_of("Fri, 31 Dec 9999 23:59:59 GMT") == 253_402_300_799_000
