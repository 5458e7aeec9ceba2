"""The closed lists of AI registers: stages, domains, types and uses, risk, assessments, roles.

The lists are those of the Algorithmic Transparency Standard 0.3.1 (nine cities of Eurocities), so that what such a
register says fits without loss; IRIs are those of the Data Privacy Vocabulary and its extensions where they mean the
same, and ours elsewhere. Codes stand in files and records for good. Pure values.
"""

from node.vocab.kinds.codes import words
from node.vocab.kinds.field import Code, Codes
from node.vocab.terms import AIACT, DPV, DPV_AI, DPV_RISK


def _code(code: str, en: str, fi: str, sv: str, iri: str = "") -> Code:
    return Code(code, words(en, fi, sv), iri)


STAGES = Codes(
    "ai-stage",
    words("Stage", "Vaihe", "Skede"),
    (
        _code("planned", "Planned", "Suunnitteilla", "Planerat", DPV_AI.InceptionStage),
        _code("design", "Being designed", "Määrittelyssä", "Utformas", DPV_AI.DesignStage),
        _code("development", "Being developed", "Kehitteillä", "Utvecklas", DPV_AI.DevelopmentStage),
        _code("pilot", "Pilot", "Kokeilussa", "Pilot"),
        _code("evaluation", "Being evaluated", "Arvioitavana", "Utvärderas", DPV_AI.ReevaluationStage),
        _code("operational", "In use", "Käytössä", "I bruk", DPV_AI.OperationStage),
        _code("retired", "No longer used", "Poistettu käytöstä", "Ur bruk", DPV_AI.RetirementStage),
    ),
)

DOMAINS = Codes(
    "domain",
    words("Domain", "Toimiala", "Område"),
    (
        _code("taxes", "Taxes", "Verotus", "Skatter"),
        _code("housing", "Housing and living environment", "Asuminen ja elinympäristö", "Boende och livsmiljö"),
        _code("culture", "Culture, sports and leisure", "Kulttuuri, liikunta ja vapaa-aika", "Kultur, idrott, fritid"),
        _code("defence", "Defence", "Puolustus", "Försvar"),
        _code("economy", "Economy and business", "Talous ja yrittäjyys", "Ekonomi och företagande"),
        _code("family", "Families and young people", "Perheet ja nuoret", "Familjer och unga"),
        _code("finance", "Finance", "Rahoitus", "Finanser"),
        _code("generic", "Generic", "Yleinen", "Allmänt"),
        _code("health", "Health and care", "Terveys ja hoito", "Hälsa och vård"),
        _code("immigration", "Immigration and integration", "Maahanmuutto ja kotoutuminen", "Invandring, integration"),
        _code("international", "International cooperation", "Kansainvälinen yhteistyö", "Internationellt samarbete"),
        _code("agriculture", "Agriculture, nature and food", "Maatalous, luonto, ruoka", "Jordbruk, natur, mat"),
        _code("environment", "Environment, space and water", "Ympäristö, maankäyttö, vesi", "Miljö, rum och vatten"),
        _code("education", "Education and science", "Koulutus ja tiede", "Utbildning och vetenskap"),
        _code("safety", "Public safety", "Yleinen turvallisuus", "Allmän säkerhet"),
        _code("government", "Government", "Hallinto", "Förvaltning"),
        _code("justice", "Justice", "Oikeus", "Rättsväsen"),
        _code("abroad", "Travel and living abroad", "Matkailu ja ulkomailla asuminen", "Resor och utlandsboende"),
        _code("benefits", "Subsidies, benefits and allowances", "Avustukset ja etuudet", "Bidrag och förmåner"),
        _code("transport", "Traffic and transport", "Liikenne", "Trafik och transport"),
        _code("work", "Work and career", "Työ ja ura", "Arbete och karriär"),
    ),
)

ALGORITHM_TYPES = Codes(
    "algorithm-type",
    words("Type of algorithm", "Algoritmin tyyppi", "Typ av algoritm"),
    (
        _code("self-learning", "Self-learning", "Itseoppiva", "Självlärande", DPV_AI.MachineLearning),
        _code("rule-based", "Rule-based", "Sääntöpohjainen", "Regelbaserad", DPV_AI.RuleBasedTechnique),
        _code("hybrid", "Both", "Molempia", "Båda"),
    ),
)

