# ruff: noqa: RUF001 - a span is written with an en dash.
"""Fields that several kinds tell their story with: problem, results, failure, cost, who took part.

A practice, its adoption elsewhere and a challenge ask the same questions, so that the answers can be laid side by side.
What only one kind asks stands in its table; what every kind has is in `common`. Pure values.
"""

from node.vocab.kinds.codes import (
    COST_BANDS,
    EFFORT_BANDS,
    EVIDENCE_LEVELS,
    ROLES,
    SDGS,
    words,
)
from node.vocab.kinds.field import Field, Words
from node.vocab.terms import CITO, CN, DCAT, DCT, FOAF, PROV, SCHEMA

STORY: Words = words("The story", "Tarina", "Berättelsen")
RESULTS: Words = words("Does it work?", "Toimiiko se?", "Fungerar det?")
REPEATING: Words = words("If you want to repeat it", "Jos haluat toistaa tämän", "Om du vill göra likadant")
FACTS: Words = words("Facts", "Tiedot", "Fakta")

USABLE = ("dataset", "dataset-series", "data-service", "ai-system", "city-model", "set", "practice", "agreement")
"""The kinds that a practice or an adoption may have been made with."""
DATA = ("dataset", "dataset-series", "data-service", "city-model", "set")
"""The kinds that are data, or give it."""

PROBLEM = Field(
    name="problem",
    term=CN.problem,
    form="markdown",
    need="should",
    section="story",
    label=words("The problem", "Ongelma", "Problemet"),
    hint=words(
        "What was wrong, for whom and how often, in 80 to 300 words that can be read without following a link.",
        "Mikä oli vialla, kenen kannalta ja kuinka usein: 80–300 sanaa, jotka ymmärtää avaamatta linkkejä.",
        "Vad som var fel, för vem och hur ofta, i 80–300 ord som kan läsas utan att följa en länk.",
    ),
    reason="A description in Dublin Core or schema.org tells what a thing is; none tells apart the need it answers.",
    example={
        "en": "Ploughed snow was tipped into the sea, with everything that lies in the snow of a city.",
        "fi": "Aurattua lunta kaadettiin mereen kaiken sen kanssa, mitä kaupungin lumessa on.",
    },
)

EVIDENCE_LEVEL = Field(
    name="evidence_level",
    term=CN.evidenceLevel,
    form="code",
    codes=EVIDENCE_LEVELS,
    need="should",
    short=True,
    section="results",
    label=words("Does it work?", "Toimiiko se?", "Fungerar det?"),
    hint=words(
        "Say whether results were measured, only seen, or are not known yet; all of these are worth reading.",
        "Kerro, onko tulokset mitattu, vain havaittu vai eivätkö ne ole vielä tiedossa; kaikki kannattaa lukea.",
        "Säg om resultaten är mätta, bara iakttagna eller ännu okända; allt är värt att läsa.",
    ),
    reason="Vocabularies of evidence grade clinical studies; none says in one word whether a city measured anything.",
    example="measured",
)
EVIDENCE = Field(
    name="evidence",
    term=CITO.citesAsEvidence,
    form="group",
    cls=SCHEMA.Observation,
    need="should",
    many=True,
    section="results",
    label=words("Results", "Tulokset", "Resultat"),
    hint=words(
        "What was measured, the value before and after, its unit, when, and where the number comes from.",
        "Mitä mitattiin, arvo ennen ja jälkeen, yksikkö, ajankohta ja luvun lähde.",
        "Vad som mättes, värdet före och efter, enheten, tidpunkten och varifrån talet kommer.",
    ),
    fields=(
        Field(
            name="indicator",
            term=SCHEMA.variableMeasured,
            form="text",
            need="must",
            label=words("We measured", "Mittasimme", "Vi mätte"),
            hint=words("What was measured.", "Mitä mitattiin.", "Vad som mättes."),
            example={"en": "Lorry loads tipped into the sea", "fi": "Mereen kaadetut kuormat"},
        ),
        Field(
            name="before",
            term=CN.before,
            form="number",
            label=words("Before", "Ennen", "Före"),
            hint=words("The value before the change.", "Arvo ennen muutosta.", "Värdet före förändringen."),
            reason="An observation of schema.org has one value, and a result is the difference of two.",
            example="70000",
        ),
        Field(
            name="value",
            term=SCHEMA.value,
            form="number",
            need="should",
            label=words("After", "Jälkeen", "Efter"),
            hint=words(
                "The value that was measured, as a number.", "Mitattu arvo lukuna.", "Det uppmätta värdet som ett tal."
            ),
            example="0",
        ),
        Field(
            name="unit",
            term=SCHEMA.unitText,
            form="text",
            need="should",
            label=words("Unit", "Yksikkö", "Enhet"),
            hint=words(
                "What the number counts, such as %, days or tonnes a year.",
                "Mitä luku laskee, esimerkiksi %, päivää tai tonnia vuodessa.",
                "Vad talet räknar, till exempel %, dagar eller ton om året.",
            ),
            example={"en": "loads a winter", "fi": "kuormaa talvessa"},
        ),
        Field(
            name="period",
            term=SCHEMA.observationDate,
            form="date",
            need="should",
            label=words("When", "Milloin", "När"),
            hint=words(
                "The year, month or day that the value is of.",
                "Vuosi, kuukausi tai päivä, jolta arvo on.",
                "Året, månaden eller dagen som värdet gäller.",
            ),
            example="2025",
        ),
        Field(
            name="method",
            term=SCHEMA.measurementMethod,
            form="text",
            label=words("How", "Miten", "Hur"),
            hint=words(
                "How it was measured, and of how many cases.",
                "Miten se mitattiin ja kuinka monesta tapauksesta.",
                "Hur det mättes och av hur många fall.",
            ),
            example={"en": "Weighbridge counts"},
        ),
        Field(
            name="source",
            term=DCT.source,
            form="link",
            label=words("Source", "Lähde", "Källa"),
            hint=words(
                "A page or file where the number stands.",
                "Sivu tai tiedosto, jossa luku on.",
                "En sida eller fil där talet står.",
            ),
            example="https://city.example/reports/snow-2025",
        ),
    ),
)
FAILURE = Field(
    name="what_failed",
    term=CN.failure,
    form="markdown",
    need="should",
    section="results",
    label=words("What failed, and why", "Mikä epäonnistui ja miksi", "Vad som misslyckades och varför"),
    hint=words(
        "At least one thing that did not work, and why: it saves the next city a year.",
        "Ainakin yksi asia, joka ei toiminut, ja miksi: se säästää seuraavalta kaupungilta vuoden.",
        "Minst en sak som inte fungerade, och varför: det sparar nästa stad ett år.",
    ),
    reason="No vocabulary that cities use records failure, and it is what collections of practices miss most.",
    example={
        "en": "The first melting place stood too near to homes; the noise at night moved it after one winter.",
        "fi": "Ensimmäinen sulatuspaikka oli liian lähellä koteja; yömelu siirsi sen yhden talven jälkeen.",
    },
)

