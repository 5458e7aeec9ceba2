"""The table of city models: what a 3D model of a city says of itself, as a record beside its dataset.

Most of its values are read from the model's own file (`node.catalog.models`), so that a practitioner knows before a
download which objects, levels of detail and reference system wait there. Pure values.
"""

from node.vocab import lists
from node.vocab.kinds.common import (
    HEAD,
    IDENTITY,
    ISSUED,
    KEYWORDS,
    LANGUAGES,
    LICENSE,
    MODIFIED,
    PERSONAL,
    RECORD,
    THEME,
)
from node.vocab.kinds.field import Code, Codes, Field, KindTable
from node.vocab.terms import CN, DCAT, DCT, GEODCATAP, SCHEMA

MOST_NAMES, MOST_COUNTS, MOST_NOTES = 200, 50, 20

FORMATS = Codes(
    "model-format",
    {"en": "Format of a city model", "fi": "Kaupunkimallin tiedostomuoto", "sv": "Stadsmodellens format"},
    (
        Code(
            "cityjson",
            {"en": "CityJSON", "fi": "CityJSON", "sv": "CityJSON"},
            lists.IANA + "application/city+json",
        ),
        Code(
            "cityjsonseq",
            {
                "en": "CityJSON sequence (CityJSONSeq)",
                "fi": "CityJSON-sarja (CityJSONSeq)",
                "sv": "CityJSON-sekvens (CityJSONSeq)",
            },
            lists.IANA + "application/city+json-seq",
        ),
        Code("citygml", {"en": "CityGML", "fi": "CityGML", "sv": "CityGML"}),
        Code("3d-tiles", {"en": "3D Tiles", "fi": "3D Tiles", "sv": "3D Tiles"}),
    ),
)
TYPES = Codes(
    "model-type",
    {"en": "Type of a city model", "fi": "Kaupunkimallin tyyppi", "sv": "Typ av stadsmodell"},
    (
        Code(
            "semantic",
            {
                "en": "Semantic model: objects with meanings",
                "fi": "Semanttinen malli: kohteilla on merkitys",
                "sv": "Semantisk modell: objekt med betydelse",
            },
        ),
        Code(
            "mesh",
            {
                "en": "Reality mesh: surfaces as photographed",
                "fi": "Kolmioverkkomalli: pinnat kuvattuina",
                "sv": "Meshmodell: ytor som de fotograferats",
            },
        ),
    ),
)

