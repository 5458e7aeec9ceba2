"""The vocabularies we write and read, as closed namespaces: a term that does not exist fails where it is written.

`DCT.title` is the plain text `http://purl.org/dc/terms/title`; `DCT.titel` raises when the module that says so is
imported, so that no misspelt predicate ever reaches a payload. Names that Python cannot spell as attributes are
asked by key: `VCARD["street-address"]`, `ODRL["and"]`. Terms are those of DCAT 3, DCAT-AP 3.0.1 and what both lean
on, at their published versions; a source's unknown properties pass through elsewhere, as text. No I/O.
"""

import difflib
from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field


@dataclass(frozen=True, eq=False, repr=False)
class Namespace:
    """A closed set of terms under one IRI, which is `NS` itself; `terms` are local names separated by white space."""

    NS: str
    terms: InitVar[str]
    _iris: dict[str, str] = field(init=False)

    def __post_init__(self, terms: str) -> None:
        """Make every term an attribute, so that asking for one costs a single dictionary look-up."""
        iris = {name: self.NS + name for name in terms.split()}
        self.__dict__["_iris"] = iris
        self.__dict__.update(iris)

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._iris, 1)
        return f"<{self.NS}> has no term {name!r}" + (f"; did you mean {near[0]!r}?" if near else ".")

    def __getattr__(self, name: str) -> str:
        # Reached only for names that are not in __dict__. Python's own look-ups (copy, inspect) stay plain.
        raise AttributeError(name if name.startswith("_") else self._unknown(name))

    def __getitem__(self, name: str) -> str:
        try:
            return self._iris[name]
        except KeyError:
            raise KeyError(self._unknown(name)) from None

    def __contains__(self, iri: object) -> bool:
        """Tell whether a full IRI is a term of this namespace."""
        return isinstance(iri, str) and iri.startswith(self.NS) and iri[len(self.NS) :] in self._iris

    def __iter__(self) -> Iterator[str]:
        """Give the terms' full IRIs."""
        return iter(self._iris.values())


