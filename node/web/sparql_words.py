"""The part of the table in `words` that speaks of SPARQL: the page on which a query is asked and its answer read.

Same rules, same order of languages: English, Finnish, Swedish.
Apart from `words` for its length alone.
"""

SPARQL_WORDS: dict[str, tuple[str, str, str]] = {
    "sparql.title": ("Ask in SPARQL", "Kysy SPARQL-kielellä", "Fråga med SPARQL"),
    "sparql.lead": (
        "Every open record of {city} and of the cities whose records it mirrors, as one graph. Each record is a named "
        "graph, too, named by its document at its own city.",
        "Kaikki avoimet tietueet yhtenä verkkona: {city} ja kaupungit, joiden tietueet se peilaa. Jokainen tietue on "
        "myös nimetty verkko, jonka nimi on tietueen dokumentti sen omassa kaupungissa.",
        "Alla öppna poster som en graf: {city} och de städer vars poster den speglar. Varje post är också en namngiven "
        "graf, med namn efter postens dokument i den egna staden.",
    ),
    "sparql.query": ("Query", "Kysely", "Fråga"),
    "sparql.hint": (
        "SPARQL 1.1, at most {seconds} s and {bytes} bytes. SERVICE and updates are not taken.",
        "SPARQL 1.1, enintään {seconds} s ja {bytes} tavua. SERVICE ja muutokset eivät käy.",
        "SPARQL 1.1, högst {seconds} s och {bytes} byte. SERVICE och ändringar tas inte emot.",
    ),
    "sparql.ask": ("Run the query", "Suorita kysely", "Kör frågan"),
    "sparql.examples": ("Examples", "Esimerkkejä", "Exempel"),
    "sparql.example_themes": (
        "How many datasets each theme has",
        "Montako tietoaineistoa kussakin teemassa on",
        "Hur många datamängder varje tema har",
    ),
    "sparql.example_formats": (
        "Datasets with a file in CSV",
        "Tietoaineistot, joilla on CSV-tiedosto",
        "Datamängder med en fil i CSV",
    ),
    "sparql.example_graph": (
        "Which graph says what of one record",
        "Mikä verkko sanoo mitä yhdestä tietueesta",
        "Vilken graf säger vad om en post",
    ),
    "sparql.answer": ("Answer", "Vastaus", "Svar"),
    "sparql.yes": ("Yes", "Kyllä", "Ja"),
    "sparql.no": ("No", "Ei", "Nej"),
    "sparql.none": ("Nothing matches", "Mikään ei täsmää", "Inget stämmer"),
    "sparql.rows": ("{n} rows", "{n} riviä", "{n} rader"),
    "sparql.rows_one": ("One row", "Yksi rivi", "En rad"),
    "sparql.cut": (
        "The first {n} are shown; the files have all of them.",
        "Ensimmäiset {n} näytetään; tiedostoissa ovat kaikki.",
        "De första {n} visas; filerna har alla.",
    ),
    "sparql.as": ("The whole answer as", "Koko vastaus muodossa", "Hela svaret som"),
    "sparql.wrong": ("This could not be answered", "Tähän ei voitu vastata", "Det gick inte att svara"),
    "sparql.programs": ("For programs", "Ohjelmille", "För program"),
    "sparql.programs_more": (
        "The endpoint is this address. Ask by GET or POST as SPARQL 1.1 Protocol says, in any of its result formats; "
        "without a query it describes itself.",
        "Päätepiste on tämä osoite. Kysy GET- tai POST-pyynnöllä SPARQL 1.1 Protocolin mukaan, missä tahansa sen "
        "tulosmuodoista; ilman kyselyä se kuvaa itsensä.",
        "Slutpunkten är den här adressen. Fråga med GET eller POST enligt SPARQL 1.1 Protocol, i vilket av dess "
        "resultatformat som helst; utan fråga beskriver den sig själv.",
    ),
}
