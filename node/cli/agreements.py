"""Commands on agreements: from a template to what both cities signed, and what is done with it afterwards.

A draft is proposed, countered, approved by persons who show their own staff token, and signed when enough have; what
goes out is sent by the command itself, so no worker of ours has to run. A thing is named by the beginning of its id or
by its IRI. What changes much is shown first and asked for, unless `--yes` says that somebody has looked.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from node.cli import say
from node.cli.agreement_words import (
    name_of,
    print_asked,
    print_lists,
    print_places,
    print_simulation,
    print_still_open,
    print_thing,
    wish_of,
    words_of,
)
from node.cli.asking import YesOption, confirm
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Conflict, Misconfigured, NotFound

if TYPE_CHECKING:
    from node.assembly import Node
    from node.federation.agreement_desk.office import AgreementOffice

app = typer.Typer(help="Agreements: what two cities may do with each other's collections.", no_args_is_help=True)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The beginning of an id, or the IRI of an agreement or document.")
]
LangOption = Annotated[str, typer.Option("--lang", metavar="en|fi|sv", help="The language of the sentences.")]
TokenOption = Annotated[str, typer.Option("--token", metavar="SECRET", help="The approving person's staff token.")]
TokenFileOption = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="The same, from a file; - for standard input.")
]
WaitOption = Annotated[int, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait for the other city so long.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the other city reads it.")]
NeededReason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; the other city reads it. Required, but for a draft.")
]
_WAITS = 3
_LOOK = "Look at it first, then add --yes."
PeerOption = Annotated[str, typer.Option("--with", metavar="PEER", help="The other city, by its name here.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="PLACE=VALUE", help="Fill a place of the template; repeatable.")
]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Terms as JSON (about, rules), or the sentences that explain writes."),
]
TitleOption = Annotated[str, typer.Option("--title", help="What it is called.")]
UntilOption = Annotated[str, typer.Option("--until", metavar="DATE", help="The last day of all that is permitted.")]
ReviewOption = Annotated[str, typer.Option("--review", metavar="DATE", help="When both cities look at it again.")]
ContactOption = Annotated[
    list[str] | None, typer.Option("--contact", metavar="TEXT", help="A role mailbox or an office; repeatable.")
]
PublicOption = Annotated[
    bool | None, typer.Option("--public/--not-public", help="Whether both cities publish the agreement.")
]


def person_of(node: "Node", token: str, token_file: Path | None, *, needed: bool = True) -> str:
    """Give the name of the person whose token was shown; empty if none was and none is needed."""
    if token and token_file:
        raise Misconfigured("A person shows one token.", fix="Give --token or --token-file, not both.")
    if not token and not token_file:
        if needed:
            raise Misconfigured(
                "A person approves by showing a staff token.",
                fix="Give --token-file FILE; tokens are made by: citynode tokens issue NAME --staff",
            )
        return ""
    secret = token or _read(cast("Path", token_file))
    return node.federation.agreeing.persons.named(secret, now_ms())


def _read(file: Path) -> str:
    if str(file) == "-":
        return sys.stdin.readline().strip()
    try:
        with file.open() as opened_file:
            return opened_file.read(1_000).strip()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {file}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Conflict(f"{file} cannot be read.", fix="See its permissions.") from error


def _office(node: "Node") -> "AgreementOffice":
    return node.federation.agreeing.office


# ---------------------------------------------------------------- reading


@app.command()
def templates(
    name: Annotated[str | None, typer.Argument(metavar="TEMPLATE", help="One of them, with its places.")] = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
    _data: DataOption = None,
) -> None:
    """List the templates, or the places of one that are to be filled in."""
    from node.federation.agreement_desk.readings import template_shown, templates_shown

    found = [template_shown(name, lang)] if name else templates_shown(lang)
    if as_json:
        say.document(found[0] if name else found)
        return
    if not name:
        say.table(("template", "title", "places"), [(t["id"], t["title"], len(t["places"])) for t in found])
        return
    say.line(f"{found[0]['id']}: {found[0]['title']}")
    print_places(found[0]["places"])


@app.command("list")
def list_(
    peer: PeerOption = "",
    ended: Annotated[bool, typer.Option("--all", help="Also what has ended.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List drafts, negotiations and agreements: how each stands, who is waited for, what comes next."""
    with opened(data) as node:
        found = _office(node).list(peer=peer, ended=ended)
    if as_json:
        say.document(found)
        return
    print_lists(found)


