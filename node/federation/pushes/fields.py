"""The header fields by which a part is brought to a city's door, written and read. Pure.

Offset, length and completeness are those of resumable uploads (draft-ietf-httpbis-resumable-upload); the rest is ours:
`Upload-Tag` is the version of the part at its origin, `Upload-Type` its media type, `Upload-Filtered` that rows were
left out. Numbers are bounded, and what cannot be read is refused rather than guessed.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from node.errors import Malformed
from node.federation.moving import Part
from node.federation.pushes.incoming import Upload
from node.federation.pushes.store import Arrived

MEDIA_TYPE = "application/partial-upload"
YES, NO = "?1", "?0"
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,17})\Z")
_TAG = re.compile(r'"[\x21\x23-\x7e]{0,500}"\Z')
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,120}/[a-z0-9!#$&^_.+-]{1,120}(?:;[\x20-\x7e]{0,200})?\Z", re.IGNORECASE)
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")


def head_of(part: Part, offset: int) -> dict[str, str]:
    """Write the fields of a request that brings a part from a byte on, up to its end."""
    head = {
        "Content-Type": MEDIA_TYPE,
        "Upload-Offset": str(offset),
        "Upload-Complete": YES,
        "Upload-Tag": part.etag,
        "Upload-Type": part.media_type,
    }
    head |= {"Upload-Length": str(part.size)} if part.size is not None else {}
    head |= {"Repr-Digest": digest_field(part.digest)} if part.digest else {}
    return head | ({"Upload-Filtered": YES} if part.filtered else {})


def upload_of(headers: Mapping[str, str]) -> Upload:
    """Read the fields of a request; names in lower case. Raises Malformed."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise Malformed(f"Bytes of a part are sent as {MEDIA_TYPE}.", fix="Say so in Content-Type.")
    if headers.get("content-encoding", "identity") != "identity":
        raise Malformed("A compressed body is not taken here.", fix="Send it as it is.")
    length = headers.get("upload-length", "")
    digest = headers.get("repr-digest", "")
    return Upload(
        offset=_number(headers.get("upload-offset", ""), "Upload-Offset"),
        length=_number(length, "Upload-Length") if length else -1,
        is_last=_truth(headers.get("upload-complete", NO), "Upload-Complete"),
        etag=_shaped(headers.get("upload-tag", ""), "Upload-Tag", _TAG),
        media_type=_shaped(headers.get("upload-type", "application/octet-stream"), "Upload-Type", _TYPE),
        digest=digest_of(digest) if digest else "",
        filtered=_truth(headers.get("upload-filtered", NO), "Upload-Filtered"),
    )


def fields_of(one: Arrived) -> dict[str, str]:
    """Write how far a part has come."""
    told = {"Upload-Offset": str(one.got), "Upload-Complete": YES if one.whole else NO}
    told |= {"Upload-Length": str(one.size)} if one.size >= 0 else {}
    told |= {"Repr-Digest": digest_field(one.digest)} if one.digest else {}
    return told | ({"Upload-Tag": one.etag} if one.etag else {})


def offset_of(headers: Mapping[str, str]) -> tuple[int, bool, str]:
    """Read how far a part has come: the offset, whether it is whole, and of which version. Raises Malformed."""
    offset = _number(headers.get("upload-offset", ""), "Upload-Offset")
    return offset, _truth(headers.get("upload-complete", NO), "Upload-Complete"), headers.get("upload-tag", "")


def digest_field(digest: str) -> str:
    """Write `sha256:` and hex as RFC 9530 has it."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(digest.removeprefix('sha256:'))).decode()}:"


def digest_of(field: str) -> str:
    """Read a SHA-256 as RFC 9530 has it; empty where there is none of that kind. Raises Malformed."""
    found = _DIGEST.search(field[:2_000])
    try:
        return f"sha256:{base64.b64decode(found[1], validate=True).hex()}" if found else ""
    except binascii.Error as error:
        raise Malformed("Repr-Digest cannot be read.") from error


def _number(said: str, name: str) -> int:
    return int(_shaped(said, name, _NUMBER))


def _truth(said: str, name: str) -> bool:
    if said not in (YES, NO):
        raise Malformed(f"{name} is {YES} or {NO}.")
    return said == YES


def _shaped(said: str, name: str, shape: re.Pattern[str]) -> str:
    if not shape.match(said):
        raise Malformed(f"{name} cannot be read.", fix="See docs/data.md for what it may say.")
    return said
