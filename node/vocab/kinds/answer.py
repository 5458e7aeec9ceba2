"""Answers: what a city says to a question, as a record of its own that points to the question.

Any city may answer, not only the one that was asked; whose answer it is stands in its publisher and its journal.
Classes and properties are schema.org's. Pure values.
"""

from node.vocab.kinds import common
from node.vocab.kinds.codes import words
from node.vocab.kinds.field import Field, KindTable
from node.vocab.terms import DCT, SCHEMA

_QUESTION = Field(
    name="question",
    term=SCHEMA.parentItem,
    form="link",
    need="must",
    to=("question",),
    back=words("Answers", "Vastaukset", "Svar"),
    short=True,
    label=words("Answers the question", "Vastaa kysymykseen", "Svarar på frågan"),
    hint=words(
        "The address of the question.",
        "Kysymyksen osoite.",
        "Frågans adress.",
    ),
    example="https://other-city.example/questions/how-large",
)
_TEXT = Field(
    name="text",
    term=SCHEMA.text,
    form="markdown",
    need="must",
    section="text",
    label=words("The answer", "Vastaus", "Svaret"),
    hint=words(
        "The answer, complete without following links.",
        "Vastaus, ymmärrettävä ilman linkkejä.",
        "Svaret, begripligt utan att följa länkar.",
    ),
    example={"en": "About 8,000 square metres each; the smallest that worked had 5,000."},
)
_SEE = Field(
    name="see",
    term=DCT.references,
    form="link",
    many=True,
    to=("practice", "adoption", "dataset", "dataset-series", "data-service", "ai-system", "city-model", "reuse"),
    back=words("Named in answers", "Mainittu vastauksissa", "Nämns i svar"),
    section="text",
    label=words("See also", "Katso myös", "Se även"),
    hint=words(
        "Records that help, of any city, by their addresses.",
        "Tietueita, joista on apua, minkä tahansa kaupungin, osoitteina.",
        "Poster som hjälper, från vilken stad som helst, som adresser.",
    ),
)

TABLE = KindTable(
    kind="answer",
    cls=SCHEMA.Answer,
    title=words("Answer", "Vastaus", "Svar"),
    plural=words("Answers", "Vastaukset", "Svar"),
    about=words(
        "What a city answers to a question of another.",
        "Mitä kaupunki vastaa toisen kaupungin kysymykseen.",
        "Vad en stad svarar på en annan stads fråga.",
    ),
    command="answers",
    collection="answers",
    sections={"text": words("The answer", "Vastaus", "Svaret"), "record": common.RECORD},
    fields=(*common.HEAD, _QUESTION, _TEXT, _SEE, *common.TAIL),
)
