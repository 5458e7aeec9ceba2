"""Laws of consent records: a yes must cover the question whole, a no need only touch it, and what is not read is no."""

from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import Malformed
from node.federation.consent.places import may_be
from node.federation.consent.records import (
    COLUMNS,
    ENDED,
    GIVEN,
    STATES,
    Asked,
    Event,
    of_record,
    read_csv,
    read_jsonl,
    standings,
)
from node.federation.policy.purposes import PURPOSES
from node.federation.policy.terms import DPV

LONDON, GHENT = "https://london.example", "https://ghent.example"
DATASET, OTHER = "https://helsinki.example/datasets/energy", "https://helsinki.example/datasets/other"
RESEARCH, WIDER, SELLING = DPV + "AcademicResearch", DPV + "ResearchAndDevelopment", DPV + "Marketing"
ASKED = Asked(DATASET, RESEARCH, LONDON)
NOW = 1_795_000_000_000
YES = Event("r-1", "ConsentGiven", NOW - 1_000, 0, RESEARCH, LONDON, DATASET)


def allowed(events: Iterable[Event], asked: Asked = ASKED, now_ms: int = NOW) -> set[str]:
    return {subject for subject, one in standings(events, asked, now_ms).items() if one.allows(now_ms)}


def event(**said: object) -> Event:
    return Event(**{**{name: getattr(YES, name) for name in Event.__slots__}, **said})  # type: ignore[arg-type]


def test_nobody_of_whom_nothing_is_known_has_consented() -> None:
    assert allowed([]) == set()
    assert allowed([YES]) == {"r-1"}


@pytest.mark.parametrize(
    "said",
    [
        {"purpose": SELLING}, {"recipient": GHENT}, {"dataset": OTHER}, {"at_ms": NOW + 1},
        {"until_ms": NOW}, {"purpose": "https://w3id.org/dpv#NoSuchPurpose"},
        *({"state": state} for state in sorted(STATES - GIVEN)),
    ],
)  # fmt: skip
def test_a_yes_to_anything_else_is_none(said: dict[str, object]) -> None:
    assert allowed([event(**said)]) == set()


def test_a_yes_to_a_wider_purpose_covers_a_narrower_one_and_never_the_other_way() -> None:
    assert allowed([event(purpose=WIDER)]) == {"r-1"}
    assert allowed([YES], Asked(DATASET, WIDER, LONDON)) == set()


def test_a_yes_without_a_dataset_is_for_every_dataset_that_asks_this_source() -> None:
    assert allowed([event(dataset="")]) == {"r-1"}


