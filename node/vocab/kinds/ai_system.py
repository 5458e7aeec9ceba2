"""AI systems: the entry of an AI register, as a table of fields.

It has all that the Algorithmic Transparency Standard 0.3.1 asks for (its 29 required attributes are `must` or `should`
here) and what the United Kingdom's ATRS 4 and the Dutch publication standard 1.0 add. Said with DPV 2.3, its extensions
for AI and the EU's AI Act, and AIRO for risks; texts stand where these vocabularies have things. The risk class of the
AI Act may be left out: not every city is in the EU. Pure values.
"""

from dataclasses import replace

from node.vocab.kinds import ai_codes
from node.vocab.kinds.ai_groups import ASSESSMENTS, DEPLOYER, LAWS, RISKS, THIRD_PARTIES
from node.vocab.kinds.ai_working import DATA, HOW
from node.vocab.kinds.codes import words
from node.vocab.kinds.common import CONTACT, HEAD, RECORD, SUMMARY, TAIL, TITLE
from node.vocab.kinds.field import Field, KindTable
from node.vocab.terms import ADMS, AIACT, AIRO, CN, DCAT, DCT, DPV, DPV_AI, SCHEMA, SKOS

_OWN_HEAD = {
    "title": replace(TITLE, example={"en": "Parking control", "fi": "Pysäköinninvalvonta"}),
    "summary": replace(
        SUMMARY, example={"en": "Reads number plates at the kerb.", "fi": "Lukee rekisterikilpiä kadun varrella."}
    ),
}

_WHO: tuple[Field, ...] = (
    Field(
        name="status",
        term=ADMS.status,
        form="code",
        codes=ai_codes.STAGES,
        need="should",
        short=True,
        section="who",
        label=ai_codes.STAGES.label,
        hint=words("How far it is.", "Missä vaiheessa se on.", "Hur långt det har kommit."),
        example="operational",
    ),
    Field(
        name="version",
        term=DCAT.version,
        form="plain",
        section="who",
        label=words("Version", "Versio", "Version"),
        hint=words("The version in use.", "Käytössä oleva versio.", "Versionen som används."),
    ),
    Field(
        name="begin",
        term=SCHEMA.startDate,
        form="date",
        section="who",
        label=words("In use since", "Käytössä alkaen", "I bruk sedan"),
        hint=words("When it came into use.", "Milloin se otettiin käyttöön.", "När det togs i bruk."),
        example="2024-09",
    ),
    Field(
        name="end",
        term=SCHEMA.endDate,
        form="date",
        section="who",
        label=words("In use until", "Käytössä päättyen", "I bruk till"),
        hint=words("When it went out of use.", "Milloin se poistui käytöstä.", "När det togs ur bruk."),
    ),
    Field(
        name="identifier",
        term=DCT.identifier,
        form="plain",
        many=True,
        section="record",
        label=words("Identifier", "Tunniste", "Identifierare"),
        hint=words(
            "What other registers call it.",
            "Mikä sen tunnus on muissa rekistereissä.",
            "Vad andra register kallar det.",
        ),
    ),
    Field(
        name="significance",
        term=DCT.type,
        form="code",
        codes=ai_codes.SIGNIFICANCES,
        section="law",
        label=ai_codes.SIGNIFICANCES.label,
        hint=words(
            "Why it stands in a register, also where it is no AI.",
            "Miksi se on rekisterissä, vaikka se ei olisi tekoälyä.",
            "Varför det står i ett register, även om det inte är AI.",
        ),
    ),
    DEPLOYER,
    THIRD_PARTIES,
)

