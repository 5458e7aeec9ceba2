"""Passwords that are guessed first: made of everybody's words, of runs on a keyboard, or of one part again. Pure.

A list of whole passwords would be long and never whole. So a password is taken apart: what everybody tries, the name
of its account, runs and repeated parts count for nothing, and what is left has to be enough by itself.
"""

import re

LEAST_LEFT = 6
# What leads the lists of passwords that leaked, and what the desk is about.
_WORDS = sorted(
    """abc access admin administrator aloita andra baseball batman bonjour changeme charlie chelsea chocolate
    city citynode computer cookie daniel data default desk donald dragon flower football freedom guest hallo hammer
    hannah harley hej hejhej hello hemligt hunter iloveyou jennifer jessica jordan kalle killer kissa letmein liverpool
    login london lösenord lossen lovely maggie manager master matrix michael michelle monkey moi moikka mustang
    nicole ninja node office open orange pass passord passwd password passwort pepper perkele pokemon princess
    purple qazwsx qwe qwerty ranger root salasana samsung secret shadow silver soccer sommar spring starwars summer
    sunshine superman sverige suomi sysadmin talvi temp test thomas tigger trustno user wachtwoord welcome whatever
    winter wsx xbox yellow zaq""".split(),  # noqa: SIM905 (a list of words reads better as words)
    key=len,
    reverse=True,
)
_RUNS = (
    "qwertyuiopåasdfghjklöäzxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "12345678901234567890",
)
_SWAPPED = str.maketrans("@$0!€3", "asoiee")
_AGAIN = re.compile(r"(.{1,8}?)\1+")


def is_guessed(name: str, password: str) -> bool:
    """Tell whether a password of the account `name` is one of the first that anybody tries."""
    plain, called = (
        "".join(each for each in text.casefold() if each.isalnum() or each in "@$!€") for text in (password, name)
    )
    return any(_left(called, each) < LEAST_LEFT for each in (plain, plain.translate(_SWAPPED)))


def _left(name: str, plain: str) -> int:
    """Count what is left of a password once everybody's parts are taken out, each repeated part once."""
    parts = [plain]
    for word in [*([name] if len(name) > 2 else []), *_WORDS]:
        parts = [piece for part in parts for piece in part.split(word)]
    found = 0
    for part in parts:
        once = _AGAIN.sub(r"\1", part)
        found += sum(len(each) for each in _without_runs(once) if not each.isdigit())
    return found


def _without_runs(part: str) -> list[str]:
    """Cut out what stands in one row of a keyboard, of the alphabet or of the digits, forwards or backwards."""
    kept, at = [], 0
    while at < len(part):
        long = max((size for size in range(3, len(part) - at + 1) if _is_run(part[at : at + size])), default=0)
        if not long:
            kept.append(part[at])
        at += long or 1
    return ["".join(kept)] if not "".join(kept).isdigit() else []


def _is_run(text: str) -> bool:
    return any(text in row or text[::-1] in row for row in _RUNS)
