"""Fields that most kinds share: what it is called, who answers for it, what may be done with it, when it is looked at.

Each is a function or a value that a table takes in as it is, so that the same word means the same in all kinds. All of
them are terms of DCAT, Dublin Core, FOAF, vCard and DPV; none is ours. Pure values.
"""

from node.vocab import lists
from node.vocab.kinds.field import Code, Codes, Field, Words
from node.vocab.terms import DCAT, DCT, DPV, FOAF, VCARD

PERSONAL_DATA = Codes(
    "personal-data",
    {"en": "Personal data", "fi": "Henkilötiedot", "sv": "Personuppgifter"},
    (
        Code("personal", {"en": "Personal data", "fi": "Henkilötietoja", "sv": "Personuppgifter"}, DPV.PersonalData),
        Code(
            "sensitive",
            {"en": "Sensitive personal data", "fi": "Arkaluonteisia henkilötietoja", "sv": "Känsliga personuppgifter"},
            DPV.SensitivePersonalData,
        ),
        Code(
            "special-category",
            {
                "en": "Special categories of personal data",
                "fi": "Erityisiä henkilötietoryhmiä",
                "sv": "Särskilda kategorier av personuppgifter",
            },
            DPV.SpecialCategoryPersonalData,
        ),
        Code(
            "pseudonymised",
            {"en": "Pseudonymised data", "fi": "Pseudonymisoituja tietoja", "sv": "Pseudonymiserade uppgifter"},
            DPV.PseudonymisedData,
        ),
        Code(
            "anonymised",
            {"en": "Anonymised data", "fi": "Anonymisoituja tietoja", "sv": "Anonymiserade uppgifter"},
            DPV.AnonymisedData,
        ),
        Code(
            "none",
            {"en": "No personal data", "fi": "Ei henkilötietoja", "sv": "Inga personuppgifter"},
            DPV.NonPersonalData,
        ),
    ),
)

IDENTITY: Words = {"en": "In short", "fi": "Lyhyesti", "sv": "I korthet"}
RECORD: Words = {"en": "About this entry", "fi": "Tästä kuvauksesta", "sv": "Om beskrivningen"}

