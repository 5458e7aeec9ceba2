"""The table of services of digital twins: data services that a city describes itself, with the standard they speak.

Harvested data services come from portals and keep what their portal says; this table is for those that no portal knows,
since a twin's interfaces rarely stand in one. Pure values.
"""

from node.vocab import lists
from node.vocab.kinds.common import HEAD, IDENTITY, RECORD, TAIL
from node.vocab.kinds.field import Code, Codes, Field, KindTable
from node.vocab.terms import DCAT, DCT, FOAF

STANDARDS = Codes(
    "service-standard",
    {"en": "Standard of a service", "fi": "Rajapintastandardi", "sv": "Tjänstens standard"},
    (
        Code(
            "ngsi-ld",
            {"en": "NGSI-LD (ETSI)", "fi": "NGSI-LD (ETSI)", "sv": "NGSI-LD (ETSI)"},
            "https://uri.etsi.org/ngsi-ld/",
        ),
        Code(
            "sensorthings-1.1",
            {"en": "OGC SensorThings API 1.1", "fi": "OGC SensorThings API 1.1", "sv": "OGC SensorThings API 1.1"},
            "http://www.opengis.net/spec/iot_sensing/1.1",
        ),
        Code(
            "sensorthings-1.0",
            {"en": "OGC SensorThings API 1.0", "fi": "OGC SensorThings API 1.0", "sv": "OGC SensorThings API 1.0"},
            "http://www.opengis.net/spec/iot_sensing/1.0",
        ),
        Code(
            "wfs",
            {
                "en": "OGC Web Feature Service (3DCityDB and others)",
                "fi": "OGC Web Feature Service (3DCityDB ja muut)",
                "sv": "OGC Web Feature Service (3DCityDB med flera)",
            },
            "http://www.opengis.net/def/serviceType/ogc/wfs",
        ),
        Code(
            "ogc-api-features",
            {"en": "OGC API Features", "fi": "OGC API Features", "sv": "OGC API Features"},
            "http://www.opengis.net/spec/ogcapi-features-1/1.0",
        ),
        Code(
            "3d-tiles",
            {"en": "3D Tiles", "fi": "3D Tiles", "sv": "3D Tiles"},
            "http://www.opengis.net/doc/cs/3D-Tiles/1.1",
        ),
        Code(
            "stac-api", {"en": "STAC API", "fi": "STAC API", "sv": "STAC API"}, "https://api.stacspec.org/v1.0.0/core"
        ),
    ),
)

_SERVICE: tuple[Field, ...] = (
    Field(
        name="endpoint",
        term=DCAT.endpointURL,
        form="link",
        need="must",
        short=True,
        section="service",
        label={"en": "Endpoint", "fi": "Rajapinnan osoite", "sv": "Tjänstens adress"},
        hint={
            "en": "The address that programs ask first.",
            "fi": "Osoite, jolta ohjelmat aloittavat.",
            "sv": "Adressen som program börjar med.",
        },
        example="https://twin.city.example/sensorthings/v1.1",
    ),
    Field(
        name="standards",
        term=DCT.conformsTo,
        form="code",
        codes=STANDARDS,
        many=True,
        need="should",
        short=True,
        section="service",
        label={"en": "Standard", "fi": "Standardi", "sv": "Standard"},
        hint={
            "en": "What it speaks; citynode twins probe finds out.",
            "fi": "Mitä se puhuu; citynode twins probe selvittää sen.",
            "sv": "Vad den talar; citynode twins probe tar reda på det.",
        },
        example=["sensorthings-1.1"],
    ),
    Field(
        name="endpoint_description",
        term=DCAT.endpointDescription,
        form="link",
        need="should",
        section="service",
        label={"en": "Description for programs", "fi": "Kuvaus ohjelmille", "sv": "Beskrivning för program"},
        hint={
            "en": "Its OpenAPI document, capabilities or conformance page.",
            "fi": "Sen OpenAPI-kuvaus, capabilities-dokumentti tai conformance-sivu.",
            "sv": "Dess OpenAPI-dokument, capabilities eller conformance-sida.",
        },
        example="https://twin.city.example/sensorthings/v1.1/api",
    ),
    Field(
        name="serves",
        term=DCAT.servesDataset,
        form="link",
        many=True,
        to=("dataset", "dataset-series", "city-model"),
        need="should",
        section="service",
        label={"en": "Gives access to", "fi": "Tarjoaa pääsyn", "sv": "Ger tillgång till"},
        hint={
            "en": "Datasets and city models that it serves, of any city.",
            "fi": "Tietoaineistot ja kaupunkimallit, joita se tarjoaa, minkä tahansa kaupungin.",
            "sv": "Datamängder och stadsmodeller som den ger, från vilken stad som helst.",
        },
        back={"en": "Services", "fi": "Rajapinnat", "sv": "Tjänster"},
        example=["https://city.example/datasets/air-quality"],
    ),
    Field(
        name="access",
        term=DCT.accessRights,
        form="code",
        codes=lists.ACCESS_RIGHTS,
        need="should",
        short=True,
        section="service",
        label={"en": "Access", "fi": "Saatavuus", "sv": "Åtkomst"},
        hint={
            "en": "PUBLIC, RESTRICTED or NON_PUBLIC.",
            "fi": "PUBLIC, RESTRICTED tai NON_PUBLIC.",
            "sv": "PUBLIC, RESTRICTED eller NON_PUBLIC.",
        },
        example="PUBLIC",
    ),
    Field(
        name="description",
        term=DCT.description,
        form="markdown",
        section="service",
        label={"en": "Description", "fi": "Kuvaus", "sv": "Beskrivning"},
        hint={
            "en": "What it answers, how fresh it is, how often one may ask, and where to get a key.",
            "fi": "Mitä se vastaa, kuinka tuoretta tieto on, kuinka usein saa kysyä ja mistä avaimen saa.",
            "sv": "Vad den svarar, hur färskt det är, hur ofta man får fråga och var man får en nyckel.",
        },
    ),
    Field(
        name="documentation",
        term=FOAF.page,
        form="link",
        many=True,
        section="service",
        label={"en": "Documentation", "fi": "Dokumentaatio", "sv": "Dokumentation"},
        hint={
            "en": "Pages for those who write programs.",
            "fi": "Sivuja ohjelmien tekijöille.",
            "sv": "Sidor för dem som skriver program.",
        },
    ),
)

TABLE = KindTable(
    kind="data-service",
    cls=DCAT.DataService,
    title={"en": "Twin service", "fi": "Kaksosrajapinta", "sv": "Tvillingtjänst"},
    plural={"en": "Twin services", "fi": "Kaksosrajapinnat", "sv": "Tvillingtjänster"},
    about={
        "en": "An interface of a city's digital twin that programs may ask.",
        "fi": "Kaupungin digitaalisen kaksosen rajapinta, jolta ohjelmat voivat kysyä.",
        "sv": "Ett gränssnitt till stadens digitala tvilling som program kan fråga.",
    },
    command="twins",
    collection="twins",
    fields=(*HEAD, *_SERVICE, *TAIL),
    sections={
        "": IDENTITY,
        "service": {"en": "The service", "fi": "Rajapinta", "sv": "Tjänsten"},
        "record": RECORD,
    },
)
