"""The part of the table in `words` that speaks of our vocabulary, and what the kinds of knowledge are called.

Same rules, same order of languages: English, Finnish, Swedish. Names of kinds are those of their tables, so that a page
and the published vocabulary call a kind the same.
"""

from node.vocab.kinds import TABLES
from node.vocab.terms import DCAT

NS_WORDS: dict[str, tuple[str, str, str]] = {
    "ns.title": ("Our vocabulary", "Sanastomme", "Vår vokabulär"),
    "ns.lead": (
        "The words that records of this network use where no other vocabulary has one: what each means, and why it is"
        " needed.",
        "Sanat, joita tämän verkoston tietueissa käytetään silloin, kun muissa sanastoissa ei ole sopivaa: mitä kukin"
        " tarkoittaa ja miksi se tarvitaan.",
        "Orden som posterna i det här nätverket använder när ingen annan vokabulär har något: vad vart och ett"
        " betyder och varför det behövs.",
    ),
    "ns.contents": ("On this page", "Tällä sivulla", "På den här sidan"),
    "ns.class": ("Classes", "Luokat", "Klasser"),
    "ns.property": ("Properties", "Ominaisuudet", "Egenskaper"),
    "ns.individual": ("Ways to get data", "Tavat saada dataa", "Sätt att få data"),
    "ns.lists": ("Lists", "Luettelot", "Listor"),
    "ns.term": ("Term", "Termi", "Term"),
    "ns.meaning": ("Meaning", "Merkitys", "Betydelse"),
    "ns.reason": ("Why no other does", "Miksi muu ei käy", "Varför inget annat duger"),
}
# What DCAT has words for keeps them: an authored service is called as a harvested one.
NS_WORDS |= {
    f"kind.{each.kind}": (each.title["en"], each.title["fi"], each.title["sv"])
    for each in TABLES.values()
    if each.cls not in DCAT
}