_ABOUT = Field(
    name="about",
    term=DCT.isPartOf,
    form="link",
    to=("dataset", "dataset-series"),
    need="should",
    short=True,
    section="model",
    label={"en": "Dataset", "fi": "Tietoaineisto", "sv": "Datamängd"},
    hint={
        "en": "The dataset that the model belongs to.",
        "fi": "Tietoaineisto, johon malli kuuluu.",
        "sv": "Datamängden som modellen hör till.",
    },
    back={"en": "City models", "fi": "Kaupunkimallit", "sv": "Stadsmodeller"},
    example="https://city.example/datasets/3d-model",
)
_FILE = Field(
    name="file",
    term=DCAT.downloadURL,
    form="link",
    need="should",
    short=True,
    section="model",
    label={"en": "File", "fi": "Tiedosto", "sv": "Fil"},
    hint={
        "en": "Where the model can be downloaded; for 3D Tiles its tileset.json.",
        "fi": "Mistä mallin voi ladata; 3D Tiles -mallista sen tileset.json.",
        "sv": "Var modellen kan hämtas; för 3D Tiles dess tileset.json.",
    },
    example="https://city.example/files/centre.city.json",
)
_MODEL: tuple[Field, ...] = (
    _ABOUT,
    _FILE,
    Field(
        name="type",
        term=DCT.type,
        form="code",
        codes=TYPES,
        need="must",
        short=True,
        section="model",
        label={"en": "Type", "fi": "Tyyppi", "sv": "Typ"},
        hint={
            "en": "Whether it knows objects (semantic) or surfaces alone (mesh).",
            "fi": "Tunteeko se kohteita (semantic) vai pelkkiä pintoja (mesh).",
            "sv": "Om den känner objekt (semantic) eller bara ytor (mesh).",
        },
        example="semantic",
    ),
    Field(
        name="format",
        term=DCT.format,
        form="code",
        codes=FORMATS,
        need="must",
        short=True,
        section="model",
        label={"en": "Format", "fi": "Tiedostomuoto", "sv": "Format"},
        hint={
            "en": "The format of its file.",
            "fi": "Sen tiedostomuoto.",
            "sv": "Filens format.",
        },
        example="cityjson",
    ),
    Field(
        name="format_version",
        term=SCHEMA.schemaVersion,
        form="plain",
        need="should",
        section="model",
        label={"en": "Version of the format", "fi": "Tiedostomuodon versio", "sv": "Formatets version"},
        hint={
            "en": "The version of the format, such as 2.0.",
            "fi": "Tiedostomuodon versio, esimerkiksi 2.0.",
            "sv": "Formatets version, till exempel 2.0.",
        },
        example="2.0",
    ),
    Field(
        name="bytes",
        term=DCAT.byteSize,
        form="number",
        section="model",
        label={"en": "Size in bytes", "fi": "Koko tavuina", "sv": "Storlek i byte"},
        hint={
            "en": "The size of its file as it is downloaded.",
            "fi": "Tiedoston koko ladattaessa.",
            "sv": "Filens storlek när den hämtas.",
        },
        example="2400000",
    ),
    Field(
        name="identifier",
        term=DCT.identifier,
        form="plain",
        section="model",
        label={"en": "Identifier", "fi": "Tunniste", "sv": "Identifierare"},
        hint={
            "en": "What the file calls itself.",
            "fi": "Tiedoston oma tunniste.",
            "sv": "Filens egen beteckning.",
        },
    ),
    Field(
        name="epoch",
        term=DCT.created,
        form="date",
        need="should",
        short=True,
        section="model",
        label={"en": "Date of the model", "fi": "Mallin ajankohta", "sv": "Modellens datum"},
        hint={
            "en": "When the city looked like this: the date of the survey.",
            "fi": "Milloin kaupunki näytti tältä: kartoituksen ajankohta.",
            "sv": "När staden såg ut så: datum för inmätningen.",
        },
        example="2024-05",
    ),
)
_WHERE: tuple[Field, ...] = (
    Field(
        name="crs",
        term=GEODCATAP.referenceSystem,
        form="link",
        need="should",
        short=True,
        section="place",
        label={"en": "Reference system", "fi": "Koordinaattijärjestelmä", "sv": "Referenssystem"},
        hint={
            "en": "The coordinate reference system as OGC names it, such as http://www.opengis.net/def/crs/EPSG/0/7415.",
            "fi": "Koordinaattijärjestelmän OGC-tunnus, esimerkiksi http://www.opengis.net/def/crs/EPSG/0/7415.",
            "sv": "Referenssystemets OGC-namn, till exempel http://www.opengis.net/def/crs/EPSG/0/7415.",
        },
        example="http://www.opengis.net/def/crs/EPSG/0/3879",
    ),
    Field(
        name="lower_corner",
        term=CN.lowerCorner,
        form="plain",
        section="place",
        label={"en": "Lower corner", "fi": "Alakulma", "sv": "Nedre hörn"},
        hint={
            "en": "The least x, y and z in its own reference system, with spaces between.",
            "fi": "Pienimmät x, y ja z mallin omassa järjestelmässä, välilyönnein erotettuina.",
            "sv": "Minsta x, y och z i det egna referenssystemet, med mellanslag.",
        },
        reason="GML has lowerCorner as an element only; DCAT's box is two-dimensional, and its users expect WGS 84.",
        example="25496000.0 6672000.0 0.0",
    ),
    Field(
        name="upper_corner",
        term=CN.upperCorner,
        form="plain",
        section="place",
        label={"en": "Upper corner", "fi": "Yläkulma", "sv": "Övre hörn"},
        hint={
            "en": "The greatest x, y and z in its own reference system, with spaces between.",
            "fi": "Suurimmat x, y ja z mallin omassa järjestelmässä, välilyönnein erotettuina.",
            "sv": "Största x, y och z i det egna referenssystemet, med mellanslag.",
        },
        reason="As for the lower corner.",
        example="25497000.0 6673000.0 48.5",
    ),
    Field(
        name="area",
        term=DCT.spatial,
        form="group",
        cls=DCT.Location,
        section="place",
        label={"en": "Area", "fi": "Alue", "sv": "Område"},
        hint={
            "en": "The area it covers.",
            "fi": "Alue, jonka malli kattaa.",
            "sv": "Området som den täcker.",
        },
        fields=(
            Field(
                name="bbox",
                term=DCAT.bbox,
                form="plain",
                need="must",
                label={"en": "Box in WGS 84", "fi": "Rajaus WGS 84:ssä", "sv": "Ruta i WGS 84"},
                hint={
                    "en": "A rectangle as WKT, longitude before latitude: POLYGON((24.9 60.1, …)).",
                    "fi": "Suorakulmio WKT-muodossa, pituusaste ensin: POLYGON((24.9 60.1, …)).",
                    "sv": "En rektangel som WKT, longitud före latitud: POLYGON((24.9 60.1, …)).",
                },
                example="POLYGON((24.93 60.16, 24.95 60.16, 24.95 60.17, 24.93 60.17, 24.93 60.16))",
            ),
        ),
    ),
)
_CONTENT: tuple[Field, ...] = (
    Field(
        name="lods",
        term=CN.levelOfDetail,
        form="plain",
        many=True,
        short=True,
        section="content",
        label={"en": "Levels of detail", "fi": "Tarkkuustasot", "sv": "Detaljnivåer"},
        hint={
            "en": "Levels of detail that are in it, such as 1, 2 or 2.2.",
            "fi": "Mallin tarkkuustasot, esimerkiksi 1, 2 tai 2.2.",
            "sv": "Detaljnivåer som finns i den, till exempel 1, 2 eller 2.2.",
        },
        reason="Levels of detail are CityGML's, refined by TU Delft; no RDF vocabulary has a property for them.",
        example=["1.2", "2.2"],
    ),
    Field(
        name="objects",
        term=CN.objectCount,
        form="number",
        short=True,
        section="content",
        label={"en": "Objects", "fi": "Kohteita", "sv": "Objekt"},
        hint={
            "en": "How many objects are in it; for 3D Tiles how many contents its tiles have.",
            "fi": "Montako kohdetta mallissa on; 3D Tiles -mallissa montako sisältöä ruuduilla on.",
            "sv": "Hur många objekt den har; för 3D Tiles hur många innehåll rutorna har.",
        },
        reason="void:entities counts what RDF describes, schema:numberOfItems the items of a list.",
        example="1400",
    ),
    Field(
        name="counts",
        term=CN.objectsOfType,
        form="group",
        many=True,
        most=MOST_COUNTS,
        section="content",
        label={"en": "Objects by type", "fi": "Kohteet tyypeittäin", "sv": "Objekt efter typ"},
        hint={
            "en": "How many objects of each type, as the file names the types.",
            "fi": "Montako kohdetta kutakin tyyppiä, tiedoston omin nimin.",
            "sv": "Hur många objekt av varje typ, med filens egna namn.",
        },
        reason="void:classPartition wants the IRI of a class; types of CityJSON and 3D Tiles are words of the file.",
        fields=(
            Field(
                name="type",
                term=SCHEMA.name,
                form="plain",
                need="must",
                label={"en": "Type", "fi": "Tyyppi", "sv": "Typ"},
                hint={
                    "en": "The type's name, such as Building.",
                    "fi": "Tyypin nimi, esimerkiksi Building.",
                    "sv": "Typens namn, till exempel Building.",
                },
                example="Building",
            ),
            Field(
                name="count",
                term=CN.objectCount,
                form="number",
                need="must",
                label={"en": "Objects", "fi": "Kohteita", "sv": "Objekt"},
                hint={"en": "How many.", "fi": "Montako.", "sv": "Hur många."},
                reason="As for all objects.",
                example="1400",
            ),
        ),
    ),
    Field(
        name="attributes",
        term=SCHEMA.variableMeasured,
        form="plain",
        many=True,
        most=MOST_NAMES,
        section="content",
        label={"en": "Attributes", "fi": "Ominaisuustiedot", "sv": "Attribut"},
        hint={
            "en": "Names of what is known of the objects, such as roofType.",
            "fi": "Mitä kohteista tiedetään: nimiä kuten roofType.",
            "sv": "Namn på det som är känt om objekten, till exempel roofType.",
        },
        example=["roofType", "yearOfConstruction"],
    ),
    Field(
        name="textures",
        term=CN.textureCount,
        form="number",
        section="content",
        label={"en": "Textures", "fi": "Tekstuurit", "sv": "Texturer"},
        hint={
            "en": "How many images its surfaces show.",
            "fi": "Montako kuvaa sen pinnoilla on.",
            "sv": "Hur många bilder ytorna visar.",
        },
        reason="No vocabulary says of a model how many images lie on it.",
        example="12",
    ),
    Field(
        name="materials",
        term=CN.materialCount,
        form="number",
        section="content",
        label={"en": "Materials", "fi": "Materiaalit", "sv": "Material"},
        hint={
            "en": "How many colours and finishes its surfaces have.",
            "fi": "Montako väriä ja pintaa siinä on.",
            "sv": "Hur många färger och ytskikt den har.",
        },
        reason="As for textures; schema:material is what a thing is made of.",
        example="3",
    ),
    Field(
        name="extensions",
        term=CN.modelExtension,
        form="plain",
        many=True,
        section="content",
        label={"en": "Extensions", "fi": "Laajennukset", "sv": "Tillägg"},
        hint={
            "en": "Extensions of the format that a program must know, by name.",
            "fi": "Tiedostomuodon laajennukset, jotka ohjelman on tunnettava.",
            "sv": "Tillägg till formatet som ett program måste känna till.",
        },
        reason="dct:conformsTo wants the IRI of a standard, and CityJSON and 3D Tiles extensions have names alone.",
    ),
    Field(
        name="notes",
        term=CN.modelNote,
        form="plain",
        many=True,
        most=MOST_NOTES,
        section="content",
        label={"en": "Found by inspection", "fi": "Tarkastuksen havainnot", "sv": "Funnet vid granskning"},
        hint={
            "en": "What is wrong with the file, and where.",
            "fi": "Mikä tiedostossa on vialla ja missä.",
            "sv": "Vad som är fel i filen, och var.",
        },
        reason="dqv:hasQualityAnnotation wants a node of the Web Annotation model for a sentence that a program wrote.",
    ),
)

