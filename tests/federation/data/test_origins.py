"""Laws of files and folders as origins: exact bytes of one version or a loud no, and never a file beside the folder."""

import hashlib
import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from node.errors import (
    Conflict,
    Malformed,
    NodeError,
    NotFound,
    OriginChanged,
    Refuted,
    SourceUnreachable,
    Stopped,
    TooLarge,
    Unavailable,
)
from node.federation.data.origin_office import Changes
from node.federation.moving import MAX_PARTS, checked_part
from tests.federation.data.rig import BASE, NOISE, OPEN, SHUT, Rig


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_a_file_is_handed_out_as_it_is_from_any_byte_on(city: Rig) -> None:
    body = os.urandom(300_000)
    city.add(city.file("noise.csv", body))
    (part,) = city.origins.parts(NOISE)
    assert (part.name, part.media_type, part.size, part.digest) == ("noise.csv", "text/csv", len(body), digest(body))
    assert city.read() == body
    for start in (0, 1, 65_536, len(body) - 1, len(body)):
        assert city.read(start=start, etag=part.etag, piece=7_001) == body[start:]


def test_what_is_known_of_files_is_what_can_be_handed_out(city: Rig) -> None:
    city.add(city.file("noise.csv", b"a;b"))
    assert city.origins.known(NOISE) == city.origins.parts(NOISE)


def test_another_version_is_told_and_never_mixed_with_the_first(city: Rig) -> None:
    path = city.file("noise.csv", b"a" * 200_000)
    city.add(path)
    (before,) = city.origins.parts(NOISE)
    source = city.origins.open(NOISE, "noise.csv")
    assert source.read(1_000) == b"a" * 1_000
    with path.open("r+b") as file:
        file.seek(150_000)
        file.write(b"b")
    with pytest.raises(OriginChanged):
        source.read(1_000)
    source.close()
    with pytest.raises(OriginChanged):
        city.origins.open(NOISE, "noise.csv", start=1_000, etag=before.etag)
    (after,) = city.origins.parts(NOISE)
    assert after.etag != before.etag
    assert after.digest == ""
    path.write_bytes(b"b" * 199_999)
    with city.origins.open(NOISE, "noise.csv") as source:
        source.read(10)
        path.write_bytes(b"b" * 100)
        with pytest.raises(OriginChanged):
            source.read(10)


def test_a_file_that_is_put_in_place_of_an_open_one_leaves_that_one_whole(city: Rig) -> None:
    path = city.file("noise.csv", b"old" * 1_000)
    city.add(path)
    with city.origins.open(NOISE, "noise.csv") as source:
        other = path.with_name("other")
        other.write_bytes(b"new" * 1_000)
        os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        first = source.read(10)
        other.replace(path)
        with pytest.raises(OriginChanged):  # the file's own entry says that it has no name any more
            source.read(10)
    assert first == b"oldoldoldo"
    assert city.read() == b"new" * 1_000


def test_a_folder_has_its_plain_files_as_parts_and_nothing_beside_it(city: Rig) -> None:
    city.file("folder/2024/a.csv", b"24")
    city.file("folder/b.json", b"{}")
    city.file("folder/.hidden", b"no")
    city.file("folder/2024/.hidden", b"no")
    city.file("folder/2024/.git/config", b"no")
    city.file("folder/.git/config", b"no")
    city.file("folder/with space.csv", b"no")
    secret = city.file("secret.csv", b"no")
    folder = secret.parent / "folder"
    (folder / "link.csv").symlink_to(secret)
    (folder / "up").symlink_to(secret.parent)
    os.mkfifo(folder / "pipe")
    city.add(folder)
    assert [each.name for each in city.origins.parts(NOISE)] == ["2024/a.csv", "b.json"]
    assert city.read("2024/a.csv") == b"24"
    wrong = ["link.csv", "up/secret.csv", "pipe", ".hidden", ".git/config", "../secret.csv", "2024/../../secret.csv"]
    wrong += [
        "2024/.hidden",
        "2024/.git/config",
        "2024",
        "b.json/x",
        "",
        "none.csv",
        "with space.csv",
        "/etc/passwd",
        "2024/../b.json",
    ]
    for name in wrong:
        with pytest.raises((NotFound, SourceUnreachable)):
            city.origins.open(NOISE, name)