RDF = Namespace(
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "Alt Bag CompoundLiteral HTML JSON List PlainLiteral Property Seq Statement XMLLiteral direction dirLangString"
    " first langString language nil object predicate rest subject type value",
)
RDFS = Namespace(
    "http://www.w3.org/2000/01/rdf-schema#",
    "Class Container ContainerMembershipProperty Datatype Literal Resource comment domain isDefinedBy label member"
    " range seeAlso subClassOf subPropertyOf",
)
OWL = Namespace(
    "http://www.w3.org/2002/07/owl#",
    "Class DatatypeProperty NamedIndividual ObjectProperty Ontology Thing backwardCompatibleWith deprecated"
    " differentFrom equivalentClass equivalentProperty imports incompatibleWith inverseOf priorVersion sameAs"
    " versionIRI versionInfo",
)
XSD = Namespace(
    "http://www.w3.org/2001/XMLSchema#",
    "anySimpleType anyURI base64Binary boolean byte date dateTime dateTimeStamp dayTimeDuration decimal double duration"
    " float gDay gMonth gMonthDay gYear gYearMonth hexBinary int integer language long negativeInteger"
    " nonNegativeInteger nonPositiveInteger normalizedString positiveInteger short string time token unsignedByte"
    " unsignedInt unsignedLong unsignedShort yearMonthDuration",
)
DCAT = Namespace(
    "http://www.w3.org/ns/dcat#",
    "Catalog CatalogRecord DataService Dataset DatasetSeries Distribution Relationship Resource Role"
    " accessService accessURL bbox byteSize catalog centroid compressFormat contactPoint dataset distribution"
    " downloadURL endDate endpointDescription endpointURL first hadRole hasCurrentVersion hasVersion inCatalog inSeries"
    " isDistributionOf isVersionOf keyword landingPage last mediaType next nextVersion packageFormat prev"
    " previousVersion qualifiedRelation record resource seriesMember servesDataset service spatialResolutionInMeters"
    " startDate temporalResolution theme themeTaxonomy version",
)
DCATAP = Namespace(
    "http://data.europa.eu/r5r/",
    "applicableLegislation availability hvdCategory",
)
GEODCATAP = Namespace(
    "http://data.europa.eu/930/",
    "custodian distributor originator principalInvestigator processor referenceSystem resourceProvider resourceType"
    " serviceCategory serviceProtocolValue serviceType spatialResolutionAsAngularDistance spatialResolutionAsScale"
    " spatialResolutionAsVerticalDistance spatialResolutionAsText topicCategory user",
)
DCT = Namespace(
    "http://purl.org/dc/terms/",
    "Agent AgentClass BibliographicResource Box DCMIType DDC FileFormat Frequency IMT ISO3166 Jurisdiction LCC LCSH"
    " LicenseDocument LinguisticSystem Location LocationPeriodOrJurisdiction MESH MediaType MediaTypeOrExtent"
    " MethodOfAccrual MethodOfInstruction NLM Period PeriodOfTime PhysicalMedium PhysicalResource Point Policy"
    " ProvenanceStatement RFC1766 RFC3066 RFC4646 RFC5646 RightsStatement SizeOrDuration Standard TGN UDC URI W3CDTF"
    " abstract accessRights accrualMethod accrualPeriodicity accrualPolicy alternative audience available"
    " bibliographicCitation conformsTo contributor coverage created creator date dateAccepted dateCopyrighted"
    " dateSubmitted description educationLevel extent format hasFormat hasPart hasVersion identifier"
    " instructionalMethod isFormatOf isPartOf isReferencedBy isReplacedBy isRequiredBy isVersionOf issued language"
    " license mediator medium modified provenance publisher references relation replaces requires rights rightsHolder"
    " source spatial subject tableOfContents temporal title type valid",
)
DC = Namespace(
    "http://purl.org/dc/elements/1.1/",
    "contributor coverage creator date description format identifier language publisher relation rights source subject"
    " title type",
)
DCMITYPE = Namespace(
    "http://purl.org/dc/dcmitype/",
    "Collection Dataset Event Image InteractiveResource MovingImage PhysicalObject Service Software Sound StillImage"
    " Text",
)
FOAF = Namespace(
    "http://xmlns.com/foaf/0.1/",
    "Agent Document Group Image OnlineAccount Organization Person Project account accountName accountServiceHomepage"
    " based_near depiction depicts familyName firstName focus fundedBy givenName homepage img interest isPrimaryTopicOf"
    " knows lastName logo made maker mbox mbox_sha1sum member name nick openid page phone primaryTopic publications"
    " status surname thumbnail title topic weblog workInfoHomepage workplaceHomepage",
)
VCARD = Namespace(
    "http://www.w3.org/2006/vcard/ns#",
    "Address Cell Email Fax Group Home Individual Kind Location Name Organization Text Type Voice Work"
    " additional-name adr country-name email family-name fn given-name hasAddress hasCountryName hasEmail hasFN"
    " hasFamilyName hasGeo hasGivenName hasKey hasLocality hasLogo hasMember hasName hasNote hasOrganizationName"
    " hasOrganizationUnit hasPhoto hasPostalCode hasRegion hasRelated hasRole hasSource hasStreetAddress hasTelephone"
    " hasTitle hasUID hasURL hasValue honorific-prefix honorific-suffix label locality n nickname note org organization"
    " organization-name organization-unit post-office-box postal-code region role street-address tel title tz url"
    " value",
)
ADMS = Namespace(
    "http://www.w3.org/ns/adms#",
    "Asset AssetDistribution AssetRepository Identifier identifier includedAsset interoperabilityLevel last next prev"
    " representationTechnique sample schemaAgency status supportedSchema translation versionNotes",
)
LOCN = Namespace(
    "http://www.w3.org/ns/locn#",
    "Address Geometry addressArea addressId adminUnitL1 adminUnitL2 address fullAddress geographicName geometry"
    " location locatorDesignator locatorName poBox postCode postName thoroughfare",
)
SPDX = Namespace(
    "http://spdx.org/rdf/terms#",
    "Checksum ChecksumAlgorithm algorithm checksum checksumAlgorithm_adler32 checksumAlgorithm_blake2b256"
    " checksumAlgorithm_blake2b384 checksumAlgorithm_blake2b512 checksumAlgorithm_blake3 checksumAlgorithm_md2"
    " checksumAlgorithm_md4 checksumAlgorithm_md5 checksumAlgorithm_md6 checksumAlgorithm_sha1"
    " checksumAlgorithm_sha224 checksumAlgorithm_sha256 checksumAlgorithm_sha384 checksumAlgorithm_sha3_256"
    " checksumAlgorithm_sha3_384 checksumAlgorithm_sha3_512 checksumAlgorithm_sha512 checksumValue",
)
SKOS = Namespace(
    "http://www.w3.org/2004/02/skos/core#",
    "Collection Concept ConceptScheme OrderedCollection altLabel broadMatch broader broaderTransitive changeNote"
    " closeMatch definition editorialNote exactMatch example hasTopConcept hiddenLabel historyNote inScheme"
    " mappingRelation member memberList narrowMatch narrower narrowerTransitive notation note prefLabel related"
    " relatedMatch scopeNote semanticRelation topConceptOf",
)
PROV = Namespace(
    "http://www.w3.org/ns/prov#",
    "Activity Agent Association Attribution Bundle Collection Delegation Derivation Entity Generation Influence"
    " Invalidation Location Organization Person Plan PrimarySource Quotation Revision Role SoftwareAgent Usage"
    " actedOnBehalfOf activity agent alternateOf atLocation atTime endedAtTime entity generated generatedAtTime"
    " hadActivity hadGeneration hadMember hadPlan hadPrimarySource hadRole hadUsage influenced invalidatedAtTime"
    " qualifiedAssociation qualifiedAttribution qualifiedDerivation qualifiedGeneration qualifiedUsage specializationOf"
    " startedAtTime used value wasAssociatedWith wasAttributedTo wasDerivedFrom wasGeneratedBy wasInfluencedBy"
    " wasInformedBy wasInvalidatedBy wasQuotedFrom wasRevisionOf",
)
ODRL = Namespace(
    "http://www.w3.org/ns/odrl/2/",
    "Action Agreement All Assertion Asset AssetCollection ConflictTerm Constraint Duty Group Individual LeftOperand"
    " LogicalConstraint Offer Operator Party PartyCollection Permission Policy Privacy Prohibition Request RightOperand"
    " Rule Set Ticket UndefinedTerm absolutePosition absoluteSize acceptTracking action aggregate and andSequence"
    " annotate anonymize archive assignee assigneeOf assigner assignerOf attribute attributedParty compensate"
    " compensatedParty concurrentUse conflict consentedParty consentingParty consequence constraint contractedParty"
    " contractingParty core count dataType dateTime delayPeriod delete deliveryChannel derive digitize display"
    " distribute duty elapsedTime ensureExclusivity eq event execute extract failure fileFormat function give grantUse"
    " gt gteq hasPart hasPolicy ignore implies include includedIn index industry inform informedParty informingParty"
    " inheritAllowed inheritFrom inheritRelation install invalid isA isAllOf isAnyOf isNoneOf isPartOf language"
    " leftOperand lt lteq media meteredTime modify move neq nextPolicy obligation obtainConsent operand or output"
    " partOf payAmount perm percentage permission play policyUsage present print product profile prohibit prohibition"
    " purpose read recipient refinement relation remedy reproduce resolution reviewPolicy rightOperand"
    " rightOperandReference scope sell source spatial spatialCoordinates status stream support synchronize system"
    " systemDevice target textToSpeech timeInterval timedCount trackedParty trackingParty transfer transform translate"
    " uid undefined uninstall unit unitOfCount use version virtualLocation watermark xone",
)
CC = Namespace(
    "http://creativecommons.org/ns#",
    "License attributionName attributionURL deprecatedOn jurisdiction legalcode license morePermissions permits"
    " prohibits requires",
)
SCHEMA = Namespace(
    "https://schema.org/",
    "AdministrativeArea Answer City CreativeWork DataCatalog DataDownload DataFeed Dataset DefinedTerm DefinedTermSet"
    " Event GeoCoordinates GeoShape GovernmentOrganization GovernmentService HowTo MediaObject MonetaryAmount"
    " Observation Organization Person Place PropertyValue Question Review SoftwareApplication SoftwareSourceCode"
    " WebAPI WebPage WebSite about abstract additionalProperty addressCountry addressLocality alternateName"
    " applicationCategory areaServed audience author award box citation codeRepository comment contactPoint"
    " contentSize contentUrl contributor copyrightHolder creativeWorkStatus creator currency dataFeedElement dataset"
    " datasetTimeInterval dateCreated dateModified datePublished description distribution documentation elevation"
    " email encodingFormat endDate endTime estimatedCost funder funding genre geo hasPart identifier image"
    " inDefinedTermSet inLanguage includedInDataCatalog isAccessibleForFree isBasedOn isPartOf isRelatedTo"
    " itemListElement keywords lastReviewed latitude license line logo longitude mainEntity mainEntityOfPage"
    " maintainer maxValue measurementMethod measurementTechnique minValue name numberOfItems observationDate"
    " parentItem polygon potentialAction provider publisher query-input result reviewedBy sameAs schemaVersion"
    " serviceOutput serviceType sha256 sourceOrganization spatial spatialCoverage startDate startTime status subEvent"
    " subjectOf target telephone temporal temporalCoverage termCode termsOfService text unitCode unitText url usageInfo"
    " value valueReference variableMeasured version",
)
HYDRA = Namespace(
    "http://www.w3.org/ns/hydra/core#",
    "ApiDocumentation Class Collection IriTemplate IriTemplateMapping Link Operation PagedCollection"
    " PartialCollectionView Resource TemplatedLink apiDocumentation class collection description entrypoint first"
    " firstPage freetextQuery itemsPerPage last lastPage limit mapping member method next nextPage offset operation"
    " pageIndex pageReference pageSize previous previousPage property required search template title totalItems"
    " variable variableRepresentation view",
)
TREE = Namespace(
    "https://w3id.org/tree#",
    "Collection EqualToRelation GreaterThanOrEqualToRelation GreaterThanRelation LessThanOrEqualToRelation"
    " LessThanRelation Node PrefixRelation Relation RootNode SearchForm ViewDescription conditionalImport"
    " importStream member node path relation remainingItems search shape value view viewDescription",
)
# ActivityStreams 2.0, as far as feeds of descriptions use it.
AS = Namespace(
    "https://www.w3.org/ns/activitystreams#",
    "Activity Create Delete Update actor name object published summary updated",
)
LDES = Namespace(
    "https://w3id.org/ldes#",
    "DurationAgoPolicy EventSource EventStream LatestVersionSubset PointInTimePolicy RetentionPolicy amount"
    " createPath deletePath deleteObject immutable pollingInterval retentionPolicy sequencePath"
    " timestampPath transactionFinalizedPath transactionPath updatePath versionCreateObject versionDeleteObject"
    " versionKey versionMaterializationOf versionOfPath versionTimestampPath versionUpdateObject",
)
VOID = Namespace(
    "http://rdfs.org/ns/void#",
    "Dataset DatasetDescription Linkset TechnicalFeature class classPartition classes dataDump distinctObjects"
    " distinctSubjects documents entities exampleResource feature inDataset linkPredicate objectsTarget"
    " openSearchDescription properties property propertyPartition rootResource sparqlEndpoint subjectsTarget subset"
    " target triples uriLookupEndpoint uriRegexPattern uriSpace vocabulary",
)
SD = Namespace(
    "http://www.w3.org/ns/sparql-service-description#",
    "Dataset EntailmentRegime Feature Function Graph GraphCollection Language NamedGraph Service SPARQL10Query"
    " SPARQL11Query SPARQL11Update UnionDefaultGraph BasicFederatedQuery EmptyGraphs availableGraphs defaultDataset"
    " defaultGraph endpoint feature graph inputFormat name namedGraph resultFormat supportedLanguage url",
)
SH = Namespace(
    "http://www.w3.org/ns/shacl#",
    "BlankNode BlankNodeOrIRI BlankNodeOrLiteral IRI IRIOrLiteral Info Literal NodeShape PropertyShape Shape"
    " ValidationReport ValidationResult Violation Warning alternativePath and class closed conforms datatype"
    " deactivated description equals flags focusNode hasValue in inversePath languageIn lessThan maxCount maxInclusive"
    " maxLength message minCount minInclusive minLength name node nodeKind not oneOrMorePath or order path pattern"
    " property qualifiedMinCount qualifiedValueShape result resultMessage resultPath resultSeverity severity"
    " sourceConstraintComponent sourceShape sparql targetClass targetNode targetObjectsOf targetSubjectsOf uniqueLang"
    " value xone zeroOrMorePath zeroOrOnePath",
)
DQV = Namespace(
    "http://www.w3.org/ns/dqv#",
    "Category Dimension Metric QualityAnnotation QualityCertificate QualityMeasurement QualityMeasurementDataset"
    " QualityMetadata QualityPolicy UserQualityFeedback computedOn expectedDataType hasQualityAnnotation"
    " hasQualityMeasurement hasQualityMetadata inCategory inDimension isMeasurementOf value",
)
ORG = Namespace(
    "http://www.w3.org/ns/org#",
    "FormalOrganization Organization OrganizationalUnit classification hasSubOrganization hasUnit identifier linkedTo"
    " memberOf subOrganizationOf unitOf",
)
TIME = Namespace(
    "http://www.w3.org/2006/time#",
    "DurationDescription Instant Interval ProperInterval days hasBeginning hasDuration hasEnd hours inXSDDate"
    " inXSDDateTime inXSDDateTimeStamp inXSDgYear inXSDgYearMonth minutes months seconds weeks years",
)
GEO = Namespace(
    "http://www.opengis.net/ont/geosparql#",
    "Feature Geometry SpatialObject asGML asGeoJSON asWKT defaultGeometry dggsLiteral geoJSONLiteral gmlLiteral"
    " hasBoundingBox hasCentroid hasGeometry kmlLiteral sfContains sfIntersects sfWithin wktLiteral",
)
WGS84 = Namespace("http://www.w3.org/2003/01/geo/wgs84_pos#", "Point SpatialThing alt lat lat_long location long")
CNT = Namespace("http://www.w3.org/2011/content#", "ContentAsText characterEncoding chars")
ELI = Namespace("http://data.europa.eu/eli/ontology#", "LegalResource date_publication id_local title type_document")
# The Data Privacy Vocabulary 2.3, as far as records say what personal data is in them or handled by them.
DPV = Namespace(
    "https://w3id.org/dpv#",
    "AnonymisedData Assessment AssistiveAutomation Audit AutomationLevel ConditionalAutomation DPIA FRIA FullAutomation"
    " HighAutomation HumanInvolvement Impact ImpactAssessment Law LegalBasis NonPersonalData PartialAutomation"
    " PersonalData PseudonymisedData Purpose RightsImpactAssessment RiskAssessment RiskMitigationMeasure"
    " SecurityAssessment SensitivePersonalData SpecialCategoryPersonalData ThirdParty hasApplicableLaw hasAssessment"
    " hasAutomationLevel hasDataSource hasHumanInvolvement hasImpact hasJustification hasLegalBasis hasLikelihood"
    " hasNotice hasPersonalData hasPurpose hasResponsibleEntity hasRiskLevel hasScale hasSeverity isMitigatedByMeasure",
)
# Three extensions of it: AI, the EU's AI Act, and levels of risk.
DPV_AI = Namespace(
    "https://w3id.org/dpv/ai#",
    "AISystem AutomaticSummarisation BiometricIdentification ChatbotCapability ContentGeneration DesignStage"
    " DevelopmentStage FaceRecognition ImageRecognition InceptionStage InformationRetrieval MachineLearning"
    " MachineTranslation Model MotionAnalysis ObjectDetection OperationStage PatternRecognition Profiling"
    " QuestionAnswering ReevaluationStage RetirementStage RoboticProcessAutomation RuleBasedTechnique"
    " SpeechRecognition TestingData TextClassification TrainingData ValidationData hasCapability hasData hasModel"
    " hasTechnique hasTrainingData",
)
AIACT = Namespace(
    "https://w3id.org/dpv/legal/eu/aiact#",
    "AIDeployer AIDistributor AIImporter AIProvider RiskLevel RiskLevelHigh RiskLevelMinimal RiskLevelNotHigh"
    " RiskLevelProhibited RiskLevelTransparencyRequired hasRiskLevel",
)
DPV_RISK = Namespace(
    "https://w3id.org/dpv/risk#",
    "HighLikelihood HighSeverity LowLikelihood LowSeverity ModerateLikelihood ModerateSeverity",
)
# The AI Risk Ontology 1.0: from a risk to its consequence and its impact, and what controls it.
AIRO = Namespace(
    "https://w3id.org/airo#",
    "AIDeployer AIDeveloper AIOperator AIProvider AISystem Consequence Impact Risk RiskControl hasConsequence hasImpact"
    " hasRisk hasStakeholder isAppliedWithinDomain isDeployedBy",
)
# The Citation Typing Ontology, as far as practices cite what was measured.
CITO = Namespace("http://purl.org/spar/cito/", "citesAsEvidence")
CN = Namespace(
    "https://w3id.org/citynode/ns#",
    "Adoption AiSystem Challenge CityModel Column ColumnHere ComparableSet Practice Reuse Statement about adaptation"
    " agreement before column contact context costBand covers criteria effort eligibility evidenceLevel failure feed"
    " here legalBasis lesson match maturity name note offer prerequisites prize problem procurementRoute proof public"
    " reason record replicationGuide review state statement template text"
    # City models.
    " levelOfDetail lowerCorner materialCount modelExtension modelNote objectCount objectsOfType textureCount"
    " upperCorner"
    # AI systems.
    " accessAndStorage alternativesConsidered architecture benefit cleaning collectionProcess dataAccess dataBias input"
    " maintenance method modality monitoring objection output performance previousProcess procurement"
    " representativeness reviewReason rollback sensitiveAttributes sharingAgreements staffTraining useType"
    " usedInProcess withheld",
)

