"""The data of the demonstration: travel diaries of residents who do not exist, and the file that says who consented.

Every value is drawn from one fixed seed, so that each run writes the same bytes; no survey was asked, and no person is
meant. The consent file has the shape of ISO/IEC TS 27560 with one line for each event, as a small city would keep it.
"""

import random
from pathlib import Path

PERSONS, TRIPS = 400, 3
LARGE_TRIPS = 2_000
FILE, LARGE, CONSENT = "travel-diaries.csv", "travel-diaries-all-years.csv", "consent.csv"
COLUMN = "respondent"
_MODES = ("walk", "bicycle", "bus", "tram", "metro", "train", "ferry", "car")
_DISTRICTS = ("Kallio", "Kalasatama", "Pasila", "Itäkeskus", "Malmi", "Munkkiniemi", "Lauttasaari", "Kontula")
_PURPOSES = ("work", "school", "shopping", "leisure", "care")
# Of ten residents seven agreed, one said no, one was asked and has not answered, one took it back before.
_STATES = ("ConsentGiven",) * 7 + ("ConsentRefused", "ConsentRequested", "ConsentWithdrawn")


def write_data(folder: Path) -> None:
    """Write both files of diaries. The small one is a week, the large one many years: some 55 MB."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, trips in ((FILE, TRIPS), (LARGE, LARGE_TRIPS)):
        chance, path = random.Random(2025), folder / name  # noqa: S311 (nothing secret)
        if path.exists():
            continue
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(f"{COLUMN},day,mode,minutes,from,to,why\n")
            for trip in range(trips):
                for person in range(1, PERSONS + 1):
                    file.write(_trip(chance, person, trip))


def write_consent(path: Path, *, purpose: str, recipient: str) -> None:
    """Write who agreed that a city may have their diary for a purpose. Keeps the file of an earlier run."""
    if path.exists():
        return
    lines = ["pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties,dataset,valid_until\n"]
    for person in range(1, PERSONS + 1):
        state = _STATES[person % 10]
        lines.append(f"{name_of(person)},2025-03-01T09:00:00Z,dpv:{state},{purpose},{recipient},,\n")
    path.write_text("".join(lines), "utf-8")


def name_of(person: int) -> str:
    """Give the key of a person: what the survey's office calls them, and nothing that says who they are."""
    return f"r{person:04}"


def _trip(chance: random.Random, person: int, trip: int) -> str:
    day, begins, ends = 1 + trip % 28, chance.choice(_DISTRICTS), chance.choice(_DISTRICTS)
    told = (chance.choice(_MODES), str(chance.randint(3, 90)), begins, ends, chance.choice(_PURPOSES))
    return f"{name_of(person)},2025-03-{day:02},{','.join(told)}\n"