def test_what_can_be_no_part_by_its_name_is_told_and_what_is_hidden_is_not(city: Rig) -> None:
    odd = ["päätös.csv", "with blank.csv", "_lead.csv", "a(1).csv", "in/a+b.csv", "öinen/c.csv"]
    for name in (*odd, "ok.csv", ".hidden", ".git/config"):
        city.file(f"folder/{name}")
    told = city.add(city.folder / "data/folder")
    wanted = sorted([*odd[:-1], "öinen/"])
    assert sorted(told.left_out) == wanted
    assert sorted(city.office.test(NOISE, "").left_out) == wanted
    assert city.add(city.file("own.csv")).left_out == ()
    assert [each.name for each in city.origins.parts(NOISE)] == ["ok.csv", "own.csv"]


def test_names_that_differ_by_capitals_alone_are_refused_at_registration(city: Rig) -> None:
    city.file("folder/A.csv", b"1")
    path = city.file("folder/a.csv", b"2")
    with pytest.raises(NodeError, match="capitals"):
        city.add(path.parent)


@pytest.mark.slow
def test_no_more_files_are_registered_than_another_city_takes(city: Rig) -> None:
    folder = city.file("folder/0.csv", b"x").parent
    for number in range(1, MAX_PARTS + 1):
        (folder / f"{number}.csv").touch()
    with pytest.raises(TooLarge, match="its receipt names each"):
        city.add(folder)


@pytest.mark.slow
def test_nor_by_several_origins_of_one_dataset_together(city: Rig) -> None:
    first, second = (city.file(f"{name}/0.csv", b"x").parent for name in ("first", "second"))
    for number in range(1, MAX_PARTS):
        (first / f"{number}.csv").touch()
    city.add(first, part="first")
    assert len(city.origins.parts(NOISE)) == MAX_PARTS
    with pytest.raises(TooLarge, match="its receipt names each"):
        city.add(second, part="second")
    (first / "0.csv").unlink()
    city.add(second, part="second")
    city.origins._monotonic = lambda: 1e9
    assert len(city.origins.parts(NOISE)) == MAX_PARTS
    (second / "1.csv").touch()  # what grows later is not handed out by halves
    with pytest.raises(TooLarge, match="its receipt names each"):
        city.origins.parts(NOISE)


def test_no_part_has_the_name_of_a_folder_in_which_another_lies(city: Rig) -> None:
    city.add(city.file("folder/a/b.csv").parent.parent)
    with pytest.raises(Conflict, match="would lie in a folder"):
        city.add(city.file("own.csv"), part="A")
    city.file("folder/c", b"grew later")
    city.add(city.file("own.csv"), part="d")
    city.file("folder/d/e.csv", b"grew later")
    with pytest.raises(Conflict, match="would lie in a folder"):
        city.origins.parts(NOISE)


@pytest.mark.parametrize("name", ["a/./b", "a/.", "a//b", "a/../b", "a/", "./a", "/a"])
def test_one_file_has_one_name_as_a_part(name: str) -> None:
    with pytest.raises(Malformed):
        checked_part(name)


def test_a_large_folder_is_not_walked_for_each_question_and_lies_no_longer_than_a_second(city: Rig) -> None:
    for number in range(150):
        city.file(f"folder/{number:03}.csv", b"x")
    path = city.file("folder/000.csv", b"first")
    city.add(path.parent)
    now = [100.0]
    city.origins._monotonic = lambda: now[0]
    before = city.origins.parts(NOISE)[0]
    path.write_bytes(b"second")
    with pytest.raises(OriginChanged):
        city.origins.open(NOISE, "000.csv", etag=city.origins.parts(NOISE)[0].etag)
    now[0] += 1.1
    after = city.origins.parts(NOISE)[0]
    assert (before.size, after.size) == (5, 6)
    assert city.read("000.csv", etag=after.etag) == b"second"


def test_a_folder_that_becomes_a_link_is_not_followed(city: Rig) -> None:
    city.file("folder/in/a.csv", b"1")
    city.file("other/a.csv", b"2")
    data = city.folder / "data"
    city.add(data / "folder", part="all")
    assert city.read("all/in/a.csv") == b"1"
    (data / "folder/in").rename(data / "in")
    (data / "folder/in").symlink_to(data / "other")
    with pytest.raises((NotFound, SourceUnreachable)):
        city.origins.open(NOISE, "all/in/a.csv")
    assert city.origins.parts(NOISE) == []


def test_a_file_of_its_own_comes_before_one_of_that_name_in_a_folder(city: Rig) -> None:
    city.file("folder/x/a.csv", b"in the folder")
    city.file("deep/a.csv", b"in the deeper folder")
    own = city.file("own.csv", b"own")
    city.add(own.parent / "folder")
    city.add(own.parent / "deep", part="x/deep")
    assert city.read("x/a.csv") == b"in the folder"
    city.add(own, part="x/a.csv")
    assert city.read("x/a.csv") == b"own"
    assert city.read("x/deep/a.csv") == b"in the deeper folder"
    assert [each.name for each in city.origins.parts(NOISE)] == ["x/a.csv", "x/deep/a.csv"]
    assert [each.size for each in city.origins.parts(NOISE)] == [3, 20]