@app.command()
def show(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show how one thing stands: a draft, a negotiation, an agreement, or a document of two."""
    with opened(data) as node:
        found = _office(node).show(name)
    _answer(found, as_json)


@app.command()
def explain(name: NameArgument, lang: LangOption = "en", as_json: JsonOption = False, data: DataOption = None) -> None:
    """Say in plain sentences what it permits, forbids and asks for; these are what is enforced."""
    with opened(data) as node:
        found = _office(node).readings.explain(name, lang)
    if as_json:
        say.document(found)
        return
    _say_parts(found)


@app.command()
def diff(
    name: NameArgument,
    other: Annotated[str, typer.Argument(metavar="[OLDER]", help="What to compare it with.")] = "",
    lang: LangOption = "en",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say what changed, as sentences: between the last two versions, or from what it replaces."""
    with opened(data) as node:
        found = _office(node).readings.diff(name, other, lang=lang)
    if as_json:
        say.document(found)
        return
    say.lines(found["text"].rstrip("\n").split("\n") if found["changes"] else ["Nothing changed."])


@app.command()
def simulate(
    peer: Annotated[str, typer.Option("--peer", metavar="PEER", help="Who would do it.")],
    action: Annotated[str, typer.Option("--action", metavar="ACTION", help="index, read, use, distribute …")],
    collection: Annotated[
        str, typer.Option("--collection", metavar="NAME", help="One of our collections, or an IRI; else say --record.")
    ] = "",
    purpose: Annotated[
        str, typer.Option("--purpose", metavar="IRI", help="For what: an IRI, or its DPV name alone.")
    ] = "",
    record: Annotated[
        str, typer.Option("--record", metavar="IRI", help="One dataset or other record: its IRI, or the end of it.")
    ] = "",
    recipient: Annotated[str, typer.Option("--recipient", metavar="IRI", help="For whom, if not for itself.")] = "",
    channel: Annotated[str, typer.Option("--channel", help="feed, page, search, sparql or transfer.")] = "",
    lang: LangOption = "en",
    report: Annotated[bool, typer.Option("--report", help="With ODRL Compliance Reports; only with --json.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say what a peer would be allowed now, and which clause says so; nothing is counted or changed."""
    from node.federation.agreement_desk.readings import Question

    if report and not as_json:
        raise Misconfigured("Compliance reports are JSON.", fix="Add --json.")
    asked = Question(peer, action, collection, record, purpose, recipient, channel, lang, report)
    with opened(data) as node:
        found = _office(node).readings.simulate(asked)
    if as_json:
        say.document(found)
        return
    print_simulation(found)


# ---------------------------------------------------------------- drafting


@app.command()
def draft(
    template: Annotated[str, typer.Argument(metavar="[TEMPLATE]", help="What it begins with; see templates.")] = "",
    peer: PeerOption = "",
    role: Annotated[
        str, typer.Option("--as", metavar="provider|consumer", help="Whether we grant (the default) or ask.")
    ] = "",
    cover: Annotated[
        list[str] | None, typer.Option("--cover", metavar="COLLECTION", help="What we grant; repeatable.")
    ] = None,
    their: Annotated[
        list[str] | None, typer.Option("--their", metavar="COLLECTION", help="What we ask of them; repeatable.")
    ] = None,
    target: Annotated[str, typer.Option("--target", metavar="NAME|IRI", help="One collection, record or bundle.")] = "",
    places: SetOption = None,
    file: FileOption = None,
    offer: Annotated[str, typer.Option("--offer", metavar="IRI", help="Ask for an offer of theirs as it stands.")] = "",
    replaces: Annotated[str, typer.Option("--replaces", metavar="NAME", help="The agreement that it amends.")] = "",
    title: TitleOption = "",
    until: UntilOption = "",
    review: ReviewOption = "",
    contact: ContactOption = None,
    public: PublicOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Write a draft; nobody else sees it. A template for both directions makes two, parts of one document."""
    if not peer and not replaces:
        raise Misconfigured("A draft is for a city.", fix="Name it: --with PEER")
    said = {"title": title, "until": until, "review": review, "contacts": contact or [], "public": public}
    with opened(data) as node:
        words = words_of(_office(node), template, places, file, replaces, lang, said)
        wish = wish_of(peer, words, role, (cover or [], their or []), (target, replaces, offer))
        found = _office(node).draft(wish)
    if as_json:
        say.document(found)
        return
    for each in found["drafts"]:
        print_thing(each)
    if found["document"]:
        say.line(f"Both are parts of {found['document']}")
    if not their:
        print_asked(found["drafts"])
    read = found["document"] or str(found["drafts"][0]["id"])[:8]
    say.note(f"Read it: citynode agreements explain {read}. Send it: citynode agreements propose {read}")


@app.command()
def propose(
    name: NameArgument,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    yes: YesOption = False,
    lang: LangOption = "en",
    wait: WaitOption = 0,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Send a draft to the other city: as an offer where we grant, as a request where we ask.

    With a token, the person who proposes it reads it and approves it as well.
    """
    with opened(data) as node:
        office, terms = _office(node), ""
        person = person_of(node, token, token_file, needed=False)
        if person:
            terms = office.to_approve(name)["terms"]
            _let_read(person, lambda: office.readings.explain(name, lang), yes=yes)
        found = office.propose(name, by=person, person=person, terms=terms)
        _moved(_waited(node, found, wait), as_json)


@app.command()
def counter(
    name: NameArgument,
    template: Annotated[str, typer.Option("--template", metavar="TEMPLATE", help="Begin anew with it.")] = "",
    places: SetOption = None,
    file: FileOption = None,
    title: TitleOption = "",
    until: UntilOption = "",
    review: ReviewOption = "",
    contact: ContactOption = None,
    public: PublicOption = None,
    lang: LangOption = "en",
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    yes: YesOption = False,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Answer with other terms; what is not said anew stays as it stands.

    With a token, the person who answers reads the new terms and approves them as well.
    """
    said = {"title": title, "until": until, "review": review, "contacts": contact or [], "public": public}
    with opened(data) as node:
        person = person_of(node, token, token_file, needed=False)
        office, terms = _office(node), ""
        words = words_of(office, template, places, file, name, lang, said)
        if person:
            would = office.would_counter(name, words)
            terms = would["terms"]
            _let_read(person, lambda: would, yes=yes)
        found = office.counter(name, words, by=person, person=person, terms=terms)
        _moved(_waited(node, found, wait), as_json)


# ---------------------------------------------------------------- approving and signing


@app.command()
def approve(
    name: NameArgument,
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    yes: YesOption = False,
    lang: LangOption = "en",
    wait: WaitOption = 0,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Approve the terms that stand, as a person with a staff token; what follows from it is done at once."""
    with opened(data) as node:
        office = _office(node)
        person = person_of(node, token, token_file)
        read = office.to_approve(name)
        _let_read(person, lambda: office.readings.explain(name, lang), yes=yes)
        found = office.approve(name, person=person, terms=read["terms"])
        _moved(_waited(node, found, wait), as_json)


@app.command()
def sign(name: NameArgument, wait: WaitOption = 0, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Go on as far as approvals allow: accept, sign, send; doing it again changes nothing."""
    with opened(data) as node:
        found = _office(node).sign(name)
        _moved(_waited(node, found, wait), as_json)


# ---------------------------------------------------------------- what stands


@app.command()
def suspend(
    name: NameArgument,
    reason: NeededReason = "",
    _yes: YesOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Let an agreement permit nothing until it is resumed; at once, and the other city is told."""
    with opened(data) as node:
        _closed(_office(node).act("suspend", name, reason=reason), as_json)


@app.command()
def resume(
    name: NameArgument,
    reason: ReasonOption = "",
    _yes: YesOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """End a suspension of ours."""
    with opened(data) as node:
        _answer(_office(node).act("resume", name, reason=reason), as_json)


@app.command()
def revoke(
    name: NameArgument,
    reason: NeededReason = "",
    yes: YesOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """End an agreement for good, at once and alone; end a negotiation; drop a draft."""
    with opened(data) as node:
        shown = _office(node).show(name)
        kinds = {each["kind"] for each in shown.get("parts") or [shown]}
        if not reason.strip() and kinds != {"draft"}:
            raise Misconfigured("The other city is told why.", fix="Say it in a sentence: --reason TEXT")
        if not yes:
            print_thing(shown)
            question = "Drop it?" if kinds == {"draft"} else "End it? There is no way back but a new agreement."
            confirm(question, fix=_LOOK)
        _closed(_office(node).act("revoke", name, reason=reason), as_json)


# ---------------------------------------------------------------- helpers


def _let_read(person: str, terms: Callable[[], dict[str, Any]], *, yes: bool) -> None:
    """Show a person the terms in sentences and ask whether they approve them; `yes` says that it was said before."""
    if yes:
        return
    _say_parts(terms())
    confirm(f"Does {person} approve this?", fix=_LOOK)


def _say_parts(found: dict[str, Any]) -> None:
    for part in found["parts"]:
        say.lines(f"{part['assigner']} -> {part['assignee']}\n{part['text']}".split("\n"))


def _answer(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        say.document(found)
    else:
        print_thing(found)


def _closed(found: dict[str, Any], as_json: bool) -> None:
    _answer(found, as_json)
    if not as_json:
        print_still_open(found)


def _moved(found: dict[str, Any], as_json: bool) -> None:
    """Print how it stands after we said something; what the other city has ended or refused is no success."""
    _answer(found, as_json)
    if found.get("waited_s"):
        say.note(f"{name_of(found)} waits for the other city. It goes on by itself; see: citynode agreements list")
        raise typer.Exit(_WAITS)
    if "ended" in {each["state"] for each in found.get("parts") or [found]}:
        raise typer.Exit(1)


def _waited(node: "Node", found: dict[str, Any], wait_s: int) -> dict[str, Any]:
    """Look again until nobody else is waited for; `waited_s` says that this was not so in that time."""
    until = time.monotonic() + wait_s
    name = str(found.get("id", ""))
    while wait_s and _open(found):
        if time.monotonic() >= until:
            return {**found, "waited_s": wait_s}
        time.sleep(0.2)
        found = _office(node).sign(name)
        name = str(found.get("id", name))
    return found


def _open(found: dict[str, Any]) -> bool:
    parts = found.get("parts") or [found]
    # What follows by itself, from a message that came in this moment, is waited for like an answer.
    ours = ("on its way", "round of the worker")
    return any(each["waits_for"] == "them" or any(word in each["waits"] for word in ours) for each in parts)
