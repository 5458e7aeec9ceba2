# ruff: noqa: RUF001 - a span is written with an en dash.
"""The closed lists of the kinds of knowledge: how far a practice is, what it costs, who takes part, the UN's goals.

A list is short enough to be read before choosing, and in the order that people expect. A value gets an IRI of its own
under our vocabulary unless somebody else publishes one (the Sustainable Development Goals). Codes stand in files and
records for good: a label may be mended, a code may not. Pure values.
"""

from node.vocab.kinds.field import Code, Codes, Words


def words(en: str, fi: str, sv: str) -> Words:
    """Say one thing in the three languages of the portal."""
    return {"en": en, "fi": fi, "sv": sv}


def _code(code: str, en: str, fi: str, sv: str, iri: str = "") -> Code:
    return Code(code, words(en, fi, sv), iri)


PRACTICE_STATUS = Codes(
    "practice-status",
    words("Stage", "Vaihe", "Skede"),
    (
        _code("idea", "Idea", "Idea", "Idé"),
        _code("pilot", "Being tried", "Kokeilussa", "På försök"),
        _code("operational", "In use", "Käytössä", "I bruk"),
        _code("scaled", "In wide use", "Laajassa käytössä", "I brett bruk"),
        _code("ended", "Ended", "Päättynyt", "Avslutat"),
    ),
)

EVIDENCE_LEVELS = Codes(
    "evidence-level",
    words("Evidence", "Näyttö", "Belägg"),
    (
        _code("measured", "Yes, with numbers", "Kyllä, mitattuna", "Ja, med siffror"),
        _code("observed", "Seen, not measured", "Havaittu, ei mitattu", "Iakttaget, inte mätt"),
        _code("none-yet", "No evidence yet", "Ei vielä näyttöä", "Inga belägg än"),
        _code("no-effect", "No, it made no difference", "Ei, vaikutusta ei ollut", "Nej, det gjorde ingen skillnad"),
    ),
)

COST_BANDS = Codes(
    "cost-band",
    words("Cost band", "Kustannusluokka", "Kostnadsklass"),
    (
        _code("own-work", "Own work only", "Vain omaa työtä", "Bara eget arbete"),
        _code("under-10k", "Under €10,000", "Alle 10 000 €", "Under 10 000 €"),
        _code("10k-50k", "€10,000 to €50,000", "10 000–50 000 €", "10 000–50 000 €"),
        _code("50k-250k", "€50,000 to €250,000", "50 000–250 000 €", "50 000–250 000 €"),
        _code("250k-1m", "€250,000 to €1 million", "250 000–1 000 000 €", "250 000–1 000 000 €"),
        _code("over-1m", "Over €1 million", "Yli 1 000 000 €", "Över 1 000 000 €"),
    ),
)

EFFORT_BANDS = Codes(
    "effort-band",
    words("Effort", "Työmäärä", "Arbetsinsats"),
    (
        _code("days", "Days", "Päiviä", "Dagar"),
        _code("weeks", "Weeks", "Viikkoja", "Veckor"),
        _code("months", "One to six months", "1–6 kuukautta", "1–6 månader"),
        _code(
            "year",
            "Half a year to a year and a half",
            "Puolesta vuodesta puoleentoista",
            "Ett halvt till ett och ett halvt år",
        ),
        _code("years", "Several years", "Useita vuosia", "Flera år"),
    ),
)

