"""The data of AI systems: what a system was developed with, and what it works on, in the same words for both.

The fields are those of the United Kingdom's standard (ATRS 4, sections 2.4.3 and 2.4.4); a city that says less fills in
name and description. Data that is a record of any city is linked, so that its page shows who uses it. Pure values.
"""

from dataclasses import replace

from node.vocab.kinds import ai_codes
from node.vocab.kinds.ai_groups import DESCRIPTION, NAME, PAGE
from node.vocab.kinds.codes import words
from node.vocab.kinds.field import Field
from node.vocab.terms import CN, DCT, DPV_AI

_USE = Field(
    name="use",
    term=DCT.type,
    form="code",
    codes=ai_codes.DATA_USES,
    many=True,
    label=ai_codes.DATA_USES.label,
    hint=words(
        "Whether it was for training, validation or testing.",
        "Käytettiinkö sitä koulutukseen, validointiin vai testaukseen.",
        "Om det var för träning, validering eller testning.",
    ),
    example=["training"],
)
_DATASETS = Field(
    name="datasets",
    term=DCT.source,
    form="link",
    many=True,
    need="should",
    to=("dataset", "dataset-series", "data-service"),
    back=words("AI systems that use it", "Tekoälyjärjestelmät, jotka käyttävät tätä", "AI-system som använder den"),
    label=words("Datasets", "Tietoaineistot", "Datamängder"),
    hint=words(
        "The addresses of the records of the data, of this or another city.",
        "Aineistojen kuvausten osoitteet, tämän tai toisen kaupungin.",
        "Adresserna till beskrivningarna av data, i denna eller en annan stad.",
    ),
    example=["https://hri.fi/data/dataset/example"],
)
_ABOUT: tuple[Field, ...] = (
    Field(
        name="modality",
        term=CN.modality,
        form="text",
        reason="dct:format and dcat:mediaType are about files; this is text, images, sound, tables or sensors.",
        label=words("Modality", "Muoto", "Modalitet"),
        hint=words(
            "Text, images, sound, tables, sensors.",
            "Teksti, kuvat, ääni, taulukot, anturit.",
            "Text, bilder, ljud, tabeller, sensorer.",
        ),
    ),
    Field(
        name="quantity",
        term=DCT.extent,
        form="text",
        label=words("Quantity", "Määrä", "Mängd"),
        hint=words("How much there is.", "Kuinka paljon sitä on.", "Hur mycket det finns."),
    ),
    Field(
        name="sensitive",
        term=CN.sensitiveAttributes,
        form="markdown",
        reason="dpv:hasPersonalData names categories; registers also list attributes that stand for others.",
        label=words("Sensitive attributes", "Arkaluonteiset tiedot", "Känsliga attribut"),
        hint=words(
            "Personal data, protected characteristics, and what may stand for them.",
            "Henkilötiedot, suojatut ominaisuudet ja se, mikä voi viitata niihin.",
            "Personuppgifter, skyddade egenskaper, och vad som kan stå för dem.",
        ),
    ),
    Field(
        name="representativeness",
        term=CN.representativeness,
        form="markdown",
        reason="No vocabulary has a property for what is missing in data and whom it leaves out.",
        label=words("Completeness", "Kattavuus", "Fullständighet"),
        hint=words(
            "What is missing, and whom it leaves out.",
            "Mitä puuttuu ja kuka jää pois.",
            "Vad som saknas, och vem som utelämnas.",
        ),
    ),
    Field(
        name="origin",
        term=CN.collectionProcess,
        form="markdown",
        reason="dct:provenance is about changes of custody; this is how and what for the data were first collected.",
        label=words("How it was collected", "Miten se kerättiin", "Hur det samlades in"),
        hint=words(
            "How, and for what purpose, it was first collected.",
            "Miten ja mihin tarkoitukseen se alun perin kerättiin.",
            "Hur, och för vilket ändamål, det först samlades in.",
        ),
    ),
    Field(
        name="cleaning",
        term=CN.cleaning,
        form="markdown",
        reason="ai:DataCleaning is an operation as a thing; registers say what was done in words.",
        label=words("Cleaning", "Puhdistus", "Rensning"),
        hint=words("What was changed before use.", "Mitä muutettiin ennen käyttöä.", "Vad som ändrades före bruk."),
    ),
    Field(
        name="agreements",
        term=CN.sharingAgreements,
        form="markdown",
        reason="odrl:hasPolicy points to a policy for machines; registers only say which agreements there are.",
        label=words("Agreements", "Sopimukset", "Avtal"),
        hint=words(
            "Under which agreements it is shared.",
            "Millä sopimuksilla se on jaettu.",
            "Enligt vilka avtal det delas.",
        ),
    ),
    Field(
        name="storage",
        term=CN.accessAndStorage,
        form="markdown",
        reason="dpv:hasStorageCondition points to conditions as things; registers say who, where and how long.",
        label=words("Access and storage", "Pääsy ja säilytys", "Tillgång och lagring"),
        hint=words(
            "Who has access, where it is kept and for how long.",
            "Kuka siihen pääsee, missä sitä säilytetään ja kuinka kauan.",
            "Vem som har tillgång, var det förvaras och hur länge.",
        ),
    ),
)

OPERATIONAL = Field(
    name="operational_data",
    term=DPV_AI.hasData,
    form="group",
    many=True,
    need="should",
    section="data",
    label=words("Data that it works on", "Tiedot, joita se käsittelee", "Data som det arbetar med"),
    hint=words(
        "Which data it is fed in use, why, and from where.",
        "Mitä tietoja se saa käytössä, miksi ja mistä.",
        "Vilka data det matas med i bruk, varför, och varifrån.",
    ),
    fields=(
        replace(NAME, example={"en": "Parking permits in force"}),
        replace(
            DESCRIPTION, need="should", example={"en": "Asked by plate number, to see whether a car may stand there."}
        ),
        _DATASETS,
        PAGE,
        *_ABOUT,
    ),
)
DEVELOPMENT = Field(
    name="development_data",
    term=DPV_AI.hasTrainingData,
    form="group",
    many=True,
    need="should",
    section="data",
    label=words("Data that it was developed with", "Kehittämisessä käytetyt tiedot", "Data som det utvecklades med"),
    hint=words(
        "Which data it was trained and tested with; leave it out for what was bought ready.",
        "Millä tiedoilla se koulutettiin ja testattiin; jätä pois, jos se ostettiin valmiina.",
        "Vilka data det tränades och testades med; utelämna det för färdigköpta system.",
    ),
    fields=(
        replace(NAME, example={"en": "Plates photographed in 2024"}),
        replace(DESCRIPTION, need="should", example={"en": "10,000 pictures without faces."}),
        _USE,
        replace(
            _DATASETS,
            need="may",
            back=words(
                "AI systems developed with it",
                "Tekoälyjärjestelmät, jotka kehitettiin tällä",
                "AI-system som utvecklades med den",
            ),
            example=None,
        ),
        PAGE,
        *_ABOUT,
    ),
)
