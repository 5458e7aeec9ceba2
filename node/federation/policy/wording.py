"""The one table of words: how each action, constraint and duty of the profile is said in English, Finnish and Swedish.

`sentences` says rules with these rows and reads sentences back with the same rows, so what is shown is what is
enforced. A row missing for a term of the profile fails a test. Finnish names are not bent: they stand alone, or behind
a word that is (`osapuolelle Helsinki`). Reviewed by native readers before release.
"""

from collections.abc import Mapping

LANGUAGES = ("en", "fi", "sv")
Said = tuple[str, str, str]

# After "may" and "may not". Two keys where forbidding reaches further than permitting: see `terms`, on `use`.
ACTIONS: Mapping[str, Said] = {
    "read": (
        "search and read the covered records at their origin",
        "hakea ja lukea sopimuksen kattamia tietueita niiden lähteessä",
        "söka och läsa de poster som avtalet omfattar hos källan",
    ),
    "index": (
        "mirror the covered records and search the mirror",
        "peilata sopimuksen kattamia tietueita ja hakea peilistä",
        "spegla de poster som avtalet omfattar och söka i speglingen",
    ),
    "use": (
        "fetch the covered data and use them",
        "noutaa sopimuksen kattamaa dataa ja käyttää sitä",
        "hämta de data som avtalet omfattar och använda dem",
    ),
    "distribute": (
        "pass what is covered on to others",
        "antaa sopimuksen kattamaa aineistoa edelleen muille",
        "ge det som avtalet omfattar vidare till andra",
    ),
    "derive": (
        "make new works from what is covered",
        "tehdä uusia teoksia sopimuksen kattamasta aineistosta",
        "skapa nya verk av det som avtalet omfattar",
    ),
    "aggregate": (
        "combine what is covered with other data",
        "yhdistää sopimuksen kattamaa aineistoa muuhun dataan",
        "kombinera det som avtalet omfattar med andra data",
    ),
    "translate": (
        "translate what is covered",
        "kääntää sopimuksen kattamaa aineistoa muille kielille",
        "översätta det som avtalet omfattar",
    ),
    "not:use": (
        "make any use of what is covered",
        "käyttää sopimuksen kattamaa aineistoa millään tavalla",
        "använda det som avtalet omfattar på något sätt",
    ),
    "sell": (
        "sell what is covered",
        "myydä sopimuksen kattamaa aineistoa",
        "sälja det som avtalet omfattar",
    ),
    "reidentify": (
        "identify persons, or try to, from what is covered",
        "tunnistaa henkilöitä sopimuksen kattamasta aineistosta tai yrittää sitä",
        "identifiera personer, eller försöka, med hjälp av det som avtalet omfattar",
    ),
}

# After "must", "sitoutuu", "ska". A deletion without a deadline is due when the agreement ends, however it ends.
DUTIES: Mapping[str, Said] = {
    "attribute": (
        "name {assigner} as the source",
        "mainitsemaan lähteen ({assigner})",
        "ange {assigner} som källa",
    ),
    "inform": (
        "tell {assigner} what it did",
        "kertomaan osapuolelle {assigner}, mitä on tehnyt",
        "berätta för {assigner} vad den har gjort",
    ),
    "delete": (
        "delete its copies of what is covered when this agreement ends",
        "poistamaan kopionsa sopimuksen kattamasta aineistosta, kun sopimus päättyy",
        "radera sina kopior av det som avtalet omfattar när avtalet upphör",
    ),
    "delete:by": (
        "delete its copies of what is covered",
        "poistamaan kopionsa sopimuksen kattamasta aineistosta",
        "radera sina kopior av det som avtalet omfattar",
    ),
    "anonymize": (
        "make what is covered anonymous",
        "tekemään sopimuksen kattamasta aineistosta anonyymiä",
        "göra det som avtalet omfattar anonymt",
    ),
    "obtainConsent": (
        "obtain the consent of those whom it concerns",
        "hankkimaan suostumuksen niiltä, joita asia koskee",
        "inhämta samtycke av dem som saken gäller",
    ),
    "reviewPolicy": (
        "review these terms",
        "käymään nämä ehdot läpi",
        "se över dessa villkor",
    ),
}

