"""The receipt of a transfer: written by the end that completes it, read strictly, compared with the other end's books.

It says what moved and under what: parts with bytes and digests, agreement and clause, purpose, times. It names cities
and datasets and nobody else. The end that has verified the bytes signs first; the other compares every member with what
it knows itself, and either signs the very same bytes or says what differs. Pure: books and clock are handed in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.errors import Malformed
from node.federation.dialogues.outgoing import GIVE_UP_MS
from node.federation.evidence.proofs import SKEW_MS
from node.federation.evidence.statements import CONTEXT, TYPES
from node.federation.moving import FORMATS, MAX_PARTS, MAX_RECEIPT, PULL, Going, Moved, checked_part
from node.federation.signing.integrity import Json, jcs, strict_json, unsecured
from node.keys.public import moment, ms_of

MAX_TOLD = 100  # differences in one statement; what is beyond is counted
_TEXTS = (
    *("id", "providerPid", "consumerPid", "provider", "consumer"),
    *("agreement", "agreementDigest", "clause", "purpose", "dataset", "format"),
)
_TIMES = ("requestedAt", "startedAt", "completedAt")
_MEMBERS = frozenset(("@context", "type", *_TEXTS, "parts", *_TIMES))
_PART: Mapping[str, type] = {"part": str, "mediaType": str, "bytes": int, "digest": str, "filtered": bool}
_MAX_TEXT = 2_000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
# Whatever an origin or a peer says of its type, a receipt has a short one: with its parameters it has no bound.
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}\Z")
_ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Under:
    """What a transfer is under: the digest of its agreement, and the clause that permits it by our reading."""

    digest: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One member that the two ends know otherwise, as each would write it."""

    member: str
    ours: str
    theirs: str

    def document(self) -> dict[str, str]:
        """Give it as JSON values."""
        return {"member": self.member, "ours": self.ours, "theirs": self.theirs}


def signers_of(receipt: Mapping[str, Any]) -> tuple[str, str]:
    """Say which two cities sign a receipt, the one that completes first: whoever got the bytes, or pushed them."""
    provider, consumer = str(receipt["provider"]), str(receipt["consumer"])
    return (consumer, provider) if receipt["format"] == PULL else (provider, consumer)


def composed(transfer: Going, moved: Sequence[Moved], *, own_url: str, under: Under, completed_ms: int) -> Json:
    """Write the receipt of a transfer as we know it, unsigned."""
    provides = transfer.role == "provider"
    provider, consumer = (own_url, transfer.peer) if provides else (transfer.peer, own_url)
    provider_pid, consumer_pid = (transfer.pid, transfer.other_pid) if provides else (transfer.other_pid, transfer.pid)
    started_ms = max(transfer.started_at, transfer.created_at)
    return {
        "@context": list(CONTEXT),
        "type": TYPES["receipt"],
        "id": f"{provider}/receipts/{provider_pid}",
        "providerPid": provider_pid,
        "consumerPid": consumer_pid,
        "provider": provider,
        "consumer": consumer,
        "agreement": transfer.agreement,
        "agreementDigest": under.digest,
        "clause": transfer.clause or under.clause,
        "purpose": transfer.purpose,
        "dataset": transfer.dataset,
        "format": transfer.format,
        "parts": [part_of(each) for each in sorted(moved, key=lambda each: each.part)],
        "requestedAt": moment(transfer.created_at),
        "startedAt": moment(started_ms),
        "completedAt": moment(max(completed_ms, started_ms)),
    }


def part_of(each: Moved) -> Json:
    """Write what moved of one part."""
    media_type = each.media_type.partition(";")[0].strip().lower()
    return {
        "part": each.part,
        "mediaType": media_type if not media_type or _TYPE.match(media_type) else _ANY_TYPE,
        "bytes": each.bytes,
        "digest": each.digest,
        "filtered": each.filtered,
    }


# ---------------------------------------------------------------- reading