def test_what_cannot_be_an_origin_is_refused_and_nothing_is_written(city: Rig) -> None:
    (city.folder / "node" / "keys").mkdir()
    own = city.folder / "node" / "keys" / "own.csv"
    own.write_bytes(b"private")
    good = city.file()
    for location in (own, city.folder / "node", city.folder, city.folder / "node" / "keys"):
        with pytest.raises(Malformed):
            city.add(location)
    for location in (city.folder / "none.csv", city.folder / "data" / "none"):
        with pytest.raises(NotFound):
            city.add(location)
    for part in ("../x", "a b", "/x", "x/", "a//b", "-x"):
        with pytest.raises(Malformed):
            city.add(good, part=part)
    with pytest.raises(Malformed):
        city.add(good, credential="some")
    with pytest.raises(Malformed):
        city.add(good, media_type="text csv")
    for dataset in (f"{BASE}/datasets/none", "none", OPEN, "https://oslo.example/datasets/noise"):
        with pytest.raises(NotFound):
            city.add(good, dataset=dataset)
    (city.folder / "data" / "empty").mkdir()
    with pytest.raises(NotFound):
        city.add(city.folder / "data" / "empty")
    with pytest.raises(Malformed):
        city.office.add(_wish(good), by="web")
    assert city.office.list() == []
    assert not city.origins.has(NOISE)


def _wish(path: Path) -> object:
    from node.federation.moved import OriginWish

    return OriginWish(NOISE, str(path))


def test_two_origins_do_not_share_a_name_and_one_may_be_forgotten(everywhere: Rig) -> None:
    city = everywhere
    city.add(city.file())
    with pytest.raises(Conflict):
        city.add(city.file("other.csv"), part="noise.csv")
    told = city.add(city.file("other.csv"), dataset="noise")
    assert (told.dataset, told.part) == (NOISE, "other.csv")
    city.office.remove(NOISE, "noise.csv")
    assert [each.name for each in city.origins.parts(NOISE)] == ["other.csv"]
    with pytest.raises(NotFound):
        city.origins.open(NOISE, "noise.csv")
    city.office.remove("noise", "other.csv")
    with pytest.raises(NotFound):
        city.origins.parts(NOISE)


def test_covered_are_datasets_of_ours_by_name_or_by_collection_while_they_stand(everywhere: Rig) -> None:
    city = everywhere
    shut = city.publish("shut-one", "shut")
    plain = city.publish("plain")
    for dataset in (NOISE, shut):
        city.add(city.file(), dataset=dataset)
    assert city.origins.covered([NOISE]) == [NOISE]
    assert city.origins.covered([SHUT]) == [shut]
    assert city.origins.covered([OPEN]) == [NOISE]
    assert city.origins.covered([SHUT, OPEN, NOISE]) == [NOISE, shut]
    assert city.origins.covered([plain, f"{BASE}/collections/other", "x"]) == []
    city.withdraw()
    assert city.origins.covered([NOISE, OPEN]) == []
    city.office.remove(NOISE, "noise.csv")  # also when its record is gone


def test_a_harvested_record_is_named_by_its_address_here_though_it_keeps_its_portals_iri(city: Rig) -> None:
    iri = city.harvested("https://portal.example/sets/9", "survey-2025")
    for name in ("survey-2025", f"{BASE}/datasets/survey-2025", "datasets/survey-2025", iri):
        assert city.office.dataset(name) == iri
    city.add(city.file(), dataset="survey-2025")
    assert city.office.test("survey-2025", "noise.csv").dataset == iri
    assert city.office.change("survey-2025", "", Changes(is_personal=True)).dataset == iri
    for wrong in ("survey-2026", "https://elsewhere.example/datasets/survey-2025"):
        with pytest.raises(NotFound):
            city.office.dataset(wrong)
    other = city.harvested("https://portal.example/sets/10", "survey-2025")
    with pytest.raises(Conflict) as several:
        city.office.dataset("survey-2025")
    assert iri in several.value.message
    assert other in several.value.message
    with pytest.raises(NotFound, match=r"noise\.csv"):
        city.office.remove(iri, "")
    city.office.remove(iri, "noise.csv")
    assert not city.office.list()