# By operand and operator: rows of (how the value is said, words). The first row whose form can say the value is used.
# The forms: `value` by the kind of the operand; `day` an instant at midnight; `last` the day that such a midnight ends.
CONSTRAINTS: Mapping[tuple[str, str], tuple[tuple[str, Said], ...]] = {
    ("purpose", "eq"): (
        ("value", ("for exactly the purpose {v}", "täsmälleen tarkoitukseen {v}", "för exakt ändamålet {v}")),
    ),
    ("purpose", "isA"): (
        (
            "value",
            (
                "for the purpose {v} or a kind of it",
                "tarkoitukseen {v} tai sen alalajiin",
                "för ändamålet {v} eller en underart av det",
            ),
        ),
    ),
    ("purpose", "isAnyOf"): (
        (
            "value",
            (
                "for the purpose of {v} or a kind of any of these",
                "johonkin näistä tarkoituksista tai niiden alalajeihin: {v}",
                "för något av ändamålen {v} eller en underart av något av dem",
            ),
        ),
    ),
    ("purpose", "isNoneOf"): (
        (
            "value",
            (
                "for a purpose other than {v} or a kind of any of these",
                "muuhun tarkoitukseen kuin nämä tai niiden alalajit: {v}",
                "för ett annat ändamål än {v} eller en underart av något av dem",
            ),
        ),
    ),
    ("dateTime", "lt"): (
        ("last", ("until the end of {v}", "{v} loppuun asti", "till utgången av den {v}")),
        ("value", ("before {v}", "ennen ajankohtaa {v}", "före {v}")),
    ),
    ("dateTime", "lteq"): (("value", ("no later than {v}", "viimeistään {v}", "senast {v}")),),
    ("dateTime", "gteq"): (
        ("day", ("from {v} on", "{v} alkaen", "från och med den {v}")),
        ("value", ("no earlier than {v}", "aikaisintaan {v}", "tidigast {v}")),
    ),
    ("dateTime", "gt"): (("value", ("after {v}", "ajankohdan {v} jälkeen", "efter {v}")),),
    ("spatial", "eq"): (("value", ("for exactly the area {v}", "täsmälleen alueella {v}", "för exakt området {v}")),),
    ("spatial", "isPartOf"): (("value", ("within the area {v}", "alueen {v} sisällä", "inom området {v}")),),
    ("spatial", "isAnyOf"): (
        ("value", ("within any of the areas {v}", "jonkin näistä alueista sisällä: {v}", "inom något av områdena {v}")),
    ),
    ("recipient", "eq"): (
        ("value", ("for the recipient {v} alone", "vain vastaanottajalle {v}", "för mottagaren {v} ensam")),
    ),
    ("recipient", "isAnyOf"): (
        (
            "value",
            ("for the recipient {v}", "jollekin näistä vastaanottajista: {v}", "för någon av mottagarna {v}"),
        ),
    ),
    ("count", "lteq"): (("value", ("at most {v} in all", "enintään {v} yhteensä", "högst {v} sammanlagt")),),
    ("count", "lt"): (("value", ("fewer than {v} in all", "alle {v} yhteensä", "färre än {v} sammanlagt")),),
    ("volume", "lteq"): (
        ("value", ("at most {v} of data in all", "enintään {v} dataa yhteensä", "högst {v} data sammanlagt")),
    ),
    ("elapsedTime", "lteq"): (
        (
            "value",
            (
                "within {v} of the making of this agreement",
                "{v} kuluessa sopimuksen tekemisestä",
                "inom {v} efter att avtalet ingicks",
            ),
        ),
    ),
    ("elapsedTime", "lt"): (
        (
            "value",
            (
                "less than {v} after the making of this agreement",
                "alle {v} kuluessa sopimuksen tekemisestä",
                "mindre än {v} efter att avtalet ingicks",
            ),
        ),
    ),
    ("deliveryChannel", "eq"): (
        ("value", ("through {v} alone", "vain kanavan {v} kautta", "enbart genom kanalen {v}")),
    ),
    ("deliveryChannel", "isAnyOf"): (
        ("value", ("through {v}", "jonkin näistä kanavista kautta: {v}", "genom någon av kanalerna {v}")),
    ),
}

LOGIC: Mapping[str, Said] = {
    "and": ("where all of these hold: {parts}", "kun kaikki nämä pätevät: {parts}", "när allt detta gäller: {parts}"),
    "or": (
        "where at least one of these holds: {parts}",
        "kun ainakin yksi näistä pätee: {parts}",
        "när minst ett av dessa gäller: {parts}",
    ),
    "xone": (
        "where exactly one of these holds: {parts}",
        "kun täsmälleen yksi näistä pätee: {parts}",
        "när exakt ett av dessa gäller: {parts}",
    ),
}

CHANNELS: Mapping[str, Said] = {
    "feed": ("the feed of changes", "muutosvirta", "ändringsflödet"),
    "page": ("pages and documents", "sivut ja dokumentit", "sidor och dokument"),
    "search": ("search", "haku", "sökning"),
    "sparql": ("SPARQL queries", "SPARQL-kyselyt", "SPARQL-frågor"),
    "transfer": ("data transfer", "datansiirto", "dataöverföring"),
}

