"""The parts of an AI register's entry that are things of their own: who, risks, assessments, models, data.

Risks are the chain of the AI Risk Ontology: a risk, its consequence, the impact of that, and what is done against it.
Development and operational data are apart, as in the United Kingdom's standard since version 4. Pure values.
"""

from dataclasses import replace

from node.vocab import lists
from node.vocab.kinds import ai_codes
from node.vocab.kinds.codes import words
from node.vocab.kinds.field import Field
from node.vocab.terms import AIACT, AIRO, CN, DCAT, DCT, DPV, DPV_AI, DQV, FOAF, SCHEMA, VCARD

SAID_IN_WORDS = "DPV and AIRO have classes of things for it; registers say it in a sentence."

NAME = Field(
    name="name",
    term=DCT.title,
    form="text",
    label=words("Name", "Nimi", "Namn"),
    hint=words("What it is called.", "Mikä sen nimi on.", "Vad det kallas."),
)
DESCRIPTION = Field(
    name="description",
    term=DCT.description,
    form="markdown",
    label=words("Description", "Kuvaus", "Beskrivning"),
    hint=words(
        "Say it so that a resident understands.", "Kerro asukkaalle ymmärrettävästi.", "Skriv så att invånare förstår."
    ),
)
PAGE = Field(
    name="page",
    term=FOAF.page,
    form="link",
    label=words("Page", "Sivu", "Sida"),
    hint=words("A page about it.", "Sivu siitä.", "En sida om det."),
)

DEPLOYER = Field(
    name="deployer",
    term=AIRO.isDeployedBy,
    form="group",
    cls=AIACT.AIDeployer,
    need="should",
    section="who",
    label=words("Used by", "Käyttäjä", "Används av"),
    hint=words(
        "The unit that uses it and the role that answers for it.",
        "Yksikkö, joka sitä käyttää, ja rooli, joka siitä vastaa.",
        "Enheten som använder det och rollen som svarar för det.",
    ),
    fields=(
        Field(
            name="unit",
            term=VCARD["organization-unit"],
            form="text",
            need="should",
            label=words("Unit", "Yksikkö", "Enhet"),
            hint=words(
                "The department, division or team that uses it.",
                "Osasto, yksikkö tai tiimi, joka sitä käyttää.",
                "Avdelningen, enheten eller teamet som använder det.",
            ),
            example={"en": "Parking services", "fi": "Pysäköintipalvelut"},
        ),
        Field(
            name="role",
            term=VCARD.role,
            form="text",
            need="should",
            label=words("Responsible role", "Vastuurooli", "Ansvarig roll"),
            hint=words(
                "The role that answers for it, not the name of a person.",
                "Rooli, joka siitä vastaa, ei henkilön nimi.",
                "Rollen som svarar för det, inte en persons namn.",
            ),
            example={"en": "Head of parking services"},
        ),
        Field(
            name="country",
            term=SCHEMA.addressCountry,
            form="code",
            codes=lists.COUNTRIES,
            need="should",
            label=words("Country", "Maa", "Land"),
            hint=words(
                "The country of the organisation: a code such as FIN.",
                "Organisaation maa: koodi, esimerkiksi FIN.",
                "Organisationens land: en kod, till exempel FIN.",
            ),
            example="FIN",
        ),
    ),
)

THIRD_PARTIES = Field(
    name="third_parties",
    term=AIRO.hasStakeholder,
    form="group",
    cls=DPV.ThirdParty,
    many=True,
    section="who",
    label=words("Suppliers and others", "Toimittajat ja muut", "Leverantörer och andra"),
    hint=words(
        "Who supplied, developed, runs or audited it.",
        "Kuka sen toimitti, kehitti, ylläpitää tai tarkasti.",
        "Vem som levererade, utvecklade, driver eller granskade det.",
    ),
    fields=(
        replace(NAME, term=FOAF.name, need="must", example={"en": "Example Software Ltd"}),
        Field(
            name="role",
            term=DCAT.hadRole,
            form="code",
            codes=ai_codes.PARTY_ROLES,
            label=words("Role", "Rooli", "Roll"),
            hint=words("What they are here.", "Mikä se tässä on.", "Vad de är här."),
            example="provider",
        ),
        replace(
            DESCRIPTION,
            hint=words("What they did or do.", "Mitä he tekivät tai tekevät.", "Vad de gjorde eller gör."),
        ),
        Field(
            name="registration",
            term=DCT.identifier,
            form="plain",
            label=words("Company number", "Y-tunnus", "Organisationsnummer"),
            hint=words(
                "Its number in a register of companies.",
                "Sen numero yritysrekisterissä.",
                "Dess nummer i ett företagsregister.",
            ),
        ),
        Field(
            name="procurement",
            term=CN.procurement,
            form="text",
            reason="The eProcurement Ontology describes notices and lots; registers name the procedure in words.",
            label=words("Procurement", "Hankinta", "Upphandling"),
            hint=words("How it was bought.", "Miten se hankittiin.", "Hur det upphandlades."),
        ),
        Field(
            name="data_access",
            term=CN.dataAccess,
            form="text",
            reason="dct:accessRights is about who may see the record, not about what a supplier may see of the data.",
            label=words("Access to data", "Pääsy tietoihin", "Tillgång till data"),
            hint=words(
                "Which data of the city they may see, and on what terms.",
                "Mitä kaupungin tietoja he näkevät ja millä ehdoin.",
                "Vilka av stadens data de får se, och på vilka villkor.",
            ),
        ),
    ),
)

