"""The second half of the demonstration: two cities sign, use, refuse and revoke, by the commands of their operators.

Each command is printed before it runs, as a person would type it. Persons are named staff tokens, Aino at Helsinki and
Grace at London; their secrets lie beside the data folders, readable by nobody else. What is signed already is not
signed again, so the demonstration can be started as often as one likes.
"""

import subprocess
import time
from pathlib import Path
from typing import Any

from demo.cities import City

PLANS, SURVEYS, OFFER = "plans", "surveys", "mobility-survey"
PURPOSE = "PublicPolicyMaking"
WAIT_S = 60
PERSONS = {"helsinki": "aino", "london": "grace"}


def sign_and_revoke(helsinki: City, london: City) -> str:
    """Play it all; give what to try afterwards."""
    cities = (helsinki, london)
    for city in cities:
        _person(city)
    print("\nThe Digital Declaration: one document, two agreements, signed by both cities", flush=True)
    document = _declaration(helsinki, london)
    for one, other in ((helsinki, london), (london, helsinki)):
        mirror(one, other, PLANS)
    print("\nIn words, the same that both nodes enforce (also --lang fi, --lang sv)", flush=True)
    typed(london, "agreements", "explain", document)
    print("\nWould it be allowed? Helsinki asks its own node", flush=True)
    for action in ("index", "distribute", "sell"):
        typed(helsinki, "agreements", "simulate", "--peer", london.slug, "--action", action, "--collection", PLANS)
    print("\nA second agreement, on restricted data for one purpose, and its end", flush=True)
    _survey(helsinki, london)
    return _to_try(helsinki, london, document)


# ---------------------------------------------------------------- steps


def _declaration(helsinki: City, london: City) -> str:
    """Give the IRI of the declaration, signing it if that was not done before."""
    for each in helsinki.json("agreements", "list")["documents"]:
        if each["state"] == "in-force":
            print(f"in force already: {each['id']}", flush=True)
            return str(each["id"])
    words = ("--with", london.slug, "--cover", PLANS, "--their", PLANS, "--public")
    drafted = typed(helsinki, "agreements", "draft", "digital-declaration", *words, shown=False)
    document = next(line.split()[-1] for line in drafted.splitlines() if line.startswith("Both are parts of"))
    print("Aino at Helsinki proposes it, and thereby approves it", flush=True)
    typed(helsinki, "agreements", "propose", document, "--yes", "--token-file", secret(helsinki), shown=False)
    until(lambda: _waits(london, document), f"{london.name} to hear of it")
    print("Grace at London reads it, and approves both directions", flush=True)
    typed(london, "agreements", "approve", document, "--yes", "--token-file", secret(london), "--wait", str(WAIT_S))
    until(lambda: _in_force(helsinki, document), "the declaration to be in force at Helsinki")
    return document


def _survey(helsinki: City, london: City) -> None:
    offer = f"{helsinki.base_url}/offers/{OFFER}"
    if offer not in {each["id"] for each in helsinki.json("offers", "list")["offers"]}:
        terms = ("--set", f"purposes={PURPOSE}", "--set", "ends=2028-12-31", "--set", "transfer_basis=no-personal-data")
        shown_to = ("--to", london.slug, "--automatic", "--name", OFFER)
        typed(
            helsinki, "offers", "publish", SURVEYS, "--template", "restricted-data", *terms, *shown_to,
            "--token-file", secret(helsinki), shown=False,
        )  # fmt: skip
    typed(london, "agreements", "draft", "--with", helsinki.slug, "--offer", offer, shown=False)
    draft = next(each["id"] for each in london.json("agreements", "list")["drafts"])
    agreed = ("--yes", "--token-file", secret(london), "--wait", str(WAIT_S))
    print("Grace asks for the offer as it stands; Helsinki's node agrees by itself, as the offer says", flush=True)
    print("What was a draft becomes a negotiation, then an agreement, each with an id of its own", flush=True)
    typed(london, "agreements", "propose", draft, *agreed)
    held = [each for each in london.json("agreements", "list")["agreements"] if each["target"].endswith(SURVEYS)]
    agreement = str(held[0]["id"])
    mirror(london, helsinki, SURVEYS)
    print(f"\nHelsinki ends it: {london.name}'s copy is hidden at once and deleted as agreed", flush=True)
    reason = ("--yes", "--reason", "The survey is being corrected")
    typed(helsinki, "agreements", "revoke", agreement, *reason)
    local = f"{helsinki.slug}/{SURVEYS}"
    until(lambda: not _records(london, local), f"{london.name} to hide {local}")
    typed(london, "agreements", "show", agreement)
    print(f"{london.name} shows {_counted(_records(london, local))} of {local} now", flush=True)
    typed(london, "peers", "unfollow", helsinki.slug, SURVEYS, shown=False)


