"""How agreements are said on the desk: stages, who is waited for, what may be done next, as keys of the words. Pure.

The offices say these things in English, for commands and programs; pages say them in their reader's language, out of
the same values. Times of the offices' answers are RFC 3339 and become milliseconds here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
LANGUAGES = ("en", "fi", "sv")
_OVER = frozenset({"revoked", "superseded", "expired", "ended"})
# Where a side may still answer with other terms: our role, and the state of the protocol.
_COUNTER = frozenset({("provider", "REQUESTED"), ("consumer", "OFFERED")})
_STOPPED = frozenset({"suspended", "not-yet", "agreed"})


@dataclass(frozen=True, slots=True)
class Can:
    """What may be done with a thing as it stands, whoever does it."""

    propose: bool = False
    rewrite: bool = False
    counter: bool = False
    approve: bool = False
    go_on: bool = False
    suspend: bool = False
    resume: bool = False
    revoke: bool = False
    drop: bool = False
    replace: bool = False


def ms(moment: object) -> int:
    """Give a time of an office's answer in milliseconds, 0 for none."""
    return int(datetime.fromisoformat(moment).timestamp() * 1000) if isinstance(moment, str) and moment else 0


def stage(thing: Json) -> str:
    """Give the key of the words for how a thing stands."""
    return "desk.agr.stage." + str(thing["state"]).replace(" ", "-")


def look(thing: Json) -> str:
    """Say how a stage looks: ok, warn or quiet; the word stands beside it."""
    state = str(thing["state"])
    if state in ("in-force", "in force"):
        return "ok"
    return "quiet" if state in _OVER else "warn" if thing.get("waits_for") == "us" or state in _STOPPED else ""


def waits(thing: Json) -> str:
    """Give the key of the sentence that says who is waited for; empty where nobody is."""
    missing = int(thing.get("approvals_missing", 0) or 0)
    if thing["kind"] == "draft":
        return "desk.agr.waits.draft" if missing else "desk.agr.waits.draft_ready"
    if thing["kind"] != "negotiation" or thing["waits_for"] == "nobody":
        return ""
    if thing["waits_for"] == "them":
        return "desk.agr.waits.them"
    if not missing or thing["sending"]:
        return "desk.agr.waits.sending"
    return "desk.agr.waits.us" if missing > 1 else "desk.agr.waits.us_one"


def needs_us(thing: Json) -> bool:
    """Tell whether a person of ours is waited for."""
    return thing["kind"] == "negotiation" and waits(thing) in ("desk.agr.waits.us", "desk.agr.waits.us_one")


def can(thing: Json) -> Can:
    """Say what may be done with one thing."""
    if thing["kind"] == "draft":
        return Can(propose=True, rewrite=True, approve=thing["approvals_missing"] > 0, drop=True)
    if thing["kind"] == "negotiation":
        final = thing["protocol_state"] in ("FINALIZED", "TERMINATED")
        open_terms = (thing["role"], thing["protocol_state"]) in _COUNTER and thing["waits_for"] != "nobody"
        return Can(
            counter=open_terms,
            approve=not final and thing["approvals_missing"] > 0,
            go_on=not final,
            revoke=not final,
        )
    if thing["kind"] == "agreement":
        return _can_standing(thing)
    return Can()


def _can_standing(thing: Json) -> Can:
    state, ours = thing["state"], thing["ours"]["state"]
    over = state in ("revoked", "superseded")
    return Can(
        suspend=not over and state != "expired" and ours == "in-force",
        resume=not over and state != "expired" and ours == "suspended",
        revoke=not over and state != "expired",
        replace=state != "revoked",
    )


def covers(thing: Json) -> list[str]:
    """Give the IRIs of what a thing covers."""
    return [str(each) for each in thing.get("covers") or [thing.get("target", "")]]


def course(thing: Json) -> Sequence[tuple[int, str, str, str]]:
    """Give what happened to a thing, the newest first: time, key of the words, style, reason."""
    found = [(ms(thing["created_at"]), "desk.agr.step.begun", "done", "")] if thing.get("created_at") else []
    found += [
        (ms(each["at"]), "desk.agr.step.approved", "done", str(each["person"])) for each in thing.get("approvals", ())
    ]
    found += [
        (ms(each["at"]), f"desk.agr.said.{each['direction']}.{each['message']}", "done", "")
        for each in thing.get("history", ())
    ]
    if thing["kind"] == "agreement":
        found += _standing(thing)
    return sorted(found, key=lambda one: one[0])[::-1]


def _standing(thing: Json) -> list[tuple[int, str, str, str]]:
    found = [(ms(thing["agreed_at"]), "desk.agr.step.agreed", "done", "")]
    for side in ("ours", "theirs"):
        said = thing[side]
        if said["state"] and ms(said["at"]):
            style = "held" if said["state"] == "suspended" else "done"
            found.append((ms(said["at"]), f"desk.agr.step.{side}.{said['state']}", style, str(said["reason"] or "")))
    if thing["state"] in _OVER:
        return found
    coming = [(ms(thing[key]), f"desk.agr.step.{key}", "off", "") for key in ("review_at", "ends_at") if ms(thing[key])]
    return [*found, *coming]
