"""The last part of the demonstration: data about residents move under an agreement, and their choices are kept.

Helsinki hands out travel diaries of persons who do not exist; London gets them for one purpose. A resident takes
consent back, and is gone from the next delivery; Helsinki ends the agreement while a large file streams, and the stream
is cut; what moved is proven by one file. Every command is printed as a person would type it, and can be repeated.
"""

import subprocess
from pathlib import Path

from demo import diaries
from demo.agreeing import SURVEYS, mirror, secret, short, typed, until
from demo.cities import City

DATASET = "https://hri.example/restricted/liikkumistutkimus-yksilotaso"
OFFER, PURPOSE = "travel-diaries", "PublicPolicyMaking"
PURPOSE_IRI = f"https://w3id.org/dpv#{PURPOSE}"
SOURCE = "survey-office"


def move(helsinki: City, london: City) -> str:
    """Play it all; give what to try afterwards."""
    print("\nData under agreement: what residents answered, and who may have it", flush=True)
    _origins(helsinki, london)
    agreement = _agree(helsinki, london)
    print("\nLondon gets the diaries: those of residents who agreed, and nobody else's", flush=True)
    here = _beside(london, "received")
    first = _got(london, here / diaries.FILE)
    person = _withdraw(helsinki, london, here / diaries.FILE, first)
    second = _got(london, here / diaries.FILE)
    print(f"{person} is gone: {first} lines before, {second} now", flush=True)
    print("\nHelsinki ends the agreement while London fetches all years", flush=True)
    _cut(helsinki, london, agreement, here / diaries.LARGE)
    print("\nWhat moved is proven, to anybody, by one file", flush=True)
    bundle = here / "evidence.json"
    _prove(helsinki, london, agreement, bundle)
    return _to_try(london, bundle)


# ---------------------------------------------------------------- steps


def _origins(helsinki: City, london: City) -> None:
    """Say where the diaries lie, that they are about residents, and who knows which of them agreed."""
    # Beside the node's own folder: what lies in that is never handed out.
    folder = _beside(helsinki, "survey-office")
    consent = folder / diaries.CONSENT
    diaries.write_data(folder)
    diaries.write_consent(consent, purpose=PURPOSE_IRI, recipient=london.base_url)
    if SOURCE not in {each["name"] for each in helsinki.json("consent", "sources", "list")["sources"]}:
        typed(helsinki, "consent", "sources", "add", SOURCE, str(consent))
    held = {each["part"] for each in helsinki.json("data", "origins", "list")["origins"]}
    about = ("--personal", "--subject-column", diaries.COLUMN, "--consent", SOURCE)
    for name in (diaries.FILE, diaries.LARGE):
        if name not in held:
            typed(helsinki, "data", "origins", "add", DATASET, str(folder / name), *about)


def _agree(helsinki: City, london: City) -> str:
    """Agree on personal data, with a legal basis and a basis of the transfer; give the agreement's IRI."""
    offer = f"{helsinki.base_url}/offers/{OFFER}"
    if offer not in {each["id"] for each in helsinki.json("offers", "list")["offers"]}:
        terms = ("--set", f"purposes={PURPOSE}", "--set", "ends=2028-12-31")
        bases = ("--set", "legal_basis=Consent", "--set", "transfer_basis=adequacy")
        shown_to = ("--to", london.slug, "--automatic", "--name", OFFER)
        typed(
            helsinki, "offers", "publish", SURVEYS, "--template", "personal-data", *terms, *bases, *shown_to,
            "--token-file", secret(helsinki), shown=False,
        )  # fmt: skip
    if not _in_force(london):
        typed(london, "agreements", "draft", "--with", helsinki.slug, "--offer", offer, shown=False)
        draft = next(each["id"] for each in london.json("agreements", "list")["drafts"])
        agreed = ("--yes", "--token-file", secret(london), "--wait", "60")
        typed(london, "agreements", "propose", draft, *agreed, shown=False)
    (agreement,) = _in_force(london)
    until(lambda: agreement in _in_force(helsinki), "the agreement to be in force at Helsinki")
    typed(london, "agreements", "explain", agreement)
    mirror(london, helsinki, SURVEYS)
    return agreement


def _got(london: City, target: Path) -> int:
    """Get the small file; give how many lines of diaries it has."""
    target.unlink(missing_ok=True)
    target.parent.mkdir(exist_ok=True)
    words = ("--purpose", PURPOSE, "--part", diaries.FILE, "--to", str(target), "--wait", "60")
    typed(london, "data", "get", DATASET, *words)
    return sum(1 for _ in target.open("rb")) - 1