# In a duty or an obligation, whose constraints are its deadline.
DEADLINES: Mapping[tuple[str, str], tuple[tuple[str, Said], ...]] = {
    ("dateTime", "lt"): (
        ("last", ("at the latest by the end of {v}", "viimeistään {v}", "senast den {v}")),
        ("value", ("before {v}", "ennen ajankohtaa {v}", "före {v}")),
    ),
    ("dateTime", "lteq"): (("value", ("no later than {v}", "viimeistään {v}", "senast {v}")),),
    ("elapsedTime", "lteq"): (
        (
            "value",
            (
                "within {v} of the making of this agreement",
                "viimeistään {v} kuluttua sopimuksen tekemisestä",
                "senast {v} efter att avtalet ingicks",
            ),
        ),
    ),
    ("elapsedTime", "lt"): (
        (
            "value",
            (
                "less than {v} after the making of this agreement",
                "alle {v} kuluttua sopimuksen tekemisestä",
                "mindre än {v} efter att avtalet ingicks",
            ),
        ),
    ),
}

# How a whole clause is put together; `sentences` puts its parts in the places. A capital begins the sentence.
CLAUSES: Mapping[str, Said] = {
    "permission": ("{Assignee} may {acts}{when}.", "{Assignee} saa {acts}{when}.", "{Assignee} får {acts}{when}."),
    "prohibition": (
        "{Assignee} may not {acts}{when}.",
        "{Assignee} ei saa {acts}{when}.",
        "{Assignee} får inte {acts}{when}.",
    ),
    "obligation": (
        "{Assignee} must {duty}{when}.",
        "{Assignee} sitoutuu {duty}{when}.",
        "{Assignee} ska {duty}{when}.",
    ),
    "duty": (
        "For what is allowed in {clauses}, {assignee} must {duty}{when}.",
        "Edellytyksenä ({clauses}): {assignee} sitoutuu {duty}{when}.",
        "För det som tillåts i punkt {clauses} ska {assignee} {duty}{when}.",
    ),
}

# What joins a rule to its constraints, for one act and for each of several.
WHEN: Mapping[str, Said] = {
    "permission": (", but only {how}", ", mutta vain {how}", ", men endast {how}"),
    "permission:each": (
        ", and each of these only {how}",
        ", ja näitä kaikkia vain {how}",
        ", och allt detta endast {how}",
    ),
    "prohibition": (", when this is done {how}", ", kun se tehdään {how}", ", när det sker {how}"),
    "prohibition:each": (
        ", when any of these is done {how}",
        ", kun jotakin näistä tehdään {how}",
        ", när något av detta sker {how}",
    ),
    "obligation": (", {how}", ", {how}", ", {how}"),
}

JOINTS: Mapping[str, Said] = {
    "and": (" and ", " ja ", " och "),
    "or": (" or ", " tai ", " eller "),
    "all": (
        "under all of these conditions: {parts}",
        "kaikilla näillä ehdoilla: {parts}",
        "på alla dessa villkor: {parts}",
    ),
    "deadline": (
        "by all of these times: {parts}",
        "kaikkiin näihin määräaikoihin: {parts}",
        "inom alla dessa tider: {parts}",
    ),
}
QUOTES: Mapping[str, tuple[str, str]] = {"en": ("“", "”"), "fi": ("”", "”"), "sv": ("”", "”")}

SECTIONS: Mapping[str, Said] = {
    "1": ("What it covers", "Mitä sopimus kattaa", "Vad avtalet omfattar"),
    "2": (
        "What is allowed, and what is not",
        "Mikä on sallittua ja mikä ei",
        "Vad som är tillåtet och vad som inte är det",
    ),
    "3": ("What must be done", "Mitä on tehtävä", "Vad som ska göras"),
    "4": ("How it ends", "Miten sopimus päättyy", "Hur avtalet upphör"),
}

