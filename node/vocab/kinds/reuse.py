"""Reuses: an app, an analysis, a product that somebody made with the data of one city or several.

Anybody may submit one; the city that accepts it publishes it, and its links to the datasets of any city are what shows
it on their pages. The maker is an organisation or a group as it wishes to be called. Pure values.
"""

from node.vocab.kinds import common
from node.vocab.kinds.codes import MAKERS, REUSE_STATUS, REUSE_TYPES, words
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.shared import CODE, DATA, FACTS, STORY
from node.vocab.terms import ADMS, CN, DCAT, DCT, FOAF, PROV, SCHEMA

_OWN = (
    Field(
        name="type",
        term=DCT.type,
        form="code",
        codes=REUSE_TYPES,
        need="should",
        short=True,
        section="facts",
        label=words("Type", "Tyyppi", "Typ"),
        hint=words("What was made.", "Mitä tehtiin.", "Vad som gjordes."),
        example="web-service",
    ),
    Field(
        name="description",
        term=DCT.description,
        form="markdown",
        need="must",
        section="story",
        label=words("What it does", "Mitä se tekee", "Vad det gör"),
        hint=words(
            "What it does, for whom, and what the data is used for.",
            "Mitä se tekee, kenelle, ja mihin dataa käytetään.",
            "Vad det gör, för vem, och vad data används till.",
        ),
        example={"en": "Shows which streets are cleared of snow tonight, so that people move their cars in time."},
    ),
    Field(
        name="datasets",
        term=PROV.used,
        form="link",
        many=True,
        need="must",
        to=DATA,
        back=words("Reuses", "Hyödyntämiset", "Återanvändningar"),
        section="facts",
        label=words("Made with", "Tehty näillä", "Gjort med"),
        hint=words(
            "The datasets, services and models it uses, of any city, by their addresses.",
            "Aineistot, rajapinnat ja mallit, joita se käyttää, minkä tahansa kaupungin, osoitteina.",
            "Datamängderna, tjänsterna och modellerna som det använder, från vilken stad som helst, som adresser.",
        ),
        example=["https://city.example/datasets/snow-loads"],
    ),
    Field(
        name="link",
        term=DCAT.landingPage,
        form="link",
        need="should",
        short=True,
        section="facts",
        label=words("See it", "Katso", "Se det"),
        hint=words("Where it can be seen or got.", "Missä sen voi nähdä tai saada.", "Var det kan ses eller hämtas."),
        example="https://snow.example",
    ),
    Field(
        name="maker",
        term=DCT.creator,
        form="group",
        cls=FOAF.Agent,
        need="should",
        short=True,
        section="facts",
        label=words("Made by", "Tekijä", "Gjort av"),
        hint=words(
            "The company, group or school that made it, as it wishes to be called.",
            "Yritys, ryhmä tai koulu, joka sen teki, nimellä jota se haluaa käyttää.",
            "Företaget, gruppen eller skolan som gjorde det, med det namn den vill ha.",
        ),
        fields=(
            Field(
                name="name",
                term=FOAF.name,
                form="text",
                need="must",
                label=words("Name", "Nimi", "Namn"),
                hint=words("Its name.", "Sen nimi.", "Dess namn."),
                example={"en": "Snow Watch Association"},
            ),
            Field(
                name="type",
                term=DCT.type,
                form="code",
                codes=MAKERS,
                label=words("Kind", "Tyyppi", "Typ"),
                hint=words("What kind of maker it is.", "Millainen tekijä se on.", "Vilken typ av upphovsman det är."),
                example="residents",
            ),
            Field(
                name="homepage",
                term=FOAF.homepage,
                form="link",
                label=words("Web site", "Verkkosivu", "Webbplats"),
                hint=words("Its web site.", "Sen verkkosivu.", "Dess webbplats."),
            ),
        ),
    ),
    Field(
        name="status",
        term=ADMS.status,
        form="code",
        codes=REUSE_STATUS,
        section="facts",
        label=words("State", "Tila", "Läge"),
        hint=words(
            "Whether it is being made, in use, or has ended.",
            "Onko se tekeillä, käytössä vai päättynyt.",
            "Om det är under arbete, i bruk eller avslutat.",
        ),
        example="in-use",
    ),
    Field(
        name="free",
        term=SCHEMA.isAccessibleForFree,
        form="flag",
        section="facts",
        label=words("Free of charge", "Maksuton", "Gratis"),
        hint=words(
            "Whether it can be used without paying.",
            "Voiko sitä käyttää maksutta.",
            "Om det kan användas utan att betala.",
        ),
        example=True,
    ),
    Field(
        name="challenge",
        term=DCT.relation,
        form="link",
        to=("challenge",),
        back=words("Answers to the challenge", "Vastauksia haasteeseen", "Svar på utmaningen"),
        section="facts",
        label=words("Made for the challenge", "Tehty haasteeseen", "Gjort för utmaningen"),
        hint=words(
            "The challenge that it answers, by its address.",
            "Haaste, johon se vastaa, osoitteena.",
            "Utmaningen som det svarar på, som adress.",
        ),
    ),
    CODE,
)

TABLE = KindTable(
    kind="reuse",
    cls=CN.Reuse,
    title=words("Reuse", "Hyödyntäminen", "Återanvändning"),
    plural=words("Reuses", "Hyödyntämiset", "Återanvändningar"),
    about=words(
        "Something that was made with the data of one city or several: an app, an analysis, a product.",
        "Jotakin, mikä tehtiin yhden tai usean kaupungin datalla: sovellus, analyysi, tuote.",
        "Något som gjordes med data från en eller flera städer: en app, en analys, en produkt.",
    ),
    reason="schema:CreativeWork is anything that anyone made; no class means “made with these open data”.",
    command="reuses",
    collection="reuses",
    sections={"story": STORY, "facts": FACTS, "record": common.RECORD},
    fields=(*common.HEAD, *_OWN, *common.TAIL),
)