COST = Field(
    name="cost",
    term=SCHEMA.estimatedCost,
    form="group",
    cls=SCHEMA.MonetaryAmount,
    need="should",
    short=True,
    section="facts",
    label=words("Cost", "Kustannukset", "Kostnad"),
    hint=words(
        "A band is enough; give amounts, currency and year if you may.",
        "Luokka riittää; kerro summat, valuutta ja vuosi, jos voit.",
        "En klass räcker; ange belopp, valuta och år om du kan.",
    ),
    fields=(
        Field(
            name="band",
            term=CN.costBand,
            form="code",
            codes=COST_BANDS,
            need="should",
            label=words("Band", "Luokka", "Klass"),
            hint=words(
                "The band in which the cost of starting lies.",
                "Luokka, johon käynnistämisen kustannus kuuluu.",
                "Klassen som startkostnaden ligger i.",
            ),
            reason="Amounts of schema.org are exact; cities that may not publish prices can still name a band.",
            example="250k-1m",
        ),
        Field(
            name="lowest",
            term=SCHEMA.minValue,
            form="number",
            label=words("From", "Alkaen", "Från"),
            hint=words("The lowest estimate.", "Pienin arvio.", "Den lägsta uppskattningen."),
            example="400000",
        ),
        Field(
            name="highest",
            term=SCHEMA.maxValue,
            form="number",
            label=words("To", "Enintään", "Till"),
            hint=words("The highest estimate.", "Suurin arvio.", "Den högsta uppskattningen."),
            example="600000",
        ),
        Field(
            name="currency",
            term=SCHEMA.currency,
            form="plain",
            label=words("Currency", "Valuutta", "Valuta"),
            hint=words(
                "Three letters, such as EUR or GBP.",
                "Kolme kirjainta, esimerkiksi EUR tai GBP.",
                "Tre bokstäver, till exempel EUR eller GBP.",
            ),
            example="EUR",
        ),
        Field(
            name="year",
            term=SCHEMA.startDate,
            form="date",
            label=words("Prices of", "Hintataso", "Prisnivå"),
            hint=words("The year of these prices.", "Vuosi, jonka hintoja nämä ovat.", "Året som priserna gäller."),
            example="2024",
        ),
        Field(
            name="running",
            term=DCT.description,
            form="text",
            label=words("Running costs", "Jatkuvat kustannukset", "Löpande kostnader"),
            hint=words(
                "What it takes each year once it runs: money, posts, licences.",
                "Mitä se vaatii vuosittain käynnistyttyään: rahaa, työvuosia, lisenssejä.",
                "Vad det kräver varje år när det är i gång: pengar, tjänster, licenser.",
            ),
            example={"en": "Two posts each winter"},
        ),
    ),
)
EFFORT = Field(
    name="effort",
    term=CN.effort,
    form="code",
    codes=EFFORT_BANDS,
    need="should",
    short=True,
    section="facts",
    label=words("Effort", "Työmäärä", "Arbetsinsats"),
    hint=words(
        "How long it took from the decision to its first use.",
        "Kuinka kauan päätöksestä ensimmäiseen käyttöön kului.",
        "Hur lång tid det tog från beslutet till det första bruket.",
    ),
    reason="Durations of schema.org are exact; what the next city wants to know is the size of the work.",
    example="year",
)
PERIOD = Field(
    name="period",
    term=DCT.temporal,
    form="group",
    cls=DCT.PeriodOfTime,
    section="facts",
    label=words("Period", "Ajankohta", "Period"),
    hint=words(
        "When it began, and ended if it did.",
        "Milloin se alkoi ja mahdollisesti päättyi.",
        "När det började, och eventuellt slutade.",
    ),
    fields=(
        Field(
            name="start",
            term=DCAT.startDate,
            form="date",
            label=words("From", "Alkoi", "Från"),
            hint=words("When it began.", "Milloin se alkoi.", "När det började."),
            example="2023",
        ),
        Field(
            name="end",
            term=DCAT.endDate,
            form="date",
            label=words("To", "Päättyi", "Till"),
            hint=words("When it ended.", "Milloin se päättyi.", "När det slutade."),
        ),
    ),
)
PARTNERS = Field(
    name="partners",
    term=DCT.contributor,
    form="group",
    cls=FOAF.Agent,
    many=True,
    section="facts",
    label=words("With", "Mukana", "Tillsammans med"),
    hint=words(
        "Organisations that took part, and as what; not persons.",
        "Mukana olleet organisaatiot ja niiden roolit; ei henkilöitä.",
        "Organisationer som deltog, och i vilken roll; inte personer.",
    ),
    fields=(
        Field(
            name="name",
            term=FOAF.name,
            form="text",
            need="must",
            label=words("Name", "Nimi", "Namn"),
            hint=words("The organisation's name.", "Organisaation nimi.", "Organisationens namn."),
            example={"en": "Example Harbour Company"},
        ),
        Field(
            name="role",
            term=DCT.type,
            form="code",
            codes=ROLES,
            label=words("Role", "Rooli", "Roll"),
            hint=words("What it took part as.", "Missä roolissa se oli mukana.", "Vilken roll den hade."),
            example="partner",
        ),
        Field(
            name="homepage",
            term=FOAF.homepage,
            form="link",
            label=words("Web site", "Verkkosivu", "Webbplats"),
            hint=words("Its web site.", "Sen verkkosivu.", "Dess webbplats."),
        ),
    ),
)
SDG = Field(
    name="sdgs",
    term=DCT.subject,
    form="code",
    codes=SDGS,
    many=True,
    most=17,
    section="facts",
    label=words("UN goals", "YK:n tavoitteet", "FN:s mål"),
    hint=words(
        "The Sustainable Development Goals it serves, by number: name the one or two that matter.",
        "Kestävän kehityksen tavoitteet numeroina: nimeä yksi tai kaksi tärkeintä.",
        "De globala mål som det bidrar till, med nummer: nämn det eller de två viktigaste.",
    ),
    example=["11"],
)

CODE = Field(
    name="code",
    term=SCHEMA.codeRepository,
    form="link",
    section="facts",
    label=words("Source code", "Lähdekoodi", "Källkod"),
    hint=words("Where the code is public.", "Missä koodi on julkisesti.", "Var koden finns offentligt."),
    example="https://code.example/snow",
)


def uses(back: Words) -> Field:
    """Make the field of the records that something was made with; `back` is what their pages call the way back."""
    return Field(
        name="uses",
        term=PROV.used,
        form="link",
        many=True,
        to=USABLE,
        back=back,
        section="facts",
        label=words("Made with", "Tehty näillä", "Gjort med"),
        hint=words(
            "Datasets, AI systems, city models and agreements that it used, of any city, by their addresses.",
            "Aineistot, tekoälyjärjestelmät, kaupunkimallit ja sopimukset, joita käytettiin, minkä tahansa kaupungin.",
            "Datamängder, AI-system, stadsmodeller och avtal som användes, från vilken stad som helst.",
        ),
        example=["https://city.example/datasets/snow-loads"],
    )
