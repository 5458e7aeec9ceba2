"""Words of the pages of agreements, in English, Finnish and Swedish: what stands around the clauses.

The clauses themselves are not here: they come from the table that also reads them back (`federation.policy`), so that
what is shown is what is enforced. Joined to the table in `words`.
"""

AGREEMENT_WORDS: dict[str, tuple[str, str, str]] = {
    "agreement.holds": ("Does it hold?", "Onko se voimassa?", "Gäller det?"),
    "agreement.state.in-force": ("Yes, in force", "Kyllä, voimassa", "Ja, det gäller"),
    "agreement.state.suspended": ("No, suspended", "Ei, keskeytetty", "Nej, tillfälligt upphävt"),
    "agreement.state.revoked": ("No, revoked", "Ei, peruttu", "Nej, återkallat"),
    "agreement.state.superseded": (
        "No, another has taken its place",
        "Ei, toinen on tullut sen tilalle",
        "Nej, ett annat har trätt i dess ställe",
    ),
    "agreement.state.expired": ("No, its term has ended", "Ei, sen kausi on päättynyt", "Nej, dess tid är ute"),
    "agreement.state.not-yet": ("Not yet", "Ei vielä", "Inte än"),
    "agreement.said_by": (
        "as {city} has it in its journal",
        "{city} kirjaa sen näin päiväkirjassaan",
        "så står det i journalen: {city}",
    ),
    "agreement.until": ("Until when?", "Mihin asti?", "Till när?"),
    "agreement.until.open": ("No end is agreed", "Päättymistä ei ole sovittu", "Inget slut är avtalat"),
    "agreement.signed_since": ("Signed", "Allekirjoitettu", "Undertecknat"),
    "agreement.clauses": ("What was agreed", "Mitä sovittiin", "Vad som avtalades"),
    "agreement.clause": ("Clause {n}", "Kohta {n}", "Punkt {n}"),
    "agreement.words_lead": (
        "The nodes of both cities act on these sentences, word for word.",
        "Molempien kaupunkien solmut toimivat sanasta sanaan näiden lauseiden mukaan.",
        "Båda städernas noder följer dessa meningar, ord för ord.",
    ),
    "agreement.signatures": ("Signatures", "Allekirjoitukset", "Underskrifter"),
    "agreement.first": ("Signed first", "Allekirjoitti ensin", "Undertecknade först"),
    "agreement.second": (
        "Signed over the other city's signature",
        "Allekirjoitti toisen kaupungin allekirjoituksen päälle",
        "Undertecknade över den andra stadens underskrift",
    ),
    "agreement.missing": ("Has not signed", "Ei ole allekirjoittanut", "Har inte undertecknat"),
    "agreement.key": ("key", "avain", "nyckel"),
    "agreement.take": ("Take it with you", "Ota mukaasi", "Ta med dig"),
    "agreement.machine": (
        "The text that was signed, for machines",
        "Allekirjoitettu teksti koneille",
        "Den undertecknade texten, för maskiner",
    ),
    "agreement.law": ("Not law", "Ei lakia", "Inte lag"),
    "agreement.law_more": (
        "It states what the two cities do for each other. It is no contract between a city and you.",
        "Tässä sanotaan, mitä kaupungit tekevät toisilleen. Se ei ole sopimus kaupungin ja sinun välilläsi.",
        "Här står vad de två städerna gör för varandra. Det är inget avtal mellan en stad och dig.",
    ),
}