TABLE = KindTable(
    kind="city-model",
    cls=CN.CityModel,
    title={"en": "City model", "fi": "Kaupunkimalli", "sv": "Stadsmodell"},
    plural={"en": "City models", "fi": "Kaupunkimallit", "sv": "Stadsmodeller"},
    about={
        "en": "A three-dimensional model of a city or a part of it, as the facts that its file tells.",
        "fi": "Kaupungin tai sen osan kolmiulotteinen malli: mitä sen tiedosto kertoo.",
        "sv": "En tredimensionell modell av en stad eller en del av den: vad dess fil berättar.",
    },
    command="models",
    collection="models",
    fields=(*HEAD, *_MODEL, *_WHERE, *_CONTENT, LICENSE, THEME, KEYWORDS, LANGUAGES, ISSUED, MODIFIED, PERSONAL),
    sections={
        "": IDENTITY,
        "model": {"en": "The model", "fi": "Malli", "sv": "Modellen"},
        "place": {"en": "Where it lies", "fi": "Missä se on", "sv": "Var den ligger"},
        "content": {"en": "What is in it", "fi": "Mitä siinä on", "sv": "Vad den innehåller"},
        "record": RECORD,
    },
    reason="CityGML and CityJSON define files, not a class; dcat:Dataset is the dataset that the file belongs to.",
)