@pytest.mark.parametrize(
    "said",
    [
        {}, {"purpose": ""}, {"purpose": WIDER}, {"recipient": ""}, {"dataset": ""},
        {"purpose": "", "recipient": "", "dataset": ""}, {"purpose": "https://example.org/unknown"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("state", sorted(ENDED | {"ConsentRefused", "ConsentExpired"}))
def test_a_later_no_that_touches_the_question_ends_the_yes(said: dict[str, object], state: str) -> None:
    no = event(state=state, at_ms=NOW - 1, **said)
    assert allowed([YES, no]) == allowed([no, YES]) == set()
    assert standings([YES, no], ASKED, NOW)["r-1"].is_withdrawn is (state in ENDED)


def test_a_no_to_a_part_of_a_purpose_ends_the_yes_to_the_whole() -> None:
    wide = event(purpose=WIDER)
    assert allowed([wide, event(state="ConsentWithdrawn", at_ms=NOW - 1)], Asked(DATASET, WIDER, LONDON)) == set()


SPELT_OTHERWISE = [
    {"recipient": "https://London.example"}, {"recipient": "https://london.example:443"},
    {"recipient": "http://london.example"}, {"recipient": "https://london.example/en"},
    {"recipient": "https://london.example."}, {"recipient": "https://lond%6Fn.example"},
    {"recipient": f"{GHENT};{LONDON}"}, {"recipient": f"{GHENT},{LONDON}"}, {"recipient": f"{GHENT}/;{LONDON}"},
    {"recipient": f"{GHENT}?{LONDON}"}, {"recipient": "https://x@london.example"}, {"recipient": "london:city"},
    {"recipient": "did:web:london.example"}, {"recipient": "https://"}, {"recipient": "https:london.example"},
    {"dataset": DATASET + "/"}, {"dataset": "https://HELSINKI.example/datasets/energy"},
    {"dataset": "https://helsinki.example/datasets"}, {"dataset": DATASET + "/part.csv"}, {"dataset": DATASET + "#1"},
    {"dataset": "https://helsinki.example/x/../datasets/energy"}, {"dataset": f"{OTHER}|{DATASET}"},
    {"dataset": "urn:energy"}, {"dataset": "https://helsinki.example/datasets/%2565nergy"},
]  # fmt: skip


@pytest.mark.parametrize("said", SPELT_OTHERWISE)
def test_a_no_that_names_the_city_or_the_dataset_otherwise_or_beyond_comparing_ends_the_yes(
    said: dict[str, str],
) -> None:
    no = event(state="ConsentWithdrawn", at_ms=NOW - 1, **said)
    assert standings([YES, no], ASKED, NOW)["r-1"].is_withdrawn
    assert allowed([event(**said)]) == set(), "a yes is for the very address that it names"


ELSEWHERE = [
    (LONDON, "https://londonderry.example"), (LONDON, "https://london.example:8443"), (DATASET, DATASET + "2"),
    ("https://h.example/d?id=1", "https://h.example/d?id=2"), ("https://h.example/d#1", "https://h.example/d#2"),
    ("urn:x:1", "urn:x:2"), ("https://münchen.example", "https://nürnberg.example"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ELSEWHERE)
def test_addresses_that_differ_for_sure_are_not_one(one: str, other: str) -> None:
    assert not may_be(one, other)
    assert not may_be(other, one)
    assert may_be(one, one.upper())
    assert may_be("https://münchen.example", "https://xn--mnchen-3ya.example/")


@pytest.mark.parametrize("state", sorted(STATES - GIVEN - ENDED))
def test_the_newest_word_decides_and_what_is_no_yes_is_a_no(state: str) -> None:
    assert allowed([YES, event(state=state, at_ms=NOW - 1)]) == set()
    assert allowed([event(state=state), event(at_ms=NOW - 1)]) == {"r-1"}


@pytest.mark.parametrize("state", sorted(STATES - GIVEN))
def test_who_took_consent_back_and_is_asked_again_has_still_taken_it_back(state: str) -> None:
    no, later = event(state="ConsentWithdrawn", at_ms=NOW - 2), event(state=state, at_ms=NOW - 1)
    for events in ([YES, no, later], [later, no, YES]):
        assert standings(events, ASKED, NOW)["r-1"].is_withdrawn
    again = event(at_ms=NOW - 1)
    assert not standings([YES, no, again], ASKED, NOW)["r-1"].is_withdrawn
    assert standings([YES, no, again, event(state=state)], ASKED, NOW)["r-1"].allows(NOW)


@pytest.mark.parametrize("said", [{"purpose": SELLING}, {"recipient": GHENT}, {"dataset": OTHER}])
def test_a_no_to_something_else_leaves_the_yes(said: dict[str, object]) -> None:
    assert allowed([YES, event(state="ConsentWithdrawn", at_ms=NOW - 1, **said)]) == {"r-1"}


def test_a_yes_after_a_no_holds_again_and_of_two_at_one_moment_the_no_holds() -> None:
    no = event(state="ConsentWithdrawn")
    assert allowed([no, event(at_ms=no.at_ms + 1)]) == {"r-1"}
    assert allowed([no, YES]) == allowed([YES, no]) == set()


def test_of_two_yeses_at_one_moment_the_one_that_ends_earlier_holds() -> None:
    ended, later = event(until_ms=NOW), event(until_ms=NOW + 1)
    for one, other in ((ended, YES), (ended, later)):
        assert allowed([one, other]) == allowed([other, one]) == set()
    assert allowed([later, YES]) == allowed([YES, later]) == {"r-1"}
    for events in ([later, YES], [YES, later]):
        assert allowed(events, now_ms=NOW + 1) == set()


def test_a_withdrawal_counts_at_once_even_if_its_clock_runs_ahead() -> None:
    assert allowed([YES, event(state="ConsentWithdrawn", at_ms=NOW + 60_000)]) == set()


EVENTS = st.builds(
    Event,
    subject=st.sampled_from(["a", "b"]),
    state=st.sampled_from(sorted(STATES)),
    at_ms=st.integers(NOW - 3, NOW + 1),
    until_ms=st.sampled_from([0, NOW - 1, NOW + 1]),
    purpose=st.sampled_from([RESEARCH, WIDER, SELLING]),
    recipient=st.sampled_from([LONDON, GHENT]),
    dataset=st.sampled_from(["", DATASET, OTHER]),
)


@settings(max_examples=40)
@given(st.lists(EVENTS, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_decides_nothing(events: list[Event], chance: object) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert allowed(events) == allowed(shuffled)
    gone = [
        {who for who, one in standings(each, ASKED, NOW).items() if one.is_withdrawn} for each in (events, shuffled)
    ]
    assert gone[0] == gone[1]
    assert allowed(shuffled) <= {each.subject for each in events if each.is_yes}


@settings(max_examples=40)
@given(st.lists(EVENTS, max_size=8))
def test_one_more_withdrawal_never_lets_anybody_through(events: list[Event]) -> None:
    no = event(subject="a", state="ConsentWithdrawn", at_ms=NOW + 2)
    assert allowed([*events, no]) == allowed(events) - {"a"}


# ---------------------------------------------------------------- reading

RECORD = {
    "schema_version": "ISO/IEC TS 27560:2023",
    "record_identifier": "c-1",
    "pii_principal_identifier": "r-1",
    "purposes": [
        {"purpose": "dpv:AcademicResearch", "recipient_third_parties": [LONDON + "/", GHENT], "datasets": [DATASET]}
    ],
    "events": [
        {"event_time": "2026-11-01T10:00:00Z", "event_state": "dpv:ConsentGiven", "validity_duration": "P1Y"},
        {"event_time": "2026-11-02T10:00:00Z", "event_state": DPV + "ConsentWithdrawn"},
    ],
}


def test_a_record_gives_each_event_for_each_purpose_and_recipient() -> None:
    found = list(of_record(RECORD))
    assert [(each.state, each.recipient) for each in found] == [
        ("ConsentGiven", LONDON), ("ConsentGiven", GHENT), ("ConsentWithdrawn", LONDON), ("ConsentWithdrawn", GHENT),
    ]  # fmt: skip
    assert found[0].until_ms - found[0].at_ms == 365 * 86_400_000
    assert {each.purpose for each in found} == {RESEARCH}
    assert {each.dataset for each in found} == {DATASET}


def test_slashes_behind_a_recipient_do_not_count_and_nothing_else_is_read_otherwise() -> None:
    head = ",".join(COLUMNS[:6])

    def allows(recipient: str, dataset: str) -> bool:
        row = f"r-1,2026-11-01T10:00:00Z,ConsentGiven,{RESEARCH},{recipient},{dataset}"
        return "r-1" in allowed(read_csv([head, row]))

    assert allows(LONDON, DATASET)
    assert allows(f"{LONDON}/", DATASET)
    assert not allows(LONDON, f"{DATASET}/")
    assert not allows(LONDON.upper(), DATASET)
    assert not allows(LONDON.replace("https:", "http:"), DATASET)


def test_the_two_forms_say_the_same() -> None:
    head = ",".join(COLUMNS)
    rows = [
        f'r-1,2026-11-01T10:00:00Z,dpv:ConsentGiven,AcademicResearch,"{LONDON} {GHENT}",{DATASET},2027-11-01T10:00:00Z',
        f'r-1,2026-11-02T10:00:00Z,ConsentWithdrawn,{RESEARCH},"{LONDON} {GHENT}",{DATASET},',
    ]
    assert list(read_csv([head, *rows])) == list(read_jsonl([orjson.dumps(RECORD), b"\n"]))


@pytest.mark.parametrize(
    "bent",
    [
        {"pii_principal_identifier": ""}, {"pii_principal_identifier": 7}, {"pii_principal_identifier": "x" * 501},
        {"events": []}, {"events": None}, {"events": ["x"]}, {"events": [{}]}, {"events": [{}] * 101},
        {"events": [{"event_time": "2026-11-01", "event_state": "ConsentGiven"}]},
        {"events": [{"event_time": "2026-11-01T10:00:00Z", "event_state": "Yes"}]},
        {"events": [{**RECORD["events"][0], "validity_duration": "a year"}]},  # type: ignore[index,dict-item]
        *({"events": [{**RECORD["events"][0], "validity_duration": each}]} for each in (0, False, [], "", "P")),  # type: ignore[index,dict-item]
        *({"events": [{**RECORD["events"][0], "valid_until": each}]} for each in (0, False, [], "", "2027")),  # type: ignore[index,dict-item]
        *({"events": [{**RECORD["events"][1], name: "x"}]} for name in ("valid_till", " valid_until", "expiry")),  # type: ignore[index,dict-item]
        {"valid_until": "2020-01-01T00:00:00Z"}, {"Events": []}, {"dataset": DATASET}, {"datasets": [DATASET]},
        {"pii_principal_identifier": "r-1 "}, {"pii_principal_identifier": "r-1\n"},
        {"pii_principal_identifier": "\ufeffr-1"},
        {"purposes": []}, {"purposes": "dpv:AcademicResearch"}, {"purposes": [7]},
        {"purposes": [{"purpose": 7}]},
        {"purposes": [{"purpose": "AcademicResearch"}]},
        {"purposes": [{"recipient_third_parties": [LONDON]}]},
        {"purposes": [{"purpose": "AcademicResearch", "recipient_third_parties": LONDON}]},
        {"purposes": [{"purpose": "AcademicResearch", "recipient_third_parties": ["London"]}]},
        {"purposes": [{"purpose": "AcademicResearch", "recipient_third_parties": [LONDON], "datasets": ["energy"]}]},
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_read_is_refused_with_its_line_and_without_its_words(bent: dict[str, object]) -> None:
    line = orjson.dumps({**RECORD, **bent})
    with pytest.raises(Malformed, match="Line 2 of the consent records") as caught:
        list(read_jsonl([orjson.dumps(RECORD), line]))
    assert "r-1" not in str(caught.value)


OVER = (
    *("duration", "dpv:hasDuration", "end", "endDate", "end_time", "ended", "withdrawal_time", "withdrawnAt"),
    *("revocationDate", "terminatedOn", "cancelled", "status", "consentState", "dpv:hasExpiry"),
    *("active", "is_active", "inactive", "isDeactivated", "enabled", "opt_out", "optedOut", "optout", "opt-in"),
    *("deleted", "deletedAt", "removed", "erased_on", "archived", "obsolete", "void", "denied", "declined", "refused"),
    *("rejected", "objection", "suspended", "supersededBy"),
)


@pytest.mark.parametrize("name", OVER)
def test_a_member_that_may_say_that_consent_is_over_is_never_passed_over(name: str) -> None:
    event, purpose = RECORD["events"][0], RECORD["purposes"][0]  # type: ignore[index]
    places: tuple[dict[str, object], ...] = (
        {name: "P1D"}, {"events": [{**event, name: "P1D"}]}, {"purposes": [{**purpose, name: "P1D"}]},  # type: ignore[dict-item]
    )  # fmt: skip
    for said in places:
        with pytest.raises(Malformed, match="may say that it is over"):
            list(of_record({**RECORD, **said}))


@pytest.mark.parametrize("answer", [True, False, "no", " Yes", "FALSE"])
def test_a_member_that_says_yes_or_no_to_nobody_knows_what_is_never_passed_over(answer: object) -> None:
    event, purpose = RECORD["events"][0], RECORD["purposes"][0]  # type: ignore[index]
    places: tuple[dict[str, object], ...] = (
        {"agreed": answer}, {"events": [{**event, "agreed": answer}]}, {"purposes": [{**purpose, "agreed": answer}]},  # type: ignore[dict-item]
    )  # fmt: skip
    for said in places:
        with pytest.raises(Malformed, match="may say that it is over"):
            list(of_record({**RECORD, **said}))


def test_what_the_standard_has_beside_is_passed_over() -> None:
    event, purpose = RECORD["events"][0], RECORD["purposes"][0]  # type: ignore[index]
    beside = {
        "privacy_statement": "x", "event_type": "explicit", "entity_id": "x", "withdrawal_method": "https://x.example",
        "retention_period": "P1Y", "sender": "x", "gender": "x", "recommended": "x", "pii_controllers": [],
        "pii_optional": True, "special_pii_category": False, "optional": "x", "option": "x", "activity": "x",
        "interactive": "x", "objective": "x", "object": "x", "version": 1, "note": "no more than once",
    }  # fmt: skip
    said = {**RECORD, **beside, "events": [{**event, **beside}], "purposes": [{**purpose, **beside}]}  # type: ignore[dict-item]
    assert len(list(of_record(said))) == 2


LOOK_ALIKE = ("A\u0308ki", "\u00c4ki\u3164", "\u00c4ki\ufe0f", "\u00c4\u034fki", "\u00c4ki\u2800", "\u00c4ki\U000e0100")


@pytest.mark.parametrize("key", LOOK_ALIKE)
def test_a_key_that_looks_like_another_is_refused(key: str) -> None:
    line = f"{{}},2026-11-01T10:00:00Z,ConsentGiven,{RESEARCH},{LONDON}"
    assert allowed(read_csv([",".join(COLUMNS[:5]), line.format("\u00c4ki")])) == {"\u00c4ki"}
    with pytest.raises(Malformed, match="can be seen"):
        list(read_csv([",".join(COLUMNS[:5]), line.format(key)]))


@pytest.mark.parametrize(
    "lines",
    [
        [], ["r-1,2026-11-01T10:00:00Z,ConsentGiven"], [",".join((*COLUMNS[:3], COLUMNS[0]))],
        [",".join(COLUMNS[:3]), "r-1,2026-11-01T10:00:00Z"],
        [",".join(COLUMNS[:3]), "r-1,2026-11-01T10:00:00Z,ConsentWithdrawn,more"],
        [",".join(COLUMNS[:3]), 'r-1,2026-11-01T10:00:00Z,"ConsentWithdrawn'],
        [",".join(COLUMNS[:3]), "r-1,2026-11-01T10:00:00Z,ConsentGiven"],
        *([",".join((*COLUMNS[:6], name))] for name in (" valid_until", "valid_till", "Valid_Until", "note", "")),
        [",".join(COLUMNS[:3]), '"r-1,2026-11-01T10:00:00Z,ConsentGiven\n', 'r-2",2026-11-01T10:00:00Z,ConsentExpired'],
        [",".join(COLUMNS[:4]), 'r-1,2026-11-01T10:00:00Z,ConsentWithdrawn,"x\n', 'r-2,2026,ConsentWithdrawn,"'],
        *([",".join(COLUMNS[:3]), f"{key},2026-11-01T10:00:00Z,ConsentWithdrawn"]
          for key in ("r-1 ", " r-1", "\ufeffr-1", "r\u200b-1", "r-1\t")),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_refused(lines: list[str]) -> None:
    with pytest.raises(Malformed, match="Line"):
        list(read_csv(lines))


@pytest.mark.parametrize(
    "bent",
    [
        (b'"events":[', b'"events":[{"event_time":"2026-12-01T10:00:00Z","event_state":"ConsentRevoked"}],"events":['),
        (b'"pii_principal_identifier":"r-1"', b'"pii_principal_identifier":"r-2","pii_principal_identifier":"r-1"'),
        (b'"event_time"', b'"event_state":"ConsentWithdrawn", "event_time"'),
        (b'"purposes":[', b'"purposes":[], "purposes":['),
        (b'"record_identifier":', b'"r\\u0065cord_identifier":1,"record_identifier":'),
    ],
)  # fmt: skip
def test_a_line_that_names_a_member_twice_is_refused(bent: tuple[bytes, bytes]) -> None:
    line = orjson.dumps(RECORD)
    assert len(list(read_jsonl([line.replace(b'":', b'": ')]))) == 4
    assert bent[0] in line
    with pytest.raises(Malformed, match="twice"):
        list(read_jsonl([line.replace(*bent, 1)]))


def test_an_end_in_the_first_moment_of_all_is_an_end_and_of_two_ends_the_earlier_holds() -> None:
    head, row = ",".join(COLUMNS), f"r-1,2026-11-01T10:00:00Z,ConsentGiven,{RESEARCH},{LONDON},{DATASET}"
    for until in ("1970-01-01T00:00:00Z", "2021-01-01T00:00:00Z"):
        assert allowed(read_csv([head, f"{row},{until}"])) == set()
    assert allowed(read_csv([head, f"{row},"])) == {"r-1"}
    given = RECORD["events"][0]  # type: ignore[index]
    for said in ({"valid_until": "1970-01-01T00:00:00Z"}, {"valid_until": "2026-11-02T00:00:00Z"}):
        (first, *_) = of_record({**RECORD, "events": [{**given, **said}]})  # type: ignore[dict-item]
        assert 0 < first.until_ms < NOW


@pytest.mark.parametrize("line", [b"{", b"[]", b"7", b'"' + b"x" * 70_000 + b'"', b'{"a":' * 500 + b"1" + b"}" * 500])
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(Malformed, match="Line 1"):
        list(read_jsonl([line]))


def test_the_states_are_those_of_dpv_and_the_purposes_of_the_tests_are_known() -> None:
    assert len(STATES) == 12
    assert {RESEARCH, WIDER, SELLING} <= set(PURPOSES)
