"""How the commands on agreements read what was typed and print what stands: lines for people, nothing for programs.

Terms come from a template with values for its places, from a file of JSON, or from sentences as `explain` writes them.
What was typed wrongly is said in one line, before anything is written.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.cli import say
from node.cli.plain_files import open_plain
from node.ends import closes_a_day, last_ms
from node.errors import Conflict, Malformed, Misconfigured, NotFound

if TYPE_CHECKING:
    from node.federation.agreement_desk.drafting import Wish, Words
    from node.federation.agreement_desk.office import AgreementOffice

MAX_FILE_BYTES = 256 * 1024
_SHORT = 8
_TERMS = ("about", "rules")
_EXPLAINED = ("lang", "document", "parts")
_PART = ("id", "title", "assigner", "assignee", "target", "terms", "sections", "text")


def words_of(
    office: "AgreementOffice",
    template: str,
    places: Sequence[str] | None,
    file: Path | None,
    standing: str,
    lang: str,
    said: Mapping[str, Any],
) -> "Words":
    """Put together what somebody wants an agreement to say.

    Args:
        office: Reads sentences, by the names in what stands.
        template: Name of a template, or empty.
        places: `place=value`, for the template.
        file: JSON with `about` and `rules`, or sentences.
        standing: The name of what the sentences are another version of.
        lang: The language of the sentences.
        said: title, until, review, contacts, public.

    Raises:
        Misconfigured: A template and a file, or a place without a value.
        NotFound, Conflict, Malformed: The file is none, or says nothing that can be read.
    """
    from node.federation.agreement_desk.drafting import Words

    if template and file:
        raise Misconfigured("Terms come from one place.", fix="Give a template or a file, not both.")
    if places and not template:
        raise Misconfigured(
            "Places are filled in a template.", fix="Name it; citynode agreements templates lists them."
        )
    about, rules = _from_file(office, file, standing, lang) if file else ({}, None)
    return Words(template=template, values=_values(places or ()), rules=rules, about=about, lang=lang, **said)


def _values(places: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in places:
        name, equals, value = each.partition("=")
        if not equals or not name or name in found:
            raise Misconfigured(f"{each[:80]!r} fills no place.", fix="Write PLACE=VALUE, each place once.")
        found[name] = value
    return found


def _from_file(
    office: "AgreementOffice", file: Path, standing: str, lang: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    from node.federation.signing.integrity import strict_json

    text = _read(file)
    if not text.lstrip().startswith("{"):
        if not standing:
            raise Malformed("Sentences are read as another version of something.", fix="Name it: --replaces NAME")
        return {}, office.readings.words_of(text, standing, lang)
    said = _part(strict_json(text, max_bytes=MAX_FILE_BYTES))
    about, rules = said.get("about", {}), said.get("rules")
    if not isinstance(about, dict) or not isinstance(rules, dict):
        raise Malformed(f"{file} does not say about and rules.", fix="See: citynode agreements explain NAME --json")
    return about, rules


def _part(said: dict[str, Any]) -> dict[str, Any]:
    """Give what says about and rules: the file, or the one part of what `explain --json` writes, given back as it is.

    Raises:
        Malformed: It has a member that nobody reads: a slip there would be terms that nobody sees.
    """
    parts, known = said.get("parts"), {*_TERMS}
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict):
        _check_members(said, _EXPLAINED)
        said, known = parts[0], {*_TERMS, *_PART}
    _check_members(said, known)
    return said


def _check_members(said: Mapping[str, Any], known: Collection[str]) -> None:
    odd = sorted(said.keys() - set(known))
    if odd:
        raise Malformed(f"Terms have no member {odd[0][:80]!r}.", fix="Write about and rules, and nothing beside them.")


def _read(file: Path) -> str:
    try:
        with open_plain(file) as opened_file:
            body = opened_file.read(MAX_FILE_BYTES + 1)
        if len(body) > MAX_FILE_BYTES:
            raise Malformed(f"{file} has more than {MAX_FILE_BYTES} bytes.")
        return body.decode()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {file}.") from error
    except UnicodeDecodeError as error:
        raise Malformed(f"{file} is no text in UTF-8.") from error
    except OSError as error:
        raise Conflict(f"{file} cannot be read: {error.strerror}.") from error


def wish_of(
    peer: str,
    words: "Words",
    role: str,
    covers: tuple[Sequence[str], Sequence[str]],
    named: tuple[str, str, str],
) -> "Wish":
    """Put together the draft that somebody wants; `covers` are ours and theirs, `named` target, replaced and offer."""
    from node.federation.agreement_desk.drafting import Wish

    (ours, theirs), (target, replaces, offer) = covers, named
    by_default = "consumer" if theirs and not ours and not role else role
    return Wish(
        peer=peer,
        words=words,
        role=by_default,
        target=target,
        covers=tuple(ours),
        theirs=tuple(theirs),
        replaces=replaces,
        offer=offer,
    )


# ---------------------------------------------------------------- printing


def print_places(places: Sequence[Mapping[str, Any]]) -> None:
    """Print the places of a template, and of each choice what its names stand for."""
    say.table(
        ("place", "kind", "needed", "default", "write such as", "what it says"),
        [(p["name"], p["kind"], "yes" if p["needed"] else "", p["default"], p["example"], p["help"]) for p in places],
    )
    for place in places:
        if place["choices"]:
            say.line(f"{place['name']} is one of:")
            say.table(("name", "what it says"), list(place["choices"].items()))


def print_thing(found: Mapping[str, Any]) -> None:
    """Print how one thing stands."""
    kind = found["kind"]
    if kind == "document":
        say.line(f"Document {found['id']}: {found['title']}, {found['effect']}")
        for each in found["parts"]:
            print_thing(each)
        return
    title = f"{found['title']}, " if found.get("title") else ""
    say.line(f"{kind.capitalize()} {name_of(found)}: {title}{_state(found)}")
    for label, value in _facts(found):
        say.line(f"  {label + ':':<14}{value}")


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    if found.get("peer"):
        we = "we grant" if found["role"] == "provider" else "we ask"
        said.append(("with", f"{found['peer']} ({we})"))
    said += [(label, _day(str(found[key])) if key == "ends_at" else str(found[key])) for label, key in _LINES
             if found.get(key)]  # fmt: skip
    said += [("covers", each) for each in found.get("covers", []) if found.get("covers") != [found["target"]]]
    for label, side in (("our own word", found.get("ours")), ("their word", found.get("theirs"))):
        if side and side["state"]:
            said.append((label, f"{_state(side)} since {side['at']} {side['reason']}".rstrip()))
    if found.get("notice"):
        said.append(("notice", f"{found['notice']['state']}: {found['notice']['sentence']}"))
    if "approvals" in found:
        said.append(("approved by", _approved(found)))
    said += [(label, found[key]) for label, key in _ENDS if found.get(key)]
    return said


_LINES = (
    ("is", "effect"),
    ("target", "target"),
    ("part of", "part_of"),
    ("replaces", "replaces"),
    ("agreed", "agreed_at"),
    ("begins", "starts_at"),
    ("ends", "ends_at"),
    ("review", "review_at"),
    ("digest", "digest"),
)
_ENDS = (("reason", "reason"), ("waits for", "waits"), ("trouble", "trouble"), ("next", "next"))
_MAX_TROUBLE = 160
_FEW = 3


def _state(thing: Mapping[str, Any]) -> str:
    """Give the state in words; programs read it with a hyphen."""
    return str(thing["state"]).replace("-", " ")


def _approved(found: Mapping[str, Any]) -> str:
    if found.get("agreed_at") and not found["approvals"]:
        return "nobody: the node agreed by itself, as the offer says"
    names = "; ".join(f"{each['person']}, {each['at'][:10]}" for each in found["approvals"]) or "nobody yet"
    missing = found["approvals_missing"]
    return f"{names}; {missing} more needed" if missing else names


def print_lists(found: Mapping[str, Any]) -> None:
    """Print everything that stands, and what a person should know of it."""
    rows = [
        (name_of(each), each["peer"], "grants" if each["role"] == "provider" else "asks", _collections(each),
         each["title"], _state(each), _waits(each), each["next"])
        for each in (*found["agreements"], *found["negotiations"], *found["drafts"])
    ]  # fmt: skip
    if rows:
        say.table(("name", "peer", "we", "collection", "title", "state", "waits for", "next"), rows)
    else:
        say.line("No agreements yet. Begin with: citynode agreements templates")
    for each in found["documents"]:
        say.line(f"{each['title']}: {each['effect']} ({each['id']})")
    for each in found["reminders"]:
        say.note(f"! {each['sentence']}")


def _waits(each: Mapping[str, Any]) -> str:
    who = {"us": "us: ", "them": ""}.get(each["waits_for"], "")
    trouble = str(each.get("trouble", ""))
    short = trouble if len(trouble) <= _MAX_TROUBLE else trouble[: _MAX_TROUBLE - 3] + "..."
    return f"{who}{each['waits']}" + (f" (the last attempt failed: {short})" if trouble else "")


def _collections(found: Mapping[str, Any]) -> str:
    """Name what it covers shortly: the names of collections, or what ends the IRIs."""
    names = [str(each).rstrip("/").rpartition("/")[2] for each in found.get("covers") or [found["target"]]]
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")


def _day(moment: str) -> str:
    """Say an end that is the end of a day as that day; any other as it is."""
    end_ms = round(datetime.fromisoformat(moment).timestamp() * 1000)
    if not closes_a_day(end_ms):
        return moment
    last = datetime.fromtimestamp(last_ms(end_ms) // 1000, UTC)
    return f"{last.day} {last:%B} {last.year} (included)"


def name_of(found: Mapping[str, Any]) -> str:
    """Give the name that is typed: the beginning of an id; of a document its IRI."""
    return str(found["id"]) if found["kind"] == "document" else str(found["id"]).rpartition("/")[2][:_SHORT]


def print_asked(drafts: Sequence[Mapping[str, Any]]) -> None:
    """Say what is asked of the other city where nobody named it."""
    for each in drafts:
        if each["role"] == "consumer":
            asked = ", ".join(each["covers"] or [each["target"]])
            say.line(f"Asked of {each['peer']}: {asked}. To ask for something else: --their COLLECTION")


def print_still_open(found: Mapping[str, Any]) -> None:
    """Say what other agreements go on opening of what was just closed."""
    for each in found.get("still_open", ()):
        what, under = (str(each[key]).rpartition("/")[2] for key in ("covers", "agreement"))
        say.line(f"{what} stays open to {each['peer']} under {under[:_SHORT]}.")


def print_simulation(found: Mapping[str, Any]) -> None:
    """Print what would be decided, and why."""
    say.line(f"{found['peer']}: {'allowed' if found['allowed'] else 'refused'}. {found['why']}")
    for label, key in (("agreement", "agreement"), ("clause", "clause"), ("says", "sentence"), ("operand", "operand")):
        if found.get(key):
            say.line(f"  {label + ':':<11}{found[key]}")
    if found.get("unlooked"):
        say.note(str(found["unlooked"]))
