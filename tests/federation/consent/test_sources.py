"""Laws of consent sources: asked each time, believed only for what was asked, and never a yes by silence."""

import os
import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.errors import ConsentUnknown, ForbiddenAddress, Malformed, PeerUnreachable, Refused
from node.federation.consent import sources as module
from node.federation.consent.records import Asked
from node.federation.consent.sources import ConsentSource, Sources, check, write_withdrawal
from node.federation.policy.quantities import instant_text
from node.federation.policy.terms import DPV
from node.outbound import Reply

LONDON, DATASET, RESEARCH = "https://london.example", "https://h.example/datasets/energy", DPV + "AcademicResearch"
ASKED = Asked(DATASET, RESEARCH, LONDON)
NOW = 1_795_000_000_000
HEAD = "pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties\n"
YES = f"{{}},2026-01-01T00:00:00Z,ConsentGiven,AcademicResearch,{LONDON}\n"


@dataclass
class Service:
    """Answers what a consent service would: these pages in their turn, and beside them that `gone` withdrew."""

    pages: list[Any] = field(default_factory=list)
    gone: list[Any] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any], Mapping[str, str]]] = field(default_factory=list)
    status: int = 200
    clock: float = 0.0
    takes_s: float = 0.0

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], most: int) -> Reply:
        said = orjson.loads(body)
        self.clock += self.takes_s
        if url.endswith("/withdrawn") and any(one.endswith("/allowed") for one, _, _ in self.asked):
            echo = {name: said[name] for name in ("dataset", "purpose", "recipient")}
            return Reply(200, {}, orjson.dumps({**echo, "subjects": self.gone}))
        self.asked.append((url, said, headers))
        page = self.pages[len(self.asked) - 1]
        if isinstance(page, Exception):
            raise page
        if isinstance(page, bytes):
            return Reply(self.status, {}, page)
        echo = {name: said[name] for name in ("dataset", "purpose", "recipient")}
        return Reply(self.status, {}, orjson.dumps({**echo, **page}))

    def sources(self) -> Sources:
        headers = {"secret": {"Authorization": "Bearer t"}, "": {}}
        return Sources(self, lambda name, _: headers[name], deadline_s=5, monotonic=lambda: self.clock)


HTTP = ConsentSource("residents", "http", "https://consent.h.example/v1", "secret")


def of_file(path: Path) -> ConsentSource:
    return ConsentSource("residents", "file", str(path))


def none() -> Sources:
    return Service().sources()


# ---------------------------------------------------------------- files


def test_a_file_of_either_form_says_who_consents(tmp_path: Path) -> None:
    table, lines = tmp_path / "c.csv", tmp_path / "c.jsonl"
    table.write_text("\ufeff" + HEAD + YES.format("r-1") + YES.format("Ä-2"))
    purposes = [{"purpose": RESEARCH, "recipient_third_parties": [LONDON]}]
    events = [{"event_time": "2026-01-01T00:00:00Z", "event_state": "dpv:ConsentGiven"}]
    record = {"purposes": purposes, "events": events}
    lines.write_bytes(b"\n".join(orjson.dumps({"pii_principal_identifier": key, **record}) for key in ("r-1", "Ä-2")))
    for path in (table, lines):
        assert none().allowed(of_file(path), ASKED, NOW) == {"r-1", "Ä-2"}
        assert none().withdrawn(of_file(path), ASKED, NOW) == {}
        assert none().allowed(of_file(path), Asked(DATASET, RESEARCH, "https://ghent.example"), NOW) == set()


def test_a_withdrawal_holds_at_the_next_question_however_soon(tmp_path: Path) -> None:
    path, sources = tmp_path / "c.csv", none()
    path.write_text(HEAD + YES.format("r-1") + YES.format("r-2"))
    for age_s in (0, 3_600):  # a file of just now is not kept, an old one is
        os.utime(path, (NOW / 1000 - age_s, NOW / 1000 - age_s))
        assert sources.allowed(of_file(path), ASKED, NOW) == {"r-1", "r-2"}
    write_withdrawal(of_file(path), "r-1", Asked("", "", ""), NOW)
    assert sources.allowed(of_file(path), ASKED, NOW) == {"r-2"}
    assert sources.withdrawn(of_file(path), ASKED, NOW) == {"r-1": NOW}


