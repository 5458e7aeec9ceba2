"""The part of the table in `words` that speaks of knowledge: what touches a record, the lists of each kind.

Same rules, same order of languages: English, Finnish, Swedish. What kinds and their fields are called is said by their
tables in `node.vocab.kinds`, where a field and its words are one thing.
"""

KNOW_WORDS: dict[str, tuple[str, str, str]] = {
    "kind.question": ("Question", "Kysymys", "Fråga"),
    "kind.answer": ("Answer", "Vastaus", "Svar"),
    "kind.city-model": ("City model", "Kaupunkimalli", "Stadsmodell"),
    "nav.knowledge": ("Knowledge", "Osaaminen", "Kunskap"),
    "know.title": ("What cities have learnt", "Mitä kaupungit ovat oppineet", "Vad städer har lärt sig"),
    "know.lead": (
        "What this city and its partners did, with results; which AI they use; what they look for; and what others made"
        " of their data.",
        "Mitä tämä kaupunki ja sen kumppanit ovat tehneet ja mitä siitä seurasi, mitä tekoälyä ne käyttävät, mitä ne"
        " etsivät ja mitä muut ovat tehneet niiden datasta.",
        "Vad den här staden och dess partner har gjort, med resultat; vilken AI de använder; vad de söker; och vad"
        " andra har gjort av deras data.",
    ),
    "know.none": ("None yet", "Ei vielä yhtään", "Inga än"),
    "know.absent": ("not mirrored here (yet)", "ei (vielä) peilattu tänne", "inte speglad här (än)"),
    "know.absent_city": (
        "{city}: not mirrored here (yet)",
        "{city}: ei (vielä) peilattu tänne",
        "{city}: inte speglad här (än)",
    ),
    "know.since": ("Published {date}", "Julkaistu {date}", "Publicerad {date}"),
    "know.via": ("Journal: {name}", "Päiväkirja: {name}", "Journal: {name}"),
    "know.languages": ("Also in", "Myös kielillä", "Också på"),
    "know.touches": ("What touches this", "Mikä liittyy tähän", "Vad som rör detta"),
    "know.touches_none": (
        "No record shown here points to it",
        "Mikään täällä näkyvä tietue ei viittaa siihen",
        "Ingen post som visas här pekar på den",
    ),
    "know.points": ("What it points to", "Mihin se viittaa", "Vad den pekar på"),
}
