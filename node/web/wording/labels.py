"""What properties and classes are called on our pages, in English, Finnish and Swedish.

For readers, beside the machine's own term and never instead of it. Only what catalogues of cities really use stands
here; anything else is shown by its term alone. The words are ours, after the Finnish and Swedish translations of
DCAT-AP. No labels of concepts (themes, licences): those are in `node.vocab.lists`.
"""

from node.vocab.terms import ADMS, DCAT, DCATAP, DCT, FOAF, LOCN, OWL, RDF, RDFS, SCHEMA, SKOS, SPDX, VCARD

_PLACE = {"en": 0, "fi": 1, "sv": 2}

PROPERTIES: dict[str, tuple[str, str, str]] = {
    RDF.type: ("Type", "Tyyppi", "Typ"),
    RDFS.label: ("Name", "Nimi", "Namn"),
    DCT.title: ("Title", "Nimi", "Titel"),
    DCT.description: ("Description", "Kuvaus", "Beskrivning"),
    DCT.publisher: ("Publisher", "Julkaisija", "Utgivare"),
    DCT.creator: ("Creator", "Tekijä", "Skapare"),
    DCT.issued: ("Published", "Julkaistu", "Publicerad"),
    DCT.created: ("Created", "Luotu", "Skapad"),
    DCT.modified: ("Updated", "Päivitetty", "Uppdaterad"),
    DCT.accrualPeriodicity: ("Update rhythm", "Päivitystahti", "Uppdateringsfrekvens"),
    DCT.accessRights: ("Access", "Käyttöoikeus", "Åtkomst"),
    DCT.license: ("Licence", "Lisenssi", "Licens"),
    DCT.rights: ("Rights", "Oikeudet", "Rättigheter"),
    DCT.format: ("Form", "Muoto", "Format"),
    DCT.language: ("Language", "Kieli", "Språk"),
    DCT.spatial: ("Place", "Alue", "Plats"),
    DCT.temporal: ("Period", "Ajanjakso", "Period"),
    DCT.identifier: ("Identifier", "Tunniste", "Identifierare"),
    DCT.conformsTo: ("Standard it follows", "Noudatettu standardi", "Standard som följs"),
    DCT.provenance: ("Origin", "Alkuperä", "Ursprung"),
    DCT.source: ("Source", "Lähde", "Källa"),
    DCT.type: ("Type", "Tyyppi", "Typ"),
    DCT.subject: ("Subject", "Aihe", "Ämne"),
    DCT.relation: ("Related", "Liittyy", "Relaterat"),
    DCT.isPartOf: ("Part of", "Osa kokonaisuutta", "Del av"),
    DCT.hasPart: ("Has part", "Sisältää osan", "Har del"),
    DCT.hasVersion: ("Has version", "Versio", "Har version"),
    DCT.isVersionOf: ("Version of", "Mistä versio", "Version av"),
    DCT.isReferencedBy: ("Referred to by", "Viittaukset", "Hänvisas till av"),
    DCT.rightsHolder: ("Rights holder", "Oikeudenhaltija", "Rättighetshavare"),
    DCAT.keyword: ("Keyword", "Avainsana", "Nyckelord"),
    DCAT.theme: ("Theme", "Teema", "Tema"),
    DCAT.distribution: ("File or service", "Tiedosto tai rajapinta", "Fil eller tjänst"),
    DCAT.contactPoint: ("Contact", "Yhteystieto", "Kontakt"),
    DCAT.landingPage: ("Page at the source", "Sivu lähteessä", "Sida hos källan"),
    DCAT.accessURL: ("Access address", "Käyttöosoite", "Åtkomstadress"),
    DCAT.downloadURL: ("Download address", "Latausosoite", "Nedladdningsadress"),
    DCAT.accessService: ("Access service", "Rajapintapalvelu", "Åtkomsttjänst"),
    DCAT.mediaType: ("Media type", "Mediatyyppi", "Medietyp"),
    DCAT.byteSize: ("Size in bytes", "Koko tavuina", "Storlek i byte"),
    DCAT.compressFormat: ("Compression", "Pakkausmuoto", "Komprimering"),
    DCAT.packageFormat: ("Package", "Paketointi", "Paketering"),
    DCAT.startDate: ("Start", "Alku", "Start"),
    DCAT.endDate: ("End", "Loppu", "Slut"),
    DCAT.bbox: ("Bounding box", "Rajaava alue", "Avgränsande område"),
    DCAT.centroid: ("Centre", "Keskipiste", "Mittpunkt"),
    DCAT.endpointURL: ("Service address", "Palvelun osoite", "Tjänstens adress"),
    DCAT.endpointDescription: ("Service description", "Palvelun kuvaus", "Tjänstens beskrivning"),
    DCAT.servesDataset: ("Serves", "Tarjoaa", "Tillhandahåller"),
    DCAT.inSeries: ("Part of series", "Osa sarjaa", "Del av serie"),
    DCAT.version: ("Version", "Versio", "Version"),
    DCAT.spatialResolutionInMeters: ("Resolution in metres", "Tarkkuus metreinä", "Upplösning i meter"),
    DCAT.temporalResolution: ("Resolution in time", "Ajallinen tarkkuus", "Tidsupplösning"),
    DCATAP.availability: ("Planned availability", "Suunniteltu saatavuus", "Planerad tillgänglighet"),
    DCATAP.applicableLegislation: ("Legislation", "Sovellettava säädös", "Tillämplig lagstiftning"),
    DCATAP.hvdCategory: (
        "High-value category",
        "Arvokkaan aineiston luokka",
        "Kategori för särskilt värdefulla data",
    ),
    FOAF.name: ("Name", "Nimi", "Namn"),
    FOAF.homepage: ("Home page", "Kotisivu", "Webbplats"),
    FOAF.page: ("Page", "Sivu", "Sida"),
    FOAF.mbox: ("Mailbox", "Sähköposti", "E-post"),
    VCARD.fn: ("Name", "Nimi", "Namn"),
    VCARD.hasEmail: ("Mailbox", "Sähköposti", "E-post"),
    VCARD.hasURL: ("Page", "Sivu", "Sida"),
    VCARD.hasTelephone: ("Telephone", "Puhelin", "Telefon"),
    VCARD["organization-name"]: ("Organisation", "Organisaatio", "Organisation"),
    ADMS.identifier: ("Other identifier", "Muu tunniste", "Annan identifierare"),
    ADMS.status: ("Status", "Tila", "Status"),
    ADMS.sample: ("Sample", "Näyte", "Exempel"),
    ADMS.versionNotes: ("Version notes", "Version kuvaus", "Versionsinformation"),
    OWL.versionInfo: ("Version", "Versio", "Version"),
    SKOS.prefLabel: ("Name", "Nimi", "Namn"),
    SKOS.notation: ("Notation", "Merkintä", "Notation"),
    SKOS.inScheme: ("Vocabulary", "Sanasto", "Vokabulär"),
    SPDX.checksum: ("Checksum", "Tarkistussumma", "Kontrollsumma"),
    SPDX.checksumValue: ("Value", "Arvo", "Värde"),
    SPDX.algorithm: ("Algorithm", "Algoritmi", "Algoritm"),
    LOCN.geometry: ("Geometry", "Geometria", "Geometri"),
    SCHEMA.name: ("Name", "Nimi", "Namn"),
    SCHEMA.value: ("Value", "Arvo", "Värde"),
    SCHEMA.additionalProperty: ("Also from the portal", "Lisäksi portaalista", "Även från portalen"),
}