def test_a_file_that_is_the_same_is_read_once_and_its_ends_still_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sources = tmp_path / "c.csv", none()
    until = instant_text(NOW + 10_000)
    path.write_text(HEAD[:-1] + ",valid_until\n" + YES.format("r-1")[:-1] + f",{until}\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert sources.allowed(of_file(path), ASKED, NOW) == {"r-1"}
    monkeypatch.setattr(module, "read_csv", lambda _: pytest.fail("it was read again"))
    assert sources.allowed(of_file(path), ASKED, NOW + 9_999) == {"r-1"}
    assert sources.allowed(of_file(path), ASKED, NOW + 10_000) == set()


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_a_line_that_cannot_be_read_stops_everything(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    good = YES.format("r-1") if name == "c.csv" else ""
    path.write_text((HEAD if name == "c.csv" else "") + good + "r-secret,now,perhaps,,\n")
    with pytest.raises(ConsentUnknown) as caught:
        none().allowed(of_file(path), ASKED, NOW)
    assert "r-secret" not in str(caught.value)
    assert check(none(), of_file(path), ASKED, NOW)[1]


def test_a_file_that_is_away_or_no_text_or_too_large_stops_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.csv"
    with pytest.raises(ConsentUnknown, match="cannot be read"):
        none().allowed(of_file(path), ASKED, NOW)
    os.mkfifo(path)
    with pytest.raises(ConsentUnknown, match="cannot be read"):
        none().allowed(of_file(path), ASKED, NOW)  # and nobody waits for who would write into it
    path.unlink()
    path.write_bytes(HEAD.encode() + b"\xff\xfe,x,y,z,a\n")
    with pytest.raises(ConsentUnknown, match="UTF-8"):
        none().allowed(of_file(path), ASKED, NOW)
    path.write_text(HEAD + "x" * 70_000 + "\n")
    with pytest.raises(ConsentUnknown, match="more than"):
        none().allowed(of_file(path), ASKED, NOW)
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 10)
    with pytest.raises(ConsentUnknown, match="more than 10 bytes"):
        none().allowed(of_file(path), ASKED, NOW)


# The head, and a last line that was not written to its end: whatever is cut off, somebody is allowed who is not.
HALVES = {
    "without its end": (HEAD[:-1] + ",valid_until\n", YES.format("r-1")[:-1] + ","),
    "another person": (
        "event_time,event_state,purpose,recipient_third_parties,pii_principal_identifier\n",
        f"2026-01-01T00:00:00Z,ConsentGiven,AcademicResearch,{LONDON},R-10",
    ),
    "another recipient": (HEAD, YES.format("r-1")[:-1]),
    "a head": ("", HEAD[:-1]),
}


@pytest.mark.parametrize("case", HALVES)
def test_a_table_whose_last_line_is_not_ended_stops_everything_and_takes_no_withdrawal(
    tmp_path: Path, case: str
) -> None:
    path = tmp_path / "c.csv"
    path.write_text("".join(HALVES[case]))
    with pytest.raises(ConsentUnknown, match="not whole"):
        none().allowed(of_file(path), ASKED, NOW)
    before = path.read_bytes()
    with pytest.raises(Malformed, match="not whole"):
        write_withdrawal(of_file(path), "r-1", Asked("", "", ""), NOW)
    assert path.read_bytes() == before, "a line feed would make a whole line of it"


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_a_withdrawal_is_written_behind_what_stands_even_without_a_last_line_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    asks = {"event_time": "2026-01-01T00:00:00Z", "event_state": "dpv:ConsentRequested"}
    unended = orjson.dumps({"pii_principal_identifier": "r-1", "events": [asks]}).decode()
    path.write_text(HEAD + YES.format("r-1") if name == "c.csv" else unended)
    before = path.read_bytes()
    write_withdrawal(of_file(path), 'r,"1', Asked("", RESEARCH, LONDON), NOW)
    assert path.read_bytes().startswith(before)
    assert none().withdrawn(of_file(path), ASKED, NOW) == {'r,"1': NOW}
    assert none().withdrawn(of_file(path), Asked(DATASET, DPV + "Marketing", LONDON), NOW) == {}


def test_a_withdrawal_that_a_file_cannot_say_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(HEAD)
    with pytest.raises(Malformed, match="no column dataset"):
        write_withdrawal(of_file(path), "r-1", Asked(DATASET, "", ""), NOW)
    for key in ("", "r-1 ", "r-1\n", "\ufeffr-1", "x" * 501):
        with pytest.raises(Malformed):
            write_withdrawal(of_file(path), key, Asked("", "", ""), NOW)
    with pytest.raises(Refused, match="service"):
        write_withdrawal(HTTP, "r-1", Asked("", "", ""), NOW)
    path.chmod(stat.S_IRUSR)
    missing = of_file(tmp_path / "none.jsonl")
    with pytest.raises(ConsentUnknown):
        write_withdrawal(missing, "r-1", Asked("", "", ""), NOW)
    assert not (tmp_path / "none.jsonl").exists()
    assert path.read_text() == HEAD


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_a_withdrawal_that_could_not_be_read_is_not_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(HEAD[:-1] + ",dataset\n" if name == "c.csv" else "")
    before = path.read_bytes()
    for said in (Asked("", "", "London"), Asked("energy", "", ""), Asked("", "", LONDON + "\r")):
        with pytest.raises(Malformed):
            write_withdrawal(of_file(path), "r-1", said, NOW)
    assert path.read_bytes() == before


def test_a_file_that_is_replaced_while_it_is_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "c.csv", tmp_path / "new.csv"
    for each in (path, other):
        each.write_text(HEAD)
    monkeypatch.setattr(os, "fsync", lambda _: other.replace(path))
    with pytest.raises(ConsentUnknown, match="cannot be written"):
        write_withdrawal(of_file(path), "r-1", Asked("", "", ""), NOW)


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_of_a_withdrawal_for_which_there_is_no_room_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path, real = tmp_path / name, os.write
    path.write_text(HEAD if name == "c.csv" else "{}")
    before = path.read_bytes()

    def full(file: int, line: bytes) -> int:
        return real(file, line[:10])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ConsentUnknown, match=r"cannot be written: No space left"):
        write_withdrawal(of_file(path), "r-1", Asked("", "", ""), NOW)
    assert path.read_bytes() == before
    monkeypatch.undo()
    write_withdrawal(of_file(path), "r-1", Asked("", "", ""), NOW)
    assert b"r-1" in path.read_bytes(), "with room again it goes on"