_WHY: tuple[Field, ...] = (
    Field(
        name="purpose",
        term=DPV.hasPurpose,
        form="markdown",
        need="should",
        short=True,
        section="why",
        label=words("Purpose", "Tarkoitus", "Syfte"),
        hint=words(
            "What it is for, and how it helps to get there.",
            "Mihin sitä käytetään ja miten se auttaa siinä.",
            "Vad det är till för, och hur det hjälper.",
        ),
        example={
            "en": "To find cars that stand at the kerb without having paid, so that space is free for those who have.",
            "fi": "Löytää autot, joiden pysäköintiä ei ole maksettu, jotta tilaa jää muille.",
        },
    ),
    Field(
        name="process",
        term=CN.usedInProcess,
        form="markdown",
        need="should",
        section="why",
        reason="DPV and AIRO have purpose and domain, not the procedure of an office that the output enters.",
        label=words("Process that it serves", "Prosessi, jota se palvelee", "Process som det tjänar"),
        hint=words(
            "The procedure or decision that it is part of, with its rules.",
            "Menettely tai päätös, jonka osa se on, sääntöineen.",
            "Förfarandet eller beslutet som det ingår i, med dess regler.",
        ),
        example={"en": "Parking fines: a warden decides on each."},
    ),
    Field(
        name="domain",
        term=AIRO.isAppliedWithinDomain,
        form="code",
        codes=ai_codes.DOMAINS,
        many=True,
        need="should",
        short=True,
        section="why",
        label=ai_codes.DOMAINS.label,
        hint=words("In which field of work.", "Millä toimialalla.", "Inom vilket område."),
        example=["transport"],
    ),
    Field(
        name="area",
        term=DCT.coverage,
        form="text",
        need="should",
        section="why",
        label=words("Area", "Alue", "Område"),
        hint=words("Where it is used.", "Missä sitä käytetään.", "Var det används."),
        example={"en": "Inner city"},
    ),
    Field(
        name="scale",
        term=DPV.hasScale,
        form="text",
        section="why",
        label=words("Frequency and scale", "Käytön määrä", "Omfattning"),
        hint=words(
            "How often it is used, and for how many people.",
            "Kuinka usein ja kuinka monen ihmisen kohdalla.",
            "Hur ofta det används, och för hur många.",
        ),
    ),
    Field(
        name="benefits",
        term=CN.benefit,
        form="markdown",
        section="why",
        reason="AIRO and DPV describe harm; no vocabulary that we use has a property for the good that is expected.",
        label=words("Benefits", "Hyödyt", "Nytta"),
        hint=words("What it is expected to improve.", "Mitä sen odotetaan parantavan.", "Vad det väntas förbättra."),
    ),
    Field(
        name="previous_process",
        term=CN.previousProcess,
        form="markdown",
        section="why",
        reason="dct:replaces points to a resource; registers say in words how it was done before.",
        label=words("How it was done before", "Miten se tehtiin aiemmin", "Hur det gjordes förut"),
        hint=words("The process without it.", "Prosessi ilman sitä.", "Processen utan det."),
    ),
    Field(
        name="alternatives",
        term=CN.alternativesConsidered,
        form="markdown",
        section="why",
        reason="No vocabulary that we use has a property for what was considered and not chosen.",
        label=words("Alternatives", "Vaihtoehdot", "Alternativ"),
        hint=words(
            "What else was considered, and why it was not chosen.",
            "Mitä muuta harkittiin ja miksi sitä ei valittu.",
            "Vad annat som övervägdes, och varför det valdes bort.",
        ),
    ),
    Field(
        name="proportionality",
        term=DPV.hasJustification,
        form="markdown",
        need="should",
        section="why",
        label=words("Proportionality", "Oikeasuhtaisuus", "Proportionalitet"),
        hint=words(
            "Why its benefits outweigh the harm that it may do.",
            "Miksi hyödyt ovat haittoja suuremmat.",
            "Varför nyttan väger tyngre än skadan.",
        ),
        example={"en": "Pictures are deleted after two minutes; wardens would read the same plates."},
    ),
)

_LAW: tuple[Field, ...] = (
    Field(
        name="legal_basis",
        term=DPV.hasLegalBasis,
        form="markdown",
        need="should",
        section="law",
        label=words("Legal basis", "Oikeusperuste", "Rättslig grund"),
        hint=words(
            "The law or decision that allows its use.",
            "Laki tai päätös, joka sallii sen käytön.",
            "Lagen eller beslutet som tillåter det.",
        ),
        example={"en": "Act on parking control, section 4"},
    ),
    LAWS,
    Field(
        name="risk_level",
        term=AIACT.hasRiskLevel,
        form="code",
        codes=ai_codes.RISK_LEVELS,
        short=True,
        section="law",
        label=ai_codes.RISK_LEVELS.label,
        hint=words(
            "Its class under the EU's AI Act; leave it out where that is no law.",
            "Sen luokka EU:n tekoälyasetuksessa; jätä pois, jos asetus ei ole voimassa.",
            "Dess klass enligt EU:s AI-förordning; utelämna den där den inte gäller.",
        ),
        example="not-high",
    ),
    Field(
        name="impact",
        term=DPV.hasImpact,
        form="markdown",
        need="should",
        short=True,
        section="law",
        label=words("Impact on people", "Vaikutus ihmisiin", "Påverkan på människor"),
        hint=words(
            "Who meets its effects, when, and what follows for them.",
            "Kuka kohtaa sen vaikutukset, milloin ja mitä siitä seuraa.",
            "Vem som möter dess verkningar, när, och vad som följer.",
        ),
        example={"en": "A driver may get a fine after a warden has looked at the picture."},
    ),
    RISKS,
    ASSESSMENTS,
)

