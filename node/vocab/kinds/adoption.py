"""Adoptions: a city says that it repeated another's practice, what it changed and what came of it.

An adoption is a record of the adopting city, in its own journal; it points to the practice wherever that is held, so
the page of the original shows it once both are read. A practice that was looked at and not adopted is worth a record
too. Pure values.
"""

from node.vocab.kinds import common
from node.vocab.kinds.codes import ADOPTION_STATUS, words
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.shared import (
    COST,
    EFFORT,
    EVIDENCE,
    EVIDENCE_LEVEL,
    FACTS,
    FAILURE,
    PARTNERS,
    PERIOD,
    RESULTS,
    STORY,
    uses,
)
from node.vocab.terms import ADMS, CN, DCT, PROV, SCHEMA

_OWN = (
    Field(
        name="practice",
        term=PROV.wasDerivedFrom,
        form="link",
        need="must",
        to=("practice",),
        back=words("Repeated by", "Toistaneet", "Upprepat av"),
        short=True,
        section="story",
        label=words("Repeats", "Toistaa käytännön", "Upprepar"),
        hint=words(
            "The address of the practice that was repeated, at the city that wrote it.",
            "Toistetun käytännön osoite sen kirjoittaneessa kaupungissa.",
            "Adressen till arbetssättet som upprepades, hos staden som skrev det.",
        ),
        example="https://other-city.example/practices/snow",
    ),
    Field(
        name="status",
        term=ADMS.status,
        form="code",
        codes=ADOPTION_STATUS,
        need="should",
        short=True,
        section="facts",
        label=words("How far it is", "Eteneminen", "Hur långt det har kommit"),
        hint=words(
            "Planned, being tried, in use, ended, or looked at and not adopted.",
            "Suunnitteilla, kokeilussa, käytössä, päättynyt tai tutkittu ja jätetty ottamatta käyttöön.",
            "Planerat, på försök, i bruk, avslutat, eller undersökt och inte infört.",
        ),
        example="in-use",
    ),
    Field(
        name="description",
        term=DCT.description,
        form="markdown",
        section="story",
        label=words("What we did", "Mitä teimme", "Vad vi gjorde"),
        hint=words(
            "How it went here, in a few paragraphs.",
            "Miten se tehtiin täällä, muutamalla kappaleella.",
            "Hur det gick till här, i några stycken.",
        ),
        example={"en": "Two yards in the outer boroughs melted snow in the winter of 2026."},
    ),
    Field(
        name="adapted",
        term=CN.adaptation,
        form="markdown",
        need="should",
        section="story",
        label=words("What we changed", "Mitä muutimme", "Vad vi ändrade"),
        hint=words(
            "What was left out, added or done otherwise than in the original, and why.",
            "Mitä jätettiin pois, lisättiin tai tehtiin toisin kuin alkuperäisessä, ja miksi.",
            "Vad som utelämnades, lades till eller gjordes annorlunda än i originalet, och varför.",
        ),
        reason="adms:versionNotes and skos:changeNote are about a newer version of the same thing.",
        example={"en": "Meltwater goes to the storm drains, because there is no open water near the yards."},
    ),
    Field(
        name="result",
        term=SCHEMA.result,
        form="markdown",
        need="should",
        section="results",
        label=words("What came of it", "Mitä siitä tuli", "Vad det ledde till"),
        hint=words(
            "What is different now; say so if it is too early to tell.",
            "Mikä on nyt toisin; kerro, jos on liian aikaista sanoa.",
            "Vad som är annorlunda nu; säg om det är för tidigt att veta.",
        ),
        example={"en": "No snow was tipped into the river; costs per load rose by a fifth."},
    ),
)
_WRITTEN_UP = Field(
    name="written_up",
    term=SCHEMA.subjectOf,
    form="link",
    to=("practice",),
    back=words("Tells of the repetition", "Kertoo toistamisesta", "Berättar om upprepningen"),
    section="facts",
    label=words("Our own account", "Oma kuvauksemme", "Vår egen beskrivning"),
    hint=words(
        "The practice in which this city tells of it at length, if there is one.",
        "Käytäntö, jossa tämä kaupunki kertoo siitä laajemmin, jos sellainen on.",
        "Arbetssättet där staden berättar utförligt om det, om ett sådant finns.",
    ),
)

TABLE = KindTable(
    kind="adoption",
    cls=CN.Adoption,
    title=words("Adoption", "Käyttöönotto", "Införande"),
    plural=words("Adoptions", "Käyttöönotot", "Införanden"),
    about=words(
        "A city's word that it repeated a practice of another city, what it changed and what came of it.",
        "Kaupungin ilmoitus, että se toisti toisen kaupungin käytännön: mitä se muutti ja mitä siitä tuli.",
        "En stads besked om att den upprepat en annan stads arbetssätt: vad den ändrade och vad det ledde till.",
    ),
    reason="prov:Derivation relates two things; it is no record with a publisher, a state and results of its own.",
    command="adoptions",
    collection="adoptions",
    sections={"story": STORY, "results": RESULTS, "facts": FACTS, "record": common.RECORD},
    fields=(
        *common.HEAD,
        *_OWN,
        EVIDENCE_LEVEL,
        EVIDENCE,
        FAILURE,
        PERIOD,
        COST,
        EFFORT,
        PARTNERS,
        uses(words("Repetitions that use it", "Toistot, joissa tätä on käytetty", "Upprepningar som använder detta")),
        _WRITTEN_UP,
        *common.TAIL,
    ),
)