TITLE = Field(
    name="title",
    term=DCT.title,
    form="text",
    need="must",
    short=True,
    label={"en": "Title", "fi": "Nimi", "sv": "Titel"},
    hint={
        "en": "Say in a few words what it is.",
        "fi": "Kerro muutamalla sanalla, mistä on kyse.",
        "sv": "Säg med några ord vad det är.",
    },
    example={"en": "An example", "fi": "Esimerkki"},
)
SUMMARY = Field(
    name="summary",
    term=DCT.abstract,
    form="text",
    need="should",
    short=True,
    label={"en": "Summary", "fi": "Tiivistelmä", "sv": "Sammanfattning"},
    hint={
        "en": "One sentence in plain words, at most 160 characters.",
        "fi": "Yksi selkeä virke, enintään 160 merkkiä.",
        "sv": "En mening i klara ord, högst 160 tecken.",
    },
    example={"en": "What it does, and for whom.", "fi": "Mitä se tekee ja kenelle."},
)
LANGUAGES = Field(
    name="languages",
    term=DCT.language,
    form="language",
    many=True,
    section="record",
    label={"en": "Languages", "fi": "Kielet", "sv": "Språk"},
    hint={
        "en": "The languages it is described in, such as fi and en.",
        "fi": "Kielet, joilla se on kuvattu, esimerkiksi fi ja en.",
        "sv": "Språken som den beskrivs på, till exempel fi och en.",
    },
    example=["en"],
)
PUBLISHER = Field(
    name="publisher",
    term=DCT.publisher,
    form="group",
    cls=FOAF.Agent,
    need="must",
    short=True,
    label={"en": "Published by", "fi": "Julkaisija", "sv": "Utgivare"},
    hint={
        "en": "The organisation that answers for it.",
        "fi": "Organisaatio, joka vastaa siitä.",
        "sv": "Organisationen som ansvarar för den.",
    },
    fields=(
        Field(
            name="name",
            term=FOAF.name,
            form="text",
            need="must",
            label={"en": "Name", "fi": "Nimi", "sv": "Namn"},
            hint={"en": "Its name.", "fi": "Sen nimi.", "sv": "Dess namn."},
            example={"en": "City of Example", "fi": "Esimerkin kaupunki"},
        ),
        Field(
            name="homepage",
            term=FOAF.homepage,
            form="link",
            label={"en": "Web site", "fi": "Verkkosivu", "sv": "Webbplats"},
            hint={"en": "Its web site.", "fi": "Sen verkkosivu.", "sv": "Dess webbplats."},
            example="https://city.example",
        ),
    ),
)
CONTACT = Field(
    name="contact",
    term=DCAT.contactPoint,
    form="group",
    cls=VCARD.Organization,
    need="should",
    short=True,
    label={"en": "Contact", "fi": "Yhteystiedot", "sv": "Kontakt"},
    hint={
        "en": "A team and its mailbox, not a person.",
        "fi": "Tiimi ja sen sähköposti, ei henkilö.",
        "sv": "Ett team och dess brevlåda, inte en person.",
    },
    fields=(
        Field(
            name="name",
            term=VCARD.fn,
            form="text",
            need="must",
            label={"en": "Team", "fi": "Tiimi", "sv": "Team"},
            hint={"en": "The team's name.", "fi": "Tiimin nimi.", "sv": "Teamets namn."},
            example={"en": "Data team"},
        ),
        Field(
            name="email",
            term=VCARD.hasEmail,
            form="email",
            label={"en": "Mail", "fi": "Sähköposti", "sv": "E-post"},
            hint={"en": "The team's mailbox.", "fi": "Tiimin sähköposti.", "sv": "Teamets brevlåda."},
            example="data@city.example",
        ),
        Field(
            name="url",
            term=VCARD.hasURL,
            form="link",
            label={"en": "Contact page", "fi": "Yhteydenottosivu", "sv": "Kontaktsida"},
            hint={"en": "A page with a form.", "fi": "Sivu, jolla on lomake.", "sv": "En sida med formulär."},
        ),
    ),
)
LICENSE = Field(
    name="license",
    term=DCT.license,
    form="code",
    codes=lists.LICENCES,
    need="should",
    section="record",
    label={"en": "Licence", "fi": "Lisenssi", "sv": "Licens"},
    hint={
        "en": "What others may do with it, such as CC_BY_4_0.",
        "fi": "Mitä muut saavat tehdä sillä, esimerkiksi CC_BY_4_0.",
        "sv": "Vad andra får göra med den, till exempel CC_BY_4_0.",
    },
    example="CC_BY_4_0",
)
THEME = Field(
    name="theme",
    term=DCAT.theme,
    form="code",
    codes=lists.DATA_THEMES,
    many=True,
    section="record",
    label={"en": "Theme", "fi": "Teema", "sv": "Tema"},
    hint={
        "en": "Codes of the EU's data themes, such as TRAN or ENVI.",
        "fi": "EU:n tietoteemojen koodeja, esimerkiksi TRAN tai ENVI.",
        "sv": "Koder för EU:s datateman, till exempel TRAN eller ENVI.",
    },
    example=["TRAN"],
)
KEYWORDS = Field(
    name="keywords",
    term=DCAT.keyword,
    form="text",
    many=True,
    section="record",
    label={"en": "Keywords", "fi": "Avainsanat", "sv": "Nyckelord"},
    hint={
        "en": "Words that people would search for.",
        "fi": "Sanoja, joilla sitä haettaisiin.",
        "sv": "Ord som man skulle söka med.",
    },
)
PLACE = Field(
    name="place",
    term=DCT.spatial,
    form="code",
    codes=lists.PLACES,
    many=True,
    section="record",
    label={"en": "Place", "fi": "Paikka", "sv": "Plats"},
    hint={
        "en": "The city or area it is about: a code of the EU's table of places, or an IRI.",
        "fi": "Kaupunki tai alue: EU:n paikkataulukon koodi tai IRI.",
        "sv": "Staden eller området: en kod i EU:s ortstabell eller en IRI.",
    },
)
ISSUED = Field(
    name="issued",
    term=DCT.issued,
    form="date",
    section="record",
    label={"en": "Published", "fi": "Julkaistu", "sv": "Utgiven"},
    hint={
        "en": "When it was first published.",
        "fi": "Milloin se julkaistiin ensi kerran.",
        "sv": "När den först gavs ut.",
    },
)
MODIFIED = Field(
    name="modified",
    term=DCT.modified,
    form="date",
    section="record",
    label={"en": "Changed", "fi": "Muutettu", "sv": "Ändrad"},
    hint={
        "en": "When its text last changed.",
        "fi": "Milloin tekstiä viimeksi muutettiin.",
        "sv": "När texten senast ändrades.",
    },
)
REVIEW = Field(
    name="review",
    term=DCT.valid,
    form="date",
    need="should",
    section="record",
    label={"en": "Next review", "fi": "Seuraava tarkistus", "sv": "Nästa översyn"},
    hint={
        "en": "When somebody looks at it again; a year ahead is usual.",
        "fi": "Milloin se tarkistetaan uudelleen; yleensä vuoden kuluttua.",
        "sv": "När någon ser över den igen; vanligen om ett år.",
    },
    example="2099-11-01",
)
PERSONAL = Field(
    name="personal_data",
    term=DPV.hasPersonalData,
    form="code",
    codes=PERSONAL_DATA,
    many=True,
    section="record",
    label={"en": "Personal data", "fi": "Henkilötiedot", "sv": "Personuppgifter"},
    hint={
        "en": "Whether personal data is in it or handled by it.",
        "fi": "Onko siinä henkilötietoja tai käsitelläänkö niitä.",
        "sv": "Om den innehåller eller behandlar personuppgifter.",
    },
)

HEAD: tuple[Field, ...] = (TITLE, SUMMARY, PUBLISHER, CONTACT)
"""What every kind begins with."""
TAIL: tuple[Field, ...] = (
    LICENSE,
    THEME,
    KEYWORDS,
    PLACE,
    LANGUAGES,
    ISSUED,
    MODIFIED,
    REVIEW,
    PERSONAL,
)
"""What every kind ends with."""