def test_what_cannot_be_taken_back_is_said_and_nobody_elses_line_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "c.csv", os.write
    path.write_text(HEAD)

    def others(file: int, line: bytes) -> int:
        wrote = real(file, line[:10])
        real(file, YES.format("r-9").encode())
        return wrote

    monkeypatch.setattr(os, "write", others)
    with pytest.raises(ConsentUnknown, match="not be taken back"):
        write_withdrawal(of_file(path), "r-1", Asked("", "", ""), NOW)
    assert path.read_text().endswith(YES.format("r-9"))


def test_a_withdrawal_that_is_interrupted_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "c.csv", os.write
    path.write_text(HEAD)

    def stopped(file: int, line: bytes) -> int:
        real(file, line[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_withdrawal(of_file(path), "r-1", Asked("", "", ""), NOW)
    assert path.read_text() == HEAD


def _withdraws(path: Path, begin: int) -> None:
    for number in range(begin, begin + 100):
        write_withdrawal(of_file(path), f"r-{number}", Asked("", "", ""), NOW)


def test_of_withdrawals_that_several_write_at_once_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(HEAD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)  # a disk that is slow would hide who writes over whom
        with ThreadPoolExecutor(3) as writers:
            list(writers.map(lambda at: _withdraws(path, at), (0, 100, 200)))
    assert len(none().withdrawn(of_file(path), ASKED, NOW)) == 300


# ---------------------------------------------------------------- services


def test_a_service_is_asked_the_whole_question_page_by_page() -> None:
    service = Service([{"subjects": ["r-1"], "next": "p2"}, {"subjects": ["r-2", "r-1"]}])
    assert service.sources().allowed(HTTP, ASKED, NOW) == {"r-1", "r-2"}
    urls, bodies, headers = zip(*service.asked, strict=True)
    assert set(urls) == {"https://consent.h.example/v1/allowed"}
    assert [each["after"] for each in bodies] == ["", "p2"]
    assert bodies[0] == {
        "dataset": DATASET, "purpose": RESEARCH, "recipient": LONDON, "at": instant_text(NOW), "after": "",
    }  # fmt: skip
    assert headers[0]["Authorization"] == "Bearer t"


def test_of_whom_a_service_says_both_the_no_holds() -> None:
    gone = [{"subject": "r-2", "at": "2026-11-01T00:00:00Z"}]
    assert Service([{"subjects": ["r-1", "r-2"]}], gone).sources().allowed(HTTP, ASKED, NOW) == {"r-1"}
    with pytest.raises(ConsentUnknown):
        Service([{"subjects": ["r-1"]}], ["r-2"]).sources().allowed(HTTP, ASKED, NOW)


def test_a_service_is_asked_again_each_time() -> None:
    service = Service([{"subjects": ["r-1"]}, {"subjects": []}])
    sources = service.sources()
    assert sources.allowed(HTTP, ASKED, NOW) == {"r-1"}
    assert sources.allowed(HTTP, ASKED, NOW) == set()


def test_a_service_says_who_withdrew_and_when() -> None:
    service = Service([{"subjects": [{"subject": "r-1", "at": "2026-11-01T00:00:00Z"}]}])
    assert service.sources().withdrawn(HTTP, ASKED, NOW) == {"r-1": 1_793_491_200_000}
    assert service.asked[0][0].endswith("/withdrawn")


@pytest.mark.parametrize(
    "page",
    [
        PeerUnreachable("away"), ForbiddenAddress("no"), b"", b"[]", b"null", b"{", b'{"subjects": ["r-1"]}',
        {"subjects": ["r-1"], "recipient": "https://ghent.example"},
        {"subjects": ["r-1"], "purpose": DPV + "Marketing"},
        {"subjects": ["r-1"], "dataset": ""}, {"subjects": None}, {"subjects": "r-1"}, {"subjects": [7]},
        {"subjects": [""]}, {"subjects": ["x" * 501]}, {"subjects": ["r-1"], "next": 7}, {"subjects": ["r-1 "]},
        b'{"subjects": ["r-1"], "subjects": []}', {"subjects": ["\ufeffr-1"]},
        {"subjects": ["r-1"], "next": "x" * 501}, *({"subjects": ["r-1"], "next": each} for each in (0, False, {}, [])),
    ],
)  # fmt: skip
def test_a_service_that_does_not_answer_the_question_is_never_a_yes(page: object) -> None:
    source = Service([page]).sources()
    with pytest.raises(ConsentUnknown) as caught:
        source.allowed(HTTP, ASKED, NOW)
    assert "r-1" not in str(caught.value)


@pytest.mark.parametrize("status", [204, 301, 400, 401, 404, 500])
def test_any_other_status_is_no_answer(status: int) -> None:
    with pytest.raises(ConsentUnknown, match=str(status)):
        Service([{"subjects": ["r-1"]}], status=status).sources().allowed(HTTP, ASKED, NOW)


@pytest.mark.parametrize(
    "each", ["r-1", {"subject": "r-1"}, {"subject": "r-1", "at": "today"}, {"at": "2026-11-01T00:00:00Z"}]
)
def test_a_withdrawal_without_its_moment_is_not_read(each: object) -> None:
    with pytest.raises(ConsentUnknown):
        Service([{"subjects": [each]}]).sources().withdrawn(HTTP, ASKED, NOW)


def test_an_answer_without_end_is_given_up() -> None:
    same = Service([{"subjects": ["r-1"], "next": "p"}] * 3)
    with pytest.raises(ConsentUnknown, match="does not go on"):
        same.sources().allowed(HTTP, ASKED, NOW)
    slow = Service([{"subjects": [], "next": str(n)} for n in range(10)], takes_s=3)
    with pytest.raises(ConsentUnknown, match="longer than 5 s"):
        slow.sources().allowed(HTTP, ASKED, NOW)
    assert len(slow.asked) == 2


def test_a_service_that_names_too_many_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_SUBJECTS", 1)
    with pytest.raises(ConsentUnknown, match="more than 1"):
        Service([{"subjects": ["r-1", "r-2"]}]).sources().allowed(HTTP, ASKED, NOW)
    monkeypatch.setattr(module, "_MAX_PAGES", 2)
    pages = Service([{"subjects": [], "next": str(n)} for n in range(3)])
    with pytest.raises(ConsentUnknown, match="pages"):
        pages.sources().allowed(HTTP, ASKED, NOW)
