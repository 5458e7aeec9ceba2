# ruff: noqa: RUF001 - typographic quotes and dashes are what belongs on a page.
"""The part of the table in `words` that speaks of quality: metrics, what to do about each, links and why they fail.

Same rules, same order of languages: English, Finnish, Swedish. The keys of fixes are those of
`node.catalog.quality.metrics`; `citynode quality` says the same sentences. Apart from `words` for its length alone.
"""

QUALITY_WORDS: dict[str, tuple[str, str, str]] = {
    "quality.title": ("Quality of the descriptions", "Kuvausten laatu", "Beskrivningarnas kvalitet"),
    "quality.of": ("Quality of the description", "Kuvauksen laatu", "Beskrivningens kvalitet"),
    "quality.lead": (
        "How well each dataset is described, measured as on data.europa.eu: 23 metrics, 405 points.",
        "Kuinka hyvin kukin aineisto on kuvattu, mitattuna kuten data.europa.eu:ssa: 23 mittaria, 405 pistettä.",
        "Hur väl varje datamängd är beskriven, mätt som på data.europa.eu: 23 mått, 405 poäng.",
    ),
    "quality.rule": ("How points are counted", "Näin pisteet lasketaan", "Så räknas poängen"),
    "quality.rule_record": (
        "A dataset has the points of its own metrics and of its best distribution: the same data in several forms is"
        " not worse than in one.",
        "Aineisto saa pisteet omista mittareistaan ja parhaasta jakelustaan: sama data monessa muodossa ei ole huonompi"
        " kuin yhdessä.",
        "En datamängd får poängen för sina egna mått och för sin bästa distribution: samma data i flera former är inte"
        " sämre än i en.",
    ),
    "quality.rule_collection": (
        "A collection has the mean of its datasets. Series, services and other records are not measured.",
        "Kokoelman pisteet ovat sen aineistojen keskiarvo. Sarjoja, palveluita ja muita tietueita ei mitata.",
        "En samling har medelvärdet av sina datamängder. Serier, tjänster och andra poster mäts inte.",
    ),
    "quality.rule_unknown": (
        "A link that was not tried, or that asks us to stay away, is unknown and not failed. The rating compares the"
        " points with those that are known.",
        "Linkki, jota ei ole kokeiltu tai joka ei päästä meitä sisään, on tuntematon eikä virheellinen. Arvosana vertaa"
        " pisteitä niihin, jotka tunnetaan.",
        "En länk som inte har prövats, eller som inte släpper in oss, är okänd och inte trasig. Omdömet jämför poängen"
        " med dem som är kända.",
    ),
    "quality.rule_links": (
        "Links are tried once in a while, slowly and as each site’s robots.txt allows. One has failed when its server"
        " says so, or after three tries in vain.",
        "Linkkejä kokeillaan silloin tällöin, hitaasti ja kunkin sivuston robots.txt-tiedoston sallimalla tavalla."
        " Linkki on rikki, kun palvelin sanoo niin tai kolmen turhan yrityksen jälkeen.",
        "Länkar prövas då och då, långsamt och så som varje webbplats robots.txt tillåter. En länk är trasig när"
        " servern säger det, eller efter tre försök utan svar.",
    ),
    "quality.no_links": (
        "This node does not try links, so what they bring is unknown.",
        "Tämä solmu ei kokeile linkkejä, joten niiden pisteitä ei tunneta.",
        "Den här noden prövar inga länkar, så deras poäng är okända.",
    ),
    "quality.none": ("Nothing is measured yet", "Mitään ei ole vielä mitattu", "Inget har mätts än"),
    "quality.none_more": (
        "Datasets are measured as soon as they are published.",
        "Aineistot mitataan heti, kun ne on julkaistu.",
        "Datamängder mäts så snart de har publicerats.",
    ),
    "quality.not_measured": (
        "Only datasets are measured",
        "Vain aineistot mitataan",
        "Bara datamängder mäts",
    ),
    "quality.points": ("{points} of {max} points", "{points} / {max} pistettä", "{points} av {max} poäng"),
    "quality.known": (
        "{known} of {max} points could be told.",
        "{known} / {max} pisteestä tunnetaan.",
        "{known} av {max} poäng är kända.",
    ),
    "quality.of_most": ("{points} of {max}", "{points} / {max}", "{points} av {max}"),
    "quality.unknown": (
        "{points} not known yet",
        "{points} ei vielä tiedossa",
        "{points} inte kända än",
    ),
    "quality.mean": (
        "{points} of {max} points on average",
        "Keskimäärin {points} / {max} pistettä",
        "I genomsnitt {points} av {max} poäng",
    ),
    "quality.datasets": ("{n} datasets", "{n} aineistoa", "{n} datamängder"),
    "quality.dataset": ("1 dataset", "1 aineisto", "1 datamängd"),
    "quality.rating.excellent": ("Excellent", "Erinomainen", "Utmärkt"),
    "quality.rating.good": ("Good", "Hyvä", "Bra"),
    "quality.rating.sufficient": ("Sufficient", "Tyydyttävä", "Tillräcklig"),
    "quality.rating.bad": ("Bad", "Heikko", "Svag"),
    "quality.dimension": ("Dimension", "Ulottuvuus", "Dimension"),
    "quality.metric": ("Metric", "Mittari", "Mått"),
    "quality.result": ("Result", "Tulos", "Resultat"),
    "quality.result.passed": ("Yes", "Kyllä", "Ja"),
    "quality.result.failed": ("No", "Ei", "Nej"),
    "quality.result.unknown": ("Unknown", "Ei tiedossa", "Okänt"),
    "quality.won": ("Points", "Pisteet", "Poäng"),
    "quality.findability": ("Findability", "Löydettävyys", "Sökbarhet"),
    "quality.accessibility": ("Accessibility", "Saavutettavuus", "Åtkomlighet"),
    "quality.interoperability": ("Interoperability", "Yhteentoimivuus", "Interoperabilitet"),
    "quality.reusability": ("Reusability", "Uudelleenkäytettävyys", "Återanvändbarhet"),
    "quality.contextuality": ("Context", "Taustatiedot", "Sammanhang"),
    "quality.fixes": ("What to mend", "Mitä korjata", "Vad som bör åtgärdas"),
    "quality.fixes_none": ("Nothing to mend", "Ei korjattavaa", "Inget att åtgärda"),
    "quality.gain": ("up to {points} points", "enintään {points} pistettä", "upp till {points} poäng"),
    "quality.gain_mean": (
        "Missing in {n} of {total}. Mended everywhere, the mean rises by up to {points} points.",
        "Puuttuu: {n} / {total}. Kaikkialla korjattuna keskiarvo nousee enintään {points} pistettä.",
        "Saknas i {n} av {total}. Åtgärdat överallt stiger medelvärdet med upp till {points} poäng.",
    ),
    "quality.which": ("Which datasets", "Mitkä aineistot", "Vilka datamängder"),
    "quality.all": ("All of it", "Kaikki", "Allt"),
    "quality.more": ("All metrics and links", "Kaikki mittarit ja linkit", "Alla mått och länkar"),
    "quality.next": ("The next ones", "Seuraavat", "De följande"),
    "quality.links": ("Links", "Linkit", "Länkar"),
    "quality.links_failing": ("Links that fail", "Rikkinäiset linkit", "Trasiga länkar"),
    "quality.link": ("Link", "Linkki", "Länk"),
    "quality.state": ("State", "Tila", "Status"),
    "quality.tried": ("Tried", "Kokeiltu", "Prövad"),
    "quality.trend": ("Day by day", "Päivä päivältä", "Dag för dag"),
    "quality.trend_of": ("Source: {name}", "Lähde: {name}", "Källa: {name}"),
    "quality.day": ("Day", "Päivä", "Dag"),
    "quality.state.ok": ("Answers", "Vastaa", "Svarar"),
    "quality.state.failed": ("Fails", "Ei toimi", "Trasig"),
    "quality.state.unknown": ("Unknown", "Ei tiedossa", "Okänt"),
    "quality.untried": ("Not tried yet", "Ei vielä kokeiltu", "Inte prövad än"),
    # Why a link is not ok
    "quality.link.no-address": (
        "its host has no public address",
        "palvelimella ei ole julkista osoitetta",
        "värddatorn har ingen offentlig adress",
    ),
    "quality.link.unreachable": ("nobody answers", "kukaan ei vastaa", "ingen svarar"),
    "quality.link.tls": ("its certificate does not hold", "varmenne ei kelpaa", "certifikatet är ogiltigt"),
    "quality.link.late": ("it answers too slowly", "se vastaa liian hitaasti", "svaret dröjer för länge"),
    "quality.link.broken": (
        "what it answers is no proper HTTP, or leads nowhere",
        "vastaus ei ole kelvollista HTTP:tä tai ei johda mihinkään",
        "svaret är ingen riktig HTTP, eller leder ingenstans",
    ),
    "quality.link.redirects": ("it redirects too often", "liian monta uudelleenohjausta", "för många omdirigeringar"),
    "quality.link.gone": ("there is nothing at it", "osoitteessa ei ole mitään", "där finns ingenting"),
    "quality.link.refused": ("its server refuses it", "palvelin ei hyväksy sitä", "servern vägrar"),
    "quality.link.server-error": ("its server has a fault", "palvelimessa on vika", "servern har ett fel"),
    "quality.link.guarded": (
        "its server asks who we are",
        "palvelin kysyy, keitä olemme",
        "servern frågar vilka vi är",
    ),
    "quality.link.busy": (
        "its server asks us to come later",
        "palvelin pyytää palaamaan myöhemmin",
        "servern ber oss återkomma",
    ),
    "quality.link.robots": (
        "its robots.txt asks us to stay away",
        "robots.txt pyytää pysymään poissa",
        "robots.txt ber oss hålla oss borta",
    ),
    "quality.link.port": (
        "it names a port that is not the web’s",
        "portti ei kuulu verkkosivuille",
        "porten hör inte till webben",
    ),
    # Metrics and what to do; keyed by the metric's name
    "quality.metric.keywordAvailability": ("Keywords", "Avainsanat", "Nyckelord"),
    "quality.fix.keywordAvailability": (
        "Give the dataset a few keywords, each in its language.",
        "Anna aineistolle muutama avainsana, kukin omalla kielellään.",
        "Ge datamängden några nyckelord, vart och ett på sitt språk.",
    ),
    "quality.metric.categoryAvailability": ("Theme", "Teema", "Tema"),
    "quality.fix.categoryAvailability": (
        "Choose a theme from the EU’s data themes; map your own categories once and all datasets have one.",
        "Valitse teema EU:n datateemoista; kun omat luokat yhdistetään kerran, kaikki aineistot saavat teeman.",
        "Välj ett tema bland EU:s datateman; koppla era egna kategorier en gång, så får alla datamängder ett.",
    ),
    "quality.metric.spatialAvailability": ("Place", "Paikka", "Plats"),
    "quality.fix.spatialAvailability": (
        "Say which place the data covers; for a whole city its name is enough.",
        "Kerro, minkä alueen data kattaa; koko kaupungille riittää sen nimi.",
        "Ange vilket område data täcker; för en hel stad räcker namnet.",
    ),
    "quality.metric.temporalAvailability": ("Period", "Ajanjakso", "Period"),
    "quality.fix.temporalAvailability": (
        "Say which period the data covers; a start alone will do for data that goes on.",
        "Kerro, minkä ajanjakson data kattaa; jatkuvalle datalle riittää alku.",
        "Ange vilken period data täcker; för löpande data räcker en början.",
    ),
    "quality.metric.accessUrlStatusCode": ("Access link answers", "Käyttölinkki vastaa", "Åtkomstlänken svarar"),
    "quality.fix.accessUrlStatusCode": (
        "Give the distribution an access address that answers without error.",
        "Anna jakelulle käyttöosoite, joka vastaa virheettä.",
        "Ge distributionen en åtkomstadress som svarar utan fel.",
    ),
    "quality.metric.downloadUrlAvailability": ("Download link", "Latauslinkki", "Nedladdningslänk"),
    "quality.fix.downloadUrlAvailability": (
        "If the file can be downloaded directly, give its address as the download address too.",
        "Jos tiedoston voi ladata suoraan, anna sen osoite myös latausosoitteena.",
        "Om filen kan laddas ner direkt, ange dess adress även som nedladdningsadress.",
    ),
    "quality.metric.downloadUrlStatusCode": (
        "Download link answers",
        "Latauslinkki vastaa",
        "Nedladdningslänken svarar",
    ),
    "quality.fix.downloadUrlStatusCode": (
        "Give the distribution a download address that answers without error.",
        "Anna jakelulle latausosoite, joka vastaa virheettä.",
        "Ge distributionen en nedladdningsadress som svarar utan fel.",
    ),
    "quality.metric.formatAvailability": ("File format", "Tiedostomuoto", "Filformat"),
    "quality.fix.formatAvailability": (
        "Say which format the file has.",
        "Kerro, missä muodossa tiedosto on.",
        "Ange vilket format filen har.",
    ),
    "quality.metric.mediaTypeAvailability": ("Media type", "Mediatyyppi", "Medietyp"),
    "quality.fix.mediaTypeAvailability": (
        "Add the file’s media type, such as text/csv.",
        "Lisää tiedoston mediatyyppi, esimerkiksi text/csv.",
        "Lägg till filens medietyp, till exempel text/csv.",
    ),
    "quality.metric.formatMediaTypeVocabularyAlignment": (
        "Format from the tables",
        "Muoto luetteloista",
        "Format ur tabellerna",
    ),
    "quality.fix.formatMediaTypeVocabularyAlignment": (
        "Take the format from the EU’s file types and the media type from IANA’s registry.",
        "Valitse muoto EU:n tiedostotyypeistä ja mediatyyppi IANA:n rekisteristä.",
        "Ta formatet ur EU:s filtyper och medietypen ur IANA:s register.",
    ),
    "quality.metric.formatMediaTypeNonProprietary": ("Open format", "Avoin muoto", "Öppet format"),
    "quality.fix.formatMediaTypeNonProprietary": (
        "Publish the data in an open format too, such as CSV, JSON, GeoJSON or GeoPackage.",
        "Julkaise data myös avoimessa muodossa, esimerkiksi CSV, JSON, GeoJSON tai GeoPackage.",
        "Publicera data även i ett öppet format, till exempel CSV, JSON, GeoJSON eller GeoPackage.",
    ),
    "quality.metric.formatMediaTypeMachineInterpretable": (
        "Programs can read it",
        "Ohjelmat voivat lukea sen",
        "Program kan läsa det",
    ),
    "quality.fix.formatMediaTypeMachineInterpretable": (
        "Publish the data in a form that programs can read, not only as a page, a PDF or a picture.",
        "Julkaise data muodossa, jonka ohjelmat voivat lukea, ei vain sivuna, PDF:nä tai kuvana.",
        "Publicera data i en form som program kan läsa, inte bara som sida, PDF eller bild.",
    ),
    "quality.metric.dcatApCompliance": ("Follows DCAT-AP", "Noudattaa DCAT-AP:tä", "Följer DCAT-AP"),
    "quality.fix.dcatApCompliance": (
        "Mend what the findings call required.",
        "Korjaa havainnot, jotka on merkitty pakollisiksi.",
        "Åtgärda det som anges som obligatoriskt bland fynden.",
    ),
    "quality.metric.licenceAvailability": ("Licence", "Lisenssi", "Licens"),
    "quality.fix.licenceAvailability": (
        "Give each distribution a licence; one that stands at the dataset alone is not read by everyone.",
        "Anna jokaiselle jakelulle lisenssi; pelkkää aineiston lisenssiä kaikki eivät lue.",
        "Ge varje distribution en licens; en som bara står vid datamängden läses inte av alla.",
    ),
    "quality.metric.knownLicence": ("Known licence", "Tunnettu lisenssi", "Känd licens"),
    "quality.fix.knownLicence": (
        "Name a licence that everyone knows by its address, such as CC BY 4.0.",
        "Käytä yleisesti tunnettua lisenssiä ja sen osoitetta, esimerkiksi CC BY 4.0.",
        "Ange en allmänt känd licens med dess adress, till exempel CC BY 4.0.",
    ),
    "quality.metric.accessRightsAvailability": ("Access rights", "Käyttöoikeus", "Åtkomsträtt"),
    "quality.fix.accessRightsAvailability": (
        "Say whether the data is public, restricted or not public.",
        "Kerro, onko data julkista, rajoitettua vai ei-julkista.",
        "Ange om data är offentliga, begränsade eller icke-offentliga.",
    ),
    "quality.metric.accessRightsVocabularyAlignment": (
        "Access rights from the table",
        "Käyttöoikeus luettelosta",
        "Åtkomsträtt ur tabellen",
    ),
    "quality.fix.accessRightsVocabularyAlignment": (
        "Take the access right from the EU’s table: PUBLIC, RESTRICTED or NON_PUBLIC.",
        "Valitse käyttöoikeus EU:n luettelosta: PUBLIC, RESTRICTED tai NON_PUBLIC.",
        "Ta åtkomsträtten ur EU:s tabell: PUBLIC, RESTRICTED eller NON_PUBLIC.",
    ),
    "quality.metric.contactPointAvailability": ("Contact", "Yhteystieto", "Kontakt"),
    "quality.fix.contactPointAvailability": (
        "Name a contact for questions: a role’s mailbox, not a person.",
        "Nimeä yhteystieto kysymyksille: roolin postilaatikko, ei henkilö.",
        "Ange en kontakt för frågor: en funktionsbrevlåda, inte en person.",
    ),
    "quality.metric.publisherAvailability": ("Publisher", "Julkaisija", "Utgivare"),
    "quality.fix.publisherAvailability": (
        "Say which organisation publishes the data.",
        "Kerro, mikä organisaatio julkaisee datan.",
        "Ange vilken organisation som publicerar data.",
    ),
    "quality.metric.rightsAvailability": ("Rights statement", "Oikeuksien kuvaus", "Rättighetsuppgift"),
    "quality.fix.rightsAvailability": (
        "Add a statement of rights to the distribution, beside its licence.",
        "Lisää jakeluun kuvaus oikeuksista lisenssin rinnalle.",
        "Lägg till en rättighetsuppgift vid distributionen, bredvid licensen.",
    ),
    "quality.metric.byteSizeAvailability": ("File size", "Tiedoston koko", "Filstorlek"),
    "quality.fix.byteSizeAvailability": (
        "Say how large the file is, in bytes.",
        "Kerro tiedoston koko tavuina.",
        "Ange filens storlek i byte.",
    ),
    "quality.metric.dateIssuedAvailability": ("Release date", "Julkaisupäivä", "Utgivningsdatum"),
    "quality.fix.dateIssuedAvailability": (
        "Say when the data was first published.",
        "Kerro, milloin data julkaistiin ensimmäisen kerran.",
        "Ange när data först publicerades.",
    ),
    "quality.metric.dateModifiedAvailability": ("Date of change", "Muutospäivä", "Ändringsdatum"),
    "quality.fix.dateModifiedAvailability": (
        "Say when the data last changed.",
        "Kerro, milloin data viimeksi muuttui.",
        "Ange när data senast ändrades.",
    ),
}
