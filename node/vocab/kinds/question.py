"""Questions: what one city asks about a record of another, in public, as a record of its own.

A question travels like any record: the asked city's page shows it once the asking city's collection is mirrored there,
and the answer is a record of whoever answers. Classes and properties are schema.org's. Pure values.
"""

from node.vocab.kinds import common
from node.vocab.kinds.codes import words
from node.vocab.kinds.field import Field, KindTable
from node.vocab.terms import SCHEMA

ASKABLE = (
    "practice",
    "adoption",
    "ai-system",
    "dataset",
    "dataset-series",
    "data-service",
    "city-model",
    "challenge",
    "reuse",
)

_ABOUT = Field(
    name="about",
    term=SCHEMA.about,
    form="link",
    need="must",
    to=ASKABLE,
    back=words("Questions", "Kysymykset", "Frågor"),
    short=True,
    label=words("About", "Aihe", "Gäller"),
    hint=words(
        "The address of the record that the question is about.",
        "Sen tietueen osoite, jota kysymys koskee.",
        "Adressen till posten som frågan gäller.",
    ),
    example="https://other-city.example/practices/snow",
)
_TEXT = Field(
    name="text",
    term=SCHEMA.text,
    form="markdown",
    need="should",
    section="text",
    label=words("The question", "Kysymys", "Frågan"),
    hint=words(
        "What you want to know, and what for; the title is the question in one line.",
        "Mitä haluat tietää ja mihin; otsikko on kysymys yhdellä rivillä.",
        "Vad du vill veta, och till vad; titeln är frågan på en rad.",
    ),
    example={"en": "How many square metres of yard did each place need? We have two of about a hectare."},
)

TABLE = KindTable(
    kind="question",
    cls=SCHEMA.Question,
    title=words("Question", "Kysymys", "Fråga"),
    plural=words("Questions", "Kysymykset", "Frågor"),
    about=words(
        "What one city asks about a record of another.",
        "Mitä kaupunki kysyy toisen kaupungin tietueesta.",
        "Vad en stad frågar om en annan stads post.",
    ),
    command="questions",
    collection="questions",
    sections={"text": words("The question", "Kysymys", "Frågan"), "record": common.RECORD},
    fields=(*common.HEAD, _ABOUT, _TEXT, *common.TAIL),
)