# What stands beside the rules, and what holds for every agreement because the nodes work so.
ABOUT: Mapping[str, Said] = {
    "covers": (
        "{assigner} opens this to {assignee}: {iris}.",
        "Avaaja: {assigner}. Saaja: {assignee}. Sopimus kattaa: {iris}.",
        "{assigner} öppnar detta för {assignee}: {iris}.",
    ),
    "partOf": (
        "This agreement is one direction of {iri}.",
        "Tämä sopimus on yksi suunta kokonaisuudesta {iri}.",
        "Detta avtal är en riktning av {iri}.",
    ),
    "legalBasis": (
        "The data are about persons, and the legal basis is {text}.",
        "Data koskee henkilöitä, ja oikeusperuste on {text}.",
        "Datan gäller personer, och den rättsliga grunden är {text}.",
    ),
    "transferBasis": (
        "Basis of the transfer: {text}",
        "Siirron peruste: {text}",
        "Grund för överföringen: {text}",
    ),
    "note": ("Also agreed: {text}", "Lisäksi on sovittu: {text}", "Dessutom är avtalat: {text}"),
    "replaces": ("It replaces {iri}.", "Se korvaa sopimuksen {iri}.", "Det ersätter {iri}."),
    "public": (
        "Both cities publish the text of this agreement.",
        "Molemmat kaupungit julkaisevat tämän sopimuksen tekstin.",
        "Båda städerna publicerar texten till detta avtal.",
    ),
    "private": (
        "The text of this agreement is for the two cities alone.",
        "Tämän sopimuksen teksti on vain näille kahdelle kaupungille.",
        "Texten till detta avtal är endast för de två städerna.",
    ),
    "closed": (
        "What this section does not allow, this agreement does not allow; what it forbids stays forbidden,"
        " whatever else it allows.",
        "Mitä tämä luku ei salli, sitä sopimus ei salli; minkä se kieltää, se on kielletty, vaikka jokin muu kohta"
        " sen sallisi.",
        "Vad detta avsnitt inte tillåter, det tillåter avtalet inte; vad det förbjuder förblir förbjudet, vad det än"
        " i övrigt tillåter.",
    ),
    "unknown": (
        "A condition that nobody can tell the truth of counts as unmet where something is allowed, and as met where"
        " something is forbidden.",
        "Ehto, jonka täyttymisestä ei ole tietoa, katsotaan täyttymättömäksi, kun jotakin sallitaan, ja täyttyneeksi,"
        " kun jotakin kielletään.",
        "Ett villkor som ingen vet om det är uppfyllt räknas som ouppfyllt där något tillåts och som uppfyllt där"
        " något förbjuds.",
    ),
    "kinds": (
        "A purpose takes in its kinds and an area its parts, except where a clause says “exactly”.",
        "Tarkoitukseen kuuluvat sen alalajit ja alueeseen sen osat, paitsi missä kohta sanoo ”täsmälleen”.",
        "Ett ändamål omfattar sina underarter och ett område sina delar, utom där en punkt säger ”exakt”.",
    ),
    "ends": (
        "The last permission ends with {day}; after that this agreement allows nothing.",
        "Viimeinen lupa päättyy, kun {day} päättyy; sen jälkeen sopimus ei salli mitään.",
        "Det sista tillståndet upphör när den {day} är slut; därefter tillåter avtalet ingenting.",
    ),
    "ends_at": (
        "The last permission ends at {instant}; after that this agreement allows nothing.",
        "Viimeisen luvan päättymishetki: {instant}. Sen jälkeen sopimus ei salli mitään.",
        "Det sista tillståndet upphör {instant}; därefter tillåter avtalet ingenting.",
    ),
    "endless": (
        "This agreement names no last day; it holds until one of the cities ends it.",
        "Sopimuksessa ei ole viimeistä päivää; se on voimassa, kunnes jompikumpi kaupunki päättää sen.",
        "Avtalet anger ingen sista dag; det gäller tills någon av städerna avslutar det.",
    ),
    "revoke": (
        "Either city may suspend or revoke it at any time, alone and at once; its node tells the other city, and"
        " mirrored records are hidden.",
        "Kumpi tahansa kaupunki voi milloin tahansa yksin ja heti keskeyttää tai purkaa sopimuksen; sen solmu kertoo"
        " siitä toiselle kaupungille, ja peilatut tietueet piilotetaan.",
        "Vardera staden får när som helst, ensam och genast, pausa eller återkalla avtalet; dess nod underrättar den"
        " andra staden, och speglade poster döljs.",
    ),
    "review": (
        "The cities review it by {day}.",
        "Kaupungit tarkistavat sopimuksen viimeistään {day}.",
        "Städerna ser över avtalet senast den {day}.",
    ),
    "contacts": ("Contacts: {texts}.", "Yhteystiedot: {texts}.", "Kontakter: {texts}."),
    "utc": (
        "Days and times are in UTC.",
        "Päivät ja kellonajat ovat UTC-aikaa.",
        "Dagar och klockslag anges i UTC.",
    ),
    "template": (
        "Written from the template {text}.",
        "Laadittu mallista {text}.",
        "Skrivet efter mallen {text}.",
    ),
}
OTHER_CITY: Said = ("the other city", "toinen kaupunki", "den andra staden")


def said_in(row: Said, lang: str) -> str:
    """Give a row's words in a language; languages we do not write in get English."""
    return row[LANGUAGES.index(lang)] if lang in LANGUAGES else row[0]