LAWS = Field(
    name="laws",
    term=DPV.hasApplicableLaw,
    form="group",
    cls=DPV.Law,
    many=True,
    section="law",
    label=words("Laws and decisions", "Lait ja päätökset", "Lagar och beslut"),
    hint=words(
        "The laws and decisions that it rests on, each with a link.",
        "Lait ja päätökset, joihin se perustuu, linkkeineen.",
        "Lagarna och besluten som det vilar på, med länkar.",
    ),
    fields=(
        replace(NAME, need="must", example={"en": "Road Traffic Act", "fi": "Tieliikennelaki"}),
        replace(PAGE, example="https://www.finlex.fi/fi/laki/ajantasa/2018/20180729"),
    ),
)

_IMPACT = Field(
    name="impact",
    term=AIRO.hasImpact,
    form="group",
    cls=AIRO.Impact,
    label=words("Impact", "Vaikutus", "Påverkan"),
    hint=words("Whom it harms and how.", "Ketä se haittaa ja miten.", "Vem det skadar och hur."),
    fields=(replace(DESCRIPTION, need="must", example={"en": "A driver has to appeal a wrong fine."}),),
)
_CONSEQUENCE = Field(
    name="consequence",
    term=AIRO.hasConsequence,
    form="group",
    cls=AIRO.Consequence,
    label=words("Consequence", "Seuraus", "Konsekvens"),
    hint=words("What happens if it comes true.", "Mitä tapahtuu, jos se toteutuu.", "Vad som händer om den inträffar."),
    fields=(replace(DESCRIPTION, need="must", example={"en": "A fine is issued without cause."}), _IMPACT),
)
_MITIGATION = Field(
    name="mitigation",
    term=DPV.isMitigatedByMeasure,
    form="group",
    cls=AIRO.RiskControl,
    many=True,
    need="should",
    label=words("What is done against it", "Mitä sille tehdään", "Vad som görs mot den"),
    hint=words(
        "What makes it less likely or less severe.",
        "Mikä tekee siitä epätodennäköisemmän tai lievemmän.",
        "Vad som gör den mindre sannolik eller mindre allvarlig.",
    ),
    fields=(replace(DESCRIPTION, need="must", example={"en": "A person looks at every doubtful reading."}),),
)
RISKS = Field(
    name="risks",
    term=AIRO.hasRisk,
    form="group",
    cls=AIRO.Risk,
    many=True,
    need="should",
    section="law",
    label=words("Risks", "Riskit", "Risker"),
    hint=words(
        "What may go wrong, for whom, and what is done against it.",
        "Mikä voi mennä pieleen, kenelle, ja mitä sille tehdään.",
        "Vad som kan gå fel, för vem, och vad som görs mot det.",
    ),
    fields=(
        replace(NAME, example={"en": "Misread number plates"}),
        replace(DESCRIPTION, need="should", example={"en": "A dirty plate is read as another one."}),
        Field(
            name="likelihood",
            term=DPV.hasLikelihood,
            form="code",
            codes=ai_codes.LIKELIHOODS,
            label=ai_codes.LIKELIHOODS.label,
            hint=words("How likely it is.", "Miten todennäköinen se on.", "Hur sannolik den är."),
            example="low",
        ),
        Field(
            name="severity",
            term=DPV.hasSeverity,
            form="code",
            codes=ai_codes.SEVERITIES,
            label=ai_codes.SEVERITIES.label,
            hint=words("How bad it would be.", "Miten vakava se olisi.", "Hur allvarlig den vore."),
        ),
        _CONSEQUENCE,
        _MITIGATION,
    ),
)

