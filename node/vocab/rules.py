"""What DCAT-AP 3.0.1 asks of a description, as one table: the source of our checks and of our SHACL shapes.

A rule speaks of one property of one class: whether it is mandatory or recommended, what its values must be, whether
there may be several, and from which EU table they come. `node.vocab.check` compiles the table to direct checks;
`node.vocab.shacl` writes it as shapes; a test holds the two together with a SHACL engine as the judge. Codes are
stable: they are shown, counted and linked to. High-value datasets have rules of their own. Pure data: no I/O.
"""

from dataclasses import dataclass
from typing import Literal

from node.vocab.terms import ADMS, DCAT, DCATAP, DCT, FOAF, LOCN, ODRL, ORG, PROV, SKOS, SPDX

Need = Literal["", "mandatory", "recommended"]
Values = Literal["", "iri", "text", "literal", "moment", "size", "decimal", "duration", "hex"]

AUTHORITY = "http://publications.europa.eu/resource/authority/"
IANA = "www.iana.org/assignments/media-types/"
HVD_LEGISLATION = "http://data.europa.eu/eli/reg_impl/2023/138/oj"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of one property.

    `noun` names the value with its article ("a title"); `stem` begins the codes of a missing value; `tail` ends the
    sentence that asks for it. `table` is where the values should come from, as IRI beginnings.
    """

    path: str
    stem: str
    noun: str
    values: Values = ""
    need: Need = ""
    several: bool = True
    table: tuple[str, ...] = ()
    tail: str = ""

    @property
    def name(self) -> str:
        """The noun without its article."""
        return self.noun.split(" ", 1)[1] if self.noun.startswith(("a ", "an ", "the ")) else self.noun


@dataclass(frozen=True, slots=True)
class Shape:
    """The rules of one class; `noun` is what a message calls a thing of it, in the singular and the plural."""

    name: str
    classes: tuple[str, ...]
    noun: tuple[str, str]
    rules: tuple[Rule, ...]


def _one(path: str, stem: str, noun: str, values: Values = "iri", table: tuple[str, ...] = ()) -> Rule:
    return Rule(path, stem, noun, values, several=False, table=table)


def _any(path: str, stem: str, noun: str, values: Values = "iri") -> Rule:
    return Rule(path, stem, noun, values)


def _table(name: str) -> tuple[str, ...]:
    return (f"{AUTHORITY}{name}/",)


_MUST: Need = "mandatory"
_SHOULD: Need = "recommended"
_IN_ONE = " in at least one language"
_MEDIA = (f"http://{IANA}", f"https://{IANA}")
_FREQUENCY = _table("frequency")
_ACCESS = _table("access-right")
_LANGUAGE = Rule(DCT.language, "language", "a language", "iri", table=_table("language"))
_TITLE = Rule(DCT.title, "title", "a title", "text", _MUST, tail=_IN_ONE)
_DESCRIPTION = Rule(DCT.description, "description", "a description", "text", _MUST, tail=_IN_ONE)
_CONTACT = Rule(DCAT.contactPoint, "contact", "a contact point", "iri", _SHOULD)
_PUBLISHER = Rule(DCT.publisher, "publisher", "a publisher", "iri", _SHOULD, several=False)
_KEYWORD = Rule(DCAT.keyword, "keyword", "a keyword", "text", _SHOULD, tail=_IN_ONE)
_SPATIAL = Rule(DCT.spatial, "place", "the place it covers", "iri", _SHOULD)
_THEME = Rule(DCAT.theme, "theme", "a theme", "iri", _SHOULD, tail=" from the EU data themes")
_LEGISLATION = _any(DCATAP.applicableLegislation, "legislation", "the legislation it is published under")
_CONFORMS = _any(DCT.conformsTo, "standard", "a standard")
_ISSUED = _one(DCT.issued, "issued", "a release date", "moment")
_MODIFIED = _one(DCT.modified, "modified", "a date of the last change", "moment")
_PAGE = _any(FOAF.page, "page", "a documentation page")

DATASET = Shape(
    "Dataset",
    (DCAT.Dataset,),
    ("dataset", "datasets"),
    (
        _TITLE,
        _DESCRIPTION,
        _CONTACT,
        Rule(DCAT.distribution, "distribution", "a distribution", "iri", _SHOULD),
        _SPATIAL,
        _KEYWORD,
        _PUBLISHER,
        Rule(DCT.temporal, "period", "the period it covers", "iri", _SHOULD),
        _THEME,
        _one(DCT.accessRights, "access-rights", "an access right", table=_ACCESS),
        _one(DCT.accrualPeriodicity, "frequency", "an update frequency", table=_FREQUENCY),
        _LANGUAGE,
        _LEGISLATION,
        _any(DCATAP.hvdCategory, "hvd-category", "a category of high-value data"),
        _any(ADMS.identifier, "other-identifier", "another identifier"),
        _any(ADMS.sample, "sample", "a sample"),
        _any(ADMS.versionNotes, "version-notes", "version notes", "text"),
        _any(DCAT.inSeries, "series", "a series"),
        _any(DCAT.landingPage, "landing-page", "a landing page"),
        _any(DCAT.qualifiedRelation, "relation", "a qualified relation"),
        _any(DCAT.spatialResolutionInMeters, "spatial-resolution", "a spatial resolution", "decimal"),
        _one(DCAT.temporalResolution, "temporal-resolution", "a temporal resolution", "duration"),
        _one(DCAT.version, "version", "a version", "literal"),
        _any(DCAT.hasVersion, "has-version", "a link to a version"),
        _CONFORMS,
        _any(DCT.creator, "creator", "a creator"),
        _any(DCT.identifier, "identifier", "an identifier", "literal"),
        _any(DCT.isReferencedBy, "referenced-by", "a reference"),
        _ISSUED,
        _MODIFIED,
        _any(DCT.provenance, "provenance", "a provenance statement"),
        _any(DCT.relation, "related", "a related resource"),
        _any(DCT.source, "source", "a source"),
        _any(DCT.type, "type", "a type"),
        _PAGE,
        _any(PROV.qualifiedAttribution, "attribution", "a qualified attribution"),
        _any(PROV.wasGeneratedBy, "activity", "an activity"),
    ),
)

SERIES = Shape(
    "DatasetSeries",
    (DCAT.DatasetSeries,),
    ("series", "series"),
    (
        _TITLE,
        _DESCRIPTION,
        _CONTACT,
        _SPATIAL,
        _PUBLISHER,
        _LEGISLATION,
        _one(DCT.accrualPeriodicity, "frequency", "an update frequency", table=_FREQUENCY),
        _ISSUED,
        _MODIFIED,
        _any(DCT.temporal, "period", "the period it covers"),
    ),
)

SERVICE = Shape(
    "DataService",
    (DCAT.DataService,),
    ("data service", "data services"),
    (
        Rule(DCAT.endpointURL, "endpoint-url", "the address of the service", "iri", _MUST),
        _TITLE,
        Rule(DCT.conformsTo, "standard", "the standard it follows", "iri", _SHOULD),
        _CONTACT,
        Rule(DCAT.endpointDescription, "endpoint-description", "a description of its interface", "iri", _SHOULD),
        _KEYWORD,
        _PUBLISHER,
        Rule(DCAT.servesDataset, "served-dataset", "the datasets it serves", "iri", _SHOULD),
        _THEME,
        _LEGISLATION,
        _one(DCT.accessRights, "access-rights", "an access right", table=_ACCESS),
        _any(DCT.description, "description", "a description", "text"),
        _any(DCT["format"], "format", "a format"),
        _one(DCT.license, "licence", "a licence"),
        _any(DCAT.landingPage, "landing-page", "a landing page"),
        _PAGE,
    ),
)

DISTRIBUTION = Shape(
    "Distribution",
    (DCAT.Distribution,),
    ("distribution", "distributions"),
    (
        Rule(DCAT.accessURL, "access-url", "an access address", "iri", _MUST),
        Rule(
            DCATAP.availability,
            "availability",
            "a planned availability",
            "iri",
            _SHOULD,
            several=False,
            table=_table("planned-availability"),
            tail=": how long it is meant to stay, such as STABLE or TEMPORARY",
        ),
        Rule(DCT.description, "distribution-description", "a description", "text", _SHOULD, tail=_IN_ONE),
        Rule(DCT["format"], "format", "a format", "iri", _SHOULD, several=False, table=_table("file-type")),
        Rule(DCT.license, "licence", "a licence", "iri", _SHOULD, several=False),
        _one(ADMS.status, "status", "a status", table=_table("distribution-status")),
        _any(DCAT.accessService, "access-service", "a data service"),
        _one(DCAT.byteSize, "size", "a size in bytes", "size"),
        _one(DCAT.compressFormat, "compression", "a compression format", table=_MEDIA),
        _any(DCAT.downloadURL, "download-url", "a download address"),
        _one(DCAT.mediaType, "media-type", "a media type", table=_MEDIA),
        _one(DCAT.packageFormat, "packaging", "a packaging format", table=_MEDIA),
        _one(DCAT.spatialResolutionInMeters, "spatial-resolution", "a spatial resolution", "decimal"),
        _one(DCAT.temporalResolution, "temporal-resolution", "a temporal resolution", "duration"),
        _LEGISLATION,
        _CONFORMS,
        _ISSUED,
        _MODIFIED,
        _LANGUAGE,
        _any(DCT.rights, "rights", "a rights statement"),
        _any(DCT.title, "distribution-title", "a title", "text"),
        _PAGE,
        _one(ODRL.hasPolicy, "policy", "a policy"),
        _one(SPDX.checksum, "checksum", "a checksum"),
    ),
)

_PARTS = (
    Shape(
        "Agent",
        (FOAF.Agent, FOAF.Organization, FOAF.Person, FOAF.Group, ORG.Organization),
        ("organisation", "organisations"),
        (
            Rule(FOAF.name, "publisher-name", "a name", "literal", _MUST),
            Rule(DCT.type, "publisher-type", "a type of publisher", "iri", _SHOULD, several=False),
        ),
    ),
    Shape(
        "Checksum",
        (SPDX.Checksum,),
        ("checksum", "checksums"),
        (
            Rule(SPDX.algorithm, "checksum-algorithm", "an algorithm", "iri", _MUST, several=False),
            Rule(SPDX.checksumValue, "checksum-value", "a checksum value", "hex", _MUST, several=False),
        ),
    ),
    Shape(
        "Relationship",
        (DCAT.Relationship,),
        ("relationship", "relationships"),
        (
            Rule(DCAT.hadRole, "relationship-role", "a role", "iri", _MUST),
            Rule(DCT.relation, "relationship-target", "the resource it relates to", "iri", _MUST),
        ),
    ),
    Shape(
        "Identifier",
        (ADMS.Identifier,),
        ("identifier", "identifiers"),
        (Rule(SKOS.notation, "identifier-notation", "a notation", "literal", _MUST, several=False),),
    ),
    Shape(
        "Concept",
        (SKOS.Concept,),
        ("concept", "concepts"),
        (Rule(SKOS.prefLabel, "concept-label", "a label", "literal", _MUST),),
    ),
    Shape(
        "PeriodOfTime",
        (DCT.PeriodOfTime,),
        ("period", "periods"),
        (
            Rule(DCAT.startDate, "period-start", "a start date", "moment", _SHOULD, several=False),
            Rule(DCAT.endDate, "period-end", "an end date", "moment", _SHOULD, several=False),
        ),
    ),
    Shape(
        "Location",
        (DCT.Location,),
        ("place", "places"),
        (
            Rule(DCAT.bbox, "place-box", "a bounding box", "literal", _SHOULD, several=False),
            Rule(DCAT.centroid, "place-centre", "a centre point", "literal", _SHOULD, several=False),
            _one(LOCN.geometry, "place-geometry", "a geometry", "literal"),
        ),
    ),
    Shape(
        "LicenceDocument",
        (DCT.LicenseDocument,),
        ("licence", "licences"),
        (Rule(DCT.type, "licence-type", "a type of licence", "iri", _SHOULD),),
    ),
)

SHAPES = (DATASET, SERIES, SERVICE, DISTRIBUTION, *_PARTS)

_HVD_CATEGORY = Rule(DCATAP.hvdCategory, "hvd-category", "a category of high-value data", "iri", _MUST)

# For what names the implementing regulation on high-value datasets as its legislation (DCAT-AP HVD 3.0.0), and, for
# distributions, what belongs to such a dataset.
HVD_SHAPES = (
    Shape(
        "HvdDataset",
        (DCAT.Dataset,),
        ("high-value dataset", "high-value datasets"),
        (_HVD_CATEGORY, Rule(DCAT.distribution, "hvd-distribution", "a distribution", "iri", _MUST)),
    ),
    Shape(
        "HvdDatasetSeries",
        (DCAT.DatasetSeries,),
        ("high-value series", "high-value series"),
        (_HVD_CATEGORY,),
    ),
    Shape(
        "HvdDataService",
        (DCAT.DataService,),
        ("high-value data service", "high-value data services"),
        (
            _HVD_CATEGORY,
            Rule(DCAT.contactPoint, "hvd-contact", "a contact point", "iri", _MUST),
            Rule(FOAF.page, "hvd-page", "a documentation page", "iri", _MUST),
        ),
    ),
)
HVD_DISTRIBUTION = Shape(
    "HvdDistribution",
    (DCAT.Distribution,),
    ("distribution of a high-value dataset", "distributions of a high-value dataset"),
    (Rule(DCATAP.applicableLegislation, "hvd-legislation", "the legislation it is published under", "iri", _MUST),),
)