_OVERSIGHT: tuple[Field, ...] = (
    Field(
        name="human_oversight",
        term=DPV.hasHumanInvolvement,
        form="markdown",
        need="should",
        short=True,
        section="oversight",
        label=words("Human oversight", "Ihmisen valvonta", "Mänsklig kontroll"),
        hint=words(
            "Who looks at its results, and who may change them.",
            "Kuka katsoo sen tulokset ja kuka voi muuttaa niitä.",
            "Vem som ser dess resultat, och vem som får ändra dem.",
        ),
        example={"en": "A warden looks at every picture before a fine is written."},
    ),
    Field(
        name="monitoring",
        term=CN.monitoring,
        form="markdown",
        need="should",
        section="oversight",
        reason="eu-aiact has monitoring plans as documents; registers say in words what is watched and how often.",
        label=words("Monitoring", "Seuranta", "Uppföljning"),
        hint=words(
            "What is watched while it is in use, and how often.",
            "Mitä käytön aikana seurataan ja kuinka usein.",
            "Vad som följs upp under bruk, och hur ofta.",
        ),
        example={"en": "Wrong readings are counted every month."},
    ),
    Field(
        name="objection",
        term=CN.objection,
        form="markdown",
        need="should",
        short=True,
        section="oversight",
        reason="dpv:hasRight names rights; this is the way to object, in words that a resident can follow.",
        label=words("How to object", "Miten voi vastustaa", "Hur man invänder"),
        hint=words(
            "How somebody objects to its use or to its result.",
            "Miten sen käyttöä tai tulosta voi vastustaa.",
            "Hur man invänder mot dess bruk eller resultat.",
        ),
        example={"en": "Write to the parking office within 60 days."},
    ),
    replace(
        CONTACT,
        name="objection_contact",
        term=SCHEMA.contactPoint,
        need="may",
        short=False,
        section="oversight",
        label=words("Where to object", "Minne vastustus tehdään", "Vart man invänder"),
        hint=words(
            "The team that takes objections, if it is another than the contact.",
            "Tiimi, joka ottaa vastustukset, jos se on muu kuin yhteystieto.",
            "Teamet som tar emot invändningar, om det är ett annat än kontakten.",
        ),
    ),
    Field(
        name="rollback",
        term=CN.rollback,
        form="markdown",
        section="oversight",
        reason="No vocabulary that we use has a property for whether effects can be undone.",
        label=words("Undoing", "Peruuttaminen", "Återställning"),
        hint=words(
            "Whether its effects can be undone, and how.",
            "Voiko sen vaikutukset perua ja miten.",
            "Om dess verkningar kan göras ogjorda, och hur.",
        ),
    ),
    Field(
        name="training",
        term=CN.staffTraining,
        form="markdown",
        section="oversight",
        reason="eu-aiact:AILiteracy is a measure as a thing; registers say in words what staff are taught.",
        label=words("Training of staff", "Henkilöstön koulutus", "Personalens utbildning"),
        hint=words(
            "What those who use it are taught.", "Mitä käyttäjille opetetaan.", "Vad de som använder det lär sig."
        ),
    ),
)

_REGISTER: tuple[Field, ...] = (
    Field(
        name="withheld",
        term=CN.withheld,
        form="text",
        section="record",
        reason="No vocabulary that we use has a property for why a description leaves something out.",
        label=words("Left out on purpose", "Tarkoituksella pois jätetty", "Utelämnat med avsikt"),
        hint=words(
            "What is not said here, and why.", "Mitä tässä ei kerrota ja miksi.", "Vad som inte sägs här, och varför."
        ),
    ),
    Field(
        name="remark",
        term=SKOS.note,
        form="markdown",
        section="record",
        label=words("Remark", "Huomautus", "Anmärkning"),
        hint=words("Anything else.", "Jotain muuta.", "Något annat."),
    ),
    Field(
        name="review_reason",
        term=CN.reviewReason,
        form="text",
        section="record",
        reason="dct:valid is the date alone; registers also say why the entry is looked at again then.",
        label=words("Why it is reviewed", "Miksi tarkistetaan", "Varför den ses över"),
        hint=words(
            "Why it is looked at then, such as the end of a pilot.",
            "Miksi se tarkistetaan silloin, esimerkiksi pilotin loppu.",
            "Varför den ses över då, till exempel pilotens slut.",
        ),
    ),
)

TABLE = KindTable(
    kind="ai-system",
    cls=CN.AiSystem,
    more_classes=(DPV_AI.AISystem, AIRO.AISystem),
    reason="The classes of DPV and AIRO are systems; ours is a register's entry that a city answers for and reviews.",
    title=words("AI system", "Tekoälyjärjestelmä", "AI-system"),
    plural=words("AI systems", "Tekoälyjärjestelmät", "AI-system"),
    about=words(
        "The entry of an AI register: what an algorithm is for, what it rests on, who answers for it, how to object.",
        "Tekoälyrekisterin kuvaus: mihin algoritmia käytetään, mihin se perustuu, kuka siitä vastaa, miten vastustaa.",
        "En post i ett AI-register: vad en algoritm är till för, vad den vilar på, vem som svarar, hur man invänder.",
    ),
    command="ai-register",
    collection="ai-register",
    sections={
        "why": words("Why", "Miksi", "Varför"),
        "who": words("Who", "Kuka", "Vem"),
        "how": words("How it works", "Miten se toimii", "Hur det fungerar"),
        "data": words("Data", "Tiedot", "Data"),
        "law": words("Law and risks", "Laki ja riskit", "Lag och risker"),
        "oversight": words("Oversight", "Valvonta", "Tillsyn"),
        "record": RECORD,
    },
    fields=(
        *(_OWN_HEAD.get(each.name, each) for each in HEAD),
        *_WHO,
        *_WHY,
        *_LAW,
        *HOW,
        *DATA,
        *_OVERSIGHT,
        *_REGISTER,
        *TAIL,
    ),
)