def _withdraw(helsinki: City, london: City, file: Path, lines: int) -> str:
    """Take the consent of the first person of a file back; London finds, acknowledges and erases the rows."""
    with file.open(encoding="utf-8") as opened:
        person = next(line for number, line in enumerate(opened) if number == 1).partition(",")[0]
    print(f"\n{person}, one of those behind {lines} lines, takes consent back at Helsinki's survey office", flush=True)
    typed(helsinki, "consent", "withdraw", SOURCE, person)
    until(lambda: _waiting(london), "London to hear of it")
    print("London is told a salted key, and finds the rows in the file that it holds", flush=True)
    typed(london, "data", "withdrawals", "list")
    typed(london, "data", "withdrawals", "match", str(file), "--column", diaries.COLUMN)
    typed(london, "data", "withdrawals", "acknowledge", "--all")
    _erase(file, person)
    typed(london, "data", "withdrawals", "erased", "--all", "--yes")
    return person


def _erase(file: Path, person: str) -> None:
    """Leave a person's rows out of a file, as the team that holds it does."""
    kept = [line for line in file.read_text("utf-8").splitlines(keepends=True) if not line.startswith(f"{person},")]
    file.write_text("".join(kept), "utf-8")
    print(f"London's team removes the rows of {person} from {short(file)}", flush=True)


def _cut(helsinki: City, london: City, agreement: str, target: Path) -> None:
    """Revoke an agreement in mid-stream."""
    target.unlink(missing_ok=True)
    words = ["data", "get", DATASET, "--purpose", PURPOSE, "--part", diaries.LARGE, "--to", str(target)]
    print(f"  London$ citynode {' '.join(words[:-1])} {short(target)} &", flush=True)
    getting = subprocess.Popen(
        london.command(*words), env=london.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        until(lambda: _unfinished_bytes(target) > 1_000_000, "a megabyte to be here")
        came_mb = _unfinished_bytes(target) / 1e6
        typed(helsinki, "agreements", "revoke", agreement, "--yes", "--reason", "The council asked for it", shown=False)
        said, _ = getting.communicate(timeout=60)
    finally:
        getting.kill()
        getting.wait()
    print(f"    {said.splitlines()[-1]}", flush=True)
    print(f"{came_mb:.1f} MB had come; London's command ended with exit code {getting.returncode}", flush=True)
    if target.exists() or not getting.returncode:
        raise subprocess.CalledProcessError(1, "the stream was not cut")
    print(f"{short(target)} does not exist: what is not whole never bears the name of the data", flush=True)


def _unfinished_bytes(target: Path) -> int:
    """Give how much lies beside a file that is still to come."""
    return sum(each.stat().st_size for each in target.parent.glob(".citynode-*/*"))


def _prove(helsinki: City, london: City, agreement: str, bundle: Path) -> None:
    typed(london, "evidence", "list")
    typed(london, "evidence", "export", "--agreement", agreement, "-o", str(bundle))
    keys: list[str] = []
    for city in (helsinki, london):
        keys += ["--key", f"{city.base_url}={_fingerprint(city)}"]
    said = typed(london, "evidence", "verify", str(bundle), *keys, shown=False).splitlines()
    held = sum(line.startswith("holds: ") for line in said)
    print(f"    … {held} sentences that hold, and the verdict:\n    {said[-1]}", flush=True)


def _to_try(london: City, bundle: Path) -> str:
    citynode = f"CITYNODE_DATA={short(london.folder)} .venv/bin/citynode"
    return f"""
Data moved from Helsinki to London under an agreement, without the rows of those who did not agree:
  head -3 {short(bundle.with_name(diaries.FILE))}
  {citynode} data transfers list
  {citynode} evidence list
Change one letter of the proof, and it is refuted:
  sed 's/{diaries.FILE}/travel-diariez.csv/' {short(bundle)} > tampered.json
  .venv/bin/citynode evidence verify tampered.json
How a data protection officer reads all this: docs/residents.md
"""


# ---------------------------------------------------------------- looking


def _in_force(city: City) -> list[str]:
    """Name the agreements on the surveys that are in force."""
    found = city.json("agreements", "list")["agreements"]
    return [str(each["id"]) for each in found if each["state"] == "in-force" and each["target"].endswith(SURVEYS)]


def _waiting(city: City) -> bool:
    found = city.json("data", "withdrawals", "list")["withdrawals"]
    return any(not each["acknowledged_ms"] for each in found)


def _beside(city: City, name: str) -> Path:
    """Give a folder beside the city's data folder."""
    return city.folder.with_name(f"{city.folder.name}-{name}")


def _fingerprint(city: City) -> str:
    return str(city.json("identity")["fingerprint"])
