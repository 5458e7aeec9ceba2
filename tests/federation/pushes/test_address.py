"""Laws of data addresses and of the fields that bring a part: what is written is read, what is wrong is refused."""

from typing import Any

import pytest

from node.errors import ForbiddenAddress, Malformed
from node.federation.moving import Part
from node.federation.pushes.address import Target, at_our_door, elsewhere, target
from node.federation.pushes.fields import digest_field, digest_of, head_of, upload_of

PEER, PID = "https://london.example", "5d5bd5c8-5c5e-4e6c-8d41-7a3a6f1a2b3c"
DIGEST = "sha256:" + "ab" * 32
PART = Part("https://d.example/1", "a/b.csv", "text/csv", 10, DIGEST, '"1"', 1)


def read(address: Any, **changes: Any) -> Target:
    return target(address, PEER, PID, **({"is_single": False, "allow_http": False} | changes))


def test_our_door_is_read_as_ours_and_names_transfer_and_part() -> None:
    found = read(at_our_door(PEER))
    assert (found.is_city, found.bearer) == (True, "")
    assert found.url("a/b.csv") == f"{PEER}/data/incoming/{PID}/a/b.csv"


def test_any_address_is_the_part_itself_or_the_folder_of_several() -> None:
    address = elsewhere("https://store.example/in?sig=1", "t0ken")
    assert read(address, is_single=True).url("a.csv") == "https://store.example/in?sig=1"
    assert read(elsewhere("https://store.example/in/")).url("a b.csv") == "https://store.example/in/a%20b.csv"
    assert read(address, is_single=True).bearer == "t0ken"
    assert "t0ken" not in repr(read(address, is_single=True))


def test_names_of_properties_are_taken_with_any_prefix_and_tokens_with_their_scheme() -> None:
    address = {
        "endpoint": "https://store.example/in",
        "endpointProperties": [
            {"name": "https://w3id.org/edc/v0.0.1/ns/authorization", "value": "Bearer abc"},
            {"name": "edc:authType", "value": "Bearer"},
        ],
    }
    assert read(address).bearer == "abc"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"endpoint": "ftp://store.example/in"}, Malformed),
        ({"endpoint": "https:///in"}, Malformed),
        ({"endpoint": "https://store.example/in#part"}, Malformed),
        ({"endpoint": "https://store.example/a b"}, Malformed),
        ({"endpoint": "https://store.example/\r\nX: y"}, Malformed),
        ({"endpoint": 7}, Malformed),
        ({"endpoint": "https://store.example/in?x=1"}, Malformed),  # all parts would go to one place
        ({"endpoint": "file:///etc/passwd"}, Malformed),
        ({"endpoint": "https://" + "a" * 3_000}, Malformed),
        ({"endpoint": "http://store.example/in"}, ForbiddenAddress),
        ({"endpointType": at_our_door(PEER)["endpointType"]}, ForbiddenAddress),
        ({"endpointType": at_our_door(PEER)["endpointType"], "endpoint": PEER + "/data/incoming/.."}, ForbiddenAddress),
        ({"endpointProperties": [{"name": "authorization", "value": "a\nb"}]}, Malformed),
        ({"endpointProperties": [{"name": "authType", "value": "basic"}]}, Malformed),
        ({"endpointProperties": [{"name": "authorization", "value": ["a"]}]}, Malformed),
    ],
)
def test_an_address_that_leads_elsewhere_or_nowhere_is_refused(changes: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        read({**elsewhere("https://store.example/in", "t"), **changes})


def test_the_head_of_a_part_is_read_as_it_was_written() -> None:
    said = {name.lower(): value for name, value in head_of(PART, 4).items()}
    found = upload_of(said)
    assert (found.offset, found.length, found.is_last, found.etag) == (4, 10, True, '"1"')
    assert (found.media_type, found.digest, found.filtered) == ("text/csv", DIGEST, False)
    assert digest_of(digest_field(DIGEST)) == DIGEST


@pytest.mark.parametrize(
    "changes",
    [
        {"upload-offset": "-1"},
        {"upload-offset": "01"},
        {"upload-offset": "1" * 19},
        {"upload-offset": "٣"},
        {"upload-offset": ""},
        {"upload-length": "1e3"},
        {"upload-complete": "yes"},
        {"upload-tag": "unquoted"},
        {"upload-tag": '"a"b"'},
        {"upload-type": "text"},
        {"upload-type": "text/csv\r\nx: y"},
        {"upload-filtered": "1"},
        {"content-type": "application/octet-stream"},
        {"content-encoding": "gzip"},
    ],
)
def test_a_field_that_cannot_be_read_is_refused_and_never_guessed(changes: dict[str, str]) -> None:
    said = {name.lower(): value for name, value in head_of(PART, 4).items()}
    with pytest.raises(Malformed):
        upload_of(said | changes)


def test_a_digest_of_another_kind_is_none() -> None:
    assert digest_of("md5=:AAAA:") == ""
    assert digest_of(f"sha-512=:AAAA:, {digest_field(DIGEST)}") == DIGEST
