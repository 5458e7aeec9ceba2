# ruff: noqa: RUF001 - typographic quotes and dashes are what belongs on a page.
"""The part of the table in `words` that speaks of other cities: what is held of them, and how it stands with them.

Same rules, same order of languages: English, Finnish, Swedish. A state is said with what it means for the reader, never
by its code.
"""

CITY_WORDS: dict[str, tuple[str, str, str]] = {
    "nav.cities": ("Cities", "Kaupungit", "Städer"),
    "cities.title": ("Cities", "Kaupungit", "Städer"),
    "cities.lead": (
        "Each city keeps its own catalogue and signs it. {city} holds verified copies of what the cities below share,"
        " so that it can be found here even while their own nodes are away.",
        "Jokainen kaupunki pitää omaa luetteloaan ja allekirjoittaa sen. {city} säilyttää tarkistettuja kopioita siitä,"
        " mitä alla olevat kaupungit jakavat, joten tiedot löytyvät täältä myös silloin, kun kaupungin oma solmu on"
        " poissa.",
        "Varje stad för sin egen katalog och signerar den. {city} har kontrollerade kopior av det som städerna nedan"
        " delar, så att det finns här även när deras egna noder är borta.",
    ),
    "cities.since": ("Partner since {date}.", "Kumppani {date} alkaen.", "Partner sedan {date}."),
    "cities.shows": (
        "We show {n} of its records.",
        "Näytämme {n} sen tietueista.",
        "Vi visar {n} av dess poster.",
    ),
    "cities.shows_none": (
        "We hold none of its records yet.",
        "Meillä ei ole vielä sen tietueita.",
        "Vi har inga av dess poster än.",
    ),
    "cities.paused": (
        "Paused: nothing is fetched; what we hold stays",
        "Tauolla: mitään ei haeta, kopiot säilyvät",
        "Pausad: inget hämtas, det vi har blir kvar",
    ),
    "cities.quarantined": (
        "Held apart until a person has looked: its keys or its history changed",
        "Eristetty, kunnes ihminen on tarkistanut: avaimet tai historia muuttuivat",
        "Satt i karantän tills någon har tittat: nycklar eller historik har ändrats",
    ),
    "cities.approved": (
        "Approved; nothing has been exchanged yet",
        "Hyväksytty; mitään ei ole vielä vaihdettu",
        "Godkänd; inget har utbytts än",
    ),
    "cities.node": ("{city}’s own node", "{city}: oma solmu", "{city}: egen nod"),
    "cities.none": (
        "No other city yet",
        "Ei vielä muita kaupunkeja",
        "Inga andra städer än",
    ),
    "cities.none_more": (
        "A city joins by running a node of its own and being introduced to at least one other.",
        "Kaupunki liittyy käyttämällä omaa solmua, joka esitellään vähintään yhdelle toiselle.",
        "En stad ansluter sig genom att köra en egen nod som presenteras för minst en annan.",
    ),
    "cities.how": (
        "What a partner city can do, and cannot",
        "Mitä kumppanikaupunki voi tehdä ja mitä ei",
        "Vad en partnerstad kan göra, och inte kan",
    ),
    "cities.can": (
        "It can hold and show what is shared with it, cosign our journals, and so vouch that we have not rewritten"
        " them.",
        "Se voi säilyttää ja näyttää, mitä sen kanssa jaetaan, allekirjoittaa päiväkirjamme ja siten taata, ettemme ole"
        " kirjoittaneet niitä uudelleen.",
        "Den kan ha och visa det som delas med den, medsignera våra journaler och så intyga att vi inte har skrivit om"
        " dem.",
    ),
    "cities.cannot": (
        "It cannot change a record of ours, speak in our name, or see what is not shared with it.",
        "Se ei voi muuttaa tietuettamme, puhua nimissämme eikä nähdä, mitä sen kanssa ei jaeta.",
        "Den kan inte ändra någon av våra poster, tala i vårt namn eller se det som inte delas med den.",
    ),
    "cities.misbehaves": (
        "If its keys or its history change in a way they must not, the exchange stops by itself, and the evidence is"
        " kept.",
        "Jos sen avaimet tai historia muuttuvat tavalla, jolla ne eivät saa muuttua, vaihto pysähtyy itsestään ja"
        " todisteet säilytetään.",
        "Om dess nycklar eller historik ändras på ett sätt de inte får, upphör utbytet av sig självt och bevisen"
        " sparas.",
    ),
    "mirror.of": (
        "A verified copy of {city}’s collection.",
        "Tarkistettu kopio kokoelmasta: {city}.",
        "En kontrollerad kopia av samlingen från {city}.",
    ),
    "mirror.copy": ("verified copy", "tarkistettu kopio", "kontrollerad kopia"),
    "mirror.note": (
        "This is {city}’s record. What you see is our verified copy.",
        "Tämä on tietue kaupungilta: {city}. Näet tarkistetun kopiomme.",
        "Det här är en post från {city}. Du ser vår kontrollerade kopia.",
    ),
    "mirror.origin": ("At {city}’s own node", "Omassa solmussa: {city}", "I den egna noden: {city}"),
    "mirror.level": ("In step with {city}", "Ajan tasalla: {city}", "I takt med {city}"),
    "mirror.stale": (
        "{city}’s node is away; our copy is still good",
        "{city}: solmu on poissa; kopiomme on yhä hyvä",
        "{city}: noden är borta; vår kopia är fortfarande bra",
    ),
    "mirror.away": (
        "{city} does not answer just now; our copy is still good",
        "{city} ei vastaa juuri nyt; kopiomme on yhä hyvä",
        "{city} svarar inte just nu; vår kopia är fortfarande bra",
    ),
    "mirror.checked": ("Last answer {date}", "Viimeisin vastaus {date}", "Senaste svar {date}"),
    "mirror.never": ("It has not answered yet", "Se ei ole vielä vastannut", "Den har inte svarat än"),
    "home.new_else": ("New in other cities", "Uutta muissa kaupungeissa", "Nytt i andra städer"),
    "count.in_city": (
        "{n} records in {city}’s {title}",
        "{n} tietuetta kokoelmassa {title} ({city})",
        "{n} poster i {title} från {city}",
    ),
    "count.in_city_one": (
        "1 record in {city}’s {title}",
        "1 tietue kokoelmassa {title} ({city})",
        "1 post i {title} från {city}",
    ),
    "proof.run_own": ("On {city}’s own node:", "Omassa solmussa ({city}):", "I den egna noden ({city}):"),
    "proof.identity": (
        "Put {city}’s fingerprint in the place of FINGERPRINT. Learn it in another way than from this node, for"
        " instance from {city} itself.",
        "Kirjoita sanan FINGERPRINT paikalle kaupungin {city} avaimen tunniste. Hanki se muualta kuin tästä solmusta,"
        " esimerkiksi kaupungilta itseltään.",
        "Skriv fingeravtrycket för {city} i stället för FINGERPRINT. Ta reda på det på annat sätt än från den här"
        " noden, till exempel från staden själv.",
    ),
    "proof.witnesses": (
        "It also carries cosignatures in the name of {names}; each says that the journal was not rewritten, and can be"
        " checked with its witness’s key.",
        "Siinä on myös todistajien allekirjoitukset: {names}. Kukin vakuuttaa, ettei päiväkirjaa ole kirjoitettu"
        " uudelleen, ja sen voi tarkistaa todistajan avaimella.",
        "Den bär också medsignaturer från {names}; var och en intygar att journalen inte har skrivits om och kan"
        " kontrolleras med vittnets nyckel.",
    ),
    "why.unauthenticated": (
        "This needs a token. The city that runs this node gives them out.",
        "Tähän tarvitaan valtuus. Niitä antaa kaupunki, joka ylläpitää solmua.",
        "Det här kräver en token. Staden som driver noden delar ut dem.",
    ),
    "why.too-many-requests": (
        "You ask faster than this node answers one caller. Wait a moment and try again.",
        "Pyydät nopeammin kuin solmu vastaa yhdelle kysyjälle. Odota hetki ja yritä uudelleen.",
        "Du frågar snabbare än noden svarar en och samma. Vänta en stund och försök igen.",
    ),
}