USE_TYPES = Codes(
    "use-type",
    words("Type of use", "Käyttötapa", "Typ av användning"),
    (
        _code("descriptive", "Descriptive: what is", "Kuvaava: mitä on", "Beskrivande: vad som är"),
        _code("diagnostic", "Diagnostic: why it is so", "Selittävä: miksi on näin", "Förklarande: varför det är så"),
        _code(
            "predictive", "Predictive: what may come", "Ennustava: mitä voi tulla", "Förutsägande: vad som kan komma"
        ),
        _code("prescriptive", "Prescriptive: what to do", "Ohjaava: mitä pitäisi tehdä", "Styrande: vad man bör göra"),
    ),
)

SIGNIFICANCES = Codes(
    "ai-significance",
    words("Register category", "Rekisteriluokka", "Registerkategori"),
    (
        _code("high-risk-ai", "High-risk AI system", "Suuririskinen tekoälyjärjestelmä", "AI-system med hög risk"),
        _code(
            "impactful",
            "Algorithm with impact on people",
            "Ihmisiin vaikuttava algoritmi",
            "Algoritm som påverkar människor",
        ),
        _code("other", "Other algorithm", "Muu algoritmi", "Annan algoritm"),
    ),
)

RISK_LEVELS = Codes(
    "ai-act-risk-level",
    words("Risk class of the EU AI Act", "EU:n tekoälyasetuksen riskiluokka", "Riskklass enligt EU:s AI-förordning"),
    (
        _code("minimal", "Minimal risk", "Vähäinen riski", "Minimal risk", AIACT.RiskLevelMinimal),
        _code(
            "transparency",
            "Limited risk: transparency required",
            "Rajallinen riski: avoimuusvelvoite",
            "Begränsad risk: krav på öppenhet",
            AIACT.RiskLevelTransparencyRequired,
        ),
        _code("not-high", "Not high risk", "Ei suuri riski", "Inte hög risk", AIACT.RiskLevelNotHigh),
        _code("high", "High risk", "Suuri riski", "Hög risk", AIACT.RiskLevelHigh),
        _code("prohibited", "Prohibited", "Kielletty", "Förbjuden", AIACT.RiskLevelProhibited),
    ),
)

LIKELIHOODS = Codes(
    "likelihood",
    words("Likelihood", "Todennäköisyys", "Sannolikhet"),
    (
        _code("low", "Low", "Pieni", "Låg", DPV_RISK.LowLikelihood),
        _code("moderate", "Moderate", "Kohtalainen", "Måttlig", DPV_RISK.ModerateLikelihood),
        _code("high", "High", "Suuri", "Hög", DPV_RISK.HighLikelihood),
    ),
)

SEVERITIES = Codes(
    "severity",
    words("Severity", "Vakavuus", "Allvar"),
    (
        _code("low", "Low", "Pieni", "Låg", DPV_RISK.LowSeverity),
        _code("moderate", "Moderate", "Kohtalainen", "Måttlig", DPV_RISK.ModerateSeverity),
        _code("high", "High", "Suuri", "Hög", DPV_RISK.HighSeverity),
    ),
)

ASSESSMENTS = Codes(
    "assessment-type",
    words("Assessment", "Arviointi", "Bedömning"),
    (
        _code("dpia", "Data protection (DPIA)", "Tietosuoja (DPIA)", "Dataskydd (DPIA)", DPV.DPIA),
        _code(
            "fria", "Fundamental rights (FRIA)", "Perusoikeudet (FRIA)", "Grundläggande rättigheter (FRIA)", DPV.FRIA
        ),
        _code("human-rights", "Human rights", "Ihmisoikeudet", "Mänskliga rättigheter", DPV.RightsImpactAssessment),
        _code("algorithm", "Algorithm or AI impact", "Algoritmin vaikutukset", "Algoritmens påverkan"),
        _code("equality", "Equality", "Yhdenvertaisuus", "Likabehandling"),
        _code("security", "Security", "Tietoturva", "Säkerhet", DPV.SecurityAssessment),
        _code("risk", "Risk", "Riskit", "Risk", DPV.RiskAssessment),
        _code("audit", "Audit", "Tarkastus", "Granskning", DPV.Audit),
        _code("other", "Other", "Muu", "Annan", DPV.ImpactAssessment),
    ),
)

