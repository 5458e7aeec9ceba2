"""Commands on offers: what this city offers under which terms, and what other cities offer us.

An offer is seen by the peers it names, in the catalogue of the Dataspace Protocol, and grants nothing by itself. An
automatic one is agreed to without a person when it is asked for as it stands, so publishing it is approving it.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.agreement_words import words_of
from node.cli.agreements import (
    ContactOption,
    FileOption,
    LangOption,
    PublicOption,
    ReviewOption,
    SetOption,
    TitleOption,
    TokenFileOption,
    TokenOption,
    UntilOption,
    person_of,
)
from node.cli.common import DataOption, JsonOption, opened
from node.errors import Misconfigured

app = typer.Typer(help="Offers: what this city lets others ask for.", no_args_is_help=True)


@app.command("list")
def list_(
    of: Annotated[str, typer.Option("--of", metavar="PEER", help="What this city offers us, asked of it now.")] = "",
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="Also those that were withdrawn.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List our offers, or what another city offers us."""
    with opened(data) as node:
        office = node.federation.agreeing.offer_office
        found = office.of_peer(of) if of else office.list(withdrawn=withdrawn)
    if as_json:
        say.document({"offers": found})
        return
    if of:
        say.table(("offer", "title", "target"), [(each["id"], each["title"], each["target"]) for each in found])
        return
    say.table(
        ("offer", "title", "target", "for", "automatic", "state"),
        [
            (
                each["id"].rpartition("/")[2],
                each["title"],
                each["target"],
                ", ".join(each["peers"]) or "every peer",
                "yes" if each["automatic"] else "",
                f"withdrawn {each['withdrawn_at']}" if each["withdrawn_at"] else "open",
            )
            for each in found
        ],
    )


@app.command()
def publish(
    target: Annotated[str, typer.Argument(metavar="COLLECTION|IRI", help="A collection, a record, or a bundle.")],
    template: Annotated[str, typer.Option("--template", metavar="TEMPLATE", help="The terms; see templates.")] = "",
    places: SetOption = None,
    file: FileOption = None,
    name: Annotated[str, typer.Option("--name", help="What ends its address: a-z, 0-9 and -.")] = "",
    to: Annotated[list[str] | None, typer.Option("--to", metavar="PEER", help="Who sees it; repeatable.")] = None,
    cover: Annotated[
        list[str] | None, typer.Option("--cover", metavar="COLLECTION", help="What a bundle stands for; repeatable.")
    ] = None,
    automatic: Annotated[bool, typer.Option("--automatic", help="Agree without a person.")] = False,
    title: TitleOption = "",
    until: UntilOption = "",
    review: ReviewOption = "",
    contact: ContactOption = None,
    public: PublicOption = None,
    lang: LangOption = "en",
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Publish an offer; its terms are never changed, other terms are another offer."""
    if not template and file is None:
        raise Misconfigured("An offer has terms.", fix="Give --template TEMPLATE, or --file FILE.")
    said = {"title": title, "until": until, "review": review, "contacts": contact or [], "public": public}
    with opened(data) as node:
        # An automatic offer is agreed to later without a person: so one has to stand behind it now.
        person = person_of(node, token, token_file, needed=automatic)
        agreeing = node.federation.agreeing
        words = words_of(agreeing.office, template, places, file, "", lang, said)
        found = agreeing.offer_office.publish(
            target, words, name=name, peers=to or [], covers=cover or [], automatic=automatic, by=person
        )
    if as_json:
        say.document(found)
        return
    say.line(f"Published {found['id']}: {found['title']}")
    seen = ", ".join(found["peers"]) or "every peer"
    say.note(f"It is seen by {seen}. Take it back: citynode offers withdraw {found['id'].rpartition('/')[2]}")


@app.command()
def withdraw(
    offer: Annotated[str, typer.Argument(metavar="OFFER", help="Its IRI, or the name that ends it.")],
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Take an offer back: nobody sees it from now on. What was agreed under it stands."""
    with opened(data) as node:
        found = node.federation.agreeing.offer_office.withdraw(offer)
    if as_json:
        say.document(found)
        return
    say.line(f"Withdrew {found['id']}")
