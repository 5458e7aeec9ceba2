# ruff: noqa: RUF001 - typographic quotes and dashes are what belongs on a page.
"""What the node says on its pages, in English, Finnish and Swedish: one table, one row per thing said.

Sentences and not fragments, so that a language may turn them as it must; names are never bent around a placeholder.
Reviewed by native readers before release. Texts of records are not here: they are chosen in `text.py`.
"""

from node.vocab.kinds import TABLES
from node.web.agreement_words import AGREEMENT_WORDS
from node.web.city_words import CITY_WORDS
from node.web.desk_words import DESK_WORDS
from node.web.find_words import FIND_WORDS
from node.web.know_words import KNOW_WORDS
from node.web.ns_words import NS_WORDS
from node.web.quality_words import QUALITY_WORDS
from node.web.set_words import SET_WORDS
from node.web.sparql_words import SPARQL_WORDS

LANGUAGES: dict[str, str] = {"en": "English", "fi": "Suomi", "sv": "Svenska"}
_PLACE = {"en": 0, "fi": 1, "sv": 2}

MONTHS: dict[str, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "sv": ("jan.", "feb.", "mars", "apr.", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec."),
}

# As they stand after "in": "in Finnish", "suomeksi", "på finska".
LANGUAGE_NAMES: dict[str, dict[str, str]] = {
    "en": {
        "en": "English", "fi": "Finnish", "sv": "Swedish", "et": "Estonian", "nl": "Dutch", "de": "German",
        "fr": "French", "it": "Italian", "es": "Spanish", "da": "Danish", "no": "Norwegian", "nb": "Norwegian",
        "ru": "Russian", "cy": "Welsh", "gd": "Gaelic", "pt": "Portuguese", "pl": "Polish",
    },
    "fi": {
        "en": "englanniksi", "fi": "suomeksi", "sv": "ruotsiksi", "et": "viroksi", "nl": "hollanniksi",
        "de": "saksaksi", "fr": "ranskaksi", "it": "italiaksi", "es": "espanjaksi", "da": "tanskaksi",
        "no": "norjaksi", "nb": "norjaksi", "ru": "venäjäksi", "cy": "kymriksi", "gd": "gaeliksi",
        "pt": "portugaliksi", "pl": "puolaksi",
    },
    "sv": {
        "en": "engelska", "fi": "finska", "sv": "svenska", "et": "estniska", "nl": "nederländska", "de": "tyska",
        "fr": "franska", "it": "italienska", "es": "spanska", "da": "danska", "no": "norska", "nb": "norska",
        "ru": "ryska", "cy": "kymriska", "gd": "gaeliska", "pt": "portugisiska", "pl": "polska",
    },
}  # fmt: skip

TABLE: dict[str, tuple[str, str, str]] = {
    # Frame
    "skip": ("Skip to content", "Siirry sisältöön", "Hoppa till innehållet"),
    "node": ("city node", "kaupungin solmu", "stadens nod"),
    "menu": ("Menu", "Valikko", "Meny"),
    "nav.main": ("Main", "Päävalikko", "Huvudmeny"),
    "nav.language": ("Language", "Kieli", "Språk"),
    "nav.path": ("Path", "Polku", "Sökväg"),
    "nav.data": ("Data", "Data", "Data"),
    "nav.runs": ("Harvests", "Keruut", "Inhämtningar"),
    "nav.api": ("API", "Rajapinta", "API"),
    "foot.catalogue": ("The whole catalogue", "Koko luettelo", "Hela katalogen"),
    "foot.machines": ("This page for machines:", "Tämä sivu koneille:", "Den här sidan för maskiner:"),
    "foot.service": ("Service description", "Palvelun kuvaus", "Tjänstebeskrivning"),
    "foot.checkpoints": ("Checkpoints", "Tarkistuspisteet", "Kontrollpunkter"),
    # Languages of texts
    "lang.in": ("in {language}", "{language}", "på {language}"),
    "lang.machine": ("machine translation", "konekäännös", "maskinöversättning"),
    "lang.machine_fold": (
        "Read a machine translation",
        "Lue konekäännös",
        "Läs en maskinöversättning",
    ),
    # Kinds
    "kind.dataset": ("Dataset", "Tietoaineisto", "Datamängd"),
    "kind.dataset-series": ("Dataset series", "Aineistosarja", "Dataserie"),
    "kind.data-service": ("Data service", "Datapalvelu", "Datatjänst"),
    "kind.set": ("Comparable set", "Vertailu", "Jämförelse"),
    "kind.agreement": ("Agreement", "Sopimus", "Avtal"),
    # Home
    "home.title": ("Open data of {city}", "Avoin data: {city}", "Öppna data: {city}"),
    "home.what": (
        "{city} publishes its data here, as linked data and as pages to read. Every record stands in a signed journal,"
        " so anyone can check that nothing was changed on the way.",
        "{city} julkaisee tässä tietoaineistonsa linkitettynä datana ja luettavina sivuina. Jokainen tietue on"
        " allekirjoitetussa päiväkirjassa, joten kuka tahansa voi tarkistaa, ettei mitään ole matkalla muutettu.",
        "{city} publicerar här sina data som länkade data och som sidor att läsa. Varje post står i en undertecknad"
        " journal, så vem som helst kan kontrollera att inget har ändrats på vägen.",
    ),
    "home.read": ("Read on:", "Lue lisää:", "Läs vidare:"),
    "home.new": ("New this week", "Uutta tällä viikolla", "Nytt den här veckan"),
    "home.none": (
        "Nothing has changed this week",
        "Mikään ei ole muuttunut tällä viikolla",
        "Inget har ändrats den här veckan",
    ),
    "home.none_more": (
        "The records from before are all in the catalogue.",
        "Aiemmat tietueet ovat luettelossa.",
        "De tidigare posterna finns i katalogen.",
    ),
    "home.build": ("If you build things", "Jos rakennat jotakin", "Om du bygger något"),
    "home.api": ("Use the API, no key needed", "Käytä rajapintaa ilman avainta", "Använd API:et, ingen nyckel behövs"),
    "home.dump": ("Download the whole catalogue", "Lataa koko luettelo", "Ladda ner hela katalogen"),
    "home.follow": (
        "Ask only for what changed since a day",
        "Kysy vain jonkin päivän jälkeen muuttuneet",
        "Fråga bara efter det som ändrats sedan en dag",
    ),
    "home.check": ("If you want to check", "Jos haluat tarkistaa", "Om du vill kontrollera"),
    "home.checkpoints": (
        "The signed checkpoints of our journals",
        "Päiväkirjojemme allekirjoitetut tarkistuspisteet",
        "Våra journalers undertecknade kontrollpunkter",
    ),
    "home.runs": (
        "What each harvest did and refused",
        "Mitä kukin keruu teki ja hylkäsi",
        "Vad varje inhämtning gjorde och avvisade",
    ),
    # Counts
    "count.records": ("{n} records", "{n} tietuetta", "{n} poster"),
    "count.record": ("1 record", "1 tietue", "1 post"),
    "count.in": ("{n} records in {title}", "{n} tietuetta kokoelmassa {title}", "{n} poster i {title}"),
    "count.in_one": ("1 record in {title}", "1 tietue kokoelmassa {title}", "1 post i {title}"),
    # Catalogue and collections. The first title is the one every node begins with.
    "collection.begun": ("Open data", "Avoin data", "Öppna data"),
    "catalog.title": ("Catalogue of {city}", "Luettelo: {city}", "Katalog: {city}"),
    "catalog.lead": (
        "All collections that are open to everyone. Each is a catalogue of its own, with its own journal.",
        "Kaikki kaikille avoimet kokoelmat. Jokainen on oma luettelonsa, jolla on oma päiväkirjansa.",
        "Alla samlingar som är öppna för alla. Varje samling är en egen katalog med en egen journal.",
    ),
    "catalog.none": ("Nothing is published yet", "Mitään ei ole vielä julkaistu", "Inget är publicerat än"),
    "catalog.none_more": (
        "Records appear here after the first harvest.",
        "Tietueet tulevat tähän ensimmäisen keruun jälkeen.",
        "Posterna kommer hit efter den första inhämtningen.",
    ),
    "collection.updated": ("Changed {date}", "Muuttunut {date}", "Ändrad {date}"),
    "collection.since": ("Changed since {date}.", "Muuttunut {date} jälkeen.", "Ändrade sedan {date}."),
    "collection.none": ("No record in this collection", "Kokoelmassa ei ole tietueita", "Ingen post i samlingen"),
    "collection.none_since": (
        "No record changed since then",
        "Mikään tietue ei ole muuttunut sen jälkeen",
        "Ingen post har ändrats sedan dess",
    ),
    "collection.all": ("See all records", "Katso kaikki tietueet", "Se alla poster"),
    "page.of": ("{first} to {last} of {total}", "{first}–{last}, yhteensä {total}", "{first} till {last} av {total}"),
    "page.next": ("Next", "Seuraavat", "Nästa"),
    "page.previous": ("Previous", "Edelliset", "Föregående"),
    "page.first": ("First", "Ensimmäiset", "Första"),
    "page.last": ("Last", "Viimeiset", "Sista"),
    "page.nav": ("Pages of records", "Tietuesivut", "Sidor med poster"),
    # Rows
    "row.free": ("Free to use", "Vapaasti käytettävissä", "Fri att använda"),
    "row.free_credit": (
        "Free to use, name the source",
        "Käytä vapaasti, mainitse lähde",
        "Fri att använda, ange källan",
    ),
    "row.limited": ("Not for products", "Ei tuotteisiin", "Inte för produkter"),
    "row.unknown": ("No licence stated", "Lisenssiä ei ole kerrottu", "Ingen licens angiven"),
    "row.mixed": ("The licence depends on the file", "Lisenssi riippuu tiedostosta", "Licensen beror på filen"),
    "row.updated": ("Updated {date}", "Päivitetty {date}", "Uppdaterad {date}"),
    # Answers
    "ask.product": ("May I use it in a product?", "Saanko käyttää tuotteessa?", "Får jag använda det i en produkt?"),
    "ask.source": ("Must I name the source?", "Pitääkö lähde mainita?", "Måste jag ange källan?"),
    "ask.agreement": ("Do I need an agreement?", "Tarvitsenko sopimuksen?", "Behöver jag ett avtal?"),
    "yes": ("Yes", "Kyllä", "Ja"),
    "no": ("No", "Ei", "Nej"),
    "unknown": ("Unknown", "Ei tiedossa", "Okänt"),
    "yes.commercial": ("Yes, also commercially", "Kyllä, myös kaupallisesti", "Ja, även kommersiellt"),
    "no.commercial": ("Not commercially", "Ei kaupallisesti", "Inte kommersiellt"),
    "depends": ("It depends on the file", "Riippuu tiedostosta", "Det beror på filen"),
    "ask.whom": ("Ask {name}", "Kysy: {name}", "Fråga {name}"),
    "ask.nobody": ("The source does not say", "Lähde ei kerro", "Källan säger inget"),
    "credit.copy": ("Copy the credit line", "Kopioi lähdemaininta", "Kopiera källhänvisningen"),
    "credit.title": ("Credit line", "Lähdemaininta", "Källhänvisning"),
    "agreement.open": ("open to everyone", "avoin kaikille", "öppet för alla"),
    "agreement.yes": ("Yes, access is restricted", "Kyllä, pääsy on rajattu", "Ja, åtkomsten är begränsad"),
    "agreement.closed": ("Not open to the public", "Ei avoin yleisölle", "Inte öppet för allmänheten"),
    # Record page
    "get.button": ("Download {form}", "Lataa {form}", "Ladda ner {form}"),
    "get.other": ("All files and services", "Kaikki tiedostot ja rajapinnat", "Alla filer och tjänster"),
    "get.page": ("See it at the source", "Katso lähteessä", "Se hos källan"),
    "get": ("Get it", "Ota käyttöön", "Hämta"),
    "get.caption": ("Files and services", "Tiedostot ja rajapinnat", "Filer och tjänster"),
    "get.form": ("Form", "Muoto", "Format"),
    "get.about": ("What it is", "Mitä se on", "Vad det är"),
    "get.licence": ("Licence", "Lisenssi", "Licens"),
    "get.size": ("Size", "Koko", "Storlek"),
    "get.address": ("Address", "Osoite", "Adress"),
    "get.download": ("Download", "Lataa", "Ladda ner"),
    "get.open": ("Open", "Avaa", "Öppna"),
    "get.none": ("The source lists no files", "Lähde ei luettele tiedostoja", "Källan anger inga filer"),
    "get.unknown_form": ("Form not stated", "Muotoa ei ole kerrottu", "Format ej angivet"),
    "about": ("What it is about", "Mistä on kyse", "Vad det handlar om"),
    "more": ("Read the whole description", "Lue koko kuvaus", "Läs hela beskrivningen"),
    "untitled": ("Without a title", "Nimetön", "Utan titel"),
    "good": ("How good is it?", "Kuinka hyvä se on?", "Hur bra är det?"),
    "good.yes": (
        "The description has everything that the European profile asks for.",
        "Kuvauksessa on kaikki, mitä eurooppalainen profiili edellyttää.",
        "Beskrivningen har allt som den europeiska profilen kräver.",
    ),
    "good.must": (
        "Something that the European profile requires is missing or written in another way.",
        "Jokin eurooppalaisen profiilin vaatima tieto puuttuu tai on eri muodossa.",
        "Något som den europeiska profilen kräver saknas eller är skrivet på annat sätt.",
    ),
    "good.could": (
        "Good enough to publish. This would make it better:",
        "Julkaistavaksi riittävä. Tämä parantaisi sitä:",
        "Bra nog att publicera. Detta skulle göra det bättre:",
    ),
    "good.mended": (
        "Good. We mended what is named here, and said so.",
        "Hyvä. Korjasimme tässä nimetyt kohdat.",
        "Bra. Vi har rättat det som nämns här.",
    ),
    "level.mandatory": ("Required", "Pakollinen", "Obligatoriskt"),
    "level.recommended": ("Recommended", "Suositeltu", "Rekommenderas"),
    "level.repaired": ("Mended", "Korjattu", "Rättat"),
    "level.note": ("Note", "Huomio", "Notera"),
    "trust": ("How do we know?", "Mistä tiedämme tämän?", "Hur vet vi det?"),
    "trust.text": (
        "This description is entry {n} in the journal of {title}.",
        "Tämä kuvaus on kirjaus {n}. Päiväkirja: {title}.",
        "Den här beskrivningen är rad {n} i journalen {title}.",
    ),
    "trust.published": ("{city} published it", "Julkaisija: {city}", "{city} publicerade det"),
    "trust.signed": (
        "{city} signed the journal it stands in",
        "Päiväkirjan allekirjoitti {city}",
        "{city} undertecknade journalen",
    ),
    "trust.signed_more": (
        "{date}, checkpoint of {n} entries",
        "{date}, {n} kirjausta",
        "{date}, kontrollpunkt med {n} rader",
    ),
    "trust.signed_more_one": (
        "{date}, checkpoint of 1 entry",
        "{date}, 1 kirjaus",
        "{date}, kontrollpunkt med 1 rad",
    ),
    "trust.wait": (
        "The next checkpoint will cover it",
        "Seuraava tarkistuspiste kattaa sen",
        "Nästa kontrollpunkt täcker det",
    ),
    "trust.check": ("Check it yourself", "Tarkista itse", "Kontrollera själv"),
    "trust.findings": ("All findings", "Kaikki havainnot", "Alla fynd"),
    "seal.label": ("Verification", "Varmennus", "Verifiering"),
    "seal.verified": ("Verified up to {time}", "Varmennettu {time} asti", "Verifierat till och med {time}"),
    "seal.by": ("Signed by {city}", "Allekirjoittanut {city}", "Undertecknat av {city}"),
    "seal.wait": ("Not signed yet", "Ei vielä allekirjoitettu", "Inte undertecknat än"),
    "seal.digest": (
        "The text of this record gives the digest",
        "Tietueen tekstistä laskettu tiiviste on",
        "Postens text ger kontrollsumman",
    ),
    "seal.entry": (
        "That digest is entry {n} of the journal",
        "Tiiviste on kirjaus {n} päiväkirjassa",
        "Kontrollsumman är rad {n} i journalen",
    ),
    "seal.signed": (
        "The journal’s checkpoint of {n} entries is signed with this city’s key.",
        "Päiväkirjan {n} kirjausta on allekirjoitettu kaupungin avaimella.",
        "Journalens kontrollpunkt med {n} rader är undertecknad med stadens nyckel.",
    ),
    "seal.signed_one": (
        "The journal’s checkpoint of 1 entry is signed with this city’s key.",
        "Päiväkirjan ainoa kirjaus on allekirjoitettu kaupungin avaimella.",
        "Journalens kontrollpunkt med 1 rad är undertecknad med stadens nyckel.",
    ),
    "proof.title": ("Check it yourself", "Tarkista itse", "Kontrollera själv"),
    "proof.lead": (
        "Four steps lead from the text of this record to the signature of {city}. Each can be repeated"
        " without trusting this node.",
        "Neljä vaihetta johtaa tietueen tekstistä allekirjoitukseen. Allekirjoittaja: {city}. Jokaisen voi"
        " toistaa luottamatta tähän solmuun.",
        "Fyra steg leder från postens text till underskriften av {city}. Varje steg kan upprepas utan att"
        " lita på den här noden.",
    ),
    "proof.digest": (
        "The text gives this digest",
        "Teksti antaa tämän tiivisteen",
        "Texten ger den här kontrollsumman",
    ),
    "proof.digest_more": (
        "SHA-256 of the record as N-Triples, byte for byte.",
        "SHA-256 tietueen N-Triples-muodosta, tavu tavulta.",
        "SHA-256 av posten som N-Triples, byte för byte.",
    ),
    "proof.entry": ("The digest stands as entry {n}", "Tiiviste on kirjaus {n}", "Kontrollsumman står som rad {n}"),
    "proof.entry_more": (
        "Written {date} in the journal {title}. The entry holds a commitment that only the digest and the"
        " salt together open.",
        "Kirjattu {date}. Päiväkirja: {title}. Kirjauksen sitoumuksen avaavat vain tiiviste ja suola yhdessä.",
        "Skriven {date} i journalen {title}. Raden har ett åtagande som bara kontrollsumman och saltet"
        " tillsammans öppnar.",
    ),
    "proof.path": (
        "The entry leads to the root of the tree",
        "Kirjaus johtaa puun juureen",
        "Raden leder till trädets rot",
    ),
    "proof.path_more": (
        "Hashes that join it to the tree: {steps}. Entries in the tree: {n} (RFC 9162).",
        "Tiivisteitä, jotka liittävät sen puuhun: {steps}. Kirjauksia puussa: {n} (RFC 9162).",
        "Kontrollsummor som förenar den med trädet: {steps}. Rader i trädet: {n} (RFC 9162).",
    ),
    "proof.signed": (
        "The root is signed by {city}",
        "Juuren on allekirjoittanut {city}",
        "Roten är undertecknad av {city}",
    ),
    "proof.signed_more": (
        "{date}. This is the checkpoint, a signed note to the byte:",
        "{date}. Tämä on tarkistuspiste, allekirjoitettu muistio tavulleen:",
        "{date}. Det här är kontrollpunkten, en undertecknad not:",
    ),
    "proof.salt": ("Salt", "Suola", "Salt"),
    "proof.commitment": ("Commitment", "Sitoumus", "Åtagande"),
    "proof.run": ("Check with a command", "Tarkista komennolla", "Kontrollera med ett kommando"),
    "proof.run_digest": (
        "The digest, with what every computer has:",
        "Tiiviste tavallisilla työkaluilla:",
        "Kontrollsumman, med vanliga verktyg:",
    ),
    "proof.run_node": (
        "The whole proof, on any machine with this software:",
        "Koko todiste millä tahansa koneella, jossa on tämä ohjelma:",
        "Hela beviset, på vilken dator som helst med det här programmet:",
    ),
    "proof.files": ("Download", "Lataa", "Ladda ner"),
    "proof.file_text": ("The record as N-Triples", "Tietue, N-Triples", "Posten som N-Triples"),
    "proof.file_proof": ("The proof as JSON", "Todiste, JSON", "Beviset som JSON"),
    "proof.file_checkpoint": ("The checkpoint", "Tarkistuspiste", "Kontrollpunkten"),
    "facts": ("Facts", "Tiedot", "Fakta"),
    "facts.label": ("About this record", "Tietoja tietueesta", "Om den här posten"),
    "fact.updated": ("Updated", "Päivitetty", "Uppdaterad"),
    "fact.issued": ("Published", "Julkaistu", "Publicerad"),
    "fact.rhythm": ("Rhythm", "Päivitystahti", "Frekvens"),
    "fact.covers": ("Covers", "Kattaa", "Omfattar"),
    "fact.period": ("Period", "Ajanjakso", "Period"),
    "fact.languages": ("Languages", "Kielet", "Språk"),
    "fact.contact": ("Asks and answers", "Kysymykset", "Frågor"),
    "fact.publisher": ("Publisher", "Julkaisija", "Utgivare"),
    "fact.themes": ("Themes", "Teemat", "Teman"),
    "fact.keywords": ("Keywords", "Avainsanat", "Nyckelord"),
    "fact.endpoint": ("Service address", "Palvelun osoite", "Tjänstens adress"),
    "fact.iri": ("Identifier", "Tunniste", "Identifierare"),
    "fact.page": ("Page at the source", "Sivu lähteessä", "Sida hos källan"),
    "fact.series": ("Part of", "Osa sarjaa", "Del av"),
    "fact.serves": ("Serves", "Tarjoaa", "Tillhandahåller"),
    "period.from": ("since {start}", "{start} alkaen", "från {start}"),
    "period.to": ("until {end}", "{end} asti", "till {end}"),
    "period.both": ("{start} to {end}", "{start}–{end}", "{start} till {end}"),
    "all": ("Everything the source says", "Kaikki mitä lähde kertoo", "Allt som källan säger"),
    # Findings page
    "findings.title": ("Findings", "Havainnot", "Fynd"),
    "findings.none": ("Nothing was found", "Mitään ei löytynyt", "Inget hittades"),
    "findings.none_more": (
        "The description has all that is required and recommended.",
        "Kuvauksessa on kaikki pakollinen ja suositeltu.",
        "Beskrivningen har allt som krävs och rekommenderas.",
    ),
    "findings.add": ("Add it.", "Lisää tämä tieto.", "Lägg till uppgiften."),
    "findings.places": ("Places", "Kohtia", "Antal ställen"),
    "findings.organisations": ("Organisations", "Organisaatiot", "Organisationer"),
    "findings.areas": ("Areas", "Alueet", "Platser"),
    "findings.checksums": ("Checksums", "Tarkistussummat", "Kontrollsummor"),
    "findings.contacts": ("Contacts", "Yhteystiedot", "Kontakter"),
    "findings.periods": ("Periods", "Ajanjaksot", "Perioder"),
    # OGC API Records and OpenSearch
    "ogc.lead": (
        "All open records of {city} and of the cities that share theirs with it, in one search.",
        "Kaikki avoimet tietueet: {city} ja kaupungit, jotka jakavat omansa sen kanssa, yhdessä haussa.",
        "Alla öppna poster: {city} och de städer som delar sina med staden, i en och samma sökning.",
    ),
    "stac.title": ("City models (STAC)", "Kaupunkimallit (STAC)", "Stadsmodeller (STAC)"),
    "stac.lead": (
        "Three-dimensional city models: {city}.",
        "Kolmiulotteisia kaupunkimalleja: {city}.",
        "Tredimensionella stadsmodeller: {city}.",
    ),
    "ogc.title": ("OGC API Records", "OGC API Records", "OGC API Records"),
    "ogc.copy": (
        "For QGIS and other programs, copy this address:",
        "Kopioi tämä osoite QGISiin tai muuhun ohjelmaan:",
        "Kopiera den här adressen till QGIS eller ett annat program:",
    ),
    "ogc.catalogues": ("Catalogues", "Luettelot", "Kataloger"),
    "ogc.conformance": (
        "What of the standards is held to",
        "Mitä standardeista noudatetaan",
        "Vad av standarderna som följs",
    ),
    "ogc.records": ("Records", "Tietueet", "Poster"),
    "ogc.none": ("No record was found", "Yhtään tietuetta ei löytynyt", "Ingen post hittades"),
    "findings.lead": (
        "What would make this description better, and what is needed.",
        "Mikä parantaisi kuvausta ja mitä siitä puuttuu.",
        "Vad som skulle göra beskrivningen bättre, och vad som saknas.",
    ),
} | DESK_WORDS
TABLE |= CITY_WORDS
TABLE |= AGREEMENT_WORDS
TABLE |= QUALITY_WORDS
TABLE |= FIND_WORDS
TABLE |= KNOW_WORDS
TABLE |= NS_WORDS
TABLE |= SET_WORDS
TABLE |= SPARQL_WORDS


# Titles that nodes give by themselves: of the collection that each begins with, and of those of the kinds.
_GIVEN = (
    TABLE["collection.begun"],
    *((each.plural["en"], each.plural["fi"], each.plural["sv"]) for each in TABLES.values()),
)


def title_said(title: str, reader: str) -> str:
    """Give a collection's title; one that nodes give by themselves is said in the reader's language."""
    return next((row[_PLACE.get(reader, 0)] for row in _GIVEN if title in row), title)


def title_language(title: str, otherwise: str) -> str:
    """Give the language of a collection's title where we know it, else the one to suppose."""
    return next((code for row in _GIVEN for code, place in _PLACE.items() if row[place] == title), otherwise)


def words(language: str, key: str, /, **values: object) -> str:
    """Say a thing in a language; one we do not speak falls back to English. An unknown key is a KeyError."""
    row = TABLE[key]
    said = row[_PLACE.get(language, 0)]
    return said.format(**values) if values else said