CLASSES: dict[str, tuple[str, str, str]] = {
    DCAT.Dataset: ("Dataset", "Tietoaineisto", "Datamängd"),
    DCAT.DatasetSeries: ("Dataset series", "Aineistosarja", "Dataserie"),
    DCAT.DataService: ("Data service", "Datapalvelu", "Datatjänst"),
    DCAT.Distribution: ("File or service", "Tiedosto tai rajapinta", "Fil eller tjänst"),
    DCT.PeriodOfTime: ("Period", "Ajanjakso", "Period"),
    DCT.Location: ("Place", "Alue", "Plats"),
    DCT.Standard: ("Standard", "Standardi", "Standard"),
    FOAF.Agent: ("Organisation", "Organisaatio", "Organisation"),
    FOAF.Organization: ("Organisation", "Organisaatio", "Organisation"),
    VCARD.Kind: ("Contact", "Yhteystieto", "Kontakt"),
    VCARD.Organization: ("Contact", "Yhteystieto", "Kontakt"),
    SKOS.Concept: ("Concept", "Käsite", "Begrepp"),
    SPDX.Checksum: ("Checksum", "Tarkistussumma", "Kontrollsumma"),
}


def property_label(iri: str, reader: str) -> str:
    """Call a property what the reader calls it, or nothing."""
    return PROPERTIES[iri][_PLACE.get(reader, 0)] if iri in PROPERTIES else ""


def class_label(iri: str, reader: str) -> str:
    """Call a class what the reader calls it, or nothing."""
    return CLASSES[iri][_PLACE.get(reader, 0)] if iri in CLASSES else ""
