# ruff: noqa: RUF001 - typographic quotes and dashes are what belongs on a page.
"""The part of the table in `words` that speaks of comparable sets, of records side by side, and of licences together.

Same rules, same order of languages: English, Finnish, Swedish. What licences ask and why is said by `node.vocab`, where
the tables with their sources are.
"""

SET_WORDS: dict[str, tuple[str, str, str]] = {
    "kind.vocabulary": ("Vocabulary", "Sanasto", "Vokabulär"),
    "nav.sets": ("Compare", "Vertaile", "Jämför"),
    "sets.title": ("The same thing in several cities", "Sama asia eri kaupungeissa", "Samma sak i flera städer"),
    "sets.lead": (
        "Records of several cities that can be used together, side by side: what you may do, where to get them, which"
        " columns match.",
        "Eri kaupunkien tietueita, joita voi käyttää yhdessä, rinnakkain: mitä saa tehdä, mistä ne saa, mitkä sarakkeet"
        " vastaavat toisiaan.",
        "Poster från flera städer som kan användas tillsammans, sida vid sida: vad du får göra, var de finns, vilka"
        " kolumner som motsvarar varandra.",
    ),
    "sets.curated": ("Matched by people", "Ihmisten kokoamat", "Sammanställda av människor"),
    "sets.none": (
        "No city has published a set yet.",
        "Mikään kaupunki ei ole vielä julkaissut vertailua.",
        "Ingen stad har publicerat en jämförelse än.",
    ),
    "sets.suggested": ("Suggested by this node", "Tämän solmun ehdottamat", "Föreslagna av den här noden"),
    "sets.suggested_lead": (
        "Guesses from words, themes and columns. No person has looked at them.",
        "Arvauksia sanojen, teemojen ja sarakkeiden perusteella. Kukaan ei ole tarkistanut niitä.",
        "Gissningar utifrån ord, teman och kolumner. Ingen människa har granskat dem.",
    ),
    "sets.none_suggested": (
        "Nothing is suggested: it takes records of at least two cities.",
        "Ei ehdotuksia: tarvitaan vähintään kahden kaupungin tietueita.",
        "Inga förslag: det krävs poster från minst två städer.",
    ),
    "sets.more": ("More ways to look", "Muita tapoja katsoa", "Fler sätt att titta"),
    "sets.and": ("and", "ja", "och"),
    "sets.members": ("What is compared", "Mitä verrataan", "Vad som jämförs"),
    "sets.absent": (
        "And {n} that is not held here, or not for everyone.",
        "Ja {n}, jota ei ole täällä tai joka ei ole kaikille avoinna.",
        "Och {n} som inte finns här, eller inte för alla.",
    ),
    "sets.with": ("Compare", "Vertaile", "Jämför"),
    "sets.with_one": (
        "Compare with “{what}” in {city}",
        "Vertaa: ”{what}” ({city})",
        "Jämför med ”{what}” i {city}",
    ),
    "sets.mark": ("suggestion", "ehdotus", "förslag"),
    "sets.words": ("Shared words: {what}", "Yhteiset sanat: {what}", "Gemensamma ord: {what}"),
    "sets.theme": ("Theme: {what}", "Teema: {what}", "Tema: {what}"),
    "sets.columns": ("Shared columns: {what}", "Yhteiset sarakkeet: {what}", "Gemensamma kolumner: {what}"),
    "sets.by": ("Matched by {city}", "Koonnut: {city}", "Sammanställt av {city}"),
    "compare.cities": (
        "{cities} side by side",
        "{cities} rinnakkain",
        "{cities} sida vid sida",
    ),
    "compare.how": ("How to compare", "Näin vertaat", "Så här jämför du"),
    "compare.how_set": (
        "Choose a comparison that a city made or this node suggests:",
        "Valitse vertailu, jonka kaupunki on tehnyt tai jota tämä solmu ehdottaa:",
        "Välj en jämförelse som en stad har gjort eller som den här noden föreslår:",
    ),
    "compare.how_record": (
        "Or open a record: its page says what it can be compared with.",
        "Tai avaa tietue: sen sivu kertoo, mihin sitä voi verrata.",
        "Eller öppna en post: dess sida säger vad den kan jämföras med.",
    ),
    "compare.how_address": (
        "Or name 2 to 20 records by their IRIs in the address:",
        "Tai nimeä osoitteessa 2–20 tietuetta niiden IRI-tunnuksilla:",
        "Eller ange 2 till 20 poster med deras IRI i adressen:",
    ),
    "compare.title": ("Side by side", "Rinnakkain", "Sida vid sida"),
    "compare.suggested": (
        "This node guesses that these are comparable; nobody has checked it.",
        "Tämä solmu arvaa, että nämä ovat vertailukelpoisia; kukaan ei ole tarkistanut sitä.",
        "Den här noden gissar att de är jämförbara; ingen har kontrollerat det.",
    ),
    "compare.commercial.yes": ("Also commercially.", "Myös kaupallisesti.", "Även kommersiellt."),
    "compare.commercial.no": ("Not commercially.", "Ei kaupallisesti.", "Inte kommersiellt."),
    "compare.commercial.ask": (
        "Whether commercially, only their providers can say.",
        "Kaupallisesta käytöstä voivat sanoa vain julkaisijat.",
        "Om det gäller kommersiellt kan bara utgivarna säga.",
    ),
    "compare.terms": ("What you may do", "Mitä saat tehdä", "Vad du får göra"),
    "compare.data": ("How to get them", "Miten saat ne", "Hur du får dem"),
    "compare.caption": ("The records side by side", "Tietueet rinnakkain", "Posterna sida vid sida"),
    "compare.record": ("Record", "Tietue", "Post"),
    "compare.product": ("Use in a product", "Käyttö tuotteessa", "Användning i en produkt"),
    "compare.source": ("Name the source", "Lähteen mainitseminen", "Ange källan"),
    "compare.agreement": ("Agreement", "Sopimus", "Avtal"),
    "compare.forms": ("Forms", "Muodot", "Format"),
    "compare.standards": ("Standards", "Standardit", "Standarder"),
    "compare.differs": ("differs", "eroaa", "skiljer sig"),
    "compare.hint": (
        "Rows marked ≠ differ in a way that changes your work.",
        "Merkillä ≠ merkityt rivit eroavat tavalla, joka vaikuttaa työhösi.",
        "Rader märkta ≠ skiljer sig på ett sätt som påverkar ditt arbete.",
    ),
    "compare.columns": (
        "Which columns match",
        "Mitkä sarakkeet vastaavat toisiaan",
        "Vilka kolumner som motsvarar varandra",
    ),
    "compare.meaning": ("Meaning", "Merkitys", "Betydelse"),
    "compare.together": ("To bring them together", "Yhdistäminen", "För att föra ihop dem"),
    "compare.match.same": ("Same", "Sama", "Samma"),
    "compare.match.convert": ("Convert", "Muunna", "Omvandla"),
    "compare.match.none": ("No match", "Ei vastaavuutta", "Ingen motsvarighet"),
    "compare.credit": ("Name them", "Mainitse lähteet", "Ange källorna"),
    "compare.missing": (
        "Not held here, or not for everyone:",
        "Ei täällä tai ei kaikille avoinna:",
        "Finns inte här, eller inte för alla:",
    ),
    "compare.duties": ("What you must do", "Mitä pitää tehdä", "Vad du måste göra"),
    "compare.why": ("Why", "Miksi", "Varför"),
    "compare.result": (
        "The result needs one of these licences: {what}",
        "Tuloksen lisenssin pitää olla jokin näistä: {what}",
        "Resultatet måste ha en av dessa licenser: {what}",
    ),
    "licences.title": ("Licences together", "Lisenssit yhdessä", "Licenser tillsammans"),
    "licences.lead": (
        "May I merge data under these licences and publish the result? Read from the licences’ own texts; not legal"
        " advice.",
        "Saanko yhdistää näin lisensoituja aineistoja ja julkaista tuloksen? Luettu lisenssien omista teksteistä; ei"
        " oikeudellista neuvontaa.",
        "Får jag slå ihop data under dessa licenser och publicera resultatet? Läst ur licensernas egna texter; inte"
        " juridisk rådgivning.",
    ),
    "licences.choose": ("Licences of your data", "Aineistojesi lisenssit", "Licenserna för dina data"),
    "licences.ask": ("May I combine them?", "Saanko yhdistää ne?", "Får jag kombinera dem?"),
    "licences.matrix": ("Two by two", "Kaksi kerrallaan", "Två åt gången"),
    "licences.rest": (
        "What a row does not name may be combined with its licence.",
        "Mitä rivillä ei mainita, sen saa yhdistää rivin lisenssiin.",
        "Det som en rad inte nämner får kombineras med radens licens.",
    ),
    "licences.with_ask": ("Ask first", "Kysy ensin", "Fråga först"),
    "licences.with_no": ("May not be combined with", "Ei saa yhdistää", "Får inte kombineras med"),
    "licences.each": ("What each asks", "Mitä kukin vaatii", "Vad var och en kräver"),
    "licences.nothing": ("Nothing.", "Ei mitään.", "Inget."),
    "licences.sources": ("Sources", "Lähteet", "Källor"),
}