PARTY_ROLES = Codes(
    "ai-party-role",
    words("Role", "Rooli", "Roll"),
    (
        _code("provider", "Provider", "Toimittaja", "Leverantör", AIACT.AIProvider),
        _code("importer", "Importer", "Maahantuoja", "Importör", AIACT.AIImporter),
        _code("distributor", "Distributor", "Jakelija", "Distributör", AIACT.AIDistributor),
        _code("developer", "Developer", "Kehittäjä", "Utvecklare"),
        _code("operator", "Operator", "Ylläpitäjä", "Driftansvarig"),
        _code("auditor", "Auditor", "Tarkastaja", "Granskare"),
        _code("other", "Other", "Muu", "Annan"),
    ),
)

CAPABILITIES = Codes(
    "ai-capability",
    words("Capability", "Kyvykkyys", "Förmåga"),
    (
        _code("chatbot", "Conversation", "Keskustelu", "Samtal", DPV_AI.ChatbotCapability),
        _code("question-answering", "Answering questions", "Kysymyksiin vastaaminen", "Svar", DPV_AI.QuestionAnswering),
        _code(
            "text-classification", "Sorting texts", "Tekstien luokittelu", "Textsortering", DPV_AI.TextClassification
        ),
        _code("summarisation", "Summaries", "Tiivistäminen", "Sammanfattning", DPV_AI.AutomaticSummarisation),
        _code("translation", "Translation", "Kääntäminen", "Översättning", DPV_AI.MachineTranslation),
        _code(
            "speech-recognition", "Understanding speech", "Puheentunnistus", "Taligenkänning", DPV_AI.SpeechRecognition
        ),
        _code(
            "image-recognition", "Understanding images", "Kuvantunnistus", "Bildigenkänning", DPV_AI.ImageRecognition
        ),
        _code(
            "object-detection", "Finding objects", "Kohteiden tunnistus", "Objektdetektering", DPV_AI.ObjectDetection
        ),
        _code("motion-analysis", "Movement", "Liikkeen analyysi", "Rörelseanalys", DPV_AI.MotionAnalysis),
        _code("face-recognition", "Faces", "Kasvojentunnistus", "Ansiktsigenkänning", DPV_AI.FaceRecognition),
        _code(
            "biometrics",
            "Biometric identity",
            "Biometrinen tunnistus",
            "Biometrisk identifiering",
            DPV_AI.BiometricIdentification,
        ),
        _code("profiling", "Profiling of people", "Ihmisten profilointi", "Profilering", DPV_AI.Profiling),
        _code("patterns", "Finding patterns", "Säännönmukaisuudet", "Mönster", DPV_AI.PatternRecognition),
        _code("retrieval", "Search", "Haku", "Sökning", DPV_AI.InformationRetrieval),
        _code("generation", "Making content", "Sisällön tuottaminen", "Generering", DPV_AI.ContentGeneration),
        _code(
            "automation",
            "Automating routines",
            "Rutiinien automatisointi",
            "Automatisering av rutiner",
            DPV_AI.RoboticProcessAutomation,
        ),
    ),
)

AUTOMATION = Codes(
    "automation-level",
    words("Automation", "Automaation taso", "Grad av automatisering"),
    (
        _code(
            "assistive",
            "It helps; people decide",
            "Auttaa; ihminen päättää",
            "Hjälper; människor beslutar",
            DPV.AssistiveAutomation,
        ),
        _code("partial", "Partly automated", "Osin automaattinen", "Delvis automatiskt", DPV.PartialAutomation),
        _code(
            "conditional",
            "Automated under conditions",
            "Ehdoin automaattinen",
            "Automatiskt under villkor",
            DPV.ConditionalAutomation,
        ),
        _code("high", "Highly automated", "Pitkälti automaattinen", "Höggradigt automatiskt", DPV.HighAutomation),
        _code("full", "Fully automated", "Täysin automaattinen", "Helt automatiskt", DPV.FullAutomation),
    ),
)

DATA_USES = Codes(
    "development-data-use",
    words("Used for", "Käyttö", "Användning"),
    (
        _code("training", "Training", "Koulutus", "Träning", DPV_AI.TrainingData),
        _code("validation", "Validation", "Validointi", "Validering", DPV_AI.ValidationData),
        _code("testing", "Testing", "Testaus", "Testning", DPV_AI.TestingData),
    ),
)
