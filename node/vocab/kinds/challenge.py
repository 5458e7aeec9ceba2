"""Innovation challenges: a problem that a city, or several together, puts to companies and residents.

One city leads a joint challenge; the others each publish a record of their own that is part of it, so that every city
speaks for itself and the lead's page shows who joined. Reuses that answer a challenge point to it. Pure values.
"""

from node.vocab.kinds import common
from node.vocab.kinds.codes import CHALLENGE_STATUS, ROUTES, words
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.shared import DATA, FACTS, PROBLEM, SDG, STORY
from node.vocab.terms import ADMS, CN, DCAT, DCT, FOAF, SCHEMA

_STORY = (
    Field(
        name="status",
        term=ADMS.status,
        form="code",
        codes=CHALLENGE_STATUS,
        need="should",
        short=True,
        section="facts",
        label=words("State", "Tila", "Läge"),
        hint=words(
            "Planned, open, being judged, decided or cancelled.",
            "Suunnitteilla, avoinna, arvioitavana, ratkaistu tai peruttu.",
            "Planerad, öppen, under bedömning, avgjord eller inställd.",
        ),
        example="open",
    ),
    PROBLEM,
    Field(
        name="description",
        term=DCT.description,
        form="markdown",
        need="must",
        section="story",
        label=words("What we look for", "Mitä etsimme", "Vad vi söker"),
        hint=words(
            "What an answer should do, and what it need not do.",
            "Mitä vastauksen pitäisi tehdä ja mitä sen ei tarvitse tehdä.",
            "Vad ett svar ska göra, och vad det inte behöver göra.",
        ),
        example={
            "en": "A way to tell drivers of snow lorries which yard has room, in time for the winter of 2027.",
            "fi": "Tapa kertoa lumikuorman kuljettajalle, millä kentällä on tilaa, talveksi 2027.",
        },
    ),
    Field(
        name="criteria",
        term=CN.criteria,
        form="markdown",
        need="should",
        section="story",
        label=words("How answers are judged", "Miten vastaukset arvioidaan", "Hur svaren bedöms"),
        hint=words(
            "What counts, how much, and who judges.",
            "Mikä ratkaisee, millä painolla, ja kuka arvioi.",
            "Vad som räknas, hur mycket, och vem som bedömer.",
        ),
        reason="Award criteria of the eProcurement ontology belong to lots of a tender; most challenges are none.",
        example={"en": "Use in one winter, half; cost, a third; open code, the rest. A jury of four units judges."},
    ),
)
_TERMS = (
    Field(
        name="data",
        term=DCT.references,
        form="link",
        many=True,
        need="should",
        to=DATA,
        back=words("Challenges that offer it", "Haasteet, joissa tätä tarjotaan", "Utmaningar som erbjuder detta"),
        section="facts",
        label=words("Data offered", "Tarjolla oleva data", "Data som erbjuds"),
        hint=words(
            "Datasets, services and models to build on, of any city, by their addresses.",
            "Aineistot, rajapinnat ja mallit, joiden varaan voi rakentaa, minkä tahansa kaupungin.",
            "Datamängder, tjänster och modeller att bygga på, från vilken stad som helst.",
        ),
        example=["https://city.example/datasets/snow-loads"],
    ),
    Field(
        name="opens",
        term=SCHEMA.startDate,
        form="date",
        section="facts",
        label=words("Opens", "Alkaa", "Öppnar"),
        hint=words(
            "From when answers are taken.", "Mistä alkaen vastauksia otetaan vastaan.", "Från när svar tas emot."
        ),
        example="2026-12-01",
    ),
    Field(
        name="closes",
        term=SCHEMA.endDate,
        form="date",
        need="should",
        short=True,
        section="facts",
        label=words("Closes", "Päättyy", "Stänger"),
        hint=words("The last day for answers.", "Viimeinen vastauspäivä.", "Sista dagen för svar."),
        example="2099-02-28",
    ),
    Field(
        name="dates",
        term=SCHEMA.subEvent,
        form="group",
        cls=SCHEMA.Event,
        many=True,
        section="facts",
        label=words("Dates", "Päivämäärät", "Datum"),
        hint=words(
            "Information days, deadlines for questions, the jury's decision.",
            "Infotilaisuudet, kysymysten määräajat, raadin päätös.",
            "Informationsdagar, sista dag för frågor, juryns beslut.",
        ),
        fields=(
            Field(
                name="name",
                term=SCHEMA.name,
                form="text",
                need="must",
                label=words("What", "Mitä", "Vad"),
                hint=words("What happens.", "Mitä tapahtuu.", "Vad som händer."),
                example={"en": "The jury decides"},
            ),
            Field(
                name="date",
                term=SCHEMA.startDate,
                form="date",
                need="must",
                label=words("When", "Milloin", "När"),
                hint=words("The day.", "Päivä.", "Dagen."),
                example="2027-03-15",
            ),
            Field(
                name="link",
                term=SCHEMA.url,
                form="link",
                label=words("Page", "Sivu", "Sida"),
                hint=words(
                    "Where to read more or register.",
                    "Lisätietoja tai ilmoittautuminen.",
                    "Mer att läsa eller anmälan.",
                ),
            ),
        ),
    ),
    Field(
        name="route",
        term=CN.procurementRoute,
        form="code",
        codes=ROUTES,
        need="should",
        short=True,
        section="facts",
        label=words("Route", "Menettely", "Väg"),
        hint=words(
            "What may follow: a prize, a procurement, a paid trial, a grant, or nothing.",
            "Mitä siitä voi seurata: palkinto, hankinta, maksettu kokeilu, avustus tai ei mitään.",
            "Vad som kan följa: ett pris, en upphandling, ett betalt försök, ett bidrag eller inget.",
        ),
        reason="The EU's procurement procedure types cover tenders; prizes, trials and open calls are outside them.",
        example="pilot",
    ),
    Field(
        name="prize",
        term=CN.prize,
        form="text",
        short=True,
        section="facts",
        label=words("Reward", "Palkkio", "Belöning"),
        hint=words(
            "What the best answers get, with amount and currency.",
            "Mitä parhaat vastaukset saavat, summa ja valuutta mukaan lukien.",
            "Vad de bästa svaren får, med belopp och valuta.",
        ),
        reason="schema:award names a prize that a thing has won, not one that can be won.",
        example={"en": "A paid trial of up to €40,000 for two answers"},
    ),
    Field(
        name="eligibility",
        term=CN.eligibility,
        form="markdown",
        need="should",
        section="facts",
        label=words("Who may take part", "Kuka voi osallistua", "Vem som kan delta"),
        hint=words(
            "Who may answer, from where, and who owns what is made.",
            "Kuka voi vastata, mistä maista, ja kuka omistaa tulokset.",
            "Vem som kan svara, varifrån, och vem som äger det som görs.",
        ),
        reason="schema:eligibleCustomerType chooses among kinds of buyers; CPSV criteria are evidence for a service.",
        example={
            "en": "Companies and associations of any country. Makers keep their rights; the cities may use the result."
        },
    ),
    Field(
        name="cities",
        term=DCT.contributor,
        form="group",
        cls=FOAF.Agent,
        many=True,
        short=True,
        section="facts",
        label=words("Cities that join", "Mukana olevat kaupungit", "Städer som deltar"),
        hint=words(
            "The other cities, each with the address of its node or site.",
            "Muut kaupungit ja niiden solmujen tai sivujen osoitteet.",
            "De andra städerna, med adressen till deras nod eller webbplats.",
        ),
        fields=(
            Field(
                name="name",
                term=FOAF.name,
                form="text",
                need="must",
                label=words("City", "Kaupunki", "Stad"),
                hint=words("The city's name.", "Kaupungin nimi.", "Stadens namn."),
                example={"en": "Other City"},
            ),
            Field(
                name="homepage",
                term=FOAF.homepage,
                form="link",
                label=words("Address", "Osoite", "Adress"),
                hint=words("Its node or site.", "Sen solmu tai sivusto.", "Dess nod eller webbplats."),
                example="https://other-city.example",
            ),
        ),
    ),
    Field(
        name="part_of",
        term=DCT.isPartOf,
        form="link",
        to=("challenge",),
        back=words("Joined by", "Mukaan liittyneet", "Med i utmaningen"),
        section="facts",
        label=words("Part of", "Osa yhteistä haastetta", "Del av"),
        hint=words(
            "The joint challenge that this one belongs to, at the city that leads it.",
            "Yhteinen haaste, johon tämä kuuluu, sitä johtavassa kaupungissa.",
            "Den gemensamma utmaningen som denna hör till, hos staden som leder den.",
        ),
    ),
    Field(
        name="practices",
        term=DCT.relation,
        form="link",
        many=True,
        to=("practice",),
        back=words("Challenges about it", "Aiheesta julkaistut haasteet", "Utmaningar om detta"),
        section="facts",
        label=words("Practices to know", "Hyvä tuntea", "Bra att känna till"),
        hint=words(
            "Practices that tell what was tried before.",
            "Käytännöt, jotka kertovat, mitä on jo kokeiltu.",
            "Arbetssätt som berättar vad som redan har prövats.",
        ),
    ),
    SDG,
    Field(
        name="apply",
        term=DCAT.landingPage,
        form="link",
        need="should",
        short=True,
        section="facts",
        label=words("Take part", "Osallistu", "Delta"),
        hint=words(
            "The page where one answers or asks for the documents.",
            "Sivu, jolla vastataan tai pyydetään asiakirjat.",
            "Sidan där man svarar eller ber om handlingarna.",
        ),
        example="https://city.example/challenges/snow",
    ),
    Field(
        name="outcome",
        term=SCHEMA.result,
        form="markdown",
        section="outcome",
        label=words("What came of it", "Mitä siitä tuli", "Vad det ledde till"),
        hint=words(
            "After the decision: who won, what was built, and what was not.",
            "Päätöksen jälkeen: kuka voitti, mitä rakennettiin ja mitä ei.",
            "Efter beslutet: vem som vann, vad som byggdes och vad som inte byggdes.",
        ),
    ),
)

TABLE = KindTable(
    kind="challenge",
    cls=CN.Challenge,
    title=words("Challenge", "Haaste", "Utmaning"),
    plural=words("Challenges", "Haasteet", "Utmaningar"),
    about=words(
        "A problem that one city or several put to companies and residents, with data, dates and a reward or route.",
        "Ongelma, jonka kaupunki tai useat antavat yritysten ja asukkaiden ratkaistavaksi: data, aikataulu ja palkkio.",
        "Ett problem som en eller flera städer lägger fram för företag och invånare, med data, tider och belöning.",
    ),
    reason="Calls for tenders of the eProcurement ontology are one route of several, and most challenges are none.",
    command="challenges",
    collection="challenges",
    sections={
        "story": STORY,
        "facts": FACTS,
        "outcome": words("Outcome", "Lopputulos", "Resultat"),
        "record": common.RECORD,
    },
    fields=(*common.HEAD, *_STORY, *_TERMS, *common.TAIL),
)