MATURITY = Codes(
    "technology-readiness",
    words("Technology readiness level", "Teknologian valmiustaso (TRL)", "Teknisk mognadsnivå (TRL)"),
    (
        _code("1", "1 Basic principles observed", "1 Perusperiaatteet havaittu", "1 Grundprinciper iakttagna"),
        _code("2", "2 Concept formulated", "2 Konsepti muotoiltu", "2 Koncept formulerat"),
        _code("3", "3 Proof of concept", "3 Konsepti osoitettu toimivaksi", "3 Konceptet bevisat"),
        _code("4", "4 Validated in the laboratory", "4 Todennettu laboratoriossa", "4 Validerat i laboratorium"),
        _code(
            "5",
            "5 Validated in a relevant environment",
            "5 Todennettu käyttöä vastaavassa ympäristössä",
            "5 Validerat i relevant miljö",
        ),
        _code(
            "6",
            "6 Demonstrated in a relevant environment",
            "6 Esitelty käyttöä vastaavassa ympäristössä",
            "6 Demonstrerat i relevant miljö",
        ),
        _code(
            "7",
            "7 Prototype in its operational environment",
            "7 Prototyyppi todellisessa ympäristössä",
            "7 Prototyp i verklig miljö",
        ),
        _code("8", "8 Complete and qualified", "8 Valmis ja hyväksytty", "8 Färdigt och godkänt"),
        _code("9", "9 Proven in operation", "9 Toimivaksi osoitettu käytössä", "9 Bevisat i drift"),
    ),
)

ROLES = Codes(
    "organisation-role",
    words("Role", "Rooli", "Roll"),
    (
        _code("partner", "Partner", "Kumppani", "Partner"),
        _code("supplier", "Supplier", "Toimittaja", "Leverantör"),
        _code("operator", "Operator", "Ylläpitäjä", "Driftansvarig"),
        _code("researcher", "Researcher", "Tutkija", "Forskare"),
        _code("funder", "Funder", "Rahoittaja", "Finansiär"),
        _code("community", "Residents or association", "Asukkaat tai yhdistys", "Invånare eller förening"),
    ),
)

ADOPTION_STATUS = Codes(
    "adoption-status",
    words("How far it is", "Eteneminen", "Hur långt det har kommit"),
    (
        _code("planned", "Planned", "Suunnitteilla", "Planerat"),
        _code("pilot", "Being tried", "Kokeilussa", "På försök"),
        _code("in-use", "In use", "Käytössä", "I bruk"),
        _code("ended", "Ended", "Päättynyt", "Avslutat"),
        _code("not-adopted", "Looked at, not adopted", "Tutkittu, ei otettu käyttöön", "Undersökt, inte infört"),
    ),
)

CHALLENGE_STATUS = Codes(
    "challenge-status",
    words("State", "Tila", "Läge"),
    (
        _code("planned", "Planned", "Suunnitteilla", "Planerad"),
        _code("open", "Open", "Avoinna", "Öppen"),
        _code("judging", "Answers are being judged", "Vastauksia arvioidaan", "Svaren bedöms"),
        _code("decided", "Decided", "Ratkaistu", "Avgjord"),
        _code("cancelled", "Cancelled", "Peruttu", "Inställd"),
    ),
)

ROUTES = Codes(
    "procurement-route",
    words("Route", "Menettely", "Väg"),
    (
        _code("prize", "Prize competition", "Palkintokilpailu", "Pristävling"),
        _code("procurement", "Public procurement", "Julkinen hankinta", "Offentlig upphandling"),
        _code(
            "pre-commercial",
            "Pre-commercial procurement",
            "Esikaupallinen hankinta",
            "Förkommersiell upphandling",
        ),
        _code(
            "innovation-partnership",
            "Innovation partnership",
            "Innovaatiokumppanuus",
            "Innovationspartnerskap",
        ),
        _code("pilot", "Paid trial", "Maksettu kokeilu", "Betalt försök"),
        _code("grant", "Grant", "Avustus", "Bidrag"),
        _code("hackathon", "Hackathon", "Hackathon", "Hackathon"),
        _code("open-call", "Open call without a reward", "Avoin kutsu ilman palkkiota", "Öppen inbjudan utan belöning"),
    ),
)

REUSE_TYPES = Codes(
    "reuse-type",
    words("Type", "Tyyppi", "Typ"),
    (
        _code("app", "Mobile app", "Mobiilisovellus", "Mobilapp"),
        _code("web-service", "Web service", "Verkkopalvelu", "Webbtjänst"),
        _code("visualisation", "Map or visualisation", "Kartta tai visualisointi", "Karta eller visualisering"),
        _code("analysis", "Analysis", "Analyysi", "Analys"),
        _code("research", "Research", "Tutkimus", "Forskning"),
        _code("product", "Product", "Tuote", "Produkt"),
        _code("journalism", "Journalism", "Journalismi", "Journalistik"),
        _code("teaching", "Teaching material", "Opetusaineisto", "Undervisningsmaterial"),
        _code("software", "Software library or tool", "Ohjelmakirjasto tai työkalu", "Programbibliotek eller verktyg"),
        _code("art", "Art or game", "Taide tai peli", "Konst eller spel"),
    ),
)

