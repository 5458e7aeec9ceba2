"""Questions that people really type, and the records that answer them; written from the data before search was tuned.

Three nodes hold the samples (`SHELVES`) and mirror each other, so that each question is asked of every city at once.
Where a sample of real data has hardly anything in a language (Finnish, Swedish), the demonstration catalogues stand
in. An answer is named by the title of its record; several titles mean that any of them satisfies whoever asked. Values
only: what asks them is `test_questions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# What stands on which node: kind of portal and file, of the samples or of the demonstration.
SHELVES: dict[str, tuple[tuple[str, str], ...]] = {
    "helsinki": (
        ("ckan", "demo/helsinki.json"),
        ("ckan", "helsinki-hri/ckan-2016-vantaa-record.json"),
        ("ckan", "helsinki-hri/ckan-2017-new-schema-record.json"),
        ("dcat", "it-municipalities-dcat-ap-it/alessandria.rdf"),
        ("dcat", "it-municipalities-dcat-ap-it/brescia-mobilita.rdf"),
    ),
    "london": (
        ("datapress", "demo/london.json"),
        ("datapress", "london-datastore/transcribed/v3-export.json"),
        ("dcat-us", "london-datastore/barnet-data.json"),
        ("ckan", "uk-birmingham-ckan/package_search.json"),
        ("ckan", "us-philadelphia-ckan-2016/datasets.jsonl"),
        ("dcat", "uk-scotland-glasgow/dcat-jsonld/glasgow.json"),
        ("dcat", "uk-scotland-glasgow/dcat-jsonld/highland.json"),
        ("dcat", "uk-scotland-glasgow/dcat-jsonld/north_ayrshire.json"),
        ("dcat-us", "uk-scotland-glasgow/usmart/cycling-scotland.json"),
    ),
    "antwerp": (
        ("dcat", "be-antwerp-ghent-dcat-ap/antwerp-sample.ttl"),
        ("dcat", "be-antwerp-ghent-dcat-ap/ghent.rdf"),
    ),
}
# The languages of each node, its own first: a source that names none is in that one.
LANGUAGES: dict[str, tuple[str, ...]] = {
    "helsinki": ("fi", "sv", "en"),
    "london": ("en",),
    "antwerp": ("en",),
}


@dataclass(frozen=True)
class Question:
    """What somebody types, in which language of the pages, with which filters, and what they hope to find."""

    language: str
    text: str
    answers: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def ask(language: str, text: str, *answers: str, **filters: str) -> Question:
    """Write a question down."""
    return Question(language, text, answers, {name: (value,) for name, value in filters.items()})


_STREET_PARKING = "Kadunvarsipysäköinti Helsingissä"
_RESIDENT_PARKING = "Asukas- ja yrityspysäköintivyöhykkeet Helsingissä"
_CITY_BIKES = "Kaupunkipyörillä ajetut matkat Helsingissä ja Espoossa"
_DAY_CARE = "Päiväkodit ja varhaiskasvatuksen paikat Helsingissä"
_BEACHES = "Uimarantojen veden laatu ja lämpötila Helsingissä"
_SKIING = "Ladut ja ulkoliikuntapaikkojen kunto pääkaupunkiseudulla"
_CYCLISTS = "Helsingin pyöräilijämäärät"
_AIR = "Pääkaupunkiseudun ilmanlaatu"
_QUEUES = "Helsingin terveysasemien jonotusajat"
_PRICES = "Vanhojen osakeasuntojen hinnat Helsingissä postinumeroittain"
_ELECTIONS = "Vaalitulokset Helsingissä äänestysalueittain"
_PERMITS = "Myönnetyt rakennusluvat Espoossa"
_PLAYGROUNDS = "Leikkipuistot ja leikkipaikat Helsingissä"
_ACCIDENTS = "Liikenneonnettomuudet Helsingissä"
_FORECAST = "Helsingin ja Helsingin seudun väestöennuste"
_WASTE = "Jätteen vastaanottopaikat pääkaupunkiseudulla"
_PLOUGHS = "Aurauskaluston sijainnit ja tehdyt työt"

FINNISH = (
    ask("fi", "pysäköinti", _STREET_PARKING, _RESIDENT_PARKING),
    ask("fi", "kadunvarsipysakointi", _STREET_PARKING),
    ask("fi", "asukaspysäköinti", _RESIDENT_PARKING),
    ask("fi", "uimarannan veden lämpötila", _BEACHES),
    ask("fi", "sinilevä", _BEACHES),
    ask("fi", "kaupunkipyörien matkat", _CITY_BIKES),
    ask("fi", "pyöräilijöiden määrä", _CYCLISTS),
    ask("fi", "hiihto ladut", _SKIING),
    ask("fi", "latujen kunto", _SKIING),
    ask("fi", "ilmanlaatu", _AIR),
    ask("fi", "päiväkotien paikat", _DAY_CARE),
    ask("fi", "Helsingin päiväkoti", _DAY_CARE),
    ask("fi", "oppilaaksiottoalue", "Helsingin peruskoulut ja oppilaaksiottoalueet"),
    ask("fi", "vaalitulokset äänestysalueittain", _ELECTIONS),
    ask("fi", "terveysaseman jonotusaika", _QUEUES),
    ask("fi", "rakennuslupa espoo", _PERMITS),
    ask("fi", "vanhat kartat", "Vanhat Helsingin kartat"),
    ask("fi", "liikennemelu", "Helsingin meluselvitys"),
    ask("fi", "asuntojen hinnat postinumero", _PRICES),
    ask("fi", "puurekisteri", "Helsingin kaupungin puurekisteri"),
    ask("fi", "auraus", _PLOUGHS),
    ask(
        "fi",
        "kielten opiskelijat vantaalla",
        "A2- ja B2-kielten opiskelijoiden määrä Vantaalla kouluittain, luokka-asteittain ja kielen mukaan",
    ),
    ask("fi", "kasvihuonekaasupäästöt", "Pääkaupunkiseudun kasvihuonekaasupäästöt"),
    ask("fi", "kirjaston lainat", "Helsingin kaupunginkirjaston lainat ja kävijät"),
    ask("fi", "ekopisteet", _WASTE),
    ask("fi", "talousarvio", "Helsingin kaupungin talousarvio ja toteuma"),
)
SWEDISH = (
    ask("sv", "parkering", _STREET_PARKING, _RESIDENT_PARKING),
    ask("sv", "boendeparkering", _RESIDENT_PARKING),
    ask("sv", "luftkvalitet", _AIR),
    ask("sv", "badstränder", _BEACHES),
    ask("sv", "cykelvägar", "Helsingin pyöräliikenneverkko"),
    ask("sv", "stadscykel", _CITY_BIKES),
    ask("sv", "lekplats", _PLAYGROUNDS),
    ask("sv", "valresultat", _ELECTIONS),
    ask("sv", "bygglov Esbo", _PERMITS),
    ask("sv", "väntetid hälsostation", _QUEUES),
    ask("sv", "trafikolyckor", _ACCIDENTS),
    ask("sv", "daghem", _DAY_CARE),
    ask("sv", "befolkningsprognos", _FORECAST),
    ask("sv", "skidspar", _SKIING),
)
ENGLISH = (
    ask("en", "ev charging", "Electric vehicle charging sites", "Electric Vehicle Charging Points"),
    ask(
        "en",
        "air quality london",
        "London average air quality levels",
        "London Atmospheric Emissions Inventory (LAEI) 2022",
    ),
    ask(
        "en", "bike hire docking stations", "Santander Cycles: trips and docking stations", "Indego Bike Share Stations"
    ),
    ask("en", "parking meters", "Parking Meter & Kiosk Inventory"),
    ask("en", "parking tickets violations", "Parking Violations"),
    ask("en", "house prices glasgow", "Glasgow House Sales 1991-2013"),
    ask("en", "stop and search", "Stop and search dashboard data"),
    ask("en", "fire brigade incidents", "London Fire Brigade incident records"),
    ask("en", "recycling rates", "Household waste recycling rates by borough", "Recycling Diversion Rate"),
    ask(
        "en",
        "rough sleepers",
        "Rough sleeping in London (CHAIN reports)",
        "Homelessness - Slept Rough in Past 3 Months",
    ),
    ask("en", "septa gtfs", "SEPTA GTFS"),
    ask("en", "flood risk", "Surface water flood risk in London", "LDP2 - Flood Vulnerable Areas"),
    ask("en", "bridge heights", "Bridge Height Restrictions"),
    ask("en", "public toilets", "Public Conveniences", "Publiek sanitair Gent"),
    ask(
        "en",
        "cycling counts edinburgh",
        "City of Edinburgh Council - Hourly cycling counts from automatic cycling counters",
        "City of Edinburgh Council - Daily cycling counts from automatic cycling counters",
    ),
    ask("en", "bicyle thefts", "Bicycle Thefts"),
    ask("en", "purchase card april 2021", "April 2021 Purchase Card Transactions"),
    ask("en", "311 requests", "311 Service Requests"),
    ask("en", "property tax", "Property Tax Balances", "Real Estate Tax Look Up"),
    ask("en", "farmers market", "Farmers Markets Locations"),
    ask("en", "life expectancy by ward", "Life expectancy at birth and at 65 by ward"),
    ask("en", "tree canopy", "Tree canopy cover"),
    ask(
        "en",
        "3d city model",
        "Helsingin 3D-kaupunkitietomalli",
        "Vantaan 3D-kaupunkimalli",
        "Queen Elizabeth Olympic Park and surroundings: 3D model",
        "3D Urban Model",
    ),
    ask("en", "ulez", "Vehicle compliance in the Ultra Low Emission Zone"),
    ask("en", "dentist", "tandarts"),
    ask("en", "taxi ranks", "taxistandplaatsen", "Standplaatsen Taxi's Gent"),
    ask("en", "parking", "On-street parking bays by borough", "Camden parking bays", city="london"),
    ask("en", '"car parks"', "Car Parks"),
)
DUTCH = (
    ask("nl", "drinkwater", "Drinkwaterplekken Gent", "drinkfontein"),
    ask(
        "nl",
        "fietsenstallingen gent",
        "Locaties fietsenstallingen Gent",
        "Real time bezettingen fietsenstallingen Gent",
        "Gentse Feesten - Fietsenstallingen",
    ),
    ask("nl", "tandarts", "tandarts"),
    ask("nl", "zwembaden", "zwembad", "bereik zwembad stadsdeel"),
    ask("nl", "laadpalen auto", "Laadpalen wagens Gent", "Aangemelde private laadpunten voor elektrische voertuigen"),
    ask("nl", "openbaar toilet", "Publiek sanitair Gent"),
    ask("nl", "schapen", "Real time locatie schapen Gent"),
    ask("nl", "geboorteakten", "Registers Burgerlijke Stand: geboorteakten Gent en deelgemeenten"),
    ask("nl", "sluikstort 2023", "Sluikstort meldingen Gent 2023"),
    ask("nl", "bezetting parkeergarages", "Real time bezetting parkeergarages Gent"),
    ask("nl", "parkeertarieven", "Parkeertariefzones Gent"),
    ask("nl", "bibliotheken", "Locaties bibliotheken Gent"),
    ask(
        "nl",
        "geluidsbelasting spoor",
        "Geluidsbelastingskaart Spoor (Lden) Gent (2021)",
        "Geluidsbelastingskaart Spoor (nacht) Gent (2021)",
        "Geluidsbelastingskaart Spoorverkeer Gent (2016)",
        "Geluidsbelastingskaart Spoorverkeer (nacht) Gent (2016)",
    ),
    ask("nl", "windturbines haven", "Windturbines North Sea Port"),
    ask("nl", "defibrillator", "AED (Automatische externe defibrillator)"),
    ask("nl", "kinderopvang antwerpen", "kinderopvang"),
    ask(
        "nl",
        "criminaliteit per wijk",
        "Criminaliteitscijfers per wijk per maand Gent (2018)",
        *(f"Criminaliteitscijfers per wijk per maand Gent ({year})" for year in range(2019, 2025)),
    ),
    ask("nl", "lage emissiezone", "Lage Emissie Zone Gent", "lage-emissiezone", "LEZ verkooppunten"),
    ask("nl", "RUP Binnenstad", 'Gemeentelijk RUP "Binnenstad" (Antwerpen)'),
)
ITALIAN = (
    ask("it", "parcheggi brescia", "Sosta"),
    ask("it", "bike sharing", "Mobilità sostenibile"),
    ask("it", "autobus", "Trasporto pubblico locale"),
    ask("it", "alberi", "Alberi"),
    ask("it", "ingressi biblioteche", "Ingressi Biblioteca"),
    ask("it", "numero civico", "Numeri Civici"),
    ask("it", "mobilita sostenibile", "Mobilità sostenibile"),
    ask("it", "segnalazioni malfunzionamenti", "Segnalazioni Municipium"),
)
QUESTIONS: tuple[Question, ...] = (*FINNISH, *SWEDISH, *ENGLISH, *DUTCH, *ITALIAN)