ASSESSMENTS = Field(
    name="assessments",
    term=DPV.hasAssessment,
    form="group",
    cls=DPV.Assessment,
    many=True,
    need="should",
    section="law",
    label=words("Impact assessments", "Vaikutustenarvioinnit", "Konsekvensbedömningar"),
    hint=words(
        "Which assessments were made, when, and what they found.",
        "Mitkä arvioinnit tehtiin, milloin, ja mitä havaittiin.",
        "Vilka bedömningar som gjordes, när, och vad de visade.",
    ),
    fields=(
        replace(NAME, example={"en": "Data protection impact assessment"}),
        Field(
            name="type",
            term=DCT.type,
            form="code",
            codes=ai_codes.ASSESSMENTS,
            label=words("Type", "Tyyppi", "Typ"),
            hint=words("What was assessed.", "Mitä arvioitiin.", "Vad som bedömdes."),
            example="dpia",
        ),
        replace(
            DESCRIPTION,
            hint=words("What it found.", "Mitä siinä havaittiin.", "Vad den visade."),
            example={"en": "Plates are kept for two minutes only."},
        ),
        Field(
            name="date",
            term=DCT.date,
            form="date",
            label=words("Date", "Päivä", "Datum"),
            hint=words("When it was finished.", "Milloin se valmistui.", "När den blev klar."),
            example="2026-03",
        ),
        PAGE,
    ),
)

INPUT = Field(
    name="input",
    term=CN.input,
    form="markdown",
    reason=SAID_IN_WORDS,
    section="how",
    label=words("Input", "Syöte", "Indata"),
    hint=words("What goes in.", "Mitä siihen menee sisään.", "Vad som går in."),
    example={"en": "A picture of the kerb"},
)
OUTPUT = Field(
    name="output",
    term=CN.output,
    form="markdown",
    reason=SAID_IN_WORDS,
    section="how",
    label=words("Output", "Tuloste", "Utdata"),
    hint=words("What comes out, and who sees it.", "Mitä tulee ulos ja kuka sen näkee.", "Vad som kommer ut, för vem."),
    example={"en": "A plate number and how sure the reading is"},
)
ARCHITECTURE = Field(
    name="architecture",
    term=CN.architecture,
    form="markdown",
    reason="eu-aiact:SystemArchitectureDescription is a document of its own; registers say it in words or with a link.",
    section="how",
    label=words("Architecture", "Arkkitehtuuri", "Arkitektur"),
    hint=words("How it is built.", "Miten se on rakennettu.", "Hur det är byggt."),
)
PERFORMANCE = Field(
    name="performance",
    term=CN.performance,
    form="markdown",
    reason="DQV has measurements; registers also say in words how well it works and how that is known.",
    section="how",
    label=words("Performance", "Suorituskyky", "Prestanda"),
    hint=words(
        "How well it works, how that was measured, and for whom it works less well.",
        "Miten hyvin se toimii, miten se mitattiin ja kenen kohdalla heikommin.",
        "Hur väl det fungerar, hur det mättes, och för vem sämre.",
    ),
    example={"en": "It reads 98 of 100 plates; at night 95."},
)

MODELS = Field(
    name="models",
    term=DPV_AI.hasModel,
    form="group",
    cls=DPV_AI.Model,
    many=True,
    section="how",
    label=words("Models", "Mallit", "Modeller"),
    hint=words("The models that it is made of.", "Mallit, joista se koostuu.", "Modellerna som det består av."),
    fields=(
        replace(NAME, example={"en": "Plate reader"}),
        Field(
            name="version",
            term=DCAT.version,
            form="plain",
            label=words("Version", "Versio", "Version"),
            hint=words("Which version is in use.", "Mikä versio on käytössä.", "Vilken version som används."),
        ),
        replace(DESCRIPTION, label=words("Task", "Tehtävä", "Uppgift"), example={"en": "It reads number plates."}),
        replace(INPUT, section="", example=None),
        replace(OUTPUT, section="", example=None),
        replace(ARCHITECTURE, section=""),
        replace(PERFORMANCE, section="", example=None),
    ),
)

MEASUREMENTS = Field(
    name="measurements",
    term=DQV.hasQualityMeasurement,
    form="group",
    cls=DQV.QualityMeasurement,
    many=True,
    section="how",
    label=words("Measurements", "Mittaukset", "Mätningar"),
    hint=words("Performance in numbers.", "Suorituskyky lukuina.", "Prestanda i siffror."),
    fields=(
        replace(
            NAME,
            name="metric",
            need="must",
            label=words("Metric", "Mittari", "Mått"),
            hint=words(
                "What was measured, and for whom.", "Mitä mitattiin ja kenen osalta.", "Vad som mättes, och för vem."
            ),
            example={"en": "Plates read right, by day"},
        ),
        Field(
            name="value",
            term=DQV.value,
            form="number",
            need="must",
            label=words("Value", "Arvo", "Värde"),
            hint=words("The number.", "Luku.", "Talet."),
            example="98",
        ),
        Field(
            name="unit",
            term=SCHEMA.unitText,
            form="plain",
            label=words("Unit", "Yksikkö", "Enhet"),
            hint=words("Of what it is a number.", "Minkä luku se on.", "Vad talet anger."),
            example="%",
        ),
        Field(
            name="date",
            term=DCT.date,
            form="date",
            label=words("Date", "Päivä", "Datum"),
            hint=words("When it was measured.", "Milloin mitattiin.", "När det mättes."),
            example="2026-05",
        ),
    ),
)
