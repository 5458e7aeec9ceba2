# ruff: noqa: RUF001 - a span is written with an en dash.
"""Practices: what a city did, why, how well it went, what failed, and how another city may repeat it.

The fields are those that collections of good practice ask for (users.md 2): a problem, an approach, measured results,
failure and its reasons, cost, effort, partners, law, a guide to repeat it. Only a title, a publisher and an approach
must be there, so that what exists elsewhere can be imported; the rest is what lint asks for. Pure values.
"""

from node.vocab.kinds import common
from node.vocab.kinds.codes import MATURITY, PRACTICE_STATUS, words
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.shared import (
    CODE,
    COST,
    EFFORT,
    EVIDENCE,
    EVIDENCE_LEVEL,
    FACTS,
    FAILURE,
    PARTNERS,
    PERIOD,
    PROBLEM,
    REPEATING,
    RESULTS,
    SDG,
    STORY,
    uses,
)
from node.vocab.terms import ADMS, CN, DCATAP, DCT, FOAF, PROV, SCHEMA

_STORY = (
    Field(
        name="status",
        term=ADMS.status,
        form="code",
        codes=PRACTICE_STATUS,
        need="should",
        short=True,
        section="facts",
        label=words("Stage", "Vaihe", "Skede"),
        hint=words(
            "How far it is: an idea, a trial, in use, in wide use, or ended.",
            "Missä vaiheessa se on: idea, kokeilu, käytössä, laajassa käytössä vai päättynyt.",
            "Hur långt det har kommit: en idé, ett försök, i bruk, i brett bruk eller avslutat.",
        ),
        example="operational",
    ),
    Field(
        name="context",
        term=CN.context,
        form="markdown",
        section="story",
        label=words("Context", "Lähtökohdat", "Sammanhang"),
        hint=words(
            "What a stranger must know of the city to understand this: its size, its duties, its climate.",
            "Mitä vieraan on tiedettävä kaupungista ymmärtääkseen tämän: koko, tehtävät, ilmasto.",
            "Vad en främling behöver veta om staden för att förstå detta: storlek, uppgifter, klimat.",
        ),
        reason="Provenance and coverage terms take places and times; none takes the account of circumstances.",
        example={
            "en": "Helsinki clears snow from 3,000 km of streets and paths; most of it cannot melt where it falls."
        },
    ),
    PROBLEM,
    Field(
        name="approach",
        term=DCT.description,
        form="markdown",
        need="must",
        section="story",
        label=words("What we did", "Mitä teimme", "Vad vi gjorde"),
        hint=words(
            "How it works and how it came about, step by step, complete without following links.",
            "Miten se toimii ja miten se syntyi, vaihe vaiheelta, ymmärrettävästi ilman linkkejä.",
            "Hur det fungerar och hur det blev till, steg för steg, begripligt utan att följa länkar.",
        ),
        example={
            "en": "Four inland yards melt the snow in basins; sand and litter stay behind and are taken away.",
            "fi": "Neljä sisämaan kenttää sulattaa lumen altaissa; hiekka ja roskat jäävät pohjalle ja viedään pois.",
        },
    ),
)
_RESULTS = (
    EVIDENCE_LEVEL,
    EVIDENCE,
    FAILURE,
    Field(
        name="lessons",
        term=CN.lesson,
        form="markdown",
        section="results",
        label=words("What we would do differently", "Mitä tekisimme toisin", "Vad vi skulle göra annorlunda"),
        hint=words(
            "Advice that you would have wanted before you began.",
            "Neuvoja, jotka olisit halunnut ennen alkua.",
            "Råd som du hade velat ha innan ni började.",
        ),
        reason="Notes of SKOS and Dublin Core say what was recorded, not what was learnt.",
        example={
            "en": "List every yard the city owns, with the months in which nobody needs it, before you look for land."
        },
    ),
)
_REPEATING = (
    Field(
        name="prerequisites",
        term=CN.prerequisites,
        form="markdown",
        section="repeating",
        label=words("What it needs", "Mitä se vaatii", "Vad det kräver"),
        hint=words(
            "Law, data, technology and people without which it does not work.",
            "Lait, aineistot, tekniikka ja ihmiset, joita ilman se ei toimi.",
            "Lagar, data, teknik och människor som det inte fungerar utan.",
        ),
        reason="dct:requires points to resources, and most of what a practice needs has no address.",
        example={"en": "A permit to discharge meltwater, and yards that lie empty from December to April."},
    ),
    Field(
        name="replication_guide",
        term=CN.replicationGuide,
        form="markdown",
        need="should",
        section="repeating",
        label=words("How to repeat it", "Näin sen voi toistaa", "Så här gör man likadant"),
        hint=words(
            "Steps, time, effort and pitfalls for a team that starts now; or say whom to ask.",
            "Vaiheet, aika, työmäärä ja sudenkuopat nyt aloittavalle tiimille; tai kerro, keneltä kysyä.",
            "Steg, tid, arbete och fallgropar för ett team som börjar nu; eller säg vem man kan fråga.",
        ),
        reason="HowTo of schema.org is a class for recipes; no property leads from what was done to how to repeat it.",
        example={
            "en": "1. List the yards, two weeks.\n2. Ask for the permits, four months.\n3. Try one yard for a winter."
        },
    ),
    Field(
        name="offer",
        term=CN.offer,
        form="text",
        short=True,
        section="repeating",
        label=words("We offer", "Tarjoamme", "Vi erbjuder"),
        hint=words(
            "What another city may ask for: a call, a visit, the code.",
            "Mitä toinen kaupunki voi pyytää: puhelu, vierailu, koodi.",
            "Vad en annan stad kan be om: ett samtal, ett besök, koden.",
        ),
        reason="schema:makesOffer is for things with a price; this is a neighbour's help.",
        example={"en": "A call of one hour in English"},
    ),
    Field(
        name="replicated_from",
        term=PROV.wasDerivedFrom,
        form="link",
        many=True,
        to=("practice",),
        back=words("Repeated as", "Toistettu näin", "Upprepat som"),
        section="repeating",
        label=words("Repeats", "Toistaa käytännön", "Upprepar"),
        hint=words(
            "The practice of another city that this one follows, by its address.",
            "Toisen kaupungin käytäntö, jota tämä seuraa, osoitteena.",
            "Den andra stadens arbetssätt som detta följer, som adress.",
        ),
    ),
)
_FACTS = (
    PERIOD,
    COST,
    EFFORT,
    Field(
        name="funding",
        term=SCHEMA.funding,
        form="text",
        section="facts",
        label=words("Paid by", "Rahoitus", "Finansiering"),
        hint=words(
            "Who paid, and which share.", "Kuka maksoi ja minkä osuuden.", "Vem som betalade, och vilken andel."
        ),
        example={"en": "The city's own budget"},
    ),
    PARTNERS,
    Field(
        name="legal_basis",
        term=CN.legalBasis,
        form="markdown",
        need="should",
        section="facts",
        label=words("Legal basis", "Oikeusperuste", "Rättslig grund"),
        hint=words(
            "By which law or decision the city may do this, and what it does not allow.",
            "Minkä lain tai päätöksen nojalla kaupunki saa tehdä tämän ja mitä se ei salli.",
            "Enligt vilken lag eller vilket beslut staden får göra detta, och vad som inte är tillåtet.",
        ),
        reason="dpv:hasLegalBasis is about the handling of personal data only.",
        example={"en": "The Environmental Protection Act asks for a permit for each melting place."},
    ),
    Field(
        name="legislation",
        term=DCATAP.applicableLegislation,
        form="link",
        many=True,
        section="facts",
        label=words("Laws", "Lait", "Lagar"),
        hint=words(
            "Addresses of the laws, such as their ELI.",
            "Lakien osoitteet, esimerkiksi ELI-tunnisteet.",
            "Lagarnas adresser, till exempel deras ELI.",
        ),
    ),
    SDG,
    Field(
        name="maturity",
        term=CN.maturity,
        form="code",
        codes=MATURITY,
        section="facts",
        label=words("Technology readiness", "Teknologian valmius", "Teknisk mognad"),
        hint=words("From 1 to 9, for technology only.", "1–9, vain teknologialle.", "Från 1 till 9, bara för teknik."),
        reason="Nobody publishes a property or a list of IRIs for the technology readiness levels.",
        example="9",
    ),
    uses(
        words(
            "Practices that use it",
            "Käytännöt, joissa tätä on käytetty",
            "Arbetssätt som använder detta",
        )
    ),
    Field(
        name="standards",
        term=DCT.conformsTo,
        form="link",
        many=True,
        section="facts",
        label=words("Standards", "Standardit", "Standarder"),
        hint=words(
            "Addresses of the standards it follows.",
            "Noudatettujen standardien osoitteet.",
            "Adresser till standarderna som följs.",
        ),
    ),
    CODE,
    Field(
        name="documents",
        term=FOAF.page,
        form="link",
        many=True,
        section="facts",
        label=words("More to read", "Lisää luettavaa", "Mer att läsa"),
        hint=words(
            "Reports, decisions and films; what matters in them is also told here.",
            "Raportteja, päätöksiä ja videoita; olennainen kerrotaan myös tässä.",
            "Rapporter, beslut och filmer; det viktiga berättas också här.",
        ),
    ),
)
_REVIEWED = (
    Field(
        name="reviewed_by",
        term=SCHEMA.reviewedBy,
        form="text",
        section="record",
        label=words("Reviewed by", "Tarkistanut", "Granskat av"),
        hint=words(
            "The unit that read it critically, not a person.",
            "Yksikkö, joka luki sen kriittisesti; ei henkilö.",
            "Enheten som läste det kritiskt, inte en person.",
        ),
        example={"en": "The climate unit"},
    ),
    Field(
        name="reviewed",
        term=SCHEMA.lastReviewed,
        form="date",
        section="record",
        label=words("Reviewed", "Tarkistettu", "Granskat"),
        hint=words(
            "When it was last found true.",
            "Milloin se viimeksi todettiin paikkansapitäväksi.",
            "När det senast befanns riktigt.",
        ),
        example="2026-10-02",
    ),
)

TABLE = KindTable(
    kind="practice",
    cls=CN.Practice,
    title=words("Practice", "Käytäntö", "Arbetssätt"),
    plural=words("Practices", "Käytännöt", "Arbetssätt"),
    about=words(
        "What a city did, how well it went, what failed, and how another city may repeat it.",
        "Mitä kaupunki teki, miten se onnistui, mikä epäonnistui ja miten toinen kaupunki voi toistaa sen.",
        "Vad en stad gjorde, hur det gick, vad som misslyckades och hur en annan stad kan göra likadant.",
    ),
    reason="ADMS assets and CPSV-AP public services are the solution or the service, not the account of what a city"
    " learnt by making it.",
    command="practices",
    collection="practices",
    sections={
        "story": STORY,
        "results": RESULTS,
        "repeating": REPEATING,
        "facts": FACTS,
        "record": common.RECORD,
    },
    fields=(*common.HEAD, *_STORY, *_RESULTS, *_REPEATING, *_FACTS, *_REVIEWED, *common.TAIL),
)