PREFIXES: dict[str, str] = {
    "adms": ADMS.NS,
    "ai": DPV_AI.NS,
    "aiact": AIACT.NS,
    "airo": AIRO.NS,
    "as": AS.NS,
    "cc": CC.NS,
    "cito": CITO.NS,
    "cn": CN.NS,
    "cnt": CNT.NS,
    "dc": DC.NS,
    "dcat": DCAT.NS,
    "dcatap": DCATAP.NS,
    "dcmitype": DCMITYPE.NS,
    "dct": DCT.NS,
    "dpv": DPV.NS,
    "dpv-risk": DPV_RISK.NS,
    "dqv": DQV.NS,
    "eli": ELI.NS,
    "foaf": FOAF.NS,
    "geo": GEO.NS,
    "geodcatap": GEODCATAP.NS,
    "hydra": HYDRA.NS,
    "ldes": LDES.NS,
    "locn": LOCN.NS,
    "odrl": ODRL.NS,
    "org": ORG.NS,
    "owl": OWL.NS,
    "prov": PROV.NS,
    "rdf": RDF.NS,
    "rdfs": RDFS.NS,
    "schema": SCHEMA.NS,
    "sd": SD.NS,
    "sh": SH.NS,
    "skos": SKOS.NS,
    "spdx": SPDX.NS,
    "time": TIME.NS,
    "tree": TREE.NS,
    "vcard": VCARD.NS,
    "void": VOID.NS,
    "wgs84": WGS84.NS,
    "xsd": XSD.NS,
}