def read(text: str) -> Json:
    """Read a receipt, whoever signed it; its proofs are taken along and not judged.

    Raises:
        Malformed: It is no receipt in its canonical form.
        TooLarge: It is longer or deeper than is read.
    """
    said = strict_json(text, max_bytes=MAX_RECEIPT)
    if jcs(said) != text.encode():
        raise Malformed("The receipt is not in its canonical form (RFC 8785).")
    bare = unsecured(said)
    if bare.keys() != _MEMBERS or said["type"] != TYPES["receipt"] or said["@context"] != list(CONTEXT):
        raise Malformed("A receipt has exactly the members of a TransferReceipt of this version.")
    for name in _TEXTS:
        if not isinstance(said[name], str) or len(said[name]) > _MAX_TEXT:
            raise Malformed(f"The {name} of the receipt is no text of at most {_MAX_TEXT} characters.")
    if said["format"] not in FORMATS:
        raise Malformed("The receipt is of no format that there is.")
    if said["id"] != f"{said['provider']}/receipts/{said['providerPid']}":
        raise Malformed("The receipt is not named by its provider and the provider's id of the transfer.")
    _check_parts(said["parts"])
    requested, started, completed = (ms_of(said[name]) for name in _TIMES)
    if not requested <= started <= completed:
        raise Malformed("The times of the receipt are not in their order.")
    return said


def _check_parts(parts: object) -> None:
    if not isinstance(parts, list) or len(parts) > MAX_PARTS:
        raise Malformed(f"The parts of a receipt are a list of at most {MAX_PARTS}.")
    for each in parts:
        if not isinstance(each, dict) or each.keys() != _PART.keys():
            raise Malformed("A part of the receipt has other members than it should.")
        if any(type(each[name]) is not kind for name, kind in _PART.items()) or each["bytes"] < 0:
            raise Malformed("A member of a part of the receipt has the wrong type.")
        checked_part(each["part"])
        if not _DIGEST.match(each["digest"]) or len(each["mediaType"]) > _MAX_TEXT:
            raise Malformed("The digest of a part is sha256: and 64 hexadecimal digits.")
    names = [each["part"] for each in parts]
    if names != sorted(set(names)):
        raise Malformed("The parts of a receipt stand in order of their names, each once.")


# ---------------------------------------------------------------- comparing


def differences(ours: Json, theirs: Json, *, provides: bool, now_ms: int) -> list[Difference]:
    """Say what the other end's receipt says otherwise than our books; nothing if it can be signed.

    A digest or a clause that our books do not have is theirs to say. Each end knows by its own clock when messages
    came: the end that asks does so before the other hears it, and the start goes the other way.

    Args:
        ours: As we would write it.
        theirs: As it came, read.
        provides: Whether we are the provider.
        now_ms: The time.
    """
    found = [
        Difference(name, ours[name], theirs[name])
        for name in _TEXTS
        if ours[name] != theirs[name] and not (name == "clause" and "" in (ours[name], theirs[name]))
    ]
    found += _of_parts(ours["parts"], theirs["parts"])
    return found + _of_times(ours, theirs, provides=provides, now_ms=now_ms)


def _of_parts(ours: Sequence[Json], theirs: Sequence[Json]) -> list[Difference]:
    mine, told = ({each["part"]: each for each in parts} for parts in (ours, theirs))
    found: list[Difference] = []
    for name in sorted(mine.keys() | told.keys()):
        if name not in mine or name not in told:
            found.append(Difference(f"parts/{name}", _there(mine.get(name)), _there(told.get(name))))
            continue
        one, other = mine[name], told[name]
        found += [
            Difference(f"parts/{name}/{member}", str(one[member]), str(other[member]))
            for member in ("bytes", "digest", "filtered")
            if one[member] not in ("", other[member])
        ]
    return found


def _there(part: Json | None) -> str:
    return f"{part['bytes']} bytes" if part else ""


def _of_times(ours: Json, theirs: Json, *, provides: bool, now_ms: int) -> list[Difference]:
    told = {name: ms_of(theirs[name]) for name in _TIMES}
    mine = {name: ms_of(ours[name]) for name in _TIMES}
    # What one end sends, the other hears afterwards, at most as long afterwards as a message waits.
    heard, sent = (mine, told) if provides else (told, mine)
    asked_ms = heard["requestedAt"] - sent["requestedAt"]
    began_ms = sent["startedAt"] - heard["startedAt"]
    wrong = [name for name, late in (("requestedAt", asked_ms), ("startedAt", began_ms)) if not _is_sound(late)]
    if not -GIVE_UP_MS - SKEW_MS <= told["completedAt"] - now_ms <= SKEW_MS:
        wrong.append("completedAt")
    return [Difference(name, str(ours[name]), str(theirs[name])) for name in wrong]


def _is_sound(late_ms: int) -> bool:
    return -SKEW_MS <= late_ms <= GIVE_UP_MS + SKEW_MS