@pytest.mark.parametrize("algorithm", ["sha512", "md5"])
def test_a_checksum_of_the_record_is_held_against_the_bytes(city: Rig, algorithm: str) -> None:
    path = city.file()
    good = hashlib.new(algorithm, path.read_bytes(), usedforsecurity=False).hexdigest()
    city.publish(files={"https://files.example/noise.csv": f"{algorithm}:{'0' * len(good)}"})
    with pytest.raises(Refuted):
        city.add(path)
    assert not city.origins.has(NOISE)
    city.publish(files={"https://files.example/noise.csv": f"{algorithm}:{good.upper()}"})
    city.add(path)
    assert city.read() == path.read_bytes()


def test_what_no_longer_keeps_its_promise_is_refused_and_said_to_the_staff(everywhere: Rig) -> None:
    city = everywhere
    path, stop = city.file(), threading.Event()
    promise = {"https://files.example/noise.csv": digest(path.read_bytes())}
    city.publish(files=promise)
    city.add(path)
    path.write_bytes(b"something else")
    with pytest.raises(Unavailable) as waits:
        city.origins.open(NOISE, "noise.csv")
    assert waits.value.retry_after_s
    assert city.parts.digests.round(stop) == 1
    with pytest.raises(OriginChanged):
        city.origins.open(NOISE, "noise.csv")
    with pytest.raises(OriginChanged, match=r"noise\.csv"):
        city.origins.parts(NOISE)
    (told,) = city.office.list()
    assert "checksum" in told.trouble
    assert told.trouble_ms
    assert city.parts.digests.round(stop) == 0  # nothing is due
    # The record is corrected: its promise is read again, and kept.
    city.publish(files={"https://files.example/noise.csv": digest(b"something else")})
    assert city.office.test(NOISE, "noise.csv", whole=True).trouble == ""
    assert city.read() == b"something else"


def test_a_folder_is_held_to_the_promises_of_its_files_by_their_names(city: Rig) -> None:
    path = city.file("folder/a.csv", b"1")
    city.file("folder/b.csv", b"2")
    files = {"https://f.example/a.csv": digest(b"1"), "https://f.example/b.csv": digest(b"other")}
    city.publish(files=files)
    with pytest.raises(Refuted, match=r"b\.csv"):
        city.add(path.parent)
    city.publish(files={**files, "https://f.example/b.csv": digest(b"2")})
    city.add(path.parent)
    city.file("folder/a.csv", b"3")
    assert "a.csv" in city.office.test(NOISE, "", whole=True).trouble
    with pytest.raises(OriginChanged, match=r"a\.csv"):  # b.csv alone would be taken for all there is
        city.origins.parts(NOISE)


def test_digests_are_worked_out_once_for_each_version(city: Rig) -> None:
    path, stop = city.file(), threading.Event()
    city.add(path)
    path.write_bytes(b"another")
    (part,) = city.origins.parts(NOISE)
    assert part.digest == ""
    city.parts.digests.round(stop)
    (part,) = city.origins.parts(NOISE)
    assert part.digest == digest(b"another")
    assert city.read(etag=part.etag) == b"another"


def test_what_is_let_go_of_gives_nothing_more_and_frees_its_file(city: Rig) -> None:
    city.add(city.file())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        source = city.origins.open(NOISE, "noise.csv")
        source.close()
        source.close()
        with pytest.raises(Stopped):
            source.read(1)
    with pytest.raises(OriginChanged):
        city.origins.open(NOISE, "noise.csv", etag='"other"')
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_that_goes_or_may_not_be_read_is_unreachable_and_said(city: Rig) -> None:
    path = city.file()
    city.add(path)
    path.unlink()
    with pytest.raises(SourceUnreachable):
        city.origins.open(NOISE, "noise.csv")
    with pytest.raises(SourceUnreachable):
        city.origins.parts(NOISE)
    assert city.office.test(NOISE, "noise.csv").trouble
    assert city.office.list()[0].trouble
    city.file()
    assert city.office.test(NOISE, "noise.csv").trouble == ""


def test_a_path_for_the_server_in_front_is_given_of_what_may_be_read_alone(city: Rig) -> None:
    path = city.file("folder/a.csv", b"1")
    city.add(path.parent)
    assert city.origins.path(NOISE, "a.csv") == path
    path.unlink()
    path.symlink_to(city.file("secret"))
    with pytest.raises((NotFound, SourceUnreachable)):
        city.origins.path(NOISE, "a.csv")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(city: Rig) -> None:
    path = city.file("noise.csv", b"")
    with path.open("wb") as file:
        file.truncate(200 << 20)
    tracemalloc.start()
    try:
        city.add(path)
        with city.origins.open(NOISE, "noise.csv") as source:
            while source.read(1 << 18):
                pass
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