def mirror(one: City, other: City, collection: str) -> None:
    """Follow a collection of the other city, and wait until its records are here."""
    local = f"{other.slug}/{collection}"
    typed(one, "peers", "follow", other.slug, collection, shown=False)
    print(f"  {one.name}$ citynode exchange run {other.slug} --wait", flush=True)
    one.say("exchange", "run", other.slug, "--wait", must=False)
    until(lambda: _records(one, local), f"{one.name} to hold {local}")
    print(f"{one.name} holds {_counted(_records(one, local))} of {local}, for its own staff alone to see", flush=True)


def _to_try(helsinki: City, london: City, document: str) -> str:
    citynode = f"CITYNODE_DATA={short(london.folder)} .venv/bin/citynode"
    mirror = f"{london.base_url}/collections/{helsinki.slug}/{PLANS}"
    return f"""
Helsinki and London have signed the Digital Declaration. London's restricted mirror, without and with Grace's token:
  curl -i {mirror}
  curl -H "Authorization: Bearer $(cat {short(Path(secret(london)))})" {mirror}.ttl
The public register of agreements, and the declaration in three languages:
  {london.base_url}/collections/agreements
  {citynode} agreements explain {document} --lang fi
  {citynode} agreements list --all
"""


# ---------------------------------------------------------------- looking


def _in_force(city: City, document: str) -> bool:
    found = city.json("agreements", "list")["documents"]
    return any(each["id"] == document and each["state"] == "in-force" for each in found)


def _waits(city: City, document: str) -> bool:
    talks: list[Any] = city.json("agreements", "list")["negotiations"]
    return sum(each["part_of"] == document and each["waits_for"] == "us" for each in talks) > 1


def _records(city: City, collection: str) -> int:
    return sum(each["records"] for each in city.json("catalog", "stats") if each["collection"] == collection)


def _counted(records: int) -> str:
    return "1 record" if records == 1 else f"{records} records"


def until(holds: Any, what: str) -> None:
    """Wait until something holds; ends the demonstration if it does not come."""
    end = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > end:
            print(f"waited {WAIT_S} s for {what}", flush=True)
            raise subprocess.CalledProcessError(3, what)
        time.sleep(0.2)


# ---------------------------------------------------------------- typing


def typed(city: City, *words: str, shown: bool = True) -> str:
    """Print a command as it is typed, run it, and print what it said."""
    spelt = " ".join(f"'{word}'" if " " in word else _short_word(word) for word in words)
    print(f"  {city.name}$ citynode {spelt}", flush=True)
    said = city.ask(*words)
    if shown:
        print("\n".join(f"    {line}".rstrip() for line in said.splitlines()), flush=True)
    return said


def _person(city: City) -> None:
    """Issue the staff token of the city's person, once."""
    file = Path(secret(city))
    if not file.exists():
        issued = city.ask("tokens", "issue", PERSONS[city.slug], "--staff")
        file.touch(mode=0o600)
        file.write_text(issued)


def secret(city: City) -> str:
    """Give the file with the token of a city's person."""
    return str(city.folder.with_name(f"{city.folder.name}-{PERSONS[city.slug]}.token"))


def short(path: Path) -> Path:
    """Give a path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _short_word(word: str) -> str:
    return str(short(Path(word))) if word.startswith("/") else word
