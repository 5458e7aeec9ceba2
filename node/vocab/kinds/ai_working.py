"""How AI systems work: what goes in, what comes out, how well, and on which data. A part of the table of AI systems.

Long texts are Markdown by language; models, measurements and data are groups of their own, so that each can be linked
and compared. Pure values.
"""

from node.vocab.kinds import ai_codes
from node.vocab.kinds.ai_data import DEVELOPMENT, OPERATIONAL
from node.vocab.kinds.ai_groups import ARCHITECTURE, INPUT, MEASUREMENTS, MODELS, OUTPUT, PERFORMANCE
from node.vocab.kinds.codes import words
from node.vocab.kinds.field import Field
from node.vocab.terms import CN, DCAT, DCT, DPV, DPV_AI, FOAF, SCHEMA

HOW: tuple[Field, ...] = (
    Field(
        name="description",
        term=DCT.description,
        form="markdown",
        need="should",
        section="how",
        label=words("How it works", "Miten se toimii", "Hur det fungerar"),
        hint=words(
            "How data goes in and a result comes out, step by step.",
            "Miten tieto menee sisään ja tulos tulee ulos, vaihe vaiheelta.",
            "Hur data går in och resultat kommer ut, steg för steg.",
        ),
        example={"en": "A camera reads plates; a list says who has paid; a warden looks at the rest."},
    ),
    Field(
        name="algorithm_type",
        term=DPV_AI.hasTechnique,
        form="code",
        codes=ai_codes.ALGORITHM_TYPES,
        need="should",
        section="how",
        label=ai_codes.ALGORITHM_TYPES.label,
        hint=words(
            "Whether it learned from data, follows rules, or both.",
            "Oppiiko se tiedoista, noudattaako sääntöjä vai molempia.",
            "Om det lärt sig av data, följer regler, eller båda.",
        ),
        example="self-learning",
    ),
    Field(
        name="use_type",
        term=CN.useType,
        form="code",
        codes=ai_codes.USE_TYPES,
        need="should",
        section="how",
        reason="ai:hasCapability is what a system can do; this is what its output is used for.",
        label=ai_codes.USE_TYPES.label,
        hint=words("What its output is used for.", "Mihin sen tulosta käytetään.", "Vad dess resultat används till."),
        example="diagnostic",
    ),
    Field(
        name="capabilities",
        term=DPV_AI.hasCapability,
        form="code",
        codes=ai_codes.CAPABILITIES,
        many=True,
        section="how",
        label=words("Capabilities", "Kyvykkyydet", "Förmågor"),
        hint=words("What it can do.", "Mitä se osaa.", "Vad det kan."),
        example=["image-recognition"],
    ),
    Field(
        name="automation",
        term=DPV.hasAutomationLevel,
        form="code",
        codes=ai_codes.AUTOMATION,
        section="oversight",
        label=ai_codes.AUTOMATION.label,
        hint=words("How much it does alone.", "Kuinka paljon se tekee yksin.", "Hur mycket det gör ensamt."),
    ),
    Field(
        name="methods",
        term=CN.method,
        form="markdown",
        section="how",
        reason="ai:hasTechnique points to techniques as things; registers name their methods in a sentence.",
        label=words("Methods and models", "Menetelmät ja mallit", "Metoder och modeller"),
        hint=words("The methods by their names.", "Menetelmät nimeltä.", "Metoderna vid namn."),
        example={"en": "Convolutional neural network"},
    ),
    INPUT,
    OUTPUT,
    ARCHITECTURE,
    MODELS,
    PERFORMANCE,
    MEASUREMENTS,
    Field(
        name="maintenance",
        term=CN.maintenance,
        form="markdown",
        section="how",
        reason="dct:accrualPeriodicity is about data; no vocabulary that we use has the upkeep of a system in words.",
        label=words("Maintenance", "Ylläpito", "Underhåll"),
        hint=words(
            "Who looks after it, and how often.",
            "Kuka siitä huolehtii ja kuinka usein.",
            "Vem som sköter det, hur ofta.",
        ),
    ),
    Field(
        name="source_code",
        term=SCHEMA.codeRepository,
        form="link",
        many=True,
        section="how",
        label=words("Source code", "Lähdekoodi", "Källkod"),
        hint=words("Where its code is.", "Missä sen koodi on.", "Var dess kod finns."),
    ),
    Field(
        name="documentation",
        term=FOAF.page,
        form="link",
        many=True,
        section="record",
        label=words("More information", "Lisätietoja", "Mer information"),
        hint=words("Pages that say more.", "Sivut, jotka kertovat lisää.", "Sidor som berättar mer."),
    ),
    Field(
        name="website",
        term=DCAT.landingPage,
        form="link",
        section="record",
        label=words("Web page", "Verkkosivu", "Webbsida"),
        hint=words("Its page for residents.", "Sen sivu asukkaille.", "Dess sida för invånare."),
    ),
)

DATA: tuple[Field, ...] = (
    OPERATIONAL,
    DEVELOPMENT,
    Field(
        name="data_sources",
        term=DPV.hasDataSource,
        form="markdown",
        need="should",
        section="data",
        label=words("Connected data sources", "Yhteydet rekistereihin", "Anslutna datakällor"),
        hint=words(
            "Which registers it is connected to, such as that of residents.",
            "Mihin rekistereihin se on yhteydessä, esimerkiksi väestötietoihin.",
            "Vilka register det är anslutet till, till exempel folkbokföringen.",
        ),
        example={"en": "The register of vehicles"},
    ),
    Field(
        name="data_bias",
        term=CN.dataBias,
        form="markdown",
        section="data",
        reason="ai:DataBias is a risk as a thing; registers say in words how data is biased and what was done.",
        label=words("Bias in the data", "Tietojen vinouma", "Snedvridning i data"),
        hint=words(
            "How the data is biased, and what was done about it.",
            "Miten tiedot ovat vinoutuneet ja mitä sille tehtiin.",
            "Hur data är snedvridna, och vad som gjordes åt det.",
        ),
    ),
)