REUSE_STATUS = Codes(
    "reuse-status",
    words("State", "Tila", "Läge"),
    (
        _code("under-development", "Being made", "Tekeillä", "Under arbete"),
        _code("in-use", "In use", "Käytössä", "I bruk"),
        _code("ended", "Ended", "Päättynyt", "Avslutad"),
    ),
)

MAKERS = Codes(
    "maker-type",
    words("Kind of maker", "Tekijän tyyppi", "Typ av upphovsman"),
    (
        _code("company", "Company", "Yritys", "Företag"),
        _code("residents", "Residents or association", "Asukkaat tai yhdistys", "Invånare eller förening"),
        _code(
            "research", "University or research institute", "Korkeakoulu tai tutkimuslaitos", "Högskola eller institut"
        ),
        _code("school", "School or students", "Oppilaitos tai opiskelijat", "Skola eller studerande"),
        _code("media", "Media", "Media", "Medier"),
        _code("public-body", "Public body", "Julkinen organisaatio", "Offentlig organisation"),
    ),
)

_SDG = "http://metadata.un.org/sdg/"
# The UN's short names; the Finnish and Swedish ones are those that the UN's offices and governments there use.
_GOALS = (
    ("No poverty", "Ei köyhyyttä", "Ingen fattigdom"),
    ("Zero hunger", "Ei nälkää", "Ingen hunger"),
    ("Good health and well-being", "Terveyttä ja hyvinvointia", "God hälsa och välbefinnande"),
    ("Quality education", "Hyvä koulutus", "God utbildning för alla"),
    ("Gender equality", "Sukupuolten tasa-arvo", "Jämställdhet"),
    ("Clean water and sanitation", "Puhdas vesi ja sanitaatio", "Rent vatten och sanitet för alla"),
    ("Affordable and clean energy", "Edullista ja puhdasta energiaa", "Hållbar energi för alla"),
    (
        "Decent work and economic growth",
        "Ihmisarvoista työtä ja talouskasvua",
        "Anständiga arbetsvillkor och ekonomisk tillväxt",
    ),
    (
        "Industry, innovation and infrastructure",
        "Kestävää teollisuutta, innovaatioita ja infrastruktuureja",
        "Hållbar industri, innovationer och infrastruktur",
    ),
    ("Reduced inequalities", "Eriarvoisuuden vähentäminen", "Minskad ojämlikhet"),
    ("Sustainable cities and communities", "Kestävät kaupungit ja yhteisöt", "Hållbara städer och samhällen"),
    ("Responsible consumption and production", "Vastuullista kuluttamista", "Hållbar konsumtion och produktion"),
    ("Climate action", "Ilmastotekoja", "Bekämpa klimatförändringarna"),
    ("Life below water", "Vedenalainen elämä", "Hav och marina resurser"),
    ("Life on land", "Maanpäällinen elämä", "Ekosystem och biologisk mångfald"),
    (
        "Peace, justice and strong institutions",
        "Rauha, oikeudenmukaisuus ja hyvä hallinto",
        "Fredliga och inkluderande samhällen",
    ),
    ("Partnerships for the goals", "Yhteistyö ja kumppanuus", "Genomförande och globalt partnerskap"),
)
SDGS = Codes(
    "sdg",
    words("Sustainable Development Goals", "Kestävän kehityksen tavoitteet", "De globala målen för hållbar utveckling"),
    tuple(
        _code(str(number), f"{number} {en}", f"{number} {fi}", f"{number} {sv}", f"{_SDG}{number}")
        for number, (en, fi, sv) in enumerate(_GOALS, 1)
    ),
)
